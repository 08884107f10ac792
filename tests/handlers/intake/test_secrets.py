"""A source's secret is changed while posts come in, on Secrets Manager itself (O2, H2)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from dibs.aws import clients
from dibs.cli import secrets as command
from dibs.cli.main import app as dibs
from dibs.cli.target import Target
from dibs.wiring import wiring
from handlers.app import INTAKE_SECRET, App, event, signed

NEW = "YW5vdGhlci1zZWNyZXQtdGhhdC1ub2JvZHkta25vd3M="


@pytest.fixture(autouse=True)
def as_it_was(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(command, "target", lambda stack: Target(wiring().settings, "http://api"))
    yield
    put(INTAKE_SECRET)
    put(INTAKE_SECRET)


def put(text: str) -> None:
    secret_id = wiring().settings.intake_secret_id
    clients.secrets().put_secret_value(SecretId=secret_id, SecretString=text)


def post(app: App, secret: str) -> int:
    return app.ask("ingest", signed(event("http_ingest"), secret=secret)).status


def tell(app: App, secret: str) -> int:
    return app.ask("activities", signed(event("http_activity"), secret=secret)).status


def run(*arguments: str) -> str:
    result = CliRunner().invoke(dibs, ["secrets", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_secret_changed_by_hand_refuses_neither_the_new_nor_the_old(app: App) -> None:
    assert post(app, INTAKE_SECRET) == 201
    put(NEW)
    assert [post(app, secret) for secret in (NEW, INTAKE_SECRET)] == [200, 200]


def test_a_secret_is_changed_by_command_and_no_post_is_lost(app: App) -> None:
    assert post(app, INTAKE_SECRET) == 201
    secret = run("rotate", "default").split("whsec_")[1].split()[0]
    assert [post(app, one) for one in (INTAKE_SECRET, secret)] == [200, 200]
    assert "default  leads, activities  last one until" in run("list")
    app.clock.pass_(hours=25)
    assert [post(app, one) for one in (INTAKE_SECRET, secret)] == [401, 200]


def test_a_secret_for_leads_tells_of_no_activities(app: App) -> None:
    secret = run("add", "website", "--scope", "leads").split("whsec_")[1].split()[0]
    assert post(app, secret) == 201
    assert tell(app, secret) == 401
    run("end", "website")
    app.clock.pass_(minutes=1)
    assert post(app, secret) == 401
