"""Leads outside the race, on DynamoDB: accepted, planned, closed, and their outbox."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from dibs.assignment.ports import Recipient
from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import from_ms, to_ms
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.core.errors import Busy
from dibs.core.events import RECORDED, LeadEvent
from dibs.core.lead import Contact, DuplicateLink, Lead, State, Transition
from dibs.intake.duplicates import Identity, KnownIdentity
from dibs.intake.ports import LeadStore, Pending, StoredPost
from dibs.intake.records import (
    IdentityRecord,
    link_from,
    link_item,
    merged_from,
    merged_item,
    standing_from,
)
from dibs.race.absence import Credit
from dibs.race.card_records import card_from, card_item, post_text
from dibs.race.records import claim_from, lead_from, lock_item, transition_from, waves_text
from dibs.race.store import read_card, read_open
from dibs.race.usage import use_credit
from dibs.race.writes import (
    awaiting_somebody,
    awaiting_work,
    put_record,
    put_transition,
    update_item,
    write_usage,
)

POSTS_SHOWN = 20


class DynamoLeadStore(LeadStore):
    """`LeadStore` on DynamoDB."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings

    def get(self, lead_id: str) -> Lead | None:
        """Read a lead's lock, as it is now."""
        item = self._db.get(self._to.leads_table, _lock(lead_id), consistent=True)
        return lead_from(item) if item else None

    def get_many(self, lead_ids: Collection[str]) -> dict[str, Lead]:
        """Read locks, as they are now."""
        wanted = {self._to.leads_table: [_lock(lead_id) for lead_id in lead_ids]}
        found = self._db.batch_get(wanted, consistent=(self._to.leads_table,))
        leads = map(lead_from, found[self._to.leads_table])
        return {lead.lead_id: lead for lead in leads}

    def card(self, lead_id: str) -> Contact | None:
        """Read a lead's personal data."""
        return read_card(self._db, self._to, lead_id)

    def known(
        self, lead_id: str, identities: Sequence[Identity]
    ) -> tuple[StoredPost | None, list[KnownIdentity]]:
        """Read a post's own item and its identities, in one request."""
        tables = (self._to.contacts_table, self._to.identities_table)
        wanted = {
            self._to.contacts_table: [{"lead_id": {"S": lead_id}}],
            self._to.identities_table: [_identity(one) for one in identities],
        }
        found = self._db.batch_get(wanted, consistent=tables)
        stored = next(map(_stored_from, found[self._to.contacts_table]), None)
        items = {item["identity"]["S"]: item for item in found[self._to.identities_table]}
        return stored, [_standing(one, items.get(one.key)) for one in identities]

    def accept(
        self,
        lead: Lead,
        card: Contact,
        transition: Transition | None,
        signed_at: datetime,
        identities: Sequence[KnownIdentity] = (),
        given: Recipient | None = None,
        credit: Credit | None = None,
    ) -> StoredPost | None:
        """Store a new lead in one transaction: lock, card, first transition and identities.

        If something is stored under its id already, return that. Where the lead is `given` to a
        rep, their count, the claim's record and the reason are stored with it, and so is the use
        of the `credit` for a head start (F10).
        """
        waiting = (
            awaiting_somebody(lead, lead.received_at)
            if given is None
            else awaiting_work(given.claim)
        )
        writes = [
            self._new_card(card_item(card, signed_at)),
            {"Put": {"TableName": self._to.leads_table, "Item": lock_item(lead, **waiting)}},
            *([] if transition is None else [put_transition(self._to, transition)]),
            *self._point_identities_at(identities, lead.lead_id, lead.received_at),
            *([] if given is None else self._give(given)),
            *([] if credit is None else write_usage(self._to, use_credit(credit))),
        ]
        return self._write_or_existing(writes, lead.lead_id)

    def merge(
        self,
        into: Lead,
        card: Contact,
        link: DuplicateLink,
        signed_at: datetime,
        identities: Sequence[KnownIdentity],
    ) -> StoredPost | None:
        """Merge a post into the lead it belongs to; if it is stored already, return that.

        The post has an item of its own with its full text. A repeated post is found by it. The
        lead's card also shows the first posts, so that the holder needs one read only.
        """
        shown = self._show_on_card(
            card, link, "size(merged) < :most", {":most": {"N": str(POSTS_SHOWN)}}
        )
        still_so = {
            "ConditionCheck": {
                "TableName": self._to.leads_table,
                "Key": _lock(into.lead_id),
                "ConditionExpression": "#state = :state",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {":state": {"S": into.state.value}},
            }
        }
        writes = [
            self._new_card({**card_item(card, signed_at), **merged_item(link)}),
            still_so,
            {"Put": {"TableName": self._to.leads_table, "Item": link_item(link)}},
            *self._point_identities_at(identities, into.lead_id, link.at),
        ]
        try:
            self._db.transact([*writes, shown])
        except ConditionFailed as failure:
            if any(failure.failed[:-1]):
                return self._as_it_stands(failure, card.lead_id)
            return self._write_or_existing(
                writes, card.lead_id
            )  # the card is full: store the post alone
        return None

    def _new_card(self, item: Item) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._to.contacts_table,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(lead_id)",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _point_identities_at(
        self, identities: Sequence[KnownIdentity], lead_id: str, at: datetime
    ) -> Iterator[dict[str, Any]]:
        """Yield the writes by which identities refer to a lead, if they have not changed since."""
        for one in identities:
            values: Item = {}
            changes = []
            if not one.stays:
                changes.append("SET lead_id = :lead, since = :at")
                values |= {":lead": {"S": lead_id}, ":at": {"N": str(to_ms(at))}}
            if one.new_marks:
                changes.append("ADD seen :seen")
                values[":seen"] = {"SS": sorted(one.new_marks)}
            still = "attribute_not_exists(lead_id)"
            if one.lead_id is not None:
                still, values[":was"] = "lead_id = :was", {"S": one.lead_id}
            yield update_item(
                self._to.identities_table,
                _identity(one.identity),
                " ".join(changes),
                still,
                values,
            )

    def _give(self, given: Recipient) -> Iterator[dict[str, Any]]:
        if not given.claim.test:
            yield from write_usage(self._to, given.counts)
        yield put_record(self._to, given.claim)
        if given.link is not None:
            yield {"Put": {"TableName": self._to.leads_table, "Item": link_item(given.link)}}

    def _write_or_existing(
        self, writes: Sequence[Mapping[str, Any]], lead_id: str
    ) -> StoredPost | None:
        try:
            self._db.transact(writes)
        except ConditionFailed as failure:
            return self._as_it_stands(failure, lead_id)
        return None

    def _as_it_stands(self, failure: ConditionFailed, lead_id: str) -> StoredPost:
        """Return what is stored under a post's id; the transaction's first write is its item."""
        key = {"lead_id": {"S": lead_id}}
        item = failure.items[0] or self._db.get(self._to.contacts_table, key, consistent=True)
        if item is None:
            raise Busy(conflict=True) from failure  # what was read has changed
        return _stored_from(item)

    def update_card(
        self, card: Contact, signed_at: datetime, link: DuplicateLink | None = None
    ) -> None:
        """Store a changed body, unless one that was signed later is stored already.

        Where the post was merged (`link`), the card of its lead shows the newest body as well.
        """
        newest = card_item(card, signed_at)
        changed = update_item(
            self._to.contacts_table,
            {"lead_id": newest["lead_id"]},
            "SET card = :card, signed_at = :signed",
            "signed_at <= :signed",
            {":card": newest["card"], ":signed": newest["signed_at"]},
        )
        if link is not None:
            shown = self._show_on_card(card, link, "attribute_exists(merged.#post)", {})
            try:
                self._db.transact([changed, shown])
            except ConditionFailed as failure:
                if failure.failed[0]:
                    return
            else:
                return
        with suppress(ConditionFailed):
            self._db.transact([changed])

    def _show_on_card(
        self, card: Contact, link: DuplicateLink, condition: str, values: Item
    ) -> dict[str, Any]:
        """Return the write that shows a post in the card of the lead it was merged into."""
        return update_item(
            self._to.contacts_table,
            {"lead_id": {"S": link.lead_id}},
            "SET merged.#post = :post",
            condition,
            {":post": {"S": post_text(card, link)}, **values},
            {"#post": card.lead_id},
        )

    def open_leads(self) -> list[Lead]:
        """Return the leads marked open."""
        return read_open(self._db, self._to)

    def record_notified(self, lead: Lead, until: datetime) -> None:
        """Record that the offers of all waves up to then were queued."""
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

    def expire(self, lead: Lead, transition: Transition) -> bool:
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
                        ":now": {"N": str(to_ms(transition.at))},
                        ":shard": {"S": keys.outbox_shard(keys.shard_of(lead.lead_id))},
                        ":queue": {"S": keys.queue_shard(keys.shard_of(lead.lead_id))},
                        ":received": {"N": str(to_ms(lead.received_at))},
                    },
                }
            },
            put_transition(self._to, transition),
        ]
        try:
            self._db.transact(writes)
        except ConditionFailed:
            return False
        return True

    def history(self, lead_id: str) -> list[Transition]:
        """Return a lead's recorded transitions, in order."""
        found = self._db.query(
            self._to.leads_table,
            "lead_id = :lead AND begins_with(sk, :transition)",
            {":lead": {"S": lead_id}, ":transition": {"S": keys.TRANSITIONS}},
        )
        return [transition_from(item) for item in found]

    def duplicate_links(self, lead_id: str) -> list[DuplicateLink]:
        """Return what was merged into a lead and whom it belonged to before (C6), in order."""
        found = self._db.query(
            self._to.leads_table,
            "lead_id = :lead AND begins_with(sk, :link)",
            {":lead": {"S": lead_id}, ":link": {"S": keys.DUPLICATE_LINKS}},
        )
        return [link_from(item) for item in found]

    def name_owner(self, identity: Identity, rep_id: str | None) -> bool:
        """Name a company's owner from outside (C6), or nobody any more; tell if that is new.

        The marks of a name say which company is meant, where several have it.
        """
        values: Item = {} if rep_id is None else {":rep": {"S": rep_id}}
        change = "SET #owner = :rep" if values else "REMOVE #owner"
        if values and identity.marks:
            values[":seen"] = {"SS": sorted(identity.marks)}
            change += " ADD seen :seen"
        more: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
        before = self._db.update(
            self._to.identities_table,
            _identity(identity),
            change,
            ExpressionAttributeNames={"#owner": "owner"},
            ReturnValues="ALL_OLD",
            **more,
        )
        return before.get("owner") != values.get(":rep")

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
                    pending = pending_from(item)
                    if not pending.published:
                        yield pending

    def clear_outbox(self, pending: Pending) -> None:
        """Remove an item from the outbox, unless a newer event of the same item has gone in.

        One that becomes an entry of the ledger waits for it from then on.
        """
        change, values = "REMOVE outbox_shard, outbox_at", _at(pending.since)
        if pending.event is not None and pending.event.kind in RECORDED:
            change = "SET outbox_shard = :shard"
            shard = keys.unrecorded_shard(keys.shard_of(pending.event.lead_id))
            values[":shard"] = {"S": shard}
        try:
            self._db.update(
                self._to.leads_table,
                {name: {"S": value} for name, value in pending.key.items()},
                change,
                "outbox_at = :since",
                ExpressionAttributeValues=values,
            )
        except ConditionFailed:
            return


