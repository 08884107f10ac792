"""Turns given out by their job, and leads kept for who is owed one, through the functions that do
it, each with no more rights than its role has."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from dibs.core.lead import Lead, State
from dibs.core.rep import Rep
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, Answer, App, event, http, signed, sqs
from support.builders import NOON, a_playbook, token_of

TODAY, DAY = date(2026, 11, 23), timedelta(days=1)
TEAMS = {
    "north": {"name": "North", "hours": {"mon": ["12:00-13:00"], "tue": ["12:00-13:00"]}},
    "south": {"name": "South", "model": "round-robin"},
}
PRIORITY = a_playbook(teams=TEAMS, priority={"share_percent": 100})
NOTHING = {"periods": 0, "reps": 0, "changed": 0}
IN_UTC = [replace(rep, zone="UTC") for rep in (AINA, BEN)]


def me(app: App, rep: Rep = AINA) -> dict[str, Any]:
    bearer = f"Bearer {token_of(rep)}"
    found: dict[str, Any] = app.ask(
        "rep", http("http_offers", "GET /me", {}, authorization=bearer)
    ).json
    return found


def offers(app: App, rep: Rep) -> dict[str, Any]:
    bearer = f"Bearer {token_of(rep)}"
    [offer] = app.ask("rep", http("http_offers", authorization=bearer)).json["offers"]
    found: dict[str, Any] = offer
    return found


def post(app: App, **changes: Any) -> tuple[Answer, Lead]:
    known = json.loads(event("http_ingest")["body"])
    # Each is somebody else's, of another company.
    name = changes.get("external_id", "first")
    somebody = {
        "company": f"The {name} one",
        "contact_email": f"{name}@{name}.example",
        "contact_phone": "",
    }
    body = {**known, **somebody, "team": "north", **changes}
    answer = app.ask("ingest", signed(http("http_ingest", body=json.dumps(body))))
    found = wiring().leads.get(answer.json["lead_id"])
    assert found is not None
    return answer, found


def told(lead: Lead, kind: str) -> dict[str, Any]:
    return {"kind": kind, "lead_id": lead.lead_id, "epoch": lead.epoch, "rep_id": None}


# Turns (F6)


def test_the_job_gives_out_the_turns_of_the_next_day_once(app: App) -> None:
    app.put_playbook(PRIORITY)
    app.hire(*IN_UTC, CHONG)
    done = app.run("recalculate", {"job": "turns", "as_of": "2026-11-22T18:00:00Z"})
    assert done == {"periods": 1, "reps": 2, "changed": 2}
    before = app.everything()
    for as_of in ("2026-11-22T18:00:00Z", "2026-11-23T12:00:00Z", "2026-11-21T12:00:00Z"):
        assert app.run("recalculate", {"job": "turns", "as_of": as_of}) == NOTHING
    assert app.everything() == before
    app.clock.pass_(hours=6)
    assert app.run("recalculate", event("schedule_turns"))["periods"] == 1


def test_the_job_does_nothing_where_the_rule_is_off(app: App) -> None:
    app.hire(AINA)
    before = app.everything()
    assert app.run("recalculate", event("schedule_turns")) == NOTHING
    assert app.everything() == before


def test_whose_turn_it_is_sees_a_new_lead_first(app: App) -> None:
    app.put_playbook(PRIORITY)
    app.hire(*IN_UTC)
    assert me(app)["priority"] == {"head_start_seconds": 300, "today": None, "tomorrow": None}
    app.run("recalculate", {"job": "turns", "as_of": "2026-11-22T20:00:00Z"})
    app.run("recalculate", {"job": "turns", "as_of": "2026-11-23T20:00:00Z"})
    wiring.cache_clear()
    card = me(app)["priority"]
    assert card["today"] == {
        "from": "2026-11-23T12:00:00.000Z",
        "until": "2026-11-23T12:30:00.000Z",
    }
    assert card["tomorrow"]["from"] == "2026-11-24T12:30:00.000Z"
    assert me(app, BEN)["priority"]["today"]["from"] == "2026-11-23T12:30:00.000Z"
    answer, lead = post(app)
    assert (answer.status, answer.json["state"], lead.head_start_reps) == (
        201,
        "open",
        (AINA.rep_id,),
    )
    hers, his = offers(app, AINA), offers(app, BEN)
    assert (hers["eligible"], hers["opens_at"]) == (True, "2026-11-23T12:00:00.000Z")
    assert (his["eligible"], his["opens_at"]) == (False, "2026-11-23T12:05:00.000Z")
    assert his["refusal"]["codes"] == ["not_open_yet"]
    assert his["refusal"]["lifts_at"] == "2026-11-23T12:05:00.000Z"
    app.run("offer", sqs("sqs_offer", told(lead, "lead.opened")))
    assert [batch.body["rep_ids"] for batch in app.waiting("notify")] == [[AINA.rep_id]]
    assert app.claim(lead, BEN).status == 403
    app.clock.pass_(minutes=5)
    assert app.claim(lead, BEN).status == 200


def test_intake_asks_for_nothing_more_than_before_where_the_rules_are_off(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = requests(app, monkeypatch)
    post(app, external_id="first")  # reads the playbook
    asked.clear()
    post(app, external_id="second")
    off = list(asked)
    app.put_playbook(PRIORITY)
    post(app, external_id="third")  # reads snapshot and turns
    asked.clear()
    post(app, external_id="fourth")
    assert asked == off
    assert asked.count("transact_write_items") == 1
    assert "query" not in asked


def requests(app: App, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the requests made from now on."""
    found: list[str] = []
    client = wiring().dynamo.client

    def heard(name: str) -> Any:
        operation = getattr(client, name)

        def ask(**request: Any) -> Any:
            found.append(name)
            return operation(**request)

        return ask

    for name in ("get_item", "query", "batch_get_item", "transact_write_items", "update_item"):
        monkeypatch.setattr(client, name, heard(name))
    return found


