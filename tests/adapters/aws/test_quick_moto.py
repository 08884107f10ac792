"""moto as tests use it takes the same back as moto itself, when a transaction fails."""

from __future__ import annotations

from typing import Any

import pytest

from dibs.aws.dynamo import ConditionFailed
from support.aws import everything
from support.builders import World

BYTES = {"B": b"\x00\xff"}
NESTED = {"M": {"own": {"L": [{"N": "1"}, BYTES, {"NULL": True}, {"SS": ["a", "b"]}]}}}


def test_a_transaction_that_fails_leaves_everything_as_it_was(world: World) -> None:
    dynamo, leads = world.dynamo, world.settings.leads_table
    organisation, rep = world.settings.organisation_table, {"pk": {"S": "REP#aaaac"}}
    for number in ("1", "2"):
        at = {"lead_id": {"S": "lead"}, "sk": {"S": number}}
        dynamo.put(leads, {**at, "n": {"N": number}, "more": NESTED, "bytes": BYTES})
    dynamo.put(organisation, {**rep, "n": {"N": "1"}})
    before = everything(dynamo.client, world.settings)
    kept = {"lead_id": {"S": "lead"}, "sk": {"S": "1"}}
    value = {"ExpressionAttributeValues": {":n": {"N": "7"}}}
    update = {"UpdateExpression": "SET n = :n, more.own[0] = :n REMOVE bytes", **value}
    count = {"UpdateExpression": "ADD n :n", **value}
    writes: list[dict[str, dict[str, Any]]] = [
        {"Update": {"TableName": leads, "Key": kept, **update}},
        {"Update": {"TableName": organisation, "Key": rep, **count}},
        {"Put": {"TableName": leads, "Item": {**kept, "sk": {"S": "3"}}}},
        {"Delete": {"TableName": leads, "Key": {**kept, "sk": {"S": "2"}}}},
    ]
    missing = {"TableName": leads, "Key": {**kept, "sk": {"S": "9"}}}
    check = {"ConditionCheck": {**missing, "ConditionExpression": "attribute_exists(lead_id)"}}
    with pytest.raises(ConditionFailed):
        dynamo.transact([*writes, check])
    assert everything(dynamo.client, world.settings) == before
    dynamo.transact(writes)
    found = dynamo.get(leads, kept)
    assert found is not None
    assert found["n"] == {"N": "7"}
    assert found["more"]["M"]["own"]["L"] == [{"N": "7"}, *NESTED["M"]["own"]["L"][1:]]
    assert dynamo.get(leads, {**kept, "sk": {"S": "2"}}) is None
    assert dynamo.get(organisation, rep) == {**rep, "n": {"N": "8"}}
