"""What operators type to see what is measured, and to try a formula on the past (K2)."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner, Result

from dibs.cli import metrics
from dibs.cli.main import app
from dibs.cli.target import Target
from dibs.core.errors import InvalidInput
from dibs.game.scoring.ports import Aggregate, Change
from dibs.game.scoring.store import DynamoStandings
from dibs.game.scoring.tally import Place
from support.aws import everything
from support.builders import World, a_playbook, a_rep

REP, COLLEAGUE = a_rep(1), a_rep(2)
WEEK = "2026-W48"


@pytest.fixture(autouse=True)
def organisation(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(metrics, "target", lambda stack: Target(world.settings, "http://api"))
    monkeypatch.setattr(metrics.console, "_width", 200)
    own = {"visits": {"formula": "count(appointment_held)", "means": "Visits."}}
    world.put_playbook(a_playbook(game={"metrics": own}))
    store = DynamoStandings(world.dynamo, world.settings)
    for rep, calls in ((REP, 3), (COLLEAGUE, 0)):
        place = Place(rep.rep_id, "north", "2026-11-23")
        counts = {"call": calls, "claimed": 1} if calls else {"claimed": 2}
        store.apply("1", [Change(Aggregate(rep.rep_id, version=1), {place: counts})])
        store.publish("1", {(rep.rep_id, WEEK)}, {rep.rep_id: rep.name}, {})
    return world


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["metrics", *arguments])


def rows(result: Result) -> list[list[str]]:
    """The cells of a printed table, line by line."""
    assert result.exit_code == 0, result.output
    lines = [line for line in result.output.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in re.split("│", line)[1:-1]] for line in lines]


def test_every_metric_is_listed_with_whose_it_is() -> None:
    found = {name: rest for name, *rest in rows(run("list"))}
    assert found["claims"] == ["count(claimed)", "number", "more", "-", "Dibs"]
    assert found["visits"] == ["count(appointment_held)", "number", "more", "-", "the playbook"]
    assert found["claim_speed"] == ["mean(claim_seconds)", "seconds", "less", "5", "Dibs"]


def test_no_formula_is_cut_short_on_a_narrow_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics.console, "_width", 80)
    told = rows(run("list"))
    assert "…" not in "".join(cell for row in told for cell in row[:2])


def test_a_formula_is_tried_on_a_week(organisation: World) -> None:
    before = everything(organisation.dynamo.client, organisation.settings)
    found = rows(run("preview", "count(claimed) / count(call)", "--period", WEEK))
    assert found == [
        # Of three calls, and of none: too few for a place.
        ["-", REP.rep_id, REP.name, "0.3333"],
        ["-", COLLEAGUE.rep_id, COLLEAGUE.name, "-"],
    ]
    beside = rows(run("preview", "count(call)", "--period", WEEK, "--metric", "claims"))
    assert [cells[3:] for cells in beside] == [["3", "1"], ["0", "2"]]
    assert rows(run("preview", "count(call)", "--period", WEEK, "--team", "north"))
    assert everything(organisation.dynamo.client, organisation.settings) == before


def test_a_formula_that_is_none_is_refused_in_words() -> None:
    refused = run("preview", "count(calls)", "--period", WEEK).exception
    assert isinstance(refused, InvalidInput)
    assert "did you mean 'call'?" in refused.errors[0].problem


def test_the_page_of_metrics_is_printed() -> None:
    assert run("docs").output == metrics.page()
