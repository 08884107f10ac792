"""What proves who is calling: a token, or the session of a browser. Only digests are stored."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from dibs.core.values import dataclass

FIRST_MANAGER = "manager"
"""The id of the only manager there was before managers had ids of their own."""
_MANAGERS = "m-"


@dataclass(frozen=True)
class Shown:
    """What a caller showed: whose it is said to be, and its digest."""

    owner: str
    digest: str
    session: bool = False


@dataclass(frozen=True)
class Credential:
    """A stored token or session.

    `number` is that of the owner's token at the time. A new token, or leaving, gives the owner the
    next number, which ends everything of an earlier one. `ends_at` is None where it has no end.
    """

    digest: str
    number: int
    ends_at: datetime | None = None
    issued_at: datetime | None = None
    issued_by: str = ""


@dataclass(frozen=True)
class Manager:
    """A manager. With a `team` they act on that team only; `token_number` is as of a rep."""

    manager_id: str
    name: str
    team: str = ""
    added_at: datetime | None = None
    added_by: str = ""
    token_number: int = 0


def shown(secret: str, *, session: bool = False) -> Shown:
    """Return what a secret, `<owner>.<random>`, shows."""
    return Shown(secret.partition(".")[0], digest_of(secret), session)


def digest_of(secret: str) -> str:
    """Return the digest of a secret, which is stored in its place."""
    return hashlib.sha256(secret.encode()).hexdigest()


def proves(stored: Credential | None, said: Shown, number: int, now: datetime) -> bool:
    """Tell whether what was shown is what is stored, of the owner's present number, and in time."""
    return (
        stored is not None
        and hmac.compare_digest(stored.digest, said.digest)
        and stored.number == number
        and (stored.ends_at is None or now < stored.ends_at)
    )


def is_manager(owner: str) -> bool:
    """Tell whether an owner's id is a manager's; no rep's id looks like one."""
    return owner == FIRST_MANAGER or owner.startswith(_MANAGERS)


def manager_id(chosen: str) -> str:
    """Return the id of a new manager, of a few random letters."""
    return f"{_MANAGERS}{chosen}"
