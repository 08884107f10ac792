"""The manager's desk in a browser: what it shows, whom, and what its forms do (U5, R7, R8)."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from dibs.core.lead import Lead, State
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, MANAGER, Answer, App, http
from manage import desk
from support.builders import NOON, a_card, a_playbook, a_rep, token_of

NORTHERN = "m-north.secret"


@pytest.fixture(autouse=True)
def organisation(app: App) -> None:
    app.world.add_manager(MANAGER)
    app.world.add_manager(NORTHERN, team="north")
    app.hire(AINA, BEN, CHONG)


def look(app: App, cookie: str | None = None, **asked: str) -> Answer:
    sent = app.cookie(MANAGER) if cookie is None else cookie
    event = http("http_board", "GET /desk", {}, accept="text/html", cookie=sent, authorization=None)
    return app.ask("manage", {**event, "queryStringParameters": asked})


def press(
    app: App, route: str, named: str, sent: str = MANAGER, site: str = "same-origin", **form: str
) -> Answer:
    """Send a form of the desk."""
    what = "lead_id" if "{lead_id}" in route else "rep_id"
    event = http(
        "http_playbook",
        f"POST {route}",
        {what: named},
        urlencode(form),
        accept="text/html",
        cookie=app.cookie(sent),
        content_type="application/x-www-form-urlencoded",
        sec_fetch_site=site,
        authorization=None,
    )
    event.pop("queryStringParameters", None)
    return app.ask("manage", event)


def held_by_aina(app: App, number: int = 1) -> Lead:
    lead = app.lead(number)
    assert app.claim(lead).status == 200
    return app.now(lead)


def test_the_desk_shows_leads_people_and_that_nothing_waits(app: App) -> None:
    app.lead(1)
    page = look(app)
    assert page.status == 200
    for words in (a_card(1).company, AINA.name, BEN.name, "Nothing waits for you.", "Open"):
        assert words in page.text


def test_what_needs_somebody_comes_first_and_is_counted(app: App) -> None:
    app.lead(1)
    held = app.lead(2)
    assert (
        press(app, "/leads/{lead_id}/withdraw", held.lead_id, to="nobody", reason="so").status
        == 303
    )
    text = look(app).text
    assert "1 lead is on hold." in text
    assert text.index(a_card(2).company) < text.index(a_card(1).company)


def test_assigning_from_the_desk_moves_the_lead_and_comes_back(app: App) -> None:
    lead = held_by_aina(app)
    sent = press(
        app, "/leads/{lead_id}/assign", lead.lead_id, rep_id=BEN.rep_id, reason="Knows them"
    )
    assert (sent.status, sent.headers["location"]) == (303, "/desk")
    assert app.now(lead).owner == BEN.rep_id
    assert f"With {BEN.name}" in look(app).text


def test_pausing_from_the_desk_pauses_and_ends(app: App) -> None:
    until = NOON.replace(year=NOON.year + 1).isoformat()
    sent = press(app, "/reps/{rep_id}/pause", AINA.rep_id, reason="Training", until=until)
    assert sent.status == 303
    rep = wiring().roster.get(AINA.rep_id)
    assert rep is not None
    assert rep.manager_pause(app.clock.at) is not None
    assert "Training" in look(app).text
    assert press(app, "/reps/{rep_id}/resume", AINA.rep_id).status == 303
    rep = wiring().roster.get(AINA.rep_id)
    assert rep is not None
    assert rep.manager_pause(app.clock.at) is None


def test_a_pause_is_as_long_as_its_button_says_however_long_the_page_was_open(app: App) -> None:
    assert '<button name="minutes" value="15">' in look(app).text
    now = app.clock.pass_(minutes=20)
    sent = press(app, "/reps/{rep_id}/pause", AINA.rep_id, reason="Training", minutes="15")
    assert sent.status == 303
    rep = wiring().roster.get(AINA.rep_id)
    assert rep is not None
    assert rep.manager_paused_until == now + timedelta(minutes=15)


@pytest.mark.parametrize("minutes", ["", "0", "-5", "x", "1.5", "9" * 30, "\u0665"])
def test_minutes_that_are_none_pause_nobody(app: App, minutes: str) -> None:
    sent = press(app, "/reps/{rep_id}/pause", AINA.rep_id, reason="so", minutes=minutes)
    assert sent.status == 422
    rep = wiring().roster.get(AINA.rep_id)
    assert rep is not None
    assert rep.manager_pause(app.clock.at) is None


def test_what_waits_is_seen_however_many_leads_are_open(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "MOST_LISTED", 2)
    held = app.lead(9)
    press(app, "/leads/{lead_id}/withdraw", held.lead_id, to="nobody", reason="so")
    for number in (1, 2, 3):
        app.lead(number)
    text = look(app).text
    assert "1 lead is on hold." in text
    assert a_card(9).company in text
    assert "There are more leads than are shown here." in text


def test_what_is_unworked_is_seen_however_many_hold_nothing(app: App) -> None:
    app.hire_crowd(40)
    last = a_rep(999, name="Zainab")
    app.hire(last)
    lead = app.lead(1)
    press(app, "/leads/{lead_id}/assign", lead.lead_id, rep_id=last.rep_id, reason="so")
    text = look(app).text
    assert "With Zainab" in text
    assert "There are more leads" not in text


def test_the_desk_does_not_say_that_nothing_waits_where_it_has_not_seen_all(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "_PAGES", 1)
    app.hire_crowd(40)
    text = look(app).text
    assert "Nothing waits for you." not in text
    assert "There are more leads than are shown here." in text


def test_the_desk_has_the_clock_of_its_team(app: App) -> None:
    teams = {"north": {"name": "North", "zone": "Asia/Kuala_Lumpur"}, "south": {"name": "South"}}
    app.put_playbook(a_playbook(teams=teams))
    assert "20:00 Asia/Kuala_Lumpur" in look(app, app.cookie(NORTHERN)).text
    assert "12:00 UTC" in look(app).text


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"rep_id": BEN.rep_id}, 422),
        ({"rep_id": "nobody", "reason": "so"}, 422),
        ({"rep_id": BEN.rep_id, "reason": "so", "more": "1"}, 422),
    ],
)
def test_a_form_that_is_wrong_says_so_and_changes_nothing(
    app: App, form: dict[str, str], status: int
) -> None:
    lead = held_by_aina(app)
    sent = press(app, "/leads/{lead_id}/assign", lead.lead_id, **form)
    assert sent.status == status
    assert "That did not work" in sent.text
    assert 'href="/desk"' in sent.text
    assert app.now(lead).owner == AINA.rep_id


def test_a_form_of_another_site_changes_nothing(app: App) -> None:
    lead = app.lead(1)
    sent = press(app, "/leads/{lead_id}/withdraw", lead.lead_id, site="cross-site", reason="so")
    assert (sent.status, sent.headers["location"]) == (303, "/sign-in?to=/desk")
    assert app.now(lead).state is State.OPEN
    assert not app.now(lead).on_hold


def test_a_teams_manager_sees_and_moves_their_team_only(app: App) -> None:
    cookie = app.cookie(NORTHERN)
    text = look(app, cookie).text
    assert AINA.name in text
    assert CHONG.name not in text
    assert look(app, cookie, team="south").status == 403
    sent = press(app, "/reps/{rep_id}/pause", CHONG.rep_id, NORTHERN, reason="so")
    assert sent.status == 404


def test_a_team_that_is_not_there_is_named_as_wrong(app: App) -> None:
    assert look(app, team="nowhere").status == 422


def test_a_rep_is_told_that_it_is_for_managers_and_nobody_else_gets_in(app: App) -> None:
    refused = look(app, app.cookie(token_of(AINA)))
    assert refused.status == 403
    assert AINA.name not in refused.text
    assert 'href="/desk"' not in refused.text
    assert '<nav><a href="/">' in refused.text
    sent = look(app, "__Host-dibs=nobody.forged")
    assert (sent.status, sent.headers["location"]) == (303, "/sign-in?to=/desk")


def test_what_people_write_is_shown_as_text(app: App) -> None:
    hostile = "<script>alert(1)</script>"
    sent = press(app, "/reps/{rep_id}/pause", AINA.rep_id, reason=hostile)
    assert sent.status == 303
    text = look(app).text
    assert hostile not in text
    assert "&lt;script&gt;alert(1)" in text


def test_the_forms_of_one_lead_are_shown_at_a_time(app: App) -> None:
    """Each lists everybody: all of them would be megabytes for a large team."""
    first, other = app.lead(1), app.lead(2)
    assert "<select" not in look(app).text
    opened = look(app, lead=first.lead_id).text
    assert opened.count("<select") == 1
    assert f"/leads/{first.lead_id}/assign" in opened
    assert f"/leads/{other.lead_id}/assign" not in opened
    # What somebody fills in must not be fetched anew under their hands.
    assert "<script" not in opened


def test_a_lead_that_is_opened_is_shown_wherever_it_would_be_listed(app: App) -> None:
    leads = [app.lead(number) for number in range(1, 4)]
    app.clock.pass_(seconds=1)
    opened = look(app, lead=leads[2].lead_id).text
    assert opened.index(a_card(3).company) < opened.index(a_card(1).company)
    assert opened.count(a_card(3).company) == look(app).text.count(a_card(3).company)
    for nothing in ("nobody", "x" * 2000, "\x00"):
        assert "<select" not in look(app, lead=nothing).text


def test_another_teams_lead_is_not_opened(app: App) -> None:
    lead = app.lead(1)
    press(app, "/leads/{lead_id}/assign", lead.lead_id, rep_id=CHONG.rep_id, reason="so")
    assert app.now(lead).owner == CHONG.rep_id
    assert a_card(1).company in look(app, lead=lead.lead_id).text
    assert a_card(1).company not in look(app, app.cookie(NORTHERN), lead=lead.lead_id).text
