"""Contests and challenges (G4-G7), for reps and managers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from dibs.aws import clock
from dibs.callers import MANAGER_OF_ALL, MANAGER_OF_PART, VIEWER, VIEWER_OF_PART
from dibs.core.credentials import Manager
from dibs.core.errors import IllegalMove, RouteNotFound
from dibs.core.rep import Rep
from dibs.game.contests import run as contests
from dibs.game.contests.ports import PlannedContest
from dibs.game.contests.repeat import begun_already, cancel_series, plan_series
from dibs.game.contests.rules import (
    Contest,
    ContestRow,
    ContestStanding,
    ContestTimes,
    FrozenContest,
    figures_of,
    times_of,
)
from dibs.game.contests.run import SHOWN, View, gap
from dibs.game.contests.series import Series
from dibs.game.contests.store import contest_body, contest_from_body, series_from_body
from dibs.game.contests.texts import rules_in_words
from dibs.roster.trail import Note, noting
from dibs.rules.playbook import Playbook
from dibs.web.http import Event, Response, answer, path, wants_html
from dibs.web.route import ERROR_PAGES, HTML, Route
from dibs.wiring import wiring
from game import page
from game.body import ContestIn, SeriesIn

_ID_BYTES = 64
_SHOWN_TO_MANAGERS = 100
_LISTED = timedelta(days=92)


def put(event: Event, manager: Manager, sent: ContestIn) -> Response:
    """`PUT /contests/{contest_id}`: set a contest up, or change it until it begins."""
    contest, unread = contest_from_body(_contest_id(event), sent.named)
    now = clock.now()
    with _noting(manager, "contest.put", contest.contest_id) as note:
        planned = contests.plan(wiring().contest_deps, contest, manager.manager_id, now, unread)
        note.after = contest_body(planned.contest)
    return answer(200, _planned(planned, now) | {"contest": contest_body(planned.contest)})


def cancel(event: Event, manager: Manager) -> Response:
    """`POST /contests/{contest_id}/cancel`: call a contest off until it is final."""
    contest_id = _contest_id(event)
    with _noting(manager, "contest.cancel", contest_id, {"state": "cancelled"}):
        planned = contests.cancel(wiring().contest_deps, contest_id)
    return answer(200, _planned(planned, clock.now()))


def _noting(
    manager: Manager, what: str, target: str, after: Mapping[str, Any] | None = None
) -> AbstractContextManager[Note]:
    log, by = wiring().audit_log, manager.manager_id
    return noting(log, by, what, target, clock.now(), {}, after)


def put_series(event: Event, manager: Manager, sent: SeriesIn) -> Response:
    """`PUT /contest-series/{series_id}`: set up a contest that recurs, or change it.

    Where a period is on already, its contest counts from its beginning, and `warnings` say so.
    """
    series_id = _named_id(event, "series_id", "There is no such series of contests.")
    series, unread = series_from_body(series_id, sent.named)
    now = clock.now()
    series = replace(series, by=manager.manager_id)
    with _noting(manager, "series.put", series_id) as note:
        before = list(wiring().contests.all())
        plan_series(wiring().contest_deps, series, now, unread)
        note.after = _series_body(series)
    planned = list(wiring().contests.all())
    warned = [asdict(one) for one in begun_already(series, before, planned, now)]
    return answer(200, _series(series, planned, now) | {"warnings": warned})


def cancel_whole(event: Event, manager: Manager) -> Response:
    """`POST /contest-series/{series_id}/cancel`: call a series off, with what has not begun."""
    series_id = _named_id(event, "series_id", "There is no such series of contests.")
    with _noting(manager, "series.cancel", series_id, {"cancelled": True}):
        series = cancel_series(wiring().contest_deps, series_id)
    return answer(200, _series(series, wiring().contests.all(), clock.now()))


def all_series(event: Event, manager: Manager) -> Response:
    """`GET /contest-series`: the contests that recur, with those set up of each.

    A team's manager sees those that name their team or one of its reps.
    """
    del event
    now, planned, team = clock.now(), wiring().contests.all(), manager.team
    members = {rep.rep_id for rep, _ in wiring().roster.team(team)} if team else set[str]()
    found = [
        _series(one, planned, now, whole=not team)
        for one in wiring().contests.series()
        if not team or contests.of_team(one.contest, team, members)
    ]
    return answer(200, {"series": found})


def _series(
    series: Series, planned: Iterable[PlannedContest], now: datetime, *, whole: bool = True
) -> dict[str, Any]:
    own = [
        _planned(one, now)
        for one in planned
        if one.by == series.author and one.state in ("upcoming", "live")
    ]
    about = {"series_id": series.series_id, "cancelled": series.cancelled, "by": series.by}
    body = {**_series_body(series), "contest": _definition(series.contest, whole=whole)}
    return {**about, **body, "contests": own}


def _series_body(series: Series) -> dict[str, Any]:
    return {"contest": contest_body(series.contest), "repeats": asdict(series.repeats)}


def preview(event: Event, manager: Manager, sent: ContestIn) -> Response:
    """`POST /contests/preview`: how a contest would stand, on past or live data.

    Nothing is stored, and nobody learns of it.
    """
    del event, manager
    contest, unread = contest_from_body("preview", sent.named)
    now, playbook = clock.now(), wiring().roster.playbook()
    frozen, standing = contests.preview(wiring().contest_deps, contest, now, unread)
    body = {
        "contest": contest_body(contest),
        "rules": rules_in_words(contest, frozen.figures, "en"),
        "entrants": len(frozen.entrants),
        **_times(times_of(contest, playbook), now),
        **_standing(contest, standing, None, playbook),
    }
    return answer(200, body)


def listed(event: Event, who: Rep | Manager) -> Response:
    """`GET /contests`: contests to come, live ones, and those that ended lately.

    A rep or a team's manager sees those that the rep or the team is in.
    """
    now, (viewer, team) = clock.now(), _viewer(who)
    found = [
        _planned(view.planned, now)
        for view in contests.listed(wiring().contest_deps, viewer, now, team)
        if now - view.planned.times.cut_off_at < _LISTED
    ]
    if viewer is not None and wants_html(event):
        live = (one["contest_id"] for one in found if one["phase"] == "live")
        own = {name: _own_progress(name, viewer, now) for name in live}
        standing = {name: row for name, row in own.items() if row is not None}
        return page.contests(viewer, found, _challenges(viewer, now), standing, now)
    return answer(200, {"as_of": now, "contests": found})


def show(event: Event, who: Rep | Manager) -> Response:
    """`GET /contests/{contest_id}`: a contest's rules, how it stands, and how it ended.

    A team's manager sees the places of their reps and of the sides.
    """
    now, (viewer, team) = clock.now(), _viewer(who)
    try:
        view = contests.look(wiring().contest_deps, _contest_id(event), viewer, now, team)
    except RouteNotFound as error:
        if viewer is None:
            raise
        return page.or_page(event, error, viewer, page.CONTESTS)
    contest, playbook = view.planned.contest, wiring().roster.playbook()
    body = {
        **_planned(view.planned, now),
        "as_of": view.as_of,
        "contest": _definition(contest, whole=viewer is None and not team),
        "rules": _rules(contest, view.frozen, viewer, playbook),
    }
    if view.frozen is not None:
        body["entrants"] = len(view.frozen.entrants)
    if view.standing is not None:
        body |= _standing(contest, view.standing, viewer, playbook)
    body |= _ending(view, viewer, playbook, whole=viewer is None and not team)
    if viewer is not None and wants_html(event):
        return page.contest(viewer, body, now)
    return answer(200, body)


def _viewer(who: Rep | Manager) -> tuple[Rep | None, str]:
    """Return the rep who looks, and the team of a manager who has one."""
    return (who, "") if isinstance(who, Rep) else (None, who.team)


def challenges(event: Event, viewer: Rep | None) -> Response:
    """`GET /challenges`: the challenges on now and next, and how the rep stands (G7)."""
    del event
    now = clock.now()
    return answer(200, {"as_of": now, "challenges": _challenges(viewer, now)})


def _challenges(viewer: Rep | None, now: datetime) -> list[dict[str, Any]]:
    playbook, found = wiring().roster.playbook(), list[dict[str, Any]]()
    for slot, contest in contests.coming(wiring().contest_deps, now):
        if viewer is not None and contest.hidden:
            continue
        times = times_of(contest, playbook)
        told: dict[str, Any] = {
            "contest_id": contest.contest_id,
            "challenge": slot.challenge,
            "name": contest.name,
            "period": slot.period,
            "when": "now" if times.opens_at <= now else "next",
            **_days(contest),
            **_times(times, now),
            **_prizes(contest),
            "rules": _rules(contest, None, viewer, playbook),
        }
        if viewer is not None and told["when"] == "now":
            told["me"] = _own_progress(contest.contest_id, viewer, now)
        found.append(told)
    return found


def _own_progress(contest_id: str, viewer: Rep, now: datetime) -> dict[str, Any] | None:
    try:
        view = contests.look(wiring().contest_deps, contest_id, viewer, now)
    except RouteNotFound:
        return None  # The job that opens it has not run yet.
    return None if view.standing is None else _own(view.standing, viewer)


def _contest_id(event: Event) -> str:
    return _named_id(event, "contest_id", "There is no such contest for you.")


def _named_id(event: Event, what: str, otherwise: str) -> str:
    named = path(event, what)
    if not (0 < len(named.encode(errors="replace")) <= _ID_BYTES and named.isprintable()):
        raise RouteNotFound(otherwise)
    return named


def _planned(planned: PlannedContest, now: datetime) -> dict[str, Any]:
    contest = planned.contest
    return {
        "contest_id": contest.contest_id,
        "name": contest.name,
        "kind": contest.kind,
        "phase": contests.phase(planned, now),
        "hidden": contest.hidden,
        **_days(contest),
        **_times(planned.times, now),
        **_prizes(contest),
    }


def _days(contest: Contest) -> dict[str, Any]:
    return {"first_day": str(contest.first_day), "last_day": str(contest.last_day)}


def _times(times: ContestTimes, now: datetime) -> dict[str, Any]:
    return {
        "opens_at": times.opens_at,
        "ends_at": times.ends_at,
        "cut_off_at": times.cut_off_at,
        "seconds_left": max(0, round((times.ends_at - now).total_seconds())),
    }


def _prizes(contest: Contest) -> dict[str, Any]:
    return {"prize": contest.prize, "prize_points": contest.prize_points}


def _definition(contest: Contest, *, whole: bool) -> dict[str, Any]:
    """Return a contest's definition; a rep does not learn from it who else is in (C3), nor does a
    team's manager."""
    body = contest_body(contest)
    if not whole:
        del body["reps"]
        body["sides"] = {side: len(members) for side, members in contest.sides.items()}
    return body


