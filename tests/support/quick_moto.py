"""moto without half of its work, and with the same answers.

For each write of a transaction moto copies the whole table, to put it back should a later write
fail; and in an answer it looks for each of an attribute's ten types under many names.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from typing import Any
from unittest.mock import patch

from moto.core.serialize import ResponseSerializer
from moto.dynamodb.models import DynamoDBBackend, Table
from moto.dynamodb.models.dynamo_type import DynamoType

_transact = DynamoDBBackend.transact_write_items
_get_value = ResponseSerializer.get_value


def hurry() -> None:
    """Take the short way from now on, in this process."""
    DynamoDBBackend.transact_write_items = _transact_quickly
    ResponseSerializer.get_value = _get_value_quickly


def _transact_quickly(backend: DynamoDBBackend, writes: list[dict[str, Any]]) -> None:
    keys = defaultdict(list)
    for write in writes:
        for operation in write.values():
            keys[operation.get("TableName")].append(operation.get("Key") or operation.get("Item"))

    def copied(table: Table, memo: dict[int, Any]) -> Table:
        """A table of its own whose items are the same, but for those that the writes may change."""
        other = copy.copy(table)
        other.items = defaultdict(
            dict,
            {name: dict(of) if table.has_range_key else of for name, of in table.items.items()},
        )
        for key in keys[table.name]:
            first, *second = (DynamoType(key[name]) for name in table.table_key_attrs)
            place = other.items.get(first, {}) if second else other.items
            name = second[0] if second else first
            if name in place:
                place[name] = copy.deepcopy(place[name])
        return other

    with patch.object(Table, "__deepcopy__", copied, create=True):
        _transact(backend, writes)


def _get_value_quickly(serializer: ResponseSerializer, value: Any, key: str, shape: Any) -> Any:
    if type(value) is dict and shape.parent.name == "AttributeValue":
        return value.get(key)
    return _get_value(serializer, value, key, shape)
