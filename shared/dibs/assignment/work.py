"""Leads go back when their holder does not work them (C11), leaves (R8) or releases them (C5).

A holder who does not contact a lead in time is reminded first, then loses it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from dibs.assignment.ports import Holdings
from dibs.core.attempts import attempts
from dibs.core.errors import (
    Busy,
    FieldError,
    IllegalMove,
    InvalidInput,
    LeadNotFound,
    NotYours,
    UndoOver,
)
from dibs.core.events import LeadEvent
from dibs.core.lead import HELD, RELEASED, Lead
from dibs.core.ports import Bus
from dibs.race.claim import Proof, knows_of
from dibs.race.lifecycle import return_lead
from dibs.race.opening import places_at_night
from dibs.race.ports import RaceStore
from dibs.race.undo import undo
from dibs.race.usage import release_lead

NOT_WORKED = "not_worked"
LEFT = "left"
LONGEST_REASON = 200
LOOKS = 5


def look_after(
    race: RaceStore, holdings: Holdings, bus: Bus, clock: Callable[[], datetime]
) -> tuple[int, int]:
    """Remind holders and take back leads not worked in time (C11); return how many of each."""
    nudges, returned = 0, 0
    for lead in holdings.unworked(clock()):
        if lead.owner is None or lead.return_at is None or lead.worked_at is not None:
            continue
        if clock() >= lead.return_at:
            back = give_back(race, holdings, lead.lead_id, lead.owner, NOT_WORKED, "clock", clock)
            returned += back is not None
        elif holdings.nudged(lead):
            bus.publish([LeadEvent("lead.unworked", lead.lead_id, lead.epoch, lead.owner)])
            nudges += 1
    return nudges, returned


def let_go(
    race: RaceStore,
    holdings: Holdings,
    rep_id: str,
    by: str,
    clock: Callable[[], datetime],
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Give back every unfinished lead a leaver holds (R8); return how many.

    The index of held leads may lag behind a claim of the last moment. Their own item does not: it
    says how many they have in hand, so look again while there are any.
    """
    returned = 0
    for _ in attempts(LOOKS, pause):
        for lead in holdings.held_by(rep_id):
            back = give_back(race, holdings, lead.lead_id, rep_id, LEFT, by, clock)
            returned += back is not None
        if race.read("-", rep_id).usage.in_hand <= 0:
            break
    return returned


def accept(
    race: RaceStore,
    holdings: Holdings,
    lead_id: str,
    rep_id: str,
    proof: Proof,
    clock: Callable[[], datetime],
) -> Lead:
    """Accept a lead that was assigned to the rep (F2); working it accepts it too.

    Repeating is safe (C4).

    Raises:
        Unauthorized, LeadNotFound: there is no such rep or lead.
        NotYours: the rep does not hold the lead.
        Busy: the store did not get to it.
    """
    for attempt in attempts():
        view = race.read(lead_id, rep_id, proof.shown)
        proof.check(view)
        lead = view.lead
        if lead is None:
            raise LeadNotFound
        if lead.owner != rep_id:
            raise NotYours if knows_of(view, rep_id) else LeadNotFound
        if not lead.unaccepted:
            return lead
        with attempt:
            if holdings.accept(lead, clock()):
                return replace(lead, accepted_at=clock())
    raise Busy


def release(
    race: RaceStore,
    holdings: Holdings,
    lead_id: str,
    rep_id: str,
    proof: Proof,
    reason: object,
    clock: Callable[[], datetime],
) -> tuple[Lead, bool]:
    """Give back the rep's lead with a reason; return it, and whether its claim was undone (C5).

    Within the playbook's seconds the claim counts as a mistake: it is undone without a reason.
    Repeating a release is safe (C4).

    Raises:
        Unauthorized, LeadNotFound: there is no such rep or lead.
        NotYours: the rep does not hold the lead.
        IllegalMove: the lead is won or lost.
        InvalidInput: the reason is missing.
        Busy: the store did not get to it.
    """
    try:
        return undo(race, lead_id, rep_id, proof, clock), True
    except UndoOver:
        note = reason_of(reason)
    except NotYours:
        return _released(race.read(lead_id, rep_id).lead, rep_id), False
    back = give_back(race, holdings, lead_id, rep_id, RELEASED, rep_id, clock, note)
    return back or _released(race.read(lead_id, rep_id).lead, rep_id), False


def _released(lead: Lead | None, rep_id: str) -> Lead:
    """Return the lead if the rep released it lately; otherwise raise why they cannot release it."""
    if lead is not None and lead.owner == rep_id:
        if lead.state in HELD:
            raise Busy(conflict=True)  # a manager has just assigned it to them again
        raise IllegalMove("This lead is done with: it was won or lost.")
    if lead is None or rep_id not in lead.released_by:
        raise NotYours
    return lead


def reason_of(value: object) -> str:
    """Return a person's reason, stripped.

    Raises:
        InvalidInput: it is empty, too long or not one printable line.
    """
    reason = value.strip() if isinstance(value, str) else ""
    if not (0 < len(reason) <= LONGEST_REASON and reason.isprintable()):
        problem = f"say why, in one line of up to {LONGEST_REASON} letters"
        raise InvalidInput((FieldError("reason", problem),))
    return reason


def give_back(
    race: RaceStore,
    holdings: Holdings,
    lead_id: str,
    rep_id: str,
    cause: str,
    by: str,
    clock: Callable[[], datetime],
    note: str = "",
) -> Lead | None:
    """Take a lead from its holder: it races again, or waits to be assigned to another rep.

    None when the rep no longer holds it, or has worked it meanwhile.

    Raises:
        Busy: the store did not get to it.
    """
    for attempt in attempts():
        view, now = race.read(lead_id, rep_id), clock()
        held = view.lead
        if held is None or view.rep is None or held.owner != rep_id or held.state not in HELD:
            return None
        if cause == NOT_WORKED and (
            held.worked_at is not None or held.return_at is None or now < held.return_at
        ):
            return None
        won = view.claim is not None and view.claim.epoch == held.epoch and view.claim.competitive
        places = places_at_night(held, view.playbook, now, holdings.place)
        back, transitions = return_lead(
            held, view.playbook, now, cause, by, note, won=won, places=places
        )
        with attempt:
            if holdings.give_back(held, back, transitions, release_lead(held, view.usage)):
                return back
    raise Busy
