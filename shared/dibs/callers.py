"""Who may call a route, as the route tables name it, and how that is checked."""

from __future__ import annotations

from datetime import datetime

from dibs.aws import clock
from dibs.core.credentials import Manager, is_manager
from dibs.core.errors import LeadNotFound, MalformedBody, RouteNotFound, Unauthorized
from dibs.core.rep import Rep, Usage
from dibs.roster.callers import calling_manager, calling_rep, calling_viewer, check_team
from dibs.web.http import Event, path, query, raw_body
from dibs.web.route import Who
from dibs.web.sign_in import caller
from dibs.wiring import wiring


def _rep(event: Event) -> Rep:
    return _rep_and_usage(event)[0]


def _rep_and_usage(event: Event) -> tuple[Rep, Usage]:
    return calling_rep(caller(event), wiring().credentials, clock.now())


def _any_manager(event: Event) -> Manager:
    return calling_manager(caller(event), wiring().credentials, clock.now())


def _manager(event: Event) -> Manager:
    manager = _any_manager(event)
    if manager.team:
        looks = event.get("routeKey", "").startswith("GET ")
        check_team(manager, _teams(event), looks=looks)
    return manager


def _teams(event: Event) -> tuple[str, ...]:
    """Return the teams of the rep or lead a request names, or the team itself; none if none.

    Raises:
        RouteNotFound, LeadNotFound: there is no such rep or lead.
    """
    # A request for a reward begins with whose it is.
    rep_id = path(event, "rep_id") or path(event, "request_id").partition(".")[0]
    lead_id = path(event, "lead_id")
    if lead_id:
        lead = wiring().race.read(lead_id, "-").lead
        if lead is None:
            raise LeadNotFound
        if lead.owner is None:
            return lead.teams
        rep_id = lead.owner
    if rep_id:
        rep = wiring().roster.get(rep_id)
        if rep is None:
            raise RouteNotFound("There is no such rep.")
        return (rep.team,)
    team = path(event, "team")
    # What is asked for narrows what is shown; what is changed, its path names.
    if not team and event["routeKey"].startswith("GET "):
        asked = event.get("queryStringParameters") or {}
        team = query(event, "team") if "team" in asked else ""
    return (team,) if team else ()


def _who(event: Event) -> Rep | Manager:
    return calling_viewer(caller(event), wiring().credentials, clock.now())


def _viewer(event: Event) -> Rep | None:
    found = _who(event)
    if isinstance(found, Rep):
        return found
    if found.team and path(event, "lead_id"):
        check_team(found, _teams(event), looks=True)
    return None


def _rep_and_usage_or_manager(event: Event) -> tuple[Rep, Usage] | Manager:
    said, credentials, now = caller(event), wiring().credentials, clock.now()
    if is_manager(said.owner):
        return calling_manager(said, credentials, now)
    return calling_rep(said, credentials, now)


def _rep_or_manager_of_it(event: Event) -> Rep | Manager:
    return _manager(event) if is_manager(caller(event).owner) else _rep(event)


def _source(event: Event) -> datetime:
    from dibs.intake.signing import Scope  # loads what the other callers do without

    body, headers = raw_body(event), event.get("headers", {})
    return wiring().signatures.verified(body, headers, Scope.LEADS)


REP = Who("rep", _rep, cookie=True)
REP_AND_USAGE = Who("rep", _rep_and_usage, cookie=True)
"""A rep; the function gets them with what they have used up."""
MANAGER = Who("manager", _manager, cookie=True)
"""A manager, who may do this for that team; the function gets them."""
MANAGER_OF_BODY = Who("manager", _any_manager, cookie=True)
"""A manager; whether they may do this depends on the body, and the function checks it."""
VIEWER = Who("rep or manager", _viewer, (Unauthorized,), cookie=True)
"""Either; the function gets the rep, or None for a manager."""
ANYBODY_HERE = Who("rep or manager", _who, (Unauthorized,), cookie=True)
"""Either; the function gets the rep or the manager."""
REP_OR_MANAGER = Who("rep or manager", _rep_and_usage_or_manager, (Unauthorized,), cookie=True)
"""Either; the function gets the rep with what they have used up, or the manager."""
HOLDER_OR_MANAGER = Who("rep or manager", _rep_or_manager_of_it, cookie=True)
"""A rep, or a manager who may do this for that team; the function gets which."""
SOURCE = Who("signed", _source, (Unauthorized, MalformedBody))
"""A system that signs with the intake secret; the function gets when it signed."""
