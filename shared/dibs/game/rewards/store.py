"""Rewards and the requests for them (G9), on DynamoDB.

A request stands in its rep's partition, beside the points it moves. Requests by state are found
through the index `filed`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from pynamodb.attributes import Attribute, AttributeContainer, BooleanAttribute, UnicodeAttribute
from pynamodb.constants import STRING

from dibs.aws import keys
from dibs.aws.attributes import InstantAttribute, IntegerAttribute, Item, KeyAttribute
from dibs.aws.clock import from_ms, to_ms
from dibs.aws.codec import Codec
from dibs.aws.dynamo import ConditionFailed, Dynamo, insisting
from dibs.aws.settings import Settings
from dibs.game.rewards.ports import RewardStore
from dibs.game.rewards.rules import (
    UNDER_WAY,
    RequestState,
    RequestStep,
    Reward,
    RewardRequest,
    payment,
    refund,
)
from dibs.game.scoring.points import Account
from dibs.game.scoring.points_store import account_from, balance_key, transfer_writes

_LATEST = 100


class StepsAttribute(Attribute[tuple[RequestStep, ...]]):
    """The steps of a request's life in order, as JSON."""

    attr_type = STRING

    def serialize(self, value: tuple[RequestStep, ...]) -> str:
        steps = [[step.state, to_ms(step.at), step.by, step.reason] for step in value]
        return json.dumps(steps, ensure_ascii=False, separators=(",", ":"))

    def deserialize(self, value: str) -> tuple[RequestStep, ...]:
        return tuple(
            RequestStep(RequestState(state), from_ms(at), by, reason)
            for state, at, by, reason in json.loads(value)
        )


class RewardRecord(AttributeContainer):
    """A reward (game table); `taken` is counted up and down by the requests for it alone."""

    pk = UnicodeAttribute(hash_key=True, default=keys.REWARDS)
    reward_id = UnicodeAttribute(range_key=True, attr_name="sk")
    name = UnicodeAttribute(attr_name="title")
    price = IntegerAttribute()
    stock = IntegerAttribute(null=True)
    approval = BooleanAttribute()
    active = BooleanAttribute(attr_name="offered")
    taken = IntegerAttribute()


class RequestRecord(AttributeContainer):
    """A rep's request for a reward (game table), with every step of its life."""

    rep_id = KeyAttribute(keys.account, hash_key=True, attr_name="pk")
    request_id = KeyAttribute(keys.reward_request, range_key=True, attr_name="sk")
    reward_id = UnicodeAttribute()
    name = UnicodeAttribute(attr_name="title")
    price = IntegerAttribute()
    steps = StepsAttribute()
    filed_under = UnicodeAttribute()
    filed_at = InstantAttribute()


_REWARD = Codec(RewardRecord, Reward)
_REQUEST = Codec(
    RequestRecord,
    RewardRequest,
    beside=lambda request: {
        "filed_under": keys.requests_in(request.state),
        "filed_at": request.since,
    },
)
reward_item, reward_from = _REWARD.item, _REWARD.value
request_item, request_from = _REQUEST.item, _REQUEST.value


