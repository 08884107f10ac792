"""Bring back what was dropped (C7, O1): facts that never left, waves never told, windows that
closed unseen, leads not worked. Runs each minute; running twice changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from dibs.assignment.ports import Holdings
from dibs.assignment.work import look_after
from dibs.core.events import PATIENCE, Fact
from dibs.core.lead import Lead, State, moved
from dibs.core.ports import Bus
from dibs.intake.ports import LeadStore, Pending
from dibs.race.draw import draw_is_due
from dibs.race.opening import latest_opening, next_opening, somebody_out
from dibs.race.ports import RaceStore
from dibs.roster.ports import Roster

SLICE = 50


@dataclass(frozen=True)
class Swept:
    """What one sweep found to do."""

    republished: int
    replanned: int
    expired: int
    nudged: int
    returned: int
    queued: int


def relay(pending: list[Pending], store: LeadStore, bus: Bus) -> None:
    """Publish facts and take them out of the outbox. At least once; consumers are idempotent."""
    bus.publish([item.fact for item in pending if item.fact is not None])
    for item in pending:
        store.clear_outbox(item)


def sweep(
    store: LeadStore, race: RaceStore, holdings: Holdings, roster: Roster, bus: Bus, now: datetime
) -> Swept:
    """Re-drive everything older than `PATIENCE` that has not reached where it was going.

    Waves that were not told, draws not made (C10), windows that closed unseen, leads not worked
    (C11), and a queue that somebody may have become free for (C7).
    """
    late = now - PATIENCE
    republished, stuck = 0, iter(store.waiting_in_outbox(late))
    # Slice by slice, so that a run that ends early has got on with a long backlog.
    while waiting := list(islice(stuck, SLICE)):
        relay(waiting, store, bus)
        republished += len(waiting)
    expired, again = 0, list[Fact]()
    for lead in store.open_leads():
        if draw_is_due(lead, late):
            again.append(Fact("lead.opened", lead.lead_id, lead.epoch))
        elif lead.state is State.OPEN and now >= lead.closes_at:
            expired += close(lead, store, now)
        elif untold(lead, late):
            again.append(Fact("lead.opened", lead.lead_id, lead.epoch))
        elif _may_open_early(lead, roster, now):
            again.append(Fact("lead.check", lead.lead_id, lead.epoch))
    queue = holdings.queued()
    # One of them stands for all: the whole queue is served, oldest first.
    bus.publish([*again, *(Fact("lead.queued", one.lead_id, one.epoch) for one in queue[:1])])
    nudged, returned = look_after(race, holdings, bus, lambda: now)
    return Swept(republished, len(again), expired, nudged, returned, len(queue))


def untold(lead: Lead, late: datetime) -> bool:
    """Tell whether a wave opened before `late` whose reps were not told."""
    opened = latest_opening(lead, late)
    return opened is not None and (lead.told_at is None or lead.told_at < opened)


def _may_open_early(lead: Lead, roster: Roster, now: datetime) -> bool:
    """Tell whether the offer step should look; it also knows who declined."""
    if next_opening(lead, now) is None:
        return False
    members = [member for team in lead.teams for member in roster.team(team)]
    return somebody_out(lead, members, roster.playbook(), now)


def close(lead: Lead, store: LeadStore, now: datetime) -> bool:
    """Record that nobody claimed the lead in its window; False when somebody did after all.

    Who is in its draw has claimed (C10): before that it does not close.
    """
    _, expired = moved(lead, State.EXPIRED, now, "window_closed", "clock")
    return store.expire(lead, expired)
