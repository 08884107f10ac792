"""`dibs targets`: each rep's target for a month (M4)."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dibs.aws.dynamo import Dynamo
from dibs.cli.target import Stack, noted, target
from dibs.core.errors import FieldError, InvalidInput
from dibs.people.operator import all_reps
from dibs.reports.quotas import LARGEST_TARGET
from dibs.reports.store import DynamoTargets
from dibs.rules.rules import QuotaRules

app = typer.Typer(no_args_is_help=True)
console = Console()
COLUMNS = ("rep_id", "target")
_WHOLE = re.compile(r"[0-9]{1,16}")

Month = Annotated[str, typer.Argument(help="Such as 2026-12.")]


@app.command()
def show(month: Month, stack: Stack = "") -> None:
    """Print the month's targets."""
    here = target(stack)
    reps = all_reps(here.stores.roster)
    known = DynamoTargets(Dynamo(), here.settings).of(_month(month), [rep.rep_id for rep in reps])
    quota = here.stores.roster.playbook().quota
    table = Table("rep", "name", "team", _unit(quota))
    for rep in reps:
        table.add_row(rep.rep_id, rep.name, rep.team, str(known.get(rep.rep_id, "-")))
    console.print(table)


@app.command("import")
def import_(month: Month, file: Path, stack: Stack = "") -> None:
    """Set targets from a CSV file with the columns rep_id and target; all lines or none.

    A target is in the playbook's measure: leads won, or revenue in the smallest unit of its
    currency (5000000 is 50,000.00 US dollars).
    """
    here, first = target(stack), _month(month)
    try:
        with file.open(encoding="utf-8-sig", newline="") as source:
            reader = csv.DictReader(source)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise typer.BadParameter(
                    f"has no column {', '.join(missing)}", param_hint=str(file)
                )
            rows = list(reader)
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot be read: {error}", param_hint=str(file)) from None
    known = {rep.rep_id for rep in all_reps(here.stores.roster)}
    found: dict[str, int] = {}
    errors = []
    for number, row in enumerate(rows, start=2):
        rep_id, wanted = ((row[name] or "").strip() for name in COLUMNS)
        problem = ""
        if rep_id not in known:
            problem = f"{rep_id!r} is not a rep's id; see `dibs reps list`"
        elif rep_id in found:
            problem = f"{rep_id} has a target above; keep one of them"
        elif not _WHOLE.fullmatch(wanted) or int(wanted) > LARGEST_TARGET:
            problem = f"{wanted!r} is not a whole number from 0 to {LARGEST_TARGET}"
        if problem:
            errors.append(FieldError(f"line {number}", problem))
        else:
            found[rep_id] = int(wanted)
    if errors:
        raise InvalidInput(tuple(errors))
    store = DynamoTargets(Dynamo(), here.settings)
    before = store.of(first, list(found))
    store.put(first, found)
    noted(here.stores, "targets.put", f"{first:%Y-%m}", before, found)
    typer.echo(f"{len(found)} targets of {month} are set.")


def _unit(quota: QuotaRules) -> str:
    if quota.measure == "won":
        return "target (leads won)"
    return f"target (revenue, smallest unit of {quota.currency})"


def _month(text: str) -> date:
    if not re.fullmatch(r"2[0-9]{3}-(0[1-9]|1[0-2])", text):
        raise typer.BadParameter("write it as 2026-12", param_hint="MONTH")
    return date.fromisoformat(f"{text}-01")
