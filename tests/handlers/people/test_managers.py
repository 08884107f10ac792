"""Managers by name, their tokens, the one rule of a team's manager, and the audit trail."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from dibs.core.errors import Forbidden
from dibs.roster.audit import Entry
from dibs.roster.audit_store import DynamoAuditLog
from handlers.app import AINA, BEN, CHONG, MANAGER, Answer, App, http
from support.aws import items
from support.builders import token_of
from support.contract import operations

NORTH = "m-north.secret"
RULES = {
    "preset": "ours",
    "fits": "Us.",
    "teams": {"north": {"name": "North"}, "south": {"name": "South"}},
}


@pytest.fixture(autouse=True)
def people(app: App) -> None:
    app.hire(AINA, BEN, CHONG)
    app.world.add_manager(MANAGER)
    app.world.add_manager(NORTH, team="north")


def call(app: App, route: str, body: Any = None, token: str = MANAGER, **path: str) -> Answer:
    text = None if body is None else json.dumps(body)
    asked = http("http_playbook", route, path, text, authorization=f"Bearer {token}")
    asked.pop("queryStringParameters")
    function = operations()[route]["tags"][0]
    return app.ask(function, asked)


def logged(app: App) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(app, "GET /log").json["entries"]
    return [one for one in found if one["who"] != "operator"]


def test_a_manager_adds_another_who_acts_under_their_own_name(app: App) -> None:
    added = call(app, "POST /managers", {"name": "Amina"})
    assert added.status == 201
    token, who = added.json["token"], added.json["manager_id"]
    assert token.startswith(f"{who}.")
    app.clock.pass_(seconds=1)
    assert call(app, "PUT /playbook", {"playbook": RULES}, token).status == 200
    assert call(app, "GET /playbook", token=token).json["by"] == who
    [listed] = [m for m in call(app, "GET /managers").json["managers"] if m["name"] == "Amina"]
    assert (listed["manager_id"], listed["added_by"], listed["team"]) == (who, "manager", None)
    assert [(one["who"], one["who_name"]) for one in logged(app)] == [
        (who, "Amina"),
        ("manager", "Manager"),
    ]


def test_a_new_token_ends_the_old_one_at_once(app: App) -> None:
    for route, path, old in (
        ("POST /reps/{rep_id}/token", {"rep_id": AINA.rep_id}, token_of(AINA)),
        ("POST /managers/{manager_id}/token", {"manager_id": "m-north"}, NORTH),
    ):
        new = call(app, route, {}, **path).json["token"]
        look = "GET /contests"
        assert call(app, look, token=old).status == 401
        assert call(app, look, token=new).status == 200
        again = call(app, route, {"ends_in_days": 1}, **path).json["token"]
        assert call(app, look, token=new).status == 401
        assert call(app, look, token=again).status == 200
        app.clock.pass_(hours=24)
        assert call(app, look, token=again).status == 401
        assert old not in json.dumps(logged(app))
        assert again not in json.dumps(logged(app))


def test_a_removed_manager_is_out_and_the_last_one_stays(app: App) -> None:
    route = "DELETE /managers/{manager_id}"
    assert call(app, route, manager_id="manager").code == "forbidden"
    added = call(app, "POST /managers", {"name": "Amina"}).json
    assert call(app, route, manager_id=added["manager_id"]).json["removed"] is True
    assert call(app, "GET /managers", token=added["token"]).status == 401
    assert call(app, route, manager_id=added["manager_id"]).code == "not_found"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "A", "team": "nowhere"}, "team"),
        ({"name": "A", "ends_in_days": 0}, "ends_in_days"),
        ({"name": "A", "ends_in_days": True}, "ends_in_days"),
    ],
)
def test_a_wrong_manager_is_refused_by_field(app: App, body: dict[str, Any], field: str) -> None:
    answer = call(app, "POST /managers", body)
    assert answer.status == 422
    assert [one["field"] for one in answer.json["errors"]] == [field]


@pytest.mark.parametrize("owner", ["manager", "m-north", "m-nobody", AINA.rep_id, "zzzzz"])
def test_a_made_up_token_is_401_everywhere_whoevers_it_says_it_is(app: App, owner: str) -> None:
    for route, said in operations().items():
        who = said["x-dibs-callers"]
        if who in ("rep", "manager", "rep or manager"):
            path = dict.fromkeys(re.findall(r"{(\w+)}", route), "aaaaaaaaaaaa")
            assert call(app, route, {}, f"{owner}.made-up", **path).status == 401, route


# A team's manager

OWN: list[tuple[str, dict[str, str], Any]] = [
    ("PUT /reps/{rep_id}", {"rep_id": AINA.rep_id}, {"weight": 2}),
    ("POST /reps/{rep_id}/token", {"rep_id": AINA.rep_id}, {}),
    ("PUT /targets/{month}", {"month": "2026-12"}, {"targets": {AINA.rep_id: 5}}),
    ("GET /playbook", {}, None),
]
OTHERS: list[tuple[str, dict[str, str], Any]] = [
    ("PUT /reps/{rep_id}", {"rep_id": AINA.rep_id}, {"team": "south"}),
    ("PUT /playbook", {}, {"playbook": RULES}),
    ("POST /managers", {}, {"name": "Amina"}),
    ("DELETE /managers/{manager_id}", {"manager_id": "manager"}, None),
    ("POST /managers/{manager_id}/token", {"manager_id": "manager"}, {}),
    ("PUT /rewards/{reward_id}", {"reward_id": "mug"}, {"name": "Mug", "price": 1, "stock": None}),
]


@pytest.mark.parametrize(("route", "path", "body"), OWN)
def test_a_teams_manager_acts_on_their_team(
    app: App, route: str, path: dict[str, str], body: Any
) -> None:
    assert call(app, route, body, NORTH, **path).status in (200, 201)


@pytest.mark.parametrize(("route", "path", "body"), OTHERS)
def test_a_teams_manager_acts_on_no_other(
    app: App, route: str, path: dict[str, str], body: Any
) -> None:
    before = app.everything()
    answer = call(app, route, body, NORTH, **path)
    assert (answer.status, answer.code) == (403, "forbidden")
    assert "You manage team north" in answer.json["detail"]
    assert app.everything() == before


@pytest.mark.parametrize(("route", "path", "body"), OTHERS)
def test_naming_ones_own_team_beside_it_gives_no_right(
    app: App, route: str, path: dict[str, str], body: Any
) -> None:
    before = app.everything()
    asked = http("http_playbook", route, path, json.dumps(body), authorization=f"Bearer {NORTH}")
    asked["queryStringParameters"] = {"team": "north"}
    answer = app.ask(operations()[route]["tags"][0], asked)
    assert (answer.status, answer.code) == (403, "forbidden")
    assert app.everything() == before


def test_a_teams_manager_gives_their_leads_to_their_reps(app: App) -> None:
    lead, route = app.lead(), "POST /leads/{lead_id}/assign"

    def to(rep_id: str, lead_id: str) -> int:
        body = {"rep_id": rep_id, "reason": "Knows them"}
        return call(app, route, body, NORTH, lead_id=lead_id).status

    assert to(CHONG.rep_id, lead.lead_id) == 422
    assert to(AINA.rep_id, lead.lead_id) == 200
    theirs = app.lead(2, team="south")
    assert to(AINA.rep_id, theirs.lead_id) == 404


@pytest.mark.parametrize("route", ["GET /leads/{lead_id}/why", "GET /leads/{lead_id}/draw"])
def test_a_teams_manager_is_told_nothing_of_another_teams_lead(app: App, route: str) -> None:
    theirs, ours = app.lead(1, team="south"), app.lead(2, team="north")
    assert call(app, route, None, NORTH, lead_id=theirs.lead_id).status == 404
    assert call(app, route, None, NORTH, lead_id=ours.lead_id).status in (200, 404)


# The audit trail

REASON = {"reason": "Because"}
CHANGES: dict[str, tuple[dict[str, str], Any]] = {
    "PUT /playbook": ({}, {"playbook": RULES}),
    "POST /leads/{lead_id}/assign": ({}, {"rep_id": AINA.rep_id, **REASON}),
    "POST /leads/{lead_id}/withdraw": ({}, {"to": "nobody", **REASON}),
    "PUT /reps/{rep_id}": ({"rep_id": AINA.rep_id}, {"weight": 3}),
    "POST /reps/{rep_id}/leave": ({"rep_id": BEN.rep_id}, None),
    "POST /reps/{rep_id}/pause": ({"rep_id": AINA.rep_id}, REASON),
    "POST /teams/{team}/pause": ({"team": "north"}, REASON),
    "POST /reps/{rep_id}/token": ({"rep_id": AINA.rep_id}, {}),
    "PUT /targets/{month}": ({"month": "2026-12"}, {"targets": {AINA.rep_id: 5}}),
    "POST /managers": ({}, {"name": "Amina"}),
    "DELETE /managers/{manager_id}": ({"manager_id": "m-north"}, None),
    "POST /managers/{manager_id}/token": ({"manager_id": "m-north"}, {}),
    "PUT /rewards/{reward_id}": ({"reward_id": "mug"}, {"name": "Mug", "price": 1, "stock": None}),
}
ELSEWHERE = {
    # Their own tests need a pause, a contest, a request or a quest under way.
    "POST /reps/{rep_id}/resume": "rep.resume",
    "POST /teams/{team}/resume": "team.resume",
    "PUT /contests/{contest_id}": "contest.put",
    "POST /contests/{contest_id}/cancel": "contest.cancel",
    "POST /rewards/requests/approve": "reward.",
    "POST /rewards/requests/{request_id}/approve": "reward.",
    "POST /rewards/requests/{request_id}/refuse": "reward.",
    "POST /rewards/requests/{request_id}/collect": "reward.",
    "POST /rewards/requests/{request_id}/recall": "reward.",
    "POST /quests/{quest}/{step}/confirm": "quest.confirm",
    "PUT /contest-series/{series_id}": "series.put",
    "POST /contest-series/{series_id}/cancel": "series.cancel",
    "POST /disputes/{lead_id}/{epoch}/{rep_id}/answer": "dispute.answer",
}
CHANGES_NOTHING = {"POST /contests/preview"}
IN_THE_LEDGER = {"POST /activities"}  # each entry names who reported it
OF_THEMSELVES = {"DELETE /me/sessions/{session_id}", "POST /me/sessions/{session_id}/end"}


def test_every_route_by_which_managers_change_something_is_tried_here() -> None:
    routes = {
        route
        for route, said in operations().items()
        if "manager" in said["x-dibs-callers"] and not route.startswith("GET ")
    }
    assert routes == {*CHANGES, *ELSEWHERE, *CHANGES_NOTHING, *IN_THE_LEDGER, *OF_THEMSELVES}


@pytest.mark.parametrize("route", CHANGES)
def test_a_managers_change_leaves_an_entry(app: App, route: str) -> None:
    path, body = CHANGES[route]
    if "{lead_id}" in route:
        path = {"lead_id": app.lead().lead_id}
    answer = call(app, route, body, **path)
    assert answer.status in (200, 201), answer.text
    [entry] = logged(app)
    assert (entry["who"], entry["who_name"]) == ("manager", "Manager")
    assert entry["what"]
    for named in path.values():
        assert entry["target"] == named
    assert entry["after"] or entry["before"]


class Killed(BaseException):
    """The end of a process, which nothing catches."""


@pytest.mark.parametrize("route", CHANGES)
def test_a_change_has_an_entry_though_the_process_dies_before_it_is_complete(
    app: App, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, body = CHANGES[route]
    if "{lead_id}" in route:
        path = {"lead_id": app.lead().lead_id}
    before, add, added = app.everything(), DynamoAuditLog.add, list[Entry]()

    def add_once(log: DynamoAuditLog, entry: Entry) -> None:
        if added:
            raise Killed
        added.append(entry)
        add(log, entry)

    with monkeypatch.context() as patched, suppress(Killed):
        patched.setattr(DynamoAuditLog, "add", add_once)
        call(app, route, body, **path)
    assert app.everything() != before
    [entry] = logged(app)
    assert (entry["who"], entry["made"]) == ("manager", "unknown" if added else "yes")
    if added and not route.startswith(("PUT /playbook", "POST /leads")):
        call(app, route, body, **path)  # finds the change made, and adds nothing
        assert logged(app)[-1] == entry


def test_a_change_that_changes_nothing_or_is_refused_leaves_none(app: App) -> None:
    call(app, "PUT /reps/{rep_id}", {"tier": 2}, rep_id=AINA.rep_id)
    call(app, "PUT /reps/{rep_id}", {"tier": 9}, rep_id=AINA.rep_id)
    call(app, "POST /reps/{rep_id}/resume", None, rep_id=AINA.rep_id)
    assert logged(app) == []


def test_an_entry_of_an_earlier_version_was_made(app: App) -> None:
    call(app, "PUT /reps/{rep_id}", {"tier": 1}, rep_id=AINA.rep_id)
    assert "made" not in items(app.client, app.settings.audit_table)[-1]
    assert [one["made"] for one in logged(app)] == ["yes"]


@pytest.mark.parametrize("route", CHANGES)
def test_what_was_refused_leaves_none(app: App, route: str) -> None:
    path, body = CHANGES[route]
    if "{lead_id}" in route:
        path = {"lead_id": app.lead().lead_id}
    assert call(app, route, body, token_of(AINA), **path).status == 403
    assert logged(app) == []


def test_an_entry_says_from_what_to_what(app: App) -> None:
    call(app, "PUT /reps/{rep_id}", {"tier": 1, "weight": 1}, rep_id=AINA.rep_id)
    [entry] = logged(app)
    assert (entry["before"], entry["after"]) == ({"tier": 2}, {"tier": 1})


def test_the_log_is_read_by_who_target_and_since(app: App) -> None:
    call(app, "PUT /reps/{rep_id}", {"tier": 1}, rep_id=AINA.rep_id)
    app.clock.pass_(days=40)
    call(app, "PUT /reps/{rep_id}", {"tier": 1}, NORTH, rep_id=BEN.rep_id)

    def found(**query: str) -> list[str]:
        asked = http("http_playbook", "GET /log", {}, authorization=f"Bearer {MANAGER}")
        answer = app.ask("manage", {**asked, "queryStringParameters": query})
        return [one["target"] for one in answer.json["entries"] if one["who"] != "operator"]

    early = f"{app.clock.at - timedelta(days=90):%Y-%m-%dT%H:%M:%SZ}"
    assert found() == [BEN.rep_id]
    assert found(since=early) == [BEN.rep_id, AINA.rep_id]
    assert found(since=early, who="manager") == [AINA.rep_id]
    assert found(since=early, target=BEN.rep_id) == [BEN.rep_id]
    assert found(since=early, who="m-nobody") == []


HOLDERS_OWN = [
    ("claim", "POST /leads/{lead_id}/claim", None),
    ("rep", "POST /leads/{lead_id}/release", '{"reason": "x"}'),
    ("rep", "POST /leads/{lead_id}/accept", None),
    ("rep", "POST /leads/{lead_id}/seen", None),
    ("rep", "POST /leads/{lead_id}/decline", None),
]


@pytest.mark.parametrize(("function", "route", "body"), HOLDERS_OWN)
def test_what_is_a_rep_s_own_is_refused_to_a_known_manager_alone(
    app: App, function: str, route: str, body: str | None
) -> None:
    path = {"lead_id": app.lead().lead_id}
    for token, status in ((MANAGER, 403), (MANAGER + "x", 401), ("manager.made-up", 401)):
        bearer = f"Bearer {token}"
        asked = http("http_offers", route, path, body, authorization=bearer)
        assert app.ask(function, asked).status == status


def test_every_route_of_a_rep_tells_a_manager_so() -> None:
    from claim.handler import ROUTES as CLAIM
    from rep.handler import ROUTES as REP_ROUTES

    for key, route in {**CLAIM, **REP_ROUTES}.items():
        assert route.who.name != "rep" or Forbidden in route.who.errors, key
