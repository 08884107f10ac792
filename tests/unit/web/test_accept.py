"""Who gets a page and who gets JSON, by what they say they accept."""

from __future__ import annotations

import pytest

from dibs.web.http import wants_html

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (CHROME, True),
        ("text/html", True),
        ("TEXT/HTML; charset=utf-8", True),
        ("text/html;q=0.9, application/json;q=0.8", True),
        ("application/json, text/html;q=0.1", False),
        ("application/json, text/html;q=0", False),
        ("text/html;q=0", False),
        ("text/html;q=much", False),
        ("text/html-x", False),
        ("application/json, text/plain, */*", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_a_page_is_for_whoever_would_rather_have_it(accept: str, page: bool) -> None:
    assert wants_html({"headers": {"accept": accept}}) is page
