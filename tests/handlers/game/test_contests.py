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
from dibs.game.scoring.ports import Total
from dibs.game.scoring.score import score
from dibs.ledger.entries import booked
from dibs.wiring import wiring
from handlers.office import (
    AINA,
    BEN,
    CHONG,
    DAYANG,
    MANAGER,
    RESULTS_SECRET,
    Answer,
    Office,
    event,
    http,
)
from support.builders import a_playbook, a_rep, token_of
from support.fake_contests import FakeStandings

# The office opens on Monday the 23rd of November, at noon.
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


@pytest.fixture
def totals(office: Office, monkeypatch: pytest.MonkeyPatch) -> FakeStandings:
    """What the boards say; the standings' own tests hold how they come about."""
    office.world.add_manager(MANAGER)
    office.hire(AINA, BEN, CHONG, DAYANG)
    found = FakeStandings()

    def between(store: Any, first: date, last: date) -> list[Total]:
        return found.between(first, last)

    monkeypatch.setattr(type(wiring().standings), "between", between)
    return found


def call(
    office: Office, route: str, body: Any = None, *, token: str = MANAGER, contest: str = "week"
) -> Answer:
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    path = {"contest_id": contest} if "{" in route else {}
    asked = http("http_playbook", route, path, text, authorization=f"Bearer {token}")
    asked.pop("queryStringParameters")
    return office.ask("game", asked)


def put(office: Office, contest: str = "week", **changes: Any) -> Answer:
    body = {**WEEK, **changes}
    return call(office, "PUT /contests/{contest_id}", body, contest=contest)


def show(office: Office, viewer: Rep | None = None, contest: str = "week") -> Any:
    token = token_of(viewer) if viewer else MANAGER
    answer = call(office, "GET /contests/{contest_id}", token=token, contest=contest)
    assert answer.status == 200, answer.text
    return answer.json


def job(office: Office) -> Any:
    return office.run("recalculate", event("schedule_contests"))


def to(office: Office, day: date, **later: float) -> None:
    """Let time pass until a day begins, and a little longer."""
    start = office.clock.at.replace(year=day.year, month=day.month, day=day.day, hour=0)
    office.clock.at = start + timedelta(**later)


def points(totals: FakeStandings, *of: tuple[Rep, int]) -> None:
    for rep, number in of:
        totals.add(MONDAY, rep.rep_id, rep.team, points__sum=number, claimed=3)


def ids(rows: Iterable[dict[str, Any]]) -> list[str | None]:
    return [row["id"] for row in rows]


@pytest.mark.parametrize(("route", "body"), ROUTES, ids=[route for route, _ in ROUTES])
def test_only_a_manager_may(office: Office, totals: FakeStandings, route: str, body: Any) -> None:
    if "cancel" in route:
        put(office)
    before = office.everything()
    for token in ("manager.forged", f"{AINA.rep_id}.forged", "nobody.x"):
        answer = call(office, route, body, token=token)
        assert (answer.status, answer.code) == (401, "unauthorized")
    answer = call(office, route, body, token=token_of(AINA))
    assert (answer.status, answer.code) == (403, "forbidden")
    assert office.everything() == before
    assert call(office, route, body).status == 200


@pytest.mark.parametrize(
    "route", ["GET /contests", "GET /contests/{contest_id}", "GET /challenges"]
)
def test_nobody_looks_without_a_token(office: Office, totals: FakeStandings, route: str) -> None:
    assert call(office, route, token="nobody.x").status == 401


def test_a_contest_that_is_set_up_is_told_to_who_is_in(
    office: Office, totals: FakeStandings
) -> None:
    answer = put(office)
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
        assert call(office, "GET /contests", token=token).json["contests"] == [expected]
    assert call(office, "GET /contests", token=token_of(CHONG)).json["contests"] == []
    shown = show(office, AINA)
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


