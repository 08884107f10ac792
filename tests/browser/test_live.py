"""A page that is fetched anew disturbs nobody who is using it (U2, U5)."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from dibs.screens.site import LOOK

pytestmark = pytest.mark.browser

SCRIPT = (LOOK / "live.js").read_text("utf-8")
STALE = "This page is as it was."


class Served:
    """A page of our own that the server may change, and how often it was asked for."""

    def __init__(self, phone: BrowserContext) -> None:
        self.main, self.status, self.asked = "", 200, 0
        self.page: Page = phone.new_page()
        self.page.clock.install()
        self.page.route("**/*", self._answer)

    def _answer(self, route: Route) -> None:
        self.asked += 1
        body = (
            f'<!doctype html><title>A</title><p id="off" data-text="{STALE}"></p>'
            f'<main>{self.main}</main><script type="module">{SCRIPT}</script>'
        )
        route.fulfill(status=self.status, content_type="text/html", body=body)

    def open(self, main: str) -> None:
        self.main = main
        self.page.goto("http://dibs.localhost/")

    def follows(self) -> None:
        """Let the page fetch itself anew."""
        before = self.asked
        self.page.clock.run_for(5000)
        self.page.wait_for_timeout(200)
        assert self.asked > before


@pytest.fixture
def served(phone: BrowserContext) -> Served:
    return Served(phone)


def outcomes(*lead_ids: str) -> str:
    return "".join(
        f'<article><form method="post" action="/me/leads/{lead}/outcome">'
        f'<button name="outcome" value="called">Called {lead}</button></form></article>'
        for lead in lead_ids
    )


def test_the_focus_stays_on_the_lead_it_was_on(served: Served) -> None:
    """All leads have buttons of the same name: Enter must not say of one what another is."""
    served.open(outcomes("one", "two"))
    served.page.get_by_text("Called two").focus()
    served.main = outcomes("new", "one", "two")
    served.follows()
    assert served.page.evaluate("document.activeElement.textContent") == "Called two"
    served.main = outcomes("new", "one")
    served.follows()
    assert served.page.evaluate("document.activeElement.localName") == "body"


def test_the_focus_stays_on_what_has_no_name(served: Served) -> None:
    def leads(*lead_ids: str) -> str:
        return "".join(f'<details id="l-{n}"><summary>{n}</summary></details>' for n in lead_ids)

    served.open(leads("one", "two"))
    served.page.locator("summary", has_text="two").focus()
    served.main = leads("new", "one", "two")
    served.follows()
    assert served.page.evaluate("document.activeElement.textContent") == "two"


def test_what_is_pressed_is_not_taken_away_before_it_is_let_go(served: Served) -> None:
    button = "<button onclick=\"document.title = 'pressed'\">CLAIM</button>"
    served.open(button)
    box = served.page.get_by_text("CLAIM").bounding_box()
    assert box is not None
    served.page.mouse.move(box["x"] + 5, box["y"] + 5)
    served.page.mouse.down()
    served.main = "<p>A new one</p>" + button
    served.page.clock.run_for(5000)
    served.page.wait_for_timeout(200)
    served.page.mouse.up()
    assert served.page.title() == "pressed"


def test_what_was_announced_is_announced_once(served: Served) -> None:
    said = '<p role="alert">Tap it again.</p><p role="status">{}</p><i>{}</i>'
    served.open(said.format("On duty", 1))
    for number in (2, 3):
        served.main = said.format("On duty", number)
        served.follows()
        assert served.page.locator("i").text_content() == str(number)
        assert served.page.locator("main [role]").count() == 0
    served.main = said.format("Paused", 4)
    served.follows()
    assert served.page.locator("main [role]").all_text_contents() == ["Paused"]


def test_what_has_not_changed_stays(served: Served) -> None:
    served.open("<p>Same</p>")
    served.follows()
    served.page.evaluate("document.querySelector('main p').mine = true")
    served.follows()
    assert served.page.evaluate("document.querySelector('main p').mine")


def test_a_page_that_cannot_be_fetched_says_that_it_is_old(served: Served) -> None:
    served.open("<p>Old</p>")
    for status, told in ((500, STALE), (200, ""), (503, STALE)):
        served.status = status
        served.follows()
        assert served.page.locator("#off").text_content() == told
        assert served.page.locator("main").text_content() == "Old"
