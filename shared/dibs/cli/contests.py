"""`dibs contests`: check that results of contests are as they were signed (G4-G6)."""

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
    """Keep `verify` a command of its own, whatever else comes."""


@app.command()
def verify(
    contest: Annotated[
        str, typer.Argument(help="A contest's id; all that are final if left out.")
    ] = "",
    stack: Stack = "",
) -> None:
    """Check each result against its signature, its entrants and its draw.

    Ends with 1 when anything is found.
    """
    here = target(stack)
    store, secret = here.stores.contests, here.stores.results_secret
    final = [one.contest.contest_id for one in store.all() if one.state == "final"]
    if contest and contest not in final:
        raise RouteNotFound(f"There is no final contest {contest!r}.")
    found = 0
    for contest_id in [contest] if contest else final:
        for flaw in flaws(store, lambda text: signature(text, secret), contest_id):
            found += 1
            typer.echo(f"{contest_id}  {flaw}")
    typer.echo(f"{found or 'No'} faults in {1 if contest else len(final)} results.")
    if found:
        raise typer.Exit(1)
