"""A lead in hand: its contact as long as one holds it, and what came of it in one tap (U2)."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from dibs.assignment.override import assign, withdraw
from dibs.assignment.work import look_after, release
from dibs.core.lead import Lead, State
from dibs.core.rep import Rep
from dibs.ledger.quick import FURTHER
from dibs.web.sign_in import own_path
from dibs.wiring import wiring
from handlers.app import AINA, BEN, DAYANG, MANAGER, Answer, App, http
from support.builders import a_playbook, proof_of, token_of
from support.fakes import FakeBus

CONTACT = ("Jane Tan", "jane@acme.example", "+60128880000")
OURS = {"sec_fetch_site": "same-origin"}


@pytest.fixture(autouse=True)
def people(app: App) -> None:
    app.hire(AINA, BEN, DAYANG)
    app.world.add_manager(MANAGER)


def won(app: App, rep: Rep = AINA, number: int = 1, **card: Any) -> Lead:
    lead = app.lead(number, **card)
    assert app.claim(lead, rep).status == 200
    return app.now(lead)


def ask(app: App, route: str, lead: Lead, rep: Rep = AINA, body: Any = None) -> Answer:
    path = {"lead_id": lead.lead_id}
    text = None if body is None else json.dumps(body)
    bearer = f"Bearer {token_of(rep)}"
    return app.ask("rep", http("http_offers", route, path, text, authorization=bearer))


def card(app: App, lead: Lead, rep: Rep = AINA) -> Answer:
    return ask(app, "GET /me/leads/{lead_id}", lead, rep)


def tell(app: App, lead: Lead, outcome: Any, tap: Any = "tap-1", rep: Rep = AINA) -> Answer:
    body = {"outcome": outcome, "outcome_id": tap}
    return ask(app, "POST /me/leads/{lead_id}/outcome", lead, rep, body)


def browse(app: App, route: str, path: dict[str, str], rep: Rep = AINA, **form: str) -> Answer:
    """Ask as the rep's signed-in browser does."""
    function = "claim" if "/c/" in route else "rep"
    cookie = app.cookie(token_of(rep))
    headers = {"authorization": None, "cookie": cookie, "accept": "text/html", **OURS}
    headers |= {"content_type": "application/x-www-form-urlencoded"} if form else {}
    asked = http("http_offers", route, path, urlencode(form) if form else None, **headers)
    return app.ask(function, asked)


def unworked(app: App) -> None:
    mine = wiring()
    look_after(mine.race, mine.holdings, FakeBus(), app.clock)


# The card


@pytest.mark.parametrize("days", [0, 1, 40])
def test_who_holds_a_lead_sees_its_contact_as_long_as_they_hold_it(app: App, days: int) -> None:
    lead = won(app)
    tell(app, lead, "reached")
    app.clock.pass_(days=days)
    answer = card(app, lead)
    assert answer.status == 200
    assert [answer.json["lead"][name] for name in ("contact_name", "contact_email")] == [
        "Jane Tan",
        "jane@acme.example",
    ]
    assert answer.json["came"]["cause"] == "claimed"
    assert [one["type"] for one in answer.json["history"]] == ["call", "contacted"]
    assert answer.json["state"] == "contacted"


def test_the_card_says_how_it_came_until_when_and_what_may_come_next(app: App) -> None:
    lead = won(app)
    found = card(app, lead).json
    assert found["return_at"] == "2026-11-23T13:00:00.000Z"
    assert found["undo_until"] == "2026-11-23T12:00:30.000Z"
    assert found["outcomes"] == [
        *("called", "no answer", "reached", "meeting", "wrong number", "not interested")
    ]
    assert set(found["moves"]) == {
        *("contacted", "qualified", "opportunity", "won", "lost", "disqualified")
    }
    app.clock.pass_(minutes=1)
    assert card(app, lead).json["undo_until"] is None


def test_an_assigned_lead_says_who_gave_it_and_why(app: App) -> None:
    lead = app.lead()
    mine = wiring()
    assign(mine.race, mine.holdings, lead.lead_id, AINA.rep_id, "m-1", "You know them", app.clock)
    came = card(app, lead).json["came"]
    assert (came["cause"], came["by"], came["reason"]) == ("by_manager", "m-1", "You know them")


