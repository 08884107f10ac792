"""`dibs secrets`: what senders sign with, one secret for each source (O2)."""

from __future__ import annotations

import base64
import secrets as entropy
from datetime import timedelta
from typing import Annotated

import typer

from dibs.aws import clock
from dibs.aws.secret import put_secret_text
from dibs.cli.target import Stack, Target, target
from dibs.intake.signing import OVERLAP, Book, Scope, added, ended, rotated, written

app = typer.Typer(no_args_is_help=True)
Source = Annotated[str, typer.Argument(help="The sender, such as website or dialler.")]


@app.command()
def add(
    source: Source,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it may sign; both if left out.")
    ] = None,
    stack: Stack = "",
) -> None:
    """Make a secret for a source, and print it once."""
    here, secret = target(stack), _new_secret()
    _store(here, added(here.stores.signatures.book(), source, scope or tuple(Scope), secret))
    typer.echo(f"{source} signs with whsec_{secret}")


@app.command()
def rotate(
    source: Source,
    hours: Annotated[int, typer.Option(min=0, help="How long the last one counts as well.")] = int(
        OVERLAP.total_seconds()
    )
    // 3600,
    stack: Stack = "",
) -> None:
    """Make a new secret for a source, and print it once; the last one counts for a while."""
    here, secret = target(stack), _new_secret()
    until = clock.now() + timedelta(hours=hours)
    _store(here, rotated(here.stores.signatures.book(), source, secret, until))
    typer.echo(
        f"{source} signs with whsec_{secret} from now on; the last one counts until "
        f"{until:%Y-%m-%d %H:%M} UTC."
    )


@app.command()
def end(source: Source, stack: Stack = "") -> None:
    """End a source's secret: within a minute nothing it signs counts."""
    here = target(stack)
    _store(here, ended(here.stores.signatures.book(), source))
    typer.echo(f"{source} has no secret any more.")


@app.command("list")
def list_(stack: Stack = "") -> None:
    """List the sources that have a secret, what they may sign, and which secret runs out when."""
    now = clock.now()
    for name, one in sorted(target(stack).stores.signatures.book().items()):
        until = one.previous_until
        overlaps = until is not None and now < until
        runs_out = f"  last one until {until:%Y-%m-%d %H:%M} UTC" if overlaps else ""
        typer.echo(f"{name}  {', '.join(one.scopes)}{runs_out}")


def _store(here: Target, book: Book) -> None:
    put_secret_text(here.settings.intake_secret_id, written(book))


def _new_secret() -> str:
    return base64.b64encode(entropy.token_bytes(32)).decode()
