"""What the ledger shows: the board of response speed (M3) and the assignment report (R10).

Everything is shown `as_of` a moment: what happened later is left out. A week or month is that of
the team's zone. What was done in the week after a period still counts for its leads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from dibs.core.calendar import Period, day_of, last_completed, named, period_of, week_of
from dibs.core.errors import FieldError, InvalidInput
from dibs.core.rep import Rep
from dibs.ledger.entries import ASSIGNED, CLAIMED, Entry
from dibs.ledger.ports import Ledger
from dibs.race.newcomers import protected
from dibs.reports.assignment_rows import Row, assignment_report
from dibs.reports.ports import Results
from dibs.reports.speed import RepSpeed, places, speed
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook

# Leads of a period's last minutes are contacted, and told of, when it is over.
AFTERMATH = timedelta(days=7)

Kind = Literal["week", "month"]
KINDS: tuple[Kind, ...] = ("week", "month")


@dataclass(frozen=True)
class Standing:
    """One rep on a board; `place` is None until they contacted anybody, `name` where the viewer
    may not know it (C3)."""

    place: int | None
    rep_id: str | None
    name: str | None
    speed: RepSpeed
    mine: bool


@dataclass(frozen=True)
class Board:
    """How fast a team was in a period. `winners` are named when it is over, and None before."""

    team: str
    as_of: datetime
    period: Period
    standings: tuple[Standing, ...]
    winners: tuple[Standing, ...] | None


@dataclass(frozen=True)
class TeamReport:
    """What became of a team's leads in a week; `final` when its aftermath is over."""

    team: str
    name: str
    period: Period
    rows: tuple[Row, ...]
    final: bool


def response_speed(
    ledger: Ledger,
    roster: Roster,
    team: str,
    kind: Kind,
    name: str,
    viewer: Rep | None,
    as_of: datetime,
) -> Board:
    """Return the board of a team's week or month by `name`, the current one without (M3).

    A rep of a team with anonymous boards finds nobody's name on it but their own, and nobody else
    at all where boards show the own gap only (G3). What newcomers took in their protected weeks is
    not on it (F9).

    Raises:
        InvalidInput: there is no such team, or no such week or month.
    """
    playbook = roster.playbook()
    zone = _zone(playbook, team)
    period = _named(kind, name, zone, "period_name") if name else period_of(kind, zone, as_of)
    entries = _entries(ledger, team, zone, period, as_of)
    known = roster.get_many(sorted({entry.rep_id for entry in entries}))
    counted = [one for one in entries if not _protected(one, known.get(one.rep_id), playbook, zone)]
    found = speed(counted, playbook.work.counts, period.start, period.end)
    hidden = viewer is not None and playbook.hides_winner_from(viewer)
    alone = viewer is not None and playbook.teams[team].own_gap
    standings = []
    for place, rep_id in places(found):
        mine = viewer is not None and viewer.rep_id == rep_id
        if alone and not mine:
            continue
        shown = mine or not hidden
        rep = known.get(rep_id)
        standings.append(
            Standing(
                place,
                rep_id if shown else None,
                rep.name if shown and rep is not None else None,
                found.reps[rep_id],
                mine,
            )
        )
    over = period.end <= as_of
    winners = tuple(one for one in standings if one.place == 1) if over else None
    return Board(team, as_of, period, tuple(standings), winners)


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
        zone = _zone(playbook, one)
        period = _named("week", name, zone, "week") if name else last_completed("week", zone, as_of)
        final = period.end + AFTERMATH <= as_of
        kept = results.report(one, period.name) if final else None
        rows = weekly_rows(ledger, playbook, one, period, as_of) if kept is None else kept
        reports.append(TeamReport(one, playbook.teams[one].name, period, tuple(rows), final))
    return reports


def weekly_rows(
    ledger: Ledger, playbook: Playbook, team: str, period: Period, as_of: datetime
) -> Sequence[Row]:
    """Work out what became of a team's leads in a week (R10)."""
    entries = _entries(ledger, team, playbook.teams[team].zone, period, as_of)
    return assignment_report(entries, playbook.work.counts, period.start, period.end)


def _protected(entry: Entry, rep: Rep | None, playbook: Playbook, zone: str) -> bool:
    """Tell whether an entry is of a lead taken while its rep's results were protected (F9)."""
    taken = entry.kind in (CLAIMED, ASSIGNED)
    if not taken or rep is None:
        return False
    return protected(rep.joined_on, day_of(zone, entry.at).first_day, playbook)


def _zone(playbook: Playbook, team: str) -> str:
    known = playbook.teams.get(team)
    if known is None:
        raise InvalidInput((FieldError("team", f"use one of {', '.join(playbook.teams)}"),))
    return known.zone


def _named(kind: Kind, name: str, zone: str, field: str) -> Period:
    example = "2026-W47" if kind == "week" else "2026-11"
    try:
        period = named(name, zone)
    except ValueError:
        period = None
    # A day or a quarter is a period as well, but not of this kind.
    if period is None or period_of(kind, zone, period.start).name != period.name:
        raise InvalidInput((FieldError(field, f"name a {kind}, such as {example}"),))
    return period


def _entries(ledger: Ledger, team: str, zone: str, period: Period, as_of: datetime) -> list[Entry]:
    weeks = list(_weeks(period, zone, as_of))
    over = period.end + AFTERMATH
    found = ledger.of_team(team, weeks)
    return [entry for entry in found if entry.at <= as_of and entry.at < over]


def _weeks(period: Period, zone: str, as_of: datetime) -> Iterator[str]:
    """Yield the weeks a period lies in, and that of its aftermath."""
    moment = period.start
    while moment <= as_of and moment < period.end + AFTERMATH:
        week = week_of(zone, moment)
        yield week.name
        moment = week.end
