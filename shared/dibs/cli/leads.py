"""`dibs lead`: post a lead as a source would, list leads, show one, assign or withdraw it (R7)."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from standardwebhooks import Webhook

from dibs.assignment import override
from dibs.assignment.overview import (
    LISTED,
    MOST_LISTED,
    STATES,
    Asked,
    page_of,
    pool_view,
    steps_of,
)
from dibs.assignment.work import reason_of
from dibs.aws import clock
from dibs.cli.console import console
from dibs.cli.target import Stack, Target, noting, target
from dibs.core.errors import NotConfigured
from dibs.core.lead import DuplicateLink, IdentityKind, Lead, State
from dibs.intake.duplicates import EXISTING_OWNER
from dibs.intake.signing import Scope
from dibs.people.leads_shown import lead_shown
from dibs.race.draw import flaws, ticket
from dibs.receipts.receipts import SealedRace
from dibs.roster.trail import Note

app = typer.Typer(no_args_is_help=True)


@app.command()
def post(
    file: Annotated[Path | None, typer.Argument(help="A JSON body; - for standard input.")] = None,
    company: Annotated[str, typer.Option(help="Instead of a file: the company.")] = "",
    score: Annotated[int | None, typer.Option(help="Instead of a file: 0 to 100.")] = None,
    source: Annotated[str, typer.Option(help="Instead of a file: where it came from.")] = "cli",
    test: Annotated[
        bool, typer.Option("--test", help="Mark it as a test: counts nowhere.")
    ] = False,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="Of a test, tell all reps, not only test_reps.")
    ] = False,
    stack: Stack = "",
) -> None:
    """Post a signed lead and print the answer.

    Of a test lead only the playbook's test_reps are told, marked as a test.
    """
    here = target(stack)
    if file is None:
        if not company:
            raise typer.BadParameter("name a FILE, or use --company")
        body: dict[str, Any] = {"source": source, "external_id": uuid.uuid4().hex}
        body |= {"company": company, "score": score, "test": test}
        body |= {"test_everybody": True} if test and everybody else {}
        text = json.dumps(body)
    else:
        try:
            text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        except OSError as error:
            raise typer.BadParameter(f"cannot be read: {error.strerror}") from None
    status, answer = post_signed(here.api_url, _signing(here), text)
    typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    if status >= 400:
        raise typer.Exit(1)
    if test and not everybody and not here.stores.roster.playbook().test_reps:
        typer.echo(
            "Nobody is told of it: the playbook names no test_reps. Name some, or use --everybody.",
            err=True,
        )


def _signing(here: Target) -> str:
    """Return a secret that may sign leads."""
    for one in here.stores.signatures.book().values():
        if Scope.LEADS in one.scopes:
            return f"whsec_{one.current}"
    raise NotConfigured("No source may sign leads: make a secret with 'dibs secrets add'.")


def post_signed(api_url: str, secret: str, body: str) -> tuple[int, dict[str, Any]]:
    """Post a body signed by Standard Webhooks; return the status and the answer."""
    webhook_id, now = f"msg_{uuid.uuid4().hex}", datetime.now(UTC)
    request = urllib.request.Request(  # noqa: S310 - our own API's address
        f"{api_url}/leads",
        data=body.encode(),
        headers={
            "content-type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(webhook_id, now, body),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@app.command()
def show(lead_id: str, stack: Stack = "") -> None:
    """Show a lead's state, its history (C8), its duplicates (C6) and its races (C9)."""
    here = target(stack)
    store = here.stores.leads
    lead = store.get(lead_id)
    if lead is None:
        console.print("There is no such lead.")
        raise typer.Exit(1)
    console.print(
        f"{lead.preview.company}: {lead.state}, {lead.quality}, teams {', '.join(lead.teams)}, "
        f"opening {lead.epoch}, playbook version {lead.playbook_version}"
        + (", put on hold by a manager" if lead.on_hold else ""),
        highlight=False,
    )
    claim = here.stores.race.read(lead_id, "").claim
    current = claim if claim is not None and claim.epoch == lead.epoch else None
    if current is not None and current.rep_id == lead.owner:
        how = "claimed" if current.competitive else f"assigned ({current.cause})"
        at = f"{current.claimed_at:%Y-%m-%d %H:%M:%S}"
        console.print(
            escape(f"Held by {current.rep_name} ({current.rep_id}), {how} at {at} UTC."),
            highlight=False,
        )
    else:
        console.print(f"Held by {lead.owner}." if lead.owner else "Nobody holds it.")
    table = Table("at (UTC)", "from", "to", "cause", "by", "reason")
    for transition in steps_of(store.history(lead_id), claim):
        at = f"{transition.at:%Y-%m-%d %H:%M:%S.%f}"[:-3]
        whose = transition.by
        if claim is not None and transition.to_state is State.CLAIMED:
            whose = f"{claim.rep_name} ({claim.rep_id}), {claim.claim_ms} ms after the notice"
        elif transition.holder:
            whose = f"{transition.by} (held by {transition.holder})"
        table.add_row(
            at,
            transition.from_state,
            transition.to_state,
            transition.cause,
            escape(whose),
            escape(transition.note),
        )
    console.print(table)
    for link in store.duplicate_links(lead_id):
        console.print(f"{link.at:%Y-%m-%d %H:%M:%S}  {_link_line(link)}", highlight=False)
    races = here.stores.races
    for epoch in range(max(1, lead.epoch - 1), lead.epoch + 1):
        sealed = races.find(lead_id, epoch)
        if sealed is not None:
            console.print(_seal_line(epoch, sealed), highlight=False)