def _rules(
    contest: Contest, frozen: FrozenContest | None, viewer: Rep | None, playbook: Playbook
) -> list[str]:
    try:
        figures = frozen.figures if frozen else figures_of(contest, playbook)
    except ValueError:
        return []  # The playbook has lost a metric since; the contest cannot begin as it is.
    return rules_in_words(contest, figures, viewer.language if viewer else "en")


def _standing(
    contest: Contest, standing: ContestStanding, viewer: Rep | None, playbook: Playbook
) -> dict[str, Any]:
    """Return how a contest stands, as the viewer may see it (C3, G3)."""
    found: dict[str, Any] = {"sides": [_row(row) for row in standing.sides]}
    mine = _mine(standing, viewer)
    if viewer is None:
        found["top"] = _shown(standing.reps[:_SHOWN_TO_MANAGERS], None, playbook)
        return found
    # In a lottery that is still to be drawn nobody has a place, and all who hold tickets are in.
    placed = [row for row in standing.reps if row.place or (contest.tickets and row.why is None)]
    if mine is not None:
        placed = [row for row in placed if (row.tier, row.side) == (mine.tier, mine.side)]
    found["top"] = _shown(placed[:SHOWN], viewer, playbook)
    found["me"] = _own(standing, viewer)
    return found


def _mine(standing: ContestStanding, viewer: Rep | None) -> ContestRow | None:
    return next((row for row in standing.reps if viewer and row.who == viewer.rep_id), None)


