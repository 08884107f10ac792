"""Leads outside the race, on DynamoDB: accepted, planned, closed, and their outbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dibs.adapters import keys
from dibs.adapters.clock import from_ms, to_ms
from dibs.adapters.dynamo import ConditionFailed, Dynamo
from dibs.adapters.race import await_somebody, put_move, read_card, read_open
from dibs.adapters.records import (
    Item,
    card_from,
    card_record,
    claim_from,
    lead_from,
    lock_from,
    move_from,
    waves_text,
)
from dibs.adapters.settings import Settings
from dibs.domain.leads import Card, Lead, Move, State
from dibs.usecases.ports import Fact, Pending


class DynamoLeadStore:
    """Implements `LeadStore`."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings

    def get(self, lead_id: str) -> Lead | None:
        """Read a lead's lock, as it is now."""
        item = self._db.get(self._to.leads_table, _lock(lead_id), consistent=True)
        return lead_from(item) if item else None

    def card(self, lead_id: str) -> Card | None:
        """Read a lead's personal data."""
        return read_card(self._db, self._to, lead_id)

    def accept(self, lead: Lead, card: Card, move: Move | None, signed_at: datetime) -> Card | None:
        """Store lock, card and first move together, once; else return the card stored before."""
        record = lock_from(lead)
        await_somebody(record, lead, lead.received_at)
        writes = [
            {
                "Put": {
                    "TableName": self._to.contacts_table,
                    "Item": card_record(card, signed_at).serialize(),
                    "ConditionExpression": "attribute_not_exists(lead_id)",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
            {"Put": {"TableName": self._to.leads_table, "Item": record.serialize()}},
            *([] if move is None else [put_move(self._to, move)]),
        ]
        try:
            self._db.transact(writes)
        except ConditionFailed as failure:
            stored = failure.items[0]
            return card_from(stored) if stored else self.card(lead.lead_id)
        return None

    def update_card(self, card: Card, signed_at: datetime) -> None:
        """Take a changed body, unless a newer one was signed before it arrived."""
        try:
            self._db.put(
                self._to.contacts_table,
                card_record(card, signed_at).serialize(),
                "signed_at <= :signed",
                ExpressionAttributeValues={":signed": {"N": str(to_ms(signed_at))}},
            )
        except ConditionFailed:
            return

    def open_leads(self) -> list[Lead]:
        """Return the leads marked open."""
        return read_open(self._db, self._to)

    def told(self, lead: Lead, until: datetime) -> None:
        """Note that the offers of all waves up to then were dealt out."""
        try:
            self._db.update(
                self._to.leads_table,
                _lock(lead.lead_id),
                "SET told_at = :until",
                "epoch = :epoch AND (attribute_not_exists(told_at) OR told_at < :until)",
                ExpressionAttributeValues={
                    ":epoch": {"N": str(lead.epoch)},
                    ":until": {"N": str(to_ms(until))},
                },
            )
        except ConditionFailed:
            return

    def open_early(self, lead: Lead, early: Lead) -> bool:
        """Record waves that open before their time, once (M6); False when the lead moved on."""
        try:
            self._db.update(
                self._to.leads_table,
                _lock(lead.lead_id),
                "SET waves = :early",
                "#state = :open AND epoch = :epoch AND waves = :known",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":early": {"S": waves_text(early)},
                    ":known": {"S": waves_text(lead)},
                    ":open": {"S": State.OPEN.value},
                    ":epoch": {"N": str(lead.epoch)},
                },
            )
        except ConditionFailed:
            return False
        return True

    def expire(self, lead: Lead, move: Move) -> bool:
        """Close a lead nobody claimed in its window: from now on it waits to be assigned (C7).

        False when it moved on meanwhile.
        """
        writes = [
            {
                "Update": {
                    "TableName": self._to.leads_table,
                    "Key": _lock(lead.lead_id),
                    "UpdateExpression": "SET #state = :expired, outbox_shard = :shard, "
                    "outbox_at = :now, wait_shard = :queue, wait_at = :received",
                    "ConditionExpression": "#state = :open AND epoch = :epoch "
                    "AND closes_at <= :now AND attribute_not_exists(draws_at)",
                    "ExpressionAttributeNames": {"#state": "state"},
                    "ExpressionAttributeValues": {
                        ":expired": {"S": State.EXPIRED.value},
                        ":open": {"S": State.OPEN.value},
                        ":epoch": {"N": str(lead.epoch)},
                        ":now": {"N": str(to_ms(move.at))},
                        ":shard": {"S": keys.outbox_shard(keys.shard_of(lead.lead_id))},
                        ":queue": {"S": keys.queue_shard(keys.shard_of(lead.lead_id))},
                        ":received": {"N": str(to_ms(lead.received_at))},
                    },
                }
            },
            put_move(self._to, move),
        ]
        try:
            self._db.transact(writes)
        except ConditionFailed:
            return False
        return True

    def history(self, lead_id: str) -> list[Move]:
        """Return a lead's recorded moves, in order."""
        found = self._db.query(
            self._to.leads_table,
            "lead_id = :lead AND begins_with(sk, :move)",
            {":lead": {"S": lead_id}, ":move": {"S": "MOVE#"}},
        )
        return [move_from(item) for item in found]

    def waiting_in_outbox(self, before: datetime) -> Iterator[Pending]:
        """Yield what was to leave the outbox before `before` and has not."""
        for shard in range(keys.SHARDS):
            for found in self._db.query(
                self._to.leads_table,
                "outbox_shard = :shard AND outbox_at < :before",
                {
                    ":shard": {"S": keys.outbox_shard(shard)},
                    ":before": {"N": str(to_ms(before))},
                },
                index=keys.OUTBOX_INDEX,
            ):
                key = {"lead_id": found["lead_id"], "sk": found["sk"]}
                item = self._db.get(self._to.leads_table, key, consistent=True)
                if item is not None and "outbox_at" in item:
                    yield pending_from(item)

    def clear_outbox(self, pending: Pending) -> None:
        """Take an item out of the outbox, unless it went in again with a newer fact."""
        try:
            self._db.update(
                self._to.leads_table,
                {name: {"S": value} for name, value in pending.key.items()},
                "REMOVE outbox_shard, outbox_at",
                "outbox_at = :since",
                ExpressionAttributeValues={":since": {"N": str(to_ms(pending.since))}},
            )
        except ConditionFailed:
            return


_TOLD_BY_STATE = {
    State.OPEN: "lead.opened",
    State.EXPIRED: "lead.expired",
    State.NEW: "lead.queued",
    State.RELEASED: "lead.queued",
}


def pending_from(item: Item) -> Pending:
    """Return the fact an item in the outbox stands for.

    A lock that was taken before its opening left the outbox stands for nothing: the record of
    who took it tells the rest.
    """
    key = {"lead_id": item["lead_id"]["S"], "sk": item["sk"]["S"]}
    since = from_ms(int(item["outbox_at"]["N"]))
    lead_id, epoch = key["lead_id"], int(item["epoch"]["N"])
    if key["sk"] == keys.CLAIM:
        taken = claim_from(item)
        kind = "lead.claimed" if taken.competitive else "lead.assigned"
        return Pending(key, since, Fact(kind, lead_id, epoch, taken.rep_id))
    if key["sk"] != keys.LOCK:
        return Pending(key, since, Fact("lead.returned", lead_id, epoch, move_from(item).holder))
    known = _TOLD_BY_STATE.get(State(item["state"]["S"]))
    return Pending(key, since, Fact(known, lead_id, epoch) if known else None)


def _lock(lead_id: str) -> Item:
    return {"lead_id": {"S": lead_id}, "sk": {"S": keys.LOCK}}
