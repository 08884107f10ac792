"""`POST /activities`: told by a system that signs or by the rep, one or many, each once."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from dibs.core.lead import Lead, State
from dibs.core.rep import Rep
from dibs.ledger.entries import Entry
from dibs.web.http import iso
from dibs.wiring import wiring
from handlers.app import AINA, BEN, MANAGER, Answer, App, event, http, signed
from support.builders import NOON, token_of

SENT: dict[str, Any] = json.loads(event("http_activity")["body"])
MINUTE = timedelta(minutes=1)


@pytest.fixture
def lead(app: App) -> Lead:
    """The events' lead, won by Aina at noon; it is a minute past by now."""
    app.hire(AINA, BEN)
    lead = app.lead()
    assert app.claim(lead).status == 200
    app.clock.pass_(minutes=1)
    return app.now(lead)


def body(**changes: Any) -> dict[str, Any]:
    """The event's activity with some fields changed, or left out where they are None."""
    return {name: value for name, value in {**SENT, **changes}.items() if value is not None}


def post(app: App, sent: Any, *, by: Rep | str | None = None) -> Answer:
    """Tell of what was done, signed or with a rep's token."""
    text = sent if isinstance(sent, str) else json.dumps(sent)
    if by is None:
        return app.ask("activities", signed(http("http_activity", body=text)))
    token = by if isinstance(by, str) else token_of(by)
    headers = {f"webhook_{name}": None for name in ("id", "signature", "timestamp")}
    asked = http("http_activity", body=text, authorization=f"Bearer {token}", **headers)
    return app.ask("activities", asked)


def entries(app: App) -> dict[str, Entry]:
    found = wiring().ledger.of_team("north", ["2026-W48"])
    return {entry.entry_id: entry for entry in found}


def in_hand(app: App, rep: Rep = AINA) -> int:
    return app.world.race.read("-", rep.rep_id).usage.in_hand


def test_a_signed_activity_is_stored_and_moves_its_lead(app: App, lead: Lead) -> None:
    assert in_hand(app) == 1
    answer = app.ask("activities", signed(event("http_activity")))
    assert (answer.status, answer.json) == (
        201,
        {
            "activity_id": "crm-88213",
            "type": "contacted",
            "lead_id": lead.lead_id,
            "rep_id": AINA.rep_id,
            "at": "2026-11-23T12:00:30.000Z",
            "repeated": False,
            "reporter": "system",
        },
    )
    after = app.now(lead)
    assert (after.state, after.worked_at) == (State.CONTACTED, NOON + timedelta(seconds=30))
    assert entries(app)["activity/crm-88213"].team == "north"
    assert in_hand(app) == 0


def test_who_is_freed_makes_the_queue_be_looked_at_once(app: App, lead: Lead) -> None:
    app.waiting("offer")
    app.ask("activities", signed(event("http_activity")))
    assert [message.body for message in app.waiting("offer")] == [{"kind": "queue.check"}]
    post(app, body(activity_id="2", type="won"))
    assert app.waiting("offer") == []


def test_the_same_again_changes_nothing_and_says_so(app: App, lead: Lead) -> None:
    app.ask("activities", signed(event("http_activity")))
    before = app.everything()
    app.waiting("offer")
    answer = app.ask("activities", signed(event("http_activity")))
    assert (answer.status, answer.json["repeated"]) == (200, True)
    assert app.everything() == before
    assert app.waiting("offer") == []


def test_the_same_id_with_another_body_is_refused(app: App, lead: Lead) -> None:
    app.ask("activities", signed(event("http_activity")))
    before = app.everything()
    answer = post(app, body(type="won"))
    assert (answer.status, answer.code) == (409, "already_exists")
    assert "activity_id" in answer.json["detail"]
    assert app.everything() == before


