"""Our own way to AWS, over sockets that break: nothing counts twice, and no answer is mixed up."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.wire import DynamoClient, ServiceError, Wire
from dibs.core.errors import Busy, NotConfigured
from support.odd_server import Last, OddServer, answer, refusal, serving, wait_for_bytes

KEY = {"pk": {"S": "REP#aaaac"}}
ITEM = {"pk": {"S": "REP#aaaac"}, "claims": {"N": "10"}}
FOUND = answer(json.dumps({"Item": ITEM}).encode())
DONE = answer(b"{}")
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


WIRES: list[Wire] = []


@pytest.fixture(autouse=True)
def tidy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test waits before it asks again, and none leaves a connection open."""
    monkeypatch.setattr(random, "uniform", lambda low, high: 0.0)
    yield
    while WIRES:
        WIRES.pop().close()


def a_wire(environment: dict[str, str], **options: Any) -> Wire:
    options = {"connect_seconds": 1, "read_seconds": 2, **options}
    WIRES.append(Wire("dynamodb", environment=environment, **options))
    return WIRES[-1]


@pytest.fixture
def server() -> Iterator[OddServer]:
    """Finds an item, and takes every write."""
    with serving(lambda request: FOUND if b"GetItem" in request else DONE) as running:
        yield running


def dynamo(server: OddServer, **options: Any) -> Dynamo:
    url = f"http://127.0.0.1:{server.port}"
    return Dynamo(DynamoClient(a_wire({**KEYS, "AWS_ENDPOINT_URL_DYNAMODB": url}, **options)))


def count(database: Dynamo) -> None:
    """A write that counts twice if it is asked for twice."""
    database.update("t", KEY, "ADD claims :one", ExpressionAttributeValues={":one": {"N": "1"}})


def transact(database: Dynamo) -> None:
    database.transact([{"Put": {"TableName": "t", "Item": KEY}}] * 3)


WRITES = {
    "a counter": count,
    "a put": lambda database: database.put("t", ITEM),
    # Its second try would be refused by what the first one wrote.
    "a put with a condition": lambda database: database.put("t", ITEM, "attribute_not_exists(pk)"),
    "a delete": lambda database: database.delete("t", KEY, "attribute_exists(pk)"),
    "a batch": lambda database: database.batch_put("t", [ITEM]),
}
WHOLE = {
    "a read": lambda database: database.get("t", KEY),
    "a batch of reads": lambda database: database.batch_get({"t": [KEY]}),
    "a query": lambda database: list(database.query("t", "pk = :pk", {":pk": {"S": "x"}})),
    "a transaction": transact,
}
ANSWERS = {
    b"BatchGetItem": answer(json.dumps({"Responses": {"t": [ITEM]}}).encode()),
    b"Query": answer(json.dumps({"Items": [ITEM]}).encode()),
}


def sent(request: bytes) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(request.partition(b"\r\n\r\n")[2])
    return told


def usual(request: bytes) -> bytes:
    operation = request.partition(b"DynamoDB_20120810.")[2].partition(b"\r\n")[0]
    return ANSWERS.get(operation, FOUND if operation == b"GetItem" else DONE)


# A connection that breaks


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_a_write_cut_anywhere_is_never_done_twice(write: Any) -> None:
    with serving(usual) as server:
        database = dynamo(server)
        write(database)
        length = len(server.requests.pop())
        for cut in range(0, length, 7):
            server.stop_after, server.requests[:] = cut, []
            database = dynamo(server)
            try:
                write(database)
            except Busy:  # nobody knows; the caller decides
                assert server.requests == []
            else:
                assert len(server.requests) == 1


@pytest.mark.parametrize("act", WHOLE.values(), ids=WHOLE.keys())
def test_what_may_be_asked_twice_is_answered_wherever_its_request_was_cut(act: Any) -> None:
    with serving(usual) as server:
        act(dynamo(server))
        length = len(server.requests.pop())
        for cut in range(0, length, 7):
            server.stop_after, server.requests[:] = cut, []
            act(dynamo(server))
            assert len(server.requests) == 1


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_a_write_whose_answer_is_cut_anywhere_was_done_once(write: Any) -> None:
    for cut in range(len(DONE)):
        with serving(lambda request, cut=cut: Last(usual(request)[:cut])) as server:
            with pytest.raises(Busy):
                write(dynamo(server))
            assert len(server.requests) == 1


