"""The rep's screens beyond the claim: decline, receipts, what came of a lead, my settings (U2)."""

from __future__ import annotations

import pytest

from handlers.app import AINA, BEN, DAYANG, MANAGER, App
from handlers.people.test_lead_in_hand import browse

HOSTILE = "<script>alert(1)</script> \u202eمرحبا " + "Ü" * 170


@pytest.fixture(autouse=True)
def people(app: App) -> None:
    app.hire(AINA, BEN, DAYANG)
    app.world.add_manager(MANAGER)


# Decline


def test_declining_moves_a_card_behind_the_others_and_keeps_its_claim_link(app: App) -> None:
    lead, other = app.lead(1), app.lead(2)
    home = browse(app, "GET /", {}).text
    assert f'action="/leads/{lead.lead_id}/decline"' in home
    assert "You will not be asked again" in home
    sent = browse(app, "POST /leads/{lead_id}/decline", {"lead_id": lead.lead_id})
    assert (sent.status, sent.headers["location"]) == (303, "/")
    home = browse(app, "GET /", {}).text
    assert f'action="/leads/{lead.lead_id}/decline"' not in home
    assert f"/c/{app.link(lead)}" in home
    assert home.index(app.link(other)) < home.index("Declined") < home.index(app.link(lead))
    colleague = browse(app, "GET /", {}, BEN).text
    assert f'action="/leads/{lead.lead_id}/decline"' in colleague


def test_declining_what_is_not_there_says_so(app: App) -> None:
    sent = browse(app, "POST /leads/{lead_id}/decline", {"lead_id": "nothing"})
    assert sent.status == 404
    assert "You have no such lead." in sent.text


def test_a_hostile_company_name_is_text_on_home(app: App) -> None:
    app.lead(1, company=HOSTILE)
    home = browse(app, "GET /", {}).text
    assert "<script>alert" not in home
    assert home.count("<script") == 1
