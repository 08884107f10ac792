"""What managers do about reps: change a profile, let somebody go, set targets."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from dibs.core.calendar import parse_hours
from dibs.core.lead import State
from dibs.core.rep import Rep
from dibs.people.phones import masked
from dibs.race.rep_records import rep_from
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, MANAGER, PLAYBOOK, Answer, App, http
from support.builders import a_playbook, token_of

CHRISTMAS = {"from": "2026-12-24", "to": "2026-12-31"}
OFFICE = {"mon": ["09:00-12:30", "13:30-18:00"]}
# More than the tables take as a key, and letters they do not take at all.
STRANGERS = ["zzzzz", "nobody", "x" * 3000, "\ud800", "砂拉越", "aaaac#2026-11"]
ROUTES = [
    ("PUT /reps/{rep_id}", {"rep_id": AINA.rep_id}, {"tier": 1}),
    ("POST /reps/{rep_id}/leave", {"rep_id": AINA.rep_id}, None),
    ("GET /targets/{month}", {"month": "2026-11"}, None),
    ("PUT /targets/{month}", {"month": "2026-11"}, {"targets": {AINA.rep_id: 5}}),
]


@pytest.fixture(autouse=True)
def manager(app: App) -> None:
    app.world.add_manager(MANAGER)


def call(
    app: App, route: str, path: dict[str, str], body: Any = None, *, token: str = MANAGER
) -> Answer:
    """Call a route as a manager's program does."""
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    asked = http("http_playbook", route, path, text, authorization=f"Bearer {token}")
    asked.pop("queryStringParameters")
    return app.ask("manage", asked)


def put_rep(app: App, body: Any, rep_id: str = AINA.rep_id) -> Answer:
    return call(app, "PUT /reps/{rep_id}", {"rep_id": rep_id}, body)


def leave(app: App, rep_id: str = AINA.rep_id) -> Answer:
    return call(app, "POST /reps/{rep_id}/leave", {"rep_id": rep_id})


def targets(app: App, month: str = "2026-11") -> Answer:
    return call(app, "GET /targets/{month}", {"month": month})


def put_targets(app: App, body: Any, month: str = "2026-11") -> Answer:
    return call(app, "PUT /targets/{month}", {"month": month}, body)


def now(app: App, rep: Rep = AINA) -> Rep:
    """The rep as they are now."""
    found = app.world.roster.get(rep.rep_id)
    assert found is not None
    return found


def asked(app: App) -> list[str]:
    return [message.body["kind"] for message in app.waiting("offer")]


@pytest.mark.parametrize(("route", "path", "body"), ROUTES, ids=[route for route, _, _ in ROUTES])
def test_only_a_manager_may(app: App, route: str, path: dict[str, str], body: Any) -> None:
    app.hire(AINA, replace(BEN, active=False))
    before = app.everything()
    for token in ("manager.forged", "manager", f"{AINA.rep_id}.forged", "nobody.x", token_of(BEN)):
        answer = call(app, route, path, body, token=token)
        assert (answer.status, answer.code) == (401, "unauthorized"), token
    answer = call(app, route, path, body, token=token_of(AINA))
    assert (answer.status, answer.code) == (403, "forbidden")
    assert app.everything() == before
    assert asked(app) == []
    assert call(app, route, path, body).status == 200


# Profiles


