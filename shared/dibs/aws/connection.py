"""One connection to an AWS service, kept from request to request: HTTP/1.1 over TCP or TLS.

No HTTP library: this file sends one kind of request and reads one kind of answer, and a library
takes three to five times its processor time (docs/decisions/0089).
"""

from __future__ import annotations

import select
import socket
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

if TYPE_CHECKING:
    import ssl

_ROOTS = Path(__file__).with_name("roots.pem")
AMAZON = ""
# OpenSSL's numbers for a chain that ends in no root it knows.
_UNKNOWN_ISSUER = (18, 19, 20)
_LONGEST_HEAD = 65_536
_READ_BYTES = 65_536


class Broken(Exception):
    """Raised when a connection fails before the whole answer is there.

    `arrived` tells whether the service may have the whole request. Without all of it, it does
    nothing: the signature covers the body.
    """

    def __init__(self, *, arrived: bool) -> None:
        super().__init__("after the request" if arrived else "before the whole request was sent")
        self.arrived = arrived


class Endpoint(NamedTuple):
    """Where a service is."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    @property
    def header(self) -> str:
        """The value of the `host` header: the port only if it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


class Answer(NamedTuple):
    """What a service answered; names of headers are in lower case."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Connection:
    """An open connection, for one request at a time."""

    def __init__(self, endpoint: Endpoint, connect_seconds: float, read_seconds: float) -> None:
        """Open it.

        Raises:
            Broken: nobody answers there, or not with a certificate that is good for the host.
        """
        try:
            self._socket = _opened(endpoint, connect_seconds)
            self._socket.settimeout(read_seconds)
        except OSError as error:
            raise Broken(arrived=False) from error
        self._read_seconds = read_seconds
        self._received = bytearray()
        self._used = False
        self.idle_since = time.monotonic()
        self.reusable = True

    def ask(self, request: bytes) -> Answer:
        """Send a whole request and return the answer.

        Raises:
            Broken: the connection failed, or the answer is none; close it then.
        """
        self.send(request)
        return self.answer()

    def send(self, request: bytes) -> None:
        """Send a whole request; its answer must be read before the next one is sent.

        Raises:
            Broken: the connection failed; close it then.
        """
        try:
            self._socket.sendall(request)
        except OSError as error:
            raise Broken(arrived=False) from error

    def answer(self, within: float | None = None) -> Answer:
        """Return the answer to what was sent; `within` so many seconds, where that is not said
        for all answers of this connection.

        Raises:
            Broken: the connection failed, or the answer is none; close it then.
        """
        try:
            if within is not None:
                self._socket.settimeout(within)
            answer = self._answer()
            if within is not None:
                self._socket.settimeout(self._read_seconds)
        except (OSError, EOFError, ValueError) as error:
            raise Broken(arrived=True) from error
        # Bytes after the answer would be taken for the answer to the next request.
        self.reusable = not self._received and answer.headers.get(b"connection") != b"close"
        self._used = True
        self.idle_since = time.monotonic()
        return answer

    def dead(self) -> bool:
        """Tell whether the service closed the connection while it was idle."""
        if not self._used:  # TLS sends its tickets before the first answer: they are no farewell
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def _answer(self) -> Answer:
        status = 100
        while status < 200:  # 1xx comes before the answer
            first, *lines = self._until(b"\r\n\r\n").split(b"\r\n")
            version, _, rest = first.partition(b" ")
            if not version.startswith(b"HTTP/1."):
                raise ValueError("not HTTP")
            status = _size(rest[:3], 10)
        named = (line.partition(b":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in named}
        if version == b"HTTP/1.0":
            headers.setdefault(b"connection", b"close")
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise ValueError("compressed, which nobody asked for")
        if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            body = self._chunks()
        else:
            body = self._exactly(_size(headers.get(b"content-length", b""), 10))
        if (checksum := headers.get(b"x-amz-crc32")) and int(checksum) != crc32(body):
            raise ValueError("damaged on the way")
        return Answer(status, headers, body)

    def _chunks(self) -> bytes:
        parts = []
        while size := _size(self._until(b"\r\n").partition(b";")[0], 16):
            parts.append(self._exactly(size))
            if self._exactly(2) != b"\r\n":
                raise ValueError("a chunk of another length")
        while self._until(b"\r\n"):
            pass  # what follows the last chunk is for others
        return b"".join(parts)

    def _until(self, end: bytes) -> bytes:
        """Return what comes before `end`, and drop both."""
        while (at := self._received.find(end)) < 0:
            if len(self._received) > _LONGEST_HEAD:
                raise ValueError("no end in sight")
            self._receive()
        found = bytes(self._received[:at])
        del self._received[: at + len(end)]
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._received) < size:
            self._receive()
        found = bytes(self._received[:size])
        del self._received[:size]
        return found

    def _receive(self) -> None:
        data = self._socket.recv(_READ_BYTES)
        if not data:
            raise EOFError
        self._received += data


def _size(text: bytes, base: int) -> int:
    """Read a length. `int` would take `-1`, `1_0`, `0x1` and blanks as well."""
    if not text or text.strip(b"0123456789abcdefABCDEF"):
        raise ValueError("not a length")
    return int(text, base)


def _opened(endpoint: Endpoint, seconds: float) -> socket.socket:
    opened = socket.create_connection((endpoint.host, endpoint.port), seconds)
    # Otherwise the last part of a long request waits for the answer to the one before it.
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if endpoint.tls is None:
        return opened
    try:
        return endpoint.tls.wrap_socket(opened, server_hostname=endpoint.host)
    except OSError as error:
        opened.close()
        issuer_unknown = getattr(error, "verify_code", 0) in _UNKNOWN_ISSUER
        if issuer_unknown and endpoint.tls is trust(AMAZON):
            # From the next try on, all roots that the machine trusts count.
            endpoint.tls.load_default_certs()
        raise


@lru_cache
def trust(bundle: str) -> ssl.SSLContext:
    """Return what checks a certificate: its chain up to a root in `bundle`, its dates, its host.

    An empty `bundle` means the roots of Amazon. Reading the 144 roots of a machine takes 22 ms of
    processor time, reading Amazon's five takes 0.6 ms.
    """
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(bundle or _ROOTS)
    return context
