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
from handlers.office import AINA, BEN, CHONG, MANAGER, Office, event, http
from support.builders import NOON, a_playbook, token_of

DAY_OVER = "2026-11-23T16:00:00.000Z"  # midnight in Kuching


def used_up(office: Office) -> None:
    """Let Aina and Ben have had their one lead of the day."""
    office.put_playbook(a_playbook(claims_per_day=1))
    office.claim(office.lead(91), AINA)
    office.claim(office.lead(92), BEN)


def test_the_winner_gets_the_lead_with_every_contact_field(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead(consent="Web form", needs=("fuel cards",), territory="Sarawak")
    office.offers.record([SentOffer(lead.lead_id, 1, AINA.rep_id, NOON, ("push",))])
    office.clock.pass_(milliseconds=2345)
    answer = office.ask("claim", event("http_claim"))
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
    assert (office.now(lead).state, office.now(lead).owner) == (State.CLAIMED, AINA.rep_id)


def test_the_time_to_claim_counts_from_the_opening_where_no_notice_was_sent(
    office: Office,
) -> None:
    office.hire(AINA)
    lead = office.lead()
    office.clock.pass_(seconds=7)
    assert office.claim(lead).json["claim_ms"] == 7000


def test_claiming_again_gives_the_same_answer_as_already_yours(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    first = office.claim(lead).json
    before = office.everything()
    office.clock.pass_(hours=2)  # long after the window closed
    again = office.claim(lead)
    assert again.status == 200
    assert again.json == {**first, "already_yours": True}
    assert office.everything() == before


def test_the_loser_hears_who_won_how_long_ago_and_what_is_left(office: Office) -> None:
    office.hire(AINA, BEN)
    lead = office.lead()
    office.lead(2)
    office.lead(3, team="south")
    office.claim(lead, AINA)
    office.clock.pass_(milliseconds=420)
    answer = office.claim(lead, BEN)
    assert (answer.status, answer.code) == (409, "already_claimed")
    assert answer.json["claimed_by"] == {"rep_id": AINA.rep_id, "name": "Aina Zulkifli"}
    assert answer.json["ms_ago"] == 420
    assert answer.json["open_leads"] == 1
    assert "Jane" not in answer.text
    assert office.now(lead).owner == AINA.rep_id


def test_the_losers_try_is_recorded(office: Office) -> None:
    office.hire(AINA, BEN)
    lead = office.lead()
    office.claim(lead, AINA)
    at = office.clock.pass_(seconds=1)
    office.claim(lead, BEN)
    [sighting] = office.offers.sightings(lead.lead_id, 1, [BEN.rep_id]).values()
    assert sighting.attempted_at == at


def test_on_anonymous_boards_nobody_hears_who_won(office: Office) -> None:
    office.put_playbook(a_playbook(teams={"north": {"name": "North", "anonymous": True}}))
    office.hire(AINA, BEN)
    lead = office.lead()
    office.claim(lead, AINA)
    answer = office.claim(lead, BEN)
    assert (answer.code, answer.json["claimed_by"]) == ("already_claimed", None)
    assert "Aina" not in answer.text


def test_a_loser_who_is_paused_still_hears_that_it_is_taken(office: Office) -> None:
    office.hire(AINA, BEN)
    lead = office.lead()
    office.claim(lead, AINA)
    office.pause(BEN, hours=1)
    assert office.claim(lead, BEN).code == "already_claimed"


def test_a_loser_at_their_limit_still_hears_that_it_is_taken(office: Office) -> None:
    office.hire(AINA, BEN)
    used_up(office)
    office.put_playbook(a_playbook(claims_per_day=2))
    lead = office.lead()
    office.claim(lead, AINA)
    office.put_playbook(a_playbook(claims_per_day=1))
    assert office.claim(lead, BEN).code == "already_claimed"


def test_a_loser_hears_that_it_is_taken_after_the_window_too(office: Office) -> None:
    office.hire(AINA, BEN)
    lead = office.lead()
    office.claim(lead, AINA)
    office.clock.pass_(hours=1)
    assert office.claim(lead, BEN).code == "already_claimed"


@pytest.mark.parametrize("claimed", [False, True])
def test_a_rep_of_another_team_does_not_learn_that_the_lead_exists(
    office: Office, claimed: bool
) -> None:
    office.hire(AINA, CHONG)
    lead = office.lead()
    if claimed:
        office.claim(lead, AINA)
    before = office.everything()
    answer = office.claim(lead, CHONG)
    assert (answer.status, answer.code) == (404, "lead_not_found")
    assert answer.text == office.claim(replace(lead, lead_id="aaaaaaaaaaaa"), CHONG).text
    assert office.everything() == before


@pytest.mark.parametrize("lead_id", ["aaaaaaaaaaaa", "LOCK", "☎", "a#b", "0" * 3000, " "])
def test_an_unknown_lead_is_not_found(office: Office, lead_id: str) -> None:
    office.hire(AINA)
    office.lead()
    before = office.everything()
    answer = office.ask("claim", http("http_claim", path={"lead_id": lead_id}))
    assert (answer.status, answer.code) == (404, "lead_not_found")
    assert office.everything() == before


def test_a_paused_rep_hears_the_rule_and_when_it_lifts(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    office.pause(AINA, minutes=10)
    answer = office.claim(lead)
    assert (answer.status, answer.code) == (403, "refused")
    assert answer.json["rules"] == ["paused"]
    assert answer.json["lifts_at"] == "2026-11-23T12:10:00.000Z"
    assert "Switch yourself on" in answer.json["lifts_when"]
    assert office.now(lead).state is State.OPEN


def test_a_rep_at_their_limit_hears_all_rules_and_the_latest_to_lift(office: Office) -> None:
    office.hire(AINA, BEN)
    used_up(office)
    office.pause(AINA, minutes=10)
    answer = office.claim(office.lead(), AINA)
    assert answer.status == 403
    assert answer.json["rules"] == ["paused", "daily_limit"]
    assert answer.json["lifts_at"] == DAY_OVER
    assert "midnight" in answer.json["lifts_when"]


def test_somebody_who_left_is_not_let_in_and_sees_nothing_through_a_link(office: Office) -> None:
    office.hire(replace(AINA, active=False))
    assert office.claim(office.lead()).status == 401


def test_a_refused_claim_does_not_count(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    office.pause(AINA, minutes=10)
    office.claim(lead)
    office.clock.pass_(minutes=10)
    assert office.claim(lead).status == 200


def test_a_test_lead_is_claimed_at_the_limit_and_counts_nowhere(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.hire(AINA, BEN)
    used_up(office)
    assert office.counted(capsys)["Claims"] == 2
    answer = office.claim(office.lead(test=True), AINA)
    assert answer.status == 200
    assert answer.json["lead"]["test"] is True
    assert office.counted(capsys) == {}


def test_the_first_millisecond_after_the_window_is_too_late(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    office.clock.pass_(seconds=900)
    answer = office.claim(lead)
    assert (answer.status, answer.code) == (410, "expired")


def test_the_last_millisecond_of_the_window_is_in_time(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    office.clock.pass_(milliseconds=899_999)
    assert office.claim(lead).status == 200


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
        f"Bearer {MANAGER}",
        f"Bearer {AINA.rep_id}." + "x" * 300,
        f"Bearer {AINA.rep_id}.{digest_of(token_of(AINA))}",
        f"Bearer REP#{AINA.rep_id}.secret",
    ],
)
def test_a_claim_without_a_right_token_changes_nothing(
    office: Office, authorization: str | None
) -> None:
    office.hire(AINA)
    office.world.add_manager(MANAGER)
    office.lead()
    before = office.everything()
    answer = office.ask("claim", http("http_claim", authorization=authorization))
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert office.everything() == before


def test_a_token_that_was_replaced_stops_at_once(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    office.world.replace_token(f"{AINA.rep_id}.newer")
    assert office.claim(lead).status == 401
    assert office.claim(lead, token=f"{AINA.rep_id}.newer").status == 200


def test_the_word_bearer_is_read_in_any_case(office: Office) -> None:
    office.hire(AINA)
    office.lead()
    asked = http("http_claim", authorization=f"bEARER {token_of(AINA)}")
    assert office.ask("claim", asked).status == 200


def test_a_lead_nobody_lets_go_of_answers_busy_and_says_when_to_try_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.hire(AINA)
    lead = office.lead()
    before = office.everything()
    with monkeypatch.context() as meanwhile:
        office.contend(meanwhile)
        answer = office.claim(lead)
    assert (answer.status, answer.code) == (503, "busy")
    assert int(answer.headers["retry-after"]) >= 1
    assert office.everything() == before
    assert office.claim(lead).status == 200


def test_a_claim_whose_commit_was_not_heard_of_is_found_to_stand(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.hire(AINA)
    lead = office.lead()
    commit = office.client.transact_write_items

    def unheard(**request: Any) -> None:
        commit(**request)
        raise ConnectionClosedError(endpoint_url="https://dynamodb.example")

    monkeypatch.setattr(office.client, "transact_write_items", unheard)
    monkeypatch.setattr(random, "uniform", lambda low, high: 0.0)
    for _ in range(2):
        answer = office.claim(lead)
        assert (answer.status, answer.json["already_yours"]) == (200, True)
        assert answer.json["lead"]["contact_phone"] == "+60128880000"
    assert office.now(lead).owner == AINA.rep_id


def test_a_claim_is_counted_once_with_its_time(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.hire(AINA, BEN)
    lead = office.lead()
    office.clock.pass_(seconds=3)
    office.claim(lead, AINA)
    assert office.counted(capsys) == {"Claims": 1, "ClaimMs": 3000}
    office.claim(lead, AINA)
    office.claim(lead, BEN)
    assert office.counted(capsys) == {}


def test_the_limit_starts_again_at_the_reps_own_midnight(office: Office) -> None:
    office.hire(AINA, BEN)
    used_up(office)
    office.clock.pass_(hours=4)
    lead = office.lead()
    assert lead.opens_at == NOON + timedelta(hours=4)
    assert office.claim(lead, AINA).status == 200
