"""The weekly and monthly jobs: tiers (M2), assignment reports (R10) and quotas (M4).

A job works on the last period that ended before `as_of`, in each team's own zone, so the next run
catches up a missed one. Running twice, even at the same time, changes nothing (O1): each rep's
inputs for a period are recorded once, the first record counts, and the rest follows from the
records. The next run continues a run that died.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TypeVar

from dibs.core.calendar import Kind, Period, day_start, last_completed, named
from dibs.core.jobs import JobResult
from dibs.core.periods import months
from dibs.core.ports import Each
from dibs.core.rep import Rep
from dibs.ledger.ports import Ledger
from dibs.race.newcomers import counted_from
from dibs.reports.assignment import weekly_rows
from dibs.reports.ports import PeriodResults, QuotaResult, Targets
from dibs.reports.quotas import achieved, allowance, attainment, target_for, worked_days
from dibs.reports.team_entries import AFTERMATH
from dibs.reports.tier_inputs import tier_inputs
from dibs.reports.tiers import Inputs, edges, explain, place, team_of
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook
from dibs.rules.ports import Playbooks

PAGE = 100
T = TypeVar("T")


@dataclass(frozen=True)
class PeriodDeps:
    """The stores and the clock of the weekly and monthly jobs.

    `each` does something for each rep of a page: a job mostly waits for answers.
    """

    roster: Roster
    playbooks: Playbooks
    ledger: Ledger
    targets: Targets
    results: PeriodResults
    clock: Callable[[], datetime]
    each: Each = map


def recalculate_tiers(deps: PeriodDeps, as_of: datetime) -> JobResult:
    """Put the reps of every team with tiers into tiers, by the weeks before `as_of` (M2)."""
    return _each(deps, as_of, "tiers", "week", _has_tiers, _tiers_of)


def recalculate_quotas(deps: PeriodDeps, as_of: datetime) -> JobResult:
    """Set every rep's weekly allowance by the month before `as_of` (M4)."""
    return _each(deps, as_of, "quotas", "month", _has_quotas, _quotas_of)


def keep_reports(deps: PeriodDeps, as_of: datetime) -> JobResult:
    """Store the assignment report of each team's last week that is final (R10)."""
    return _each(deps, as_of - AFTERMATH, "reports", "week", _always, _report_of)


def _always(playbook: Playbook, team: str) -> bool:
    return team in playbook.teams


def _has_tiers(playbook: Playbook, team: str) -> bool:
    return team in playbook.teams and playbook.ranks(team)


def _has_quotas(playbook: Playbook, team: str) -> bool:
    del team
    return playbook.quota.enabled


def _each(
    deps: PeriodDeps,
    as_of: datetime,
    job: str,
    kind: Kind,
    concerns: Callable[[Playbook, str], bool],
    run: Callable[[PeriodDeps, Playbook, str, Period], JobResult],
) -> JobResult:
    """Run a job for each team where it is not done yet for the last completed period."""
    current, total = deps.playbooks.in_force(), JobResult()
    for team, rules in current.playbook.teams.items():
        if not concerns(current.playbook, team):
            continue
        period = last_completed(kind, rules.zone, as_of)
        name = f"{job}/{team}"
        version = deps.results.begin(name, period.name, current.number, deps.clock())
        if version is None:
            continue
        # A run that continues an earlier one keeps its rules and its zone.
        begun = (deps.playbooks.get(version) or current).playbook
        total += run(deps, begun, team, named(period.name, begun.teams[team].zone))
        deps.results.end(name, period.name, deps.clock())
    return total


