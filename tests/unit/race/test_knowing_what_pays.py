"""A claim reads the open leads only if a debt refuses it (F1, F3), and then once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dibs.core.errors import ClaimRefused
from dibs.core.lead import Lead
from dibs.core.rep import Usage
from dibs.race.claim import Won, claim
from support.builders import a_card, a_playbook, a_rep, proof_of
from support.fakes import FakeRace, FakeWorld, no_pause

HOT, WARM, COLD = 86, 60, 20
REP = a_rep(1, zone="UTC")
RULES: dict[str, Any] = {"acceptance": {"hot_per_warm": 2, "cold_per_week": 3}}


class Watched(FakeRace):
    """Keeps the calls in order."""

    def __init__(self, world: FakeWorld) -> None:
        super().__init__(world.memory)
        self.asked: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if name in ("read", "commit_claim", "card", "record_attempt"):
            self.asked.append(name)
        return super().__getattribute__(name)

    def open_leads(self) -> list[Lead]:
        self.asked.append("open_leads")
        return super().open_leads()


ORDINARY = ["read", "commit_claim", "card"]


def a_world(**used: Any) -> tuple[FakeWorld, Watched]:
    world = FakeWorld(a_playbook(**RULES))
    world.add_rep(REP)
    world.memory.usage[REP.rep_id] = Usage(week=REP.this_week(world.clock()), **used)
    return world, Watched(world)


def tries(world: FakeWorld, race: FakeRace, lead: Lead) -> Won:
    proof = proof_of(REP)
    return claim(race, lead.lead_id, REP.rep_id, proof, world.clock, pause=no_pause)


@pytest.mark.parametrize(
    ("score", "used"),
    [(HOT, {"hot": 1}), (WARM, {"hot": 9}), (COLD, {"hot": 9, "claims_before": 5}), (HOT, {})],
)
def test_an_ordinary_claim_asks_for_nothing_more(score: int, used: dict[str, Any]) -> None:
    world, race = a_world(**used)
    tries(world, race, world.post_lead(a_card(score=score)))
    assert race.asked == ORDINARY


@pytest.mark.parametrize(
    ("score", "used", "pays", "code"),
    [
        (HOT, {"hot": 2}, WARM, "owes_warm"),
        (HOT, {"claims_before": 5}, COLD, "owes_cold"),
        (WARM, {"claims_before": 5}, COLD, "owes_cold"),
    ],
)
def test_a_debtor_is_refused_until_the_lead_that_would_pay_closes(
    score: int, used: dict[str, Any], pays: int, code: str
) -> None:
    world, race = a_world(**used)
    pay = world.post_lead(a_card(1, score=pays))
    world.clock.pass_(minutes=5)
    lead = world.post_lead(a_card(2, score=score))
    with pytest.raises(ClaimRefused) as refused:
        tries(world, race, lead)
    assert [refusal.code for refusal in refused.value.refusals] == [code]
    assert refused.value.lifts_at == pay.closes_at
    assert race.asked == ["read", "open_leads", "record_attempt"]
    world.clock.at = pay.closes_at - timedelta(milliseconds=1)
    with pytest.raises(ClaimRefused):
        tries(world, race, lead)
    world.clock.at = pay.closes_at
    tries(world, race, lead)
    assert world.lead(lead).owner == REP.rep_id


@pytest.mark.parametrize("used", [{"hot": 2}, {"hot": 9}, {"hot": 2, "claims_before": 5}])
def test_without_a_lead_that_pays_the_claim_goes_through_and_no_guard_fails_it(
    used: dict[str, Any],
) -> None:
    world, race = a_world(**used)
    lead = world.post_lead(a_card(score=HOT))
    tries(world, race, lead)
    assert race.asked.count("commit_claim") == 1
    assert world.memory.usage[REP.rep_id].hot == used["hot"] + 1


def test_a_debt_made_meanwhile_is_looked_at_when_the_guard_fails() -> None:
    world, race = a_world(hot=1)
    lead = world.post_lead(a_card(score=HOT))

    def another() -> None:
        usage = world.memory.usage[REP.rep_id]
        world.memory.usage[REP.rep_id] = replace(usage, hot=2)

    race.meanwhile = another
    tries(world, race, lead)  # no warm lead is open, so nothing is owed
    assert race.asked.count("commit_claim") == 2
    world, race = a_world(hot=1)
    lead = world.post_lead(a_card(1, score=HOT))
    world.post_lead(a_card(2, score=WARM))
    race.meanwhile = another
    with pytest.raises(ClaimRefused):
        tries(world, race, lead)
    assert world.lead(lead).owner is None
