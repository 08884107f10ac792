"""Leads kept out of the race for who is owed one: newcomers (F8, F9), and who was away (F10). Pure.

A lead is kept as it comes in, when somebody it fits is owed one, and given to whom it is owed most
a moment later. If nobody is owed one any more by then, it is raced for like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from dibs.assignment.pace import behind
from dibs.core.lead import Lead, Reserved
from dibs.core.rep import Rep, Usage
from dibs.race.absence import credits_of
from dibs.race.newcomers import Phase, guaranteed, phase_of
from dibs.rules.rules import Rules

NEWCOMER, CREDIT = "newcomer", "absence_credit"
REASONS = {"newcomers": NEWCOMER, "absence": CREDIT}
"""Why a lead was assigned that was kept for somebody, by whom it was kept for."""

RACED_PERCENT = 50
"""Of the leads owed to newcomers of the cohort, the share they race for among themselves."""

Known = tuple[Rep, Usage]


def drawn(lead: Lead, what: str, percent: int) -> bool:
    """Tell whether a lead is of the share of `percent`: by its id, so always the same."""
    digest = hashlib.sha256(f"{what}/{lead.lead_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % 100 < percent


def could_be_owed(rep: Rep, playbook: Rules, now: datetime) -> bool:
    """Tell, at a glance, whether a rep may be owed a lead: most are neither new nor were away."""
    away = bool(playbook.absence.hours_per_credit and rep.leave)
    return away or guaranteed(rep, playbook, now) > 0


def kept_for(lead: Lead, free: Iterable[Known], playbook: Rules, now: datetime) -> Reserved:
    """Return whom a new lead is kept for, of those who could be assigned it: newcomers first.

    Hot leads as well: what is guaranteed is no worse than what is raced for. No test leads.
    """
    if lead.test:
        return ""
    known = list(free)
    for reserved in ("newcomers", "absence"):
        if owed(reserved, known, playbook, now):
            return reserved
    return ""


def owed(reserved: Reserved, free: Iterable[Known], playbook: Rules, now: datetime) -> list[Rep]:
    """Return who is owed a lead the most, of those who could be assigned one: nobody, or several.

    Newcomers by how far they are behind their guarantee, the others by whose credits go first.
    """
    if reserved == "newcomers" and playbook.newcomers.enabled:
        lag = [(behind(rep, usage, playbook, now), rep) for rep, usage in free]
        most = max((far for far, _ in lag), default=0)
        return [rep for far, rep in lag if far == most] if most else []
    if reserved == "absence" and playbook.absence.earns == "reserved":
        held = [(credits_of(rep, usage, playbook, now), rep) for rep, usage in free]
        ends = [(one.expires_on, rep) for one, rep in held if one.due and one.expires_on]
        soonest = min((day for day, _ in ends), default=None)
        return [rep for day, rep in ends if day == soonest]
    return []


def cohort(free: Iterable[Known], playbook: Rules, now: datetime) -> list[Known]:
    """Return the newcomers who race among themselves (F9)."""
    return [one for one in free if phase_of(one[0], playbook, now) is Phase.COHORT]


def for_cohort(lead: Lead, waiting: Sequence[Rep], playbook: Rules, now: datetime) -> bool:
    """Tell whether a lead owed to these newcomers is one of those the cohort races for."""
    racing = all(phase_of(rep, playbook, now) is Phase.COHORT for rep in waiting)
    return bool(waiting) and racing and drawn(lead, "cohort", RACED_PERCENT)
