"""Publish to SNS, each message built and signed before the instant at which all leave (N6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from dibs.aws.connection import Answer, Broken
from dibs.aws.wire import ServiceError, Wire

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class NotPublished(Exception):
    """Raised when SNS refused a message, or did not answer."""


class Publisher(Protocol):
    """Publishes in two steps: all that takes processor time comes before the common instant."""

    def prepared(self, **message: Any) -> Any:
        """Return a message, ready to be sent within the next minutes."""

    def open(self, connections: int) -> None:
        """Open so many connections ahead."""

    def send(self, prepared: Any) -> None:
        """Publish what was prepared.

        Raises:
            NotPublished: SNS refused it, or did not answer.
        """


class OwnPublisher(Publisher):
    """`Publisher` without boto3. A message may come twice (docs/decisions/0007)."""

    _HEADERS: Mapping[str, str] = {
        "content-type": "application/x-www-form-urlencoded; charset=utf-8"
    }

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def prepared(self, **message: Any) -> bytes:
        """Return the whole signed request."""
        return self._wire.signed(self._HEADERS, urlencode(_form(message)).encode())

    def open(self, connections: int) -> None:
        """Open so many connections ahead."""
        self._wire.open(connections)

    def send(self, prepared: bytes) -> None:
        """Send the request."""
        try:
            self._wire.send(prepared, _refusal, again=True)
        except (ServiceError, Broken) as error:
            raise NotPublished(str(error)) from error


class Boto3Publisher(Publisher):
    """`Publisher` with boto3, which builds and signs a message only when it sends it."""

    def __init__(self, client: SNSClient) -> None:
        self._client = client

    def prepared(self, **message: Any) -> dict[str, Any]:
        """Return the message."""
        return message

    def open(self, connections: int) -> None:
        """Do nothing: boto3 opens connections as it sends."""

    def send(self, prepared: dict[str, Any]) -> None:
        """Publish the message."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.publish(**prepared)
        except (ClientError, BotoCoreError) as error:
            raise NotPublished(str(error)) from error


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


def _refusal(answer: Answer) -> ServiceError:
    text = answer.body.decode(errors="replace")
    code, message = (
        text.partition(f"<{name}>")[2].partition(f"</{name}>")[0] for name in ("Code", "Message")
    )
    return ServiceError(answer.status, code or str(answer.status), message, {})
