"""The logger and the metrics of all functions. A log line is a constant message and ids: never a
phone number, an address, a person's name, a token or a full event."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from aws_lambda_powertools.logging import Logger

Handler = Callable[[dict[str, Any], Any], Any]

_SERVICE = "dibs"
_MOST_VALUES = 100
"""So many values of a metric CloudWatch reads from one line."""

# Our messages are sentences. The library would try to read each as JSON first.
logger = Logger(service=_SERVICE, log_uncaught_exceptions=False, json_deserializer=str)
_ENCODER = json.JSONEncoder(separators=(",", ":"))
_counted: dict[str, list[float]] = {}


def observed(handler: Handler) -> Handler:
    """Add the invocation's context to each log line, and publish the metrics it counted."""

    @logger.inject_lambda_context(clear_state=True)
    @wraps(handler)
    def run(event: dict[str, Any], context: Any) -> Any:
        try:
            return handler(event, context)
        finally:
            if _counted:
                _publish()

    return run


def count(name: str, value: float = 1) -> None:
    """Add to a metric. Its unit is milliseconds if the name ends in `Ms`, otherwise a count."""
    values = _counted.setdefault(name, [])
    values.append(float(value))
    if len(values) == _MOST_VALUES:
        _publish()


def count_by_route(name: str, route: str) -> None:
    """Add one to a metric, and to the same metric of a route."""
    count(name)
    _print({"route": route, "service": _SERVICE}, {name: [1.0]})


def _publish() -> None:
    _print({"service": _SERVICE}, _counted)
    _counted.clear()


def _print(dimensions: Mapping[str, str], counted: Mapping[str, list[float]]) -> None:
    """Print metrics in CloudWatch's embedded format, which it reads from the log.

    Not by Powertools, whose checks of each metric took as long as a request's signature.
    """
    metrics = [
        {"Name": name, "Unit": "Milliseconds" if name.endswith("Ms") else "Count"}
        for name in counted
    ]
    read = {"Namespace": "Dibs", "Dimensions": [list(dimensions)], "Metrics": metrics}
    about = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [read]}
    sys.stdout.write(f"{_ENCODER.encode({'_aws': about, **dimensions, **counted})}\n")