def test_a_colleague_or_a_stranger_sees_nothing(app: App) -> None:
    lead = won(app)
    assert (card(app, lead, BEN).status, card(app, lead, BEN).code) == (404, "lead_not_found")
    for outcome in ("reached", "no such thing"):
        assert tell(app, lead, outcome, rep=BEN).status == 404
    assert app.now(lead).state is State.CLAIMED


def back_to_the_pool(app: App, lead: Lead) -> None:
    app.clock.pass_(minutes=60)
    unworked(app)


def released(app: App, lead: Lead) -> None:
    app.clock.pass_(minutes=6)
    mine, proof = wiring(), proof_of(AINA)
    release(mine.race, mine.holdings, lead.lead_id, AINA.rep_id, proof, "Spam", app.clock)


def taken_back(app: App, lead: Lead) -> None:
    mine = wiring()
    withdraw(mine.race, mine.holdings, lead.lead_id, "pool", "m-1", "A mistake", app.clock)


def reassigned(app: App, lead: Lead) -> None:
    mine = wiring()
    assign(mine.race, mine.holdings, lead.lead_id, BEN.rep_id, "m-1", "Ben knows them", app.clock)


@pytest.mark.parametrize(
    ("happens", "cause", "says"),
    [
        (back_to_the_pool, "not_worked", "It went back at 21:00: no contact within 60 min."),
        (released, "released", "You gave it back at 20:06: Spam"),
        (taken_back, "withdrawn", "Your manager took it back at 20:00: A mistake"),
        (reassigned, "reassigned", "Your manager moved it at 20:00: Ben knows them"),
    ],
)
def test_after_that_one_is_told_why_it_went(app: App, happens: Any, cause: str, says: str) -> None:
    lead = won(app)
    happens(app, lead)
    for answer in (card(app, lead), tell(app, lead, "reached")):
        assert (answer.status, answer.code) == (410, "no_longer_yours")
        assert (answer.json["detail"], answer.json["cause"]) == (says, cause)
        assert not [word for word in CONTACT if word in answer.text]
    page = browse(app, "GET /leads/{lead_id}", {"lead_id": lead.lead_id})
    assert page.status == 410
    assert says in page.text
    old = browse(app, "GET /c/{token}", {"token": app.link(lead)})
    assert old.status == 410
    assert says in old.text


def test_why_it_went_is_said_in_the_reps_language(app: App) -> None:
    lead = won(app, DAYANG)
    back_to_the_pool(app, lead)
    assert card(app, lead, DAYANG).json["detail"].startswith("Prospek ini")


# Outcomes


@pytest.mark.parametrize(
    ("outcome", "kinds", "state"),
    [
        ("no answer", ["call"], "claimed"),
        ("Reached", ["call", "contacted"], "contacted"),
        ("meeting", ["call", "contacted", "appointment_set"], "contacted"),
        ("wrong_number", ["call", "disqualified"], "lost"),
    ],
)
def test_an_outcome_is_one_tap(app: App, outcome: str, kinds: list[str], state: str) -> None:
    lead = won(app)
    app.clock.pass_(minutes=5)
    answer = tell(app, lead, outcome)
    assert (answer.status, answer.json["recorded"]) == (200, kinds)
    assert (answer.json["state"], answer.json["return_at"]) == (state, None)
    app.clock.pass_(minutes=56)
    unworked(app)
    assert app.now(lead).owner == AINA.rep_id


def test_a_tap_sent_again_counts_once_whenever_it_comes(app: App) -> None:
    lead = won(app)
    first = tell(app, lead, "reached")
    app.clock.pass_(minutes=3)
    before = app.everything()
    again = tell(app, lead, "reached")
    assert (first.json["repeated"], again.json["repeated"]) == (False, True)
    assert app.everything() == before
    assert tell(app, lead, "reached", "tap-2").json["repeated"] is False


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["outcome", "outcome_id"]),
        ({"outcome": "reached"}, ["outcome_id"]),
        ({"outcome": "reached", "outcome_id": ""}, ["outcome_id"]),
        ({"outcome": "reached", "outcome_id": "x" * 65}, ["outcome_id"]),
        ({"outcome": "reached", "outcome_id": "<b>"}, ["outcome_id"]),
        ({"outcome": 3, "outcome_id": "tap"}, ["outcome"]),
        ({"outcome": "sold", "outcome_id": "tap"}, ["outcome"]),
    ],
)
def test_what_is_wrong_with_a_tap_is_named(app: App, body: Any, fields: list[str]) -> None:
    answer = ask(app, "POST /me/leads/{lead_id}/outcome", won(app), body=body)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert [one["field"] for one in answer.json["errors"]] == fields


