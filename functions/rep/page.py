"""The rep's pages: home, and a lead in hand. Plain HTML in the rep's language, without script."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from dibs.assignment.work import LONGEST_REASON
from dibs.aws.clock import to_ms
from dibs.core.errors import DibsError, LeadNotFound, NoLongerYours
from dibs.core.lead import HELD, Lead, State
from dibs.core.money import digits_of
from dibs.core.rep import Rep
from dibs.game.help.rules import LONGEST_TEXT
from dibs.ledger.entries import Entry
from dibs.ledger.in_hand import InHand
from dibs.ledger.texts import closed_sentence, deadline, done_label
from dibs.offers.open_offers import OpenOffer
from dibs.race.decide import Refused, off
from dibs.rules.playbook import Playbook
from dibs.screens import pages
from dibs.screens.frame import HOME, ME
from dibs.screens.site import Site
from dibs.screens.site import site as build_site
from dibs.web.contact import dialable, writable
from dibs.web.http import STATUS, Response
from dibs.web.translations import (
    ENGLISH,
    LANGUAGE_NAMES,
    N_,
    OUTCOME_LABELS,
    Translator,
    heat,
    languages,
    local_time,
    named,
    not_done,
    refusal_sentence,
    shown_company,
    translator,
)
from dibs.wiring import look

_TEMPLATES = Path(__file__).parent / "templates"
_PAUSES = (15, 60)
_BADGES_AHEAD = 5
_QUIETS = (30, 120, 480)
# Why a lead is given back, as it is recorded, and what its button says (C5). The last four are
# about the lead itself (`release.about_lead` of the playbook).
_REASONS = (
    ("no time", N_("No time for it")),
    ("another language", N_("They speak another language")),
    ("another field", N_("Not my field")),
    ("wrong number", N_("Wrong number")),
    ("duplicate", N_("Duplicate")),
    ("out of territory", N_("Outside my territory")),
    ("not a lead", N_("Not a lead")),
)


@dataclass(frozen=True)
class Row:
    """A lead in a list: what it is called, until when something is due, and where it opens."""

    lead_id: str
    company: str
    about: str
    due: str
    href: str
    outcomes: tuple[tuple[str, str], ...] = ()
    tap: str = ""
    tone: str = "plain"
    heat: str = ""
    left: int | None = None


@lru_cache(maxsize=1)
def site() -> Site:
    """Build, on first use, what all pages share."""
    return build_site(_TEMPLATES, look, embeds=True)


def home(
    rep: Rep,
    playbook: Playbook,
    offers: Sequence[OpenOffer],
    held: Sequence[tuple[Lead, tuple[str, ...]]],
    now: datetime,
    *,
    declined: Collection[str] = (),
    dropped: bool = False,
) -> Response:
    """The rep's page: duty, open offers with their claim links, leads in hand.

    `declined` are the ids of offers the rep said no to, which stand behind the others. `dropped`: a
    tap came without a session.
    """
    longest = playbook.availability.pause_ends_after_minutes
    paused = rep.paused_until is not None and rep.paused_until > now
    return made(
        200,
        "home.html",
        rep.language,
        name=rep.name,
        dropped=pages.dropped_sentence(rep.language) if dropped else "",
        paused=paused,
        until=local_time(rep.paused_until, rep, now) if paused and rep.paused_until else "",
        reasons=[refusal_sentence(one, rep.language) for one in off(rep, playbook, now)],
        pauses=[minutes for minutes in _PAUSES if minutes <= longest],
        offers=[_offer(one, rep, now) for one in offers if one.lead.lead_id not in declined],
        declined=[_offer(one, rep, now) for one in offers if one.lead.lead_id in declined],
        held=[_held(lead, outcomes, rep, now) for lead, outcomes in held],
        here=HOME,
    )


def _offer(offer: OpenOffer, rep: Rep, now: datetime) -> Row:
    lead, preview = offer.lead, offer.lead.shown
    _ = translator(rep.language)
    refused = isinstance(offer.verdict, Refused)
    about = (preview.contact_title, preview.company_size, preview.source)
    return Row(
        lead.lead_id,
        shown_company(lead, rep.language),
        ", ".join(part for part in about if part),
        " ".join(refusal_sentence(one, rep.language) for one in offer.verdict.refusals)
        if isinstance(offer.verdict, Refused)
        else "",
        "" if refused else f"/c/{offer.token}",
        tone="blind" if lead.blind else lead.quality.value,
        heat=_heat(lead, _),
        left=max(0, round((lead.closes_at - now).total_seconds())),
    )


def _heat(lead: Lead, _: Translator) -> str:
    """Return what is said of a lead's warmth, with the score where there is one."""
    if lead.blind:
        return ""
    return heat(lead.quality, lead.shown.score, _)


