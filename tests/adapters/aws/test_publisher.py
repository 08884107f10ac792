"""Publishing to SNS without boto3: the same form, the same verdicts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from botocore.config import Config

from dibs.aws.publisher import Boto3Publisher, NotPublished, OwnPublisher
from dibs.aws.wire import Wire
from support.odd_server import Last, OddServer, answer, serving

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
    wire = Wire("sns", connect_seconds=1, read_seconds=1, environment=environment)
    yield OwnPublisher(wire)
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
    boto3s = Boto3Publisher(client)
    boto3s.send(boto3s.prepared(**MESSAGE))
    publisher.send(publisher.prepared(**MESSAGE))
    client.close()
    theirs, ours = map(form, server.requests)
    assert ours == theirs
    assert b"content-type: application/x-www-form-urlencoded" in server.requests[1]


def test_what_was_prepared_is_sent_over_connections_that_are_open(
    server: OddServer, publisher: OwnPublisher
) -> None:
    ready = [publisher.prepared(**MESSAGE) for _ in range(3)]
    publisher.open(2)
    assert server.requests == []
    for one in ready:
        publisher.send(one)
    assert (server.connections, len(server.requests)) == (2, 3)


def test_a_phone_that_is_switched_off_is_refused_once(
    server: OddServer, publisher: OwnPublisher
) -> None:
    server.behaviour = lambda request: DISABLED
    with pytest.raises(NotPublished, match="EndpointDisabled: Endpoint is disabled"):
        publisher.send(publisher.prepared(**MESSAGE))
    assert len(server.requests) == 1


@pytest.mark.parametrize("wrong", [THROTTLED, Last(b""), answer(b"", "503 Slow Down")])
def test_a_push_that_may_be_lost_is_sent_again(
    server: OddServer, publisher: OwnPublisher, wrong: bytes
) -> None:
    server.behaviour = lambda request: wrong if len(server.requests) < 3 else PUBLISHED
    publisher.send(publisher.prepared(**MESSAGE))
    assert len(server.requests) == 3
    server.behaviour = lambda request: wrong
    with pytest.raises(NotPublished):
        publisher.send(publisher.prepared(**MESSAGE))
    assert len(server.requests) == 6
