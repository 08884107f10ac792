"""Worked or returned (C11): who holds a lead and does nothing is reminded, then loses it.

Leavers' leads go back the same way (R8).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from dibs.domain.errors import Busy, LeadNotFound, NotYours
from dibs.domain.leads import HELD, Lead, State
from dibs.domain.opening import given_back
from dibs.usecases.claim import Proof
from dibs.usecases.ports import Bus, Fact, Holdings
from dibs.usecases.race import RaceStore

TRIES = 6

NOT_WORKED = "not_worked"
LEFT = "left"


def look_after(
    race: RaceStore, holdings: Holdings, bus: Bus, clock: Callable[[], datetime]
) -> tuple[int, int]:
    """Remind who is due a reminder and return what was not worked in time; return how many."""
    nudges, returned = 0, 0
    for lead in holdings.unworked(clock()):
        if lead.owner is None or lead.return_at is None or lead.worked_at is not None:
            continue
        if clock() >= lead.return_at:
            back = give_back(race, holdings, lead.lead_id, lead.owner, NOT_WORKED, "clock", clock)
            returned += back is not None
        elif holdings.nudged(lead):
            bus.publish([Fact("lead.unworked", lead.lead_id, lead.epoch, lead.owner)])
            nudges += 1
    return nudges, returned


def let_go(
    race: RaceStore, holdings: Holdings, rep_id: str, by: str, clock: Callable[[], datetime]
) -> int:
    """Give back every lead a leaver holds and is not done with (R8); return how many."""
    backs = [
        give_back(race, holdings, lead.lead_id, rep_id, LEFT, by, clock)
        for lead in holdings.held_by(rep_id)
    ]
    return sum(back is not None for back in backs)


def accept(
    race: RaceStore,
    holdings: Holdings,
    lead_id: str,
    rep_id: str,
    proof: Proof,
    clock: Callable[[], datetime],
) -> Lead:
    """Accept the lead that was assigned to the rep (F2); working it accepts it as well.

    Accepting twice is accepting once (C4).

    Raises:
        Unauthorized, LeadNotFound: who asks, or for what, is not known.
        NotYours: the rep does not hold the lead.
        Busy: the store did not get to it; nothing was changed.
    """
    for _ in range(TRIES):
        view = race.read(lead_id, rep_id)
        proof(view)
        lead = view.lead
        if lead is None:
            raise LeadNotFound
        if lead.owner != rep_id:
            raise NotYours
        if lead.state is not State.ASSIGNED or lead.accepted_at is not None:
            return lead
        try:
            if holdings.accept(lead, clock()):
                return replace(lead, accepted_at=clock())
        except Busy as busy:
            if not busy.conflict:
                raise
    raise Busy


def give_back(
    race: RaceStore,
    holdings: Holdings,
    lead_id: str,
    rep_id: str,
    cause: str,
    by: str,
    clock: Callable[[], datetime],
) -> Lead | None:
    """Take a lead from its holder: its race is opened anew, or it waits to be assigned to another.

    None when the rep does not hold it any more, or has worked it meanwhile.

    Raises:
        Busy: the store did not get to it; nothing was changed.
    """
    for _ in range(TRIES):
        view, now = race.read(lead_id, rep_id), clock()
        held, rep = view.lead, view.rep
        if held is None or rep is None or held.owner != rep_id or held.state not in HELD:
            return None
        if cause == NOT_WORKED and (
            held.worked_at is not None or held.return_at is None or now < held.return_at
        ):
            return None
        won = view.claim is not None and view.claim.epoch == held.epoch and view.claim.competitive
        back, moves = given_back(held, view.playbook, now, cause, by, won=won)
        back = replace(back, previous=rep_id)
        try:
            if holdings.give_back(held, back, moves, rep, view.limits):
                return back
        except Busy as busy:
            if not busy.conflict:
                raise
    raise Busy