def test_a_profile_is_changed_and_shown_as_it_is_now(app: App) -> None:
    app.hire(replace(AINA, allowance=12))
    answer = put_rep(
        app,
        {
            "team": "south",
            "tier": 1,
            "zone": "Europe/London",
            "weight": 3,
            "territories": ["Sarawak", "砂拉越"],
            "hours": OFFICE,
            "leave": [CHRISTMAS],
            "joined_on": "2026-11-02",
        },
    )
    assert answer.status == 200
    assert answer.json == {
        "rep_id": AINA.rep_id,
        "name": "Aina Zulkifli",
        "team": "south",
        "tier": 1,
        "zone": "Europe/London",
        "language": AINA.language,
        "phone": masked(str(AINA.phone)),
        "active": True,
        "available": True,
        "unavailable": [],
        "push": False,
        "sms": True,
        "hours": OFFICE,
        "leave": [CHRISTMAS],
        "weight": 3,
        "territories": ["Sarawak", "砂拉越"],
        "segments": [],
        "skills": {},
        "speaks": [],
        "interests": [],
        "pod": "",
        "joined_on": "2026-11-02",
        "left_on": None,
        "leads_a_week": 12,
    }
    assert now(app) == replace(
        AINA,
        team="south",
        tier=1,
        zone="Europe/London",
        weight=3,
        territories=("Sarawak", "砂拉越"),
        hours=parse_hours(OFFICE),
        leave=((date(2026, 12, 24), date(2026, 12, 31)),),
        joined_on=date(2026, 11, 2),
        allowance=12,
    )
    assert asked(app) == ["queue.check", "rep.check"]
    [listed] = call(app, "GET /reps", {}).json["reps"]
    assert listed == answer.json


def test_what_is_emptied_is_as_if_it_had_never_been(app: App) -> None:
    app.hire(AINA)
    before = app.everything()
    put_rep(
        app,
        {
            "weight": 3,
            "territories": ["Sabah"],
            "hours": OFFICE,
            "leave": [CHRISTMAS],
            "joined_on": "2026-11-02",
        },
    )
    assert app.everything() != before
    empty = {"weight": 1, "territories": [], "hours": {}, "leave": [], "joined_on": None}
    assert put_rep(app, empty).status == 200
    assert app.everything() == before


def test_what_is_not_named_stays_whatever_happens_meanwhile(app: App) -> None:
    app.hire(AINA)
    app.claim(app.lead())
    app.pause(AINA, minutes=5)
    item = f"REP#{AINA.rep_id}"
    put_rep(app, {"tier": 3})
    key = {"pk": {"S": item}}
    stored = app.world.dynamo.get(app.settings.organisation_table, key, consistent=True)
    assert stored is not None
    rep, usage, number = rep_from(stored)
    assert (rep.tier, rep.is_paused(app.clock.at)) == (3, True)
    assert (usage.claims, usage.in_hand) == (1, 1)
    assert number == 0


def test_a_rep_whose_hours_are_over_is_off_at_once(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    answer = put_rep(app, {"hours": {"tue": ["09:00-10:00"]}})
    assert (answer.json["available"], answer.json["unavailable"]) == (False, ["outside_hours"])
    assert app.claim(lead).json["rules"] == ["outside_hours"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"tier": 4}, {"tier"}),
        ({"team": "west"}, {"team"}),
        ({"team": ["south"]}, {"team"}),
        ({"zone": "Kuching"}, {"zone"}),
        ({"weight": 11}, {"weight"}),
        ({"territories": "Sabah"}, {"territories"}),
        ({"hours": {"mon": "09:00-18:00"}}, {"hours"}),
        ({"hours": []}, {"hours"}),
        ({"leave": [{"from": "2026-12-24"}]}, {"leave"}),
        ({"joined_on": "soon"}, {"joined_on"}),
        ({"phone": "12"}, {"phone"}),
        (
            {"phone": ["+60128880000"], "name": " ", "language": "tlh"},
            {"phone", "name", "language"},
        ),
        ({"active": False, "tier": 1}, {"active"}),
        ({"team": "south", "tier": 0, "weight": 0, "leave": [CHRISTMAS]}, {"tier", "weight"}),
        ([], {"body"}),
        ("1", {"body"}),
    ],
)
def test_what_a_profile_cannot_be_is_named_and_nothing_is_stored(
    app: App, body: Any, named: set[str]
) -> None:
    app.hire(AINA)
    before = app.everything()
    answer = put_rep(app, body)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert {error["field"] for error in answer.json["errors"]} == named
    assert app.everything() == before
    assert asked(app) == []


