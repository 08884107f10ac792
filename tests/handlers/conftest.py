"""Each function is run as Lambda runs it: its event in, its answer and its traces out."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator

import pytest
from moto import mock_aws

from dibs.aws import clients, clock, publisher
from dibs.aws.dynamo import Dynamo
from dibs.roster import store as roster
from dibs.wiring import Wiring, wiring
from handlers.app import App, Place, empty, furnish
from handlers.roles import Roles
from support.fakes import Clock
from support.privacy import Overheard


@pytest.fixture(scope="session")
def database() -> Iterator[Dynamo]:
    """The functions' own clients, made once: making them takes longer than most tests."""
    with mock_aws():
        made_once = Dynamo(clients.dynamodb())
    yield made_once
    for made in (clients.sns, clients.sqs, clients.secrets):
        made.cache_clear()


@pytest.fixture(scope="module")
def place(database: Dynamo) -> Iterator[Place]:
    """What CloudFormation makes, on a fresh moto."""
    with mock_aws():
        yield furnish(database)


@pytest.fixture
def app(
    database: Dynamo, place: Place, overheard: Overheard, monkeypatch: pytest.MonkeyPatch
) -> Iterator[App]:
    """An organisation that is new at noon; its clock stands still until a test moves it."""
    empty()
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    still = Clock()
    for module, name in ((clock, "now"), (publisher, "now"), (roster, "now")):
        monkeypatch.setattr(module, name, still)
    monkeypatch.setattr(Wiring, "dynamo", database)
    _forget()
    roles = Roles(place.arns, place.tables)
    roles.watch(monkeypatch)
    yield App(database.client, wiring().settings, still, roles, overheard)
    _forget()


def _forget() -> None:
    """Forget what a process keeps between runs, as a new process would."""
    wiring.cache_clear()
    importlib.import_module("notify.handler")._done.cache_clear()


@pytest.fixture(autouse=True)
def prints_are_heard(overheard: Overheard, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """What a function prints, its metrics above all, goes into the log, and is heard there."""
    yield
    printed = capsys.readouterr()
    sys.stdout.write(printed.out)  # a failed test shows it
    overheard.lines.extend((printed.out + printed.err).splitlines())
