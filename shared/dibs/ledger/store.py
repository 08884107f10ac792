"""The ledger on DynamoDB: one item per entry, never changed once it is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from pynamodb.attributes import AttributeContainer, BooleanAttribute, UnicodeAttribute

from dibs.aws import clock, keys
from dibs.aws.attributes import InstantAttribute, IntegerAttribute, Item, TextsAttribute
from dibs.aws.clock import to_ms
from dibs.aws.codec import Codec
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.core.lead import State
from dibs.core.ports import Each
from dibs.intake.ports import Pending
from dibs.intake.store import pending_from
from dibs.ledger.activities import Step
from dibs.ledger.entries import Entry
from dibs.ledger.ports import EveryLead, LeadHistory, Ledger
from dibs.race.records import claim_from, drawn_from, lead_from, transition_from
from dibs.race.usage import work_lead
from dibs.race.writes import put_transition, write_usage

_NEW = "attribute_not_exists(entry_id)"
# Marks read before their entries are, in one go.
_SOME = 100


class EntryRecord(AttributeContainer):
    """One entry (ledger table); empty words and noughts are left out."""

    entry_id = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute()
    rep_id = UnicodeAttribute()
    team = UnicodeAttribute()
    at = InstantAttribute()
    week = UnicodeAttribute()
    week_shard = UnicodeAttribute()
    lead_id = UnicodeAttribute(null=True)
    epoch = IntegerAttribute(null=True)
    taken_at = InstantAttribute(null=True)
    take_ms = IntegerAttribute(null=True)
    source = UnicodeAttribute(null=True)
    territory = UnicodeAttribute(null=True)
    quality = UnicodeAttribute(null=True)
    model = UnicodeAttribute(null=True)
    cause = UnicodeAttribute(null=True)
    amount = IntegerAttribute(null=True)
    currency = UnicodeAttribute(null=True)
    playbook_version = IntegerAttribute(null=True)
    test = BooleanAttribute(null=True)
    digest = UnicodeAttribute(null=True)
    day = UnicodeAttribute(null=True)
    unit = UnicodeAttribute(null=True)
    reverses = UnicodeAttribute(null=True)
    other = UnicodeAttribute(null=True)
    shared = TextsAttribute(null=True)
    protected = BooleanAttribute(null=True)
    reporter = UnicodeAttribute(null=True)
    recorded_at = InstantAttribute(null=True)
    late_at = InstantAttribute(null=True)
    follows = UnicodeAttribute(null=True)
    value = IntegerAttribute(null=True)
    value_currency = UnicodeAttribute(null=True)
    rate = UnicodeAttribute(null=True)
    quantity = IntegerAttribute(null=True)
    excused = BooleanAttribute(null=True)
    # A mark beside the entry, gone once it is in the standings.
    unscored_shard = UnicodeAttribute(null=True)
    unscored_at = InstantAttribute(null=True)


def _week_shard(entry: Entry) -> dict[str, str]:
    shard = keys.shard_of(entry.entry_id)
    return {"week_shard": keys.ledger_week(entry.team, entry.week, shard)}


_ENTRY = Codec(EntryRecord, Entry, beside=_week_shard)
entry_item, entry_from = _ENTRY.item, _ENTRY.value


class DynamoLedger(Ledger, EveryLead):
    """`Ledger` on DynamoDB."""

    def __init__(self, dynamo: Dynamo, settings: Settings, each: Each = map) -> None:
        self._db = dynamo
        self._to = settings
        self._table = settings.ledger_table
        self._each = each

    def find(self, entry_ids: Collection[str]) -> dict[str, Entry]:
        """Return those of the entries that are stored, as it is now."""
        wanted = [{"entry_id": {"S": entry_id}} for entry_id in sorted(set(entry_ids))]
        found = self._db.batch_get({self._table: wanted}, (self._table,))[self._table]
        return {entry.entry_id: entry for entry in map(entry_from, found)}

    def of_rep(self, rep_id: str, start: datetime, end: datetime) -> Iterator[Entry]:
        """Yield what a rep did in [start, end), in order."""
        found = self._db.query(
            self._table,
            "rep_id = :rep AND #at BETWEEN :start AND :last",
            {
                ":rep": {"S": rep_id},
                ":start": {"N": str(to_ms(start))},
                ":last": {"N": str(to_ms(end) - 1)},
            },
            index=keys.REP_INDEX,
            ExpressionAttributeNames={"#at": "at"},
        )
        return map(entry_from, found)

    def of_team(self, team: str, weeks: Sequence[str]) -> Iterator[Entry]:
        """Yield what a team did in these weeks, such as 2026-W48."""
        for week in weeks:
            for shard in range(keys.SHARDS):
                name = keys.ledger_week(team, week, shard)
                values: Item = {":shard": {"S": name}}
                found = self._db.query(
                    self._table, "week_shard = :shard", values, index=keys.WEEK_INDEX
                )
                yield from map(entry_from, found)

    def everything(self) -> Iterator[Entry]:
        """Yield every entry there is, in no order, for an operator's command."""
        return map(entry_from, self._db.scan(self._table))

    def put(self, entries: Sequence[Entry]) -> None:
        """Store entries; one whose id is stored already stays as it is."""
        for entry in entries:
            try:
                self._db.put(self._table, _unscored(entry), _NEW)
            except ConditionFailed:
                continue

    def record(self, entry: Entry, step: Step | None) -> bool:
        """Store an activity with what it makes of its lead, in one transaction.

        False when the entry was stored before, or the lead is no longer as it was held; nothing
        was changed then.

        Raises:
            Busy: on a transaction conflict or throttling.
        """
        new = {
            "TableName": self._table,
            "Item": _unscored(entry),
            "ConditionExpression": _NEW,
        }
        writes: list[dict[str, Any]] = [{"Put": new}]
        if step is not None:
            writes.append(self._step_lock(step))
            if step.transition is not None:
                writes.append(put_transition(self._to, step.transition))
            counts = work_lead(entry.rep_id, worked=step.frees, accepted=step.accepts)
            writes += write_usage(self._to, counts)
        try:
            self._db.transact(writes)
        except ConditionFailed:
            return False
        return True

    def _step_lock(self, step: Step) -> dict[str, Any]:
        held, lead = step.held, step.lead
        names = {"#state": "state", "#owner": "owner"}
        values: Item = {
            ":was": {"S": held.state.value},
            ":rep": {"S": str(held.owner)},
            ":epoch": {"N": str(held.epoch)},
        }
        condition = "#state = :was AND #owner = :rep AND epoch = :epoch"
        sets, removes = list[str](), list[str]()
        if step.transition is not None:
            sets.append("#state = :now")
            values[":now"] = {"S": lead.state.value}
        if lead.state in (State.WON, State.LOST):
            removes.append("holder")
        elif held.state in (State.WON, State.LOST) and lead.state not in (State.WON, State.LOST):
            sets.append("holder = :rep")
        if step.accepts:
            condition += " AND attribute_not_exists(accepted_at)"
        if step.first_work and lead.worked_at is not None:
            # It waits for its first contact no longer (C11), and nobody counts that twice.
            condition += " AND attribute_not_exists(worked_at)"
            sets.append("worked_at = :worked")
            values[":worked"] = {"N": str(to_ms(lead.worked_at))}
            removes += ["wait_shard", "wait_at"]
        guarded = {
            "TableName": self._to.leads_table,
            "Key": {"lead_id": {"S": lead.lead_id}, "sk": {"S": keys.LOCK}},
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        if not sets:
            return {"ConditionCheck": guarded}
        change = f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else "")
        return {"Update": {**guarded, "UpdateExpression": change}}

    def story(self, lead_id: str) -> LeadHistory | None:
        """Return everything about a lead that is on record, as it is now."""
        found = self._db.query(
            self._to.leads_table,
            "lead_id = :lead",
            {":lead": {"S": lead_id}},
            ConsistentRead=True,
        )
        return _history(found)

    def stories(self) -> Iterator[LeadHistory]:
        """Yield the history of every lead, in no order, for an operator's command."""
        # A scan yields all items of one key after each other.
        scanned = self._db.scan(self._to.leads_table)
        for _, items in groupby(scanned, key=lambda item: item["lead_id"]["S"]):
            history = _history(items)
            if history is not None:
                yield history

    def unrecorded(self, before: datetime) -> Iterator[str]:
        """Return the leads with events that were sent and have no entry yet."""
        for shard in range(keys.SHARDS):
            found = self._db.query(
                self._to.leads_table,
                "outbox_shard = :shard AND outbox_at < :before",
                _before(keys.unrecorded_shard(shard), before),
                index=keys.OUTBOX_INDEX,
            )
            yield from dict.fromkeys(item["lead_id"]["S"] for item in found)

    def recorded(self, pending: Pending) -> None:
        """Note that an event has its entry, unless a newer event is in the same item."""
        with suppress(ConditionFailed):
            self._db.update(
                self._to.leads_table,
                {name: {"S": value} for name, value in pending.key.items()},
                "REMOVE outbox_shard, outbox_at",
                "outbox_at = :since",
                ExpressionAttributeValues={":since": {"N": str(to_ms(pending.since))}},
            )

    def unscored(self, before: datetime) -> Iterator[Entry]:
        """Yield the entries written before `before` that are not in the standings yet."""
        for shard in range(keys.SHARDS):
            found = self._db.query(
                self._table,
                "unscored_shard = :shard AND unscored_at < :before",
                _before(keys.unscored_shard(shard), before),
                index=keys.UNSCORED_INDEX,
            )
            waiting = (item["entry_id"]["S"] for item in found)
            while some := list(islice(waiting, _SOME)):
                yield from self.find(some).values()

    def scored(self, entry_ids: Sequence[str]) -> None:
        """Note that entries are in the standings."""
        for _ in self._each(self._scored, entry_ids):
            pass

    def _scored(self, entry_id: str) -> None:
        # One that bears no mark costs no write, and one that is not there is not made.
        with suppress(ConditionFailed):
            self._db.update(
                self._table,
                {"entry_id": {"S": entry_id}},
                "REMOVE unscored_shard, unscored_at",
                "attribute_exists(unscored_shard)",
            )


def _unscored(entry: Entry) -> Item:
    """Return the item of a new entry, with the mark that it is not in the standings."""
    shard = keys.unscored_shard(keys.shard_of(entry.entry_id))
    return entry_item(entry, unscored_shard=shard, unscored_at=clock.now())


def _before(shard: str, before: datetime) -> Item:
    return {":shard": {"S": shard}, ":before": {"N": str(to_ms(before))}}


def _history(found: Iterable[Item]) -> LeadHistory | None:
    """Return the history that the items of one lead come to; None if there is no lead."""
    items = {item["sk"]["S"]: item for item in found}
    if keys.LOCK in items:
        return LeadHistory(
            lead=lead_from(items[keys.LOCK]),
            claim=claim_from(items[keys.CLAIM]) if keys.CLAIM in items else None,
            transitions=tuple(
                transition_from(items[sk])
                for sk in sorted(items)
                if sk.startswith(keys.TRANSITIONS)
            ),
            draws=tuple(drawn_from(items[sk]) for sk in sorted(items) if sk.startswith(keys.DRAWS)),
            pending=tuple(
                pending_from(items[sk])
                for sk in sorted(items)
                if sk != keys.LOCK and "outbox_at" in items[sk]
            ),
        )
    return None
