"""The race on DynamoDB (C2): one read, one transaction, and the losers' small notes.

Three items decide a claim: the lead's lock, the rep with what they have used up, and the record
of the claim. The guards name what the decision used (open at this epoch, inside the window, the
count below its maximum), so claims by one rep on different leads do not fail each other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from dibs.adapters import keys
from dibs.adapters.clock import to_ms
from dibs.adapters.dynamo import ConditionFailed, Dynamo
from dibs.adapters.records import (
    CardRecord,
    Item,
    LockRecord,
    card_from,
    claim_from,
    claim_record,
    lead_from,
    lock_from,
    move_record,
    notice_from,
    rep_from,
)
from dibs.adapters.settings import Settings
from dibs.domain.leads import Card, Claim, Lead, Move, State
from dibs.domain.playbook import Playbook, playbook_from
from dibs.domain.reps import Limits
from dibs.presets import preset_text
from dibs.usecases.ports import RaceView

PLAYBOOK_SECONDS = 20.0
COUNT_SECONDS = 4.0
OFFER_KEPT = timedelta(days=90)

_CLOSED_REMOVE = "open_shard, opened"


class DynamoRaceStore:
    """Implements `RaceStore`. Keeps the playbook for 20 s and open counts for 4 s per process."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings
        self._playbook: tuple[float, Playbook] | None = None
        self._counts: dict[str, tuple[float, int]] = {}

    def read(self, lead_id: str, rep_id: str) -> RaceView:
        """Read lock, claim record, rep and offer (and the playbook when due) in one request."""
        playbook = self._cached_playbook()
        organisation = [{"pk": {"S": keys.rep(rep_id)}}]
        if playbook is None:
            organisation.append({"pk": {"S": keys.PLAYBOOK}})
        found = self._db.batch_get(
            {
                self._to.leads_table: [
                    _lead_key(lead_id, keys.LOCK),
                    _lead_key(lead_id, keys.CLAIM),
                ],
                self._to.organisation_table: organisation,
                self._to.offers_table: [_offer_key(lead_id, rep_id, keys.NOTICE)],
            },
            # A refusal must be true: nobody hears "taken" of a lead that was just opened anew,
            # and a withdrawn token ends at once.
            consistent=(self._to.leads_table, self._to.organisation_table),
        )
        items = {item["sk"]["S"]: item for item in found[self._to.leads_table]}
        people = {item["pk"]["S"]: item for item in found[self._to.organisation_table]}
        if playbook is None:
            playbook = self._remember(people.get(keys.PLAYBOOK))
        lead = lead_from(items[keys.LOCK]) if keys.LOCK in items else None
        notice = next((notice_from(item) for item in found[self._to.offers_table]), None)
        current = notice is not None and lead is not None and notice.epoch == lead.epoch
        view = RaceView(
            lead=lead,
            rep=None,
            limits=Limits(),
            claim=claim_from(items[keys.CLAIM]) if keys.CLAIM in items else None,
            noticed_at=notice.sent_at if notice is not None and current else None,
            playbook=playbook,
        )
        if keys.rep(rep_id) not in people:
            return view
        rep, limits, token_hash = rep_from(people[keys.rep(rep_id)])
        return replace(view, rep=rep, limits=limits, token_hash=token_hash)

    def playbook(self) -> Playbook:
        """Return the playbook in force, at most 20 s old."""
        known = self._cached_playbook()
        if known is not None:
            return known
        return self._remember(
            self._db.get(self._to.organisation_table, {"pk": {"S": keys.PLAYBOOK}})
        )

    def _cached_playbook(self) -> Playbook | None:
        if self._playbook is None or time.monotonic() > self._playbook[0]:
            return None
        return self._playbook[1]

    def _remember(self, item: Item | None) -> Playbook:
        playbook = stored_playbook(item)
        self._playbook = (time.monotonic() + PLAYBOOK_SECONDS, playbook)
        return playbook

    def commit_claim(self, view: RaceView, claim: Claim) -> RaceView | None:
        """Store lock, count and record together; on a failed condition return the facts it met."""
        if view.lead is None or view.rep is None:
            raise ValueError("a claim needs a lead and a rep")
        writes = [
            self._take_lock(view.lead, claim),
            self._count_claim(view, claim),
            self._put_record(claim),
        ]
        try:
            self._db.transact(writes)
        except ConditionFailed as failure:
            return _as_it_stood(view, failure)
        return None

    def _take_lock(self, lead: Lead, claim: Claim) -> dict[str, Any]:
        return _update(
            self._to.leads_table,
            _lead_key(lead.lead_id, keys.LOCK),
            f"SET #state = :claimed, #owner = :rep, claimed_at = :now REMOVE {_CLOSED_REMOVE}",
            "#state = :open AND epoch = :epoch AND opens_at <= :now AND closes_at > :now",
            {"#state": "state", "#owner": "owner"},
            {
                ":claimed": {"S": State.CLAIMED.value},
                ":open": {"S": State.OPEN.value},
                ":rep": {"S": claim.rep_id},
                ":now": {"N": str(to_ms(claim.claimed_at))},
                ":epoch": {"N": str(claim.epoch)},
            },
        )

    def _count_claim(self, view: RaceView, claim: Claim) -> dict[str, Any]:
        """Count one claim on the rep's own day, below its maximum (F7), while they are on."""
        assert view.rep is not None
        key: Item = {"pk": {"S": keys.rep(claim.rep_id)}}
        on = "active = :yes AND (attribute_not_exists(paused_until) OR paused_until <= :now)"
        values: Item = {":yes": {"BOOL": True}, ":now": {"N": str(to_ms(claim.claimed_at))}}
        if claim.test:
            return {
                "ConditionCheck": {
                    "TableName": self._to.organisation_table,
                    "Key": key,
                    "ConditionExpression": on,
                    "ExpressionAttributeValues": values,
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            }
        today = view.rep.today(claim.claimed_at)
        values[":day"] = {"S": today.isoformat()}
        values[":one"] = {"N": "1"}
        counted = view.limits.day
        if counted is not None and counted >= today:
            # A day ahead of ours is counted on: clocks differ by milliseconds at midnight.
            values[":day"] = {"S": counted.isoformat()}
            values[":most"] = {"N": str(view.playbook.claims_per_day)}
            change = "ADD claims :one"
            below = "claims_day = :day AND claims < :most"
        else:
            change = "SET claims_day = :day, claims = :one"
            below = "attribute_not_exists(claims_day)"
            if counted is not None:
                below = "claims_day < :day"
        return _update(self._to.organisation_table, key, change, f"{on} AND {below}", {}, values)

    def _put_record(self, claim: Claim) -> dict[str, Any]:
        record = claim_record(claim)
        record.outbox_shard = keys.outbox_shard(keys.shard_of(claim.lead_id))
        record.outbox_at = claim.claimed_at
        return {
            "Put": {
                "TableName": self._to.leads_table,
                "Item": record.serialize(),
                "ConditionExpression": "attribute_not_exists(lead_id) OR epoch < :epoch",
                "ExpressionAttributeValues": {":epoch": {"N": str(claim.epoch)}},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def commit_undo(self, view: RaceView, reopened: Lead, moves: Sequence[Move]) -> bool:
        """Open the lead anew, take the claim off the count, and record the moves, together."""
        held, rep = view.lead, view.rep
        if held is None or rep is None or held.claimed_at is None:
            raise ValueError("an undo needs a held lead and its rep")
        lock = lock_from(reopened)
        open_for_offers(lock, reopened, reopened.opens_at)
        writes = [
            {
                "Put": {
                    "TableName": self._to.leads_table,
                    "Item": lock.serialize(),
                    "ConditionExpression": "#state = :claimed AND #owner = :rep AND epoch = :epoch",
                    "ExpressionAttributeNames": {"#state": "state", "#owner": "owner"},
                    "ExpressionAttributeValues": {
                        ":claimed": {"S": State.CLAIMED.value},
                        ":rep": {"S": rep.rep_id},
                        ":epoch": {"N": str(held.epoch)},
                    },
                }
            },
            *(put_move(self._to, move) for move in moves),
        ]
        claimed_on = rep.today(held.claimed_at)
        if not held.test and view.limits.day == claimed_on and view.limits.claims > 0:
            day: Item = {":day": {"S": claimed_on.isoformat()}}
            writes.append(
                _update(
                    self._to.organisation_table,
                    {"pk": {"S": keys.rep(rep.rep_id)}},
                    "ADD claims :less",
                    "claims_day = :day AND claims > :none",
                    {},
                    {":less": {"N": "-1"}, ":none": {"N": "0"}, **day},
                )
            )
        try:
            self._db.transact(writes)
        except ConditionFailed:
            return False
        return True

    def record_attempt(self, lead: Lead, rep_id: str, at: datetime, outcome: str) -> None:
        """Note a loser's or refused rep's try on their own (lead, rep) item: one small write."""
        self._sight(lead, rep_id, "attempted_at", at, ", outcome = :outcome", {":outcome": outcome})

    def record_sighting(self, lead: Lead, rep_id: str, what: str, at: datetime) -> None:
        """Note when the rep first saw (`seen_at`) or declined (`declined_at`) the offer."""
        self._sight(lead, rep_id, what, at, "", {})

    def _sight(
        self, lead: Lead, rep_id: str, what: str, at: datetime, more: str, words: Mapping[str, str]
    ) -> None:
        key = _offer_key(lead.lead_id, rep_id, keys.SIGHTING)
        values: Item = {
            ":at": {"N": str(to_ms(at))},
            ":epoch": {"N": str(lead.epoch)},
            ":expires": {"N": str(to_ms(at + OFFER_KEPT) // 1000)},
            **{name: {"S": word} for name, word in words.items()},
        }
        try:
            self._db.update(
                self._to.offers_table,
                key,
                "SET #what = if_not_exists(#what, :at), epoch = :epoch, "
                f"expires_at = :expires{more}",
                "attribute_not_exists(pk) OR epoch = :epoch",
                ExpressionAttributeNames={"#what": what},
                ExpressionAttributeValues=values,
            )
        except ConditionFailed:
            # Left from an earlier opening of the lead: begin anew, unless a newer one got there.
            fresh: Item = {
                **key,
                what: values[":at"],
                "epoch": values[":epoch"],
                "expires_at": values[":expires"],
                **({"outcome": values[":outcome"]} if words else {}),
            }
            try:
                self._db.put(
                    self._to.offers_table,
                    fresh,
                    "epoch < :epoch",
                    ExpressionAttributeValues={":epoch": values[":epoch"]},
                )
            except ConditionFailed:
                return

    def card(self, lead_id: str) -> Card | None:
        """Read the lead's personal data; only the winner's answer does."""
        return read_card(self._db, self._to, lead_id)

    def open_leads(self) -> list[Lead]:
        """Return the leads marked open, of all teams, from the sparse index."""
        return read_open(self._db, self._to)

    def count_open(self, team: str, now: datetime) -> int:
        """Return about how many leads are open for the team, at most 5 s old."""
        known = self._counts.get(team)
        if known is None or time.monotonic() > known[0]:
            count = sum(team in lead.teams and now < lead.closes_at for lead in self.open_leads())
            known = (time.monotonic() + COUNT_SECONDS, count)
            self._counts[team] = known
        return known[1]


def stored_playbook(item: Item | None) -> Playbook:
    """Return the stored playbook, or the shipped open pool where none was applied yet."""
    if item is None:
        return playbook_from(json.loads(preset_text("open-pool")))
    return playbook_from({**json.loads(item["body"]["S"]), "version": int(item["version"]["N"])})


def read_card(db: Dynamo, to: Settings, lead_id: str) -> Card | None:
    """Read one card."""
    key = {CardRecord.lead_id.attr_name: {"S": lead_id}}
    item = db.get(to.contacts_table, key, consistent=True)  # the winner may be that fast
    return card_from(item) if item else None


def read_open(db: Dynamo, to: Settings) -> list[Lead]:
    """Read the open leads, shard by shard."""
    return [
        lead_from(item)
        for shard in range(keys.SHARDS)
        for item in db.query(
            to.leads_table,
            "open_shard = :shard",
            {":shard": {"S": keys.open_shard(shard)}},
            index=keys.OPEN_INDEX,
        )
    ]


def put_move(to: Settings, move: Move) -> dict[str, Any]:
    """Return the write that records one step of a lead's life."""
    return {"Put": {"TableName": to.leads_table, "Item": move_record(move).serialize()}}


def open_for_offers(record: LockRecord, lead: Lead, now: datetime) -> None:
    """Put a lock into the index of open leads and its opening into the outbox."""
    shard = keys.shard_of(lead.lead_id)
    record.open_shard, record.opened = keys.open_shard(shard), lead.opens_at
    record.outbox_shard, record.outbox_at = keys.outbox_shard(shard), now


def _as_it_stood(view: RaceView, failure: ConditionFailed) -> RaceView:
    lock, person, record = failure.items
    if lock is not None:
        lead = lead_from(lock)
        reopened = view.lead is None or lead.epoch != view.lead.epoch
        view = replace(view, lead=lead, noticed_at=None if reopened else view.noticed_at)
    if record is not None:
        view = replace(view, claim=claim_from(record))
    if person is not None:
        rep, limits, token_hash = rep_from(person)
        view = replace(view, rep=rep, limits=limits, token_hash=token_hash)
    return view


def _update(
    table: str, key: Item, change: str, condition: str, names: Mapping[str, str], values: Item
) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": table,
            "Key": key,
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **({"ExpressionAttributeNames": names} if names else {}),
        }
    }


def _lead_key(lead_id: str, sk: str) -> Item:
    return {"lead_id": {"S": lead_id}, "sk": {"S": sk}}


def _offer_key(lead_id: str, rep_id: str, sk: str) -> Item:
    return {"pk": {"S": keys.offer(lead_id, rep_id)}, "sk": {"S": sk}}
