"""Claim a lead: the first valid claim gets it (C1-C4). The heart of Dibs.

One read, one decision, one transaction. When the transaction fails, the store returns the state
that made it fail, and the claim is decided again on that: another rep has won (409), a rule
refuses (403), or the claim is still valid and is tried once more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

from dibs.core.attempts import attempts
from dibs.core.credentials import Shown, proves
from dibs.core.errors import (
    AlreadyClaimed,
    Busy,
    ClaimRefused,
    DibsError,
    Expired,
    LeadNotFound,
    Unauthorized,
    UndoOver,
    Withdrawn,
)
from dibs.core.lead import Claim, Contact, Lead, State
from dibs.core.links import Link, link_is_for
from dibs.core.rep import Rep, Usage
from dibs.core.values import dataclass
from dibs.race.decide import Refused, decide_knowing
from dibs.race.draw import WRITTEN_BY, collects, commitment_of, seed_of, undrawn
from dibs.race.guards import Guard
from dibs.race.lifecycle import new_claim, taken, undo_until
from dibs.race.ports import RaceStore, RaceView
from dibs.race.usage import Change, count_lead

ATTEMPTS = 6
SILENCES = 2
FOLLOWED_AFTER = timedelta(seconds=1)
"""So long it takes about until a claim's event has come by stream, topic and queue."""


class Proof(NamedTuple):
    """Proof of who the caller is.

    `check` raises an error if it fails, on the items of the one read. `shown` is what has to be
    read for it besides.
    """

    check: Callable[[RaceView], None]
    shown: Shown | None = None


@dataclass(frozen=True)
class Won:
    """The winner's answer (C3). `card` holds the contact details, None if the link is too old."""

    claim: Claim
    card: Contact | None
    already_yours: bool
    undo_until: datetime


@dataclass(frozen=True)
class InDraw:
    """The answer to a claim that counts as simultaneous with others (C10).

    The winner is drawn from `draws_at` on; `commitment` is the hash of the seed.
    """

    lead_id: str
    draws_at: datetime
    commitment: str

    code: ClassVar[str] = "in_draw"


def bearer(shown: Shown, now: datetime) -> Proof:
    """Prove identity by a rep's token or session, which is read together with the lead."""

    def check(view: RaceView) -> None:
        if not proves(view.credential, shown, view.token_number, now):
            raise Unauthorized
        if view.rep is None or not view.rep.active or view.rep.rep_id != shown.owner:
            raise Unauthorized

    return Proof(check, shown)


def by_link(link: Link) -> Proof:
    """Prove identity by a claim link made for this rep, lead and race."""

    def check(view: RaceView) -> None:
        lead = view.lead
        if lead is None or view.rep is None or not view.rep.active:
            raise LeadNotFound
        if not any(link_is_for(link, lead.salt, e) for e in _of_this_race(lead)):
            earlier = range(max(1, lead.epoch - 20), lead.first_epoch)
            raise (
                Withdrawn if any(link_is_for(link, lead.salt, e) for e in earlier) else LeadNotFound
            )

    return Proof(check)


def by_sms(epoch: int) -> Proof:
    """Prove that a reply code is for this race. The caller found the rep by phone number."""

    def check(view: RaceView) -> None:
        if view.lead is not None and epoch not in _of_this_race(view.lead):
            raise Withdrawn

    return Proof(check)


def _of_this_race(lead: Lead) -> range:
    """Return the epochs of the lead's race, the current one first: after an undo it goes on, and
    nobody is sent a second link or code (C12)."""
    return range(lead.epoch, lead.first_epoch - 1, -1)


