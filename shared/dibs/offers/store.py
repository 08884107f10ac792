"""The record of every offer, on DynamoDB: one key per (lead, rep), one item per writer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import to_ms
from dibs.aws.codec import item_of
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.core.lead import Lead
from dibs.offers.ports import BatchMarks, NotifyBatch, OfferStore, OfferView
from dibs.offers.queues import batch_body, batch_from
from dibs.offers.records import CodeRecord, SmsRecord, sighting_from
from dibs.race.ports import SentOffer
from dibs.race.records import (
    OFFER_KEPT,
    notice_from,
    notice_item,
    notices_change,
    notices_from,
)
from dibs.race.store import notices_key

# A code outlives its window, so that a late reply hears who won instead of "unknown code".
_CODE_KEPT = timedelta(days=2)
# A batch that cannot be sent for a day is of no use any more.
_MARK_KEPT = timedelta(days=1)


class DynamoOfferStore(OfferStore, BatchMarks):
    """`OfferStore` and `BatchMarks` on DynamoDB."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._table = settings.offers_table

    def notices(
        self,
        lead_id: str,
        epoch: int,
        rep_ids: Sequence[str],
        *,
        since: int | None = None,
        together: bool = False,
    ) -> dict[str, SentOffer]:
        """Return the offers of an opening sent to these reps, or of any from `since` on.

        The items of single reps are read for those only who are not in the one of a small team,
        and not at all where all were recorded `together`.
        """
        if not rep_ids:
            return {}
        found: dict[str, SentOffer] = {}
        for item in self._db.batch_get({self._table: [notices_key(lead_id)]})[self._table]:
            found = {one.rep_id: one for one in notices_from(item, lead_id, rep_ids)}
        rest = [r for r in rep_ids if r not in found or found[r].epoch != epoch]
        rest = [] if together else rest
        for notice in map(notice_from, self._items(lead_id, rest, keys.NOTICE)):
            known = found.get(notice.rep_id)
            if known is None or known.epoch < notice.epoch:
                found[notice.rep_id] = notice
        epochs = range(epoch if since is None else since, epoch + 1)
        return {rep_id: notice for rep_id, notice in found.items() if notice.epoch in epochs}

    def mark(self, batches: Sequence[NotifyBatch], due_at: datetime) -> None:
        """Store a mark for each batch, 25 a request; a batch that is queued again has one still."""
        self._db.batch_put(
            self._table,
            [
                {
                    **_mark(batch),
                    "batch": {"S": json.dumps(batch_body(batch))},
                    "due_at": {"N": str(to_ms(due_at))},
                    "expires_at": {"N": str(to_ms(due_at + _MARK_KEPT) // 1000)},
                }
                for batch in {batch.name: batch for batch in batches}.values()
            ],
        )

    def unmark(self, batch: NotifyBatch) -> None:
        """Remove the mark of a batch that is done."""
        self._db.delete(self._table, _mark(batch))

    def overdue(self, before: datetime) -> list[NotifyBatch]:
        """Return the batches that were due before then and still bear their mark."""
        found = [
            item
            for shard in range(keys.SHARDS)
            for item in self._db.query(
                self._table, "pk = :pk", {":pk": {"S": keys.unsent_shard(shard)}}
            )
        ]
        late = [item for item in found if int(item["due_at"]["N"]) < to_ms(before)]
        return [batch_from(json.loads(item["batch"]["S"])) for item in late]

    def record(self, notices: Sequence[SentOffer], *, together: bool = False) -> None:
        """Store sent offers of a lead: an item each, 25 a request, or `together` in one.

        One item for all is a twentieth of the price while a team is small. That of a large team
        would be written by many runs at once, each time as a whole.
        """
        if not notices:
            return
        if together:
            change = notices_change(notices)
            key = notices_key(notices[0].lead_id)
            self._db.update(self._table, key, change.pop("expression"), **change)
        else:
            self._db.batch_put(self._table, list(map(notice_item, notices)))

    def record_claimed(self, lead_id: str, epoch: int, rep_id: str, claimed_at: datetime) -> None:
        """Put the claimed time beside the offer's other times (N3)."""
        with suppress(ConditionFailed):
            self._db.update(
                self._table,
                notices_key(lead_id),
                "SET #claimed = :at",
                "begins_with(#rep, :epoch)",
                ExpressionAttributeNames={
                    "#claimed": keys.claimed_of(rep_id),
                    "#rep": keys.notice_of(rep_id),
                },
                ExpressionAttributeValues={
                    ":at": {"N": str(to_ms(claimed_at))},
                    ":epoch": {"S": f"{epoch} "},
                },
            )
            return
        try:
            self._db.update(
                self._table,
                _key(lead_id, rep_id, keys.NOTICE),
                "SET claimed_at = :at",
                "epoch = :epoch",
                ExpressionAttributeValues={
                    ":at": {"N": str(to_ms(claimed_at))},
                    ":epoch": {"N": str(epoch)},
                },
            )
        except ConditionFailed:
            return  # won without having been told: seen in the list of open offers

    def sightings(
        self, lead_id: str, epoch: int, rep_ids: Sequence[str], *, consistent: bool = False
    ) -> dict[str, OfferView]:
        """Return what these reps did with this opening's offer; reps who did nothing are absent."""
        found = {}
        for item in self._items(lead_id, rep_ids, keys.SIGHTING, consistent=consistent):
            noted = _of_opening(item, epoch)
            if noted is not None:
                found[keys.part(item["pk"]["S"], 1)] = noted
        return found

    def declined(self, rep_id: str, leads: Sequence[Lead]) -> frozenset[str]:
        """Return which of these leads the rep has declined since they opened, by id."""
        epochs = {lead.lead_id: lead.epoch for lead in leads}
        if not epochs:
            return frozenset()
        wanted = [_key(lead_id, rep_id, keys.SIGHTING) for lead_id in epochs]
        items = self._db.batch_get({self._table: wanted})[self._table]
        noted = {keys.part(item["pk"]["S"], 0): item for item in items}
        views = {lead_id: _of_opening(item, epochs[lead_id]) for lead_id, item in noted.items()}
        return frozenset(one for one, view in views.items() if view and view.declined_at)

    def _items(
        self, lead_id: str, rep_ids: Sequence[str], sk: str, *, consistent: bool = False
    ) -> list[Item]:
        if not rep_ids:
            return []
        wanted = [_key(lead_id, rep_id, sk) for rep_id in rep_ids]
        strongly = (self._table,) if consistent else ()
        return self._db.batch_get({self._table: wanted}, strongly)[self._table]

    def reserve_sms(
        self, lead: Lead, rep_id: str, new_code: Callable[[], str], now: datetime
    ) -> str | None:
        """Reserve the one text this rep may get for this race; return its reply code.

        None when a text was sent or is being sent already.
        """
        while True:
            code = new_code()
            try:
                self._db.transact(self._reservation(lead, rep_id, code, now))
            except ConditionFailed as failure:
                if failure.failed[0]:
                    return None
            else:
                return code

    def _reservation(
        self, lead: Lead, rep_id: str, code: str, now: datetime
    ) -> list[dict[str, Any]]:
        marker = item_of(
            SmsRecord,
            pk=keys.offer(lead.lead_id, rep_id),
            sk=keys.SMS,
            epoch=lead.epoch,
            code=code,
            sent_at=now,
            expires_at=_seconds(now + OFFER_KEPT),
        )
        known = item_of(
            CodeRecord,
            pk=keys.code(rep_id, code),
            sk=keys.SMS,
            lead_id=lead.lead_id,
            epoch=lead.epoch,
            expires_at=_seconds(now + _CODE_KEPT),
        )
        return [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": marker,
                    "ConditionExpression": "attribute_not_exists(pk) OR epoch < :epoch",
                    "ExpressionAttributeValues": {":epoch": {"N": str(lead.first_epoch)}},
                }
            },
            {
                "Put": {
                    "TableName": self._table,
                    "Item": known,
                    "ConditionExpression": "attribute_not_exists(pk) OR expires_at < :now",
                    "ExpressionAttributeValues": {":now": {"N": str(_seconds(now))}},
                }
            },
        ]

    def free_sms(self, lead: Lead, rep_id: str, code: str) -> None:
        """Give a reservation back: the text was not sent."""
        with suppress(ConditionFailed):  # a later opening has its own reservation
            self._db.delete(
                self._table,
                _key(lead.lead_id, rep_id, keys.SMS),
                "code = :code",
                ExpressionAttributeValues={":code": {"S": code}},
            )
        self._db.delete(self._table, {"pk": {"S": keys.code(rep_id, code)}, "sk": {"S": keys.SMS}})

    def find_code(self, rep_id: str, code: str) -> tuple[str, int] | None:
        """Return the lead and epoch a rep's reply code stands for."""
        item = self._db.get(
            self._table, {"pk": {"S": keys.code(rep_id, code)}, "sk": {"S": keys.SMS}}
        )
        if item is None:
            return None
        return item["lead_id"]["S"], int(item["epoch"]["N"])


def _of_opening(item: Item, epoch: int) -> OfferView | None:
    """Return what was noted in one opening; beside the latest stands the one before it."""
    for noted in (item, item["before"]["M"]) if "before" in item else (item,):
        if noted["epoch"]["N"] == str(epoch):
            return sighting_from(noted)
    return None


def _key(lead_id: str, rep_id: str, sk: str) -> Item:
    return {"pk": {"S": keys.offer(lead_id, rep_id)}, "sk": {"S": sk}}


def _seconds(moment: datetime) -> int:
    return to_ms(moment) // 1000


def _mark(batch: NotifyBatch) -> Item:
    shard = keys.unsent_shard(keys.shard_of(batch.lead_id))
    return {"pk": {"S": shard}, "sk": {"S": batch.name}}
