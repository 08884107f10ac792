"""The logger and the metrics of all functions. A log line is a constant message and ids: never a
phone number, an address, a person's name, a token or a full event."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric

Handler = Callable[[dict[str, Any], Any], Any]

logger = Logger(service="dibs", log_uncaught_exceptions=False)
metrics = Metrics(namespace="Dibs", service="dibs")


def observed(handler: Handler) -> Handler:
    """Add the invocation's context to each log line, and publish the metrics it counted."""

    @logger.inject_lambda_context(clear_state=True)
    @wraps(handler)
    def run(event: dict[str, Any], context: Any) -> Any:
        try:
            return handler(event, context)
        finally:
            if metrics.metric_set:
                metrics.flush_metrics()

    return run


def count(name: str, value: float = 1) -> None:
    """Add to a metric. Its unit is milliseconds if the name ends in `Ms`, otherwise a count."""
    unit = MetricUnit.Milliseconds if name.endswith("Ms") else MetricUnit.Count
    metrics.add_metric(name=name, unit=unit, value=value)


def count_by_route(name: str, route: str) -> None:
    """Add one to a metric, and to the same metric of a route."""
    count(name)
    with single_metric(
        name=name, unit=MetricUnit.Count, value=1, namespace=metrics.provider.namespace
    ) as one:
        one.add_dimension(name="route", value=route)
