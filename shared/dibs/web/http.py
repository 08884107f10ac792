"""HTTP in and out: what was sent, JSON answers, and one table from error codes to statuses."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from dibs.core.errors import (
    AlreadyClaimed,
    AlreadyDecided,
    AlreadyExists,
    BodyTooLarge,
    Busy,
    ClaimRefused,
    DibsError,
    Ended,
    Expired,
    FieldError,
    Forbidden,
    IllegalMove,
    InvalidInput,
    LeadNotFound,
    MalformedBody,
    NoLongerYours,
    NotConfigured,
    NotEnoughPoints,
    NotYours,
    Outdated,
    OutOfStock,
    RouteNotFound,
    TooManyTries,
    Unauthorized,
    UndoOver,
    Withdrawn,
)
from dibs.core.lead import Contact
from dibs.race.claim import InDraw, Won

STATUS: dict[type[DibsError], int] = {
    MalformedBody: 400,
    Unauthorized: 401,
    Forbidden: 403,
    ClaimRefused: 403,
    LeadNotFound: 404,
    RouteNotFound: 404,
    AlreadyClaimed: 409,
    AlreadyDecided: 409,
    AlreadyExists: 409,
    IllegalMove: 409,
    NotEnoughPoints: 409,
    NotYours: 409,
    Outdated: 409,
    OutOfStock: 409,
    UndoOver: 409,
    Ended: 410,
    Expired: 410,
    NoLongerYours: 410,
    Withdrawn: 410,
    BodyTooLarge: 413,
    InvalidInput: 422,
    NotConfigured: 500,
    TooManyTries: 429,
    Busy: 503,
}
RETRY_AFTER_SECONDS = {429: 3600, 503: 1}
PROBLEM = "problem+json"

LARGEST_BODY = 64 * 1024

Event = Mapping[str, Any]
Response = dict[str, Any]

EPOCH: Mapping[str, Mapping[str, Any]] = {
    "epoch": {
        "description": "Which opening of the lead; the latest where it is left out.",
        "type": "integer",
        "minimum": 0,
        "maximum": 99_999,
    }
}
"""What `epoch_asked` reads."""

_LONGEST_ID = 64

_ALWAYS = {
    # Browsers heed it on https alone.
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
_SAFE = {
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def answer(status: int, body: Mapping[str, Any], kind: str = "json") -> Response:
    """Return a JSON answer in API Gateway's form."""
    return {
        "statusCode": status,
        "headers": {"content-type": f"application/{kind}; charset=utf-8", **_SAFE},
        "body": _dump(body),
    }


def see_other(where: str) -> Response:
    """Return where a browser looks next, without keeping that in mind."""
    headers = {"location": where, "cache-control": "no-store"}
    return {"statusCode": 303, "headers": headers, "body": ""}


def csv_answer(text: str, following: str = "") -> Response:
    """Return a CSV answer; `following` is where the rest of it is, if there is more."""
    headers = {"content-type": "text/csv; charset=utf-8", **_SAFE}
    if following:
        headers["link"] = f'<{following}>; rel="next"'
    return {"statusCode": 200, "headers": headers, "body": text}


def problem(error: DibsError) -> Response:
    """Return an error as `application/problem+json` with its stable code."""
    status = STATUS[type(error)]
    body = {"title": error.message, "status": status, "code": error.code, "detail": str(error)}
    response = answer(status, {**body, **error.details()}, PROBLEM)
    if status in RETRY_AFTER_SECONDS:
        response["headers"]["retry-after"] = str(RETRY_AFTER_SECONDS[status])
    return response


def secured(response: Response) -> Response:
    """Return an answer with what every answer tells a browser: come by https, guess no type."""
    return {**response, "headers": {**_ALWAYS, **response.get("headers", {})}}


def compressed(event: Mapping[str, Any], response: Response) -> Response:
    """Return an answer gzipped where the caller takes that, which saves a phone most of its bytes.

    A short one stays as it is: it would not get smaller.
    """
    body = str(response["body"]).encode()
    if response.get("isBase64Encoded"):  # a picture
        return response
    if len(body) < _WORTH_COMPRESSING or not _takes_gzip(event):
        return response
    import gzip  # the app's claims do without

    headers = {**response["headers"], "content-encoding": "gzip", "vary": "accept-encoding"}
    packed = base64.b64encode(gzip.compress(body, mtime=0)).decode()
    return {**response, "headers": headers, "body": packed, "isBase64Encoded": True}


_WORTH_COMPRESSING = 600


def _takes_gzip(event: Mapping[str, Any]) -> bool:
    for one in header(event, "accept-encoding").lower().split(","):
        name, _, weight = one.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "").rstrip("0.") != "q="
    return False


def unless_known(event: Mapping[str, Any], response: Response) -> Response:
    """Return an answer with its tag; where the caller has that answer already, 304 without it.

    The tag is of what is said, not of when: two answers that differ in that alone have the same.
    Pages have none, as they are read by people, who see the time on them.
    """
    headers = response["headers"]
    is_json = headers.get("content-type", "").startswith("application/json")
    if response["statusCode"] != 200 or "etag" in headers or not is_json:
        return response
    said = _dump(_timeless(json.loads(response["body"])))
    tag = f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'
    # A browser may keep it, and has to ask each time whether it still holds.
    kept = {"etag": f"W/{tag}", "cache-control": "private, no-cache", "vary": _VARY}
    if _names(header(event, "if-none-match"), tag):
        return {"statusCode": 304, "headers": kept, "body": ""}
    return {**response, "headers": {**headers, **kept}}


