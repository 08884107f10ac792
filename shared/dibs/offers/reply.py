"""Claim by text message: the code from the offer, or a bare yes when one offer is open (N5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from dibs.core.errors import DibsError
from dibs.core.lead import Lead
from dibs.core.ports import Once
from dibs.core.rep import Rep, Usage
from dibs.offers.open_offers import open_offers
from dibs.offers.ports import OfferStore
from dibs.race.claim import InDraw, Won, by_sms, claim
from dibs.race.decide import Eligible
from dibs.race.ports import RaceStore
from dibs.roster.ports import Roster

YES = {"YES", "Y", "YA", "ДА", "是"}
# The carrier answers these words itself and stops or starts delivery; we only record them.
STOP = {
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "OPTOUT",
    "REMOVE",
    "ARRET",
    "TD",
}
START = {"START", "UNSTOP"}
_CODE = re.compile(r"(?=.*[2-9])[A-Z2-9]{4,6}")


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
    """The text to send back: recipient and outcome. `rep` is None for an unknown number."""

    phone: str
    rep: Rep | None
    outcome: Won | InDraw | DibsError | str


def reply(
    message: InboundSms,
    store: RaceStore,
    roster: Roster,
    offers: OfferStore,
    once: Once,
    clock: Callable[[], datetime],
) -> Answer | None:
    """Do what a text asks for and return the answer to send, None where none is due.

    The phone number identifies the rep, the code one of their offers. A claim, STOP and START are
    all that can be done by text. A redelivered message is answered once (C4).
    """
    now = clock()
    words = re.sub(r"[^\w\s]", " ", message.body.upper()).split()
    text = "".join(words)
    # Any text that begins with STOP stops; the carriers' other words must be the whole text, so
    # that "Cancel that" does not.
    stop, start = text in STOP or words[:1] == ["STOP"], text in START
    sender = roster.by_phone(message.phone)
    if sender is None or not sender[0].active:
        if stop or start:
            return None
        first = once.claim_name(f"stranger/{message.phone}/{now.date()}", now)
        return Answer(message.phone, None, "unknown_number") if first else None
    rep, usage = sender
    if stop or start:
        roster.opt_out(rep.rep_id, stop)
        return None
    codes = _codes(words, text)
    if text in YES:
        yes = _by_yes(message, rep, usage, store, roster, offers, clock)
        return Answer(message.phone, rep, yes)
    for code in codes:
        offer = offers.find_code(rep.rep_id, code)
        if offer is not None:
            return Answer(message.phone, rep, _claim(*offer, rep, store, clock))
    if codes:
        return Answer(message.phone, rep, "unknown_code")
    first = once.claim_name(f"garbage/{rep.rep_id}/{now.date()}", now)
    return Answer(message.phone, rep, "not_understood") if first else None


def _codes(words: list[str], text: str) -> list[str]:
    """Return what may be a code: each word, the text without spaces, and the text after a yes."""
    after_yes = "".join(words[1:]) if words[:1] and words[0] in YES else ""
    return [word for word in (*words, text, after_yes) if _CODE.fullmatch(word)]


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
