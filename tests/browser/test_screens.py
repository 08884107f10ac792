"""The demo as a newcomer meets it: who to be, a lead that is claimed, a manager's desk."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from support.stack import Stack, until

pytestmark = [pytest.mark.browser, pytest.mark.stack]


def be(phone: BrowserContext, stack: Stack, name: str) -> Page:
    """Open the first page, and be one of the demo's people by one tap."""
    page = phone.new_page()
    page.goto(f"http://dibs.localhost:{stack.port}/sign-in")
    page.get_by_role("button", name=re.compile(name)).tap()
    return page


def test_a_rep_sees_a_lead_come_and_claims_it(stack: Stack, phone: BrowserContext) -> None:
    page = be(phone, stack, stack.described["reps"][0]["name"])
    expect(page).to_have_url(re.compile(r"/$"))
    _, lead = stack.post_lead(company="Pinewood Cranes Ltd")
    # Nobody reloads the page: it follows.
    card = page.locator("article", has_text="Pinewood Cranes Ltd")
    expect(card).to_be_visible(timeout=30_000)
    expect(card.locator(".clock")).to_have_text(re.compile(r"^1[45]:\d\d$"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    card.get_by_role("link", name=re.compile("Claim")).tap()
    page.locator("button.disc").tap()
    page.get_by_role("button", name=re.compile("Yes, claim it")).tap()
    expect(page.locator("main[data-state=won]")).to_be_visible()
    assert stack.lock(lead["lead_id"])["owner"]["S"] == stack.described["reps"][0]["rep_id"]


def test_a_manager_gives_a_lead_to_a_rep_from_the_desk(stack: Stack, phone: BrowserContext) -> None:
    page = be(phone, stack, "Morgan Hale")
    expect(page).to_have_url(re.compile(r"/desk$"))
    _, lead = stack.post_lead(company="Quarry Light Bhd")
    # On a stack with hundreds of open leads it is on no page of the list yet.
    page.goto(f"{page.url}?lead={lead['lead_id']}")
    card = page.locator("article", has_text="Quarry Light Bhd")
    rep = stack.described["reps"][2]
    card.get_by_label("Give it to").select_option(rep["rep_id"])
    card.get_by_label("Why, in your own words").first.fill("Knows them")
    card.get_by_role("button", name="Assign", exact=True).tap()
    expect(page).to_have_url(re.compile(r"/desk$"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    until(lambda: stack.lock(lead["lead_id"])["owner"]["S"] == rep["rep_id"])
