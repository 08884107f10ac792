"""What everybody reads before the claim leads nowhere and hides nothing (N2)."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dibs.core.safe_text import safe_size, safe_text


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("Win now https://evil.example/c/abc", "Win now"),
        ("HTTP://EVIL", ""),
        ("see hxxps://evil.example now", "see now"),
        ("whatsapp://send?text=x", ""),
        ("tel:+60123456789", ""),
        ("mailto:jane@acme.example", ""),
        ("javascript:alert(1)", ""),
        ("http : // evil.example", ""),
        ("www.evil.example", ""),
        ("evil.example/c/abc", ""),
        ("evil.example?x=1", ""),
        ("bit.ly/3xYz", ""),
        ("evil.example:8080/x", ""),
        ("192.168.0.1", ""),
        ("пример.рф/вход", ""),
        ("evil.example", "evil example"),
        ("evil . example", "evil example"),
        ("evil .example", "evil example"),
        ("evil[.]example", "evil example"),
        ("evil (dot) example", "evil example"),
        ("evil dot com", "evil com"),
        ("ｅｖｉｌ．ｅｘａｍｐｌｅ", "evil example"),
        ("evil。example", "evil example"),
        ("ev\u200bil.exa\u202emple", "evil example"),
        ("пример.рф", "пример рф"),
        ("jane@acme.example", ""),
        ("jane @ acme . example", ""),
        ("jane (at) acme (dot) com", ""),
        ("jane＠acme.example", ""),
        ("Jane jane@localhost", "Jane"),
    ],
)
def test_a_link_or_an_address_is_left_out_however_it_is_spelled(given: str, left: str) -> None:
    assert safe_text(given) == left


@pytest.mark.parametrize(
    "number",
    [
        "+60123456789",
        "012-345 6789",
        "(03) 8888.0000",
        "555-1234",
        "0 1 2 3 4 5 6 7 8 9",
        "+60_12_345_6789",
        "+60/12/3456789",
        "٠١٢٣٤٥٦٧٨٩",
        "＋６０１２３４５６７８９",
        "०१२३४५६७८९",
        "⓪①②③④⑤⑥⑦⑧⑨",
        "1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣",
        "0123\u200b456\u2060789",
    ],
)
def test_a_run_of_digits_like_a_phone_number_is_left_out(number: str) -> None:
    assert not any(map(str.isdigit, safe_text(f"Call {number} now")))
    assert not any(map(str.isdigit, safe_size(number)))


@pytest.mark.parametrize(
    "unseen",
    [
        "\u200b",  # zero-width space
        "\u200d",
        "\u2060",
        "\ufeff",
        "\u00ad",  # soft hyphen
        "\u202e",  # right-to-left override
        "\u2066",
        "\u061c",
        "\U000e0041",  # a tag
        "\ufe0f",  # a variation selector
        "\U000e0100",
        "\u115f",  # Hangul filler
        "\u3164",
        "\uffa0",
        "\u180e",
        "\u034f",
        "\ue000",  # private use
    ],
)
def test_a_letter_that_cannot_be_seen_is_left_out(unseen: str) -> None:
    assert safe_text(f"Ac{unseen}me") == "Acme"
    assert safe_size(f"51{unseen}-200") == "51-200"


@pytest.mark.parametrize(
    "name",
    [
        "Acme Sdn. Bhd.",
        "Acme S.A. de C.V.",
        "Acme Co., Ltd.",
        "7-Eleven",
        "3M",
        "O'Brien & Sons",
        "A/S Norsk",
        "Acme 24/7, est. 1998",
        "古晋工业机械有限公司",
        "Société Générale",
        "บริษัท เอซีเอ็ม",
        "Head of R&D / Operations",
        "Director @ Acme",
        "google-ads",
        "Dr. Tan",
    ],
)
def test_an_ordinary_name_or_title_stays_as_it_is(name: str) -> None:
    assert safe_text(name) == name


@pytest.mark.parametrize(
    "size",
    ["51-200", "1001-5000", "5001-10,000", "10,001-50,000", "10001+", "200", "1001-5000 employees"],
)
def test_a_companys_size_is_no_phone_number(size: str) -> None:
    assert safe_size(size) == size


@pytest.mark.parametrize("size", ["5551-2345", "012-3456789", "123-456789", "1-8005551234"])
def test_a_phone_number_is_no_companys_size(size: str) -> None:
    assert safe_size(size) == ""


BITS = "https:// evil . example /c/abc @ +60 1234567 - www : // (dot) [.] com （ 。 ． ٠١٢٣ ７ ①"
SPACED = (" ", " . ", " dot ", "\u200b", "\u202e", "_")
HOSTILE = st.lists(
    st.text(max_size=12) | st.sampled_from([*BITS.split(), *SPACED]), max_size=12
).map("".join)


@given(HOSTILE)
@example("a.b.co")
@example("1234\u200b567")
@example("x@(at)y")
def test_whatever_a_source_sends_nothing_leads_anywhere(text: str) -> None:
    safe = safe_text(text)
    assert safe_text(safe) == safe
    assert "://" not in safe
    assert not re.search(r"\S@\S", safe)
    assert not re.search(r"\S\.[^\W\d_]{2}", safe)
    assert not re.search(r"\d(?:[\W_]{0,3}\d){6}", safe)
    for letter in safe:
        assert unicodedata.category(letter) not in ("Cc", "Cf", "Cn", "Co", "Cs")
