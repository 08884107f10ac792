"""`dibs rewards`: what operators do about rewards (G9)."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from dibs.cli import rewards
from dibs.cli.main import app
from dibs.cli.target import Target
from dibs.core.errors import AlreadyDecided, InvalidInput, RouteNotFound
from dibs.game.rewards.requests import ask
from dibs.game.rewards.rules import RequestState, Reward
from dibs.game.rewards.store import DynamoRewards
from dibs.game.scoring.points import ISSUED, Transfer
from dibs.game.scoring.points_store import DynamoPoints
from support.builders import NOON, World, a_rep

AINA = a_rep(1, name="Aina Zulkifli")
NAME = f"{AINA.rep_id}.1"


@pytest.fixture
def store(world: World, monkeypatch: pytest.MonkeyPatch) -> DynamoRewards:
    monkeypatch.setattr(rewards, "target", lambda stack: Target(world.settings, "http://api"))
    monkeypatch.setenv("USER", "siti")
    monkeypatch.setattr(rewards.console, "_width", 200)
    world.add_rep(AINA)
    points = DynamoPoints(world.dynamo, world.settings)
    points.book([Transfer("award", ISSUED, AINA.rep_id, 150, NOON, "won")])
    return DynamoRewards(world.dynamo, world.settings)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["rewards", *arguments])


def said(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def mug(store: DynamoRewards) -> None:
    said("put", "mug", "--name", "Mug", "--points", "100", "--stock", "2")
    ask(store, AINA.rep_id, "mug", "1", lambda: NOON)


def test_a_reward_is_put_and_listed(store: DynamoRewards) -> None:
    assert said("put", "mug", "--name", "Mug", "--points", "100", "--stock", "2") == (
        "Mug costs 100 points; left: 2."
    )
    said("put", "pen", "--name", "Pen", "--points", "5", "--no-approval", "--no-offered")
    assert store.rewards() == [
        Reward("mug", "Mug", 100, 2),
        Reward("pen", "Pen", 5, None, approval=False, active=False),
    ]
    listed = said("list")
    assert "│ mug │ Mug │ 100 │ 2 │ 2 │ by a manager │ yes │" in listed
    assert "│ pen │ Pen │ 5 │ no end │ no end │ at once │ no │" in listed


def test_what_a_reward_cannot_be_is_named(store: DynamoRewards) -> None:
    result = run("put", "Mug", "--name", " ", "--points", "0", "--stock", "-1")
    assert isinstance(result.exception, InvalidInput)
    named = {error.field for error in result.exception.errors}
    assert named == {"reward_id", "name", "price", "stock"}
    assert store.rewards() == []


def test_requests_are_listed_and_approved(store: DynamoRewards) -> None:
    mug(store)
    assert f"│ {NAME} │ Aina Zulkifli │ Mug │ 100 │ 2026-11-23 12:00 │" in said("requests")
    assert said("approve", NAME) == f"Mug for {AINA.rep_id} is approved."
    assert said("approve", NAME) == f"Mug for {AINA.rep_id} is already approved."
    found = store.find(NAME)
    assert found is not None
    assert found.steps[-1].by == "siti"
    assert NAME not in said("requests")
    assert NAME in said("requests", "--state", "approved")


def test_a_request_is_refused_with_a_reason(store: DynamoRewards) -> None:
    mug(store)
    result = run("refuse", NAME, "--reason", " ")
    assert isinstance(result.exception, InvalidInput)
    assert said("refuse", NAME, "--reason", "Sold out", "--by", "ana").endswith("is refused.")
    [found] = store.in_state(RequestState.REFUSED)
    assert (found.steps[-1].by, found.steps[-1].reason) == ("ana", "Sold out")
    assert "Sold out" in said("requests", "--state", "refused")
    assert isinstance(run("approve", NAME).exception, AlreadyDecided)


def test_nobody_decides_on_what_is_not_there(store: DynamoRewards) -> None:
    assert isinstance(run("approve", "x").exception, RouteNotFound)
