"""Receipts as reps and managers get them: sealed by the offer step, chained by the sweep (C9)."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest

from dibs.aws import keys
from dibs.core.lead import Lead
from dibs.core.rep import Rep
from dibs.race.verdicts import RecordedVerdicts
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, DAYANG, MANAGER, Answer, App, event, http, sqs
from support.builders import NOON, token_of

ANSWER = "We looked into it."
OBJECTION = "My phone was slow,\nand Ben knows it."


@pytest.fixture(autouse=True)
def manager(app: App) -> None:
    app.world.add_manager(MANAGER)


def lead_message(lead: Lead, kind: str, rep: Rep | None = None) -> dict[str, Any]:
    rep_id = rep.rep_id if rep else None
    return {"kind": kind, "lead_id": lead.lead_id, "epoch": lead.epoch, "rep_id": rep_id}


def raced(app: App, number: int = 1) -> Lead:
    """A race Aina won ten seconds after noon, Ben lost 250 ms later and Dayang was paused for."""
    lead = app.lead(number)
    app.run("offer", sqs("sqs_offer", lead_message(lead, "lead.opened")))
    for message in app.waiting("notify"):
        app.run("notify", sqs("sqs_notify", message.body))
    app.clock.pass_(seconds=10)
    assert app.claim(lead, AINA).status == 200
    app.clock.pass_(milliseconds=250)
    assert app.claim(lead, BEN).code == "already_claimed"
    app.run("offer", sqs("sqs_offer", lead_message(lead, "lead.claimed", AINA)))
    app.waiting("notify")
    return lead


def sealed(app: App, number: int = 1) -> Lead:
    """The same, sealed when its timer goes off."""
    lead = raced(app, number)
    [timer] = [m for m in app.waiting("offer") if m.body["kind"] == "race.seal"]
    assert timer.delay_seconds == 60
    app.clock.pass_(seconds=timer.delay_seconds)
    done = app.run("offer", sqs("sqs_offer", timer.body))
    assert done == {"batchItemFailures": []}
    return lead


@pytest.fixture
def crew(app: App) -> None:
    app.hire(AINA, BEN, DAYANG, CHONG)
    app.pause(DAYANG, hours=1)


def ask(app: App, route: str, rep: Rep, lead: Lead, body: Any = None, **query: str) -> Answer:
    """Call one of a rep's routes about a lead."""
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    asked = http(
        "http_offers",
        route,
        {"lead_id": lead.lead_id},
        text,
        authorization=f"Bearer {token_of(rep)}",
    )
    return app.ask("rep", {**asked, "queryStringParameters": query} if query else asked)


def receipt(app: App, rep: Rep, lead: Lead, **query: str) -> Answer:
    return ask(app, "GET /leads/{lead_id}/receipt", rep, lead, **query)


def dispute(app: App, rep: Rep, lead: Lead, reason: Any = OBJECTION) -> Answer:
    return ask(app, "POST /leads/{lead_id}/dispute", rep, lead, {"reason": reason})


def managed(app: App, route: str, token: str = MANAGER, **query: str) -> Answer:
    asked = http("http_playbook", route, {}, authorization=f"Bearer {token}")
    asked.pop("queryStringParameters")
    return app.ask("manage", {**asked, "queryStringParameters": query} if query else asked)


def lines(answer: Answer) -> list[dict[str, str]]:
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(StringIO(answer.text)))


# A rep's own


