"""Leaderboards (G3): any figure, over any period, of reps or of teams.

A team's figure is worked out from what its reps came to together: a share is that of all its
leads, not the mean of its reps' shares. What newcomers did in their protected weeks is on no
board (F9).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from itertools import zip_longest
from operator import attrgetter
from typing import Literal, TypeVar

from dibs.core.calendar import Kind, named, period_of
from dibs.core.errors import FieldError, InvalidInput, RouteNotFound
from dibs.core.periods import kind_of
from dibs.core.rep import Rep
from dibs.game.scoring.metrics import metrics_of, parse
from dibs.game.scoring.ports import Standings, Total
from dibs.game.scoring.ranking import Named, Ranking, Row
from dibs.rules.game import Metric
from dibs.rules.playbook import Playbook

PERIODS: tuple[Kind | Literal["all"], ...] = ("day", "week", "month", "quarter", "year", "all")
Scope = Literal["reps", "teams"]
SCOPES: tuple[Scope, ...] = ("reps", "teams")
MOST_ROWS = 100
USUAL_ROWS = 10


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


Board = TypeVar("Board", bound=Leaderboard)


@dataclass(frozen=True)
class Asked:
    """What a board is asked for: empty words, and no number of rows, are the usual ones."""

    metric: str
    period: str = ""
    period_name: str = ""
    scope: str = ""
    team: str = ""
    top: int | None = None


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
    whole = _ranking(standings.totals(period), period, playbook, metric, scope, team)
    own_id = None if viewer is None else (viewer.rep_id if scope == "reps" else viewer.team)
    own = None if own_id is None else whole.number_of(own_id)
    top = whole.rows(0, USUAL_ROWS if asked.top is None else asked.top)
    around = () if own is None else whole.rows(own - 1, own + 2)
    mine = next((row for row in around if row.id == own_id), None)
    places = {row.place for row in (*top, *around) if row.place is not None}
    board = Leaderboard(
        metric=asked.metric,
        definition=metric,
        period=period,
        scope=scope,
        team=team if scope == "reps" else "",
        as_of=now,
        rows=top,
        around=around,
        mine=mine,
        gap=None if mine is None else whole.gap(mine),
        many=len(whole),
        shared=frozenset(place for place in places if whole.is_shared(place)),
    )
    return board if viewer is None or scope == "teams" else as_seen(board, playbook, viewer)


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
    if asked.top is not None and not 1 <= asked.top <= MOST_ROWS:
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


# The latest rankings, with the totals they are of. Totals that are the same objects as before, as
# `Standings` promises where nothing changed, are not looked at again: nobody waits for thousands of
# formulas because one rep made a call.
_known: dict[tuple[str, ...], tuple[Sequence[Total], Ranking]] = {}
_MOST_KNOWN = 64
_MOST_KNOWN_ROWS = 80_000
# A ranking of few rows keeps all totals of its period as they were when it was last looked at: some
# 3 KB each, ten times what a row takes.
_MOST_KNOWN_TOTALS = 40_000


def _ranking(
    totals: Sequence[Total],
    period: str,
    playbook: Playbook,
    metric: Metric,
    scope: Scope,
    team: str,
) -> Ranking:
    """Return everybody's order, worked out from the last one as far as that goes."""
    whose = attrgetter("team" if scope == "teams" else "rep_id")

    def counts(total: Total) -> bool:
        return scope == "teams" or team in ("", total.team)

    def named(total: Total) -> str:
        if scope == "reps":
            return total.name
        return playbook.teams[total.team].name if total.team in playbook.teams else total.team

    of_team = team if scope == "reps" else str(playbook.version)
    key = (period, metric.formula, metric.better, scope, of_team)
    were, ranking = _known.pop(key, ((), Ranking(metric)))
    if were is not totals:
        ranking = ranking.changed(_changes(metric, were, totals, whose, counts, named))
    _known[key] = (totals, ranking)
    while len(_known) > 1 and _is_too_much():
        del _known[next(iter(_known))]
    return ranking


def _is_too_much() -> bool:
    lists = {id(of): len(of) for of, _ in _known.values()}
    return (
        len(_known) > _MOST_KNOWN
        or sum(len(ranking) for _, ranking in _known.values()) > _MOST_KNOWN_ROWS
        or sum(lists.values()) > _MOST_KNOWN_TOTALS
    )


def _changes(
    metric: Metric,
    were: Sequence[Total],
    totals: Sequence[Total],
    whose: Callable[[Total], str],
    counts: Callable[[Total], bool],
    named: Callable[[Total], str],
) -> dict[str, Named | None]:
    """Return the lines that are others because totals came or went."""
    moved = [pair for pair in zip_longest(were, totals) if pair[0] is not pair[1]]
    before = {id(was): was for was, _ in moved if was is not None}
    now = {id(one): one for _, one in moved if one is not None}
    either = before | now
    apart = [either[one] for one in before.keys() ^ now.keys()]
    found: dict[str, Named | None] = {whose(total): None for total in apart if counts(total)}
    terms = parse(metric.formula).terms
    for one, total in zip(map(whose, totals), totals, strict=True):
        if one in found and counts(total):
            _, known = found[one] or ("", {})
            whole = {name: known.get(name, 0) + total.counts.get(name, 0) for name in terms}
            found[one] = (named(total), whole)
    return found


def as_seen(board: Board, playbook: Playbook, viewer: Rep) -> Board:
    """Return what a rep may see of their team's board: names, places alone, or their own gap."""
    team = playbook.teams.get(viewer.team)
    if team is not None and team.own_gap:
        own = () if board.mine is None else (board.mine,)
        return replace(board, rows=own, around=own)
    if not playbook.hides_winner_from(viewer):
        return board

    def hidden(rows: tuple[Row, ...]) -> tuple[Row, ...]:
        return tuple(
            row if row.id == viewer.rep_id else replace(row, id="", name="") for row in rows
        )

    return replace(board, rows=hidden(board.rows), around=hidden(board.around))