@pytest.mark.parametrize("act", WHOLE.values(), ids=WHOLE.keys())
def test_what_may_be_asked_twice_is_answered_wherever_its_answer_was_cut(act: Any) -> None:
    for cut in range(0, len(DONE), 3):
        with serving(usual) as server:
            server.behaviour = lambda request, cut=cut, server=server: (
                Last(usual(request)[:cut]) if len(server.requests) == 1 else usual(request)
            )
            act(dynamo(server))
            assert len(server.requests) == 2


def test_a_transaction_asked_twice_is_one_transaction_to_dynamodb(server: OddServer) -> None:
    database = dynamo(server)
    server.behaviour = lambda request: Last(b"") if len(server.requests) == 1 else DONE
    transact(database)
    transact(database)
    first, again, other = (sent(request)["ClientRequestToken"] for request in server.requests)
    assert first == again != other
    database.transact([{"Put": {"TableName": "t", "Item": KEY}}], token="mine")
    assert sent(server.requests[-1])["ClientRequestToken"] == "mine"


def test_a_connection_the_service_closed_while_it_was_idle_is_not_used(server: OddServer) -> None:
    database = dynamo(server)
    for number in range(1, 4):
        count(database)
        assert len(server.requests) == number
        server.hang_up()
        wait_for_bytes(database.client.wire._idle)