def _tiers_of(deps: PeriodDeps, playbook: Playbook, team: str, period: Period) -> JobResult:
    rules = playbook.tiers
    inputs: dict[str, Inputs] = {}
    for page in _pages([rep for rep, _ in deps.roster.team(team)]):
        ids = [rep.rep_id for rep in page]
        stored = deps.results.inputs(period.name, ids)
        # A rep who left after their inputs were recorded still counts, or others would change tier.
        missing = [rep for rep in page if rep.active and rep.rep_id not in stored]
        if missing:
            deps.results.record_inputs(period.name, _inputs(deps, playbook, missing, period))
            stored = deps.results.inputs(period.name, ids)
        inputs |= stored
    placings = place(list(inputs.values()), rules)
    measured, lowest = team_of(list(inputs.values()), rules), edges(placings)
    changed = 0
    for placed in _pages(placings):
        outlooks = [explain(inputs[p.rep_id], p, measured, lowest, rules) for p in placed]
        deps.results.record_outlooks(period.name, playbook.version, outlooks)
        moved = [p for p in placed if p.tier != p.was]
        changed += sum(deps.each(lambda p: deps.roster.set_tier(p.rep_id, p.was, p.tier), moved))
    return JobResult(1, len(inputs), changed)


def _inputs(
    deps: PeriodDeps, playbook: Playbook, reps: Sequence[Rep], period: Period
) -> list[Inputs]:
    """Compute the tier inputs of reps of one team, over the weeks that end with the period."""
    team = playbook.teams[reps[0].team]
    first = period.first_day - timedelta(weeks=playbook.tiers.weeks - 1)
    start, ids = day_start(first, team.zone), [rep.rep_id for rep in reps]
    longest = timedelta(hours=playbook.tiers.longest_response_hours)
    targets = {month: deps.targets.of(month, ids) for month in months(first, period.last_day)}

    def inputs_of(rep: Rep) -> Inputs:
        joined, counted = rep.joined_on, counted_from(rep.joined_on, playbook)
        # A newcomer's protected weeks do not count, neither results nor target (F9).
        begins = start if counted is None else day_start(counted, team.zone)
        since = min(max(start, begins), period.end)
        entries = list(deps.ledger.of_rep(rep.rep_id, since, period.end))
        results = tier_inputs(entries, playbook.work.counts, rep.rep_id, since, period.end, longest)
        own_targets = {month: of_rep.get(rep.rep_id, 0) for month, of_rep in targets.items()}
        target = target_for(own_targets, first, period.last_day, counted or joined, rep.left_on)
        quota = playbook.quota
        done = achieved(entries, quota.measure, quota.currency, since, period.end)
        return Inputs(
            rep_id=rep.rep_id,
            tier=rep.tier,
            taken=results.taken,
            converted=results.converted,
            attainment=float(Fraction(done) / target) if target else None,
            response_seconds=results.response_seconds,
            newcomer=joined is not None
            and (period.last_day - joined).days < playbook.tiers.newcomer_days,
        )

    return list(deps.each(inputs_of, reps))


def _quotas_of(deps: PeriodDeps, playbook: Playbook, team: str, period: Period) -> JobResult:
    rules, month = playbook.quota, period.first_day
    reps = [rep for rep, _ in deps.roster.team(team) if rep.active]
    changed = 0

    def record(rep: Rep, target: int | None) -> bool:
        entries = deps.ledger.of_rep(rep.rep_id, period.start, period.end)
        done = achieved(entries, rules.measure, rules.currency, period.start, period.end)
        reached = attainment(done, target, *worked_days(month, rep.joined_on, rep.left_on))
        result = QuotaResult(done, target, reached, allowance(reached, rules), playbook.version)
        return deps.results.record_attained(rep.rep_id, period.name, result)

    for page in _pages(reps):
        targets = deps.targets.of(month, [rep.rep_id for rep in page])
        due = [(rep, targets.get(rep.rep_id)) for rep in page]
        changed += sum(deps.each(lambda one: record(*one), due))
    return JobResult(1, len(reps), changed)


def _report_of(deps: PeriodDeps, playbook: Playbook, team: str, period: Period) -> JobResult:
    rows = weekly_rows(deps.ledger, playbook, team, period, period.end + AFTERMATH)
    deps.results.record_report(team, period.name, rows)
    return JobResult(1, 0, 1)


def _pages(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), PAGE):
        yield items[start : start + PAGE]
