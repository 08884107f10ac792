"""`dibs owners`: import the owners of companies from a CRM, before leads come in (C6)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import typer
from rich.progress import track

from dibs.cli.console import console
from dibs.cli.files import DryRun, Encoding, end, line_of, read_file
from dibs.cli.target import Stack, noting, target
from dibs.core.errors import FieldError
from dibs.core.lead import IdentityKind
from dibs.core.tables import Column
from dibs.intake.company_names import company_name
from dibs.intake.domains import company_domain
from dibs.intake.duplicates import Identity
from dibs.intake.identity import domain_mark, identity
from dibs.people.operator import active_rep

app = typer.Typer(no_args_is_help=True)
NOBODY = "-"
COLUMNS = (
    Column("rep", ("owner", "rep id", "owner id", "wakil", "pemilik"), needed=True),
    Column("company", ("company name", "account", "account name", "syarikat", "nama syarikat")),
    Column("domain", ("company domain", "website", "web", "domain syarikat")),
)


@app.callback()
def owners() -> None:
    """Owners of companies, before any lead of theirs."""


@app.command("import")
def import_(
    file: Path, dry_run: DryRun = False, encoding: Encoding = "", stack: Stack = ""
) -> None:
    """Import owners from a CSV file with rep, and company, domain or both.

    A rep is an id or a phone number; - removes the owner. A lead of the company then goes to its
    owner without a race, while that rep is active. Each line that it does not take is named with
    the reason, and it ends with 2; the others are taken.
    """
    here = target(stack)
    table = read_file(file, COLUMNS, encoding)
    if not table.columns & {"company", "domain"}:
        raise typer.BadParameter("needs a column company or domain", param_hint=str(file))
    wrong = list(table.wrong)
    taken: list[tuple[int, list[Identity], str | None]] = []
    lines: dict[Identity, tuple[int, str | None]] = {}
    for row in table.rows:
        try:
            given = row.fields["rep"]
            owner = None if given == NOBODY else active_rep(here.stores.roster, given).rep_id
            companies = _company(row.fields.get("company", ""), row.fields.get("domain", ""))
        except ValueError as error:
            wrong.append(FieldError(f"line {row.line}", str(error)))
            continue
        taken.append((row.line, companies, owner))
        for one in companies:
            line, other = lines.setdefault(one, (row.line, owner))
            if other != owner:
                problem = "names another owner of the company than line"
                wrong.append(FieldError(f"line {row.line}", f"{problem} {line}; keep one of them"))
                wrong.append(FieldError(f"line {line}", f"{problem} {row.line}; keep one of them"))
    wrong = list({line_of(error): error for error in reversed(wrong)}.values())
    refused = {line_of(error) for error in wrong}
    good = [(companies, owner) for line, companies, owner in taken if line not in refused]
    if dry_run:
        typer.echo(f"{len(good)} lines to take, {len(wrong)} not taken. Nothing is changed.")
        end(wrong)
        return
    store, changed = here.stores.leads, 0
    with noting(here.stores, "owners.import", "companies", {}, {"companies": len(good)}) as note:
        for companies, owner in track(good, "Importing", console=console, disable=not good):
            named = [store.name_owner(one, owner) for one in companies]
            changed += any(named)
        note.after = {"companies": changed} if changed else {}
    typer.echo(
        f"{len(good)} companies have their owners now: {changed} changed, "
        f"{len(good) - changed} as before; {len(wrong)} lines not taken."
    )
    end(wrong)


def _company(name: str, domain: str) -> list[Identity]:
    found = []
    by_domain = identity(IdentityKind.DOMAIN, company_domain(domain))
    for kind, given, value in (
        (IdentityKind.NAME, name, company_name(name)),
        (IdentityKind.DOMAIN, domain, company_domain(domain)),
    ):
        one = identity(kind, value)
        if one is not None and kind is IdentityKind.NAME and by_domain is not None:
            one = replace(one, marks=(domain_mark(by_domain),))
        if one is not None:
            found.append(one)
        elif given:
            raise ValueError(f"{given!r} does not identify one company by its {kind}")
    if not found:
        raise ValueError("names no company")
    return found
