"""What the bench prints: a goal that is met, one that is missed, and what was not measured."""

from __future__ import annotations

import pytest

from benchmarks import bench

FASTAPI = {
    "processor_milliseconds": {
        "win, dibs": 2.0,
        "win, fastapi": 1.5,
        "loss, dibs": 2.0,
        "loss, fastapi": 1.0,
    },
    "ratio": {"win": 1.333, "loss": 2.0},
}


def test_each_goal_is_met_or_missed_by_what_was_found() -> None:
    win, loss = bench._against_fastapi(FASTAPI)
    assert (win.met, loss.met) == (True, False)
    assert win.said == "1.33 × (2.0 ms against 1.5)"


@pytest.mark.parametrize("told", [bench._against_fastapi])
def test_what_cannot_be_measured_here_says_why_and_has_no_verdict(told: bench.Told) -> None:
    measures = told({"missing": "there is no such thing here"})
    assert measures
    for measure in measures:
        assert measure.met is None
        assert measure.said == "not measured: there is no such thing here"
        assert measure.goal_said
    assert bench.table_of(measures).row_count == len(measures)
