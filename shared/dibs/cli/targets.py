"""`dibs targets`: each rep's target for a month (M4)."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from dibs.cli.console import console
from dibs.cli.files import AsJson, DryRun, Encoding, end, line_of, read_file
from dibs.cli.target import Stack, noting, target
from dibs.core.errors import FieldError
from dibs.core.tables import Column, whole_number
from dibs.people.operator import all_reps
from dibs.reports.quotas import LARGEST_TARGET
from dibs.rules.rules import QuotaRules

app = typer.Typer(no_args_is_help=True)
COLUMNS = (
    Column("rep_id", ("rep", "id", "id wakil", "wakil"), needed=True),
    Column("target", ("quota", "goal", "sasaran", "kuota"), needed=True),
)

Month = Annotated[str, typer.Argument(help="Such as 2026-12.")]


@app.command()
def show(month: Month, as_json: AsJson = False, stack: Stack = "") -> None:
    """Print the month's targets."""
    here = target(stack)
    reps = all_reps(here.stores.roster)
    known = here.stores.targets.of(_month(month), [rep.rep_id for rep in reps])
    quota = here.stores.roster.playbook().quota
    if as_json:
        unit = {"month": month, "measure": quota.measure, "currency": quota.currency}
        typer.echo(json.dumps({**unit, "targets": known}, indent=2))
        return
    table = Table("rep", "name", "team", _unit(quota))
    for rep in reps:
        table.add_row(rep.rep_id, rep.name, rep.team, str(known.get(rep.rep_id, "-")))
    console.print(table)


@app.command("import")
def import_(
    month: Month,
    file: Path,
    dry_run: DryRun = False,
    encoding: Encoding = "",
    stack: Stack = "",
) -> None:
    """Set targets from a CSV file with the columns rep_id and target.

    A target is in the playbook's measure: leads won, or revenue in the smallest unit of its
    currency (5000000 is 50,000.00 US dollars). Each line that it does not take is named with the
    reason, and it ends with 2; the others are taken.
    """
    here, first = target(stack), _month(month)
    table = read_file(file, COLUMNS, encoding)
    reps = {rep.rep_id for rep in all_reps(here.stores.roster)}
    wrong = list(table.wrong)
    found: dict[str, tuple[int, int]] = {}
    for row in table.rows:
        rep_id = row.fields["rep_id"].lower()
        try:
            wanted = _target(rep_id, row.fields["target"], reps, table.comma_decimals)
        except ValueError as error:
            wrong.append(FieldError(f"line {row.line}", str(error)))
            continue
        line, other = found.setdefault(rep_id, (row.line, wanted))
        if other != wanted:
            wrong.append(_two(row.line, rep_id, line))
            wrong.append(_two(line, rep_id, row.line))
    wrong = list({line_of(error): error for error in reversed(wrong)}.values())
    refused = {line_of(error) for error in wrong}
    good = {rep_id: wanted for rep_id, (line, wanted) in found.items() if line not in refused}
    store = here.stores.targets
    known = store.of(first, list(good))
    changed = {rep_id: wanted for rep_id, wanted in good.items() if known.get(rep_id) != wanted}
    as_before = f"{len(good) - len(changed)} as before, {len(wrong)} not taken"
    if dry_run:
        typer.echo(f"{len(changed)} targets to set, {as_before}. Nothing is changed.")
    else:
        before = {rep_id: known[rep_id] for rep_id in changed if rep_id in known}
        with noting(here.stores, "targets.put", f"{first:%Y-%m}", before, changed):
            store.put(first, changed)
        typer.echo(f"{len(changed)} targets of {month} are set, {as_before}.")
    end(wrong)


def _target(rep_id: str, given: str, reps: set[str], comma_decimals: bool) -> int:
    if rep_id not in reps:
        raise ValueError(f"{rep_id[:40]!r} is not a rep's id; see `dibs reps list`")
    try:
        wanted = whole_number(given, comma_decimals)
    except ValueError as error:
        raise ValueError(f"target: {error}; use 0 to {LARGEST_TARGET}") from error
    if wanted > LARGEST_TARGET:
        raise ValueError(f"target: use a whole number from 0 to {LARGEST_TARGET}")
    return wanted


def _two(line: int, rep_id: str, other: int) -> FieldError:
    return FieldError(
        f"line {line}", f"{rep_id} has another target on line {other}; keep one of them"
    )


def _unit(quota: QuotaRules) -> str:
    if quota.measure == "won":
        return "target (leads won)"
    return f"target (revenue, smallest unit of {quota.currency})"


def _month(text: str) -> date:
    if not re.fullmatch(r"2[0-9]{3}-(0[1-9]|1[0-2])", text):
        raise typer.BadParameter("write it as 2026-12", param_hint="MONTH")
    return date.fromisoformat(f"{text}-01")
