"""What tests read from moto, and how they empty it."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import fields
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb import dynamodb_backends

from dibs.aws.settings import Settings

Everything = dict[str, list[str]]


def everything(client: Any, settings: Settings) -> Everything:
    """Return every item of every table, to check that a refused call changed nothing.

    The audit trail is left out: it keeps what was refused as well, and has tests of its own.
    """
    names = [f.name for f in fields(settings) if f.name.endswith("_table")]
    tables = [getattr(settings, name) for name in names if name != "audit_table"]
    return {table: sorted(map(repr, items(client, table))) for table in tables}


def items(client: Any, table: str) -> list[dict[str, Any]]:
    """Return every item of a table, in DynamoDB's own form."""
    found: list[dict[str, Any]] = client.scan(TableName=table, ConsistentRead=True)["Items"]
    return found


def peek(table: str) -> list[dict[str, Any]]:
    """Return every item of a moto table from its memory, which is faster than a scan."""
    kept = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].get_table(table).all_items()
    return [{name: _typed(v.to_json()) for name, v in item.attrs.items()} for item in kept]


def empty_tables() -> None:
    """Leave every moto table as it was when it was new."""
    for table in dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables.values():
        table.items.clear()


def _typed(value: dict[str, Any]) -> dict[str, Any]:
    return {"B": b64decode(value["B"])} if "B" in value else value