def test_a_name_and_a_number_are_changed_and_a_taken_number_is_refused(app: App) -> None:
    app.hire(AINA, BEN)
    changed = {"name": "Aina Z.", "phone": "0060 12-888 7777", "language": "ms"}
    answer = put_rep(app, changed)
    assert answer.status == 200
    assert (answer.json["name"], answer.json["phone"]) == ("Aina Z.", "+•••••••7777")
    assert now(app) == replace(AINA, name="Aina Z.", phone="+60128887777", language="ms")
    before = app.everything()
    taken = put_rep(app, {"phone": BEN.phone, "name": "B"})
    assert (taken.status, taken.code) == (409, "already_exists")
    assert app.everything() == before
    assert leave(app, BEN.rep_id).status == 200
    assert put_rep(app, {"phone": BEN.phone}).status == 200  # a leaver's number is free
    assert put_rep(app, {"phone": None}).json["phone"] is None


def test_a_body_that_is_no_json_is_refused(app: App) -> None:
    app.hire(AINA)
    for answer in (put_rep(app, "{"), put_targets(app, "tier: 1")):
        assert (answer.status, answer.code) == (400, "malformed_body")


@pytest.mark.parametrize("rep_id", [*STRANGERS, "manager", ""])
def test_nobody_is_not_found(app: App, rep_id: str) -> None:
    before = app.everything()
    for answer in (put_rep(app, {"tier": 1}, rep_id), leave(app, rep_id)):
        assert (answer.status, answer.code) == (404, "not_found")
    assert app.everything() == before


# Leaving


def test_who_leaves_is_out_at_once_and_their_leads_go_back(app: App) -> None:
    app.hire(AINA, BEN)
    app.put_playbook(replace(PLAYBOOK, claims_per_day=1))
    held, other = app.lead(1), app.lead(2)
    app.claim(held)
    app.claim(other, BEN)
    app.clock.pass_(minutes=1)
    answer = leave(app)
    assert answer.status == 200
    assert answer.json == {
        "rep_id": AINA.rep_id,
        "active": False,
        "leads_returned": 1,
        "fallback_of": [],
    }
    assert now(app) == replace(AINA, active=False, left_on=date(2026, 11, 23))
    assert (app.now(held).state, app.now(held).owner) == (State.OPEN, None)
    assert app.now(other).owner == BEN.rep_id
    # No token, and no link of theirs claims either.
    assert app.claim(app.now(held)).code == "unauthorized"
    link = http("http_claim_page_post", path={"token": app.link(app.now(held), AINA)})
    assert app.ask("claim", link).status == 404
    assert app.now(held).owner is None
    [aina, ben] = call(app, "GET /reps", {}).json["reps"]
    assert (aina["active"], aina["left_on"], aina["unavailable"]) == (False, "2026-11-23", ["left"])
    assert ben["active"]


def test_whose_fallback_person_has_left_is_said(app: App) -> None:
    app.hire(AINA)
    team = {"name": "T", "fallback": AINA.rep_id}
    app.put_playbook(a_playbook(teams={"north": team, "south": {"name": "S"}, "west": team}))
    assert leave(app).json["fallback_of"] == ["north", "west"]


def test_leaving_twice_is_leaving_once(app: App) -> None:
    app.hire(AINA)
    app.claim(app.lead())
    leave(app)
    before = app.everything()
    app.clock.pass_(days=2)
    answer = leave(app)
    assert (answer.status, answer.json["leads_returned"]) == (200, 0)
    assert app.everything() == before


