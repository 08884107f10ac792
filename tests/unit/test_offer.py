"""Planning an offer: everybody eligible, in random order, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from dibs.domain.leads import Lead, State
from dibs.domain.reps import Limits
from dibs.usecases.claim import bearer, claim
from dibs.usecases.offer import CHUNK, HEAD_START, chunks, plan
from dibs.usecases.ports import Chunk, Fact
from support.builders import NOON, a_card, a_lead, a_playbook, a_rep, token_of
from support.fakes import FakeWorld


def a_world(reps: int = 3, **playbook: object) -> FakeWorld:
    world = FakeWorld(a_playbook(**playbook))
    for number in range(1, reps + 1):
        world.add_rep(a_rep(number))
    return world


def follow(world: FakeWorld, fact: Fact) -> None:
    plan(fact, world.leads, world.roster, world.queue, world.timers, world.clock)


def opened(lead: Lead) -> Fact:
    return Fact("lead.opened", lead.lead_id, lead.epoch)


def told(world: FakeWorld, kind: str = "offer") -> list[str]:
    return [rep_id for chunk in world.queue.of(kind) for rep_id in chunk.rep_ids]


def test_every_eligible_rep_of_the_leads_teams_is_told_and_nobody_else() -> None:
    world = a_world(teams={"north": {"name": "N"}, "south": {"name": "S"}, "west": {"name": "W"}})
    southern = world.add_rep(a_rep(10, team="south"))
    world.add_rep(a_rep(11, team="west"))
    world.add_rep(a_rep(12, active=False))
    world.add_rep(a_rep(13, paused_until=NOON + timedelta(minutes=1)))
    full = world.add_rep(a_rep(14))
    world.memory.limits[full.rep_id] = Limits(full.today(NOON), 10)
    lead = world.post_lead(a_card())
    world.memory.leads[lead.lead_id] = replace(lead, teams=("north", "south"))
    follow(world, opened(lead))
    assert sorted(told(world)) == sorted([*(a_rep(n).rep_id for n in (1, 2, 3)), southern.rep_id])


def test_an_opening_is_noted_as_planned_and_given_a_closing_timer() -> None:
    world = a_world()
    lead = world.post_lead(a_card())
    follow(world, opened(lead))
    assert world.lead(lead).planned_epoch == 1
    assert world.timers.set == [(lead.lead_id, 1, NOON)]


def test_a_fact_told_twice_gives_the_same_chunks_so_that_each_is_done_once() -> None:
    world = a_world(120)
    lead = world.post_lead(a_card())
    follow(world, opened(lead))
    first = list(world.queue.of("offer"))
    world.queue.waiting.clear()
    follow(world, opened(lead))
    again = world.queue.of("offer")
    assert [chunk.name for chunk in again] == [chunk.name for chunk in first]
    assert again == first


def test_a_chunk_of_other_reps_has_another_name() -> None:
    # Somebody came on between two plans of one opening: they must not pass for done.
    names = {Chunk("offer", "l", 1, reps).name for reps in (("a", "b"), ("a", "c"), ("a",))}
    assert len(names) == 3
    assert Chunk("offer", "l", 1, ("a",)).name != Chunk("offer", "l", 2, ("a",)).name
    assert Chunk("offer", "l", 1, ("a",)).name != Chunk("unseen", "l", 1, ("a",)).name


def test_each_rep_is_in_one_chunk_of_at_most_fifty() -> None:
    reps = [a_rep(number) for number in range(1, 121)]
    dealt = chunks("offer", a_lead(), reps, NOON)
    assert [len(chunk.rep_ids) for chunk in dealt] == [50, 50, 20]
    assert CHUNK == 50
    everybody = [rep_id for chunk in dealt for rep_id in chunk.rep_ids]
    assert sorted(everybody) == sorted(rep.rep_id for rep in reps)


def test_the_order_is_random_from_lead_to_lead_and_the_same_for_one_opening() -> None:
    reps = [a_rep(number) for number in range(1, 21)]

    def order(lead: Lead, roster: list) -> tuple[str, ...]:
        return chunks("offer", lead, roster, NOON)[0].rep_ids

    lead = a_lead()
    orders = {order(a_lead(lead_id=f"lead-{n}"), reps) for n in range(20)}
    assert len(orders) == 20
    assert len({order_[0] for order_ in orders}) > 5  # nobody is always first
    assert order(lead, reps) == order(lead, reps[::-1])  # whatever order the roster came in
    assert order(replace(lead, epoch=2), reps) != order(lead, reps)


def test_nobody_is_first_more_often_than_chance_would_have_it() -> None:
    reps = [a_rep(number) for number in range(1, 6)]
    firsts = [
        chunks("offer", a_lead(lead_id=f"lead-{n}"), reps, NOON)[0].rep_ids[0] for n in range(1000)
    ]
    counts = [firsts.count(rep.rep_id) for rep in reps]
    assert min(counts) > 140  # 200 expected; 140 is nearly five deviations away
    assert max(counts) < 260


def test_several_chunks_share_one_instant_ahead_and_a_single_one_does_not_wait() -> None:
    many = chunks("offer", a_lead(), [a_rep(n) for n in range(1, 52)], NOON)
    assert {chunk.notify_at for chunk in many} == {NOON + HEAD_START}
    (one,) = chunks("offer", a_lead(), [a_rep(1)], NOON)
    assert one.notify_at == NOON
    assert chunks("offer", a_lead(), [], NOON) == []


def test_nobody_is_told_of_an_opening_that_is_over() -> None:
    for change in (
        {"state": State.CLAIMED},
        {"state": State.EXPIRED},
        {"epoch": 2},
        {"closes_at": NOON},
    ):
        world = a_world()
        lead = world.post_lead(a_card())
        world.memory.leads[lead.lead_id] = replace(lead, **change)
        follow(world, opened(lead))
        assert world.queue.waiting == []
        assert world.timers.set == []


def test_a_fact_about_a_lead_nobody_knows_is_let_go() -> None:
    world = a_world()
    follow(world, Fact("lead.opened", "aaaaaaaaaaaa", 1))
    follow(world, Fact("lead.claimed", "aaaaaaaaaaaa", 1, "aaaac"))
    assert world.queue.waiting == []


def test_a_claim_withdraws_everybody_elses_offers_and_times_the_winners() -> None:
    world = a_world()
    lead, winner = world.post_lead(a_card()), a_rep(2)
    claim(world.race, lead.lead_id, winner.rep_id, bearer(token_of(winner)), world.clock)
    follow(world, Fact("lead.claimed", lead.lead_id, 1, winner.rep_id))
    assert sorted(told(world, "withdraw")) == sorted([a_rep(1).rep_id, a_rep(3).rep_id])
    assert told(world, "won") == [winner.rep_id]
    assert {chunk.epoch for chunk in world.queue.of("withdraw")} == {1}


def test_a_withdrawal_also_reaches_those_who_were_switched_off_since() -> None:
    world = a_world(2)
    lead = world.post_lead(a_card())
    world.roster.pause(a_rep(1).rep_id, NOON + timedelta(hours=1))
    follow(world, Fact("lead.claimed", lead.lead_id, 1, a_rep(2).rep_id))
    assert told(world, "withdraw") == [a_rep(1).rep_id]


def test_an_expired_lead_is_withdrawn_from_everybody_and_won_by_nobody() -> None:
    world = a_world()
    lead = world.post_lead(a_card())
    follow(world, Fact("lead.expired", lead.lead_id, 1))
    assert len(told(world, "withdraw")) == 3
    assert told(world, "won") == []


def test_a_late_withdrawal_is_about_the_opening_that_ended_not_the_new_one() -> None:
    world = a_world()
    lead = world.post_lead(a_card())
    world.memory.leads[lead.lead_id] = replace(lead, epoch=2)
    follow(world, Fact("lead.claimed", lead.lead_id, 1, a_rep(1).rep_id))
    assert {chunk.epoch for chunk in world.queue.of("withdraw")} == {1}
    assert {chunk.epoch for chunk in world.queue.of("won")} == {1}


def test_a_team_without_reps_is_planned_all_the_same() -> None:
    world = a_world(0)
    lead = world.post_lead(a_card())
    follow(world, opened(lead))
    assert world.queue.waiting == []
    assert world.lead(lead).planned_epoch == 1
    assert world.timers.set
