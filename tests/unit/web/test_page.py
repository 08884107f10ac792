"""The claim page: small, closed to the network, safe against hostile text, and in two languages."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from claim import page as pages
from claim.page import Page
from dibs.core.errors import Refusal
from dibs.core.lead import Contact, Preview
from dibs.core.quality import Quality
from dibs.web.translations import OUTCOME_LABELS

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
TOKEN = "0aB3dE5gH7jK9mN1pQ3sT5"
HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>' {{ 7 * 7 }} & Co"
PREVIEW = Preview("Straits Freight", "51-200", "Head of Operations", "Google Ads", 91)
CARD = Contact(
    lead_id="abcdefghijkl",
    source="Google Ads",
    external_id="x-1",
    company="Straits Freight",
    company_size="51-200",
    contact_name="Siti Nur Rahman",
    contact_title="Head of Operations",
    contact_email="siti.rahman@straits.example",
    contact_phone="+60123456789",
    score=91,
    territory="Klang Valley",
    segment="new business",
    product="Fleet tracking",
    team="east",
    needs=("live tracking", "fuel cards"),
    language="ms",
    consent="Web form, 3 May: phone and e-mail",
)
LIFTS = NOW + timedelta(hours=3, minutes=20)
REFUSALS = (
    Refusal(
        "daily_limit",
        LIFTS,
        "You have reached your limit for today (10). "
        "The count starts again at midnight in your time zone.",
    ),
    Refusal("paused", LIFTS, "You are paused. Switch yourself on to claim."),
)


def opened(language: str = "en", **changes: object) -> Page:
    values: dict[str, object] = {
        "token": TOKEN,
        "preview": PREVIEW,
        "quality": Quality.HOT,
        "opens_at": NOW - timedelta(minutes=3),
        "closes_at": NOW + timedelta(minutes=12),
        "now": NOW,
        "language": language,
    }
    return pages.open_page(**(values | changes))  # type: ignore[arg-type]


def won(language: str = "en", card: Contact = CARD, **changes: object) -> Page:
    values: dict[str, object] = {
        "token": TOKEN,
        "card": card,
        "claimed_at": NOW,
        "claim_ms": 3240,
        "now": NOW,
        "undo_until": NOW + timedelta(seconds=30),
        "language": language,
    }
    return pages.won_page(**(values | changes))  # type: ignore[arg-type]


def refused(language: str) -> Page:
    return pages.refused_page(refusals=REFUSALS, lifts_at=LIFTS, now=NOW, language=language)


def lost(language: str = "en", winner: str | None = "Aina", **changes: int) -> Page:
    values = {"ms_ago": 840, "open_leads": 7} | changes
    return pages.lost_page(winner=winner, language=language, **values)


SEAL = "5e" * 32


def drawing(language: str = "en", seconds: float = 3.2) -> Page:
    return pages.drawing_page(
        drawn_in=timedelta(seconds=seconds), commitment=SEAL, language=language
    )


EVERY: dict[str, Callable[[str], Page]] = {
    "open": opened,
    "open, refused": lambda ln: opened(ln, refusals=REFUSALS, lifts_at=LIFTS, test=True),
    "won": won,
    "won, do not call": lambda ln: won(ln, replace(CARD, do_not_call=True, consent="", test=True)),
    "won, unusable": lambda ln: won(
        ln, replace(CARD, contact_phone="12", flags=("phone_unusable", "email_unusable"))
    ),
    "won, hidden": lambda ln: pages.won_but_hidden_page(company="Straits Freight", language=ln),
    "won, to be worked": lambda ln: won(ln, due="09:06", outcomes=tuple(OUTCOME_LABELS), tap="1-1"),
    "won, hidden, told": lambda ln: pages.won_but_hidden_page(
        company="Straits Freight",
        language=ln,
        token=TOKEN,
        outcomes=["called"],
        told="no answer",
    ),
    "lost by its holder": lambda ln: won(ln, closed="7", lost=True, told="reached"),
    "won by its holder": lambda ln: won(ln, closed="7"),
    "went": lambda ln: pages.went_page("10:06: 60", ln),
    "not recorded": lambda ln: pages.not_recorded_page(409, "409", TOKEN, ln),
    "lost": lost,
    "lost, anonymous": lambda ln: lost(ln, None, open_leads=0),
    "refused": refused,
    "expired": pages.expired_page,
    "over": pages.over_page,
    "not found": pages.not_found_page,
    "busy": lambda ln: pages.busy_page(TOKEN, ln),
    "open, drawn": lambda ln: opened(ln, commitment=SEAL),
    "in the draw": drawing,
    "lost, drawn": lambda ln: pages.lost_page(
        winner="Aina", ms_ago=840, open_leads=7, drawn=True, language=ln
    ),
    "lost, drawn, anonymous": lambda ln: pages.lost_page(
        winner=None, ms_ago=840, open_leads=7, drawn=True, language=ln
    ),
    "undone": pages.undone_page,
    "undo over": lambda ln: pages.undo_over_page(TOKEN, ln),
}


@pytest.fixture(params=EVERY)
def page(request: pytest.FixtureRequest) -> Page:
    return EVERY[request.param]("en")


class Reader(HTMLParser):
    """The tags of a page, what is written between them, and which ones stand inside noscript."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.in_noscript: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.raw: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(page.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if "noscript" in self._open:
            self.in_noscript.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("style", "script"):
            self.raw[self._open[-1]] = data
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def wire_bytes(page: Page) -> int:
    """Return an answer's size as sent, with what the gateway adds."""
    added = {"date": "Mon, 04 May 2026 09:30:00 GMT", "content-length": "12345"}
    added |= {"connection": "keep-alive", "apigw-requestid": "JKJaXmPLvHcESHA="}
    head = "".join(f"{name}: {value}\r\n" for name, value in (page.headers | added).items())
    return len(f"HTTP/1.1 {page.status} Internal Server Error\r\n{head}\r\n{page.html}".encode())


