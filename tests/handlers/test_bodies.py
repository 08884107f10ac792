"""What all bodies of the published description have in common, sent to those who read them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from handlers.app import AINA, BEN, MANAGER, Answer, App, http, signed
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
def organisation(app: App) -> None:
    app.hire(AINA)
    app.world.add_manager(MANAGER)


def send(
    app: App, route: str, body: Any, token: str | None = None, *, known: bool = True
) -> Answer:
    """Send a body as somebody who may, about a lead, a rep and a month there are, or are not."""
    there = {"rep_id": AINA.rep_id, "month": "2026-11"} if known else {}
    path = {name: there.get(name, "nothing") for name in re.findall(r"{(\w+)}", route)}
    if "lead_id" in path and known:
        path["lead_id"] = app.lead().lead_id
    text = body if isinstance(body, str) else json.dumps(body)
    who = ROUTES[route]["x-dibs-callers"]
    function = ROUTES[route]["tags"][0]
    if who.startswith("signed") and token is None:
        asked = http("http_ingest", route, path, text)
        return app.ask(function, signed({**asked, "isBase64Encoded": False}))
    mine = MANAGER if "manager" in who else token_of(AINA)
    asked = http("http_playbook", route, path, text, authorization=f"Bearer {token or mine}")
    return app.ask(function, asked)


def content(route: str) -> dict[str, Any]:
    found: dict[str, Any] = ROUTES[route]["requestBody"]["content"][JSON]
    return found


def shape_of(shape: dict[str, Any]) -> dict[str, Any]:
    """Return a schema itself where a reference to it is given."""
    named: dict[str, Any] = document()["components"]["schemas"]
    return shape_of(named[shape["$ref"].rpartition("/")[2]]) if "$ref" in shape else shape


def halved(shape: Any) -> Iterator[Any]:
    """Yield values of a schema, each with half a letter in one of its texts or names."""
    if not isinstance(shape, dict):
        return
    shape = shape_of(shape)
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
def test_half_a_letter_is_named_wherever_it_is(app: App, route: str) -> None:
    before = app.everything()
    for body in halved(content(route)["schema"]):
        answer = send(app, route, body)
        assert (answer.status, answer.code) == (422, "invalid_input"), body
        [error] = answer.json["errors"]
        place, text = error["field"].split("."), json.dumps(body)
        assert "half a letter" in error["problem"]
        assert all(part == "?" or part.isdigit() or part in text for part in place)
    if "lead_id" not in route:
        assert app.everything() == before


@pytest.mark.parametrize("route", SOURCES)
def test_half_a_letter_from_a_source_fails_nothing(app: App, route: str) -> None:
    """Sources send what they like: what is not known is ignored, and one of many is one."""
    for body in halved(content(route)["schema"]):
        answer = send(app, route, body)
        assert answer.status in (200, 422), body
    many = {"activities": [{"activity_id": HALF}, {HALF: HALF}, {"type": HALF}]}
    results = send(app, "POST /activities", many).json["results"]
    assert [one["status"] for one in results] == [422, 422, 422]


# What they name is made by the call, or may be called anything.
MADE = (
    "PUT /contests/{contest_id}",
    "PUT /contest-series/{series_id}",
    "PUT /rewards/{reward_id}",
    "PUT /me/devices/{device_id}",
)
# The token is checked in the same read as the lead, so after the body's form.
HELD = ("POST /leads/{lead_id}/release", "POST /c/{token}/outcome")


@pytest.mark.parametrize("route", ROUTES)
def test_each_body_has_an_example_that_fits_and_is_taken(app: App, route: str) -> None:
    example = content(route)["example"]
    fits = Draft202012Validator({**document(), **content(route)["schema"]})
    assert not list(fits.iter_errors(example))
    app.hire(BEN)
    answer = send(app, route, example)
    # Taken is not granted: an example's lead, quest or reward need not be there.
    assert answer.status in (200, 201, 202, 404, 409), answer.text


@pytest.mark.parametrize("route", [one for one in ROUTES if "{" in one and one not in MADE])
def test_a_body_of_the_right_form_is_told_first_that_nothing_is_there(app: App, route: str) -> None:
    assert send(app, route, content(route)["example"], known=False).status == 404


@pytest.mark.parametrize("route", ROUTES)
def test_a_bodys_form_comes_before_what_the_path_names(app: App, route: str) -> None:
    answer = send(app, route, "{", known=False)
    assert (answer.status, answer.code) == (400, "malformed_body")


@pytest.mark.parametrize(
    "route",
    [
        one
        for one, said in ROUTES.items()
        if one not in HELD and said["x-dibs-callers"] != "anybody"
    ],
)
def test_who_calls_comes_before_the_body(app: App, route: str) -> None:
    forged = f"{AINA.rep_id}.forged"
    for body in ("{", {HALF: HALF}):
        assert send(app, route, body, forged, known=False).status == 401


@pytest.mark.parametrize(
    "route",
    [
        "PUT /contests/{contest_id}",
        "PUT /rewards/{reward_id}",
        "PUT /reps/{rep_id}",
        "PUT /playbook",
    ],
)
def test_what_a_description_closes_takes_its_fields_and_no_other(app: App, route: str) -> None:
    shape = shape_of(content(route)["schema"])
    shape = shape_of(shape["anyOf"][0]) if "anyOf" in shape else shape
    assert shape["additionalProperties"] is False
    # No field takes such a list; editors read $schema, and contest_id only repeats the address.
    fields = set(shape["properties"]) - {"$schema", "contest_id"}
    answer = send(app, route, {name: [[[]]] for name in (*fields, "nosuch")})
    named = {error["field"].partition(".")[0]: error["problem"] for error in answer.json["errors"]}
    assert set(named) == fields | {"nosuch"}
    assert named["nosuch"] not in {problem for name, problem in named.items() if name != "nosuch"}


@pytest.mark.parametrize("route", ROUTES)
def test_too_much_is_not_read(app: App, route: str) -> None:
    answer = send(app, route, " " * 300_000)
    assert (answer.status, answer.code) == (413, "body_too_large")


def unknown(answer: Answer) -> dict[str, str]:
    assert (answer.status, answer.code) == (422, "invalid_input"), answer.text
    return {error["field"]: error["problem"] for error in answer.json["errors"]}


@pytest.mark.parametrize("route", [route for route in ROUTES if route not in SOURCES])
@pytest.mark.parametrize("field", ["nosuch", "Reason", HALF])
def test_a_field_that_is_not_known_is_named_and_nothing_is_changed(
    app: App, route: str, field: str
) -> None:
    before = app.everything() if "lead_id" not in route else None
    named = unknown(send(app, route, {**content(route)["example"], field: "x"}))
    assert len(named) == 1
    if field != HALF:
        [(name, problem)] = named.items()
        assert name.rpartition(".")[2] == field
        assert problem.startswith("is not known here; ")
    assert before is None or app.everything() == before


def test_the_known_fields_are_said_beside_what_else_is_wrong(app: App) -> None:
    sent = {"helper": "aaaae", "rep_id": "aaaae"}
    named = unknown(send(app, "POST /help/{help_id}/confirm", sent))
    assert named == {"rep_id": "is not known here; send helper"}
    named = unknown(send(app, "POST /leads/{lead_id}/assign", {"holder": "aaaae", "reason": ""}))
    assert set(named) == {"holder", "rep_id", "reason"}


def test_sources_may_send_what_is_not_known_and_people_may_not(app: App) -> None:
    """Systems send what they have; a rep's app or a manager's sends what it means."""
    for route in SOURCES:
        answer = send(app, route, {**content(route)["example"], "nosuch": {"any": ["thing"]}})
        assert answer.status == 201, answer.text
    one = {**content("POST /activities")["example"], "activity_id": "call-2", "nosuch": 1}
    for token in (token_of(AINA), MANAGER):
        assert set(unknown(send(app, "POST /activities", one, token))) == {"nosuch"}
        many = send(app, "POST /activities", {"activities": [one]}, token).json["results"]
        assert [(each["status"], each["errors"][0]["field"]) for each in many] == [(422, "nosuch")]
