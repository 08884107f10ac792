"""What managers do to stop and to go on: pause a team or a rep, and end that (R8)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from dibs.aws import clock
from dibs.core.credentials import Manager
from dibs.core.errors import FieldError, InvalidInput
from dibs.core.rep import Pause
from dibs.people import pauses
from dibs.roster.trail import Note, noting
from dibs.web.http import Event, Response, answer, path
from dibs.wiring import wiring
from manage import desk
from manage.body import PauseIn


def pause_team(event: Event, manager: Manager, sent: PauseIn) -> Response:
    """`POST /teams/{team}/pause`: nobody in the team is told of leads or can claim (R8)."""
    return _team(event, manager, _pause(sent))


def resume_team(event: Event, manager: Manager) -> Response:
    """`POST /teams/{team}/resume`: end the team's pause (R8)."""
    return _team(event, manager, None)


def pause_rep(event: Event, manager: Manager, sent: PauseIn) -> Response:
    """`POST /reps/{rep_id}/pause`: the rep is told of no lead and cannot claim, at once (R8)."""
    return _rep(event, manager, _pause(sent))


def resume_rep(event: Event, manager: Manager) -> Response:
    """`POST /reps/{rep_id}/resume`: end what a manager paused; a rep's own pause stays (R8)."""
    return _rep(event, manager, None)


def _pause(sent: PauseIn) -> Pause:
    now = clock.now()
    return pauses.pause_of(sent.reason, _until(sent, now), now)


def _until(sent: PauseIn, now: datetime) -> datetime | None:
    if sent.minutes is not None:
        if sent.until:
            raise InvalidInput((FieldError("minutes", "send until or minutes, not both"),))
        return now + timedelta(minutes=sent.minutes)
    if not sent.until:
        return None
    try:
        return clock.from_iso(sent.until)
    except ValueError as error:
        raise InvalidInput((FieldError("until", str(error)),)) from error


def _team(event: Event, manager: Manager, pause: Pause | None) -> Response:
    team = path(event, "team")
    with _noting(manager, "team", team, pause) as note:
        note.before = _noted(pauses.pause_team(wiring().roster, team, pause))
    return _answer({"team": team}, pause)


def _rep(event: Event, manager: Manager, pause: Pause | None) -> Response:
    rep_id = path(event, "rep_id")
    with _noting(manager, "rep", rep_id, pause) as note:
        note.before = _noted(pauses.pause_rep(wiring().roster, rep_id, pause, clock.now()))
    return desk.next_page(event, _answer({"rep_id": rep_id}, pause))


def _noting(
    manager: Manager, what: str, target: str, pause: Pause | None
) -> AbstractContextManager[Note]:
    log, by = wiring().audit_log, manager.manager_id
    did = f"{what}.{'pause' if pause else 'resume'}"
    return noting(log, by, did, target, clock.now(), {}, _noted(pause))


def _answer(whom: dict[str, str], pause: Pause | None) -> Response:
    # Who goes may leave a wave without anybody, and who comes back frees the queue (M6, C7).
    wiring().timers.check("waves.check" if pause else "queue.check")
    if pause is None and "rep_id" in whom:
        # They are told of the leads that are open (C13). Of a team the sweep finds who is not told.
        wiring().timers.check("rep.check", rep_id=whom["rep_id"])
    reason, until = (pause.reason, pause.until) if pause else (None, None)
    return answer(200, {**whom, "paused": pause is not None, "reason": reason, "until": until})


def _noted(pause: Pause | None) -> dict[str, Any]:
    # Without the reason: people's own words may name somebody.
    return {"paused": pause is not None, "paused_until": pause and pause.until}
