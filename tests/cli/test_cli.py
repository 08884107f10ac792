"""The `dibs` command, on moto: what operators type, and what they are told."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dibs.aws import clock
from dibs.cli import leads, owners, playbooks, reps
from dibs.cli.main import app
from dibs.cli.target import Target
from dibs.core.errors import InvalidInput
from dibs.race.claim import claim
from dibs.race.draw import DrawResult, commitment_of, in_order, seed_of
from dibs.race.records import draw_item
from dibs.rules.presets import preset_text
from support.builders import World, a_card, a_rep


@pytest.fixture
def organisation(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    for module in (reps, leads, owners, playbooks):
        monkeypatch.setattr(module, "target", lambda stack: Target(world.settings, "http://api"))
    return world


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def test_a_shipped_playbook_is_shown_and_valid(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["playbook", "show", "--preset", "open-pool"]).stdout
    assert json.loads(shown) == json.loads(preset_text("open-pool"))
    file = tmp_path / "playbook.json"
    file.write_text(shown)
    assert "is a valid playbook" in said(run("playbook", "validate", str(file)))


def test_every_wrong_place_of_a_playbook_is_named(tmp_path: Path) -> None:
    rules = json.loads(preset_text("open-pool"))
    rules |= {"window_seconds": 5, "claims_a_day": 3, "quality": {"hot": 40, "warm": 50}}
    file = tmp_path / "playbook.yaml"
    file.write_text(json.dumps(rules))
    result = run("playbook", "validate", str(file))
    assert isinstance(result.exception, InvalidInput)
    assert "claims_a_day" in {error.field for error in result.exception.errors}
    del rules["claims_a_day"]
    file.write_text(json.dumps(rules))
    again = run("playbook", "validate", str(file)).exception
    assert isinstance(again, InvalidInput)
    assert {"window_seconds", "quality.warm"} <= {error.field for error in again.errors}


def test_an_applied_playbook_gets_the_next_version(organisation: World, tmp_path: Path) -> None:
    file = tmp_path / "playbook.yaml"
    file.write_text(preset_text("open-pool"))
    before = organisation.roster.playbook().version
    assert f"Version {before + 1}" in said(run("playbook", "apply", str(file), "--yes"))


def test_reps_are_added_listed_paused_and_switched_on(organisation: World) -> None:
    output = said(
        run("reps", "add", "--name", "Aisyah", "--team", "north", "--zone", "Asia/Kuching",
            "--phone", "+60 12-888 0000", "--language", "ms")
    )  # fmt: skip
    token = output.splitlines()[-1]
    rep_id = token.split(".")[0]
    stored = organisation.roster.get(rep_id)
    assert stored is not None
    assert stored.phone == "+60128880000"
    assert "paused until" in said(run("reps", "pause", rep_id, "--minutes", "30"))
    paused = organisation.roster.get(rep_id)
    assert paused is not None
    assert paused.paused_until is not None
    assert paused.paused_until - clock.now() <= timedelta(minutes=30)
    assert "is on" in said(run("reps", "pause", rep_id, "--resume"))
    assert rep_id in said(run("reps", "list"))


def test_a_wrong_rep_is_refused_with_every_reason(organisation: World) -> None:
    del organisation
    result = run("reps", "add", "--name", "X", "--team", "west", "--zone", "Kuching",
                 "--phone", "12", "--tier", "4")  # fmt: skip
    assert isinstance(result.exception, InvalidInput)
    named = {error.field for error in result.exception.errors}
    assert named == {"team", "zone", "phone", "tier"}


def test_an_import_names_wrong_lines_and_adds_the_others_once(
    organisation: World, tmp_path: Path
) -> None:
    file, tokens = tmp_path / "reps.csv", tmp_path / "tokens.csv"
    file.write_text(
        "name,team,zone,phone\n"
        "Aisyah,north,Asia/Kuching,+60128880001\n"
        "Ben,nowhere,Europe/London,+447400123456\n"
        "Chong,north,Asia/Singapore,\n",
        encoding="utf-8",
    )
    first = run("reps", "import", str(file), "--tokens", str(tokens))
    assert first.exit_code == 1
    assert "2 added, 0 known already, 1 wrong." in first.output
    assert "line 3: team" in first.output
    kept = list(csv.reader(tokens.read_text().splitlines()))
    assert [row[1] for row in kept] == ["Aisyah", "Chong"]
    assert tokens.stat().st_mode & 0o077 == 0
    again = run("reps", "import", str(file), "--tokens", str(tokens))
    assert "0 added, 2 known already, 1 wrong." in again.output
    names = [rep.name for rep, _ in organisation.roster.team("north")]
    assert sorted(names) == ["Aisyah", "Chong"]


def test_what_a_lead_is_tied_to_is_shown(organisation: World) -> None:
    rep = organisation.add_rep(a_rep(1))
    lead = organisation.post_lead(a_card(1), clock.now())
    other = a_card(2, contact_phone=a_card(1).contact_phone, source="fair")
    organisation.post_lead(other, clock.now())
    [link] = organisation.leads.duplicate_links(lead.lead_id)
    shown = " ".join(said(run("lead", "show", lead.lead_id)).split())
    assert f"merged: {link.other_id} from fair, same phone number" in shown
    claim(organisation.race, lead.lead_id, rep.rep_id, lambda view: None, clock.now)
    theirs = organisation.post_lead(a_card(3, company=a_card(1).company), clock.now())
    shown = " ".join(said(run("lead", "show", theirs.lead_id)).split())
    assert "existing_owner" in shown
    assert f"went to its owner without a race: same company (name) as lead {lead.lead_id}" in shown


def owners_file(folder: Path, *lines: str) -> str:
    file = folder / "owners.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    return str(file)


def test_a_companys_owner_is_imported_and_taken_back(organisation: World, tmp_path: Path) -> None:
    rep = organisation.add_rep(a_rep(1))
    file = owners_file(
        tmp_path,
        "company,domain,rep",
        f"Acme 1,,{rep.rep_id}",
        f",acme-2.example,{rep.phone}",
    )
    assert "2 companies" in said(run("owners", "import", file))
    for number in (1, 2):
        lead = organisation.post_lead(a_card(number), clock.now())
        assert (lead.state, lead.owner) == ("assigned", rep.rep_id)
    shown = " ".join(said(run("lead", "show", lead.lead_id)).split())
    assert "as the owner named by 'dibs owners'" in shown
    said(run("owners", "import", owners_file(tmp_path, "domain,rep", "acme-3.example,-")))
    said(
        run("owners", "import", owners_file(tmp_path, "domain,rep", f"acme-3.example,{rep.phone}"))
    )
    said(run("owners", "import", owners_file(tmp_path, "domain,rep", "acme-3.example,-")))
    assert organisation.post_lead(a_card(3), clock.now()).owner is None


def test_a_wrong_line_of_owners_is_named_and_nothing_is_imported(
    organisation: World, tmp_path: Path
) -> None:
    rep = organisation.add_rep(a_rep(1))
    gone = organisation.add_rep(a_rep(2))
    organisation.roster.deactivate(gone.rep_id, clock.now().date())
    file = owners_file(
        tmp_path,
        "company,domain,rep",
        f"Acme 1,,{rep.rep_id}",
        "Acme 2,,nobody",
        f"Acme 2,,{gone.rep_id}",
        f",gmail.com,{rep.rep_id}",
        f"n/a,,{rep.rep_id}",
        f",,{rep.rep_id}",
    )
    result = run("owners", "import", file)
    assert isinstance(result.exception, InvalidInput)
    assert [error.field for error in result.exception.errors] == [f"line {n}" for n in range(3, 8)]
    assert organisation.post_lead(a_card(1), clock.now()).owner is None
    assert run("owners", "import", owners_file(tmp_path, "name,rep", "Acme,x")).exit_code == 2
    assert run("owners", "import", str(tmp_path / "none.csv")).exit_code == 2


def test_a_leads_history_and_a_reps_links_are_shown(organisation: World) -> None:
    rep = organisation.add_rep(a_rep(1))
    lead = organisation.post_lead(a_card(1), clock.now())
    shown = said(run("lead", "show", lead.lead_id))
    assert "accepted" in shown
    line = said(run("link", rep.rep_id, lead.lead_id)).splitlines()[0]
    assert line.startswith(f"{organisation.settings.public_url}/c/")
    assert run("link", rep.rep_id, "nosuchlead").exit_code == 1


def test_a_lead_is_assigned_and_withdrawn_with_a_reason_that_is_shown(organisation: World) -> None:
    rep = organisation.add_rep(a_rep(1))
    lead = organisation.post_lead(a_card(1), clock.now())
    given = said(run("lead", "assign", lead.lead_id, rep.rep_id, "--reason", "[b]an[/b] ally"))
    assert given.strip() == f"{lead.lead_id} is assigned, held by {rep.rep_id}"
    again = said(run("lead", "assign", lead.lead_id, rep.rep_id, "--reason", "an ally"))
    assert again.strip().endswith(", as before")
    aside = said(run("lead", "withdraw", lead.lead_id, "--reason", "rude", "--to-nobody"))
    assert aside.strip() == f"{lead.lead_id} is expired, on hold"
    shown = said(run("lead", "show", lead.lead_id))
    assert "put on hold by a manager" in " ".join(shown.split())
    assert "[b]an" in shown
    assert "rude" in shown
    back = said(run("lead", "withdraw", lead.lead_id, "--reason", "sorry"))
    assert back.strip() == f"{lead.lead_id} is open"
    wrong = run("lead", "withdraw", lead.lead_id, "--reason", " ")
    assert isinstance(wrong.exception, InvalidInput)
    assert run("lead", "withdraw", lead.lead_id).exit_code == 2


def test_a_draw_is_shown_and_recomputed(organisation: World) -> None:
    lead = organisation.post_lead(a_card(1), clock.now())
    assert run("lead", "draw", lead.lead_id).exit_code == 1
    seed = seed_of(lead)
    reps = [a_rep(number).rep_id for number in range(1, 4)]
    order = in_order(seed, lead.lead_id, 1, reps)
    kept, now = commitment_of(seed), clock.now()
    drawn = DrawResult(
        lead.lead_id, 1, kept, seed, now, order, ((order[0], ("paused",)),), order[1]
    )
    to = organisation.settings.leads_table
    organisation.dynamo.put(to, draw_item(drawn))
    shown = said(run("lead", "draw", lead.lead_id, "--commitment", kept))
    for part in (kept, seed, *order, "paused", "won", "as it was promised"):
        assert part in shown
    other = run("lead", "draw", lead.lead_id, "--commitment", commitment_of("another"))
    assert other.exit_code == 1
    assert "the commitment is not the one that was shown" in other.output
    organisation.dynamo.put(to, draw_item(replace(drawn, winner=order[2])))
    altered = run("lead", "draw", lead.lead_id)
    assert altered.exit_code == 1
    assert "the winner is not the first" in altered.output
