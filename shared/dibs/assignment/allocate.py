"""What becomes of a new lead before it races (F6, F8-F10): kept for somebody who is owed one, or
seen first by those whose turn it is. Rights come from what is recorded here, with the lead.

With these rules off nothing is read. With them on the teams' snapshot and the day's turns are, both
kept for some time per process: they propose, and the lead's assignment judges again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dibs.assignment.head_starts import on_turn
from dibs.assignment.ports import PriorityTurns
from dibs.assignment.reservations import (
    Known,
    cohort,
    could_be_owed,
    drawn,
    for_cohort,
    kept_for,
    owed,
)
from dibs.assignment.round_robin import not_assignable
from dibs.core.calendar import day_of
from dibs.core.lead import Lead, Move, State, moved
from dibs.core.rep import Rep, Usage
from dibs.race.absence import Credit, using
from dibs.race.decide import Eligible, decide
from dibs.race.matching import mismatches
from dibs.race.opening import opening, races
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook

MOST_FIRST = 6
"""How many may see a lead first: the lock stays small."""


@dataclass(frozen=True)
class Allotted:
    """A new lead as it is to be stored, and the credit a head start on it uses up (F10)."""

    lead: Lead
    credit: Credit | None = None


Allot = Callable[[Lead, Playbook, datetime], Allotted]


def as_it_comes(lead: Lead, playbook: Playbook, now: datetime) -> Allotted:
    """Allot the lead to nobody in particular."""
    del playbook, now
    return Allotted(lead)


def allot(roster: Roster, turns: PriorityTurns) -> Allot:
    """Return what decides whom a new lead is kept for, or who sees it first."""

    def decided(lead: Lead, playbook: Playbook, now: datetime) -> Allotted:
        absence = playbook.absence if playbook.absence.hours_per_credit else None
        owes = playbook.newcomers.enabled or (absence and absence.earns == "reserved")
        ahead = absence is not None and absence.earns == "head_start"
        priority = playbook.priority
        by_turn = drawn(lead, "priority", priority.share_percent)
        if not (owes or ahead or by_turn):
            return Allotted(lead)
        members = [one for team in lead.teams for one in roster.team(team)]
        if owes:
            some = [one for one in members if could_be_owed(one[0], playbook, now)]
            reserved = kept_for(lead, able(lead, some, playbook, now), playbook, now)
            if reserved:
                # From now on it counts as waiting; nobody may claim it.
                return Allotted(replace(lead, reserved=reserved, closes_at=now, waves={}))
        if by_turn and races(lead, playbook):
            reps = _on_turn(lead, turns, playbook, now)
            start = timedelta(seconds=priority.head_start_seconds)
            first = _first(lead, [one for one in members if one[0].rep_id in reps], start, playbook)
            if first.first:
                return Allotted(first)
        if ahead and races(lead, playbook) and not lead.test:
            return _on_credit(lead, members, playbook, now)
        return Allotted(lead)

    return decided


def able(lead: Lead, members: Iterable[Known], playbook: Playbook, now: datetime) -> list[Known]:
    """Return who could be assigned the lead: it fits them, and they are on duty and have room."""
    return [
        (rep, usage)
        for rep, usage in members
        if not mismatches(lead, rep, playbook) and not not_assignable(rep, usage, playbook, now)
    ]


def raced_instead(
    lead: Lead,
    members: Iterable[Known],
    playbook: Playbook,
    now: datetime,
    open_leads: Callable[[], Iterable[Lead]],
) -> tuple[Lead, Move] | None:
    """Return a lead kept for somebody as it is opened for a race instead, with that step.

    For the cohort's, where it is one of those they race for, at least two of them can, and no
    more such leads are open than newcomers behind (F9). For everybody's, where nobody is owed one
    any more. None where it is to be assigned.
    """
    if lead.state is not State.NEW or lead.reserved not in ("newcomers", "absence"):
        return None
    free = able(lead, members, playbook, now)
    waiting = owed(lead.reserved, free, playbook, now)
    if not waiting:
        return _opened(replace(lead, reserved=""), playbook, now)
    if lead.reserved != "newcomers" or not for_cohort(lead, waiting, playbook, now):
        return None
    racing = _opened(replace(lead, reserved="cohort"), playbook, now)
    if racing is None:
        return None
    able_to_race = [
        rep
        for rep, usage in cohort(free, playbook, now)
        if isinstance(decide(racing[0], rep, usage, playbook, now), Eligible)
    ]
    if len(able_to_race) < 2:
        return None
    under_way = sum(
        one.reserved == "cohort" and set(one.teams) & set(lead.teams) != set()
        for one in open_leads()
    )
    return racing if under_way < len(able_to_race) else None


def _opened(lead: Lead, playbook: Playbook, now: datetime) -> tuple[Lead, Move] | None:
    if not races(lead, playbook):
        return None
    why = "cohort" if lead.reserved else "not_owed"
    return moved(opening(lead, playbook, now), State.OPEN, now, why, "dibs")


def _on_turn(lead: Lead, turns: PriorityTurns, playbook: Playbook, now: datetime) -> frozenset[str]:
    zones = {team: playbook.teams[team].zone for team in lead.teams if team in playbook.teams}
    days = {team: day_of(zone, now).first_day for team, zone in zones.items()}
    return frozenset(
        rep_id for team, day in days.items() for rep_id in on_turn(turns.of_day(team, day), now)
    )


def _first(
    lead: Lead, on: Sequence[tuple[Rep, Usage]], head_start: timedelta, playbook: Playbook
) -> Lead:
    """Return the lead as it opens first to those of `on` who can claim it; as it was if none can.

    Nobody gets a lead this way that they would not get at all. Where there are too many, some are
    drawn, by the lead.
    """
    now = lead.opens_at
    known = [(rep, usage) for rep, usage in on if lead.openings(rep.team)[rep.tier - 1] is not None]
    trial = replace(lead, first=tuple(rep.rep_id for rep, _ in known))
    trial = opening(trial, playbook, now, head_start)
    can = sorted(
        rep.rep_id
        for rep, usage in known
        if isinstance(decide(trial, rep, usage, playbook, now), Eligible)
    )
    if not can:
        return lead
    random.Random(f"first/{lead.lead_id}").shuffle(can)  # noqa: S311 - fairness, no secret
    return replace(trial, first=tuple(sorted(can[:MOST_FIRST])))


def _on_credit(lead: Lead, members: Sequence[Known], playbook: Playbook, now: datetime) -> Allotted:
    """Let one rep see the lead first for a credit of theirs: whose next one expires first."""
    found = []
    for rep, usage in members:
        credit = using(rep, usage, playbook, now)
        if credit is not None:
            found.append((credit.after[-1], rep.rep_id, rep, usage, credit))
    head_start = timedelta(seconds=playbook.absence.head_start_seconds)
    for *_, rep, usage, credit in sorted(found, key=lambda one: one[:2]):
        first = _first(lead, [(rep, usage)], head_start, playbook)
        if first.first:
            return Allotted(first, credit)
    return Allotted(lead)
