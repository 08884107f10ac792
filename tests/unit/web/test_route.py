"""A row of a route table: who calls is checked first, then what was sent, then it is served."""

from __future__ import annotations

from typing import Any

import pytest

from dibs.core.errors import DibsError, Forbidden, InvalidInput, MalformedBody
from dibs.web.body import AppBody, SourceBody
from dibs.web.http import Event, Response, answer
from dibs.web.route import ANYBODY, Route, Who
from game.body import RefusalIn, RewardRequestIn
from manage.body import AssignIn, PlaybookIn, TargetsIn, WithdrawIn
from rep.body import DisputeIn
from support import contract


class Note(AppBody):
    """What a test sends."""

    text: str


class Posted(SourceBody):
    """What another system sends."""

    text: str
    more: str = ""


def nobody(event: Event) -> Any:
    raise Forbidden


def echo(event: Event, *given: Any) -> Response:
    return answer(200, {"given": [getattr(one, "text", one) for one in given]})


SOMEBODY = Who("rep", lambda event: "aina")


def test_a_function_gets_the_caller_and_the_body_that_was_checked() -> None:
    route = Route(echo, SOMEBODY, {200: "Echo"}, body=Note)
    assert route({"body": '{"text": "hello"}'})["body"] == '{"given":["aina","hello"]}'
    assert Route(echo, ANYBODY, {200: "Echo"})({})["body"] == '{"given":[]}'


def test_who_may_not_call_does_not_hear_what_is_wrong_with_the_body() -> None:
    with pytest.raises(Forbidden):
        Route(echo, Who("manager", nobody), {200: "Echo"}, body=Note)({"body": "{"})


def test_what_is_wrong_with_a_body_is_named() -> None:
    route = Route(echo, ANYBODY, {200: "Echo"}, body=Note)
    with pytest.raises(MalformedBody):
        route({"body": "{"})
    known = ("{}", "text"), ('{"text": 1}', "text"), ("[]", "body")
    for sent, field in (*known, ('{"text": "hello", "other": 1}', "other")):
        with pytest.raises(InvalidInput) as wrong:
            route({"body": sent})
        assert [one.field for one in wrong.value.errors] == [field]


def test_a_source_sends_an_object_and_null_is_nothing() -> None:
    assert Posted.read(b'{"text": "a", "more": null}').more == ""
    assert {"type": "null"} in Posted.described()["properties"]["more"]["anyOf"]
    for sent in (b"", b"[]"):
        with pytest.raises(MalformedBody):
            Posted.read(sent)


def test_a_browser_may_be_told_of_an_error_on_a_page() -> None:
    def page(event: Event, error: DibsError) -> Response | None:
        return {"statusCode": 403, "body": error.code} if event.get("browser") else None

    route = Route(echo, Who("manager", nobody), {200: "Echo"}, page=page)
    assert route({"browser": True})["body"] == "forbidden"
    with pytest.raises(Forbidden):
        route({})


@pytest.mark.parametrize(
    ("status", "media", "text"),
    [
        (418, "application/json", "{}"),
        (200, "text/plain", "{}"),
        (200, "application/json", "{}"),
        (200, "application/json", '{"leads": [], "more": 1}'),
        (401, "application/problem+json", '{"title": "", "status": 401, "code": "forbidden"}'),
    ],
)
def test_an_answer_that_is_not_described_would_be_noticed(
    status: int, media: str, text: str
) -> None:
    contract.check("GET /me/leads", 200, {"content-type": "application/json"}, '{"leads": []}')
    with pytest.raises(AssertionError):
        contract.check("GET /me/leads", status, {"content-type": media}, text)


@pytest.mark.parametrize(
    "body", [AssignIn, WithdrawIn, TargetsIn, DisputeIn, RewardRequestIn, RefusalIn]
)
def test_who_leaves_a_field_out_hears_what_to_send(body: type[AppBody]) -> None:
    with pytest.raises(InvalidInput) as wrong:
        body.read(b"{}")
    assert wrong.value.errors
    assert all(error.problem != "Field required" for error in wrong.value.errors)


def test_an_unknown_field_beside_a_playbook_is_named_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput) as wrong:
        PlaybookIn.read(b'{"playbook": {}, "version": 1}')
    [error] = wrong.value.errors
    known = "is not known here; send playbook, expected_version, note"
    assert (error.field, error.problem) == ("version", known)