def test_the_same_again_is_fine_and_another_after_the_start_is_not(
    office: Office, totals: FakeStandings
) -> None:
    put(office)
    to(office, MONDAY)
    job(office)
    before = office.everything()
    assert put(office).status == 200
    late = put(office, name="Other", first_day="2026-12-02")
    assert (late.status, late.code) == (409, "illegal_move")
    assert office.everything() == before


def test_who_joined_a_moment_before_the_start_is_in(office: Office, totals: FakeStandings) -> None:
    put(office)
    to(office, MONDAY)
    assert len(wiring().roster.team("north")) == 3  # and remembered
    office.hire(a_rep(9))
    job(office)
    assert show(office)["entrants"] == 4


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"metric": "count(nothing)"}, "metric"),
        ({"first_day": "2026-11-23"}, "first_day"),
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
    office: Office, totals: FakeStandings, changes: dict[str, Any], field: str
) -> None:
    before = office.everything()
    for answer in (
        put(office, **changes),
        call(office, "POST /contests/preview", {**WEEK, **changes}),
    ):
        if "first_day" in changes and answer.status == 200:
            continue  # A preview looks at the past.
        assert (answer.status, answer.code) == (422, "invalid_input")
        assert {error["field"] for error in answer.json["errors"]} == {field}
    assert office.everything() == before


@pytest.mark.parametrize("contest", ["a#b", "a/b", "a b", "é", "'", "preview", "a" * 64])
def test_a_contest_may_be_called_anything_that_fits(
    office: Office, totals: FakeStandings, contest: str
) -> None:
    assert put(office, contest).status == 200
    to(office, MONDAY)
    job(office)
    points(totals, (AINA, 7))
    assert ids(show(office, AINA, contest)["top"])[0] == AINA.rep_id
    to(office, date(2026, 12, 9))
    job(office)
    assert show(office, AINA, contest)["phase"] == "final"


@pytest.mark.parametrize("contest", ["a" * 65, "é" * 33, "a" * 2000, "a\nb", "\ud800"])
def test_there_is_no_contest_of_such_a_name(
    office: Office, totals: FakeStandings, contest: str
) -> None:
    before = office.everything()
    for route, body in [*ROUTES[:2], ("GET /contests/{contest_id}", None)]:
        answer = call(office, route, body, contest=contest)
        assert (answer.status, answer.code) == (404, "not_found")
    assert office.everything() == before


@pytest.mark.parametrize("contest", ["challenge-mine", "x" * 65, "\x07", "x" * 3000])
def test_not_every_id_is_a_contests(office: Office, totals: FakeStandings, contest: str) -> None:
    assert put(office, contest).status in (404, 422)
    answer = call(office, "GET /contests/{contest_id}", contest=contest)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("body", ["[]", "{", '{"name": "\\ud800"}'])
def test_a_body_that_is_none_is_turned_away(
    office: Office, totals: FakeStandings, body: str
) -> None:
    assert call(office, "PUT /contests/{contest_id}", body).status in (400, 422)


def test_a_contest_runs_from_its_first_day_to_its_prizes(
    office: Office, totals: FakeStandings
) -> None:
    put(office)
    to(office, MONDAY, hours=1)
    assert job(office) == {"opened": 1, "counted": 1, "closed": 0, "paid": 0}
    points(totals, (AINA, 30), (BEN, 70), (CHONG, 500))
    shown = show(office, AINA)
    assert (shown["phase"], shown["entrants"]) == ("live", 3)
    assert shown["seconds_left"] == 7 * 86_400 - 3600
    assert ids(shown["top"]) == [BEN.rep_id, AINA.rep_id, DAYANG.rep_id]
    assert shown["me"]["place"] == 2
    assert (shown["me"]["value"], shown["me"]["gap"]) == (30, 40)
    to(office, date(2026, 12, 7))
    assert show(office, AINA)["phase"] == "counting"
    to(office, date(2026, 12, 9))
    assert job(office) == {"opened": 0, "counted": 0, "closed": 1, "paid": 2}
    assert job(office) == {"opened": 0, "counted": 0, "closed": 0, "paid": 0}
    booked = wiring().ledger.find([f"prize/week/{rep.rep_id}" for rep in (AINA, BEN, DAYANG)])
    assert {entry.rep_id: entry.amount for entry in booked.values()} == {
        BEN.rep_id: 100,
        AINA.rep_id: 50,
    }
    final = show(office, DAYANG)
    assert final["phase"] == "final"
    assert [(row["name"], row["points"]) for row in final["winners"]["reps"]] == [
        (BEN.name, 100),
        (AINA.name, 50),
    ]
    assert final["result"]["verified"] is True
    assert "text" not in final["result"]
    told = show(office)["result"]
    assert told["signature"] == signature(told["text"], RESULTS_SECRET)


