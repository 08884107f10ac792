"""Signed requests to AWS with a tenth of boto3's processor time, for what reps wait for.

With it a claim starts in a third of the instructions (docs/decisions/0089). The methods have
botocore's names, so one `Dynamo` works with either; `AWS_CLIENT=boto3` goes back.

What is asked twice. A request that may have arrived is asked again only if twice is the same as
once: a read, or a transaction, whose token DynamoDB remembers for ten minutes. Any other write is
asked again only if it cannot have arrived whole, or if the service says it did nothing: a counter
would count twice, and a write with a condition would be refused by what it wrote itself. The
caller hears `Busy`, and knows what a repetition means.
"""

from __future__ import annotations

import json
import os
import random
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import BoundedSemaphore
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dibs.aws.connection import Answer, Broken, Connection, Endpoint, trust
from dibs.aws.credentials import Source, source
from dibs.aws.signing import Signer
from dibs.core.errors import NotConfigured

THROTTLED = frozenset(
    {
        "Throttled",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "TransactionInProgressException",
    }
)
"""What a service says when it did nothing because too much was asked of it."""

_TRIES = 3
_IDLE_SECONDS = 5
"""A write that may not be asked twice goes over a connection that answered this lately."""
_THROTTLED_SECONDS = 1.0
_FAILED_SECONDS = 0.025
"""The longest pause before the second try, by what came of the first; then twice that."""
_A_MOMENT = 0.001
_SUFFIXES = {"cn": "amazonaws.com.cn", "eusc": "amazonaws.eu"}


class ServiceError(Exception):
    """What a service refused, in its own words. `body` is its whole answer."""

    def __init__(self, status: int, code: str, message: str, body: Mapping[str, Any]) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.body = body


class FirstTry(NamedTuple):
    """When a request was sent, in seconds since 1970, and what came of that."""

    at: float
    came: Answer | Broken