@pytest.mark.parametrize(
    ("same", "at"),
    [(True, "2026-11-23T12:00:30Z"), (True, "2026-11-23T12:00:30.000400+00:00"), (False, None)],
)
def test_the_same_moment_may_be_written_otherwise(
    app: App, lead: Lead, same: bool, at: str | None
) -> None:
    post(app, body())
    answer = post(app, body(at=at or "2026-11-23T12:00:31Z"))
    assert answer.status == (200 if same else 409)


# Who may tell


def test_a_rep_tells_of_their_own_work(app: App, lead: Lead) -> None:
    for sent in (body(rep_id=None), body()):
        answer = post(app, sent, by=AINA)
        assert answer.json["rep_id"] == AINA.rep_id
    assert answer.status == 200  # naming oneself is the same
    assert app.now(lead).state is State.CONTACTED


def test_a_rep_who_names_another_is_refused(app: App, lead: Lead) -> None:
    before = app.everything()
    answer = post(app, body(), by=BEN)
    assert (answer.status, answer.code) == (403, "forbidden")
    answer = post(app, body(rep_id=None), by=BEN)
    assert (answer.status, answer.code) == (409, "not_yours")
    assert app.everything() == before


@pytest.mark.parametrize("token", ["aaaac.wrong", "zzzzz.secret", "secret", "manager.x.", ""])
def test_nobody_elses_token_is_good(app: App, lead: Lead, token: str) -> None:
    before = app.everything()
    answer = post(app, body(), by=token)
    assert answer.status in (401, 403)
    assert app.everything() == before


def test_a_manager_reports_for_a_rep_and_it_says_so(app: App, lead: Lead) -> None:
    app.world.add_manager(MANAGER)
    answer = post(app, body(), by=MANAGER)
    assert (answer.status, answer.json["reporter"]) == (201, "manager")


def test_a_signature_that_is_none_is_refused(app: App, lead: Lead) -> None:
    before = app.everything()
    assert app.ask("activities", event("http_activity")).status == 401
    stranger = base64.b64encode(b"somebody else's secret, as long").decode()
    asked = signed(event("http_activity"), secret=stranger)
    assert app.ask("activities", asked).status == 401
    assert app.everything() == before


def test_a_cookie_tells_nothing(app: App, lead: Lead) -> None:
    headers = {f"webhook_{name}": None for name in ("id", "signature", "timestamp")}
    asked = http("http_activity", cookie=f"dibs={token_of(AINA)}", **headers)
    asked["cookies"] = [f"dibs={token_of(AINA)}"]
    assert app.ask("activities", asked).status == 401


# What may be told


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"lead_id": "aaaaaaaaaaaa"}, 404, "lead_not_found"),
        ({"rep_id": BEN.rep_id}, 409, "not_yours"),
        ({"type": "reversal"}, 422, "invalid_input"),
        ({"type": "reversal", "reverses": "never-told"}, 422, "invalid_input"),
        ({"type": "sang"}, 422, "invalid_input"),
        ({"at": iso(NOON - MINUTE - timedelta(milliseconds=1))}, 422, "invalid_input"),
        ({"at": iso(NOON + 6 * MINUTE + timedelta(milliseconds=1))}, 422, "invalid_input"),
        ({"lead_id": None, "type": "call", "rep_id": "zzzzz"}, 422, "invalid_input"),
    ],
)
def test_what_cannot_be_is_refused_and_not_kept(
    app: App, lead: Lead, change: dict[str, Any], status: int, code: str
) -> None:
    before = app.everything()
    answer = post(app, body(**change))
    assert (answer.status, answer.code) == (status, code)
    assert app.everything() == before


@pytest.mark.parametrize("at", [NOON, NOON + 6 * MINUTE])
def test_what_can_just_be_is_kept(app: App, lead: Lead, at: Any) -> None:
    assert post(app, body(at=iso(at))).status == 201


