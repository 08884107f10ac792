"""Bring back what was dropped (C7, O1): facts that never left, openings never planned, windows
that closed unseen. Runs each minute; running twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from dibs.domain.leads import Lead, State, moved
from dibs.usecases.ports import Bus, Fact, LeadStore, Pending, Timers

# Younger ones are still on their ordinary way.
PATIENCE = timedelta(seconds=45)
SLICE = 50


@dataclass(frozen=True)
class Swept:
    """What one sweep found to do."""

    republished: int
    replanned: int
    expired: int


def relay(pending: list[Pending], store: LeadStore, bus: Bus) -> None:
    """Publish facts and take them out of the outbox. At least once; consumers are idempotent."""
    bus.publish([item.fact for item in pending if item.fact is not None])
    for item in pending:
        store.clear_outbox(item)


def sweep(store: LeadStore, bus: Bus, now: datetime) -> Swept:
    """Re-drive everything older than `PATIENCE` that has not reached where it was going."""
    late = now - PATIENCE
    republished, stuck = 0, iter(store.waiting_in_outbox(late))
    # Slice by slice, so that a run that ends early has got on with a long backlog.
    while waiting := list(islice(stuck, SLICE)):
        relay(waiting, store, bus)
        republished += len(waiting)
    expired, unplanned = 0, []
    for lead in store.open_leads():
        if lead.state is State.OPEN and now >= lead.closes_at:
            expired += close(lead, store, now)
        elif lead.planned_epoch < lead.epoch and lead.opens_at < late:
            unplanned.append(Fact("lead.opened", lead.lead_id, lead.epoch))
    bus.publish(unplanned)
    return Swept(republished, len(unplanned), expired)


def closing(
    lead_id: str, epoch: int, store: LeadStore, timers: Timers, clock: Callable[[], datetime]
) -> None:
    """Answer a closing timer: expire the lead when it is due, wait on when it is not."""
    lead = store.get(lead_id)
    now = clock()
    if lead is None or lead.epoch != epoch or lead.state is not State.OPEN:
        return
    if now < lead.closes_at:
        timers.close_at(lead, now)
    else:
        close(lead, store, now)


def close(lead: Lead, store: LeadStore, now: datetime) -> bool:
    """Record that nobody claimed the lead in its window; False when somebody did after all."""
    _, expired = moved(lead, State.EXPIRED, now, "window_closed", "clock")
    return store.expire(lead, expired)
