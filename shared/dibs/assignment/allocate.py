"""Decide, before a new lead races, whether it is reserved or whether some reps see it first.

It is reserved for newcomers (F8, F9), for reps who were away (F10) or for reps who have to accept
an assignment (F2) while one of them is due a lead. Reps with a priority turn (F6) or an absence
credit (F10) get a head start. The decision is stored with the lead.

With these rules off nothing is read. With them on, the teams' snapshot and the day's turns are
read, both cached per process for some time. They only propose: the assignment checks again.
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
    for_cohort,
    in_share,
    kept_for,
    owed,
)
from dibs.assignment.round_robin import not_assignable
from dibs.core.calendar import day_of
from dibs.core.lead import ASSIGNED_ONLY, Lead, State, Transition, moved
from dibs.race.absence import Credit, using
from dibs.race.debts import awaits_assignment
from dibs.race.decide import Eligible, decide
from dibs.race.matching import mismatches
from dibs.race.opening import opening, races
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook

MOST_FIRST = 6
"""How many reps may get a head start on a lead; the limit keeps the lead item small."""


@dataclass(frozen=True)
class Allocation:
    """A new lead to be stored, and the absence credit its head start uses up (F10)."""

    lead: Lead
    credit: Credit | None = None


Allot = Callable[[Lead, Playbook, datetime], Allocation]


def as_it_comes(lead: Lead, playbook: Playbook, now: datetime) -> Allocation:
    """Return the lead unchanged: reserved for no rep, and no head start."""
    del playbook, now
    return Allocation(lead)


def allot(roster: Roster, turns: PriorityTurns) -> Allot:
    """Return the function that decides whom a new lead is reserved for, or who sees it first."""

    def decided(lead: Lead, playbook: Playbook, now: datetime) -> Allocation:
        absence = playbook.absence if playbook.absence.hours_per_credit else None
        may_reserve = playbook.newcomers.enabled or (absence and absence.earns == "reserved")
        may_reserve = may_reserve or bool(playbook.acceptance.claims_per_assignment)
        by_credit = absence is not None and absence.earns == "head_start"
        priority = playbook.priority
        by_turn = in_share(lead, "priority", priority.share_percent)
        if not (may_reserve or by_credit or by_turn):
            return Allocation(lead)
        members = [member for team in lead.teams for member in roster.team(team)]
        if may_reserve:
            some = [
                (rep, usage)
                for rep, usage in members
                if could_be_owed(rep, playbook, now) or awaits_assignment(usage, playbook)
            ]
            reserved = kept_for(lead, able(lead, some, playbook, now), playbook, now)
            if reserved:
                # It waits to be assigned from now on and cannot be claimed.
                return Allocation(replace(lead, reserved_for=reserved, closes_at=now, waves={}))
        if by_turn and races(lead, playbook):
            # A lead of the night goes first to who has the turn when it opens.
            rep_ids = _on_turn(lead, turns, playbook, max(now, lead.opens_at))
            on_turn_now = [(rep, usage) for rep, usage in members if rep.rep_id in rep_ids]
            start = timedelta(seconds=priority.head_start_seconds)
            opened = _with_head_start(lead, on_turn_now, start, playbook)
            if opened.head_start_reps:
                return Allocation(opened)
        if by_credit and races(lead, playbook) and not lead.test:
            return _on_credit(lead, members, playbook, now)
        return Allocation(lead)

    return decided


def able(lead: Lead, members: Iterable[Known], playbook: Playbook, now: datetime) -> list[Known]:
    """Return the reps the lead fits who are on duty and below their limits."""
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
) -> tuple[Lead, Transition] | None:
    """Open a reserved lead for a race instead; return it with its transition, None to assign it.

    It is raced by all reps when no rep is owed a lead any more. It is raced by the newcomers'
    cohort (F9) when it is in the share they race for, at least two of them can claim it, and fewer
    cohort races are open than newcomers who can claim it.
    """
    if lead.state is not State.NEW or lead.reserved_for not in ASSIGNED_ONLY:
        return None
    free = able(lead, members, playbook, now)
    waiting = owed(lead.reserved_for, free, playbook, now)
    if not waiting:
        return _opened(replace(lead, reserved_for=""), playbook, now)
    if lead.reserved_for != "newcomers" or not for_cohort(lead, waiting, playbook, now):
        return None
    racing = _opened(replace(lead, reserved_for="cohort"), playbook, now)
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
        other.reserved_for == "cohort" and set(other.teams) & set(lead.teams) != set()
        for other in open_leads()
    )
    return racing if under_way < len(able_to_race) else None


def _opened(lead: Lead, playbook: Playbook, now: datetime) -> tuple[Lead, Transition] | None:
    if not races(lead, playbook):
        return None
    why = "cohort" if lead.reserved_for else "not_owed"
    return moved(opening(lead, playbook, now), State.OPEN, now, why, "dibs")


def _on_turn(lead: Lead, turns: PriorityTurns, playbook: Playbook, now: datetime) -> frozenset[str]:
    zones = {team: playbook.teams[team].zone for team in lead.teams if team in playbook.teams}
    days = {team: day_of(zone, now).first_day for team, zone in zones.items()}
    return frozenset(
        rep_id for team, day in days.items() for rep_id in on_turn(turns.of_day(team, day), now)
    )


def _with_head_start(
    lead: Lead, members: Sequence[Known], head_start: timedelta, playbook: Playbook
) -> Lead:
    """Return the lead with a head start for the members who can claim it; unchanged if none can.

    A head start never lets a rep claim a lead they could not claim later. Where more than
    `MOST_FIRST` can, some are drawn at random, always the same ones for a lead.
    """
    now = lead.opens_at
    offered = [
        (rep, usage) for rep, usage in members if lead.openings(rep.team)[rep.tier - 1] is not None
    ]
    trial = replace(lead, head_start_reps=tuple(rep.rep_id for rep, _ in offered))
    trial = opening(trial, playbook, now, head_start)
    can = sorted(
        rep.rep_id
        for rep, usage in offered
        if isinstance(decide(trial, rep, usage, playbook, now), Eligible)
    )
    if not can:
        return lead
    random.Random(f"first/{lead.lead_id}").shuffle(can)  # noqa: S311 - fairness, no secret
    return replace(trial, head_start_reps=tuple(sorted(can[:MOST_FIRST])))


def _on_credit(
    lead: Lead, members: Sequence[Known], playbook: Playbook, now: datetime
) -> Allocation:
    """Give one rep a head start for an absence credit: the rep whose next credit expires first."""
    holders = []
    for rep, usage in members:
        credit = using(rep, usage, playbook, now)
        if credit is not None:
            holders.append((credit.after[-1], rep.rep_id, rep, usage, credit))
    head_start = timedelta(seconds=playbook.absence.head_start_seconds)
    for *_, rep, usage, credit in sorted(holders, key=lambda holder: holder[:2]):
        opened = _with_head_start(lead, [(rep, usage)], head_start, playbook)
        if opened.head_start_reps:
            return Allocation(opened, credit)
    return Allocation(lead)
