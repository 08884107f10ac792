"""`dibs rebuild`: rebuild the standings from the ledger; and how `dibs audit` checks them (G3)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dibs.cli.target import Stack, target
from dibs.game.rewards.requests import audit_points
from dibs.game.scoring.rebuild import Progress as Told
from dibs.game.scoring.rebuild import audit_standings, rebuild
from dibs.ledger.project import missing_entries
from dibs.receipts.receipts import Fault
from dibs.wiring import Wiring


def rebuild_standings(stack: Stack = "") -> None:
    """Rebuild all standings from the ledger beside the live ones, then switch boards to them.

    First the entries are written that the ledger lacks by the leads' records. Nothing stops
    meanwhile: new scores count in both. Older builds are deleted first.
    """
    stores = target(stack).stores
    for story in stores.ledger.stories():
        stores.ledger.put(missing_entries(story, stores.ledger, stores.roster))
    given_up = stores.standings.forget_others()
    with _shown() as told:
        entries = stores.ledger.everything()
        done = rebuild(stores.score_deps, stores.standings, entries, told)
    typer.echo(
        f"{done.entries} entries of {done.units} units are {done.totals} totals now "
        f"(generation {done.generation}); {given_up} items of earlier ones were deleted."
    )


def faults(stores: Wiring) -> Iterator[Fault]:
    """Yield each difference of standings and points from the ledger, and of points from rewards.

    Differences are checked twice: an entry that was under way the first time has arrived by then.
    """
    found = _differences(stores)
    again = {(one.kind, one.where) for one in _differences(stores)} if found else ()
    yield from (one for one in found if (one.kind, one.where) in again)
    yield from audit_points(stores.points, stores.rewards)


def _differences(stores: Wiring) -> list[Fault]:
    with _shown() as told:
        return list(
            audit_standings(
                stores.score_deps,
                stores.standings,
                stores.ledger.everything(),
                stores.points.transfers(),
                told,
            )
        )


@contextmanager
def _shown() -> Iterator[Told]:
    """Show progress on standard error."""
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks = {}

        def told(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what)
            bar.update(tasks[what], completed=done, total=of or None)

        yield told
