"""Signing in with a browser: a session, whose secret is kept in a cookie and names no token.

The one rule for all routes: a session counts for looking, and for changes where the request comes
from a page of our own. A page of another site can make a browser send a cookie along, but not say
that it is ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from dibs.core.credentials import Shown, shown
from dibs.core.errors import Unauthorized
from dibs.web.http import bearer_token, header, well_formed

# A browser keeps a cookie with this prefix only from https, for this host alone: no other host of
# the domain can plant one.
COOKIE = "__Host-dibs"
LOCAL_COOKIE = "dibs"
NO_SESSION = timedelta()
_OWN_PATH = re.compile(r"(/|(/[A-Za-z0-9_-]{1,64}){1,3})(\?[a-z]{1,20}=[a-z]{1,20})?")


def caller(event: Mapping[str, Any]) -> Shown:
    """Return what the caller shows: a token, or else the session of their browser.

    Raises:
        Unauthorized: neither was sent, or the session does not count here.
    """
    if header(event, "authorization"):
        return shown(bearer_token(event))
    looks = event.get("routeKey", "").partition(" ")[0] in ("GET", "HEAD")
    if not (looks or from_own_page(event)):
        raise Unauthorized
    return shown(well_formed(_cookie(event)), session=True)


def from_own_page(event: Mapping[str, Any]) -> bool:
    """Tell whether a page of our own sent the request.

    Browsers say so themselves; older ones name the page's origin. Who says neither is no browser
    that can be trusted with a cookie.
    """
    site = header(event, "sec-fetch-site")
    if site:
        return site == "same-origin"
    origin = urlsplit(header(event, "origin"))
    return bool(origin.netloc) and origin.netloc == header(event, "host")


def from_elsewhere(event: Mapping[str, Any]) -> bool:
    """Tell whether a browser says that a page of another site sent the request."""
    said = header(event, "sec-fetch-site") or header(event, "origin")
    return bool(said) and not from_own_page(event)


def own_path(sent: str) -> str:
    """Return where to go after signing in if that is a page of our own, empty otherwise.

    What begins with two slashes, or holds anything but plain letters, may be another site's. One
    parameter of a plain word may follow.
    """
    return sent if _OWN_PATH.fullmatch(sent) else ""


def cookie_for(secret: str, public_url: str, lasting: timedelta, *, embedded: bool = False) -> str:
    """Return the cookie that keeps a session's secret; one that lasts for nothing removes it.

    Where screens may be `embedded` in pages of another site, a browser must send it there too. It
    keeps one apart for each such site, so a session begun there counts nowhere else.
    """
    from http.cookies import SimpleCookie

    # A browser keeps a secure cookie from http; on this machine there is nobody to listen.
    local = is_local(public_url)
    name = LOCAL_COOKIE if local else COOKIE
    jar = SimpleCookie({name: secret})
    seconds = str(int(lasting.total_seconds()))
    jar[name].update({"max-age": seconds, "path": "/", "samesite": "None" if embedded else "Lax"})
    jar[name].update({"httponly": "yes", "secure": "yes" if embedded or not local else ""})
    # SimpleCookie knows the word from Python 3.14 on.
    return jar[name].OutputString() + ("; Partitioned" if embedded else "")


def is_local(url: str) -> bool:
    """Tell whether this is the address of a stack on somebody's own machine."""
    where = urlsplit(url)
    return where.scheme == "http" and _is_localhost(where.netloc)


def _is_localhost(host: str) -> bool:
    name = host.partition(":")[0]
    return name == "127.0.0.1" or name.split(".")[-1] == "localhost"


def _cookie(event: Mapping[str, Any]) -> str:
    """Return our cookie's value. API Gateway lists cookies; the local stack leaves the header."""
    from http.cookies import CookieError, SimpleCookie

    name = LOCAL_COOKIE if _is_localhost(header(event, "host")) else COOKIE
    for sent in (*event.get("cookies", ()), *header(event, "cookie").split(";")):
        jar = SimpleCookie()  # one by one: another's that is malformed would hide the rest
        with suppress(CookieError):
            jar.load(sent)
        if name in jar:
            return jar[name].value
    return ""
