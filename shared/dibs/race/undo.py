"""Undo a claim made by mistake, within the playbook's `undo_seconds` (C5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from dibs.core.attempts import attempts
from dibs.core.errors import Busy, LeadNotFound, NotYours, UndoOver
from dibs.core.lead import UNDONE, Lead
from dibs.race.claim import Proof, knows_of
from dibs.race.lifecycle import return_lead, undo_until
from dibs.race.ports import RaceStore, RaceView
from dibs.race.usage import count_undo, undo_claim


def undo(
    store: RaceStore, lead_id: str, rep_id: str, proof: Proof, clock: Callable[[], datetime]
) -> Lead:
    """Return a lead that was claimed by mistake, within the playbook's `undo_seconds` (C5).

    The claim no longer counts, and the race goes on under a new epoch. The rep has seen the contact
    details, so for them it is over, and the undo is counted (C12). A second one changes nothing
    (C4).

    Raises:
        Unauthorized: the token is not valid.
        LeadNotFound: there is no such lead for the rep.
        NotYours: the rep does not hold the lead.
        UndoOver: it is too late, the lead was worked or assigned, or it was claimed blind; or the
            rep has undone too many claims today, or others this one.
        Busy: the store did not answer in time.
    """
    for attempt in attempts():
        view = store.read(lead_id, rep_id, proof.shown)
        now = clock()
        lead, rep = view.lead, view.rep
        if lead is not None and _undone_by(view, lead, rep_id):
            proof.check(replace(view, lead=replace(lead, epoch=lead.epoch - 1)))
            return lead
        proof.check(view)
        if lead is None or rep is None or not knows_of(view, rep_id):
            raise LeadNotFound
        if lead.owner != rep_id or lead.claimed_at is None:
            raise NotYours
        if now > undo_until(lead, rep, view.usage, view.playbook, now):
            raise UndoOver
        reopened, transitions = return_lead(lead, view.playbook, now, UNDONE, rep_id, won=True)
        counts = undo_claim(lead, rep, view.usage)
        counts |= count_undo(lead, rep, view.usage, view.playbook, now)
        with attempt:
            if store.commit_undo(lead, reopened, transitions, counts):
                return reopened
    raise Busy


def _undone_by(view: RaceView, lead: Lead, rep_id: str) -> bool:
    latest = view.claim
    return (
        lead.owner is None
        and rep_id in lead.undone_by
        and latest is not None
        and latest.rep_id == rep_id
        and latest.epoch == lead.epoch - 1
    )
