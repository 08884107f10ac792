"""The audit trail on DynamoDB, by UTC month and time; an entry is completed, never removed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import from_ms, to_ms
from dibs.aws.dynamo import Dynamo
from dibs.aws.settings import Settings
from dibs.roster.audit import Entry, Made
from dibs.roster.ports import AuditLog


class DynamoAuditLog(AuditLog):
    """`AuditLog` on DynamoDB."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._table = settings.audit_table

    def add(self, entry: Entry) -> None:
        """Store an entry; one of the same id and time takes its place."""
        self._db.put(self._table, entry_item(entry))

    def month(self, month: datetime) -> Iterator[Entry]:
        """Return a UTC month's entries, the newest first."""
        found = self._db.query(
            self._table,
            "pk = :month",
            {":month": {"S": keys.audit(month)}},
            ScanIndexForward=False,
        )
        return map(_entry, found)


def put_entry(table: str, entry: Entry) -> dict[str, Any]:
    """Return the write of an entry, for the transaction of what it tells of."""
    return {"Put": {"TableName": table, "Item": entry_item(entry)}}


def entry_item(entry: Entry) -> Item:
    """Return an entry as it is stored."""
    # An entry that says nothing of it was written with its change, or by an earlier version.
    made: Item = {} if entry.made == "yes" else {"made": {"S": entry.made}}
    return {
        **made,
        "pk": {"S": keys.audit(entry.at)},
        "sk": {"S": keys.asked(entry.at, entry.entry_id or secrets.token_hex(4))},
        "at": {"N": str(to_ms(entry.at))},
        "who": {"S": entry.who},
        "what": {"S": entry.what},
        "target": {"S": entry.target},
        "before": {"S": _dump(entry.before)},
        "after": {"S": _dump(entry.after)},
    }


def _entry(item: Item) -> Entry:
    return Entry(
        item["who"]["S"],
        item["what"]["S"],
        item["target"]["S"],
        from_ms(int(item["at"]["N"])),
        json.loads(item["before"]["S"]),
        json.loads(item["after"]["S"]),
        cast(Made, item.get("made", {"S": "yes"})["S"]),
        item["sk"]["S"].rpartition("#")[2],
    )


def _dump(fields: Any) -> str:
    return json.dumps(fields, default=str, ensure_ascii=False, separators=(",", ":"))
