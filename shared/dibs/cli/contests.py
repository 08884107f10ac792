"""`dibs contests`: check the results of contests against their signatures (G4-G6)."""

from __future__ import annotations

from typing import Annotated

import typer

from dibs.cli.target import Stack, target
from dibs.core.errors import RouteNotFound
from dibs.game.contests.run import flaws
from dibs.game.contests.store import signature

app = typer.Typer(no_args_is_help=True)


@app.callback()
def contests() -> None:
    """Keep `verify` a subcommand: Typer makes a single command the app itself."""


@app.command()
def verify(
    contest: Annotated[
        str, typer.Argument(help="A contest's id; all final ones if left out.")
    ] = "",
    stack: Stack = "",
) -> None:
    """Check each result against its signature, its entrants and its draw.

    Exits with 1 if there is a fault.
    """
    here = target(stack)
    store, secret = here.stores.contests, here.stores.results_secret
    final = [entry.contest.contest_id for entry in store.all() if entry.state == "final"]
    if contest and contest not in final:
        raise RouteNotFound(f"There is no final contest {contest!r}.")
    faults = 0
    for contest_id in [contest] if contest else final:
        for flaw in flaws(store, lambda text: signature(text, secret), contest_id):
            faults += 1
            typer.echo(f"{contest_id}  {flaw}")
    typer.echo(f"{faults or 'No'} faults in {1 if contest else len(final)} results.")
    if faults:
        raise typer.Exit(1)
