"""Accept a lead once (C1, C4, O2). What was accepted is stored in one transaction with its fact."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dibs.assignment.allocate import Allot, as_it_comes
from dibs.assignment.ports import Given
from dibs.core.attempts import attempts
from dibs.core.errors import Busy
from dibs.core.lead import (
    LANGUAGE_BYTES,
    PRODUCT_BYTES,
    SEGMENT_BYTES,
    SOURCE_BYTES,
    TERRITORY_BYTES,
    Card,
    Lead,
    Preview,
    State,
    Tie,
    lead_id_for,
    moved,
)
from dibs.core.rep import Rep, Usage
from dibs.intake.blind_mix import blind_or_not, count_arrival
from dibs.intake.duplicates import (
    EXISTING_OWNER,
    MERGED,
    REASONS,
    Keep,
    Merge,
    Standing,
    known_flags,
    meetings,
    pointed,
)
from dibs.intake.identity import identities_of
from dibs.intake.ports import Arrivals, LeadStore, Stored
from dibs.race.lifecycle import taking
from dibs.race.matching import skills_needed
from dibs.race.opening import opening, races
from dibs.race.usage import count_lead
from dibs.rules.playbook import Playbook

# What the race depends on stays as it was first sent.
_RACED_ON = ("score", "territory", "segment", "product", "team", "test")
# The lock item stays at most 1 KB whatever a source sends; the card keeps every letter.
_PREVIEW_BYTES = {"company": 80, "company_size": 20, "contact_title": 48, "source": SOURCE_BYTES}


FindRep = Callable[[str], tuple[Rep, Usage] | None]


@dataclass(frozen=True)
class Accepted:
    """What the source is told about its lead; `reason` is why it is not simply raced for (C6)."""

    lead: Lead
    flags: tuple[str, ...]
    duplicate: bool

    @property
    def reason(self) -> str | None:
        return next((REASONS[flag] for flag in self.flags if flag in REASONS), None)


def ingest(
    store: LeadStore,
    arrivals: Arrivals,
    card: Card,
    playbook: Playbook,
    salt: bytes,
    signed_at: datetime,
    clock: Callable[[], datetime],
    pause: Callable[[float], None] = time.sleep,
    find_rep: FindRep = lambda rep_id: None,
    allot: Allot = as_it_comes,
) -> Accepted:
    """Store a new lead and open its race, or meet the one already stored.

    Where none of its teams races, it waits to be assigned instead (M3, M5). Who is known already
    is not raced for again (C6): the post becomes part of the lead that is not over, or the lead
    goes to the rep the person or company belongs to; `find_rep` finds them. Of all others `allot`
    decides who sees them first or whom they are kept for (F6, F8, F10).

    The same (source, external_id) again changes nothing the race depends on; what it does not
    depend on (contact details, consent) follows the newest body. `card.lead_id` is set here.

    Raises:
        Busy: the store did not get to it in time; nothing was stored.
    """
    identities = identities_of(card, playbook.duplicates)
    step = 0
    for attempt in attempts(pause=pause):
        card = replace(card, lead_id=lead_id_for(card.source, card.external_id, step))
        lead = _new(card, playbook, salt, clock())
        met: Stored | None = None
        with attempt:
            met, standings = store.known(card.lead_id, identities) if identities else (None, [])
            if met is None:
                known = _Known(standings, _leads_of(standings, store))
                outcome = _stored(
                    store, arrivals, lead, card, playbook, signed_at, known, find_rep, allot
                )
                if isinstance(outcome, Accepted):
                    return outcome
                met = outcome
        if met is None:
            continue  # a twin is storing the same lead, or another of the same person
        if (met.card.source, met.card.external_id) == (card.source, card.external_id):
            return _again(store, lead, card, met, signed_at)
        step += 1  # a stranger's lead has this id: step aside
    raise Busy


@dataclass(frozen=True)
class _Known:
    standings: Sequence[Standing]
    leads: Mapping[str, Lead]


def _leads_of(standings: Sequence[Standing], store: LeadStore) -> dict[str, Lead]:
    lead_ids = {one.lead_id for one in standings if one.lead_id is not None}
    return store.get_many(lead_ids) if lead_ids else {}


def _stored(
    store: LeadStore,
    arrivals: Arrivals,
    lead: Lead,
    card: Card,
    playbook: Playbook,
    signed_at: datetime,
    known: _Known,
    find_rep: FindRep,
    allot: Allot,
) -> Accepted | Stored:
    """Store a new post as what it is: part of a lead, its owner's, or a lead to race for."""
    rules, now = playbook.duplicates, lead.received_at
    for found in meetings(known.standings, known.leads, rules, now):
        if isinstance(found, Merge):
            merged = replace(card, flags=(*card.flags, MERGED[found.because]))
            tie = Tie(
                found.lead.lead_id, card.lead_id, now, found.because, lead.preview.source, "merged"
            )
            standings = pointed(known.standings, known.leads, tie.lead_id, rules, now)
            met = store.merge(found.lead, merged, tie, signed_at, standings)
            return met or Accepted(found.lead, merged.flags, duplicate=True)
        owner = find_rep(found.rep_id)
        if owner is not None and owner[0].active:
            return _given(store, lead, card, playbook, signed_at, known, found, owner)
    flags = known_flags(known.standings, known.leads, rules, now)
    card = replace(card, flags=(*card.flags, *flags))
    standings = pointed(known.standings, known.leads, lead.lead_id, rules, now)
    lead = opening(blind_or_not(lead, playbook, arrivals), playbook, now)
    return _new_to_us(store, arrivals, lead, card, playbook, signed_at, standings, allot)


