"""`dibs audit` and `dibs receipts`: check that no race was altered, and export receipts (C9)."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console

from dibs.cli import standings
from dibs.cli.target import Stack, target
from dibs.receipts import audit as auditing
from dibs.receipts.export import write_head, write_race

app = typer.Typer(no_args_is_help=True)
console = Console()


def audit(
    day: Annotated[str, typer.Option(help="Only what was chained that UTC day.")] = "",
    stack: Stack = "",
) -> None:
    """Work out every hash of races and blocks anew, and what the ledger comes to; name what is not
    as it was sealed, and what boards and points accounts have otherwise.

    Of a day only races are looked at. Ends with 1 when anything is found. Whoever can write the
    tables can cut the chain off at its end: keep the last block's hash, which is printed,
    somewhere else.
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
    found = 0
    for fault in chain(
        auditing.audit(races, ledger.story, first, last), () if day else standings.faults(stores)
    ):
        found += 1
        typer.echo(f"{fault.kind}  {fault.where}  {fault.what}")
    number, head = races.last_block()
    typer.echo(f"{found or 'No'} faults. The last block is {number}, {head or 'there is none'}.")
    if found:
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
    here = target(stack)  # first: it says where the store is
    races = here.stores.races
    with _opened(file) as out:
        write_head(out)
        for number in range((last - first).days + 1):
            for found in auditing.of_day(races, first + timedelta(days=number)):
                write_race(out, found, team)


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
        raise typer.BadParameter(f"{text!r} is no day; write it as 2026-11-23") from None
