"""Contests are scored exactly at the boundary of each rule (G4-G6, G10, F11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.rep import Rep
from dibs.game.contests.checks import problems
from dibs.game.contests.rules import (
    Contest,
    ContestStanding,
    Counts,
    Entrant,
    FrozenContest,
    Minimum,
    Result,
    Windows,
    counted,
    drawn_anew,
    entrants_hash,
    figure_of,
    freeze,
    result_text,
    score,
    ticket,
    times_of,
    windows_of,
)
from dibs.race.draw import commitment_of
from dibs.rules.game import Metric
from dibs.rules.playbook import Playbook
from support.builders import NOON, a_playbook, a_rep

TEAMS = {"north": {"name": "North"}, "south": {"name": "South"}}
# Most of these contests are about something else than how many leads it takes.
RULES = a_playbook(teams=TEAMS, game={"minimum_sample": 0})
USUAL = a_playbook(teams=TEAMS)
MONDAY, SUNDAY = date(2026, 11, 23), date(2026, 11, 29)
A, B, C, D = (a_rep(number) for number in range(1, 5))
SOUTH = [replace(rep, team="south") for rep in (C, D)]
REPS = [A, B, *SOUTH]


def a_contest(**changes: Any) -> Contest:
    """A week's contest for most calls, among the reps of north."""
    contest = Contest(
        "week",
        "The week",
        "individual",
        MONDAY,
        SUNDAY,
        metric="" if {"tickets", "metric_by_tier"} & set(changes) else "count(call)",
        teams=() if {"reps", "sides"} & set(changes) else ("north",),
    )
    return replace(contest, **changes)


def started(
    contest: Contest,
    reps: list[Rep] | None = None,
    targets: Mapping[str, int] | None = None,
    seed: str = "",
    rules: Playbook = RULES,
) -> FrozenContest:
    wanted = {rep_id: Fraction(target) for rep_id, target in (targets or {}).items()}
    return freeze(contest, rules, reps or REPS, wanted, NOON, seed)


def stands(
    contest: Contest,
    now: Mapping[Rep, Counts],
    before: Mapping[Rep, Counts] | None = None,
    kept: Mapping[Rep, Counts] | None = None,
    targets: Mapping[Rep, int] | None = None,
    reps: list[Rep] | None = None,
    seed: str = "",
    rules: Playbook = RULES,
) -> ContestStanding:
    wanted = {rep.rep_id: target for rep, target in (targets or {}).items()}
    frozen = started(contest, reps, wanted, seed, rules)
    windows = [
        {rep.rep_id: counts for rep, counts in (window or {}).items()}
        for window in (now, before, kept)
    ]
    return score(contest, frozen, Windows(*windows), seed)


def places(standing: ContestStanding) -> dict[str, int | None]:
    return {row.who: row.place for row in standing.reps}


def whys(standing: ContestStanding) -> dict[str, str | None]:
    return {row.who: row.why for row in standing.reps}


def calls(*numbers: int) -> dict[Rep, Counts]:
    return {rep: {"call": number} for rep, number in zip((A, B, C, D), numbers, strict=False)}


# Individuals (G4)


def test_the_most_wins_and_who_did_nothing_is_last() -> None:
    found = stands(a_contest(), calls(3, 5))
    assert [(row.who, row.place, row.value) for row in found.reps] == [
        (B.rep_id, 1, 5),
        (A.rep_id, 2, 3),
    ]
    assert places(stands(a_contest(), calls(3))) == {A.rep_id: 1, B.rep_id: 2}


@pytest.mark.parametrize(
    ("metric", "now", "prizes"),
    [
        ("claims", [{"claimed": 1}, {"call": 9}], [100, 0]),
        ("claims", [{"call": 9}, {}], [0, 0]),
        ("count(claimed) - 3", [{"claimed": 3}, {"claimed": 2}], [50, 0]),
        ("slippage", [{"opportunity": 1}, {"opportunity": 2}], [100, 100]),
    ],
)
def test_nothing_gets_no_prize_where_more_is_better(
    metric: str, now: list[Counts], prizes: list[int]
) -> None:
    contest = a_contest(metric=metric, prize_points=(100, 50))
    found = stands(contest, dict(zip((A, B), now, strict=True)), reps=[A, B])
    assert sorted((row.points for row in found.reps), reverse=True) == prizes


def test_the_least_wins_where_less_is_better() -> None:
    speed = {
        rep: {"response_seconds.sum": ms, "response_seconds.n": 2}
        for rep, ms in ((A, 60_000), (B, 50_001))
    }
    for contest in (a_contest(metric="response_time"), a_contest(metric="mean(response_seconds)")):
        found = stands(contest, speed)
        assert places(found) == {B.rep_id: 1, A.rep_id: 2}
        assert found.reps[0].value == Fraction(50_001, 2000)


