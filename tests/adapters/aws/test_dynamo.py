"""DynamoDB's errors turned into ours, and its half-answers asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.stub import Stubber

from dibs.aws import dynamo as module
from dibs.aws.clients import dynamodb
from dibs.aws.dynamo import ConditionFailed, Dynamo, insisting
from dibs.aws.settings import Settings
from dibs.core.errors import Busy

KEY = {"pk": {"S": "REP#aaaac"}}
OLD = {"pk": {"S": "REP#aaaac"}, "claims": {"N": "10"}}


@pytest.fixture(scope="module")
def client() -> Any:
    return botocore.session.get_session().create_client(
        "dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


@pytest.fixture
def stub(client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    monkeypatch.setattr(module, "_pause", lambda: None)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def transact(client: Any) -> None:
    Dynamo(client).transact([{"Put": {"TableName": "t", "Item": KEY}}] * 3)


@pytest.mark.parametrize(
    "code",
    [
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "TransactionConflictException",
        "TransactionInProgressException",
        "InternalServerError",
        "ServiceUnavailable",
    ],
)
def test_a_store_that_cannot_keep_up_is_busy(client: Any, stub: Stubber, code: str) -> None:
    stub.add_client_error("transact_write_items", code)
    with pytest.raises(Busy):
        transact(client)
    stub.add_client_error("get_item", code)
    with pytest.raises(Busy):
        Dynamo(client).get("t", KEY)


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException"])
def test_a_mistake_of_ours_is_not_hidden_as_busy(client: Any, stub: Stubber, code: str) -> None:
    stub.add_client_error("update_item", code)
    with pytest.raises(ClientError, match=code):
        Dynamo(client).update("t", KEY, "SET a = :b")


def cancelled(stub: Stubber, *codes: str) -> None:
    reasons = [
        {"Code": code, **({"Item": OLD} if code == "ConditionalCheckFailed" else {})}
        for code in codes
    ]
    stub.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": reasons},
    )


def test_a_failed_condition_hands_back_what_it_met_by_position(client: Any, stub: Stubber) -> None:
    cancelled(stub, "None", "ConditionalCheckFailed", "None")
    with pytest.raises(ConditionFailed) as failure:
        transact(client)
    assert failure.value.items == (None, OLD, None)
    assert failure.value.failed == (False, True, False)


@pytest.mark.parametrize(
    "codes",
    [
        ("None", "TransactionConflict", "None"),
        # Whoever holds the item may yet fail, so the condition beside it says nothing.
        ("ConditionalCheckFailed", "TransactionConflict", "None"),
        ("ThrottlingError", "None", "None"),
        ("None", "None", "ProvisionedThroughputExceeded"),
    ],
)
def test_a_conflict_is_neither_a_loss_nor_an_error(
    client: Any, stub: Stubber, codes: tuple[str, ...]
) -> None:
    cancelled(stub, *codes)
    with pytest.raises(Busy):
        transact(client)


def test_a_transaction_cancelled_by_a_mistake_of_ours_is_not_hidden(
    client: Any, stub: Stubber
) -> None:
    cancelled(stub, "ValidationError", "None", "None")
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        transact(client)


def test_a_single_writes_failed_condition_hands_back_what_it_met(
    client: Any, stub: Stubber
) -> None:
    stub.add_client_error(
        "put_item", "ConditionalCheckFailedException", modeled_fields={"Item": OLD}
    )
    with pytest.raises(ConditionFailed) as failure:
        Dynamo(client).put("t", KEY, "attribute_not_exists(pk)")
    assert failure.value.items == (OLD,)


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="x"),
        ConnectTimeoutError(endpoint_url="x"),
        EndpointConnectionError(endpoint_url="x"),
        ConnectionClosedError(endpoint_url="x"),
    ],
)
def test_a_network_that_fails_is_busy_whether_or_not_the_write_arrived(error: Exception) -> None:
    class Dead:
        def transact_write_items(self, **_: Any) -> None:
            raise error

    with pytest.raises(Busy):
        transact(Dead())


def test_missing_credentials_are_not_hidden_as_busy() -> None:
    class Locked:
        def get_item(self, **_: Any) -> None:
            raise NoCredentialsError

    with pytest.raises(NoCredentialsError):
        Dynamo(Locked()).get("t", KEY)


def test_keys_left_unprocessed_are_asked_for_again(client: Any, stub: Stubber) -> None:
    other = {"pk": {"S": "REP#aaaae"}}
    first = {"Keys": [KEY, other], "ConsistentRead": False}
    stub.add_response(
        "batch_get_item",
        {
            "Responses": {"t": [OLD]},
            "UnprocessedKeys": {"t": {"Keys": [other], "ConsistentRead": False}},
        },
        {"RequestItems": {"t": first}},
    )
    stub.add_response(
        "batch_get_item",
        {"Responses": {"t": [other]}, "UnprocessedKeys": {}},
        {"RequestItems": {"t": {"Keys": [other], "ConsistentRead": False}}},
    )
    assert Dynamo(client).batch_get({"t": [KEY, other]}) == {"t": [OLD, other]}


def test_more_than_a_hundred_keys_are_asked_for_in_several_requests(
    client: Any, stub: Stubber
) -> None:
    wanted = [{"pk": {"S": str(number)}} for number in range(150)]
    for part in (wanted[:100], wanted[100:]):
        stub.add_response(
            "batch_get_item",
            {"Responses": {"t": part}, "UnprocessedKeys": {}},
            {"RequestItems": {"t": {"Keys": part, "ConsistentRead": True}}},
        )
    assert Dynamo(client).batch_get({"t": wanted}, consistent=("t",))["t"] == wanted


def test_items_left_unwritten_are_written_again(client: Any, stub: Stubber) -> None:
    puts = [{"PutRequest": {"Item": {"pk": {"S": str(number)}}}} for number in range(30)]
    stub.add_response(
        "batch_write_item",
        {"UnprocessedItems": {"t": puts[3:5]}},
        {"RequestItems": {"t": puts[:25]}},
    )
    stub.add_response(
        "batch_write_item",
        {"UnprocessedItems": {}},
        {"RequestItems": {"t": puts[25:] + puts[3:5]}},
    )
    Dynamo(client).batch_put("t", [put["PutRequest"]["Item"] for put in puts])


def test_a_query_goes_on_to_its_last_page(client: Any, stub: Stubber) -> None:
    asked = {
        "TableName": "t",
        "IndexName": "open",
        "KeyConditionExpression": "a = :a",
        "ExpressionAttributeValues": {":a": {"S": "x"}},
    }
    stub.add_response("query", {"Items": [OLD], "LastEvaluatedKey": KEY}, asked)
    stub.add_response("query", {"Items": [KEY]}, {**asked, "ExclusiveStartKey": KEY})
    found = Dynamo(client).query("t", "a = :a", {":a": {"S": "x"}}, index="open")
    assert list(found) == [OLD, KEY]


def test_a_claim_may_not_hang_on_a_slow_store() -> None:
    # What a function waits that says nothing else.
    [waits] = [f.default for f in fields(Settings) if f.name == "store_timeout_seconds"]
    config = dynamodb(timeout_seconds=float(str(waits))).meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert (config.connect_timeout, config.read_timeout) == (1, 2)


def test_work_nobody_waits_for_insists_on_a_write_others_are_in_the_way_of() -> None:
    outcomes: list[Exception | None] = [Busy(conflict=True), Busy(conflict=True), None]

    def write() -> None:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    insisting(write)
    assert outcomes == []
    outcomes.extend([Busy(), None])
    with pytest.raises(Busy):  # slow or throttled: asking again makes it worse
        insisting(write)
    assert outcomes == [None]
    outcomes[:] = [Busy(conflict=True)] * 30
    with pytest.raises(Busy):
        insisting(write)