def test_a_closed_lead_is_not_closed_otherwise(app: App) -> None:
    lead = won(app)
    tell(app, lead, "not interested")
    assert card(app, lead).json["moves"] == []
    again = tell(app, lead, "wrong number", "tap-2")
    assert again.status in (200, 409)
    assert app.now(lead).state is State.LOST


# Pages


def test_the_page_says_what_each_post_consented_to(app: App) -> None:
    lead = won(app, consent="phone only")
    app.lead(1, external_id="again")
    page = browse(app, "GET /leads/{lead_id}", {"lead_id": lead.lead_id}).text
    first, _, later = page.partition("They wrote again")
    assert "phone only" in first
    assert "No consent on record" in later


def test_the_page_of_a_lead_has_contact_deadline_and_buttons_without_script(app: App) -> None:
    lead = won(app)
    page = browse(app, "GET /leads/{lead_id}", {"lead_id": lead.lead_id})
    assert page.status == 200
    for shown in (*CONTACT, "Make first contact by 21:00", 'value="no answer"', "tel:+60128880000"):
        assert shown in page.text
    assert "<script" not in page.text
    form = {"outcome": "no answer", "outcome_id": "1-1"}
    path = {"lead_id": lead.lead_id}
    done = browse(app, "POST /me/leads/{lead_id}/outcome", path, **form)
    assert (done.status, done.headers["location"]) == (303, f"/leads/{lead.lead_id}")
    again = browse(app, "GET /leads/{lead_id}", path)
    assert "Make first contact" not in again.text
    assert "No answer" in again.text


def test_a_page_of_another_site_tells_nothing(app: App) -> None:
    lead = won(app)
    cookie = app.cookie(token_of(AINA))
    path = {"lead_id": lead.lead_id}
    asked = http(
        *("http_offers", "POST /me/leads/{lead_id}/outcome", path, "outcome=reached&outcome_id=1"),
        authorization=None,
        cookie=cookie,
        sec_fetch_site="cross-site",
    )
    assert app.ask("rep", asked).status == 401
    assert app.now(lead).worked_at is None


@pytest.mark.parametrize("rep", [AINA, DAYANG])
def test_home_shows_duty_offers_and_what_one_holds(app: App, rep: Rep) -> None:
    held, offered = won(app, rep), app.lead(2)
    page = browse(app, "GET /", {}, rep)
    assert page.status == 200
    assert page.text.count("<script") == 1  # the shared one, that follows what happens
    for shown in (
        f"/c/{app.link(offered, rep)}",
        f"/leads/{held.lead_id}",
        f"/me/leads/{held.lead_id}/outcome",
        "21:00",
        'class="clock" role="timer" aria-label="',  # also for whoever has it read aloud
    ):
        assert shown in page.text
    assert not [word for word in CONTACT if word in page.text]
    assert ("On duty" in page.text) is (rep is AINA)


def test_the_switch_pauses_and_comes_back(app: App) -> None:
    route = "POST /me/availability"
    off = browse(app, route, {}, available="false", minutes="15")
    assert (off.status, off.headers["location"]) == (303, "/")
    assert "Paused until 20:15" in browse(app, "GET /", {}).text
    browse(app, route, {}, available="true")
    assert "On duty" in browse(app, "GET /", {}).text


def test_whoever_is_not_signed_in_is_sent_there_and_back(app: App) -> None:
    lead = won(app)
    path = {"lead_id": lead.lead_id}
    headers: dict[str, Any] = {"authorization": None, "accept": "text/html"}
    for route, to in (("GET /", "/"), ("GET /leads/{lead_id}", f"/leads/{lead.lead_id}")):
        answer = app.ask("rep", http("http_offers", route, path, **headers))
        assert (answer.status, answer.headers["location"]) == (303, f"/sign-in?to={to}")
    manager = {"authorization": f"Bearer {MANAGER}", "accept": "text/html"}
    answer = app.ask("rep", http("http_offers", "GET /", {}, **manager))
    assert (answer.status, answer.headers["location"]) == (303, "/desk")


# The claim page


def look(app: App, lead: Lead, **headers: Any) -> Answer:
    asked = http("http_claim_page", "GET /c/{token}", {"token": app.link(lead)}, **headers)
    return app.ask("claim", asked)


