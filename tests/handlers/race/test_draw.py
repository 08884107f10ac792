"""The draw (C10) through the functions: entering, being drawn, hearing of it, and looking it up."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dibs.core.lead import Lead, State
from dibs.core.rep import Rep
from dibs.race.draw import commitment_of, draw_time, in_order, seed_of
from handlers.app import AINA, BEN, CHONG, MANAGER, Answer, App, event, http, signed, sqs
from handlers.dispatch.test_offer import DONE, lead_message
from handlers.offers.test_reply import answers, offered
from handlers.race.test_claim_page import is_page, look, press, state
from support.builders import a_playbook, token_of

MS = timedelta(milliseconds=1)


@pytest.fixture
def lead(app: App) -> Lead:
    """A lead whose claims are collected for five seconds, and two reps who may claim it."""
    app.put_playbook(a_playbook(draw={"collect_seconds": 5}))
    app.hire(AINA, BEN)
    return app.lead()


def first(lead: Lead, *reps: Rep) -> list[Rep]:
    """These reps as they are drawn."""
    order = in_order(seed_of(lead), lead.lead_id, lead.epoch, [rep.rep_id for rep in reps])
    return sorted(reps, key=lambda rep: order.index(rep.rep_id))


def due(app: App, lead: Lead) -> None:
    """Let the lead's timer come when it is to be drawn."""
    app.clock.at = draw_time(lead)
    assert app.run("offer", sqs("sqs_offer", lead_message(lead, "lead.due"))) == DONE


def drawn(app: App, lead: Lead, token: str, **query: str) -> Answer:
    asked = http(
        "http_offers",
        "GET /leads/{lead_id}/draw",
        {"lead_id": lead.lead_id},
        authorization=f"Bearer {token}",
    )
    return app.ask("rep", {**asked, "queryStringParameters": query})


def test_a_claim_in_the_window_is_answered_202_at_once_and_the_same_again(
    app: App, lead: Lead
) -> None:
    answer = app.claim(lead)
    assert answer.status == 202
    assert answer.json == {
        "code": "in_draw",
        "lead_id": lead.lead_id,
        "draws_at": "2026-11-23T12:00:05.000Z",
        "commitment": commitment_of(seed_of(lead)),
    }
    app.clock.pass_(seconds=1)
    assert app.claim(lead).json == answer.json
    assert app.now(lead) == lead


def test_the_commitment_is_shown_before_anybody_enters(app: App, lead: Lead) -> None:
    commitment = commitment_of(seed_of(lead))
    [offer] = app.ask("rep", event("http_offers")).json["offers"]
    assert offer["draw"] == {"draws_at": "2026-11-23T12:00:05.000Z", "commitment": commitment}
    assert commitment in look(app, app.link(lead)).text
    posted = app.ask("ingest", signed(event("http_ingest"))).json
    assert posted["draw_commitment"] == commitment
    app.clock.pass_(seconds=5)
    [offer] = app.ask("rep", event("http_offers")).json["offers"]
    assert "draw" not in offer
    assert commitment not in look(app, app.link(lead)).text


def test_a_source_hears_of_no_draw_where_there_is_none(app: App) -> None:
    assert "draw_commitment" not in app.ask("ingest", signed(event("http_ingest"))).json


def test_the_timer_draws_one_of_them_and_tells_the_winner(app: App, lead: Lead) -> None:
    app.run("offer", event("sqs_offer"))
    [timer] = app.waiting("offer")
    assert timer.delay_seconds == 6
    winner, loser = first(lead, AINA, BEN)
    assert {app.claim(lead, rep).status for rep in (AINA, BEN)} == {202}
    due(app, lead)
    assert app.now(lead).owner == winner.rep_id
    app.waiting("notify")
    claimed = lead_message(lead, "lead.claimed", rep_id=winner.rep_id)
    assert app.run("offer", sqs("sqs_offer", claimed)) == DONE
    told = [batch.body for batch in app.waiting("notify")]
    assert [batch["rep_ids"] for batch in told if batch["kind"] == "assigned"] == [[winner.rep_id]]
    [batch] = [batch for batch in told if batch["kind"] == "assigned"]
    app.run("notify", sqs("sqs_notify", batch))
    [(number, text)] = app.texts()
    assert number == winner.phone
    assert "This lead is yours." in text
    won = app.claim(lead, winner)
    assert (won.status, won.json["already_yours"]) == (200, True)
    lost = app.claim(lead, loser)
    assert (lost.status, lost.code) == (409, "already_claimed")
    assert lost.json["drawn"] is True
    assert lost.json["claimed_by"] == {"rep_id": winner.rep_id, "name": winner.name}


def test_a_late_claim_by_api_link_or_text_carries_out_the_draw_nobody_made(
    app: App, lead: Lead
) -> None:
    other, third = app.lead(2), app.lead(3)
    offered(app, third, rep=BEN)
    for one in (lead, other, third):
        assert app.claim(one, AINA).status == 202
    app.clock.at = draw_time(lead)
    assert app.claim(lead, BEN).status == 409
    assert is_page(press(app, app.link(other, BEN)), 409, "lost")
    assert answers(app, "7K2P", BEN) == [
        f"{AINA.name} was drawn for it. The next lead is on its way."
    ]
    for one in (lead, other, third):
        assert app.now(one).owner == AINA.rep_id


