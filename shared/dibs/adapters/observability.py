"""The one logger and the one set of metrics. A log line is a constant message and ids: never a
phone number, an address, a person's name, a token or a whole event."""

from __future__ import annotations

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

logger = Logger(service="dibs", log_uncaught_exceptions=False)
metrics = Metrics(namespace="Dibs", service="dibs")

_UNITS = {"Ms": MetricUnit.Milliseconds}


def count(name: str, value: float = 1) -> None:
    """Add to a metric; names that end in `Ms` are milliseconds, all others counts."""
    unit = next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), None)
    metrics.add_metric(name=name, unit=unit or MetricUnit.Count, value=value)
