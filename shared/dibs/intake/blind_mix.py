"""Release a share of the leads blind (F4), in the mix the playbook asks for, and report it (F5)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dibs.core.calendar import week_of
from dibs.core.errors import Busy
from dibs.core.lead import Lead
from dibs.intake.blind import Arrived, Part, chances, drawn, mix
from dibs.intake.ports import Arrivals
from dibs.race.opening import races
from dibs.rules.playbook import Playbook

ZONE = "UTC"
"""Where the weeks of the count begin: it is one for all teams."""


@dataclass(frozen=True)
class MixReport:
    """The blind mix reached in some weeks, and the share of all leads it was, in percent."""

    weeks: tuple[str, ...]
    parts: tuple[Part, ...]
    percent: float | None
    wanted: int


def blind_or_not(lead: Lead, playbook: Playbook, arrivals: Arrivals) -> Lead:
    """Return a new lead, blind if it is drawn; to be asked before its windows are set."""
    if not _takes_part(lead, playbook):
        return lead
    seen = Arrived()
    with suppress(Busy):  # no lead waits for a count: all qualities are taken to come alike
        seen = arrivals.lately(lead.received_at)
    return replace(lead, blind=drawn(lead.salt, chances(seen.seen, playbook.blind)[lead.quality]))


def count_arrival(lead: Lead, playbook: Playbook, arrivals: Arrivals) -> None:
    """Count a lead that was stored, once; a crash before this loses one count, never a lead."""
    if _takes_part(lead, playbook):
        with suppress(Busy):
            arrivals.count(lead.quality, lead.blind, lead.received_at)


def _takes_part(lead: Lead, playbook: Playbook) -> bool:
    """Tell whether the lead may be blind: it is a real one, and reps race for it."""
    on, raced = bool(playbook.blind.share_percent), lead.reserved in ("", "cohort")
    return on and raced and not lead.test and races(lead, playbook)


def mix_reached(arrivals: Arrivals, playbook: Playbook, weeks: int, now: datetime) -> MixReport:
    """Return the mix of the latest weeks, this one with them, beside the one asked for now."""
    names = tuple(week_of(ZONE, now - timedelta(weeks=ago)).name for ago in range(weeks))
    found = sum(arrivals.of_weeks(names), Arrived())
    seen, blind = sum(found.seen.values()), sum(found.blind.values())
    return MixReport(
        weeks=names,
        parts=tuple(mix(found, playbook.blind)),
        percent=round(100 * blind / seen, 1) if seen else None,
        wanted=playbook.blind.share_percent,
    )