@app.command("list")
def listed(
    state: Annotated[str, typer.Option(help=f"Only these: {', '.join(STATES)}.")] = "",
    team: Annotated[str, typer.Option(help="Only of this team.")] = "",
    holder: Annotated[str, typer.Option(help="Only what this rep holds, by id.")] = "",
    most: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = LISTED,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    stack: Stack = "",
) -> None:
    """List leads that are open, wait, are on hold or held, the oldest of each place first (U5)."""
    stores, now = target(stack).stores, clock.now()
    found, after = list[Lead](), ""
    while len(found) < most:
        here = Asked(state, team, holder, after, min(MOST_LISTED, most - len(found)))
        page = page_of(stores.lead_pages, stores.roster, here)
        found, after = [*found, *page.leads], page.after
        if not after:
            break
    holders = stores.roster.get_many(sorted({lead.owner for lead in found if lead.owner}))
    names = {rep_id: rep.name for rep_id, rep in holders.items()}
    if as_json:
        rows = [lead_shown(lead, names, now) for lead in found]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False, default=str))
        return
    table = Table("lead", "company", "state", "quality", "teams", "holder", "age", "returns (UTC)")
    for lead in found:
        owner = lead.owner and f"{names.get(lead.owner, '')} ({lead.owner})".strip()
        due = lead.return_at if lead.owner and not lead.worked_at else None
        table.add_row(
            lead.lead_id,
            escape(lead.preview.company),
            "on hold" if lead.on_hold else lead.state,
            lead.quality,
            ", ".join(lead.teams),
            escape(owner or ""),
            _age(now - lead.received_at),
            f"{due:%Y-%m-%d %H:%M}" if due else "",
        )
    console.print(table)
    console.print(f"{len(found)} leads" + (", and more: raise --limit" if after else ""))


