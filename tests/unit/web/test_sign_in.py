"""A cookie counts for looking, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from dibs.web.sign_in import signed_in

COOKIE = "dibs=aaaac.secret"


def an_event(route: str, **headers: str) -> dict[str, Any]:
    return {"routeKey": route, "headers": headers, "cookies": [COOKIE]}


def test_a_look_without_a_token_has_that_of_the_cookie() -> None:
    asked = an_event("GET /boards/response_speed", accept="text/html")
    found = signed_in(asked)
    assert found["headers"] == {"accept": "text/html", "authorization": "Bearer aaaac.secret"}
    assert "authorization" not in asked["headers"]  # the event itself stays as it came


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "GETTING", "$default"])
def test_what_may_change_something_has_not(method: str) -> None:
    asked = an_event(f"{method} /activities")
    assert signed_in(asked) == asked


def test_a_token_of_its_own_goes_first() -> None:
    asked = an_event("GET /reps", authorization="Bearer manager.secret")
    assert signed_in(asked) == asked


@pytest.mark.parametrize("cookie", ["", "dibs", "dibs=", "other=aaaac.secret", "xdibs=a.b"])
def test_another_cookie_is_none(cookie: str) -> None:
    asked = {"routeKey": "GET /reps", "headers": {}, "cookies": [cookie]}
    assert signed_in(asked) == asked