def test_the_link_alone_shows_the_contact_for_a_quarter_of_an_hour(app: App) -> None:
    lead = won(app)
    assert all(word in look(app, lead).text for word in CONTACT)
    app.clock.pass_(minutes=16)
    hidden = look(app, lead)
    assert not [word for word in CONTACT if word in hidden.text]
    assert f'href="../sign-in?to=/c/{app.link(lead)}"' in hidden.text
    assert 'value="reached"' in hidden.text
    for cookie in (app.cookie(token_of(BEN)), f"__Host-dibs={AINA.rep_id}.forged"):
        page = look(app, lead, cookie=cookie)
        assert not [word for word in CONTACT if word in page.text]
    mine = look(app, lead, cookie=app.cookie(token_of(AINA)))
    assert all(word in mine.text for word in CONTACT)


def test_a_session_that_was_ended_shows_nothing(app: App) -> None:
    lead, cookie = won(app), app.cookie(token_of(AINA))
    app.clock.pass_(minutes=16)
    app.world.replace_token(f"{AINA.rep_id}.another")
    assert not [word for word in CONTACT if word in look(app, lead, cookie=cookie).text]


def tap(app: App, lead: Lead, rep: Rep = AINA, accept: str = "text/html", **form: str) -> Answer:
    route, path = "POST /c/{token}/outcome", {"token": app.link(lead, rep)}
    asked = http("http_claim_page_post", route, path, urlencode(form), accept=accept)
    return app.ask("claim", asked)


def follow(app: App, sent: Answer) -> Answer:
    """Look at the claim page that a browser is sent on to."""
    assert sent.status == 303
    where = urlsplit(sent.headers["location"])
    asked = http("http_claim_page", "GET /c/{token}", {"token": where.path.removeprefix("/c/")})
    asked["queryStringParameters"] = dict(parse_qsl(where.query))
    return app.ask("claim", asked)


def test_the_won_page_says_by_when_and_takes_a_tap(app: App) -> None:
    lead = app.lead()
    asked = http("http_claim_page_post", "POST /c/{token}/claim", {"token": app.link(lead)})
    page = app.ask("claim", asked)
    assert "Make first contact by 21:00." in page.text
    assert 'action="outcome"' in page.text
    [tap_id] = re.findall(r'name="outcome_id" value="([^"]+)"', page.text)
    app.clock.pass_(minutes=20)
    done = follow(app, tap(app, lead, outcome="reached", outcome_id=tap_id))
    assert done.status == 200
    assert "Recorded: Reached" in done.text
    assert "Make first contact" not in done.text
    assert not [word for word in CONTACT if word in done.text]  # the link is no longer fresh
    before = app.everything()
    tap(app, lead, outcome="reached", outcome_id=tap_id)
    assert app.everything() == before
    assert app.now(lead).state is State.CONTACTED


def test_a_tap_needs_a_lead_one_holds(app: App) -> None:
    lead = app.lead()
    form = {"outcome": "reached", "outcome_id": "1"}
    assert tap(app, lead, accept="*/*", **form).status == 409
    won_by_ben = won(app, BEN, 2)
    assert tap(app, won_by_ben, accept="*/*", **form).status == 409
    mine = won(app, AINA, 3)
    back_to_the_pool(app, mine)
    gone = tap(app, mine, **form)
    assert gone.status == 410
    assert "no contact within 60 min" in gone.text
    assert tap(app, mine, accept="*/*", **form).code == "no_longer_yours"
    forged = tap(app, won(app, AINA, 4), outcome="sold", outcome_id="1")
    assert forged.status == 422
    assert "Nothing is recorded." in forged.text


def test_a_tap_is_answered_in_malay(app: App) -> None:
    lead = won(app, DAYANG)
    page = follow(app, tap(app, lead, DAYANG, outcome="no answer", outcome_id="1"))
    assert '<html lang="ms"' in page.text
    assert "No answer" not in page.text.replace('value="no answer"', "")


def test_no_outcome_is_asked_for_that_only_others_report(app: App) -> None:
    rules = {"reporting": {"types": {"contacted": {"by": ["system"]}}}}
    playbook = a_playbook(teams={"north": {"name": "North"}}, game=rules)
    app.put_playbook(playbook)
    lead = won(app)
    assert card(app, lead).json["outcomes"] == ["called", "no answer", "wrong number"]
    assert tell(app, lead, "reached").status == 403