def _own(standing: ContestStanding, viewer: Rep) -> dict[str, Any] | None:
    mine = _mine(standing, viewer)
    if mine is None:
        return None
    own = {"id": viewer.rep_id, "name": viewer.name, "mine": True}
    return {**_row(mine), **own, "gap": _number(gap(standing, mine))}


def _shown(
    rows: Iterable[ContestRow], viewer: Rep | None, playbook: Playbook
) -> list[dict[str, Any]]:
    """Return reps' rows: nobody else's at all where boards show the own gap only, and nobody
    else's name on anonymous ones."""
    rows = list(rows)
    team = playbook.teams.get(viewer.team) if viewer else None
    if viewer is not None and team is not None and team.own_gap:
        rows = [row for row in rows if row.who == viewer.rep_id]
    hidden = viewer is not None and playbook.hides_winner_from(viewer)
    known = wiring().roster.get_many([row.who for row in rows])
    found = []
    for row in rows:
        mine = viewer is not None and row.who == viewer.rep_id
        told = {"id": row.who, "name": known[row.who].name if row.who in known else None}
        if hidden and not mine:
            told = {"id": None, "name": None}
        found.append({**_row(row), **told, "mine": mine})
    return found


def _row(row: ContestRow) -> dict[str, Any]:
    return {
        "id": row.who,
        "side": row.side or None,
        "tier": row.tier or None,
        "place": row.place,
        "value": _number(row.value),
        "tie_breakers": [_number(value) for value in row.ties],
        "why": row.why,
        "points": row.points,
    }