@pytest.mark.usefixtures("crew")
def test_a_rep_reads_their_own_receipt(app: App) -> None:
    lead = sealed(app)
    answer = receipt(app, BEN, lead)
    assert answer.status == 200
    found = answer.json["receipt"]
    proof = {name: found.pop(name) for name in ("text", "before", "hash")}
    assert found == {
        "outcome": "lost",
        "place": 2,
        "behind_ms": 250,
        "told_at": "2026-11-23T12:00:00.000Z",
        "attempted_at": "2026-11-23T12:00:10.250Z",
        "rules": [],
        "disputed": False,
    }
    # What it says can be worked out by anybody.
    worked_out = hashlib.sha256(f"{proof['before']}\n{proof['text']}".encode()).hexdigest()
    assert proof["hash"] == worked_out
    assert json.loads(proof["text"])["rep_id"] == BEN.rep_id
    race = answer.json["race"]
    assert (race["receipts"], race["cause"], race["block"]) == (3, "claimed", None)
    assert race["sealed_at"] == "2026-11-23T12:01:10.250Z"
    # Who won is for the boards to say, where a team's are not anonymous.
    assert AINA.rep_id not in answer.text
    assert AINA.name not in answer.text


@pytest.mark.usefixtures("crew")
@pytest.mark.parametrize(
    ("rep", "outcome", "at_place", "rules"),
    [(AINA, "won", 1, []), (BEN, "lost", 2, []), (DAYANG, "not_told", None, ["paused"])],
)
def test_everybody_in_the_race_has_one(
    app: App, rep: Rep, outcome: str, at_place: int | None, rules: list[str]
) -> None:
    found = receipt(app, rep, sealed(app)).json["receipt"]
    assert (found["outcome"], found["place"], found["rules"]) == (outcome, at_place, rules)


@pytest.mark.usefixtures("crew")
def test_before_the_seal_a_rep_sees_what_is_known_so_far(app: App) -> None:
    lead = raced(app)
    assert receipt(app, BEN, lead).json == {
        "lead_id": lead.lead_id,
        "epoch": 1,
        "dispute": None,
        "sealed": False,
        "receipt": {
            "told_at": "2026-11-23T12:00:00.000Z",
            "attempted_at": "2026-11-23T12:00:10.250Z",
            "rules": [],
        },
    }
    assert receipt(app, DAYANG, lead).json["receipt"]["rules"] == ["paused"]


@pytest.mark.usefixtures("crew")
@pytest.mark.parametrize("when", ["before", "after"])
def test_who_was_not_in_the_race_has_none_and_may_not_dispute_it(app: App, when: str) -> None:
    lead = sealed(app) if when == "after" else raced(app)
    before = app.everything()
    for answer in (
        receipt(app, CHONG, lead),
        receipt(app, CHONG, lead, epoch="1"),
        receipt(app, AINA, lead, epoch="7"),
        dispute(app, CHONG, lead),
    ):
        assert (answer.status, answer.code) == (404, "lead_not_found")
    assert app.everything() == before


@pytest.mark.usefixtures("crew")
@pytest.mark.parametrize("epoch", ["0x1", "-1", "one", "1" * 6, "²"])
def test_an_opening_that_is_no_number_is_refused(app: App, epoch: str) -> None:
    answer = receipt(app, BEN, raced(app), epoch=epoch)
    assert (answer.status, answer.code) == (422, "invalid_input")


@pytest.mark.usefixtures("crew")
@pytest.mark.parametrize("route", ["GET /leads/{lead_id}/receipt", "POST /leads/{lead_id}/dispute"])
def test_a_rep_who_left_and_a_manager_read_no_reps_receipt(app: App, route: str) -> None:
    lead = sealed(app)
    app.world.roster.deactivate(BEN.rep_id, NOON.date())
    assert ask(app, route, BEN, lead).status == 401
    asked = http("http_offers", route, {"lead_id": lead.lead_id}, authorization=f"Bearer {MANAGER}")
    assert app.ask("rep", asked).status == 403


# Disputes


@pytest.mark.usefixtures("crew")
def test_a_rep_disputes_a_race_once(app: App) -> None:
    lead = sealed(app)
    answer = dispute(app, BEN, lead)
    assert (answer.status, answer.json["reason"]) == (200, OBJECTION)
    before = app.everything()
    app.clock.pass_(minutes=1)
    assert dispute(app, BEN, lead, "Another reason.").json == answer.json
    assert app.everything() == before
    assert receipt(app, BEN, lead).json["receipt"]["disputed"] is True
    assert receipt(app, AINA, lead).json["receipt"]["disputed"] is False
    assert managed(app, "GET /disputes").json == {
        "month": "2026-11",
        "disputes": [
            {
                "lead_id": lead.lead_id,
                "epoch": 1,
                "rep_id": BEN.rep_id,
                "disputed_at": "2026-11-23T12:01:10.250Z",
                "reason": OBJECTION,
                "answer": None,
            }
        ],
    }
    assert managed(app, "GET /disputes", month="2026-10").json["disputes"] == []


