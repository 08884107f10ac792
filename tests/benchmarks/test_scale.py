"""docs/scale.md is what the program writes, and the program reckons what it says."""

from __future__ import annotations

import re

import pytest

from benchmarks import scale
from benchmarks.scale import LOAD_SECONDS, Outcome, Scenario, simulate


@pytest.fixture(scope="module")
def peaks() -> dict[str, Outcome]:
    return {scenario.name: simulate(scenario) for scenario in scale.SCENARIOS}


def test_the_page_is_what_the_program_writes() -> None:
    assert scale.PAGE.read_text(encoding="utf-8") == scale.page(), "run: make scale"


def test_the_same_peak_comes_to_the_same() -> None:
    short = Scenario("a", 5)
    assert simulate(short) == simulate(short)


def test_a_lead_makes_the_calls_that_the_bench_counted() -> None:
    listed = scale.COSTS.read_text(encoding="utf-8")
    row = re.search(r"HTTP API calls \| [^|]+ \| (\S+)", listed)
    assert row and float(row[1]) == scale.CALLS
    assert scale.A_LEAD["page"] + scale.A_LEAD["poll"] == (scale.CALLS_WITHOUT_OWN_LIMIT)


def test_as_deployed_the_promised_leads_are_told_at_once(peaks: dict[str, Outcome]) -> None:
    outcome = peaks["20 leads/s, as deployed"]
    assert abs(len(outcome.posted) - 20 * LOAD_SECONDS) < 100
    assert outcome.told_after < 2
    assert outcome.breaks == "nothing"


def test_a_limit_that_is_passed_is_seen_and_one_that_is_raised_is_not(
    peaks: dict[str, Outcome],
) -> None:
    before = peaks["100 leads/s, as deployed"]
    assert before.refused[scale.DEFAULT] / before.asked[scale.DEFAULT] > 0.3
    raised = peaks["… with `PeakLeadsPerSecond=100`"]
    assert not raised.refused[scale.DEFAULT]
    large = peaks["… for large teams"]
    assert large.steps_full[scale.OFFERS] and large.told_after > 10
    warmed = peaks["… and the offers table warmed"]
    assert not warmed.steps_full[scale.OFFERS]
    assert "score up to" in warmed.breaks  # the next in the list
    assert warmed.told_after < 5


def test_no_peak_has_more_runs_than_the_account(peaks: dict[str, Outcome]) -> None:
    small = simulate(Scenario("slow", 200, limits="200", offers_writes=40_000))
    for outcome in (*peaks.values(), small):
        assert all(runs <= scale.ACCOUNT_RUNS for runs in outcome.most_runs.values())


def test_whatever_came_in_is_done_in_the_end(peaks: dict[str, Outcome]) -> None:
    assert all(outcome.drained_after is not None for outcome in peaks.values())


def test_the_limits_come_in_the_order_in_which_they_are_met() -> None:
    leads = [limit.leads for limit in scale.limits()]
    assert leads == sorted(leads)
    assert leads[0] > 1
