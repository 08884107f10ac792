"""Accept a lead once (C1, C4, O2). What was accepted is stored in one transaction with its fact."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from dibs.domain.errors import Busy
from dibs.domain.leads import (
    LANGUAGE_BYTES,
    PRODUCT_BYTES,
    SEGMENT_BYTES,
    SOURCE_BYTES,
    TERRITORY_BYTES,
    Card,
    Lead,
    Preview,
    State,
    lead_id_for,
    moved,
)
from dibs.domain.matching import skills_needed
from dibs.domain.opening import opening, races
from dibs.domain.playbook import Playbook
from dibs.usecases.allocation import Allot, as_it_comes
from dibs.usecases.ports import LeadStore

TRIES = 6
# What the race depends on stays as it was first sent.
_RACED_ON = ("score", "territory", "segment", "product", "team", "test")
# The lock item stays at most 1 KB whatever a source sends; the card keeps every letter.
_PREVIEW_BYTES = {"company": 80, "company_size": 20, "contact_title": 48, "source": SOURCE_BYTES}


@dataclass(frozen=True)
class Accepted:
    """What the source is told about its lead."""

    lead: Lead
    flags: tuple[str, ...]
    duplicate: bool


def ingest(
    store: LeadStore,
    card: Card,
    playbook: Playbook,
    salt: bytes,
    signed_at: datetime,
    clock: Callable[[], datetime],
    pause: Callable[[float], None] = time.sleep,
    allot: Allot = as_it_comes,
) -> Accepted:
    """Store a new lead and open its race, or meet the one already stored.

    Where none of its teams races, it waits to be assigned instead (M3, M5). `allot` decides who
    sees it first or whom it is kept for (F6, F8, F10).

    The same (source, external_id) again changes nothing the race depends on; what it does not
    depend on (contact details, consent) follows the newest body. `card.lead_id` is set here.

    Raises:
        Busy: the store did not get to it in time; nothing was stored.
    """
    attempt = 0
    for _ in range(TRIES):
        lead_id = lead_id_for(card.source, card.external_id, attempt)
        card = replace(card, lead_id=lead_id)
        allotted = allot(_new(card, playbook, salt, clock()), playbook, clock())
        lead, move = allotted.lead, None
        if races(lead, playbook):
            lead, move = moved(lead, State.OPEN, lead.received_at, "accepted", card.source)
        try:
            stored = store.accept(lead, card, move, signed_at, allotted.credit)
        except Busy as busy:
            if not busy.conflict:
                raise
            # The same lead is being stored by a twin of this request; or a credit was used just
            # now, and the lead is nobody's in particular.
            allot = as_it_comes if allotted.credit else allot
            pause(random.uniform(0.02, 0.1))  # noqa: S311 - jitter, no secret
            continue
        if stored is None:
            return Accepted(lead, card.flags, duplicate=False)
        if (stored.source, stored.external_id) == (card.source, card.external_id):
            newest = replace(card, **{name: getattr(stored, name) for name in _RACED_ON})
            if newest != stored:
                store.update_card(newest, signed_at)
            return Accepted(store.get(lead_id) or lead, card.flags, duplicate=True)
        attempt += 1  # a stranger's lead has this id: step aside
    raise Busy


def _new(card: Card, playbook: Playbook, salt: bytes, now: datetime) -> Lead:
    route = playbook.route_for(
        {
            "team": card.team,
            "source": card.source,
            "territory": card.territory,
            "segment": card.segment,
            "product": card.product,
        }
    )
    lead = Lead(
        lead_id=card.lead_id,
        state=State.NEW,
        epoch=1,
        teams=route.teams,
        pods=route.pods,
        quality=playbook.quality_of(card.score),
        preview=preview_of(card),
        salt=salt,
        opens_at=now,
        closes_at=now,
        playbook_version=playbook.version,
        received_at=now,
        test=card.test,
        territory=_cut(card.territory, TERRITORY_BYTES),
        segment=_cut(card.segment, SEGMENT_BYTES),
        product=_cut(card.product, PRODUCT_BYTES),
        language=_cut(card.language, LANGUAGE_BYTES),
        needs=skills_needed(card.needs, playbook.matching),
    )
    return opening(lead, playbook, now)


def preview_of(card: Card) -> Preview:
    """Return what of the card may be shown before the claim (N2), each field at its byte limit."""
    return Preview(
        company=_cut(card.company, _PREVIEW_BYTES["company"]),
        company_size=_cut(card.company_size, _PREVIEW_BYTES["company_size"]),
        contact_title=_cut(card.contact_title, _PREVIEW_BYTES["contact_title"]),
        source=_cut(card.source, _PREVIEW_BYTES["source"]),
        score=card.score,
    )


def _cut(text: str, most: int) -> str:
    if len(text.encode()) <= most:
        return text
    return text.encode()[: most - 3].decode(errors="ignore").rstrip() + "…"
