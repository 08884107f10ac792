"""`dibs reps` and `dibs link`: add and change reps, and print their claim links."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from dibs.aws import clock
from dibs.cli.console import console
from dibs.cli.files import AsJson, DryRun, Encoding, end, read_file
from dibs.cli.target import Stack, noting, operator, target
from dibs.core.calendar import Hours, written_hours
from dibs.core.errors import AlreadyExists, DibsError, FieldError, RouteNotFound
from dibs.core.rep import Rep
from dibs.core.tables import folded, write_rows
from dibs.offers.open_offers import open_offers
from dibs.people.access import issue_token, make_link
from dibs.people.operator import add_rep, all_reps, hire, rep_of
from dibs.people.phones import masked
from dibs.people.profiles import (
    change_profile,
    come_back,
    fallback_of,
    leave_for_good,
    profile_fields,
)
from dibs.people.rep_import import COLUMNS, RepRow, judged
from dibs.people.shown import rep_shown
from dibs.race.decide import off
from dibs.roster.ports import Roster
from dibs.rules.rules import Rules
from dibs.web.translations import shown_company

app = typer.Typer(no_args_is_help=True)
TOKEN_COLUMNS = ("rep_id", "name", "token")


@app.command()
def add(
    name: Annotated[str, typer.Option(help="As colleagues know them; shown when they win.")],
    team: Annotated[str, typer.Option(help="A team of the playbook.")],
    zone: Annotated[str, typer.Option(help="IANA time zone, such as Asia/Kuching.")],
    phone: Annotated[str, typer.Option(help="With country code, such as +60128880000.")] = "",
    tier: Annotated[int, typer.Option(help="1 to 3.")] = 2,
    language: Annotated[str, typer.Option(help="en or ms.")] = "en",
    joined: Annotated[
        str, typer.Option(help="First day, such as 2026-11-23; today if left out.")
    ] = "",
    stack: Stack = "",
) -> None:
    """Add a rep and print their token, once: only its hash is kept."""
    roster = target(stack).stores.roster
    rep, token = add_rep(
        roster,
        name=name,
        team=team,
        zone=zone,
        phone=phone,
        tier=tier,
        language=language,
        joined=joined,
        by=operator(),
        now=clock.now(),
    )
    if not joined:
        _say_newcomers([rep], roster.playbook())
    _say(f"Added {rep.name} ({rep.rep_id}) to {rep.team}. Their token, shown once:")
    typer.echo(token)


@app.command("list")
def list_(
    as_json: AsJson = False,
    phones: Annotated[bool, typer.Option("--phones", help="Whole phone numbers.")] = False,
    stack: Stack = "",
) -> None:
    """List reps, their hours, and whether they are notified of leads now."""
    now, roster = clock.now(), target(stack).stores.roster
    playbook, reps = roster.playbook(), all_reps(roster)
    if as_json:
        shown = [rep_shown(rep, playbook, now, phones) for rep in reps]
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    table = Table("rep", "name", "team", "tier", "zone", "hours", "phone", "joined", "by", "now")
    for rep in reps:
        reached = [*(["push"] if rep.pushable else []), *(["SMS"] if rep.textable else [])]
        number = rep.phone or ""
        table.add_row(
            rep.rep_id,
            escape(rep.name),
            rep.team,
            str(rep.tier),
            rep.zone,
            _hours_line(rep.hours),
            number if phones else masked(number),
            str(rep.joined_on or ""),
            " + ".join(reached) or "app only",
            _status(rep, playbook),
        )
    console.print(table)
    nobody_knows = [rep.rep_id for rep in reps if rep.active and rep.joined_on is None]
    if playbook.newcomers.enabled and nobody_knows:
        _say(
            f"Without a first day, so no newcomers to the rules: {', '.join(nobody_knows)}. "
            "Set it with `dibs reps set REP_ID --joined DAY`."
        )


def _status(rep: Rep, playbook: Rules) -> str:
    if not rep.active:
        return f"left {rep.left_on or ''}".strip()
    refusals = off(rep, playbook, clock.now())
    return ", ".join(refusal.code.replace("_", " ") for refusal in refusals) or "on"


def _hours_line(hours: Hours) -> str:
    """Return working hours in a line, days with the same ones together."""
    days: dict[str, list[str]] = {}
    for day, shifts in written_hours(hours).items():
        days.setdefault(" ".join(shifts), []).append(day)
    return "; ".join(f"{' '.join(of)} {shifts}" for shifts, of in days.items()) or "the team's"


def _say_newcomers(reps: list[Rep], playbook: Rules) -> None:
    """Say of whom the rules for newcomers hold from today, as they may not be new."""
    if reps and playbook.newcomers.enabled:
        named = reps[0].rep_id if len(reps) == 1 else "REP_ID"
        _say(
            f"Newcomers from {reps[0].joined_on} on: {', '.join(rep.name for rep in reps)[:400]}. "
            f"For who was there before: `dibs reps set {named} --joined DAY`."
        )


def _say(text: str) -> None:
    console.print(escape(text), highlight=False, soft_wrap=True)


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
    was, until_then = {"paused_until": rep.paused_until}, {"paused_until": until}
    with noting(stores, "rep.pause", rep_id, was, until_then):
        roster.pause(rep_id, until)
    typer.echo(
        f"{rep.name} is {'on' if until is None else f'paused until {until:%d %b %H:%M} UTC'}."
    )


@app.command("set")
def set_(
    rep_id: str,
    name: Annotated[str | None, typer.Option(help="As colleagues know them.")] = None,
    phone: Annotated[str | None, typer.Option(help='Such as +60128880000; "" for none.')] = None,
    language: Annotated[str | None, typer.Option(help="en or ms.")] = None,
    team: Annotated[str | None, typer.Option(help="A team of the playbook.")] = None,
    tier: Annotated[int | None, typer.Option(help="1 to 3, until the next recalculation.")] = None,
    zone: Annotated[str | None, typer.Option(help="IANA time zone.")] = None,
    weight: Annotated[int | None, typer.Option(help="Share of assignments, 1 to 10.")] = None,
    territory: Annotated[
        list[str] | None, typer.Option(help='One of theirs; may be repeated; "" for none.')
    ] = None,
    segment: Annotated[
        list[str] | None, typer.Option(help='One of theirs; may be repeated; "" for none.')
    ] = None,
    skill: Annotated[
        list[str] | None, typer.Option(help="Such as solar:2; may be repeated.")
    ] = None,
    speaks: Annotated[
        list[str] | None, typer.Option(help="A language tag such as zh; may be repeated.")
    ] = None,
    interest: Annotated[
        list[str] | None, typer.Option(help='A product; may be repeated; "" for none.')
    ] = None,
    pod: Annotated[str | None, typer.Option(help='Their group in the team; "" for none.')] = None,
    hours: Annotated[str, typer.Option(help='JSON, such as {"mon": ["09:00-18:00"]}.')] = "",
    leave: Annotated[
        list[str] | None, typer.Option(help="Days off, FIRST/LAST; may be repeated.")
    ] = None,
    joined: Annotated[
        str | None, typer.Option(help='First day, such as 2026-11-23; "" for none.')
    ] = None,
    stack: Stack = "",
) -> None:
    """Change a rep's profile (R8, M5); options left out stay as they are."""
    named = (
        *(("name", name), ("phone", phone), ("language", language), ("team", team)),
        *(("tier", tier), ("zone", zone), ("weight", weight), ("pod", pod)),
    )
    given: dict[str, Any] = {field: value for field, value in named if value is not None}
    lists = (
        *(("territories", territory), ("segments", segment), ("speaks", speaks)),
        ("interests", interest),
    )
    given |= {
        field: [one for one in values if one] for field, values in lists if values is not None
    }
    if skill is not None:
        given["skills"] = dict(_skill(one) for one in skill if one)
    if hours:
        try:
            given["hours"] = json.loads(hours)
        except ValueError:
            raise typer.BadParameter("is not JSON", param_hint="--hours") from None
    if leave is not None:
        spans = [span.partition("/") for span in leave if span]
        given["leave"] = [{"from": first, "to": last or first} for first, _, last in spans]
    if joined is not None:
        given["joined_on"] = joined or None
    if not given:
        raise typer.BadParameter("name at least one option to change")
    stores = target(stack).stores
    was = stores.roster.get(rep_id)
    before = profile_fields(was, given) if was is not None else {}
    with noting(stores, "rep.change", rep_id, before) as note:
        rep = change_profile(stores.roster, rep_id, given)
        note.after = profile_fields(rep, given)
    typer.echo(f"{rep.name}: {', '.join(given)} set.")


