"""`dibs contests`: set contests up, once or by the calendar; check results (G4-G6, G12)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from dibs.aws import clock
from dibs.cli.console import console
from dibs.cli.target import Stack, noting, operator, target
from dibs.core.errors import FieldError, InvalidInput, RouteNotFound
from dibs.game.contests.repeat import begun_already, cancel_series, plan_series
from dibs.game.contests.run import cancel, flaws, plan
from dibs.game.contests.store import contest_from_body, series_from_body, signature

app = typer.Typer(no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The id it gets, such as december-race.")],
    file: Annotated[Path, typer.Argument(help="A JSON file as docs/contests.md describes it.")],
    stack: Stack = "",
) -> None:
    """Set up a contest, or with `repeats` in the file one for each period; again changes it."""
    body, here = _read(file), target(stack)
    deps, now, by = here.stores.contest_deps, clock.now(), operator()
    if "repeats" in body:
        series, unread = series_from_body(name, body)
        with noting(here.stores, "series.put", name, after={"repeats": body["repeats"]}):
            before = list(deps.contests.all())
            plan_series(deps, replace(series, by=by), now, unread)
        for one in begun_already(series, before, deps.contests.all(), now):
            typer.echo(f"{one.field} {one.problem}", err=True)
        typer.echo(f"{name}: set up; its contests are in 'dibs contests list'.")
        return
    contest, unread = contest_from_body(name, body)
    with noting(here.stores, "contest.put", name, after={"name": contest.name}):
        planned = plan(deps, contest, by, now, unread)
    times = planned.times
    typer.echo(
        f"{name}: from {times.opens_at:%Y-%m-%d %H:%M} to {times.ends_at:%Y-%m-%d %H:%M} UTC."
    )


@app.command("list")
def list_(stack: Stack = "") -> None:
    """Show the series of contests, and every contest that is to come or live."""
    store = target(stack).stores.contests
    table = Table("contest", "name", "state", "from (UTC)", "to (UTC)")
    for series in store.series():
        repeats = series.repeats
        days = f" ({', '.join(repeats.weekdays)})" if repeats.weekdays else ""
        state = "cancelled" if series.cancelled else f"each {repeats.every}{days}"
        table.add_row(series.series_id, series.contest.name, state, "", "")
    for one in store.all():
        if one.state in ("upcoming", "live"):
            times = (f"{at:%Y-%m-%d %H:%M}" for at in (one.times.opens_at, one.times.ends_at))
            table.add_row(one.contest.contest_id, one.contest.name, one.state, *times)
    console.print(table)


@app.command("cancel")
def cancel_(
    name: Annotated[str, typer.Argument(help="A contest's id, or a series' with --series.")],
    series: Annotated[
        bool, typer.Option("--series", help="The whole series, with what has not begun.")
    ] = False,
    stack: Stack = "",
) -> None:
    """Call a contest off, or a series of contests."""
    here = target(stack)
    what = "series" if series else "contest"
    with noting(here.stores, f"{what}.cancel", name, after={"state": "cancelled"}):
        if series:
            cancel_series(here.stores.contest_deps, name)
        else:
            cancel(here.stores.contest_deps, name)
    typer.echo(f"{name}: cancelled.")


def _read(file: Path) -> dict[str, Any]:
    try:
        body = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InvalidInput((FieldError(str(file), f"cannot be read as JSON: {error}"),)) from error
    if not isinstance(body, dict):
        raise InvalidInput((FieldError(str(file), "write one JSON object"),))
    return body


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