@pytest.mark.parametrize("language", ["en", "ms"])
@pytest.mark.parametrize("name", EVERY)
def test_first_load_fits_the_first_packets(name: str, language: str) -> None:
    assert wire_bytes(EVERY[name](language)) <= 14 * 1024


@pytest.mark.parametrize("language", ["en", "ms"])
@pytest.mark.parametrize("name", EVERY)
def test_what_the_script_swaps_in_is_the_same_without_what_it_has(name: str, language: str) -> None:
    page = EVERY[name](language)
    for has in ("<style>", "<script>", "data-labels", 'id="say"'):
        assert has not in page.part
    shared, labels = re.compile("<html.*?>|<title>.*?</title>|<main.*", re.S), " data-labels='.*?'"
    assert shared.findall(page.part) == shared.findall(re.sub(labels, "", page.html))


def test_a_lost_race_is_a_few_hundred_bytes() -> None:
    part = EVERY["lost"]("en").part
    assert len(gzip.compress(part.encode())) < 700


@pytest.mark.parametrize("language", ["en", "ms"])
def test_long_texts_fit_too(language: str) -> None:
    long = ("Perbadanan Logistik " * 10)[:200]
    page = opened(
        language, preview=Preview(long, long, long, long[:64]), refusals=REFUSALS, lifts_at=LIFTS
    )
    assert wire_bytes(page) <= 14 * 1024
    assert wire_bytes(opened(language, preview=Preview(long, long, long, long[:64]))) <= 14 * 1024


def test_headers_close_the_page(page: Page) -> None:
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["x-robots-tag"] == "noindex"
    assert "permissions-policy" in page.headers


def test_policy_allows_the_pages_own_style_and_script_and_nothing_else(page: Page) -> None:
    policy = dict(
        part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";")
    )
    reader = Reader(page)
    assert policy.pop("default-src") == policy.pop("base-uri") == "'none'"
    assert policy.pop("frame-ancestors") == "'none'"
    assert policy.pop("connect-src") == policy.pop("form-action") == "'self'"
    assert policy.pop("img-src") == "data:"
    for kind in ("style", "script"):
        digest = hashlib.sha256(reader.raw[kind].encode()).digest()
        assert policy.pop(f"{kind}-src") == f"'sha256-{base64.b64encode(digest).decode()}'"
        assert len(reader.all(kind)) == 1
    assert not policy
    for _, attrs in reader.tags:
        assert "style" not in attrs
        assert not [name for name in attrs if name.startswith("on")]


def test_nothing_is_fetched_from_elsewhere(page: Page) -> None:
    assert not re.search(r"https?:|//[a-z]|@import|url\(", page.html)
    for tag, attrs in Reader(page).tags:
        assert "src" not in attrs, tag
        if tag == "link":
            assert attrs["href"] == "data:,"  # or the browser would ask for a favicon


def test_every_address_is_relative() -> None:
    for make in EVERY.values():
        for tag, attrs in Reader(make("en")).tags:
            target = attrs.get("action") or (attrs.get("href") if tag == "a" else None)
            if target and not target.startswith(("tel:", "mailto:")):
                assert not target.startswith("/")
                assert target.split("/")[0] in (TOKEN, "..")