def _age(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    days, hours = minutes // 1440, minutes // 60
    return f"{days} d" if days else f"{hours} h" if hours else f"{minutes} min"


def pool(
    team: Annotated[str, typer.Option(help="Only of this team.")] = "", stack: Stack = ""
) -> None:
    """Show how many leads are open for claiming, how old they are, and of which quality (U4)."""
    stores = target(stack).stores
    if team and team not in stores.roster.playbook().teams:
        raise typer.BadParameter("name one of the playbook's teams", param_hint="--team")
    found = pool_view(stores.race.open_leads(), team, clock.now(), hidden=False)
    parts = ", ".join(f"{many} {quality}" for quality, many in found.by_quality.items())
    console.print(f"{found.size} open: {parts}; {found.blind} of them blind.", highlight=False)
    if found.oldest_at is not None:
        mean = _age(timedelta(seconds=found.mean_age_seconds))
        oldest = f"{found.oldest_at:%Y-%m-%d %H:%M}"
        console.print(f"Open for {mean} on average, the oldest since {oldest} UTC.")


def _seal_line(epoch: int, sealed: SealedRace) -> str:
    race, block = sealed.race, "no block yet" if sealed.block is None else f"block {sealed.block}"
    disputed = f", disputed by {', '.join(sorted(sealed.disputed))}" if sealed.disputed else ""
    return (
        f"race {epoch}: {race.cause}, sealed {race.sealed_at:%Y-%m-%d %H:%M:%S} UTC with "
        f"{race.count} receipts, {block}{disputed}"
    )


def _link_line(link: DuplicateLink) -> str:
    shared = _SHARED[link.because]
    if link.outcome == EXISTING_OWNER:
        known = f"lead {link.other_id}" if link.other_id else "the owner named by 'dibs owners'"
        return f"went to its owner without a race: {shared} as {known}"
    return f"merged: {link.other_id} from {link.source}, {shared}"


_SHARED = {
    IdentityKind.PHONE: "same phone number",
    IdentityKind.EMAIL: "same e-mail address",
    IdentityKind.DOMAIN: "same company (e-mail domain)",
    IdentityKind.NAME: "same company (name)",
}


Reason = Annotated[str, typer.Option(help="Why; kept in the lead's history.")]
By = Annotated[str, typer.Option(envvar="USER", help="Who is named in the lead's history.")]


@app.command()
def assign(
    lead_id: str, rep_id: str, reason: Reason, by: By = "operator", stack: Stack = ""
) -> None:
    """Assign a lead to a rep, even if another rep holds it (R7)."""
    here = target(stack)
    race = here.stores.race
    holdings = here.stores.holdings
    why = reason_of(reason)
    with noting(here.stores, "lead.assign", lead_id, {}, {"holder": rep_id}) as note:
        lead, changed = override.assign(race, holdings, lead_id, rep_id, by, why, clock.now)
        _tell(note, lead, changed)
    _print_state(lead, changed)


@app.command()
def withdraw(
    lead_id: str,
    reason: Reason,
    to_nobody: Annotated[
        bool, typer.Option("--to-nobody", help="Put it on hold, not back to the pool.")
    ] = False,
    by: By = "operator",
    stack: Stack = "",
) -> None:
    """Take a lead from its holder, back to the pool or on hold; or put it back from hold (R7)."""
    here = target(stack)
    race = here.stores.race
    holdings = here.stores.holdings
    to: override.Where = "nobody" if to_nobody else "pool"
    why = reason_of(reason)
    with noting(here.stores, "lead.withdraw", lead_id, {}, {"to": to}) as note:
        lead, changed = override.withdraw(race, holdings, lead_id, to, by, why, clock.now)
        _tell(note, lead, changed)
    _print_state(lead, changed)


def _tell(note: Note, lead: Lead, changed: bool) -> None:
    note.before = {"holder": lead.previous_owner} if changed else {}
    note.after = _after(lead) if changed else {}


def _after(lead: Lead) -> dict[str, Any]:
    return {"holder": lead.owner, "state": lead.state.value}


def _print_state(lead: Lead, changed: bool) -> None:
    whose = f", held by {lead.owner}" if lead.owner else ""
    on_hold = ", on hold" if lead.on_hold else ""
    typer.echo(
        f"{lead.lead_id} is {lead.state}{whose}{on_hold}" + ("" if changed else ", as before")
    )


@app.command()
def draw(
    lead_id: str,
    commitment: Annotated[
        str, typer.Option(help="The seal that was shown before the draw, if kept.")
    ] = "",
    epoch: Annotated[
        int | None, typer.Option(help="Which opening; the latest if left out.")
    ] = None,
    stack: Stack = "",
) -> None:
    """Show how a lead was drawn, and recompute the draw (C10)."""
    here = target(stack)  # first: it sets which AWS is used
    drawn = here.stores.race.draws().get(lead_id, epoch)
    if drawn is None:
        console.print("This lead was not drawn.")
        raise typer.Exit(1)
    for name, value in (("commitment", drawn.commitment), ("seed", drawn.seed)):
        console.print(f"{name} {value}", highlight=False, soft_wrap=True)
    table = Table("ticket", "rep", "")
    passed = dict(drawn.passed)
    for rep_id in drawn.entrants:
        why = "won" if rep_id == drawn.winner else ", ".join(passed.get(rep_id, ()))
        table.add_row(ticket(drawn.seed, lead_id, drawn.epoch, rep_id)[:16], rep_id, why)
    console.print(table)
    errors = flaws(drawn, commitment)
    console.print("\n".join(errors) or "Recomputed: it was drawn as it was promised.")
    if errors:
        raise typer.Exit(1)
