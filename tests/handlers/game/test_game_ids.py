"""Whatever a path, a body or a token of the game holds: it is answered, and changes nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from game.handler import ROUTES
from handlers.app import AINA, BEN, MANAGER, App, http
from support.builders import a_playbook, token_of

QUESTS = {
    "start": {
        "name": "Start",
        "steps": {"talk": {"name": "Talk", "type": "peer_interview", "verified_by": "peer"}},
    }
}
STRANGE = [
    "#",
    "/",
    "..",
    " ",
    "a b",
    "%23",
    "a" * 2000,
    "é" * 700,
    "\x00",
    "\ud800",
    "ACCOUNT#x",
    "'",
]
BODIES = [
    None,
    "",
    "null",
    "[]",
    "{",
    "[" * 5000,
    '"text"',
    json.dumps({"request_id": "#", "question": {}, "helper": ["x"], "peer": 7, "rep_id": {}}),
    json.dumps({"request_id": "a" * 2000, "peer": "a" * 5000, "rep_id": "\ud800", "helper": "#"}),
    json.dumps({"name": "x", "price": 1e400, "stock": -1, "reason": "\ud800", "contest_id": 3}),
]


@pytest.fixture(autouse=True)
def organisation(app: App) -> None:
    app.put_playbook(a_playbook(teams={"north": {"name": "North"}}, game={"quests": QUESTS}))
    app.world.add_manager(MANAGER)
    app.hire(AINA, BEN)


def ask(app: App, route: str, token: str, path: str, body: str | None, **query: str) -> Any:
    named = dict.fromkeys(re.findall(r"{(\w+)}", route), path)
    asked = http("http_playbook", route, named, body, authorization=f"Bearer {token}")
    asked["queryStringParameters"] = query
    if body is None:
        asked.pop("body", None)
    return app.ask("game", asked)


@pytest.mark.parametrize("route", ROUTES)
def test_nothing_that_is_sent_is_a_fault(app: App, route: str) -> None:
    before = app.everything()
    strange = STRANGE if "{" in route else [""]
    asked = [(path, "{}") for path in strange] + [("a", body) for body in BODIES]
    for token in (MANAGER, token_of(AINA)):
        for path, body in asked:
            answer = ask(app, route, token, path, body, state=path, start=path)
            assert answer.status < 500, (path[:20], (body or "")[:60], answer.text)
            if answer.status >= 400:
                assert answer.code
                assert answer.json["detail"]
            if answer.status == 422:
                assert all(error["field"] and error["problem"] for error in answer.json["errors"])
    assert app.everything() == before


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "token",
    ["manager.forged", f"{AINA.rep_id}.forged", "nobody.x", "#.x", ".", "a" * 500, "REP#a.b"],
)
def test_nobody_gets_in_with_another_token(app: App, route: str, token: str) -> None:
    before = app.everything()
    answer = ask(app, route, token, "a", "{}")
    # A manager's is not looked at where no manager has anything to do.
    refused = {"unauthorized", "forbidden"} if token.startswith("manager") else {"unauthorized"}
    assert answer.code in refused
    assert app.everything() == before
