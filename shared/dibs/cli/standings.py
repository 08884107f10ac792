"""`dibs rebuild`: standings made anew from the ledger; and what `dibs audit` finds in them (G3)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dibs.aws.dynamo import Dynamo
from dibs.aws.settings import Settings
from dibs.cli.target import Stack, target
from dibs.game.rewards.requests import audit_points
from dibs.game.rewards.store import DynamoRewards
from dibs.game.scoring.points_store import DynamoPoints
from dibs.game.scoring.rebuild import Progress as Told
from dibs.game.scoring.rebuild import audit_standings, rebuild
from dibs.game.scoring.store import DynamoStandings
from dibs.ledger.store import DynamoLedger
from dibs.receipts.receipts import Fault
from dibs.wiring import WRITERS, scorer_of


def rebuild_standings(stack: Stack = "") -> None:
    """Make all standings anew from the ledger beside the live ones, then let boards show them.

    Nothing stops meanwhile: what is scored counts in both. Standings of before are deleted first.
    """
    settings = target(stack).settings
    database = Dynamo()
    ledger = DynamoLedger(database, settings)
    with ThreadPoolExecutor(WRITERS) as writers:
        standings = DynamoStandings(database, settings, writers.map)
        given_up = standings.forget_others()
        with _shown() as told:
            done = rebuild(scorer_of(database, settings), standings, ledger.everything(), told)
    typer.echo(
        f"{done.entries} entries of {done.units} units are {done.totals} totals now "
        f"(generation {done.generation}); {given_up} items of earlier ones were deleted."
    )


def faults(settings: Settings) -> Iterator[Fault]:
    """Yield each difference between standings and points, and what the ledger comes to, and where
    points and rewards do not add up among themselves.

    What is found is looked for again: what was on its way when it was read has arrived by then.
    """
    database = Dynamo()
    points = DynamoPoints(database, settings)
    found = _differences(database, settings)
    again = {(one.kind, one.where) for one in _differences(database, settings)} if found else ()
    yield from (one for one in found if (one.kind, one.where) in again)
    yield from audit_points(points, DynamoRewards(database, settings))


def _differences(database: Dynamo, settings: Settings) -> list[Fault]:
    with _shown() as told:
        return list(
            audit_standings(
                scorer_of(database, settings),
                DynamoStandings(database, settings),
                DynamoLedger(database, settings).everything(),
                DynamoPoints(database, settings).transfers(),
                told,
            )
        )


@contextmanager
def _shown() -> Iterator[Told]:
    """Show on standard error how far it is."""
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks = {}

        def told(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what)
            bar.update(tasks[what], completed=done, total=of or None)

        yield told
