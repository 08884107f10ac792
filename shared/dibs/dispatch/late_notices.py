"""Who may claim an open lead and has not been told of it (C13).

The record of a notice is the mark that a rep was told. So this finds both who became eligible after
their wave (a pause or leave ended, a shift began, a limit lifted, they joined the team) and whose
batch was lost on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from dibs.core.lead import Lead, State
from dibs.core.rep import Rep, Usage
from dibs.offers.audience import may_be_told, reachable
from dibs.offers.ports import OfferStore
from dibs.race.decide import Eligible, Refused, decide, decide_knowing
from dibs.rules.playbook import Playbook

ON_ITS_WAY = timedelta(seconds=10)
"""So long after a wave its batches may still be under way, and their notices not recorded."""


def without_notice(
    lead: Lead,
    members: Iterable[tuple[Rep, Usage]],
    offers: OfferStore,
    playbook: Playbook,
    now: datetime,
    open_leads: Callable[[], Iterable[Lead]],
) -> list[Rep]:
    """Return the reps who may claim the lead now, whose wave was notified, and who have no notice.

    Who wants quiet is told when it ends (R8).
    """
    until = lead.notified_until
    if lead.state is not State.OPEN or until is None or now >= lead.closes_at:
        return []
    found = [
        rep
        for rep, usage in members
        if (opens_at := lead.opens_for(rep)) is not None
        and opens_at <= min(until, now)
        and reachable(lead, rep, playbook, now)
        and isinstance(decide_knowing(lead, rep, usage, playbook, now, open_leads)[0], Eligible)
    ]
    if not found:
        return []
    told = offers.notices(lead.lead_id, lead.epoch, [rep.rep_id for rep in found])
    return [rep for rep in found if rep.rep_id not in told]


def next_lift(
    lead: Lead, members: Iterable[tuple[Rep, Usage]], playbook: Playbook, now: datetime
) -> datetime | None:
    """Return when the next rep becomes eligible by the clock alone, None if none does in time."""
    verdicts = [
        (rep, decide(lead, rep, usage, playbook, now))
        for rep, usage in members
        if may_be_told(lead, rep, playbook)
    ]
    lifts = [
        rep.quiet_until if isinstance(verdict, Eligible) else verdict.lifts_at
        for rep, verdict in verdicts
        if isinstance(verdict, Refused) or rep.is_quiet(now)
    ]
    return min((at for at in lifts if at is not None and now < at < lead.closes_at), default=None)
