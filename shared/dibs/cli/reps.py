"""`dibs reps` and `dibs link`: add and change reps, and print their claim links."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dibs.aws import clock
from dibs.cli.target import Stack, noted, operator, target
from dibs.core.errors import AlreadyExists, DibsError, RouteNotFound
from dibs.offers.open_offers import open_offers
from dibs.people.access import issue_token, make_link
from dibs.people.operator import add_rep, all_reps, rep_of
from dibs.people.profiles import (
    change_profile,
    fallback_of,
    leave_for_good,
    profile_fields,
)
from dibs.race.decide import off
from dibs.web.translations import shown_company

app = typer.Typer(no_args_is_help=True)
console = Console()
COLUMNS = ("name", "team", "zone", "phone", "tier", "language")


@app.command()
def add(
    name: Annotated[str, typer.Option(help="As colleagues know them; shown when they win.")],
    team: Annotated[str, typer.Option(help="A team of the playbook.")],
    zone: Annotated[str, typer.Option(help="IANA time zone, such as Asia/Kuching.")],
    phone: Annotated[str, typer.Option(help="With country code, such as +60128880000.")] = "",
    tier: Annotated[int, typer.Option(help="1 to 3.")] = 2,
    language: Annotated[str, typer.Option(help="en or ms.")] = "en",
    stack: Stack = "",
) -> None:
    """Add a rep and print their token, once: only its hash is kept."""
    rep, token = add_rep(
        target(stack).stores.roster,
        name=name,
        team=team,
        zone=zone,
        phone=phone,
        tier=tier,
        language=language,
        by=operator(),
        now=clock.now(),
    )
    console.print(f"Added {rep.name} ({rep.rep_id}) to {rep.team}. Their token, shown once:")
    typer.echo(token)


@app.command("list")
def list_(stack: Stack = "") -> None:
    """List reps, and whether they are notified of leads now."""
    now, roster = clock.now(), target(stack).stores.roster
    playbook = roster.playbook()
    table = Table("rep", "name", "team", "tier", "zone", "reached by", "now")
    for rep in all_reps(roster):
        reached = [*(["push"] if rep.pushable else []), *(["SMS"] if rep.textable else [])]
        standing = (
            ", ".join(refusal.code.replace("_", " ") for refusal in off(rep, playbook, now)) or "on"
        )
        table.add_row(
            rep.rep_id,
            rep.name,
            rep.team,
            str(rep.tier),
            rep.zone,
            " + ".join(reached) or "app only",
            standing,
        )
    console.print(table)


@app.command()
def pause(
    rep_id: str,
    minutes: Annotated[int, typer.Option(help="How long; the playbook's longest otherwise.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="End the pause.")] = False,
    stack: Stack = "",
) -> None:
    """Pause a rep: they are not notified and cannot claim. A pause ends by itself (R8)."""
    stores = target(stack).stores
    roster = stores.roster
    rep = rep_of(roster, rep_id)
    longest = roster.playbook().availability.pause_ends_after_minutes
    if not 0 <= minutes <= longest:
        raise typer.BadParameter(f"use 1 to {longest}", param_hint="--minutes")
    until = None if resume else clock.now() + timedelta(minutes=minutes or longest)
    roster.pause(rep_id, until)
    was, until_then = {"paused_until": rep.paused_until}, {"paused_until": until}
    noted(stores, "rep.pause", rep_id, was, until_then)
    typer.echo(
        f"{rep.name} is {'on' if until is None else f'paused until {until:%d %b %H:%M} UTC'}."
    )


@app.command("set")
def set_(
    rep_id: str,
    team: Annotated[str, typer.Option(help="A team of the playbook.")] = "",
    tier: Annotated[int, typer.Option(help="1 to 3, until the next recalculation.")] = 0,
    zone: Annotated[str, typer.Option(help="IANA time zone.")] = "",
    weight: Annotated[int, typer.Option(help="Share of assignments, 1 to 10.")] = 0,
    territory: Annotated[
        list[str] | None, typer.Option(help="One of theirs; may be repeated.")
    ] = None,
    hours: Annotated[str, typer.Option(help='JSON, such as {"mon": ["09:00-18:00"]}.')] = "",
    leave: Annotated[
        list[str] | None, typer.Option(help="Days off, FIRST/LAST; may be repeated.")
    ] = None,
    joined: Annotated[str, typer.Option(help="First day, such as 2026-11-23.")] = "",
    stack: Stack = "",
) -> None:
    """Change a rep's profile (R8, M5); options left out stay as they are."""
    given: dict[str, Any] = {
        name: value
        for name, value in (("team", team), ("tier", tier), ("zone", zone), ("weight", weight))
        if value
    }
    if territory is not None:
        given["territories"] = [name for name in territory if name]
    if hours:
        try:
            given["hours"] = json.loads(hours)
        except ValueError:
            raise typer.BadParameter("is not JSON", param_hint="--hours") from None
    if leave is not None:
        spans = [span.partition("/") for span in leave if span]
        given["leave"] = [{"from": first, "to": last or first} for first, _, last in spans]
    if joined:
        given["joined_on"] = joined
    if not given:
        raise typer.BadParameter("name at least one option to change")
    stores = target(stack).stores
    was = stores.roster.get(rep_id)
    rep = change_profile(stores.roster, rep_id, given)
    before = profile_fields(was, given) if was is not None else {}
    noted(stores, "rep.change", rep_id, before, profile_fields(rep, given))
    typer.echo(f"{rep.name}: {', '.join(given)} set.")


