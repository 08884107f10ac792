"""The assignment report: what became of a team's leads in a week (R10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dibs.core.calendar import Period, last_completed
from dibs.ledger.ports import Ledger
from dibs.reports.assignment_rows import Row, assignment_report
from dibs.reports.ports import PeriodResults
from dibs.reports.team_entries import AFTERMATH, named_period, team_entries, zone_of
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook


@dataclass(frozen=True)
class TeamReport:
    """What became of a team's leads in a week; `final` once the week after it is over."""

    team: str
    name: str
    period: Period
    rows: tuple[Row, ...]
    final: bool


def assignment(
    ledger: Ledger, results: PeriodResults, roster: Roster, team: str, name: str, as_of: datetime
) -> list[TeamReport]:
    """Return the assignment report of the week `name`, or of the last completed week (R10).

    For one team, or for every team where `team` is empty. A final report is read from the store
    once it is stored there.

    Raises:
        InvalidInput: there is no such team, or no such week.
    """
    playbook, reports = roster.playbook(), []
    for team_id in [team] if team else playbook.teams:
        zone = zone_of(playbook, team_id)
        period = (
            named_period("week", name, zone, "week")
            if name
            else last_completed("week", zone, as_of)
        )
        final = period.end + AFTERMATH <= as_of
        stored = results.report(team_id, period.name) if final else None
        rows = weekly_rows(ledger, playbook, team_id, period, as_of) if stored is None else stored
        team_name = playbook.teams[team_id].name
        reports.append(TeamReport(team_id, team_name, period, tuple(rows), final))
    return reports


def weekly_rows(
    ledger: Ledger, playbook: Playbook, team: str, period: Period, as_of: datetime
) -> Sequence[Row]:
    """Compute the report's rows of a team's week (R10)."""
    entries = team_entries(ledger, team, playbook.teams[team].zone, period, as_of)
    return assignment_report(entries, playbook.work.counts, period.start, period.end)
