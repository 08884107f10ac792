"""`make run`: post leads, let simulated reps race, and print each race."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.markup import escape

from dibs.aws.clients import dynamodb
from dibs.aws.dynamo import Dynamo
from dibs.cli.target import settings_of
from dibs.core.lead import Claim, Lead, State
from dibs.core.links import link_token
from dibs.race.ports import SentOffer
from dibs.wiring import Wiring
from tools.local.demo import YOU
from tools.local.place import STACK, Place
from tools.local.simulation import HOLD_BACK_SECONDS, Api, AppRep, Ringside, Sender, TextReps
from tools.local.steps import console

LOOK_SECONDS = 0.3
LATE_SECONDS = 3.0
LATE_NAMES = 5
LEAVE_SECONDS = 2.0
BEFORE = timedelta(seconds=15)
# Keep the second lead for the person who watches, then every fifth.
YOURS_FIRST, YOURS_EVERY = 2, 5
TEXT_ONLY = {"Farid Osman", "Liam Walsh"}


@dataclass
class Race:
    """A lead on screen, and what was printed about it so far."""

    lead: Lead
    seen_at: float = field(default_factory=time.monotonic)
    told: bool = False
    claim: Claim | None = None
    won_at: float = 0.0


class RaceShow:
    """Posts leads, lets simulated reps race, and prints each race."""

    def __init__(self, place: Place, every: float) -> None:
        self._stack = place.stack()
        self._place, self._every = place, every
        settings = settings_of(STACK)
        stores = Wiring(settings, Dynamo(dynamodb()))
        self._races, self._offers = stores.race, stores.offers
        self._reps: dict[str, dict[str, Any]] = {rep["rep_id"]: rep for rep in self._stack["reps"]}
        self._you = next(rep for rep in self._reps.values() if rep["name"] == YOU)
        self._ringside = Ringside()
        self._sender = Sender(self._stack["api_url"], self._stack["intake_secret"], self._ringside)
        self._on_show: dict[str, Race] = {}
        self._over: set[str] = set()
        self._posted = 0
        self._decided = 0

    def run(self, races: int) -> None:
        """Show this many races, or with 0 until Ctrl-C."""
        crowd = self._crowd()
        self._welcome()
        for one in crowd:
            one.start()
        try:
            self._show(races)
        finally:
            self._ringside.stop.set()
            deadline = time.monotonic() + LEAVE_SECONDS
            for one in crowd:
                one.join(timeout=max(0.0, deadline - time.monotonic()))

    def _crowd(self) -> list[threading.Thread]:
        """Register the reps' phones and return the simulated reps."""
        texting = [rep for rep in self._reps.values() if rep["name"] in TEXT_ONLY]
        crowd: list[threading.Thread] = []
        for number, rep in enumerate(self._reps.values()):
            if rep in texting:
                continue
            api = Api(self._stack["api_url"], rep["token"])
            phone = {"platform": "apns" if number % 2 else "fcm", "token": f"{number:064x}"}
            api.call("PUT", "/me/devices/demo-phone", phone)
            if rep is not self._you:
                crowd.append(AppRep(rep, api, self._ringside))
        topic = self._stack["inbound_sms_topic_arn"]
        crowd.append(TextReps(texting, self._place.endpoint, topic, self._ringside))
        return crowd

    def _welcome(self) -> None:
        console.print()
        console.rule("Dibs: whoever claims first has the lead")
        console.print(
            f"{len(self._reps)} reps in two teams, a lead every {self._every:g} seconds. "
            "Companies, people and numbers are invented.\n"
            "Some leads are kept for you: open the link and claim. Ctrl-C ends it all.\n"
        )
        console.print("Its screens; one tap there makes you this person:")
        for who, link in self._stack["demo_links"].items():
            console.print(f"  {who:<14} {link}", highlight=False, soft_wrap=True)
        console.print()

    def _show(self, races: int) -> None:
        next_post = time.monotonic()
        while not races or self._decided < races:
            if time.monotonic() >= next_post:
                next_post = time.monotonic() + self._every
                self._post()
            self._look()
            time.sleep(LOOK_SECONDS)

    def _post(self) -> None:
        self._posted += 1
        yours = self._posted % YOURS_EVERY == YOURS_FIRST
        if not self._sender.post(reserved=yours):
            console.print("[red]A lead could not be posted; the next one is on its way.[/]")

    def _look(self) -> None:
        for lead in self._races.open_leads():
            if lead.lead_id not in self._on_show and lead.lead_id not in self._over:
                self._on_show[lead.lead_id] = Race(lead)
                self._tell_arrival(lead)
        for race in list(self._on_show.values()):
            self._follow(race)

    def _follow(self, race: Race) -> None:
        view = self._races.read(race.lead.lead_id, self._you["rep_id"])
        if not race.told:
            self._tell_notices(race)
        if view.lead is None or (view.lead.state is State.OPEN and race.claim is None):
            return
        if race.claim is None:
            if view.claim is None or view.lead.state is not State.CLAIMED:
                self._tell_unclaimed(race)
            elif race.told or time.monotonic() - race.seen_at > LATE_SECONDS:
                race.claim, race.won_at = view.claim, time.monotonic()
                self._tell_winner(race, view.claim)
        elif time.monotonic() - race.won_at > LATE_SECONDS:
            self._tell_late(race, race.claim)

    def _tell_arrival(self, lead: Lead) -> None:
        preview = lead.preview
        known = [
            f"{preview.company_size} people" if preview.company_size else "",
            preview.contact_title,
            f"score {preview.score}, {lead.quality}" if preview.score is not None else "",
            f"from {preview.source}" if preview.source else "",
        ]
        about = escape(", ".join(part for part in known if part))
        at = f"[dim]{lead.received_at.astimezone():%H:%M:%S}[/]"
        waiting = datetime.now(UTC) - lead.received_at > BEFORE
        again = " is still open" if waiting else ""
        console.print(f"{at}  [bold]{escape(preview.company)}[/]{again}  {about}")
        if lead.lead_id in self._ringside.reserved_until:
            token = link_token(lead.salt, lead.lead_id, self._you["rep_id"], lead.epoch)
            console.print(
                f"          [cyan]Yours if you like:[/] {self._place.public_url}/c/{token}  "
                f"[dim](the others hold back for {HOLD_BACK_SECONDS:.0f} s)[/]"
            )

    def _tell_notices(self, race: Race) -> None:
        lead = race.lead
        notices = self._offers.notices(lead.lead_id, lead.epoch, list(self._reps))
        # Wait for one more look, so that the whole wave is counted.
        if not notices or time.monotonic() - race.seen_at < 2 * LOOK_SECONDS:
            return
        race.told = True
        console.print(f"          notified {_notified(list(notices.values()), lead.received_at)}")

    def _tell_winner(self, race: Race, claim: Claim) -> None:
        self._decided += 1
        way = self._ringside.way.get((claim.lead_id, claim.rep_id), "")
        company = escape(race.lead.preview.company)
        console.print(
            f"          [bold green]{escape(claim.rep_name)} won[/] {company} "
            f"after {claim.claim_ms} ms{f' ({way})' if way else ''}"
        )

    def _tell_late(self, race: Race, claim: Claim) -> None:
        late = sorted(self._beaten(claim), key=lambda one: one[1])
        if late:
            names = ", ".join(f"{escape(name)} by {_span(ms)}" for name, ms in late[:LATE_NAMES])
            if len(late) > LATE_NAMES:
                names += f" and {len(late) - LATE_NAMES} more"
            company = escape(race.lead.preview.company)
            console.print(f"          [dim]too late for {company}:[/] {names}")
        self._end(race)

    def _beaten(self, claim: Claim) -> list[tuple[str, int]]:
        beaten = {
            rep_id: ms
            for (lead_id, rep_id), ms in self._ringside.beaten_by_ms.items()
            if lead_id == claim.lead_id
        }
        texted = {
            rep_id: int((at - claim.claimed_at).total_seconds() * 1000)
            for (lead_id, rep_id), at in self._ringside.tried_at.items()
            if lead_id == claim.lead_id and rep_id != claim.rep_id
        }
        return [
            (self._reps[rep_id]["name"], max(0, ms)) for rep_id, ms in {**texted, **beaten}.items()
        ]

    def _tell_unclaimed(self, race: Race) -> None:
        console.print(f"          nobody claimed {escape(race.lead.preview.company)} in time")
        self._end(race)

    def _end(self, race: Race) -> None:
        self._over.add(race.lead.lead_id)
        del self._on_show[race.lead.lead_id]


def _notified(notices: Sequence[SentOffer], received_at: datetime) -> str:
    """Return how many were notified by which channel, how soon, and how close together."""
    pushed = sum("push" in notice.channels for notice in notices)
    texted = sum("sms" in notice.channels for notice in notices)
    ways = [f"{pushed} by push" if pushed else "", f"{texted} by text" if texted else ""]
    times = [notice.sent_at for notice in notices]
    after = int((min(times) - received_at).total_seconds() * 1000)
    spread = int((max(times) - min(times)).total_seconds() * 1000)
    how = " and ".join(way for way in ways if way) or "nobody"
    return f"{how}, {_span(after)} after it came in, all within {_span(spread)}"


def _span(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
