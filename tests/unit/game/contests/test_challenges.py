"""Challenges recur by a calendar and rank by their formulas, exact at each boundary (G7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from dibs.game.contests.challenges import NAMES, ChallengeSlot, calendar, contest_of
from dibs.game.contests.rules import (
    ContestStanding,
    Counts,
    Minimum,
    Windows,
    freeze,
    score,
    times_of,
)
from dibs.rules.game import Challenge, Challenges
from dibs.rules.playbook import Playbook
from support.builders import NOON, a_playbook, a_rep

MONDAY = date(2026, 11, 23)
ALL: tuple[Challenge, ...] = ("speed_week", "quality_month", "volume_sprint", "underdog_week")
WEEKLY: tuple[Challenge, ...] = ("speed_week", "volume_sprint", "underdog_week")
A, B, C = (a_rep(number) for number in range(1, 4))


def rules(**changes: Any) -> Playbook:
    return a_playbook(
        game={"challenges": {"rotation": list(ALL), "starts": str(MONDAY), **changes}}
    )


def slots(first: date, last: date, **changes: Any) -> list[tuple[str, str]]:
    challenges = replace(Challenges(rotation=ALL, starts=MONDAY), **changes)
    return [(one.challenge, one.period) for one in calendar(challenges, first, last)]


# The calendar


def test_the_weekly_ones_take_turns_and_the_monthly_one_runs_beside_them() -> None:
    assert slots(MONDAY, date(2026, 12, 31)) == [
        ("speed_week", "2026-W48"),
        ("volume_sprint", "2026-W49"),
        ("quality_month", "2026-12"),
        ("underdog_week", "2026-W50"),
        ("speed_week", "2026-W51"),
        ("volume_sprint", "2026-W52"),
        ("underdog_week", "2026-W53"),
    ]


@pytest.mark.parametrize("starts", [MONDAY, date(2026, 11, 26), date(2026, 11, 29)])
def test_the_first_is_that_of_the_week_it_starts_in(starts: date) -> None:
    assert slots(date(2026, 11, 1), date(2026, 11, 29), starts=starts) == [
        ("speed_week", "2026-W48")
    ]


@pytest.mark.parametrize(
    ("starts", "first"),
    [
        (date(2026, 12, 6), "2026-12"),
        (date(2026, 12, 7), "2027-01"),
        (date(2027, 2, 1), "2027-02"),
    ],
)
def test_the_first_month_is_one_that_begins_in_that_week_or_later(starts: date, first: str) -> None:
    # The 6th of December is the Sunday of the week of the 1st.
    found = slots(date(2026, 11, 1), date(2027, 2, 28), starts=starts, rotation=("quality_month",))
    assert found[0] == ("quality_month", first)


def test_every_day_has_one_weekly_challenge_and_a_week_is_the_same_from_each_of_its_days() -> None:
    for days in range(400):
        day = MONDAY + timedelta(days=days)
        [(name, period)] = slots(day, day, rotation=WEEKLY)
        monday = day - timedelta(days=day.weekday())
        assert [(name, period)] == slots(monday, monday, rotation=WEEKLY)
        assert name == WEEKLY[(monday - MONDAY).days // 7 % 3]


@pytest.mark.parametrize("changes", [{"rotation": ()}, {"starts": None}])
def test_none_is_held_while_something_is_missing(changes: dict[str, Any]) -> None:
    assert slots(MONDAY, date(2026, 12, 31), **changes) == []


def test_a_slot_is_a_contest_of_all_teams_under_the_playbooks_prize() -> None:
    playbook = rules(minimum=4, prize="Dinner", prize_points=[9, 8, 7], hidden=True)
    contest = contest_of(
        ChallengeSlot("speed_week", "2026-W48", MONDAY, date(2026, 11, 29)), playbook
    )
    assert contest.contest_id == "challenge-speed_week-2026-W48"
    assert (contest.name, contest.teams) == ("Speed Week", ("north",))
    assert (contest.prize, contest.prize_points, contest.hidden) == ("Dinner", (9, 8, 7), True)
    assert contest.minimum is not None and contest.minimum.at_least == 4
    assert set(NAMES) == set(ALL)


def test_late_data_count_as_long_as_the_challenge_needs() -> None:
    late = {}
    for name in ALL:
        playbook = rules()
        contest = contest_of(ChallengeSlot(name, "p", MONDAY, MONDAY), playbook)
        times = times_of(contest, playbook)
        late[name] = (times.cut_off_at - times.ends_at).days
    assert late == {"speed_week": 2, "quality_month": 14, "volume_sprint": 7, "underdog_week": 2}


# Their formulas


def stands(
    name: Challenge,
    now: Mapping[str, Counts],
    before: Mapping[str, Counts] | None = None,
    kept: Mapping[str, Counts] | None = None,
) -> ContestStanding:
    playbook = rules()
    contest = contest_of(ChallengeSlot(name, "p", MONDAY, date(2026, 11, 29)), playbook)
    frozen = freeze(contest, playbook, [A, B, C], {}, NOON, "")
    return score(contest, frozen, Windows(now, before or {}, kept or {}))


def placed(found: ContestStanding) -> list[tuple[str, int | None, str | None]]:
    return [(row.who, row.place, row.why) for row in found.reps]


def answered(taken: int, ms: int, leads: int) -> Counts:
    return {"taken": taken, "response_seconds.sum": ms, "response_seconds.n": leads}


def test_in_speed_week_the_shortest_mean_wins_from_five_leads_on() -> None:
    found = stands(
        "speed_week",
        {
            A.rep_id: answered(5, 90_000, 5),
            B.rep_id: answered(5, 89_999, 5),
            C.rep_id: answered(4, 1, 4),
        },
    )
    assert placed(found) == [
        (B.rep_id, 1, None),
        (A.rep_id, 2, None),
        (C.rep_id, None, "below_minimum"),
    ]
    assert found.prizes == {B.rep_id: 100, A.rep_id: 50}


def test_in_speed_week_one_quick_contact_of_many_leads_does_not_win() -> None:
    found = stands(
        "speed_week", {A.rep_id: answered(50, 10_000, 1), B.rep_id: answered(50, 600_000, 50)}
    )
    assert placed(found)[0] == (B.rep_id, 1, None)
    assert (A.rep_id, None, "below_minimum") in placed(found)


def test_who_is_assigned_all_their_leads_can_be_placed() -> None:
    found = stands("speed_week", {A.rep_id: {**answered(5, 1000, 5), "assigned": 5}})
    assert placed(found)[0] == (A.rep_id, 1, None)


def test_in_quality_month_the_largest_share_of_customers_wins() -> None:
    found = stands(
        "quality_month",
        {
            A.rep_id: claimed(15, claimed_customers=5),
            B.rep_id: claimed(6, claimed_customers=2),
            C.rep_id: claimed(100, claimed_customers=33, customer_leads=90),
        },
    )
    # 5 of 15 ties with 2 of 6, and more customers break the tie. Assigned leads do not count.
    assert placed(found) == [(A.rep_id, 1, None), (B.rep_id, 2, None), (C.rep_id, 3, None)]


def test_in_quality_month_one_of_one_does_not_beat_thirty_of_forty() -> None:
    found = stands(
        "quality_month",
        {
            # Ten leads in all, one of them claimed.
            A.rep_id: {"taken": 10, "claimed": 1, "claimed_customers": 1},
            B.rep_id: claimed(40, claimed_customers=30),
        },
    )
    assert placed(found)[0] == (B.rep_id, 1, None)
    assert (A.rep_id, None, "below_minimum") in placed(found)


def claimed(number: int, **more: int) -> Counts:
    return {"taken": number, "claimed": number, **more}


def test_in_volume_sprint_most_claims_win_with_the_own_conversion_kept() -> None:
    def claims(number: int, opportunities: int) -> Counts:
        return claimed(number, claimed_opportunities=opportunities)

    found = stands(
        "volume_sprint",
        {A.rep_id: claims(12, 4), B.rep_id: claims(13, 4), C.rep_id: claims(5, 0)},
        kept={A.rep_id: claims(30, 10), B.rep_id: claims(30, 10)},
    )
    assert placed(found) == [
        (A.rep_id, 1, None),
        (C.rep_id, 2, None),
        (B.rep_id, None, "worse_than_before"),
    ]


def earned(points: int, prize: int = 0, taken: int = 5) -> Counts:
    return {"taken": taken, "points.sum": points, "prize.sum": prize}


def test_in_underdog_week_the_largest_relative_growth_wins() -> None:
    found = stands(
        "underdog_week",
        {A.rep_id: earned(900), B.rep_id: earned(300), C.rep_id: earned(900)},
        {A.rep_id: earned(500), B.rep_id: earned(5)},
    )
    assert placed(found) == [
        (B.rep_id, 1, None),
        (A.rep_id, 2, None),
        (C.rep_id, None, "no_comparison"),
    ]
    # In percent of the week before and the prior of 100 points.
    assert [row.value for row in found.reps[:2]] == [Fraction(29_500, 105), Fraction(40_000, 600)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((5, 300), (500, 900)),
        ((50, 200), (1000, 1900)),
        ((500, 900), (5, 20)),  # four times almost nothing is almost nothing
        ((200, 400), (0, 60)),
        ((100, 250), (2000, 2500)),
    ],
)
def test_growth_is_relative_and_almost_nothing_is_no_base(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    before = {A.rep_id: earned(one[0]), B.rep_id: earned(other[0])}
    found = stands("underdog_week", {A.rep_id: earned(one[1]), B.rep_id: earned(other[1])}, before)
    assert placed(found)[0] == (A.rep_id, 1, None)


def test_in_underdog_week_prizes_are_no_growth_and_a_minimum_holds() -> None:
    found = stands(
        "underdog_week",
        {A.rep_id: earned(600, 500), B.rep_id: earned(300, taken=4), C.rep_id: earned(60)},
        {A.rep_id: earned(100), B.rep_id: earned(5), C.rep_id: earned(10)},
    )
    assert placed(found) == [
        (C.rep_id, 1, None),
        (A.rep_id, None, "not_better"),
        (B.rep_id, None, "below_minimum"),
    ]


def test_a_lazy_week_is_no_head_start_for_underdog_week() -> None:
    """The own past is the week before, or the mean of four where that is more."""
    found = stands(
        "underdog_week",
        {A.rep_id: earned(500), B.rep_id: earned(300)},
        {A.rep_id: earned(0), B.rep_id: earned(150)},
        {A.rep_id: earned(1500), B.rep_id: earned(600)},
    )
    # Ben from 150 by 150; Aina not from 0, but from the 375 of her usual week.
    assert placed(found)[:2] == [(B.rep_id, 1, None), (A.rep_id, 2, None)]
    assert [row.value for row in found.reps[:2]] == [60, Fraction(12_500, 475)]


def test_what_counts_in_a_challenge_is_a_setting() -> None:
    own = {
        "formula": "contact_rate",
        "minimum_of": "count(contacted_leads)",
        "tie_breakers": ["leads"],
        "late_days": 3,
    }
    playbook = rules(minimum=7, rules={"speed_week": own})
    contest = contest_of(ChallengeSlot("speed_week", "p", MONDAY, MONDAY), playbook)
    assert (contest.metric, contest.better, contest.late_days) == ("contact_rate", "more", 3)
    assert contest.minimum == Minimum("count(contacted_leads)", 7)
    assert contest.tie_breakers == ("leads",)
    other = contest_of(ChallengeSlot("underdog_week", "p", MONDAY, MONDAY), playbook)
    assert (other.improvement, other.prior) == (True, 100)