def test_which_end_wins_can_be_said() -> None:
    assert places(stands(a_contest(better="less"), calls(3, 5))) == {A.rep_id: 1, B.rep_id: 2}


def test_who_divided_by_nothing_has_no_place() -> None:
    found = stands(a_contest(metric="response_time"), {A: {"call": 9}})
    assert places(found) == {A.rep_id: None, B.rep_id: None}
    assert set(whys(found).values()) == {"no_value"}


# Ties


def test_who_is_level_shares_the_place_and_the_next_is_left_out() -> None:
    found = stands(
        a_contest(teams=("north", "south"), prize_points=(100, 50, 25)), calls(5, 5, 4, 1)
    )
    assert places(found) == {A.rep_id: 1, B.rep_id: 1, C.rep_id: 3, D.rep_id: 4}
    assert found.prizes == {A.rep_id: 100, B.rep_id: 100, C.rep_id: 25}


@pytest.mark.parametrize(
    ("won", "email", "wins"), [((1, 2), (9, 0), B), ((1, 1), (9, 0), A), ((1, 1), (0, 1), B)]
)
def test_tie_breakers_count_in_their_order(
    won: tuple[int, int], email: tuple[int, int], wins: Rep
) -> None:
    now = {rep: {"call": 5, "won": won[n], "email": email[n]} for n, rep in enumerate((A, B))}
    found = stands(a_contest(tie_breakers=("count(won)", "count(email)")), now)
    assert found.reps[0].who == wins.rep_id
    assert {row.place for row in found.reps} == {1, 2}


def test_a_tie_breaker_without_a_value_is_the_worst_one() -> None:
    now = {A: {"call": 5}, B: {"call": 5, "response_seconds.sum": 9**9, "response_seconds.n": 1}}
    assert places(stands(a_contest(tie_breakers=("response_time",)), now)) == {
        B.rep_id: 1,
        A.rep_id: 2,
    }


def test_thirds_are_level_with_thirds() -> None:
    now = {A: {"won": 1, "call": 3}, B: {"won": 2, "call": 6}}
    found = stands(a_contest(metric="count(won) / count(call)"), now)
    assert places(found) == {A.rep_id: 1, B.rep_id: 1}
    assert found.reps[0].value == Fraction(1, 3)


# Minimum, kept value, improvement


@pytest.mark.parametrize(("claimed", "placed"), [(4, False), (5, True)])
def test_a_minimum_is_reached_exactly(claimed: int, placed: bool) -> None:
    contest = a_contest(minimum=Minimum("claims", 5))
    found = stands(contest, {A: {"call": 9, "claimed": claimed}, B: {"call": 1, "claimed": 5}})
    assert (places(found)[A.rep_id] == 1) is placed
    assert whys(found)[A.rep_id] == (None if placed else "below_minimum")
    assert places(found)[B.rep_id] == (2 if placed else 1)


@pytest.mark.parametrize(
    ("now", "before", "why"),
    [
        ((1, 4), (1, 4), None),
        ((2, 8), (1, 4), None),
        ((24, 100), (1, 4), "worse_than_before"),
        ((0, 4), (0, 9), None),
        ((0, 9), None, None),
        (None, (0, 9), "worse_than_before"),
    ],
)
def test_what_is_kept_may_not_be_worse(
    now: tuple[int, int] | None, before: tuple[int, int] | None, why: str | None
) -> None:
    def share(of: tuple[int, int] | None) -> Counts:
        return {"call": 1} if of is None else {"call": 1, "won": of[0], "claimed": of[1]}

    contest = a_contest(keeps="count(won) / count(claimed)")
    found = stands(contest, {A: share(now)}, kept={A: share(before)})
    assert whys(found)[A.rep_id] == why


def test_what_is_kept_may_be_something_of_which_less_is_better() -> None:
    contest = a_contest(keeps="slippage")
    for slipped, why in ((2, None), (3, "worse_than_before")):
        now = {A: {"call": 1, "slipped": slipped, "opportunity": 4}}
        kept = {A: {"slipped": 1, "opportunity": 2}}
        assert whys(stands(contest, now, kept=kept))[A.rep_id] == why


def test_improvement_is_what_was_added() -> None:
    found = stands(
        a_contest(improvement=True, teams=("north", "south")),
        calls(9, 30, 0, 3),
        {A: {"call": 1}, B: {"call": 29}, C: {"call": 4}},
    )
    assert {row.who: row.value for row in found.reps} == {
        A.rep_id: 8,
        B.rep_id: 1,
        C.rep_id: -4,
        D.rep_id: None,
    }
    assert places(found)[A.rep_id] == 1
    assert whys(found)[D.rep_id] == "no_comparison"


