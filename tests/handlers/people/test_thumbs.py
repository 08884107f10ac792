"""Links that stand alone are as high as a thumb needs, by one rule of each sheet (44 px)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGES = sorted(Path("functions").glob("*/templates/*.html"))
SHEETS = [*sorted(Path("functions").glob("*/templates/page.css"))]
SHEETS.append(Path("shared/dibs/screens/look/look.css"))
# Within text a link is as high as its line, which is how people know it.
_SENTENCE = re.compile(r"<p>(?!<a ).*?</p>", re.DOTALL)
_NAV = re.compile(r"<nav\b.*?</nav>", re.DOTALL)
_CARD = re.compile(r'<article class="card [^"]*"><a [^>]*>')
_SIZED = re.compile(r'<a class="(big|quiet|card)\b[^>]*>')


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parts[1]}-{page.name}")
def test_each_link_that_stands_alone_is_a_button_a_card_or_in_a_nav(page: Path) -> None:
    left = page.read_text("utf-8")
    for allowed in (_NAV, _SENTENCE, _CARD, _SIZED):
        left = allowed.sub("", left)
    assert not re.findall(r"<a [^>]*>", left)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.parts[1])
def test_a_nav_s_links_have_the_height(sheet: Path) -> None:
    [rule] = re.findall(
        r"^nav(?::not\(.tabs\))? a\b[^{]*{([^}]*)}", sheet.read_text("utf-8"), re.MULTILINE
    )
    assert "min-height: 2.75rem" in rule
