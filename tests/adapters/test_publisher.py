"""Publishes made ready beforehand, on moto: what arrives, what is left to boto3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ClientError, ConnectTimeoutError
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from dibs.adapters.publisher import Publisher

TTL = {"AWS.SNS.MOBILE.FCM.TTL": {"DataType": "String", "StringValue": "900"}}


class Phone:
    """One endpoint, and what SNS was asked on its behalf."""

    def __init__(self) -> None:
        self.client = boto3.client("sns", region_name="us-east-1")
        application = self.client.create_platform_application(
            Name="dibs", Platform="GCM", Attributes={}
        )["PlatformApplicationArn"]
        self.arn = self.client.create_platform_endpoint(
            PlatformApplicationArn=application, Token="token-of-the-phone"
        )["EndpointArn"]
        self.asked: list[str] = []
        self.sent: list[AWSPreparedRequest] = []
        self.client.meta.events.register(
            "provide-client-params.sns", lambda model, **_: self.asked.append(model.name)
        )
        self.client.meta.events.register_first(
            "before-send.sns", lambda request, **_: self.sent.append(request)
        )
        self.publisher = Publisher(self.client)

    def ready(self, text: str = '{"default": "Grüße & <more>"}') -> Any:
        return self.publisher.ready(
            TargetArn=self.arn, Message=text, MessageStructure="json", MessageAttributes=TTL
        )

    def shown(self) -> list[str]:
        """What SNS took for the phone."""
        backend = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"]
        return list(backend.platform_endpoints[self.arn].messages.values())


@pytest.fixture
def phone() -> Iterator[Phone]:
    with mock_aws():
        yield Phone()


def test_nothing_is_sent_before_its_time(phone: Phone) -> None:
    publish = phone.ready()
    assert phone.sent == []
    publish()
    assert phone.shown() == ['{"default": "Grüße & <more>"}']


def test_what_is_accepted_takes_one_request_and_leaves_boto3_alone(phone: Phone) -> None:
    phone.ready()()
    assert len(phone.sent) == 1
    assert phone.asked == []


def test_it_asks_what_boto3_would_ask(phone: Phone) -> None:
    message = {
        "TargetArn": phone.arn,
        "Message": '{"default": "Grüße & <more>"}',
        "MessageStructure": "json",
        "MessageAttributes": TTL,
    }
    phone.publisher.ready(**message)()
    phone.client.publish(**message)
    ours, theirs = phone.sent
    assert ours.url == theirs.url
    assert sorted(_text(ours).split("&")) == sorted(_text(theirs).split("&"))
    signer, _, _ = _header(ours, "Authorization").partition(", ")
    assert signer in _header(theirs, "Authorization")


def test_a_phone_that_is_switched_off_raises_boto3s_own_error(phone: Phone) -> None:
    phone.client.set_endpoint_attributes(EndpointArn=phone.arn, Attributes={"Enabled": "false"})
    with pytest.raises(phone.client.exceptions.EndpointDisabledException):
        phone.ready()()


def test_a_phone_that_is_gone_raises_boto3s_own_error(phone: Phone) -> None:
    phone.client.delete_endpoint(EndpointArn=phone.arn)
    with pytest.raises(ClientError):
        phone.ready()()


def test_a_network_that_fails_once_is_tried_again_by_boto3(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: AWSPreparedRequest) -> int:
        raise ConnectTimeoutError(endpoint_url="https://sns.us-east-1.amazonaws.com")

    monkeypatch.setattr(phone.publisher, "_send", fails)
    phone.ready()()
    assert phone.asked == ["Publish"]
    assert len(phone.shown()) == 1


def _text(request: AWSPreparedRequest) -> str:
    body = request.body
    return body.decode() if isinstance(body, bytes) else str(body)


def _header(request: AWSPreparedRequest, name: str) -> str:
    value = request.headers[name]
    return value.decode() if isinstance(value, bytes) else str(value)
