"""What managers do about leads: assign, reassign and withdraw them, with a reason (R7)."""

from __future__ import annotations

from typing import Any

from dibs.assignment import override
from dibs.assignment.work import reason_of
from dibs.aws import clock
from dibs.core.errors import FieldError, InvalidInput
from dibs.core.lead import Lead
from dibs.intake.body import json_object, raw_body
from dibs.roster.callers import calling_manager
from dibs.web.entry import Event
from dibs.web.http import Response, answer, lead_id
from dibs.wiring import wiring


def assign(event: Event) -> Response:
    """`POST /leads/{lead_id}/assign` `{"rep_id": "...", "reason": "..."}`: whoever holds it."""
    manager, body = calling_manager(event, wiring().roster), json_object(raw_body(event))
    rep_id, reason = body.get("rep_id"), reason_of(body.get("reason"))
    if not isinstance(rep_id, str) or not 0 < len(rep_id) <= _LONGEST_ID:
        raise InvalidInput((FieldError("rep_id", "name a rep; look at GET /reps"),))
    race, holdings = wiring().race, wiring().holdings
    found, changed = override.assign(
        race, holdings, lead_id(event), rep_id, manager, reason, clock.now
    )
    return _answer(found, changed)


def withdraw(event: Event) -> Response:
    """`POST /leads/{lead_id}/withdraw` `{"reason": "...", "to": "pool"}`: or to `nobody`."""
    manager, body = calling_manager(event, wiring().roster), json_object(raw_body(event))
    to, reason = body.get("to", "pool"), reason_of(body.get("reason"))
    if to not in override.WHERE:
        raise InvalidInput((FieldError("to", f"send one of {', '.join(override.WHERE)}"),))
    race, holdings = wiring().race, wiring().holdings
    found, changed = override.withdraw(
        race, holdings, lead_id(event), to, manager, reason, clock.now
    )
    return _answer(found, changed)


_LONGEST_ID = 64


def _answer(lead: Lead, changed: bool) -> Response:
    if changed:
        wiring().timers.check("queue.check")  # who lost it may be given another
    body: dict[str, Any] = {
        "lead_id": lead.lead_id,
        "state": lead.state,
        "holder": lead.owner,
        "parked": lead.parked,
        "changed": changed,
    }
    return answer(200, body)