def _number(value: Fraction | None) -> float | int | None:
    """Return an exact value as JSON has numbers."""
    if value is None or value.denominator == 1:
        return None if value is None else value.numerator
    return float(value)


def _ending(view: View, viewer: Rep | None, playbook: Playbook, *, whole: bool) -> dict[str, Any]:
    """Return who won, how it was signed, and how it was drawn; the signed text names all reps."""
    contest, frozen = view.planned.contest, view.frozen
    found: dict[str, Any] = {}
    if frozen is not None and contest.tickets:
        found["draw"] = {"commitment": frozen.commitment, "seed": None}
    if view.signed is None or view.standing is None:
        return found
    most = max(1, len(contest.prize_points))
    won = _winners(contest, view.standing, most)
    found["winners"] = {
        "sides": [row.who for row in view.standing.sides if row.place == 1],
        "reps": _shown(won, viewer, playbook),
    }
    found["result"] = {
        "closed_at": view.signed.result.closed_at,
        "signature": view.signed.signature,
        "verified": view.verified,
    }
    if whole:
        found["result"]["text"] = view.signed.text
    if contest.tickets:
        found["draw"] = {
            "commitment": frozen and frozen.commitment,
            "seed": view.signed.result.seed,
        }
    return found


def _winners(contest: Contest, standing: ContestStanding, most: int) -> Sequence[ContestRow]:
    if contest.kind == "team":
        return ()
    best = {row.who for row in standing.sides if row.place == 1}
    return [
        row
        for row in standing.reps
        if row.place is not None and row.place <= most and (row.side in best or not row.side)
    ]


_NO_CONTEST = (RouteNotFound, IllegalMove)

ROUTES: dict[str, Route] = {
    "GET /contests": Route(
        listed,
        VIEWER_OF_PART,
        {200: ("Contests", HTML), 303: "", 304: "", **ERROR_PAGES},
        page=page.page_of(page.CONTESTS),
    ),
    "GET /contests/{contest_id}": Route(
        show,
        VIEWER_OF_PART,
        {200: ("ContestShown", HTML), 303: "", 304: "", **ERROR_PAGES},
        (RouteNotFound,),
        page=page.page_of(page.CONTESTS),
    ),
    "PUT /contests/{contest_id}": Route(
        put,
        MANAGER_OF_ALL,
        {200: "PlannedContest"},
        _NO_CONTEST,
        body=ContestIn,
        repeated="What is sent is how it is then, until it begins.",
    ),
    "POST /contests/{contest_id}/cancel": Route(
        cancel, MANAGER_OF_ALL, {200: "Planned"}, _NO_CONTEST, repeated="Cancelled is cancelled."
    ),
    "POST /contests/preview": Route(
        preview,
        MANAGER_OF_ALL,
        {200: "ContestPreview"},
        body=ContestIn,
        repeated="It may be asked again.",
    ),
    "GET /contest-series": Route(all_series, MANAGER_OF_PART, {200: "AllSeries", 304: ""}),
    "PUT /contest-series/{series_id}": Route(
        put_series,
        MANAGER_OF_ALL,
        {200: "ContestSeries"},
        (RouteNotFound,),
        body=SeriesIn,
        repeated="What is sent is how it is then, for the contests to come.",
    ),
    "POST /contest-series/{series_id}/cancel": Route(
        cancel_whole,
        MANAGER_OF_ALL,
        {200: "ContestSeries"},
        (RouteNotFound,),
        repeated="Cancelled is cancelled.",
    ),
    "GET /challenges": Route(challenges, VIEWER, {200: "Challenges", 304: ""}),
}