@pytest.mark.parametrize(("now", "why"), [(6, None), (5, "not_better"), (4, "not_better")])
def test_nobody_wins_an_improvement_by_doing_no_better(now: int, why: str | None) -> None:
    contest = a_contest(improvement=True, prize_points=(100,))
    found = stands(contest, calls(now), calls(5))
    mine = next(row for row in found.reps if row.who == A.rep_id)
    assert (mine.value, mine.why, mine.points) == (now - 5, why, 0 if why else 100)


def test_who_was_there_and_did_none_of_it_improves_from_nothing() -> None:
    found = stands(a_contest(improvement=True), calls(2), {A: {"email": 1}})
    assert found.reps[0].value == 2


def test_a_shorter_time_is_an_improvement() -> None:
    def mean(seconds: int) -> Counts:
        return {"response_seconds.sum": seconds * 1000, "response_seconds.n": 1}

    contest = a_contest(metric="response_time", improvement=True)
    found = stands(contest, {A: mean(50), B: mean(10)}, {A: mean(90), B: mean(20)})
    assert [(row.who, row.value) for row in found.reps] == [(A.rep_id, 40), (B.rep_id, 10)]


# Averages and shares of too few (G12)


def quick(leads: int, seconds: int, **more: int) -> Counts:
    ms = leads * seconds * 1000
    return {"response_seconds.sum": ms, "response_seconds.n": leads, **more}


@pytest.mark.parametrize("metric", ["response_time", "mean(response_seconds)"])
def test_a_mean_of_too_few_is_not_placed(metric: str) -> None:
    contest = a_contest(metric=metric, better="less", prize_points=(100,))
    found = stands(contest, {A: quick(1, 10), B: quick(50, 12)}, rules=USUAL)
    assert places(found) == {B.rep_id: 1, A.rep_id: None}
    assert (whys(found)[A.rep_id], found.prizes) == ("below_minimum", {B.rep_id: 100})


@pytest.mark.parametrize(
    ("minimum", "leads", "placed"),
    [
        (None, 5, True),
        (None, 4, False),
        (Minimum("count(call)", 2), 2, True),  # who states fewer means fewer
        (Minimum("count(call)", 2), 1, False),
        (Minimum("count(call)", 20), 5, True),
        (Minimum("count(call)", 20), 4, False),
    ],
)
def test_a_contests_own_minimum_may_ask_for_fewer(
    minimum: Minimum | None, leads: int, placed: bool
) -> None:
    contest = a_contest(metric="response_time", minimum=minimum)
    found = stands(contest, {A: quick(leads, 10, call=99)}, rules=USUAL)
    assert (places(found)[A.rep_id] == 1) is placed


def test_each_tiers_metric_and_each_sides_has_its_sample() -> None:
    reps = [replace(A, tier=2), replace(B, tier=2)]
    share = {"claimed": 40, "claimed_opportunities": 30}
    one = {"claimed": 1, "claimed_opportunities": 1}
    found = stands(a_contest(metric_by_tier=BY_TIER), {A: one, B: share}, reps=reps, rules=USUAL)
    assert places(found) == {B.rep_id: 1, A.rep_id: None}
    teams = a_contest(kind="team", teams=("north", "south"), metric="conversion")
    found = stands(teams, {A: one, B: {"claimed": 3}, C: share}, rules=USUAL)
    assert [(row.who, row.place, row.why) for row in found.sides] == [
        ("south", 1, None),
        ("north", None, "below_minimum"),
    ]


def test_an_improvement_on_too_few_is_none() -> None:
    contest = a_contest(metric="response_time", improvement=True)
    now = {A: quick(9, 10), B: quick(9, 50)}
    found = stands(contest, now, {A: quick(1, 900), B: quick(9, 60)}, rules=USUAL)
    assert places(found) == {B.rep_id: 1, A.rep_id: None}
    assert whys(found)[A.rep_id] == "no_comparison"


def test_with_a_prior_an_improvement_is_in_percent_of_the_better_past() -> None:
    contest = a_contest(improvement=True, prior=10)
    found = stands(
        contest,
        {A: {"call": 30}, B: {"call": 60}, C: {"call": 9}},
        {A: {"call": 10}, B: {"call": 40}, C: {"call": 8}},
        {A: {"call": 80}, B: {"call": 40}},  # 20 and 10 a week
        reps=[A, B],
    )
    assert [(row.who, row.value) for row in found.reps] == [
        (B.rep_id, Fraction(2000, 50)),
        (A.rep_id, Fraction(1000, 30)),
    ]
    less = a_contest(metric="response_time", improvement=True, prior=10)
    found = stands(less, {A: quick(9, 20)}, {A: quick(9, 90)}, {A: quick(9, 40)}, rules=USUAL)
    assert found.reps[0].value == Fraction(20 * 100, 50)


