"""`POST /leads/{lead_id}/claim`: what the winner, the losers and the uninvited are told."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from dibs.core.credentials import digest_of
from dibs.core.lead import State
from dibs.race.ports import SentOffer
from handlers.app import AINA, BEN, CHONG, MANAGER, App, event, http, sqs
from handlers.dispatch.test_offer import lead_message
from support.builders import NOON, a_playbook, token_of

DAY_OVER = "2026-11-23T16:00:00.000Z"  # midnight in Kuching


def used_up(app: App) -> None:
    """Let Aina and Ben have had their one lead of the day."""
    app.put_playbook(a_playbook(claims_per_day=1))
    app.claim(app.lead(91), AINA)
    app.claim(app.lead(92), BEN)


def test_the_winner_gets_the_lead_with_every_contact_field(app: App) -> None:
    app.hire(AINA)
    lead = app.lead(consent="Web form", needs=("fuel cards",), territory="Sarawak")
    app.offers.record([SentOffer(lead.lead_id, 1, AINA.rep_id, NOON, ("push",))])
    app.clock.pass_(milliseconds=2345)
    answer = app.ask("claim", event("http_claim"))
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json == {
        "lead_id": lead.lead_id,
        "claimed_at": "2026-11-23T12:00:02.345Z",
        "claim_ms": 2345,
        "already_yours": False,
        "undo_until": "2026-11-23T12:00:32.345Z",
        "lead": {
            "lead_id": lead.lead_id,
            "source": "google-ads",
            "external_id": "ext-1",
            "company": "Acme 1 Sdn Bhd",
            "company_size": "51-200",
            "contact_name": "Jane Tan",
            "contact_title": "Head of Operations",
            "contact_email": "jane@acme.example",
            "contact_phone": "+60128880000",
            "score": 86,
            "territory": "Sarawak",
            "segment": "",
            "product": "",
            "team": "north",
            "needs": ["fuel cards"],
            "language": "",
            "consent": "Web form",
            "do_not_call": False,
            "test": False,
            "flags": [],
            "merged": [],
        },
    }
    assert (app.now(lead).state, app.now(lead).owner) == (State.CLAIMED, AINA.rep_id)


def test_the_time_to_claim_counts_from_the_opening_where_no_notice_was_sent(
    app: App,
) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.clock.pass_(seconds=7)
    assert app.claim(lead).json["claim_ms"] == 7000


def test_claiming_again_gives_the_same_answer_as_already_yours(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    first = app.claim(lead).json
    before = app.everything()
    app.clock.pass_(hours=2)  # long after the window closed
    again = app.claim(lead)
    assert again.status == 200
    assert again.json == {**first, "already_yours": True}
    assert app.everything() == before


def test_a_loser_hears_at_once_of_leads_that_were_opened_and_closed_since_the_sweep(
    app: App,
) -> None:
    app.hire(AINA, BEN)
    app.run("recalculate", {"job": "sweep"})
    first, second, third = app.lead(), app.lead(2), app.lead(3)
    for lead in (first, second, third):
        app.run("offer", sqs("sqs_offer", lead_message(lead, "lead.opened")))
    app.claim(first, AINA)
    assert app.claim(first, BEN).json["open_leads"] == 2  # the claim is not followed yet
    app.clock.pass_(seconds=1)
    app.run("offer", sqs("sqs_offer", lead_message(first, "lead.claimed", rep_id=AINA.rep_id)))
    assert app.claim(first, BEN).json["open_leads"] == 2
    app.run("offer", sqs("sqs_offer", lead_message(second, "lead.opened")))  # twice
    assert app.claim(first, BEN).json["open_leads"] == 2


def test_the_loser_hears_who_won_how_long_ago_and_what_is_left(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    app.lead(2)
    app.lead(3, team="south")
    app.claim(lead, AINA)
    app.clock.pass_(milliseconds=420)
    answer = app.claim(lead, BEN)
    assert (answer.status, answer.code) == (409, "already_claimed")
    assert answer.json["claimed_by"] == {"rep_id": AINA.rep_id, "name": "Aina Zulkifli"}
    assert answer.json["ms_ago"] == 420
    assert answer.json["open_leads"] == 1
    assert "Jane" not in answer.text
    assert app.now(lead).owner == AINA.rep_id


def test_the_losers_try_is_recorded(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    app.claim(lead, AINA)
    at = app.clock.pass_(seconds=1)
    app.claim(lead, BEN)
    [sighting] = app.offers.sightings(lead.lead_id, 1, [BEN.rep_id]).values()
    assert sighting.attempted_at == at


def test_on_anonymous_boards_nobody_hears_who_won(app: App) -> None:
    app.put_playbook(a_playbook(teams={"north": {"name": "North", "anonymous": True}}))
    app.hire(AINA, BEN)
    lead = app.lead()
    app.claim(lead, AINA)
    answer = app.claim(lead, BEN)
    assert (answer.code, answer.json["claimed_by"]) == ("already_claimed", None)
    assert "Aina" not in answer.text


def test_a_loser_who_is_paused_still_hears_that_it_is_taken(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    app.claim(lead, AINA)
    app.pause(BEN, hours=1)
    assert app.claim(lead, BEN).code == "already_claimed"


def test_a_loser_at_their_limit_still_hears_that_it_is_taken(app: App) -> None:
    app.hire(AINA, BEN)
    used_up(app)
    app.put_playbook(a_playbook(claims_per_day=2))
    lead = app.lead()
    app.claim(lead, AINA)
    app.put_playbook(a_playbook(claims_per_day=1))
    assert app.claim(lead, BEN).code == "already_claimed"


def test_a_loser_hears_that_it_is_taken_after_the_window_too(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    app.claim(lead, AINA)
    app.clock.pass_(hours=1)
    assert app.claim(lead, BEN).code == "already_claimed"


@pytest.mark.parametrize("claimed", [False, True])
def test_a_rep_of_another_team_does_not_learn_that_the_lead_exists(app: App, claimed: bool) -> None:
    app.hire(AINA, CHONG)
    lead = app.lead()
    if claimed:
        app.claim(lead, AINA)
    before = app.everything()
    answer = app.claim(lead, CHONG)
    assert (answer.status, answer.code) == (404, "lead_not_found")
    assert answer.text == app.claim(replace(lead, lead_id="aaaaaaaaaaaa"), CHONG).text
    assert app.everything() == before


@pytest.mark.parametrize("lead_id", ["aaaaaaaaaaaa", "LOCK", "☎", "a#b", "0" * 3000, " "])
def test_an_unknown_lead_is_not_found(app: App, lead_id: str) -> None:
    app.hire(AINA)
    app.lead()
    before = app.everything()
    answer = app.ask("claim", http("http_claim", path={"lead_id": lead_id}))
    assert (answer.status, answer.code) == (404, "lead_not_found")
    assert app.everything() == before


def test_a_paused_rep_hears_the_rule_and_when_it_lifts(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.pause(AINA, minutes=10)
    answer = app.claim(lead)
    assert (answer.status, answer.code) == (403, "refused")
    assert answer.json["rules"] == ["paused"]
    assert answer.json["lifts_at"] == "2026-11-23T12:10:00.000Z"
    assert "Switch yourself on" in answer.json["lifts_when"]
    assert app.now(lead).state is State.OPEN


def test_a_rep_at_their_limit_hears_all_rules_and_the_latest_to_lift(app: App) -> None:
    app.hire(AINA, BEN)
    used_up(app)
    app.pause(AINA, minutes=10)
    answer = app.claim(app.lead(), AINA)
    assert answer.status == 403
    assert answer.json["rules"] == ["paused", "daily_limit"]
    assert answer.json["lifts_at"] == DAY_OVER
    assert "midnight" in answer.json["lifts_when"]


def test_somebody_who_left_is_not_let_in_and_sees_nothing_through_a_link(app: App) -> None:
    app.hire(replace(AINA, active=False))
    assert app.claim(app.lead()).status == 401


def test_a_refused_claim_does_not_count(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.pause(AINA, minutes=10)
    app.claim(lead)
    app.clock.pass_(minutes=10)
    assert app.claim(lead).status == 200


def test_a_test_lead_is_claimed_at_the_limit_and_counts_nowhere(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    app.hire(AINA, BEN)
    used_up(app)
    assert app.counted(capsys)["Claims"] == 2
    answer = app.claim(app.lead(test=True), AINA)
    assert answer.status == 200
    assert answer.json["lead"]["test"] is True
    assert app.counted(capsys) == {}


def test_the_first_millisecond_after_the_window_is_too_late(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.clock.pass_(seconds=900)
    answer = app.claim(lead)
    assert (answer.status, answer.code) == (410, "expired")


def test_the_last_millisecond_of_the_window_is_in_time(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.clock.pass_(milliseconds=899_999)
    assert app.claim(lead).status == 200


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic YWFhYWM6c2VjcmV0",
        f"Bearer {AINA.rep_id}",
        f"Bearer {AINA.rep_id}.",
        "Bearer .secret",
        f"Bearer {AINA.rep_id}.forged",
        f"Bearer {BEN.rep_id}.forged",
        f"Bearer {AINA.rep_id}.secret ünd mehr",
        f"Bearer {AINA.rep_id}.secret.secret",
        f"Bearer {AINA.rep_id}.SECRET",
        "Bearer nobody.secret",
        f"Bearer {MANAGER.partition('.')[0]}.forged",
        f"Bearer {AINA.rep_id}." + "x" * 300,
        f"Bearer {AINA.rep_id}.{digest_of(token_of(AINA))}",
        f"Bearer REP#{AINA.rep_id}.secret",
    ],
)
def test_a_claim_without_a_right_token_changes_nothing(app: App, authorization: str | None) -> None:
    app.hire(AINA)
    app.world.add_manager(MANAGER)
    app.lead()
    before = app.everything()
    answer = app.ask("claim", http("http_claim", authorization=authorization))
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert app.everything() == before


def test_a_manager_claims_nothing(app: App) -> None:
    app.world.add_manager(MANAGER)
    app.lead()
    before = app.everything()
    answer = app.ask("claim", http("http_claim", authorization=f"Bearer {MANAGER}"))
    assert (answer.status, answer.code) == (403, "forbidden")
    assert app.everything() == before


def test_a_token_that_was_replaced_stops_at_once(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.world.replace_token(f"{AINA.rep_id}.newer")
    assert app.claim(lead).status == 401
    assert app.claim(lead, token=f"{AINA.rep_id}.newer").status == 200


def test_the_word_bearer_is_read_in_any_case(app: App) -> None:
    app.hire(AINA)
    app.lead()
    asked = http("http_claim", authorization=f"bEARER {token_of(AINA)}")
    assert app.ask("claim", asked).status == 200


def test_a_lead_nobody_lets_go_of_answers_busy_and_says_when_to_try_again(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.hire(AINA)
    lead = app.lead()
    before = app.everything()
    with monkeypatch.context() as meanwhile:
        app.contend(meanwhile)
        answer = app.claim(lead)
    assert (answer.status, answer.code) == (503, "busy")
    assert int(answer.headers["retry-after"]) >= 1
    assert app.everything() == before
    assert app.claim(lead).status == 200


def test_a_claim_whose_commit_was_not_heard_of_is_found_to_stand(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.hire(AINA)
    lead = app.lead()
    commit = app.client.transact_write_items

    def unheard(**request: Any) -> None:
        commit(**request)
        raise ConnectionClosedError(endpoint_url="https://dynamodb.example")

    monkeypatch.setattr(app.client, "transact_write_items", unheard)
    monkeypatch.setattr(random, "uniform", lambda low, high: 0.0)
    for _ in range(2):
        answer = app.claim(lead)
        assert (answer.status, answer.json["already_yours"]) == (200, True)
        assert answer.json["lead"]["contact_phone"] == "+60128880000"
    assert app.now(lead).owner == AINA.rep_id


def test_a_claim_is_counted_once_with_its_time(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    app.clock.pass_(seconds=3)
    app.claim(lead, AINA)
    assert app.counted(capsys) == {"Claims": 1, "ClaimMs": 3000}
    app.claim(lead, AINA)
    app.claim(lead, BEN)
    assert app.counted(capsys) == {}


def test_the_limit_starts_again_at_the_reps_own_midnight(app: App) -> None:
    app.hire(AINA, BEN)
    used_up(app)
    app.clock.pass_(hours=4)
    lead = app.lead()
    assert lead.opens_at == NOON + timedelta(hours=4)
    assert app.claim(lead, AINA).status == 200