class DynamoRewards(RewardStore):
    """`RewardStore` on DynamoDB."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings
        self._table = settings.game_table

    def rewards(self) -> list[Reward]:
        """Return every reward there is, also those not to be had now, by id."""
        values: Item = {":rewards": {"S": keys.REWARDS}}
        found = self._db.query(self._table, "pk = :rewards", values, ConsistentRead=True)
        return list(map(reward_from, found))

    def put(self, reward: Reward) -> bool:
        """Store a reward, but what is taken of it; False when that is more than its stock."""
        stored = reward_item(reward)
        kept = {name: stored[name] for name in stored if name not in ("pk", "sk", "taken")}
        values: Item = {":none": {"N": "0"}, **{f":{name}": kept[name] for name in kept}}
        sets = ", ".join(f"{name} = :{name}" for name in kept)
        change = f"SET {sets}, taken = if_not_exists(taken, :none)"
        condition: str | None = "attribute_not_exists(taken) OR taken <= :stock"
        if reward.stock is None:
            change, condition = f"{change} REMOVE stock", None
        try:
            self._db.update(
                self._table,
                _reward_key(reward.reward_id),
                change,
                condition,
                ExpressionAttributeValues=values,
            )
        except ConditionFailed:
            return False
        return True

    def look(
        self, rep_id: str, reward_id: str, request_id: str
    ) -> tuple[Reward | None, Account, RewardRequest | None]:
        """Return a reward, a rep's points and a request of theirs, as they are now."""
        wanted = [_reward_key(reward_id), balance_key(rep_id), _request_key(request_id)]
        items = self._db.batch_get({self._table: wanted}, (self._table,))[self._table]
        found = {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
        reward, account, request = (found.get((key["pk"]["S"], key["sk"]["S"])) for key in wanted)
        return (
            reward_from(reward) if reward else None,
            account_from(account) if account else Account(rep_id),
            request_from(request) if request else None,
        )

    def ask(self, reward: Reward, request: RewardRequest) -> bool:
        """Store a new request, with the points it costs and the piece of stock it takes.

        False when the reward or the points do not allow it any more, or it was stored before;
        nothing was changed then.

        Raises:
            Busy: the store is busy for longer than we may wait.
        """
        new = {
            "TableName": self._table,
            "Item": request_item(request),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        taken = {
            "TableName": self._table,
            "Key": _reward_key(reward.reward_id),
            "UpdateExpression": "ADD taken :one",
            "ConditionExpression": "offered = :yes AND price = :price AND approval = :approval "
            "AND (attribute_not_exists(stock) OR taken < stock)",
            "ExpressionAttributeValues": {
                ":one": {"N": "1"},
                ":yes": {"BOOL": True},
                ":price": {"N": str(request.price)},
                ":approval": {"BOOL": reward.approval},
            },
        }
        paid = transfer_writes(self._to, [payment(request)], covered=True)
        return self._write([{"Put": new}, {"Update": taken}, *paid])

    def find(self, request_id: str) -> RewardRequest | None:
        """Return a request, as it is now."""
        found = self._db.get(self._table, _request_key(request_id), consistent=True)
        return request_from(found) if found else None

    def move(self, was: RewardRequest, now: RewardRequest) -> bool:
        """Store a request's next step, with what goes back; False when it was not as it was read.

        Raises:
            Busy: the store is busy for longer than we may wait.
        """
        step = {
            "TableName": self._table,
            "Item": request_item(now),
            "ConditionExpression": "steps = :was",
            "ExpressionAttributeValues": {":was": {"S": StepsAttribute().serialize(was.steps)}},
        }
        writes: list[dict[str, Any]] = [{"Put": step}]
        back = refund(now)
        if back is not None:
            returned = {
                "TableName": self._table,
                "Key": _reward_key(now.reward_id),
                "UpdateExpression": "ADD taken :less",
                "ExpressionAttributeValues": {":less": {"N": "-1"}},
            }
            writes += [{"Update": returned}, *transfer_writes(self._to, [back])]
        return self._write(writes)

    def _write(self, writes: list[dict[str, Any]]) -> bool:
        try:
            # Others may be asking for the same reward at this moment.
            insisting(lambda: self._db.transact(writes))
        except ConditionFailed:
            return False
        return True

    def of_rep(self, rep_id: str) -> list[RewardRequest]:
        """Return a rep's requests, the newest first."""
        found = self._db.query(
            self._table,
            "pk = :account AND begins_with(sk, :requests)",
            {":account": {"S": keys.account(rep_id)}, ":requests": {"S": keys.REQUESTS}},
            ConsistentRead=True,
        )
        return sorted(map(request_from, found), key=lambda one: one.at, reverse=True)

    def in_state(self, state: RequestState, until: datetime | None = None) -> list[RewardRequest]:
        """Return the requests in a state, by since when; `until`: those that are since then.

        The oldest first where something is still to be done, else the latest hundred, the newest
        first.
        """
        over = state not in UNDER_WAY
        due: Item = {} if until is None else {":until": {"N": str(to_ms(until))}}
        found = self._db.query(
            self._table,
            "filed_under = :state" + (" AND filed_at <= :until" if due else ""),
            {":state": {"S": keys.requests_in(state)}, **due},
            index=keys.FILED_INDEX,
            ScanIndexForward=not over,
        )
        return list(map(request_from, islice(found, _LATEST) if over else found))

    def requests(self) -> Iterator[RewardRequest]:
        """Yield every request there is, in no order, for the audit."""
        found = self._db.scan(
            self._table,
            FilterExpression="begins_with(pk, :accounts) AND begins_with(sk, :requests)",
            ExpressionAttributeValues={
                ":accounts": {"S": keys.ACCOUNTS},
                ":requests": {"S": keys.REQUESTS},
            },
            ConsistentRead=True,
        )
        return map(request_from, found)


def _reward_key(reward_id: str) -> Item:
    return {"pk": {"S": keys.REWARDS}, "sk": {"S": reward_id}}


def _request_key(request_id: str) -> Item:
    rep_id, _, _ = request_id.partition(".")
    return {"pk": {"S": keys.account(rep_id)}, "sk": {"S": keys.reward_request(request_id)}}
