"""Boards and reports, for programs and for browsers, and signing in to see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from fractions import Fraction
from typing import Any

from boards import contract, logo, metrics, page, sign_in
from dibs.aws import clock
from dibs.callers import MANAGER_OF_ALL, MANAGER_OF_PART, VIEWER_OF_PART, part_shown
from dibs.core.calendar import Period
from dibs.core.credentials import Manager, is_manager
from dibs.core.errors import (
    DibsError,
    FieldError,
    Forbidden,
    InvalidInput,
    RouteNotFound,
    Unauthorized,
)
from dibs.core.rep import Rep
from dibs.game.scoring.leaderboard import (
    MOST_ROWS,
    PERIODS,
    SCOPES,
    Asked,
    Leaderboard,
    leaderboard,
)
from dibs.game.scoring.metrics import number
from dibs.game.scoring.ranking import Row as BoardRow
from dibs.game.scoring.response_speed import RESPONSE_SPEED, SpeedBoard, response_speed
from dibs.intake.blind_mix import mix_reached
from dibs.reports.assignment import TeamReport, assignment
from dibs.reports.assignment_rows import Row
from dibs.screens.frame import BOARD, REPORT
from dibs.web.entry import http
from dibs.web.http import Event, Response, answer, path, query, wants_html
from dibs.web.route import ANYBODY, HTML, Route
from dibs.web.sign_in import caller, own_path
from dibs.wiring import wiring

_MOST_WEEKS = 52

_TEAM = {"description": "One of the playbook's teams; a rep's own at most.", "type": "string"}
_PERIOD_NAME = {"description": "One that is over, such as 2026-W47.", "type": "string"}
_AS_OF = {"description": "As it was then; now unless said.", "format": "date-time"}


def _for_browsers(
    back: str, called: str, *, managers: bool = False
) -> Callable[[Event, DibsError], Response | None]:
    """Return what tells a browser of errors on a page: where to sign in, or the way `back`.

    Who has signed in is not asked to sign in again: of a page of `managers`, a rep is told so.
    """

    def page_of(event: Event, error: DibsError) -> Response | None:
        if not wants_html(event):
            return None
        if isinstance(error, Unauthorized):
            return page.sign_in(error, own_path(str(event.get("rawPath", ""))))
        if isinstance(error, Forbidden) and managers and not is_manager(caller(event).owner):
            return page.message(Forbidden("This page is for managers."), "/", "Show my leads")
        if isinstance(error, Forbidden | InvalidInput | RouteNotFound):
            return page.message(error, back, called)
        return None

    return page_of


def board(event: Event, viewer: Rep | Manager) -> Response:
    """`GET /boards/{metric}`: the top of a board, and the caller's place with its neighbours (G3).

    `?period=day|week|month|quarter|year|all&scope=reps|teams&top=10`, and `period_name=2026-W47`
    for one that is over; a rep or a team's manager sees their own team's, other managers
    everybody's or `?team=`.

    Who has too few leads or hours for an average or a share is in `not_ranked`, with what they
    `have` and what they `need` (G12).

    `GET /boards/response_speed` (M3) is of the reps of one team, which a manager names, in a week
    or month, all of them where no `top` is given, and as it was at `?as_of=`.
    """
    rep = viewer if isinstance(viewer, Rep) else None
    own = viewer.team if isinstance(viewer, Manager) else ""
    asked = Asked(
        metric=path(event, "metric"),
        period=query(event, "period"),
        period_name=query(event, "period_name"),
        scope=query(event, "scope"),
        team=query(event, "team") or own,
        top=_top(query(event, "top")),
    )
    playbook = wiring().roster.playbook()
    found: Leaderboard
    if asked.metric == RESPONSE_SPEED:
        found = response_speed(wiring().ledger, wiring().roster, asked, rep, _as_of(event))
    else:
        found = leaderboard(wiring().standings, playbook, asked, rep, clock.now())
    if wants_html(event):
        return page.board(found, asked, playbook, rep, own)
    return answer(200, _board(found, rep))


def _top(sent: str) -> int | None:
    if not sent:
        return None
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) <= 3 else 0


def _board(found: Leaderboard, viewer: Rep | None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "board": found.metric,
        "means": found.definition.means,
        "unit": found.definition.unit,
        "better": found.definition.better,
        "period": found.period,
        "scope": found.scope,
        "team": found.team or None,
        "as_of": found.as_of,
        "of": found.many,
        "rows": [_line(row) for row in found.rows],
        "around": [_line(row) for row in found.around],
        "not_ranked": [_line(row) for row in found.apart],
        "not_ranked_of": found.many_apart,
    }
    if found.mine is not None:
        body["me"] = _line(found.mine) | {"gap": _value(found.gap)}
    if isinstance(found, SpeedBoard):
        # Programs have read it so before it had the form of the others.
        body["period"] = _period(found.span)
        body["times"] = {
            "within_5_min": found.rules.short_seconds,
            "within_1_hour": found.rules.long_seconds,
            "streak": found.rules.streak_seconds,
        }
        if viewer is not None:
            body.setdefault("me", None)
        if found.winners is not None:
            body["winners"] = [_whose(row) for row in found.winners]
    return body


def _value(value: Fraction | None) -> int | float | None:
    return None if value is None else number(value)


def _whose(row: BoardRow) -> dict[str, Any]:
    return {"id": row.id or None, "name": row.name or None}


def _line(row: BoardRow) -> dict[str, Any]:
    line = {"place": row.place, **_whose(row), "value": _value(row.value)}
    if row.not_ranked:
        line |= {"have": _value(row.have), "need": row.need}
    if row.speed is None:
        return line
    return line | {
        "within_5_min": row.speed.within_5_min,
        "within_1_hour": row.speed.within_1_hour,
        "streak": row.speed.longest_streak_under_10_min,
        "taken": row.speed.taken,
        "contacted": row.speed.contacted,
    }


def _as_of(event: Event) -> datetime:
    now, sent = clock.now(), query(event, "as_of")
    if not sent:
        return now
    try:
        # A plus sign that was sent as it is arrives as the space it stands for.
        as_of = clock.from_iso(sent.replace(" ", "+"))
    except ValueError as error:
        raise InvalidInput((FieldError("as_of", str(error)),)) from error
    if as_of > now:
        raise InvalidInput((FieldError("as_of", "lies in the future; nothing is known of it"),))
    return as_of


def _period(period: Period) -> dict[str, Any]:
    return {"name": period.name, "start": period.start, "end": period.end}


def assignment_report(event: Event, manager: Manager) -> Response:
    """`GET /reports/assignment`: what became of a week's leads, team by team (R10)."""
    as_of = _as_of(event)
    reports = assignment(
        wiring().ledger,
        wiring().results,
        wiring().roster,
        part_shown(event, manager),
        query(event, "week"),
        as_of,
    )
    need = wiring().roster.playbook().game.minimum_sample
    if wants_html(event):
        return page.report(reports, need, as_of)
    return answer(200, {"as_of": as_of, "teams": [_report(one, need) for one in reports]})


