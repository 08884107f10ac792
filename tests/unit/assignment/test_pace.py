"""A newcomer's guaranteed leads are due evenly over the week, pro rata at first and last (F8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dibs.assignment.pace import behind, due_by, guaranteed_this_week
from dibs.core.calendar import duty_between, parse_hours
from dibs.core.rep import Rep, Usage
from dibs.race.decide import schedule_of
from dibs.race.newcomers import Phase, counted_from, phase_of, phase_until
from dibs.rules.playbook import Playbook
from support.builders import a_playbook, a_rep

MONDAY = date(2026, 11, 23)
DAY = timedelta(days=1)
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
HOURS = {day: ["09:00-17:00"] for day in WORKDAYS}


def rules(per_week: int = 5, **new: Any) -> Playbook:
    return a_playbook(
        teams={"north": {"name": "North", "hours": HOURS}},
        newcomers={"enabled": True, "per_week": per_week, **new},
    )


def newcomer(joined: date = MONDAY - 7 * DAY, **changes: Any) -> Rep:
    return a_rep(1, **{"zone": "UTC", "joined_on": joined, **changes})


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment of the week; Monday is day 0."""
    return datetime(2026, 11, 23 + day, hour, minute, tzinfo=UTC)


# Five leads in forty working hours: one as each day begins.
DUE = [
    (0, 0, 0, 1),
    (0, 9, 0, 1),
    (0, 16, 59, 1),
    (0, 17, 0, 2),
    (1, 9, 0, 2),
    (2, 12, 0, 3),
    (4, 9, 0, 5),
    (4, 17, 0, 5),
    (6, 23, 59, 5),
]


@pytest.mark.parametrize(("day", "hour", "minute", "due"), DUE)
def test_leads_fall_due_evenly_over_the_working_week(
    day: int, hour: int, minute: int, due: int
) -> None:
    assert due_by(newcomer(), rules(), at(day, hour, minute)) == due


JOINED = [
    # Joins on Wednesday: five days of seven are four leads, over three working days.
    (MONDAY + 2 * DAY, 4, [(2, 8, 1), (2, 14, 1), (2, 15, 2), (3, 13, 3), (4, 11, 4), (4, 16, 4)]),
    (MONDAY + 6 * DAY, 1, [(6, 12, 0)]),
    (MONDAY + 7 * DAY, 0, [(6, 12, 0)]),
    # Their ninetieth day is Thursday: three days of the last week.
    (MONDAY + 3 * DAY - 90 * DAY, 3, [(0, 9, 1), (1, 9, 2), (2, 9, 3), (2, 17, 3)]),
    (MONDAY - 90 * DAY, 0, [(0, 9, 0)]),
    (MONDAY - 83 * DAY, 5, [(4, 12, 5)]),
]


@pytest.mark.parametrize(("joined", "whole", "moments"), JOINED)
def test_the_first_and_the_last_week_are_pro_rata(
    joined: date, whole: int, moments: list[tuple[int, int, int]]
) -> None:
    rep = newcomer(joined)
    day = moments[-1][0]
    assert guaranteed_this_week(rep, rules(), at(day, 12)) == whole
    for day, hour, due in moments:
        assert due_by(rep, rules(), at(day, hour)) == due, (day, hour)


def test_leave_and_hours_of_ones_own_are_no_time_to_fall_behind_in() -> None:
    away = newcomer(leave=((MONDAY, MONDAY + 2 * DAY),))
    assert [due_by(away, rules(4), at(day, 12)) for day in range(5)] == [1, 1, 1, 1, 3]
    mornings = newcomer(hours=parse_hours({"mon": ["09:00-12:00"], "tue": ["09:00-12:00"]}))
    assert [due_by(mornings, rules(2), at(day, 12)) for day in range(3)] == [2, 2, 2]
    gone = newcomer(leave=((MONDAY, MONDAY + 6 * DAY),))
    assert due_by(gone, rules(), at(4, 12)) == 0


def test_who_had_what_is_due_is_not_behind() -> None:
    rep, now = newcomer(), at(2, 12)
    week = rep.this_week(now)
    for had, far in ((0, 3), (1, 2), (3, 0), (9, 0)):
        assert behind(rep, Usage(week=week, leads=had), rules(), now) == far
    assert behind(rep, Usage(week=week - 7 * DAY, leads=5), rules(), now) == 3


