"""Help between colleagues over HTTP (G11)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from dibs.core.lead import Lead
from dibs.core.rep import Rep
from dibs.ledger.entries import Entry
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, DAYANG, MANAGER, Answer, App, http
from support.aws import items
from support.builders import a_playbook, token_of

QUESTION = "They ask for Nadia Jamal. Who is that?"
REPLY = "Their buyer: call her on +60128880001."
ROUTES = (
    ("POST /leads/{lead_id}/help", {"request_id": "r1", "question": QUESTION}),
    ("GET /me/help", None),
    ("POST /help/{help_id}/answers", {"text": REPLY}),
    ("POST /help/{help_id}/confirm", {"helper": BEN.rep_id}),
    ("POST /help/{help_id}/close", None),
)


@pytest.fixture(autouse=True)
def team(app: App) -> None:
    app.world.add_manager(MANAGER)
    app.hire(AINA, BEN, CHONG, DAYANG)


@pytest.fixture
def lead(app: App) -> Lead:
    found = app.lead()
    assert app.claim(found).status == 200
    return found


def call(
    app: App,
    route: str,
    rep: Rep = AINA,
    body: Any = None,
    *,
    token: str | None = None,
    **path: str,
) -> Answer:
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    bearer = f"Bearer {token_of(rep) if token is None else token}"
    asked = http("http_playbook", route, path, text or "", authorization=bearer)
    asked.pop("queryStringParameters")
    return app.ask("game", asked)


def ask(app: App, lead: Lead, rep: Rep = AINA, body: Any = None) -> Answer:
    body = ROUTES[0][1] if body is None else body
    return call(app, ROUTES[0][0], rep, body, lead_id=lead.lead_id)


def mine(app: App, rep: Rep) -> Any:
    answer = call(app, "GET /me/help", rep)
    assert answer.status == 200
    return answer.json


def reply(app: App, help_id: str, rep: Rep = BEN, text: Any = REPLY) -> Answer:
    return call(app, "POST /help/{help_id}/answers", rep, {"text": text}, help_id=help_id)


def confirm(app: App, help_id: str, rep: Rep = AINA, helper: Any = BEN.rep_id) -> Answer:
    body = {"helper": helper}
    return call(app, "POST /help/{help_id}/confirm", rep, body, help_id=help_id)


def entries(app: App, help_id: str, *helpers: Rep) -> dict[str, Entry]:
    return wiring().ledger.find([f"help/{help_id}/{rep.rep_id}" for rep in helpers])


@pytest.mark.parametrize(("route", "body"), ROUTES, ids=[route for route, _ in ROUTES])
def test_help_is_among_reps(app: App, lead: Lead, route: str, body: Any) -> None:
    path = {"lead_id": lead.lead_id, "help_id": "one"}
    before = app.everything()
    for token in ("manager.forged", f"{AINA.rep_id}.forged", "nobody.x", ""):
        answer = call(app, route, AINA, body, token=token, **path)
        assert (answer.status, answer.code) == (401, "unauthorized"), token
    answer = call(app, route, AINA, body, token=MANAGER, **path)
    assert (answer.status, answer.code) == (403, "forbidden")
    assert app.everything() == before


def test_asked_answered_confirmed_and_booked(app: App, lead: Lead) -> None:
    asked = ask(app, lead)
    assert asked.status == 201
    help_id = asked.json["help_id"]
    assert asked.json == {
        "help_id": help_id,
        "lead_id": lead.lead_id,
        "question": QUESTION,
        "asked_at": "2026-11-23T12:00:00.000Z",
        "open": True,
        "answered_until": "2026-11-30T12:00:00.000Z",
        "confirmed_until": "2026-12-07T12:00:00.000Z",
        "answers": [],
    }
    assert mine(app, AINA) == {"asked": [asked.json], "for_me": []}
    [seen] = mine(app, BEN)["for_me"]
    assert seen == {
        "help_id": help_id,
        "asker": {"rep_id": AINA.rep_id, "name": AINA.name},
        "question": QUESTION,
        "preview": {"company": "Acme 1 Sdn Bhd", "contact_title": "Head of Operations"},
        "asked_at": "2026-11-23T12:00:00.000Z",
        "answered_until": "2026-11-30T12:00:00.000Z",
        "answer": None,
    }
    app.clock.pass_(hours=1)
    said = {"text": REPLY, "answered_at": "2026-11-23T13:00:00.000Z", "helped": False}
    answered = reply(app, help_id)
    assert (answered.status, answered.json) == (201, said)
    reply(app, help_id, DAYANG, "No idea")
    assert mine(app, BEN)["for_me"] == [{**seen, "answer": said}]
    [shown] = mine(app, AINA)["asked"]
    by_rep = {one["rep_id"]: one for one in shown["answers"]}
    assert by_rep[BEN.rep_id] == {"rep_id": BEN.rep_id, "name": BEN.name, **said}
    assert set(by_rep) == {BEN.rep_id, DAYANG.rep_id}
    assert entries(app, help_id, BEN, DAYANG) == {}

    confirmed = confirm(app, help_id)
    helped = {**said, "helped": True}
    assert (confirmed.status, confirmed.json) == (200, {"helper": BEN.rep_id, **helped})
    [entry] = entries(app, help_id, BEN, DAYANG).values()
    assert (entry.kind, entry.rep_id, entry.other) == ("helped", BEN.rep_id, AINA.rep_id)
    assert (entry.lead_id, entry.at) == (lead.lead_id, app.clock.at)
    pair = sorted((AINA.rep_id, BEN.rep_id))
    assert entry.unit == f"help/{pair[0]}/{pair[1]}"
    assert mine(app, BEN)["for_me"][0]["answer"] == helped


def test_every_call_may_come_twice(app: App, lead: Lead) -> None:
    help_id = ask(app, lead).json["help_id"]
    reply(app, help_id)
    confirm(app, help_id)
    call(app, "POST /help/{help_id}/close", help_id=help_id)
    before = app.everything()
    app.clock.pass_(hours=5)
    again = ask(app, lead)
    assert (again.status, again.json["answers"][0]["name"]) == (200, BEN.name)
    assert reply(app, help_id).status == 200
    assert confirm(app, help_id).status == 200
    closed = call(app, "POST /help/{help_id}/close", help_id=help_id)
    assert (closed.status, closed.json) == (200, {"help_id": help_id, "open": False})
    assert app.everything() == before
    # The same names for something else are refused.
    changed = ask(app, lead, body={"request_id": "r1", "question": "Why?"})
    assert (changed.status, changed.code) == (409, "already_exists")
    other = reply(app, help_id, text="No")
    assert (other.status, other.code) == (409, "already_exists")
    assert app.everything() == before


def test_another_reps_request_id_is_another_request(app: App, lead: Lead) -> None:
    second = app.lead(2)
    app.claim(second, BEN)
    ids = {ask(app, lead).json["help_id"], ask(app, second, BEN).json["help_id"]}
    assert len(ids) == 2


@pytest.mark.parametrize("rep", [BEN, CHONG])
def test_who_does_not_hold_the_lead_cannot_ask(app: App, lead: Lead, rep: Rep) -> None:
    before = app.everything()
    answer = ask(app, lead, rep)
    assert (answer.status, answer.code) == (409, "not_yours")
    assert app.everything() == before


@pytest.mark.parametrize("lead_id", ["nothing", "x" * 65, ""])
def test_a_lead_there_is_not_is_not_found(app: App, lead_id: str) -> None:
    answer = call(app, ROUTES[0][0], AINA, ROUTES[0][1], lead_id=lead_id)
    assert (answer.status, answer.code) == (404, "lead_not_found")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "malformed_body"),
        ("[]", 422, "invalid_input"),
        ({}, 422, "invalid_input"),
        ({"request_id": "r1", "question": "x" * 501}, 422, "invalid_input"),
        ({"request_id": {}, "question": "How?"}, 422, "invalid_input"),
    ],
)
def test_a_body_that_cannot_be_is_refused(
    app: App, lead: Lead, body: Any, status: int, code: str
) -> None:
    before = app.everything()
    answer = ask(app, lead, body=body)
    assert (answer.status, answer.code) == (status, code)
    assert app.everything() == before


@pytest.mark.parametrize(
    ("rep", "status", "code"),
    [(CHONG, 404, "not_found"), (AINA, 403, "forbidden"), (BEN, 201, None)],
)
def test_only_colleagues_of_the_team_answer(
    app: App, lead: Lead, rep: Rep, status: int, code: str | None
) -> None:
    help_id = ask(app, lead).json["help_id"]
    before = app.everything()
    answer = reply(app, help_id, rep)
    assert answer.status == status
    assert mine(app, CHONG) == {"asked": [], "for_me": []}
    if code is not None:
        assert answer.code == code
        assert app.everything() == before


def test_others_cannot_confirm_and_nobody_confirms_themselves(app: App, lead: Lead) -> None:
    help_id = ask(app, lead).json["help_id"]
    reply(app, help_id)
    before = app.everything()
    for rep, helper, status, code in (
        (BEN, BEN.rep_id, 403, "forbidden"),
        (DAYANG, BEN.rep_id, 403, "forbidden"),
        (CHONG, BEN.rep_id, 404, "not_found"),
        (AINA, AINA.rep_id, 422, "invalid_input"),
        (AINA, DAYANG.rep_id, 422, "invalid_input"),
        (AINA, {}, 422, "invalid_input"),
    ):
        answer = confirm(app, help_id, rep, helper)
        assert (answer.status, answer.code) == (status, code)
    for help_id_nobody_has in ("nothing", "REP#" + AINA.rep_id, "x" * 2000, "ü"):
        answer = confirm(app, help_id_nobody_has)
        assert (answer.status, answer.code) == (404, "not_found")
    assert app.everything() == before


def test_what_is_over_is_said(app: App, lead: Lead) -> None:
    help_id = ask(app, lead).json["help_id"]
    reply(app, help_id)
    app.clock.pass_(days=7)
    late = reply(app, help_id, DAYANG)
    assert (late.status, late.code) == (410, "ended")
    assert mine(app, AINA)["asked"][0]["open"] is False
    app.clock.pass_(days=7)
    late = confirm(app, help_id)
    assert (late.status, late.code) == (410, "ended")
    assert entries(app, help_id, BEN) == {}


def test_a_blind_lead_is_called_so_in_the_readers_language(app: App) -> None:
    blind = {"share_percent": 100, "hot": 100, "warm": 0, "cold": 0}
    app.put_playbook(a_playbook(teams={"north": {"name": "N"}}, blind=blind))
    lead = app.lead()
    assert lead.blind
    app.claim(lead)
    ask(app, lead)
    for rep, company in ((BEN, "Blind lead"), (DAYANG, "Prospek rahsia")):
        [seen] = mine(app, rep)["for_me"]
        assert seen["preview"] == {"company": company, "contact_title": ""}
        assert "Acme" not in json.dumps(seen)


def test_where_winners_are_hidden_nobody_learns_whose_the_lead_is(app: App, lead: Lead) -> None:
    help_id = ask(app, lead).json["help_id"]
    app.put_playbook(a_playbook(teams={"north": {"name": "N", "anonymous": True}}))
    [seen] = mine(app, BEN)["for_me"]
    assert (seen["help_id"], seen["preview"]) == (help_id, None)
    assert lead.lead_id not in json.dumps(seen)


def test_who_left_answers_nothing_and_is_asked_nothing(app: App, lead: Lead) -> None:
    help_id = ask(app, lead).json["help_id"]
    gone = replace(BEN, rep_id="gone5", phone=None, active=False)
    app.hire(gone)
    assert reply(app, help_id, gone).status == 401


def test_what_people_write_stands_in_one_item_alone(
    app: App, lead: Lead, capsys: pytest.CaptureFixture[str]
) -> None:
    help_id = ask(app, lead).json["help_id"]
    reply(app, help_id)
    confirm(app, help_id)
    game = app.settings.game_table
    for table, found in app.everything().items():
        written = [one for one in found if "Nadia" in one or "buyer" in one]
        assert len(written) == (1 if table == "game_table" else 0), table
    assert len(items(app.client, game)) == 3
    logged = capsys.readouterr().out
    assert "Nadia" not in logged
    assert "buyer" not in logged
    assert app.waiting("notify") == []