def test_a_counter_goes_over_no_connection_that_was_idle_long(
    server: OddServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, now = dynamo(server), time.monotonic()
    count(database)
    count(database)
    assert server.connections == 1
    monkeypatch.setattr(time, "monotonic", lambda: now + 60)
    database.get("t", KEY)  # a read may fail and be asked again
    assert server.connections == 1
    monkeypatch.setattr(time, "monotonic", lambda: now + 120)
    count(database)
    assert server.connections == 2


def test_a_service_that_hangs_is_waited_for_no_longer_than_allowed(server: OddServer) -> None:
    server.behaviour = lambda request: b""
    database = dynamo(server, read_seconds=0.05)
    for act, tries in ((count, 1), (WHOLE["a read"], 3)):
        server.requests.clear()
        started = time.monotonic()
        with pytest.raises(Busy):
            act(database)
        assert time.monotonic() - started < 1
        assert len(server.requests) == tries


def test_a_service_that_is_not_there_is_busy() -> None:
    with serving(usual) as server:
        pass
    with pytest.raises(Busy):
        count(dynamo(server))


# Answers


def test_bytes_are_sent_and_read_as_base64(server: OddServer) -> None:
    item = {"pk": {"S": "x"}, "salt": {"B": b"\x00\xff"}, "many": {"BS": [b"a", b"b"]}}
    item["B"] = {"M": {"B": {"S": "no bytes"}}}
    database = dynamo(server)
    database.put("t", item)
    stored = sent(server.requests[-1])["Item"]
    assert stored["salt"] == {"B": "AP8="}
    server.behaviour = lambda request: answer(json.dumps({"Item": stored}).encode())
    assert database.get("t", KEY) == {**item, "many": {"BS": [b"a", b"b"]}}


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x;note=1\r\n%s\r\n" % (len(part), part) for part in parts)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + chunks + b"0\r\nTrailer: x\r\n\r\n"


LARGE = json.dumps({"Item": {**ITEM, "text": {"S": "é" * 1_500_000}}}).encode()


@pytest.mark.parametrize(
    "told",
    [
        answer(LARGE),
        chunked(LARGE, 10_007),
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(LARGE),
        Last(answer(LARGE, "200 OK", "Connection: close")),
        Last(answer(LARGE).replace(b"HTTP/1.1", b"HTTP/1.0")),
    ],
    ids=["large", "chunked", "continued", "the last", "old"],
)
def test_an_answer_is_read_in_any_form_http_has(server: OddServer, told: bytes) -> None:
    server.behaviour = lambda request: told
    database = dynamo(server)
    for _ in range(2):
        assert database.get("t", KEY) == json.loads(LARGE)["Item"]
    assert server.connections == (2 if isinstance(told, Last) else 1)


@pytest.mark.parametrize(
    "told",
    [
        FOUND.replace(b'"10"', b'"99"'),
        FOUND.replace(b"Content-Length: ", b"Content-Length: -"),
        FOUND.replace(b"Content-Length: ", b"Content-Length: +"),
        FOUND.replace(b"Content-Length", b"Content-Size"),
        FOUND.replace(b"200 OK", b"OK"),
        FOUND.replace(b"HTTP/1.1", b"SSH-2.0"),
        FOUND.replace(b"Content-Type", b"Content-Encoding: gzip\r\nContent-Type"),
        chunked(LARGE, 1000).replace(b"3e8;", b"3e7;", 1),
        chunked(LARGE, 1000).replace(b"3e8;", b"0x3e8;", 1),
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000,
        answer(b"[]"),
        answer(b'{"Item":'),
        answer(b"\xff\xfe\x00"),
    ],
    ids=lambda told: told[:40],
)
def test_what_is_no_answer_is_never_taken_for_one(server: OddServer, told: bytes) -> None:
    server.behaviour = lambda request: Last(told)
    with pytest.raises(Busy):
        dynamo(server).get("t", KEY)
    server.requests.clear()
    with pytest.raises(Busy):
        count(dynamo(server))
    assert len(server.requests) == 1


def test_bytes_after_an_answer_are_not_the_answer_to_the_next_request(server: OddServer) -> None:
    other = answer(json.dumps({"Item": {"pk": {"S": "somebody else"}}}).encode())
    server.behaviour = lambda request: FOUND + other if len(server.requests) == 1 else FOUND
    database = dynamo(server)
    assert [database.get("t", KEY) for _ in range(3)] == [ITEM] * 3
    assert server.connections == 2


def test_bytes_that_come_late_are_not_the_answer_to_the_next_request(server: OddServer) -> None:
    other = answer(json.dumps({"Item": {"pk": {"S": "somebody else"}}}).encode())
    database = dynamo(server)
    assert database.get("t", KEY) == ITEM
    server._open[0].sendall(other)
    wait_for_bytes(database.client.wire._idle)
    assert database.get("t", KEY) == ITEM


# Refusals


@pytest.mark.parametrize(
    "code",
    ["ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"],
)
@pytest.mark.parametrize("act", [*WRITES.values(), *WHOLE.values()])
def test_what_was_throttled_was_not_done_and_is_asked_again(
    server: OddServer, act: Any, code: str
) -> None:
    throttled = refusal(code)
    server.behaviour = lambda r: throttled if len(server.requests) < 3 else usual(r)
    act(dynamo(server))
    assert len(server.requests) == 3
    server.behaviour = lambda r: throttled
    server.requests.clear()
    with pytest.raises(Busy):
        act(dynamo(server))
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "told",
    [
        refusal("InternalServerError", "500 Internal Server Error"),
        refusal("ServiceUnavailable", "503 Service Unavailable"),
        answer(b"<html>Bad Gateway</html>", "502 Bad Gateway"),
        answer(b"", "504 Gateway Timeout"),
    ],
    ids=["500", "503", "502", "504"],
)
def test_a_service_that_fails_may_have_done_it_all_the_same(server: OddServer, told: bytes) -> None:
    server.behaviour = lambda r: told if len(server.requests) < 3 else usual(r)
    assert dynamo(server).get("t", KEY) == ITEM
    server.requests.clear()
    with pytest.raises(Busy):
        count(dynamo(server))
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException"])
def test_a_mistake_of_ours_is_told_in_dynamodbs_words(server: OddServer, code: str) -> None:
    server.behaviour = lambda request: refusal(code)
    with pytest.raises(ServiceError, match=f"{code}: no") as refused:
        dynamo(server).get("t", KEY)
    assert (refused.value.code, refused.value.status) == (code, 400)
    assert len(server.requests) == 1


