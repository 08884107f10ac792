"""The `dibs` command (O5)."""

from __future__ import annotations

import sys

import typer
from rich.console import Console
from rich.markup import escape

from dibs.cli import (
    contests,
    disputes,
    leads,
    managers,
    metrics,
    owners,
    playbooks,
    receipts,
    reps,
    rewards,
    secrets,
    standings,
    targets,
    teams,
)
from dibs.core.errors import DibsError, InvalidInput

app = typer.Typer(
    help="Dibs: all eligible reps are notified of a lead at once; the first to claim it wins.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.add_typer(reps.app, name="reps", help="Reps: add, list, pause, import.")
app.add_typer(teams.app, name="team", help="Teams: pause, resume (R8).")
app.add_typer(managers.app, name="managers", help="Managers: add, list, remove, tokens (O6).")
app.add_typer(leads.app, name="lead", help="Leads: post, list, show, assign, withdraw.")
app.add_typer(playbooks.app, name="playbook", help="The rules: check, preview, apply, roll back.")
app.add_typer(targets.app, name="targets", help="Monthly targets: show, import (M4).")
app.add_typer(owners.app, name="owners", help="Owners of companies, before any lead: import (C6).")
app.add_typer(rewards.app, name="rewards", help="Rewards: list, put, decide on requests (G9).")
app.add_typer(receipts.app, name="receipts", help="Receipts of races: export (C9).")
app.add_typer(disputes.app, name="disputes", help="What reps dispute: list, answer (C9).")
app.add_typer(secrets.app, name="secrets", help="What senders sign with: add, rotate, end, list.")
app.add_typer(metrics.app, name="metrics", help="Metrics: list, try a formula on past data (K2).")
app.add_typer(contests.app, name="contests", help="Contests: add, list, cancel, verify (G4).")
app.command("audit")(receipts.audit)
app.command("pool")(leads.pool)
app.command("rebuild")(standings.rebuild_standings)
app.command("link")(reps.link)
app.command("log")(managers.log)
app.command("migrate")(managers.migrate)


def main() -> None:
    """Run the command; print an error of Dibs as one line, without a traceback."""
    try:
        app()
    except DibsError as error:
        console = Console(stderr=True)
        if isinstance(error, InvalidInput):
            for wrong in error.errors:
                place, problem = escape(wrong.field), escape(wrong.problem)
                console.print(f"[red]{place}[/]: {problem}", highlight=False)
        else:
            console.print(f"[red]{escape(str(error))}[/]", highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
