"""Signing in with a browser: a token kept in a cookie, which counts for looking and nothing else.

A page of another site can make a browser send a cookie along, so what changes anything asks for
the token itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from dibs.web.http import header

COOKIE = "dibs"
LASTS_SECONDS = 12 * 3600


def cookie_for(token: str, public_url: str) -> str:
    """Return the cookie that signs a browser in with a token that was checked."""
    # A browser keeps a secure cookie from http; on this machine there is nobody to listen.
    where = urlsplit(public_url)
    local = where.scheme == "http" and (where.hostname or "").split(".")[-1] == "localhost"
    jar = SimpleCookie({COOKIE: token})
    lasting = {"max-age": str(LASTS_SECONDS), "path": "/", "samesite": "Strict"}
    jar[COOKIE].update({**lasting, "httponly": "yes", "secure": "" if local else "yes"})
    return jar[COOKIE].OutputString()


def signed_in(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return a GET that brought no token with that of its cookie; all else as it is."""
    if header(event, "authorization") or not event.get("routeKey", "").startswith("GET "):
        return dict(event)
    token = _cookie(event)
    if not token:
        return dict(event)
    return {**event, "headers": {**event.get("headers", {}), "authorization": f"Bearer {token}"}}


def _cookie(event: Mapping[str, Any]) -> str:
    """Return our cookie's value. API Gateway lists cookies; the local stack leaves the header."""
    for sent in (*event.get("cookies", ()), *header(event, "cookie").split(";")):
        jar = SimpleCookie()  # one by one: another's that is malformed would hide the rest
        with suppress(CookieError):
            jar.load(sent)
        if COOKIE in jar:
            return jar[COOKIE].value
    return ""
