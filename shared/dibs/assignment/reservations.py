"""Reserve leads for newcomers (F8, F9), reps who were away (F10) and who owe an assignment (F2).

Pure. A new lead is reserved when a rep it fits is owed one. A moment later it is assigned to the
rep who is owed it most. If no rep is owed one any more by then, it is raced like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from dibs.assignment.pace import behind
from dibs.core.lead import ASSIGNED_ONLY, Lead, Reserved
from dibs.core.rep import Rep, Usage
from dibs.race.absence import credits_of
from dibs.race.debts import awaits_assignment
from dibs.race.newcomers import Phase, guaranteed, phase_of
from dibs.rules.rules import Rules

NEWCOMER, CREDIT, OWED = "newcomer", "absence_credit", "owed_assignment"
REASONS = {"newcomers": NEWCOMER, "absence": CREDIT, "acceptance": OWED}
"""Why a reserved lead was assigned, by whom it was reserved for."""

Known = tuple[Rep, Usage]


def in_share(lead: Lead, what: str, percent: int) -> bool:
    """Return whether a lead is in the share of `percent`: by its id, so always the same."""
    digest = hashlib.sha256(f"{what}/{lead.lead_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % 100 < percent


def could_be_owed(rep: Rep, playbook: Rules, now: datetime) -> bool:
    """Return whether a rep may be owed a lead; a cheap check that rules out most reps."""
    away = bool(playbook.absence.hours_per_credit and rep.leave)
    return away or guaranteed(rep, playbook, now) > 0


def kept_for(lead: Lead, free: Iterable[Known], playbook: Rules, now: datetime) -> Reserved:
    """Return which group a new lead is reserved for, given the reps it could be assigned to.

    Newcomers come first, then who was away, then who has to accept an assignment before their next
    claim (F2): so that debt can be paid also where every lead of the pool is claimed. Hot leads are
    reserved too, so that guaranteed leads are no worse than raced ones; test leads never are.
    """
    if lead.test:
        return ""
    members = list(free)
    for reserved in ASSIGNED_ONLY:
        if owed(reserved, members, playbook, now):
            return reserved
    return ""


def owed(reserved: Reserved, free: Iterable[Known], playbook: Rules, now: datetime) -> list[Rep]:
    """Return the reps who are owed a lead most, out of those it could be assigned to.

    Newcomers: those farthest behind their guarantee. Reps who were away: those whose credit
    expires first. Reps who owe an assignment: all who have none waiting. Several in a tie; empty
    when no rep is owed one.
    """
    if reserved == "newcomers" and playbook.newcomers.enabled:
        lag = [(behind(rep, usage, playbook, now), rep) for rep, usage in free]
        most = max((far for far, _ in lag), default=0)
        return [rep for far, rep in lag if far == most] if most else []
    if reserved == "absence" and playbook.absence.earns == "reserved":
        held = [(credits_of(rep, usage, playbook, now), rep) for rep, usage in free]
        ends = [
            (credit.expires_on, rep) for credit, rep in held if credit.due and credit.expires_on
        ]
        soonest = min((day for day, _ in ends), default=None)
        return [rep for day, rep in ends if day == soonest]
    if reserved == "acceptance":
        return [rep for rep, usage in free if awaits_assignment(usage, playbook)]
    return []


def cohort(free: Iterable[Known], playbook: Rules, now: datetime) -> list[Known]:
    """Return the newcomers who race among themselves (F9)."""
    return [(rep, usage) for rep, usage in free if phase_of(rep, playbook, now) is Phase.COHORT]


def for_cohort(lead: Lead, waiting: Sequence[Rep], playbook: Rules, now: datetime) -> bool:
    """Return whether the cohort races for a lead that is owed to these newcomers (F9)."""
    racing = all(phase_of(rep, playbook, now) is Phase.COHORT for rep in waiting)
    return bool(waiting) and racing and in_share(lead, "cohort", playbook.newcomers.raced_percent)
