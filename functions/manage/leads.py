"""What managers do about leads: assign, reassign and withdraw them, with a reason (R7)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from dibs.assignment import override
from dibs.aws import clock
from dibs.core.credentials import Manager
from dibs.core.errors import FieldError, InvalidInput
from dibs.core.lead import Lead
from dibs.roster.callers import manages
from dibs.roster.trail import Note, noting
from dibs.web.http import Event, Response, answer, lead_id
from dibs.wiring import wiring
from manage import desk
from manage.body import AssignIn, WithdrawIn


def assign(event: Event, manager: Manager, sent: AssignIn) -> Response:
    """`POST /leads/{lead_id}/assign`: give a lead to a rep, whoever holds it, with a reason."""
    race, holdings = wiring().race, wiring().holdings
    rep = wiring().roster.get(sent.rep_id) if manager.team else None
    if rep is not None and not manages(manager, rep.team):
        raise InvalidInput((FieldError("rep_id", override.NO_REP),))
    lead, by = lead_id(event), manager.manager_id
    with _noting(manager, "lead.assign", lead, {"holder": sent.rep_id}) as note:
        found, changed = override.assign(
            race, holdings, lead, sent.rep_id, by, sent.reason, clock.now
        )
        _tell(note, found, changed)
    return _answer(event, found, changed)


def withdraw(event: Event, manager: Manager, sent: WithdrawIn) -> Response:
    """`POST /leads/{lead_id}/withdraw`: take a lead back, for the pool or for nobody."""
    race, holdings = wiring().race, wiring().holdings
    lead, by = lead_id(event), manager.manager_id
    with _noting(manager, "lead.withdraw", lead, {"to": sent.to}) as note:
        found, changed = override.withdraw(
            race, holdings, lead, sent.to, by, sent.reason, clock.now
        )
        _tell(note, found, changed)
    return _answer(event, found, changed)


def _noting(
    manager: Manager, what: str, lead: str, after: dict[str, Any]
) -> AbstractContextManager[Note]:
    by, now = manager.manager_id, clock.now()
    return noting(wiring().audit_log, by, what, lead, now, {}, after)


def _tell(note: Note, lead: Lead, changed: bool) -> None:
    # The reason is in the lead's history: people's own words may name a customer.
    note.before = {"holder": lead.previous_owner} if changed else {}
    note.after = {"holder": lead.owner, "state": lead.state.value} if changed else {}


def _answer(event: Event, lead: Lead, changed: bool) -> Response:
    if changed:
        wiring().timers.check("queue.check")  # who lost it may be given another
    body: dict[str, Any] = {
        "lead_id": lead.lead_id,
        "state": lead.state,
        "holder": lead.owner,
        "parked": lead.on_hold,
        "changed": changed,
    }
    return desk.next_page(event, answer(200, body))
