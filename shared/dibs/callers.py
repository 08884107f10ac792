"""Who may call a route, as the route tables name it, and how that is checked."""

from __future__ import annotations

from datetime import datetime

from dibs.core.errors import MalformedBody, Unauthorized
from dibs.core.rep import Rep, Usage
from dibs.roster.callers import calling_manager, calling_rep, calling_viewer
from dibs.web.http import Event, raw_body
from dibs.web.route import Who
from dibs.web.sign_in import signed_in
from dibs.wiring import wiring


def _rep(event: Event) -> Rep:
    return calling_rep(event, wiring().roster)[0]


def _rep_and_usage(event: Event) -> tuple[Rep, Usage]:
    return calling_rep(event, wiring().roster)


def _manager(event: Event) -> str:
    return calling_manager(event, wiring().roster)


def _viewer(event: Event) -> Rep | None:
    return calling_viewer(event, wiring().roster)


def _source(event: Event) -> datetime:
    from dibs.intake.signing import Scope  # loads what the other callers do without

    body, headers = raw_body(event), event.get("headers", {})
    return wiring().signatures.verified(body, headers, Scope.LEADS)


REP = Who("rep", _rep)
REP_AND_USAGE = Who("rep", _rep_and_usage)
"""A rep; the function gets them with what they have used up."""
MANAGER = Who("manager", _manager)
"""A manager; the function gets the name they have in records."""
VIEWER = Who("rep or manager", _viewer, (Unauthorized,))
"""Either; the function gets the rep, or None for a manager."""
SOURCE = Who("signed", _source, (Unauthorized, MalformedBody))
"""A system that signs with the intake secret; the function gets when it signed."""
# A browser that signed in may look at these as well.
LOOKING_MANAGER = Who("manager", lambda event: _manager(signed_in(event)), cookie=True)
LOOKING_VIEWER = Who(
    "rep or manager", lambda event: _viewer(signed_in(event)), (Unauthorized,), cookie=True
)
