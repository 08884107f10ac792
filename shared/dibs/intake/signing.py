"""What senders sign with: one secret for each source, for leads, activities or both (O2, H2).

While a secret is changed, the one before it counts as well, so that no post is lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dibs.core.errors import AlreadyExists, FieldError, InvalidInput, Unauthorized
from dibs.intake.body import verify

DEFAULT = "default"
"""The source whose secret the template makes."""
OVERLAP = timedelta(days=1)
"""How long the secret before counts, unless the operator says otherwise."""
KEPT = timedelta(minutes=1)
"""How long a process works with the secrets it has read: an ended one counts that long at most."""
ASKED_AGAIN = timedelta(seconds=2)
"""Wrong signatures make a process read the secrets again, but no more often than this."""


class Scope(StrEnum):
    """What a secret may sign."""

    LEADS = "leads"
    ACTIVITIES = "activities"


@dataclass(frozen=True)
class SourceSecret:
    """A source's secret, in base64; `previous` counts as well before `previous_until`."""

    source: str
    scopes: tuple[Scope, ...]
    current: str
    previous: str = ""
    previous_until: datetime | None = None

    def accepted(self, now: datetime) -> tuple[str, ...]:
        """Return the secrets that count now."""
        overlaps = self.previous_until is not None and now < self.previous_until
        return (self.current, self.previous) if overlaps else (self.current,)


@dataclass(frozen=True)
class StoredSecret:
    """The stored text, since when it is stored, and the text before it."""

    text: str
    since: datetime
    before: str = ""


Book = Mapping[str, SourceSecret]
"""The secrets, by source."""


def read_book(stored: StoredSecret) -> Book:
    """Return the secrets a stored text describes: JSON, or the one secret of the template."""
    if not stored.text.startswith("{"):
        before = "" if stored.before.startswith("{") else stored.before
        until = stored.since + OVERLAP if before else None
        return {DEFAULT: SourceSecret(DEFAULT, tuple(Scope), stored.text, before, until)}
    return {
        source: SourceSecret(
            source,
            tuple(map(Scope, one["scopes"])),
            one["current"],
            one.get("previous", ""),
            datetime.fromisoformat(one["previous_until"]) if "previous_until" in one else None,
        )
        for source, one in json.loads(stored.text).items()
    }


def written(book: Book) -> str:
    """Return the text that describes these secrets."""
    return json.dumps({source: _body(one) for source, one in sorted(book.items())})


def _body(one: SourceSecret) -> dict[str, object]:
    body: dict[str, object] = {"scopes": one.scopes, "current": one.current}
    if one.previous_until is not None:
        body |= {"previous": one.previous, "previous_until": one.previous_until.isoformat()}
    return body


def added(book: Book, source: str, scopes: Iterable[Scope], secret: str) -> Book:
    """Return the secrets with another source's.

    Raises:
        AlreadyExists: the source has a secret; change that.
    """
    if source in book:
        raise AlreadyExists(f"{source} has a secret already; change it with rotate.")
    return {**book, source: SourceSecret(source, tuple(scopes), secret)}


def rotated(book: Book, source: str, secret: str, until: datetime) -> Book:
    """Return the secrets with a new one for a source; its last one counts until then."""
    one = _known(book, source)
    changed = replace(one, current=secret, previous=one.current, previous_until=until)
    return {**book, source: changed}


def ended(book: Book, source: str) -> Book:
    """Return the secrets without a source's.

    Raises:
        InvalidInput: nobody could post any more.
    """
    _known(book, source)
    if len(book) == 1:
        problem = "this is the only secret; add another source first"
        raise InvalidInput((FieldError("source", problem),))
    return {name: one for name, one in book.items() if name != source}


def _known(book: Book, source: str) -> SourceSecret:
    if source not in book:
        problem = f"has no secret; these have: {', '.join(sorted(book))}"
        raise InvalidInput((FieldError(source, problem),))
    return book[source]


class Signatures:
    """Checks signatures against the stored secrets, which it keeps for a while."""

    def __init__(self, read: Callable[[], StoredSecret], clock: Callable[[], datetime]) -> None:
        self._read, self._clock = read, clock
        self._book: Book = {}
        self._read_at: datetime | None = None
        self._missed_at: datetime | None = None

    def book(self) -> Book:
        """Return the secrets, at most a minute old."""
        now = self._clock()
        if self._read_at is None or now - self._read_at >= KEPT:
            self._refresh(now)
        return self._book

    def verified(self, body: bytes, headers: Mapping[str, str], scope: Scope) -> datetime:
        """Check a signature by any secret of that scope; return when it was made.

        Raises:
            MalformedBody: the body is no text, so nobody can have signed it.
            Unauthorized: unsigned, wrongly signed, or signed more than five minutes from now.
        """
        self.book()
        try:
            return self._by_any(body, headers, scope)
        except Unauthorized:
            now = self._clock()
            if self._missed_at is not None and now - self._missed_at < ASKED_AGAIN:
                raise
            # A secret may have been changed since it was read.
            self._missed_at = now
            before = self._book
            self._refresh(now)
            if self._book == before:
                raise
            return self._by_any(body, headers, scope)

    def _by_any(self, body: bytes, headers: Mapping[str, str], scope: Scope) -> datetime:
        refused = Unauthorized("The signature is by no secret that may sign this.")
        now = self._clock()
        for one in self._book.values():
            for secret in one.accepted(now) if scope in one.scopes else ():
                try:
                    return verify(body, headers, f"whsec_{secret}")
                except Unauthorized as error:
                    refused = error
        raise refused

    def _refresh(self, now: datetime) -> None:
        try:
            self._book = read_book(self._read())
            self._read_at = now
        except Exception:
            # What was read before still counts while the store cannot be reached.
            if self._read_at is None:
                raise
