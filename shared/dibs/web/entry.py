"""How every function is entered: over HTTP by route, or with a batch of messages.

API Gateway has matched the route already, so a table from route to function is all the routing
there is; a resolver would cost the claim function a third of its cold start (docs/decisions/0009).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dibs.aws.clock import from_ms
from dibs.aws.observability import Handler, count, count_by_route, logger, observed
from dibs.core.errors import Busy, DibsError, Forbidden, RouteNotFound, Unauthorized
from dibs.core.values import dataclass
from dibs.web.http import PROBLEM, Response, answer, problem, secured
from dibs.web.route import Route

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

REFUSED = "Refused"
"""The metric of requests whose caller could not be identified, or may not do that."""

WARM = {"warm": True}
"""An event that only makes a function ready: answered after its clients are made."""


def function(work: Handler, warm: Callable[[], object]) -> Handler:
    """Return a Lambda handler that does `work`, ready before its first event.

    Clients and connections are made while Lambda starts the process, where processor time is
    plentiful and nobody waits yet. What fails then is made again when it is needed.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        with suppress(Exception):
            warm()

    @observed
    def handler(event: dict[str, Any], context: Any) -> Any:
        if event == WARM:
            warm()
            return "warm"
        return work(event, context)

    return handler


def http(routes: Mapping[str, Route], warm: Callable[[], object]) -> Handler:
    """Return a handler that answers each route with its function, and errors as problems."""

    def work(event: dict[str, Any], context: Any) -> Response:
        del context
        route = routes.get(event.get("routeKey", ""))
        try:
            if route is None:
                raise RouteNotFound
            return secured(route(event))
        except DibsError as error:
            if isinstance(error, Busy):
                count("Busy")
            if isinstance(error, Unauthorized | Forbidden):
                # Of a burst of these there is an alarm; the log says on which route.
                logger.info("refused", route=event.get("routeKey"), code=error.code)
                count_by_route(REFUSED, event.get("routeKey", ""))
            return secured(problem(error))
        except Exception as error:
            _log(error, event.get("routeKey"))
            body = {"title": DibsError.message, "status": 500, "code": DibsError.code}
            return secured(answer(500, body, PROBLEM))

    return function(work, warm)


@dataclass(frozen=True)
class Arrival:
    """How a message came: when its sender sent it, and the Lambda context it is handled in."""

    sent_at: datetime
    context: Any


def messages(act: Callable[[Any, Arrival], None], warm: Callable[[], object]) -> Handler:
    """Return a handler for an SQS batch; `act` gets each JSON body and how it came.

    Messages that failed come again, they alone.
    """

    # Only what works on queues loads it: a claim does without.
    from aws_lambda_powertools.utilities.batch import (
        BatchProcessor,
        EventType,
        process_partial_response,
    )

    batch = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)

    def work(event: dict[str, Any], context: Any) -> Any:
        def one(record: SQSRecord) -> None:
            try:
                sent_at = from_ms(int(record.attributes.sent_timestamp))
                act(json.loads(record.body), Arrival(sent_at, context))
            except Exception as error:
                _log(error, str(record.get("eventSourceARN") or "").rpartition(":")[2])
                # Without its words: the library logs them, and they may hold personal data.
                raise _FailedMessage(type(error).__name__) from None

        if not event["Records"]:  # the library takes an empty batch for an error
            return {"batchItemFailures": []}
        return process_partial_response(event, one, batch, context)

    return function(work, warm)


class _FailedMessage(Exception):
    """A message that comes again; what was wrong with it has been logged."""


def _log(error: Exception, at: Any) -> None:
    """Log what failed and where, without the error's own words: they may hold personal data."""
    trace, frames = error.__traceback__, []
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}")
        trace = trace.tb_next
    code = getattr(error, "response", {}).get("Error", {}).get("Code")
    logger.error("failed", at=at, error=type(error).__name__, aws_code=code, frames=frames[-6:])
    count("Failed")
