"""Claim by text message: the code from the offer, or a bare yes when one offer is open (N5).

And report in a word what came of a lead one holds (U2).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dibs.core.errors import Busy, DibsError, LeadNotFound, NotYours, Withdrawn
from dibs.core.lead import HELD, Lead, State
from dibs.core.ports import Once
from dibs.core.rep import Rep, Usage
from dibs.offers.meaning import Meaning, meaning
from dibs.offers.open_offers import open_offers
from dibs.offers.ports import OfferStore
from dibs.race.claim import InDraw, Won, by_sms, claim
from dibs.race.decide import Eligible
from dibs.race.ports import RaceStore
from dibs.roster.ports import Roster

RELEASED_BY_TEXT = "by text"
"""The reason of a lead that was given back by a text which gives none."""


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
    `said` is what came of a lead of that `company`, where the text told of it, and `why` what kept
    it from being recorded.
    """

    phone: str
    rep: Rep | None
    outcome: Won | InDraw | DibsError | str
    code: str = ""
    said: str = ""
    company: str = ""
    why: DibsError | None = None


@dataclass(frozen=True)
class Outcomes:
    """What is done by text of a lead in hand: the leads a rep holds, and how each is recorded.

    `tell` takes rep, lead, outcome, an id that makes it count once, and when it was said;
    `give_back` rep, lead, its epoch, and why. `closing` names the outcomes that close a lead.
    """

    held: Callable[[str], Sequence[Lead]]
    tell: Callable[[str, str, str, str, datetime], object]
    give_back: Callable[[str, str, int, str], object]
    closing: Collection[str] = ()


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


def may_text(answer: Answer) -> bool:
    """Tell whether an answer may go: who opted out, with whatever word, gets none (N5).

    What they ask for is done all the same, and their page shows it. START lets texts come again.
    """
    return answer.rep is None or answer.rep.textable


def reply(
    message: InboundSms,
    store: RaceStore,
    roster: Roster,
    offers: OfferStore,
    once: Once,
    clock: Callable[[], datetime],
    opt_in: Callable[[str], None],
    outcomes: Outcomes,
) -> Answer | None:
    """Do what a text asks for and return the answer to send, None where none is due.

    The phone number identifies the rep, the code one of their offers. A claim, what came of a lead
    they hold (U2), giving it back (C5), STOP and START are all that can be done by text. A text
    that is not plainly a claim claims nothing; if it names an open offer, the answer
    says how to claim it. Whoever tries to claim is answered each time, other talk once a day. A
    redelivered message is answered once (C4).
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
    if said.asks == "outcomes":
        return Answer(message.phone, rep, "which_outcome")
    if said.asks == "release" or said.outcome:
        of_held = _given_back if said.asks == "release" else _told
        answer = of_held(message, rep, said, store, offers, outcomes, now)
        if answer is not None:
            return answer
    if said.asks == "no":
        return Answer(message.phone, rep, "declined")
    if said.asks == "yes":
        yes = _by_yes(message, rep, usage, store, roster, offers, clock)
        return Answer(message.phone, rep, yes)
    known = _named(rep, said, offers)
    if said.asks == "claim":
        outcome = _by_code(known[0][1], rep, store, clock) if known else "unknown_code"
        return Answer(message.phone, rep, outcome)
    if known:
        return _how_to_claim(message.phone, rep, known, store, now)
    if said.tries:
        offered = _offered(message, rep, usage, store, roster, offers, now)
        return Answer(message.phone, rep, "not_understood" if offered else "no_open_offer")
    first = once.claim_name(f"garbage/{rep.rep_id}/{now.date()}", now)
    return Answer(message.phone, rep, "not_understood") if first else None


def _named(rep: Rep, said: Meaning, offers: OfferStore) -> list[tuple[str, tuple[str, int]]]:
    """Return the codes of a text that are of the rep's offers, each with its lead and opening."""
    return [(code, found) for code in said.codes if (found := offers.find_code(rep.rep_id, code))]


def _given_back(
    message: InboundSms,
    rep: Rep,
    said: Meaning,
    store: RaceStore,
    offers: OfferStore,
    outcomes: Outcomes,
    now: datetime,
) -> Answer:
    """Give back the lead of the code; without one nothing is, whatever the rep holds (C5)."""
    if not said.codes:
        return Answer(message.phone, rep, "which_release")
    named = _named(rep, said, offers)
    if not named:
        return Answer(message.phone, rep, "unknown_code")
    for _, (lead_id, offered) in named:
        lead = store.read(lead_id, rep.rep_id).lead
        if lead is None or (lead.owner is not None and lead.owner != rep.rep_id):
            continue
        released = Answer(message.phone, rep, "released", company=lead.preview.safe.company)
        if lead.owner is None and rep.rep_id in lead.released_by:
            return released  # the text came again
        epoch = lead.epoch if lead.owner == rep.rep_id else offered
        try:
            outcomes.give_back(rep.rep_id, lead_id, epoch, said.outcome or RELEASED_BY_TEXT)
        except Busy:
            raise  # the text comes again, and giving back again changes nothing
        except (NotYours, LeadNotFound, Withdrawn):
            continue
        except DibsError:
            return Answer(message.phone, rep, "closed")
        return released
    how = _how_to_claim(message.phone, rep, named, store, now)
    return how if how.outcome == "reply_only" else Answer(message.phone, rep, "not_released")


