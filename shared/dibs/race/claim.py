"""Claim a lead: the first valid claim gets it (C1-C4). The heart of Dibs.

One read, one decision, one transaction. When the transaction fails, the store hands back what
the facts were at that instant and the same decision is made again: somebody else won (409), a
rule refuses (403), or the world merely moved on and the claim is tried once more.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from dibs.core.attempts import attempts
from dibs.core.errors import (
    AlreadyClaimed,
    Busy,
    ClaimRefused,
    DibsError,
    Expired,
    LeadNotFound,
    Unauthorized,
    Withdrawn,
)
from dibs.core.lead import Card, Claim, Lead, State
from dibs.core.links import Link, link_is_for
from dibs.core.rep import Rep, Usage
from dibs.race.decide import Refused, decide_knowing
from dibs.race.draw import WRITTEN_BY, collects, commitment_of, seed_of, undrawn
from dibs.race.lifecycle import taking
from dibs.race.ports import RaceStore, RaceView
from dibs.race.usage import count_lead

ATTEMPTS = 6
SILENCES = 2
CONTACT_SHOWN_FOR = timedelta(minutes=15)

Proof = Callable[[RaceView], None]
"""Checks, on what the claim reads anyway, that the caller is who they say; raises when not."""


@dataclass(frozen=True)
class Won:
    """The winner's answer (C3). `card` is None where a link is too old to show contact details."""

    claim: Claim
    card: Card | None
    already_yours: bool
    undo_until: datetime


@dataclass(frozen=True)
class InDraw:
    """The answer to a claim that counts as simultaneous with others (C10).

    One of them is drawn from `draws_at` on; `commitment` is of the seed it is drawn by.
    """

    lead_id: str
    draws_at: datetime
    commitment: str

    code: ClassVar[str] = "in_draw"


def bearer(token: str) -> Proof:
    """Prove identity by a rep's token, whose hash stands in an item the claim reads anyway."""
    given = token_hash(token)

    def check(view: RaceView) -> None:
        if view.token_hash is None or not hmac.compare_digest(view.token_hash, given):
            raise Unauthorized
        if view.rep is None or not view.rep.active:
            raise Unauthorized

    return check


def by_link(link: Link) -> Proof:
    """Prove identity by a claim link made for this rep, lead and opening."""

    def check(view: RaceView) -> None:
        lead = view.lead
        if lead is None or view.rep is None or not view.rep.active:
            raise LeadNotFound
        if not link_is_for(link, lead.salt, lead.epoch):
            earlier = range(max(1, lead.epoch - 20), lead.epoch)
            raise (
                Withdrawn if any(link_is_for(link, lead.salt, e) for e in earlier) else LeadNotFound
            )

    return check


def by_sms(epoch: int) -> Proof:
    """Prove that a reply code still belongs to this opening; the phone number named the rep."""

    def check(view: RaceView) -> None:
        if view.lead is not None and view.lead.epoch != epoch:
            raise Withdrawn

    return check


def token_hash(token: str) -> str:
    """Return what is stored of a bearer token."""
    return hashlib.sha256(token.encode()).hexdigest()


