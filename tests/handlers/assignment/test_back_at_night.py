"""Leads that come back at night wait for the morning in one queue with the new ones (R11)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from dibs.core.lead import Lead
from handlers.app import AINA, MANAGER, App, http
from support.builders import a_playbook

WEEK = {day: ["09:00-21:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
TEAMS = {"north": {"name": "North", "zone": "Asia/Kuala_Lumpur", "hours": WEEK}}
NIGHT = datetime(2026, 11, 23, 22, tzinfo=UTC)
MORNING = datetime(2026, 11, 24, 1, tzinfo=UTC)  # nine o'clock there


@pytest.fixture(autouse=True)
def organisation(app: App) -> None:
    spread = {"at_once": 1, "every_seconds": 60}
    app.put_playbook(a_playbook(teams=TEAMS, overnight=spread))
    app.world.add_manager(MANAGER)
    app.hire(AINA)


def released(app: App, lead: Lead) -> None:
    body = '{"reason": "not_a_fit"}'
    asked = http("http_offers", "POST /leads/{lead_id}/release", {"lead_id": lead.lead_id}, body)
    assert app.ask("rep", asked).status == 200


def managed(app: App, route: str, body: object, **path: str) -> None:
    text = None if body is None else json.dumps(body)
    asked = http("http_playbook", route, path, text, authorization=f"Bearer {MANAGER}")
    asked.pop("queryStringParameters")
    assert app.ask("manage", asked).status == 200


def withdrawn(app: App, lead: Lead) -> None:
    body = {"to": "pool", "reason": "So"}
    managed(app, "POST /leads/{lead_id}/withdraw", body, lead_id=lead.lead_id)


def put_back(app: App, lead: Lead) -> None:
    for where in ("nobody", "pool"):
        body = {"to": where, "reason": "So"}
        managed(app, "POST /leads/{lead_id}/withdraw", body, lead_id=lead.lead_id)


def left(app: App, lead: Lead) -> None:
    del lead
    managed(app, "POST /reps/{rep_id}/leave", None, rep_id=AINA.rep_id)


@pytest.mark.parametrize("comes_back", [released, withdrawn, put_back, left])
def test_a_lead_that_comes_back_at_night_is_spread_out_with_the_others(
    app: App, comes_back: Callable[[App, Lead], None]
) -> None:
    held = app.lead(1)
    assert app.claim(held).status == 200
    app.clock.at = NIGHT
    before = app.lead(2)
    comes_back(app, held)
    after = app.lead(3)
    opens = [app.now(lead).opens_at for lead in (before, held, after)]
    minutes = [(at - MORNING).total_seconds() / 60 for at in opens]
    assert minutes == [0, 1, 2]


def test_a_lead_that_comes_back_by_day_opens_at_once(app: App) -> None:
    held = app.lead(1)
    assert app.claim(held).status == 200
    app.clock.pass_(minutes=5)
    released(app, held)
    assert app.now(held).opens_at == app.clock.at
