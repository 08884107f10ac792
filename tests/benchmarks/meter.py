"""DynamoDB's bill: read and write units of every request, from the sizes of the items it touched.

DynamoDB Local reports units of its own: nothing for a key that is not there, four for an item in
a transaction. So they are counted here by AWS's rules:

- a read is 1 unit per 4 KB when consistent, half when not; a missing key counts as a small item;
- a write is 1 unit per KB of the larger of the item before and after, also when its condition
  fails; in a transaction twice that;
- each index whose entry changes is one more write of that entry (two when its key changes); a
  transaction does not double these.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from benchmarks.stage import watched

Item = dict[str, dict[str, Any]]
Add = Callable[[str, float], None]

_SINGLE = {"PutItem", "UpdateItem", "DeleteItem"}


class Meter:
    """Watches one client; `plain` is another client of the same tables, which is not watched."""

    def __init__(self, plain: Any, tables: list[str], add: Add) -> None:
        self._plain = plain
        self._add = add
        self._schemas = {name: plain.describe_table(TableName=name)["Table"] for name in tables}

    @contextmanager
    def watching(self, client: Any) -> Iterator[None]:
        """Meter what a client does meanwhile."""
        with watched(client, self._metered):
            yield

    def _metered(self, operation: str, ask: Callable[..., Any], **params: Any) -> Any:
        writes = list(_writes(operation, params))
        before = [self._image(table, key) for table, key in self._keys(writes)]
        try:
            parsed = ask(**params)
        except Exception:
            self._count(operation, params, {}, before)  # a condition that fails costs as much
            raise
        self._count(operation, params, parsed, before)
        return parsed

    def _count(
        self, operation: str, params: dict[str, Any], parsed: dict[str, Any], before: list[Any]
    ) -> None:
        self._add("requests", 1)
        if operation in ("GetItem", "BatchGetItem", "Query"):
            self._add("read units", self._read(operation, params, parsed))
            return
        writes = list(_writes(operation, params))
        units = 0.0
        for (table, key), old in zip(self._keys(writes), before, strict=True):
            new = self._image(table, key)
            own = max(_write_units(old), _write_units(new))
            units += own * (2 if operation == "TransactWriteItems" else 1)
            for index in self._schemas[table].get("GlobalSecondaryIndexes", []):
                units += _moved(*(_entry(image, index, list(key)) for image in (old, new)))
        self._add("write units", units)

    def _read(self, operation: str, params: dict[str, Any], parsed: dict[str, Any]) -> float:
        if operation == "GetItem":
            return _read_units(_size(parsed.get("Item")), params.get("ConsistentRead", False))
        if operation == "Query":
            total = sum(map(_size, parsed["Items"]))
            return _read_units(total, params.get("ConsistentRead", False))
        units = 0.0
        for table, asked in params["RequestItems"].items():
            names = self._key_names(table)
            found = {_key_of(item, names): item for item in parsed["Responses"].get(table, [])}
            for key in asked["Keys"]:
                size = _size(found.get(_key_of(key, names)))
                units += _read_units(size, asked.get("ConsistentRead", False))
        return units

    def _keys(self, writes: list[tuple[str, Item]]) -> list[tuple[str, Item]]:
        return [
            (table, {name: item[name] for name in self._key_names(table)}) for table, item in writes
        ]

    def _key_names(self, table: str) -> list[str]:
        return [part["AttributeName"] for part in self._schemas[table]["KeySchema"]]

    def _image(self, table: str, key: Item) -> Item | None:
        answer = self._plain.get_item(TableName=table, Key=key, ConsistentRead=True)
        image: Item | None = answer.get("Item")
        return image


def _writes(operation: str, params: Mapping[str, Any]) -> list[tuple[str, Item]]:
    """Return table and key (or whole item) of everything a request writes."""
    if operation in _SINGLE:
        return [(params["TableName"], params.get("Item") or params["Key"])]
    if operation == "TransactWriteItems":
        parts = [part for write in params["TransactItems"] for part in write.values()]
        return [(part["TableName"], part.get("Item") or part["Key"]) for part in parts]
    if operation == "BatchWriteItem":
        return [
            (table, (write.get("PutRequest") or {}).get("Item") or write["DeleteRequest"]["Key"])
            for table, writes in params["RequestItems"].items()
            for write in writes
        ]
    return []


def _entry(item: Item | None, index: Mapping[str, Any], keys: list[str]) -> tuple[Any, Item] | None:
    """Return an item's key in an index and what the index holds of it; None when not in it."""
    own = [part["AttributeName"] for part in index["KeySchema"]]
    if item is None or not all(name in item for name in own):
        return None
    whole = index["Projection"]["ProjectionType"] == "ALL"
    held = item if whole else {name: item[name] for name in {*own, *keys}}
    return [item[name] for name in own], held


def _moved(old: tuple[Any, Item] | None, new: tuple[Any, Item] | None) -> int:
    if old == new:
        return 0
    if old and new and old[0] == new[0]:
        return max(_write_units(old[1]), _write_units(new[1]))
    return sum(_write_units(entry[1]) for entry in (old, new) if entry)


def _write_units(item: Item | None) -> int:
    return max(1, math.ceil(_size(item) / 1024))


def _read_units(size: int, consistent: bool) -> float:
    return max(1, math.ceil(size / 4096)) * (1 if consistent else 0.5)


def _key_of(item: Item, names: list[str]) -> tuple[str, ...]:
    return tuple(str(item[name]) for name in names)


def _size(item: Item | None) -> int:
    """Return an item's size as DynamoDB counts it."""
    return sum(len(name.encode()) + _value_size(value) for name, value in (item or {}).items())


def _value_size(value: Mapping[str, Any]) -> int:
    [(kind, content)] = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return len(content.strip("-").replace(".", "").lstrip("0")) // 2 + 2
    if kind == "B":
        return len(content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value_size(v) for name, v in content.items())
    if kind == "L":
        return 3 + sum(1 + _value_size(v) for v in content)
    if kind in ("SS", "NS", "BS"):
        return sum(len(one) for one in content)
    return 1
