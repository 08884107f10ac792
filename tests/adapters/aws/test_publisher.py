"""Publishing to SNS without boto3: the same form, the same verdicts."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from botocore.config import Config

from dibs.aws import clock
from dibs.aws.connection import Broken, Connection
from dibs.aws.publisher import Boto3Publisher, OwnPublisher
from dibs.aws.wire import Wire
from support.odd_server import Last, OddServer, answer, serving, wait_for_bytes

CONNECTIONS, WAIT = 20, 0.5
MESSAGE: dict[str, Any] = {
    "TargetArn": "arn:aws:sns:us-east-1:123456789012:endpoint/GCM/dibs/1",
    "Message": '{"default": "Selamat pagi & é"}',
    "MessageStructure": "json",
    "MessageAttributes": {
        "AWS.SNS.MOBILE.GCM.TTL": {"DataType": "String", "StringValue": "900"},
        "AWS.SNS.MOBILE.APNS.PRIORITY": {"DataType": "String", "StringValue": "10"},
    },
}
PUBLISHED = answer(
    b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
)
DISABLED = answer(
    b"<ErrorResponse><Error><Type>Sender</Type><Code>EndpointDisabled</Code>"
    b"<Message>Endpoint is disabled</Message></Error></ErrorResponse>",
    "400 Bad Request",
)
THROTTLED = answer(
    b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error>"
    b"</ErrorResponse>",
    "400 Bad Request",
)


@pytest.fixture
def server() -> Iterator[OddServer]:
    with serving(lambda request: PUBLISHED) as running:
        yield running


@pytest.fixture
def publisher(server: OddServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnPublisher]:
    monkeypatch.setattr(random, "uniform", lambda low, high: 0.0)
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_SNS": f"http://127.0.0.1:{server.port}",
    }
    wire = Wire(
        "sns",
        connect_seconds=1,
        read_seconds=WAIT,
        connections=CONNECTIONS,
        environment=environment,
    )
    yield OwnPublisher(wire, CONNECTIONS)
    wire.close()


def form(request: bytes) -> dict[str, list[str]]:
    return parse_qs(request.partition(b"\r\n\r\n")[2].decode())


def test_a_message_is_the_one_boto3_sends(server: OddServer, publisher: OwnPublisher) -> None:
    client = boto3.client(
        "sns",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{server.port}",
        config=Config(parameter_validation=False),
    )
    boto3s = Boto3Publisher(client, 1)
    boto3s.send([boto3s.prepared(**MESSAGE)])
    publisher.send([publisher.prepared(**MESSAGE)])
    client.close()
    theirs, ours = map(form, server.requests)
    assert ours == theirs
    assert b"content-type: application/x-www-form-urlencoded" in server.requests[1]


def test_what_was_prepared_is_sent_over_connections_that_are_open(
    server: OddServer, publisher: OwnPublisher
) -> None:
    ready = [publisher.prepared(**MESSAGE) for _ in range(3)]
    publisher.open(3)
    assert server.requests == []
    for _ in range(2):
        assert None not in publisher.send(ready)
    assert (server.connections, len(server.requests)) == (3, 6)


def test_all_have_left_before_the_first_is_answered(
    server: OddServer, publisher: OwnPublisher
) -> None:
    """A rep is told no later because SNS is slow to answer for another one (N6)."""
    together = threading.Barrier(20)

    def answer_when_all_are_here(request: bytes) -> bytes:
        together.wait(5)
        return PUBLISHED

    server.behaviour = answer_when_all_are_here
    sent = publisher.send([publisher.prepared(**MESSAGE) for _ in range(20)])
    assert len(sent) == len(server.requests) == 20
    assert None not in sent


def test_more_messages_than_connections_all_leave_once(
    server: OddServer, publisher: OwnPublisher
) -> None:
    ready = [publisher.prepared(**MESSAGE, Subject=str(n)) for n in range(2 * CONNECTIONS + 3)]
    assert None not in publisher.send(ready)
    assert server.connections == CONNECTIONS
    # Over one connection each waits for the answer to the one before.
    assert sorted(server.requests) == sorted(ready)


def test_a_connection_that_was_closed_while_nothing_was_sent_is_replaced_ahead(
    server: OddServer, publisher: OwnPublisher
) -> None:
    ready = [publisher.prepared(**MESSAGE) for _ in range(4)]
    publisher.send(ready)
    kept = list(publisher._wire._idle)
    server.hang_up()
    wait_for_bytes(kept)
    publisher.open(4)
    publisher.send(ready)
    assert (server.connections, len(server.requests)) == (8, 8)


def test_a_connection_that_does_not_open_keeps_no_other_message_waiting(
    server: OddServer, publisher: OwnPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that opened ahead send at the common instant (N6)."""
    ready = [publisher.prepared(**MESSAGE) for _ in range(4)]
    publisher.open(2)

    both_sent, came = threading.Event(), list[bytes]()

    def closed(*given: Any) -> None:
        assert both_sent.wait(10 * WAIT), "it is opened before what is open has sent"
        raise Broken(arrived=False)

    def noted(request: bytes) -> bytes:
        came.append(request)
        if len(came) == 2:
            both_sent.set()
        return PUBLISHED

    monkeypatch.setattr(Connection, "__init__", closed)
    server.behaviour = noted
    assert None not in publisher.send(ready)  # the others follow over those that are open
    assert len(came) == 4


