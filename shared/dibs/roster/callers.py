"""Identify the caller by what they show, a token or a session: a rep or a manager."""

from __future__ import annotations

from collections.abc import Collection
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


def check_team(manager: Manager, teams: Collection[str], *, looks: bool) -> None:
    """Check the one rule of managers with a team: they act on that team only.

    What belongs to no team, such as the playbook, they may look at, but not change.

    Raises:
        Forbidden: it is another team's, or everybody's.
    """
    if not manager.team or manager.team in teams or (looks and not teams):
        return
    raise Forbidden(f"You manage team {manager.team}. Ask a manager of all teams.")
