"""`POST /activities`: what reps did, told by a system that signs, or by the rep."""

from __future__ import annotations

from typing import Any

from dibs.aws.observability import logger
from dibs.core.errors import (
    AlreadyExists,
    DibsError,
    Forbidden,
    IllegalMove,
    LeadNotFound,
    MalformedBody,
    NotYours,
    Unauthorized,
)
from dibs.intake.signing import Scope
from dibs.ledger.activities import Activity
from dibs.ledger.body import LARGEST_BATCH, ActivitiesIn, activity_from
from dibs.ledger.record import RecordResult, record_all
from dibs.roster.callers import calling_rep
from dibs.web.entry import http
from dibs.web.http import STATUS, Event, Response, answer, header, raw_body
from dibs.web.route import Route, Who
from dibs.wiring import wiring

Outcome = RecordResult | DibsError


def post_activities(event: Event, caller: str | None, sent: ActivitiesIn) -> Response:
    """Record one activity (201, repeated 200), or each of `{"activities": [...]}` by itself."""
    del event
    if sent.alone:
        [outcome] = _recorded(sent.each, caller)
        if isinstance(outcome, DibsError):
            raise outcome
        return answer(_status(outcome), _body(outcome))
    return answer(
        200,
        {
            "results": [
                _result(data, outcome)
                for data, outcome in zip(sent.each, _recorded(sent.each, caller), strict=True)
            ]
        },
    )


def _caller(event: Event) -> str | None:
    """Return the rep whose token was sent; None for a system that signed.

    Raises:
        Unauthorized: neither.
        Forbidden: a manager's token; reps tell of their own work.
    """
    raw = raw_body(event, LARGEST_BATCH)
    if header(event, "authorization"):
        rep, _ = calling_rep(event, wiring().roster)
        return rep.rep_id
    wiring().signatures.verified(raw, event.get("headers", {}), Scope.ACTIVITIES)
    return None


def _recorded(sent: list[Any], caller: str | None) -> list[Outcome]:
    """Record what has the right shape, and return what became of each, in the order sent."""
    read = [_read(data) for data in sent]
    good = [one for one in read if isinstance(one, Activity)]
    done = iter(record_all(wiring().record_deps, good, caller))
    outcomes: list[Outcome] = [one if isinstance(one, DibsError) else next(done) for one in read]
    new = [one for one in outcomes if isinstance(one, RecordResult) and not one.repeated]
    logger.info("activities recorded", sent=len(sent), new=len(new))
    if any(one.freed for one in new):
        wiring().timers.check("queue.check")
    return outcomes


def _read(data: Any) -> Activity | DibsError:
    try:
        return activity_from(data)
    except DibsError as error:
        return error


def _status(outcome: Outcome) -> int:
    if isinstance(outcome, DibsError):
        return STATUS[type(outcome)]
    return 200 if outcome.repeated else 201


def _body(recorded: RecordResult) -> dict[str, Any]:
    entry = recorded.entry
    return {
        "activity_id": entry.entry_id.partition("/")[2],
        "type": entry.kind,
        "lead_id": entry.lead_id,
        "rep_id": entry.rep_id,
        "at": entry.at,
        "repeated": recorded.repeated,
    }


def _result(data: Any, outcome: Outcome) -> dict[str, Any]:
    name = data.get("activity_id") if isinstance(data, dict) else None
    result: dict[str, Any] = {
        # Half a letter cannot be answered.
        "activity_id": name.encode(errors="replace").decode() if isinstance(name, str) else None,
        "status": _status(outcome),
    }
    if isinstance(outcome, DibsError):
        result |= {"code": outcome.code, "detail": str(outcome), **outcome.details()}
    return result


def warm() -> object:
    """Make what the first activity would wait for."""
    mine = wiring()
    return mine.signatures.book(), mine.record_deps.roster.playbook(), mine.timers


SOURCE_OR_REP = Who("signed or rep", _caller, (Unauthorized, Forbidden, MalformedBody))

ROUTES = {
    "POST /activities": Route(
        post_activities,
        SOURCE_OR_REP,
        {201: "Recorded", 200: ("Recorded", "Results")},
        (AlreadyExists, Forbidden, IllegalMove, LeadNotFound, NotYours),
        body=ActivitiesIn,
        repeated="The same activity_id and body again is 200; with another body it is 409.",
    )
}

handler = http(ROUTES, warm)
