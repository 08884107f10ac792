"""Who may call what: each route as the published description has it, called by everybody."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from handlers.app import AINA, CHONG, MANAGER, Answer, App, http
from support.builders import token_of
from support.contract import operations

ROUTES = operations()
ADDRESSES = {
    "rep_id": AINA.rep_id,
    "month": "2026-11",
    "metric": "points",
    "device_id": "phone",
    "contest_id": "week",
    "quest": "start",
    "step": "first",
}


@pytest.fixture
def peopled(app: App) -> App:
    app.hire(AINA, CHONG)
    app.world.add_manager(MANAGER)
    return app


def call(app: App, route: str, token: str | None) -> Answer:
    """Call a route about a lead of another team, with as little as it takes."""
    operation = ROUTES[route]
    names = re.findall(r"{(\w+)}", route)
    path = {name: ADDRESSES.get(name, "nobody") for name in names}
    if "lead_id" in path:
        path["lead_id"] = app.lead().lead_id
    asked = http("http_playbook", route, path, "{}")
    asked["headers"].pop("authorization", None)
    if token is not None:
        asked["headers"]["authorization"] = f"Bearer {token}"
    return app.ask(operation["tags"][0], asked)


def of(*callers: str) -> list[str]:
    return [route for route, said in ROUTES.items() if said["x-dibs-callers"] in callers]


KNOWN = of("rep", "manager", "rep or manager", "signed", "signed, rep or manager")


@pytest.mark.parametrize("route", KNOWN)
@pytest.mark.parametrize("token", [None, "nobody.x", "manager.forged", f"{AINA.rep_id}.forged"])
def test_nobody_is_let_in_without_a_token_of_their_own(
    peopled: App, route: str, token: str | None
) -> None:
    answer = call(peopled, route, token)
    forged_manager = token == "manager.forged" and "rep" in ROUTES[route]["x-dibs-callers"]
    assert answer.code in ({"unauthorized", "forbidden"} if forged_manager else {"unauthorized"})


@pytest.mark.parametrize("route", of("manager"))
def test_a_rep_does_nothing_that_is_a_managers(peopled: App, route: str) -> None:
    answer = call(peopled, route, token_of(AINA))
    assert (answer.status, answer.code) == (403, "forbidden")


@pytest.mark.parametrize("route", of("rep"))
def test_a_manager_does_nothing_that_is_a_reps(peopled: App, route: str) -> None:
    answer = call(peopled, route, MANAGER)
    assert answer.code in ("forbidden", "unauthorized")


@pytest.mark.parametrize("route", of("signed"))
@pytest.mark.parametrize("token", [MANAGER, token_of(AINA)])
def test_a_token_is_no_signature(peopled: App, route: str, token: str) -> None:
    assert call(peopled, route, token).code == "unauthorized"


@pytest.mark.parametrize("route", of("rep or manager"))
@pytest.mark.parametrize("token", [MANAGER, token_of(AINA)])
def test_what_is_for_both_lets_both_in(peopled: App, route: str, token: str) -> None:
    answer = call(peopled, route, token)
    assert answer.status != 401


@pytest.mark.parametrize("route", [one for one in of("rep") if "{lead_id}" in one])
def test_a_lead_of_another_team_is_not_there(peopled: App, route: str) -> None:
    """Its lead is team north's; the caller is of team south."""
    before = peopled.lead()
    answer = call(peopled, route, token_of(CHONG))
    assert answer.code in ("lead_not_found", "not_yours", "invalid_input")
    assert "Acme" not in answer.text
    assert peopled.now(before) == before


@pytest.mark.parametrize("route", of("link"))
def test_a_link_that_was_never_sent_opens_nothing(peopled: App, route: str) -> None:
    answer = call(peopled, route, None)
    # The form of a body, which is empty here, comes before what the path names.
    assert answer.status == (422 if "requestBody" in ROUTES[route] else 404)


@pytest.mark.parametrize("route", of("anybody"))
def test_what_anybody_may_call_asks_nobody(peopled: App, route: str) -> None:
    other = {
        "POST /sign-in": 401,  # what they send is no token
        "POST /in/{token}": 401,
        "POST /sign-in/link": 202,
        "POST /sign-out": 303,
        "GET /logo": 404,  # the playbook has none
    }
    assert call(peopled, route, None).status == other.get(route, 200)


def ask(app: App, route: str, **headers: Any) -> Answer:
    return app.ask("boards", http("http_board", route, {}, authorization=None, **headers))


def test_the_description_is_served_and_kept_by_who_has_it(app: App) -> None:
    served = ask(app, "GET /openapi.json")
    assert served.status == 200
    assert json.loads(served.text)["openapi"] == "3.1.0"
    again = ask(app, "GET /openapi.json", if_none_match=served.headers["etag"])
    assert (again.status, again.text) == (304, "")
    assert ask(app, "GET /openapi.json", if_none_match='"other"').status == 200


def test_people_read_the_same_list_on_a_page_without_scripts(app: App) -> None:
    page = ask(app, "GET /docs")
    assert page.status == 200
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for route in ROUTES:
        assert route.split()[1] in page.text, route
