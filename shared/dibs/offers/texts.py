"""The texts of offers and answers, in each rep's language (N2, N5)."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta

from dibs.core.errors import (
    AlreadyClaimed,
    ClaimRefused,
    DibsError,
    Expired,
    LeadNotFound,
    Withdrawn,
)
from dibs.core.lead import Contact, Lead, Preview
from dibs.core.rep import Rep
from dibs.offers.reply import Answer
from dibs.race.claim import InDraw, Won
from dibs.web.translations import (
    OUTCOME_LABELS,
    in_words,
    named,
    refusal_sentence,
    shown_company,
    translator,
)

# GSM 03.38: a text of these letters holds 160 in one part; those of _GSM_TWICE count as two.
_GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = set("^{}\\[~]|€")
_PART = 160
_MINUTE = timedelta(minutes=1)
_PLAIN = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " "}
)
# Words that look like a reply code, and words that carriers act on.
_CODE_LIKE = re.compile(r"\b(?=\w*\d)[A-Z2-9]{4,6}\b")
_CARRIER_WORD = re.compile(r"\b(?:STOP|HELP)\b")


def gsm_length(text: str) -> int | None:
    """Return a text's length in GSM-7 septets, None when it holds a letter GSM-7 lacks."""
    if not all(letter in _GSM or letter in _GSM_TWICE for letter in text):
        return None
    return sum(2 if letter in _GSM_TWICE else 1 for letter in text)


def offer_sms(lead: Lead, rep: Rep, code: str, url: str, now: datetime) -> str:
    """Return an offer's text: the lead, the time left, code and link (N2).

    Title and company are shortened to fit one GSM-7 part where possible. No other word looks like
    a reply code, and no word is one that carriers act on.
    """
    _ = translator(rep.language)
    preview = lead.shown
    tail = _("{left} left. Reply {code} or {url}", left=_left(lead, now), code=code, url=url)
    company = _harmless(shown_company(lead, rep.language))
    title = _harmless(preview.contact_title)
    for company_most, title_most in ((160, 80), (60, 30), (40, 20), (30, 12), (24, 0), (16, 0)):
        # Check again after shortening: a cut word may look like a code.
        cut = _harmless(_short(company, company_most)), _harmless(_short(title, title_most))
        text = _offer_line(preview, *cut, rep)
        text = f"{text}. {tail}"
        length = gsm_length(text)
        if length is None or length <= _PART:
            return text
    return text


def holder_sms(what: str, lead: Lead, rep: Rep, url: str, now: datetime) -> str:
    """Return the text to a lead's holder: it was assigned to them, or waits for them (C11)."""
    company = _harmless(_short(named(lead.preview.safe.company, rep.language), 60))
    return f"{company}: {_to_holder(what, lead, rep, now)} {url}"


def _to_holder(what: str, lead: Lead, rep: Rep, now: datetime) -> str:
    _ = translator(rep.language)
    if lead.return_at is None:
        return _("This lead is yours.")
    span = lead.return_at - now
    # Whole minutes, rounded down: the rep plans by them.
    left = in_words(span - span % _MINUTE if span >= _MINUTE else span, rep.language)
    if what == "assigned":
        return _("This lead is yours. Make first contact within {left}.", left=left)
    return _("This lead still waits for your call. It goes back in {left}.", left=left)


def alert(kind: str, lead: Lead, rep: Rep, now: datetime) -> tuple[str, str]:
    """Return a push alert's title and body: the same content as the text, without the code (N2)."""
    _ = translator(rep.language)
    if kind != "offer":
        company = named(lead.preview.safe.company, rep.language)
        return company, _to_holder(kind, lead, rep, now)
    preview = lead.shown
    line = _offer_line(preview, "", preview.contact_title, rep)
    if lead.blind:
        line = _("Its company and quality show after the claim")
    title = shown_company(lead, rep.language)
    return title, _("{line}. {left} left.", line=line, left=_left(lead, now))


def sign_in_sms(rep: Rep, url: str, minutes: int) -> str:
    """Return the text with a link to sign in (U8)."""
    _ = translator(rep.language)
    return _("Sign in to Dibs within {minutes} minutes: {url}", minutes=minutes, url=url)


