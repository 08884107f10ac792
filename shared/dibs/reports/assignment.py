"""The assignment report: what became of a team's leads in a week (R10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dibs.core.calendar import Period, last_completed
from dibs.ledger.ports import Ledger
from dibs.reports.assignment_rows import Row, assignment_report
from dibs.reports.ports import Results
from dibs.reports.team_entries import AFTERMATH, named_period, team_entries, zone_of
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook


@dataclass(frozen=True)
class TeamReport:
    """What became of a team's leads in a week; `final` when its aftermath is over."""

    team: str
    name: str
    period: Period
    rows: tuple[Row, ...]
    final: bool


def assignment(
    ledger: Ledger, results: Results, roster: Roster, team: str, name: str, as_of: datetime
) -> list[TeamReport]:
    """Return the report of a week by `name` (R10), without one the last that is over.

    Of every team, or of one. A final one is the one that was kept, once it was.

    Raises:
        InvalidInput: there is no such team, or no such week.
    """
    playbook, reports = roster.playbook(), []
    for one in [team] if team else playbook.teams:
        zone = zone_of(playbook, one)
        period = (
            named_period("week", name, zone, "week")
            if name
            else last_completed("week", zone, as_of)
        )
        final = period.end + AFTERMATH <= as_of
        kept = results.report(one, period.name) if final else None
        rows = weekly_rows(ledger, playbook, one, period, as_of) if kept is None else kept
        reports.append(TeamReport(one, playbook.teams[one].name, period, tuple(rows), final))
    return reports


def weekly_rows(
    ledger: Ledger, playbook: Playbook, team: str, period: Period, as_of: datetime
) -> Sequence[Row]:
    """Work out what became of a team's leads in a week (R10)."""
    entries = team_entries(ledger, team, playbook.teams[team].zone, period, as_of)
    return assignment_report(entries, playbook.work.counts, period.start, period.end)