def test_a_failed_condition_hands_back_what_it_met(server: OddServer) -> None:
    more = f',"Item":{json.dumps(ITEM)}'
    server.behaviour = lambda request: refusal("ConditionalCheckFailedException", more=more)
    with pytest.raises(ConditionFailed) as failure:
        dynamo(server).put("t", ITEM, "attribute_not_exists(pk)")
    assert failure.value.items == (ITEM,)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("None", "ConditionalCheckFailed"), ConditionFailed),
        (("ConditionalCheckFailed", "TransactionConflict"), Busy),
        (("ThrottlingError", "None"), Busy),
        (("ValidationError", "None"), ServiceError),
    ],
)
def test_a_cancelled_transaction_says_why(
    server: OddServer, codes: tuple[str, ...], expected: type[Exception]
) -> None:
    reasons = [{"Code": code, **({"Item": ITEM} if "Check" in code else {})} for code in codes]
    more = f',"CancellationReasons":{json.dumps(reasons)}'
    server.behaviour = lambda request: refusal("TransactionCanceledException", more=more)
    with pytest.raises(expected) as failure:
        transact(dynamo(server))
    assert len(server.requests) == 1
    if isinstance(failure.value, ConditionFailed):
        assert failure.value.items == (None, ITEM)
        assert failure.value.failed == (False, True)


# Threads


def test_many_threads_share_few_connections_and_each_gets_its_own_answer() -> None:
    at_once, most, lock = 0, 0, threading.Lock()
    eight = threading.Barrier(8, timeout=10)

    def echo(request: bytes) -> bytes:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        eight.wait()
        with lock:
            at_once -= 1
        return answer(json.dumps({"Item": sent(request)["Key"]}).encode())

    with serving(echo) as server:
        database = dynamo(server, connections=8)

        def ask(number: int) -> bool:
            key = {"pk": {"S": str(number)}}
            return database.get("t", key) == key

        with ThreadPoolExecutor(32) as pool:
            assert all(pool.map(ask, range(800)))
        assert (server.connections, most) == (8, 8)
        assert Counter(sent(r)["Key"]["pk"]["S"] for r in server.requests).most_common(1)[0][1] == 1


def test_connections_opened_ahead_are_the_ones_that_are_used(server: OddServer) -> None:
    database = dynamo(server)
    database.client.wire.open(3)
    assert all(server.accepted.acquire(timeout=5) for _ in range(3))
    database.client.wire.open(2)
    for _ in range(3):
        count(database)
    assert server.connections == 3


# Where, and who asks


@pytest.mark.parametrize(
    ("environment", "host"),
    [
        ({}, "dynamodb.us-east-1.amazonaws.com"),
        ({"AWS_REGION": "cn-north-1"}, "dynamodb.cn-north-1.amazonaws.com.cn"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"}, "dynamodb.eu-west-1.amazonaws.com"),
        ({"AWS_ENDPOINT_URL": "http://localhost:4566"}, "localhost:4566"),
        ({"AWS_ENDPOINT_URL": "http://[::1]:80/"}, "[::1]"),
        (
            {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_DYNAMODB": "https://b:443"},
            "b",
        ),
        (
            {"AWS_ENDPOINT_URL": "http://a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE"},
            "dynamodb.us-east-1.amazonaws.com",
        ),
    ],
)
def test_the_service_is_where_the_environment_says(environment: dict[str, str], host: str) -> None:
    wire = a_wire({**KEYS, **environment})
    assert f"\r\nhost: {host}\r\n".encode() in wire.signed({}, b"")


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"AWS_REGION": ""}, "AWS_REGION"),
        ({"AWS_ACCESS_KEY_ID": ""}, "AWS_CLIENT=boto3"),
        ({"AWS_ENDPOINT_URL": "localhost:4566"}, "AWS_ENDPOINT_URL"),
    ],
)
def test_what_is_missing_is_named(environment: dict[str, str], named: str) -> None:
    with pytest.raises(NotConfigured, match=named):
        a_wire({**KEYS, **environment})


def test_credentials_that_were_replaced_sign_the_next_request(server: OddServer) -> None:
    environment = {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.port}"}
    database = Dynamo(DynamoClient(a_wire(environment)))
    count(database)
    environment |= {"AWS_ACCESS_KEY_ID": "second", "AWS_SESSION_TOKEN": "session"}
    count(database)
    assert [b"Credential=second/" in request for request in server.requests] == [False, True]
    assert [b"x-amz-security-token: session" in r for r in server.requests] == [False, True]