@pytest.mark.parametrize(
    ("make", "status"),
    [
        (opened, 200),
        (won, 200),
        (lost, 409),
        (refused, 403),
        (pages.expired_page, 410),
        (pages.over_page, 410),
        (pages.not_found_page, 404),
        (lambda ln: pages.busy_page(TOKEN, ln), 503),
        (pages.undone_page, 200),
        (lambda ln: pages.undo_over_page(TOKEN, ln), 409),
    ],
)
def test_statuses(make: Callable[[str], Page], status: int) -> None:
    page = make("en")
    assert page.status == status
    assert ("retry-after" in page.headers) == (status == 503)


def test_hostile_text_stays_text() -> None:
    names = "company company_size contact_name contact_title contact_email contact_phone source"
    names += " territory segment product consent language"
    fields: dict[str, Any] = dict.fromkeys(names.split(), HOSTILE)
    card = replace(CARD, needs=(HOSTILE,), **fields)
    for page in (
        opened(preview=Preview(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1)),
        opened(
            preview=Preview(HOSTILE), refusals=(Refusal("other", None, HOSTILE),), lifts_at=None
        ),
        won(card=card),
        lost(winner=HOSTILE),
        pages.won_but_hidden_page(company=HOSTILE, language="en"),
    ):
        reader = Reader(page)
        assert len(reader.all("script")) == 1
        assert not reader.all("img")
        assert HOSTILE in reader.text
        assert "<script>alert" not in page.html
        assert "49" not in reader.text


def test_a_very_long_name_is_set_smaller() -> None:
    assert 'class="long"' in opened(preview=Preview("Perbadanan " * 20)).html
    assert 'class="mid"' in opened(preview=Preview("Perbadanan Logistik")).html


def test_before_the_claim_there_is_no_way_to_reach_anybody() -> None:
    reader = Reader(opened())
    assert not reader.all("a")
    for fact in ("Straits Freight", "51-200", "Head of Operations", "Google Ads", "91", "Hot lead"):
        assert fact in reader.text
    for secret in (CARD.contact_name, CARD.contact_email, CARD.contact_phone):
        assert secret not in opened().html


def test_unknown_events_leave_no_empty_rows() -> None:
    reader = Reader(opened(preview=Preview("Kopi & Co"), quality=Quality.COLD))
    assert not reader.all("dt")
    assert "Cold lead" in reader.text
    assert "None" not in reader.text


def test_without_javascript_a_box_to_tick_is_the_deliberate_gesture() -> None:
    reader = Reader(opened())
    (form,) = reader.all("form")
    assert form["method"] == "post"
    assert form["action"] == f"{TOKEN}/claim"
    (box,) = [attrs for tag, attrs in reader.in_noscript if tag == "input"]
    assert box["type"] == "checkbox"
    assert "required" in box
    # Outside noscript nothing is required: with the script, its sheet asks instead.
    assert len(reader.all("input")) == 1
    (button,) = [b for b in reader.all("button") if b.get("class") == "disc"]
    assert button.get("type", "submit") == "submit"
    assert "disabled" not in button


def test_the_time_left_is_shown_and_drawn() -> None:
    page = opened()
    assert 'stroke-dasharray="80.0 100"' in page.html
    assert "12:00" in Reader(page).text
    assert "2:05:07" in Reader(opened(closes_at=NOW + timedelta(seconds=7507))).text
    over = opened(closes_at=NOW - timedelta(seconds=2))
    assert 'data-left="0"' in over.html
    assert 'stroke-dasharray="100.0 100"' in opened(opens_at=None).html


def test_a_refused_rep_reads_why_and_until_when_and_cannot_press() -> None:
    page = opened(refusals=REFUSALS, lifts_at=LIFTS)
    reader = Reader(page)
    for sentence in (
        REFUSALS[0].how,
        REFUSALS[1].how,
        "3 hours 20 minutes",
        "This lead closes before that.",
    ):
        assert sentence in reader.text
    assert ["disabled" in button for button in reader.all("button")] == [True]
    assert not reader.all("dialog")
    assert not reader.in_noscript
    assert 'data-state="refused"' in page.html

    soon = opened(
        refusals=(Refusal("paused", NOW + timedelta(seconds=90), REFUSALS[1].how),),
        lifts_at=NOW + timedelta(seconds=90),
    )
    assert "1:30" in Reader(soon).text
    assert "This lead closes before that." not in Reader(soon).text

    never = opened(refusals=(Refusal("not_routed", None, "This lead goes to other teams."),))
    assert "You can claim in" not in Reader(never).text


