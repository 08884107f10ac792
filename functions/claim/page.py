"""The claim page (U1): one HTML answer with its style and script inside, in the rep's language.

Each function takes values and returns a whole `Page`. There is one rendering path: the plain
form's answer, and what the script fetches and swaps in, are these same pages. Addresses are
relative to `/c/<token>`; `posted` says that the page answers a POST, which a browser without
JavaScript shows one step deeper, at `/c/<token>/claim`. The script asks for the `part` of a page
that changes: a phone on a bad network loads style and script once, with the page itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dibs.core.errors import Refusal
from dibs.core.lead import Contact, Preview
from dibs.core.quality import Quality
from dibs.rules.rules import SHIPPED_LOOK, Look
from dibs.screens.site import Site, clock, site
from dibs.web.contact import dialable, writable
from dibs.web.translations import (
    OUTCOME_LABELS,
    in_words,
    named,
    refusal_sentence,
    translator,
)

_TEMPLATES = Path(__file__).parent / "templates"
_RETRY_AFTER_SECONDS = 1
# The latest ones; the app's answer has more.
_POSTS_SHOWN = 5


@dataclass(frozen=True)
class Page:
    """A whole HTTP answer but for its encoding; `look` is the organisation's (U9)."""

    status: int
    render: Callable[..., str]
    more: Mapping[str, str]
    look: Look = SHIPPED_LOOK

    def dressed(self, look: Look) -> Page:
        """Return this page in an organisation's name and colours."""
        return replace(self, look=look)

    @property
    def headers(self) -> dict[str, str]:
        """What goes with every page, and what this one has besides."""
        return {**_site().headers(self.look), **self.more}

    @cached_property
    def html(self) -> str:
        """The page."""
        return self.render(look=self.look, part=False)

    @cached_property
    def part(self) -> str:
        """What our script swaps in: the page without the style, script and labels it has."""
        return self.render(look=self.look, part=True)


def open_page(
    *,
    token: str,
    preview: Preview,
    quality: Quality | None,
    closes_at: datetime,
    now: datetime,
    refusals: tuple[Refusal, ...] = (),
    lifts_at: datetime | None = None,
    language: str,
    test: bool = False,
    opens_at: datetime | None = None,
    exclusive_until: datetime | None = None,
    commitment: str = "",
) -> Page:
    """The lead is up for grabs; where rules refuse this rep, their sentences and no button.

    Where a claim goes into a draw, `commitment` is that of its seed (C10). `opens_at` is what the
    clock's ring is drawn against; without it the ring starts full. The time shown ends when others
    may claim as well (`exclusive_until`); then the rest is shown (C13). Without a `quality` it is
    a blind lead (F4), whose preview says nothing.
    """
    ends_at = exclusive_until or closes_at
    left = _seconds(ends_at - now)
    if quality is not None:
        preview = replace(preview, company=named(preview.company, language))
    return _page(
        "open.html",
        language,
        token=token,
        title=preview.company,
        tone=quality or "blind",
        state="refused" if refusals else "open",
        preview=preview,
        score=preview.score,
        left=left,
        rest=_seconds(closes_at - now) if exclusive_until else 0,
        whole=max(left, _seconds(ends_at - opens_at) if opens_at else left, 1),
        test=test,
        commitment=commitment,
        closes_first=lifts_at is not None and lifts_at >= closes_at,
        **_reasons(refusals, lifts_at, now, language),
    )


