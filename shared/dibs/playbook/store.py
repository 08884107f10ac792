"""Playbook versions on DynamoDB: the one in force, which claims read, and all earlier ones."""

from __future__ import annotations

from typing import Any

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import from_ms, to_ms
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.core.errors import FieldError, InvalidInput
from dibs.playbook.file import playbook_json
from dibs.rules.playbook_store import stored_playbook
from dibs.rules.ports import Playbooks, Version

# An item of DynamoDB holds 400 KB; the other attributes need the rest.
_LARGEST = 390 * 1024
_LISTED = 100


class DynamoPlaybooks(Playbooks):
    """`Playbooks` on DynamoDB.

    Each change writes three items: the version, the one in force, and the number of the latter,
    which every claim reads.
    """

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._table = settings.organisation_table

    def in_force(self) -> Version:
        """Return the version in force, read consistently."""
        return _version(self._db.get(self._table, _key(keys.PLAYBOOK), consistent=True))

    def get(self, number: int) -> Version | None:
        """Return one version, None where there is none; 0 is the shipped preset."""
        if number == 0:
            return _version(None)
        item = self._db.get(self._table, _key(keys.playbook(number)), consistent=True)
        return _version(item) if item else None

    def history(self) -> list[Version]:
        """Return the latest hundred versions, the newest first."""
        newest = self.in_force().number
        numbers = range(max(1, newest - _LISTED + 1), newest + 1)
        wanted = {self._table: [_key(keys.playbook(number)) for number in numbers]}
        found = self._db.batch_get(wanted)[self._table] if numbers else []
        return sorted(map(_version, found), key=lambda known: known.number, reverse=True)

    def add(self, version: Version) -> bool:
        """Store the next version and put it in force; False if another one was stored first.

        Raises:
            InvalidInput: it does not fit in an item of DynamoDB.
            Busy: another version is being stored at this moment.
        """
        body = playbook_json(version.playbook)
        size = len(body.encode())
        if size > _LARGEST:
            problem = f"is {size // 1024} KB as stored; use {_LARGEST // 1024} KB or less"
            raise InvalidInput((FieldError("file", problem),))
        item: Item = {
            "version": {"N": str(version.number)},
            "body": {"S": body},
            "by": {"S": version.by},
            "note": {"S": version.note},
        }
        if version.applied_at is not None:
            item["applied_at"] = {"N": str(to_ms(version.applied_at))}
        before = version.number - 1
        guard: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        try:
            self._db.transact(
                [
                    self._put(keys.playbook(version.number), item, guard),
                    self._in_force(item, before),
                    # Teams that are paused are noted in the same item.
                    {
                        "Update": {
                            "TableName": self._table,
                            "Key": _key(keys.PLAYBOOK_VERSION),
                            "UpdateExpression": "SET version = :version",
                            "ExpressionAttributeValues": {":version": item["version"]},
                        }
                    },
                ]
            )
        except ConditionFailed:
            return False
        return True

    def _in_force(self, item: Item, before: int) -> dict[str, Any]:
        """Return the write of the version in force; what else its item says stays (C11)."""
        values = {f":{name}": value for name, value in item.items()}
        sets = ", ".join(f"#{name} = :{name}" for name in item)
        removes = "" if "applied_at" in item else " REMOVE applied_at"
        condition = "attribute_not_exists(pk)"
        if before:
            condition, values = "version = :before", {**values, ":before": {"N": str(before)}}
        return {
            "Update": {
                "TableName": self._table,
                "Key": _key(keys.PLAYBOOK),
                "UpdateExpression": f"SET {sets}{removes}",
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {f"#{name}": name for name in item},
                "ExpressionAttributeValues": values,
            }
        }

    def _put(self, key: str, item: Item, guard: dict[str, Any]) -> dict[str, Any]:
        return {"Put": {"TableName": self._table, "Item": {**_key(key), **item}, **guard}}


def _key(pk: str) -> Item:
    return {"pk": {"S": pk}}


def _version(item: Item | None) -> Version:
    given = item or {}
    return Version(
        stored_playbook(item),
        applied_at=from_ms(int(given["applied_at"]["N"])) if "applied_at" in given else None,
        by=given["by"]["S"] if "by" in given else "",
        note=given["note"]["S"] if "note" in given else "",
    )
