"""Contests as they are kept, and as they are sent."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dibs.aws import keys
from dibs.core.errors import InvalidInput
from dibs.game.contests.checks import problems
from dibs.game.contests.ports import Contests, PlannedContest, SignedResult
from dibs.game.contests.rules import (
    Contest,
    ContestRow,
    ContestStanding,
    Entrant,
    FrozenContest,
    Minimum,
    Result,
    entrants_hash,
    result_text,
    times_of,
)
from dibs.game.contests.series import Repeats, Series
from dibs.game.contests.store import (
    DynamoContests,
    contest_body,
    contest_from_body,
    series_from_body,
    signature,
)
from dibs.rules.game import Metric
from support.aws import items
from support.builders import NOON, World, a_playbook

HOUR = timedelta(hours=1)
PLAIN = Contest(
    "week", "The week", "individual", date(2026, 11, 30), date(2026, 12, 6), metric="points"
)
WHOLE = Contest(
    contest_id="whole",
    name="Örtliche Woche",
    kind="hybrid",
    first_day=date(2026, 11, 30),
    last_day=date(2026, 12, 6),
    metric="count(won)",
    better="more",
    metric_by_tier={"1": ("revenue", "average_ticket")},
    tickets={"won": 5},
    teams=("north",),
    reps=("aaaab",),
    sides={"red": ("aaaab", "aaaac"), "blue": ()},
    tiers=(1, 2),
    per_head=True,
    handicap="own_target",
    improvement=True,
    keeps="conversion",
    minimum=Minimum("claims", 3),
    tie_breakers=("revenue", "count(won)"),
    late_days=9,
    prize_points=(3, 2),
    prize="Dinner for two",
    hidden=True,
)
TIMES = times_of(PLAIN, a_playbook())
FROZEN = FrozenContest(
    at=NOON,
    times=TIMES,
    playbook_version=4,
    figures={"points": Metric("sum(points)", "Points.", "points", "less")},
    entrants=(
        Entrant("aaaab", "north", 1, "red", Fraction(7, 3)),
        Entrant("aaaac", "south", 2),
    ),
    commitment="c0ffee",
)
STANDING = ContestStanding(
    sides=(ContestRow("red", "red", value=Fraction(1, 3), place=1),),
    reps=(
        ContestRow("aaaab", "red", 2, Fraction(9), (Fraction(1, 7), None), 1, None, 100),
        ContestRow("aaaac", "red", 2, Fraction(0), (), None, "below_minimum"),
        ContestRow("aaaad", why="no_value"),
    ),
)


def planned(contest: Contest = PLAIN) -> PlannedContest:
    return PlannedContest(contest, "upcoming", TIMES, "manager")


def signed(contest: Contest = PLAIN, key: str = "key") -> SignedResult:
    result = Result(
        contest=contest,
        closed_at=NOON,
        times=TIMES,
        playbook_version=4,
        figures=FROZEN.figures,
        entrants=entrants_hash(FROZEN),
        commitment="c0ffee",
        seed="5eed",
        standing=STANDING,
    )
    text = result_text(result)
    return SignedResult(result, text, signature(text, key))


@pytest.fixture
def contests(world: World) -> Contests:
    return DynamoContests(world.dynamo, world.settings)


@pytest.mark.parametrize("contest", [PLAIN, WHOLE])
def test_a_contest_comes_back_as_it_was_planned(contests: Contests, contest: Contest) -> None:
    assert contests.plan(planned(contest))
    assert contests.get(contest.contest_id) == planned(contest)
    assert contests.all() == [planned(contest)]


def test_nothing_is_found_where_nothing_is(contests: Contests) -> None:
    assert contests.all() == []
    assert contests.get("week") is None
    assert contests.frozen("week") is None
    assert contests.standing("week") is None
    assert contests.result("week") is None
    assert not contests.cancel("week")


def test_contests_come_by_their_ids(contests: Contests) -> None:
    for contest in (WHOLE, PLAIN):
        contests.plan(planned(contest))
    assert [one.contest.contest_id for one in contests.all()] == ["week", "whole"]


def test_until_it_begins_a_contest_can_be_changed(contests: Contests) -> None:
    contests.plan(planned())
    changed = planned(replace(PLAIN, name="Other"))
    assert contests.plan(changed)
    assert contests.get("week") == changed
    assert contests.open(changed, FROZEN, "")
    assert not contests.plan(planned())
    live = contests.get("week")
    assert live is not None and (live.state, live.contest) == ("live", changed.contest)


def test_it_begins_once_and_what_is_frozen_then_stays(contests: Contests) -> None:
    contests.plan(planned())
    moved = replace(TIMES, ends_at=TIMES.ends_at + HOUR)
    first = replace(FROZEN, times=moved)
    assert contests.open(planned(), first, "seed")
    assert not contests.open(planned(), FROZEN, "other")
    assert contests.frozen("week") == (first, "seed")
    live = contests.get("week")
    assert live == replace(planned(), state="live", times=moved)


@pytest.mark.parametrize("begun", [False, True])
def test_one_that_was_called_off_neither_begins_nor_ends(contests: Contests, begun: bool) -> None:
    contests.plan(planned())
    if begun:
        contests.open(planned(), FROZEN, "")
    assert contests.cancel("week")
    assert not contests.cancel("week")
    assert not contests.plan(planned())
    assert not contests.open(planned(), FROZEN, "")
    assert not contests.close(signed())
    found = contests.get("week")
    assert found is not None and found.state == "cancelled"
    assert contests.result("week") is None


def test_of_two_standings_the_later_one_stays(contests: Contests) -> None:
    other = ContestStanding((), ())
    contests.refresh("week", STANDING, NOON)
    assert contests.standing("week") == (STANDING, NOON)
    contests.refresh("week", other, NOON - HOUR)
    assert contests.standing("week") == (STANDING, NOON)
    contests.refresh("week", other, NOON + HOUR)
    assert contests.standing("week") == (other, NOON + HOUR)


@pytest.mark.parametrize("contest", [PLAIN, WHOLE])
def test_the_first_result_stands_and_its_prizes_are_owed(
    contests: Contests, contest: Contest
) -> None:
    contests.plan(planned(contest))
    assert not contests.close(signed(contest))
    contests.open(planned(contest), FROZEN, "")
    assert contests.close(signed(contest))
    assert not contests.close(signed(contest, "another"))
    assert contests.result(contest.contest_id) == signed(contest)
    final = replace(planned(contest), state="final", owed=True)
    assert contests.get(contest.contest_id) == final
    assert not contests.cancel(contest.contest_id)
    for _ in range(2):
        contests.paid(contest.contest_id)
        assert contests.get(contest.contest_id) == replace(final, owed=False)


def test_ten_thousand_reps_fit_into_their_items(world: World) -> None:
    store = DynamoContests(world.dynamo, world.settings)
    store.plan(planned())
    ids = [f"{number:05x}" for number in range(10_000)]
    frozen = replace(
        FROZEN,
        entrants=tuple(
            Entrant(rep_id, "north", 1 + n % 3, "", Fraction(n * 7919 % 10_007))
            for n, rep_id in enumerate(ids)
        ),
    )
    rows = tuple(
        ContestRow(
            rep_id, "north", value=Fraction(n * 7919, 10_007), ties=(Fraction(n),), place=n + 1
        )
        for n, rep_id in enumerate(ids)
    )
    store.open(planned(), frozen, "seed")
    store.refresh("week", ContestStanding((), rows), NOON)
    stored = replace(signed().result, standing=ContestStanding((), rows))
    store.close(SignedResult(stored, result_text(stored), "signature"))
    sizes = {
        item["sk"]["S"]: len(item[name]["B"])
        for item in items(world.dynamo.client, world.settings.game_table)
        for name in ("frozen", "standing", "result")
        if name in item
    }
    assert sizes.keys() == {"FROZEN", "STANDING", "RESULT"}
    assert max(sizes.values()) < 300_000
    assert store.result("week") == SignedResult(stored, result_text(stored), "signature")


def test_what_is_larger_than_an_item_is_kept_in_several(world: World) -> None:
    store, dice = DynamoContests(world.dynamo, world.settings), Random(1)
    store.plan(planned())
    entrants = tuple(
        Entrant(f"{dice.getrandbits(200):050x}", "north", 1, "", Fraction(dice.getrandbits(60), 31))
        for _ in range(15_000)
    )
    frozen = replace(FROZEN, entrants=entrants)
    rows = tuple(
        ContestRow(one.rep_id, value=one.target, ties=(Fraction(dice.getrandbits(60), 7),))
        for one in entrants
    )
    assert store.open(planned(), frozen, "seed")
    assert not store.open(planned(), FROZEN, "other")
    assert store.frozen("week") == (frozen, "seed")
    store.refresh("week", ContestStanding((), rows), NOON)
    assert store.standing("week") == (ContestStanding((), rows), NOON)
    few = ContestStanding((), rows[:1])
    store.refresh("week", few, NOON + timedelta(minutes=5))
    store.refresh("week", ContestStanding((), rows), NOON)
    assert store.standing("week") == (few, NOON + timedelta(minutes=5))
    stored = replace(signed().result, standing=ContestStanding((), rows))
    whole = SignedResult(stored, result_text(stored), "signature")
    assert store.close(whole)
    assert store.result("week") == whole
    # A part that is of another run, or missing, is no standing; the next run makes a new one.
    store.refresh("week", ContestStanding((), rows), NOON + timedelta(minutes=10))
    part = {"pk": {"S": "CONTEST#week"}, "sk": {"S": "STANDING#01"}}
    world.dynamo.update(
        world.settings.game_table,
        part,
        "SET #at = :at",
        "attribute_exists(pk)",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":at": {"N": "1"}},
    )
    assert store.standing("week") is None
    world.dynamo.delete(world.settings.game_table, part)
    assert store.standing("week") is None


def test_a_contest_of_the_earlier_version_is_read(contests: Contests, world: World) -> None:
    contests.plan(planned(PLAIN))
    text = json.loads(json.dumps(contest_body(PLAIN)))
    for name in ("from_time", "to_time", "zone"):
        del text[name]
    world.dynamo.update(
        world.settings.game_table,
        {"pk": {"S": keys.CONTESTS}, "sk": {"S": PLAIN.contest_id}},
        "SET contest = :contest",
        "attribute_exists(pk)",
        ExpressionAttributeValues={":contest": {"S": json.dumps(text)}},
    )
    assert contests.get(PLAIN.contest_id) == planned(PLAIN)


def test_a_series_comes_back_as_it_was_stored(contests: Contests) -> None:
    series = Series(WHOLE, Repeats("week", ("mon", "fri")), "m-amina")
    contests.put_series(series)
    assert contests.series() == [series]
    contests.put_series(replace(series, cancelled=True))
    assert contests.series() == [replace(series, cancelled=True)]


# As they are sent

DOCS = (Path(__file__).parents[3] / "docs" / "contests.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)

BODY: dict[str, Any] = {
    "name": "The week",
    "kind": "individual",
    "first_day": "2026-11-30",
    "last_day": "2026-12-06",
    "metric": "points",
}


def test_a_body_is_read_and_said_again() -> None:
    assert contest_from_body("week", BODY) == (PLAIN, ())
    for contest in (PLAIN, WHOLE):
        assert contest_from_body(contest.contest_id, contest_body(contest)) == (contest, ())


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_docs_makes_sense(example: str) -> None:
    teams = {"north": {"name": "North"}, "south": {"name": "South"}}
    body = json.loads(example)
    if "repeats" in body:
        series, unread = series_from_body("example", body)
        assert (series.repeats.weekdays, unread) == (("fri",), ())
        return
    contest, unread = contest_from_body("example", body)
    assert unread == ()
    assert problems(contest, a_playbook(teams=teams), ["aaaac", "aaaae", "aaaag"]) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"contest_id": "other"}, "contest_id"),
        ({"metirc": "points"}, "metirc"),
        ({"kind": "duel"}, "kind"),
        ({"first_day": "Monday"}, "first_day"),
        ({"first_day": 20_000}, "first_day"),
        ({"late_days": "2"}, "late_days"),
        ({"late_days": True}, "late_days"),
        ({"prize_points": [1.5]}, "prize_points.0"),
        ({"minimum": {"formula": "claims"}}, "minimum.at_least"),
        ({"minimum": {"formula": "claims", "at_least": 1, "least": 2}}, "minimum.least"),
        ({"name": "\ud800"}, "body"),
    ],
)
def test_what_is_wrong_in_a_body_is_named(changes: dict[str, Any], field: str) -> None:
    try:
        _, wrong = contest_from_body("week", {**BODY, **changes})
    except InvalidInput as refused:
        wrong = refused.errors
    assert [error.field for error in wrong] == [field]


def test_a_signature_is_what_any_tool_makes_of_it() -> None:
    # RFC 4231, test case 2.
    assert signature("what do ya want for nothing?", "Jefe") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
