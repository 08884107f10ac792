"""Who may call a route, as the route tables name it, and how that is checked."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from dibs.aws import clock
from dibs.core.credentials import Manager, Shown, is_manager
from dibs.core.errors import LeadNotFound, MalformedBody, RouteNotFound, Unauthorized
from dibs.core.rep import Rep, Usage
from dibs.roster.callers import calling_manager, calling_rep, calling_viewer, check_team, manages
from dibs.web.http import Event, lead_id, path, query, raw_body
from dibs.web.route import Scope, Who
from dibs.web.sign_in import caller
from dibs.wiring import wiring


def _rep(event: Event) -> Rep:
    return _rep_and_usage(event)[0]


def _rep_and_usage(event: Event) -> tuple[Rep, Usage]:
    return calling_rep(caller(event), wiring().credentials, clock.now())


def _manager(event: Event, scope: Scope) -> Manager:
    manager = calling_manager(caller(event), wiring().credentials, clock.now())
    _check(event, manager, scope)
    return manager


def _either(event: Event, scope: Scope) -> Rep | Manager:
    found = calling_viewer(caller(event), wiring().credentials, clock.now())
    if isinstance(found, Manager):
        _check(event, found, scope)
    return found


def _viewer(event: Event) -> Rep | None:
    found = _either(event, Scope.SHARED)
    return found if isinstance(found, Rep) else None


def _rep_and_usage_or_manager(event: Event) -> tuple[Rep, Usage] | Manager:
    if is_manager(caller(event).owner):
        return _manager(event, Scope.PART)
    return _rep_and_usage(event)


def _rep_or_manager_of_it(event: Event) -> Rep | Manager:
    if is_manager(caller(event).owner):
        return _manager(event, Scope.NAMED)
    return _rep(event)


def _check(event: Event, manager: Manager, scope: Scope) -> None:
    """Hold a manager to the scope of a route.

    Of a rep or lead of another team they hear that there is none: they are shown neither. Teams
    are known to all, from the playbook.

    Raises:
        RouteNotFound, LeadNotFound: there is no such rep or lead, or it is another team's.
        Forbidden: the team is not theirs, or it takes a manager of all teams.
    """
    if not manager.team:
        return
    if scope is Scope.ALL:
        check_team(manager)
    elif scope is Scope.PART:
        check_team(manager, part_shown(event, manager))
    elif scope is Scope.NAMED:
        _check_named(event, manager)


def _check_named(event: Event, manager: Manager) -> None:
    # A request for a reward begins with whose it is.
    rep_id = path(event, "rep_id") or path(event, "request_id").partition(".")[0]
    if rep_id:
        rep = wiring().roster.get(rep_id)
        if rep is None or not manages(manager, rep.team):
            raise RouteNotFound("There is no such rep.")
    elif path(event, "lead_id"):
        lead = wiring().race.read(lead_id(event), "-").lead
        holder = wiring().roster.get(lead.owner) if lead is not None and lead.owner else None
        if lead is None or not manages(manager, *((holder.team,) if holder else lead.teams)):
            raise LeadNotFound
    else:
        check_team(manager, path(event, "team"))


def part_shown(event: Event, manager: Manager) -> str:
    """Return the team whose part a manager is shown: the one asked for, or their own.

    Empty is all teams. What a rep is asked for is not narrowed here.
    """
    asked = event.get("queryStringParameters") or {}
    return (query(event, "team") if "team" in asked else "") or manager.team


def _source(event: Event) -> datetime:
    from dibs.intake.signing import Scope  # loads what the other callers do without

    body, headers = raw_body(event), event.get("headers", {})
    return wiring().signatures.verified(body, headers, Scope.LEADS)


def not_a_manager(said: Shown) -> None:
    """Check that what is shown is not a manager's; whether it is a rep's is checked later.

    Raises:
        Forbidden: it is a manager's.
        Unauthorized: it names a manager, and is unknown or no longer valid.
    """
    if is_manager(said.owner):
        calling_rep(said, wiring().credentials, clock.now())


def _holder(event: Event) -> Shown:
    said = caller(event)
    not_a_manager(said)
    return said


HOLDER = Who("rep", _holder, cookie=True)
"""A rep who is checked in the same read as the lead; the function gets what they showed.

Who shows a manager's token is checked before: known, they may not (403), or not known (401).
"""
REP = Who("rep", _rep, cookie=True)
REP_AND_USAGE = Who("rep", _rep_and_usage, cookie=True)
"""A rep; the function gets them with what they have used up."""


def _of_managers(scope: Scope) -> Who:
    return Who("manager", partial(_manager, scope=scope), cookie=True, scope=scope)


def _of_either(scope: Scope) -> Who:
    return Who("rep or manager", partial(_either, scope=scope), cookie=True, scope=scope)


MANAGER_OF_NAMED = _of_managers(Scope.NAMED)
"""A manager of the rep, lead or team in the path; the function gets them, as with the next four."""
MANAGER_OF_PART = _of_managers(Scope.PART)
"""A manager, who is shown the part of the team that `part_shown` says."""
MANAGER_LOOKING = _of_managers(Scope.SHARED)
"""A manager, for what all of them may look at."""
MANAGER_OF_BODY = _of_managers(Scope.BODY)
"""A manager; whether they may do this depends on the body, and the function checks it."""
MANAGER_OF_ALL = _of_managers(Scope.ALL)
"""A manager of all teams."""
VIEWER = Who("rep or manager", _viewer, (Unauthorized,), cookie=True, scope=Scope.SHARED)
"""Either, for what is the same for all; the function gets the rep, or None for a manager."""
VIEWER_OF_PART = _of_either(Scope.PART)
"""Either; the function gets the rep, or the manager as of `MANAGER_OF_PART`."""
REP_OR_MANAGER_OF_BODY = _of_either(Scope.BODY)
"""Either; the function gets the rep or the manager, and checks what the body names."""
OWNER = _of_either(Scope.OWN)
"""Either, for what is their own; the function gets the rep or the manager."""
POOL_VIEWER = Who("rep or manager", _rep_and_usage_or_manager, cookie=True, scope=Scope.PART)
"""Either; the function gets the rep with what they have used up, or as of `MANAGER_OF_PART`."""
HOLDER_OR_MANAGER = Who("rep or manager", _rep_or_manager_of_it, cookie=True, scope=Scope.NAMED)
"""A rep, or a manager of the rep or lead in the path; the function gets which."""
SOURCE = Who("signed", _source, (Unauthorized, MalformedBody))
"""A system that signs with the intake secret; the function gets when it signed."""