def test_who_asks_again_gets_the_leads_back_that_were_in_the_way(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.claim(lead)
    with monkeypatch.context() as patched:
        app.contend(patched)
        answer = leave(app)
        assert (answer.status, answer.code) == (503, "busy")
    assert not now(app).active
    assert leave(app).json["leads_returned"] == 1
    assert app.now(lead).owner is None


# Targets


def test_a_months_targets_are_set_and_read(app: App) -> None:
    app.put_playbook(
        a_playbook(
            teams={"north": {"name": "N"}, "south": {"name": "S"}},
            quota={"measure": "revenue", "currency": "MYR"},
        )
    )
    app.hire(AINA, BEN, CHONG)
    nothing = {"month": "2026-11", "measure": "revenue", "currency": "MYR", "targets": {}}
    assert targets(app).json == nothing
    set_now = {AINA.rep_id: 120_000, CHONG.rep_id: 0}
    answer = put_targets(app, {"targets": set_now})
    assert (answer.status, answer.json) == (200, {**nothing, "targets": set_now})
    assert targets(app).json == answer.json
    assert targets(app, "2026-12").json["targets"] == {}
    # Who is not named keeps theirs.
    put_targets(app, {"targets": {AINA.rep_id: 10**15, BEN.rep_id: 1}})
    wanted = {AINA.rep_id: 10**15, BEN.rep_id: 1, CHONG.rep_id: 0}
    assert targets(app).json["targets"] == wanted
    assert wiring().targets.of(date(2026, 11, 1), list(wanted)) == wanted


def test_more_reps_than_a_request_takes_get_their_targets(app: App) -> None:
    app.hire_crowd(130)
    everybody = [rep.rep_id for rep, _ in app.world.roster.team("north")]
    assert len(everybody) == 130
    wanted = {rep_id: number for number, rep_id in enumerate(everybody)}
    assert put_targets(app, {"targets": wanted}).status == 200
    assert targets(app).json["targets"] == wanted


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"targets"}),
        ({"targets": {}}, {"targets"}),
        ({"targets": [AINA.rep_id]}, {"targets"}),
        ({"targets": None}, {"targets"}),
        ({AINA.rep_id: 5}, {"targets", AINA.rep_id}),
        ({"targets": {"\ud800": 5, AINA.rep_id: 5}}, {"targets.?"}),
        *[
            ({"targets": {AINA.rep_id: wrong, BEN.rep_id: 1}}, {f"targets.{AINA.rep_id}"})
            for wrong in (-1, 10**15 + 1, 10**40, 1.5, 1.0, "5", True, None, [5], {})
        ],
        *[
            ({"targets": {stranger: 5, AINA.rep_id: 5}}, {f"targets.{stranger}"})
            for stranger in [*STRANGERS, ""]
            if stranger != "\ud800"
        ],
        (
            {"targets": {"zzzzz": -5, AINA.rep_id: "many", BEN.rep_id: 1}},
            {"targets.zzzzz", f"targets.{AINA.rep_id}"},
        ),
        ([], {"body"}),
    ],
)
def test_what_targets_cannot_be_is_named_and_nothing_is_stored(
    app: App, body: Any, named: set[str]
) -> None:
    app.hire(AINA, BEN)
    before = app.everything()
    answer = put_targets(app, body)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert {error["field"] for error in answer.json["errors"]} == named
    assert app.everything() == before


@pytest.mark.parametrize(
    "month",
    [
        "",
        "2026",
        "2026-13",
        "2026-00",
        "2026-1",
        "2026-11-01",
        "0000-01",
        "1999-12",
        "nov",
        "٢٠٢٦-11",
        "2026-11\n",
    ],
)
def test_a_month_there_is_not_is_not_found(app: App, month: str) -> None:
    app.hire(AINA)
    before = app.everything()
    for answer in (
        targets(app, month),
        put_targets(app, {"targets": {AINA.rep_id: 5}}, month),
    ):
        assert (answer.status, answer.code) == (404, "not_found")
    assert app.everything() == before


def test_who_left_may_still_have_a_target(app: App) -> None:
    app.hire(replace(AINA, active=False))
    assert put_targets(app, {"targets": {AINA.rep_id: 5}}).status == 200
    assert targets(app).json["targets"] == {AINA.rep_id: 5}


def test_a_pause_is_seen_by_the_manager(app: App) -> None:
    app.hire(AINA)
    app.world.roster.pause(AINA.rep_id, app.clock.at + timedelta(hours=1))
    [aina] = call(app, "GET /reps", {}).json["reps"]
    assert (aina["available"], aina["unavailable"]) == (False, ["paused"])
