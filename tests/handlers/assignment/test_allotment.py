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
from handlers.office import AINA, BEN, CHONG, Answer, Office, event, http, signed, sqs
from support.builders import NOON, a_playbook, token_of

TODAY, DAY = date(2026, 11, 23), timedelta(days=1)
TEAMS = {
    "north": {"name": "North", "hours": {"mon": ["12:00-13:00"], "tue": ["12:00-13:00"]}},
    "south": {"name": "South", "model": "round-robin"},
}
PRIORITY = a_playbook(teams=TEAMS, priority={"share_percent": 100})
NOTHING = {"periods": 0, "reps": 0, "changed": 0}
IN_UTC = [replace(rep, zone="UTC") for rep in (AINA, BEN)]


def me(office: Office, rep: Rep = AINA) -> dict[str, Any]:
    bearer = f"Bearer {token_of(rep)}"
    found: dict[str, Any] = office.ask(
        "rep", http("http_offers", "GET /me", {}, authorization=bearer)
    ).json
    return found


def offers(office: Office, rep: Rep) -> dict[str, Any]:
    bearer = f"Bearer {token_of(rep)}"
    [offer] = office.ask("rep", http("http_offers", authorization=bearer)).json["offers"]
    found: dict[str, Any] = offer
    return found


def post(office: Office, **changes: Any) -> tuple[Answer, Lead]:
    known = json.loads(event("http_ingest")["body"])
    # Each is somebody else's, of another company.
    name = changes.get("external_id", "first")
    somebody = {
        "company": f"The {name} one",
        "contact_email": f"{name}@{name}.example",
        "contact_phone": "",
    }
    body = {**known, **somebody, "team": "north", **changes}
    answer = office.ask("ingest", signed(http("http_ingest", body=json.dumps(body))))
    found = wiring().leads.get(answer.json["lead_id"])
    assert found is not None
    return answer, found


def told(lead: Lead, kind: str) -> dict[str, Any]:
    return {"kind": kind, "lead_id": lead.lead_id, "epoch": lead.epoch, "rep_id": None}


# Turns (F6)


def test_the_job_gives_out_the_turns_of_the_next_day_once(office: Office) -> None:
    office.put_playbook(PRIORITY)
    office.hire(*IN_UTC, CHONG)
    done = office.run("recalculate", {"job": "turns", "as_of": "2026-11-22T18:00:00Z"})
    assert done == {"periods": 1, "reps": 2, "changed": 2}
    before = office.everything()
    for as_of in ("2026-11-22T18:00:00Z", "2026-11-23T12:00:00Z", "2026-11-21T12:00:00Z"):
        assert office.run("recalculate", {"job": "turns", "as_of": as_of}) == NOTHING
    assert office.everything() == before
    office.clock.pass_(hours=6)
    assert office.run("recalculate", event("schedule_turns"))["periods"] == 1


def test_the_job_does_nothing_where_the_rule_is_off(office: Office) -> None:
    office.hire(AINA)
    before = office.everything()
    assert office.run("recalculate", event("schedule_turns")) == NOTHING
    assert office.everything() == before


def test_whose_turn_it_is_sees_a_new_lead_first(office: Office) -> None:
    office.put_playbook(PRIORITY)
    office.hire(*IN_UTC)
    assert me(office)["priority"] == {"head_start_seconds": 300, "today": None, "tomorrow": None}
    office.run("recalculate", {"job": "turns", "as_of": "2026-11-22T20:00:00Z"})
    office.run("recalculate", {"job": "turns", "as_of": "2026-11-23T20:00:00Z"})
    wiring.cache_clear()
    card = me(office)["priority"]
    assert card["today"] == {
        "from": "2026-11-23T12:00:00.000Z",
        "until": "2026-11-23T12:30:00.000Z",
    }
    assert card["tomorrow"]["from"] == "2026-11-24T12:30:00.000Z"
    assert me(office, BEN)["priority"]["today"]["from"] == "2026-11-23T12:30:00.000Z"
    answer, lead = post(office)
    assert (answer.status, answer.json["state"], lead.head_start_reps) == (
        201,
        "open",
        (AINA.rep_id,),
    )
    hers, his = offers(office, AINA), offers(office, BEN)
    assert (hers["eligible"], hers["opens_at"]) == (True, "2026-11-23T12:00:00.000Z")
    assert (his["eligible"], his["opens_at"]) == (False, "2026-11-23T12:05:00.000Z")
    assert his["refusal"]["codes"] == ["not_open_yet"]
    assert his["refusal"]["lifts_at"] == "2026-11-23T12:05:00.000Z"
    office.run("offer", sqs("sqs_offer", told(lead, "lead.opened")))
    assert [batch.body["rep_ids"] for batch in office.waiting("notify")] == [[AINA.rep_id]]
    assert office.claim(lead, BEN).status == 403
    office.clock.pass_(minutes=5)
    assert office.claim(lead, BEN).status == 200


