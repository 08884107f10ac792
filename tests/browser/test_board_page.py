"""The board's page in Chromium, on a phone's 320 x 640, against the deployed local stack."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from support.stack import Stack, until

pytestmark = [pytest.mark.browser, pytest.mark.stack]


@pytest.fixture
def placed(stack: Stack) -> dict[str, Any]:
    """A rep who has claimed a lead, and stands on the board for it."""
    team = stack.reps[2]["team"]
    rep: dict[str, Any] = [rep for rep in stack.reps if rep["team"] == team][-1]
    _, lead = stack.post_lead()
    until(lambda: stack.offer(rep, lead["lead_id"])["eligible"], 120)

    def claimed() -> bool:
        path = f"/leads/{lead['lead_id']}/claim"
        status, answer, _ = stack.call("POST", path, {}, token=rep["token"])
        assert status in (200, 503), answer
        return status == 200

    until(claimed)
    board = "/boards/claims?period=all"
    until(lambda: "me" in stack.call("GET", board, token=rep["token"])[1], 120)
    return rep


def signed_in(phone: BrowserContext, stack: Stack, rep: dict[str, Any]) -> Page:
    """Sign in with the form; it leads to the board of points."""
    page = phone.new_page()
    page.goto(f"http://dibs.localhost:{stack.port}/sign-in?to=/boards/points")
    page.get_by_text("I have a token").tap()
    page.get_by_label("Your token").fill(rep["token"])
    page.get_by_role("button", name="Sign in with it").tap()
    expect(page).to_have_url(re.compile("/boards/points"))
    return page


def test_a_rep_signs_in_and_finds_themselves_on_a_small_screen(
    stack: Stack, phone: BrowserContext, placed: dict[str, Any]
) -> None:
    page = signed_in(phone, stack, placed)
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    page.locator("nav a[href*='/boards/claims']").tap()
    page.locator("nav a[href*='period=all']").first.tap()
    expect(page).to_have_url(re.compile(r"/boards/claims\?period=all"))
    own = page.locator("tr.own").first
    expect(own).to_contain_text(placed["name"])
    expect(own).to_contain_text(re.compile("you|anda"))
    own.scroll_into_view_if_needed()
    expect(own).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert all(url.startswith((f"http://dibs.localhost:{stack.port}/", "data:")) for url in asked)


def test_a_board_is_walked_with_the_keyboard_alone(
    stack: Stack, phone: BrowserContext, placed: dict[str, Any]
) -> None:
    page = signed_in(phone, stack, placed)
    period = page.locator("nav a[href*='period=month']").first
    for _ in range(20):  # the bar of where to go, the other boards, then the periods
        page.keyboard.press("Tab")
        if period.evaluate("it => it === document.activeElement"):
            break
    expect(period).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"period=month"))
    current = page.locator("[aria-current=page]", has_text=re.compile("Month|Bulan"))
    expect(current).to_have_attribute("href", re.compile("period=month"))


def test_nobody_sees_a_board_without_signing_in(stack: Stack, phone: BrowserContext) -> None:
    page = phone.new_page()
    page.goto(f"http://dibs.localhost:{stack.port}/boards/points")
    expect(page.get_by_label(re.compile("Your phone number"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