def _skill(given: str) -> tuple[str, int]:
    name, _, level = given.partition(":")
    if not level.isascii() or not level.isdigit():
        raise typer.BadParameter("write it with its level, as solar:2", param_hint="--skill")
    return name, int(level)


@app.command()
def leave(
    rep_id: str,
    yes: Annotated[bool, typer.Option("--yes", help="Without asking.")] = False,
    stack: Stack = "",
) -> None:
    """Remove a rep who leaves: their token ends and their open leads go back (R8).

    `dibs reps return` undoes it, without the leads.
    """
    here = target(stack)
    race = here.stores.race
    holdings = here.stores.holdings
    rep = rep_of(here.stores.roster, rep_id)
    if not yes and rep.active:
        held = len(holdings.held_by(rep_id))
        _say(f"{rep.name} ({rep.team}) leaves: their token ends, and {held} leads go back.")
        typer.confirm("Go on?", abort=True)
    with noting(here.stores, "rep.leave", rep_id, {"active": rep.active}, {"active": False}):
        back = leave_for_good(here.stores.roster, race, holdings, rep_id, "operator", clock.now)
    typer.echo(f"{rep.name} has left; leads that went back: {back}.")
    for team in fallback_of(here.stores.roster.playbook(), rep_id):
        typer.echo(f"Name another fallback person for team {team} in the playbook.")


