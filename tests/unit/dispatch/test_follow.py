"""A lead is offered once to all eligible reps of each wave, in random order (C1, N6, M2, M6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dibs.assignment import assign as assigning
from dibs.assignment.override import assign as assign_lead
from dibs.assignment.work import release
from dibs.core.events import LeadEvent
from dibs.core.lead import Lead, State
from dibs.core.rep import Rep, Usage
from dibs.dispatch import follow as offering
from dibs.dispatch.follow import HEAD_START, NEAR, batches
from dibs.dispatch.notice_groups import groups, last_group_after
from dibs.offers.ports import BATCH_SIZE, NotifyBatch
from dibs.race.claim import claim
from dibs.race.ports import SentOffer
from dibs.race.undo import undo
from support.builders import NOON, a_card, a_lead, a_playbook, a_rep, proof_of
from support.fakes import FakeWorld

MS, SECOND, MINUTE = timedelta(milliseconds=1), timedelta(seconds=1), timedelta(minutes=1)

# Early, but after the wave notified at noon.
JUST_AFTER = NOON + timedelta(milliseconds=1)


def a_world(reps: int = 3, **playbook: object) -> FakeWorld:
    world = FakeWorld(a_playbook(**playbook))
    for number in range(1, reps + 1):
        world.add_rep(a_rep(number))
    return world


def follow(world: FakeWorld, event: LeadEvent) -> None:
    offering.follow(event, world.follow_deps())


def opened(lead: Lead) -> LeadEvent:
    return LeadEvent("lead.opened", lead.lead_id, lead.epoch)


def due(lead: Lead, epoch: int = 1) -> LeadEvent:
    return LeadEvent("lead.due", lead.lead_id, epoch)


def told(world: FakeWorld, kind: str = "offer") -> list[str]:
    """Return the reps of the batches in order; notify sends no offer twice to a rep in two."""
    return list(dict.fromkeys(rep for batch in world.queue.of(kind) for rep in batch.rep_ids))


def test_every_eligible_rep_of_the_leads_teams_is_told_and_nobody_else() -> None:
    world = a_world(teams={"north": {"name": "N"}, "south": {"name": "S"}, "west": {"name": "W"}})
    southern = world.add_rep(a_rep(10, team="south"))
    world.add_rep(a_rep(11, team="west"))
    world.add_rep(a_rep(12, active=False))
    world.add_rep(a_rep(13, paused_until=NOON + timedelta(minutes=1)))
    full = world.add_rep(a_rep(14))
    world.memory.usage[full.rep_id] = Usage(full.today(NOON), 10)
    lead = world.post_lead(a_card())
    world.memory.leads[lead.lead_id] = replace(lead, teams=("north", "south"))
    follow(world, opened(lead))
    assert sorted(told(world)) == sorted([*(a_rep(n).rep_id for n in (1, 2, 3)), southern.rep_id])


def test_an_opening_is_noted_as_told_and_given_a_timer_for_its_end() -> None:
    world = a_world()
    lead = world.post_lead(a_card())
    world.clock.pass_(seconds=1)
    follow(world, opened(lead))
    assert world.lead(lead).notified_until == NOON
    assert world.timers.set == [(lead.lead_id, 1, lead.closes_at)]


def test_a_event_told_twice_tells_nobody_twice() -> None:
    world = a_world(120)
    lead = world.post_lead(a_card())
    follow(world, opened(lead))
    assert len(told(world)) == 120
    world.clock.pass_(seconds=1)
    world.add_rep(a_rep(130))  # came on duty since: the lead is in their list
    follow(world, opened(lead))
    assert len(told(world)) == 120
    assert len(world.queue.of("offer")) == 3  # and nothing was sent again


def test_a_event_told_again_because_its_run_broke_off_gives_the_same_batches() -> None:
    world = a_world(120)
    lead = world.post_lead(a_card())
    follow(world, opened(lead))
    first = list(world.queue.of("offer"))
    world.queue.waiting.clear()
    world.memory.leads[lead.lead_id] = replace(world.lead(lead), notified_until=None)
    follow(world, opened(lead))
    again = world.queue.of("offer")
    assert [batch.name for batch in again] == [batch.name for batch in first]
    assert again == first


def test_a_batch_of_other_reps_has_another_name() -> None:
    # A rep came on duty between two runs for one opening: they must still get the offer.
    names = {NotifyBatch("offer", "l", 1, reps).name for reps in (("a", "b"), ("a", "c"), ("a",))}
    assert len(names) == 3
    assert NotifyBatch("offer", "l", 1, ("a",)).name != NotifyBatch("offer", "l", 2, ("a",)).name
    assert NotifyBatch("offer", "l", 1, ("a",)).name != NotifyBatch("unseen", "l", 1, ("a",)).name


def test_each_rep_is_in_one_batch_of_at_most_fifty() -> None:
    reps = [a_rep(number) for number in range(1, 121)]
    dealt = batches("offer", a_lead(), reps, NOON)
    assert [len(batch.rep_ids) for batch in dealt] == [50, 50, 20]
    assert BATCH_SIZE == 50
    everybody = [rep_id for batch in dealt for rep_id in batch.rep_ids]
    assert sorted(everybody) == sorted(rep.rep_id for rep in reps)


def test_the_order_is_random_from_lead_to_lead_and_the_same_for_one_opening() -> None:
    reps = [a_rep(number) for number in range(1, 21)]

    def order(lead: Lead, roster: list) -> tuple[str, ...]:
        return batches("offer", lead, roster, NOON)[0].rep_ids

    lead = a_lead()
    orders = {order(a_lead(lead_id=f"lead-{n}"), reps) for n in range(20)}
    assert len(orders) == 20
    assert len({order_[0] for order_ in orders}) > 5  # no rep is always first
    assert order(lead, reps) == order(lead, reps[::-1])  # whatever order the roster came in
    assert order(replace(lead, epoch=2), reps) != order(lead, reps)


def test_nobody_is_first_more_often_than_chance_would_have_it() -> None:
    reps = [a_rep(number) for number in range(1, 6)]
    firsts = [
        batches("offer", a_lead(lead_id=f"lead-{n}"), reps, NOON)[0].rep_ids[0] for n in range(1000)
    ]
    counts = [firsts.count(rep.rep_id) for rep in reps]
    assert min(counts) > 140  # 200 expected; 140 is nearly five deviations away
    assert max(counts) < 260


def test_several_batches_share_one_instant_ahead_and_a_single_one_does_not_wait() -> None:
    many = batches("offer", a_lead(), [a_rep(n) for n in range(1, 52)], NOON)
    assert {batch.notify_at for batch in many} == {NOON + HEAD_START}
    (one,) = batches("offer", a_lead(), [a_rep(1)], NOON)
    assert one.notify_at == NOON
    assert batches("offer", a_lead(), [], NOON) == []


def groups_of(world: FakeWorld, kind: str = "offer") -> list[tuple[int, int]]:
    """Return how many reps are told after how many seconds."""
    sizes: dict[int, int] = {}
    for batch, delay in world.queue.waiting:
        if batch.kind == kind:
            sizes[delay] = sizes.get(delay, 0) + len(batch.rep_ids)
    return sorted(sizes.items())


@pytest.mark.parametrize(
    ("reps", "notices", "groups"),
    [
        (120, {}, [(0, 120)]),
        (120, {"at_once": 100, "every_seconds": 5}, [(0, 100), (5, 20)]),
        (120, {"at_once": 120, "every_seconds": 5}, [(0, 100), (5, 20)]),  # counted in fifties
        (160, {"at_once": 50, "every_seconds": 7}, [(0, 50), (7, 50), (14, 50), (21, 10)]),
        (100, {"at_once": 50, "every_seconds": 60}, [(0, 50), (60, 50)]),
        (50, {"at_once": 50}, [(0, 50)]),
    ],
)
def test_of_a_large_team_so_many_are_told_at_once_and_the_others_in_groups_after_them(
    reps: int, notices: dict[str, int], groups: list[tuple[int, int]]
) -> None:
    world = a_world(reps, notices=notices)
    follow(world, opened(world.post_lead(a_card())))
    assert groups_of(world) == groups
    assert len(told(world)) == reps


def test_who_is_in_the_first_group_is_drawn_for_each_lead() -> None:
    reps = [a_rep(number) for number in range(1, 101)]
    rules = a_playbook(notices={"at_once": 50}).notices
    often = dict.fromkeys((rep.rep_id for rep in reps), 0)
    for number in range(100):
        dealt = batches("offer", a_lead(lead_id=f"lead-{number}"), reps, NOON)
        _, first = next(groups(dealt, rules))
        for rep_id in first[0].rep_ids:
            often[rep_id] += 1
    assert min(often.values()) > 25  # 50 expected; 25 is five deviations away
    assert max(often.values()) < 75


def test_who_is_told_later_may_claim_before() -> None:
    world = a_world(100, notices={"at_once": 50})
    lead = world.post_lead(a_card())
    follow(world, opened(lead))
    [later] = [batch.rep_ids[0] for batch, delay in world.queue.waiting if delay]
    rep = next(one for one in map(a_rep, range(1, 101)) if one.rep_id == later)
    claim(world.race, lead.lead_id, rep.rep_id, proof_of(rep), world.clock)
    assert world.lead(lead).state is State.CLAIMED


def test_a_group_that_is_still_to_come_counts_as_on_its_way() -> None:
    world = a_world(160, notices={"at_once": 50, "every_seconds": 10})
    lead = world.post_lead(a_card())
    follow(world, opened(lead))
    world.queue.waiting.clear()
    world.clock.pass_(seconds=39)  # the last group is told after 30 s, and may take 10 s
    follow(world, LeadEvent("lead.check", lead.lead_id, lead.epoch))
    assert world.queue.waiting == []
    world.clock.pass_(seconds=1)
    follow(world, LeadEvent("lead.check", lead.lead_id, lead.epoch))
    assert groups_of(world, "late") == [(0, 50), (10, 50), (20, 50), (30, 10)]


def test_nobody_is_kept_waiting_longer_than_the_queue_can() -> None:
    world = a_world(200, notices={"at_once": 50, "every_seconds": 60})
    batches_ = [NotifyBatch("offer", "l", 1, (str(n),)) for n in range(40)]
    delays = [delay for delay, _ in groups(batches_, world.roster.playbook().notices)]
    assert delays[:3] == [0, 60, 120]
    assert max(delays) == 900
    assert last_group_after(100_000, world.roster.playbook().notices) == 15 * MINUTE


def test_nobody_is_told_of_an_opening_that_is_over() -> None:
    for change in ({"state": State.CLAIMED}, {"state": State.EXPIRED}, {"epoch": 2}):
        world = a_world()
        lead = world.post_lead(a_card())
        world.memory.leads[lead.lead_id] = replace(lead, **change)
        follow(world, opened(lead))
        assert world.queue.waiting == []
        assert world.timers.set == []


@pytest.mark.parametrize("late", [timedelta(), timedelta(hours=3)])
@pytest.mark.parametrize("event", [opened, due])
def test_a_window_that_has_closed_is_closed_by_whatever_comes_about_the_lead(
    late: timedelta, event: object
) -> None:
    world = a_world()
    lead = world.post_lead(a_card())
    world.clock.at = lead.closes_at + late
    follow(world, event(lead))  # type: ignore[operator]
    assert world.lead(lead).state is State.EXPIRED
    last = world.leads.history(lead.lead_id)[-1]
    assert (last.to_state, last.cause, last.at) == (
        State.EXPIRED,
        "window_closed",
        world.clock(),
    )
    assert world.queue.waiting == []
    assert world.timers.set == []


def test_a_timer_that_is_early_waits_on() -> None:
    world = a_world()
    lead = world.post_lead(a_card())
    follow(world, opened(lead))
    world.queue.waiting.clear()
    world.timers.set.clear()
    world.clock.at = lead.closes_at - MS
    follow(world, due(lead))
    assert world.lead(lead).state is State.OPEN
    assert world.timers.set == [(lead.lead_id, 1, lead.closes_at)]
    assert world.queue.of("offer") == []


@pytest.mark.parametrize(
    "change", [{"epoch": 2}, {"state": State.CLAIMED}, {"state": State.EXPIRED}], ids=repr
)
def test_a_timer_of_an_earlier_opening_or_of_a_lead_that_is_gone_does_nothing(
    change: dict[str, object],
) -> None:
    world = a_world()
    lead = world.post_lead(a_card())
    world.clock.at = lead.closes_at
    world.memory.leads[lead.lead_id] = replace(lead, **change)
    before = repr(world.memory)
    follow(world, due(lead))
    assert repr(world.memory) == before
    assert (world.timers.set, world.queue.waiting) == ([], [])


def test_a_event_of_no_kind_we_follow_is_let_go() -> None:
    world = a_world()
    lead = world.post_lead(a_card())
    before = repr(world.memory)
    follow(world, LeadEvent("lead.returned", lead.lead_id, 1, a_rep(1).rep_id))
    assert repr(world.memory) == before
    assert world.queue.waiting == []


def test_a_event_about_a_lead_nobody_knows_is_let_go() -> None:
    world = a_world()
    follow(world, LeadEvent("lead.opened", "aaaaaaaaaaaa", 1))
    follow(world, LeadEvent("lead.claimed", "aaaaaaaaaaaa", 1, "aaaac"))
    assert world.queue.waiting == []


def test_a_claim_withdraws_everybody_elses_offers_and_times_the_winners() -> None:
    world = a_world()
    lead, winner = world.post_lead(a_card()), a_rep(2)
    world.offers.record([SentOffer(lead.lead_id, 1, winner.rep_id, NOON, ("push",))])
    claim(world.race, lead.lead_id, winner.rep_id, proof_of(winner), world.clock)
    follow(world, LeadEvent("lead.claimed", lead.lead_id, 1, winner.rep_id))
    assert sorted(told(world, "withdraw")) == sorted([a_rep(1).rep_id, a_rep(3).rep_id])
    [notice] = world.offers.notices(lead.lead_id, 1, [winner.rep_id]).values()
    assert notice.claimed_at == world.lead(lead).claimed_at
    assert {batch.kind for batch in world.queue.of("withdraw")} == {
        batch.kind for batch, _ in world.queue.waiting
    }
    assert {batch.epoch for batch in world.queue.of("withdraw")} == {1}


def test_a_withdrawal_also_reaches_those_who_were_switched_off_since() -> None:
    world = a_world(2)
    lead = world.post_lead(a_card())
    world.roster.pause(a_rep(1).rep_id, NOON + timedelta(hours=1))
    follow(world, LeadEvent("lead.claimed", lead.lead_id, 1, a_rep(2).rep_id))
    assert told(world, "withdraw") == [a_rep(1).rep_id]


def expired(world: FakeWorld) -> Lead:
    """Return a lead whose window has closed."""
    lead = world.post_lead(a_card())
    world.clock.at = lead.closes_at
    follow(world, due(lead))
    assert world.lead(lead).state is State.EXPIRED
    return world.lead(lead)


def test_an_expired_lead_is_withdrawn_from_everybody_and_assigned() -> None:
    world = a_world()
    lead = expired(world)
    world.clock.pass_(seconds=1)
    follow(world, LeadEvent("lead.expired", lead.lead_id, 1))
    assert len(told(world, "withdraw")) == 3
    kept = world.lead(lead)
    assert (kept.state, kept.epoch) == (State.ASSIGNED, 1)
    assert kept.owner in {a_rep(number).rep_id for number in (1, 2, 3)}
    last = world.leads.history(lead.lead_id)[-1]
    assert (last.to_state, last.cause, last.holder) == (State.ASSIGNED, "unclaimed", kept.owner)


def test_an_expired_lead_that_was_assigned_is_not_assigned_again_when_the_event_returns() -> None:
    world = a_world()
    lead = expired(world)
    follow(world, LeadEvent("lead.expired", lead.lead_id, 1))
    before = repr(world.memory)
    follow(world, LeadEvent("lead.expired", lead.lead_id, 1))
    assert repr(world.memory) == before


@pytest.mark.parametrize("kind", ["assigned", "unworked"])
def test_a_holder_is_told_what_happened_to_their_lead(kind: str) -> None:
    world = a_world()
    lead = world.post_lead(a_card())
    follow(world, LeadEvent(f"lead.{kind}", lead.lead_id, 1, a_rep(2).rep_id))
    assert world.queue.waiting == [(NotifyBatch(kind, lead.lead_id, 1, (a_rep(2).rep_id,)), 0)]


def test_a_late_withdrawal_is_about_the_opening_that_ended_not_the_new_one() -> None:
    world = a_world()
    lead = world.post_lead(a_card())
    world.memory.leads[lead.lead_id] = replace(lead, epoch=2)
    follow(world, LeadEvent("lead.claimed", lead.lead_id, 1, a_rep(1).rep_id))
    assert {batch.epoch for batch in world.queue.of("withdraw")} == {1}


def test_a_team_without_reps_is_noted_as_told_all_the_same() -> None:
    world = a_world(0)
    lead = world.post_lead(a_card())
    follow(world, opened(lead))
    assert world.queue.waiting == []
    assert world.lead(lead).notified_until == NOON
    assert world.timers.set


# Waves


def in_tiers(*tiers: int, score: int = 60, **playbook: object) -> tuple[FakeWorld, Lead, list[Rep]]:
    """Return a lead for a team with tiers, its event handled, and one rep of each tier."""
    world = FakeWorld(a_playbook(model="tiers", **playbook))
    reps = [world.add_rep(a_rep(n, tier=tier)) for n, tier in enumerate(tiers, 1)]
    lead = world.post_lead(a_card(score=score))
    follow(world, opened(lead))
    return world, lead, reps


def wake(world: FakeWorld) -> datetime:
    """Fire the last timer at its time."""
    lead_id, epoch, moment = world.timers.set[-1]
    world.clock.at = moment
    follow(world, LeadEvent("lead.due", lead_id, epoch))
    return moment


def test_each_wave_is_told_when_it_opens_and_of_its_own_reps_only() -> None:
    world, lead, reps = in_tiers(1, 2, 3)
    assert told(world) == [reps[0].rep_id]
    assert world.queue.of("offer")[0].notify_at == NOON
    assert wake(world) == NOON + 15 * MINUTE - NEAR
    assert told(world) == [rep.rep_id for rep in reps[:2]]
    # Queued a moment ahead, to be notified when it opens.
    assert world.queue.of("offer")[1].notify_at == NOON + 15 * MINUTE
    assert world.lead(lead).notified_until == NOON + 15 * MINUTE
    assert wake(world) == NOON + 60 * MINUTE - NEAR
    assert told(world) == [rep.rep_id for rep in reps]
    assert wake(world) == lead.closes_at == NOON + 75 * MINUTE
    assert world.lead(lead).state is State.EXPIRED


def test_the_wave_of_a_tier_that_never_opens_is_not_waited_for() -> None:
    world, lead, reps = in_tiers(1, 2, 3, score=90)
    wake(world)
    assert told(world) == [rep.rep_id for rep in reps[:2]]
    assert wake(world) == lead.closes_at == NOON + 30 * MINUTE


def test_a_wave_whose_timer_came_late_is_told_at_once() -> None:
    world, lead, reps = in_tiers(1, 2, 3)
    world.clock.at = NOON + 20 * MINUTE
    follow(world, due(lead))
    assert told(world) == [rep.rep_id for rep in reps[:2]]
    assert world.queue.of("offer")[1].notify_at == NOON + 20 * MINUTE
    assert world.timers.set[-1][2] == NOON + 60 * MINUTE - NEAR


def test_waves_whose_timers_were_lost_are_told_together() -> None:
    world, lead, reps = in_tiers(1, 2, 3)
    world.clock.at = NOON + 61 * MINUTE
    follow(world, opened(lead))
    assert sorted(told(world)) == sorted(rep.rep_id for rep in reps)
    assert world.lead(lead).notified_until == NOON + 60 * MINUTE


def test_a_wave_is_told_once_however_often_its_timer_comes() -> None:
    world, lead, reps = in_tiers(1, 2)
    for _ in range(3):
        world.clock.at = NOON + 15 * MINUTE
        follow(world, due(lead))
    assert told(world) == [rep.rep_id for rep in reps]


def test_a_timer_in_between_neither_tells_nor_opens_anything() -> None:
    world, lead, reps = in_tiers(1, 2)
    world.clock.at = NOON + 15 * MINUTE - NEAR - MS
    follow(world, due(lead))
    assert told(world) == [reps[0].rep_id]
    assert world.lead(lead).waves == lead.waves
    assert world.timers.set[-1][2] == NOON + 15 * MINUTE - NEAR


def test_somebody_of_the_wave_who_is_off_at_its_instant_is_not_told() -> None:
    world, lead, reps = in_tiers(1, 2, 2)
    world.roster.pause(reps[1].rep_id, NOON + 15 * MINUTE + MS)
    world.roster.pause(reps[2].rep_id, NOON + 15 * MINUTE)
    world.clock.at = NOON + 15 * MINUTE - NEAR
    follow(world, due(lead))
    assert told(world) == [reps[0].rep_id, reps[2].rep_id]


def test_the_race_of_an_undone_lead_goes_on_where_it_was() -> None:
    world, lead, reps = in_tiers(1, 2, 3)
    world.clock.at = NOON + 16 * MINUTE
    follow(world, due(lead))
    proof = proof_of(reps[1])
    claim(world.race, lead.lead_id, reps[1].rep_id, proof, world.clock)
    again = undo(world.race, lead.lead_id, reps[1].rep_id, proof, world.clock)
    assert again.notified_until is None
    assert again.waves["north"] == (NOON + 16 * MINUTE,) * 2 + (lead.waves["north"][2],)
    assert again.closes_at == lead.closes_at
    world.queue.waiting.clear()
    follow(world, opened(again))
    assert told(world) == [reps[0].rep_id]  # all but the one who has seen the details
    assert {batch.epoch for batch in world.queue.of("offer")} == {2}


# Waves that open early (M6)


def test_where_the_first_tier_has_nobody_the_next_is_told_at_once() -> None:
    world, lead, reps = in_tiers(2, 3)
    assert told(world) == [reps[0].rep_id]
    assert world.lead(lead).waves["north"] == (NOON, NOON, NOON + 60 * MINUTE)
    assert world.timers.set[-1][2] == NOON + 60 * MINUTE - NEAR


def test_a_look_that_finds_nobody_left_opens_and_tells_the_next_wave() -> None:
    world, lead, reps = in_tiers(1, 2)
    world.timers.set.clear()
    world.clock.pass_(minutes=2)
    world.race.record_sighting(lead, reps[0].rep_id, "declined_at", world.clock())
    follow(world, LeadEvent("lead.check", lead.lead_id, 1))
    assert world.lead(lead).waves["north"][1] == NOON + 2 * MINUTE
    assert told(world) == [rep.rep_id for rep in reps]
    # The timer for the wave is still pending.
    assert world.timers.set == []


def test_a_look_that_finds_somebody_left_changes_nothing() -> None:
    world, lead, reps = in_tiers(1, 1, 2)
    world.clock.pass_(minutes=2)
    world.race.record_sighting(lead, reps[0].rep_id, "declined_at", world.clock())
    world.offers.record([SentOffer(lead.lead_id, 1, rep.rep_id, NOON, ()) for rep in reps[:2]])
    before, dealt = repr(world.memory), len(world.queue.waiting)
    follow(world, LeadEvent("lead.check", lead.lead_id, 1))
    assert repr(world.memory) == before
    assert len(world.queue.waiting) == dealt


def test_a_decline_of_an_earlier_opening_does_not_count() -> None:
    world, lead, reps = in_tiers(1, 2)
    world.race.record_sighting(lead, reps[0].rep_id, "declined_at", NOON)
    proof = proof_of(reps[0])
    claim(world.race, lead.lead_id, reps[0].rep_id, proof, world.clock)
    world.clock.pass_(minutes=1)
    rep_id = reps[0].rep_id
    release(world.race, world.holdings, lead.lead_id, rep_id, proof, "no fit", world.clock)
    again = world.lead(lead)
    world.add_rep(replace(reps[0], rep_id="aaaay", phone=None))  # of the first wave
    follow(world, opened(again))
    assert world.lead(lead).waves["north"][1] == NOON + 16 * MINUTE


def test_somebody_else_who_opened_the_wave_first_is_left_to_tell_it() -> None:
    world, lead, reps = in_tiers(1, 2)
    stale = world.lead(lead)
    world.clock.pass_(minutes=2)
    world.race.record_sighting(lead, reps[0].rep_id, "declined_at", world.clock())
    follow(world, LeadEvent("lead.check", lead.lead_id, 1))
    opened_at = world.lead(lead).waves
    world.clock.pass_(seconds=1)
    offering.check(LeadEvent("lead.check", lead.lead_id, 1), stale, world.follow_deps())
    assert world.lead(lead).waves == opened_at
    assert told(world) == [rep.rep_id for rep in reps]


@pytest.mark.parametrize("kind", ["waves.check", "lead.claimed"])
def test_a_pause_or_a_claim_elsewhere_opens_waves_of_every_lead_it_leaves_without_takers(
    kind: str,
) -> None:
    world, lead, reps = in_tiers(1, 2, claims_per_day=1)
    other = world.post_lead(a_card(2, score=60))
    follow(world, opened(other))
    if kind == "lead.claimed":
        proof = proof_of(reps[0])
        claim(world.race, other.lead_id, reps[0].rep_id, proof, world.clock)
        follow(world, LeadEvent(kind, other.lead_id, 1, reps[0].rep_id))
    else:
        world.roster.pause(reps[0].rep_id, NOON + 20 * MINUTE)
        follow(world, LeadEvent(kind, "", 0))
        assert world.lead(other).waves["north"][1] == JUST_AFTER
    assert world.lead(lead).waves["north"][1] == JUST_AFTER


def test_a_claim_of_a_lead_without_waves_may_leave_another_lead_without_takers() -> None:
    everybody = [{"source": "fair", "premium": [0, 0, 0], "standard": [0, 0, 0]}]
    world, lead, reps = in_tiers(1, 2, claims_per_day=1, windows=everybody)
    other = world.post_lead(a_card(2, source="fair"))
    assert other.waves == {}
    proof = proof_of(reps[0])
    claim(world.race, other.lead_id, reps[0].rep_id, proof, world.clock)
    follow(world, LeadEvent("lead.claimed", other.lead_id, 1, reps[0].rep_id))
    assert world.lead(lead).waves["north"][1] == JUST_AFTER


# The queue


def test_a_look_at_the_queue_serves_it() -> None:
    world = a_world(1, model="round-robin")
    first, second = world.post_lead(a_card(1)), world.post_lead(a_card(2), NOON + SECOND)
    follow(world, LeadEvent("queue.check", "", 0))
    for lead in (first, second):
        assert (world.lead(lead).state, world.lead(lead).owner) == (
            State.ASSIGNED,
            a_rep(1).rep_id,
        )


def test_a_new_lead_does_not_overtake_those_that_wait() -> None:
    world = a_world(0, model="round-robin", quota={"enabled": True, "base_per_week": 1})
    old, new = world.post_lead(a_card(1)), world.post_lead(a_card(2), NOON + SECOND)
    world.add_rep(a_rep(1))
    follow(world, LeadEvent("lead.queued", new.lead_id, 1))
    assert world.lead(old).owner == a_rep(1).rep_id
    assert world.lead(new).owner is None


def test_a_lead_the_index_does_not_show_yet_is_served_in_its_place() -> None:
    world = a_world(1, model="round-robin", quota={"enabled": True, "base_per_week": 2})
    leads = [world.post_lead(a_card(n), NOON + n * SECOND) for n in range(3)]
    shown = [leads[0], leads[2]]
    world.holdings.queued = lambda: list(shown)  # type: ignore[method-assign]
    follow(world, LeadEvent("lead.queued", leads[1].lead_id, 1))
    assert [world.lead(lead).owner is not None for lead in leads] == [True, True, False]


def test_a_long_queue_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    world = FakeWorld(a_playbook(model="round-robin"))
    world.add_rep(a_rep(1))
    for module in (assigning, offering):
        monkeypatch.setattr(module, "SLICE", 2)
    for number in range(3):
        world.post_lead(a_card(number))
    for left, asked in ((1, [("queue.check", "")]), (0, [("queue.check", "")])):
        follow(world, LeadEvent("queue.check", "", 0))
        assert (len(world.holdings.queued()), world.timers.asked) == (left, asked)


def test_who_was_moved_to_a_tier_that_was_told_already_is_told_with_the_next() -> None:
    """The roster snapshot is some seconds old: tiers may be recalculated before the opening."""
    world = FakeWorld(a_playbook(model="tiers"))
    rising, falling = world.add_rep(a_rep(1, tier=2)), world.add_rep(a_rep(2, tier=1))
    lead = world.post_lead(a_card(score=60))
    follow(world, opened(lead))
    assert told(world) == [falling.rep_id]
    assert world.roster.set_tier(rising.rep_id, 2, 1)
    assert world.roster.set_tier(falling.rep_id, 1, 2)
    world.clock.pass_(minutes=15)
    follow(world, LeadEvent("lead.due", lead.lead_id, 1))
    assert sorted(told(world)) == sorted([rising.rep_id, falling.rep_id])


def test_a_debt_nothing_could_pay_opens_no_wave_early() -> None:
    tiers = {"teams": {"north": {"name": "N", "model": "tiers"}}}
    world = FakeWorld(a_playbook(**tiers, acceptance={"hot_per_warm": 1}))
    debtor = world.add_rep(a_rep(1, tier=1))
    world.add_rep(a_rep(2, tier=2))
    week = debtor.this_week(world.clock())
    world.memory.usage[debtor.rep_id] = Usage(week=week, week_claims=1, hot=1)

    def second_wave_after(lead: Lead) -> timedelta:
        world.clock.pass_(seconds=10)
        follow(world, opened(lead))
        stored = world.leads.get(lead.lead_id)
        assert stored is not None
        opens_at = stored.openings("north")[1]
        assert opens_at is not None
        return opens_at - stored.opens_at

    # No warm lead is open, so tier 1 may claim, and tier 2 waits.
    assert second_wave_after(world.post_lead(a_card(1))) == timedelta(minutes=15)
    world.post_lead(a_card(2, score=60))
    assert second_wave_after(world.post_lead(a_card(3))) == timedelta(seconds=10)


# Leavers (R8)


@pytest.mark.parametrize("how", ["claimed", "assigned"])
def test_what_a_leaver_got_at_the_last_moment_goes_back_when_it_is_heard_of(how: str) -> None:
    world = FakeWorld(a_playbook())
    leaver, other = world.add_rep(a_rep(1)), world.add_rep(a_rep(2))
    lead = world.post_lead(a_card())
    if how == "claimed":
        token = proof_of(leaver)
        claim(world.race, lead.lead_id, leaver.rep_id, token, world.clock)
    else:
        put = assign_lead
        put(world.race, world.holdings, lead.lead_id, leaver.rep_id, "boss", "x", world.clock)
    world.roster.deactivate(leaver.rep_id, NOON.date())
    follow(world, LeadEvent(f"lead.{how}", lead.lead_id, 1, leaver.rep_id))
    assert world.lead(lead).owner is None
    assert world.lead(lead).previous_owner == leaver.rep_id
    kept = world.post_lead(a_card(2))
    token = proof_of(other)
    claim(world.race, kept.lead_id, other.rep_id, token, world.clock)
    follow(world, LeadEvent("lead.claimed", kept.lead_id, 1, other.rep_id))
    assert world.lead(kept).owner == other.rep_id
