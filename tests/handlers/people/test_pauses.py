"""Managers pause a team or a rep: it binds the next claim, and is shown with when it ends (R8)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dibs.core.lead import Lead
from dibs.core.rep import Pause
from handlers.app import AINA, BEN, CHONG, MANAGER, Answer, App, http
from support.builders import NOON, a_card, token_of

SOUTH = "m-south.secret"
UNTIL = "2026-11-23T13:00:00.000Z"
WHY = {"reason": "All hands"}


@pytest.fixture
def lead(app: App) -> Lead:
    app.world.add_manager(MANAGER)
    for rep in (AINA, BEN, CHONG):
        app.hire(rep)
    return app.world.post_lead(a_card(team="north"), NOON)


def do(app: App, route: str, name: str, body: Any = None, token: str = MANAGER) -> Answer:
    what = "team" if "/teams/" in route else "rep_id"
    text = None if body is None else json.dumps(body)
    bearer = f"Bearer {token}"
    asked = http("http_playbook", route, {what: name}, text, authorization=bearer)
    asked.pop("queryStringParameters")
    return app.ask("manage", asked)


def offers(app: App) -> Answer:
    bearer = f"Bearer {token_of(AINA)}"
    return app.ask("rep", http("http_offers", "GET /me/offers", {}, None, authorization=bearer))


CASES = [
    ("teams", "north", "team_paused", "Your team is paused: All hands"),
    ("reps", AINA.rep_id, "paused_by_manager", "Your manager has paused you: All hands"),
]


@pytest.mark.parametrize(("what", "name", "code", "sentence"), CASES)
def test_a_pause_binds_the_next_claim_and_says_when_it_ends(
    app: App, lead: Lead, what: str, name: str, code: str, sentence: str
) -> None:
    assert app.claim(lead, BEN).status == 200
    key = "team" if what == "teams" else "rep_id"
    route = f"POST /{what}/{{{key}}}"
    other = app.world.post_lead(a_card(2, team="north"), NOON)
    offers(app)  # so that everything is remembered
    paused = do(app, f"{route}/pause", name, {**WHY, "until": UNTIL})
    assert paused.json == {key: name, "paused": True, "reason": "All hands", "until": UNTIL}
    refused = app.claim(other)
    assert (refused.status, refused.json["rules"]) == (403, [code])
    assert refused.json["lifts_at"] == UNTIL
    assert sentence in refused.text
    [offer] = offers(app).json["offers"]
    assert (offer["eligible"], offer["refusal"]["codes"]) == (False, [code])
    assert offer["refusal"]["lifts_at"] == UNTIL
    resumed = do(app, f"{route}/resume", name)
    assert resumed.json == {key: name, "paused": False, "reason": None, "until": None}
    assert app.claim(other).status == 200


@pytest.mark.parametrize(("what", "name", "code", "sentence"), CASES)
def test_a_pause_without_an_end_lasts_until_it_is_ended(
    app: App, lead: Lead, what: str, name: str, code: str, sentence: str
) -> None:
    del sentence
    key = "team" if what == "teams" else "rep_id"
    do(app, f"POST /{what}/{{{key}}}/pause", name, WHY)
    refused = app.claim(lead)
    assert (refused.json["rules"], refused.json["lifts_at"]) == ([code], None)


def test_a_pause_is_over_when_it_says(app: App, lead: Lead) -> None:
    soon = "2026-11-23T12:05:00Z"
    do(app, "POST /teams/{team}/pause", "north", {**WHY, "until": soon})
    app.clock.pass_(minutes=5)
    assert app.claim(lead).status == 200


def test_a_rep_cannot_end_a_managers_pause(app: App, lead: Lead) -> None:
    do(app, "POST /reps/{rep_id}/pause", AINA.rep_id, WHY)
    app.world.roster.pause(AINA.rep_id, None)
    assert app.claim(lead).json["rules"] == ["paused_by_manager"]


def test_another_team_goes_on(app: App, lead: Lead) -> None:
    do(app, "POST /teams/{team}/pause", "south", WHY)
    assert app.claim(lead).status == 200


def test_a_pause_outlives_a_change_of_the_playbook(app: App, lead: Lead) -> None:
    do(app, "POST /teams/{team}/pause", "north", WHY)
    app.world.put_playbook(app.world.playbooks.in_force().playbook)
    assert app.claim(lead).json["rules"] == ["team_paused"]
    assert app.world.roster.playbook(fresh=True).paused == {"north": Pause("All hands")}
    assert app.world.playbooks.in_force().playbook.paused == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": " "}, "reason"),
        ({"reason": "a" * 81}, "reason"),
        ({**WHY, "until": "soon"}, "until"),
        ({**WHY, "until": "2026-11-23T11:59:00Z"}, "until"),
        ({**WHY, "until": "2029-01-01T00:00:00Z"}, "until"),
        ({**WHY, "until": 5}, "until"),
    ],
)
@pytest.mark.parametrize(("what", "name", "code", "sentence"), CASES)
def test_a_wrong_pause_is_refused(
    app: App,
    lead: Lead,
    what: str,
    name: str,
    code: str,
    sentence: str,
    body: dict[str, Any],
    field: str,
) -> None:
    del code, sentence
    key = "team" if what == "teams" else "rep_id"
    wrong = do(app, f"POST /{what}/{{{key}}}/pause", name, body)
    assert (wrong.status, [one["field"] for one in wrong.json["errors"]]) == (422, [field])
    assert app.claim(lead).status == 200


def test_who_is_not_there_cannot_be_paused(app: App, lead: Lead) -> None:
    del lead
    assert do(app, "POST /teams/{team}/pause", "west", WHY).status == 404
    assert do(app, "POST /reps/{rep_id}/pause", "zzzzz", WHY).status == 404


def test_a_manager_of_one_team_pauses_that_team_only(app: App, lead: Lead) -> None:
    app.world.add_manager(SOUTH, team="south")
    assert do(app, "POST /teams/{team}/pause", "north", WHY, SOUTH).status == 403
    assert do(app, "POST /reps/{rep_id}/pause", AINA.rep_id, WHY, SOUTH).status == 404
    assert app.claim(lead).status == 200
    own = do(app, "POST /reps/{rep_id}/pause", CHONG.rep_id, WHY, SOUTH)
    assert own.status == 200


def test_it_is_in_the_audit_trail_without_the_reason(app: App, lead: Lead) -> None:
    del lead
    do(app, "POST /teams/{team}/pause", "north", WHY)
    [entry] = [one for one in app.world.audit_log.month(NOON) if one.what == "team.pause"]
    assert (entry.target, entry.after) == ("north", {"paused": True})
    assert "All hands" not in repr(entry)
    do(app, "POST /teams/{team}/resume", "north")
    do(app, "POST /teams/{team}/resume", "north")  # changes nothing, and is not noted
    log = app.world.audit_log.month(NOON)
    noted = [one.what for one in log if one.target == "north" and one.made == "yes"]
    assert sorted(noted) == ["team.pause", "team.resume"]
