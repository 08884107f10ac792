"""What all functions have in common."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from dibs.aws import clients
from dibs.race.ports import RaceView
from dibs.race.store import DynamoRaceStore
from dibs.roster.store import DynamoRoster
from dibs.rules.playbook import Playbook
from dibs.web.entry import function
from dibs.wiring import wiring
from handlers.app import AINA, EVENTS, MANAGER, App, LambdaContext, event, http, signed

HTTP = ("ingest", "claim", "rep", "manage", "activities", "boards", "game")
ALL = sorted(path.parent.name for path in EVENTS.parent.glob("functions/*/handler.py"))


@pytest.mark.parametrize("name", ALL)
def test_warming_makes_a_function_ready_and_changes_nothing(app: App, name: str) -> None:
    app.hire(AINA)
    app.lead()
    before = app.everything()
    for _ in range(2):
        assert app.run(name, {"warm": True}) == "warm"
    assert app.everything() == before
    assert app.texts() == []
    assert app.waiting("notify") == app.waiting("offer") == []


def test_a_function_is_made_ready_while_lambda_starts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def work(asked: dict[str, Any], context: Any) -> Any:
        return asked

    function(work, lambda: made.append("by a test"))
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "dibs-claim")
    function(work, lambda: made.append("by Lambda"))
    assert made == ["by Lambda"]


def test_a_function_that_could_not_be_made_ready_still_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unready() -> None:
        raise ConnectionError("not yet")

    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "dibs-claim")
    handler = function(lambda asked, context: asked, unready)
    assert handler({"is": "done"}, LambdaContext("dibs-claim")) == {"is": "done"}


def test_a_request_a_role_does_not_allow_is_noticed(app: App) -> None:
    lead = app.lead()
    key = {"lead_id": {"S": lead.lead_id}}
    contacts, once = app.settings.contacts_table, app.settings.once_table
    with app.roles.taken_by("claim") as refused:
        app.client.get_item(TableName=contacts, Key=key)
    assert refused == []
    with app.roles.taken_by("activities") as refused:
        app.client.get_item(TableName=contacts, Key=key)
        app.client.delete_item(TableName=once, Key={"id": {"S": "name"}})
        clients.sns().publish(PhoneNumber=AINA.phone, Message="hello")
    assert [asked.split()[0] for asked in refused] == [
        "dynamodb:GetItem",
        "dynamodb:DeleteItem",
        "sns:Publish",
    ]


@pytest.mark.parametrize("name", HTTP)
@pytest.mark.parametrize(
    "route", ["$default", "GET /nowhere", "DELETE /leads", "POST /c/{token}", ""]
)
def test_a_route_nobody_serves_is_not_found(app: App, name: str, route: str) -> None:
    answer = app.ask(name, {**event("http_claim"), "routeKey": route})
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("name", HTTP)
def test_an_error_nobody_expected_is_a_problem_that_gives_nothing_away(
    app: App, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.hire(AINA)
    app.world.add_manager(MANAGER)

    def read(store: DynamoRaceStore, lead_id: str, rep_id: str, said: Any) -> RaceView:
        raise ZeroDivisionError("Jane Tan, +60128880000")

    def playbook(roster: DynamoRoster, *, fresh: bool = False) -> Playbook:
        raise ZeroDivisionError("Jane Tan, +60128880000")

    monkeypatch.setattr(DynamoRaceStore, "read", read)
    monkeypatch.setattr(DynamoRoster, "playbook", playbook)
    asked = {
        "ingest": signed(event("http_ingest")),
        "claim": event("http_claim"),
        "rep": event("http_offers"),
        "manage": http("http_playbook", "GET /reps"),
        "activities": signed(event("http_activity")),
        "boards": event("http_board"),
        "game": http("http_offers", "GET /me/quests"),
    }
    answer = app.ask(name, asked[name])
    assert (answer.status, answer.code) == (500, "error")
    assert set(answer.json) == {"title", "status", "code"}
    assert "Jane" not in answer.text
    assert "Division" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    [line] = [line for line in app.overheard.lines if '"failed"' in line]
    logged = json.loads(line)
    assert logged["error"] == "ZeroDivisionError"
    assert logged["at"] == asked[name]["routeKey"]
    assert logged["frames"]


def test_a_setting_that_is_missing_is_named(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEADS_TABLE")
    wiring.cache_clear()
    answer = app.ask("claim", event("http_claim"))
    assert (answer.status, answer.code) == (500, "not_configured")
    assert "LEADS_TABLE" in answer.json["detail"]


def test_every_log_line_tells_which_function_and_run_it_came_from(app: App) -> None:
    app.hire(AINA)
    app.lead()
    app.ask("claim", event("http_claim"))
    [line] = [line for line in app.overheard.lines if '"lead claimed"' in line]
    logged = json.loads(line)
    assert logged["function_name"] == "dibs-claim"
    assert logged["function_request_id"]
    assert (logged["lead_id"], logged["rep_id"]) == ("5x5tb6qkrubq", AINA.rep_id)


@pytest.mark.parametrize("name", sorted(path.stem for path in EVENTS.glob("http_*.json")))
def test_an_http_event_is_one_of_a_route_we_serve(name: str) -> None:
    asked = event(name)
    assert asked["version"] == "2.0"
    assert asked["requestContext"]["routeKey"] == asked["routeKey"]
    assert asked["rawPath"] == http(name)["rawPath"]
    assert any(asked["routeKey"] in importlib.import_module(f"{f}.handler").ROUTES for f in HTTP)