def _new_to_us(
    store: LeadStore,
    arrivals: Arrivals,
    lead: Lead,
    card: Card,
    playbook: Playbook,
    signed_at: datetime,
    standings: Sequence[Standing],
    allot: Allot,
) -> Accepted | Stored:
    allotted, move = allot(lead, playbook, lead.received_at), None
    new = allotted.lead
    if new.reserved in ("newcomers", "absence"):
        new = replace(new, blind=False)  # nobody races for it, so there is nothing to hide
    if races(new, playbook):
        new, move = moved(new, State.OPEN, new.received_at, "accepted", card.source)
    try:
        met = store.accept(new, card, move, signed_at, standings, credit=allotted.credit)
    except Busy as busy:
        if allotted.credit is None or not busy.conflict:
            raise
        # The credit was used just now: the lead is nobody's in particular.
        return _new_to_us(store, arrivals, lead, card, playbook, signed_at, standings, as_it_comes)
    if met is not None:
        return met
    count_arrival(new, playbook, arrivals)
    return Accepted(new, card.flags, duplicate=False)


def _given(
    store: LeadStore,
    lead: Lead,
    card: Card,
    playbook: Playbook,
    signed_at: datetime,
    known: _Known,
    found: Keep,
    owner: tuple[Rep, Usage],
) -> Accepted | Stored:
    """Store a new lead as its owner's: told, counted and recorded as any assignment is."""
    (rep, usage), now = owner, lead.received_at
    claim = taking(lead, rep, playbook, now, now, EXISTING_OWNER)
    theirs = replace(lead, owner=rep.rep_id, claimed_at=claim.claimed_at, return_at=claim.return_at)
    theirs, move = moved(theirs, State.ASSIGNED, now, EXISTING_OWNER, "dibs")
    card = replace(card, flags=(*card.flags, EXISTING_OWNER))
    source = lead.preview.source
    tie = Tie(lead.lead_id, found.lead_id, now, found.because, source, EXISTING_OWNER)
    standings = pointed(known.standings, known.leads, lead.lead_id, playbook.duplicates, now)
    given = Given(claim, count_lead(rep, theirs, usage, playbook, claim, bound=False), tie)
    met = store.accept(theirs, card, move, signed_at, standings, given)
    return met or Accepted(theirs, card.flags, duplicate=False)


def _again(store: LeadStore, lead: Lead, card: Card, met: Stored, signed_at: datetime) -> Accepted:
    """Meet what is stored of the same post: the newest body counts, its place stays."""
    flags = (*card.flags, *(flag for flag in met.card.flags if flag in REASONS))
    newest = replace(
        card, flags=flags, **{name: getattr(met.card, name) for name in (*_RACED_ON, "merged")}
    )
    if newest != met.card:
        store.update_card(newest, signed_at, met.tie)
    standing = store.get(met.tie.lead_id if met.tie else card.lead_id)
    return Accepted(standing or lead, flags, duplicate=True)


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
    return Lead(
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
