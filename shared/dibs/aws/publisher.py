"""Publish to SNS with half of boto3's processor time, which decides a wave's spread (N6).

boto3 is built for three hundred services, and that costs most of the time of a publish. Here
botocore signs and sends just this one request. If SNS does not answer 200, boto3 publishes.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from dibs.aws.clients import PUBLISH_SECONDS, PUBLISHERS

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class Publisher:
    """Publishes as `client.publish` does: the same arguments, retries and errors."""

    def __init__(self, client: SNSClient) -> None:
        self._client = client
        self._credentials = boto3.Session().get_credentials()
        # Send a request's head and body without delay; otherwise the body waits 40 ms.
        nodelay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        self._http = URLLib3Session(
            timeout=PUBLISH_SECONDS,
            max_pool_connections=PUBLISHERS + 8,
            socket_options=nodelay,  # type: ignore[arg-type]  # the stubs are wrong here
        )

    def __call__(self, **message: Any) -> None:
        """Publish one message to one target."""
        try:
            status = self._send(self._signed(_form(message)))
        except BotoCoreError:
            status = 0
        if status != 200:
            self._client.publish(**message)

    def _signed(self, form: Mapping[str, str]) -> AWSRequest:
        assert self._credentials is not None
        request = AWSRequest(
            "POST",
            f"{self._client.meta.endpoint_url}/",
            headers={"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
            data=urlencode(form).encode(),
        )
        region = self._client.meta.region_name
        SigV4Auth(self._credentials.get_frozen_credentials(), "sns", region).add_auth(request)
        return request

    def _send(self, request: AWSRequest) -> int:
        prepared = request.prepare()
        # A handler registered on the client, as moto does in tests, may answer in SNS's place.
        handled = self._client.meta.events.emit("before-send.sns.Publish", request=prepared)
        answers = [answer for _, answer in handled if answer is not None]
        answer = answers[0] if answers else self._http.send(prepared)
        _ = answer.content  # reading the answer frees its connection
        return int(answer.status_code)


def _form(message: Mapping[str, Any]) -> dict[str, str]:
    """Return the form fields of a publish in SNS's query protocol."""
    form = {"Action": "Publish", "Version": "2010-03-31"}
    for name, value in message.items():
        if name != "MessageAttributes":
            form[name] = value
            continue
        for number, (key, typed) in enumerate(value.items(), start=1):
            entry = f"MessageAttributes.entry.{number}"
            form[f"{entry}.Name"] = key
            form[f"{entry}.Value.DataType"] = typed["DataType"]
            form[f"{entry}.Value.StringValue"] = typed["StringValue"]
    return form