_TOLD_BY_STATE = {
    State.OPEN: "lead.opened",
    State.EXPIRED: "lead.expired",
    State.NEW: "lead.queued",
    State.RELEASED: "lead.queued",
}


def _at(since: datetime) -> Item:
    return {":since": {"N": str(to_ms(since))}}


def pending_from(item: Item) -> Pending:
    """Return the event that an item in the outbox is to send, or has sent.

    Without an event if the item is a lead that was claimed before its opening was sent: the
    claim's record is in the outbox as well, and sends its own.
    """
    key = {"lead_id": item["lead_id"]["S"], "sk": item["sk"]["S"]}
    since = from_ms(int(item["outbox_at"]["N"]))
    lead_id, epoch = key["lead_id"], int(item["epoch"]["N"])
    if key["sk"] == keys.CLAIM:
        taken = claim_from(item)
        kind = "lead.claimed" if taken.competitive else "lead.assigned"
        event = LeadEvent(kind, lead_id, epoch, taken.rep_id)
        return Pending(key, since, event, keys.is_unrecorded(item["outbox_shard"]["S"]))
    if key["sk"] != keys.LOCK:
        event = LeadEvent("lead.returned", lead_id, epoch, transition_from(item).holder)
        return Pending(key, since, event, keys.is_unrecorded(item["outbox_shard"]["S"]))
    known = _TOLD_BY_STATE.get(State(item["state"]["S"]))
    return Pending(key, since, LeadEvent(known, lead_id, epoch) if known else None)


def _identity(one: Identity) -> Item:
    return {IdentityRecord.identity.attr_name: {"S": one.key}}


def _standing(one: Identity, item: Item | None) -> KnownIdentity:
    return standing_from(item, identity=one) if item else KnownIdentity(one)


def _lock(lead_id: str) -> Item:
    return {"lead_id": {"S": lead_id}, "sk": {"S": keys.LOCK}}


def _stored_from(item: Item) -> StoredPost:
    """Return the post a stored record holds, and its link to a lead if it was merged."""
    card = card_from(item)
    if "merged_into" not in item:
        return StoredPost(card)
    return StoredPost(card, merged_from(item, source=card.source, outcome="merged"))
