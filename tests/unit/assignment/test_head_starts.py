"""Turns to see new leads first (F6): each rep gets every slot once per cycle, whoever is away."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dibs.assignment.head_starts import (
    OnTurn,
    Rotation,
    Slot,
    give_turns,
    on_turn,
    slots_of,
    turn_of,
)
from dibs.core.calendar import parse_hours
from dibs.core.rep import Rep
from dibs.rules.playbook import Playbook
from support.builders import NOON, a_playbook, a_rep

DAY = timedelta(days=1)
MONDAY = date(2026, 11, 23)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
OFFICE = {day: ["09:00-12:00", "13:00-16:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


def rules(hours: dict[str, list[str]] | None = None, minutes: int = 60, **team: Any) -> Playbook:
    north = {"name": "North", "zone": "UTC", "hours": OFFICE if hours is None else hours, **team}
    return a_playbook(
        teams={"north": north}, priority={"share_percent": 30, "turn_minutes": minutes}
    )


def crew(many: int, **changes: Any) -> list[Rep]:
    return [a_rep(number, **{"zone": "UTC", **changes}) for number in range(1, many + 1)]


def days(
    playbook: Playbook, reps: Sequence[Rep], first: date, many: int
) -> list[tuple[date, tuple[OnTurn, ...]]]:
    """Plan the turns of this many days in sequence."""
    stands, found = Rotation(), []
    for ahead in range(many):
        day = first + ahead * DAY
        stands, turns = give_turns(stands, "north", reps, playbook, day, LONG_AGO)
        found.append((day, turns))
    return found


def slots_had(given: Sequence[tuple[date, tuple[OnTurn, ...]]]) -> dict[str, list[str]]:
    """Return each rep's slots in order, as start times."""
    had: dict[str, list[str]] = defaultdict(list)
    for _, turns in given:
        for turn in turns:
            for rep_id in turn.rep_ids:
                had[rep_id].append(f"{turn.start:%H:%M}")
    return had


# The slots


SLOTS = [
    (["09:00-12:00"], 60, [(540, 600), (600, 660), (660, 720)]),
    (["09:00-10:30"], 60, [(540, 600), (600, 630)]),
    (["09:00-10:00", "13:00-14:00"], 30, [(540, 570), (570, 600), (780, 810), (810, 840)]),
    (["22:00-24:00"], 120, [(1320, 1440)]),
]


@pytest.mark.parametrize(("shifts", "minutes", "slots"), SLOTS)
def test_a_working_day_is_cut_into_slots(
    shifts: list[str], minutes: int, slots: list[tuple[int, int]]
) -> None:
    hours = parse_hours({"mon": shifts})
    assert slots_of(hours, MONDAY, minutes) == [Slot(*slot) for slot in slots]
    assert slots_of(hours, MONDAY + DAY, minutes) == []


def test_a_team_without_hours_has_the_whole_day() -> None:
    assert len(slots_of(parse_hours({}), MONDAY, 30)) == 48


# Which rep has which slot


def test_each_rep_has_one_turn_a_day_and_the_next_slot_the_day_after() -> None:
    had = slots_had(days(rules(), crew(1), MONDAY, 10))
    assert had[a_rep(1).rep_id] == [
        *("09:00", "10:00", "11:00", "13:00", "14:00"),
        *("15:00", "09:00", "10:00"),
    ]


def test_reps_start_spread_over_the_day_and_share_slots_where_they_are_more() -> None:
    [(_, turns)] = days(rules(), crew(2), MONDAY, 1)
    assert [f"{turn.start:%H}" for turn in turns] == ["09", "13"]
    [(_, turns)] = days(rules(), crew(13), MONDAY, 1)
    assert sorted(len(turn.rep_ids) for turn in turns) == [2, 2, 2, 2, 2, 3]


def test_who_joins_starts_where_fewest_are() -> None:
    reps = crew(6)
    stands, turns = give_turns(Rotation(), "north", reps[:5], rules(), MONDAY, LONG_AGO)
    taken = {turn.start.hour for turn in turns}
    _, turns = give_turns(stands, "north", reps, rules(), MONDAY + DAY, LONG_AGO)
    newest = turn_of(turns, reps[5].rep_id, LONG_AGO)
    assert newest is not None
    assert len({turn.start.hour for turn in turns}) == 6
    assert len(taken) == 5


