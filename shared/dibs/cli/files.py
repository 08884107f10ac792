"""What all imports have in common: which files they take, and what they say of them (O5)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from dibs.cli.console import console
from dibs.core.errors import FieldError
from dibs.core.tables import Column, Table, read_table

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

Encoding = Annotated[
    str, typer.Option(help="Of the file, such as utf-8 or gbk; found by itself otherwise.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")]


def read_file(file: Path, columns: Sequence[Column], encoding: str) -> Table:
    """Return the table a file holds, and say how it was read."""
    try:
        table = read_table(file.read_bytes(), columns, encoding)
    except OSError as error:
        raise typer.BadParameter(
            f"cannot be read: {error.strerror}", param_hint=str(file)
        ) from None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=str(file)) from None
    by = SEPARATORS.get(table.separator, table.separator)
    rows = len(table.rows) + len(table.wrong)
    _say(f"{file.name}: {rows} rows in {table.encoding}, separated by {by}.")
    if table.unread:
        _say(f"Columns that are not read: {', '.join(table.unread)[:200]}.")
    return table


def end(wrong: Sequence[FieldError], notes: Sequence[FieldError] = ()) -> None:
    """Name each line there is something to say of, in order; exit with 2 if one was not taken."""
    said = [(error, "red") for error in wrong] + [(note, "yellow") for note in notes]
    for error, colour in sorted(said, key=lambda one: line_of(one[0])):
        _say(f"{error.field}: {error.problem}", colour)
    if wrong:
        raise typer.Exit(2)


def line_of(error: FieldError) -> int:
    """Return the line an error names."""
    return int(error.field.removeprefix("line "))


def _say(text: str, colour: str = "") -> None:
    console.print(escape(text), style=colour or None, highlight=False, soft_wrap=True)
