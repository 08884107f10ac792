"""`dibs audit` and `dibs receipts`: check races for changes, and export receipts (C9)."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import Annotated, TextIO

import typer

from dibs.cli import standings
from dibs.cli.console import console
from dibs.cli.target import Stack, target
from dibs.receipts import audit as auditing
from dibs.receipts.export import write_head, write_race

app = typer.Typer(no_args_is_help=True)


def audit(
    day: Annotated[str, typer.Option(help="Only the races chained on that UTC day.")] = "",
    stack: Stack = "",
) -> None:
    """Check every sealed race against its hashes, the ledger against the leads' records, and boards
    and points against the ledger.

    Prints each difference, and exits with 1 if there is one. With --day only races are checked. A
    person who can write the tables can remove the last blocks: keep the printed hash of the last
    block elsewhere.
    """
    stores = target(stack).stores
    races, ledger = stores.races, stores.ledger
    first, last = 1, None
    if day:
        numbers = races.block_numbers(_day(day))
        if not numbers:
            console.print(f"No race was chained on {day}.", highlight=False)
            return
        first, last = numbers[0], numbers[-1]
    faults = 0
    for fault in chain(
        auditing.audit(races, ledger.story, first, last),
        () if day else auditing.audit_ledger(ledger, stores.roster),
        () if day else standings.faults(stores),
    ):
        faults += 1
        typer.echo(f"{fault.kind}  {fault.where}  {fault.what}")
    number, head = races.last_block()
    typer.echo(f"{faults or 'No'} faults. The last block is {number}, {head or 'none'}.")
    if faults:
        raise typer.Exit(1)


@app.command()
def export(
    start: Annotated[str, typer.Option("--from", help="First UTC day, such as 2026-11-23.")],
    end: Annotated[str, typer.Option("--to", help="Last UTC day; the first if left out.")] = "",
    team: Annotated[str, typer.Option(help="Only races this team was in.")] = "",
    file: Annotated[
        Path | None, typer.Option("--out", help="A file; else standard output.")
    ] = None,
    stack: Stack = "",
) -> None:
    """Write the receipts of the races chained in these days as CSV."""
    first, last = _day(start), _day(end or start)
    here = target(stack)  # first: it sets which AWS is used
    races = here.stores.races
    with _opened(file) as out:
        write_head(out)
        for number in range((last - first).days + 1):
            for race in auditing.of_day(races, first + timedelta(days=number)):
                write_race(out, race, team)


@contextlib.contextmanager
def _opened(file: Path | None) -> Iterator[TextIO]:
    if file is None:
        yield sys.stdout
    else:
        with file.open("w", encoding="utf-8", newline="") as out:
            yield out


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day; write it as 2026-11-23") from None
