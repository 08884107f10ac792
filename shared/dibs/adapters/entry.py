"""How every function is entered: over HTTP by route, or with a batch of messages.

API Gateway has matched the route already, so a table from route to function is all the routing
there is; a resolver would cost the claim function a third of its cold start (docs/decisions.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from dibs.adapters.http import Response, answer, problem
from dibs.adapters.observability import Handler, count, logger, observed
from dibs.domain.errors import Busy, DibsError, RouteNotFound

Event = Mapping[str, Any]
Route = Callable[[Event], Response]

WARM = {"warm": True}
"""An event that only makes a function ready: answered after its clients are made."""


def http(routes: Mapping[str, Route], warm: Callable[[], object]) -> Handler:
    """Return a handler that answers each route with its function, and errors as problems."""

    @observed
    def handler(event: dict[str, Any], context: Any) -> Any:
        del context
        if event == WARM:
            warm()
            return "warm"
        route = routes.get(event.get("routeKey", ""))
        try:
            if route is None:
                raise RouteNotFound
            return route(event)
        except DibsError as error:
            if isinstance(error, Busy):
                count("Busy")
            return problem(error)
        except Exception as error:
            _log(error, event.get("routeKey"))
            return answer(500, {"title": "Something went wrong.", "status": 500, "code": "error"})

    return handler


def messages(work: Callable[[Any, Any], None], warm: Callable[[], object]) -> Handler:
    """Return a handler for an SQS batch; `work` gets each JSON body and the Lambda context.

    Messages that failed come again, they alone.
    """

    @observed
    def handler(event: dict[str, Any], context: Any) -> Any:
        if event == WARM:
            warm()
            return "warm"
        failed = []
        for record in event["Records"]:
            try:
                work(json.loads(record["body"]), context)
            except Exception as error:
                _log(error, record.get("eventSourceARN", "").rpartition(":")[2])
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}

    return handler


def _log(error: Exception, at: Any) -> None:
    """Log what failed and where, without the error's own words: they may hold personal data."""
    trace, frames = error.__traceback__, []
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}")
        trace = trace.tb_next
    code = getattr(error, "response", {}).get("Error", {}).get("Code")
    logger.error("failed", at=at, error=type(error).__name__, aws_code=code, frames=frames[-6:])
    count("Failed")
