"""The claim page in Chromium, on a phone's 320 x 640, against the deployed local stack."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.screens import PHONE
from support.stack import PHONES, Stack

pytestmark = [pytest.mark.browser, pytest.mark.stack]


def opened(phone: BrowserContext, stack: Stack, rep: dict[str, Any], lead_id: str) -> Page:
    page = phone.new_page()
    page.goto(f"http://dibs.localhost:{stack.port}{stack.link(rep, lead_id)}")
    return page


def test_preview_confirm_win_while_a_second_phone_sees_it_lost(
    stack: Stack, browser: Browser, phone: BrowserContext
) -> None:
    _, lead = stack.post_lead(company="Phone Race Ltd")
    winner, loser = stack.reps[2], stack.reps[3]
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    page = opened(phone, stack, winner, lead["lead_id"])
    expect(page.get_by_text("Phone Race Ltd").first).to_be_visible()
    assert PHONES not in page.content()
    with browser.new_context(viewport=PHONE) as other:
        second = opened(other, stack, loser, lead["lead_id"])
        expect(second.get_by_role("button").first).to_be_visible()
        page.locator("form button[type=submit], form button").first.tap()
        page.locator("dialog[open] [data-act=yes]").tap()
        call = page.locator(f'a[href^="tel:{PHONES}"]')
        expect(call).to_be_visible()
        # The page asks every 2 s how the race stands, and says so within 3 s.
        expect(second.get_by_text(winner["name"]).first).to_be_visible(timeout=3500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert all(url.startswith((f"http://dibs.localhost:{stack.port}/", "data:")) for url in asked)


def test_it_works_by_keyboard_alone(stack: Stack, phone: BrowserContext) -> None:
    _, lead = stack.post_lead(company="Keyboard Ltd")
    page = opened(phone, stack, stack.reps[2], lead["lead_id"])
    button = page.locator("form button").first
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_be_visible()
    page.locator("dialog[open] [data-act=yes]").focus()
    page.keyboard.press("Enter")
    expect(page.locator('a[href^="tel:"]')).to_be_visible()


def test_it_works_without_javascript(stack: Stack, browser: Browser) -> None:
    _, lead = stack.post_lead(company="No Script Ltd")
    with browser.new_context(viewport=PHONE, java_script_enabled=False) as context:
        page = opened(context, stack, stack.reps[2], lead["lead_id"])
        page.locator("input[type=checkbox]").first.check()
        page.locator("form button").first.click()
        expect(page.locator('a[href^="tel:"]')).to_be_visible()


def test_a_tap_on_a_dead_network_is_tried_again_and_says_so(
    stack: Stack, phone: BrowserContext
) -> None:
    _, lead = stack.post_lead(company="Tunnel Ltd")
    page = opened(phone, stack, stack.reps[2], lead["lead_id"])
    phone.set_offline(True)
    page.locator("form button").first.tap()
    page.locator("dialog[open] [data-act=yes]").tap()
    expect(page.locator("dialog[open] [role=status]")).not_to_be_empty()
    phone.set_offline(False)
    expect(page.locator('a[href^="tel:"]')).to_be_visible(timeout=15_000)


def test_opening_the_page_counts_as_seen_but_a_bot_does_not(
    stack: Stack, phone: BrowserContext
) -> None:
    _, lead = stack.post_lead(company="Seen Ltd")
    posted: list[str] = []
    phone.on("request", lambda r: posted.append(r.url) if r.method == "POST" else None)
    page = opened(phone, stack, stack.reps[2], lead["lead_id"])
    with page.expect_response(lambda answer: answer.url.endswith("/seen"), timeout=5000) as got:
        page.reload()
    assert got.value.status == 200
    assert all(url.endswith("/seen") for url in posted)


def test_an_outcome_on_a_dead_network_is_tried_again_and_counts_once(
    stack: Stack, phone: BrowserContext
) -> None:
    _, lead = stack.post_lead(company="Lift Ltd")
    page = opened(phone, stack, stack.reps[2], lead["lead_id"])
    page.locator("form button").first.tap()
    page.locator("dialog[open] [data-act=yes]").tap()
    taps = page.locator("[data-tell] button")
    expect(taps.first).to_be_visible()
    before = page.evaluate("history.length")
    phone.set_offline(True)
    page.locator("[data-tell] [value=reached]").tap()
    expect(page.locator("#say")).not_to_be_empty()
    phone.set_offline(False)
    expect(page.get_by_text("Recorded: Reached")).to_be_visible(timeout=15_000)
    # Nothing to send again lies behind "back".
    assert page.evaluate("history.length") == before
