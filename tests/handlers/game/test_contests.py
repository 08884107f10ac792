"""Contests and challenges over HTTP, and the job that runs them (G4-G7)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

import pytest

from dibs.core.rep import Rep
from dibs.game.contests import run as usecase
from dibs.game.contests.store import signature
from dibs.game.scoring.score import score
from dibs.ledger.entries import new_entry
from dibs.wiring import wiring
from handlers.app import (
    AINA,
    BEN,
    CHONG,
    DAYANG,
    MANAGER,
    RESULTS_SECRET,
    Answer,
    App,
    event,
    http,
)
from support.builders import a_playbook, a_rep, token_of
from support.totals import add_totals

# The tests begin on Monday the 23rd of November, at noon.
MONDAY = date(2026, 11, 30)
WEEK = {
    "name": "The week",
    "kind": "individual",
    "first_day": "2026-11-30",
    "last_day": "2026-12-06",
    "metric": "points",
    "teams": ["north"],
    "prize_points": [100, 50],
    "prize": "Dinner",
}
ROUTES = [
    ("PUT /contests/{contest_id}", WEEK),
    ("POST /contests/{contest_id}/cancel", None),
    ("POST /contests/preview", WEEK),
]


@pytest.fixture(autouse=True)
def people(app: App) -> None:
    app.world.add_manager(MANAGER)
    app.hire(AINA, BEN, CHONG, DAYANG)


def call(
    app: App, route: str, body: Any = None, *, token: str = MANAGER, contest: str = "week"
) -> Answer:
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    path = {"contest_id": contest} if "{" in route else {}
    asked = http("http_playbook", route, path, text, authorization=f"Bearer {token}")
    asked.pop("queryStringParameters")
    return app.ask("game", asked)


def put(app: App, contest: str = "week", **changes: Any) -> Answer:
    body = {**WEEK, **changes}
    return call(app, "PUT /contests/{contest_id}", body, contest=contest)


def show(app: App, viewer: Rep | None = None, contest: str = "week") -> Any:
    token = token_of(viewer) if viewer else MANAGER
    answer = call(app, "GET /contests/{contest_id}", token=token, contest=contest)
    assert answer.status == 200, answer.text
    return answer.json


def job(app: App) -> Any:
    return app.run("recalculate", event("schedule_contests"))


def to(app: App, day: date, **later: float) -> None:
    """Let time pass until a day begins, and a little longer."""
    start = app.clock.at.replace(year=day.year, month=day.month, day=day.day, hour=0)
    app.clock.at = start + timedelta(**later)


def points(app: App, *of: tuple[Rep, int]) -> None:
    for rep, number in of:
        add_totals(app.world, MONDAY, rep, points__sum=number, claimed=3, taken=5)


def ids(rows: Iterable[dict[str, Any]]) -> list[str | None]:
    return [row["id"] for row in rows]


@pytest.mark.parametrize(("route", "body"), ROUTES, ids=[route for route, _ in ROUTES])
def test_only_a_manager_may(app: App, route: str, body: Any) -> None:
    if "cancel" in route:
        put(app)
    before = app.everything()
    for token in ("manager.forged", f"{AINA.rep_id}.forged", "nobody.x"):
        answer = call(app, route, body, token=token)
        assert (answer.status, answer.code) == (401, "unauthorized")
    answer = call(app, route, body, token=token_of(AINA))
    assert (answer.status, answer.code) == (403, "forbidden")
    assert app.everything() == before
    assert call(app, route, body).status == 200


@pytest.mark.parametrize(
    "route", ["GET /contests", "GET /contests/{contest_id}", "GET /challenges"]
)
def test_nobody_looks_without_a_token(app: App, route: str) -> None:
    assert call(app, route, token="nobody.x").status == 401


def test_a_contest_that_is_set_up_is_told_to_who_is_in(app: App) -> None:
    answer = put(app)
    assert answer.status == 200
    expected = {
        "contest_id": "week",
        "name": "The week",
        "kind": "individual",
        "phase": "upcoming",
        "hidden": False,
        "first_day": "2026-11-30",
        "last_day": "2026-12-06",
        "opens_at": "2026-11-30T00:00:00.000Z",
        "ends_at": "2026-12-07T00:00:00.000Z",
        "cut_off_at": "2026-12-09T00:00:00.000Z",
        "seconds_left": 13 * 86_400 + 43_200,
        "prize": "Dinner",
        "prize_points": [100, 50],
    }
    assert answer.json.items() >= expected.items()
    for token in (MANAGER, token_of(AINA)):
        assert call(app, "GET /contests", token=token).json["contests"] == [expected]
    assert call(app, "GET /contests", token=token_of(CHONG)).json["contests"] == []
    shown = show(app, AINA)
    assert shown["phase"] == "upcoming"
    assert "top" not in shown and "result" not in shown
    assert shown["rules"] == [
        "What counts: points (Points earned).",
        "The highest wins.",
        "Those still tied share the place and its prize.",
        "Activities reported up to 2 days after the end still count; then the result is final.",
        "The entrants are fixed at the start: whoever joins later is not in, "
        "whoever leaves keeps their score.",
        "Prize: Dinner",
    ]


def test_the_same_again_is_fine_and_another_after_the_start_is_not(app: App) -> None:
    put(app)
    to(app, MONDAY)
    job(app)
    before = app.everything()
    assert put(app).status == 200
    late = put(app, name="Other", first_day="2026-12-02")
    assert (late.status, late.code) == (409, "illegal_move")
    assert app.everything() == before


def test_who_joined_a_moment_before_the_start_is_in(app: App) -> None:
    put(app)
    to(app, MONDAY)
    assert len(wiring().roster.team("north")) == 3  # and remembered
    app.hire(a_rep(9))
    job(app)
    assert show(app)["entrants"] == 4


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"metric": "count(nothing)"}, "metric"),
        ({"first_day": "2026-11-22"}, "first_day"),
        ({"teams": ["west"]}, "teams"),
        ({"metirc": "points"}, "metirc"),
        ({"reps": ["zzzzz"], "teams": []}, "reps"),
        ({"reps": [AINA.rep_id, AINA.rep_id], "teams": []}, "reps"),
        ({"reps": ["a" * 2000], "teams": []}, "reps"),
        ({"reps": [""], "teams": []}, "reps"),
        ({"first_day": "1999-12-31", "last_day": "2000-01-01"}, "first_day"),
        ({"last_day": "9999-12-31"}, "last_day"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(
    app: App, changes: dict[str, Any], field: str
) -> None:
    before = app.everything()
    for answer in (
        put(app, **changes),
        call(app, "POST /contests/preview", {**WEEK, **changes}),
    ):
        if "first_day" in changes and answer.status == 200:
            continue  # A preview looks at the past.
        assert (answer.status, answer.code) == (422, "invalid_input")
        assert {error["field"] for error in answer.json["errors"]} == {field}
    assert app.everything() == before


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        (
            {"kind": "duel", "first_day": "2026-11-01", "metric": "count(nothing)"},
            {"kind", "first_day", "metric"},
        ),
        (
            {"name": 7, "metirc": "x", "teams": ["west"], "late_days": 99, "from_time": "9"},
            {"name", "metirc", "teams", "late_days", "from_time"},
        ),
        ({"first_day": "Monday", "prior": 5, "zone": "Moon"}, {"first_day", "prior", "zone"}),
        ({"contest_id": "other", "name": ""}, {"contest_id", "name"}),
        # What could not be read makes no error of what goes with it.
        ({"teams": 7}, {"teams"}),
        ({"metric": 7}, {"metric"}),
        ({"sides": 7, "teams": [], "kind": "team"}, {"sides"}),
        ({"last_day": "never", "first_day": "2026-11-30"}, {"last_day"}),
    ],
)
def test_all_errors_of_a_contest_come_in_one_round(
    app: App, changes: dict[str, Any], fields: set[str]
) -> None:
    answer = put(app, **changes)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert {error["field"] for error in answer.json["errors"]} == fields


def test_a_needed_field_that_is_missing_hides_no_other_error(app: App) -> None:
    answer = call(app, "PUT /contests/{contest_id}", {"metric": "count(nothing)", "teams": ["x"]})
    fields = {error["field"] for error in answer.json["errors"]}
    assert fields == {"name", "kind", "first_day", "last_day", "metric", "teams"}


def test_a_contest_begins_today_and_lasts_two_hours(app: App) -> None:
    """At noon of 2026-11-23, in a team whose zone is UTC."""
    today = {"first_day": "2026-11-23", "last_day": "2026-11-23", "late_days": 0}
    answer = put(app, **today, from_time="13:00", to_time="15:00")
    assert answer.status == 200, answer.text
    assert answer.json["opens_at"] == "2026-11-23T13:00:00.000Z"
    assert answer.json["ends_at"] == answer.json["cut_off_at"] == "2026-11-23T15:00:00.000Z"
    phases = []
    for hour in (0, 1, 2, 3.1):
        to(app, date(2026, 11, 23), hours=12 + hour)
        job(app)
        phases.append(show(app)["phase"])
    assert phases == ["upcoming", "live", "live", "final"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, ""),
        ({"from_time": "11:00"}, ""),
        ({"to_time": "12:00"}, "to_time"),
        ({"to_time": "12:01"}, ""),
        ({"zone": "Pacific/Auckland"}, "first_day"),
        ({"zone": "America/New_York"}, ""),
        ({"from_time": "15:00", "to_time": "15:00"}, "to_time"),
        ({"from_time": "24:00"}, "from_time"),
        ({"from_time": "25:00"}, "from_time"),
        ({"to_time": "9:00"}, "to_time"),
        ({"zone": "Mars/Olympus"}, "zone"),
    ],
)
def test_todays_contest_is_not_over(app: App, changes: dict[str, str], field: str) -> None:
    answer = put(app, first_day="2026-11-23", last_day="2026-11-23", **changes)
    wrong = [error["field"] for error in answer.json.get("errors", ())]
    assert wrong == ([field] if field else []), answer.text


@pytest.mark.parametrize("contest", ["a#b", "a/b", "a b", "é", "'", "preview", "a" * 64])
def test_a_contest_may_be_called_anything_that_fits(app: App, contest: str) -> None:
    assert put(app, contest).status == 200
    to(app, MONDAY)
    job(app)
    points(app, (AINA, 7))
    assert ids(show(app, AINA, contest)["top"])[0] == AINA.rep_id
    to(app, date(2026, 12, 9), minutes=1)
    job(app)
    assert show(app, AINA, contest)["phase"] == "final"


@pytest.mark.parametrize("contest", ["a" * 65, "é" * 33, "a" * 2000, "a\nb", "\ud800"])
def test_there_is_no_contest_of_such_a_name(app: App, contest: str) -> None:
    before = app.everything()
    for route, body in [*ROUTES[:2], ("GET /contests/{contest_id}", None)]:
        answer = call(app, route, body, contest=contest)
        assert (answer.status, answer.code) == (404, "not_found")
    assert app.everything() == before


@pytest.mark.parametrize("contest", ["challenge-mine", "x" * 65, "\x07", "x" * 3000])
def test_not_every_id_is_a_contests(app: App, contest: str) -> None:
    assert put(app, contest).status in (404, 422)
    answer = call(app, "GET /contests/{contest_id}", contest=contest)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("body", ["[]", "{", '{"name": "\\ud800"}'])
def test_a_body_that_is_none_is_turned_away(app: App, body: str) -> None:
    assert call(app, "PUT /contests/{contest_id}", body).status in (400, 422)


def test_a_contest_runs_from_its_first_day_to_its_prizes(app: App) -> None:
    put(app)
    to(app, MONDAY, hours=1)
    assert job(app) == {"opened": 1, "counted": 1, "closed": 0, "paid": 0}
    points(app, (AINA, 30), (BEN, 70), (CHONG, 500))
    shown = show(app, AINA)
    assert (shown["phase"], shown["entrants"]) == ("live", 3)
    assert shown["seconds_left"] == 7 * 86_400 - 3600
    assert ids(shown["top"]) == [BEN.rep_id, AINA.rep_id, DAYANG.rep_id]
    assert shown["me"]["place"] == 2
    assert (shown["me"]["value"], shown["me"]["gap"]) == (30, 40)
    to(app, date(2026, 12, 7))
    assert show(app, AINA)["phase"] == "counting"
    to(app, date(2026, 12, 9), minutes=1)
    assert job(app) == {"opened": 0, "counted": 0, "closed": 1, "paid": 2}
    assert job(app) == {"opened": 0, "counted": 0, "closed": 0, "paid": 0}
    prizes = wiring().ledger.find([f"prize/week/{rep.rep_id}" for rep in (AINA, BEN, DAYANG)])
    assert {entry.rep_id: entry.amount for entry in prizes.values()} == {
        BEN.rep_id: 100,
        AINA.rep_id: 50,
    }
    final = show(app, DAYANG)
    assert final["phase"] == "final"
    assert [(row["name"], row["points"]) for row in final["winners"]["reps"]] == [
        (BEN.name, 100),
        (AINA.name, 50),
    ]
    assert final["result"]["verified"] is True
    assert "text" not in final["result"]
    told = show(app)["result"]
    assert told["signature"] == signature(told["text"], RESULTS_SECRET)


def test_a_result_that_was_altered_says_so(app: App) -> None:
    put(app)
    to(app, date(2026, 12, 9), minutes=1)
    job(app)
    key = {"pk": {"S": "CONTEST#week"}, "sk": {"S": "RESULT"}}
    app.client.update_item(
        TableName=app.settings.game_table,
        Key=key,
        UpdateExpression="SET signature = :other",
        ExpressionAttributeValues={":other": {"S": "0" * 64}},
    )
    assert show(app, AINA)["result"]["verified"] is False


def test_looking_changes_nothing(app: App) -> None:
    app.put_playbook(a_playbook(game={"challenges": CHALLENGES}))
    put(app)
    for day in (MONDAY, date(2026, 12, 9)):
        to(app, day)
        job(app)
        before = app.everything()
        for route in ("GET /contests", "GET /contests/{contest_id}", "GET /challenges"):
            for token in (MANAGER, token_of(AINA)):
                assert call(app, route, token=token).status == 200
        assert call(app, "POST /contests/preview", WEEK).status == 200
        assert app.everything() == before


# Who sees what (C3, G3)


def team_rules(**north: Any) -> Any:
    return a_playbook(
        teams={"north": {"name": "North", **north}, "south": {"name": "South"}},
        game={"challenges": CHALLENGES},
    )


@pytest.mark.parametrize(
    ("rules", "seen"),
    [
        ({}, [BEN.rep_id, AINA.rep_id, DAYANG.rep_id]),
        ({"anonymous": True}, [None, AINA.rep_id, None]),
        ({"own_gap": True}, [AINA.rep_id]),
    ],
)
def test_a_rep_sees_others_as_their_team_has_it(
    app: App, rules: dict[str, Any], seen: list[str | None]
) -> None:
    app.put_playbook(team_rules(**rules))
    put(app, teams=[], reps=[rep.rep_id for rep in (AINA, BEN, DAYANG)])
    points(app, (AINA, 30), (BEN, 70))
    for day in (MONDAY, date(2026, 12, 9)):
        to(app, day)
        job(app)
        answer = call(app, "GET /contests/{contest_id}", token=token_of(AINA))
        assert ids(answer.json["top"]) == seen
        assert (answer.json["me"]["place"], answer.json["me"]["gap"]) == (2, 40)
        assert (BEN.rep_id in answer.text) is (BEN.rep_id in seen)
        assert (BEN.name in answer.text) is (BEN.rep_id in seen)
        assert ids(show(app)["top"]) == [BEN.rep_id, AINA.rep_id, DAYANG.rep_id]


def test_a_hidden_contest_is_nobodys_but_the_managers(app: App) -> None:
    put(app, hidden=True)
    points(app, (AINA, 30))
    to(app, date(2026, 12, 9), minutes=1)
    job(app)
    answer = call(app, "GET /contests/{contest_id}", token=token_of(AINA))
    assert (answer.status, answer.code) == (404, "not_found")
    assert call(app, "GET /contests", token=token_of(AINA)).json["contests"] == []
    assert show(app)["winners"]["reps"][0]["points"] == 0
    assert wiring().ledger.find([f"prize/week/{AINA.rep_id}"]) == {}


def test_a_rep_of_another_team_does_not_learn_of_it(app: App) -> None:
    put(app)
    answer = call(app, "GET /contests/{contest_id}", token=token_of(CHONG))
    assert (answer.status, answer.code) == (404, "not_found")


# Sides, tiers, lotteries


def test_sides_are_shown_and_their_winners_honoured(app: App) -> None:
    sides = {"red": [AINA.rep_id, CHONG.rep_id], "blue": [BEN.rep_id, DAYANG.rep_id]}
    put(app, kind="hybrid", teams=[], sides=sides)
    points(app, (AINA, 30), (BEN, 45), (CHONG, 20))
    to(app, MONDAY)
    job(app)
    shown = show(app, AINA)
    assert shown["contest"]["sides"] == {"red": 2, "blue": 2}
    assert [(row["id"], row["value"], row["place"]) for row in shown["sides"]] == [
        ("red", 50, 1),
        ("blue", 45, 2),
    ]
    assert ids(shown["top"]) == [AINA.rep_id, CHONG.rep_id]
    to(app, date(2026, 12, 9), minutes=1)
    job(app)
    winners = show(app, BEN)["winners"]
    assert winners["sides"] == ["red"]
    assert [(row["id"], row["points"]) for row in winners["reps"]] == [
        (AINA.rep_id, 100),
        (CHONG.rep_id, 50),
    ]


def test_a_rep_sees_the_places_of_their_own_tier(app: App) -> None:
    app.world.roster.put_profile(replace(AINA, tier=1), ("tier",))
    put(app, metric="", metric_by_tier={"1": ["revenue"], "2": ["points"]})
    points(app, (BEN, 5), (DAYANG, 7))
    to(app, MONDAY)
    job(app)
    assert ids(show(app, AINA)["top"]) == [AINA.rep_id]
    assert ids(show(app, BEN)["top"]) == [DAYANG.rep_id, BEN.rep_id]
    assert "Tier 1: revenue (" in show(app, AINA)["rules"][0]


def test_a_lottery_shows_its_commitment_first_and_its_seed_last(app: App) -> None:
    put(app, metric="", tickets={"claimed": 2}, prize_points=[100])
    points(app, (AINA, 0), (BEN, 0))
    to(app, MONDAY)
    job(app)
    live = show(app, AINA)
    assert live["me"]["value"] == 6
    assert live["draw"]["seed"] is None
    assert ids(live["top"]) == [AINA.rep_id, BEN.rep_id]
    to(app, date(2026, 12, 9), minutes=1)
    job(app)
    final = show(app, AINA)
    seed = final["draw"]["seed"]
    assert sha256(seed.encode()).hexdigest() == live["draw"]["commitment"]
    lowest = {
        sha256(f"{seed}|week|{rep.rep_id}|{n}".encode()).hexdigest(): rep.rep_id
        for rep in (AINA, BEN)
        for n in range(1, 7)
    }
    assert ids(final["winners"]["reps"]) == [lowest[min(lowest)]]


def test_the_seed_is_nowhere_before_the_end(app: App) -> None:
    put(app, metric="", tickets={"claimed": 2})
    to(app, MONDAY)
    job(app)
    kept = wiring().contests.frozen("week")
    assert kept is not None and len(kept[1]) == 64
    for token in (MANAGER, token_of(AINA)):
        answer = call(app, "GET /contests/{contest_id}", token=token)
        assert kept[1] not in answer.text


def test_a_preview_shows_how_it_would_stand(app: App) -> None:
    add_totals(app.world, date(2026, 10, 5), BEN, points__sum=7)
    past = {**WEEK, "first_day": "2026-10-05", "last_day": "2026-10-05"}
    answer = call(app, "POST /contests/preview", past)
    assert answer.status == 200
    assert [(row["name"], row["value"], row["points"]) for row in answer.json["top"]] == [
        (BEN.name, 7, 100),
        (AINA.name, 0, 0),
        (DAYANG.name, 0, 0),
    ]


def test_a_contest_is_called_off(app: App) -> None:
    cancel = "POST /contests/{contest_id}/cancel"
    assert call(app, cancel).status == 404
    put(app)
    to(app, MONDAY)
    job(app)
    for _ in range(2):
        assert call(app, cancel).json["phase"] == "cancelled"
    to(app, date(2026, 12, 9), minutes=1)
    assert job(app)["closed"] == 0


def test_what_is_in_the_ledger_is_what_counts_and_prizes_are_points(app: App) -> None:
    """With the standings as they are, and under the roles of both functions."""
    put(app, metric="count(call)", teams=[], reps=[AINA.rep_id, BEN.rep_id])
    to(app, MONDAY, hours=9)
    job(app)
    playbook, at = wiring().roster.playbook(), app.clock.at
    told = [(AINA, 1), (BEN, 1), (BEN, 2)]
    scored = [
        new_entry(f"activity/{rep.rep_id}/{n}", "call", rep.rep_id, rep.team, at, playbook)
        for rep, n in told
    ]
    score(wiring().score_deps, scored)
    assert [(row["id"], row["value"]) for row in show(app, AINA)["top"]] == [
        (BEN.rep_id, 2),
        (AINA.rep_id, 1),
    ]
    to(app, date(2026, 12, 9), minutes=1)
    job(app)
    prizes = wiring().ledger.find([f"prize/week/{rep.rep_id}" for rep in (AINA, BEN)])
    score(wiring().score_deps, prizes.values())
    week = {one.rep_id: one.counts for one in wiring().standings.totals("2026-W50")}
    assert week[BEN.rep_id]["points.sum"] == week[BEN.rep_id]["prize.sum"] == 100
    assert week[AINA.rep_id]["points.sum"] == 50


def test_a_crowd_looks_at_what_the_job_put_together(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usecase, "FRESH_UP_TO", 2)
    put(app)
    to(app, MONDAY, hours=1)
    job(app)
    points(app, (BEN, 70))
    to(app, MONDAY, hours=1, minutes=4)
    stale = show(app, BEN)
    assert (stale["as_of"], stale["me"]["value"]) == ("2026-11-30T01:00:00.000Z", 0)
    job(app)
    assert show(app, BEN)["me"]["value"] == 70


# Challenges (G7)

CHALLENGES: dict[str, Any] = {
    "rotation": ["volume_sprint", "quality_month"],
    "starts": "2026-11-30",
    "prize": "Dinner",
}


def test_challenges_tell_what_is_on_what_is_next_and_how_i_stand(app: App) -> None:
    app.put_playbook(team_rules())
    before = call(app, "GET /challenges", token=token_of(AINA)).json["challenges"]
    assert {one["when"] for one in before} == {"next"}
    to(app, MONDAY, hours=6)
    job(app)
    points(app, (AINA, 0))
    found = call(app, "GET /challenges", token=token_of(AINA)).json["challenges"]
    assert [(one["challenge"], one["period"], one["when"]) for one in found[:3]] == [
        ("volume_sprint", "2026-W49", "now"),
        ("quality_month", "2026-12", "next"),
        ("volume_sprint", "2026-W50", "next"),
    ]
    now = found[0]
    assert (now["name"], now["prize"], now["prize_points"]) == (
        "Volume Sprint",
        "Dinner",
        [100, 50, 25],
    )
    assert now["seconds_left"] == 7 * 86_400 - 6 * 3600
    assert (now["me"]["value"], now["me"]["place"]) == (3, 1)
    assert "count(claimed_opportunities) / count(claimed)" in " ".join(now["rules"])
    assert "me" not in found[1]
    assert show(app, AINA, now["contest_id"])["contest"]["prize"] == "Dinner"


def test_hidden_challenges_are_the_managers(app: App) -> None:
    hidden = {**CHALLENGES, "hidden": True}
    app.put_playbook(a_playbook(game={"challenges": hidden}))
    to(app, MONDAY)
    job(app)
    assert call(app, "GET /challenges", token=token_of(AINA)).json["challenges"] == []
    assert call(app, "GET /challenges").json["challenges"][0]["when"] == "now"


def test_a_challenge_whose_job_has_not_run_yet_has_no_standing(app: App) -> None:
    app.put_playbook(team_rules())
    to(app, MONDAY)
    found = call(app, "GET /challenges", token=token_of(AINA)).json["challenges"]
    assert (found[0]["when"], found[0]["me"]) == ("now", None)
