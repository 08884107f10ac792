"""Accept a lead once and store it in one transaction with its event (C1, C4, O2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dibs.assignment.allocate import Allot, as_it_comes
from dibs.assignment.ports import Recipient
from dibs.core.attempts import attempts
from dibs.core.errors import Busy
from dibs.core.lead import (
    ASSIGNED_ONLY,
    LANGUAGE_BYTES,
    PRODUCT_BYTES,
    SEGMENT_BYTES,
    SOURCE_BYTES,
    TERRITORY_BYTES,
    Contact,
    DuplicateLink,
    Lead,
    Preview,
    State,
    lead_id_for,
    moved,
)
from dibs.core.rep import Rep, Usage
from dibs.core.safe_text import safe_size, safe_text
from dibs.intake.blind_mix import blind_or_not, count_arrival
from dibs.intake.dummy import TEST_EVERYBODY
from dibs.intake.duplicates import (
    EXISTING_OWNER,
    MERGED,
    REASONS,
    GoesToOwner,
    KnownIdentity,
    Merge,
    identities_to_move,
    known_flags,
    matches,
)
from dibs.intake.identity import identities_of
from dibs.intake.ports import Arrivals, LeadStore, StoredPost
from dibs.race.lifecycle import new_claim
from dibs.race.matching import skills_needed
from dibs.race.opening import opening, places_at_night, races
from dibs.race.usage import count_lead
from dibs.rules.playbook import Playbook

UNKNOWN_TEAM = "unknown_team"
"""The flag of a lead for a team that the playbook does not have; it is routed as without one."""
# The race depends on these fields, so on the contact too they stay as first sent.
_RACED_ON = ("score", "territory", "segment", "product", "team", "test")
# The lead item stays below 1 KB whatever a source sends; the contact details keep every letter.
_PREVIEW_BYTES = {"company": 80, "company_size": 20, "contact_title": 48, "source": SOURCE_BYTES}


FindRep = Callable[[str], tuple[Rep, Usage] | None]


@dataclass(frozen=True)
class IngestDeps:
    """Everything ingest works with."""

    store: LeadStore
    arrivals: Arrivals
    clock: Callable[[], datetime]
    find_rep: FindRep = lambda rep_id: None
    """Returns the rep who owns a company, if they are still here (C6)."""
    allot: Allot = as_it_comes
    """Says who sees a new lead first or whom it is reserved for (F6, F8, F10)."""
    pause: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class _Post:
    """What a source sent, and the playbook it is judged by."""

    card: Contact
    playbook: Playbook
    signed_at: datetime


@dataclass(frozen=True)
class IngestResult:
    """The answer to a source about its lead; `reason` says why it does not simply race (C6)."""

    lead: Lead
    flags: tuple[str, ...]
    duplicate: bool

    @property
    def reason(self) -> str | None:
        return next((REASONS[flag] for flag in self.flags if flag in REASONS), None)


def ingest(
    card: Contact, playbook: Playbook, salt: bytes, signed_at: datetime, deps: IngestDeps
) -> IngestResult:
    """Store a new lead and open its race, or update the one already stored.

    Where none of its teams races, it waits to be assigned instead (M3, M5). A known person or
    company is not raced for again (C6): the post is merged into the lead that is not closed, or
    the lead goes to the rep who owns it.

    The same (source, external_id) again changes nothing the race depends on; the other fields
    (contact details, consent) follow the newest body. `card.lead_id` is set here.

    Raises:
        Busy: the store did not get to it in time.
    """
    identities = identities_of(card, playbook.duplicates, playbook.phone_region)
    store, step = deps.store, 0
    for attempt in attempts(pause=deps.pause):
        card = replace(card, lead_id=lead_id_for(card.source, card.external_id, step))
        lead = _new(card, playbook, salt, deps.clock())
        stored: StoredPost | None = None
        with attempt:
            stored, known = store.known(card.lead_id, identities) if identities else (None, [])
            if stored is None:
                found = _Known(known, _leads_of(known, store))
                outcome = _store_new(lead, _Post(card, playbook, signed_at), found, deps)
                if isinstance(outcome, IngestResult):
                    return outcome
                stored = outcome
        if stored is None:
            continue  # a parallel request stores the same lead, or another of the same person
        if (stored.card.source, stored.card.external_id) == (card.source, card.external_id):
            return _update(store, lead, card, stored, signed_at)
        attempt.at_once = True
        step += 1  # another lead has this id: try the next one
    raise Busy


@dataclass(frozen=True)
class _Known:
    identities: Sequence[KnownIdentity]
    leads: Mapping[str, Lead]


def _leads_of(identities: Sequence[KnownIdentity], store: LeadStore) -> dict[str, Lead]:
    lead_ids = {one.lead_id for one in identities if one.lead_id is not None}
    return store.get_many(lead_ids) if lead_ids else {}


def _store_new(
    lead: Lead, post: _Post, known: _Known, deps: IngestDeps
) -> IngestResult | StoredPost:
    """Store a new post: merge it into a lead, assign it to its owner, or let it race (C6)."""
    if post.card.team and post.playbook.team_named(post.card.team) is None:
        post = replace(post, card=replace(post.card, flags=(*post.card.flags, UNKNOWN_TEAM)))
    card, rules, now = post.card, post.playbook.duplicates, lead.received_at
    for match in matches(known.identities, known.leads, rules, now):
        if isinstance(match, Merge):
            merged = replace(card, flags=(*card.flags, MERGED[match.because]))
            link = DuplicateLink(
                match.lead.lead_id, card.lead_id, now, match.because, lead.preview.source, "merged"
            )
            identities = identities_to_move(known.identities, known.leads, link.lead_id, rules, now)
            stored = deps.store.merge(match.lead, merged, link, post.signed_at, identities)
            return stored or IngestResult(match.lead, merged.flags, duplicate=True)
        owner = deps.find_rep(match.rep_id)
        if owner is not None and owner[0].active:
            return _store_owned(lead, post, known, match, owner, deps)
    flags = known_flags(known.identities, known.leads, rules, now)
    post = replace(post, card=replace(card, flags=(*card.flags, *flags)))
    identities = identities_to_move(known.identities, known.leads, lead.lead_id, rules, now)
    lead = blind_or_not(lead, post.playbook, deps.arrivals)
    places = places_at_night(lead, post.playbook, now, deps.arrivals.place)
    lead = opening(lead, post.playbook, now, places=places)
    return _store_unowned(lead, post, identities, deps)


def _store_unowned(
    lead: Lead, post: _Post, identities: Sequence[KnownIdentity], deps: IngestDeps
) -> IngestResult | StoredPost:
    card, playbook = post.card, post.playbook
    allotted, transition = deps.allot(lead, playbook, lead.received_at), None
    new = allotted.lead
    if new.reserved_for in ASSIGNED_ONLY:
        new = replace(new, blind=False)  # it does not race, so there is nothing to hide
    if races(new, playbook):
        new, transition = moved(new, State.OPEN, new.received_at, "accepted", card.source)
    try:
        stored = deps.store.accept(
            new, card, transition, post.signed_at, identities, credit=allotted.credit
        )
    except Busy as busy:
        if allotted.credit is None or not busy.conflict:
            raise
        # The credit was used just now: store the lead without a head start.
        return _store_unowned(lead, post, identities, replace(deps, allot=as_it_comes))
    if stored is not None:
        return stored
    count_arrival(new, playbook, deps.arrivals)
    return IngestResult(new, card.flags, duplicate=False)


def _store_owned(
    lead: Lead,
    post: _Post,
    known: _Known,
    match: GoesToOwner,
    owner: tuple[Rep, Usage],
    deps: IngestDeps,
) -> IngestResult | StoredPost:
    """Store a new lead as its owner's, counted and recorded as any assignment (C6)."""
    (rep, usage), playbook, now = owner, post.playbook, lead.received_at
    claim = new_claim(lead, rep, playbook, now, now, EXISTING_OWNER)
    owned = replace(lead, owner=rep.rep_id, claimed_at=claim.claimed_at, return_at=claim.return_at)
    owned, transition = moved(owned, State.ASSIGNED, now, EXISTING_OWNER, "dibs")
    card = replace(post.card, flags=(*post.card.flags, EXISTING_OWNER))
    source = lead.preview.source
    link = DuplicateLink(lead.lead_id, match.lead_id, now, match.because, source, EXISTING_OWNER)
    identities = identities_to_move(
        known.identities, known.leads, lead.lead_id, playbook.duplicates, now
    )
    given = Recipient(claim, count_lead(rep, owned, usage, playbook, claim, bound=False), link)
    stored = deps.store.accept(owned, card, transition, post.signed_at, identities, given)
    return stored or IngestResult(owned, card.flags, duplicate=False)


