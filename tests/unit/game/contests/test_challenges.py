"""Challenges recur by a calendar and rank by their formulas, exact at each boundary (G7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from dibs.game.contests.challenges import NAMES, ChallengeSlot, calendar, contest_of
from dibs.game.contests.rules import ContestStanding, Counts, Windows, freeze, score, times_of
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


def test_in_speed_week_the_shortest_mean_wins_from_three_claims_on() -> None:
    def answered(claims: int, ms: int, leads: int) -> Counts:
        return {"claimed": claims, "response_seconds.sum": ms, "response_seconds.n": leads}

    found = stands(
        "speed_week",
        {
            A.rep_id: answered(3, 90_000, 3),
            B.rep_id: answered(3, 89_999, 3),
            C.rep_id: answered(2, 1, 2),
        },
    )
    assert placed(found) == [
        (B.rep_id, 1, None),
        (A.rep_id, 2, None),
        (C.rep_id, None, "below_minimum"),
    ]
    assert found.prizes == {B.rep_id: 100, A.rep_id: 50}


def test_in_quality_month_the_largest_share_of_customers_wins() -> None:
    found = stands(
        "quality_month",
        {
            A.rep_id: {"claimed": 9, "claimed_customers": 3},
            B.rep_id: {"claimed": 3, "claimed_customers": 1},
            C.rep_id: {"claimed": 100, "claimed_customers": 33, "customer_leads": 90},
        },
    )
    # 3 of 9 ties with 1 of 3, and more customers break the tie. Assigned leads do not count.
    assert placed(found) == [(A.rep_id, 1, None), (B.rep_id, 2, None), (C.rep_id, 3, None)]


def test_in_volume_sprint_most_claims_win_with_the_own_conversion_kept() -> None:
    def claims(number: int, opportunities: int) -> Counts:
        return {"claimed": number, "claimed_opportunities": opportunities}

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


def test_in_underdog_week_the_largest_growth_of_points_wins_without_prizes() -> None:
    def earned(points: int, prize: int = 0) -> Counts:
        return {"claimed": 3, "points.sum": points, "prize.sum": prize}

    found = stands(
        "underdog_week",
        {A.rep_id: earned(120), B.rep_id: earned(600, 500), C.rep_id: earned(900)},
        {A.rep_id: earned(20), B.rep_id: earned(10)},
    )
    assert placed(found) == [
        (A.rep_id, 1, None),
        (B.rep_id, 2, None),
        (C.rep_id, None, "no_comparison"),
    ]
    assert [row.value for row in found.reps[:2]] == [100, 90]