@app.command()
def leave(rep_id: str, stack: Stack = "") -> None:
    """Remove a rep who leaves: their token ends and their open leads go back (R8)."""
    here = target(stack)
    race = here.stores.race
    holdings = here.stores.holdings
    rep = rep_of(here.stores.roster, rep_id)
    back = leave_for_good(here.stores.roster, race, holdings, rep_id, "operator", clock.now)
    noted(here.stores, "rep.leave", rep_id, {"active": rep.active}, {"active": False})
    typer.echo(f"{rep.name} has left; leads that went back: {back}.")
    for team in fallback_of(here.stores.roster.playbook(), rep_id):
        typer.echo(f"Name another fallback person for team {team} in the playbook.")


@app.command("import")
def import_(
    file: Path,
    tokens: Annotated[
        Path, typer.Option(help="Where to write the new reps' tokens (CSV); keep it safe.")
    ],
    stack: Stack = "",
) -> None:
    """Import reps from a CSV file with the columns name, team, zone, phone, tier, language.

    Importing again adds only new reps: it skips a known phone number, and, without a number, a
    known name of the team. It prints each wrong line and imports the others.
    """
    roster, by = target(stack).stores.roster, operator()
    try:
        with file.open(encoding="utf-8-sig", newline="") as source:
            reader = csv.DictReader(source)
            missing = {"name", "team", "zone"} - set(reader.fieldnames or ())
            if missing:
                raise typer.BadParameter(
                    f"has no column {', '.join(sorted(missing))}", param_hint=str(file)
                )
            rows = list(reader)
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot be read: {error}", param_hint=str(file)) from None
    names = {(rep.name, rep.team) for rep in all_reps(roster)}
    added, known, wrong = [], 0, []
    for number, row in enumerate(track(rows, "Importing", console=console), start=2):
        given = {name: (row.get(name) or "").strip() for name in COLUMNS}
        if not given["phone"] and (given["name"], given["team"]) in names:
            known += 1
            continue
        try:
            rep, token = add_rep(
                roster,
                name=given["name"],
                team=given["team"],
                zone=given["zone"],
                phone=given["phone"],
                tier=int(given["tier"] or 2),
                language=given["language"] or "en",
                by=by,
                now=clock.now(),
            )
            added.append((rep.rep_id, rep.name, token))
        except AlreadyExists:
            known += 1
        except ValueError:
            wrong.append(f"line {number}: tier: use 1, 2 or 3")
        except DibsError as error:
            wrong.append(f"line {number}: {error}")
    with tokens.open("a", encoding="utf-8", newline="") as out:
        tokens.chmod(0o600)
        csv.writer(out).writerows(added)
    console.print(f"{len(added)} added, {known} known already, {len(wrong)} wrong.")
    for line in wrong:
        console.print(line, style="red", highlight=False)
    if wrong:
        raise typer.Exit(1)


@app.command()
def token(rep_id: str, stack: Stack = "") -> None:
    """Print a new token of a rep; the old one and all their sessions end at once."""
    typer.echo(issue_token(target(stack).stores.credentials, rep_id, operator(), clock.now()))


@app.command("link")
def sign_in_link(rep_id: str, stack: Stack = "") -> None:
    """Print a link that signs the rep in once, within minutes."""
    here = target(stack)
    stores = here.stores
    rep_of(stores.roster, rep_id)
    secret = make_link(stores.credentials, stores.roster.playbook(), rep_id, clock.now())
    typer.echo(f"{here.settings.public_url}/in/{secret}")


def link(rep_id: str, lead_id: str = typer.Argument(""), stack: Stack = "") -> None:
    """Print a rep's claim links: for one open lead, or for all their open offers."""
    here = target(stack)
    known = here.stores.roster.counted(rep_id)
    if known is None:
        raise RouteNotFound("There is no such rep.")
    rep, usage = known
    store = here.stores.race
    offers = [
        offer
        for offer in open_offers(store, rep, usage, here.stores.roster.playbook(), clock.now())
        if lead_id in ("", offer.lead.lead_id)
    ]
    if not offers:
        console.print("There is no open offer for this rep.")
        raise typer.Exit(1)
    for offer in offers:
        company = shown_company(offer.lead, rep.language)
        typer.echo(f"{here.settings.public_url}/c/{offer.token}  {company}")
