"""A lead in its holder's hand: contact, how it came, what was done, what may come next (U2).

The holder sees it as long as they hold it, also won or lost. Afterwards they are told why it went.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from dibs.core.errors import LeadNotFound, NoLongerYours
from dibs.core.lead import Claim, Contact, Lead, State, Transition
from dibs.core.rep import Rep
from dibs.ledger.activities import AHEAD
from dibs.ledger.entries import Entry
from dibs.ledger.ports import LeadHistory, Ledger
from dibs.ledger.record import SKEW
from dibs.ledger.texts import went_sentence
from dibs.race.claim import standing_win
from dibs.race.ports import RaceStore, RaceView


@dataclass(frozen=True)
class InHand:
    """A held lead: `came` is its claim or assignment, `given` that assignment's transition.

    `undo_until` is None where the claim cannot be undone now. `done` are the holder's activities
    about it, in order.
    """

    lead: Lead
    rep: Rep
    card: Contact
    came: Claim
    given: Transition | None
    undo_until: datetime | None
    done: tuple[Entry, ...]


def held_view(
    race: RaceStore,
    story: Callable[[str], LeadHistory | None],
    lead_id: str,
    rep_id: str,
    now: datetime,
) -> RaceView:
    """Return what is on record of a lead and the rep who holds it.

    Raises:
        NoLongerYours: they held it before; says why it went.
        LeadNotFound: there is no such lead, or they never held it.
    """
    view = race.read(lead_id, rep_id)
    lead, rep = view.lead, view.rep
    if lead is None or rep is None:
        raise LeadNotFound
    if lead.owner != rep_id:
        went = _went(story(lead_id), rep_id)
        if went is None:
            raise LeadNotFound
        why = went_sentence(went, lead, rep, view.playbook, now)
        raise NoLongerYours(why, went.cause, went.at)
    if view.claim is None or view.claim.epoch != lead.epoch:
        view = race.read(lead_id, rep_id)  # caught between lock and record
    return view


def in_hand(race: RaceStore, ledger: Ledger, lead_id: str, rep_id: str, now: datetime) -> InHand:
    """Return a lead for the rep who holds it.

    Raises:
        NoLongerYours, LeadNotFound: as `held_view` does.
    """
    view = held_view(race, ledger.story, lead_id, rep_id, now)
    lead, rep, came = view.lead, view.rep, view.claim
    if lead is None or rep is None or came is None:
        raise LeadNotFound
    won = standing_win(race, view, came, now, only_at_first=False)
    if won.card is None:
        raise LeadNotFound
    given = None if came.competitive else _given(ledger.story(lead_id), lead)
    done = tuple(
        entry
        for entry in ledger.of_rep(rep_id, came.claimed_at - SKEW, now + AHEAD)
        if entry.lead_id == lead_id and entry.digest and entry.epoch == lead.epoch
    )
    undo_until = won.undo_until if now < won.undo_until else None
    return InHand(lead, rep, won.card, came, given, undo_until, done)


def _went(history: LeadHistory | None, rep_id: str) -> Transition | None:
    """Return how the rep lost or gave up the lead last, None if they never held it."""
    steps = () if history is None else history.transitions
    lost = [one for one in steps if one.to_state is State.RELEASED and one.holder == rep_id]
    return max(lost, key=lambda one: (one.at, one.epoch), default=None)


def _given(history: LeadHistory | None, lead: Lead) -> Transition | None:
    """Return the assignment of a held lead."""
    steps = () if history is None else history.transitions
    found = [one for one in steps if one.to_state is State.ASSIGNED and one.epoch == lead.epoch]
    return max(found, key=lambda one: one.at, default=None)