def test_a_result_that_was_altered_says_so(office: Office, totals: FakeStandings) -> None:
    put(office)
    to(office, date(2026, 12, 9))
    job(office)
    key = {"pk": {"S": "CONTEST#week"}, "sk": {"S": "RESULT"}}
    office.client.update_item(
        TableName=office.settings.game_table,
        Key=key,
        UpdateExpression="SET signature = :other",
        ExpressionAttributeValues={":other": {"S": "0" * 64}},
    )
    assert show(office, AINA)["result"]["verified"] is False


def test_looking_changes_nothing(office: Office, totals: FakeStandings) -> None:
    office.put_playbook(a_playbook(game={"challenges": CHALLENGES}))
    put(office)
    for day in (MONDAY, date(2026, 12, 9)):
        to(office, day)
        job(office)
        before = office.everything()
        for route in ("GET /contests", "GET /contests/{contest_id}", "GET /challenges"):
            for token in (MANAGER, token_of(AINA)):
                assert call(office, route, token=token).status == 200
        assert call(office, "POST /contests/preview", WEEK).status == 200
        assert office.everything() == before


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
    office: Office, totals: FakeStandings, rules: dict[str, Any], seen: list[str | None]
) -> None:
    office.put_playbook(team_rules(**rules))
    put(office, teams=[], reps=[rep.rep_id for rep in (AINA, BEN, DAYANG)])
    points(totals, (AINA, 30), (BEN, 70))
    for day in (MONDAY, date(2026, 12, 9)):
        to(office, day)
        job(office)
        answer = call(office, "GET /contests/{contest_id}", token=token_of(AINA))
        assert ids(answer.json["top"]) == seen
        assert (answer.json["me"]["place"], answer.json["me"]["gap"]) == (2, 40)
        assert (BEN.rep_id in answer.text) is (BEN.rep_id in seen)
        assert (BEN.name in answer.text) is (BEN.rep_id in seen)
        assert ids(show(office)["top"]) == [BEN.rep_id, AINA.rep_id, DAYANG.rep_id]


def test_a_hidden_contest_is_nobodys_but_the_managers(
    office: Office, totals: FakeStandings
) -> None:
    put(office, hidden=True)
    points(totals, (AINA, 30))
    to(office, date(2026, 12, 9))
    job(office)
    answer = call(office, "GET /contests/{contest_id}", token=token_of(AINA))
    assert (answer.status, answer.code) == (404, "not_found")
    assert call(office, "GET /contests", token=token_of(AINA)).json["contests"] == []
    assert show(office)["winners"]["reps"][0]["points"] == 0
    assert wiring().ledger.find([f"prize/week/{AINA.rep_id}"]) == {}


def test_a_rep_of_another_team_does_not_learn_of_it(office: Office, totals: FakeStandings) -> None:
    put(office)
    answer = call(office, "GET /contests/{contest_id}", token=token_of(CHONG))
    assert (answer.status, answer.code) == (404, "not_found")


# Sides, tiers, lotteries