def test_intake_asks_for_nothing_more_than_before_where_the_rules_are_off(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = requests(office, monkeypatch)
    post(office, external_id="first")  # reads the playbook
    asked.clear()
    post(office, external_id="second")
    off = list(asked)
    office.put_playbook(PRIORITY)
    post(office, external_id="third")  # reads snapshot and turns
    asked.clear()
    post(office, external_id="fourth")
    assert asked == off
    assert asked.count("transact_write_items") == 1
    assert "query" not in asked


def requests(office: Office, monkeypatch: pytest.MonkeyPatch) -> list[str]:
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


def test_a_newcomer_is_assigned_what_is_due_and_reads_where_they_stand(office: Office) -> None:
    office.put_playbook(a_playbook(newcomers={"enabled": True, "per_week": 7}))
    office.hire(AINA, replace(BEN, joined_on=TODAY - 3 * DAY))
    assert me(office)["newcomer"] is None
    assert me(office, BEN)["newcomer"] == {
        "phase": "assigned",
        "phase_ends_at": "2026-12-17T16:00:00.000Z",
        "guaranteed_this_week": 7,
        "due_by_now": 1,
        "had_this_week": 0,
    }
    answer, lead = post(office)
    assert (answer.status, answer.json["state"], lead.reserved_for) == (201, "new", "newcomers")
    office.run("offer", sqs("sqs_offer", told(lead, "lead.queued")))
    assert (office.now(lead).state, office.now(lead).owner) == (State.ASSIGNED, BEN.rep_id)
    assert me(office, BEN)["newcomer"]["had_this_week"] == 1
    # Intake's snapshot is of before that; what it kept is opened by who serves the queue.
    _, second = post(office, external_id="second")
    assert second.reserved_for == "newcomers"
    office.run("offer", sqs("sqs_offer", told(second, "lead.queued")))
    assert office.now(second).state is State.OPEN
    assert office.claim(second, AINA).status == 200


# Who was away (F10)


@pytest.mark.parametrize("earns", ["reserved", "head_start"])
def test_an_absence_earns_a_credit_and_the_next_lead_uses_it(office: Office, earns: str) -> None:
    office.put_playbook(a_playbook(absence={"hours_per_credit": 24, "earns": earns}))
    office.hire(AINA, replace(BEN, leave=((TODAY - 2 * DAY, TODAY - DAY),)))
    assert me(office)["credits"] == {"earns": earns, "left": 0, "due_by_now": 0, "last_day": None}
    assert me(office, BEN)["credits"] == {
        "earns": earns,
        "left": 2,
        "due_by_now": 1,
        "last_day": "2026-12-06",
    }
    _, lead = post(office)
    if earns == "reserved":
        office.run("offer", sqs("sqs_offer", told(lead, "lead.queued")))
        assert office.now(lead).owner == BEN.rep_id
    else:
        assert lead.head_start_reps == (BEN.rep_id,)
    card = me(office, BEN)["credits"]
    assert (card["left"], card["due_by_now"]) == (1, 0)


def test_a_rep_enters_leave_from_today_on_and_never_in_hindsight(office: Office) -> None:
    office.put_playbook(a_playbook(absence={"hours_per_credit": 24}))
    office.hire(replace(AINA, leave=((TODAY - 3 * DAY, TODAY + DAY),)))

    def enter(*spans: tuple[date, date]) -> Any:
        leave = [{"from": str(first), "to": str(last)} for first, last in spans]
        body = json.dumps({"leave": leave})
        bearer = f"Bearer {token_of(AINA)}"
        asked = http("http_offers", "PUT /me/availability", {}, body, authorization=bearer)
        return office.ask("rep", asked).json["leave"]

    gone = {"from": "2026-11-20", "to": "2026-11-22"}
    assert enter() == [gone]
    assert enter((TODAY - 20 * DAY, TODAY - 10 * DAY)) == [gone]
    assert enter((TODAY - 20 * DAY, TODAY)) == [gone, {"from": "2026-11-23", "to": "2026-11-23"}]
    assert NOON.date() == TODAY
