"""Plan turns so that each rep sees new leads first once a day, at hours that rotate (F6). Pure.

A team's working day is cut into slots of the playbook's minutes; the last slot of a shift may be
shorter. A rep has one slot a day and moves to the next slot on the next day they work. So after
as many turns as there are slots they have had each slot once, whoever else is away. Reps start
spread over the day; where there are more reps than slots, they share.

A rep's own slots are those in which they are on duty. Days with other hours (a short Friday) are a
separate round, in which each slot comes up equally often. A slot that the clock skips in spring is
no rep's turn, and the rep whose turn it would have been keeps their place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from dibs.core.calendar import Hours, Schedule, clock_shows, off_duty
from dibs.core.rep import Rep
from dibs.race.decide import schedule_of, team_hours
from dibs.race.newcomers import Phase, phase_of
from dibs.rules.rules import Rules

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Slot:
    """A part of the working day, in minutes of the team's local day."""

    first: int
    last: int


@dataclass(frozen=True)
class OnTurn:
    """Who sees new leads first from `start` to `end`."""

    start: datetime
    end: datetime
    rep_ids: tuple[str, ...]


@dataclass(frozen=True)
class Rotation:
    """A team's state of rotation after the turns of `day` are planned.

    `places`: each rep's next slot, per round (the hours and slots they work).
    `given`: the round of each rep's turn on `day`; that place moves on if they worked that day.
    """

    day: date | None = None
    places: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)


def slots_of(hours: Hours, day: date, minutes: int) -> list[Slot]:
    """Return the slots of a working day, in order."""
    return [
        Slot(first, min(first + minutes, closes))
        for opens, closes in hours.on(day)
        for first in range(opens, closes, minutes)
    ]


def give_turns(
    last: Rotation, team: str, reps: Iterable[Rep], playbook: Rules, day: date, as_of: datetime
) -> tuple[Rotation, tuple[OnTurn, ...]]:
    """Plan a day's turns after those of `last`; return the new rotation and the day's turns.

    A rep who was on leave on the day of `last` keeps the place they had then. On a day that has
    begun by `as_of`, slots that are over are no rep's turn.
    """
    rules, minutes = playbook.teams[team], playbook.priority.turn_minutes
    members = sorted(reps, key=lambda rep: rep.rep_id)
    slots = slots_of(team_hours(rules), day, minutes)
    shown = {slot: clock_shows(rules.zone, day, slot.first, slot.last) for slot in slots}
    places = {rep.rep_id: dict(_moved_on(last, rep)) for rep in members}
    own: dict[Schedule, tuple[Slot, ...]] = {}
    mine: dict[str, tuple[Slot, ...]] = {}
    for rep in members:
        schedule = schedule_of(rep, playbook)
        if schedule not in own:
            own[schedule] = _on_duty_in(schedule, day, shown)
        if own[schedule] and _takes_turns(rep, playbook, day, shown):
            mine[rep.rep_id] = own[schedule]
    rounds = {rep_id: _name(slots_, minutes) for rep_id, slots_ in mine.items()}
    reps_in: Counter[Slot] = Counter()
    for rep_id, name in rounds.items():
        if name in places[rep_id]:
            reps_in[_at(mine[rep_id], places[rep_id][name])] += 1
    on: dict[Slot, list[str]] = {slot: [] for slot in slots}
    given = {}
    for rep_id, name in rounds.items():
        if name not in places[rep_id]:
            start = _freest(slots, mine[rep_id], reps_in)
            reps_in[start] += 1
            places[rep_id][name] = mine[rep_id].index(start)
        places[rep_id][name] %= len(mine[rep_id])
        slot = _at(mine[rep_id], places[rep_id][name])
        if any(end > as_of for _, end in shown[slot]):
            given[rep_id] = name
            on[slot].append(rep_id)
    turns = [
        OnTurn(start, end, tuple(rep_ids))
        for slot, rep_ids in on.items()
        for start, end in shown[slot]
        if rep_ids
    ]
    kept = {rep_id: by_round for rep_id, by_round in places.items() if by_round}
    return Rotation(day, kept, given), tuple(sorted(turns, key=lambda turn: turn.start))


def on_turn(turns: Iterable[OnTurn], now: datetime) -> tuple[str, ...]:
    """Return the reps whose turn it is."""
    return tuple(
        rep_id for turn in turns if turn.start <= now < turn.end for rep_id in turn.rep_ids
    )


def turn_of(turns: Iterable[OnTurn], rep_id: str, now: datetime) -> OnTurn | None:
    """Return a rep's turn of a day: the current or next one, else the last one."""
    ours = [turn for turn in turns if rep_id in turn.rep_ids]
    return next((turn for turn in ours if now < turn.end), ours[-1] if ours else None)


def _moved_on(last: Rotation, rep: Rep) -> Mapping[str, int]:
    """Return a rep's places, moved on by one slot in the round of their last turn."""
    places = last.places.get(rep.rep_id, {})
    name = last.given.get(rep.rep_id)
    if name is None or last.day is None or any(a <= last.day <= b for a, b in rep.leave):
        return places
    return {**places, name: places[name] + 1}


def _takes_turns(
    rep: Rep,
    playbook: Rules,
    day: date,
    shown: Mapping[Slot, Sequence[tuple[datetime, datetime]]],
) -> bool:
    """Return whether a rep is employed that day and races against all reps."""
    if not rep.active or (rep.joined_on is not None and day < rep.joined_on):
        return False
    moment = next(start for stretches in shown.values() for start, _ in stretches)
    return phase_of(rep, playbook, moment) in (Phase.PROTECTED, Phase.FULL)


def _on_duty_in(
    schedule: Schedule, day: date, shown: Mapping[Slot, Sequence[tuple[datetime, datetime]]]
) -> tuple[Slot, ...]:
    """Return the slots in which a rep is on duty from start to end; none on a day off."""

    def works(slot: Slot) -> bool:
        stretches = shown[slot]
        if not stretches:  # a slot that the clock skips today still belongs to the round
            return any(a <= slot.first < b for a, b in schedule.hours.on(day))
        ends = [at for start, end in stretches for at in (start, end - _SECOND)]
        return all(off_duty(schedule, at) is None for at in ends)

    own = tuple(slot for slot in shown if works(slot))
    return own if any(shown[slot] for slot in own) else ()


def _name(slots: Sequence[Slot], minutes: int) -> str:
    """Return a round's name: the hours its slots cover, and how many minutes a turn lasts."""
    spans: list[list[int]] = []
    for slot in slots:
        if spans and spans[-1][1] == slot.first:
            spans[-1][1] = slot.last
        else:
            spans.append([slot.first, slot.last])
    return " ".join(f"{a}-{b}" for a, b in spans) + f"/{minutes}"


def _at(slots: Sequence[Slot], place: int) -> Slot:
    return slots[place % len(slots)]


def _freest(slots: Sequence[Slot], mine: Collection[Slot], reps_in: Mapping[Slot, int]) -> Slot:
    """Return a new rep's first slot: one with the fewest reps, farthest from fuller slots."""
    least = min(reps_in.get(slot, 0) for slot in mine)
    crowded = [at for at, slot in enumerate(slots) if reps_in.get(slot, 0) > least]

    def room(slot: Slot) -> int:
        at = slots.index(slot)
        distances = (abs(at - other) for other in crowded)
        return min((min(far, len(slots) - far) for far in distances), default=0)

    free = [slot for slot in mine if reps_in.get(slot, 0) == least]
    return max(free, key=lambda slot: (room(slot), -slot.first))
