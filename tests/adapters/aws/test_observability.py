"""What is counted stands in the log as CloudWatch reads it: as the library of AWS prints it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric

from benchmarks.stage import Context
from dibs.aws import observability
from dibs.aws.observability import count, count_by_route, observed


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for line in lines:
        assert line["_aws"].pop("Timestamp") > 1_700_000_000_000
    return lines


def test_metrics_are_printed_as_powertools_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    counted = [("Claims", 1), ("ClaimMs", 881), ("Claims", 1), ("Waited", 0.5)]
    theirs = Metrics(namespace="Dibs", service="dibs")
    for name, value in counted:
        unit = MetricUnit.Milliseconds if name.endswith("Ms") else MetricUnit.Count
        theirs.add_metric(name=name, unit=unit, value=value)
    theirs.flush_metrics()
    expected = printed(capsys)

    def work(event: Any, context: Any) -> None:
        for name, value in counted:
            count(name, value)

    observed(work)({}, Context())
    assert printed(capsys) == expected


def test_a_metric_by_route_is_printed_as_powertools_prints_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with single_metric(name="Refused", unit=MetricUnit.Count, value=1, namespace="Dibs") as one:
        one.add_dimension(name="route", value="GET /me")
    expected = printed(capsys)
    observed(lambda event, context: count_by_route("Refused", "GET /me"))({}, Context())
    by_route, by_service = printed(capsys)
    assert [by_route] == expected
    assert by_service["service"] == "dibs"
    assert by_service["Refused"] == [1.0]


def test_what_a_failed_run_counted_is_printed_and_nothing_is_printed_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(event: Any, context: Any) -> None:
        count("Failed")
        raise LookupError

    with pytest.raises(LookupError):
        observed(fails)({}, Context())
    assert [line["Failed"] for line in printed(capsys)] == [[1.0]]
    observed(lambda event, context: None)({}, Context())
    assert printed(capsys) == []


def test_no_line_has_more_values_than_cloudwatch_reads(capsys: pytest.CaptureFixture[str]) -> None:
    def work(event: Any, context: Any) -> None:
        for _ in range(250):
            count("Pushes")

    observed(work)({}, Context())
    assert [len(line["Pushes"]) for line in printed(capsys)] == [100, 100, 50]
    assert not observability._counted
