"""What a manager who has a team sees and does, over every route that managers may call (O6, U5).

The route table gives each such route a scope. A new route fails here until its scope is stated and
it is tried with something of another team.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from dibs.core.rep import Rep
from dibs.game.scoring.points import ISSUED, Transfer
from dibs.game.scoring.score import score
from dibs.ledger.entries import new_entry
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, MANAGER, PLAYBOOK, Answer, App, event, http, sqs
from support.builders import NOON, a_lead, a_playbook, token_of
from support.contract import operations

NORTHERN, SOUTHERN = "m-north.secret", "m-south.secret"
TEAMS = {"north": {"name": "North"}, "south": {"name": "South"}}
STEPS = {"ethics": {"name": "Ethics", "type": "training_step", "verified_by": "manager"}}
QUEST = {
    "name": "First weeks",
    "badge": "Ready",
    "points": 5,
    "within_days": 9999,
    "steps": STEPS,
}
CONTEST = {
    "name": "Both",
    "kind": "individual",
    "first_day": "2026-11-23",
    "last_day": "2026-11-29",
    "metric": "points",
    "teams": ["north", "south"],
}
SERIES = {
    **{name: CONTEST[name] for name in ("name", "kind", "first_day", "metric")},
    "teams": ["south"],
    "repeats": {"every": "week"},
}
OF_ALL_TEAMS = {"name": "Amina"}

MANAGED = {
    route: said["x-dibs-scope"] for route, said in operations().items() if "x-dibs-scope" in said
}


def of_scope(scope: str) -> list[str]:
    return [route for route, stated in MANAGED.items() if stated == scope]


def call(
    app: App,
    route: str,
    body: Any = None,
    token: str = MANAGER,
    query: dict[str, str] | None = None,
    **path: str,
) -> Answer:
    text = None if body is None else json.dumps(body)
    asked = http("http_playbook", route, path, text, authorization=f"Bearer {token}", accept=None)
    asked["queryStringParameters"] = query or {}
    return app.ask(operations()[route]["tags"][0], asked)


@pytest.fixture(autouse=True)
def two_teams(app: App) -> dict[str, str]:
    """Two teams with leads, races, points, a contest, a quest, a dispute and a reward each."""
    app.put_playbook(a_playbook(teams=TEAMS, game={"quests": {"start": QUEST}}))
    app.hire(AINA, BEN, CHONG)
    app.world.add_manager(MANAGER)
    app.world.add_manager(NORTHERN, team="north")
    app.world.add_manager(SOUTHERN, team="south")
    counted = [
        new_entry(
            f"claimed/{rep.rep_id}",
            "claimed",
            rep.rep_id,
            rep.team,
            NOON,
            PLAYBOOK,
            lead=a_lead(lead_id=f"{rep.rep_id}0"),
            take_ms=60_000,
        )
        for rep in (AINA, CHONG)
    ]
    wiring().ledger.put(counted)
    score(wiring().score_deps, counted)
    assert call(app, "PUT /contests/{contest_id}", CONTEST, contest_id="both").status == 200
    series = call(app, "PUT /contest-series/{series_id}", SERIES, series_id="weekly")
    assert series.status == 200, series.text
    app.run("recalculate", event("schedule_contests"))
    reward = {"name": "Mug", "price": 1, "stock": None}
    assert call(app, "PUT /rewards/{reward_id}", reward, reward_id="mug").status == 200
    targets = {"targets": {AINA.rep_id: 5, CHONG.rep_id: 7}}
    assert call(app, "PUT /targets/{month}", targets, month="2026-11").status == 200
    found: dict[str, str] = {}
    for number, rep in enumerate((AINA, CHONG)):
        found |= {f"{name}_of_{rep.team}": value for name, value in of_a_team(app, number, rep)}
    return found


def of_a_team(app: App, number: int, rep: Rep) -> list[tuple[str, str]]:
    mine = token_of(rep)
    held = app.lead(10 * number, team=rep.team)
    opened = {"kind": "lead.opened", "lead_id": held.lead_id, "epoch": held.epoch, "rep_id": None}
    app.run("offer", sqs("sqs_offer", opened))
    for message in app.waiting("notify"):
        app.run("notify", sqs("sqs_notify", message.body))
    assert app.claim(held, rep).status == 200
    claimed = {**opened, "kind": "lead.claimed", "rep_id": rep.rep_id}
    app.run("offer", sqs("sqs_offer", claimed))
    app.waiting("notify")
    for timer in app.waiting("offer"):
        if timer.body["kind"] == "race.seal":
            app.clock.pass_(seconds=timer.delay_seconds)
            app.run("offer", sqs("sqs_offer", timer.body))
    app.clock.pass_(minutes=5)
    app.run("recalculate", event("schedule_sweep"))
    waiting = app.lead(10 * number + 1, team=rep.team)
    transfer = Transfer(
        f"award/{rep.rep_id}", ISSUED, rep.rep_id, 5, NOON, "won", f"activity/{rep.rep_id}"
    )
    assert wiring().points.book([transfer])
    asked = call(
        app, "POST /rewards/{reward_id}/requests", {"request_id": "1"}, mine, reward_id="mug"
    )
    assert asked.status == 201, asked.text
    told = call(app, "POST /quests/{quest}/{step}", {}, mine, quest="start", step="ethics")
    assert told.status == 200, told.text
    wiring().races.dispute(_a_dispute(held.lead_id, rep))
    changed = call(app, "PUT /reps/{rep_id}", {"weight": 2}, rep_id=rep.rep_id)
    assert changed.status == 200
    return [("held", held.lead_id), ("open", waiting.lead_id)]


def _a_dispute(lead_id: str, rep: Rep) -> Any:
    from dibs.receipts.ports import Dispute

    return Dispute(lead_id, 1, rep.rep_id, NOON, "My phone was slow")


def test_every_route_managers_may_call_has_a_scope() -> None:
    called = {r for r, said in operations().items() if "manager" in said["x-dibs-callers"]}
    assert called == set(MANAGED)


# The rep, lead or team in the path

OWN = {
    "rep_id": AINA.rep_id,
    "team": "north",
    "request_id": f"{AINA.rep_id}.1",
    "epoch": "1",
}
OTHERS = {
    "rep_id": CHONG.rep_id,
    "team": "south",
    "request_id": f"{CHONG.rep_id}.1",
    "epoch": "1",
}
MADE_UP = {"rep_id": "zzzzz", "lead_id": "zzzzzzzzzzzz", "request_id": "zzzzz.1", "epoch": "1"}
REASON = {"reason": "Because"}
BODIES = {
    "POST /leads/{lead_id}/assign": {"rep_id": AINA.rep_id, **REASON},
    "POST /leads/{lead_id}/withdraw": {"to": "nobody", **REASON},
    "PUT /reps/{rep_id}": {"weight": 3},
    "POST /reps/{rep_id}/pause": REASON,
    "POST /teams/{team}/pause": REASON,
    "POST /disputes/{lead_id}/{epoch}/{rep_id}/answer": {"upheld": True, "text": "So it was."},
    "POST /rewards/requests/{request_id}/approve": {},
    "POST /rewards/requests/{request_id}/refuse": REASON,
    "POST /rewards/requests/{request_id}/collect": {},
    "POST /rewards/requests/{request_id}/recall": REASON,
    "POST /reps/{rep_id}/token": {},
}


def named(route: str, values: dict[str, str], lead: str) -> dict[str, str]:
    whole = {"lead_id": lead, **values}
    return {name: whole[name] for name in re.findall(r"{(\w+)}", route)}


def test_what_is_another_teams_does_not_exist_for_them(app: App, two_teams: dict[str, str]) -> None:
    before = app.everything()
    for route in of_scope("named"):
        _does_not_exist(app, two_teams, route)
    assert app.everything() == before


def _does_not_exist(app: App, two_teams: dict[str, str], route: str) -> None:
    body = BODIES.get(route)
    path = named(route, OTHERS, two_teams["held_of_south"])
    answer = call(app, route, body, NORTHERN, **path)
    if set(path) == {"team"}:
        assert (answer.status, answer.code) == (403, "forbidden")  # the playbook names all teams
    else:
        missing = call(app, route, body, NORTHERN, **named(route, MADE_UP, "zzzzzzzzzzzz"))
        assert answer.status == missing.status == 404
        assert answer.text == missing.text


def test_their_own_they_see_and_change(app: App, two_teams: dict[str, str]) -> None:
    for route in sorted(of_scope("named"), key=lambda one: one.endswith("/leave")):
        path = named(route, OWN, two_teams["held_of_north"])
        answer = call(app, route, BODIES.get(route), NORTHERN, **path)
        assert answer.status in (200, 201, 404, 409), answer.text
        if answer.status == 404:
            assert "draw" in answer.json["detail"]  # this lead had none


# Lists, boards and reports

QUERIES = {
    "GET /reports/assignment": {"week": "2026-W48"},
    "GET /receipts": {"day": "2026-11-23"},
    "GET /metrics/preview": {"formula": "sum(points)"},
}
PATHS = {"metric": "points", "contest_id": "both", "month": "2026-11"}
COUNTED = {"GET /pool": "size"}


def part(app: App, route: str, token: str, **query: str) -> Answer:
    path = {name: PATHS[name] for name in re.findall(r"{(\w+)}", route)}
    return call(app, route, None, token, {**QUERIES.get(route, {}), **query}, **path)


def theirs(found: dict[str, str]) -> list[str]:
    """What is of the south alone: who is there, its leads, its manager, its part of a report."""
    leads = [value for name, value in found.items() if name.endswith("south")]
    return [CHONG.rep_id, CHONG.name, "m-south", "weekly", '"team":"south"', *leads]


def test_they_are_shown_their_teams_part(app: App, two_teams: dict[str, str]) -> None:
    for route in of_scope("part"):
        _is_narrowed(app, two_teams, route)


def _is_narrowed(app: App, two_teams: dict[str, str], route: str) -> None:
    own, whole = part(app, route, NORTHERN), part(app, route, MANAGER)
    assert (own.status, whole.status) == (200, 200), own.text + whole.text
    if route in COUNTED:
        assert 0 < own.json[COUNTED[route]] < whole.json[COUNTED[route]]
        return
    assert [one for one in theirs(two_teams) if one in own.text] == [], route
    assert any(one in whole.text for one in theirs(two_teams)), f"{route}: tried with nothing"


def test_another_teams_part_is_refused(app: App) -> None:
    for route in of_scope("part"):
        parameters = {one["name"] for one in operations()[route].get("parameters", ())}
        if "team" in parameters:
            assert part(app, route, NORTHERN, team="south").status == 403, route
            assert part(app, route, NORTHERN, team="north").status == 200, route


def test_a_contest_of_the_other_team_alone_does_not_exist_for_them(app: App) -> None:
    alone = {**CONTEST, "teams": ["south"]}
    assert call(app, "PUT /contests/{contest_id}", alone, contest_id="alone").status == 200
    route = "GET /contests/{contest_id}"
    assert call(app, route, None, NORTHERN, contest_id="alone").status == 404
    assert call(app, route, None, SOUTHERN, contest_id="alone").status == 200


# What is everybody's, and what the body names

ORGANISATIONS: dict[str, tuple[dict[str, str], Any]] = {
    "PUT /playbook": ({}, {"playbook": {"preset": "ours", "fits": "Us.", "teams": TEAMS}}),
    "POST /managers": ({}, {"name": "Amina"}),
    "DELETE /managers/{manager_id}": ({"manager_id": "m-north"}, None),
    "POST /managers/{manager_id}/token": ({"manager_id": "m-north"}, {}),
    "PUT /rewards/{reward_id}": ({"reward_id": "mug"}, {"name": "Cup", "price": 1, "stock": None}),
    "PUT /contests/{contest_id}": ({"contest_id": "new"}, {**CONTEST, "teams": ["north"]}),
    "POST /contests/{contest_id}/cancel": ({"contest_id": "both"}, None),
    "POST /contests/preview": ({}, {**CONTEST, "teams": ["north"]}),
    "PUT /contest-series/{series_id}": ({"series_id": "new"}, SERIES),
    "POST /contest-series/{series_id}/cancel": ({"series_id": "weekly"}, None),
    "GET /reports/blind": ({}, None),
}


def test_what_is_of_the_whole_organisation_takes_a_manager_of_all_teams(app: App) -> None:
    before = app.everything()
    for route in of_scope("all"):
        path, body = ORGANISATIONS[route]
        for query in ({}, {"team": "north"}) if "GET" not in route else ({},):
            answer = call(app, route, body, NORTHERN, query, **path)
            assert (answer.status, answer.code) == (403, "forbidden"), route
            assert "You manage team north" in answer.json["detail"]
    assert app.everything() == before


def test_what_is_the_same_for_all_they_may_look_at(app: App) -> None:
    for route in of_scope("shared"):
        assert route.startswith("GET ")
        assert call(app, route, None, NORTHERN).status == 200, route


WHOSE: dict[str, tuple[dict[str, str], Any]] = {
    "PUT /targets/{month}": ({"month": "2026-12"}, lambda rep: {"targets": {rep: 5}}),
    "POST /quests/{quest}/{step}/confirm": (
        {"quest": "start", "step": "ethics"},
        lambda rep: {"rep_id": rep},
    ),
    "POST /rewards/requests/approve": ({}, lambda rep: {"request_ids": [f"{rep}.1"]}),
    "POST /activities": (
        {},
        lambda rep: {
            "activity_id": f"a-{rep}",
            "type": "call",
            "rep_id": rep,
            "at": "2026-11-23T12:00:00Z",
        },
    ),
}


def test_another_teams_rep_in_the_body_is_no_rep(app: App) -> None:
    for route in of_scope("body"):
        _is_no_rep(app, route)


def _is_no_rep(app: App, route: str) -> None:
    path, body = WHOSE[route]
    before = app.everything()
    other = call(app, route, body(CHONG.rep_id), NORTHERN, **path)
    made_up = call(app, route, body("zzzzz"), NORTHERN, **path)
    assert (other.status, made_up.status) == (422, 422), other.text
    assert other.text.replace(CHONG.rep_id, "zzzzz") == made_up.text
    assert app.everything() == before
    assert call(app, route, body(AINA.rep_id), NORTHERN, **path).status in (200, 201)


def test_a_lead_is_given_to_ones_own_reps_only(app: App, two_teams: dict[str, str]) -> None:
    route, lead = "POST /leads/{lead_id}/assign", two_teams["held_of_north"]
    other = call(app, route, {"rep_id": CHONG.rep_id, **REASON}, NORTHERN, lead_id=lead)
    made_up = call(app, route, {"rep_id": "zzzzz", **REASON}, NORTHERN, lead_id=lead)
    assert other.status == 422
    assert other.text == made_up.text


def test_an_activity_tells_nothing_of_another_teams_lead(
    app: App, two_teams: dict[str, str]
) -> None:
    def told(lead: str, rep_id: str | None) -> tuple[int, str]:
        body = {
            "activity_id": "x",
            "type": "call",
            "lead_id": lead,
            "at": f"{app.clock.at:%Y-%m-%dT%H:%M:%SZ}",
        }
        answer = call(
            app, "POST /activities", body | ({"rep_id": rep_id} if rep_id else {}), NORTHERN
        )
        return answer.status, answer.text

    for rep_id in (None, AINA.rep_id, CHONG.rep_id):
        for lead in (two_teams["held_of_south"], two_teams["open_of_south"]):
            assert told(lead, rep_id) == told("zzzzzzzzzzzz", rep_id)


def test_a_shared_leads_verdicts_are_shown_of_their_own_reps(app: App) -> None:
    lead = app.lead(50, team="")
    assert set(lead.teams) == {"north", "south"}
    route = "GET /leads/{lead_id}/why"
    assert CHONG.rep_id not in call(app, route, None, NORTHERN, lead_id=lead.lead_id).text
    assert CHONG.rep_id in call(app, route, None, MANAGER, lead_id=lead.lead_id).text


def test_a_rep_who_moved_takes_their_part_along(app: App) -> None:
    route, path = "GET /reps", {"rep_id": BEN.rep_id}
    assert call(app, "PUT /reps/{rep_id}", {"team": "south"}, MANAGER, **path).status == 200
    assert call(app, "PUT /reps/{rep_id}", {"weight": 1}, NORTHERN, **path).status == 404
    wiring.cache_clear()
    assert BEN.rep_id not in call(app, route, None, NORTHERN).text
    assert BEN.rep_id in call(app, route, None, SOUTHERN).text
