"""A leaderboard ranks reps or teams by any metric over any period (G3).

A team's value is computed from the sum of its reps' counts: a share is that of all its leads, not
the mean of its reps' shares. Newcomers' protected weeks are on no board (F9).
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
from dibs.game.scoring.samples import needed, sample_of
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

    `rows` are the top of `many`, `mine` is the viewer's own row, `around` that row with its
    neighbours. `apart` are the first of the `many_apart` who are not ranked yet (G12). Ids and
    names are empty where the viewer may not know them. `shared` are the tied places among these
    rows. `gap` is the distance to the value of the next place above.
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
    apart: tuple[Row, ...]
    many_apart: int


Board = TypeVar("Board", bound=Leaderboard)


@dataclass(frozen=True)
class Asked:
    """The request for a board; an empty text, or no number of rows, means the default."""

    metric: str
    period: str = ""
    period_name: str = ""
    scope: str = ""
    team: str = ""
    top: int | None = None


def leaderboard(
    standings: Standings, playbook: Playbook, asked: Asked, viewer: Rep | None, now: datetime
) -> Leaderboard:
    """Return a board: for a rep that of their team, for a manager (None) that of all reps.

    Raises:
        RouteNotFound: there is no such metric.
        InvalidInput: names every field that is wrong.
    """
    metric = metrics_of(playbook).get(asked.metric)
    if metric is None:
        raise RouteNotFound(
            f"There is no figure {asked.metric!r:.60}; look at GET /metrics for those there are."
        )
    period, scope = _asked(playbook, asked, viewer, now)
    team = asked.team if viewer is None else viewer.team
    ranking = _ranking(standings.totals(period), period, playbook, metric, scope, team)
    own_id = None if viewer is None else (viewer.rep_id if scope == "reps" else viewer.team)
    own = None if own_id is None else ranking.number_of(own_id)
    most, last = USUAL_ROWS if asked.top is None else asked.top, ranking.ranked
    top, apart = ranking.rows(0, min(most, last)), ranking.rows(last, last + most)
    mine = None if own is None else ranking.rows(own, own + 1)[0]
    around = () if own is None or own >= last else ranking.rows(own - 1, min(own + 2, last))
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
        gap=None if mine is None else ranking.gap(mine),
        many=last,
        shared=frozenset(place for place in places if ranking.is_shared(place)),
        apart=apart,
        many_apart=len(ranking) - last,
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


# The latest rankings, with their totals. `Standings` returns the same object for a total that has
# not changed, and such totals are skipped: one call does not evaluate thousands of formulas.
_known: dict[tuple[str, ...], tuple[Sequence[Total], Ranking]] = {}
_MOST_KNOWN = 64
_MOST_KNOWN_ROWS = 80_000
# Even a ranking of few rows keeps all totals of its period: some 3 KB each, ten times a row's size.
_MOST_KNOWN_TOTALS = 40_000


def _ranking(
    totals: Sequence[Total],
    period: str,
    playbook: Playbook,
    metric: Metric,
    scope: Scope,
    team: str,
) -> Ranking:
    """Return the ranking, computed from the last one as far as possible."""
    whose = attrgetter("team" if scope == "teams" else "rep_id")

    def counts(total: Total) -> bool:
        return scope == "teams" or team in ("", total.team)

    def named(total: Total) -> str:
        if scope == "reps":
            return total.name
        return playbook.teams[total.team].name if total.team in playbook.teams else total.team

    of_team = team if scope == "reps" else str(playbook.version)
    need = needed(metric, playbook)
    key = (period, metric.formula, metric.better, metric.sample, str(need), scope, of_team)
    were, ranking = _known.pop(key, ((), Ranking(metric, need)))
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
    """Return the lines that changed because totals were added or removed."""
    moved = [pair for pair in zip_longest(were, totals) if pair[0] is not pair[1]]
    before = {id(total): total for total, _ in moved if total is not None}
    now = {id(total): total for _, total in moved if total is not None}
    either = before | now
    changed = [either[key] for key in before.keys() ^ now.keys()]
    lines: dict[str, Named | None] = {whose(total): None for total in changed if counts(total)}
    sample = sample_of(metric)
    terms = parse(metric.formula).terms | (sample.terms if sample else frozenset())
    for owner, total in zip(map(whose, totals), totals, strict=True):
        if owner in lines and counts(total):
            _, so_far = lines[owner] or ("", {})
            added = {name: so_far.get(name, 0) + total.counts.get(name, 0) for name in terms}
            lines[owner] = (named(total), added)
    return lines


def as_seen(board: Board, playbook: Playbook, viewer: Rep) -> Board:
    """Return a team's board as a rep may see it: named, anonymous, or own gap only (G3)."""
    team = playbook.teams.get(viewer.team)
    if team is not None and team.own_gap:
        ranked = board.mine is not None and not board.mine.not_ranked
        own = () if board.mine is None else (board.mine,)
        placed, apart = (own, ()) if ranked else ((), own)
        return replace(board, rows=placed, around=placed, apart=apart)
    if not playbook.hides_winner_from(viewer):
        return board

    def hidden(rows: tuple[Row, ...]) -> tuple[Row, ...]:
        return tuple(
            row if row.id == viewer.rep_id else replace(row, id="", name="") for row in rows
        )

    return replace(
        board,
        rows=hidden(board.rows),
        around=hidden(board.around),
        apart=hidden(board.apart),
    )
