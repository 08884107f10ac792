"""`dibs disputes`: what reps dispute of races, and the answers (C9)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer
from rich.table import Table

from dibs.aws import clock
from dibs.cli.console import console
from dibs.cli.target import Stack, noting, operator, target
from dibs.core.errors import FieldError, InvalidInput
from dibs.receipts.body import checked_words
from dibs.receipts.seal import answer_dispute

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(
    month: Annotated[str, typer.Argument(help="A UTC month such as 2026-11; this one.")] = "",
    unanswered: Annotated[
        bool, typer.Option("--open", help="Only those without an answer.")
    ] = False,
    stack: Stack = "",
) -> None:
    """Show what reps disputed in a month, and how it was answered."""
    try:
        first = date.fromisoformat(f"{month or f'{clock.now():%Y-%m}'}-01")
    except ValueError as error:
        raise InvalidInput((FieldError("month", "write a month such as 2026-11"),)) from error
    table = Table("lead", "epoch", "rep", "disputed (UTC)", "reason", "answer")
    for one in target(stack).stores.races.disputes(first):
        if unanswered and one.ruling:
            continue
        said = f"{one.ruling.replace('_', ' ')}: {one.answer}" if one.ruling else "-"
        table.add_row(
            one.lead_id, str(one.epoch), one.rep_id, f"{one.at:%Y-%m-%d %H:%M}", one.reason, said
        )
    console.print(table)


@app.command()
def answer(
    lead: str,
    epoch: int,
    rep: str,
    text: Annotated[str, typer.Option(help="Why; the rep reads it.")],
    upheld: Annotated[bool, typer.Option("--upheld/--not-upheld", help="Is the rep right?")],
    stack: Stack = "",
) -> None:
    """Answer a dispute, once: upheld or not, and why. The rep reads it beside their receipt."""
    said, here = checked_words(text, "text"), target(stack)
    races = here.stores.races
    filed = races.disputed(lead, epoch, rep)
    before = {"ruling": filed.ruling if filed is not None else ""}
    with noting(here.stores, "dispute.answer", f"{lead}/{epoch}/{rep}", before) as note:
        answered = answer_dispute(races, lead, epoch, rep, upheld, said, operator(), clock.now())
        note.after = {"ruling": answered.ruling}
    typer.echo(f"Answered: {answered.ruling.replace('_', ' ')}.")