@pytest.mark.parametrize(
    ("rep", "playbook"),
    [
        (newcomer(), replace(rules(), newcomers=replace(rules().newcomers, enabled=False))),
        (newcomer(), rules(0)),
        (replace(newcomer(), joined_on=None), rules()),
        (newcomer(MONDAY - 200 * DAY), rules()),
    ],
)
def test_nobody_else_is_guaranteed_anything(rep: Rep, playbook: Playbook) -> None:
    assert due_by(rep, playbook, at(4, 12)) == guaranteed_this_week(rep, playbook, at(4, 12)) == 0


def test_the_week_is_that_of_the_reps_zone() -> None:
    kuching = newcomer(zone="Asia/Kuching")
    # Monday morning in Kuching is Sunday night in UTC.
    assert due_by(kuching, rules(), datetime(2026, 11, 22, 15, 59, tzinfo=UTC)) == 5
    assert due_by(kuching, rules(), datetime(2026, 11, 22, 16, 0, tzinfo=UTC)) == 1


@pytest.mark.parametrize("first", [date(2027, 3, 22), date(2026, 10, 19)])
def test_a_week_whose_clock_is_moved_is_cut_evenly_too(first: date) -> None:
    rep = newcomer(first - 7 * DAY, zone="Europe/Berlin", team="south")  # no hours: always
    playbook = rules(7)
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    due = [due_by(rep, playbook, start + hour * timedelta(hours=1)) for hour in range(24 * 7 - 3)]
    assert due == sorted(due)
    assert (due[0], due[-1]) == (1, 7)


# In any order of leads


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 40),
    st.integers(0, 95),
    st.lists(st.integers(0, 7 * 24 * 60 - 1), max_size=120).map(sorted),
)
def test_never_more_than_guaranteed_and_never_ahead_of_the_pace(
    per_week: int, days_ago: int, minutes: list[int]
) -> None:
    rep, playbook = newcomer(MONDAY - days_ago * DAY), rules(per_week)
    usage, monday = Usage(), datetime(2026, 11, 23, tzinfo=UTC)
    for minute in minutes:
        now = monday + minute * timedelta(minutes=1)
        if behind(rep, usage, playbook, now):
            week = rep.this_week(now)
            usage = Usage(week=week, leads=usage.leads_in(week) + 1)
            assert usage.leads <= guaranteed_this_week(rep, playbook, now) <= per_week
            # No part of the week has more than its own leads plus one.
            schedule = schedule_of(rep, playbook)
            start = datetime(2026, 11, 23, tzinfo=UTC)
            share = duty_between(schedule, start, now) / duty_between(
                schedule, start, start + 7 * DAY
            )
            whole = guaranteed_this_week(rep, playbook, now)
            assert whole < per_week or usage.leads <= share * whole + 1


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(0, 89), st.integers(0, 3))
def test_never_less_where_there_are_leads_enough(per_week: int, days_ago: int, seed: int) -> None:
    """Return one lead per quarter of an hour of the week, starting at some minute."""
    rep, playbook = newcomer(MONDAY - days_ago * DAY), rules(per_week)
    usage, start = Usage(), datetime(2026, 11, 23, 0, seed, tzinfo=UTC)
    best = 0
    for quarter in range(7 * 24 * 4):
        now = start + quarter * timedelta(minutes=15)
        best = max(best, due_by(rep, playbook, now))
        if behind(rep, usage, playbook, now):
            week = rep.this_week(now)
            usage = Usage(week=week, leads=usage.leads_in(week) + 1)
        if now.hour == 16 and now.minute == 45 + seed:
            assert usage.leads >= due_by(rep, playbook, now)
    assert usage.leads == best


# Phases


@pytest.mark.parametrize(
    ("week", "phase", "ends"),
    [
        (0, "assigned", 4),
        (3, "assigned", 4),
        (4, "cohort", 8),
        (8, "protected", 12),
        (12, "full", 0),
    ],
)
def test_a_phase_tells_when_it_ends(week: int, phase: str, ends: int) -> None:
    rep, now = newcomer(MONDAY - week * 7 * DAY), at(0, 12)
    assert phase_of(rep, rules(), now) is Phase(phase)
    day = datetime(2026, 11, 23, tzinfo=UTC) + (ends - week) * 7 * DAY
    assert phase_until(rep, rules(), now) == (day if ends else None)


def test_results_count_from_the_thirteenth_week() -> None:
    assert counted_from(MONDAY, rules()) == MONDAY + 84 * DAY
    assert counted_from(None, rules()) is None
    off = replace(rules(), newcomers=replace(rules().newcomers, enabled=False))
    assert counted_from(MONDAY, off) is None
