"""Leads that go to somebody, and come back, without a race, on DynamoDB (C7, C11, M5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dibs.assignment.ports import AssignmentWrite, Holdings, Override
from dibs.assignment.round_robin import Turn
from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import to_ms
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.core.lead import Lead, Transition
from dibs.race.records import lead_from, lock_item
from dibs.race.store import place_at_night, read_waiting
from dibs.race.usage import Change, work_lead
from dibs.race.writes import (
    awaiting_somebody,
    awaiting_work,
    put_lock,
    put_record,
    put_transition,
    reopen_lock,
    take_lock,
    write_usage,
)


class DynamoHoldings(Holdings):
    """`Holdings` on DynamoDB."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings

    def queued(self) -> list[Lead]:
        """Return the leads that wait to be assigned, the oldest first."""
        found = read_waiting(self._db, self._to, keys.queue_shard)
        return sorted(found, key=lambda lead: (lead.received_at, lead.lead_id))

    def unworked(self, until: datetime) -> list[Lead]:
        """Return the held leads whose holder is due a reminder by `until`, or has lost them."""
        return read_waiting(self._db, self._to, keys.work_shard, until)

    def held_by(self, rep_id: str) -> list[Lead]:
        """Return the leads a rep holds and is not done with, the oldest first."""
        held = self._db.query(
            self._to.leads_table,
            "holder = :rep",
            {":rep": {"S": rep_id}},
            index=keys.HELD_INDEX,
        )
        wanted = [{"lead_id": item["lead_id"], "sk": item["sk"]} for item in held]
        found = self._db.batch_get({self._to.leads_table: wanted}, (self._to.leads_table,))
        leads = [lead_from(item) for item in found[self._to.leads_table]]
        ours = [lead for lead in leads if lead.owner == rep_id]
        return sorted(ours, key=lambda lead: (lead.claimed_at or lead.opens_at, lead.lead_id))

    def place(self, team: str, begins: datetime) -> int:
        """Count one lead that waits until the team's work begins; return how many came before."""
        return place_at_night(self._db, self._to, team, begins)

    def last_turn(self, rotation: str) -> Turn:
        """Return who was served last in a rotation, as it is now."""
        item = self._db.get(self._to.organisation_table, _rotation(rotation), consistent=True)
        return Turn(int(item["round"]["N"]), item["rep_id"]["S"]) if item else Turn()

    def assign(self, lead: Lead, taken: AssignmentWrite) -> bool:
        """Give the lead to the rep: lock, counts, record, step and turn in one transaction."""
        writes = [
            # What a manager put on hold meanwhile is nobody's turn any more (R7).
            take_lock(self._to, lead, taken.claim, "attribute_not_exists(parked)"),
            *write_usage(self._to, taken.counts),
            put_record(self._to, taken.claim),
            put_transition(self._to, taken.transition),
        ]
        if taken.turn is not None and not taken.claim.test:  # a test lead counts nowhere (C8)
            writes.append(self._pass_turn(taken.rotation, taken.last, taken.turn))
        return self._stored(writes)

    def _pass_turn(self, rotation: str, last: Turn, turn: Turn) -> dict[str, Any]:
        before: Item = {":round": {"N": str(last.round)}, ":rep": {"S": last.rep_id}}
        known = "#round = :round AND rep_id = :rep"
        return {
            "Put": {
                "TableName": self._to.organisation_table,
                "Item": {
                    **_rotation(rotation),
                    "round": {"N": str(turn.round)},
                    "rep_id": {"S": turn.rep_id},
                },
                "ConditionExpression": known if last.rep_id else "attribute_not_exists(pk)",
                **(
                    {
                        "ExpressionAttributeNames": {"#round": "round"},
                        "ExpressionAttributeValues": before,
                    }
                    if last.rep_id
                    else {}
                ),
            }
        }

    def open(self, lead: Lead, opened: Lead, transition: Transition) -> bool:
        """Open a lead that waits to be assigned for its race; False when it moved on meanwhile."""
        item = lock_item(opened, **awaiting_somebody(opened, opened.opens_at))
        write = put_lock(self._to, lead, item)
        # What a manager put on hold meanwhile stays there (R7).
        write["Put"]["ConditionExpression"] += " AND attribute_not_exists(parked)"
        return self._stored([write, put_transition(self._to, transition)])

    def give_back(
        self, held: Lead, back: Lead, transitions: Sequence[Transition], counts: Change
    ) -> bool:
        """Take a held lead from its holder; it is open, or waits to be assigned, again."""
        return self._stored(
            [
                reopen_lock(self._to, held, back),
                *(put_transition(self._to, transition) for transition in transitions),
                *write_usage(self._to, counts),
            ]
        )

    def accept(self, lead: Lead, at: datetime) -> bool:
        """Note that its holder has accepted an assigned lead (F2)."""
        lock = {
            "TableName": self._to.leads_table,
            "Key": {"lead_id": {"S": lead.lead_id}, "sk": {"S": keys.LOCK}},
            "UpdateExpression": "SET accepted_at = :at",
            "ConditionExpression": "epoch = :epoch AND #state = :assigned AND #owner = :rep "
            "AND attribute_not_exists(accepted_at) AND attribute_not_exists(worked_at)",
            "ExpressionAttributeNames": {"#state": "state", "#owner": "owner"},
            "ExpressionAttributeValues": {
                ":at": {"N": str(to_ms(at))},
                ":epoch": {"N": str(lead.epoch)},
                ":assigned": {"S": lead.state.value},
                ":rep": {"S": str(lead.owner)},
            },
        }
        counts = work_lead(str(lead.owner), worked=False, accepted=not lead.test)
        return self._stored([{"Update": lock}, *write_usage(self._to, counts)])

    def override(self, change: Override) -> bool:
        """Store what a manager decided: lock, steps, counts and record in one transaction (R7)."""
        lead, given = change.lead, change.given
        waiting = (
            awaiting_somebody(lead, change.transitions[-1].at)
            if given is None
            else awaiting_work(given.claim)
        )
        writes = [
            put_lock(self._to, change.was, lock_item(lead, **waiting)),
            *(put_transition(self._to, transition) for transition in change.transitions),
            *(write_usage(self._to, change.off) if change.off else ()),
        ]
        if given is not None:
            writes += [*write_usage(self._to, given.counts), put_record(self._to, given.claim)]
        return self._stored(writes)

    def nudged(self, lead: Lead) -> bool:
        """Note that the holder was reminded: the lead is looked at again when it goes back."""
        try:
            self._db.update(
                self._to.leads_table,
                {"lead_id": {"S": lead.lead_id}, "sk": {"S": keys.LOCK}},
                "SET wait_at = return_at",
                "epoch = :epoch AND wait_at < return_at AND attribute_not_exists(worked_at)",
                ExpressionAttributeValues={":epoch": {"N": str(lead.epoch)}},
            )
        except ConditionFailed:
            return False
        return True

    def _stored(self, writes: Sequence[Mapping[str, Any]]) -> bool:
        try:
            self._db.transact(writes)
        except ConditionFailed:
            return False
        return True


def _rotation(rotation: str) -> Item:
    return {"pk": {"S": keys.rotation(rotation)}}
