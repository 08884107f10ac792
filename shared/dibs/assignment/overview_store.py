"""Leads page by page, from the sparse indexes on DynamoDB."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from heapq import merge
from itertools import islice
from typing import Any

from dibs.assignment.ports import LeadPages, Position
from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.core.lead import Lead
from dibs.race.records import lead_from

_SHARDS: Mapping[str, Callable[[int], str]] = {
    "open": keys.open_shard,
    "waiting": keys.queue_shard,
    "on_hold": keys.hold_shard,
}


class DynamoLeadPages(LeadPages):
    """`LeadPages` on DynamoDB. Reads no more than a page of each key."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings

    def waiting(
        self, place: str, after: Position | None, most: int
    ) -> tuple[list[Lead], int, Position | None]:
        """Return the next leads of the four shards, the longest there first."""
        position = dict(after or {})
        shards = [_SHARDS[place](number) for number in range(keys.SHARDS)]
        read = [
            self._some(keys.WAITING_INDEX, ("wait_shard", shard), "wait_at", position, most)
            for shard in shards
        ]
        ordered = merge(*read, key=lambda item: int(item["wait_at"]["N"]))
        found = list(islice(ordered, most))
        for item in found:
            position[item["wait_shard"]["S"]] = _place(item, "wait_at")
        more = sum(map(len, read)) > most
        return [lead_from(item) for item in found], keys.SHARDS, position if more else None

    def held(
        self, rep_id: str, after: Position | None, most: int
    ) -> tuple[list[Lead], int, Position | None]:
        """Return the next leads a rep holds, the longest held first."""
        found = self._some(keys.HELD_INDEX, ("holder", rep_id), "claimed_at", after or {}, most)
        if not found:
            return [], 1, None
        page = found[:most]
        wanted = [{"lead_id": item["lead_id"], "sk": item["sk"]} for item in page]
        read = self._db.batch_get({self._to.leads_table: wanted}, (self._to.leads_table,))
        leads = {lead.lead_id: lead for lead in map(lead_from, read[self._to.leads_table])}
        # The index is a moment behind: who has lost a lead since is not its holder.
        ours = [lead for item in page if (lead := leads.get(item["lead_id"]["S"])) is not None]
        more = {rep_id: _place(page[-1], "claimed_at")} if len(found) > most else None
        return [lead for lead in ours if lead.owner == rep_id], 2, more

    def file_on_hold(self) -> int:
        """File the leads that an earlier version put on hold, so that they are listed; return how
        many. A second time changes nothing; one that has moved on meanwhile stays as it is."""
        table, filed = self._to.leads_table, 0
        unfiled = "parked = :yes AND attribute_not_exists(wait_shard)"
        values: Item = {":yes": {"BOOL": True}}
        for item in self._db.scan(
            table, FilterExpression=unfiled, ExpressionAttributeValues=values
        ):
            shard = keys.hold_shard(keys.shard_of(item["lead_id"]["S"]))
            try:
                self._db.update(
                    table,
                    {"lead_id": item["lead_id"], "sk": item["sk"]},
                    "SET wait_shard = :shard, wait_at = received_at",
                    unfiled,
                    ExpressionAttributeValues={**values, ":shard": {"S": shard}},
                )
            except ConditionFailed:
                continue
            filed += 1
        return filed

    def _some(
        self, index: str, key: tuple[str, str], order: str, after: Position, most: int
    ) -> list[Item]:
        """Return up to one more than `most` items of a key, which tells whether there are more."""
        name, value = key
        start: dict[str, Any] = {}
        if value in after:
            at, lead_id = after[value]
            start["ExclusiveStartKey"] = {
                "lead_id": {"S": lead_id},
                "sk": {"S": keys.LOCK},
                name: {"S": value},
                order: {"N": str(at)},
            }
        items = self._db.query(
            self._to.leads_table,
            f"{name} = :key",
            {":key": {"S": value}},
            index=index,
            Limit=most + 1,
            **start,
        )
        return list(islice(items, most + 1))


def _place(item: Item, order: str) -> tuple[int, str]:
    return int(item[order]["N"]), item["lead_id"]["S"]
