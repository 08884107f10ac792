"""`dibs playbook`: the organisation's rules as a file (O4)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from dibs.aws.clock import now
from dibs.cli.target import Stack, noting, target
from dibs.core.errors import FieldError
from dibs.playbook.changes import (
    Proposal,
    TeamPreview,
    apply,
    next_version,
    opening_words,
    propose,
    propose_again,
    version,
)
from dibs.playbook.checks.teams import rules_on, warnings, without_fallback
from dibs.playbook.file import playbook_data, read_playbook, schema
from dibs.rules.playbook import Playbook
from dibs.rules.presets import NAMES, preset_text
from dibs.rules.rules import Window
from dibs.web.http import iso
from dibs.wiring import Wiring

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
By = Annotated[str, typer.Option(envvar="USER", help="Who is named in the history.")]
Note = Annotated[str, typer.Option(help="Why, for the history.")]


@app.command()
def show(
    preset: Annotated[str, typer.Option(help=f"A shipped one: {', '.join(NAMES)}.")] = "",
    number: Annotated[int, typer.Option("--version", help="An earlier one.")] = -1,
    stack: Stack = "",
) -> None:
    """Print the playbook in force, an earlier one, or a shipped preset to start from."""
    if preset:
        if preset not in NAMES:
            raise typer.BadParameter(f"use one of {', '.join(NAMES)}", param_hint="--preset")
        body, source = json.loads(preset_text(preset)), "as shipped"
    else:
        store = target(stack).stores.playbooks
        found = store.in_force() if number < 0 else version(store, number)
        body = playbook_data(found.playbook)
        source = f"version {found.number}" if found.number else "the preset, as shipped"
    _print_json(body)
    Console(stderr=True).print(f"[dim]{source}[/]")


@app.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of a playbook, for editors and your own checks."""
    _print_json(schema())


@app.command()
def validate(file: Path) -> None:
    """Check a playbook file (YAML or JSON); print every wrong setting and how to correct it."""
    playbook = read_playbook(_text(file))
    typer.echo(
        f"{file} is a valid playbook: {playbook.preset}, {len(playbook.teams)} teams, "
        f"window {playbook.window_seconds} s, {playbook.claims_per_day} claims a day. "
        f"Rules on: {' '.join(rules_on(playbook))}."
    )
    _warn(warnings(playbook))


@app.command()
def diff(file: Path, stack: Stack = "", as_json: Json = False) -> None:
    """Show how a playbook file differs from the one in force."""
    proposal = _proposed(target(stack).stores, read_playbook(_text(file)))
    if as_json:
        _print_json([asdict(change) for change in proposal.changes])
    else:
        _print_diff(proposal)


@app.command("preview")
def show_preview(file: Path, stack: Stack = "", as_json: Json = False) -> None:
    """Show what a playbook file would change for each team: openings, reps notified, allowances."""
    proposal = _proposed(target(stack).stores, read_playbook(_text(file)))
    if as_json:
        found = {"version": proposal.base.number, **asdict(proposal)}
        shown = ("version", "changes", "teams", "warnings")
        _print_json({name: found[name] for name in shown})
        return
    for team in proposal.teams:
        _print_team(team)
    _warn(proposal.warnings)


@app.command("apply")
def apply_file(
    file: Path,
    stack: Stack = "",
    yes: Yes = False,
    by: By = "operator",
    note: Note = "",
    no_fallback: Annotated[
        bool, typer.Option("--no-fallback", help="Teams without a fallback person are meant.")
    ] = False,
) -> None:
    """Put a playbook file in force; the next claim goes by it, all else within 2 seconds."""
    stores = target(stack).stores
    playbook = read_playbook(_text(file))
    _apply(stores, _proposed(stores, playbook), yes, by, note)
    nobody = without_fallback(playbook)
    if nobody and not no_fallback:
        Console(stderr=True).print(
            f"[bold red]No fallback person: {escape(', '.join(nobody))}.[/] A lead that no rep may "
            "take waits there until one may. Name a rep's id as the team's fallback and apply "
            "again, or say --no-fallback.",
            highlight=False,
        )


@app.command()
def rollback(number: int, stack: Stack = "", yes: Yes = False, by: By = "operator") -> None:
    """Put an earlier version in force again, as the next one; 0 is the preset as shipped."""
    stores = target(stack).stores
    proposal = propose_again(stores.playbooks, stores.roster, number)
    _apply(stores, proposal, yes, by, f"version {number} again")


@app.command()
def history(stack: Stack = "", as_json: Json = False) -> None:
    """List the latest hundred versions, the newest first."""
    rows = [
        {
            "version": entry.number,
            "preset": entry.playbook.preset,
            "applied_at": iso(entry.applied_at) if entry.applied_at else "",
            "by": entry.by,
            "note": entry.note,
        }
        for entry in target(stack).stores.playbooks.history()
    ]
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        typer.echo("  ".join(str(value) for value in row.values() if value != ""))
    if not rows:
        typer.echo("Nothing was applied yet: the preset is in force, as shipped.")


def _proposed(stores: Wiring, playbook: Playbook) -> Proposal:
    return propose(stores.playbooks, stores.roster, playbook)


def _apply(stores: Wiring, proposal: Proposal, yes: bool, by: str, note: str) -> None:
    _print_diff(proposal)
    _warn(proposal.warnings)
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter(
                "this is not a terminal to ask in; add --yes", param_hint="--yes"
            )
        typer.confirm("Put this in force?", abort=True)
    before = {one.place: one.before for one in proposal.changes}
    after = {one.place: one.after for one in proposal.changes}
    target = f"version {next_version(proposal)}"
    with noting(stores, "playbook.apply", target, before, after):
        number = apply(stores.playbooks, proposal, by, now(), note)
    again = "Nothing changed: version" if number == proposal.base.number else "Version"
    typer.echo(f"{again} {number} is in force.")


def _print_diff(proposal: Proposal) -> None:
    for change in proposal.changes:
        typer.echo(f"{change.place}: {change.before} → {change.after}")
    if not proposal.changes:
        typer.echo(f"No difference to version {proposal.base.number}.")


def _print_team(team: TeamPreview) -> None:
    model = team.model or "gone"
    typer.echo(
        f"{team.team}: {model if team.was in (None, team.model) else f'{team.was} → {model}'}"
    )
    tiers = ", ".join(f"{many} in tier {tier}" for tier, many in enumerate(team.reps, 1))
    typer.echo(f"  active reps: {tiers}")
    for window in team.windows:
        typer.echo(f"  {window.source or 'any source'}: {_window_words(window)}")
    for pool, (before, after) in team.told_at_once.items():
        typer.echo(f"  told at once of a {pool} lead: {before} → {after}")
    if team.allowances:
        bands = ", ".join(f"{many} from {percent} %" for percent, many in team.allowances.items())
        typer.echo(f"  leads a week by target reached: {bands}")


def _window_words(window: Window) -> str:
    pools = (("premium", window.premium), ("standard", window.standard))
    opens = [f"{pool} {opening_words(offsets)}" for pool, offsets in pools if offsets]
    return f"{'; '.join(opens)}; open {window.window_seconds} s"


def _warn(warnings: Iterable[FieldError]) -> None:
    for warning in warnings:
        typer.echo(f"worth a look: {warning.field}: {warning.problem}", err=True)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise typer.BadParameter(f"cannot be read: {why}", param_hint=str(file)) from None
