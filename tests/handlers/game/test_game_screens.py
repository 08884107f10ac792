"""The game's pages for a rep: quests, rewards and points, by forms alone (G8, G9, U2)."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from urllib.parse import urlencode

import pytest

from dibs.core.rep import Rep
from dibs.game.scoring.points import ISSUED, Transfer
from dibs.ledger.entries import new_entry
from dibs.wiring import wiring
from handlers.app import AINA, BEN, DAYANG, MANAGER, Answer, App, http
from handlers.game.test_contests import job, to
from handlers.game.test_contests import put as contest
from handlers.game.test_quests import NEW, QUESTS
from handlers.game.test_rewards import award, balance, decide, put
from support.builders import NOON, a_card, a_playbook, token_of

SCRIPT = "<script>alert(1)</script> مرحبا"
TEAMS = {"north": {"name": "North"}, "south": {"name": "South"}}


@pytest.fixture(autouse=True)
def organisation(app: App) -> None:
    app.world.add_manager(MANAGER)
    app.put_playbook(a_playbook(teams=TEAMS, game={"quests": QUESTS}))
    app.hire(NEW, BEN, DAYANG)


def browse(
    app: App,
    route: str,
    path: dict[str, str] | None = None,
    rep: Rep = AINA,
    site: str = "same-origin",
    **form: str,
) -> Answer:
    """Ask as the rep's signed-in browser does."""
    headers: dict[str, Any] = {"cookie": app.cookie(token_of(rep)), "authorization": None}
    headers |= {"accept": "text/html", "sec_fetch_site": site}
    if not route.startswith("GET"):
        headers["content_type"] = "application/x-www-form-urlencoded"
    asked = http("http_playbook", route, path or {}, urlencode(form) or None, **headers)
    asked.pop("queryStringParameters", None)
    return app.ask("game", asked)


def went_to(sent: Answer) -> str:
    assert sent.status == 303, sent.text
    return sent.headers["location"]


PAGES = ("GET /me/quests", "GET /rewards", "GET /me/points", "GET /me/help", "GET /contests")


@pytest.mark.parametrize("route", PAGES)
def test_whoever_is_not_signed_in_is_sent_there_and_back(app: App, route: str) -> None:
    headers: dict[str, Any] = {"authorization": None, "accept": "text/html"}
    asked = http("http_playbook", route, {}, **headers)
    asked.pop("queryStringParameters")
    where = route.removeprefix("GET ")
    assert went_to(app.ask("game", asked)) == f"/sign-in?to={where}"


@pytest.mark.parametrize("route", PAGES)
def test_an_empty_page_says_so_in_the_reps_language(app: App, route: str) -> None:
    app.put_playbook(a_playbook(teams=TEAMS))
    page = browse(app, route, rep=DAYANG)
    assert page.status == 200
    assert '<html lang="ms"' in page.text
    assert 'class="empty"' in page.text


def test_a_step_is_reported_waits_and_is_confirmed(app: App) -> None:
    page = browse(app, "GET /me/quests").text
    for words in ("First weeks", "0 of 4", "50 points", "Ready", "Counts by itself", BEN.name):
        assert words in page
    path = {"quest": "start", "step": "tool"}
    step = "POST /quests/{quest}/{step}"
    assert went_to(browse(app, step, path)) == "/me/quests"
    assert "1 of 4" in browse(app, "GET /me/quests").text
    assert went_to(browse(app, step, {"quest": "start", "step": "ethics"})) == "/me/quests"
    assert "Waits for a manager" in browse(app, "GET /me/quests").text
    asked = browse(app, step, {"quest": "start", "step": "seller"}, peer=BEN.rep_id)
    assert went_to(asked) == "/me/quests"
    assert f"Waits for {BEN.name}" in browse(app, "GET /me/quests").text
    confirm = 'action="/quests/start/seller/confirm"'
    assert confirm in browse(app, "GET /me/quests", rep=BEN).text
    sent = browse(
        *(app, "POST /quests/{quest}/{step}/confirm", {"quest": "start", "step": "seller"}, BEN),
        rep_id=AINA.rep_id,
    )
    assert went_to(sent) == "/me/quests"
    assert confirm not in browse(app, "GET /me/quests", rep=BEN).text
    assert "2 of 4" in browse(app, "GET /me/quests").text


def test_a_step_without_its_peer_or_of_no_quest_is_told_in_words(app: App) -> None:
    step = "POST /quests/{quest}/{step}"
    sent = browse(app, step, {"quest": "start", "step": "seller"}, peer="")
    assert (sent.status, "Something is missing" in sent.text) == (422, True)
    assert browse(app, step, {"quest": "none", "step": "none"}).status == 404


def test_a_page_of_another_site_changes_nothing(app: App) -> None:
    put(app, {"name": "Mug", "price": 100, "stock": 2})
    award(app, 100)
    before = app.everything()
    ask = "POST /rewards/{reward_id}/requests"
    form = {"request_id": "1", "price": "100"}
    sent = browse(app, ask, {"reward_id": "mug"}, site="cross-site", **form)
    assert went_to(sent).startswith("/sign-in")
    step = {"quest": "start", "step": "tool"}
    assert went_to(browse(app, "POST /quests/{quest}/{step}", step, site="cross-site"))
    before.pop("credentials_table")
    after = app.everything()
    after.pop("credentials_table")
    assert after == before


