"""What managers do about leads: assign, reassign and withdraw them, with a reason (R7)."""

from __future__ import annotations

from typing import Any

from dibs.assignment import override
from dibs.aws import clock
from dibs.core.credentials import Manager
from dibs.core.lead import Lead
from dibs.roster.callers import check_team
from dibs.roster.trail import note
from dibs.web.http import Event, Response, answer, lead_id
from dibs.wiring import wiring
from manage.body import AssignIn, WithdrawIn


def assign(event: Event, manager: Manager, sent: AssignIn) -> Response:
    """`POST /leads/{lead_id}/assign`: give a lead to a rep, whoever holds it, with a reason."""
    race, holdings = wiring().race, wiring().holdings
    if manager.team and (rep := wiring().roster.get(sent.rep_id)) is not None:
        check_team(manager, (rep.team,), looks=False)
    found, changed = override.assign(
        race, holdings, lead_id(event), sent.rep_id, manager.manager_id, sent.reason, clock.now
    )
    if changed:
        _note(manager, "lead.assign", found)
    return _answer(found, changed)


def withdraw(event: Event, manager: Manager, sent: WithdrawIn) -> Response:
    """`POST /leads/{lead_id}/withdraw`: take a lead back, for the pool or for nobody."""
    race, holdings = wiring().race, wiring().holdings
    found, changed = override.withdraw(
        race, holdings, lead_id(event), sent.to, manager.manager_id, sent.reason, clock.now
    )
    if changed:
        _note(manager, "lead.withdraw", found)
    return _answer(found, changed)


def _note(manager: Manager, what: str, lead: Lead) -> None:
    # The reason is in the lead's history: people's own words may name a customer.
    after = {"holder": lead.owner, "state": lead.state.value}
    log, by = wiring().audit_log, manager.manager_id
    note(log, by, what, lead.lead_id, clock.now(), {"holder": lead.previous_owner}, after)


def _answer(lead: Lead, changed: bool) -> Response:
    if changed:
        wiring().timers.check("queue.check")  # who lost it may be given another
    body: dict[str, Any] = {
        "lead_id": lead.lead_id,
        "state": lead.state,
        "holder": lead.owner,
        "parked": lead.on_hold,
        "changed": changed,
    }
    return answer(200, body)
