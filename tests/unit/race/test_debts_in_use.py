"""Debts against reps who try to get round them (F1-F3): weeks of a pool that others clear."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dibs.assignment.assign import serve
from dibs.assignment.work import accept
from dibs.core.errors import ClaimRefused
from dibs.core.events import LeadEvent
from dibs.core.lead import Lead, State
from dibs.core.quality import Quality
from dibs.core.rep import Usage
from dibs.dispatch.follow import follow
from dibs.race.claim import claim
from support.builders import NOON, a_card, a_playbook, a_rep, proof_of
from support.fakes import FakeWorld, no_pause

SCORE = {Quality.HOT: 86, Quality.WARM: 60, Quality.COLD: 20}
SLY, KEEN = a_rep(1, zone="UTC"), a_rep(2, zone="UTC")


class Pool(FakeWorld):
    """A pool of two reps: one picks, the other clears what is left."""

    def __init__(self, **acceptance: int) -> None:
        super().__init__(a_playbook(acceptance=acceptance, claims_per_day=10_000))
        for rep in (SLY, KEEN):
            self.add_rep(rep)
        self.posted = 0

    def post(self, quality: Quality) -> Lead:
        self.posted += 1
        lead = self.post_lead(a_card(self.posted, score=SCORE[quality]))
        if lead.state is State.OPEN:
            follow(LeadEvent("lead.opened", lead.lead_id, 1), self.follow_deps())
        else:
            serve(
                self.holdings.queued(), self.race, self.roster, self.holdings, self.clock, no_pause
            )
        return self.lead(lead)

    def sly_claims(self, lead: Lead) -> bool:
        token = proof_of(SLY)
        try:
            claim(self.race, lead.lead_id, SLY.rep_id, token, self.clock, pause=no_pause)
        except ClaimRefused:
            return False
        follow(LeadEvent("lead.claimed", lead.lead_id, 1, SLY.rep_id), self.follow_deps())
        return True

    def keen_clears(self) -> None:
        """Let the other rep have whatever is open, and owe nothing."""
        for lead in self.race.open_leads():
            self.memory.usage[KEEN.rep_id] = Usage()
            token = proof_of(KEEN)
            claim(self.race, lead.lead_id, KEEN.rep_id, token, self.clock, pause=no_pause)

    def works(self) -> None:
        """Let nobody hold anything; assignments to the sly rep wait."""
        self.clock.pass_(minutes=1)


def test_who_takes_hot_leads_only_while_no_warm_one_is_open_gets_as_many_as_the_rule_says() -> None:
    pool, got = Pool(hot_per_warm=2), 0
    for _ in range(100):
        pool.post(Quality.WARM)
        pool.clock.pass_(seconds=20)
        pool.keen_clears()
        got += pool.sly_claims(pool.post(Quality.HOT))
        pool.keen_clears()
        pool.clock.pass_(minutes=1)
    assert got == 2


def test_nor_does_it_help_to_pause_while_warm_leads_come() -> None:
    pool, got = Pool(hot_per_warm=2), 0
    for _ in range(30):
        pool.roster.pause(SLY.rep_id, pool.clock() + timedelta(hours=1))
        pool.post(Quality.WARM)
        pool.keen_clears()
        pool.roster.pause(SLY.rep_id, None)
        got += pool.sly_claims(pool.post(Quality.HOT))
        pool.keen_clears()
        pool.clock.pass_(minutes=1)
    assert got == 2


def test_a_warm_lead_that_was_open_when_the_debt_began_counts_as_well() -> None:
    pool = Pool(hot_per_warm=2)
    pool.post(Quality.WARM)
    assert all(pool.sly_claims(pool.post(Quality.HOT)) for _ in range(2))
    pool.keen_clears()
    assert not pool.sly_claims(pool.post(Quality.HOT))
    # One warm claim pays for two hot ones.
    assert pool.sly_claims(pool.post(Quality.WARM))
    assert [pool.sly_claims(pool.post(Quality.HOT)) for _ in range(2)] == [True, True]


def test_a_debt_is_over_with_the_week() -> None:
    pool = Pool(hot_per_warm=2)
    for _ in range(2):
        pool.sly_claims(pool.post(Quality.HOT))
    pool.post(Quality.WARM)
    pool.keen_clears()
    assert not pool.sly_claims(pool.post(Quality.HOT))
    pool.keen_clears()
    pool.clock.at = NOON + timedelta(days=7)
    assert pool.sly_claims(pool.post(Quality.HOT))


def test_who_waits_until_cold_leads_are_gone_owes_them_all_the_same() -> None:
    pool, got = Pool(cold_per_week=3), 0
    last_week = SLY.this_week(NOON) - timedelta(days=7)
    pool.memory.usage[SLY.rep_id] = Usage(week=last_week, week_claims=9)
    for _ in range(20):
        pool.post(Quality.COLD)
        pool.keen_clears()
        got += pool.sly_claims(pool.post(Quality.HOT))
        pool.keen_clears()
    assert got == 0
    assert all(pool.sly_claims(pool.post(Quality.COLD)) for _ in range(3))
    assert pool.sly_claims(pool.post(Quality.HOT))


@pytest.mark.parametrize("only", [[Quality.HOT], [Quality.HOT, Quality.COLD]])
def test_without_warm_leads_nothing_is_owed(only: list[Quality]) -> None:
    pool, got = Pool(hot_per_warm=2), 0
    for number in range(20):
        lead = pool.post(only[number % len(only)])
        got += pool.sly_claims(lead)
    assert got == 20


def test_a_pool_that_clears_holds_leads_back_for_who_owes_an_assignment() -> None:
    pool, claims, since, longest = Pool(claims_per_assignment=5), 0, 0, 0
    accepted = 0
    for _ in range(120):
        lead = pool.post(Quality.HOT)
        if lead.owner == SLY.rep_id:  # held back: without an acceptance no claim
            assert not pool.sly_claims(replace(pool.post(Quality.HOT)))
            pool.keen_clears()
            token = proof_of(SLY)
            accept(pool.race, pool.holdings, lead.lead_id, SLY.rep_id, token, pool.clock)
            accepted, since = accepted + 1, 0
        elif pool.sly_claims(lead):
            claims, since = claims + 1, since + 1
        longest = max(longest, since)
        pool.keen_clears()
        pool.works()
    assert longest == 5
    assert claims == 5 * accepted


def test_leads_that_are_open_already_are_no_way_round_it() -> None:
    pool = Pool(claims_per_assignment=5)
    leads = [pool.post(Quality.HOT) for _ in range(50)]
    assert sum(pool.sly_claims(lead) for lead in leads) == 5


def test_a_lead_held_back_is_raced_for_once_nobody_owes_one() -> None:
    rules: dict[str, Any] = {"claims_per_assignment": 1}
    pool = Pool(**rules)
    assert pool.sly_claims(pool.post(Quality.HOT))
    lead = pool.post_lead(a_card(99))
    assert (lead.state, lead.reserved_for) == (State.NEW, "acceptance")
    pool.memory.usage[SLY.rep_id] = Usage()
    with suppress(ClaimRefused):
        serve(pool.holdings.queued(), pool.race, pool.roster, pool.holdings, pool.clock, no_pause)
    assert (pool.lead(lead).state, pool.lead(lead).reserved_for) == (State.OPEN, "")
