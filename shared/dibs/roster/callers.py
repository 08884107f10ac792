"""Identify the caller by what they show, a token or a session: a rep or a manager."""

from __future__ import annotations

from datetime import datetime

from dibs.core.credentials import Manager, Shown, is_manager, proves
from dibs.core.errors import Forbidden, Unauthorized
from dibs.core.rep import Rep, Usage
from dibs.roster.ports import Credentials


def calling_rep(shown: Shown, credentials: Credentials, now: datetime) -> tuple[Rep, Usage]:
    """Return the rep who shows this, and what they have used up.

    Raises:
        Unauthorized: it is unknown or no longer valid.
        Forbidden: it is a manager's; these calls are a rep's own.
    """
    if is_manager(shown.owner):
        calling_manager(shown, credentials, now)
        raise Forbidden("These calls are a rep's own.")
    known = credentials.of_rep(shown)
    if known is None:
        raise Unauthorized
    rep, usage, number, stored = known
    if not rep.active or not proves(stored, shown, number, now):
        raise Unauthorized
    return rep, usage


def calling_manager(shown: Shown, credentials: Credentials, now: datetime) -> Manager:
    """Return the manager who shows this.

    Raises:
        Unauthorized: it is unknown or no longer valid.
        Forbidden: it is a rep's; these calls are the managers'.
    """
    if not is_manager(shown.owner):
        calling_rep(shown, credentials, now)
        raise Forbidden
    manager, stored = credentials.of_manager(shown)
    if manager is None or not proves(stored, shown, manager.token_number, now):
        raise Unauthorized
    return manager


def calling_viewer(shown: Shown, credentials: Credentials, now: datetime) -> Rep | Manager:
    """Return the calling rep or manager.

    Raises:
        Unauthorized: what they show is unknown or no longer valid.
    """
    if is_manager(shown.owner):
        return calling_manager(shown, credentials, now)
    return calling_rep(shown, credentials, now)[0]


def manages(manager: Manager, *teams: str) -> bool:
    """Tell whether what belongs to these teams is a manager's to see and to change.

    The one rule of managers with a team: what is their team's, and nothing else.
    """
    return not manager.team or manager.team in teams


def check_team(manager: Manager, *teams: str) -> None:
    """Check that what belongs to these teams is the manager's; without any, it is everybody's.

    For what the manager knows to exist. Of the rest they hear that there is no such thing.

    Raises:
        Forbidden: it is not.
    """
    if not manages(manager, *teams):
        raise Forbidden(f"You manage team {manager.team}. Ask a manager of all teams.")
