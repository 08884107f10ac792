"""A session counts for looking, and for changes where the request comes from a page of our own."""

from __future__ import annotations

from typing import Any

import pytest

from dibs.core.credentials import Shown, shown
from dibs.core.errors import Unauthorized
from dibs.web.sign_in import caller, from_elsewhere, own_path

SECRET = "aaaac.secret"


def an_event(route: str, cookie: str = f"__Host-dibs={SECRET}", **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"routeKey": route, "headers": {"host": "dibs.example", **named}, "cookies": [cookie]}


def said(event: dict[str, Any]) -> Shown | None:
    try:
        return caller(event)
    except Unauthorized:
        return None


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_session_counts_for_looking(method: str) -> None:
    assert said(an_event(f"{method} /reps")) == shown(SECRET, session=True)


OURS = ({"sec_fetch_site": "same-origin"}, {"origin": "https://dibs.example"})
NOT_OURS: tuple[dict[str, str], ...] = (
    {},
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"sec_fetch_site": "none"},
    {"sec_fetch_site": "cross-site", "origin": "https://dibs.example"},
    {"origin": "https://evil.example"},
    {"origin": "https://dibs.example.evil.example"},
    {"origin": "https://dibs.example:8443"},
    {"origin": "null"},
    {"referer": "https://dibs.example/"},
)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "GETTING", "$default"])
@pytest.mark.parametrize("headers", OURS)
def test_a_session_counts_for_a_change_that_our_own_page_sends(
    method: str, headers: dict[str, str]
) -> None:
    assert said(an_event(f"{method} /activities", **headers)) == shown(SECRET, session=True)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "GETTING", "$default"])
@pytest.mark.parametrize("headers", NOT_OURS)
def test_a_session_counts_for_no_other_change(method: str, headers: dict[str, str]) -> None:
    assert said(an_event(f"{method} /activities", **headers)) is None


@pytest.mark.parametrize("headers", [one for one in NOT_OURS if one and "referer" not in one])
def test_what_a_browser_says_of_another_site_is_believed(headers: dict[str, str]) -> None:
    assert from_elsewhere(an_event("POST /sign-in", **headers))
    assert not from_elsewhere(an_event("POST /sign-in"))


def test_a_token_goes_first_also_where_it_is_wrong() -> None:
    asked = an_event("GET /reps", authorization="Bearer manager.secret")
    assert said(asked) == shown("manager.secret")
    assert said(an_event("GET /reps", authorization="Bearer x")) is None


@pytest.mark.parametrize(
    "cookie", ["", "dibs", "dibs=aaaac.secret", "__Host-dibs=", "other=a.b", "x__Host-dibs=a.b"]
)
def test_another_cookie_is_none(cookie: str) -> None:
    assert said(an_event("GET /reps", cookie)) is None


@pytest.mark.parametrize("host", ["dibs.localhost:4566", "127.0.0.1:4566", "localhost"])
def test_on_this_machine_the_cookie_has_another_name(host: str) -> None:
    assert said(an_event("GET /reps", f"dibs={SECRET}", host=host)) == shown(SECRET, session=True)


@pytest.mark.parametrize("to", ["/", "/leads/abc", "/c/a-b_c", "/leads/abc?tap=dropped"])
def test_after_signing_in_a_page_of_ours_comes_next(to: str) -> None:
    assert own_path(to) == to


@pytest.mark.parametrize(
    "to",
    [
        *("//evil.example", "/leads//x", "https://evil.example", "/a?b", "/a?b=c&d=e", "/a?b=%2F"),
        *("/a?u=https://evil.example", "/a?b=c#d", "/a?b=c\n", "?tap=dropped", ""),
    ],
)
def test_no_other_page_does(to: str) -> None:
    assert own_path(to) == ""
