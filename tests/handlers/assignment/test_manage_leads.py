"""What managers do about leads (R7): assign, reassign, withdraw, with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from dibs.core.lead import Lead
from handlers.app import AINA, BEN, MANAGER, Answer, App, http
from support.builders import token_of

ASSIGN = {"rep_id": BEN.rep_id, "reason": "knows the customer"}
WITHDRAW = {"reason": "a competitor"}


@pytest.fixture(autouse=True)
def manager(app: App) -> None:
    app.world.add_manager(MANAGER)
    app.hire(AINA, BEN)


def call(app: App, what: str, lead: Lead, body: Any, *, token: str | None = MANAGER) -> Answer:
    bearer = f"Bearer {token}" if token else None
    route, text = "POST /leads/{lead_id}/" + what, json.dumps(body)
    asked = http("http_playbook", route, {"lead_id": lead.lead_id}, text, authorization=bearer)
    asked.pop("queryStringParameters")
    return app.ask("manage", asked)


@pytest.mark.parametrize(("what", "body"), [("assign", ASSIGN), ("withdraw", WITHDRAW)])
def test_managers_only(app: App, what: str, body: dict[str, Any]) -> None:
    lead = app.lead()
    before = app.everything()
    for token, status in ((None, 401), ("manager.forged", 401), (token_of(AINA), 403)):
        assert call(app, what, lead, body, token=token).status == status
    assert app.everything() == before


def test_a_lead_is_assigned_reassigned_and_withdrawn_on_the_record(app: App) -> None:
    lead = app.lead()
    app.claim(lead)
    app.clock.pass_(seconds=1)
    answer = call(app, "assign", lead, ASSIGN)
    expected = {
        "lead_id": lead.lead_id,
        "state": "assigned",
        "holder": BEN.rep_id,
        "parked": False,
        "changed": True,
    }
    assert (answer.status, answer.json) == (200, expected)
    assert call(app, "assign", lead, ASSIGN).json == {**expected, "changed": False}
    assert [m.body["kind"] for m in app.waiting("offer")] == ["queue.check"]
    usage = {rep.rep_id: used for rep, used in app.world.roster.team("north", fresh=True)}
    assert (usage[AINA.rep_id].in_hand, usage[BEN.rep_id].in_hand) == (0, 1)
    app.clock.pass_(seconds=1)
    aside = call(app, "withdraw", lead, {**WITHDRAW, "to": "nobody"}).json
    assert (aside["state"], aside["holder"], aside["parked"]) == ("expired", None, True)
    app.clock.pass_(seconds=1)
    back = call(app, "withdraw", lead, WITHDRAW).json
    assert (back["state"], back["parked"], back["changed"]) == ("open", False, True)
    assert not call(app, "withdraw", lead, {**WITHDRAW, "to": "pool"}).json["changed"]
    told = {
        (transition.by, transition.note)
        for transition in app.world.leads.history(lead.lead_id)
        if transition.note
    }
    assert told == {("manager", ASSIGN["reason"]), ("manager", WITHDRAW["reason"])}


def test_a_test_lead_as_well(app: App) -> None:
    lead = app.lead(test=True)
    assert call(app, "assign", lead, ASSIGN).json["holder"] == BEN.rep_id
    assert call(app, "withdraw", lead, WITHDRAW).json["state"] == "open"


@pytest.mark.parametrize(
    ("what", "body", "fields"),
    [
        ("assign", {"rep_id": BEN.rep_id}, ["reason"]),
        ("assign", {"reason": "so"}, ["rep_id"]),
        ("assign", {"reason": "so", "rep_id": 7}, ["rep_id"]),
        ("assign", {"reason": "so", "rep_id": ""}, ["rep_id"]),
        ("assign", {"reason": "so", "rep_id": "x" * 65}, ["rep_id"]),
        ("assign", {"reason": "so", "rep_id": "zzzzz"}, ["rep_id"]),
        ("assign", {"reason": "x" * 201, "rep_id": BEN.rep_id}, ["reason"]),
        ("withdraw", {}, ["reason"]),
        ("withdraw", {"reason": "so", "to": "me"}, ["to"]),
        ("withdraw", {"reason": "so", "to": ["pool"]}, ["to"]),
        ("withdraw", {"reason": "so", "to": None}, ["to"]),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_changed(
    app: App, what: str, body: dict[str, Any], fields: list[str]
) -> None:
    lead = app.lead()
    before = app.everything()
    answer = call(app, what, lead, body)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert [error["field"] for error in answer.json["errors"]] == fields
    assert app.everything() == before


def test_nothing_goes_to_who_has_left_nor_is_an_unknown_lead_found(app: App) -> None:
    lead = app.lead()
    app.world.roster.deactivate(BEN.rep_id, app.clock.at.date())
    assert call(app, "assign", lead, ASSIGN).status == 422
    nowhere = replace(lead, lead_id="aaaaaaaaaaaa")
    for what, body in (("assign", {**ASSIGN, "rep_id": AINA.rep_id}), ("withdraw", WITHDRAW)):
        answer = call(app, what, nowhere, body)
        assert (answer.status, answer.code) == (404, "lead_not_found")


def test_a_transaction_in_the_way_is_tried_again_by_the_caller(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = app.lead()
    app.contend(monkeypatch)
    assert call(app, "assign", lead, ASSIGN).code == "busy"
    assert call(app, "withdraw", lead, {**WITHDRAW, "to": "nobody"}).code == "busy"
