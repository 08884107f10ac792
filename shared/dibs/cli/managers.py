"""`dibs managers`: who manages, and what they sign in with (O6). No token is needed: AWS's are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from dibs.aws import clock
from dibs.cli.console import console
from dibs.cli.target import Stack, operator, target
from dibs.people.access import add_manager, issue_token, make_link, manager_of, remove_manager
from dibs.roster.trail import entries

app = typer.Typer(no_args_is_help=True)

Days = Annotated[int | None, typer.Option(help="When the token ends; never if left out.")]
Who = Annotated[str, typer.Argument(help="A manager's id or name.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="As it stands beside what they do.")],
    team: Annotated[str, typer.Option(help="The one team they act on; all if left out.")] = "",
    ends_in_days: Days = None,
    stack: Stack = "",
) -> None:
    """Add a manager and print their token, once: only its digest is kept."""
    here = target(stack).stores
    playbook = here.roster.playbook()
    manager, token = add_manager(
        here.credentials, playbook, name, team, operator(), clock.now(), ends_in_days
    )
    console.print(f"Added {manager.name} ({manager.manager_id}). Their token, shown once:")
    typer.echo(token)


@app.command("list")
def list_(stack: Stack = "") -> None:
    """List the managers."""
    table = Table("manager", "name", "team", "added (UTC)", "by")
    for one in target(stack).stores.credentials.managers():
        added = f"{one.added_at:%Y-%m-%d %H:%M}" if one.added_at else ""
        table.add_row(one.manager_id, one.name, one.team or "all", added, one.added_by)
    console.print(table)


@app.command()
def remove(who: Who, stack: Stack = "") -> None:
    """Remove a manager; their token and sessions end at once."""
    here = target(stack).stores
    gone = remove_manager(here.credentials, who, operator(), clock.now())
    typer.echo(f"{gone.name} ({gone.manager_id}) is no manager any more.")


@app.command()
def token(who: Who, ends_in_days: Days = None, stack: Stack = "") -> None:
    """Print a new token; the old one and all sessions of the manager end at once."""
    here = target(stack).stores
    manager = manager_of(here.credentials.managers(), who)
    typer.echo(
        issue_token(here.credentials, manager.manager_id, operator(), clock.now(), ends_in_days)
    )


@app.command()
def link(who: Who, stack: Stack = "") -> None:
    """Print a link that signs the manager in once, within minutes."""
    here = target(stack)
    stores = here.stores
    manager = manager_of(stores.credentials.managers(), who)
    secret = make_link(
        stores.credentials, stores.roster.playbook(), manager.manager_id, clock.now()
    )
    typer.echo(f"{here.settings.public_url}/in/{secret}")


def migrate(stack: Stack = "") -> None:
    """Carry stored data over to this version; a second time changes nothing."""
    stores = target(stack).stores
    moved, filed = stores.credentials.carry_over(), stores.lead_pages.file_on_hold()
    typer.echo(f"Tokens carried over: {moved}. Leads on hold that are listed now: {filed}.")


def log(
    who: Annotated[str, typer.Option(help="Only what they did: a manager's id.")] = "",
    about: Annotated[str, typer.Option("--target", help="Only what was done to this id.")] = "",
    since: Annotated[str, typer.Option(help="From this day on, such as 2026-11-01.")] = "",
    stack: Stack = "",
) -> None:
    """Print who changed what, the newest first: the last 31 days unless told."""
    now = clock.now()
    try:
        start = now - timedelta(days=31)
        if since:
            start = datetime.combine(date.fromisoformat(since), datetime.min.time(), UTC)
    except ValueError:
        raise typer.BadParameter("use a day such as 2026-11-01", param_hint="--since") from None
    here = target(stack).stores
    names = {one.manager_id: one.name for one in here.credentials.managers()}
    table = Table("at (UTC)", "who", "what", "target", "before", "after")
    for one in entries(here.audit_log, start, now, who, about):
        table.add_row(
            f"{one.at:%Y-%m-%d %H:%M:%S}",
            f"{names[one.who]} ({one.who})" if one.who in names else one.who,
            one.what if one.made == "yes" else f"{one.what} (whether it was made is unknown)",
            one.target,
            escape(_words(one.before)),
            escape(_words(one.after)),
        )
    console.print(table)


def _words(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in fields.items())