def _told(
    message: InboundSms,
    rep: Rep,
    said: Meaning,
    store: RaceStore,
    offers: OfferStore,
    outcomes: Outcomes,
    now: datetime,
) -> Answer | None:
    """Record what came of a lead the rep holds: that of the code, or the only one they hold.

    None where the text declines an offer instead. Of an open lead nothing has come yet: "booked
    7K2P" may want to claim it.
    """
    held = {lead.lead_id: lead for lead in outcomes.held(rep.rep_id)}
    named = _named(rep, said, offers)
    mine = [lead for _, (id_, _) in named if (lead := _held(id_, rep, held, store)) is not None]
    if said.asks == "no" and not mine:
        return None
    if not said.codes:
        mine = list(held.values())
    if named and not mine:
        how = _how_to_claim(message.phone, rep, named, store, now)
        if isinstance(how.outcome, str):
            return how
    if len(mine) == 1 and not said.codes and said.outcome in outcomes.closing:
        # "Wrong number" alone may be about the rep's own number: closing a lead wants its code.
        return Answer(message.phone, rep, "not_sure", said=said.outcome)
    if len(mine) != 1:
        none = "not_held" if named else "unknown_code" if said.codes else "none_held"
        what = "which_held" if mine else none
        return Answer(message.phone, rep, what, said=said.outcome)
    lead, tap = mine[0], f"text-{message.message_id}"
    try:
        outcomes.tell(rep.rep_id, lead.lead_id, said.outcome, tap, message.received_at)
    except Busy:
        raise  # the text comes again, and counts once
    except DibsError as error:
        return Answer(message.phone, rep, "not_told", said=said.outcome, why=error)
    return Answer(message.phone, rep, "told", said=said.outcome, company=lead.preview.safe.company)


def _held(lead_id: str, rep: Rep, held: Mapping[str, Lead], store: RaceStore) -> Lead | None:
    """Return the lead if the rep holds it; a lead just claimed may not be listed yet."""
    lead = held.get(lead_id) or store.read(lead_id, rep.rep_id).lead
    return lead if lead is not None and lead.owner == rep.rep_id else None


def _by_code(
    offer: tuple[str, int], rep: Rep, store: RaceStore, clock: Callable[[], datetime]
) -> Won | InDraw | DibsError | str:
    """Claim the lead of a code; of one that was theirs and is won or lost only this is said."""
    outcome = _claim(*offer, rep, store, clock)
    if isinstance(outcome, Won) and outcome.already_yours:
        lead = store.read(offer[0], rep.rep_id).lead
        if lead is not None and lead.state not in HELD:
            return "closed"
    return outcome


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
    mine = [lead for _, lead in leads if lead.owner == rep.rep_id]
    if not mine:
        return Answer(phone, rep, Withdrawn())
    return Answer(phone, rep, "yours" if any(lead.state in HELD for lead in mine) else "closed")


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
    offered = _offered(message, rep, usage, store, roster, offers, clock())
    if len(offered) != 1:
        return "no_open_offer" if not offered else "which_offer"
    [lead] = offered
    return _claim(lead.lead_id, lead.epoch, rep, store, clock)


def _offered(
    message: InboundSms,
    rep: Rep,
    usage: Usage,
    store: RaceStore,
    roster: Roster,
    offers: OfferStore,
    now: datetime,
) -> list[Lead]:
    """Return the open leads whose offer the rep had when they wrote, and which they may claim."""

    def sent_before(lead: Lead) -> bool:
        notice = offers.notices(lead.lead_id, lead.epoch, [rep.rep_id]).get(rep.rep_id)
        return notice is not None and notice.sent_at <= message.received_at

    return [
        offer.lead
        for offer in open_offers(store, rep, usage, roster.playbook(), now)
        if isinstance(offer.verdict, Eligible) and sent_before(offer.lead)
    ]


def _claim(
    lead_id: str, epoch: int, rep: Rep, store: RaceStore, clock: Callable[[], datetime]
) -> Won | InDraw | DibsError:
    try:
        return claim(store, lead_id, rep.rep_id, by_sms(epoch), clock)
    except DibsError as error:
        return error
