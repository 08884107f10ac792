"""What a rep does besides claiming: look at offers, decline, switch off, register a phone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dibs.core.errors import FieldError, InvalidInput, LeadNotFound
from dibs.core.lead import Lead, State
from dibs.core.links import link_token
from dibs.core.rep import Limits, Platform, Rep
from dibs.race.claim import Proof
from dibs.race.decide import Verdict, decide_knowing
from dibs.race.ports import RaceStore
from dibs.rules.rules import Rules

if TYPE_CHECKING:
    from dibs.ports import Push, Roster

DEVICES_PER_REP = 3
MOST_QUIET_MINUTES = 10_080
_DEVICE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True)
class OpenOffer:
    """One open lead as a rep sees it: the truth behind every alert (N4)."""

    lead: Lead
    verdict: Verdict
    token: str


def open_offers(
    store: RaceStore, rep: Rep, limits: Limits, playbook: Rules, now: datetime
) -> list[OpenOffer]:
    """Return the open leads of the rep's team, oldest first, each judged as a claim would be."""
    known = store.open_leads()
    leads = [
        lead
        for lead in known
        if rep.team in lead.teams and lead.state is State.OPEN and now < lead.closes_at
    ]
    found = []
    for lead in sorted(leads, key=lambda lead: (lead.opens_at, lead.lead_id)):
        verdict, limits = decide_knowing(lead, rep, limits, playbook, now, lambda: known)
        token = link_token(lead.salt, lead.lead_id, rep.rep_id, lead.epoch)
        found.append(OpenOffer(lead, verdict, token))
    return found


def sight(
    store: RaceStore, lead_id: str, rep_id: str, proof: Proof, what: str, now: datetime
) -> Lead:
    """Record that the rep saw or declined the offer (N3), which also keeps the text from coming.

    Returns the lead, which somebody may be waiting for (M6).

    Raises:
        Unauthorized, LeadNotFound, Withdrawn: who asks, or for what, is not known.
    """
    view = store.read(lead_id, rep_id)
    proof(view)
    lead, rep = view.lead, view.rep
    known = lead is not None and rep is not None and rep.team in lead.teams
    if lead is None or not known or lead.state is State.NEW:
        raise LeadNotFound
    if lead.state is State.OPEN:
        store.record_sighting(lead, rep_id, what, now)
    return lead


def set_availability(
    roster: Roster, rep_id: str, available: bool, minutes: int | None, now: datetime
) -> datetime | None:
    """Switch the rep on, or off for a while; return when the pause ends (R8)."""
    longest = roster.playbook().availability.pause_ends_after_minutes
    if minutes is not None and not 1 <= minutes <= longest:
        raise InvalidInput((FieldError("minutes", f"use 1 to {longest}"),))
    until = None if available else now + timedelta(minutes=minutes or longest)
    roster.pause(rep_id, until)
    return until


def set_quiet(roster: Roster, rep_id: str, minutes: int, now: datetime) -> datetime | None:
    """Send the rep no alert for that long, 0 ends it; they may claim all the same (R8)."""
    if not 0 <= minutes <= MOST_QUIET_MINUTES:
        raise InvalidInput((FieldError("quiet_minutes", f"use 0 to {MOST_QUIET_MINUTES}"),))
    until = now + timedelta(minutes=minutes) if minutes else None
    roster.quiet(rep_id, until)
    return until


def register_device(
    roster: Roster, push: Push, rep: Rep, device_id: str, platform: str, token: str
) -> None:
    """Register a phone for push; a rep keeps the last three.

    A phone that changed hands is taken from whoever had it before: it would show their claim
    links to its new holder.

    Raises:
        InvalidInput: the platform or the token cannot be right.
    """
    errors = []
    if platform not in set(Platform):
        errors.append(FieldError("platform", "use 'apns' or 'fcm'"))
    if not (8 <= len(token) <= 2048 and token.isascii() and token.isprintable()):
        errors.append(FieldError("token", "send the token the platform gave the app"))
    if not _DEVICE_ID.fullmatch(device_id):
        errors.append(FieldError("device_id", "use 1 to 64 letters, digits, - _ . and :"))
    if errors:
        raise InvalidInput(tuple(errors))
    others = [device for device in rep.devices if device.device_id != device_id]
    for device in others[: max(0, len(others) - DEVICES_PER_REP + 1)]:
        remove_device(roster, push, rep, device.device_id)
    device, owner = push.register(rep.rep_id, device_id, platform, token)
    before = rep if owner == rep.rep_id else roster.get(owner)
    for known in before.devices if before else ():
        same_place = (owner, known.device_id) == (rep.rep_id, device_id)
        if known.endpoint_arn == device.endpoint_arn and not same_place:
            roster.remove_device(owner, known.device_id)
    roster.put_device(rep.rep_id, device)


def remove_device(roster: Roster, push: Push, rep: Rep, device_id: str) -> None:
    """Forget a phone; forgetting one that is not there changes nothing."""
    for device in rep.devices:
        if device.device_id == device_id:
            push.forget(device)
            roster.remove_device(rep.rep_id, device_id)
