"""`dibs contests add`, `list` and `cancel`: operators set contests up, once or recurring (G12)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dibs.aws import clock
from dibs.cli import contests
from dibs.cli.main import app
from dibs.cli.target import Target
from dibs.core.errors import InvalidInput, RouteNotFound
from dibs.game.contests.store import DynamoContests
from support.builders import NOON, World, a_rep

# NOON is of Monday, 2026-11-23.
CALLS = {
    "name": "Calls",
    "kind": "individual",
    "first_day": "2026-11-23",
    "last_day": "2026-11-27",
    "metric": "count(call)",
    "teams": ["north"],
}


@pytest.fixture
def store(world: World, monkeypatch: pytest.MonkeyPatch) -> DynamoContests:
    monkeypatch.setattr(contests, "target", lambda stack: Target(world.settings, "http://api"))
    monkeypatch.setattr(contests, "operator", lambda: "operator (amina)")
    monkeypatch.setattr("dibs.cli.target.operator", lambda: "operator (amina)")
    monkeypatch.setattr(clock, "now", lambda: NOON)
    world.add_rep(a_rep(1))
    return DynamoContests(world.dynamo, world.settings)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "contest.json"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["contests", *arguments])


def add(file: Path, **changes: Any) -> Result:
    file.write_text(json.dumps({**CALLS, **changes}), encoding="utf-8")
    return run("add", "calls", str(file))


def states(store: DynamoContests) -> dict[str, str]:
    return {one.contest.contest_id: one.state for one in store.all()}


def test_a_contest_is_added_and_cancelled(store: DynamoContests, file: Path) -> None:
    added = add(file, from_time="13:00")
    assert added.stdout == "calls: from 2026-11-23 13:00 to 2026-11-28 00:00 UTC.\n"
    assert states(store) == {"calls": "upcoming"}
    assert "upcoming" in run("list").stdout
    assert run("cancel", "calls").exit_code == 0
    assert states(store) == {"calls": "cancelled"}


def test_one_that_recurs_is_added_and_cancelled(store: DynamoContests, file: Path) -> None:
    repeats = {"every": "day", "weekdays": ["tue", "fri"]}
    assert add(file, repeats=repeats).exit_code == 0
    assert states(store) == {"calls-2026-11-24": "upcoming"}
    assert "each day (tue, fri)" in run("list").stdout
    assert run("cancel", "calls", "--series").exit_code == 0
    assert states(store) == {"calls-2026-11-24": "cancelled"}


def test_all_that_is_wrong_is_named(store: DynamoContests, file: Path) -> None:
    refused = add(file, kind="duel", first_day="2026-11-22", metric="nonsense").exception
    assert isinstance(refused, InvalidInput)
    assert {error.field for error in refused.errors} == {"kind", "first_day", "metric"}
    file.write_text("[", encoding="utf-8")
    assert isinstance(run("add", "calls", str(file)).exception, InvalidInput)
    assert isinstance(run("add", "calls", str(file.parent / "none")).exception, InvalidInput)
    assert isinstance(run("cancel", "calls", "--series").exception, RouteNotFound)
    assert isinstance(run("cancel", "calls").exception, RouteNotFound)
    assert states(store) == {}
