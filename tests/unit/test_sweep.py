"""What was dropped is brought back: facts, plans and windows that closed unseen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dibs.domain.leads import Lead, State
from dibs.usecases.claim import bearer, claim
from dibs.usecases.ports import Fact
from dibs.usecases.sweep import PATIENCE, Swept, closing, relay, sweep
from support.builders import NOON, a_card, a_rep, token_of
from support.fakes import FakeWorld

MS = timedelta(milliseconds=1)


def a_world() -> tuple[FakeWorld, Lead]:
    world = FakeWorld()
    world.add_rep(a_rep(1))
    return world, world.post_lead(a_card())


def run(world: FakeWorld) -> Swept:
    return sweep(world.leads, world.bus, world.clock())


def relayed(world: FakeWorld, lead: Lead) -> None:
    """Everything about the lead went its ordinary way."""
    relay(list(world.leads.waiting_in_outbox(world.clock() + MS)), world.leads, world.bus)
    world.leads.planned(lead)
    world.bus.facts.clear()


def test_a_fact_that_never_left_is_told_and_leaves_the_outbox() -> None:
    world, lead = a_world()
    world.leads.planned(lead)
    world.clock.at += PATIENCE + MS
    assert run(world) == Swept(republished=1, replanned=0, expired=0)
    assert world.bus.facts == [Fact("lead.opened", lead.lead_id, 1)]
    assert world.memory.outbox == {}
    assert run(world) == Swept(0, 0, 0)


def test_a_fact_still_on_its_ordinary_way_is_left_alone() -> None:
    world, _ = a_world()
    world.clock.at += PATIENCE
    assert run(world) == Swept(0, 0, 0)
    assert world.bus.facts == []


def test_a_claims_fact_is_brought_back_with_its_winner() -> None:
    world, lead = a_world()
    relayed(world, lead)
    rep = a_rep(1)
    claim(world.race, lead.lead_id, rep.rep_id, bearer(token_of(rep)), world.clock)
    world.clock.at += PATIENCE + MS
    run(world)
    assert world.bus.facts == [Fact("lead.claimed", lead.lead_id, 1, rep.rep_id)]


def test_an_opening_that_was_claimed_before_it_was_told_is_not_told_any_more() -> None:
    world, lead = a_world()
    rep = a_rep(1)
    claim(world.race, lead.lead_id, rep.rep_id, bearer(token_of(rep)), world.clock)
    world.clock.at += PATIENCE + MS
    assert run(world).republished == 2
    assert [fact.kind for fact in world.bus.facts] == ["lead.claimed"]
    assert world.memory.outbox == {}


def test_an_opening_nobody_planned_is_planned_again() -> None:
    world, lead = a_world()
    relay(list(world.leads.waiting_in_outbox(NOON + MS)), world.leads, world.bus)
    world.bus.facts.clear()
    world.clock.at += PATIENCE
    assert run(world).replanned == 0
    world.clock.at += MS
    assert run(world) == Swept(republished=0, replanned=1, expired=0)
    assert world.bus.facts == [Fact("lead.opened", lead.lead_id, 1)]


def test_a_planned_lead_is_left_to_its_race() -> None:
    world, lead = a_world()
    relayed(world, lead)
    world.clock.pass_(minutes=5)
    assert run(world) == Swept(0, 0, 0)
    assert world.lead(lead).state is State.OPEN


def test_a_lead_whose_window_closed_unseen_expires_and_is_recorded() -> None:
    world, lead = a_world()
    relayed(world, lead)
    world.clock.at = lead.closes_at - MS
    assert run(world).expired == 0
    world.clock.at = lead.closes_at
    assert run(world).expired == 1
    assert world.lead(lead).state is State.EXPIRED
    last = world.leads.history(lead.lead_id)[-1]
    assert (last.from_state, last.to_state, last.cause, last.at) == (
        State.OPEN,
        State.EXPIRED,
        "window_closed",
        lead.closes_at,
    )
    assert run(world).expired == 0
    world.clock.at += PATIENCE + MS
    run(world)
    assert world.bus.facts == [Fact("lead.expired", lead.lead_id, 1)]


def test_a_bus_that_is_down_loses_nothing() -> None:
    world, lead = a_world()
    world.clock.at += PATIENCE + MS
    world.bus.down = True
    with pytest.raises(ConnectionError):
        run(world)
    assert len(world.memory.outbox) == 1
    world.bus.down = False
    assert run(world).republished == 1
    assert Fact("lead.opened", lead.lead_id, 1) in world.bus.facts


def test_a_newer_fact_of_the_same_lead_is_not_cleared_with_the_older() -> None:
    world, lead = a_world()
    (old,) = world.leads.waiting_in_outbox(NOON + MS)
    world.clock.at = lead.closes_at
    closing(lead.lead_id, 1, world.leads, world.timers, world.clock)
    relay([old], world.leads, world.bus)
    assert list(world.memory.outbox.values()) == [lead.closes_at]


def close_timer(world: FakeWorld, lead: Lead, epoch: int = 1) -> None:
    closing(lead.lead_id, epoch, world.leads, world.timers, world.clock)


def test_a_closing_timer_that_is_due_expires_the_lead_however_late_it_comes() -> None:
    for late in (timedelta(), timedelta(hours=3)):
        world, lead = a_world()
        world.clock.at = lead.closes_at + late
        close_timer(world, lead)
        assert world.lead(lead).state is State.EXPIRED
        assert world.timers.set == []


def test_a_closing_timer_that_is_early_waits_on() -> None:
    world, lead = a_world()
    world.clock.at = lead.closes_at - MS
    close_timer(world, lead)
    assert world.lead(lead).state is State.OPEN
    assert world.timers.set == [(lead.lead_id, 1, world.clock())]


def test_a_closing_timer_of_an_earlier_opening_or_a_closed_lead_does_nothing() -> None:
    for change in ({"epoch": 2}, {"state": State.CLAIMED}, {"state": State.EXPIRED}):
        world, lead = a_world()
        world.clock.at = lead.closes_at
        world.memory.leads[lead.lead_id] = replace(lead, **change)
        before = world.lead(lead)
        close_timer(world, lead)
        assert world.lead(lead) == before
        assert world.timers.set == []


def test_a_closing_timer_of_a_lead_nobody_knows_is_let_go() -> None:
    world, lead = a_world()
    close_timer(world, replace(lead, lead_id="aaaaaaaaaaaa"))
    assert world.timers.set == []
