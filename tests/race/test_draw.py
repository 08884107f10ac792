"""The draw (C10) on DynamoDB Local: many reps enter, many processes draw, one rep wins."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from threading import Barrier

import pytest

from dibs.core.errors import AlreadyClaimed, Busy, ClaimRefused
from dibs.core.lead import Lead
from dibs.core.rep import Rep
from dibs.race.claim import InDraw, Won, claim
from dibs.race.draw import draw_time, flaws
from dibs.race.draw_winner import draw
from support.builders import NOON, World, a_card, a_playbook, a_rep, proof_of
from support.clients import over_both
from support.fakes import Clock

pytestmark = pytest.mark.race

Outcome = Won | InDraw | AlreadyClaimed | ClaimRefused
SKEW_MS = 50


def skewed(clock: Clock, number: int) -> Clock:
    """A process's own clock, up to 50 ms off."""
    ahead = timedelta(milliseconds=number % (2 * SKEW_MS + 1) - SKEW_MS)

    class Skewed(Clock):
        def __call__(self) -> datetime:
            return clock() + ahead

    return Skewed()


def attempt(world: World, lead: Lead, rep: Rep, clock: Clock) -> Outcome:
    for _ in range(20):  # nothing was changed (503): try again, as an app does
        with suppress(Busy):
            try:
                return claim(world.race, lead.lead_id, rep.rep_id, proof_of(rep), clock)
            except (AlreadyClaimed, ClaimRefused) as refusal:
                return refusal
    raise Busy


def drawing(world: World, lead: Lead, clock: Clock) -> None:
    for _ in range(20):  # the queue delivers a failed message again
        with suppress(Busy):
            return draw(world.race, lead, clock)
    raise Busy


@over_both
def test_many_enter_many_draw_and_each_lead_has_one_winner_within_every_limit(
    local_world: World,
) -> None:
    world, clock = local_world, Clock()
    world.put_playbook(a_playbook(claims_per_day=1, draw={"collect_seconds": 5}))
    early = [world.add_rep(a_rep(number)) for number in range(1, 41)]
    late = [world.add_rep(a_rep(number)) for number in range(41, 57)]
    leads = [world.post_lead(a_card(number), NOON) for number in range(5)]

    clock.at = NOON + timedelta(seconds=2)
    jobs = [(lead, rep, n) for lead in leads for n, rep in enumerate(early)]
    Random(1).shuffle(jobs)
    with ThreadPoolExecutor(64) as pool:
        entered = list(pool.map(lambda job: attempt(world, job[0], job[1], clock), jobs))
    assert all(isinstance(outcome, InDraw) for outcome in entered)

    # Eight processes draw each lead, while late reps claim and entrants ask again.
    clock.at = draw_time(leads[0]) + timedelta(milliseconds=SKEW_MS)
    start = Barrier(64)

    def at_once(job: tuple[Lead, Rep | None, int]) -> Outcome | None:
        lead, rep, number = job
        if rep is None:
            return drawing(world, lead, skewed(clock, number))
        return attempt(world, lead, rep, skewed(clock, number))

    everybody = [*late, *early[:8]]
    rush: list[tuple[Lead, Rep | None, int]] = []
    for lead in leads:
        rush += [(lead, None, 7 * n) for n in range(8)]
        rush += [(lead, rep, 13 * n) for n, rep in enumerate(everybody)]
    Random(2).shuffle(rush)
    with ThreadPoolExecutor(64) as pool:
        list(pool.map(lambda _: start.wait(), range(64)))
        outcomes = list(pool.map(at_once, rush))

    stored = [world.leads.get(lead.lead_id) for lead in leads]
    owners = Counter(lead.owner for lead in stored if lead is not None)
    assert set(owners) <= {rep.rep_id for rep in early}
    assert set(owners.values()) == {1}  # one claim a day: no rep wins two of the five draws
    assert len(owners) == 5
    for lead in stored:
        assert lead is not None
        drawn = world.race.draws().get(lead.lead_id)
        record = world.race.read(lead.lead_id, "").claim
        assert drawn is not None
        assert record is not None
        assert set(drawn.entrants) == {rep.rep_id for rep in early}
        promised = {
            o.commitment for o in entered if isinstance(o, InDraw) and o.lead_id == lead.lead_id
        }
        assert promised == {drawn.commitment}
        assert flaws(drawn) == []
        assert drawn.winner == lead.owner == record.rep_id
        assert record.drawn
        assert all(rules == ("daily_limit",) for _, rules in drawn.passed)
    # A late claim never takes a lead whose draw has entrants.
    for (lead, rep, _), outcome in zip(rush, outcomes, strict=True):
        if isinstance(outcome, Won):
            assert rep is not None
            assert outcome.already_yours
            assert owners[rep.rep_id] == 1
        assert not isinstance(outcome, InDraw), lead.lead_id
    counted = {rep.rep_id: usage.claims for rep, usage in world.roster.team("north")}
    assert {rep_id for rep_id, claims in counted.items() if claims} == set(owners)
    assert max(counted.values()) == 1