def test_a_contest_that_began_before_metrics_had_minimums_keeps_its_rules() -> None:
    contest = a_contest(metric="response_time")
    frozen = started(contest, rules=USUAL)
    earlier = replace(frozen, figures={"response_time": figure_of("response_time", USUAL)})
    now = Windows({A.rep_id: quick(1, 10)})
    assert places(score(contest, earlier, now))[A.rep_id] == 1
    assert places(score(contest, frozen, now))[A.rep_id] is None


def test_windows_are_as_long_as_they_should_be() -> None:
    found = windows_of(a_contest(improvement=True, keeps="count(won)"))
    assert found == {
        "now": (MONDAY, SUNDAY),
        "before": (date(2026, 11, 16), date(2026, 11, 22)),
        "kept": (date(2026, 10, 26), date(2026, 11, 22)),
    }
    assert windows_of(a_contest()) == {"now": (MONDAY, SUNDAY)}
    # Calendar days, also across a year's end and a clock change.
    year = a_contest(first_day=date(2027, 1, 1), last_day=date(2027, 3, 31), improvement=True)
    assert windows_of(year)["before"] == (date(2026, 10, 3), date(2026, 12, 31))


# Handicap (F11)


def test_with_the_handicap_the_share_of_ones_own_target_counts() -> None:
    revenue = {A: {"claimed_revenue.sum": 90_000}, B: {"claimed_revenue.sum": 60_000}}
    contest = a_contest(metric="revenue", handicap="own_target")
    found = stands(contest, revenue, targets={A: 100_000, B: 50_000})
    assert [(row.who, row.value) for row in found.reps] == [(B.rep_id, 120), (A.rep_id, 90)]
    for targets in ({B: 50_000}, {A: 0, B: 50_000}):
        assert whys(stands(contest, revenue, targets=targets))[A.rep_id] == "no_target"


def test_a_side_has_the_target_of_all_its_members() -> None:
    contest = a_contest(
        metric="revenue", handicap="own_target", kind="team", teams=("north", "south")
    )
    now = {
        A: {"claimed_revenue.sum": 30},
        B: {"claimed_revenue.sum": 30},
        C: {"claimed_revenue.sum": 50},
    }
    found = stands(contest, now, targets={A: 20, B: 40, C: 60, D: 40})
    assert [(row.who, row.value) for row in found.sides] == [("north", 100), ("south", 50)]


def test_who_has_no_target_adds_nothing_to_a_side_with_the_handicap() -> None:
    contest = a_contest(
        metric="revenue", handicap="own_target", kind="team", teams=("north", "south")
    )
    now = {
        A: {"claimed_revenue.sum": 30},
        B: {"claimed_revenue.sum": 900},
        C: {"claimed_revenue.sum": 50},
    }
    for targets in ({A: 20, C: 25}, {A: 20, B: 0, C: 25}):
        found = stands(contest, now, targets=targets)
        assert [(row.who, row.value) for row in found.sides] == [("south", 200), ("north", 150)]
    [alone, none] = stands(contest, now, targets={C: 25}).sides
    assert (alone.who, none.who, none.why) == ("south", "north", "no_target")


def test_a_formula_reads_the_target_of_the_start() -> None:
    contest = a_contest(metric="quota_attainment")
    now = {A: {"revenue.sum": 50, "target.sum": 1}}
    found = stands(contest, now, targets={A: 100})
    assert found.reps[0].value == Fraction(1, 2)
    assert stands(contest, now).reps[0].why == "no_value"


# Tiers (G10)

BY_TIER = {
    "1": ("revenue", "average_ticket"),
    "2": ("conversion", "response_time"),
    "3": ("contact_rate",),
}


def test_each_tier_is_measured_by_its_own_and_has_its_own_places() -> None:
    reps = [
        replace(rep, tier=tier, team="north") for rep, tier in zip(REPS, (1, 1, 2, 3), strict=True)
    ]
    now: dict[Rep, Counts] = {
        reps[0]: {"claimed_revenue.sum": 100, "revenue.sum": 100, "buyers": 2},
        reps[1]: {"claimed_revenue.sum": 100, "revenue.sum": 100, "buyers": 1},
        reps[2]: {"claimed": 4, "claimed_opportunities": 1},
        reps[3]: {"taken": 4, "contacted_leads": 3},
    }
    contest = a_contest(metric_by_tier=BY_TIER, prize_points=(10,))
    found = stands(contest, now, reps=reps)
    assert [(row.who, row.tier, row.place, row.value) for row in found.reps] == [
        (B.rep_id, 1, 1, 100),
        (A.rep_id, 1, 2, 100),
        (C.rep_id, 2, 1, Fraction(1, 4)),
        (D.rep_id, 3, 1, Fraction(3, 4)),
    ]
    assert found.prizes == {B.rep_id: 10, C.rep_id: 10, D.rep_id: 10}