def won_page(
    *,
    token: str,
    card: Contact,
    claimed_at: datetime,
    claim_ms: int,
    now: datetime,
    undo_until: datetime | None = None,
    language: str,
    posted: bool = False,
    claimed: bool = True,
    due: str = "",
    outcomes: Sequence[str] = (),
    tap: str = "",
    told: str = "",
    closed: str = "",
    lost: bool = False,
) -> Page:
    """The lead is this rep's: everything about it, consent and do-not-call first (C3, C8).

    `due` says by when to make contact. `outcomes` are the words that may be reported, each a tap
    that counts once under the id `tap`; `told` is the one just reported. `closed` says how the lead
    has ended; where it is `lost`, nobody is to be called.
    """
    undo_left = _seconds(undo_until - now) if undo_until else 0
    return _page(
        "won.html",
        language,
        title=card.company,
        tone="won",
        state="won",
        path="" if posted else f"{token}/",
        card=card,
        score=card.score,
        posts=card.merged[-_POSTS_SHOWN:],
        phone=card.contact_phone,
        dial="" if lost else dialable(card),
        write_to="" if lost else writable(card),
        claimed_in=_duration(claim_ms, language),
        claimed_ago=_long_ago(now - claimed_at, language),
        undo_left=undo_left,
        claimed=claimed,
        due=due,
        **_taps(outcomes, tap, told, token, posted, language, closed),
    )


def won_but_hidden_page(
    *,
    company: str,
    language: str,
    token: str = "",
    posted: bool = False,
    due: str = "",
    outcomes: Sequence[str] = (),
    tap: str = "",
    told: str = "",
    closed: str = "",
    lost: bool = False,
) -> Page:
    """The link's holder won, too long ago for a link alone to show a customer's details.

    They sign in to see them, and come back here.
    """
    del lost  # there is nobody to call here
    taps = _taps(outcomes, tap, told, token, posted, language, closed)
    sign_in = f"{_root(posted)}sign-in?to=/c/{quote(token, safe='')}"
    return _message(
        200, "won_hidden", language, tone="won", company=company, due=due, sign_in=sign_in, **taps
    )


def _root(posted: bool) -> str:
    """Return where our other pages are, as seen from this one."""
    return "../../" if posted else "../"


def _taps(
    outcomes: Sequence[str],
    tap: str,
    told: str,
    token: str,
    posted: bool,
    language: str,
    closed: str,
) -> dict[str, Any]:
    """Return what the row of outcomes needs: where it is sent, its buttons, what was just said.

    A lead that has ended has no buttons; `closed` says so instead.
    """
    _ = translator(language)
    return {
        "home": _root(posted),
        "tell": "outcome" if posted else f"{token}/outcome",
        "outcomes": [(outcome, _(OUTCOME_LABELS[outcome])) for outcome in outcomes],
        "tap": tap,
        "closed": closed,
        "told": _(OUTCOME_LABELS[told]) if told in OUTCOME_LABELS else told,
    }


def drawing_page(*, drawn_in: timedelta, commitment: str, language: str) -> Page:
    """The rep is in the draw: when it is made, and what its seed is committed to by (C10)."""
    return _message(
        202,
        "in_draw",
        language,
        tone="warm",
        wait=_seconds(drawn_in),
        commitment=commitment,
    )


def lost_page(
    *, winner: str | None, ms_ago: int, open_leads: int, language: str, drawn: bool = False
) -> Page:
    """Somebody else won: who (unless boards are anonymous), how long ago, what is left (C3)."""
    return _message(
        409,
        "lost",
        language,
        winner=winner,
        disc=_initials(winner) if winner else "",
        ago=_duration(ms_ago, language),
        open_leads=open_leads,
        drawn=drawn,
    )


def refused_page(
    *,
    refusals: tuple[Refusal, ...],
    lifts_at: datetime | None,
    now: datetime,
    language: str,
) -> Page:
    """A claim that rules refused while the lead is still open."""
    reasons = _reasons(refusals, lifts_at, now, language)
    return _message(403, "refused", language, state="refused", **reasons)


def expired_page(language: str) -> Page:
    """The window closed before anybody claimed."""
    return _message(410, "expired", language, disc="0:00")


def over_page(language: str) -> Page:
    """The link belongs to an earlier opening of the lead."""
    return _message(410, "over", language)


