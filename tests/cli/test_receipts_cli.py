"""`dibs audit` and `dibs receipts`: what operators are told of sealed races."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dibs.aws import keys
from dibs.cli import leads, receipts
from dibs.cli.main import app
from dibs.cli.target import Target
from dibs.core.lead import Lead
from dibs.game.scoring.score import score
from dibs.ledger.project import record_lead
from dibs.ledger.store import DynamoLedger
from dibs.offers.store import DynamoOfferStore
from dibs.race.claim import claim
from dibs.receipts.seal import chain_up, seal_race
from dibs.receipts.store import DynamoRaces
from dibs.wiring import Wiring
from support.builders import NOON, World, a_card, a_rep, proof_of

AINA = a_rep(1)


@pytest.fixture
def lead(world: World, monkeypatch: pytest.MonkeyPatch) -> Lead:
    """A lead Aina won at noon, its race sealed and chained."""
    for module in (receipts, leads):
        monkeypatch.setattr(module, "target", lambda stack: Target(world.settings, "http://api"))
    races = DynamoRaces(world.dynamo, world.settings)
    world.add_rep(AINA)
    posted = world.post_lead(a_card(), NOON)
    claim(world.race, posted.lead_id, AINA.rep_id, proof_of(AINA), lambda: NOON)
    seal_race(
        posted.lead_id,
        1,
        races,
        DynamoOfferStore(world.dynamo, world.settings),
        world.roster,
        DynamoLedger(world.dynamo, world.settings).story,
        world.race.draws(),
        NOON + timedelta(minutes=1),
    )
    chain_up(races, NOON + timedelta(minutes=2))
    stores = Wiring(world.settings, world.dynamo)
    record_lead(posted.lead_id, stores.ledger, world.roster)
    score(stores.score_deps, list(stores.ledger.everything()))
    return posted


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_an_audit_that_finds_nothing_says_so_and_names_the_last_block(
    world: World, lead: Lead
) -> None:
    _, head = DynamoRaces(world.dynamo, world.settings).last_block()
    for arguments in (["audit"], ["audit", "--day", "2026-11-23"]):
        result = run(*arguments)
        assert result.exit_code == 0, result.output
        assert "No faults" in result.output
        assert head in result.output


def test_an_audit_that_finds_something_names_it_and_fails(world: World, lead: Lead) -> None:
    key = {"lead_id": {"S": lead.lead_id}, "sk": {"S": keys.race(1)}}
    race = world.dynamo.get(world.settings.races_table, key)
    assert race is not None
    text = race["race"]["S"].replace(AINA.rep_id, "somebody")
    world.dynamo.put(world.settings.races_table, {**race, "race": {"S": text}})
    for arguments in (["audit"], ["audit", "--day", "2026-11-23"]):
        result = run(*arguments)
        assert result.exit_code == 1
        said = f"the winner is somebody, but {AINA.rep_id} by the receipts"
        assert f"winner_changed  {lead.lead_id}/1  {said}" in result.output
        assert "2 faults" in result.output


def test_an_audit_of_a_day_without_races_says_so(lead: Lead) -> None:
    result = run("audit", "--day", "2026-11-24")
    assert (result.exit_code, result.output) == (0, "No race was chained on 2026-11-24.\n")


@pytest.mark.parametrize("day", ["yesterday", "2026-11-31"])
def test_what_is_no_day_is_refused(lead: Lead, day: str) -> None:
    assert run("audit", "--day", day).exit_code == 2
    assert run("receipts", "export", "--from", day).exit_code == 2


def test_receipts_are_exported_day_by_day(lead: Lead, tmp_path: Path) -> None:
    told = run("receipts", "export", "--from", "2026-11-22", "--to", "2026-11-24")
    [row] = csv.DictReader(StringIO(told.output))
    assert (row["lead_id"], row["rep_id"], row["place"]) == (lead.lead_id, AINA.rep_id, "1")
    file = tmp_path / "receipts.csv"
    run("receipts", "export", "--from", "2026-11-23", "--out", str(file))
    with file.open(newline="") as stored:
        assert list(csv.DictReader(stored)) == [row]
    for nothing in (["--from", "2026-11-24"], ["--from", "2026-11-23", "--team", "south"]):
        assert list(csv.DictReader(StringIO(run("receipts", "export", *nothing).output))) == []


def test_a_shown_lead_tells_of_its_race(lead: Lead) -> None:
    told = run("lead", "show", lead.lead_id)
    assert "race 1: claimed, sealed 2026-11-23 12:01:00 UTC with 1 receipts, block 1" in told.output
