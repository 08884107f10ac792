"""Rules in pairs: no two of them keep a lead from all reps for ever, or a rep from all leads.

A week of a small team in memory: leads arrive, reps claim, the queue is served and held leads are
worked. At its end every lead has a holder, and every rep had a lead.
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest

from dibs.assignment.assign import serve
from dibs.core.errors import AlreadyClaimed, ClaimRefused, Expired
from dibs.core.lead import HELD, State
from dibs.core.rep import Rep, Usage
from dibs.dispatch.sweep import close
from dibs.race.claim import claim
from dibs.race.decide import Eligible, decide_knowing
from support.builders import NOON, a_card, a_playbook, a_rep, proof_of
from support.fakes import FakeWorld, no_pause

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNTIL_WORK_ENDS = 8 * 24 + 5
"""Hours from Monday noon until the end of the second Tuesday: who works least works then."""

# Each rule, with its strictest sensible setting.
RULES: dict[str, dict[str, Any]] = {
    "territory": {"matching": {"territory": True}},
    "segment": {"matching": {"segment": True}},
    "skills": {"matching": {"skills": ["solar"]}},
    "languages": {"matching": {"languages": True}},
    "interests": {"matching": {"interests": True}},
    "pods": {"routing": [{"teams": ["north"], "segment": "new", "pods": ["red"]}]},
    "performance first": {"performance_first": [{"quality": "hot", "offsets": [0, 600, None]}]},
    "tiers": {"model": "tiers"},
    "hours": {"hours": {"hours": {key: ["09:00-18:00"] for key in ("tue", "thu", "sat")}}},
    "per day": {"claims_per_day": 1},
    "per hour": {"limits": [{"most": 1, "per": "hour", "rolling": True}]},
    "per week": {"limits": [{"most": 2, "per": "week"}]},
    "in hand": {"limits": [{"most": 1, "per": "in_hand"}]},
    "of a tier": {"limits": [{"most": 1, "per": "day", "rolling": True, "tiers": [2, 3]}]},
    "allowance": {"quota": {"enabled": True, "base_per_week": 3}},
    "hot for warm": {"acceptance": {"hot_per_warm": 1}},
    "assignments": {"acceptance": {"claims_per_assignment": 1}},
    "cold": {"acceptance": {"cold_per_week": 100}},
    # Few guaranteed leads, so that some are left for the other reps.
    "newcomers": {"newcomers": {"enabled": True, "per_week": 2}},
    "load": {"assignment": {"in_hand_limit": 1}},
}
PAIRS = list(combinations(RULES, 2))


def together(*names: str) -> dict[str, Any]:
    """Return one playbook with the settings of several rules and a fallback person."""
    found: dict[str, Any] = {}
    for name in names:
        for key, value in RULES[name].items():
            known = found.get(key)
            if isinstance(known, dict):
                found[key] = {**known, **value}
            elif isinstance(known, list):
                found[key] = [*known, *value]
            else:
                found[key] = value
    north = {"name": "N", "fallback": a_rep(1).rep_id, **found.pop("hours", {})}
    return {**found, "teams": {"north": north}}


def a_team() -> list[Rep]:
    """Return seven reps: one of each tier, a newcomer of each phase, one who matches few leads."""
    first_day = NOON.date()
    common: dict[str, Any] = {"zone": "UTC", "skills": (("solar", 2),), "speaks": ("en", "ms")}
    return [
        a_rep(1, tier=1, pod="red", **common),
        a_rep(2, tier=2, territories=("Sarawak",), **common),
        a_rep(3, tier=3, segments=("new",), interests=("panels",), **common),
        a_rep(4, tier=2, zone="UTC", territories=("Nowhere",), pod="blue"),
        a_rep(5, tier=3, joined_on=first_day - 7 * DAY, **common),
        a_rep(6, tier=2, joined_on=first_day - 35 * DAY, **common),
        a_rep(7, tier=1, joined_on=first_day - 60 * DAY, **common),
    ]


class Week:
    """The team's week under some rules. Reps claim only leads that they may have."""

    def __init__(self, rules: dict[str, Any], scores: list[int], seed: int) -> None:
        self.world = FakeWorld(a_playbook(window_seconds=3600, **rules))
        self.reps = [self.world.add_rep(rep) for rep in a_team()]
        self.scores = scores
        self.random = random.Random(seed)
        self.could: set[str] = set()
        self.posted = 0

    def owes_from_before(self) -> None:
        """Give every rep claims of last week, none of them cold."""
        for rep in self.reps:
            week = rep.this_week(NOON) - 7 * DAY
            self.world.memory.usage[rep.rep_id] = Usage(week=week, week_claims=5, hot=5, raced=5)

    def passes(self, hours: int) -> None:
        for hour in range(hours):
            if hour % 3 == 0:
                self._post()
            for _ in range(3):
                self._look()
                self._try()
                self.world.clock.pass_(minutes=20)
                self._close_and_assign()
            self._work()

    def _post(self) -> None:
        self.posted += 1
        card = a_card(
            self.posted,
            score=self.random.choice(self.scores),
            territory=self.random.choice(["", "Sarawak", "Sabah"]),
            segment=self.random.choice(["", "new", "existing"]),
            product=self.random.choice(["", "panels", "pumps"]),
            language=self.random.choice(["", "ms", "ta"]),
            needs=self.random.choice([(), ("solar:2",), ("solar:5",)]),
        )
        self.world.post_lead(card)

    def _look(self) -> None:
        """Record which reps could claim a lead now."""
        race, now = self.world.race, self.world.clock()
        for rep in self.reps:
            for lead in race.open_leads() if rep.rep_id not in self.could else ():
                usage, rules = self.world.memory.usage[rep.rep_id], self.world.memory.playbook
                verdict, _ = decide_knowing(lead, rep, usage, rules, now, race.open_leads)
                if isinstance(verdict, Eligible):
                    self.could.add(rep.rep_id)

    def _try(self) -> None:
        """Let some reps claim some leads, but none of them all."""
        for rep in self.random.sample(self.reps, 1):
            for lead in self.world.race.open_leads():
                proof = proof_of(rep)
                with suppress(AlreadyClaimed, ClaimRefused, Expired):
                    claim(
                        self.world.race,
                        lead.lead_id,
                        rep.rep_id,
                        proof,
                        self.world.clock,
                        pause=no_pause,
                    )

    def _close_and_assign(self) -> None:
        world = self.world
        for lead in world.race.open_leads():
            if world.clock() >= lead.closes_at:
                close(lead, world.leads, world.clock())
        queue = world.holdings.queued()
        serve(queue, world.race, world.roster, world.holdings, world.clock, no_pause)

    def _work(self) -> None:
        """Work all held leads, which also accepts assignments (F2)."""
        memory = self.world.memory
        for lead in list(memory.leads.values()):
            if lead.state in HELD and lead.owner is not None:
                memory.leads[lead.lead_id] = replace(lead, state=State.WON)
                used = memory.usage[lead.owner]
                used = replace(used, in_hand=used.in_hand - 1)
                if lead.state is State.ASSIGNED:
                    used = replace(used, unaccepted=used.unaccepted - 1, raced=0)
                memory.usage[lead.owner] = used

    def ends_well(self) -> None:
        """Every lead has a holder; every rep could claim a lead, or was assigned one."""
        memory = self.world.memory
        # A lead of the last hours may still be open, or in the queue.
        late = self.world.clock() - 5 * HOUR
        waiting = [lead for lead in memory.leads.values() if lead.owner is None]
        assert [lead for lead in waiting if lead.received_at < late] == []
        given = {one.rep_id for one in memory.claims.values() if not one.competitive}
        # Newcomers who do not race yet are assigned their leads (F8).
        assert {rep.rep_id for rep in self.reps} <= self.could | given


@pytest.mark.parametrize("pair", PAIRS, ids=" + ".join)
def test_no_two_rules_lock_out_a_lead_or_a_rep(pair: tuple[str, str]) -> None:
    week = Week(together(*pair), [86, 60, 20], seed=PAIRS.index(pair))
    week.owes_from_before()
    week.passes(UNTIL_WORK_ENDS)
    week.ends_well()


def test_not_even_all_of_them_do() -> None:
    week = Week(together(*RULES), [86, 60, 20], seed=1)
    week.owes_from_before()
    week.passes(UNTIL_WORK_ENDS)
    week.ends_well()


@pytest.mark.parametrize("scores", [[86], [60], [20], [86, 60], [86, 20], [60, 20]])
def test_a_debt_that_nothing_could_pay_keeps_nobody_from_the_race(scores: list[int]) -> None:
    """Only hot leads, or no cold ones: no lead can pay a debt, so nothing is owed."""
    week = Week(together("hot for warm", "cold", "assignments"), scores, seed=len(scores))
    week.owes_from_before()
    week.passes(3 * 24)
    week.ends_well()
    assert week.could == {rep.rep_id for rep in week.reps}