def _held(lead: Lead, outcomes: tuple[str, ...], rep: Rep, now: datetime) -> Row:
    return Row(
        lead.lead_id,
        named(lead.preview.company, rep.language),
        "",
        deadline(lead, rep, now),
        f"/leads/{lead.lead_id}",
        _labels(outcomes, rep),
        _tap(lead, now),
    )


def lead(
    found: InHand,
    outcomes: tuple[str, ...],
    further: tuple[str, ...],
    currency: str,
    now: datetime,
    *,
    dropped: bool = False,
) -> Response:
    """A lead in hand: contact, deadline, what came of it, what was done.

    Of a lost one nobody is to be called. `further` are outcomes that ask for more than a tap, a
    deal's amount in `currency`. `dropped`: a tap came without a session.
    """
    rep, card, held = found.rep, found.card, found.lead
    lost = held.state is State.LOST
    return made(
        200,
        "lead.html",
        rep.language,
        card=card,
        posts=card.merged,
        dial="" if lost else dialable(card),
        write_to="" if lost else writable(card),
        closed=closed_sentence(held.state, rep.language),
        dropped=pages.dropped_sentence(rep.language) if dropped else "",
        due=deadline(held, rep, now),
        row=Row(held.lead_id, card.company, "", "", "", _labels(outcomes, rep), _tap(held, now)),
        further=further,
        currency=currency,
        step="1" if digits_of(currency) == 0 else f"0.{'1'.zfill(digits_of(currency))}",
        reasons=_reasons(rep) if held.state in HELD else (),
        longest=LONGEST_REASON,
        longest_question=LONGEST_TEXT,
        came=local_time(found.came.claimed_at, rep, now),
        claimed=found.came.competitive,
        reason="" if found.given is None else found.given.note,
        done=[
            (local_time(one.at, rep, now), _done(one, rep.language)) for one in reversed(found.done)
        ],
    )


def me(rep: Rep, card: Mapping[str, Any], now: datetime) -> Response:
    """My own card: what I have used up, points and badges."""
    turn = (card["priority"] or {}).get("today")
    back_at = card["available_at"]
    quiet = card["quiet_until"]
    return made(
        200,
        "me.html",
        rep.language,
        ahead=[
            {"name": one["name"], "have": f"{one['have']:g}", "at_least": f"{one['at_least']:g}"}
            for one in card["next_badges"][:_BADGES_AHEAD]
        ],
        quiet=local_time(quiet, rep, now) if quiet else "",
        quiets=_QUIETS,
        today=str(rep.today(now)),
        languages=[(tag, LANGUAGE_NAMES.get(tag, tag)) for tag in languages()],
        own_language=translator(rep.language).language,
        card=card,
        back_at=local_time(back_at, rep, now) if back_at else "",
        turn="–".join(local_time(turn[end], rep, now) for end in ("from", "until")) if turn else "",
        here=ME,
    )


def problem(error: DibsError, back: str = "", language: str = ENGLISH) -> Response:
    """What did not work, or why a lead went, and the way on.

    `back` is the lead's page, where that is another page and has something to show.
    """
    back = "" if isinstance(error, LeadNotFound) else back
    gone = isinstance(error, NoLongerYours)
    status = STATUS[type(error)]
    said = not_done(error, language)
    return made(status, "lead_message.html", language, said=said, gone=gone, back=back)


def _done(one: Entry, language: str) -> str:
    """Return what was done, with its amount where it has one."""
    said = done_label(one.kind, language)
    if one.amount is None or not one.currency:
        return said
    digits = digits_of(one.currency)
    return f"{said} {one.amount / 10**digits:,.{digits}f} {one.currency}"


def _labels(outcomes: tuple[str, ...], rep: Rep) -> tuple[tuple[str, str], ...]:
    _ = translator(rep.language)
    return tuple((outcome, _(OUTCOME_LABELS[outcome])) for outcome in outcomes)


def _reasons(rep: Rep) -> tuple[tuple[str, str], ...]:
    _ = translator(rep.language)
    return tuple((reason, _(label)) for reason, label in _REASONS)


def _tap(lead: Lead, now: datetime) -> str:
    """Return the id that makes a tap on this very page count once."""
    return f"{lead.epoch}-{to_ms(now)}"


def made(status: int, template: str, language: str, **values: Any) -> Response:
    """Return a page; `here` is the tab it belongs to."""
    return pages.made(site(), status, template, language, **values)