@pytest.mark.parametrize("why", ["leave", "holiday", "weekend", "left", "not yet here"])
def test_who_is_away_has_no_turn_and_keeps_their_place(why: str) -> None:
    friday, rep, playbook = MONDAY + 4 * DAY, crew(1)[0], rules()
    away = {
        "leave": replace(rep, leave=((friday, friday),)),
        "left": replace(rep, active=False),
        "not yet here": replace(rep, joined_on=friday + DAY),
    }.get(why, rep)
    off = MONDAY + 5 * DAY if why == "weekend" else friday
    holidays = rules(holidays=[str(friday)]) if why == "holiday" else playbook
    stands, before = give_turns(Rotation(), "north", [rep], playbook, friday - DAY, LONG_AGO)
    stands, turns = give_turns(stands, "north", [away], holidays, off, LONG_AGO)
    assert turns == ()
    stands, turns = give_turns(stands, "north", [rep], playbook, off + 3 * DAY, LONG_AGO)
    assert [turn.start.hour for turn in (*before, *turns)] == [9, 10]


def test_leave_that_was_entered_after_the_day_was_given_out_keeps_the_place() -> None:
    rep = crew(1)[0]
    stands, _ = give_turns(Rotation(), "north", [rep], rules(), MONDAY, LONG_AGO)
    sick = replace(rep, leave=((MONDAY, MONDAY),))
    _, turns = give_turns(stands, "north", [sick], rules(), MONDAY + DAY, LONG_AGO)
    assert [turn.start.hour for turn in turns] == [9]


def test_a_newcomer_who_does_not_race_yet_takes_no_turns() -> None:
    playbook = replace(rules(), newcomers=replace(rules().newcomers, enabled=True, cohort_weeks=8))
    for weeks, turns in ((0, 0), (7, 0), (8, 1), (20, 1)):
        rep = a_rep(1, zone="UTC", joined_on=MONDAY - timedelta(weeks=weeks))
        [(_, given)] = days(playbook, [rep], MONDAY, 1)
        assert len(given) == turns, weeks


def test_a_short_friday_is_a_round_of_its_own() -> None:
    hours = {**{day: ["09:00-12:00"] for day in ("mon", "tue", "wed")}, "fri": ["09:00-11:00"]}
    given = days(rules(hours), crew(1), MONDAY, 7 * 6)
    by_kind: dict[bool, list[str]] = defaultdict(list)
    for day, turns in given:
        by_kind[day.weekday() == 4] += [f"{turn.start:%H}" for turn in turns]
    assert by_kind[True] == ["09", "10"] * 3
    assert by_kind[False] == ["09", "10", "11"] * 6


def test_who_works_half_the_day_has_their_own_slots_in_turn() -> None:
    afternoons = a_rep(1, zone="UTC", hours=parse_hours({"mon": ["13:00-16:00"]}))
    given = days(rules(), [afternoons, *crew(4)[1:]], MONDAY, 7 * 4)
    assert slots_had(given)[afternoons.rep_id] == ["13:00", "14:00", "15:00", "13:00"]


def test_who_lives_in_another_zone_has_the_slots_they_are_on_duty_in() -> None:
    # 09:00 to 12:00 and 13:00 to 16:00 in Berlin are an hour earlier in UTC, in winter.
    berlin = a_rep(1, zone="Europe/Berlin")
    had = slots_had(days(rules(), [berlin], MONDAY, 7))
    assert had[berlin.rep_id] == ["09:00", "10:00", "13:00", "14:00", "09:00"]


def test_a_day_given_out_late_leaves_out_what_is_over() -> None:
    reps = crew(6)
    at = datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
    stands, turns = give_turns(Rotation(), "north", reps, rules(), MONDAY, at)
    assert [turn.start.hour for turn in turns] == [13, 14, 15]
    _, turns = give_turns(stands, "north", reps, rules(), MONDAY + DAY, at)
    # The others keep their slots; those three moved on by one.
    assert Counter(turn.start.hour for turn in turns for _ in turn.rep_ids) == Counter(
        {9: 2, 10: 1, 11: 1, 14: 1, 15: 1}
    )


# Days on which the clocks change


def test_a_slot_the_clock_leaves_out_is_nobodys_and_its_rep_keeps_the_place() -> None:
    playbook, sunday = rules({}, 60, zone="Europe/Berlin"), date(2027, 3, 28)
    reps = crew(24, zone="Europe/Berlin")
    stands, turns = give_turns(Rotation(), "north", reps, playbook, sunday, LONG_AGO)
    assert sum((turn.end - turn.start for turn in turns), timedelta()) == timedelta(hours=23)
    (left_out,) = {rep.rep_id for rep in reps} - {rep for turn in turns for rep in turn.rep_ids}
    _, turns = give_turns(stands, "north", reps, playbook, sunday + DAY, LONG_AGO)
    turn = turn_of(turns, left_out, LONG_AGO)
    assert turn is not None
    # 02:00 in Berlin, in summer time.
    assert turn.start == datetime(2027, 3, 29, 0, tzinfo=UTC)


