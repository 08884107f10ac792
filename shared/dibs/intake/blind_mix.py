"""Release a share of the leads blind (F4), in the mix the playbook wants, and report it (F5)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dibs.core.calendar import week_of
from dibs.core.errors import Busy
from dibs.core.lead import Lead
from dibs.intake.blind import ArrivalCounts, Part, chances, is_blind, mix
from dibs.intake.ports import Arrivals
from dibs.race.opening import races
from dibs.rules.playbook import Playbook

ZONE = "UTC"
"""Time zone of the counted weeks: one for all teams."""


@dataclass(frozen=True)
class MixReport:
    """The blind mix of some weeks: `percent` of all leads were blind, `wanted` is the rule's."""

    weeks: tuple[str, ...]
    parts: tuple[Part, ...]
    percent: float | None
    wanted: int


def blind_or_not(lead: Lead, playbook: Playbook, arrivals: Arrivals) -> Lead:
    """Return a new lead, made blind if it is drawn; call before its windows are set."""
    if not _takes_part(lead, playbook):
        return lead
    seen = ArrivalCounts()
    with suppress(Busy):  # no lead waits for a count: without one all qualities are equally likely
        seen = arrivals.lately(lead.received_at)
    return replace(
        lead, blind=is_blind(lead.salt, chances(seen.seen, playbook.blind)[lead.quality])
    )


def count_arrival(lead: Lead, playbook: Playbook, arrivals: Arrivals) -> None:
    """Count a stored lead once; a crash before this loses one count, never a lead."""
    if _takes_part(lead, playbook):
        with suppress(Busy):
            arrivals.count(lead.quality, lead.blind, lead.received_at)


def _takes_part(lead: Lead, playbook: Playbook) -> bool:
    """Return whether the lead may be blind: it is no test lead, and reps race for it."""
    on, raced = bool(playbook.blind.share_percent), lead.reserved_for in ("", "cohort")
    return on and raced and not lead.test and races(lead, playbook)


def mix_reached(arrivals: Arrivals, playbook: Playbook, weeks: int, now: datetime) -> MixReport:
    """Return the mix of the latest weeks, including this one, beside the mix wanted now."""
    names = tuple(week_of(ZONE, now - timedelta(weeks=ago)).name for ago in range(weeks))
    arrived = sum(arrivals.of_weeks(names), ArrivalCounts())
    seen, blind = sum(arrived.seen.values()), sum(arrived.blind.values())
    return MixReport(
        weeks=names,
        parts=tuple(mix(arrived, playbook.blind)),
        percent=round(100 * blind / seen, 1) if seen else None,
        wanted=playbook.blind.share_percent,
    )
