"""SNS as far as publishing goes, over HTTP, each answer 20 ms late; a process of its own.

It notes when each publish arrived and for whom. `GET /arrivals` returns the notes as JSON and
forgets them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from urllib.parse import parse_qs

LATENCY = 0.020
_ANSWER = (
    b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>'
    b"94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult><ResponseMetadata><RequestId>"
    b"f187a3c1-376f-11df-8963-01868b7c937a</RequestId></ResponseMetadata></PublishResponse>"
)

_arrivals: list[tuple[float, bytes]] = []


class Connection(asyncio.Protocol):
    """One kept-alive connection; a request is a head and `content-length` bytes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, rest = self._received.partition(b"\r\n\r\n")
            length = _content_length(head)
            if len(rest) < length:
                return
            body, self._received = rest[:length], rest[length:]
            if head.startswith(b"GET "):
                self._answer(_notes(), b"application/json")
            else:
                _arrivals.append((time.monotonic(), body))
                asyncio.get_running_loop().call_later(LATENCY, self._answer, _ANSWER, b"text/xml")

    def _answer(self, body: bytes, kind: bytes) -> None:
        if not self._transport.is_closing():
            head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n"
            self._transport.write(head % (kind, len(body)) + body)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _notes() -> bytes:
    notes = []
    for at, body in _arrivals:
        sent = parse_qs(body.decode())
        data = json.loads(json.loads(sent["Message"][0])["APNS"])
        notes.append([at, sent["TargetArn"][0], data["kind"], data["lead_id"]])
    _arrivals.clear()
    return json.dumps(notes).encode()


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    sys.exit(asyncio.run(serve()))
