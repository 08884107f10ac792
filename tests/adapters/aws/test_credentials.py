"""Whose requests they are: as Lambda, ECS and EKS tell a process, and as it changes meanwhile."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dibs.aws.credentials import AHEAD_SECONDS, ContainerCredentials, source
from dibs.aws.signing import Credentials
from dibs.core.errors import NotConfigured
from support.odd_server import OddServer, answer, serving

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()


def told(key: str, ends_at: float) -> bytes:
    said = {
        "AccessKeyId": key,
        "SecretAccessKey": f"{key}-secret",
        "Token": f"{key}-token",
        "Expiration": datetime.fromtimestamp(ends_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return answer(json.dumps(said).encode())


class Container:
    """A process beside a credentials' endpoint, at a time of the test's choice."""

    def __init__(self, server: OddServer, **environment: str) -> None:
        self.now = NOON
        url = f"http://127.0.0.1:{server.port}/credentials?of=me"
        self.ask = ContainerCredentials(url, environment, lambda: self.now)


def test_the_environments_keys_are_read_for_each_request() -> None:
    environment = {"AWS_ACCESS_KEY_ID": "one", "AWS_SECRET_ACCESS_KEY": "secret"}
    who = source(environment)
    assert who() == Credentials("one", "secret", "")
    environment.update(AWS_ACCESS_KEY_ID="two", AWS_SESSION_TOKEN="session")
    assert who() == Credentials("two", "secret", "session")


def test_who_has_no_keys_is_told_what_to_set() -> None:
    for environment in ({}, {"AWS_ACCESS_KEY_ID": "one"}):
        with pytest.raises(NotConfigured, match="AWS_CLIENT=boto3"):
            source(environment)


def test_a_container_is_asked_once_until_its_keys_are_about_to_end() -> None:
    with serving(lambda request: told("one", NOON + 3600)) as server:
        container = Container(server, AWS_CONTAINER_AUTHORIZATION_TOKEN="let me")
        assert container.ask() == Credentials("one", "one-secret", "one-token")
        container.now = NOON + 3600 - AHEAD_SECONDS - 1
        container.ask()
        assert len(server.requests) == 1
        assert server.requests[0].startswith(b"GET /credentials?of=me HTTP/1.1\r\n")
        assert b"\r\nauthorization: let me\r\n" in server.requests[0]
        server.behaviour = lambda request: told("two", NOON + 7200)
        container.now += 2
        assert container.ask().key_id == "two"
        assert len(server.requests) == 2


def test_keys_that_hold_are_used_while_the_container_does_not_answer() -> None:
    with serving(lambda request: told("one", NOON + 3600)) as server:
        container = Container(server)
        container.ask()
        for wrong in (answer(b"no", "500 Internal Server Error"), answer(b"{}"), answer(b"<p>")):
            server.behaviour = lambda request, wrong=wrong: wrong
            container.now += 1000
            assert container.ask().key_id == "one"
        asked = len(server.requests)
        container.now += 1
        container.ask()
        assert len(server.requests) == asked  # not for every request of a busy process
        container.now = NOON + 3600
        with pytest.raises(OSError, match="does not answer"):
            container.ask()


def test_keys_that_end_soon_are_not_asked_for_with_every_request() -> None:
    with serving(lambda request: told("one", NOON + 60)) as server:
        container = Container(server)
        for _ in range(5):
            assert container.ask().key_id == "one"
        assert len(server.requests) == 1


def test_the_token_for_the_container_is_read_from_its_file_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    with serving(lambda request: told("one", NOON)) as server:
        container = Container(server, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(file))
        for token in ("first", "second"):
            file.write_text(f"{token}\n")
            container.ask()
            container.now += 60
            assert f"authorization: {token}\r\n".encode() in server.requests[-1]


def test_lambda_ecs_and_eks_name_their_endpoint_each_in_its_way() -> None:
    full = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9001/2021-04-23/credentials"}
    relative = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1"}
    for environment, url in (
        (full, full["AWS_CONTAINER_CREDENTIALS_FULL_URI"]),
        (relative, "http://169.254.170.2/v2/credentials/1"),
    ):
        found = source(environment)
        assert isinstance(found, ContainerCredentials)
        assert found._url == url
    keys = {"AWS_ACCESS_KEY_ID": "one", "AWS_SECRET_ACCESS_KEY": "secret"}
    assert source({**keys, **full})() == Credentials("one", "secret")
