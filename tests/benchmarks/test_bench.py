"""What the bench prints: a goal that is met, one that is missed, and what was not measured."""

from __future__ import annotations

import pytest

from benchmarks import bench, deployed, races
from benchmarks.races import Try

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


@pytest.mark.parametrize("told", [bench._against_fastapi, bench._deployed])
def test_what_cannot_be_measured_here_says_why_and_has_no_verdict(told: bench.Told) -> None:
    measures = told({"missing": "there is no such thing here"})
    assert measures
    for measure in measures:
        assert measure.met is None
        assert measure.said == "not measured: there is no such thing here"
        assert measure.goal_said
    assert bench.table_of(measures).row_count == len(measures)


def test_without_history_there_is_no_earlier_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployed, "EARLIER", "0000000")
    found = deployed.measure("")
    assert found["missing"].startswith("git ")
    [measure] = bench._deployed(found)
    assert measure.met is None


def tries(winners: list[str], named: str | None) -> list[Try]:
    """Three claims of one race: these reps were told they won, the others who did."""
    reps = ("ana", "ben", "cho")
    return [Try(0, 0.0, rep, rep if rep in winners else named) for rep in reps]


@pytest.mark.parametrize(
    ("race", "owner", "wrong"),
    [
        (tries(["ana"], "ana"), "ana", 0),
        (tries(["ana"], None), "ana", 0),  # who got no answer was not told wrongly
        (tries(["ana", "ben"], "ana"), "ana", 1),
        (tries([], "dan"), "dan", 1),
        (tries([], None), None, 1),
        (tries(["ana"], "ben"), "ana", 1),
        (tries(["ana"], "ana"), "ben", 1),
    ],
)
def test_a_race_is_right_when_answers_and_table_agree_on_one_winner(
    race: list[Try], owner: str | None, wrong: int
) -> None:
    assert races.judged([race], [owner], 1.0)["not_one_winner"] == wrong


def test_races_that_did_not_fit_into_the_time_are_missed_and_named() -> None:
    right = races.judged([tries(["ana"], "ana")], ["ana"], 300.0)
    measure = bench._races(right)
    assert measure.met is False
    assert "9,999 more did not fit into 300 s" in measure.said
    assert bench._races({**right, "wanted": 1}).met is True
