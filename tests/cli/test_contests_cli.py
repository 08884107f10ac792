"""`dibs contests verify`: what operators are told of results."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from typer.testing import CliRunner, Result

from dibs.cli import contests
from dibs.cli.main import app
from dibs.cli.target import Target
from dibs.core.errors import RouteNotFound
from dibs.game.contests import rules
from dibs.game.contests.ports import PlannedContest, SignedResult
from dibs.game.contests.rules import Contest, Windows
from dibs.game.contests.store import DynamoContests, signature
from dibs.wiring import Wiring
from support.builders import NOON, World, a_playbook, a_rep

AINA, BEN = a_rep(1), a_rep(2)


@pytest.fixture
def store(world: World, monkeypatch: pytest.MonkeyPatch) -> DynamoContests:
    """Two contests that are final, and one that is not."""
    settings = replace(world.settings, results_secret_id="results")
    monkeypatch.setattr(contests, "target", lambda stack: Target(settings, "http://api"))
    monkeypatch.setattr(Wiring, "results_secret", "secret")
    kept = DynamoContests(world.dynamo, world.settings)
    for name in ("first", "second", "third"):
        contest = Contest(
            name, name, "individual", date(2026, 11, 2), date(2026, 11, 8), tickets={"call": 1}
        )
        playbook = a_playbook()
        contest = replace(contest, teams=("north",))
        frozen = rules.freeze(contest, playbook, [AINA, BEN], {}, NOON, "seed")
        planned = PlannedContest(contest, "upcoming", frozen.times, "manager")
        kept.plan(planned)
        if name == "third":
            continue
        kept.open(planned, frozen, "seed")
        result = rules.Result(
            contest=contest,
            closed_at=NOON,
            times=frozen.times,
            playbook_version=0,
            figures=frozen.figures,
            entrants=rules.entrants_hash(frozen),
            commitment=frozen.commitment,
            seed="seed",
            standing=rules.score(contest, frozen, Windows({AINA.rep_id: {"call": 2}}), "seed"),
        )
        text = rules.result_text(result)
        secret = "secret" if name == "first" else "another"
        kept.close(SignedResult(result, text, signature(text, secret)))
    return kept


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["contests", "verify", *arguments])


def test_a_result_that_is_as_it_was_signed_has_no_faults(store: DynamoContests) -> None:
    found = run("first")
    assert (found.exit_code, found.output) == (0, "No faults in 1 results.\n")


def test_one_that_is_not_is_named_and_the_command_fails(store: DynamoContests) -> None:
    found = run()
    assert found.exit_code == 1
    assert found.output.splitlines() == [
        "second  the result is not as it was signed",
        "1 faults in 2 results.",
    ]


def test_a_contest_that_is_not_final_has_no_result(store: DynamoContests) -> None:
    found = run("third")
    assert isinstance(found.exception, RouteNotFound)
