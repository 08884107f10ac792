"""Every claim page on the smallest phone: nothing is wider than it, every target is for a thumb."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext

from support.screens import PHONE
from unit.web.test_page import EVERY

pytestmark = pytest.mark.browser

THUMB = 44
SMALL = """() => [...document.querySelectorAll('a, button, summary')]
    .filter((each) => each.checkVisibility() && !each.closest('p'))
    .map((each) => [each.textContent.trim(), each.getBoundingClientRect().height])
    .filter(([, height]) => height < %d)"""


@pytest.mark.parametrize("language", ["en", "ms"])
def test_every_claim_page_fits_the_smallest_phone(phone: BrowserContext, language: str) -> None:
    page = phone.new_page()
    wide, small = {}, {}
    for name, made in EVERY.items():
        page.set_content(made(language).html)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide[name] = width
        if found := page.evaluate(SMALL % THUMB):
            small[name] = found
    assert (wide, small) == ({}, {})
