"""Claim links and reply codes: short, bound to one rep and one opening, and hard to forge."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.errors import LeadNotFound
from dibs.core.lead import id_text
from dibs.core.links import CODE_ALPHABET, Link, link_is_for, link_token, read_link, reply_code

SALT = b"saltsalts"
LEAD = id_text(b"lead-01")
REP = id_text(b"rep")
TOKEN = link_token(SALT, LEAD, REP, 1)
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

lead_ids = st.binary(min_size=7, max_size=7).map(id_text)
rep_ids = st.binary(min_size=3, max_size=3).map(id_text)
salts = st.binary(min_size=9, max_size=9)


@given(salts, lead_ids, rep_ids, st.integers(1, 99_999))
def test_a_link_says_who_may_claim_what(salt: bytes, lead: str, rep: str, epoch: int) -> None:
    token = link_token(salt, lead, rep, epoch)
    assert re.fullmatch(r"[0-9A-Za-z]{22}", token)
    link = read_link(token)
    assert (link.lead_id, link.rep_id) == (lead, rep)
    assert link_is_for(link, salt, epoch)


def test_a_link_is_good_for_one_opening_only() -> None:
    link = read_link(TOKEN)
    assert link_is_for(link, SALT, 1)
    assert not link_is_for(link, SALT, 2)
    assert not link_is_for(link, SALT, 0)


def test_a_link_is_good_under_its_leads_own_salt_only() -> None:
    assert not link_is_for(read_link(TOKEN), b"saltsaltt", 1)


def test_a_rep_cannot_use_their_proof_on_another_lead_or_for_another_rep() -> None:
    link = read_link(TOKEN)
    assert not link_is_for(Link(id_text(b"lead-02"), link.rep_id, link.mac), SALT, 1)
    assert not link_is_for(Link(link.lead_id, id_text(b"pal"), link.mac), SALT, 1)


@pytest.mark.parametrize("position", range(22))
def test_no_single_letter_of_a_link_can_be_changed(position: int) -> None:
    for letter in LETTERS:
        forged = TOKEN[:position] + letter + TOKEN[position + 1 :]
        if forged == TOKEN:
            continue
        try:
            link = read_link(forged)
        except LeadNotFound:
            continue
        assert not link_is_for(link, SALT, 1)


def test_two_letters_cannot_change_places() -> None:
    for position in range(21):
        forged = TOKEN[:position] + TOKEN[position + 1] + TOKEN[position] + TOKEN[position + 2 :]
        if forged == TOKEN:
            continue
        try:
            link = read_link(forged)
        except LeadNotFound:
            continue
        assert not link_is_for(link, SALT, 1)


@pytest.mark.parametrize(
    "token",
    [
        "",
        " ",
        TOKEN[:-1],
        TOKEN + "A",
        TOKEN + "\n",
        f" {TOKEN[1:]}",
        "z" * 22,  # more than sixteen bytes
        "../../../etc/passwd...",
        "%00%00%00%00%00%00%00%",
        "é" * 22,
        "٣" * 22,  # a digit, but not one of ours
        "\x00" * 22,
        "是" * 22,
        "A" * 100_000,
    ],
)
def test_what_is_no_link_of_ours_leads_to_no_lead(token: str) -> None:
    with pytest.raises(LeadNotFound):
        read_link(token)


@given(st.text(max_size=40) | st.text(LETTERS, min_size=22, max_size=22))
def test_whatever_is_sent_is_read_or_refused_and_never_fits_by_chance(token: str) -> None:
    try:
        link = read_link(token)
    except LeadNotFound:
        return
    assert not link_is_for(link, SALT, 1)


@given(st.integers())
def test_reply_codes_are_four_letters_and_digits_with_at_least_one_digit(seed: int) -> None:
    code = reply_code(random.Random(seed).choice)
    assert re.fullmatch(r"[A-Z2-9]{4}", code)
    assert re.search(r"[2-9]", code)
    assert not set(code) & set("IO01")


def test_a_code_without_a_digit_is_drawn_again() -> None:
    drawn = iter("STOPHELPAB2C")
    assert reply_code(lambda _: next(drawn)) == "AB2C"


def test_reply_codes_are_chosen_from_their_whole_alphabet() -> None:
    asked = []

    def choice(letters: str) -> str:
        asked.append(letters)
        return letters[-1]

    assert reply_code(choice) == "9999"
    assert set(asked) == {CODE_ALPHABET}
