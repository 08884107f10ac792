"""Publish to SNS, each message built and signed before the instant at which all leave (N6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from dibs.aws.clock import from_ms, now
from dibs.aws.connection import Answer, Broken
from dibs.aws.wire import FirstTry, ServiceError, Wire

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class Publisher(Protocol):
    """Publishes in two steps: all that takes processor time comes before the common instant."""

    def prepared(self, **message: Any) -> Any:
        """Return a message, ready to be sent within the next minutes."""

    def open(self, messages: int) -> None:
        """Open the connections that so many messages take."""

    def send(self, prepared: Sequence[Any]) -> list[datetime | None]:
        """Publish what was prepared, all at once; return when each was sent first.

        None: SNS refused the message, or did not answer; the caller notifies the rep another way.
        """


class OwnPublisher(Publisher):
    """`Publisher` without boto3. A message may come twice (docs/decisions/0007)."""

    _HEADERS: Mapping[str, str] = {
        "content-type": "application/x-www-form-urlencoded; charset=utf-8"
    }

    def __init__(self, wire: Wire, at_once: int) -> None:
        self._wire = wire
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="publish")

    def prepared(self, **message: Any) -> bytes:
        """Return the whole signed request."""
        return self._wire.signed(self._HEADERS, urlencode(_form(message)).encode())

    def open(self, messages: int) -> None:
        """Open the connections that so many messages take."""
        self._wire.open(messages)

    def send(self, prepared: Sequence[bytes]) -> list[datetime | None]:
        """Send the requests, and side by side again those that may succeed yet."""
        tries = self._wire.send_together(prepared)
        taken = list(map(_is_taken, tries))
        missing = [number for number, one in enumerate(taken) if not one]
        if missing:
            again = self._pool.map(lambda n: self._again(prepared[n], tries[n]), missing)
            for number, one in zip(missing, again, strict=True):
                taken[number] = one
        return [
            from_ms(int(1000 * first.at)) if one else None
            for first, one in zip(tries, taken, strict=True)
        ]

    def _again(self, request: bytes, first: FirstTry) -> bool:
        try:
            self._wire.send(request, _refusal, again=True, first=first.came)
        except (ServiceError, Broken):
            return False
        return True


def _is_taken(first: FirstTry) -> bool:
    return isinstance(first.came, Answer) and first.came.status == 200


class Boto3Publisher(Publisher):
    """`Publisher` with boto3, which builds and signs a message only when it sends it."""

    def __init__(self, client: SNSClient, at_once: int) -> None:
        self._client = client
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="publish")

    def prepared(self, **message: Any) -> dict[str, Any]:
        """Return the message."""
        return message

    def open(self, messages: int) -> None:
        """Do nothing: boto3 opens connections as it sends."""

    def send(self, prepared: Sequence[dict[str, Any]]) -> list[datetime | None]:
        """Publish the messages side by side, started in their order."""
        return list(self._pool.map(self._send_one, prepared))

    def _send_one(self, message: dict[str, Any]) -> datetime | None:
        from botocore.exceptions import BotoCoreError, ClientError

        sent = now()
        try:
            self._client.publish(**message)
        except (ClientError, BotoCoreError):
            return None
        return sent


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
