"""A row of a route table: the function that serves a route, and what its callers may rely on.

The handler works by the row: it checks the caller and reads the body by it before the function is
called. So what is wrong is told in one order: who calls (401, 403), the form of the body (400, 413,
422), an unknown id in the path (404), what the rules say of it (422, 409 …). Only the
token of a `HOLDER` is checked after the body's form.

The published description (`/openapi.json`) is written from the same rows, so neither can say
something else. Nothing here imports pydantic: a claim does without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from dibs.core.errors import DibsError, Forbidden, Unauthorized
from dibs.web.http import Event, Response, header, raw_body, unless_known
from dibs.web.json_body import nothing_sent


class Body(Protocol):
    """How the body of a route is read; `media` is its content type, `largest` its bytes."""

    media: str
    largest: int
    example: Mapping[str, Any]

    def read(self, raw: bytes) -> Any:
        """Return what was sent, or raise what is wrong with it."""

    def described(self) -> dict[str, Any]:
        """Return its JSON Schema."""


class Scope(StrEnum):
    """What a manager who has a team may do by a route; one without a team may do it for all.

    Every route that managers may call has one, and `dibs.callers` holds them to it.
    """

    NAMED = "named"
    """The rep, lead or team that the path names is their team's."""
    PART = "part"
    """They are shown their team's part."""
    SHARED = "shared"
    """It is the same for everybody who may look."""
    BODY = "body"
    """Whom the body names is their team's; the function checks it."""
    ALL = "all"
    """Nothing: it is of the whole organisation."""
    OWN = "own"
    """It is of the caller alone."""


# No claim compares or prints these, and each method that is made for it would delay its start.
@dataclass(eq=False, repr=False, match_args=False)
class Who:
    """Who may call a route.

    `name` is what the description says. `check` returns the caller, who goes to the function after
    the event, or raises one of `errors`; without it nobody is asked who they are. `scope` is what
    a team's manager may do, None where no manager may call.
    """

    name: str
    check: Callable[[Event], Any] | None
    errors: Sequence[type[DibsError]] = (Unauthorized, Forbidden)
    cookie: bool = False
    scope: Scope | None = None


HTML = "text/html"
CSV = "text/csv"
ERROR_PAGES: Mapping[int, str] = dict.fromkeys((401, 403, 404, 409, 410, 422), HTML)
"""The errors that a page tells a browser of."""

ANYBODY = Who("anybody", None, ())
LINK = Who("link", None, ())
"""Whoever holds the link; the function reads the token in the path together with the lead."""


def reads(key: str) -> bool:
    """Tell whether a route only reads: HTTP gives a body of such a request no meaning."""
    return key.partition(" ")[0] in ("GET", "HEAD")


@dataclass(eq=False, repr=False, match_args=False)
class Route:
    """One route. Its function gets the event, then the caller and the body where there are any.

    `answers` says what comes back with each status: the name of a type in `answers.py` beside the
    function, or a media type other than JSON; several go by what the caller accepts. Where 304 is
    among them, answers have a tag, and who sends it back hears that nothing has changed.
    `errors` are what it may raise besides what every route may: what is wrong with the caller or
    the body, and that the server is in trouble. `also` are other content types the body may have,
    and what reads them. `query` describes the parameters it reads,
    `repeated` what happens when the same is sent again, and the function's docstring what it does,
    unless `summary` does. `page` may turn an error into a page for a browser. `fields` are those of
    a form that comes without saying anything, where there is no body otherwise.
    """

    serve: Callable[..., Response]
    who: Who
    answers: Mapping[int, str | Sequence[str]]
    errors: Sequence[type[DibsError]] = ()
    body: Body | None = None
    also: Mapping[str, Callable[[bytes], Any]] | None = None
    query: Mapping[str, Mapping[str, Any]] | None = None
    repeated: str = ""
    summary: str = ""
    page: Callable[[Event, DibsError], Response | None] | None = None
    fields: Sequence[str] = ()

    def __call__(self, event: Event) -> Response:
        """Answer a request."""
        try:
            given: list[Any] = [event]
            if self.who.check is not None:
                given.append(self.who.check(event))
            if self.body is not None:
                media = header(event, "content-type").partition(";")[0].strip().lower()
                read = (self.also or {}).get(media, self.body.read)
                given.append(read(raw_body(event, self.body.largest)))
            elif event.get("body") and not reads(event.get("routeKey", "")):
                media = header(event, "content-type").partition(";")[0].strip().lower()
                nothing_sent(raw_body(event), media, self.fields)
            response = self.serve(*given)
            return unless_known(event, response) if 304 in self.answers else response
        except DibsError as error:
            page = self.page(event, error) if self.page is not None else None
            if page is None:
                raise
            return page
