"""The writes a race's transactions are made of: each one change of one item, under its guards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import to_ms
from dibs.aws.settings import Settings
from dibs.core.lead import Claim, Lead, State, Transition
from dibs.race.guards import Guard
from dibs.race.records import claim_item, lock_item, transition_item
from dibs.race.rep_records import RepRecord

if TYPE_CHECKING:
    from dibs.race.usage import Change


def take_lock(to: Settings, lead: Lead, claim: Claim, still: str) -> dict[str, Any]:
    """Return the write that gives the lead to the claim's rep, while it is as it was read.

    `still` is a further condition, as a DynamoDB expression. Until the holder has worked the lead
    it waits for that, where the playbook says for how long (C11).
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
    return update_item(
        to.leads_table,
        {"lead_id": {"S": lead.lead_id}, "sk": {"S": keys.LOCK}},
        change,
        condition,
        values,
        {"#state": "state", "#owner": "owner"},
        tells_old=True,
    )


def write_usage(to: Settings, change: Change) -> list[dict[str, Any]]:
    """Return the write that changes what a rep has used up, or only checks the guards.

    It knows no rule: `change` says what is counted, and up to what.
    """
    values: Item = {}
    names = dict[str, str]()

    def value(field: str, said: Any) -> str:
        if type(said) is int:  # most are, and often the same
            name = f":n{said}" if said >= 0 else f":less{-said}"
            values[name] = {"N": str(said)}
        else:
            name, attribute = f":v{len(values)}", _REP[field]
            values[name] = {attribute.attr_type: attribute.serialize(said)}
        return name

    def condition_of(guard: Guard) -> str:
        name = _stored(guard.field)
        if name in _RESERVED:
            names[f"#{name}"] = name
            name = f"#{name}"
        if guard.value is None:
            said = f"attribute_not_exists({name})"
        else:
            said = f"{name} {guard.must_be} {value(guard.field, guard.value)}"
            if guard.must_be in ("<", "<="):
                said = f"(attribute_not_exists({name}) OR {said})"
        return f"({said} OR {condition_of(guard.or_else)})" if guard.or_else else said

    adds = [f"{_stored(name)} {value(name, by)}" for name, by in change.adds.items()]
    sets = [f"{_stored(name)} = {value(name, new)}" for name, new in change.sets.items()]
    sets += [
        f"{_stored(name)} = if_not_exists({_stored(was)}, {value(name, 0)})"
        for name, was in change.copies.items()
    ]
    sets += [
        f"{_stored(name)} = list_append("
        f"if_not_exists({_stored(name)}, {value(name, ())}), {value(name, (new,))})"
        for name, new in change.appends.items()
    ]
    clauses = (("ADD ", adds), ("SET ", sets))
    update = " ".join(verb + ", ".join(parts) for verb, parts in clauses if parts)
    if not update and not change.guards:
        return []
    condition = " AND ".join(["attribute_exists(pk)", *map(condition_of, change.guards)])
    key: Item = {"pk": {"S": keys.rep(change.rep_id)}}
    table = to.organisation_table
    write = update_item(table, key, update, condition, values, names, tells_old=True)
    if not update:
        del write["Update"]["UpdateExpression"]
        return [{"ConditionCheck": write["Update"]}]
    return [write]


_REP = RepRecord.get_attributes()
_STORED = {field: attribute.attr_name for field, attribute in _REP.items()}
_RESERVED = ("leave",)  # a word of DynamoDB's own, which an expression may not use as it is


def _stored(field: str) -> str:
    """Return what a rep's item calls a field of their usage."""
    return _STORED[field]


def reopen_lock(to: Settings, held: Lead, back: Lead) -> dict[str, Any]:
    """Return the write that replaces a held lead by the one it is opened or assigned anew as."""
    return put_lock(to, held, lock_item(back, **awaiting_somebody(back, back.opens_at)))


def put_lock(to: Settings, was: Lead, item: Item) -> dict[str, Any]:
    """Return the write that replaces a lock, while the lead is as it was read."""
    values: Item = {":state": {"S": was.state.value}, ":epoch": {"N": str(was.epoch)}}
    if was.owner is not None:
        values[":rep"] = {"S": was.owner}
    return {
        "Put": {
            "TableName": to.leads_table,
            "Item": item,
            # Work recorded meanwhile keeps the lead where it is. It, and accepting the lead,
            # lowered the counts already; they must not be lowered twice.
            "ConditionExpression": "#state = :state AND epoch = :epoch AND "
            + ("attribute_not_exists(#owner)" if was.owner is None else "#owner = :rep")
            + (" AND attribute_not_exists(worked_at)" if was.worked_at is None else "")
            + (" AND attribute_not_exists(accepted_at)" if was.unaccepted else ""),
            "ExpressionAttributeNames": {"#state": "state", "#owner": "owner"},
            "ExpressionAttributeValues": values,
        }
    }


def awaiting_work(claim: Claim) -> dict[str, Any]:
    """Return the index attributes that make a lead show up as held and waiting for work (C11)."""
    waits = claim.nudge_at is not None and claim.return_at is not None
    return {
        "holder": claim.rep_id,
        "wait_shard": keys.work_shard(keys.shard_of(claim.lead_id)) if waits else None,
        "wait_at": claim.nudge_at if waits else None,
    }


def put_record(to: Settings, claim: Claim) -> dict[str, Any]:
    """Return the write that records who took the lead: the event everybody else hears of."""
    shard = keys.outbox_shard(keys.shard_of(claim.lead_id))
    return {
        "Put": {
            "TableName": to.leads_table,
            "Item": claim_item(claim, outbox_shard=shard, outbox_at=claim.claimed_at),
            "ConditionExpression": "attribute_not_exists(lead_id) OR epoch < :epoch",
            "ExpressionAttributeValues": {":epoch": {"N": str(claim.epoch)}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def put_transition(to: Settings, transition: Transition) -> dict[str, Any]:
    """Return the write that records one step of a lead's life; a release is an event of its own."""
    outbox: dict[str, Any] = {}
    if transition.to_state is State.RELEASED:
        shard = keys.outbox_shard(keys.shard_of(transition.lead_id))
        outbox = {"outbox_shard": shard, "outbox_at": transition.at}
    return {"Put": {"TableName": to.leads_table, "Item": transition_item(transition, **outbox)}}


def awaiting_somebody(lead: Lead, now: datetime) -> dict[str, Any]:
    """Return the index attributes that make a lead show up as open, waiting or unsent.

    One that is on hold waits for nobody (R7); it is found where a manager looks for it.
    """
    shard = keys.shard_of(lead.lead_id)
    waits: dict[str, Any] = {}
    if lead.state is State.OPEN:
        waits = {"wait_shard": keys.open_shard(shard), "wait_at": lead.opens_at}
    else:
        name = keys.hold_shard if lead.on_hold else keys.queue_shard
        waits = {"wait_shard": name(shard), "wait_at": lead.received_at}
    return {**waits, "outbox_shard": keys.outbox_shard(shard), "outbox_at": now}


def update_item(
    table: str,
    key: Item,
    change: str,
    condition: str,
    values: Item,
    names: Mapping[str, str] | None = None,
    *,
    tells_old: bool = False,
) -> dict[str, Any]:
    """Return the write that changes one item while `condition` holds.

    `tells_old`: a failed condition says what the item was.
    """
    return {
        "Update": {
            "TableName": table,
            "Key": key,
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
            **({"ExpressionAttributeNames": names} if names else {}),
            **({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if tells_old else {}),
        }
    }
