"""What tests ask of moto's AWS."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from dibs.adapters.settings import Settings

Everything = dict[str, list[str]]


def everything(client: Any, settings: Settings) -> Everything:
    """Return every item of every table, to see that a refused call changed nothing anywhere."""
    tables = [getattr(settings, f.name) for f in fields(settings) if f.name.endswith("_table")]
    return {table: sorted(map(repr, items(client, table))) for table in tables}


def items(client: Any, table: str) -> list[dict[str, Any]]:
    """Return every item of a table, in DynamoDB's own form."""
    found: list[dict[str, Any]] = client.scan(TableName=table, ConsistentRead=True)["Items"]
    return found
