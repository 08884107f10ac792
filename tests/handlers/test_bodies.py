"""What every body of the published description has in common, sent to its function."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from handlers.office import AINA, MANAGER, Answer, Office, http, signed
from support.builders import token_of
from support.contract import document, operations

JSON = "application/json"
ROUTES = {
    route: said
    for route, said in operations().items()
    if JSON in said.get("requestBody", {}).get("content", {})
}
SOURCES = ("POST /leads", "POST /activities")
HALF = "\ud800"


@pytest.fixture(autouse=True)
def organisation(office: Office) -> None:
    office.hire(AINA)
    office.world.add_manager(MANAGER)


def send(office: Office, route: str, body: Any, token: str | None = None) -> Answer:
    """Send a body as somebody who may, about a lead, a rep and a month there are."""
    known = {"rep_id": AINA.rep_id, "month": "2026-11"}
    path = {name: known.get(name, "nothing") for name in re.findall(r"{(\w+)}", route)}
    if "lead_id" in path:
        path["lead_id"] = office.lead().lead_id
    text = body if isinstance(body, str) else json.dumps(body)
    who = ROUTES[route]["x-dibs-callers"]
    function = ROUTES[route]["tags"][0]
    if who.startswith("signed") and token is None:
        asked = http("http_ingest", route, path, text)
        return office.ask(function, signed({**asked, "isBase64Encoded": False}))
    mine = MANAGER if "manager" in who else token_of(AINA)
    asked = http("http_playbook", route, path, text, authorization=f"Bearer {token or mine}")
    return office.ask(function, asked)


def schema(route: str) -> dict[str, Any]:
    found: dict[str, Any] = ROUTES[route]["requestBody"]["content"][JSON]["schema"]
    return found


def halved(shape: Any) -> Iterator[Any]:
    """Yield values of a schema, each with half a letter in one of its texts or names."""
    if not isinstance(shape, dict):
        return
    if "$ref" in shape:
        shape = document()["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
    for one in shape.get("anyOf", ()):
        yield from halved(one)
    if shape.get("type") == "string" or shape == {}:
        yield HALF
    for value in halved(shape.get("items")):
        yield [value]
    if shape.get("type") == "object":
        yield {HALF: 1}
        for value in halved(shape.get("additionalProperties")):
            yield {"name": value}
    for name, one in shape.get("properties", {}).items():
        for value in halved(one):
            yield {name: value}


@pytest.mark.parametrize("route", [route for route in ROUTES if route not in SOURCES])
def test_half_a_letter_is_named_wherever_it_is(office: Office, route: str) -> None:
    before = office.everything()
    for body in halved(schema(route)):
        answer = send(office, route, body)
        assert (answer.status, answer.code) == (422, "invalid_input"), body
        [error] = answer.json["errors"]
        place, text = error["field"].split("."), json.dumps(body)
        assert "half a letter" in error["problem"]
        assert all(part == "?" or part.isdigit() or part in text for part in place)
    if "lead_id" not in route:
        assert office.everything() == before


@pytest.mark.parametrize("route", SOURCES)
def test_half_a_letter_from_a_source_fails_nothing(office: Office, route: str) -> None:
    """Sources send what they like: what is not known is ignored, and one of many is one."""
    for body in halved(schema(route)):
        answer = send(office, route, body)
        assert answer.status in (200, 422), body
    many = {"activities": [{"activity_id": HALF}, {HALF: HALF}, {"type": HALF}]}
    results = send(office, "POST /activities", many).json["results"]
    assert [one["status"] for one in results] == [422, 422, 422]