ONLY_OTHERS = [
    (["system"], "only a system reports this"),
    (["manager"], "only a manager reports this"),
    (["system", "manager"], "only a system or a manager reports this"),
]


def only_others_report(app: App, type: str, by: list[str]) -> None:
    rules = {"reporting": {"types": {type: {"by": by}}}}
    app.put_playbook(a_playbook(teams={"north": {"name": "North"}}, game=rules))


@pytest.mark.parametrize(("by", "says"), ONLY_OTHERS)
def test_a_page_says_who_reports_it_and_nothing_is_recorded(
    app: App, by: list[str], says: str
) -> None:
    only_others_report(app, "appointment_set", by)
    lead = won(app)
    refused = tap(app, lead, outcome="meeting", outcome_id="1")
    assert refused.status == 403
    assert says in refused.text
    own = browse(
        *(app, "POST /me/leads/{lead_id}/outcome", {"lead_id": lead.lead_id}),
        outcome="meeting",
        outcome_id="1",
    )
    assert (own.status, says in own.text) == (403, True)
    assert tell(app, lead, "meeting").status == 403
    assert card(app, lead).json["history"] == []
    assert (app.now(lead).state, app.now(lead).worked_at) == (State.CLAIMED, None)


def offered(page: str) -> list[str]:
    return re.findall(r'name="outcome" value="([^"]+)"', page)


@pytest.mark.parametrize("type", ["call", "contacted", "appointment_set", "lost", "disqualified"])
@pytest.mark.parametrize("minutes", [0, 16])
def test_every_page_offers_the_same_outcomes(app: App, type: str, minutes: int) -> None:
    only_others_report(app, type, ["system"])
    lead = app.lead()
    asked = http("http_claim_page_post", "POST /c/{token}/claim", {"token": app.link(lead)})
    claimed = offered(app.ask("claim", asked).text)
    app.clock.pass_(minutes=minutes)
    path = {"lead_id": lead.lead_id}
    expected = card(app, lead).json["outcomes"]
    assert offered(look(app, lead).text) == claimed == expected
    own_page = offered(browse(app, "GET /leads/{lead_id}", path).text)
    # It asks besides for what needs more than a word.
    assert [one for one in own_page if one not in FURTHER] == expected
    for outcome in claimed:
        assert tell(app, lead, outcome, "x").status == 200 or app.now(lead).state is State.LOST


@pytest.mark.parametrize("outcome", ["called", "no answer", "reached", "meeting", "wrong number"])
def test_no_undo_is_offered_that_would_be_refused(app: App, outcome: str) -> None:
    lead = won(app)
    assert 'data-do="undo"' in look(app, lead).text
    told = tell(app, lead, outcome)
    assert told.status == 200
    assert card(app, lead).json["undo_until"] is None
    assert 'data-do="undo"' not in look(app, lead).text
    again = app.claim(lead, AINA)
    assert again.json["undo_until"] <= again.json["claimed_at"]
    asked = http("http_claim_page_post", "POST /c/{token}/undo", {"token": app.link(lead)})
    assert app.ask("claim", asked).status == 409


def test_going_back_sends_no_tap_again_and_the_page_says_what_is_recorded(app: App) -> None:
    lead = won(app)
    for number, outcome in enumerate(("no answer", "meeting")):
        sent = tap(app, lead, outcome=outcome, outcome_id=f"tap-{number}")
        shown = follow(app, sent)
        assert (
            "Recorded: " + {"no answer": "No answer", "meeting": "Meeting"}[outcome] in shown.text
        )
        assert f'action="{app.link(lead)}/outcome"' in shown.text


@pytest.mark.parametrize(
    "asked",
    [{"told": "meeting", "tap": "tap-1"}, {"told": "reached", "tap": "tap-2"}, {"told": "sold"}],
)
def test_an_address_alone_says_nothing_is_recorded(app: App, asked: dict[str, str]) -> None:
    lead = won(app)
    tell(app, lead, "reached")
    event = http("http_claim_page", "GET /c/{token}", {"token": app.link(lead)})
    event["queryStringParameters"] = asked
    assert "Recorded:" not in app.ask("claim", event).text