def test_a_phone_that_is_switched_off_is_refused_once(
    server: OddServer, publisher: OwnPublisher
) -> None:
    server.behaviour = lambda request: DISABLED if b"off" in request else PUBLISHED
    on, off = (publisher.prepared(**MESSAGE, Subject=subject) for subject in ("on", "off"))
    sent = publisher.send([on, off, on])
    assert [one is None for one in sent] == [False, True, False]
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "wrong", [THROTTLED, Last(b""), Last(PUBLISHED[:30]), answer(b"", "503 Slow Down")]
)
def test_a_push_that_may_be_lost_is_sent_again(
    server: OddServer, publisher: OwnPublisher, wrong: bytes
) -> None:
    tried = Counter[str]()

    def third_time_lucky(request: bytes) -> bytes:
        [subject] = form(request)["Subject"]
        tried[subject] += 1
        return PUBLISHED if tried[subject] == 3 or subject == "whole" else wrong

    server.behaviour = third_time_lucky
    ready = [publisher.prepared(**MESSAGE, Subject=name) for name in ("1", "whole", "2", "3")]
    before = clock.now()
    sent = publisher.send(ready)
    assert tried == {"1": 3, "2": 3, "3": 3, "whole": 1}
    # The clock of a claim starts when a rep may have heard first.
    assert all(one is not None and before <= one <= clock.now() for one in sent)
    server.behaviour = lambda request: wrong
    assert publisher.send(ready[:1]) == [None]
    assert len(server.requests) == 10 + 3


def test_who_hangs_keeps_nobody_else_waiting(server: OddServer, publisher: OwnPublisher) -> None:
    """All wait the same second: fifty that hang one after the other would outlast the run."""
    goes_on = threading.Event()
    server.behaviour = lambda request: PUBLISHED if goes_on.wait(30) else b""
    started = time.monotonic()
    assert publisher.send([publisher.prepared(**MESSAGE) for _ in range(CONNECTIONS)]) == (
        [None] * CONNECTIONS
    )
    goes_on.set()
    assert time.monotonic() - started < 3 * WAIT + 2


def test_a_service_that_is_not_there_is_tried_three_times_and_no_longer(
    server: OddServer, publisher: OwnPublisher
) -> None:
    ready = [publisher.prepared(**MESSAGE) for _ in range(3)]
    server.close()
    assert publisher.send(ready) == [None] * 3