def test_a_tier_that_is_not_named_is_not_in() -> None:
    reps = [replace(A, tier=1), replace(B, tier=3)]
    for contest in (a_contest(metric_by_tier={"1": ("revenue",)}), a_contest(tiers=(1, 2))):
        assert [one.rep_id for one in started(contest, reps).entrants] == [A.rep_id]


# Teams (G5) and hybrids (G6)


def test_a_teams_value_is_the_metric_over_what_its_members_did_together() -> None:
    contest = a_contest(
        kind="team",
        teams=("north", "south"),
        metric="count(won) / count(claimed)",
        prize_points=(7,),
    )
    now = {
        A: {"won": 1, "claimed": 1},
        B: {"won": 0, "claimed": 3},
        C: {"won": 1, "claimed": 5},
    }
    found = stands(contest, now)
    assert [(row.who, row.place, row.value) for row in found.sides] == [
        ("north", 1, Fraction(1, 4)),
        ("south", 2, Fraction(1, 5)),
    ]
    # Every member of the side gets the prize, even without a call; reps have no places.
    assert found.prizes == {A.rep_id: 7, B.rep_id: 7}
    assert set(places(found).values()) == {None}


def test_per_head_a_small_team_can_win() -> None:
    contest = a_contest(kind="team", teams=("north", "south"))
    reps = [A, B, SOUTH[0]]
    now = {A: {"call": 5}, B: {"call": 5}, C: {"call": 6}}
    assert [row.who for row in stands(contest, now, reps=reps).sides] == ["north", "south"]
    found = stands(replace(contest, per_head=True), now, reps=reps)
    assert [(row.who, row.value) for row in found.sides] == [("south", 6), ("north", 5)]


def test_sides_can_be_put_together_for_it() -> None:
    sides = {"red": (A.rep_id, D.rep_id), "blue": (B.rep_id,)}
    found = stands(a_contest(kind="team", sides=sides), calls(1, 2, 9, 2))
    assert [(row.who, row.value) for row in found.sides] == [("red", 3), ("blue", 2)]


def test_a_minimum_of_a_contest_of_teams_is_the_sides() -> None:
    contest = a_contest(kind="team", teams=("north", "south"), minimum=Minimum("count(call)", 4))
    found = stands(contest, calls(3, 1, 3, 0))
    assert [(row.who, row.why) for row in found.sides] == [
        ("north", None),
        ("south", "below_minimum"),
    ]


def test_in_a_hybrid_the_best_of_the_winning_side_are_honoured() -> None:
    contest = a_contest(
        kind="hybrid",
        teams=("north", "south"),
        metric="points",
        prize_points=(100, 50),
        minimum=Minimum("points", 2),
    )
    now = {rep: {"points.sum": n} for rep, n in zip(REPS, (5, 9, 12, 1), strict=True)}
    found = stands(contest, now)
    assert [(row.who, row.value) for row in found.sides] == [("north", 14), ("south", 13)]
    assert found.prizes == {B.rep_id: 100, A.rep_id: 50}
    # The best rep is on the losing side; a rep below the minimum still adds to their side's total.
    assert places(found) == {B.rep_id: 1, A.rep_id: 2, C.rep_id: 1, D.rep_id: None}


def test_the_minimum_of_a_hybrid_is_the_members_alone() -> None:
    contest = a_contest(kind="hybrid", teams=("north", "south"), minimum=Minimum("count(call)", 10))
    found = stands(contest, calls(5, 4, 3, 2))
    assert [(row.who, row.place) for row in found.sides] == [("north", 1), ("south", 2)]
    assert set(whys(found).values()) == {"below_minimum"}


def test_sides_that_are_level_both_win() -> None:
    contest = a_contest(kind="hybrid", teams=("north", "south"), prize_points=(9,))
    found = stands(contest, calls(2, 1, 3, 0))
    assert [row.place for row in found.sides] == [1, 1]
    assert found.prizes == {A.rep_id: 9, C.rep_id: 9}


def test_a_hidden_contest_gives_nobody_anything() -> None:
    assert stands(a_contest(hidden=True, prize_points=(9,)), calls(1, 2)).prizes == {}


# Lotteries

TICKETS = {"contacted": 1, "won": 5}


def test_tickets_are_counted_by_activity() -> None:
    now = {A: {"contacted": 3, "won": 2, "call": 50}, B: {"contacted": 0}}
    found = stands(a_contest(tickets=TICKETS), now)
    assert [(row.who, row.value, row.place, row.why) for row in found.reps] == [
        (A.rep_id, 13, None, None),
        (B.rep_id, 0, None, "no_value"),
    ]