def test_a_reversed_deal_is_open_again(app: App, lead: Lead) -> None:
    assert post(app, body(type="won", amount=500, currency="USD")).status == 201
    back = {"activity_id": "back", "type": "reversal", "reverses": SENT["activity_id"]}
    for status in (201, 200):
        answer = post(app, back | {"at": SENT["at"]})
        assert (answer.status, answer.json["lead_id"]) == (status, lead.lead_id)
    assert app.now(lead).state is State.CLAIMED
    held = wiring().holdings.held_by(AINA.rep_id)
    assert [one.lead_id for one in held] == [lead.lead_id]


@pytest.mark.parametrize(
    ("hours", "minutes"),
    [(8, 480), (7.5, 450), (0.25, 15), (2.05, 123), (31 / 60, 31), (8.45, 507)],
)
def test_hours_are_kept_as_minutes(app: App, lead: Lead, hours: float, minutes: int) -> None:
    worked = body(type="hours_worked", lead_id=None, amount=hours)
    assert post(app, worked).status == 201
    assert entries(app)[f"activity/{SENT['activity_id']}"].amount == minutes


@pytest.mark.parametrize("hours", [0.333, 2.051, 0.01])
def test_hours_are_told_to_the_minute(app: App, lead: Lead, hours: float) -> None:
    answer = post(app, body(type="hours_worked", lead_id=None, amount=hours))
    assert (answer.status, [e["field"] for e in answer.json["errors"]]) == (422, ["amount"])


@pytest.mark.parametrize("step", ["onboarding", "a/b/c", "a b/c", "/c"])
def test_a_step_is_one_of_a_quest(app: App, lead: Lead, step: str) -> None:
    answer = post(app, body(type="training_step", lead_id=None, step=step))
    assert (answer.status, [e["field"] for e in answer.json["errors"]]) == (422, ["step"])


def test_a_win_after_a_loss_is_refused(app: App, lead: Lead) -> None:
    assert post(app, body(type="lost")).status == 201
    before = app.everything()
    answer = post(app, body(activity_id="2", type="won", amount=500, currency="USD"))
    assert (answer.status, answer.code) == (409, "illegal_move")
    assert app.everything() == before


def test_every_wrong_field_is_named_and_no_value_repeated(app: App, lead: Lead) -> None:
    before = app.everything()
    sent = body(
        activity_id="x" * 129,
        type=7,
        at="2026-11-23 12:00",
        lead_id=["5x5tb6qkrubq"],
        rep_id="a\nb",
        amount="5",
        currency="dollars",
    )
    answer = post(app, sent)
    assert (answer.status, answer.code) == (422, "invalid_input")
    named = {error["field"]: error["problem"] for error in answer.json["errors"]}
    assert set(named) == set(sent)
    assert named["at"] == "send an ISO-8601 time with its zone, such as 2026-11-23T12:00:00Z"
    assert "xxx" not in answer.text
    assert app.everything() == before


@pytest.mark.parametrize("field", ["activity_id", "type", "at"])
def test_what_must_be_there_is_asked_for(app: App, lead: Lead, field: str) -> None:
    answer = post(app, body(**{field: None}))
    assert (answer.status, [e["field"] for e in answer.json["errors"]]) == (422, [field])


@pytest.mark.parametrize("amount", [-1, 1.5, True, 10**15 + 1])
def test_an_amount_is_whole_minor_units(app: App, lead: Lead, amount: Any) -> None:
    answer = post(app, body(amount=amount, currency="USD"))
    assert (answer.status, [e["field"] for e in answer.json["errors"]]) == (422, ["amount"])


@pytest.mark.parametrize("at", ["now", "2026-11-23", "0001-01-01T00:00:00+14:00", 1795435200])
def test_a_time_that_is_none_is_named(app: App, lead: Lead, at: Any) -> None:
    answer = post(app, body(at=at))
    assert (answer.status, [e["field"] for e in answer.json["errors"]]) == (422, ["at"])


def test_an_amount_is_kept_with_its_currency(app: App, lead: Lead) -> None:
    assert post(app, body(type="won", amount=10**15, currency="MYR")).status == 201
    entry = entries(app)["activity/crm-88213"]
    assert (entry.amount, entry.currency) == (10**15, "MYR")


