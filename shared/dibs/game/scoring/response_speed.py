"""The board of response speed (M3): who answers the leads they take the fastest, week and month.

A board as any other, but worked out from the ledger: a streak cannot be added up from totals, and
the board may be seen as it was at any moment.
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
from dibs.game.scoring.metrics import METRICS
from dibs.game.scoring.ranking import Row
from dibs.ledger.entries import ASSIGNED, CLAIMED, Entry
from dibs.ledger.ports import Ledger
from dibs.race.newcomers import protected
from dibs.reports.speed import Speed, places, speed
from dibs.reports.team_entries import KINDS, Kind, named_period, team_entries, zone_of
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook

RESPONSE_SPEED = "response_speed"


@dataclass(frozen=True)
class SpeedBoard(Leaderboard):
    """A board whose rows tell the `speed` as well; `span` is its period. `winners` are the rows of
    the first place when it is over, and None before."""

    span: Period
    winners: tuple[Row, ...] | None


def response_speed(
    ledger: Ledger, roster: Roster, asked: Asked, viewer: Rep | None, as_of: datetime
) -> SpeedBoard:
    """Return the board of a team's week or month, the current one where none is named (M3).

    A rep sees that of their team, a manager (None) that of the team they name, as it was at the
    moment `as_of`. What newcomers took in their protected weeks is not on it (F9).

    Raises:
        Forbidden: a rep asks for another team's.
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
    counted = [one for one in entries if not _protected(one, reps.get(one.rep_id), playbook, zone)]
    rows = _rows(speed(counted, playbook.work.counts, span.start, span.end), reps)
    number = None
    if viewer is not None:
        number = next((n for n, row in enumerate(rows) if row.id == viewer.rep_id), None)
    mine = None if number is None else rows[number]
    taken_places = Counter(row.place for row in rows if row.place is not None)
    board = SpeedBoard(
        metric=RESPONSE_SPEED,
        definition=METRICS["response_time"],
        period=span.name,
        scope="reps",
        team=team,
        as_of=as_of,
        rows=rows,
        around=() if number is None else rows[max(0, number - 1) : number + 2],
        mine=mine,
        gap=None if mine is None else _gap(rows, mine),
        many=len(rows),
        shared=frozenset(place for place, many in taken_places.items() if many > 1),
        span=span,
        winners=None,
    )
    board = board if viewer is None else as_seen(board, playbook, viewer)
    winners = tuple(row for row in board.rows if row.place == 1)
    return replace(
        board, rows=board.rows[: asked.top], winners=winners if span.end <= as_of else None
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


def _rows(found: Speed, reps: Mapping[str, Rep]) -> tuple[Row, ...]:
    rows = []
    for place, rep_id in places(found):
        one, name = found.reps[rep_id], reps[rep_id].name if rep_id in reps else ""
        mean = None if one.mean_seconds is None else Fraction(one.mean_seconds)
        rows.append(Row(place, rep_id, name, mean, one))
    return tuple(rows)


def _gap(rows: tuple[Row, ...], mine: Row) -> Fraction | None:
    """Return how much faster the next place above is, None at the top, or without a place."""
    if mine.place is None or mine.value is None or mine.place == 1:
        return None
    above = rows[mine.place - 2].value
    return None if above is None else mine.value - above


def _protected(entry: Entry, rep: Rep | None, playbook: Playbook, zone: str) -> bool:
    """Tell whether an entry is of a lead taken while its rep's results were protected (F9)."""
    taken = entry.kind in (CLAIMED, ASSIGNED)
    if not taken or rep is None:
        return False
    return protected(rep.joined_on, day_of(zone, entry.at).first_day, playbook)
