"""Scheduled jobs: `{"job": "...", "as_of": "<ISO time, optional>"}`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from dibs import wiring
from dibs.adapters import clock
from dibs.adapters.entry import function
from dibs.adapters.observability import count, logger
from dibs.domain.errors import FieldError, InvalidInput
from dibs.usecases.sweep import sweep


def run_sweep(as_of: datetime) -> dict[str, Any]:
    """Bring back what was dropped, each minute."""
    swept = sweep(wiring.leads(), wiring.bus(), as_of)
    count("Republished", swept.republished + swept.replanned)
    count("LeadsExpired", swept.expired)
    return asdict(swept)


JOBS = {"sweep": run_sweep}


def work(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run one job; a failed run is retried by the schedule and then set aside.

    Raises:
        InvalidInput: there is no such job, or `as_of` is no time.
    """
    del context
    job = JOBS.get(str(event.get("job")))
    if job is None:
        raise InvalidInput((FieldError("job", f"use one of {', '.join(JOBS)}"),))
    done = job(_moment(event.get("as_of")))
    logger.info("job done", job=event["job"], **done)
    return done


def _moment(as_of: Any) -> datetime:
    if as_of is None:
        return clock.now()
    try:
        moment = datetime.fromisoformat(str(as_of))
    except ValueError as error:
        raise InvalidInput((FieldError("as_of", "send an ISO-8601 time"),)) from error
    if moment.tzinfo is None:
        raise InvalidInput((FieldError("as_of", "send a time with its zone, such as ...Z"),))
    return moment


handler = function(work, lambda: (wiring.leads(), wiring.bus()))