def test_the_lowest_ticket_is_drawn_and_anybody_can_recompute_it() -> None:
    now: dict[Rep, Counts] = {A: {"contacted": 2}, B: {"contacted": 1}, C: {"won": 1}, D: {}}
    contest = a_contest(tickets=TICKETS, teams=("north", "south"), prize_points=(30, 20))
    seen = set()
    for seed in map(str, range(40)):
        found = stands(contest, now, seed=seed)
        held = [(A, 2), (B, 1), (C, 5)]
        hashes = {
            sha256(f"{seed}|week|{rep.rep_id}|{n}".encode()).hexdigest(): rep.rep_id
            for rep, number in held
            for n in range(1, number + 1)
        }
        order = list(dict.fromkeys(hashes[one] for one in sorted(hashes)))
        assert [row.who for row in found.reps[:3]] == order
        assert found.prizes == {order[0]: 30, order[1]: 20}
        assert [row.why for row in found.reps] == [None, None, "not_drawn", "no_value"]
        seen.add(order[0])
    assert seen == {A.rep_id, B.rep_id, C.rep_id}


def test_more_tickets_win_more_often() -> None:
    won = 0
    for seed in range(400):
        mine = min(ticket(str(seed), "week", A.rep_id, n) for n in range(1, 4))
        won += mine < ticket(str(seed), "week", B.rep_id, 1)
    assert 270 <= won <= 330


def test_a_draw_that_was_tampered_with_is_noticed() -> None:
    contest = a_contest(tickets=TICKETS, prize_points=(30,))
    frozen = started(contest, seed="seed")
    windows = Windows({A.rep_id: {"contacted": 2}, B.rep_id: {"contacted": 2}})
    result = ended(contest, frozen, score(contest, frozen, windows, "seed"), "seed")
    assert drawn_anew(result) == result.standing
    first, second = result.standing.reps
    swapped = (replace(first, who=second.who), replace(second, who=first.who))
    forged = replace(result, standing=ContestStanding((), swapped))
    assert drawn_anew(forged) != forged.standing


def test_a_minimum_binds_in_a_lottery() -> None:
    contest = a_contest(tickets=TICKETS, minimum=Minimum("count(contacted)", 2))
    found = stands(contest, {A: {"won": 9}, B: {"contacted": 2}}, seed="s")
    assert places(found) == {A.rep_id: None, B.rep_id: 1}


# The frozen part


def test_what_is_frozen_is_as_it_was_at_the_start() -> None:
    contest = a_contest(
        metric="revenue",
        better="less",
        teams=("north", "south"),
        kind="team",
        tie_breakers=("conversion",),
    )
    gone = replace(a_rep(9), active=False)
    frozen = started(contest, [*REPS, gone], {A.rep_id: 7})
    assert frozen.entrants == (
        Entrant(A.rep_id, "north", 2, "north", Fraction(7)),
        Entrant(B.rep_id, "north", 2, "north"),
        Entrant(C.rep_id, "south", 2, "south"),
        Entrant(D.rep_id, "south", 2, "south"),
    )
    assert frozen.playbook_version == RULES.version
    assert frozen.figures["revenue"].better == "less"
    assert frozen.figures["conversion"] == figure_of("conversion", RULES)
    changed = replace(frozen, figures={**frozen.figures, "revenue": Metric("count(call)", "")})
    now = Windows({A.rep_id: {"claimed_revenue.sum": 3, "call": 9}})
    assert score(contest, frozen, now).sides[0].who == "south"
    assert score(contest, changed, now).sides[0].value == 9


def test_whose_results_are_protected_on_the_first_day_is_not_in() -> None:
    rules = a_playbook(
        teams=TEAMS,
        newcomers={"enabled": True, "assigned_weeks": 1, "cohort_weeks": 2, "protected_weeks": 4},
    )
    reps = [
        replace(rep, joined_on=MONDAY - timedelta(weeks=weeks)) for rep, weeks in ((A, 4), (B, 3))
    ]
    frozen = freeze(a_contest(), rules, reps, {}, NOON, "")
    assert [one.rep_id for one in frozen.entrants] == [A.rep_id]


def test_in_a_contest_of_teams_only_what_was_done_for_the_own_team_counts() -> None:
    frozen = started(a_contest())
    totals = [
        (A.rep_id, "north", {"call": 2}),
        (A.rep_id, "south", {"call": 5}),
        (C.rep_id, "south", {"call": 9}),
        ("zzzzz", "north", {"call": 9}),
    ]
    assert counted(a_contest(), frozen, totals) == {A.rep_id: {"call": 2}}
    named = a_contest(reps=(A.rep_id,))
    assert counted(named, started(named), totals) == {A.rep_id: {"call": 7}}


def test_who_changed_teams_before_the_start_is_held_against_all_they_did() -> None:
    totals = [(A.rep_id, "north", {"call": 2}), (A.rep_id, "south", {"call": 5})]
    frozen = started(a_contest())
    assert counted(a_contest(), frozen, totals, earlier=True) == {A.rep_id: {"call": 7}}


