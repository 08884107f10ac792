"""`POST /activities`: what reps did, told by a system that signs, by the rep or a manager."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dibs.aws import clock
from dibs.aws.observability import logger
from dibs.core.credentials import Manager
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
from dibs.core.rep import Rep
from dibs.intake.signing import Scope
from dibs.ledger.activities import Activity
from dibs.ledger.amounts import open_questions
from dibs.ledger.body import LARGEST_BATCH, ActivitiesIn, activity_from
from dibs.ledger.entries import activity_id_of
from dibs.ledger.record import RecordResult, record_all
from dibs.roster.callers import calling_viewer
from dibs.web.entry import http
from dibs.web.http import STATUS, Event, Response, answer, header, raw_body
from dibs.web.route import Route, Who
from dibs.web.route import Scope as ManagerScope
from dibs.web.sign_in import caller
from dibs.wiring import wiring

Outcome = RecordResult | DibsError


@dataclass(frozen=True)
class Caller:
    """Who tells: a rep by id, a manager by name, or a system that signed."""

    rep_id: str | None = None
    manager: Manager | None = None


def post_activities(event: Event, by: Caller, sent: ActivitiesIn) -> Response:
    """Record one activity (201, repeated 200), or each of `{"activities": [...]}` by itself."""
    del event
    if sent.alone:
        [outcome] = _recorded(sent.each, by)
        if isinstance(outcome, DibsError):
            raise outcome
        return answer(_status(outcome), _body(outcome))
    return answer(
        200,
        {
            "results": [
                _result(data, outcome)
                for data, outcome in zip(sent.each, _recorded(sent.each, by), strict=True)
            ]
        },
    )


def _caller(event: Event) -> Caller:
    """Return the rep or manager whose token was sent, or a system that signed.

    Raises:
        Unauthorized: none of them.
    """
    raw = raw_body(event, LARGEST_BATCH)
    if header(event, "authorization") or not header(event, "webhook-signature"):
        found = calling_viewer(caller(event), wiring().credentials, clock.now())
        return Caller(found.rep_id) if isinstance(found, Rep) else Caller(manager=found)
    wiring().signatures.verified(raw, event.get("headers", {}), Scope.ACTIVITIES)
    return Caller()


def _recorded(sent: list[Any], by: Caller) -> list[Outcome]:
    """Record what has the right shape, and return what became of each, in the order sent."""
    by_system = by.rep_id is None and by.manager is None
    read = [_read(data, by_system) for data in sent]
    good = [one for one in read if isinstance(one, Activity)]
    done = iter(record_all(wiring().record_deps, good, by.rep_id, by.manager))
    outcomes: list[Outcome] = [one if isinstance(one, DibsError) else next(done) for one in read]
    new = [one for one in outcomes if isinstance(one, RecordResult) and not one.repeated]
    logger.info("activities recorded", sent=len(sent), new=len(new))
    if any(one.freed for one in new):
        wiring().timers.check("queue.check")
    return outcomes


def _read(data: Any, by_system: bool) -> Activity | DibsError:
    try:
        return activity_from(data, by_system=by_system)
    except DibsError as error:
        return error


def _status(outcome: Outcome) -> int:
    if isinstance(outcome, DibsError):
        return STATUS[type(outcome)]
    return 200 if outcome.repeated else 201


def _body(recorded: RecordResult) -> dict[str, Any]:
    entry = recorded.entry
    return {
        "activity_id": activity_id_of(entry),
        "type": entry.kind,
        "lead_id": entry.lead_id,
        "rep_id": entry.rep_id,
        "at": entry.at,
        "repeated": recorded.repeated,
        "reporter": entry.reporter,
        **open_questions(entry, wiring().record_deps.roster.playbook()),
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


ANYBODY = Who(
    "signed, rep or manager",
    _caller,
    (Unauthorized, Forbidden, MalformedBody),
    cookie=True,
    scope=ManagerScope.BODY,
)

ROUTES = {
    "POST /activities": Route(
        post_activities,
        ANYBODY,
        {201: "Recorded", 200: ("Recorded", "Results")},
        (AlreadyExists, Forbidden, IllegalMove, LeadNotFound, NotYours),
        body=ActivitiesIn,
        repeated="The same activity_id and body again is 200; with another body it is 409.",
    )
}

handler = http(ROUTES, warm)
