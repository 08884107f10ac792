"""Answers with a tag: who has an answer already is told so, and is sent nothing else (K12)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from handlers.app import AINA, BEN, MANAGER, Answer, App, http
from support.builders import token_of
from support.contract import operations

ROUTES = {
    route: said
    for route, said in operations().items()
    if "304" in said["responses"] and route != "GET /openapi.json"
}
FAMILIES = ("GET /boards/", "GET /reports/", "GET /contests", "GET /challenges")
CONTEST = {
    "name": "December race",
    "kind": "individual",
    "first_day": "2026-12-07",
    "last_day": "2026-12-11",
    "metric": "points",
    "teams": ["north"],
}


@pytest.fixture(autouse=True)
def organisation(app: App) -> None:
    app.hire(AINA, BEN)
    app.world.add_manager(MANAGER)


def ask(app: App, route: str, token: str = "", **headers: Any) -> Answer:
    if "contest_id" in route:
        body, bearer = json.dumps(CONTEST), f"Bearer {MANAGER}"
        made = {"contest_id": "race"}
        app.ask(
            "game",
            http("http_playbook", "PUT /contests/{contest_id}", made, body, authorization=bearer),
        )
    who = ROUTES[route]["x-dibs-callers"]
    token = token or (MANAGER if "manager" in who else token_of(AINA))
    names = {"metric": "points", "contest_id": "race"}
    path = {name: names[name] for name in re.findall(r"{(\w+)}", route)}
    asked = http("http_board", route, path, authorization=f"Bearer {token}", **headers)
    asked["queryStringParameters"] = {}
    return app.ask(ROUTES[route]["tags"][0], asked)


def test_boards_reports_contests_and_ones_own_card_have_tags() -> None:
    reads = {route for route in operations() if route.startswith(FAMILIES)}
    assert reads | {"GET /me"} <= set(ROUTES)


@pytest.mark.parametrize("route", ROUTES)
def test_who_has_the_answer_is_not_sent_it_again(app: App, route: str) -> None:
    first = ask(app, route, accept=None)
    assert first.status == 200, first.text
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    # Some time later, while nothing has happened.
    app.clock.pass_(seconds=5)
    strong = tag.removeprefix("W/")
    for sent in (tag, strong, f'"other", {tag}', f'"other",{strong}', "*"):
        again = ask(app, route, accept=None, if_none_match=sent)
        assert (again.status, again.text) == (304, ""), sent
        assert again.headers["etag"] == tag
    for sent in ('"other"', "", tag[:-2] + '"', "W/"):
        assert ask(app, route, accept=None, if_none_match=sent).status == 200


@pytest.mark.parametrize("route", ["GET /boards/{metric}", "GET /me"])
def test_a_change_is_sent(app: App, route: str) -> None:
    token = token_of(AINA)
    tag = ask(app, route, token, accept=None).headers["etag"]
    other = ask(app, route, token_of(BEN), accept=None, if_none_match=tag)
    if route == "GET /me":
        assert other.status == 200  # another rep's answer is another
        app.pause(AINA, hours=1)
        changed = ask(app, route, token, accept=None, if_none_match=tag)
        assert changed.status == 200
        assert changed.headers["etag"] != tag


@pytest.mark.parametrize("route", ROUTES)
def test_a_tag_lets_nobody_in(app: App, route: str) -> None:
    tag = ask(app, route, accept=None).headers["etag"]
    assert ask(app, route, f"{AINA.rep_id}.forged", accept=None, if_none_match=tag).status == 401


def test_a_page_for_people_has_no_tag(app: App) -> None:
    page = ask(app, "GET /boards/{metric}", accept="text/html")
    assert (page.status, "etag" in page.headers) == (200, False)
    assert page.headers["cache-control"] == "no-store"
