"""Why a lead went where it did, as managers and reps are told (R9)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from dibs.core.lead import Lead, State
from dibs.core.rep import Rep
from handlers.app import AINA, BEN, CHONG, DAYANG, MANAGER, Answer, App, http, sqs
from support.builders import a_playbook, token_of

ROUTE = "GET /leads/{lead_id}/why"


@pytest.fixture(autouse=True)
def crew(app: App) -> None:
    app.world.add_manager(MANAGER)
    app.hire(AINA, BEN, DAYANG, CHONG)
    app.pause(DAYANG, hours=1)


def ask(app: App, lead: Lead, who: Rep | None = None, **query: str) -> Answer:
    token = MANAGER if who is None else token_of(who)
    path = {"lead_id": lead.lead_id}
    asked = http("http_offers", ROUTE, path, authorization=f"Bearer {token}")
    return app.ask("rep", {**asked, "queryStringParameters": query} if query else asked)


def offered(app: App, number: int = 1) -> Lead:
    lead = app.lead(number)
    event = {"kind": "lead.opened", "lead_id": lead.lead_id, "epoch": 1, "rep_id": None}
    app.run("offer", sqs("sqs_offer", event))
    return lead


def rules_of(found: dict[str, Any], rep: Rep) -> dict[str, list[str]]:
    [one] = [row for row in found["reps"] if row["rep_id"] == rep.rep_id]
    assert one["eligible"] == all(rule["passed"] for rule in one["rules"])
    assert all(rule["passed"] is not bool(rule["codes"]) for rule in one["rules"])
    return {rule["rule"]: rule["codes"] for rule in one["rules"]}


PLAIN = {"routing": [], "window": [], "released": [], "availability": [], "limits": []}


def test_a_manager_reads_every_rep_and_every_rule_as_it_was_judged(app: App) -> None:
    lead = offered(app)
    app.clock.pass_(seconds=10)
    assert app.claim(lead, AINA).status == 200
    told = ask(app, lead).json
    [judged] = told["judged"]
    assert {row["rep_id"] for row in judged["reps"]} == {r.rep_id for r in (AINA, BEN, DAYANG)}
    assert rules_of(judged, AINA) == PLAIN
    assert rules_of(judged, DAYANG) == {**PLAIN, "availability": ["paused"]}
    assert judged["playbook_version"] == app.world.playbooks.in_force().number
    assert (told["state"], told["now"]) == ("claimed", None)
    assert (told["holder"]["rep_id"], told["holder"]["cause"]) == (AINA.rep_id, "claimed")


def test_what_was_judged_stays_as_it_was_under_its_playbook(app: App) -> None:
    lead = offered(app)
    first = ask(app, lead).json["judged"]
    app.put_playbook(a_playbook(matching={"territory": True}, newcomers={"enabled": True}))
    told = ask(app, lead).json
    assert told["judged"] == first
    # Now is another matter.
    assert set(rules_of(told["now"], AINA)) == {*PLAIN, "territory", "newcomers"}
    assert told["now"]["playbook_version"] == first[0]["playbook_version"] + 1


def test_why_an_assigned_lead_went_to_whom_it_went(app: App) -> None:
    team = {"north": {"name": "N", "model": "round-robin"}}
    rules = {"territory": True}
    app.put_playbook(a_playbook(teams=team, matching=rules))
    app.world.roster.put_profile(replace(BEN, territories=("sabah",)), ("territories",))
    lead = app.lead(territory="sarawak")
    event = {"kind": "lead.queued", "lead_id": lead.lead_id, "epoch": 1, "rep_id": None}
    app.run("offer", sqs("sqs_offer", event))
    told = ask(app, lead).json
    assert (told["holder"]["rep_id"], told["holder"]["cause"]) == (AINA.rep_id, "assigned")
    [judged] = told["judged"]
    assert judged["how"] == "assigned"
    plain = {"territory": [], "released": [], "availability": [], "turn": []}
    assert rules_of(judged, AINA) == plain
    assert rules_of(judged, BEN) == {**plain, "territory": ["territory"]}
    assert rules_of(judged, DAYANG) == {**plain, "availability": ["paused"]}


def test_a_refused_try_is_told_with_its_rules(app: App) -> None:
    lead = offered(app)
    app.claim(lead, DAYANG)
    [tried] = ask(app, lead).json["tries"]
    assert (tried["rep_id"], tried["rules"]) == (DAYANG.rep_id, ["paused"])
    assert tried["playbook_version"] == app.world.playbooks.in_force().number


def test_a_rep_reads_their_own_part_alone(app: App) -> None:
    lead = offered(app)
    app.claim(lead, AINA)
    told = ask(app, lead, DAYANG).json
    assert rules_of(told["judged"][0], DAYANG)["availability"] == ["paused"]
    assert len(told["judged"][0]["reps"]) == 1
    assert not {"holder", "steps"} & set(told)
    text = json.dumps(told)
    assert AINA.rep_id not in text
    assert AINA.name not in text


@pytest.mark.parametrize("who", [CHONG])
def test_a_lead_of_another_team_is_not_known(app: App, who: Rep) -> None:
    lead = offered(app)
    assert ask(app, lead, who).code == "lead_not_found"
    assert ask(app, lead, AINA, epoch="x").code == "invalid_input"
    assert ask(app, lead, AINA, epoch="7").json["judged"] == []


def test_why_a_lead_waits_to_be_assigned_is_for_managers_alone(app: App) -> None:
    app.put_playbook(a_playbook(teams={"north": {"name": "N", "model": "round-robin"}}))
    lead = app.lead()
    assert lead.state is State.NEW
    assert ask(app, lead, AINA).code == "lead_not_found"
    assert ask(app, lead).status == 200