def claim(
    store: RaceStore,
    lead_id: str,
    rep_id: str,
    proof: Proof,
    clock: Callable[[], datetime],
    only_at_first: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> Won | InDraw:
    """Claim the lead for the rep, and return it with its contact details (C2, C3).

    The owner who claims again gets the same answer (C4); with `only_at_first`, as by a link,
    without contact details once the playbook's time for them has passed. Where claims are
    collected, the rep enters the draw instead (C10). A claim after the collection carries out the
    draw if that is not done yet.

    Raises:
        Unauthorized: the token is not valid.
        LeadNotFound: there is no such lead for the rep, or the link is not valid.
        Withdrawn: the link or code is from an earlier opening.
        AlreadyClaimed: another rep was first.
        Expired: the window has closed, or the lead is on hold.
        ClaimRefused: the lead is open, but a rule keeps the rep from it.
        Busy: the store did not answer in time.
    """
    view: RaceView | None = None
    silences, judged_at = 0, clock()
    for attempt in attempts(ATTEMPTS, pause):
        try:
            view = view or store.read(lead_id, rep_id, proof.shown)
            proof.check(view)
            judged_at = clock()
            outcome = _attempt(store, view, judged_at, clock, only_at_first, pause)
            if isinstance(outcome, Won | InDraw):
                return outcome
            view, attempt.at_once = outcome, True
        except Busy as busy:
            # The answer may have been lost after the commit, so read again, but at most twice:
            # more requests would make a slow or throttled store slower.
            silences += not busy.conflict
            if silences > SILENCES:
                raise
            view = None
        except (AlreadyClaimed, Expired, ClaimRefused) as refusal:
            if view is not None and view.lead is not None:
                _note(store, view, view.lead, rep_id, refusal, judged_at)
            raise
    raise Busy


def _attempt(
    store: RaceStore,
    view: RaceView,
    now: datetime,
    clock: Callable[[], datetime],
    only_at_first: bool,
    pause: Callable[[float], None],
) -> Won | InDraw | RaceView | None:
    """Judge the claim as of `now` and store it.

    Returns `Won` or `InDraw` when it is finished, a `RaceView` when it is to be judged again on
    that, and None when it is to be judged again on a new read.
    """
    if view.lead is not None and _owed_a_draw(view, now):
        _draw(store, view.lead, clock, pause)
        return None
    lead, rep, usage = check_claim(store, view, now)
    if undrawn(lead):
        return _enter_draw(store, lead, rep, now, clock)
    if lead.owner == rep.rep_id and view.claim is not None and view.claim.epoch == lead.epoch:
        return standing_win(store, view, view.claim, now, only_at_first)
    record = _record(view, lead, rep, now)
    counts = count_lead(rep, lead, usage, view.playbook, record)
    if view.credential is not None:
        # A token that ends meanwhile cannot win; no number is stored with the first token.
        guard = Guard("token_number", "=", view.token_number or None)
        counts |= Change(rep.rep_id, (guard,))
    outdated = store.commit_claim(replace(view, usage=usage), record, counts)
    if outdated is not None:
        return outdated
    won = standing_win(store, view, record, now, only_at_first)
    return replace(won, already_yours=False)


def _draw(
    store: RaceStore, lead: Lead, clock: Callable[[], datetime], pause: Callable[[float], None]
) -> None:
    # Imported here because most organisations do not collect claims.
    from dibs.race.draw_winner import draw

    draw(store, lead, clock, pause)


def _enter_draw(
    store: RaceStore, lead: Lead, rep: Rep, now: datetime, clock: Callable[[], datetime]
) -> InDraw | None:
    """Enter the rep in the draw; None if that was stored too late to be certain."""
    store.draws().enter(lead, rep.rep_id, now)
    entered = in_draw(lead)
    if clock() >= entered.draws_at + WRITTEN_BY:
        return None
    with suppress(Busy):  # a rep who claims has seen the offer, so no SMS is needed
        store.record_sighting(lead, rep.rep_id, "seen_at", now)
    return entered


def _note(
    store: RaceStore, view: RaceView, lead: Lead, rep_id: str, refusal: DibsError, now: datetime
) -> None:
    """Record a claim that did not win, for its receipt: `now` is when it was judged (C9)."""
    rules = refusal.refusals if isinstance(refusal, ClaimRefused) else ()
    codes = [rule.code for rule in rules]
    with suppress(Busy):  # the rep's answer matters more than the record
        store.record_attempt(lead, rep_id, now, refusal.code, codes, view.playbook.version)


def _owed_a_draw(view: RaceView, now: datetime) -> bool:
    """Tell whether the collection of claims is over, and the winner is not drawn yet."""
    lead, rep = view.lead, view.rep
    if lead is None or rep is None or rep.team not in lead.teams:
        return False
    return undrawn(lead) and not collects(lead, now)


def waits_in_draw(store: RaceStore, view: RaceView) -> bool:
    """Tell whether the rep has entered a draw of the lead that is not carried out yet."""
    lead, rep = view.lead, view.rep
    if lead is None or rep is None or not undrawn(lead):
        return False
    return store.draws().entered(lead, rep.rep_id)


def in_draw(lead: Lead) -> InDraw:
    """Return the answer for a rep who has entered the lead's draw."""
    assert lead.draws_at is not None
    return InDraw(lead.lead_id, lead.draws_at, commitment_of(seed_of(lead)))


def check_claim(store: RaceStore, view: RaceView, now: datetime) -> tuple[Lead, Rep, Usage]:
    """Return lead, rep and usage if the rep may claim the lead now, or holds it already.

    Raises:
        LeadNotFound: there is no such lead, or the rep may not know of it.
        AlreadyClaimed: another rep holds it; this comes first, so that a loser learns who won.
        Expired: the window has closed, or the lead is on hold.
        ClaimRefused: a rule keeps the rep from it.
    """
    lead, rep = view.lead, view.rep
    if lead is None or rep is None:
        raise LeadNotFound
    if lead.owner == rep.rep_id:
        return lead, rep, view.usage  # even from another team, as the fallback person may be (C7)
    if is_lost(view):
        raise _lost(store, view, lead, rep, now)
    if rep.team not in lead.teams or lead.state is State.NEW:
        raise LeadNotFound
    if lead.on_hold:
        raise Expired("A manager has put this lead on hold. Nobody can claim it for now.")
    if lead.state is not State.OPEN or now >= lead.closes_at:
        raise Expired
    verdict, usage = decide_knowing(lead, rep, view.usage, view.playbook, now, store.open_leads)
    if isinstance(verdict, Refused):
        raise ClaimRefused(verdict.refusals, verdict.lifts_at, now)
    return lead, rep, usage


def looked(store: RaceStore, lead_id: str, rep_id: str, proof: Proof) -> RaceView:
    """Return how the race stood a moment ago; where that refuses the caller, how it stands now.

    The caller checks the proof again: a lead may have been there for a moment only.
    """
    view = store.look(lead_id, rep_id)
    try:
        proof.check(view)
    except DibsError:
        return store.read(lead_id, rep_id)
    return view


def is_lost(view: RaceView) -> bool:
    """Tell whether another rep holds the lead, which was offered to this one's team."""
    lead, rep = view.lead, view.rep
    if lead is None or rep is None or lead.owner in (None, rep.rep_id):
        return False
    return rep.team in lead.teams and lead.state is not State.NEW


def knows_of(view: RaceView, rep_id: str) -> bool:
    """Tell whether the rep may know that there is such a lead: 404 hides the others.

    Those of their team do once it was offered, and whoever holds it or gave it back.
    """
    lead, rep = view.lead, view.rep
    if lead is None or rep is None:
        return False
    if rep_id == lead.owner or rep_id in lead.released_by:
        return True
    return rep.team in lead.teams and lead.state is not State.NEW


def _lost(store: RaceStore, view: RaceView, lead: Lead, rep: Rep, now: datetime) -> AlreadyClaimed:
    if view.claim is None or view.claim.epoch != lead.epoch:
        # The read saw the lead after the claim was stored, but the record before; read again.
        with suppress(Busy):
            view = store.read(lead.lead_id, rep.rep_id)
    record = view.claim
    claimed_at = lead.claimed_at or now
    named = record is not None and not view.playbook.hides_winner_from(rep)
    open_leads = 0
    if view.open_leads is not None:
        # The lead that was just claimed is not counted off before what follows a claim.
        still = now - claimed_at < FOLLOWED_AFTER
        open_leads = max(0, view.open_leads.get(rep.team, 0) - still)
    else:
        with suppress(Busy):  # the count is only approximate, so the answer does not wait for it
            open_leads = store.count_open(rep.team, now)
    return AlreadyClaimed(
        claimed_by=(record.rep_id, record.rep_name) if record is not None and named else None,
        claimed_at=claimed_at,
        ms_ago=max(0, _ms(now - claimed_at)),
        open_leads=open_leads,
        drawn=record is not None and record.drawn,
        judged_at=now,
    )


def _record(view: RaceView, lead: Lead, rep: Rep, now: datetime) -> Claim:
    since = view.noticed_at or lead.opens_for(rep) or lead.opens_at
    return new_claim(lead, rep, view.playbook, now, since)


def standing_win(
    store: RaceStore,
    view: RaceView,
    record: Claim,
    now: datetime,
    only_at_first: bool,
) -> Won:
    """Return the winner's answer for their claim, which is stored.

    With `only_at_first` the contact details are left out once the playbook's
    `contact_shown_seconds` have passed since the claim.
    """
    shown_for = timedelta(seconds=view.playbook.contact_shown_seconds)
    hidden = only_at_first and now > record.claimed_at + shown_for
    return Won(
        claim=record,
        card=None if hidden else store.card(record.lead_id),
        already_yours=True,
        undo_until=_undo_until(view, record, now),
    )


def _undo_until(view: RaceView, record: Claim, now: datetime) -> datetime:
    """Return until when this claim may be undone; that of the claim where it may not."""
    lead, rep = view.lead, view.rep
    if lead is None or rep is None:
        return record.claimed_at
    if lead.owner != record.rep_id:  # as it was before the claim
        lead = taken(lead, record)
    try:
        return undo_until(lead, rep, view.usage, view.playbook, now)
    except UndoOver:
        return record.claimed_at


def _ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
