"""Texts reps send us: a code, or yes, claims; a word says what came of a lead, or gives it back."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from dibs.assignment.work import release
from dibs.aws import clock
from dibs.aws.observability import count, logger
from dibs.ledger.quick import CLOSING, tell_outcome
from dibs.offers.reply import InboundSms, Outcomes, may_answer, may_text, reply
from dibs.offers.texts import answer_sms
from dibs.race.claim import Won, by_sms
from dibs.web.entry import Arrival, messages
from dibs.wiring import wiring


def work(body: dict[str, Any], arrival: Arrival) -> None:
    """Answer one inbound text (the two-way payload of AWS End User Messaging).

    Claiming twice is harmless, so a run that died is simply done again; only the answer is kept
    to one per inbound message.
    """
    message = InboundSms(
        str(body["inboundMessageId"]),
        str(body["originationNumber"]),
        str(body["messageBody"]),
        arrival.sent_at,
    )
    now = clock.now()
    answered = f"answered/{message.message_id}"
    if wiring().once.taken(answered):
        return
    answer = reply(
        message,
        wiring().race,
        wiring().roster,
        wiring().offers,
        wiring().once,
        clock.now,
        wiring().sms.opt_in,
        Outcomes(wiring().holdings.held_by, _tell, _give_back, CLOSING),
    )
    who = answer.rep.rep_id if answer and answer.rep else _fingerprint(message.phone)
    outcome = answer.outcome if answer else "no_answer"
    kind = outcome if isinstance(outcome, str) else getattr(outcome, "code", "won")
    logger.info("text answered", rep_id=who, outcome=kind)
    count("Replies")
    if isinstance(outcome, Won) and not outcome.already_yours and not outcome.claim.test:
        count("Claims")
        count("ClaimMs", outcome.claim.claim_ms)
    if wiring().once.claim_name(answered, now) and answer and may_text(answer):
        if not may_answer(answer, wiring().roster, now):
            count("AnswerCapReached")
            return
        try:
            wiring().sms.send(answer.phone, answer_sms(answer, clock.now()))
        except Exception:
            wiring().once.free_name(answered)  # not sent: the retry answers
            raise


def _tell(rep_id: str, lead_id: str, outcome: str, outcome_id: str, at: datetime) -> None:
    told = tell_outcome(wiring().record_deps, rep_id, lead_id, outcome, outcome_id, at)
    if any(one.freed for one in told):
        wiring().timers.check("queue.check")


def _give_back(rep_id: str, lead_id: str, epoch: int, reason: str) -> None:
    race, holdings, proof = wiring().race, wiring().holdings, by_sms(epoch)
    _, undone = release(race, holdings, lead_id, rep_id, proof, reason, clock.now)
    if not undone:
        wiring().timers.check("queue.check")  # they may be given another


def _fingerprint(phone: str) -> str:
    return hashlib.sha256(phone.encode()).hexdigest()[:12]


def warm() -> object:
    """Make what the first reply would wait for."""
    mine = wiring()
    return mine.race.read("-", "-"), mine.roster, mine.offers, mine.once, mine.sms


handler = messages(work, warm)
