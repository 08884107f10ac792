"""A server that answers as a test says: also wrongly, in pieces, or not at all."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from dibs.aws.connection import Connection

Behaviour = Callable[[bytes], bytes]
"""Gets a whole request and returns what is sent back."""


class Last(bytes):
    """An answer, or a part of one, after which the connection is closed."""


def wait_for_bytes(connections: Sequence[Connection]) -> None:
    """Wait until something, bytes or the end, has come to each of these connections."""
    for one in connections:
        found, _, _ = select.select([one._socket], [], [], 5)
        assert found, "nothing has come"


class OddServer:
    """Listens on this machine, each connection in a thread of its own."""

    def __init__(self, behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour
        self.requests: list[bytes] = []
        """Every whole request, in the order they came."""
        self.connections = 0
        self.accepted = threading.Semaphore(0)
        """Released once for each connection."""
        self.stop_after: int | None = None
        """The next connection is closed after so many bytes of its request."""
        self._tls = tls
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Close it, and all its connections."""
        # A thread that waits in accept() keeps the socket open until it is woken.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Close all its connections."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                one, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(one)
            self.accepted.release()
            threading.Thread(target=self._serve, args=(one,), daemon=True).start()

    def _serve(self, one: socket.socket) -> None:
        try:
            if self._tls is not None:
                one = self._tls.wrap_socket(one, server_side=True)
                self._open.append(one)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._talk(one)
        except (OSError, ValueError):
            pass
        finally:
            one.close()

    def _talk(self, one: socket.socket) -> None:
        received = b""
        stop_after, self.stop_after = self.stop_after, None
        while True:
            while (length := _length_of(received)) is None or len(received) < length:
                if stop_after is not None and len(received) >= stop_after:
                    return
                most = 65_536 if stop_after is None else stop_after - len(received)
                data = one.recv(most)
                if not data:
                    return
                received += data
            request, received = received[:length], received[length:]
            self.requests.append(request)
            answer = self.behaviour(request)
            one.sendall(answer)
            if isinstance(answer, Last):
                return


def _length_of(received: bytes) -> int | None:
    """Return how long the request is, head and body; None while its head is not complete."""
    head, end, _ = received.partition(b"\r\n\r\n")
    if not end:
        return None
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(head) + 4 + int(line.partition(b":")[2])
    return len(head) + 4


def answer(body: bytes, status: str = "200 OK", *more: str) -> bytes:
    """An answer as DynamoDB gives it."""
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/x-amz-json-1.0",
        f"Content-Length: {len(body)}",
        f"x-amz-crc32: {zlib.crc32(body)}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def refusal(code: str, status: str = "400 Bad Request", more: str = "") -> bytes:
    """A refusal as DynamoDB gives it."""
    told = f'{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"no"{more}}}'
    return answer(told.encode(), status)


@contextmanager
def serving(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[OddServer]:
    """Run a server while the test does."""
    server = OddServer(behaviour, tls)
    try:
        yield server
    finally:
        server.close()
