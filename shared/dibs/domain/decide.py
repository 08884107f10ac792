"""The one decision: may this rep have this lead now?

The same function picks whom to notify, judges a claim, and tells a rep on any screen why or why
not. It is pure: the lead, the rep, what the rep has used up, the rules and the time go in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dibs.domain.errors import Refusal, lifts_at
from dibs.domain.leads import Lead
from dibs.domain.playbook import Playbook
from dibs.domain.reps import Limits, Rep


@dataclass(frozen=True)
class Eligible:
    """The rep may claim, and has been able to since `since`."""

    since: datetime


@dataclass(frozen=True)
class Refused:
    """Every rule that says no, in the order a person would want to hear them."""

    refusals: tuple[Refusal, ...]

    @property
    def lifts_at(self) -> datetime | None:
        return lifts_at(self.refusals)


Verdict = Eligible | Refused


def decide(lead: Lead, rep: Rep, limits: Limits, playbook: Playbook, now: datetime) -> Verdict:
    """Judge whether `rep` may claim `lead` at `now` (C2).

    The lead is taken to be open; whether it was already claimed is for the lock to say.
    """
    refusals: list[Refusal] = []
    if rep.team not in lead.teams:
        refusals.append(Refusal("not_routed", None, "This lead goes to other teams."))
    if not rep.active:
        refusals.append(Refusal("left", None, "Your account is closed. Ask your manager."))
    if now < lead.opens_at:
        refusals.append(
            Refusal("not_open_yet", lead.opens_at, "Your window for this lead opens soon.")
        )
    if now >= lead.closes_at:
        refusals.append(Refusal("closed", None, "The window for this lead has closed."))
    if rep.paused_until is not None and now < rep.paused_until:
        refusals.append(
            Refusal("paused", rep.paused_until, "You are paused. Switch yourself on to claim.")
        )
    today = rep.today(now)
    if not lead.test and limits.claims_on(today) >= playbook.claims_per_day:
        refusals.append(
            Refusal(
                "daily_limit",
                day_after(max(today, limits.day or today), rep.zone),
                f"You have reached your limit for today ({playbook.claims_per_day}). "
                "The count starts again at midnight in your time zone.",
            )
        )
    return Refused(tuple(refusals)) if refusals else Eligible(lead.opens_at)


def day_after(day: date, zone: str) -> datetime:
    """Return, in UTC, the first moment of the zone's next calendar day (DST-correct)."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)
