"""TLS as AWS has it: only a server that proves who it is gets a request."""

from __future__ import annotations

import random
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dibs.aws import connection
from dibs.aws.connection import AMAZON, Broken, Connection, Endpoint, trust
from dibs.aws.wire import DynamoClient, Wire
from support.certificates import Root, a_root
from support.odd_server import OddServer, answer, serving, wait_for_bytes

ITEM = answer(b'{"Item":{"pk":{"S":"x"}}}')
REQUEST = {"TableName": "t", "Key": {"pk": {"S": "x"}}}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    return a_root(tmp_path_factory.mktemp("root"))


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test reads the roots again, and waits for nothing."""
    monkeypatch.setattr(random, "uniform", lambda low, high: 0.0)
    trust.cache_clear()
    yield
    trust.cache_clear()


def ask(server: OddServer, host: str = "localhost", **environment: str) -> dict[str, Any]:
    wire = Wire(
        "dynamodb",
        connect_seconds=0.5,
        read_seconds=1,
        environment={
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_DYNAMODB": f"https://{host}:{server.port}",
            **environment,
        },
    )
    try:
        found: dict[str, Any] = DynamoClient(wire).get_item(**REQUEST)
        return found
    finally:
        wire.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_server_that_proves_who_it_is_is_asked(root: Root, host: str) -> None:
    with serving(lambda request: ITEM, root.server(host)) as server:
        found = ask(server, host, AWS_CA_BUNDLE=str(root.path))
        assert found["Item"] == {"pk": {"S": "x"}}


@pytest.mark.parametrize(
    ("shown", "ended"), [("elsewhere.example", False), ("localhost", True), ("127.0.0.1", False)]
)
def test_a_server_of_another_name_or_with_an_old_certificate_is_told_nothing(
    root: Root, shown: str, ended: bool
) -> None:
    with serving(lambda request: ITEM, root.server(shown, ended)) as server:
        with pytest.raises(Broken) as broken:
            ask(server, AWS_CA_BUNDLE=str(root.path))
        assert isinstance(broken.value.__cause__, ssl.SSLCertVerificationError)
        assert not broken.value.arrived
        assert server.requests == []


def test_a_server_nobody_vouches_for_is_told_nothing(root: Root, tmp_path: Path) -> None:
    other = a_root(tmp_path)
    with serving(lambda request: ITEM, root.server("localhost")) as server:
        for trusted in ({}, {"AWS_CA_BUNDLE": str(other.path)}):
            with pytest.raises(Broken):
                ask(server, **trusted)
        assert server.requests == []


def test_a_root_the_machine_trusts_counts_from_the_second_try_on(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(root.path))
    with serving(lambda request: ITEM, root.server("localhost")) as server:
        assert ask(server)["Item"]
        assert server.connections == 2
        assert ask(server)["Item"]  # and is known from then on
        assert server.connections == 3
        # Who names a bundle trusts no other root.
        with pytest.raises(Broken):
            ask(server, AWS_CA_BUNDLE=str(connection._ROOTS))


def test_amazons_own_roots_are_the_five_aws_names() -> None:
    names = {
        dict(pair for [pair] in root["subject"])["commonName"]
        for root in trust(AMAZON).get_ca_certs()
    }
    assert names == {
        "Amazon Root CA 1",
        "Amazon Root CA 2",
        "Amazon Root CA 3",
        "Amazon Root CA 4",
        "Starfield Services Root Certificate Authority - G2",
    }
    assert trust(AMAZON).verify_mode is ssl.CERT_REQUIRED
    assert trust(AMAZON).check_hostname


def test_a_server_without_tls_is_told_nothing() -> None:
    with serving(lambda request: ITEM) as server, pytest.raises(Broken):
        ask(server)


def test_a_handshake_that_hangs_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = Endpoint("127.0.0.1", silent.getsockname()[1], trust(AMAZON))
        started = time.monotonic()
        with pytest.raises(Broken) as broken:
            Connection(endpoint, 0.1, 5)
        assert not broken.value.arrived
        assert time.monotonic() - started < 2


def test_a_cut_off_answer_over_tls_is_none(root: Root) -> None:
    with serving(lambda request: ITEM, root.server("localhost")) as server:
        whole = len(ITEM)
        for cut in range(0, whole, 5):
            server.behaviour = lambda request, cut=cut: _cut(ITEM[:cut])
            with pytest.raises(Broken):
                ask(server, AWS_CA_BUNDLE=str(root.path))


def test_connections_opened_ahead_over_tls_are_used(root: Root) -> None:
    """The tickets a server sends after its handshake are no sign that it hung up."""
    with serving(lambda request: ITEM, root.server("localhost")) as server:
        wire = Wire(
            "dynamodb",
            connect_seconds=1,
            read_seconds=1,
            environment={
                "AWS_ACCESS_KEY_ID": "x",
                "AWS_SECRET_ACCESS_KEY": "x",
                "AWS_REGION": "us-east-1",
                "AWS_ENDPOINT_URL": f"https://localhost:{server.port}",
                "AWS_CA_BUNDLE": str(root.path),
            },
        )
        wire.open(4)
        wait_for_bytes(wire._idle)  # the tickets
        client = DynamoClient(wire)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: client.get_item(**REQUEST), range(40)))
        assert server.connections == 4
        wire.close()


def _cut(part: bytes) -> bytes:
    from support.odd_server import Last

    return Last(part)
