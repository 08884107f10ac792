"""Leaderboards (G3): any figure, over any period, of reps or of teams.

A team's figure is worked out from what its reps came to together: a share is that of all its
leads, not the mean of its reps' shares. What newcomers did in their protected weeks is on no
board (F9).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Literal

from dibs.domain.badges import kind_of
from dibs.domain.boards import Row, near, ranked, shared, summed
from dibs.domain.calendar import Kind, named, period_of
from dibs.domain.errors import FieldError, InvalidInput, RouteNotFound
from dibs.domain.game import Metric, Per
from dibs.domain.metrics import metrics_of
from dibs.domain.playbook import Playbook
from dibs.domain.reps import Rep
from dibs.usecases.ports import Standings, Total

PERIODS: tuple[Per, ...] = ("day", "week", "month", "quarter", "all")
Scope = Literal["reps", "teams"]
SCOPES: tuple[Scope, ...] = ("reps", "teams")
MOST_ROWS = 100


@dataclass(frozen=True)
class Leaderboard:
    """A board as one viewer may see it.

    `rows` are the top, `around` the viewer's own row with its neighbours; `mine` is it alone. Rows
    have empty ids and names where the viewer may not know whose they are; `shared` are those of
    their places that more than one has. `gap` is how far the value of the next place above is.
    """

    metric: str
    definition: Metric
    period: str
    scope: Scope
    team: str
    as_of: datetime
    rows: tuple[Row, ...]
    around: tuple[Row, ...]
    mine: Row | None
    gap: Fraction | None
    many: int
    shared: frozenset[int]


@dataclass(frozen=True)
class Asked:
    """What a board is asked for: empty words are the usual ones."""

    metric: str
    period: str = ""
    period_name: str = ""
    scope: str = ""
    team: str = ""
    top: int = 10


def leaderboard(
    standings: Standings, playbook: Playbook, asked: Asked, viewer: Rep | None, now: datetime
) -> Leaderboard:
    """Return a board: for a rep that of their team, for a manager (None) that of everybody.

    Raises:
        RouteNotFound: there is no such figure.
        InvalidInput: names every field that is wrong.
    """
    metric = metrics_of(playbook).get(asked.metric)
    if metric is None:
        raise RouteNotFound(
            f"There is no figure {asked.metric!r:.60}; look at GET /metrics for those there are."
        )
    period, scope = _asked(playbook, asked, viewer, now)
    team = asked.team if viewer is None else viewer.team
    rows = _rows(standings.totals(period), period, playbook, metric, scope, team)
    own_id = None if viewer is None else (viewer.rep_id if scope == "reps" else viewer.team)
    own = next((place for place, row in enumerate(rows) if row.id == own_id), None)
    mine = None if own is None else rows[own]
    top, around = rows[: asked.top], () if own is None else near(rows, own)
    board = Leaderboard(
        metric=asked.metric,
        definition=metric,
        period=period,
        scope=scope,
        team=team if scope == "reps" else "",
        as_of=now,
        rows=tuple(top),
        around=tuple(around),
        mine=mine,
        gap=None if mine is None else _gap(rows, mine),
        many=len(rows),
        shared=shared(rows, (row.place for row in (*top, *around))),
    )
    return board if viewer is None or scope == "teams" else _as_seen(board, playbook, viewer)


def _asked(
    playbook: Playbook, asked: Asked, viewer: Rep | None, now: datetime
) -> tuple[str, Scope]:
    wrong = []
    per = next((per for per in PERIODS if per == (asked.period or "week")), None)
    scope = next((scope for scope in SCOPES if scope == (asked.scope or "reps")), None)
    if per is None:
        wrong.append(FieldError("period", f"use one of {', '.join(PERIODS)}"))
    if scope is None:
        wrong.append(FieldError("scope", f"use one of {', '.join(SCOPES)}"))
    if asked.team and asked.team not in playbook.teams:
        wrong.append(FieldError("team", f"use one of {', '.join(playbook.teams)}"))
    if viewer is not None and asked.team not in ("", viewer.team):
        wrong.append(FieldError("team", "leave it out; you see the board of your own team"))
    if not 1 <= asked.top <= MOST_ROWS:
        wrong.append(FieldError("top", f"use 1 to {MOST_ROWS}"))
    if per is None or scope is None or wrong:
        raise InvalidInput(tuple(wrong))
    if per == "all":
        return per, scope
    team = playbook.teams.get(asked.team if viewer is None else viewer.team)
    zone = "UTC" if team is None else team.zone
    return (_named(per, asked.period_name) or period_of(per, zone, now).name), scope


def _named(per: Kind, name: str) -> str:
    if not name:
        return ""
    try:
        named(name, "UTC")
    except ValueError as error:
        raise InvalidInput((FieldError("period_name", str(error)),)) from error
    if kind_of(name) != per:
        raise InvalidInput((FieldError("period_name", f"is no {per}; name one, or change period"),))
    return name


# The latest boards worked out, by what they are of: as long as the totals are the very same, so is
# the board, and nobody waits for thousands of formulas.
_known: dict[tuple[str, ...], tuple[Sequence[Total], list[Row]]] = {}
_MOST_KNOWN = 64
_MOST_KNOWN_ROWS = 80_000


def _rows(
    totals: Sequence[Total],
    period: str,
    playbook: Playbook,
    metric: Metric,
    scope: Scope,
    team: str,
) -> list[Row]:
    of_team = team if scope == "reps" else str(playbook.version)
    key = (period, metric.formula, metric.better, scope, of_team)
    known = _known.get(key)
    if known is not None and known[0] is totals:
        return known[1]
    of: dict[str, list[Mapping[str, int]]] = defaultdict(list)
    names: dict[str, str] = {}
    for total in totals:
        if scope == "teams":
            of[total.team].append(total.counts)
        elif team in ("", total.team):
            of[total.rep_id].append(total.counts)
            names[total.rep_id] = total.name
    if scope == "teams":
        names = {one: playbook.teams[one].name for one in of if one in playbook.teams}
    counts = {one: (names.get(one, one), summed(found)) for one, found in of.items()}
    rows = ranked(metric, counts)
    # What is of totals that have changed since is of no use, and keeps them in memory.
    for old in [one for one in _known if one[0] == period and _known[one][0] is not totals]:
        del _known[old]
    _known[key] = (totals, rows)
    while len(_known) > 1 and (
        len(_known) > _MOST_KNOWN or sum(len(of) for _, of in _known.values()) > _MOST_KNOWN_ROWS
    ):
        del _known[next(iter(_known))]
    return rows


def _gap(rows: Sequence[Row], mine: Row) -> Fraction | None:
    """Return how much better the next place above is, None at the top or without a value."""
    if mine.place is None or mine.value is None:
        return None
    above = [row.value for row in rows if row.place is not None and row.place < mine.place]
    return abs(above[-1] - mine.value) if above and above[-1] is not None else None


def _as_seen(board: Leaderboard, playbook: Playbook, viewer: Rep) -> Leaderboard:
    """Return what a rep may see of their team's board: names, places alone, or their own gap."""
    team = playbook.teams.get(viewer.team)
    if team is not None and team.own_gap:
        own = () if board.mine is None else (board.mine,)
        return replace(board, rows=own, around=own)
    if not playbook.hides_winner_from(viewer):
        return board

    def hidden(rows: tuple[Row, ...]) -> tuple[Row, ...]:
        return tuple(
            row if row.id == viewer.rep_id else Row(row.place, "", "", row.value) for row in rows
        )

    return replace(board, rows=hidden(board.rows), around=hidden(board.around))
