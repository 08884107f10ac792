"""`dibs playbook`, on moto: what it says, asks and changes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dibs.cli import playbooks
from dibs.cli.main import app
from dibs.cli.target import Target
from dibs.core.errors import InvalidInput, RouteNotFound
from dibs.playbook.file import schema
from dibs.rules.presets import NAMES, preset_text
from support.aws import everything
from support.builders import World, a_rep

RULES = {"preset": "ours", "fits": "Us.", "teams": {"north": {"name": "North"}}}


@pytest.fixture(autouse=True)
def organisation(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(playbooks, "target", lambda stack: Target(world.settings, "http://api"))
    monkeypatch.setenv("USER", "aina")
    return world


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return rules(tmp_path)


def rules(folder: Path, **changes: Any) -> Path:
    written = folder / "playbook.json"
    written.write_text(json.dumps({**RULES, **changes}), encoding="utf-8")
    return written


def run(*arguments: object, answer: str = "") -> Result:
    return CliRunner().invoke(app, ["playbook", *map(str, arguments)], input=answer)


def out(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(playbooks, "sys", SimpleNamespace(stdin=stdin))


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_playbook_is_shown_and_valid(name: str, tmp_path: Path) -> None:
    shown = out("show", "--preset", name)
    assert json.loads(shown) == json.loads(preset_text(name))
    written = tmp_path / "playbook.json"
    written.write_text(shown, encoding="utf-8")
    said = run("validate", written)
    assert said.exit_code == 0
    assert f"is a valid playbook: {name}" in said.stdout
    assert "Rules on: M" in said.stdout
    assert "teams.sales.fallback" in said.stderr


def test_there_is_no_preset_of_another_name() -> None:
    result = run("show", "--preset", "free-for-all")
    assert result.exit_code == 2
    assert "open-pool" in result.output


def test_the_schema_is_printed() -> None:
    assert json.loads(out("schema")) == schema()


def test_a_playbook_is_checked_without_any_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playbooks, "target", None)
    assert run("validate", rules(tmp_path)).exit_code == 0
    wrong = run("validate", rules(tmp_path, undo_seconds=999, windowseconds=3))
    assert isinstance(wrong.exception, InvalidInput)
    named = [error.field for error in wrong.exception.errors]
    assert named == ["windowseconds", "undo_seconds"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    written = tmp_path / "playbook.yaml"
    if content is not None:
        written.write_bytes(content)
    result = run("validate", written)
    assert result.exit_code == 2
    assert "cannot be read" in result.output


def test_a_difference_is_shown_and_changes_nothing(world: World, tmp_path: Path) -> None:
    before = everything(world.dynamo.client, world.settings)
    changed = rules(tmp_path, claims_per_day=3)
    assert "claims_per_day: 10 → 3" in out("diff", changed)
    [claims] = [c for c in json.loads(out("diff", changed, "--json")) if "claims" in c["place"]]
    assert claims == {"place": "claims_per_day", "before": "10", "after": "3"}
    assert everything(world.dynamo.client, world.settings) == before


def test_a_preview_tells_what_it_would_do_and_changes_nothing(world: World, tmp_path: Path) -> None:
    world.add_rep(a_rep(1, tier=1))
    world.add_rep(a_rep(2, tier=3))
    before = everything(world.dynamo.client, world.settings)
    changed = rules(
        tmp_path,
        model="tiers",
        quota={"enabled": True},
        windows=[{"source": "web", "window_seconds": 60}],
    )
    result = run("preview", changed)
    assert result.exit_code == 0
    for line in (
        "north: open-pool → tiers",
        "  active reps: 1 in tier 1, 0 in tier 2, 1 in tier 3",
        "  any source: premium at once, after 900 s, never; standard at once, after 900 s, "
        "after 3600 s; open 900 s",
        "open 60 s",
        "  told at once of a premium lead: 2 → 1",
        "  leads a week by target reached: 10 from 0 %, 12 from 50 %, 15 from 75 %, 20 from 100 %",
    ):
        assert line in result.stdout
    assert "teams.north.fallback" in result.stderr
    [team] = json.loads(out("preview", changed, "--json"))["teams"]
    assert team["reps"] == [1, 0, 1]
    assert everything(world.dynamo.client, world.settings) == before


def test_a_preview_tells_of_a_team_that_would_be_gone(world: World, tmp_path: Path) -> None:
    world.add_rep(a_rep(1))
    result = run("preview", rules(tmp_path, teams={"south": {"name": "South"}}))
    assert "north: open-pool → gone" in result.stdout
    assert "south: open-pool" in result.stdout
    assert "1 active reps" in result.stderr


def test_an_applied_playbook_is_in_the_history_with_who_and_why(tmp_path: Path) -> None:
    said = out("apply", rules(tmp_path, claims_per_day=3), "--note", "calmer", "--yes")
    assert "claims_per_day: 10 → 3" in said
    assert said.endswith("Version 2 is in force.\n")
    newest, oldest = json.loads(out("history", "--json"))
    assert (newest["version"], newest["by"], newest["note"]) == (2, "aina", "calmer")
    assert newest["applied_at"].endswith("Z")
    assert oldest["version"] == 1
    assert out("history").splitlines()[0].startswith("2  ours  20")
    assert json.loads(out("show"))["claims_per_day"] == 3
    assert json.loads(out("show", "--version", 1))["claims_per_day"] == 10


def test_what_is_the_same_is_not_applied_again(tmp_path: Path) -> None:
    out("apply", rules(tmp_path), "--yes")
    said = out("apply", rules(tmp_path), "--yes")
    assert "No difference to version 2." in said
    assert "version 2 is in force" in said


def test_at_a_terminal_it_asks_first(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def confirm(question: str, abort: bool) -> None:
        asked.append(question)
        raise playbooks.typer.Abort

    monkeypatch.setattr(playbooks.typer, "confirm", confirm)
    at_a_terminal(monkeypatch)
    assert run("apply", rules(tmp_path)).exit_code == 1
    assert world.playbooks.in_force().number == 1
    assert asked == ["Put this in force?"]
    assert run("apply", rules(tmp_path), "--yes").exit_code == 0
    assert world.playbooks.in_force().number == 2
    assert len(asked) == 1


def test_a_rollback_is_a_version_of_its_own(world: World, tmp_path: Path) -> None:
    out("apply", rules(tmp_path, claims_per_day=3), "--yes")
    said = out("rollback", 1, "--yes")
    assert "claims_per_day: 3 → 10" in said
    assert "Version 3 is in force." in said
    in_force = world.playbooks.in_force()
    assert (in_force.number, in_force.note, in_force.by) == (3, "version 1 again", "aina")
    assert isinstance(run("rollback", 9, "--yes").exception, RouteNotFound)


def test_before_anything_was_applied_the_history_says_so(world: World) -> None:
    world.dynamo.delete(world.settings.organisation_table, {"pk": {"S": "PLAYBOOK"}})
    assert "Nothing was applied yet" in out("history")
    assert json.loads(out("history", "--json")) == []


def test_where_nobody_can_be_asked_nothing_is_put_in_force(tmp_path: Path) -> None:
    """A pipe, a pipeline: `--yes` says that somebody decided."""
    refused = run("apply", rules(tmp_path, claims_per_day=3))
    assert refused.exit_code == 2
    assert "--yes" in refused.output
    assert run("history").output.count("calmer") == 0


def test_a_team_without_a_fallback_person_is_said_aloud_unless_it_is_meant(file: Path) -> None:
    loud = run("apply", file, "--yes")
    assert loud.exit_code == 0
    assert "No fallback person: north" in loud.stderr
    meant = run("apply", file, "--yes", "--no-fallback")
    assert "No fallback person" not in meant.stderr
