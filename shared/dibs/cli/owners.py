"""`dibs owners`: import the owners of companies from a CRM, before leads come in (C6)."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import typer

from dibs.cli.target import Stack, noted, target
from dibs.core.errors import FieldError, InvalidInput
from dibs.core.lead import IdentityKind
from dibs.intake.company_names import company_name
from dibs.intake.domains import company_domain
from dibs.intake.duplicates import Identity
from dibs.intake.identity import domain_mark, identity
from dibs.roster.ports import Roster

app = typer.Typer(no_args_is_help=True)
NOBODY = "-"


@app.callback()
def owners() -> None:
    """Owners of companies, before any lead of theirs."""


@app.command("import")
def import_(file: Path, stack: Stack = "") -> None:
    """Import owners from a CSV file with rep and company, domain or both; all lines or none.

    A rep is an id or a phone number; - removes the owner. A lead of the company then goes to its
    owner without a race, while that rep is active.
    """
    here = target(stack)
    try:
        with file.open(encoding="utf-8-sig", newline="") as source:
            reader = csv.DictReader(source)
            columns = set(reader.fieldnames or ())
            if "rep" not in columns or not columns & {"company", "domain"}:
                raise typer.BadParameter(
                    "needs a column rep, and company or domain", param_hint=str(file)
                )
            rows = list(reader)
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot be read: {error}", param_hint=str(file)) from None
    found: list[tuple[Identity, str | None]] = []
    errors = []
    for number, row in enumerate(rows, start=2):
        try:
            owner = _rep(here.stores.roster, (row["rep"] or "").strip())
            found += [(one, owner) for one in _company(row.get("company"), row.get("domain"))]
        except ValueError as error:
            errors.append(FieldError(f"line {number}", str(error)))
    if errors:
        raise InvalidInput(tuple(errors))
    store = here.stores.leads
    for one, owner in found:
        store.name_owner(one, owner)
    noted(here.stores, "owners.import", "companies", {}, {"companies": len(rows)})
    typer.echo(f"{len(rows)} companies have their owners now.")


def _rep(roster: Roster, given: str) -> str | None:
    if given == NOBODY:
        return None
    known = roster.by_phone(given)
    rep = known[0] if known else roster.get(given)
    if rep is None or not rep.active:
        raise ValueError(
            f"{given!r} is not an active rep's id or phone number; see `dibs reps list`"
        )
    return rep.rep_id


def _company(name: str | None, domain: str | None) -> list[Identity]:
    name, domain = (name or "").strip(), (domain or "").strip()
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
