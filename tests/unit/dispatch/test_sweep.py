"""The sweep recovers dropped events, waves, unnoticed closings and the queue (O1, O9)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dibs.core.events import LATE_AFTER, LeadEvent
from dibs.core.lead import Lead, State, Transition
from dibs.dispatch import follow as offering
from dibs.dispatch.sweep import SLICE, SweepResult, close, relay, sweep
from dibs.race.claim import claim
from dibs.race.ports import SentOffer
from support.builders import NOON, a_card, a_playbook, a_rep, proof_of
from support.fakes import FakeWorld

MS = timedelta(milliseconds=1)


def a_world() -> tuple[FakeWorld, Lead]:
    world = FakeWorld()
    world.add_rep(a_rep(1))
    return world, world.post_lead(a_card())


def run(world: FakeWorld) -> SweepResult:
    return sweep(
        world.leads,
        world.race,
        world.holdings,
        world.roster,
        world.offers,
        world.bus,
        world.clock(),
    )


def did(**found: int) -> SweepResult:
    """Return the result of a sweep that did this and nothing else."""
    nothing = dict.fromkeys(
        ("republished", "replanned", "expired", "nudged", "returned", "queued", "untold"), 0
    )
    return SweepResult(**{**nothing, **found})


def relayed(world: FakeWorld, lead: Lead) -> None:
    """Handle all events of the lead without loss."""
    relay(list(world.leads.waiting_in_outbox(world.clock() + MS)), world.leads, world.bus)
    world.leads.record_notified(lead, lead.opens_at)
    everybody_told(world, lead)
    world.bus.events.clear()


def everybody_told(world: FakeWorld, lead: Lead) -> None:
    """Let every rep have a notice of the lead."""
    now = world.clock()
    world.offers.record(
        [SentOffer(lead.lead_id, lead.epoch, rep, now, ()) for rep in world.memory.reps]
    )


def test_a_event_that_never_left_is_told_and_leaves_the_outbox() -> None:
    world, lead = a_world()
    world.leads.record_notified(lead, NOON)
    world.clock.at += LATE_AFTER + MS
    everybody_told(world, lead)
    assert run(world) == did(republished=1)
    assert world.bus.events == [LeadEvent("lead.opened", lead.lead_id, 1)]
    assert world.memory.outbox == {}
    assert run(world) == did()


def test_a_event_still_on_its_ordinary_way_is_left_alone() -> None:
    world, lead = a_world()
    world.clock.at += LATE_AFTER - MS
    assert run(world) == did()
    world.leads.record_notified(lead, NOON)
    everybody_told(world, lead)
    world.clock.at += MS
    assert run(world) == did()
    assert world.bus.events == []


def test_a_claims_event_is_brought_back_with_its_winner() -> None:
    world, lead = a_world()
    relayed(world, lead)
    rep = a_rep(1)
    claim(world.race, lead.lead_id, rep.rep_id, proof_of(rep), world.clock)
    world.clock.at += LATE_AFTER + MS
    run(world)
    assert world.bus.events == [LeadEvent("lead.claimed", lead.lead_id, 1, rep.rep_id)]


def test_an_opening_that_was_claimed_before_it_was_told_is_not_told_any_more() -> None:
    world, lead = a_world()
    rep = a_rep(1)
    claim(world.race, lead.lead_id, rep.rep_id, proof_of(rep), world.clock)
    world.clock.at += LATE_AFTER + MS
    assert run(world).republished == 2
    assert [event.kind for event in world.bus.events] == ["lead.claimed"]
    assert world.memory.outbox == {}


def test_a_long_backlog_is_brought_back_whole() -> None:
    world, _ = a_world()
    for number in range(2, 2 * SLICE + 2):
        world.post_lead(a_card(number))
    world.clock.at += LATE_AFTER + MS
    assert run(world).republished == 2 * SLICE + 1
    assert world.memory.outbox == {}
    assert len({event.lead_id for event in world.bus.events}) == 2 * SLICE + 1


def test_an_opening_nobody_was_told_of_is_told_again() -> None:
    world, lead = a_world()
    relay(list(world.leads.waiting_in_outbox(NOON + MS)), world.leads, world.bus)
    world.bus.events.clear()
    world.clock.at += LATE_AFTER - MS
    assert run(world).replanned == 0
    world.clock.at += MS
    assert run(world) == did(replanned=1)
    assert world.bus.events == [LeadEvent("lead.opened", lead.lead_id, 1)]


def tiered(*tiers: int) -> tuple[FakeWorld, Lead]:
    """Return a lead with waves, the first of them notified."""
    world = FakeWorld(a_playbook(model="tiers"))
    for number, tier in enumerate(tiers, 1):
        world.add_rep(a_rep(number, tier=tier))
    lead = world.post_lead(a_card(score=60))
    relayed(world, lead)
    return world, lead


def test_a_wave_nobody_was_told_of_is_told_again() -> None:
    world, lead = tiered(1, 2)
    world.clock.at = lead.opens_at + timedelta(minutes=15) + LATE_AFTER - MS
    assert run(world) == did()
    world.clock.at += MS
    assert run(world) == did(replanned=1)
    assert world.bus.events == [LeadEvent("lead.opened", lead.lead_id, 1)]
    offering.follow(world.bus.events[0], world.follow_deps())
    # Reps of the first wave as well: notify sends no offer twice.
    (batch,) = world.queue.of("offer")
    assert sorted(batch.rep_ids) == [a_rep(1).rep_id, a_rep(2).rep_id]
    world.bus.events.clear()
    assert run(world) == did()


def test_a_wave_that_could_open_early_is_looked_at() -> None:
    world, lead = tiered(1, 2)
    world.clock.pass_(minutes=3)
    assert run(world) == did()
    world.roster.pause(a_rep(1).rep_id, NOON + timedelta(minutes=20))
    before = world.lead(lead)
    assert run(world) == did(replanned=1)
    assert world.bus.events == [LeadEvent("lead.check", lead.lead_id, 1)]
    assert world.lead(lead) == before  # the sweep reports it, the offer step opens it
    offering.follow(world.bus.events[0], world.follow_deps())
    assert world.lead(lead).waves["north"][1] == NOON + timedelta(minutes=3)
    world.bus.events.clear()
    assert run(world) == did()


def test_what_waits_to_be_assigned_is_looked_at_each_minute_one_event_for_all() -> None:
    world = FakeWorld(a_playbook(model="round-robin"))
    second = world.post_lead(a_card(1), NOON + MS)
    first = world.post_lead(a_card(2), NOON)
    world.clock.pass_(seconds=1)
    relayed(world, first)
    world.clock.pass_(minutes=1)
    for _ in range(2):
        assert run(world) == did(queued=2)
        assert world.bus.events == [LeadEvent("lead.queued", first.lead_id, 1)]
        world.bus.events.clear()
    world.add_rep(a_rep(1))
    run(world)
    offering.follow(world.bus.events[0], world.follow_deps())
    assert world.lead(first).owner == world.lead(second).owner == a_rep(1).rep_id


def test_a_held_lead_nobody_works_is_reminded_of_and_taken_back() -> None:
    world, lead = a_world()
    relayed(world, lead)
    rep = a_rep(1)
    claim(world.race, lead.lead_id, rep.rep_id, proof_of(rep), world.clock)
    relay(list(world.leads.waiting_in_outbox(NOON + MS)), world.leads, world.bus)
    world.bus.events.clear()
    world.clock.pass_(minutes=30)
    assert run(world) == did(nudged=1)
    assert world.bus.events == [LeadEvent("lead.unworked", lead.lead_id, 1, rep.rep_id)]
    assert run(world) == did()
    world.clock.pass_(minutes=30)
    assert run(world) == did(returned=1)
    assert (world.lead(lead).state, world.lead(lead).epoch) == (State.OPEN, 2)
    assert run(world) == did()


def test_a_lead_of_which_somebody_was_not_told_is_looked_at() -> None:
    world, lead = a_world()
    relayed(world, lead)
    world.memory.notices.clear()
    world.clock.pass_(minutes=1)
    assert run(world) == did(untold=1)
    assert world.bus.events == [LeadEvent("lead.check", lead.lead_id, 1)]


def test_a_lead_whose_wave_was_told_is_left_to_its_race() -> None:
    world, lead = a_world()
    relayed(world, lead)
    world.clock.pass_(minutes=5)
    assert run(world) == did()
    assert world.lead(lead).state is State.OPEN


def test_a_lead_whose_window_closed_unseen_expires_and_is_recorded() -> None:
    world, lead = a_world()
    relayed(world, lead)
    world.clock.at = lead.closes_at - MS
    assert run(world).expired == 0
    world.clock.at = lead.closes_at
    # It waits to be assigned from then on.
    assert run(world) == did(expired=1, queued=1)
    assert world.lead(lead).state is State.EXPIRED
    last = world.leads.history(lead.lead_id)[-1]
    assert (last.from_state, last.to_state, last.cause, last.at) == (
        State.OPEN,
        State.EXPIRED,
        "window_closed",
        lead.closes_at,
    )
    assert run(world).expired == 0
    world.clock.at += LATE_AFTER + MS
    world.bus.events.clear()
    run(world)
    assert world.bus.events == [
        LeadEvent("lead.expired", lead.lead_id, 1),
        LeadEvent("lead.queued", lead.lead_id, 1),
    ]


def test_a_lead_somebody_claimed_meanwhile_is_not_closed() -> None:
    world, lead = a_world()
    rep = a_rep(1)
    claim(world.race, lead.lead_id, rep.rep_id, proof_of(rep), world.clock)
    assert not close(lead, world.leads, lead.closes_at)
    assert world.lead(lead).owner == rep.rep_id
    transitions: list[Transition] = world.leads.history(lead.lead_id)
    assert [transition.to_state for transition in transitions] == [State.OPEN]


def test_a_bus_that_is_down_loses_nothing() -> None:
    world, lead = a_world()
    world.clock.at += LATE_AFTER + MS
    world.bus.down = True
    with pytest.raises(ConnectionError):
        run(world)
    assert len(world.memory.outbox) == 1
    world.bus.down = False
    assert run(world).republished == 1
    assert LeadEvent("lead.opened", lead.lead_id, 1) in world.bus.events


def test_a_newer_event_of_the_same_lead_is_not_cleared_with_the_older() -> None:
    world, lead = a_world()
    (old,) = world.leads.waiting_in_outbox(NOON + MS)
    world.clock.at = lead.closes_at
    assert close(lead, world.leads, world.clock())
    relay([old], world.leads, world.bus)
    assert list(world.memory.outbox.values()) == [lead.closes_at]


def test_a_wave_whose_reps_have_declined_or_gone_is_looked_at_again() -> None:
    """The sweep cannot see who declined, so it asks the offer step once a rep is out."""
    world = FakeWorld(a_playbook(model="tiers"))
    first, second = (world.add_rep(a_rep(number, tier=1)) for number in (1, 2))
    world.add_rep(a_rep(3, tier=2))
    lead = world.post_lead(a_card(score=60))
    relayed(world, lead)
    world.clock.pass_(seconds=50)
    assert run(world) == did()  # all of the first tier may claim
    world.race.record_sighting(world.lead(lead), first.rep_id, "declined_at", world.clock())
    world.roster.pause(second.rep_id, world.clock() + timedelta(hours=2))
    assert run(world) == did(replanned=1)
    assert world.bus.events == [LeadEvent("lead.check", lead.lead_id, 1)]
    offering.follow(world.bus.events[0], world.follow_deps())
    assert world.lead(lead).waves["north"][1] == world.clock()
