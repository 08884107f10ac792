"""Draws on DynamoDB (C10): an entry is its rep's own item, so entering waits for nobody.

The entries of a lead lie together in four shards of the offers table, to be read consistently: an
entry that was acknowledged before the reading is in it. What was drawn is stored in one
transaction with what it changes, under the lock every claim is decided on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import to_ms
from dibs.aws.dynamo import ConditionFailed, Dynamo, insisting
from dibs.aws.settings import Settings
from dibs.core.lead import Claim, Lead, State
from dibs.race.draw import DrawResult
from dibs.race.ports import Draws, RaceView
from dibs.race.records import OFFER_KEPT, draw_item, drawn_from
from dibs.race.usage import Change
from dibs.race.writes import put_record, take_lock, write_usage


class DynamoDraws(Draws):
    """`Draws` on DynamoDB."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings

    def enter(self, lead: Lead, rep_id: str, at: datetime) -> None:
        """Put the rep into the draw of this opening; entering twice is entering once."""
        self._db.update(
            self._to.offers_table,
            _entry(lead, rep_id),
            "SET entered_at = if_not_exists(entered_at, :at), expires_at = :expires",
            ExpressionAttributeValues={
                ":at": {"N": str(to_ms(at))},
                ":expires": {"N": str(to_ms(at + OFFER_KEPT) // 1000)},
            },
        )

    def entered(self, lead: Lead, rep_id: str) -> bool:
        """Tell whether the rep is in the draw of this opening."""
        table = self._to.offers_table
        return bool(self._db.batch_get({table: [_entry(lead, rep_id)]}, (table,))[table])

    def entrants(self, lead: Lead) -> list[str]:
        """Return everybody whose entry was stored before this was asked."""
        return [
            item["sk"]["S"]
            for shard in range(keys.SHARDS)
            for item in self._db.query(
                self._to.offers_table,
                "pk = :entries",
                {":entries": {"S": keys.entries(lead.lead_id, lead.epoch, shard)}},
                ConsistentRead=True,
            )
        ]

    def give(self, view: RaceView, claim: Claim, counts: Change, drawn: DrawResult) -> bool:
        """Store the draw, and its winner's claim as every claim is stored."""
        if view.lead is None:
            raise ValueError("a draw is of a lead")
        writes = [
            take_lock(self._to, view.lead, claim, "opens_at <= :now AND closes_at > :now"),
            *write_usage(self._to, counts),
            put_record(self._to, claim),
            self._put(drawn),
        ]
        try:
            self._db.transact(writes)
        except ConditionFailed:
            return False
        return True

    def close(self, lead: Lead, drawn: DrawResult) -> None:
        """Store a draw that nobody won, unless the lead was drawn meanwhile: the race goes on."""
        writes: Sequence[Mapping[str, Any]] = [
            {
                "Update": {
                    "TableName": self._to.leads_table,
                    "Key": {"lead_id": {"S": lead.lead_id}, "sk": {"S": keys.LOCK}},
                    "UpdateExpression": "REMOVE draws_at",
                    "ConditionExpression": "#state = :open AND epoch = :epoch",
                    "ExpressionAttributeNames": {"#state": "state"},
                    "ExpressionAttributeValues": {
                        ":open": {"S": State.OPEN.value},
                        ":epoch": {"N": str(lead.epoch)},
                    },
                }
            },
            self._put(drawn),
        ]
        with suppress(ConditionFailed):
            insisting(lambda: self._db.transact(writes))

    def _put(self, drawn: DrawResult) -> dict[str, Any]:
        """Record the draw, once: where there is a record of this opening, it is over."""
        return {
            "Put": {
                "TableName": self._to.leads_table,
                "Item": draw_item(drawn),
                "ConditionExpression": "attribute_not_exists(lead_id)",
            }
        }

    def get(self, lead_id: str, epoch: int | None = None) -> DrawResult | None:
        """Return the draw of an opening, or the latest; None where there was none."""
        found = self._db.query(
            self._to.leads_table,
            "lead_id = :lead AND begins_with(sk, :draw)",
            {
                ":lead": {"S": lead_id},
                ":draw": {"S": keys.DRAWS if epoch is None else keys.draw(epoch)},
            },
            ConsistentRead=True,
            ScanIndexForward=False,
        )
        return next((drawn_from(item) for item in found), None)


def _entry(lead: Lead, rep_id: str) -> Item:
    entries = keys.entries(lead.lead_id, lead.epoch, keys.shard_of(rep_id))
    return {"pk": {"S": entries}, "sk": {"S": rep_id}}