def test_the_longest_id_is_good(app: App, lead: Lead) -> None:
    longest = "界" * 128
    assert post(app, body(activity_id=longest)).json["activity_id"] == longest
    assert post(app, body(activity_id=longest)).status == 200


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"call"'])
def test_a_body_that_is_no_json_object_is_refused(app: App, lead: Lead, text: str) -> None:
    answer = post(app, text)
    assert (answer.status, answer.code) == (400, "malformed_body")


def test_a_body_above_64_kb_is_refused(app: App, lead: Lead) -> None:
    answer = post(app, json.dumps(body(padding="x" * 64 * 1024)))
    assert (answer.status, answer.code) == (413, "body_too_large")


def test_many_at_once_may_take_more(app: App, lead: Lead) -> None:
    many = [body(activity_id=f"{n:0>120}", type="call") for n in range(300)]
    answer = post(app, {"activities": many})
    assert {one["status"] for one in answer.json["results"]} == {201}
    assert post(app, {"activities": [body(padding="x" * 256 * 1024)]}).status == 413


# Many at once


def test_of_many_each_is_answered_by_itself(app: App, lead: Lead) -> None:
    app.waiting("offer")
    sent = [
        body(),
        body(activity_id="2", type="hugged"),
        body(activity_id="3", amount=5),
        "contacted",
        body(activity_id=4),
        body(),
        body(type="won"),
        body(activity_id="5", type="won", amount=900, currency="USD"),
    ]
    answer = post(app, {"activities": sent})
    assert answer.status == 200
    results = answer.json["results"]
    assert [(one["activity_id"], one["status"], one.get("code")) for one in results] == [
        ("crm-88213", 201, None),
        ("2", 422, "invalid_input"),
        ("3", 422, "invalid_input"),
        (None, 422, "invalid_input"),
        (None, 422, "invalid_input"),
        ("crm-88213", 200, None),
        ("crm-88213", 409, "already_exists"),
        ("5", 201, None),
    ]
    assert [error["field"] for error in results[2]["errors"]] == ["currency"]
    assert set(results[0]) == {"activity_id", "status"}
    assert set(entries(app)) == {"activity/crm-88213", "activity/5"}
    assert app.now(lead).state is State.WON
    assert len(app.waiting("offer")) == 1


def test_many_of_a_rep_are_their_own_each(app: App, lead: Lead) -> None:
    sent = [body(activity_id="1"), body(activity_id="2", rep_id=BEN.rep_id)]
    results = post(app, {"activities": sent}, by=AINA).json["results"]
    assert [(one["status"], one.get("code")) for one in results] == [
        (201, None),
        (403, "forbidden"),
    ]


@pytest.mark.parametrize(
    ("sent", "status"), [([], 422), ([{}], 200), ([{}] * 500, 200), ([{}] * 501, 422), ({}, 422)]
)
def test_many_are_one_to_500(app: App, sent: Any, status: int) -> None:
    before = app.everything()
    answer = post(app, {"activities": sent})
    assert answer.status == status
    if status == 200:
        assert [one["status"] for one in answer.json["results"]] == [422] * len(sent)
    else:
        assert [error["field"] for error in answer.json["errors"]] == ["activities"]
    assert app.everything() == before


def test_work_without_a_lead_is_stored_for_the_rep(app: App) -> None:
    app.hire(AINA)
    sent = body(lead_id=None, type="training_step", at=iso(NOON))
    assert post(app, sent).json["lead_id"] is None
    assert entries(app)["activity/crm-88213"].rep_id == AINA.rep_id


def test_a_store_that_stays_busy_says_when_to_try_again(
    app: App, lead: Lead, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = app.everything()
    app.contend(monkeypatch)
    answer = post(app, body())
    assert (answer.status, answer.code) == (503, "busy")
    assert int(answer.headers["retry-after"]) >= 1
    assert app.everything() == before
