"""The rep's screens beyond the claim: decline, receipts, what came of a lead, my settings (U2)."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

import pytest

from dibs.core.lead import Lead, State
from handlers.app import AINA, BEN, DAYANG, MANAGER, Answer, App, http
from handlers.people.test_lead_in_hand import OURS, browse
from handlers.receipts.test_receipts import ask, sealed
from rep import receipt
from support.builders import a_card, a_playbook, token_of

HOSTILE = "<script>alert(1)</script> \u202eمرحبا " + "Ü" * 170
SHOWN = HOSTILE.replace("\u202e", "")


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


# Receipts


def test_my_races_are_listed_newest_first_with_outcome_place_and_rule(app: App) -> None:
    first = sealed(app, 1)
    app.waiting("offer")
    second = sealed(app, 2)
    mine = browse(app, "GET /me/receipts", {}, BEN)
    assert mine.status == 200
    assert mine.text.index(second.lead_id) < mine.text.index(first.lead_id)
    for shown in ("Lost", "Place 2", "250 ms behind the winner", a_card(1).company):
        assert shown in mine.text
    listed = ask(app, "GET /me/receipts", BEN, second).json
    assert [one["lead_id"] for one in listed["receipts"]] == [second.lead_id, first.lead_id]
    assert listed["receipts"][0]["outcome"] == "lost"
    assert listed["next"] is None
    assert "You won" in browse(app, "GET /me/receipts", {}, AINA).text


def test_who_did_not_try_has_no_race_in_the_list(app: App) -> None:
    app.pause(DAYANG, hours=1)
    sealed(app)
    page = browse(app, "GET /me/receipts", {}, DAYANG)
    assert page.status == 200
    assert 'class="empty"' in page.text


def test_a_page_of_races_leads_to_the_next(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt, "_PAGE", 1)
    first = sealed(app, 1)
    app.waiting("offer")
    sealed(app, 2)
    page = ask(app, "GET /me/receipts", BEN, first).json
    after = unquote(page["next"].partition("=")[2])
    assert [
        one["lead_id"]
        for one in ask(app, "GET /me/receipts", BEN, first, after=after).json["receipts"]
    ] == [first.lead_id]
    assert ask(app, "GET /me/receipts", BEN, first, after="x").code == "invalid_input"


def test_a_receipt_says_how_to_check_it_and_takes_one_dispute(app: App) -> None:
    lead = sealed(app)
    path = {"lead_id": lead.lead_id}
    page = browse(app, "GET /leads/{lead_id}/receipt", path, BEN).text
    body = ask(app, "GET /leads/{lead_id}/receipt", BEN, lead).json
    for shown in (body["receipt"]["hash"], body["receipt"]["before"], "SHA-256", "250 ms"):
        assert shown in page
    assert f'action="/leads/{lead.lead_id}/dispute?epoch={lead.epoch}"' in page
    sent = browse(
        app, "POST /leads/{lead_id}/dispute", path, BEN, reason=HOSTILE.replace("\u202e", "")
    )
    assert sent.status == 303
    assert sent.headers["location"] == f"/leads/{lead.lead_id}/receipt?epoch={lead.epoch}"
    page = browse(app, "GET /leads/{lead_id}/receipt", path, BEN).text
    assert "<script>alert" not in page
    assert "A manager answers it here." in page
    assert "/dispute" not in page
    answered = {"epoch": str(lead.epoch), "rep_id": BEN.rep_id, **path}
    ruled = http(
        "http_playbook",
        "POST /disputes/{lead_id}/{epoch}/{rep_id}/answer",
        answered,
        json.dumps({"upheld": False, "text": "We looked into it."}),
        authorization=f"Bearer {MANAGER}",
    )
    ruled.pop("queryStringParameters", None)
    assert app.ask("manage", ruled).status == 200
    page = browse(app, "GET /leads/{lead_id}/receipt", path, BEN).text
    assert "The race stands." in page
    assert "We looked into it." in page


def test_a_won_race_is_not_disputed_and_an_unknown_one_not_shown(app: App) -> None:
    lead = sealed(app)
    path = {"lead_id": lead.lead_id}
    assert "/dispute" not in browse(app, "GET /leads/{lead_id}/receipt", path, AINA).text
    sent = browse(app, "POST /leads/{lead_id}/dispute", path, AINA, reason="I did not want it")
    assert sent.status == 409
    assert "Only a race you did not win" in sent.text
    assert browse(app, "GET /leads/{lead_id}/receipt", {"lead_id": "x"}, AINA).status == 404


# What came of a lead


def told(app: App, lead: Lead, **form: str) -> Answer:
    route, path = "POST /me/leads/{lead_id}/outcome", {"lead_id": lead.lead_id}
    return browse(app, route, path, AINA, **form)


def in_hand(app: App) -> Lead:
    lead = app.lead()
    assert app.claim(lead).status == 200
    return lead


def page_of(app: App, lead: Lead) -> str:
    return browse(app, "GET /leads/{lead_id}", {"lead_id": lead.lead_id}).text


def test_a_deal_is_told_with_its_amount_and_counts_once(app: App) -> None:
    lead = in_hand(app)
    page = page_of(app, lead)
    assert 'value="USD"' in page
    assert 'value="qualified"' in page
    form = {"outcome": "won", "outcome_id": "1", "amount": "1250.5", "currency": "USD"}
    for _ in range(2):
        assert told(app, lead, **form).status == 303
        history = ask(app, "GET /me/leads/{lead_id}", AINA, lead).json["history"]
        assert [(one["type"], one["amount"], one["currency"]) for one in history] == [
            ("won", 125050, "USD")
        ]
    page = page_of(app, lead)
    assert "Won 1,250.50 USD" in page
    assert 'name="amount"' not in page
    assert app.now(lead).state is State.WON


@pytest.mark.parametrize("amount", ["-1", "1,250.50", "1.255", "x", "9" * 30])
def test_what_is_no_amount_records_nothing_and_says_how(app: App, amount: str) -> None:
    lead = in_hand(app)
    form = {"outcome": "won", "outcome_id": "1", "amount": amount, "currency": "USD"}
    sent = told(app, lead, **form)
    assert sent.status == 422
    assert app.now(lead).state is State.CLAIMED
    assert "1250.50" in sent.text


def test_qualified_and_lost_are_one_tap(app: App) -> None:
    lead = in_hand(app)
    assert told(app, lead, outcome="qualified", outcome_id="1").status == 303
    assert app.now(lead).state is State.QUALIFIED
    assert 'value="qualified"' not in page_of(app, lead)
    assert told(app, lead, outcome="lost", outcome_id="2").status == 303
    assert app.now(lead).state is State.LOST


def test_what_a_rep_may_not_report_is_not_asked_for(app: App) -> None:
    rules = {"reporting": {"types": {"won": {"by": ["system"]}}}}
    app.put_playbook(a_playbook(teams={"north": {"name": "North"}}, game=rules))
    assert 'name="amount"' not in page_of(app, in_hand(app))


# My settings


def test_my_language_is_mine_to_choose(app: App) -> None:
    assert "Bahasa Melayu" in browse(app, "GET /me", {}).text
    sent = browse(app, "POST /me/language", {}, language="ms")
    assert (sent.status, sent.headers["location"]) == (303, "/me")
    assert '<html lang="ms"' in browse(app, "GET /me", {}).text
    assert browse(app, "POST /me/language", {}, language="xx").status == 422


def test_quiet_and_leave_are_set_and_ended_from_my_page(app: App) -> None:
    route = "POST /me/availability"
    sent = browse(app, route, {}, quiet_minutes="30")
    assert (sent.status, sent.headers["location"]) == (303, "/me")
    assert "No alerts until 20:30" in browse(app, "GET /me", {}).text
    browse(app, route, {}, quiet_minutes="0")
    assert "No alerts until" not in browse(app, "GET /me", {}).text
    for day in ("2026-12-24", "2026-12-31"):
        assert browse(app, route, {}, leave_from=day, leave_to=day).status == 303
    page = browse(app, "GET /me", {}).text
    assert "2026-12-24 – 2026-12-24" in page
    assert "2026-12-31 – 2026-12-31" in page
    browse(app, route, {}, no_leave="true")
    assert "No leave is set." in browse(app, "GET /me", {}).text
    wrong = browse(app, route, {}, leave_from="2026-12-31", leave_to="2026-12-24")
    assert wrong.status == 422


def test_other_browsers_are_signed_out_from_a_page(app: App) -> None:
    other, here = app.cookie(token_of(AINA)), app.cookie(token_of(AINA))
    headers = {"authorization": None, "cookie": here, "accept": "text/html", **OURS}

    def boards(route: str, path: dict[str, str], **changed: str) -> Answer:
        asked = http("http_board", route, path, **{**headers, **changed})
        asked.pop("queryStringParameters", None)
        return app.ask("boards", asked)

    page = boards("GET /me/sessions", {}).text
    assert "This browser" in page
    [ended] = re.findall(r'action="/me/sessions/([^/]+)/end"', page)
    sent = boards("POST /me/sessions/{session_id}/end", {"session_id": ended})
    assert (sent.status, sent.headers["location"]) == (303, "/me/sessions")
    assert "Another browser" not in boards("GET /me/sessions", {}).text
    gone = boards("GET /me/sessions", {}, cookie=other)
    assert (gone.status, gone.headers["location"]) == (303, "/sign-in?to=/me/sessions")
