"""Which awards stand in points accounts, on DynamoDB: an item for each unit that earned any."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.core.errors import Busy
from dibs.game.scoring.points import Transfer
from dibs.game.scoring.points_store import transfer_writes
from dibs.game.scoring.ports import AwardBook, PostedAwards
from dibs.game.scoring.store import awards_body, awards_from, packed, unpacked

Settlement = tuple[PostedAwards, Sequence[Transfer]]

# DynamoDB takes a hundred writes in one transaction.
_MOST_WRITES = 100


class DynamoAwards(AwardBook):
    """`AwardBook` on DynamoDB."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings
        self._table = settings.game_table

    def posted_awards(self, units: Collection[str]) -> dict[str, PostedAwards]:
        """Return the awards posted for these units, as they are now, where there are any."""
        if not units:
            return {}
        wanted = [_key(unit) for unit in sorted(units)]
        found = self._db.batch_get({self._table: wanted}, (self._table,))[self._table]
        return {one.unit: one for one in map(_posted_from, found)}

    def settle(self, entries: Sequence[Settlement]) -> list[str]:
        """Book awards as they are to be, with the transfers that make them so; return the units
        that have changed meanwhile, or were held just then, for which nothing was done."""
        refused = []
        for batch in _batches(entries):
            moved = [transfer for _, transfers in batch for transfer in transfers]
            writes = [self._write(posted) for posted, _ in batch]
            try:
                self._db.transact([*writes, *transfer_writes(self._to, moved)])
            except (ConditionFailed, Busy) as error:
                if isinstance(error, Busy) and not error.conflict:
                    raise
                refused += [posted.unit for posted, _ in batch]
        return refused

    def _write(self, posted: PostedAwards) -> dict[str, Any]:
        body = {"unit": posted.unit, "awards": awards_body(posted.awards)}
        put: dict[str, Any] = {
            "TableName": self._table,
            "Item": {
                **_key(posted.unit),
                "version": {"N": str(posted.version)},
                "body": {"B": packed(body)},
            },
        }
        if posted.version == 1:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put["ConditionExpression"] = "version = :was"
            put["ExpressionAttributeValues"] = {":was": {"N": str(posted.version - 1)}}
        return {"Put": put}


def _posted_from(item: Item) -> PostedAwards:
    body = unpacked(item["body"]["B"])
    return PostedAwards(body["unit"], awards_from(body["awards"]), int(item["version"]["N"]))


def _batches(entries: Sequence[Settlement]) -> Iterator[list[Settlement]]:
    """Yield settlements in transactions that fit, those of the same reps together."""
    batch: list[Settlement] = []
    for one in sorted(entries, key=lambda entry: min((t.rep_id for t in entry[1]), default="")):
        if batch and _writes_of([*batch, one]) > _MOST_WRITES:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _writes_of(entries: Sequence[Settlement]) -> int:
    moved = [transfer for _, transfers in entries for transfer in transfers]
    return len(entries) + len(moved) + len({transfer.rep_id for transfer in moved})


def _key(unit: str) -> Item:
    return {"pk": {"S": keys.awards(unit)}, "sk": {"S": keys.AWARDS}}