def _update(
    store: LeadStore, lead: Lead, card: Contact, stored: StoredPost, signed_at: datetime
) -> IngestResult:
    """Update the stored post from its newest body, except what the race depends on (C4)."""
    kept = (*REASONS, UNKNOWN_TEAM)
    flags = (*card.flags, *(flag for flag in stored.card.flags if flag in kept))
    newest = replace(
        card, flags=flags, **{name: getattr(stored.card, name) for name in (*_RACED_ON, "merged")}
    )
    if newest != stored.card:
        store.update_card(newest, signed_at, stored.link)
    current = store.get(stored.link.lead_id if stored.link else card.lead_id)
    return IngestResult(current or lead, flags, duplicate=True)


def _new(card: Contact, playbook: Playbook, salt: bytes, now: datetime) -> Lead:
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
        test_everybody=TEST_EVERYBODY in card.flags,
        territory=_cut(card.territory, TERRITORY_BYTES),
        segment=_cut(card.segment, SEGMENT_BYTES),
        product=_cut(card.product, PRODUCT_BYTES),
        language=_cut(card.language, LANGUAGE_BYTES),
        needs=skills_needed(card.needs, playbook.matching),
    )


def preview_of(card: Contact) -> Preview:
    """Return what may be shown before the claim (N2), each field cut to its byte limit.

    It is without links and phone numbers, except for the source: rules name that as it was sent,
    and `Lead.shown` makes it safe.
    """
    return Preview(
        company=_cut(safe_text(card.company), _PREVIEW_BYTES["company"]),
        company_size=_cut(safe_size(card.company_size), _PREVIEW_BYTES["company_size"]),
        contact_title=_cut(safe_text(card.contact_title), _PREVIEW_BYTES["contact_title"]),
        source=_cut(card.source, _PREVIEW_BYTES["source"]),
        score=card.score,
    )


def _cut(text: str, most: int) -> str:
    if len(text.encode()) <= most:
        return text
    return text.encode()[: most - 3].decode(errors="ignore").rstrip() + "…"
