"""Texts of offers and answers say enough to decide, and never what may not be shown (N2, N5)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dibs.core.errors import (
    AlreadyClaimed,
    Busy,
    ClaimRefused,
    DibsError,
    Expired,
    LeadNotFound,
    Refusal,
    Withdrawn,
)
from dibs.core.lead import Claim, Lead, Preview, State
from dibs.core.rep import Rep
from dibs.offers.meaning import meaning
from dibs.offers.reply import Answer
from dibs.offers.texts import (
    alert,
    answer_sms,
    cap_sms,
    gsm_length,
    holder_sms,
    offer_sms,
    parts,
    plain_letters,
)
from dibs.race.claim import InDraw, Won
from support.builders import NOON, a_card, a_lead, a_rep

CODE = "7K2P"
URL = "https://dibs.your-firm.com/c/0Ab1Cd2Ef3Gh4Ij5Kl6Mn9"
CODE_LIKE = re.compile(r"\b(?=[A-Z2-9]*[2-9])[A-Z2-9]{4,6}\b")
ENGLISH, MALAY = a_rep(), a_rep(language="ms")


def sms(
    company: str = "Acme Sdn Bhd",
    title: str = "Head of Operations",
    rep: Rep = ENGLISH,
    **more: object,
) -> str:
    preview = replace(
        Preview(company, "51-200", title, "google-ads", 86),
        **more,
    )
    return offer_sms(a_lead(preview=preview), rep, CODE, URL, NOON + timedelta(seconds=61))


def codes_in(text: str) -> list[str]:
    """Return every word outside the link that looks like a reply code."""
    assert text.count(URL) == 1
    return CODE_LIKE.findall(text.replace(URL, " "))


@pytest.mark.parametrize("rep", [ENGLISH, MALAY], ids=["English", "Malay"])
def test_an_offer_says_what_the_lead_is_how_long_is_left_and_how_to_claim(rep: Rep) -> None:
    text = sms(rep=rep)
    for part in ("Acme Sdn Bhd", "51-200", "Head of Operations", "google-ads", "86", "13:59"):
        assert part in text
    assert text.endswith(URL)
    assert codes_in(text) == [CODE]


def test_an_offer_is_in_the_reps_language() -> None:
    assert "Reply 7K2P or https://" in sms()
    assert "Balas 7K2P atau https://" in sms(rep=MALAY)


def test_a_link_as_long_as_ours_gets_is_what_these_tests_use() -> None:
    assert len(URL) == 51


@pytest.mark.parametrize("rep", [ENGLISH, MALAY], ids=["English", "Malay"])
@pytest.mark.parametrize(
    ("company", "title"),
    [
        ("Acme Sdn Bhd", "Head of Operations"),
        ("Perniagaan Hasil Bumi Sejahtera Sdn Bhd", "General Manager"),
        ("Schäfer & Söhne GmbH", "Geschäftsführer"),
        ("Kuching Industrial Machinery and Equipment Supplies (Sarawak) Sdn Bhd", "Director"),
        ("Acme", "Vice President, Regional Business Development and Strategic Partnerships"),
        ("A" * 200, "B" * 200),
        ("", ""),
    ],
)
def test_an_offer_fits_one_gsm_part_where_the_letters_allow(
    company: str, title: str, rep: Rep
) -> None:
    text = sms(company, title, rep)
    length = gsm_length(text)
    assert length is not None
    assert length <= 160
    assert codes_in(text) == [CODE]


def test_the_company_is_named_even_when_the_title_has_to_go() -> None:
    text = sms("Acme Sdn Bhd", "T" * 200)
    assert "Acme Sdn Bhd" in text
    assert "T" * 40 not in text


def test_an_unscored_lead_of_unknown_size_is_offered_without_gaps() -> None:
    text = sms(company_size="", score=None)
    assert "Acme Sdn Bhd, Head of Operations, google-ads. 13:59 left" in text


@pytest.mark.parametrize(
    ("seconds", "left"), [(0, "15:00"), (899, "0:01"), (900, "0:00"), (1000, "0:00")]
)
def test_the_time_left_counts_down_to_nought(seconds: int, left: str) -> None:
    text = offer_sms(a_lead(), ENGLISH, CODE, URL, NOON + timedelta(seconds=seconds))
    assert f"{left} left" in text


def test_a_window_of_hours_is_told_in_hours() -> None:
    lead = a_lead(closes_at=NOON + timedelta(hours=20, minutes=5))
    assert "20h 05m left" in offer_sms(lead, ENGLISH, CODE, URL, NOON)


@pytest.mark.parametrize(
    "company",
    [
        "Area 5199 Hotel",
        "ABC2 Holdings",
        "K9999",
        "22222",
        "7K2P",
        "B2B4U",
        "X2-AB23-99AA",
        "A 2345 6789 B",
        "AB23.CD45",
    ],
)
def test_no_word_of_a_company_can_be_taken_for_a_reply_code(company: str) -> None:
    assert codes_in(sms(company)) == [CODE]
    assert codes_in(sms(title=company)) == [CODE]
    assert codes_in(sms(company_size=company)) == [CODE]
    assert codes_in(sms(source=company)) == [CODE]


def test_a_long_word_is_not_cut_down_to_something_like_a_code() -> None:
    for length in range(1, 100):
        assert codes_in(sms(f"{'a' * length} QXZ23456789ABCDEFGH345 and more", "T" * 80)) == [CODE]


@pytest.mark.parametrize("word", ["STOP", "HELP"])
def test_no_offer_says_what_a_carrier_acts_on(word: str) -> None:
    text = sms(f"{word} Loss Sdn Bhd", f"Chief {word} Officer", source=word, company_size=word)
    assert not re.search(rf"\b{word}\b", text)
    assert f"{word.capitalize()} Loss" in text


def test_a_chinese_company_is_named_in_its_own_letters() -> None:
    text = sms("古晋工业机械有限公司", "总经理")
    assert "古晋工业机械有限公司" in text
    assert "总经理" in text
    assert codes_in(text) == [CODE]


def test_typographic_quotes_and_dashes_do_not_cost_a_second_part() -> None:
    text = sms("O’Brien – “Best” Foods…")
    assert gsm_length(text) is not None
    assert 'O\'Brien - "Best" Foods...' in text


# A source may send anything but control characters (intake refuses those).
hostile = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
    | st.sampled_from("AB29 STOPHELP{}%.,-"),
    max_size=60,
)


@given(hostile, hostile, hostile, hostile, st.sampled_from([ENGLISH, MALAY]))
@example("AB2 ", "", "", "", ENGLISH)
@example("{left}", "{company!r}", "%s", "{0.__class__}", ENGLISH)
def test_whatever_a_source_sends_an_offer_has_one_code_and_no_carrier_word(
    company: str, title: str, size: str, source: str, rep: Rep
) -> None:
    text = sms(company, title, rep, company_size=size, source=source)
    assert codes_in(text) == [CODE]
    assert not re.search(r"\b(STOP|HELP)\b", text)
    assert "{left}" not in text or "{left}" in company + title + size + source
    length = gsm_length(text)
    assert length is None or length <= 160 or len(company + title + size + source) > 60


def test_an_offer_never_says_how_to_reach_the_contact_or_who_it_is() -> None:
    # An offer is made from the preview alone, which has no field for any of these.
    card = a_card()
    texts = [sms(), " ".join(alert("offer", a_lead(), ENGLISH, NOON))]
    for what in HOLDER_KINDS:
        texts += [to_holder(what), " ".join(alert(what, HELD, ENGLISH, NOON))]
    for secret in (card.contact_phone, card.contact_email, card.contact_name, "Jane", "Tan"):
        assert all(secret not in text for text in texts)
    assert {"company", "company_size", "contact_title", "source", "score"} == set(
        Preview.__dataclass_fields__
    )


@pytest.mark.parametrize(("rep", "left"), [(ENGLISH, "15:00 left."), (MALAY, "Tinggal 15:00.")])
def test_an_alert_says_the_same_without_the_code(rep: Rep, left: str) -> None:
    title, body = alert("offer", a_lead(), rep, NOON)
    assert title == "Acme Sdn Bhd"
    assert "51-200, Head of Operations, google-ads" in body
    assert "86" in body
    assert body.endswith(left)
    assert not CODE_LIKE.search(body)


HOLDER_KINDS = ("assigned", "unworked")
HELD = a_lead(
    state=State.ASSIGNED, owner=ENGLISH.rep_id, return_at=NOON + timedelta(minutes=45, seconds=30)
)


def to_holder(what: str, lead: Lead = HELD, rep: Rep = ENGLISH) -> str:
    return holder_sms(what, lead, rep, URL, NOON)


def test_whoever_a_lead_was_assigned_to_is_told_which_and_by_when_to_make_contact() -> None:
    assert to_holder("assigned") == (
        f"Acme Sdn Bhd: This lead is yours. Make first contact within 45 minutes. {URL}"
    )
    assert alert("assigned", HELD, ENGLISH, NOON) == (
        "Acme Sdn Bhd",
        "This lead is yours. Make first contact within 45 minutes.",
    )


def test_whoever_has_not_worked_a_lead_is_told_when_it_goes_back() -> None:
    assert to_holder("unworked") == (
        f"Acme Sdn Bhd: This lead still waits for your call. It goes back in 45 minutes. {URL}"
    )


def test_a_lead_nobody_takes_back_is_just_theirs() -> None:
    theirs = replace(HELD, return_at=None)
    assert to_holder("assigned", theirs) == f"Acme Sdn Bhd: This lead is yours. {URL}"


@pytest.mark.parametrize("what", HOLDER_KINDS)
def test_what_a_holder_is_told_is_translated_and_has_no_code_or_carrier_word(what: str) -> None:
    named = replace(HELD, preview=replace(HELD.preview, company="STOP AB2C Ltd"))
    for rep in (ENGLISH, MALAY):
        text = to_holder(what, named, rep)
        assert codes_in(text) == []
        assert not re.search(r"\b(STOP|HELP)\b", text)
    assert to_holder(what, rep=MALAY) != to_holder(what)
    assert alert(what, HELD, MALAY, NOON) != alert(what, HELD, ENGLISH, NOON)


WON = Won(
    Claim("lead", 1, "aaaac", "Rep 1", "north", NOON, 2100, 1),
    a_card(lead_id="lead"),
    already_yours=False,
    undo_until=NOON,
)
LOST = AlreadyClaimed(("aaaae", "Aina"), NOON, 61_000, 3)
PAUSED = ClaimRefused(
    (Refusal("paused", NOON, "You are paused. Switch yourself on to claim."),), NOON
)


def said(outcome: Won | InDraw | DibsError | str, rep: Rep | None = ENGLISH) -> str:
    return answer_sms(Answer("+60120000001", rep, outcome), NOON)


def test_the_winner_is_told_how_to_reach_the_contact_at_once() -> None:
    text = said(WON)
    for part in ("You won", "Acme 1 Sdn Bhd", "Jane Tan", "+60128880000", "jane@acme.example"):
        assert part in text
    assert "Anda dapat Acme 1 Sdn Bhd!" in said(WON, MALAY)


def test_the_winner_is_told_of_consent_and_do_not_call() -> None:
    consent = replace(WON, card=a_card(consent="newsletter, 2026-01-04"))
    assert said(consent).endswith("Consent: newsletter, 2026-01-04")
    quiet = replace(WON, card=a_card(do_not_call=True, consent="yes"))
    assert said(quiet).endswith("DO NOT CALL: write instead.")
    assert said(quiet, MALAY).endswith("JANGAN TELEFON: tulis sahaja.")


def test_a_lead_without_contact_details_is_won_without_gaps() -> None:
    bare = a_card(contact_name="", contact_title="", contact_phone="", contact_email="x@y.example")
    assert said(replace(WON, card=bare)) == "You won Acme 1 Sdn Bhd! x@y.example"


def test_a_loser_is_told_who_was_faster_and_when() -> None:
    text = said(LOST)
    assert "Aina" in text
    assert "1 minute ago" in text
    assert "1 minit lalu" in said(LOST, MALAY)


def test_who_is_in_the_draw_is_told_so() -> None:
    text = said(InDraw("lead", NOON, "5e" * 32))
    assert text == "You are in the draw for this lead. You will be told if you win it."


def test_who_was_not_drawn_is_told_who_was_unless_that_is_hidden() -> None:
    text = said(replace(LOST, drawn=True))
    assert text == "Aina was drawn for it. The next lead is on its way."
    hidden = said(AlreadyClaimed(None, NOON, 2_000, 3, drawn=True))
    assert hidden == "You were not drawn this time. The next lead is on its way."


def test_a_loser_on_an_anonymous_team_is_told_when_but_not_who() -> None:
    text = said(AlreadyClaimed(None, NOON, 2_000, 3))
    assert text == "Too late: claimed 2 seconds ago. The next lead is on its way."


def test_a_refused_rep_is_told_why_in_their_language() -> None:
    assert said(PAUSED) == "Not claimed. You are paused. Switch yourself on to claim."
    assert "Status anda sedang dijeda" in said(PAUSED, MALAY)


@pytest.mark.parametrize("gone", [Expired(), Withdrawn(), LeadNotFound()])
def test_a_code_whose_offer_is_over_is_answered_so_and_not_with_try_again(gone: DibsError) -> None:
    assert said(gone) == "Too late: this offer is over. The next lead is on its way."


def test_when_the_store_was_busy_the_rep_is_asked_to_send_the_code_again() -> None:
    assert "send the code again" in said(Busy())


KINDS = ("unknown_number", "unknown_code", "no_open_offer", "which_offer", "not_understood")
KINDS += ("declined", "reply_only", "yours")
OUTCOMES = (WON, LOST, PAUSED, Expired(), Busy(), *KINDS)


@pytest.mark.parametrize("rep", [ENGLISH, MALAY, None], ids=["English", "Malay", "stranger"])
def test_every_answer_is_a_sentence_of_its_own_without_carrier_words_or_codes(
    rep: Rep | None,
) -> None:
    answers = [said(outcome, rep) for outcome in OUTCOMES]
    assert len(set(answers)) == len(answers)
    for text in answers:
        assert len(text) > 10
        assert "{" not in text
        assert not any(
            meaning(word).asks in ("stop", "start") or word == "HELP"
            for word in re.findall(r"\b[A-Z]+\b", text)
        )
        assert not CODE_LIKE.search(text)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_says_how_to_claim_names_the_code_and_is_no_claim_itself(kind: str) -> None:
    text = answer_sms(Answer("+60120000001", ENGLISH, kind, CODE), NOON)
    assert (CODE in text) is (kind == "reply_only")
    assert meaning(text).asks == "unclear"


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_is_translated(kind: str) -> None:
    assert said(kind, MALAY) != said(kind, ENGLISH)
    assert said(kind, a_rep(language="tlh")) == said(kind, ENGLISH)


@pytest.mark.parametrize(
    ("text", "length"),
    [("", 0), ("abc", 3), ("€5", 3), ("[x]", 5), ("é", 1), ("ê", None), ("好", None), ("`", None)],
)
def test_gsm_places_are_counted_as_carriers_count_them(text: str, length: int | None) -> None:
    assert gsm_length(text) == length


HOSTILE_PREVIEW = Preview(
    "Win now https://evil.example/c/abc",
    "+60 12-345 6789",
    "Boss\u202e jane@acme.example",
    "www.evil.example",
    86,
)
REACHES = re.compile(r"evil\.example|acme\.example|@|345 6789|\u202e|www")


@pytest.mark.parametrize("rep", [ENGLISH, MALAY], ids=["English", "Malay"])
def test_no_link_number_or_unseen_letter_of_a_source_reaches_text_or_push(rep: Rep) -> None:
    lead = a_lead(preview=HOSTILE_PREVIEW)
    held = replace(HELD, preview=HOSTILE_PREVIEW)
    said_before = [offer_sms(lead, rep, CODE, URL, NOON).replace(URL, "")]
    said_before += alert("offer", lead, rep, NOON)
    for what in HOLDER_KINDS:
        said_before += [to_holder(what, held, rep).replace(URL, ""), *alert(what, held, rep, NOON)]
    assert [text for text in said_before if REACHES.search(text)] == []
    assert "Win now" in said_before[0]


@pytest.mark.parametrize(
    ("rep", "called"), [(ENGLISH, "Unnamed company"), (MALAY, "Syarikat tanpa nama")]
)
def test_a_company_whose_name_was_but_a_link_is_called_unnamed(rep: Rep, called: str) -> None:
    preview = replace(HOSTILE_PREVIEW, company="https://evil.example/c/abc")
    assert called in offer_sms(a_lead(preview=preview), rep, CODE, URL, NOON)
    assert alert("offer", a_lead(preview=preview), rep, NOON)[0] == called
    assert alert("assigned", replace(HELD, preview=preview), rep, NOON)[0] == called


@given(hostile, hostile, hostile, hostile)
def test_whatever_a_source_sends_an_offer_links_nowhere_but_to_us(
    company: str, title: str, size: str, source: str
) -> None:
    text = sms(company, title, company_size=size, source=source).replace(URL, "")
    assert "://" not in text
    assert not re.search(r"\w@\w", text)
    assert not re.search(r"[^\W\d_]\.[^\W\d_]{2}", text)


# Time left (C13)

WAVES = {"north": (NOON, NOON + timedelta(minutes=15), NOON + timedelta(minutes=60))}
TIERED = a_lead(waves=WAVES, closes_at=NOON + timedelta(minutes=75))


@pytest.mark.parametrize(
    ("tier", "minutes", "left"),
    [
        (1, 0, "15:00"),  # until tier 2 may claim
        (1, 5, "10:00"),
        (1, 15, "45:00"),  # until tier 3 may
        (2, 15, "45:00"),
        (2, 0, "1h 00m"),  # it opens for them later, and is theirs until tier 3 may claim
        (1, 60, "15:00"),  # the rest
        (3, 60, "15:00"),
        (3, 74, "1:00"),
    ],
)
def test_the_time_left_ends_when_others_may_claim_and_then_with_the_lead(
    tier: int, minutes: int, left: str
) -> None:
    rep, now = a_rep(tier=tier), NOON + timedelta(minutes=minutes)
    assert f"{left} left" in offer_sms(TIERED, rep, CODE, URL, now)
    assert f"{left} left" in alert("offer", TIERED, rep, now)[1]


def test_a_head_start_is_the_time_left_to_who_has_it() -> None:
    later = (NOON + timedelta(minutes=2),) * 3
    lead = a_lead(waves={"north": later}, head_start_reps=(ENGLISH.rep_id,))
    assert "2:00 left" in offer_sms(lead, ENGLISH, CODE, URL, NOON)


# Parts


@pytest.mark.parametrize(
    ("company", "written"),
    [
        ("Compañía Médica São João", "Compañia Médica Sao Joao"),
        ("Žďár Łódź Őrség", "Zdar Lodz Orség"),
        ("Bình Dương Đà Nẵng", "Bình Duong Dà Nang"),
        ("Œuvre Île-de-France", "OEuvre Ile-de-France"),
        ("Schäfer & Söhne", "Schäfer & Söhne"),
    ],
)
def test_an_accent_goes_where_it_would_cost_a_part(company: str, written: str) -> None:
    text = sms(company)
    assert written in text
    assert parts(text) == 1


@pytest.mark.parametrize("rep", [ENGLISH, MALAY], ids=["English", "Malay"])
@pytest.mark.parametrize("company", ["阿克美工业有限公司" * 6, "ООО Ромашка " * 8, "株式会社" * 20])
def test_letters_that_are_not_to_be_had_plainly_cost_two_parts_at_most(
    company: str, rep: Rep
) -> None:
    text = sms(company, company, rep, source=company)
    assert company[:6] in text
    assert parts(text) <= 2
    assert codes_in(text) == [CODE]


latin = st.text(
    st.characters(max_codepoint=0x17F, exclude_categories=("Cc", "Cs")).filter(
        lambda letter: gsm_length(plain_letters(letter)) is not None
    ),
    max_size=80,
)


@given(latin, latin, latin, st.sampled_from([ENGLISH, MALAY]))
def test_an_offer_in_letters_with_accents_costs_one_part(
    company: str, title: str, source: str, rep: Rep
) -> None:
    text = sms(company, title, rep, source=source)
    assert parts(text) == 1
    assert codes_in(text) == [CODE]


@given(hostile, hostile, st.text(max_size=20), hostile, st.sampled_from([ENGLISH, MALAY]))
def test_whatever_a_source_sends_an_offer_costs_two_parts_at_most(
    company: str, title: str, size: str, source: str, rep: Rep
) -> None:
    preview = Preview(company, size, title, source, 100)
    for lead in (a_lead(preview=preview), a_lead(preview=preview, test=True)):
        text = offer_sms(lead, rep, CODE, URL, NOON)
        assert parts(text) <= 2
        assert text.endswith(URL)


@given(st.text(max_size=100))
def test_plain_letters_keep_every_letter_that_has_no_plain_form(text: str) -> None:
    plain = plain_letters(text)
    assert plain_letters(plain) == plain
    if gsm_length(text) is not None:
        assert plain == text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 307, 3),
        ("好" * 70, 1),
        ("好" * 71, 2),
        ("😀" * 36, 2),
    ],
)
def test_parts_are_counted_as_carriers_count_them(text: str, count: int) -> None:
    assert parts(text) == count


@pytest.mark.parametrize("letter", ["a", "é", "好"])
def test_the_answer_to_a_winner_has_an_end(letter: str) -> None:
    long = letter * 500
    card = a_card(
        company=long,
        contact_name=long,
        contact_title=long,
        contact_email=f"{long}@x.example",
        consent=long,
    )
    text = said(replace(WON, card=card))
    assert parts(text) <= 4
    assert "+60128880000" in text


# Test leads


@pytest.mark.parametrize(("rep", "mark"), [(ENGLISH, "TEST "), (MALAY, "UJIAN ")])
def test_a_test_lead_says_so_wherever_a_rep_is_told_of_it(rep: Rep, mark: str) -> None:
    lead, held = a_lead(test=True), replace(HELD, test=True)
    assert offer_sms(lead, rep, CODE, URL, NOON).startswith(f"{mark}Acme")
    assert alert("offer", lead, rep, NOON)[0] == f"{mark}Acme Sdn Bhd"
    for what in HOLDER_KINDS:
        assert to_holder(what, held, rep).startswith(f"{mark}Acme")
        assert alert(what, held, rep, NOON)[0] == f"{mark}Acme Sdn Bhd"
    won = replace(WON, claim=replace(WON.claim, test=True))
    assert said(won, rep).startswith(mark)
    assert "TEST" not in sms() + said(WON)


@pytest.mark.parametrize("rep", [ENGLISH, MALAY], ids=["English", "Malay"])
def test_who_reached_the_days_cap_is_told_how_many_it_is(rep: Rep) -> None:
    text = cap_sms(rep, 20, "https://dibs.your-firm.com/sign-in")
    assert "20" in text
    assert parts(text) == 1
    assert cap_sms(ENGLISH, 20, URL) != cap_sms(MALAY, 20, URL)