def test_sides_are_shown_and_their_winners_honoured(office: Office, totals: FakeStandings) -> None:
    sides = {"red": [AINA.rep_id, CHONG.rep_id], "blue": [BEN.rep_id, DAYANG.rep_id]}
    put(office, kind="hybrid", teams=[], sides=sides)
    points(totals, (AINA, 30), (BEN, 45), (CHONG, 20))
    to(office, MONDAY)
    job(office)
    shown = show(office, AINA)
    assert shown["contest"]["sides"] == {"red": 2, "blue": 2}
    assert [(row["id"], row["value"], row["place"]) for row in shown["sides"]] == [
        ("red", 50, 1),
        ("blue", 45, 2),
    ]
    assert ids(shown["top"]) == [AINA.rep_id, CHONG.rep_id]
    to(office, date(2026, 12, 9))
    job(office)
    winners = show(office, BEN)["winners"]
    assert winners["sides"] == ["red"]
    assert [(row["id"], row["points"]) for row in winners["reps"]] == [
        (AINA.rep_id, 100),
        (CHONG.rep_id, 50),
    ]


def test_a_rep_sees_the_places_of_their_own_tier(office: Office, totals: FakeStandings) -> None:
    office.world.roster.put_profile(replace(AINA, tier=1), ("tier",))
    put(office, metric="", metric_by_tier={"1": ["revenue"], "2": ["points"]})
    points(totals, (BEN, 5), (DAYANG, 7))
    to(office, MONDAY)
    job(office)
    assert ids(show(office, AINA)["top"]) == [AINA.rep_id]
    assert ids(show(office, BEN)["top"]) == [DAYANG.rep_id, BEN.rep_id]
    assert "Tier 1: revenue (" in show(office, AINA)["rules"][0]


def test_a_lottery_shows_its_commitment_first_and_its_seed_last(
    office: Office, totals: FakeStandings
) -> None:
    put(office, metric="", tickets={"claimed": 2}, prize_points=[100])
    points(totals, (AINA, 0), (BEN, 0))
    to(office, MONDAY)
    job(office)
    live = show(office, AINA)
    assert live["me"]["value"] == 6
    assert live["draw"]["seed"] is None
    assert ids(live["top"]) == [AINA.rep_id, BEN.rep_id]
    to(office, date(2026, 12, 9))
    job(office)
    final = show(office, AINA)
    seed = final["draw"]["seed"]
    assert sha256(seed.encode()).hexdigest() == live["draw"]["commitment"]
    lowest = {
        sha256(f"{seed}|week|{rep.rep_id}|{n}".encode()).hexdigest(): rep.rep_id
        for rep in (AINA, BEN)
        for n in range(1, 7)
    }
    assert ids(final["winners"]["reps"]) == [lowest[min(lowest)]]


def test_the_seed_is_nowhere_before_the_end(office: Office, totals: FakeStandings) -> None:
    put(office, metric="", tickets={"claimed": 2})
    to(office, MONDAY)
    job(office)
    kept = wiring().contests.frozen("week")
    assert kept is not None and len(kept[1]) == 64
    for token in (MANAGER, token_of(AINA)):
        answer = call(office, "GET /contests/{contest_id}", token=token)
        assert kept[1] not in answer.text


def test_a_preview_shows_how_it_would_stand(office: Office, totals: FakeStandings) -> None:
    totals.add(date(2026, 10, 5), BEN.rep_id, points__sum=7)
    past = {**WEEK, "first_day": "2026-10-05", "last_day": "2026-10-05"}
    answer = call(office, "POST /contests/preview", past)
    assert answer.status == 200
    assert [(row["name"], row["value"], row["points"]) for row in answer.json["top"]] == [
        (BEN.name, 7, 100),
        (AINA.name, 0, 0),
        (DAYANG.name, 0, 0),
    ]