def asking(app: App) -> dict[str, str]:
    page = browse(app, "GET /rewards").text
    return dict(re.findall(r'name="(request_id|price)" value="([^"]+)"', page))


def test_a_reward_is_asked_for_once_at_the_price_that_was_shown(app: App) -> None:
    put(app, {"name": SCRIPT, "price": 100, "stock": 2})
    award(app, 150)
    page = browse(app, "GET /rewards").text
    assert "<script>alert" not in page
    for words in ("You have 150 points", "100 points", "2 left", "A manager approves it"):
        assert words in page
    form, ask, mug = asking(app), "POST /rewards/{reward_id}/requests", {"reward_id": "mug"}
    for _ in range(2):  # a double tap
        assert went_to(browse(app, ask, mug, **form)) == "/rewards"
    assert balance() == 50
    page = browse(app, "GET /rewards").text
    assert "Waits for a manager" in page
    assert "50 more points are needed." in page
    name = f"{AINA.rep_id}.{form['request_id']}"
    assert decide(app, "refuse", name, "Not this month").status == 200
    page = browse(app, "GET /rewards").text
    assert "Refused, your points are back" in page
    assert "Not this month" in page


@pytest.mark.parametrize(
    ("stock", "points", "price", "words"),
    [
        (2, 500, "99", "The price has changed"),
        (0, 500, "100", "The last one is gone"),
        (2, 40, "100", "You need 60 more points"),
    ],
)
def test_what_cannot_be_had_is_told_in_words(
    app: App, stock: int, points: int, price: str, words: str
) -> None:
    put(app, {"name": "Mug", "price": 100, "stock": stock})
    award(app, points)
    form = {"request_id": "1", "price": price}
    sent = browse(app, "POST /rewards/{reward_id}/requests", {"reward_id": "mug"}, **form)
    assert sent.status == 409
    assert words in sent.text
    assert balance() == points


def test_points_say_what_they_came_for_with_the_company(app: App) -> None:
    lead = app.lead()
    assert app.claim(lead).status == 200
    mine = wiring()
    held = app.now(lead)
    entry = new_entry("activity/7", "won", AINA.rep_id, "north", NOON, mine.roster.rules(), held)
    mine.ledger.put([entry])
    award(app, 200, 7)
    back = Transfer("x/1", AINA.rep_id, ISSUED, 50, NOON, "opportunity_reversed", "activity/7")
    assert mine.points.book([back])
    page = browse(app, "GET /me/points").text
    company = a_card(1).company
    for words in ("+200", f"{company} was won", "-50", f"{company} became an opportunity"):
        assert words in page
    assert "Taken back" in page
    assert "activity/7" not in page


def test_help_is_asked_answered_and_confirmed_by_forms(app: App) -> None:
    lead = app.lead(1, company=SCRIPT)
    assert app.claim(lead).status == 200
    ask = "POST /leads/{lead_id}/help"
    for _ in range(2):  # a double tap
        sent = browse(app, ask, {"lead_id": lead.lead_id}, request_id="1", question=SCRIPT)
        assert went_to(sent) == "/me/help"
    page = browse(app, "GET /me/help", rep=BEN).text
    assert page.count(AINA.name) == 2  # once shown, once as the answer's label
    assert "<script>alert" not in page
    [help_id] = re.findall(r'action="/help/([^/]+)/answers"', page)
    answers, one = "POST /help/{help_id}/answers", {"help_id": help_id}
    assert went_to(browse(app, answers, one, BEN, text="Ask for Nadia")) == "/me/help"
    changed = browse(app, answers, one, BEN, text="Ask for Jamal")
    assert (changed.status, "You sent something else before" in changed.text) == (409, True)
    page = browse(app, "GET /me/help").text
    assert "Ask for Nadia" in page
    confirm = "POST /help/{help_id}/confirm"
    assert went_to(browse(app, confirm, one, helper=BEN.rep_id)) == "/me/help"
    assert "/confirm" not in browse(app, "GET /me/help").text
    assert went_to(browse(app, "POST /help/{help_id}/close", one)) == "/me/help"
    assert "Closed" in browse(app, "GET /me/help").text


def test_asking_about_a_lead_of_a_colleague_is_told_in_words(app: App) -> None:
    lead = app.lead()
    assert app.claim(lead, BEN).status == 200
    form = {"request_id": "1", "question": "Who?"}
    sent = browse(app, "POST /leads/{lead_id}/help", {"lead_id": lead.lead_id}, **form)
    assert (sent.status, "not yours" in sent.text) == (409, True)


def test_contests_show_my_place_and_the_time_left(app: App) -> None:
    made = contest(app, name=SCRIPT, first_day="2026-11-30", last_day="2026-12-06")
    assert made.status == 200
    page = browse(app, "GET /contests").text
    for words in ("To come", "begins", "Dinner"):
        assert words in page
    to(app, date(2026, 11, 30), hours=1)
    job(app)
    page = browse(app, "GET /contests").text
    assert "<script>alert" not in page
    for words in ("On now", "Your place: 1", "7 days left", "/contests/week"):
        assert words in page
    shown = browse(app, "GET /contests/{contest_id}", {"contest_id": "week"})
    assert shown.status == 200
    assert "The highest wins." in shown.text
    assert "<script>alert" not in shown.text
    unknown = browse(app, "GET /contests/{contest_id}", {"contest_id": "none"})
    assert unknown.status == 404
