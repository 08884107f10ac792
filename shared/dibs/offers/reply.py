"""Claim by text message: the code from the offer, or a bare yes when one offer is open (N5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dibs.core.errors import DibsError, Withdrawn
from dibs.core.lead import Lead, State
from dibs.core.ports import Once
from dibs.core.rep import Rep, Usage
from dibs.offers.meaning import meaning
from dibs.offers.open_offers import open_offers
from dibs.offers.ports import OfferStore
from dibs.race.claim import InDraw, Won, by_sms, claim
from dibs.race.decide import Eligible
from dibs.race.ports import RaceStore
from dibs.roster.ports import Roster


@dataclass(frozen=True)
class InboundSms:
    """A text from a rep; `phone` is E.164, as the carrier sends it.

    `received_at` is when it reached us: a yes can only answer an offer sent before.
    """

    message_id: str
    phone: str
    body: str
    received_at: datetime


@dataclass(frozen=True)
class Answer:
    """The text to send back: recipient and outcome. `rep` is None for an unknown number.

    `code` is what to reply to claim, where the text named a lead but did not plainly claim it.
    """

    phone: str
    rep: Rep | None
    outcome: Won | InDraw | DibsError | str
    code: str = ""


def may_answer(answer: Answer, roster: Roster, now: datetime) -> bool:
    """Count an answer against the day's caps on answers; False if one is reached (N5).

    Who won a lead is always told: there are no more such answers than leads.
    """
    if isinstance(answer.outcome, Won) and not answer.outcome.already_yours:
        return True
    caps = roster.playbook().sms
    rep_id = answer.rep.rep_id if answer.rep else ""
    most, of_all = caps.answers_per_rep_per_day, caps.answers_per_organisation_per_day
    return roster.count_sms(rep_id, now.date(), most, of_all, "answers")


def reply(
    message: InboundSms,
    store: RaceStore,
    roster: Roster,
    offers: OfferStore,
    once: Once,
    clock: Callable[[], datetime],
    opt_in: Callable[[str], None],
) -> Answer | None:
    """Do what a text asks for and return the answer to send, None where none is due.

    The phone number identifies the rep, the code one of their offers. A claim, STOP and START are
    all that can be done by text. A text that is not plainly a claim claims nothing; if it names an
    open offer, the answer says how to claim it. A redelivered message is answered once (C4).
    """
    now = clock()
    said = meaning(message.body)
    sender = roster.by_phone(message.phone)
    if sender is None or not sender[0].active:
        if said.asks in ("stop", "start"):
            return None
        first = once.claim_name(f"stranger/{message.phone}/{now.date()}", now)
        return Answer(message.phone, None, "unknown_number") if first else None
    rep, usage = sender
    if said.asks in ("stop", "start"):
        if said.asks == "start":
            opt_in(message.phone)
        roster.opt_out(rep.rep_id, said.asks == "stop")
        return None
    if said.asks == "no":
        return Answer(message.phone, rep, "declined")
    if said.asks == "yes":
        yes = _by_yes(message, rep, usage, store, roster, offers, clock)
        return Answer(message.phone, rep, yes)
    known = [
        (code, offer)
        for code in said.codes
        if (offer := offers.find_code(rep.rep_id, code)) is not None
    ]
    if said.asks == "claim":
        outcome = _claim(*known[0][1], rep, store, clock) if known else "unknown_code"
        return Answer(message.phone, rep, outcome)
    if known:
        return _how_to_claim(message.phone, rep, known, store, now)
    first = once.claim_name(f"garbage/{rep.rep_id}/{now.date()}", now)
    return Answer(message.phone, rep, "not_understood") if first else None


def _how_to_claim(
    phone: str,
    rep: Rep,
    known: Sequence[tuple[str, tuple[str, int]]],
    store: RaceStore,
    now: datetime,
) -> Answer:
    """Answer a text that names offers without plainly claiming one of them."""
    leads = [
        (code, lead)
        for code, (lead_id, epoch) in known
        if (lead := store.read(lead_id, rep.rep_id).lead) is not None and lead.epoch == epoch
    ]
    unclaimed = [code for code, lead in leads if lead.state is State.OPEN and now < lead.closes_at]
    if len(unclaimed) > 1:
        return Answer(phone, rep, "which_offer")
    if unclaimed:
        return Answer(phone, rep, "reply_only", unclaimed[0])
    mine = any(lead.owner == rep.rep_id for _, lead in leads)
    return Answer(phone, rep, "yours" if mine else Withdrawn())


def _by_yes(
    message: InboundSms,
    rep: Rep,
    usage: Usage,
    store: RaceStore,
    roster: Roster,
    offers: OfferStore,
    clock: Callable[[], datetime],
) -> Won | InDraw | DibsError | str:
    """Claim the one open lead whose offer the rep had when they said yes."""
    now = clock()

    def sent_before(lead: Lead) -> bool:
        notice = offers.notices(lead.lead_id, lead.epoch, [rep.rep_id]).get(rep.rep_id)
        return notice is not None and notice.sent_at <= message.received_at

    offered = [
        offer
        for offer in open_offers(store, rep, usage, roster.playbook(), now)
        if isinstance(offer.verdict, Eligible) and sent_before(offer.lead)
    ]
    if len(offered) != 1:
        return "no_open_offer" if not offered else "which_offer"
    lead = offered[0].lead
    return _claim(lead.lead_id, lead.epoch, rep, store, clock)


def _claim(
    lead_id: str, epoch: int, rep: Rep, store: RaceStore, clock: Callable[[], datetime]
) -> Won | InDraw | DibsError:
    try:
        return claim(store, lead_id, rep.rep_id, by_sms(epoch), clock)
    except DibsError as error:
        return error
