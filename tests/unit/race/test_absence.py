"""Absence credits (F10): what leave earns, when credits are due, and when they expire."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dibs.core.calendar import parse_hours
from dibs.core.rep import Rep, Usage
from dibs.race.absence import Credits, credits_of, using
from dibs.rules.playbook import Playbook
from support.builders import a_playbook, a_rep

MONDAY = date(2026, 11, 23)
DAY = timedelta(days=1)
WEEK = 7 * DAY
HOURS = {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


def rules(hours_per_credit: int = 8, **changes: Any) -> Playbook:
    team = {"name": "North", "hours": HOURS, "holidays": ["2026-11-18"]}
    return a_playbook(
        teams={"north": team}, absence={"hours_per_credit": hours_per_credit, **changes}
    )


def away(*leave: tuple[date, date], **changes: Any) -> Rep:
    return a_rep(1, **{"zone": "UTC", "leave": leave, **changes})


def on(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


LAST_WEEK = (MONDAY - WEEK, MONDAY - 3 * DAY)  # Monday to Friday; Wednesday was a holiday

EARNED = [
    # Leave, hours for a credit, credits.
    ([LAST_WEEK], 8, 4),
    ([LAST_WEEK], 10, 3),
    ([LAST_WEEK], 33, 0),
    ([(MONDAY - 3 * DAY, MONDAY - 3 * DAY)], 8, 1),
    # Each leave by itself, rounded down; adjacent or overlapping leave is one.
    ([(MONDAY - 7 * DAY, MONDAY - 7 * DAY), (MONDAY - 3 * DAY, MONDAY - 3 * DAY)], 12, 0),
    ([(MONDAY - 7 * DAY, MONDAY - 7 * DAY), (MONDAY - 6 * DAY, MONDAY - 6 * DAY)], 12, 1),
    ([(MONDAY - 7 * DAY, MONDAY - 6 * DAY), LAST_WEEK], 8, 4),
    # A weekend, leave that has not ended, and leave in the future.
    ([(MONDAY - 2 * DAY, MONDAY - DAY)], 1, 0),
    ([(MONDAY - 7 * DAY, MONDAY)], 8, 0),
    ([(MONDAY + DAY, MONDAY + 5 * DAY)], 8, 0),
    ([LAST_WEEK], 0, 0),
]


@pytest.mark.parametrize(("leave", "hours", "earned"), EARNED)
def test_working_hours_of_leave_that_has_ended_earn_credits(
    leave: list[tuple[date, date]], hours: int, earned: int
) -> None:
    assert credits_of(away(*leave), Usage(), rules(hours), on(MONDAY)).left == earned


def test_the_hours_are_ones_own() -> None:
    fridays = away(LAST_WEEK, hours=parse_hours({"fri": ["10:00-14:00"]}))
    assert credits_of(fridays, Usage(), rules(4), on(MONDAY)).left == 1


def test_credits_fall_due_over_the_days_until_they_expire() -> None:
    rep, back = away(LAST_WEEK), MONDAY - 2 * DAY  # back on Saturday
    due = [credits_of(rep, Usage(), rules(), on(back + n * DAY)).due for n in range(15)]
    assert due == [1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 0]
    last = back + 13 * DAY
    assert credits_of(rep, Usage(), rules(), on(last)) == Credits(4, 4, last, LAST_WEEK[1])
    assert credits_of(rep, Usage(), rules(), on(last + DAY)) == Credits()


def test_the_day_of_return_is_the_reps() -> None:
    rep = away((MONDAY - 3 * DAY, MONDAY - 3 * DAY), zone="Asia/Kuching")
    day = MONDAY - 3 * DAY
    assert credits_of(rep, Usage(), rules(), on(day, 15)).left == 0
    assert credits_of(rep, Usage(), rules(), on(day, 16)).left == 1


def test_a_credit_used_is_gone_and_the_next_is_due_when_it_is() -> None:
    rep, playbook, now = away(LAST_WEEK), rules(), on(MONDAY)
    first = using(rep, Usage(), playbook, now)
    assert first is not None
    assert (first.before, first.after) == ((), (LAST_WEEK[1],))
    used = Usage(credits_used=first.after)
    assert (credits_of(rep, used, playbook, now).left, using(rep, used, playbook, now)) == (3, None)
    second = using(rep, used, playbook, now + 2 * DAY)
    assert second is not None
    assert second.after == (LAST_WEEK[1],) * 2


def test_of_two_leaves_the_older_ones_credits_go_first() -> None:
    older, newer = (MONDAY - 12 * DAY, MONDAY - 12 * DAY), (MONDAY - 3 * DAY, MONDAY - 3 * DAY)
    rep, playbook, now = away(older, newer), rules(), on(MONDAY)
    assert credits_of(rep, Usage(), playbook, now) == Credits(2, 2, MONDAY + 2 * DAY, older[1])
    used = Usage(credits_used=(older[1],))
    assert credits_of(rep, used, playbook, now) == Credits(1, 1, MONDAY + 11 * DAY, newer[1])
    # A used credit of expired leave does not count against the next leave.
    later = on(MONDAY + 3 * DAY)
    assert credits_of(rep, used, playbook, later).left == 1


EDITS = {
    "a day longer": ((MONDAY - WEEK, MONDAY - 2 * DAY),),
    "a day later": ((MONDAY - 6 * DAY, MONDAY - 2 * DAY),),
    "in two": ((MONDAY - WEEK, MONDAY - 6 * DAY), (MONDAY - 4 * DAY, MONDAY - 3 * DAY)),
    "another week": ((MONDAY - 2 * WEEK, MONDAY - 10 * DAY),),
    "shorter": ((MONDAY - WEEK, MONDAY - 5 * DAY),),
    "moved beyond it": ((MONDAY - 2 * DAY, MONDAY + 6 * DAY),),
    "gone": (),
}


@pytest.mark.parametrize("edit", EDITS)
def test_leave_edited_afterwards_earns_nothing_twice(edit: str) -> None:
    rep, playbook, used = away(LAST_WEEK), rules(), Usage()
    day = MONDAY - 2 * DAY
    while (credit := using(rep, used, playbook, on(day + 12 * DAY))) is not None:
        used = Usage(credits_used=credit.after)
    assert len(used.credits_used) == 4
    edited = replace(rep, leave=EDITS[edit])
    # A used credit still counts when its leave is moved, until it would have expired.
    days = range(14 if edit == "moved beyond it" else 17)
    unedited = [credits_of(edited, Usage(), playbook, on(day + n * DAY)).left for n in days]
    found = [credits_of(edited, used, playbook, on(day + n * DAY)).left for n in days]
    assert found == [max(0, earned - 4) for earned in unedited]


SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 9)).map(
        lambda span: (MONDAY + span[0] * DAY, MONDAY + (span[0] + span[1]) * DAY)
    ),
    max_size=4,
)


@settings(max_examples=80, deadline=None)
@given(SPANS, st.integers(1, 20), st.lists(st.integers(0, 60), max_size=40).map(sorted))
def test_however_often_one_asks_no_more_is_used_than_was_earned(
    leave: list[tuple[date, date]], hours: int, days: list[int]
) -> None:
    rep, playbook, usage = away(*leave), rules(hours), Usage()
    worked = {
        day
        for first, last in leave
        for day in (first + n * DAY for n in range((last - first).days + 1))
        if day.weekday() < 5
    }
    for ahead in days:
        credit = using(rep, usage, playbook, on(MONDAY + ahead * DAY))
        if credit is not None:
            assert credit.before == usage.credits_used
            usage = Usage(credits_used=credit.after)
        left = credits_of(rep, usage, playbook, on(MONDAY + ahead * DAY))
        assert 0 <= left.due <= left.left
    assert len(usage.credits_used) * hours <= 8 * len(worked)
