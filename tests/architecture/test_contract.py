"""The published description: written from the route tables, true, and up to date."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from support.contract import document, operations
from tools import openapi

TABLES = list(openapi.tables())


def everything(node: Any) -> Any:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from everything(child)
    elif isinstance(node, list):
        for child in node:
            yield from everything(child)


def test_the_description_is_up_to_date() -> None:
    assert openapi.written() == openapi.DOCUMENT.read_text("utf-8"), "run `make contract`"


def test_every_route_of_the_tables_is_described_and_no_other() -> None:
    assert set(operations()) == {key for _, key, _ in TABLES}


def test_every_schema_is_a_json_schema_and_every_reference_leads_somewhere() -> None:
    schemas = document()["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    named = {node["$ref"] for node in everything(document()) if isinstance(node.get("$ref"), str)}
    assert {ref.removeprefix("#/components/schemas/") for ref in named} <= set(schemas)


@pytest.mark.parametrize("key", [key for _, key, _ in TABLES])
def test_a_description_says_in_plain_words_what_a_call_does(key: str) -> None:
    operation = operations()[key]
    summary = operation["summary"]
    assert 10 < len(summary) < 140
    assert summary[0].isupper()
    assert not re.search(r"\([A-Z]\d+", summary), "a rule in words, not by its id"
    method = key.split(maxsplit=1)[0]
    changes = method not in ("GET", "HEAD")
    if changes and "twice" not in operation.get("description", ""):
        route = next(route for _, name, route in TABLES if name == key)
        assert route.repeated or key in WITHOUT_A_SECOND_TIME, "say what a second time does"


# Looking twice is looking once.
WITHOUT_A_SECOND_TIME = ("POST /c/{token}/seen",)


def test_operations_have_ids_of_their_own() -> None:
    ids = [operation["operationId"] for operation in operations().values()]
    assert len(set(ids)) == len(ids)


def test_every_parameter_of_a_path_is_described() -> None:
    for key, operation in operations().items():
        named = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", key))
