"""Signing in by a link to one's phone, sessions, and how often one may try."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, DAYANG, MANAGER, PLAYBOOK, App, http
from support.builders import a_playbook, a_rep, token_of

OURS = {"sec_fetch_site": "same-origin"}
THEIRS = {"sec_fetch_site": "cross-site"}


@pytest.fixture(autouse=True)
def people(app: App) -> None:
    app.hire(AINA, BEN, CHONG, DAYANG)
    app.world.add_manager(MANAGER)


def send(app: App, route: str, body: str = "", **given: Any) -> dict[str, Any]:
    """Ask as a browser does, and return the answer with its cookies."""
    path = {name: given.pop(name) for name in ("token", "session_id") if name in given}
    words = given.pop("query", {})
    asked = http("http_board", route, path, body, **{"authorization": None, **given})
    asked["queryStringParameters"] = words
    return dict(app.run("boards", asked))


def asked_for(app: App, phone: str | None) -> dict[str, Any]:
    return send(app, "POST /sign-in/link", json.dumps({"phone": phone}))


def link_of(app: App) -> str:
    """The secret of the link that was texted last."""
    found = re.search(r"https://dibs\.example/in/(\S+)", app.texts()[-1][1])
    assert found is not None
    return found[1]


def cookie_of(answer: dict[str, Any]) -> str:
    return str(answer["cookies"][0]).split(";")[0]


def status(app: App, cookie: str) -> int:
    return int(send(app, "GET /me/sessions", cookie=cookie)["statusCode"])


def test_a_link_to_ones_phone_signs_in_once(app: App) -> None:
    assert asked_for(app, AINA.phone)["statusCode"] == 202
    [(to, text)] = app.texts()
    assert to == AINA.phone
    assert AINA.name not in text
    secret = link_of(app)
    for _ in range(3):  # as previews of links do
        page = send(app, "GET /in/{token}", token=secret)
        assert page["statusCode"] == 200
        assert "Sign in on this device" in page["body"]
    answer = send(app, "POST /in/{token}", token=secret, **OURS)
    assert answer["statusCode"] == 303
    [cookie] = answer["cookies"]
    parts = set(cookie.split("; ")[1:])
    assert parts == {"Max-Age=2592000", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"}
    assert status(app, cookie_of(answer)) == 200
    assert send(app, "POST /in/{token}", token=secret, **OURS)["statusCode"] == 401
    assert "too old" in send(app, "GET /in/{token}", token=secret)["body"]


def test_a_link_is_good_for_ten_minutes(app: App) -> None:
    asked_for(app, AINA.phone)
    app.clock.pass_(minutes=10)
    assert send(app, "POST /in/{token}", token=link_of(app))["statusCode"] == 401


def test_the_text_is_in_the_reps_language(app: App) -> None:
    asked_for(app, DAYANG.phone)
    assert "Log masuk" in app.texts()[0][1]


@pytest.mark.parametrize("phone", ["+60199999999", "012", "", None, "x" * 500])
def test_the_answer_is_the_same_whoever_asks(app: App, phone: str | None) -> None:
    known = asked_for(app, AINA.phone)
    found = asked_for(app, phone)
    assert (found["statusCode"], found["body"]) == (known["statusCode"], known["body"])
    assert len(app.texts()) == 1


def test_a_few_links_an_hour_for_a_phone(app: App) -> None:
    for _ in range(PLAYBOOK.sign_in.links_per_hour + 3):
        assert asked_for(app, AINA.phone)["statusCode"] == 202
    assert len(app.texts()) == PLAYBOOK.sign_in.links_per_hour
    app.clock.pass_(hours=1)
    asked_for(app, AINA.phone)
    assert len(app.texts()) == PLAYBOOK.sign_in.links_per_hour + 1


def test_a_whole_office_signs_in_from_one_address_while_each_phone_has_its_few(app: App) -> None:
    office = [a_rep(number) for number in range(100, 140)]
    app.hire(*office)
    for rep in office:
        assert asked_for(app, rep.phone)["statusCode"] == 202
    assert len({number for number, _ in app.texts()}) == len(app.texts()) == len(office)
    for _ in range(PLAYBOOK.sign_in.links_per_hour + 3):
        asked_for(app, office[0].phone)
    own = [number for number, _ in app.texts() if number == office[0].phone]
    assert len(own) == PLAYBOOK.sign_in.links_per_hour


def test_others_wrong_links_do_not_lock_an_office_out(app: App) -> None:
    for number in range(PLAYBOOK.sign_in.wrong_per_hour + 5):
        assert send(app, "POST /in/{token}", token=f"wrong{number}")["statusCode"] == 401
    asked_for(app, AINA.phone)
    assert send(app, "POST /in/{token}", token=link_of(app))["statusCode"] == 303


def test_an_address_that_asks_for_many_is_told_to_wait(app: App) -> None:
    few = replace(PLAYBOOK.sign_in, links_per_address_per_hour=5)
    app.put_playbook(replace(PLAYBOOK, sign_in=few))
    for number in range(5):
        assert asked_for(app, f"+6019000{number:04d}")["statusCode"] == 202
    answer = asked_for(app, AINA.phone)
    assert answer["statusCode"] == 429
    assert answer["headers"]["retry-after"] == "3600"
    assert app.texts() == []


def test_who_left_gets_no_link(app: App) -> None:
    asked_for(app, AINA.phone)
    app.world.roster.deactivate(AINA.rep_id, app.clock.at.date())
    assert send(app, "POST /in/{token}", token=link_of(app))["statusCode"] == 401
    asked_for(app, AINA.phone)
    assert len(app.texts()) == 1


def test_wrong_tokens_are_looked_at_only_so_often(app: App) -> None:
    for _ in range(PLAYBOOK.sign_in.wrong_per_hour):
        answer = send(app, "POST /sign-in", f"token={AINA.rep_id}.wrong")
        assert answer["statusCode"] == 401
    answer = send(app, "POST /sign-in", f"token={token_of(AINA)}")
    assert answer["statusCode"] == 429
    assert answer["headers"]["retry-after"] == "3600"
    assert send(app, "POST /sign-in", f"token={token_of(BEN)}")["statusCode"] == 303
    app.clock.pass_(hours=1)
    assert send(app, "POST /sign-in", f"token={token_of(AINA)}")["statusCode"] == 303


@pytest.mark.parametrize("headers", [THEIRS, {"origin": "https://evil.example"}])
def test_another_site_signs_nobody_in_or_out(app: App, headers: dict[str, str]) -> None:
    asked_for(app, AINA.phone)
    for route, body in (
        ("POST /sign-in", f"token={token_of(BEN)}"),
        ("POST /in/{token}", ""),
        ("POST /sign-out", ""),
    ):
        path = {"token": link_of(app)} if "{token}" in route else {}
        answer = send(app, route, body, **path, **headers)
        assert answer["statusCode"] == 403
        assert "cookies" not in answer
    assert send(app, "POST /in/{token}", token=link_of(app))["statusCode"] == 303


def test_the_cookie_holds_no_token(app: App) -> None:
    answer = send(app, "POST /sign-in", f"token={token_of(AINA)}")
    secret = cookie_of(answer).partition("=")[2]
    assert secret != token_of(AINA)
    bearer = http("http_offers", authorization=f"Bearer {secret}")
    assert app.ask("rep", bearer).status == 401


def test_a_session_works_for_our_own_pages_and_no_other(app: App) -> None:
    lead = app.lead()
    cookie = cookie_of(send(app, "POST /sign-in", f"token={token_of(AINA)}"))

    def claimed(headers: dict[str, str]) -> int:
        path = {"lead_id": lead.lead_id}
        asked = http("http_claim", path=path, authorization=None, cookie=cookie, **headers)
        return app.ask("claim", asked).status

    assert claimed(THEIRS) == 401
    assert claimed({}) == 401
    assert claimed(OURS) == 200
    assert app.now(lead).owner == AINA.rep_id


def test_a_session_ends_with_the_token_it_was_begun_with(app: App) -> None:
    token = f"{AINA.rep_id}.short"
    app.world.replace_token(token, app.clock.at + timedelta(days=1))
    cookie = cookie_of(send(app, "POST /sign-in", f"token={token}"))
    assert status(app, cookie) == 200
    app.clock.at += timedelta(days=1)
    assert status(app, cookie) == 401


def test_a_national_number_is_read_as_the_playbooks_region(app: App) -> None:
    app.put_playbook(a_playbook(phone_region="MY"))
    national = "0" + str(AINA.phone).removeprefix("+60")
    assert asked_for(app, national)["statusCode"] == 202
    assert app.texts()[-1][0] == AINA.phone


def test_our_pages_let_a_browser_say_that_they_are_ours(app: App) -> None:
    # Without a referrer at all, older browsers send no origin with a form either.
    page = send(app, "GET /sign-in")
    assert page["headers"]["referrer-policy"] == "same-origin"


def test_signing_out_ends_the_session(app: App) -> None:
    cookie = cookie_of(send(app, "POST /sign-in", f"token={token_of(AINA)}"))
    answer = send(app, "POST /sign-out", cookie=cookie, **OURS)
    assert answer["statusCode"] == 303
    assert "Max-Age=0" in answer["cookies"][0]
    assert status(app, cookie) == 401


def test_sessions_are_listed_and_ended_one_by_one(app: App) -> None:
    here, there, other = (
        cookie_of(send(app, "POST /sign-in", f"token={token_of(rep)}")) for rep in (AINA, AINA, BEN)
    )
    listed = json.loads(send(app, "GET /me/sessions", cookie=here)["body"])["sessions"]
    assert sorted(one["this_one"] for one in listed) == [False, True]
    [wanted] = [one["session_id"] for one in listed if not one["this_one"]]
    route = "DELETE /me/sessions/{session_id}"
    assert send(app, route, session_id=wanted, cookie=other, **OURS)["statusCode"] == 404
    assert send(app, route, session_id=wanted, cookie=here, **THEIRS)["statusCode"] == 401
    assert send(app, route, session_id=wanted, cookie=here, **OURS)["statusCode"] == 200
    assert (status(app, here), status(app, there), status(app, other)) == (200, 401, 200)


def test_a_session_ends_by_itself(app: App) -> None:
    rep = cookie_of(send(app, "POST /sign-in", f"token={token_of(AINA)}"))
    manager = cookie_of(send(app, "POST /sign-in", f"token={MANAGER}"))
    app.clock.pass_(hours=12)
    assert (status(app, rep), status(app, manager)) == (200, 401)
    app.clock.at += timedelta(days=30)
    assert status(app, rep) == 401


def test_every_answer_asks_browsers_to_come_by_https_only(app: App) -> None:
    for answer in (
        send(app, "GET /sign-in"),
        send(app, "POST /sign-in", "token=x"),
        send(app, "POST /sign-out"),
        send(app, "GET /me/sessions"),
    ):
        assert "max-age=" in answer["headers"]["strict-transport-security"]
        assert answer["headers"]["x-content-type-options"] == "nosniff"


# Where one comes from


@pytest.mark.parametrize("to", ["/", "/leads/5x5tb6qkrubq", "/c/0aB3dE5gH7jK9mN1pQ3sT5"])
def test_signing_in_leads_back_to_where_one_was(app: App, to: str) -> None:
    asked = http("http_board", "GET /sign-in", {}, "", authorization=None)
    page = app.run("boards", {**asked, "queryStringParameters": {"to": to}})
    assert page["body"].count(f'name="to" value="{to}"') == 2
    send(app, "POST /sign-in/link", urlencode({"phone": AINA.phone, "to": to}))
    text = app.texts()[-1][1]
    assert text.endswith(f"?to={to}")
    secret = link_of(app).partition("?")[0]
    for route in ("GET /in/{token}", "POST /in/{token}"):
        asked = http("http_board", route, {"token": secret}, "", **{"authorization": None, **OURS})
        answer = app.run("boards", {**asked, "queryStringParameters": {"to": to}})
        if route.startswith("GET"):
            assert f'action="/in/{secret}?to={to}"' in answer["body"]
    assert (answer["statusCode"], answer["headers"]["location"]) == (303, to)
    form = urlencode({"token": token_of(AINA), "to": to})
    by_token = send(app, "POST /sign-in", form, **OURS)
    assert by_token["headers"]["location"] == to


@pytest.mark.parametrize(
    "to",
    [
        *("//evil.example", "https://evil.example/c/x", "/\\evil.example", "evil", "/c/x?y=//z"),
        *("/c/x\r\nset-cookie: a=b", "javascript:alert(1)", "/c//evil.example", '/c/"><b>', ""),
    ],
)
def test_signing_in_leads_to_no_other_site(app: App, to: str) -> None:
    form = urlencode({"token": token_of(AINA), "to": to})
    assert send(app, "POST /sign-in", form, **OURS)["headers"]["location"] == "/"
    send(app, "POST /sign-in/link", urlencode({"phone": AINA.phone, "to": to}))
    assert "?" not in app.texts()[-1][1]


def test_the_demo_is_offered_on_somebodys_own_machine_alone(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [
        {"as": "english", "name": "Robin Sayers", "who": "rep, English", "token": token_of(AINA)},
        {"as": "malay", "name": "Aisyah Rahman", "who": "rep, Malay", "token": token_of(BEN)},
    ]
    monkeypatch.setenv("DEMO_SIGN_IN", json.dumps(people))
    page = send(app, "GET /sign-in")
    assert token_of(AINA) not in page["body"]
    local = replace(wiring().settings, public_url="http://dibs.localhost:4566")
    monkeypatch.setattr(wiring(), "settings", local)
    for asked, names in (
        ("", ("Robin Sayers", "Aisyah Rahman")),
        ("malay", ("Aisyah Rahman",)),
        ("nobody", ("Robin Sayers", "Aisyah Rahman")),
    ):
        page = send(app, "GET /sign-in", query={"as": asked})
        shown = [one["name"] for one in people if one["name"] in page["body"]]
        assert tuple(shown) == names
        assert page["body"].count(" autofocus") == 1
    assert f'value="{token_of(BEN)}"' in page["body"]