@pytest.mark.usefixtures("crew")
def test_a_reps_words_are_in_no_log(app: App) -> None:
    dispute(app, BEN, sealed(app), "Something nobody else should read.")
    assert "Something nobody" not in "".join(app.overheard.lines)


@pytest.mark.usefixtures("crew")
@pytest.mark.parametrize(
    "reason", [None, "", "   ", 7, ["why"], "x" * 501, "bell \a", "half a \ud83d letter"]
)
def test_a_dispute_without_a_reason_in_words_is_refused(app: App, reason: Any) -> None:
    lead = raced(app)
    before = app.everything()
    answer = dispute(app, BEN, lead, reason)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert [error["field"] for error in answer.json["errors"]] == ["reason"]
    assert app.everything() == before


@pytest.mark.usefixtures("crew")
def test_a_race_may_be_disputed_before_it_is_sealed(app: App) -> None:
    lead = raced(app)
    assert dispute(app, BEN, lead).status == 200
    app.clock.pass_(minutes=2)
    app.run("offer", sqs("sqs_offer", lead_message(lead, "race.seal")))
    assert receipt(app, BEN, lead).json["receipt"]["disputed"] is True


@pytest.mark.usefixtures("crew")
@pytest.mark.parametrize("when", ["before", "after"])
def test_nobody_disputes_their_own_win(app: App, when: str) -> None:
    lead = sealed(app) if when == "after" else raced(app)
    before = app.everything()
    answer = dispute(app, AINA, lead)
    assert (answer.status, answer.code) == (409, "illegal_move")
    assert "You won this race" in answer.text
    assert app.everything() == before
    assert dispute(app, BEN, lead).status == 200


def rule(
    app: App,
    lead: Lead,
    rep: Rep = BEN,
    *,
    upheld: Any = True,
    text: Any = ANSWER,
    token: str = MANAGER,
    epoch: str = "1",
) -> Answer:
    route = "POST /disputes/{lead_id}/{epoch}/{rep_id}/answer"
    where = {"lead_id": lead.lead_id, "epoch": epoch, "rep_id": rep.rep_id}
    body = json.dumps({"upheld": upheld, "text": text})
    asked = http("http_playbook", route, where, body, authorization=f"Bearer {token}")
    asked.pop("queryStringParameters")
    return app.ask("manage", asked)


@pytest.mark.usefixtures("crew")
@pytest.mark.parametrize("upheld", [True, False])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_dispute_is_answered_and_the_rep_reads_it(app: App, when: str, upheld: bool) -> None:
    lead = sealed(app) if when == "after" else raced(app)
    assert receipt(app, BEN, lead).json["dispute"] is None
    dispute(app, BEN, lead)
    assert receipt(app, BEN, lead).json["dispute"]["answer"] is None
    app.clock.pass_(minutes=1)
    answer = rule(app, lead, upheld=upheld)
    at = answer.json["answer"]["answered_at"]
    said = {"upheld": upheld, "text": ANSWER, "answered_at": at}
    assert answer.status == 200
    assert answer.json["answer"] == {**said, "answered_by": "manager"}
    assert receipt(app, BEN, lead).json["dispute"]["answer"] == said
    assert managed(app, "GET /disputes").json["disputes"] == [answer.json]
    assert dispute(app, BEN, lead).json["answer"] == said
    assert receipt(app, AINA, lead).json["dispute"] is None
    assert ANSWER not in "".join(app.overheard.lines)


