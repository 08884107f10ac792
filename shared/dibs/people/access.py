"""Managers, tokens, sessions, sign-in links: who may come in, and until when (O6, U8)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dibs.core.credentials import (
    Credential,
    Manager,
    Shown,
    digest_of,
    is_manager,
    manager_id,
    shown,
)
from dibs.core.errors import FieldError, Forbidden, InvalidInput, RouteNotFound, Unauthorized
from dibs.core.lead import REP_ID_BYTES, id_text
from dibs.roster.audit import entry_of
from dibs.roster.ports import Credentials
from dibs.rules.rules import Rules

LONGEST_DAYS = 3650
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Session:
    """A session that has just begun: `secret` is for the browser alone."""

    owner: str
    secret: str
    ends_at: datetime


def new_token(
    owner: str, by: str, now: datetime, ends_in_days: int | None = None
) -> tuple[str, Shown, Credential]:
    """Return a new token, and what is stored of it.

    Raises:
        InvalidInput: it would end at once, or after more than ten years.
    """
    if ends_in_days is not None and not 1 <= ends_in_days <= LONGEST_DAYS:
        problem = f"send a whole number from 1 to {LONGEST_DAYS}"
        raise InvalidInput((FieldError("ends_in_days", problem),))
    token = _secret(owner)
    ends_at = None if ends_in_days is None else now + timedelta(days=ends_in_days)
    said = shown(token)
    return token, said, Credential(said.digest, 0, ends_at, now, by)


def issue_token(
    credentials: Credentials,
    owner: str,
    by: str,
    now: datetime,
    ends_in_days: int | None = None,
) -> str:
    """Give a rep or a manager a new token; the old one and all their sessions end at once.

    Raises:
        RouteNotFound: there is no such rep or manager, or they have left.
        InvalidInput: `ends_in_days` is wrong.
    """
    token, said, stored = new_token(owner, by, now, ends_in_days)
    kind = "manager.token" if is_manager(owner) else "rep.token"
    entry = entry_of(by, kind, owner, now, {}, {"token": said.digest, "ends_at": stored.ends_at})
    credentials.replace_token(said, stored, entry)
    return token


def add_manager(
    credentials: Credentials,
    playbook: Rules,
    name: str,
    team: str,
    by: str,
    now: datetime,
    ends_in_days: int | None = None,
) -> tuple[Manager, str]:
    """Add a manager and return them with their first token. Without a team they may do everything.

    Raises:
        InvalidInput: names every field that is wrong.
    """
    name = name.strip()
    fits = name.isprintable() and 0 < len(name) <= _LONGEST_NAME
    wrong = {
        "name": "" if fits else f"give a name of up to {_LONGEST_NAME} letters",
        "team": "" if team in ("", *playbook.teams) else f"use one of {', '.join(playbook.teams)}",
    }
    errors = tuple(FieldError(field, problem) for field, problem in wrong.items() if problem)
    if errors:
        raise InvalidInput(errors)
    chosen = manager_id(id_text(secrets.token_bytes(REP_ID_BYTES)))
    manager = Manager(chosen, name, team, now, by)
    token, said, stored = new_token(chosen, by, now, ends_in_days)
    entry = entry_of(by, "manager.add", chosen, now, {}, {"name": name, "team": team})
    credentials.add_manager(manager, said, stored, entry)
    return manager, token


def remove_manager(credentials: Credentials, who: str, by: str, now: datetime) -> Manager:
    """Remove a manager; their token and sessions end at once.

    The last one who may do everything cannot remove themselves: nobody could add another.

    Raises:
        RouteNotFound: there is no such manager.
        Forbidden: they are the last.
    """
    known = credentials.managers()
    gone = manager_of(known, who)
    others = [one for one in known if not one.team and one.manager_id != gone.manager_id]
    if by == gone.manager_id and not others:
        raise Forbidden("You are the last manager of all teams. Add another one first.")
    entry = entry_of(by, "manager.remove", gone.manager_id, now, {"name": gone.name}, {})
    credentials.remove_manager(gone.manager_id, entry)
    return gone


def manager_of(managers: Sequence[Manager], who: str) -> Manager:
    """Return the manager with this id, or else of this name.

    Raises:
        RouteNotFound: there is none, or several have the name.
    """
    found = [one for one in managers if one.manager_id == who]
    found = found or [one for one in managers if one.name == who]
    if not found:
        raise RouteNotFound("There is no such manager.")
    if len(found) > 1:
        raise RouteNotFound("Several managers have this name. Name one by id.")
    return found[0]


def begin_session(
    credentials: Credentials,
    playbook: Rules,
    owner: str,
    number: int,
    now: datetime,
    until: datetime | None = None,
) -> Session:
    """Begin a session: a secret of its own, which names no token and ends by itself.

    It ends at `until` at the latest, when the token ends that it was begun with.
    """
    rules = playbook.sign_in
    length = timedelta(days=rules.rep_session_days)
    if is_manager(owner):
        length = timedelta(hours=rules.manager_session_hours)
    ends_at = min(now + length, until or now + length)
    secret = _secret(owner)
    said = shown(secret, session=True)
    credentials.add_session(said, Credential(said.digest, number, ends_at, now))
    return Session(owner, secret, ends_at)


def make_link(credentials: Credentials, playbook: Rules, owner: str, now: datetime) -> str:
    """Make a sign-in link for a rep or a manager and return its secret; it works once."""
    secret = secrets.token_urlsafe(16)
    ends_at = now + timedelta(minutes=playbook.sign_in.link_minutes)
    credentials.add_link(digest_of(secret), owner, ends_at)
    return secret


def link_is_good(credentials: Credentials, secret: str, now: datetime) -> bool:
    """Tell whether a sign-in link can be used now; looking does not use it up."""
    known = credentials.link(digest_of(secret))
    return known is not None and now < known[1]


def use_link(credentials: Credentials, playbook: Rules, secret: str, now: datetime) -> Session:
    """Sign in by a link, once.

    Raises:
        Unauthorized: it is unknown, used or too old, or its owner has left.
    """
    digest = digest_of(secret)
    known = credentials.link(digest)
    if known is None or now >= known[1] or not credentials.use_link(digest):
        raise Unauthorized(_LINK_OVER)
    owner = known[0]
    number = token_number(credentials, owner)
    if number is None:
        raise Unauthorized(_LINK_OVER)
    return begin_session(credentials, playbook, owner, number, now)


def token_end(credentials: Credentials, said: Shown) -> datetime | None:
    """Return when a token ends, None if never."""
    if is_manager(said.owner):
        _, stored = credentials.of_manager(said)
    else:
        known = credentials.of_rep(said)
        stored = known and known[3]
    return stored.ends_at if stored else None


def token_number(credentials: Credentials, owner: str) -> int | None:
    """Return the number of an owner's token, None where there is no such person any more."""
    if is_manager(owner):
        manager, _ = credentials.of_manager(Shown(owner, ""))
        return None if manager is None else manager.token_number
    known = credentials.of_rep(Shown(owner, ""))
    return known[2] if known is not None and known[0].active else None


def open_sessions(credentials: Credentials, owner: str, now: datetime) -> list[Credential]:
    """Return the sessions of an owner that count now, the newest first."""
    number = token_number(credentials, owner)
    return [
        one
        for one in credentials.sessions(owner)
        if one.number == number and (one.ends_at is None or now < one.ends_at)
    ]


def allowed(credentials: Credentials, what: str, most: int, now: datetime) -> bool:
    """Count one try of `what` in this hour, and tell whether it is no more than the `most`."""
    return credentials.count(_tried(what, now), most, now + timedelta(hours=2))


def tries(credentials: Credentials, what: str, now: datetime) -> int:
    """Return how often `what` was tried in this hour."""
    return credentials.counted(_tried(what, now))


def _tried(what: str, now: datetime) -> str:
    # A digest, because what is tried may name a phone number or an address.
    return f"{now:%Y%m%d%H}#{digest_of(what)[:32]}"


def _secret(owner: str) -> str:
    return f"{owner}.{secrets.token_urlsafe(24)}"


_LINK_OVER = "This link was used or is too old. Ask for a new one."
