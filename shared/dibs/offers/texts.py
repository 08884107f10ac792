"""The texts of offers and answers, in each rep's language (N2, N5)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta

from dibs.core.errors import (
    AlreadyClaimed,
    ClaimRefused,
    DibsError,
    Expired,
    LeadNotFound,
    Withdrawn,
)
from dibs.core.lead import Contact, Lead
from dibs.core.rep import Rep
from dibs.offers.reply import Answer
from dibs.race.claim import InDraw, Won
from dibs.race.opening import claim_by
from dibs.web.translations import (
    OUTCOME_LABELS,
    in_words,
    named,
    not_done,
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
# How much one part holds alone, and each of several: in GSM-7, and where a letter needs UCS-2.
_GSM_PARTS = (160, 153)
_UCS2_PARTS = (70, 67)
_MOST_UCS2_PARTS = 2
# An answer that names the contact ends before it costs more parts than this.
_MOST_WON_PARTS = 4
_MINUTE = timedelta(minutes=1)
_PLAIN = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " "}
)
# Letters that no accent can be taken from.
_NO_ACCENT_TO_TAKE = str.maketrans(
    {
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "Ð": "D",
        "ħ": "h",
        "Ħ": "H",
        "ı": "i",
        "ŧ": "t",
        "Ŧ": "T",
        "œ": "oe",
        "Œ": "OE",
        "þ": "th",
        "Þ": "Th",
        "ẞ": "SS",
    }
)
# Words that look like a reply code, and words that carriers act on.
_CODE_LIKE = re.compile(r"\b(?=\w*\d)[A-Z2-9]{4,6}\b")
_CARRIER_WORD = re.compile(r"\b(?:STOP|HELP)\b")


def gsm_length(text: str) -> int | None:
    """Return a text's length in GSM-7 septets, None when it holds a letter GSM-7 lacks."""
    if not all(letter in _GSM or letter in _GSM_TWICE for letter in text):
        return None
    return sum(2 if letter in _GSM_TWICE else 1 for letter in text)