def test_it_opens_with_the_first_team_and_ends_with_the_last() -> None:
    rules = a_playbook(
        teams={
            "east": {"name": "East", "zone": "Pacific/Kiritimati"},
            "west": {"name": "West", "zone": "Pacific/Pago_Pago"},
        }
    )
    both = times_of(a_contest(teams=("east", "west"), late_days=3), rules)
    assert both.opens_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert both.ends_at == datetime(2026, 11, 30, 11, tzinfo=UTC)
    assert both.cut_off_at == datetime(2026, 12, 3, 11, tzinfo=UTC)
    assert times_of(a_contest(teams=("east",)), rules).ends_at == datetime(
        2026, 11, 29, 10, tzinfo=UTC
    )
    # Without teams, or with a removed team, the zones of all teams count.
    assert times_of(a_contest(reps=("aaaab",), late_days=3), rules) == both
    assert times_of(a_contest(teams=("gone",), late_days=3), rules) == both


def test_a_day_of_a_contest_may_have_23_hours() -> None:
    rules = a_playbook(teams={"north": {"name": "North", "zone": "Europe/London"}})
    spring = a_contest(first_day=date(2026, 3, 29), last_day=date(2026, 3, 29), late_days=0)
    times = times_of(spring, rules)
    assert times.ends_at - times.opens_at == timedelta(hours=23)
    assert times.cut_off_at == times.ends_at


# Order and sums


@given(st.lists(st.integers(0, 5), min_size=4, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_entrants_and_totals_does_not_matter(many: list[int], shuffle: Random) -> None:
    reps = [a_rep(number + 1) for number in range(len(many))]
    contest = a_contest(prize_points=(3, 2, 1))
    totals = [
        (rep.rep_id, "north", {"call": number}) for rep, number in zip(reps, many, strict=True)
    ]
    # Each rep's total in two parts, as for a rep who left a team and came back.
    totals += [(rep.rep_id, "north", {"call": 1}) for rep in reps]
    frozen = started(contest, reps)
    expected = score(contest, frozen, Windows(counted(contest, frozen, totals)))
    shuffle.shuffle(totals)
    shuffle.shuffle(reps)
    again = started(contest, reps)
    assert again == frozen
    assert score(contest, again, Windows(counted(contest, again, totals))) == expected


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10**9)), min_size=2, max_size=12))
def test_what_members_did_adds_up_to_what_their_side_did(many: list[tuple[bool, int]]) -> None:
    reps = [
        replace(a_rep(number + 1), team="north" if north else "south")
        for number, (north, _) in enumerate(many)
    ]
    contest = a_contest(kind="hybrid", teams=("north", "south"), metric="points")
    now = {rep: {"points.sum": points} for rep, (_, points) in zip(reps, many, strict=True)}
    found = stands(contest, now, reps=reps)
    for side in found.sides:
        mine = [row.value or 0 for row in found.reps if row.side == side.who]
        assert sum(mine) == side.value


# Results


def ended(
    contest: Contest, frozen: FrozenContest, standing: ContestStanding, seed: str = ""
) -> Result:
    return Result(
        contest=contest,
        closed_at=NOON,
        times=frozen.times,
        playbook_version=3,
        figures=frozen.figures,
        entrants=entrants_hash(frozen),
        commitment=frozen.commitment,
        seed=seed,
        standing=standing,
    )


def test_a_result_is_the_same_text_however_it_came_about() -> None:
    contest = a_contest(teams=("north", "south"), metric="count(won) / count(call)")
    frozen = started(contest)
    now = {A.rep_id: {"won": 1, "call": 3}, C.rep_id: {"won": 0, "call": 1}}
    texts = {
        result_text(ended(contest, frozen, score(contest, frozen, Windows(window))))
        for window in (now, dict(reversed(now.items())))
    }
    assert len(texts) == 1
    text = texts.pop()
    assert '"value":"1/3"' in text
    assert '"closed_at":"2026-11-23T12:00:00+00:00"' in text
    assert '{"place":2,"value":"0","who":"' in text


def test_other_entrants_have_another_hash() -> None:
    frozen = started(a_contest())
    other = replace(frozen, entrants=(replace(frozen.entrants[0], tier=1), *frozen.entrants[1:]))
    assert entrants_hash(frozen) != entrants_hash(other)


def test_only_a_lottery_commits_to_a_seed() -> None:
    assert started(a_contest(), seed="seed").commitment == ""
    assert started(a_contest(tickets=TICKETS), seed="seed").commitment == commitment_of("seed")


# Errors in a definition

