"""The board of response speed ranks reps by how fast they contact their leads, by week or month
(M3).

It is computed from the ledger: a streak cannot be added up from totals, and the board can be shown
as of any moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from dibs.core.calendar import Period, day_of, period_of
from dibs.core.errors import FieldError, Forbidden, InvalidInput
from dibs.core.rep import Rep
from dibs.game.scoring.leaderboard import MOST_ROWS, Asked, Leaderboard, as_seen
from dibs.game.scoring.metrics import METRICS, metrics_of
from dibs.game.scoring.ranking import Row
from dibs.game.scoring.samples import needed
from dibs.ledger.entries import ASSIGNED, CLAIMED, Entry
from dibs.ledger.ports import Ledger
from dibs.race.newcomers import protected
from dibs.reports.speed import Speed, places, speed
from dibs.reports.team_entries import KINDS, Kind, named_period, team_entries, zone_of
from dibs.roster.ports import Roster
from dibs.rules.game import Speed as SpeedRules
from dibs.rules.playbook import Playbook

RESPONSE_SPEED = "response_speed"


@dataclass(frozen=True)
class SpeedBoard(Leaderboard):
    """A board whose rows have a `speed`; `span` is its period, `rules` are the times it goes by.
    `winners` are the rows of the first place, None until the period is over."""

    span: Period
    winners: tuple[Row, ...] | None
    rules: SpeedRules


def response_speed(
    ledger: Ledger, roster: Roster, asked: Asked, viewer: Rep | None, as_of: datetime
) -> SpeedBoard:
    """Return the board of a team's week or month, by default the current one, as of `as_of` (M3).

    A rep sees their own team's board, a manager (None) that of the team they name. Leads that
    newcomers took in their protected weeks are not on it (F9).

    Raises:
        Forbidden: a rep asks for another team's board.
        InvalidInput: names every field that is wrong.
    """
    if viewer is not None and asked.team not in ("", viewer.team):
        raise Forbidden("Reps see the board of their own team.")
    playbook, team = roster.playbook(), asked.team if viewer is None else viewer.team
    kind, zone = _kind(asked), zone_of(playbook, team)
    name = asked.period_name
    span = named_period(kind, name, zone, "period_name") if name else period_of(kind, zone, as_of)
    entries = team_entries(ledger, team, zone, span, as_of)
    reps = roster.get_many(sorted({entry.rep_id for entry in entries}))
    counted = [e for e in entries if not _protected(e, reps.get(e.rep_id), playbook, zone)]
    # This board has its own definition; only the minimum is the playbook's.
    least = metrics_of(playbook)["response_time"].minimum
    metric, rules = replace(METRICS["response_time"], minimum=least), playbook.game.speed
    found = speed(counted, playbook.work.counts, span.start, span.end, rules)
    listed = _rows(found, reps, needed(metric, playbook))
    rows = tuple(row for row in listed if not row.not_ranked)
    own = "" if viewer is None else viewer.rep_id
    mine = next((row for row in listed if own and row.id == own), None)
    number = rows.index(mine) if mine in rows else None
    sharers = Counter(row.place for row in rows if row.place is not None)
    board = SpeedBoard(
        metric=RESPONSE_SPEED,
        definition=metric,
        period=span.name,
        scope="reps",
        team=team,
        as_of=as_of,
        rows=rows,
        around=() if number is None else rows[max(0, number - 1) : number + 2],
        mine=mine,
        gap=None if mine is None else _gap(rows, mine),
        many=len(rows),
        shared=frozenset(place for place, many in sharers.items() if many > 1),
        apart=tuple(row for row in listed if row.not_ranked),
        many_apart=len(listed) - len(rows),
        span=span,
        winners=None,
        rules=rules,
    )
    board = board if viewer is None else as_seen(board, playbook, viewer)
    winners = tuple(row for row in board.rows if row.place == 1)
    return replace(
        board,
        rows=board.rows[: asked.top],
        apart=board.apart[: asked.top],
        winners=winners if span.end <= as_of else None,
    )


def _kind(asked: Asked) -> Kind:
    kind = next((kind for kind in KINDS if kind == (asked.period or "week")), None)
    wrong = []
    if kind is None:
        wrong.append(FieldError("period", f"use {' or '.join(KINDS)}"))
    if asked.scope not in ("", "reps"):
        wrong.append(FieldError("scope", "use reps; this board has no other"))
    if asked.top is not None and not 1 <= asked.top <= MOST_ROWS:
        wrong.append(FieldError("top", f"use 1 to {MOST_ROWS}"))
    if kind is None or wrong:
        raise InvalidInput(tuple(wrong))
    return kind


def _rows(results: Speed, reps: Mapping[str, Rep], need: int) -> tuple[Row, ...]:
    """Return all rows; whoever contacted fewer than `need` leads is not ranked yet (G12)."""
    rows = []
    for place, rep_id in places(results, need):
        one, name = results.reps[rep_id], reps[rep_id].name if rep_id in reps else ""
        mean = None if one.mean_seconds is None else Fraction(one.mean_seconds)
        row = Row(place, rep_id, name, mean, one)
        if one.contacted < need:
            row = replace(row, have=Fraction(one.contacted), need=need)
        rows.append(row)
    return tuple(sorted(rows, key=lambda row: -(row.have or 0)) if need else rows)


def _gap(rows: tuple[Row, ...], mine: Row) -> Fraction | None:
    """Return how much faster the next place above is; None at the top, and without a place."""
    if mine.place is None or mine.value is None or mine.place == 1:
        return None
    above = rows[mine.place - 2].value
    return None if above is None else mine.value - above


def _protected(entry: Entry, rep: Rep | None, playbook: Playbook, zone: str) -> bool:
    """Return whether an entry takes a lead while its rep's results are protected (F9)."""
    taken = entry.kind in (CLAIMED, ASSIGNED)
    if not taken or rep is None:
        return False
    return protected(rep.joined_on, day_of(zone, entry.at).first_day, playbook)