# Newcomers (F8, F9)


def test_a_newcomer_is_assigned_what_is_due_and_reads_where_they_stand(app: App) -> None:
    app.put_playbook(a_playbook(newcomers={"enabled": True, "per_week": 7}))
    app.hire(AINA, replace(BEN, joined_on=TODAY - 3 * DAY))
    assert me(app)["newcomer"] is None
    assert me(app, BEN)["newcomer"] == {
        "phase": "assigned",
        "phase_ends_at": "2026-12-17T16:00:00.000Z",
        "guaranteed_this_week": 7,
        "due_by_now": 1,
        "had_this_week": 0,
    }
    answer, lead = post(app)
    assert (answer.status, answer.json["state"], lead.reserved_for) == (201, "new", "newcomers")
    app.run("offer", sqs("sqs_offer", told(lead, "lead.queued")))
    assert (app.now(lead).state, app.now(lead).owner) == (State.ASSIGNED, BEN.rep_id)
    assert me(app, BEN)["newcomer"]["had_this_week"] == 1
    # Intake's snapshot is of before that; what it kept is opened by who serves the queue.
    _, second = post(app, external_id="second")
    assert second.reserved_for == "newcomers"
    app.run("offer", sqs("sqs_offer", told(second, "lead.queued")))
    assert app.now(second).state is State.OPEN
    assert app.claim(second, AINA).status == 200


# Who was away (F10)


@pytest.mark.parametrize("earns", ["reserved", "head_start"])
def test_an_absence_earns_a_credit_and_the_next_lead_uses_it(app: App, earns: str) -> None:
    app.put_playbook(a_playbook(absence={"hours_per_credit": 24, "earns": earns}))
    app.hire(AINA, replace(BEN, leave=((TODAY - 2 * DAY, TODAY - DAY),)))
    assert me(app)["credits"] == {"earns": earns, "left": 0, "due_by_now": 0, "last_day": None}
    assert me(app, BEN)["credits"] == {
        "earns": earns,
        "left": 2,
        "due_by_now": 1,
        "last_day": "2026-12-06",
    }
    _, lead = post(app)
    if earns == "reserved":
        app.run("offer", sqs("sqs_offer", told(lead, "lead.queued")))
        assert app.now(lead).owner == BEN.rep_id
    else:
        assert lead.head_start_reps == (BEN.rep_id,)
    card = me(app, BEN)["credits"]
    assert (card["left"], card["due_by_now"]) == (1, 0)


def test_a_rep_enters_leave_from_today_on_and_never_in_hindsight(app: App) -> None:
    app.put_playbook(a_playbook(absence={"hours_per_credit": 24}))
    app.hire(replace(AINA, leave=((TODAY - 3 * DAY, TODAY + DAY),)))

    def enter(*spans: tuple[date, date]) -> Any:
        leave = [{"from": str(first), "to": str(last)} for first, last in spans]
        body = json.dumps({"leave": leave})
        bearer = f"Bearer {token_of(AINA)}"
        asked = http("http_offers", "PUT /me/availability", {}, body, authorization=bearer)
        return app.ask("rep", asked).json["leave"]

    gone = {"from": "2026-11-20", "to": "2026-11-22"}
    assert enter() == [gone]
    assert enter((TODAY - 20 * DAY, TODAY - 10 * DAY)) == [gone]
    assert enter((TODAY - 20 * DAY, TODAY)) == [gone, {"from": "2026-11-23", "to": "2026-11-23"}]
    assert NOON.date() == TODAY