def claim(
    store: RaceStore,
    lead_id: str,
    rep_id: str,
    proof: Proof,
    clock: Callable[[], datetime],
    contact_shown_for: timedelta | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Won | InDraw:
    """Claim the lead for the rep, and return the lead with its contact details (C2, C3).

    Claiming again what is already yours gives the same answer (C4); once `contact_shown_for` has
    passed it comes without the contact details. Where claims are collected, the rep is in the draw
    instead (C10); a claim after that waits for the draw, and carries it out if nobody has.

    Raises:
        Unauthorized, LeadNotFound, Withdrawn: who asks, or for what, is not known.
        AlreadyClaimed: somebody else was first.
        Expired: the window closed.
        ClaimRefused: the lead is open, but a rule keeps the rep from it.
        Busy: the store did not get to it in time; nothing was changed.
    """
    view: RaceView | None = None
    silences = 0
    for attempt in attempts(ATTEMPTS, pause):
        try:
            view = view or store.read(lead_id, rep_id)
            proof(view)
            found = _attempt(store, view, clock, contact_shown_for, pause)
            if isinstance(found, Won | InDraw):
                return found
            view, attempt.at_once = found, True
        except Busy as busy:
            # The answer may have been lost after the commit, so look again, twice at most; a
            # store that is slow or throttled for longer must not be asked more and more often.
            silences += not busy.conflict
            if silences > SILENCES:
                raise
            view = None
        except (AlreadyClaimed, Expired, ClaimRefused) as refusal:
            if view is not None and view.lead is not None:
                _note(store, view, view.lead, rep_id, refusal, clock())
            raise
    raise Busy


def _attempt(
    store: RaceStore,
    view: RaceView,
    clock: Callable[[], datetime],
    contact_shown_for: timedelta | None,
    pause: Callable[[float], None],
) -> Won | InDraw | RaceView | None:
    """Judge and store the claim; return its answer, or the facts to judge anew, None: unread."""
    now = clock()
    if view.lead is not None and _owed_a_draw(view, now):
        _draw(store, view.lead, clock, pause)
        return None
    lead, rep, usage = judge(store, view, now)
    if undrawn(lead):
        return _entered(store, lead, rep, now, clock)
    if lead.owner == rep.rep_id and view.claim is not None and view.claim.epoch == lead.epoch:
        return standing_win(store, view, view.claim, now, contact_shown_for)
    record = _record(view, lead, rep, now)
    counts = count_lead(rep, lead, usage, view.playbook, record)
    outdated = store.commit_claim(replace(view, usage=usage), record, counts)
    if outdated is not None:
        return outdated
    won = standing_win(store, view, record, now, contact_shown_for)
    return replace(won, already_yours=False)


def _draw(
    store: RaceStore, lead: Lead, clock: Callable[[], datetime], pause: Callable[[float], None]
) -> None:
    # Loaded where claims are collected only: most organisations collect none.
    from dibs.race.draw_winner import draw

    draw(store, lead, clock, pause)


def _entered(
    store: RaceStore, lead: Lead, rep: Rep, now: datetime, clock: Callable[[], datetime]
) -> InDraw | None:
    """Put the rep into the draw; None when that was stored too late to be promised."""
    store.draws().enter(lead, rep.rep_id, now)
    entered = in_draw(lead)
    if clock() >= entered.draws_at + WRITTEN_BY:
        return None
    with suppress(Busy):  # who claimed has seen it, and needs no text to
        store.record_sighting(lead, rep.rep_id, "seen_at", now)
    return entered


def _note(
    store: RaceStore, view: RaceView, lead: Lead, rep_id: str, refusal: DibsError, now: datetime
) -> None:
    """Note a try that won nothing, for its receipt."""
    rules = refusal.refusals if isinstance(refusal, ClaimRefused) else ()
    codes = [rule.code for rule in rules]
    with suppress(Busy):  # the answer matters more than its footnote
        store.record_attempt(lead, rep_id, now, refusal.code, codes, view.playbook.version)


def _owed_a_draw(view: RaceView, now: datetime) -> bool:
    """Tell whether the lead's claims are collected, and nobody has drawn one of them yet."""
    lead, rep = view.lead, view.rep
    if lead is None or rep is None or rep.team not in lead.teams:
        return False
    return undrawn(lead) and not collects(lead, now)


def waits_in_draw(store: RaceStore, view: RaceView) -> bool:
    """Tell whether the rep is in a draw of the lead that was not made yet."""
    lead, rep = view.lead, view.rep
    if lead is None or rep is None or not undrawn(lead):
        return False
    return store.draws().entered(lead, rep.rep_id)


def in_draw(lead: Lead) -> InDraw:
    """Return what a rep is told who is in the lead's draw."""
    assert lead.draws_at is not None
    return InDraw(lead.lead_id, lead.draws_at, commitment_of(seed_of(lead)))


def judge(store: RaceStore, view: RaceView, now: datetime) -> tuple[Lead, Rep, Usage]:
    """Return lead, rep and usage when the rep may claim the lead now, or holds it already.

    Raises:
        LeadNotFound: there is no such lead, or the rep may not know of it.
        AlreadyClaimed: before any other refusal, so that a loser hears who won.
        Expired, ClaimRefused: the window closed; a rule says no.
    """
    lead, rep = view.lead, view.rep
    if lead is None or rep is None:
        raise LeadNotFound
    if lead.owner == rep.rep_id:
        return lead, rep, view.usage  # of whatever team: the last resort may be on another (C7)
    if rep.team not in lead.teams or lead.state is State.NEW:
        raise LeadNotFound
    if lead.owner is not None:
        raise _lost(store, view, lead, rep, now)
    if lead.parked:
        raise Expired("A manager has put this lead aside. Nobody can claim it for now.")
    if lead.state is not State.OPEN or now >= lead.closes_at:
        raise Expired
    verdict, usage = decide_knowing(lead, rep, view.usage, view.playbook, now, store.open_leads)
    if isinstance(verdict, Refused):
        raise ClaimRefused(verdict.refusals, verdict.lifts_at)
    return lead, rep, usage


def _lost(store: RaceStore, view: RaceView, lead: Lead, rep: Rep, now: datetime) -> AlreadyClaimed:
    record = view.claim
    if record is None or record.epoch != lead.epoch:
        # The read caught the lock after the race and the record before it: look once more.
        with suppress(Busy):
            record = store.read(lead.lead_id, rep.rep_id).claim
    claimed_at = lead.claimed_at or now
    named = record is not None and not view.playbook.hides_winner_from(rep)
    open_leads = 0
    with suppress(Busy):  # "taken" is known for sure; how many others are open is about
        open_leads = store.count_open(rep.team, now)
    return AlreadyClaimed(
        claimed_by=(record.rep_id, record.rep_name) if record is not None and named else None,
        claimed_at=claimed_at,
        ms_ago=max(0, _ms(now - claimed_at)),
        open_leads=open_leads,
        drawn=record is not None and record.drawn,
    )


def _record(view: RaceView, lead: Lead, rep: Rep, now: datetime) -> Claim:
    told = view.noticed_at or lead.opens_for(rep) or lead.opens_at
    return taking(lead, rep, view.playbook, now, told)


def standing_win(
    store: RaceStore,
    view: RaceView,
    record: Claim,
    now: datetime,
    contact_shown_for: timedelta | None,
) -> Won:
    """Return a claim that stands as its winner's answer, asked for again."""
    hidden = contact_shown_for is not None and now > record.claimed_at + contact_shown_for
    # What was assigned was no mistake of the rep's: there is nothing to undo.
    blind = view.lead is not None and view.lead.blind
    undo_seconds = view.playbook.undo_seconds if record.competitive and not blind else 0
    return Won(
        claim=record,
        card=None if hidden else store.card(record.lead_id),
        already_yours=True,
        undo_until=record.claimed_at + timedelta(seconds=undo_seconds),
    )


def _ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