def test_the_hour_that_autumn_repeats_is_its_reps_both_times() -> None:
    playbook, sunday = rules({}, 30, zone="Europe/Berlin"), date(2026, 10, 25)
    reps = crew(48, zone="Europe/Berlin")
    _, turns = give_turns(Rotation(), "north", reps, playbook, sunday, LONG_AGO)
    assert len(turns) == 50
    assert Counter(Counter(rep for turn in turns for rep in turn.rep_ids).values()) == {1: 46, 2: 2}
    assert sum((turn.end - turn.start for turn in turns), timedelta()) == timedelta(hours=25)


# Over any cycle


@st.composite
def teams(draw: st.DrawFn) -> tuple[int, int, int]:
    """Reps, slots, and a seed for who is away when."""
    return draw(st.integers(1, 40)), draw(st.integers(4, 48)), draw(st.integers(0, 2**32))


def a_year(many: int, slots: int, seed: int, length: int) -> dict[str, list[str]]:
    """Return each rep's slots over `length` days, with every rep away about one day in six."""
    hours = {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    # A day of 1440 minutes; the last slot may be shorter.
    minutes = -(-1440 // slots)
    away = random.Random(seed)
    reps = [
        replace(
            rep,
            leave=tuple(
                (MONDAY + ahead * DAY, MONDAY + ahead * DAY)
                for ahead in range(length)
                if away.random() < 1 / 6
            ),
            joined_on=MONDAY + away.randrange(length // 4) * DAY,
        )
        for rep in crew(many)
    ]
    return slots_had(days(rules(hours, minutes), reps, MONDAY, length))


@settings(max_examples=8, deadline=None)
@given(teams())
def test_in_as_many_own_turns_as_there_are_slots_each_comes_once(
    team: tuple[int, int, int],
) -> None:
    many, slots, seed = team
    cycle = len(slots_of(parse_hours({}), MONDAY, -(-1440 // slots)))
    had = a_year(many, slots, seed, 2 * cycle)
    assert len(had) == many
    for turns in had.values():
        for start in range(len(turns) - cycle + 1):
            assert len(set(turns[start : start + cycle])) == cycle
        if len(turns) < cycle:
            assert len(set(turns)) == len(turns)


def test_over_half_a_year_nobody_has_better_hours() -> None:
    """Fixed seed: 20 reps, 18 slots, random leave; count how often each rep had each slot."""
    had = a_year(20, 18, 4, 180)
    spread, chi_square, cells = 0, 0.0, 0
    slots = sorted({slot for turns in had.values() for slot in turns})
    for turns in had.values():
        counts = [turns.count(slot) for slot in slots]
        spread = max(spread, max(counts) - min(counts))
        mean = len(turns) / len(slots)
        chi_square += sum((count - mean) ** 2 / mean for count in counts)
        cells += len(slots) - 1
    # At most one turn of difference; random turns would give a chi-square of about 340.
    assert spread == 1
    assert chi_square < cells / 10


def test_on_an_ordinary_day_the_slots_are_not_crowded() -> None:
    """Random leave moves reps into the same slots; still no slot is shared by many."""
    hours = {day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
    away = random.Random(6)
    reps = [
        replace(
            rep,
            leave=tuple(
                (MONDAY + n * DAY, MONDAY + n * DAY) for n in range(250) if away.random() < 0.08
            ),
        )
        for rep in crew(18)
    ]
    shared = Counter(
        len(turn.rep_ids)
        for _, turns in days(rules(hours, 30), reps, MONDAY, 250)
        for turn in turns
    )
    assert max(shared) <= 6


# Reading them


def test_whose_turn_it_is_and_when_ones_own() -> None:
    hour = timedelta(hours=1)
    turns = (
        OnTurn(NOON, NOON + hour, ("ann", "bob")),
        OnTurn(NOON + hour, NOON + 2 * hour, ("cho",)),
    )
    assert on_turn(turns, NOON - timedelta(milliseconds=1)) == ()
    assert on_turn(turns, NOON) == ("ann", "bob")
    assert on_turn(turns, NOON + hour) == ("cho",)
    assert turn_of(turns, "bob", NOON + 3 * hour) == turns[0]
    assert turn_of(turns, "dan", NOON) is None
    twice = (turns[0], OnTurn(NOON + hour, NOON + 2 * hour, ("ann",)))
    assert turn_of(twice, "ann", NOON + hour) == twice[1]