def _report(one: TeamReport, need: int) -> dict[str, Any]:
    return {
        "team": one.team,
        "name": one.name,
        "period": _period(one.period),
        "final": one.final,
        "need": need,
        "rows": [_row(row, need) for row in one.rows],
    }


def _row(row: Row, need: int) -> dict[str, Any]:
    body = asdict(row)
    load = {name: body.pop(f"{name}_load") for name in ("least", "median", "most")}
    return {**body, "taken": row.taken, "compared": row.taken >= need, "load": load}


def blind_report(event: Event, manager: Manager) -> Response:
    """`GET /reports/blind`: the mix of the blind leads in the latest weeks (F5).

    It is counted for all teams together, and shown to managers of all teams.
    """
    del manager
    sent = query(event, "weeks") or "4"
    if sent not in map(str, range(1, _MOST_WEEKS + 1)):
        raise InvalidInput((FieldError("weeks", f"send a whole number from 1 to {_MOST_WEEKS}"),))
    now = clock.now()
    found = mix_reached(wiring().arrivals, wiring().roster.playbook(), int(sent), now)
    return answer(
        200,
        {
            "as_of": now,
            "weeks": found.weeks,
            "share": {"percent": found.percent, "wanted": found.wanted},
            "mix": [asdict(part) for part in found.parts],
        },
    )


ROUTES = {
    "GET /boards/{metric}": Route(
        board,
        VIEWER_OF_PART,
        {200: ("Board", "SpeedBoard", HTML), 304: ""},
        (Forbidden, RouteNotFound, InvalidInput),
        query={
            "period": {"description": "week, unless named.", "enum": list(PERIODS)},
            "period_name": _PERIOD_NAME,
            "scope": {"description": "reps, unless named.", "enum": list(SCOPES)},
            "team": _TEAM,
            "top": {
                "description": "How many rows: 10 unless said, all of them for response_speed.",
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_ROWS,
            },
            "as_of": _AS_OF | {"description": "Of response_speed, as it was then."},
        },
        page=_for_browsers(BOARD, "Show the board of points"),
    ),
    "GET /reports/assignment": Route(
        assignment_report,
        MANAGER_OF_PART,
        {200: ("AssignmentReport", HTML), 304: ""},
        (InvalidInput,),
        query={
            "team": _TEAM,
            "week": {"description": "Such as 2026-W47; the last one unless named."},
            "as_of": _AS_OF,
        },
        page=_for_browsers(REPORT, "Show last week’s report", managers=True),
    ),
    "GET /reports/blind": Route(
        blind_report,
        MANAGER_OF_ALL,
        {200: "BlindReport", 304: ""},
        (InvalidInput,),
        query={
            "weeks": {
                "description": "How many of the latest, 4 unless said.",
                "type": "integer",
                "minimum": 1,
                "maximum": _MOST_WEEKS,
            }
        },
    ),
    "GET /openapi.json": Route(
        contract.document, ANYBODY, {200: "application/openapi+json", 304: ""}
    ),
    "GET /docs": Route(contract.show, ANYBODY, {200: HTML}),
    "GET /logo": Route(logo.show, ANYBODY, {200: "image/*"}, (RouteNotFound,)),
    **metrics.ROUTES,
    **sign_in.ROUTES,
}

handler = http(ROUTES, lambda: (wiring().ledger, wiring().roster.playbook(), page.site()))