class Wire:
    """Sends signed requests to one service, over connections it keeps. Thread-safe."""

    def __init__(
        self,
        service: str,
        *,
        connect_seconds: float,
        read_seconds: float,
        tries: int = _TRIES,
        connections: int = 64,
        credentials: Source | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
        if not region:
            raise NotConfigured("Set the environment variable AWS_REGION.")
        self._endpoint = _endpoint(service, region, environment)
        self._seconds = connect_seconds, read_seconds
        self._tries = tries
        self._credentials = credentials or source(environment)
        self._signer = Signer(service, region)
        self._idle: list[Connection] = []
        self._connections = connections
        self._free = BoundedSemaphore(connections)

    def signed(self, headers: Mapping[str, str], body: bytes) -> bytes:
        """Return a whole request, good for the next minutes.

        Raises:
            Broken: the credentials' endpoint does not answer.
        """
        try:
            who = self._credentials()
        except OSError as error:
            raise Broken(arrived=False) from error
        headers = {"host": self._endpoint.header, **headers}
        signed = self._signer.sign(who, headers, body, time.time())
        lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
        return f"POST / HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body

    def send(
        self,
        request: bytes,
        refusal: Callable[[Answer], ServiceError],
        *,
        again: bool,
        first: Answer | Broken | None = None,
    ) -> Answer:
        """Send a request, `again` if need be; return the answer. `first` is what came of a first
        try that was made before.

        Raises:
            ServiceError: the service refused it.
            Broken: there was no answer.
        """
        for number in range(1, self._tries + 1):
            try:
                if isinstance(first, Broken):
                    raise first
                answer = first or self._once(request, again=again)
            except Broken as broken:
                if number == self._tries or (broken.arrived and not again):
                    raise
                pause = _FAILED_SECONDS
            else:
                if answer.status == 200:
                    return answer
                error = refusal(answer)
                throttled = error.code in THROTTLED or error.status == 429
                if number == self._tries or not (throttled or (again and error.status >= 500)):
                    raise error
                pause = _THROTTLED_SECONDS if throttled else _FAILED_SECONDS
            first = None
            _pause(number, pause)
        raise AssertionError("a try ends in an answer or an error")

    def send_together(self, requests: Sequence[bytes]) -> list[FirstTry]:
        """Send many requests that may be sent twice, once each; return what came of each.

        They leave one after the other with nothing between them, each over a connection of its
        own, and their answers are read when all have left: threads would hand the processor to
        one another at every request. `open` comes first where the moment matters. Where there
        are more than connections, the others follow when the first are answered.
        """
        tries: list[FirstTry] = []
        while len(tries) < len(requests):
            tries += self._together(requests[len(tries) :][: self._connections])
        return tries

    def _together(self, requests: Sequence[bytes]) -> list[FirstTry]:
        if not self._idle:
            self.open(len(requests))
        under_way: list[tuple[float, Connection | Broken]] = []
        for request in requests:
            # No message waits until another's connection opens; whoever sends again opens its own.
            way = self._open_still(again=True) or Broken(arrived=False)
            at = time.time()
            if isinstance(way, Connection):
                try:
                    way.send(request)
                except Broken as broken:
                    way.close()
                    way = broken
            under_way.append((at, way))
        until = time.monotonic() + self._seconds[1]
        return [
            FirstTry(at, self._read(way, until) if isinstance(way, Connection) else way)
            for at, way in under_way
        ]

    def _read(self, way: Connection, until: float) -> Answer | Broken:
        try:
            # The wait is the same for all. Whatever has come by then is read.
            answer = way.answer(max(_A_MOMENT, until - time.monotonic()))
        except Broken as broken:
            way.close()
            return broken
        self._keep(way)
        return answer

    def open(self, connections: int) -> None:
        """Open connections ahead, so that what is sent next waits for none; as far as they do.

        Those that the service closed meanwhile are replaced.
        """
        ready = list[Connection]()
        with suppress(Broken):  # whoever sends will see
            while len(ready) < min(connections, self._connections):
                ready.append(self._taken(again=True))
        self._idle += ready

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def _once(self, request: bytes, *, again: bool) -> Answer:
        with self._free:
            connection = self._taken(again=again)
            try:
                answer = connection.ask(request)
            except BaseException:
                connection.close()
                raise
            self._keep(connection)
            return answer

    def _keep(self, connection: Connection) -> None:
        if connection.reusable:
            self._idle.append(connection)
        else:
            connection.close()

    def _taken(self, *, again: bool) -> Connection:
        """Return the connection that was used last, or a new one."""
        return self._open_still(again=again) or Connection(self._endpoint, *self._seconds)

    def _open_still(self, *, again: bool) -> Connection | None:
        """Return the connection that was used last, if one is still open.

        A service may close one that is idle just when we send, and then nobody knows whether the
        request arrived. So a request that may not be sent twice takes none that was idle long.
        """
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                break  # another thread was quicker
            late = time.monotonic() - connection.idle_since > _IDLE_SECONDS
            if not connection.dead() and (again or not late):
                return connection
            connection.close()
        return None


class DynamoClient:
    """DynamoDB's requests by botocore's names, as far as `Dynamo` makes them."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.get_item = self._asking("GetItem", again=True)
        self.batch_get_item = self._asking("BatchGetItem", again=True)
        self.query = self._asking("Query", again=True)
        self.scan = self._asking("Scan", again=True)
        self.put_item = self._asking("PutItem", again=False)
        self.update_item = self._asking("UpdateItem", again=False)
        self.delete_item = self._asking("DeleteItem", again=False)
        self.batch_write_item = self._asking("BatchWriteItem", again=False)
        self._transact = self._asking("TransactWriteItems", again=True)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """Write all or nothing, and once however often it is sent: it always has a token."""
        return self._transact(**{"ClientRequestToken": os.urandom(16).hex(), **request})

    def _asking(self, operation: str, *, again: bool) -> Callable[..., dict[str, Any]]:
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"DynamoDB_20120810.{operation}",
        }

        def ask(**request: Any) -> dict[str, Any]:
            whole = self.wire.signed(headers, _ENCODER.encode(request).encode())
            return _read(self.wire.send(whole, _json_refusal, again=again))

        return ask


def _json_refusal(answer: Answer) -> ServiceError:
    try:
        body = _read(answer)
    except Broken:
        body = {}
    code = str(body.get("__type", "")).rpartition("#")[2] or str(answer.status)
    message = str(body.get("message") or body.get("Message") or "")
    return ServiceError(answer.status, code, message, body)


def _read(answer: Answer) -> dict[str, Any]:
    """Return what an answer says; bytes are base64 in JSON."""
    try:
        body = json.loads(answer.body)
        if not isinstance(body, dict):
            raise ValueError("not an object")
        # Few values are bytes, but each lead's lock holds some. A hook of the parser's would be
        # called for every value, which takes three times as long as to look for them afterwards.
        if b'"B"' in answer.body or b'"BS"' in answer.body:
            _decode(body)
    except ValueError as error:
        raise Broken(arrived=True) from error
    return body


def _decode(within: Any) -> None:
    """Turn each base64 text that is typed as bytes into them, in place."""
    for value in within if type(within) is list else within.values():
        if type(value) is list:
            _decode(value)
        elif type(value) is dict and type(value.get("S") or value.get("N")) is not str:
            # An attribute may be called B as well, but then it holds a typed value and no text.
            if type(one := value.get("B")) is str:
                value["B"] = b64decode(one)
            elif type(many := value.get("BS")) is list:
                value["BS"] = [b64decode(each) for each in many]
            else:
                _decode(value)


def _in_json(value: Any) -> str:
    return b64encode(value).decode()


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_in_json)


def _pause(number: int, longest: float) -> None:
    time.sleep(random.uniform(0, longest * 2 ** (number - 1)))  # noqa: S311 - jitter, no secret


def _endpoint(service: str, region: str, environment: Mapping[str, str]) -> Endpoint:
    """Return where a service is: named by the environment as for boto3, or AWS's own address."""
    url = ""
    if environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
        named = environment.get(f"AWS_ENDPOINT_URL_{service.upper()}")
        url = named or environment.get("AWS_ENDPOINT_URL", "")
    suffix = _SUFFIXES.get(region.partition("-")[0], "amazonaws.com")
    parts = urlsplit(url or f"https://{service}.{region}.{suffix}")
    if parts.hostname is None or parts.scheme not in ("http", "https"):
        raise NotConfigured(f"AWS_ENDPOINT_URL must be an http or https URL, not {url!r}.")
    tls = trust(environment.get("AWS_CA_BUNDLE", "")) if parts.scheme == "https" else None
    return Endpoint(parts.hostname, parts.port or (443 if tls else 80), tls)