@pytest.mark.usefixtures("crew")
def test_the_first_answer_to_a_dispute_stands(app: App) -> None:
    lead = sealed(app)
    dispute(app, BEN, lead)
    first = rule(app, lead)
    before = app.everything()
    app.clock.pass_(minutes=1)
    assert rule(app, lead).json == first.json
    for other in (rule(app, lead, upheld=False), rule(app, lead, text="Another.")):
        assert (other.status, other.code) == (409, "illegal_move")
    assert app.everything() == before


@pytest.mark.usefixtures("crew")
def test_only_what_is_disputed_is_answered(app: App) -> None:
    lead = sealed(app)
    dispute(app, BEN, lead)
    for answer in (
        rule(app, lead, AINA),
        rule(app, lead, epoch="2"),
        rule(app, lead, epoch="x"),
        rule(app, replace(lead, lead_id="nothing")),
    ):
        assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.usefixtures("crew")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"upheld": None}, "upheld"),
        ({"upheld": "yes"}, "upheld"),
        ({"text": ""}, "text"),
        ({"text": "x" * 501}, "text"),
        ({"text": "bell \a"}, "text"),
    ],
)
def test_an_answer_is_yes_or_no_and_words(app: App, changes: dict[str, Any], field: str) -> None:
    lead = sealed(app)
    dispute(app, BEN, lead)
    answer = rule(app, lead, **changes)
    assert (answer.status, [one["field"] for one in answer.json["errors"]]) == (422, [field])


@pytest.mark.usefixtures("crew")
def test_a_dispute_is_answered_by_a_manager_of_the_reps_team(app: App) -> None:
    lead = sealed(app)
    dispute(app, BEN, lead)
    app.world.add_manager("m-south.secret", "south")
    assert rule(app, lead, token="m-south.secret").status == 404
    assert rule(app, lead, token=token_of(BEN)).status == 403
    app.world.add_manager("m-north.secret", "north")
    assert rule(app, lead, token="m-north.secret").status == 200


# The managers' export


@pytest.mark.usefixtures("crew")
def test_a_manager_exports_a_days_receipts(app: App) -> None:
    lead = sealed(app)
    dispute(app, BEN, lead)
    assert lines(managed(app, "GET /receipts", day="2026-11-23")) == []
    assert app.run("recalculate", event("schedule_sweep"))["chained"] == 1
    found = lines(managed(app, "GET /receipts", day="2026-11-23"))
    assert [(row["rep_id"], row["place"], row["behind_ms"], row["rules"]) for row in found] == [
        (AINA.rep_id, "1", "0", ""),
        (BEN.rep_id, "2", "250", ""),
        (DAYANG.rep_id, "", "", "paused"),
    ]
    assert [row["disputed"] for row in found] == ["", "yes", ""]
    assert {(row["lead_id"], row["epoch"], row["teams"], row["cause"]) for row in found} == {
        (lead.lead_id, "1", "north", "claimed")
    }
    own = receipt(app, BEN, lead).json
    assert found[1]["hash"] == own["receipt"]["hash"]
    assert {row["head"] for row in found} == {own["race"]["head"]}
    assert own["race"]["block"] == 1
    for other in ({"day": "2026-11-24"}, {"day": "2026-11-23", "team": "south"}):
        assert lines(managed(app, "GET /receipts", **other)) == []
    assert lines(managed(app, "GET /receipts", day="2026-11-23", team="north")) == found
    assert AINA.name not in managed(app, "GET /receipts", day="2026-11-23").text


@pytest.mark.usefixtures("crew")
def test_an_export_says_what_was_altered(app: App) -> None:
    lead = sealed(app)
    app.run("recalculate", event("schedule_sweep"))
    number, head = wiring().races.last_block()
    logged = [line for line in app.overheard.lines if "block added" in line]
    assert [(json.loads(line)["number"], json.loads(line)["hash"]) for line in logged] == [
        (number, head)
    ]
    key = {"lead_id": {"S": lead.lead_id}, "sk": {"S": keys.race(1)}}
    race = app.world.dynamo.get(app.settings.races_table, key)
    assert race is not None
    text = race["race"]["S"].replace(AINA.rep_id, BEN.rep_id)
    app.world.dynamo.put(app.settings.races_table, {**race, "race": {"S": text}})
    [row] = lines(managed(app, "GET /receipts", day="2026-11-23"))
    assert {name: value for name, value in row.items() if value} == {
        "lead_id": lead.lead_id,
        "epoch": "1",
        "outcome": "altered",
    }


