"""What an organisation's screens are called and look like: what is refused, and why (U9)."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.colours import contrast, readable_on
from dibs.playbook.checks.teams import problems
from support.builders import a_playbook

PIXEL = b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def places(**look: Any) -> list[str]:
    return [error.field for error in problems(a_playbook(look=look))]


def test_a_whole_look_is_accepted() -> None:
    look = {
        "name": "Kinabalu Solar",
        "logo": f"data:image/png;base64,{PIXEL}",
        "colour": "#0b3d91",
        "accent": "#FFD166",
        "embed_in": ["https://crm.example.com", "https://crm.example:8443", "http://localhost:80"],
    }
    assert places(**look) == []
    assert places() == []


@pytest.mark.parametrize(
    ("setting", "sent"),
    [
        *(("name", name) for name in ("x" * 31, " Solar", "So\nlar", "So\u202elar")),
        *(("colour", one) for one in ("red", "#12345", "#1234567", "#12345g", "#fff;x:url(//e)")),
        *(("accent", one) for one in ("rgb(0,0,0)", "#12 456")),
        ("logo", "https://cdn.example/logo.png"),
        ("logo", "data:text/html;base64,PGI+"),
        ("logo", f"data:image/png;base64,{PIXEL}!"),
        ("logo", "data:image/png;base64,AAAAA"),
        ("logo", "data:image/png;base64," + "A" * 8192),
    ],
)
def test_what_no_screen_can_show_is_refused_by_its_place(setting: str, sent: str) -> None:
    assert places(**{setting: sent}) == [f"look.{setting}"]


@pytest.mark.parametrize(
    "origin",
    [
        *("*", "https://*.example.com", "https://crm.example.com/", "https://crm.example.com/x"),
        *("crm.example.com", "http://crm.example.com", "https://crm.example.com https://evil"),
        *("https://crm.example.com;script-src *", "https://", "https://user@crm.example.com"),
        *("https://CRM.example.com", "https://crm.example.com:99999", "data:", "'self'", "null"),
        *("https://crm.example.com:", "http://localhost.example.com", "https://crm..com"),
    ],
)
def test_only_a_whole_origin_may_embed_screens(origin: str) -> None:
    assert places(embed_in=["https://ok.example", origin]) == ["look.embed_in.1"]


def test_few_origins_are_enough() -> None:
    origins = [f"https://crm{number}.example" for number in range(11)]
    assert places(embed_in=origins) == ["look.embed_in"]


def test_an_accent_that_cannot_be_seen_on_the_colour_is_refused() -> None:
    assert places(colour="#0b3d91", accent="#0b3d92") == ["look.accent"]
    assert places(colour="#ffffff", accent="#949494") == []  # 3.03, the least that WCAG takes
    assert places(colour="#ffffff", accent="#959595") == ["look.accent"]


def test_contrast_is_as_wcag_reckons_it() -> None:
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48
    assert contrast("#123456", "#123456") == 1


@given(COLOURS)
def test_text_is_read_on_any_colour(colour: str) -> None:
    assert contrast(colour, readable_on(colour)) >= 4.5