def test_the_winner_can_call_and_write() -> None:
    page = won(card=replace(CARD, contact_phone="+60 12-345 6789"))
    links = [a["href"] for a in Reader(page).all("a")]
    assert links == ["tel:+60123456789", "mailto:siti.rahman@straits.example"]
    text = Reader(page).text
    for fact in ("Siti Nur Rahman", "3.2 s", "fuel cards", "Klang Valley", "+60 12-345 6789"):
        assert fact in text


def test_consent_and_do_not_call_come_before_contact() -> None:
    page = won()
    assert page.html.index(CARD.consent) < page.html.index("Siti Nur") < page.html.index("tel:")
    asked = won(card=replace(CARD, do_not_call=True, consent=""))
    assert "tel:" not in asked.html
    text = Reader(asked).text
    assert CARD.contact_phone in text
    assert text.index("Do not call.") < text.index("No consent on record.") < text.index("Siti Nur")


@pytest.mark.parametrize(
    ("phone", "flags"),
    [("12-34", ("phone_unusable",)), ("call me", ()), ("+60123456789;ext=1,2", ()), ("", ())],
)
def test_an_unusable_phone_is_shown_but_not_dialled(phone: str, flags: tuple[str, ...]) -> None:
    page = won(card=replace(CARD, contact_phone=phone, flags=flags))
    assert "tel:" not in page.html
    assert phone in Reader(page).text
    assert ("does not look right" in Reader(page).text) == bool(phone)


@pytest.mark.parametrize("email", ["a@b.example?bcc=x@y.example", "a&b=c@d.example", "x%0a@y.z"])
def test_an_address_cannot_add_to_the_mail(email: str) -> None:
    (link,) = [
        a["href"]
        for a in Reader(won(card=replace(CARD, contact_email=email))).all("a")
        if (a["href"] or "").startswith("mailto:")
    ] or [""]
    assert not re.search(r"[?&]|%0a", link or "")


def test_of_a_lead_that_is_lost_nobody_is_called() -> None:
    page = Reader(won(closed="This lead is closed: lost.", lost=True, undo_until=None))
    assert "This lead is closed: lost." in page.text
    assert CARD.contact_phone in page.text
    assert not page.all("form")
    assert not [a for a in page.all("a") if str(a["href"]).startswith(("tel:", "mailto:"))]


def test_undo_is_offered_while_it_lasts() -> None:
    (form,) = Reader(won()).all("form")
    assert (form["method"], form["action"], form["data-left"]) == ("post", f"{TOKEN}/undo", "30")
    # A browser without script shows the answer of the POST one step deeper.
    (form,) = Reader(won(posted=True)).all("form")
    assert form["action"] == "undo"
    assert not Reader(won(undo_until=None)).all("form")
    assert not Reader(won(now=NOW + timedelta(seconds=30))).all("form")


def test_times_are_relative() -> None:
    assert "ago" not in Reader(won()).text
    assert "5 minutes ago" in Reader(won(now=NOW + timedelta(minutes=5))).text
    assert "2 minutes" in Reader(won(claim_ms=120_000)).text
    assert "0.1 s" in Reader(won(claim_ms=0)).text
    assert "Claimed 0.8 s ago." in Reader(lost()).text
    assert "Claimed 2 hours ago." in Reader(lost(ms_ago=7_200_000)).text


def test_the_loser_reads_who_won_and_what_is_left() -> None:
    text = Reader(lost()).text
    assert "Aina was faster." in text
    assert "About 7 leads are still open" in text
    assert "About 1 lead is still open" in Reader(lost(open_leads=1)).text
    assert "Somebody was faster." in Reader(lost(winner=None, open_leads=0)).text
    assert "No other lead is open" in Reader(lost(open_leads=0)).text


def test_an_old_link_tells_the_winner_to_sign_in_and_nothing_more() -> None:
    for posted, root in ((False, "../"), (True, "../../")):
        page = pages.won_but_hidden_page(
            company="Straits Freight", language="en", token=TOKEN, posted=posted
        )
        assert page.status == 200
        assert "You won this lead." in Reader(page).text
        [link] = Reader(page).all("a")
        assert link["href"] == f"{root}sign-in?to=/c/{TOKEN}"


