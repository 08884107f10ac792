"""`dibs team`: pause a team, and end that (R8)."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dibs.aws import clock
from dibs.cli.target import Stack, noting, target
from dibs.core.rep import Pause
from dibs.people.pauses import pause_of, pause_team

app = typer.Typer(no_args_is_help=True)

TeamId = Annotated[str, typer.Argument(metavar="TEAM", help="A team of the playbook, by its id.")]


@app.command()
def pause(
    team: TeamId,
    reason: Annotated[str, typer.Option(help="Why, in one line; the team's reps see it.")],
    until: Annotated[
        str, typer.Option(help="Such as 2026-12-24T18:00:00Z; until it is ended if left out.")
    ] = "",
    stack: Stack = "",
) -> None:
    """Pause a team at once: nobody in it is told of leads or can claim (R8)."""
    try:
        ends = clock.from_iso(until) if until else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--until") from None
    _change(team, pause_of(reason, ends, clock.now()), stack)
    typer.echo(f"{team} is paused {f'until {ends:%d %b %H:%M} UTC' if ends else 'until resumed'}.")


@app.command()
def resume(team: TeamId, stack: Stack = "") -> None:
    """End a team's pause (R8)."""
    _change(team, None, stack)
    typer.echo(f"{team} is on.")


def _change(team: str, pause: Pause | None, stack: str) -> None:
    stores = target(stack).stores
    what = "team.resume" if pause is None else "team.pause"
    with noting(stores, what, team, {}, _noted(pause)) as note:
        note.before = _noted(pause_team(stores.roster, team, pause))


def _noted(pause: Pause | None) -> dict[str, Any]:
    return {"paused": pause is not None, "paused_until": pause and pause.until}
