"""Recover dropped work each minute (C7, O1, O9): events stuck in the outbox, waves not notified,
windows that closed unnoticed, leads not worked. Running twice changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from dibs.assignment.ports import Holdings
from dibs.assignment.work import look_after
from dibs.core.calendar import off_duty
from dibs.core.events import LATE_AFTER, LeadEvent
from dibs.core.lead import Lead, State, moved
from dibs.core.ports import Bus
from dibs.dispatch.late_notices import ON_ITS_WAY, without_notice
from dibs.dispatch.notice_groups import last_group_after
from dibs.intake.ports import LeadStore, Pending
from dibs.offers.ports import OfferStore
from dibs.race.decide import schedule_of_team
from dibs.race.draw import draw_is_due
from dibs.race.opening import latest_opening, next_opening, somebody_out
from dibs.race.ports import RaceStore
from dibs.roster.ports import Roster

SLICE = 50


@dataclass(frozen=True)
class SweepResult:
    """How much one sweep did, by kind of work; `queued` wait in their team's hours."""

    republished: int
    replanned: int
    expired: int
    nudged: int
    returned: int
    queued: int
    untold: int


def relay(pending: list[Pending], store: LeadStore, bus: Bus) -> None:
    """Publish events and clear them from the outbox. At least once; consumers are idempotent."""
    bus.publish([item.event for item in pending if item.event is not None])
    for item in pending:
        store.clear_outbox(item)


def sweep(
    store: LeadStore,
    race: RaceStore,
    holdings: Holdings,
    roster: Roster,
    offers: OfferStore,
    bus: Bus,
    now: datetime,
) -> SweepResult:
    """Repeat what is overdue by `LATE_AFTER`: stuck events, waves not notified, draws (C10).

    Also close expired windows, have reps told who may claim and were not (C13), take back leads not
    worked (C11), and serve the queue, since a rep may have become free (C7).
    """
    late = now - LATE_AFTER
    republished, stuck = 0, iter(store.waiting_in_outbox(late))
    # Slice by slice, so that a run that ends early has still worked off a part.
    while waiting := list(islice(stuck, SLICE)):
        relay(waiting, store, bus)
        republished += len(waiting)
    expired, again, untold = 0, list[LeadEvent](), list[LeadEvent]()
    open_leads = store.open_leads()
    race.put_open(open_leads, now)
    for lead in open_leads:
        if draw_is_due(lead, late):
            again.append(LeadEvent("lead.opened", lead.lead_id, lead.epoch))
        elif lead.state is State.OPEN and now >= lead.closes_at:
            expired += close(lead, store, now)
        elif not_notified(lead, late):
            again.append(LeadEvent("lead.opened", lead.lead_id, lead.epoch))
        elif _may_open_early(lead, roster, now):
            again.append(LeadEvent("lead.check", lead.lead_id, lead.epoch))
        elif _somebody_untold(lead, open_leads, roster, offers, now):
            untold.append(LeadEvent("lead.check", lead.lead_id, lead.epoch))
    queue = holdings.queued()
    # One event is enough: it serves the whole queue, oldest first.
    bus.publish(
        [
            *again,
            *untold,
            *(LeadEvent("lead.queued", lead.lead_id, lead.epoch) for lead in queue[:1]),
        ]
    )
    nudged, returned = look_after(race, holdings, bus, lambda: now)
    unassigned = sum(_at_work(lead, roster, now) for lead in queue)
    return SweepResult(republished, len(again), expired, nudged, returned, unassigned, len(untold))


def _at_work(lead: Lead, roster: Roster, now: datetime) -> bool:
    """Return whether a team of the lead works now: at night a lead may wait (R11)."""
    playbook = roster.playbook()
    ours = [team for team in lead.teams if team in playbook.teams] or list(playbook.teams)
    return any(off_duty(schedule_of_team(playbook, team), now) is None for team in ours)


def not_notified(lead: Lead, late: datetime) -> bool:
    """Return whether a wave opened before `late` whose reps were not notified."""
    opened = latest_opening(lead, late)
    return opened is not None and (lead.notified_until is None or lead.notified_until < opened)


def _may_open_early(lead: Lead, roster: Roster, now: datetime) -> bool:
    """Return whether the offer step should check the lead; it also knows who declined (M6)."""
    if next_opening(lead, now) is None:
        return False
    members = [member for team in lead.teams for member in roster.team(team)]
    return somebody_out(lead, members, roster.playbook(), now)


def _somebody_untold(
    lead: Lead, open_leads: list[Lead], roster: Roster, offers: OfferStore, now: datetime
) -> bool:
    """Return whether a rep may claim the lead and has no notice of it, and none on its way."""
    if lead.notified_until is None or now < lead.notified_until + ON_ITS_WAY:
        return False
    members = [member for team in lead.teams for member in roster.team(team)]
    playbook = roster.playbook()
    on_its_way = ON_ITS_WAY + last_group_after(len(members), playbook.notices)
    if now < lead.notified_until + on_its_way:
        return False
    return bool(without_notice(lead, members, offers, playbook, now, lambda: open_leads))


def close(lead: Lead, store: LeadStore, now: datetime) -> bool:
    """Expire a lead that no rep claimed in its window; False when one did after all.

    A lead with claims waiting for its draw does not expire (C10).
    """
    _, expired = moved(lead, State.EXPIRED, now, "window_closed", "clock")
    return store.expire(lead, expired)
