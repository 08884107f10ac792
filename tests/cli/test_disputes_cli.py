"""`dibs disputes`: what operators see of disputes, and how they answer (C9)."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from dibs.cli import disputes
from dibs.cli.main import app
from dibs.cli.target import Target
from dibs.core.errors import IllegalMove, InvalidInput, RouteNotFound
from dibs.receipts.ports import Dispute
from dibs.receipts.store import DynamoRaces
from support.builders import NOON, World

BEN = ("lead", "1", "aaaae")


@pytest.fixture
def races(world: World, monkeypatch: pytest.MonkeyPatch) -> DynamoRaces:
    """One dispute of November, without an answer."""
    monkeypatch.setattr(disputes, "target", lambda stack: Target(world.settings, "http://api"))
    monkeypatch.setattr(disputes, "operator", lambda: "operator (amina)")
    monkeypatch.setattr("dibs.cli.target.operator", lambda: "operator (amina)")
    store = DynamoRaces(world.dynamo, world.settings)
    store.dispute(Dispute("lead", 1, "aaaae", NOON, "I was first."))
    return store


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["disputes", *arguments])


def test_disputes_are_listed_and_answered(races: DynamoRaces) -> None:
    assert "I was first." in run("list", f"{NOON:%Y-%m}", "--open").stdout
    answered = run("answer", *BEN, "--not-upheld", "--text", "You were second.")
    assert (answered.exit_code, answered.stdout) == (0, "Answered: not upheld.\n")
    stored = races.disputed("lead", 1, "aaaae")
    assert stored is not None
    assert (stored.ruling, stored.answer, stored.answered_by) == (
        "not_upheld",
        "You were second.",
        "operator (amina)",
    )
    assert "I was first." not in run("list", f"{NOON:%Y-%m}", "--open").stdout
    assert "second" in run("list", f"{NOON:%Y-%m}").stdout


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("answer", "lead", "2", "aaaae", "--upheld", "--text", "Yes."), RouteNotFound),
        (("answer", *BEN, "--upheld", "--text", " "), InvalidInput),
        (("list", "november"), InvalidInput),
    ],
)
@pytest.mark.usefixtures("races")
def test_what_is_wrong_is_named(arguments: tuple[str, ...], error: type[Exception]) -> None:
    assert isinstance(run(*arguments).exception, error)


@pytest.mark.usefixtures("races")
def test_the_first_answer_stands() -> None:
    run("answer", *BEN, "--upheld", "--text", "Yes.")
    again = run("answer", *BEN, "--not-upheld", "--text", "No.")
    assert isinstance(again.exception, IllegalMove)
