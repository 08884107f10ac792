"""How newcomers come into the race, by weeks since they joined (F8, F9). Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

from dibs.core.calendar import day_start
from dibs.core.errors import Refusal
from dibs.core.lead import Lead
from dibs.core.rep import Rep
from dibs.rules.rules import Rules


class Phase(StrEnum):
    """A newcomer's phases (F9): by default weeks 1-4, 5-8, 9-12, and from week 13 on.

    `assigned`: no race. `cohort`: races only among newcomers. `protected`: races, but results do
    not count. `full`: no longer a newcomer.
    """

    ASSIGNED = "assigned"
    COHORT = "cohort"
    PROTECTED = "protected"
    FULL = "full"


def phase_of(rep: Rep, playbook: Rules, now: datetime) -> Phase:
    """Return a rep's phase (F9); a rep without a first day on record is not a newcomer."""
    rules = playbook.newcomers
    if not rules.enabled or rep.joined_on is None:
        return Phase.FULL
    return _phase_on(rep.today(now), rep.joined_on, playbook)


def _phase_on(day: date, joined: date, playbook: Rules) -> Phase:
    rules, weeks = playbook.newcomers, (day - joined).days // 7
    if weeks < rules.assigned_weeks:
        return Phase.ASSIGNED
    if weeks < rules.cohort_weeks:
        return Phase.COHORT
    return Phase.PROTECTED if weeks < rules.protected_weeks else Phase.FULL


def phase_until(rep: Rep, playbook: Rules, now: datetime) -> datetime | None:
    """Return when a newcomer's phase ends, None in the last one."""
    rules = playbook.newcomers
    weeks = {
        Phase.ASSIGNED: rules.assigned_weeks,
        Phase.COHORT: rules.cohort_weeks,
        Phase.PROTECTED: rules.protected_weeks,
    }.get(phase_of(rep, playbook, now))
    return None if weeks is None else _week(rep, weeks)


def guaranteed(rep: Rep, playbook: Rules, now: datetime) -> int:
    """Return how many leads a week a newcomer is guaranteed, 0 for other reps (F8)."""
    rules = playbook.newcomers
    if not rules.enabled or rep.joined_on is None:
        return 0
    return rules.per_week if (rep.today(now) - rep.joined_on).days < rules.until_day else 0


def protected(joined: date | None, day: date, playbook: Rules) -> bool:
    """Tell whether a rep's results on `day` do not count for tiers and boards (F9)."""
    if not playbook.newcomers.enabled or joined is None:
        return False
    return _phase_on(day, joined, playbook) is not Phase.FULL


def counted_from(joined: date | None, playbook: Rules) -> date | None:
    """Return the first day from which a rep's results count, None if all do (F9)."""
    if not playbook.newcomers.enabled or joined is None:
        return None
    return joined + timedelta(weeks=playbook.newcomers.protected_weeks)


def not_in_phase(lead: Lead, rep: Rep, playbook: Rules, now: datetime) -> list[Refusal]:
    """Refuse newcomers who may not race for this lead yet, and others a lead for newcomers (F9)."""
    phase, rules = phase_of(rep, playbook, now), playbook.newcomers
    if not rules.enabled:
        return []
    if phase is Phase.ASSIGNED:
        return [
            Refusal(
                "newcomer",
                _week(rep, rules.assigned_weeks),
                "You are new: in your first weeks leads come to you by assignment.",
            )
        ]
    if phase is Phase.COHORT and lead.reserved_for != "cohort":
        return [
            Refusal(
                "newcomer",
                _week(rep, rules.cohort_weeks),
                "You are new: for now you race among newcomers only.",
            )
        ]
    if phase is not Phase.COHORT and lead.reserved_for == "cohort":
        return [Refusal("newcomers_only", None, "Only newcomers can claim this lead.")]
    return []


def _week(rep: Rep, weeks: int) -> datetime:
    """Return when `weeks` weeks have passed since the rep joined."""
    joined = rep.joined_on or date.min
    return day_start(joined + timedelta(weeks=weeks), rep.zone)
