"""Managers, tokens, and who changed what, for managers (O6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from dibs.aws import clock
from dibs.core.credentials import Manager
from dibs.core.errors import FieldError, InvalidInput, RouteNotFound
from dibs.people.access import add_manager, issue_token, manager_of, remove_manager
from dibs.people.operator import all_reps
from dibs.roster.audit import Entry, Part
from dibs.roster.callers import manages
from dibs.roster.trail import MOST, entries
from dibs.web.http import Event, Response, answer, path, query
from dibs.wiring import wiring
from manage.body import ManagerIn, TokenIn

_SHOWN_DAYS = 31

LOG: dict[str, dict[str, Any]] = {
    "who": {"description": "Only what this manager did, by id.", "type": "string"},
    "target": {"description": "Only what was done to this, by id.", "type": "string"},
    "since": {
        "description": f"From then on; the last {_SHOWN_DAYS} days unless said.",
        "type": "string",
        "format": "date-time",
    },
}


def listed(event: Event, manager: Manager) -> Response:
    """`GET /managers`: who manages, and which team.

    A team's manager sees those of their team and of all teams.
    """
    del event
    found = [
        one for one in wiring().credentials.managers() if manages(manager, one.team) or not one.team
    ]
    return answer(200, {"managers": [_shown(one) for one in found]})


def add(event: Event, manager: Manager, sent: ManagerIn) -> Response:
    """`POST /managers`: add a manager; the answer holds their token, once."""
    del event
    credentials, playbook = wiring().credentials, wiring().roster.playbook()
    by, now = manager.manager_id, clock.now()
    added, token = add_manager(
        credentials, playbook, sent.name, sent.team, by, now, sent.ends_in_days
    )
    return answer(201, {**_shown(added), "token": token})


def remove(event: Event, manager: Manager) -> Response:
    """`DELETE /managers/{manager_id}`: remove a manager; token and sessions end at once."""
    wanted = path(event, "manager_id")
    known = [one.manager_id for one in wiring().credentials.managers()]
    if wanted not in known:
        raise RouteNotFound("There is no such manager.")
    gone = remove_manager(wiring().credentials, wanted, manager.manager_id, clock.now())
    return answer(200, {**_shown(gone), "removed": True})


def manager_token(event: Event, manager: Manager, sent: TokenIn) -> Response:
    """`POST /managers/{manager_id}/token`: a new token for a manager; the old one ends at once."""
    found = manager_of(wiring().credentials.managers(), path(event, "manager_id"))
    return _token(found.manager_id, manager, sent)


def rep_token(event: Event, manager: Manager, sent: TokenIn) -> Response:
    """`POST /reps/{rep_id}/token`: a new token for a rep; the old one ends at once."""
    rep = wiring().roster.get(path(event, "rep_id"))
    if rep is None:
        raise RouteNotFound("There is no such rep.")
    return _token(rep.rep_id, manager, sent)


def _token(owner: str, manager: Manager, sent: TokenIn) -> Response:
    by, now = manager.manager_id, clock.now()
    token = issue_token(wiring().credentials, owner, by, now, sent.ends_in_days)
    return answer(201, {"id": owner, "token": token})


def log(event: Event, manager: Manager) -> Response:
    """`GET /log`: who changed what, the newest first, 500 at most.

    `made` is unknown where something failed before it was known: look at the target.
    A team's manager sees what managers of their team did, and what names their team or its reps.
    """
    now = clock.now()
    since, known = _since(query(event, "since"), now), wiring().credentials.managers()
    found = entries(
        wiring().audit_log,
        since,
        now,
        query(event, "who"),
        query(event, "target"),
        MOST,
        _part(manager, known),
    )
    names = {one.manager_id: one.name for one in known}
    return answer(200, {"since": since, "entries": [_entry(one, names) for one in found]})


def _part(manager: Manager, known: Sequence[Manager]) -> Part | None:
    """Return what of the log is a manager's to read: all of it, or what is about their team."""
    if not manager.team:
        return None
    reps = all_reps(wiring().roster)
    return Part(
        team=manager.team,
        managers=frozenset(one.manager_id for one in known if one.team == manager.team),
        reps=frozenset(rep.rep_id for rep in reps if rep.team == manager.team),
        others=frozenset(rep.rep_id for rep in reps if rep.team != manager.team),
    )


def _since(sent: str, now: datetime) -> datetime:
    if not sent:
        return now - timedelta(days=_SHOWN_DAYS)
    try:
        # A plus sign that was sent as it is arrives as the space it stands for.
        since = clock.from_iso(sent.replace(" ", "+"))
    except ValueError as error:
        raise InvalidInput((FieldError("since", str(error)),)) from error
    if since.year < 2000:
        raise InvalidInput((FieldError("since", "send a time of this century"),))
    return since


def _entry(entry: Entry, names: dict[str, str]) -> dict[str, Any]:
    return {
        "at": entry.at,
        "who": entry.who,
        "who_name": names.get(entry.who),
        "what": entry.what,
        "target": entry.target,
        "made": entry.made,
        "before": entry.before,
        "after": entry.after,
    }


def _shown(one: Manager) -> dict[str, Any]:
    return {
        "manager_id": one.manager_id,
        "name": one.name,
        "team": one.team or None,
        "added_at": one.added_at,
        "added_by": one.added_by,
    }