def parts(text: str) -> int:
    """Return how many parts a text is sent, and paid, as."""
    length, (alone, each) = gsm_length(text), _GSM_PARTS
    if length is None:
        length, (alone, each) = len(text.encode("utf-16-le")) // 2, _UCS2_PARTS
    return 1 if length <= alone else -(-length // each)


def plain_letters(text: str) -> str:
    """Return a text without the accents that GSM-7 lacks; other letters stay as they are."""
    return "".join(
        letter if letter in _GSM or letter in _GSM_TWICE else _plain_letter(letter)
        for letter in unicodedata.normalize("NFC", text)
    )


def _plain_letter(letter: str) -> str:
    plain = "".join(
        part
        for part in unicodedata.normalize("NFKD", letter.translate(_NO_ACCENT_TO_TAKE))
        if not unicodedata.combining(part)
    )
    return plain if gsm_length(plain) is not None else letter


def _cheapest(write: Callable[[Callable[[str], str]], str]) -> str:
    """Return a text in plain letters where that saves a part, else as it is.

    `write` applies what it gets to its words first: plain letters may look like a reply code.
    """
    text, plain = write(str), write(plain_letters)
    return plain if parts(plain) < parts(text) else text


def offer_sms(lead: Lead, rep: Rep, code: str, url: str, now: datetime) -> str:
    """Return an offer's text: the lead, the time left, code and link (N2).

    Title and company are shortened to fit one GSM-7 part, or two where a letter needs UCS-2. An
    accent goes where that saves a part. No other word looks like a reply code, and no word is one
    that carriers act on.
    """
    _ = translator(rep.language)
    preview = lead.shown
    left = time_left(lead, rep, now)
    tail = _("{left} left. Reply {code} or {url}", left=left, code=code, url=url)
    for most in _LENGTHS:

        def write(letters: Callable[[str], str], most: tuple[int, ...] = most) -> str:
            words = (shown_company(lead, rep.language), preview.contact_title, preview.source)
            # Check again after shortening: a cut word may look like a code.
            company, title, source = (
                _harmless(_short(_harmless(letters(word)), length))
                for word, length in zip(words, most, strict=True)
            )
            size = _harmless(letters(preview.company_size))
            line = _offer_line(company, size, title, source, preview.score, rep)
            return f"{_marked(lead.test, line, rep.language)}. {letters(tail)}"

        text = _cheapest(write)
        if parts(text) <= (1 if gsm_length(text) is not None else _MOST_UCS2_PARTS):
            return text
    return text


# The most letters of company, title and source, from roomy to short.
_LENGTHS = (
    (160, 80, 80),
    (60, 30, 80),
    (40, 20, 80),
    (30, 12, 80),
    (24, 0, 80),
    (16, 0, 80),
    (16, 0, 12),
    (12, 0, 0),
)


def holder_sms(what: str, lead: Lead, rep: Rep, url: str, now: datetime) -> str:
    """Return the text to a lead's holder: it was assigned to them, or waits for them (C11)."""
    name = named(lead.preview.safe.company, rep.language)

    def write(letters: Callable[[str], str]) -> str:
        company = _marked(lead.test, _harmless(_short(letters(name), 60)), rep.language)
        return f"{company}: {letters(_to_holder(what, lead, rep, now))} {url}"

    return _cheapest(write)


def cap_sms(rep: Rep, most: int, url: str) -> str:
    """Return the text that tells a rep that no more offers come by text that day (N1)."""
    _ = translator(rep.language)
    return _(
        "You have had {most} offers by text today, the most for a day. "
        "More leads may be open: {url}",
        most=most,
        url=url,
    )


def _marked(test: bool, text: str, language: str) -> str:
    """Return a text that says of a test lead that it is one (O2)."""
    _ = translator(language)
    return _("TEST {text}", text=text) if test else text


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
        return _marked(lead.test, company, rep.language), _to_holder(kind, lead, rep, now)
    preview = lead.shown
    words = (preview.company_size, preview.contact_title, preview.source)
    size, title, source = map(_harmless, words)
    line = _offer_line("", size, title, source, preview.score, rep)
    if lead.blind:
        line = _("Its company and quality show after the claim")
    title = _marked(lead.test, shown_company(lead, rep.language), rep.language)
    return title, _("{line}. {left} left.", line=line, left=time_left(lead, rep, now))


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
        "not_told": not_done(answer.why or DibsError(), language),
        "not_held": _("Nothing is recorded: you do not hold this lead."),
        "none_held": _("Nothing is recorded: you hold no lead now."),
        "closed": _("This lead is closed: it was won or lost."),
        "released": _("You gave back {company}.", company=answer.company),
        "not_released": _("Nothing is given back: you do not hold this lead."),
        "which_release": _("Nothing is given back yet. Add the lead's code, or use its page."),
        "which_outcome": _(
            "Nothing is recorded: your text says two things. "
            "Send one of them, with the lead's code."
        ),
        "not_sure": _(
            "Nothing is recorded yet: this would close the lead. Add its code to: {what}, or use "
            "its page.",
            what=what,
        ),
        "which_held": _(
            "You hold several leads. Add the code from the lead's message to: {what}", what=what
        ),
    }[outcome]


def _won(won: Won, language: str) -> str:
    _ = translator(language)
    card = won.card
    if card is None:
        return _("You won. Open your list of leads for the contact details.")
    cautions = _cautions(card, language)
    for most in (200, 100, 60, 40, 24):
        # The number comes whole: nobody can call a part of it.
        who = [_short(card.contact_name, most), _short(card.contact_title, most)]
        how = [_short(card.contact_phone, 60), _short(card.contact_email, most + 40)]
        contact = ", ".join(part for part in (*who, *how) if part)
        company = _short(card.company, most)
        text = _("You won {company}! {contact}", company=company, contact=contact)
        text = _marked(won.claim.test, f"{text} {_short(cautions, most)}".strip(), language)
        if parts(text) <= _MOST_WON_PARTS:
            return text
    return text


def _cautions(card: Contact, language: str) -> str:
    _ = translator(language)
    if card.do_not_call:
        return _("DO NOT CALL: write instead.")
    return _("Consent: {consent}", consent=card.consent) if card.consent else ""


def _offer_line(
    company: str, size: str, title: str, source: str, points: int | None, rep: Rep
) -> str:
    _ = translator(rep.language)
    who = f"{company} ({size})" if company and size else company or size
    score = None if points is None else _("score {score}", score=points)
    return ", ".join(part for part in (who, title, source, score) if part)


def time_left(lead: Lead, rep: Rep, now: datetime) -> str:
    """Return the time until others may claim as well, then the time until the lead closes (C13)."""
    seconds = max(0, int((claim_by(lead, rep, now) - now).total_seconds()))
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
