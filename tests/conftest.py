"""What every test stands on: no AWS account, no stray network, and the tables of the template."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from moto import mock_aws

from dibs.aws.clients import OWN
from dibs.aws.settings import Settings
from support import dynamodb_local, quick_moto
from support import stack as local_stack
from support.aws import empty_tables
from support.builders import World
from support.clients import dynamodb_at
from support.privacy import Overheard, leaks, listening
from support.tables import create_tables

for name, value in {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_CLIENT": "boto3",  # which moto can answer in AWS's place; our own has tests of its own
    "POWERTOOLS_SERVICE_NAME": "dibs",
}.items():
    os.environ[name] = value
os.environ.pop("AWS_PROFILE", None)

# The same examples on every machine, however slow it is, and none kept between runs.
hypothesis.settings.register_profile("dibs", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("dibs")

quick_moto.hurry()

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def overheard() -> Iterator[Overheard]:
    """Hear all that is logged, in every test of the suite; nothing personal may be in it (O2)."""
    with listening() as heard:
        yield heard
    assert not leaks(heard.lines)


@pytest.fixture(scope="session")
def dynamodb_endpoint() -> Iterator[str]:
    """DynamoDB Local, or a skip that says why not."""
    try:
        with dynamodb_local.running() as endpoint:
            yield endpoint
    except dynamodb_local.Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def local_world(dynamodb_endpoint: str, request: pytest.FixtureRequest) -> Iterator[World]:
    """Fresh tables on DynamoDB Local, asked as functions do: by our own client.

    A test that must hold over boto3 as well is marked `over_both`.
    """
    settings = create_tables(dynamodb_local.client(dynamodb_endpoint), f"t{next(_numbers)}")
    with dynamodb_at(dynamodb_endpoint, getattr(request, "param", OWN)) as client:
        yield World(client, settings)


@pytest.fixture(scope="session")
def moto_dynamodb() -> Any:
    """One client for all of moto: making one takes longer than most tests."""
    import boto3

    with mock_aws():
        return boto3.client("dynamodb")


@pytest.fixture(scope="module")
def moto_tables(moto_dynamodb: Any) -> Iterator[Settings]:
    """Tables on moto for all tests of a module: making them takes longer than most tests."""
    with mock_aws():
        yield create_tables(moto_dynamodb, f"t{next(_numbers)}")


@pytest.fixture
def world(moto_dynamodb: Any, moto_tables: Settings) -> World:
    """Empty tables on moto, for one thread."""
    empty_tables()
    return World(moto_dynamodb, moto_tables)


@pytest.fixture(scope="session")
def stack() -> Iterator[local_stack.Stack]:
    """The local stack, freshly deployed; gone when the tests are."""
    with local_stack.running() as running:
        yield running
