"""Identify the caller by the bearer token: a rep or a manager."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from dibs.core.errors import Forbidden, Unauthorized
from dibs.core.rep import Rep, Usage
from dibs.race.claim import token_hash
from dibs.roster.store import DynamoRoster
from dibs.web.http import bearer_token

_MANAGER = "manager"


def calling_rep(event: Mapping[str, Any], roster: DynamoRoster) -> tuple[Rep, Usage]:
    """Return the rep whose token was sent, and what they have used up.

    Raises:
        Unauthorized: the token is unknown or no longer valid.
        Forbidden: the token is a manager's; these calls are a rep's own.
    """
    rep_id, token = bearer_token(event)
    credentials = roster.credentials(rep_id)
    if credentials is None:
        if rep_id == _MANAGER:
            raise Forbidden("These calls are a rep's own.")
        raise Unauthorized
    rep, usage, stored = credentials
    if not rep.active or not hmac.compare_digest(stored or "", token_hash(token)):
        raise Unauthorized
    return rep, usage


def calling_viewer(event: Mapping[str, Any], roster: DynamoRoster) -> Rep | None:
    """Return the calling rep, None for a manager.

    Raises:
        Unauthorized: the token is unknown or no longer valid.
    """
    caller, _ = bearer_token(event)
    if caller == _MANAGER:
        calling_manager(event, roster)
        return None
    return calling_rep(event, roster)[0]


def calling_manager(event: Mapping[str, Any], roster: DynamoRoster) -> str:
    """Check a manager's token and return the name of managers in records.

    Raises:
        Unauthorized: the token is unknown or no longer valid.
        Forbidden: the token is a rep's; these calls are the managers'.
    """
    caller, token = bearer_token(event)
    if caller != _MANAGER:
        calling_rep(event, roster)
        raise Forbidden
    stored = roster.manager_hash()
    if stored is None or not hmac.compare_digest(stored, token_hash(token)):
        raise Unauthorized
    return _MANAGER
