"""The race on DynamoDB (C2): one read, one transaction, and the losers' small notes.

Three items decide a claim: the lead's lock, the rep with what they have used up, and the record
of the claim. The guards name what the decision used (open at this epoch, inside the window, the
count below its maximum), so claims by one rep on different leads do not fail each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
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
from dibs.adapters.stored_playbook import stored_playbook
from dibs.domain.decide import allowance_of
from dibs.domain.errors import AlreadyClaimed
from dibs.domain.leads import Card, Claim, Lead, Move, State
from dibs.domain.playbook import Playbook
from dibs.domain.reps import Limits, Rep
from dibs.usecases.race import RaceView

PLAYBOOK_SECONDS = 20.0
COUNT_SECONDS = 4.0
OFFER_KEPT = timedelta(days=90)


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
            take_lock(self._to, view.lead, claim, "opens_at <= :now AND closes_at > :now"),
            count_lead(self._to, view.rep, view.limits, view.playbook, claim),
            put_record(self._to, claim),
        ]
        try:
            self._db.transact(writes)
        except ConditionFailed as failure:
            return _as_it_stood(view, failure)
        return None

    def commit_undo(self, view: RaceView, reopened: Lead, moves: Sequence[Move]) -> bool:
        """Open the lead anew, take the claim off the count, and record the moves, together."""
        held, rep = view.lead, view.rep
        if held is None or rep is None or held.claimed_at is None:
            raise ValueError("an undo needs a held lead and its rep")
        writes = [
            reopen_lock(self._to, held, reopened),
            *(put_move(self._to, move) for move in moves),
            *less_used(self._to, held, rep, view.limits, as_if_never=True),
        ]
        try:
            self._db.transact(writes)
        except ConditionFailed:
            return False
        return True

    def record_attempt(
        self,
        lead: Lead,
        rep_id: str,
        at: datetime,
        outcome: str,
        rules: Sequence[str] = (),
        version: int = 0,
    ) -> None:
        """Note a loser's or refused rep's try on their own (lead, rep) item: one small write."""
        when = {"N": str(to_ms(at))}
        first: Item = {"attempted_at": when}
        if outcome == AlreadyClaimed.code:
            first["lost_at"] = when
        if rules:
            first["rules"] = {"S": " ".join(rules)}
            first["rules_version"] = {"N": str(version)}
        self._sight(lead, rep_id, at, first, {"outcome": {"S": outcome}})

    def record_sighting(self, lead: Lead, rep_id: str, what: str, at: datetime) -> None:
        """Note when the rep first saw (`seen_at`) or declined (`declined_at`) the offer."""
        self._sight(lead, rep_id, at, {what: {"N": str(to_ms(at))}}, {})

    def _sight(self, lead: Lead, rep_id: str, at: datetime, first: Item, last: Item) -> None:
        """Note what stays as it is noted the `first` time, and what changes with each."""
        key = _offer_key(lead.lead_id, rep_id, keys.SIGHTING)
        expires = {"N": str(to_ms(at + OFFER_KEPT) // 1000)}
        last = {**last, "epoch": {"N": str(lead.epoch)}, "expires_at": expires}
        noted = {**first, **last}
        changes = [f"#{name} = if_not_exists(#{name}, :{name})" for name in first]
        changes += [f"#{name} = :{name}" for name in last]
        try:
            self._db.update(
                self._to.offers_table,
                key,
                f"SET {', '.join(changes)}",
                "attribute_not_exists(pk) OR #epoch = :epoch",
                ExpressionAttributeNames={f"#{name}": name for name in noted},
                ExpressionAttributeValues={f":{name}": value for name, value in noted.items()},
            )
        except ConditionFailed as failure:
            # Left from an earlier opening of the lead: begin anew, unless a newer one got there.
            # What was noted of that one is kept beside it: its race may not be sealed yet.
            known = failure.items[0] or {}
            kept = {name: known[name] for name in known if name not in ("pk", "sk", "before")}
            with suppress(ConditionFailed):
                self._db.put(
                    self._to.offers_table,
                    {**key, **noted, "before": {"M": kept}},
                    "epoch < :epoch",
                    ExpressionAttributeValues={":epoch": noted["epoch"]},
                )

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


def read_card(db: Dynamo, to: Settings, lead_id: str) -> Card | None:
    """Read one card."""
    key = {CardRecord.lead_id.attr_name: {"S": lead_id}}
    item = db.get(to.contacts_table, key, consistent=True)  # the winner may be that fast
    return card_from(item) if item else None


def read_open(db: Dynamo, to: Settings) -> list[Lead]:
    """Read the open leads, shard by shard."""
    return read_waiting(db, to, keys.open_shard)


def read_waiting(
    db: Dynamo, to: Settings, shard_name: Callable[[int], str], until: datetime | None = None
) -> list[Lead]:
    """Read the leads that wait for the same thing, those due by `until` if that is given."""
    due = "" if until is None else " AND wait_at <= :until"
    values: Item = {} if until is None else {":until": {"N": str(to_ms(until))}}
    return [
        lead_from(item)
        for shard in range(keys.SHARDS)
        for item in db.query(
            to.leads_table,
            f"wait_shard = :shard{due}",
            {":shard": {"S": shard_name(shard)}, **values},
            index=keys.WAITING_INDEX,
        )
    ]


def take_lock(to: Settings, lead: Lead, claim: Claim, still: str) -> dict[str, Any]:
    """Return the write that gives the lead to the claim's rep, while it is as it was read.

    `still` is what else must be so, in DynamoDB's words. Until the holder has worked the lead it
    waits for that, where the playbook says for how long (C11).
    """
    change = "SET #state = :taken, #owner = :rep, holder = :rep, claimed_at = :now"
    values: Item = {
        ":taken": {"S": (State.CLAIMED if claim.competitive else State.ASSIGNED).value},
        ":was": {"S": lead.state.value},
        ":rep": {"S": claim.rep_id},
        ":now": {"N": str(to_ms(claim.claimed_at))},
        ":epoch": {"N": str(claim.epoch)},
    }
    if claim.nudge_at is None or claim.return_at is None:
        change += " REMOVE wait_shard, wait_at"
    else:
        change += ", wait_shard = :shard, wait_at = :nudge, return_at = :return"
        values[":shard"] = {"S": keys.work_shard(keys.shard_of(lead.lead_id))}
        values[":nudge"] = {"N": str(to_ms(claim.nudge_at))}
        values[":return"] = {"N": str(to_ms(claim.return_at))}
    condition = "#state = :was AND epoch = :epoch" + (f" AND {still}" if still else "")
    return _update(
        to.leads_table,
        _lead_key(lead.lead_id, keys.LOCK),
        change,
        condition,
        {"#state": "state", "#owner": "owner"},
        values,
    )


def count_lead(
    to: Settings, rep: Rep, limits: Limits, playbook: Playbook, claim: Claim, *, bound: bool = True
) -> dict[str, Any]:
    """Return the write that counts one more lead on the rep, while they are on.

    Competitive claims count on the rep's own day, below its maximum (F7); all leads count in
    their week, below the allowance (M4), and as in hand (M5). Not `bound`, no maximum counts:
    who is the last resort takes what nobody else may (C7).
    """
    key: Item = {"pk": {"S": keys.rep(claim.rep_id)}}
    now = claim.claimed_at
    conditions = ["active = :yes"]
    values: Item = {":yes": {"BOOL": True}}
    if bound:
        conditions += ["(attribute_not_exists(paused_until) OR paused_until <= :now)"]
        conditions += ["tier = :tier"]
        values |= {":now": {"N": str(to_ms(now))}, ":tier": {"N": str(rep.tier)}}
    if claim.test:
        return {
            "ConditionCheck": {
                "TableName": to.organisation_table,
                "Key": key,
                "ConditionExpression": " AND ".join(conditions),
                "ExpressionAttributeValues": values,
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }
    sets, adds = list[str](), ["in_hand :one"]
    values[":one"] = {"N": "1"}
    counters = [
        ("leads", "week", limits.week, rep.this_week(now), allowance_of(rep, playbook, now))
    ]
    if claim.competitive:
        counters += [("claims", "day", limits.day, rep.today(now), playbook.claims_per_day)]
    if bound and not claim.competitive and playbook.assignment.in_hand_limit:
        conditions += ["(attribute_not_exists(in_hand) OR in_hand < :hands)"]
        values[":hands"] = {"N": str(playbook.assignment.in_hand_limit)}
    for name, unit, counted, current, most in counters:
        period = f"{name}_{unit}"
        if counted is not None and counted >= current:
            # A period ahead of ours is counted on: clocks differ by milliseconds at midnight.
            values[f":{unit}"] = {"S": counted.isoformat()}
            adds += [f"{name} :one"]
            conditions += [f"{period} = :{unit}"]
            if bound and most is not None:
                conditions += [f"{name} < :most_{name}"]
                values[f":most_{name}"] = {"N": str(most)}
        else:
            values[f":{unit}"] = {"S": current.isoformat()}
            sets += [f"{period} = :{unit}", f"{name} = :one"]
            known = f"{period} < :{unit}" if counted else f"attribute_not_exists({period})"
            conditions += [known]
    change = f"ADD {', '.join(adds)}" + (f" SET {', '.join(sets)}" if sets else "")
    return _update(to.organisation_table, key, change, " AND ".join(conditions), {}, values)


def less_used(
    to: Settings, held: Lead, rep: Rep, limits: Limits, *, as_if_never: bool = False
) -> list[dict[str, Any]]:
    """Return the write that takes a lead its holder gives back off their counts, if it is on any.

    A lead that was worked was in hand no longer. `as_if_never`: it was a mistake and has not
    counted for its day and week either (C5).
    """
    taken_at = held.claimed_at
    if held.test or taken_at is None:
        return []
    lowered, conditions, values = list[str](), list[str](), dict[str, Any]()
    if held.worked_at is None and limits.in_hand > 0:
        lowered += ["in_hand"]
    if as_if_never and limits.claims > 0 and limits.day == rep.today(taken_at):
        lowered += ["claims"]
        conditions += ["claims_day = :day"]
        values[":day"] = {"S": limits.day.isoformat()}
    if as_if_never and limits.leads > 0 and limits.week == rep.this_week(taken_at):
        lowered += ["leads"]
        conditions += ["leads_week = :week"]
        values[":week"] = {"S": limits.week.isoformat()}
    if not lowered:
        return []
    return [
        _update(
            to.organisation_table,
            {"pk": {"S": keys.rep(rep.rep_id)}},
            "ADD " + ", ".join(f"{name} :less" for name in lowered),
            " AND ".join([*conditions, *(f"{name} > :none" for name in lowered)]),
            {},
            {":less": {"N": "-1"}, ":none": {"N": "0"}, **values},
        )
    ]


def reopen_lock(to: Settings, held: Lead, back: Lead) -> dict[str, Any]:
    """Return the write that replaces a held lead by the one it is opened or assigned anew as."""
    record = lock_from(back)
    await_somebody(record, back, back.opens_at)
    return {
        "Put": {
            "TableName": to.leads_table,
            "Item": record.serialize(),
            # Work recorded meanwhile keeps the lead where it is, and off the counts only once.
            "ConditionExpression": "#state = :state AND #owner = :rep AND epoch = :epoch"
            + (" AND attribute_not_exists(worked_at)" if held.worked_at is None else ""),
            "ExpressionAttributeNames": {"#state": "state", "#owner": "owner"},
            "ExpressionAttributeValues": {
                ":state": {"S": held.state.value},
                ":rep": {"S": str(held.owner)},
                ":epoch": {"N": str(held.epoch)},
            },
        }
    }


def put_record(to: Settings, claim: Claim) -> dict[str, Any]:
    """Return the write that records who took the lead: the event everybody else hears of."""
    record = claim_record(claim)
    record.outbox_shard = keys.outbox_shard(keys.shard_of(claim.lead_id))
    record.outbox_at = claim.claimed_at
    return {
        "Put": {
            "TableName": to.leads_table,
            "Item": record.serialize(),
            "ConditionExpression": "attribute_not_exists(lead_id) OR epoch < :epoch",
            "ExpressionAttributeValues": {":epoch": {"N": str(claim.epoch)}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def put_move(to: Settings, move: Move) -> dict[str, Any]:
    """Return the write that records one step of a lead's life; a release is an event of its own."""
    record = move_record(move)
    if move.to_state is State.RELEASED:
        record.outbox_shard = keys.outbox_shard(keys.shard_of(move.lead_id))
        record.outbox_at = move.at
    return {"Put": {"TableName": to.leads_table, "Item": record.serialize()}}


def await_somebody(record: LockRecord, lead: Lead, now: datetime) -> None:
    """Put a lock among the open leads, or among those to be assigned, and that into the outbox."""
    shard = keys.shard_of(lead.lead_id)
    if lead.state is State.OPEN:
        record.wait_shard, record.wait_at = keys.open_shard(shard), lead.opens_at
    else:
        record.wait_shard, record.wait_at = keys.queue_shard(shard), lead.received_at
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