def went_page(sentence: str, language: str, *, posted: bool = False) -> Page:
    """The lead was this rep's, and went: the sentence says when and why."""
    return _message(410, "went", language, sentence=sentence, home=_root(posted))


def not_recorded_page(status: int, problem: str, token: str, language: str) -> Page:
    """What was tapped was not recorded, and why."""
    return _message(status, "not_recorded", language, problem=problem, back=f"../{token}")


def not_found_page(language: str) -> Page:
    """No such lead, or not for whoever holds this link."""
    return _message(404, "not_found", language)


def busy_page(token: str, language: str, *, posted: bool = False) -> Page:
    """Too many requests at this instant: offers the claim, or the look, again.

    Trying again is harmless; the script does it by itself.
    """
    page = _message(
        503,
        "busy",
        language,
        tone="warm",
        posted=posted,
        action="claim" if posted else token,
    )
    return replace(page, more={"retry-after": str(_RETRY_AFTER_SECONDS)})


def undone_page(language: str) -> Page:
    """The claim was taken back in time."""
    return _message(200, "undone", language)


def undo_over_page(token: str, language: str, *, posted: bool = False) -> Page:
    """Too late to take the claim back; the lead is still the rep's."""
    back = f"../{token}" if posted else token
    return _message(409, "undo_over", language, tone="won", back=back)


@lru_cache(maxsize=1)
def _site() -> Site:
    """Build, on first use, what all pages share."""
    sheets, scripts = ("tokens.css", "page.css"), ("page.js",)
    built = site(_TEMPLATES, sheets=sheets, scripts=scripts, embeds=True)
    kwargs = {"ensure_ascii": False, "separators": (",", ":")}
    built.environment.policies["json.dumps_kwargs"] = kwargs
    return built


def _page(template: str, language: str, *, status: int = 200, **values: Any) -> Page:
    here = _site()
    texts = translator(language)
    render = partial(
        here.render,
        template,
        _=texts,
        ngettext=texts.ngettext,
        lang=texts.language,
        clock=clock,
        labels=_labels(language),
        **values,
    )
    return Page(status, render, {})


def _message(status: int, kind: str, language: str, **values: Any) -> Page:
    """Render a page that says how it stands, with nothing left to do but read."""
    defaults = {"tone": "gone", "state": kind, "disc": "", "action": "", "back": ""}
    return _page("message.html", language, status=status, **(defaults | {"kind": kind} | values))


def _labels(language: str) -> dict[str, str]:
    """Return what the script says by itself."""
    _ = translator(language)
    return {
        "sending": _("Claiming…"),
        "recording": _("Recording…"),
        "offline": _("No connection – trying again…"),
        "busy": _("Very busy – trying again…"),
        "gone": _("This lead has just gone."),
        "minute": _("One minute left."),
    }


def _reasons(
    refusals: tuple[Refusal, ...], lifts_at: datetime | None, now: datetime, language: str
) -> dict[str, Any]:
    wait = _seconds(lifts_at - now) if lifts_at else 0
    return {
        "reasons": [refusal_sentence(refusal, language) for refusal in refusals],
        "wait": wait,
        "wait_words": in_words(timedelta(seconds=wait), language),
    }


def _seconds(span: timedelta) -> int:
    """Return a span's whole seconds, rounded up, never below nought."""
    return max(0, math.ceil(span.total_seconds()))


def _duration(ms: int, language: str) -> str:
    """Return a short time to a tenth of a second, a longer one in words."""
    if ms < 60_000:
        return f"{max(ms, 100) / 1000:.1f} s"
    return in_words(timedelta(milliseconds=ms), language)


def _long_ago(span: timedelta, language: str) -> str:
    """Return how long ago in words, nothing when it was just now."""
    return in_words(span, language) if span >= timedelta(minutes=1) else ""


def _initials(name: str) -> str:
    """Return at most two letters that stand for a name."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