_VARY = "accept, authorization, cookie"
_OF_THE_MOMENT = ("as_of", "seconds_left")


def _timeless(said: Any) -> Any:
    if isinstance(said, list):
        return [_timeless(one) for one in said]
    if not isinstance(said, dict):
        return said
    return {name: _timeless(one) for name, one in said.items() if name not in _OF_THE_MOMENT}


def _names(sent: str, tag: str) -> bool:
    """Tell whether an If-None-Match names a tag, weak or strong."""
    named = [one.strip().removeprefix("W/") for one in sent.split(",")]
    return tag in named or "*" in named


def header(event: Mapping[str, Any], name: str) -> str:
    """Return a request header, empty when it was not sent. Names come in lower case (v2)."""
    return str(event.get("headers", {}).get(name, ""))


def wants_html(event: Mapping[str, Any]) -> bool:
    """Tell whether a browser is asking: whoever would rather have a page than JSON."""
    page = _weight(event, "text/html")
    return page > 0 and page >= _weight(event, "application/json")


def _weight(event: Mapping[str, Any], kind: str) -> float:
    """Return how much a media type that is named is wanted, from 0 to 1."""
    for one in header(event, "accept").lower().split(","):
        name, *terms = (term.strip() for term in one.split(";"))
        if name == kind:
            said = next((term[2:] for term in terms if term.startswith("q=")), "1")
            with suppress(ValueError):
                return float(said)
            return 0.0
    return 0.0


def raw_body(event: Mapping[str, Any], largest: int = LARGEST_BODY) -> bytes:
    """Return the bytes that were sent, however API Gateway wrapped them.

    Raises:
        BodyTooLarge: more than `largest` bytes, 64 KB unless told.
    """
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    if len(raw) > largest:
        raise BodyTooLarge
    return raw


def path(event: Mapping[str, Any], name: str) -> str:
    """Return a path parameter."""
    return str((event.get("pathParameters") or {}).get(name, ""))


def query(event: Mapping[str, Any], name: str) -> str:
    """Return what a query string says for a name, empty when it does not."""
    return str((event.get("queryStringParameters") or {}).get(name, ""))


def epoch_asked(event: Mapping[str, Any]) -> int | None:
    """Return which opening of a lead `?epoch=` asks for, None for the latest.

    Raises:
        InvalidInput: it is no number.
    """
    given = query(event, "epoch")
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and 0 < len(given) <= 5):
        raise InvalidInput((FieldError("epoch", "send a whole number"),))
    return int(given)


def lead_id(event: Mapping[str, Any]) -> str:
    """Return the lead a path names.

    Raises:
        LeadNotFound: no lead has an id like that; the tables take no key of any length.
    """
    named = path(event, "lead_id")
    if not 0 < len(named) <= _LONGEST_ID:
        raise LeadNotFound
    return named


def bearer_token(event: Mapping[str, Any]) -> str:
    """Return the caller's token, `<id>.<random>`.

    Raises:
        Unauthorized: there is none, or it has another form.
    """
    scheme, _, token = header(event, "authorization").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized
    return well_formed(token.strip())


def well_formed(secret: str) -> str:
    """Return a token or a session's secret, `<id>.<random>`.

    Raises:
        Unauthorized: it has another form.
    """
    owner, dot, random = secret.partition(".")
    if not (owner and dot and random) or len(secret) > 200:
        raise Unauthorized
    if not (secret.isascii() and secret.isprintable()):
        raise Unauthorized
    return secret


def won_body(won: Won) -> dict[str, Any]:
    """Return the winner's answer; `lead` is null where a link is too old to show it."""
    return {
        "lead_id": won.claim.lead_id,
        "claimed_at": won.claim.claimed_at,
        "claim_ms": won.claim.claim_ms,
        "already_yours": won.already_yours,
        "undo_until": won.undo_until,
        "lead": card_body(won.card) if won.card else None,
    }


def draw_body(entered: InDraw) -> dict[str, Any]:
    """Return the answer to a claim that goes into a draw (C10)."""
    return {"code": entered.code, **asdict(entered)}


def card_body(card: Contact) -> dict[str, Any]:
    """Return a lead with its contact details, for its holder only."""
    # All values are plain but the merged posts; `asdict` copies each in depth, and takes ten times
    # as long.
    return {**vars(card), "merged": [vars(post) for post in card.merged]}


def iso(moment: datetime) -> str:
    """Return a moment as UTC ISO-8601 with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _dump(body: Mapping[str, Any]) -> str:
    return _ENCODER.encode(body)


def _default(value: Any) -> str:
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"{type(value).__name__} does not go into an answer")


# Made once: `json.dumps` with options makes one a call.
_ENCODER = json.JSONEncoder(default=_default, ensure_ascii=False, separators=(",", ":"))