def test_a_draw_nobody_is_in_leaves_the_lead_to_the_first(app: App, lead: Lead) -> None:
    due(app, lead)
    assert app.now(lead).draws_at is None
    assert app.claim(lead).status == 200


def test_the_page_of_who_is_in_the_draw_waits_for_it_and_then_shows_how_it_ended(
    app: App, lead: Lead
) -> None:
    token = app.link(lead)
    assert state(app, lead)["state"] == "open"
    assert is_page(press(app, token), 202, "in_draw")
    assert is_page(look(app, token), 200, "in_draw")
    assert state(app, lead)["state"] == "in_draw"
    assert state(app, lead, BEN)["state"] == "open"
    before = app.everything()
    app.clock.at = lead.closes_at  # however late the draw is
    assert state(app, lead)["state"] == "in_draw"
    assert is_page(look(app, token), 200, "in_draw")
    assert app.everything() == before
    due(app, lead)
    assert state(app, lead)["state"] == "won"
    assert is_page(look(app, token), 200, "won")


def test_a_link_asked_for_json_is_answered_as_the_app_is(app: App, lead: Lead) -> None:
    answer = press(app, app.link(lead), accept="application/json")
    assert (answer.status, answer.json["code"]) == (202, "in_draw")


def test_a_code_in_the_window_is_answered_with_the_draw(app: App, lead: Lead) -> None:
    offered(app, lead)
    assert answers(app, "7K2P") == [
        "You are in the draw for this lead. You will be told if you win it."
    ]
    due(app, lead)
    assert app.now(lead).owner == AINA.rep_id


def test_who_was_in_it_and_managers_see_how_it_was_drawn(app: App, lead: Lead) -> None:
    app.world.add_manager(MANAGER)
    winner, loser = first(lead, AINA, BEN)
    app.hire(replace(CHONG, team="north"))
    for rep in (AINA, BEN):
        commitment = app.claim(lead, rep).json["commitment"]
    for token in (token_of(AINA), MANAGER):
        assert drawn(app, lead, token).code == "not_found"
    due(app, lead)
    answers = [drawn(app, lead, token) for token in (token_of(AINA), token_of(BEN), MANAGER)]
    assert {answer.status for answer in answers} == {200}
    assert answers[0].json == answers[1].json == answers[2].json
    found: Any = answers[0].json
    assert found["winner"] == winner.rep_id
    assert found["drawn_at"] == "2026-11-23T12:00:06.000Z"
    assert [one["rep_id"] for one in found["entrants"]] == [winner.rep_id, loser.rep_id]
    assert [one["won"] for one in found["entrants"]] == [True, False]
    # Anybody recomputes it from what they were shown.
    assert hashlib.sha256(found["seed"].encode()).hexdigest() == commitment
    for one in found["entrants"]:
        text = f"{found['seed']}|{lead.lead_id}|1|{one['rep_id']}"
        assert one["ticket"] == hashlib.sha256(text.encode()).hexdigest()
    assert drawn(app, lead, token_of(CHONG)).code == "not_found"
    assert drawn(app, lead, MANAGER, epoch="1").json == found
    assert drawn(app, lead, MANAGER, epoch="2").code == "not_found"
    assert drawn(app, lead, MANAGER, epoch="x").code == "invalid_input"
    assert drawn(app, lead, "manager.wrong").code == "unauthorized"


def test_who_was_passed_over_sees_the_rule(app: App, lead: Lead) -> None:
    winner, loser = first(lead, AINA, BEN)
    for rep in (AINA, BEN):
        app.claim(lead, rep)
    app.pause(winner, hours=1)
    due(app, lead)
    found = drawn(app, lead, token_of(loser)).json
    assert [one["rules"] for one in found["entrants"]] == [["paused"], []]
    assert found["winner"] == loser.rep_id == app.now(lead).owner


def test_on_an_anonymous_team_others_are_tickets_only(app: App) -> None:
    teams = {"north": {"name": "N", "anonymous": True}}
    app.put_playbook(a_playbook(draw={"collect_seconds": 5}, teams=teams))
    app.hire(AINA, BEN)
    lead = app.lead()
    for rep in (AINA, BEN):
        app.claim(lead, rep)
    due(app, lead)
    winner, loser = first(lead, AINA, BEN)
    seen = drawn(app, lead, token_of(loser)).json
    assert [one["rep_id"] for one in seen["entrants"]] == [None, loser.rep_id]
    assert seen["winner"] is None
    assert seen["entrants"][0]["ticket"] < seen["entrants"][1]["ticket"]
    assert drawn(app, lead, token_of(winner)).json["winner"] == winner.rep_id


def test_a_draw_past_the_leads_end_still_has_its_winner(app: App, lead: Lead) -> None:
    app.claim(lead)
    app.clock.at = lead.closes_at + timedelta(minutes=2)
    swept = app.run("recalculate", event("schedule_sweep"))
    assert swept["expired"] == 0
    assert app.now(lead) == lead
    assert app.run("offer", sqs("sqs_offer", lead_message(lead, "lead.opened"))) == DONE
    assert app.now(lead).state is State.CLAIMED
    assert app.now(lead).claimed_at == lead.closes_at - MS