SIDES = {"red": (A.rep_id,), "blue": (B.rep_id,)}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"reps": (A.rep_id,)},
        {"kind": "team", "sides": SIDES},
        {"kind": "hybrid", "teams": ("north", "south"), "per_head": True},
        {"metric": "revenue", "handicap": "own_target", "last_day": MONDAY},
        {"metric_by_tier": BY_TIER, "tiers": (1, 2, 3)},
        {"tickets": TICKETS, "minimum": Minimum("count(call)", 1)},
        {"last_day": MONDAY + timedelta(days=365), "late_days": 31},
        {"first_day": date(2000, 1, 1), "last_day": date(2000, 1, 1)},
        {"first_day": date(2199, 12, 31), "last_day": date(2199, 12, 31)},
        {"tie_breakers": ("revenue",) * 5},
        {"improvement": True, "prior": 100},
        {"metric": "response_time", "better": "more", "handicap": "own_target"},
    ],
)
def test_a_contest_that_makes_sense(changes: dict[str, Any]) -> None:
    assert problems(a_contest(**changes), RULES, [A.rep_id, B.rep_id]) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"contest_id": "challenge-mine"}, "contest_id"),
        ({"name": " "}, "name"),
        ({"name": "a" * 81}, "name"),
        ({"teams": ()}, "teams"),
        ({"teams": ("north",), "reps": (A.rep_id,)}, "teams"),
        ({"teams": ("west",)}, "teams"),
        ({"teams": ("north", "north")}, "teams"),
        ({"kind": "team", "teams": ("north", "south", "north")}, "teams"),
        ({"reps": ("zzzzz",)}, "reps"),
        ({"reps": (A.rep_id, A.rep_id)}, "reps"),
        ({"kind": "team", "sides": {"red": (A.rep_id,), "blue": (A.rep_id,)}}, "sides"),
        ({"kind": "team", "sides": {"red": (A.rep_id,), "blue": ()}}, "sides"),
        ({"kind": "team", "sides": {"": (A.rep_id,), "blue": (B.rep_id,)}}, "sides"),
        ({"sides": SIDES}, "sides"),
        ({"kind": "team", "reps": (A.rep_id,)}, "reps"),
        ({"kind": "team"}, "kind"),
        ({"tiers": (4,)}, "tiers"),
        ({"last_day": MONDAY - timedelta(days=1)}, "last_day"),
        ({"last_day": MONDAY + timedelta(days=366)}, "last_day"),
        ({"first_day": date(1999, 12, 31), "last_day": date(2000, 1, 1)}, "first_day"),
        ({"first_day": date(2199, 12, 31), "last_day": date(2200, 1, 1)}, "last_day"),
        ({"late_days": 32}, "late_days"),
        ({"late_days": -1}, "late_days"),
        ({"metric": ""}, "metric"),
        ({"metric": "count(call)", "tickets": TICKETS}, "metric"),
        ({"metric": "count(nothing)"}, "metric"),
        ({"metric": "count(call"}, "metric"),
        ({"metric_by_tier": {"4": ("revenue",)}}, "metric_by_tier"),
        ({"metric_by_tier": {"1": ()}}, "metric_by_tier"),
        ({"metric_by_tier": {"1": ("nonsense",)}}, "metric_by_tier.1"),
        ({"metric_by_tier": BY_TIER, "kind": "team", "teams": tuple(TEAMS)}, "metric_by_tier"),
        ({"tickets": TICKETS, "kind": "team", "teams": tuple(TEAMS)}, "tickets"),
        ({"tickets": {"call": 0}}, "tickets"),
        ({"tickets": {"call": 101}}, "tickets"),
        ({"tickets": {"cal": 1}}, "tickets"),
        ({"tickets": {"revenue.sum": 1}}, "tickets"),
        ({"tickets": {"revenue": 1}}, "tickets"),
        ({"tickets": TICKETS, "tie_breakers": ("revenue",)}, "tickets"),
        ({"tickets": TICKETS, "handicap": "own_target"}, "tickets"),
        ({"metric": "response_time", "handicap": "own_target"}, "handicap"),
        ({"better": "less", "handicap": "own_target"}, "handicap"),
        (
            {"kind": "team", "teams": tuple(TEAMS), "metric": "conversion", "per_head": True},
            "per_head",
        ),
        (
            {
                "kind": "team",
                "teams": tuple(TEAMS),
                "metric": "revenue",
                "per_head": True,
                "handicap": "own_target",
            },
            "per_head",
        ),
        ({"tie_breakers": ("revenue",) * 6}, "tie_breakers"),
        ({"metric_by_tier": {"1": ("revenue",) * 7}}, "tie_breakers"),
        ({"keeps": "nonsense"}, "keeps"),
        ({"minimum": Minimum("nonsense", 1)}, "minimum.formula"),
        ({"tie_breakers": ("nonsense",)}, "tie_breakers"),
        ({"prize_points": (-1,)}, "prize_points"),
        ({"prize_points": (1,) * 101}, "prize_points"),
        ({"prize": "a" * 201}, "prize"),
        ({"prize": "\x07"}, "prize"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    found = problems(a_contest(**changes), RULES, [A.rep_id, B.rep_id])
    assert [one.field for one in found] == [field], found