@pytest.mark.parametrize(
    ("ends", "says"), [("not interested", "closed: lost"), ("wrong number", "closed: lost")]
)
def test_a_closed_lead_says_so_and_takes_no_outcome(app: App, ends: str, says: str) -> None:
    lead = won(app)
    assert tell(app, lead, ends).status == 200
    found = card(app, lead).json
    assert (found["outcomes"], found["moves"]) == ([], [])
    path = {"lead_id": lead.lead_id}
    pages = [look(app, lead).text, browse(app, "GET /leads/{lead_id}", path).text]
    app.clock.pass_(minutes=16)
    pages.append(look(app, lead).text)
    for page in pages:
        assert says in page
        assert offered(page) == []
        assert "tel:" not in page
        assert "It’s yours" not in page
    before = app.everything()
    for outcome in ("called", "reached", "meeting", "not interested", "wrong number"):
        again = tell(app, lead, outcome, "tap-2")
        assert (again.status, again.code) == (409, "illegal_move")
        assert "this lead is closed" in tap(app, lead, outcome=outcome, outcome_id="tap-3").text
    assert app.everything() == before
    assert tell(app, lead, ends).json["repeated"] is True


@pytest.mark.parametrize(
    ("route", "path", "form", "comes_next"),
    [
        (
            "POST /me/leads/{lead_id}/outcome",
            {"lead_id": "lead"},
            {"outcome": "reached", "outcome_id": "1"},
            "/leads/{lead_id}",
        ),
        ("POST /me/availability", {}, {"available": "false", "minutes": "15"}, "/"),
    ],
)
def test_a_tap_without_a_session_is_said_to_be_dropped(
    app: App, route: str, path: dict[str, str], form: dict[str, str], comes_next: str
) -> None:
    lead = won(app)
    path = dict.fromkeys(path, lead.lead_id)
    before = app.everything()
    headers: dict[str, Any] = {"authorization": None, "accept": "text/html", **OURS}
    sent = app.ask("rep", http("http_offers", route, path, urlencode(form), **headers))
    assert sent.status == 303
    assert app.everything() == before
    to = dict(parse_qsl(urlsplit(sent.headers["location"]).query))["to"]
    assert to == own_path(to) == comes_next.format(lead_id=lead.lead_id) + "?tap=dropped"
    asked = http(
        *("http_offers", f"GET {comes_next}", path),
        authorization=None,
        accept="text/html",
        cookie=app.cookie(token_of(AINA)),
        **OURS,
    )
    assert "was not done" not in app.ask("rep", asked).text
    asked["queryStringParameters"] = dict(parse_qsl(urlsplit(to).query))
    assert "was not done" in app.ask("rep", asked).text


# Giving it back


@pytest.mark.parametrize("reason", ["no time", "They speak Mandarin only"])
def test_a_lead_is_given_back_on_its_page_with_a_reason(app: App, reason: str) -> None:
    lead = won(app)
    tell(app, lead, "called")
    app.clock.pass_(minutes=5)
    path = {"lead_id": lead.lead_id}
    page = browse(app, "GET /leads/{lead_id}", path)
    for shown in (f'action="/leads/{lead.lead_id}/release"', 'value="no time"', "Give it back"):
        assert shown in page.text
    done = browse(app, "POST /leads/{lead_id}/release", path, reason=reason)
    assert (done.status, done.headers["location"]) == (303, "/")
    assert app.now(lead).owner is None
    assert reason in browse(app, "GET /leads/{lead_id}", path).text


def test_giving_back_without_a_reason_changes_nothing_and_says_so(app: App) -> None:
    lead = won(app, DAYANG)
    app.clock.pass_(minutes=5)
    path = {"lead_id": lead.lead_id}
    page = browse(app, "POST /leads/{lead_id}/release", path, DAYANG, reason=" ")
    assert page.status == 422
    assert '<html lang="ms">' in page.text
    assert app.now(lead).owner == DAYANG.rep_id


def test_a_closed_lead_offers_no_giving_back(app: App) -> None:
    lead = won(app)
    tell(app, lead, "wrong number")
    path = {"lead_id": lead.lead_id}
    assert "/release" not in browse(app, "GET /leads/{lead_id}", path).text
    assert browse(app, "POST /leads/{lead_id}/release", path, reason="no time").status == 409


def test_a_lead_that_cannot_be_shown_does_not_lead_back_to_itself(app: App) -> None:
    for lead_id in (won(app, BEN).lead_id, "nosuchlead12"):
        page = browse(app, "GET /leads/{lead_id}", {"lead_id": lead_id})
        assert page.status == 404
        assert f"/leads/{lead_id}" not in page.text
        assert 'href="/"' in page.text
