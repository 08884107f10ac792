"""What a call does not take is named, over the whole route table (K11)."""

from __future__ import annotations

import json
from importlib import import_module
from urllib.parse import urlencode

import pytest

from dibs.core.errors import InvalidInput, MalformedBody
from dibs.web.json_body import FORM, nothing_sent
from dibs.web.route import Route, Who, reads
from support.contract import operations

FUNCTIONS = ("activities", "boards", "claim", "game", "ingest", "manage", "rep")
ROUTES: dict[str, Route] = {
    key: route
    for function in FUNCTIONS
    for key, route in import_module(f"{function}.handler").ROUTES.items()
}
EMPTY = [key for key, route in ROUTES.items() if route.body is None and not reads(key)]


def refused(route: Route, body: str, media: str) -> InvalidInput:
    """What the route raises before its function is called."""
    nobody = Route(
        route.serve, Who("anybody", None, ()), route.answers, body=route.body, fields=route.fields
    )
    asked = {"routeKey": "POST /x", "body": body, "headers": {"content-type": media}}
    with pytest.raises(InvalidInput) as caught:
        nobody(asked)
    return caught.value


def test_all_routes_are_tried() -> None:
    assert set(ROUTES) == set(operations())
    assert EMPTY


@pytest.mark.parametrize("key", EMPTY)
def test_a_call_without_a_body_names_every_field_that_is_sent(key: str) -> None:
    sent = {"rep_id": "aaaac", "colour": "red"}
    for body, media in ((json.dumps(sent), "application/json"), (urlencode(sent), FORM)):
        error = refused(ROUTES[key], body, media)
        assert [one.field for one in error.errors] == ["rep_id", "colour"]
    for body in ("[]", '"yes"', "7"):
        assert [one.field for one in refused(ROUTES[key], body, "").errors] == ["body"]


@pytest.mark.parametrize("body", ["", " ", "{}", " {} \n"])
def test_an_empty_body_says_nothing(body: str) -> None:
    nothing_sent(body.encode(), "application/json")
    nothing_sent(body.strip().strip("{}").encode(), FORM)


def test_what_is_no_json_is_told_so() -> None:
    with pytest.raises(MalformedBody):
        nothing_sent(b"{", "application/json")


def test_the_box_a_page_asks_to_tick_says_nothing() -> None:
    ticked = [key for key, route in ROUTES.items() if "sure" in route.fields]
    assert ticked == ["POST /c/{token}/claim"]
    nothing_sent(b"sure=yes", FORM, ("sure",))


def takes_forms(route: Route) -> bool:
    if route.body is None:
        return False
    try:
        route.body.read(b"made_up=1")
    except InvalidInput as error:
        return "made_up" in [one.field for one in error.errors]
    except MalformedBody:
        return False
    return True


def test_a_form_names_every_field_that_is_not_known() -> None:
    found = [key for key, route in ROUTES.items() if takes_forms(route)]
    assert set(found) >= {"POST /sign-in", "POST /sign-in/link", "POST /c/{token}/outcome"}
    for key in found:
        error = refused(ROUTES[key], "colour=red&made_up=&token=x", FORM)
        assert {"colour", "made_up"} <= {one.field for one in error.errors}, key
