"""`dibs team pause` and `resume`, as an operator uses them (R8)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from typer.testing import CliRunner, Result

from dibs.aws import clock
from dibs.cli import teams
from dibs.cli.main import app
from dibs.cli.target import Target
from dibs.core.errors import InvalidInput, RouteNotFound
from support.builders import World


@pytest.fixture(autouse=True)
def organisation(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(teams, "target", lambda stack: Target(world.settings, "http://api"))
    return world


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["team", *arguments])


def test_a_team_is_paused_and_goes_on(world: World) -> None:
    until = clock.now() + timedelta(hours=1)
    paused = run("pause", "north", "--reason", "All hands", "--until", until.isoformat())
    assert (paused.exit_code, "north is paused until" in paused.output) == (0, True)
    found = world.roster.playbook(fresh=True).paused["north"]
    assert (found.reason, found.until) == ("All hands", until)
    assert run("resume", "north").exit_code == 0
    assert world.roster.playbook(fresh=True).paused == {}


def test_a_pause_without_an_end_says_so(world: World) -> None:
    assert "until resumed" in run("pause", "north", "--reason", "All hands").output
    assert world.roster.playbook(fresh=True).paused["north"].until is None


def test_what_is_wrong_is_said() -> None:
    assert isinstance(run("pause", "west", "--reason", "x").exception, RouteNotFound)
    assert isinstance(run("pause", "north", "--reason", " ").exception, InvalidInput)
    assert run("pause", "north", "--reason", "x", "--until", "soon").exit_code == 2