def answer_sms(answer: Answer, now: datetime) -> str:
    """Return the answer to a rep's reply: won, who won instead, or why not (N5)."""
    _ = translator(answer.rep.language if answer.rep else "en")
    language = _.language
    outcome = answer.outcome
    if isinstance(outcome, Won):
        return _won(outcome, language)
    if isinstance(outcome, InDraw):
        return _("You are in the draw for this lead. You will be told if you win it.")
    if isinstance(outcome, AlreadyClaimed):
        if outcome.drawn and outcome.claimed_by is None:
            return _("You were not drawn this time. The next lead is on its way.")
        if outcome.drawn and outcome.claimed_by:
            winner = outcome.claimed_by[1]
            return _("{winner} was drawn for it. The next lead is on its way.", winner=winner)
        ago = in_words(timedelta(milliseconds=outcome.ms_ago), language)
        if outcome.claimed_by is None:
            return _("Too late: claimed {ago} ago. The next lead is on its way.", ago=ago)
        winner = outcome.claimed_by[1]
        return _(
            "Too late: {winner} won it {ago} ago. The next lead is on its way.",
            winner=winner,
            ago=ago,
        )
    if isinstance(outcome, ClaimRefused):
        sentences = " ".join(refusal_sentence(r, language) for r in outcome.refusals)
        return _("Not claimed. {why}", why=sentences)
    if isinstance(outcome, Expired | Withdrawn | LeadNotFound):
        return _("Too late: this offer is over. The next lead is on its way.")
    if isinstance(outcome, DibsError):
        return _("Not claimed: we could not get through. Please send the code again.")
    what = _(OUTCOME_LABELS[answer.said]) if answer.said else ""
    return {
        "unknown_number": _("This number belongs to no sales rep here. Ask your manager."),
        "unknown_code": _("We do not know this code. Check the letters, or open the link."),
        "no_open_offer": _("You have no open offer now. The next lead is on its way."),
        "which_offer": _("Several leads are open. Reply with the code of the one you want."),
        "not_understood": _("To claim a lead, reply with the code from its message."),
        "declined": _("OK, we leave it. To claim a lead, reply only with its code."),
        "reply_only": _("Nothing is claimed yet. To claim, reply only: {code}", code=answer.code),
        "yours": _("This lead is yours."),
        "told": _("Recorded: {what}, {company}.", what=what, company=answer.company),
        "not_told": _("Nothing is recorded: this lead is closed, or not yours any more."),
        "not_held": _("Nothing is recorded: you do not hold this lead."),
        "which_held": _(
            "You hold several leads. Add the code from the lead's message to: {what}", what=what
        ),
    }[outcome]


def _won(won: Won, language: str) -> str:
    _ = translator(language)
    card = won.card
    if card is None:
        return _("You won. Open your list of leads for the contact details.")
    parts = [card.contact_name, card.contact_title, card.contact_phone, card.contact_email]
    contact = ", ".join(part for part in parts if part)
    text = _("You won {company}! {contact}", company=card.company, contact=contact)
    return f"{text} {_cautions(card, language)}".strip()


def _cautions(card: Contact, language: str) -> str:
    _ = translator(language)
    if card.do_not_call:
        return _("DO NOT CALL: write instead.")
    return _("Consent: {consent}", consent=card.consent) if card.consent else ""


def _offer_line(preview: Preview, company: str, title: str, rep: Rep) -> str:
    _ = translator(rep.language)
    size = _harmless(preview.company_size)
    who = f"{company} ({size})" if company and size else company or size
    score = None if preview.score is None else _("score {score}", score=preview.score)
    return ", ".join(part for part in (who, title, _harmless(preview.source), score) if part)


def _left(lead: Lead, now: datetime) -> str:
    seconds = max(0, int((lead.closes_at - now).total_seconds()))
    if seconds >= 3600:
        return f"{seconds // 3600}h {seconds % 3600 // 60:02d}m"
    return f"{seconds // 60}:{seconds % 60:02d}"


def _harmless(text: str) -> str:
    """Return a source's text in plain letters, without code-like words and carriers' words."""
    plain = unicodedata.normalize("NFC", text).translate(_PLAIN)
    plain = _CARRIER_WORD.sub(lambda match: match.group().capitalize(), plain)
    return _CODE_LIKE.sub(_not_a_code, plain)


def _not_a_code(match: re.Match[str]) -> str:
    word = match.group()
    return f"{int(word):,}" if word.isdigit() else word.lower()


def _short(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return text[: most - 2].rstrip() + ".." if most > 4 else ""
