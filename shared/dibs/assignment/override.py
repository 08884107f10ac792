"""A manager may assign, reassign or withdraw a lead, with a reason that is recorded (R7).

One transaction stores the lead, its transitions and the usage of the reps who lose and get it. It
fails when the lead has changed since it was read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal

from dibs.assignment.ports import Holdings, Override, Recipient
from dibs.core.attempts import attempts
from dibs.core.errors import Busy, FieldError, InvalidInput, LeadNotFound
from dibs.core.lead import HELD, Lead, State, Transition, moved
from dibs.race.lifecycle import new_claim, remove_owner, return_lead
from dibs.race.opening import places_at_night, races, reopening
from dibs.race.ports import RaceStore, RaceView
from dibs.race.usage import Change, count_lead, release_lead
from dibs.rules.rules import Rules

BY_MANAGER = "by_manager"
NO_REP = "is no rep here; look at GET /reps"
REASSIGNED = "reassigned"
TRANSFERRED = "transferred"
WITHDRAWN = "withdrawn"
PUT_BACK = "put_back"

Where = Literal["pool", "nobody"]
WHERE: tuple[Where, ...] = ("pool", "nobody")


def assign(
    race: RaceStore,
    holdings: Holdings,
    lead_id: str,
    rep_id: str,
    by: str,
    reason: str,
    clock: Callable[[], datetime],
    pause: Callable[[float], None] = time.sleep,
    transferred_by: str = "",
) -> tuple[Lead, bool]:
    """Assign a lead to a rep, whoever holds it; return it, and whether that changed anything.

    No limit, window or cooldown binds a manager. The lead counts for the rep as any other, and the
    time for first contact starts again. With `transferred_by` its holder hands it over (K4), and
    nothing changes unless they still hold it.

    Raises:
        LeadNotFound: there is no such lead.
        InvalidInput: there is no such rep, or they have left.
        IllegalMove: the lead is won or lost.
        Busy: the store did not get to it.
    """

    left, given = (TRANSFERRED, TRANSFERRED) if transferred_by else (REASSIGNED, BY_MANAGER)

    def decide() -> Override | Lead:
        view, now = race.read(lead_id, rep_id), clock()
        lead, rep, playbook = _lead_of(view), view.rep, view.playbook
        if rep is None or not rep.active:
            wrong = NO_REP if rep is None else "has left; look at GET /reps"
            raise InvalidInput((FieldError("rep_id", wrong),))
        if lead.owner == rep_id and lead.state in HELD:
            return lead
        if transferred_by and (lead.owner != transferred_by or lead.state not in HELD):
            return lead
        free, transitions, off = lead, list[Transition](), None
        if lead.owner is not None:
            won = _won(view, lead)
            free, transitions = remove_owner(lead, playbook, now, left, by, reason, won=won)
            off = _off(race, lead)
        claim = new_claim(free, rep, playbook, now, free.opens_at, given)
        held = replace(free, owner=rep_id, claimed_at=now, return_at=claim.return_at, on_hold=False)
        assigned, transition = moved(held, State.ASSIGNED, now, given, by, reason)
        counts = count_lead(rep, assigned, view.usage, playbook, claim, bound=False)
        return Override(lead, assigned, (*transitions, transition), off, Recipient(claim, counts))

    return _stored(decide, holdings, pause)


def withdraw(
    race: RaceStore,
    holdings: Holdings,
    lead_id: str,
    to: Where,
    by: str,
    reason: str,
    clock: Callable[[], datetime],
    pause: Callable[[float], None] = time.sleep,
) -> tuple[Lead, bool]:
    """Take a lead from its holder or the pool; return it, and whether that changed anything.

    To the `pool`: it is opened or queued again, also when it was on hold; its previous owner comes
    last. To `nobody`: it is on hold until a manager assigns it or puts it back.

    Raises:
        LeadNotFound: there is no such lead.
        IllegalMove: the lead is won or lost.
        Busy: the store did not get to it.
    """

    def decide() -> Override | Lead:
        view, now = race.read(lead_id, ""), clock()
        lead, playbook = _lead_of(view), view.playbook
        if lead.owner is None and lead.on_hold is (to == "nobody"):
            return lead
        if lead.owner is None:
            if to == "nobody":
                changed, transition = _put_on_hold(lead, now, by, reason)
            else:
                places = places_at_night(lead, playbook, now, holdings.place)
                changed, transition = _put_back(lead, playbook, now, by, reason, places)
            return Override(lead, changed, (transition,))
        won, off = _won(view, lead), _off(race, lead)
        if to == "pool":
            places = places_at_night(lead, playbook, now, holdings.place)
            back, transitions = return_lead(
                lead, playbook, now, WITHDRAWN, by, reason, won=won, places=places
            )
            return Override(lead, back, tuple(transitions), off)
        free, transitions = remove_owner(lead, playbook, now, WITHDRAWN, by, reason, won=won)
        on_hold, transition = _put_on_hold(free, now, by, reason)
        return Override(lead, on_hold, (*transitions, transition), off)

    return _stored(decide, holdings, pause)


def _put_on_hold(lead: Lead, now: datetime, by: str, reason: str) -> tuple[Lead, Transition]:
    expired, transition = moved(lead, State.EXPIRED, now, WITHDRAWN, by, reason)
    return replace(expired, on_hold=True), transition


def _put_back(
    lead: Lead, playbook: Rules, now: datetime, by: str, reason: str, places: Mapping[str, int]
) -> tuple[Lead, Transition]:
    to = State.OPEN if races(lead, playbook) else State.EXPIRED
    return moved(reopening(lead, playbook, now, places), to, now, PUT_BACK, by, reason)


def _lead_of(view: RaceView) -> Lead:
    if view.lead is None:
        raise LeadNotFound("There is no such lead.")
    return view.lead


def _won(view: RaceView, lead: Lead) -> bool:
    return view.claim is not None and view.claim.epoch == lead.epoch and view.claim.competitive


def _off(race: RaceStore, lead: Lead) -> Change | None:
    """Return what losing the lead takes off its holder's usage."""
    view = race.read(lead.lead_id, str(lead.owner))
    return None if view.rep is None else release_lead(lead, view.usage)


def _stored(
    decide: Callable[[], Override | Lead],
    holdings: Holdings,
    pause: Callable[[float], None],
) -> tuple[Lead, bool]:
    """Decide and store, again after a conflict; a lead instead of an override needs no change."""
    for attempt in attempts(pause=pause):
        decision = decide()
        if isinstance(decision, Lead):
            return decision, False
        with attempt:
            if holdings.override(decision):
                return decision.lead, True
    raise Busy
