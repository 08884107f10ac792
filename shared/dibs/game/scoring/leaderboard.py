"""A leaderboard ranks reps or teams by any metric over any period (G3).

A team's value is computed from the sum of its reps' counts: a share is that of all its leads, not
the mean of its reps' shares. Newcomers' protected weeks are on no board (F9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from itertools import zip_longest
from typing import Literal, TypeVar

from dibs.core.calendar import Kind, named, period_of
from dibs.core.errors import FieldError, InvalidInput, RouteNotFound
from dibs.core.periods import kind_of
from dibs.core.rep import Rep
from dibs.game.scoring.metrics import metrics_of
from dibs.game.scoring.pages import NOTHING, Page
from dibs.game.scoring.ports import Standings
from dibs.game.scoring.ranking import Numbers, Ranking, Row, terms_of
from dibs.game.scoring.samples import needed
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
    ranking = _ranking(standings.pages(period), period, playbook, metric, scope, team)
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


@dataclass
class _Board:
    """A ranking, and the pages it was made from.

    `lines` are what each rep or team comes to: of how many totals, the name, and the numbers.
    """

    ranking: Ranking
    pages: Sequence[Page] = ()
    lines: dict[str, tuple[int, str, Numbers]] = field(default_factory=dict)


# The latest rankings. `Standings` returns the same object for a page that has not changed, and such
# pages are skipped: one call does not evaluate thousands of formulas.
_known: dict[tuple[str, ...], _Board] = {}
_MOST_KNOWN = 64
_MOST_KNOWN_ROWS = 80_000
# Even a ranking of few rows keeps all pages of its period.
_MOST_KNOWN_TOTALS = 40_000


def _ranking(
    pages: Sequence[Page],
    period: str,
    playbook: Playbook,
    metric: Metric,
    scope: Scope,
    team: str,
) -> Ranking:
    """Return the ranking, computed from the last one as far as possible.

    The ranking itself changes with the next call, which nobody else may keep it for.
    """
    of_team = team if scope == "reps" else str(playbook.version)
    need = needed(metric, playbook)
    key = (period, metric.formula, metric.better, metric.sample, str(need), scope, of_team)
    # Taken out until it is whole again: an error in between leaves nothing half changed.
    board = _known.pop(key, None) or _Board(Ranking(metric, need))
    changed = _changes(board, pages, scope, team if scope == "reps" else "")
    if scope == "teams":
        teams = playbook.teams
        changed = {
            id_: line and (teams[id_].name if id_ in teams else id_, line[1])
            for id_, line in changed.items()
        }
    board.ranking.change(changed)
    board.pages = tuple(pages)
    _known[key] = board
    while len(_known) > 1 and _is_too_much():
        del _known[next(iter(_known))]
    return board.ranking


def _is_too_much() -> bool:
    pages = {id(page): len(page) for board in _known.values() for page in board.pages}
    return (
        len(_known) > _MOST_KNOWN
        or sum(len(board.ranking) for board in _known.values()) > _MOST_KNOWN_ROWS
        or sum(pages.values()) > _MOST_KNOWN_TOTALS
    )


def _changes(
    board: _Board, pages: Sequence[Page], scope: Scope, team: str
) -> dict[str, tuple[str, Numbers] | None]:
    """Bring a board's lines up to these pages; return those that changed, None where one went."""
    terms, lines = terms_of(board.ranking.metric), board.lines
    owner_at = 1 if scope == "teams" else 0
    touched: dict[str, None] = {}
    for was, now in zip_longest(board.pages, pages, fillvalue=NOTHING):
        if was is now:
            continue
        before, after = set(was.lines(terms)), list(now.lines(terms))
        added = set(after) - before if before else after
        for sign, moved in ((-1, before.difference(after)), (1, added)):
            for line in moved:
                if team and line[1] != team:
                    continue
                owner, numbers = line[owner_at], line[3:]
                touched[owner] = None
                known = lines.get(owner)
                if known is not None:
                    many, name, so_far = known
                    numbers = tuple(a + sign * b for a, b in zip(so_far, numbers, strict=True))
                    lines[owner] = (many + sign, line[2] if sign > 0 else name, numbers)
                else:
                    lines[owner] = (1, line[2], numbers)
    gone = [owner for owner in touched if not lines[owner][0]]
    for owner in gone:
        del lines[owner]
    return {owner: lines[owner][1:] if owner in lines else None for owner in touched}


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