def test_busy_offers_what_was_asked_again_and_a_look_never_becomes_a_claim() -> None:
    (form,) = Reader(pages.busy_page(TOKEN, "en")).all("form")
    assert (form.get("method", "get"), form["action"]) == ("get", TOKEN)
    (form,) = Reader(pages.busy_page(TOKEN, "en", posted=True)).all("form")
    assert (form["method"], form["action"]) == ("post", "claim")
    assert not Reader(pages.busy_page(TOKEN, "en", posted=True)).all("input")


def test_too_late_to_undo_leads_back_to_the_lead() -> None:
    (link,) = Reader(pages.undo_over_page(TOKEN, "en")).all("a")
    assert link["href"] == TOKEN
    (link,) = Reader(pages.undo_over_page(TOKEN, "en", posted=True)).all("a")
    assert link["href"] == f"../{TOKEN}"


@pytest.mark.parametrize("name", EVERY)
def test_malay_has_no_english_left(name: str) -> None:
    english, malay = Reader(EVERY[name]("en")), Reader(EVERY[name]("ms"))
    assert malay.all("html")[0]["lang"] == "ms"
    facts = {*vars(CARD).values(), *CARD.needs, *vars(PREVIEW).values(), "Dibs", "dibs", "Aina"}
    lines = {line.strip() for line in english.text.splitlines()} & {
        line.strip() for line in malay.text.splitlines()
    }
    left = (
        {line for line in lines if re.search("[A-Za-z]{2}", line)}
        - facts
        - {"live tracking, fuel cards"}
    )
    assert not left


def test_the_script_is_given_its_sentences_in_the_reps_language() -> None:
    (main,) = Reader(opened("ms")).all("main")
    labels = json.loads(main["data-labels"] or "")
    assert labels["offline"] == "Tiada sambungan – mencuba lagi…"


def test_an_unknown_language_is_english() -> None:
    assert Reader(opened("tlh")).all("html")[0]["lang"] == "en"
    assert "CLAIM" in Reader(opened("tlh")).text


def test_a_screen_reader_is_told_what_is_what() -> None:
    reader = Reader(opened())
    assert {"role": "status", "id": "say"} in reader.all("p")
    assert any(attrs.get("role") == "timer" for attrs in reader.all("p"))
    (dialog,) = reader.all("dialog")
    assert dialog["aria-labelledby"] in {attrs.get("id") for attrs in reader.all("h2")}
    for make in EVERY.values():
        (heading,) = Reader(make("en")).all("h1")
        assert heading["tabindex"] == "-1"  # focus moves to it when the page changes


def test_who_is_in_the_draw_sees_when_it_is_made_and_its_seal() -> None:
    page = drawing()
    assert page.status == 202
    text = Reader(page).text
    assert "You are in the draw." in text
    assert "0:04" in text
    assert SEAL in text
    assert 'data-end="look"' in page.html  # then it looks how it ended, and again until it has
    assert "0:00" in Reader(drawing(seconds=-7)).text


def test_a_lead_that_will_be_drawn_says_so_before_the_claim_and_any_other_does_not() -> None:
    drawn, raced = Reader(opened(commitment=SEAL)).text, Reader(opened()).text
    assert "is in the draw for it" in drawn
    assert SEAL in drawn
    assert "The first to say yes" not in drawn
    assert "The first to say yes" in raced
    assert "draw" not in raced


def test_who_was_not_drawn_was_not_too_slow() -> None:
    text = Reader(EVERY["lost, drawn"]("en")).text
    assert "Aina was drawn." in text
    assert "faster" not in text
    assert "Another rep was drawn." in Reader(EVERY["lost, drawn, anonymous"]("en")).text


def test_the_page_goes_on_looking_while_the_race_or_the_draw_is_on() -> None:
    watched = re.search(r"!/(\S+?)/\.test\(state\)", Reader(opened()).raw["script"])
    assert watched is not None
    shown = {name: re.search('data-state="([a-z_]+)"', EVERY[name]("en").html) for name in EVERY}
    states = {found[1] for found in shown.values() if found}
    on = {state for state in states if re.search(watched[1], state)}
    assert on == {"open", "refused", "busy", "in_draw"}


def test_the_clock_shows_the_time_until_others_may_claim_and_then_the_rest() -> None:
    page = opened(exclusive_until=NOW + timedelta(minutes=2)).html
    assert page.count('data-left="120" data-then="720"') == 2
    assert ">2:00<" in page
    assert "data-then" not in opened().html


def test_a_refusal_that_lifts_within_the_window_does_not_close_first() -> None:
    lifts = {"refusals": REFUSALS, "lifts_at": NOW + timedelta(minutes=5)}
    page = opened(exclusive_until=NOW + timedelta(minutes=2), **lifts).html
    assert "closes before that" not in page