def test_a_contest_is_called_off(office: Office, totals: FakeStandings) -> None:
    cancel = "POST /contests/{contest_id}/cancel"
    assert call(office, cancel).status == 404
    put(office)
    to(office, MONDAY)
    job(office)
    for _ in range(2):
        assert call(office, cancel).json["phase"] == "cancelled"
    to(office, date(2026, 12, 9))
    assert job(office)["closed"] == 0


def test_what_is_in_the_ledger_is_what_counts_and_prizes_are_points(office: Office) -> None:
    """With the standings as they are, and under the roles of both functions."""
    office.world.add_manager(MANAGER)
    office.hire(AINA, BEN)
    put(office, metric="count(call)")
    to(office, MONDAY, hours=9)
    job(office)
    playbook, at = wiring().roster.playbook(), office.clock.at
    told = [(AINA, 1), (BEN, 1), (BEN, 2)]
    scored = [
        booked(f"activity/{rep.rep_id}/{n}", "call", rep.rep_id, rep.team, at, playbook)
        for rep, n in told
    ]
    score(wiring().score_deps, scored)
    assert [(row["id"], row["value"]) for row in show(office, AINA)["top"]] == [
        (BEN.rep_id, 2),
        (AINA.rep_id, 1),
    ]
    to(office, date(2026, 12, 9))
    job(office)
    prizes = wiring().ledger.find([f"prize/week/{rep.rep_id}" for rep in (AINA, BEN)])
    score(wiring().score_deps, prizes.values())
    week = {one.rep_id: one.counts for one in wiring().standings.totals("2026-W50")}
    assert week[BEN.rep_id]["points.sum"] == week[BEN.rep_id]["prize.sum"] == 100
    assert week[AINA.rep_id]["points.sum"] == 50


def test_a_crowd_looks_at_what_the_job_put_together(
    office: Office, totals: FakeStandings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usecase, "FRESH_UP_TO", 2)
    put(office)
    to(office, MONDAY, hours=1)
    job(office)
    points(totals, (BEN, 70))
    to(office, MONDAY, hours=1, minutes=4)
    stale = show(office, BEN)
    assert (stale["as_of"], stale["me"]["value"]) == ("2026-11-30T01:00:00.000Z", 0)
    job(office)
    assert show(office, BEN)["me"]["value"] == 70


# Challenges (G7)

CHALLENGES: dict[str, Any] = {
    "rotation": ["volume_sprint", "quality_month"],
    "starts": "2026-11-30",
    "prize": "Dinner",
}


def test_challenges_tell_what_is_on_what_is_next_and_how_i_stand(
    office: Office, totals: FakeStandings
) -> None:
    office.put_playbook(team_rules())
    before = call(office, "GET /challenges", token=token_of(AINA)).json["challenges"]
    assert {one["when"] for one in before} == {"next"}
    to(office, MONDAY, hours=6)
    job(office)
    points(totals, (AINA, 0))
    found = call(office, "GET /challenges", token=token_of(AINA)).json["challenges"]
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
    assert show(office, AINA, now["contest_id"])["contest"]["prize"] == "Dinner"


def test_hidden_challenges_are_the_managers(office: Office, totals: FakeStandings) -> None:
    hidden = {**CHALLENGES, "hidden": True}
    office.put_playbook(a_playbook(game={"challenges": hidden}))
    to(office, MONDAY)
    job(office)
    assert call(office, "GET /challenges", token=token_of(AINA)).json["challenges"] == []
    assert call(office, "GET /challenges").json["challenges"][0]["when"] == "now"


def test_a_challenge_whose_job_has_not_run_yet_has_no_standing(
    office: Office, totals: FakeStandings
) -> None:
    office.put_playbook(team_rules())
    to(office, MONDAY)
    found = call(office, "GET /challenges", token=token_of(AINA)).json["challenges"]
    assert (found[0]["when"], found[0]["me"]) == ("now", None)
