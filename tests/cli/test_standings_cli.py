"""`dibs rebuild` and `dibs audit`: standings held against the ledger by an operator."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from dibs.aws import keys
from dibs.cli import receipts, standings
from dibs.cli.main import app
from dibs.cli.target import Target
from dibs.game.scoring.score import score
from dibs.game.scoring.store import DynamoStandings
from dibs.ledger.entries import new_entry
from dibs.ledger.store import DynamoLedger
from dibs.race.claim import claim
from dibs.wiring import Wiring
from support.builders import NOON, World, a_card, a_lead, a_playbook, a_rep, proof_of

AINA = a_rep(1)


@pytest.fixture
def scored(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """An organisation in which Aina has claimed a lead."""
    for module in (receipts, standings):
        monkeypatch.setattr(module, "target", lambda stack: Target(world.settings, "http://api"))
    world.add_rep(AINA)
    entry = new_entry(
        "activity/1", "claimed", AINA.rep_id, "north", NOON, a_playbook(), a_lead(), take_ms=0
    )
    DynamoLedger(world.dynamo, world.settings).put([entry])
    score(Wiring(world.settings, world.dynamo).score_deps, [entry])
    return world


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_what_is_as_the_ledger_says_is_no_fault(scored: World) -> None:
    result = run("audit")
    assert (result.exit_code, "No faults." in result.stdout) == (0, True)


def test_a_difference_is_named_and_a_rebuild_mends_it(scored: World) -> None:
    key = {"pk": {"S": keys.totals_of("1", AINA.rep_id)}, "sk": {"S": keys.NEWEST}}
    scored.dynamo.delete(scored.settings.standings_table, key)
    result = run("audit")
    assert result.exit_code == 1
    assert f"total  {AINA.rep_id} 2026-W48 north  claimed is 0; by the ledger 1" in (result.stdout)
    result = run("rebuild")
    assert result.exit_code == 0, result.output
    assert "1 entries of 1 units are 5 totals now (generation 2)" in result.stdout
    assert run("audit").exit_code == 0
    [total] = DynamoStandings(scored.dynamo, scored.settings).totals("2026-W48")
    assert total.counts["claimed"] == 1


def test_a_claim_the_ledger_lacks_is_a_fault_and_a_rebuild_writes_it(
    world: World, scored: World
) -> None:
    lead = world.post_lead(a_card(), NOON)
    claim(world.race, lead.lead_id, AINA.rep_id, proof_of(AINA), lambda: NOON)
    result = run("audit")
    assert result.exit_code == 1
    assert f"entry_missing  taken/{lead.lead_id}/1" in result.stdout
    assert run("rebuild").exit_code == 0
    assert (run("audit").exit_code, run("audit").stdout[:9]) == (0, "No faults")