@pytest.mark.usefixtures("crew")
def test_an_export_that_is_too_large_comes_in_parts(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads = [sealed(app, number) for number in (1, 2, 3)]
    app.run("recalculate", event("schedule_sweep"))
    monkeypatch.setattr("manage.receipts._MOST_RACES", 2)
    first = managed(app, "GET /receipts", day="2026-11-23", team="north")
    assert {row["lead_id"] for row in lines(first)} == {lead.lead_id for lead in leads[:2]}
    link = first.headers["link"]
    assert link == '</receipts?day=2026-11-23&team=north&after=1.2>; rel="next"'
    rest = managed(app, "GET /receipts", day="2026-11-23", team="north", after="1.2")
    assert {row["lead_id"] for row in lines(rest)} == {leads[2].lead_id}
    assert "link" not in rest.headers


@pytest.mark.parametrize(
    ("route", "query", "field"),
    [
        ("GET /receipts", {}, "day"),
        ("GET /receipts", {"day": "yesterday"}, "day"),
        ("GET /receipts", {"day": "2026-11-23", "team": "nowhere"}, "team"),
        ("GET /receipts", {"day": "2026-11-23", "after": "1"}, "after"),
        ("GET /disputes", {"month": "november"}, "month"),
        ("GET /disputes", {"month": "2026-13"}, "month"),
    ],
)
def test_what_cannot_be_asked_is_named(
    app: App, route: str, query: dict[str, str], field: str
) -> None:
    answer = managed(app, route, **query)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert [error["field"] for error in answer.json["errors"]] == [field]


@pytest.mark.parametrize("route", ["GET /receipts", "GET /disputes"])
def test_only_managers_see_everybodys(app: App, route: str) -> None:
    app.hire(AINA)
    assert managed(app, route, token_of(AINA), day="2026-11-23").status == 403
    assert managed(app, route, "manager.forged", day="2026-11-23").status == 401


# The clockwork


@pytest.mark.usefixtures("crew")
def test_a_timer_that_was_lost_is_made_up_for_by_the_sweep(app: App) -> None:
    lead = raced(app)
    app.waiting("offer")
    app.clock.at = lead.closes_at + timedelta(seconds=105)
    assert app.run("recalculate", event("schedule_sweep"))["seals_late"] == 1
    [again] = [m for m in app.waiting("offer") if m.body["kind"] == "race.seal"]
    app.run("offer", sqs("sqs_offer", again.body))
    done = app.run("recalculate", event("schedule_sweep"))
    assert (done["seals_late"], done["chained"]) == (0, 1)
    assert receipt(app, AINA, lead).json["receipt"]["place"] == 1


@pytest.mark.usefixtures("crew")
def test_a_redelivered_timer_changes_nothing(app: App) -> None:
    lead = sealed(app)
    before = app.everything()
    app.clock.pass_(minutes=5)
    app.run("offer", sqs("sqs_offer", lead_message(lead, "race.seal")))
    assert app.everything() == before


@pytest.mark.usefixtures("crew")
def test_how_reps_were_judged_is_kept_for_who_asks_why(app: App) -> None:
    lead = raced(app)
    assert wiring().races.judged(lead.lead_id, 1) == [
        RecordedVerdicts(
            lead_id=lead.lead_id,
            epoch=1,
            wave_at=NOON,
            at=NOON,
            teams=("north",),
            playbook_version=1,
            verdicts={AINA.rep_id: (), BEN.rep_id: (), DAYANG.rep_id: ("paused",)},
        )
    ]