@app.command("return")
def return_(rep_id: str, stack: Stack = "") -> None:
    """Take back a rep who left, as they were, and print their new token, once (R8)."""
    stores = target(stack).stores
    rep = rep_of(stores.roster, rep_id)
    with noting(stores, "rep.return", rep_id, {"active": False}, {"active": True}):
        has_number = come_back(stores.roster, rep_id)
    token = issue_token(stores.credentials, rep_id, operator(), clock.now())
    if not has_number:
        _say(
            "Their phone number belongs to another rep now: "
            f"`dibs reps set {rep_id} --phone NUMBER` gives them a new one."
        )
    _say(f"{rep.name} ({rep_id}) is back in {rep.team}. Their token, shown once:")
    typer.echo(token)


@app.command("import")
def import_(
    file: Path,
    tokens: Annotated[
        Path | None,
        typer.Option(help="Where to write the new reps' tokens (CSV); keep it safe."),
    ] = None,
    dry_run: DryRun = False,
    encoding: Encoding = "",
    stack: Stack = "",
) -> None:
    """Import reps from a CSV file: name, team, zone, and phone, tier, language, joined.

    It adds new reps and changes nobody: importing the same file again changes nothing. Each line
    that it does not take is named with the reason, and it ends with 2; the others are taken.
    """
    table = read_file(file, COLUMNS, encoding)
    if tokens is None and not dry_run:
        raise typer.BadParameter("name a file for the new reps' tokens", param_hint="--tokens")
    roster = target(stack).stores.roster
    rows = judged(table, roster, clock.now())
    wrong = [*table.wrong, *(FieldError(f"line {r.line}", r.problem) for r in rows if r.problem)]
    known = sum(not row.new and not row.problem for row in rows)
    new = [row for row in rows if row.new]
    if tokens is None or dry_run:
        for row in new:
            _say(f"line {row.line}: would add {row.new and row.new.name}")
        _say(
            f"{len(new)} to add, {known} known already, {len(wrong)} not taken. Nothing is changed."
        )
        end(wrong)
        return
    added: list[Rep] = []
    by = operator()
    with _appending(tokens) as out:
        for row in track(new, "Importing", console=console, disable=not new):
            try:
                added += _added(roster, row, by, out)
            except DibsError as error:
                wrong.append(FieldError(f"line {row.line}", str(error)))
    known = len(rows) + len(table.wrong) - len(added) - len(wrong)
    _say(f"{len(added)} added, {known} known already, {len(wrong)} not taken.")
    if not added and not wrong:
        _say("Nothing is changed.")
    if "joined" not in table.columns:
        _say_newcomers(added, roster.playbook())
    end(wrong)


def _added(roster: Roster, row: RepRow, by: str, out: TextIO) -> list[Rep]:
    """Store a new rep and write their token down at once: it is shown nowhere else."""
    rep = row.new
    if rep is None:
        return []
    try:
        token = hire(roster, rep, by, clock.now())
    except AlreadyExists:
        # Added by another import, a moment ago.
        known = roster.by_phone(rep.phone or "")
        if known is not None and folded(known[0].name) == folded(rep.name):
            return []
        raise
    write_rows(out, [(rep.rep_id, rep.name, token)])
    out.flush()
    return [rep]


@contextmanager
def _appending(tokens: Path) -> Iterator[TextIO]:
    """Open the file of tokens for its owner alone; with a heading, but not for no token."""
    new = not tokens.exists()
    try:
        descriptor = os.open(tokens, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        why = f"cannot be written: {error.strerror}"
        raise typer.BadParameter(why, param_hint=str(tokens)) from None
    os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8", newline="") as out:
        if not os.fstat(descriptor).st_size:
            write_rows(out, [TOKEN_COLUMNS])
            out.flush()
        before = os.fstat(descriptor).st_size
        yield out
        out.flush()
        nothing = new and os.fstat(descriptor).st_size == before
    if nothing:
        tokens.unlink()


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
