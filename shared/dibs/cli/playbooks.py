"""`dibs playbook`: the organisation's rules as a file (O4)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dibs.adapters.playbook_file import playbook_json, read_playbook
from dibs.cli.target import Stack, target
from dibs.presets import NAMES, preset_text

app = typer.Typer(no_args_is_help=True)


@app.command()
def show(
    preset: Annotated[str, typer.Option(help=f"A shipped one: {', '.join(NAMES)}.")] = "",
    stack: Stack = "",
) -> None:
    """Print the playbook in force, or a shipped preset to start from."""
    if preset:
        if preset not in NAMES:
            raise typer.BadParameter(f"use one of {', '.join(NAMES)}", param_hint="--preset")
        body, version = preset_text(preset), "as shipped"
    else:
        playbook = target(stack).operator.roster.playbook()
        body = playbook_json(playbook)
        version = f"version {playbook.version}" if playbook.version else "the preset, as shipped"
    typer.echo(json.dumps(json.loads(body), indent=2, ensure_ascii=False))
    Console(stderr=True).print(f"[dim]{version}[/]")


@app.command()
def validate(file: Path) -> None:
    """Check a playbook file (YAML or JSON): every wrong place is named, with its mend."""
    playbook = read_playbook(_text(file))
    typer.echo(
        f"{file} is a valid playbook: {playbook.preset}, {len(playbook.teams)} teams, "
        f"window {playbook.window_seconds} s, {playbook.claims_per_day} claims a day."
    )


@app.command()
def apply(file: Path, stack: Stack = "") -> None:
    """Put a playbook file in force; functions pick it up within 20 seconds."""
    version = target(stack).operator.apply_playbook(_text(file))
    typer.echo(f"Version {version} is in force.")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(
            f"cannot be read: {error.strerror}", param_hint=str(file)
        ) from None
