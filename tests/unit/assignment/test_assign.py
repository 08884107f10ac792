"""Leads no rep claimed, or that do not race, are assigned oldest first (C7, M3, M5); in the end
they go to the fallback person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.assignment import assign as assigning
from dibs.assignment.assign import ATTEMPTS, serve
from dibs.assignment.round_robin import Turn, not_assignable
from dibs.assignment.work import give_back
from dibs.core.errors import Busy, UndoOver
from dibs.core.events import LeadEvent
from dibs.core.lead import Claim, Lead, State
from dibs.core.rep import Rep, Usage
from dibs.dispatch import follow as offering
from dibs.dispatch.sweep import relay, sweep
from dibs.offers.notify import notify
from dibs.race.claim import claim
from dibs.race.undo import undo
from support.builders import NOON, a_card, a_playbook, a_rep, basics, proof_of
from support.fakes import FakeWorld, no_pause

MS, SECOND, MINUTE = timedelta(milliseconds=1), timedelta(seconds=1), timedelta(minutes=1)
HOUR = timedelta(hours=1)


class AssignmentCase:
    """Reps and a queue of leads to assign."""

    def __init__(self, *reps: Rep, model: str = "round-robin", **playbook: Any) -> None:
        self.world = FakeWorld(a_playbook(model=model, **playbook))
        self.reps = [self.world.add_rep(rep) for rep in reps]
        self.clock = self.world.clock
        self.made = 0

    def lead(self, **card: Any) -> Lead:
        """Post a new lead, a second after the last."""
        self.made += 1
        self.clock.pass_(seconds=1)
        return self.world.post_lead(a_card(self.made, **card))

    def serve(self, queue: list[Lead] | None = None) -> list[Claim]:
        world = self.world
        waiting = world.holdings.queued() if queue is None else queue
        return serve(waiting, world.race, world.roster, world.holdings, self.clock, no_pause)

    def owner(self, lead: Lead) -> str | None:
        return self.world.lead(lead).owner

    def owners(self, *leads: Lead) -> list[str | None]:
        return [self.owner(lead) for lead in leads]

    def pause(self, rep: Rep, **duration: float) -> None:
        self.world.roster.pause(rep.rep_id, self.clock() + timedelta(**duration))

    def on(self, rep: Rep) -> None:
        self.world.roster.pause(rep.rep_id, None)

    def usage(self, rep: Rep) -> Usage:
        return self.world.memory.usage[rep.rep_id]

    def give_back(self, lead: Lead) -> Lead | None:
        held = self.world.lead(lead)
        world = self.world
        return give_back(
            world.race, world.holdings, lead.lead_id, str(held.owner), "left", "boss", self.clock
        )

    def happens(self) -> None:
        """Publish and handle all events in the outbox until there are no more."""
        for _ in range(20):
            self.clock.pass_(milliseconds=1)
            waiting = list(self.world.leads.waiting_in_outbox(self.clock()))
            if not waiting:
                return
            self.world.bus.events.clear()
            relay(waiting, self.world.leads, self.world.bus)
            for event in list(self.world.bus.events):
                offering.follow(event, self.world.follow_deps())
        raise AssertionError("it never comes to rest")

    def until(self, moment: datetime) -> None:
        """Move the clock to `moment`; each timer fires at its time and its events are handled."""
        self.happens()
        while True:
            due = [timer for timer in self.world.timers.set if timer[2] <= moment]
            if not due:
                break
            timer = min(due, key=lambda timer: timer[2])
            self.world.timers.set.remove(timer)
            self.clock.at = max(self.clock.at, timer[2])
            offering.follow(LeadEvent("lead.due", timer[0], timer[1]), self.world.follow_deps())
            self.happens()
        self.clock.at = max(self.clock.at, moment)


ANN, BOB, CHO = a_rep(1), a_rep(2), a_rep(3)


# One lead


def test_a_lead_nobody_races_for_goes_to_somebody_as_it_comes() -> None:
    case = AssignmentCase(ANN, BOB)
    lead = case.lead()
    (given,) = case.serve()
    stored = case.world.lead(lead)
    assert (stored.state, stored.owner, stored.claimed_at) == (
        State.ASSIGNED,
        ANN.rep_id,
        case.clock(),
    )
    assert (given.rep_id, given.rep_name, given.team) == (ANN.rep_id, ANN.name, "north")
    assert (given.cause, given.competitive) == ("assigned", False)
    assert given == case.world.memory.claims[lead.lead_id]


def test_an_assignment_is_recorded_as_a_step_with_its_cause_and_whom_it_went_to() -> None:
    case = AssignmentCase(ANN)
    lead = case.lead()
    case.serve()
    (step,) = case.world.leads.history(lead.lead_id)
    assert (step.from_state, step.to_state) == (State.NEW, State.ASSIGNED)
    assert (step.cause, step.by, step.holder) == ("assigned", "dibs", ANN.rep_id)


def test_an_assignment_counts_for_the_week_and_in_hand_and_not_for_the_day() -> None:
    case = AssignmentCase(ANN)
    case.lead()
    case.serve()
    assert basics(case.usage(ANN)) == Usage(None, 0, ANN.this_week(NOON), 1, 1)


def test_whoever_is_assigned_a_lead_has_as_long_for_it_as_who_claimed_one() -> None:
    case = AssignmentCase(ANN)
    lead = case.lead()
    (given,) = case.serve()
    now = case.clock()
    assert (given.nudge_at, given.return_at) == (now + 30 * MINUTE, now + HOUR)
    assert case.world.lead(lead).return_at == now + HOUR


def test_an_assigned_lead_cannot_be_claimed_by_another_nor_undone() -> None:
    case = AssignmentCase(ANN, BOB, model="open-pool")
    lead = case.lead()
    case.until(lead.closes_at)
    held = case.owner(lead)
    holder, other = (ANN, BOB) if held == ANN.rep_id else (BOB, ANN)
    world, proof = case.world, proof_of(holder)
    won = claim(world.race, lead.lead_id, holder.rep_id, proof, world.clock, pause=no_pause)
    assert won.already_yours
    assert won.card is not None
    # An assignment is no claim, so no undo is offered.
    assert won.undo_until == won.claim.claimed_at
    with pytest.raises(UndoOver):
        undo(world.race, lead.lead_id, holder.rep_id, proof, world.clock)
    assert case.world.lead(lead).owner == holder.rep_id
    assert other.rep_id not in world.memory.claims[lead.lead_id].rep_id


def test_the_holder_is_told_by_push_or_text() -> None:
    case = AssignmentCase(ANN)
    lead = case.lead()
    case.happens()
    (batch,) = case.world.queue.of("assigned")
    notify(batch, case.world.notify_deps())
    assert case.world.sms.told == [ANN.phone]
    assert case.world.sms.texts[0][1].startswith(f"assigned {lead.lead_id} ")


def test_a_test_lead_is_assigned_and_counts_nowhere() -> None:
    case = AssignmentCase(ANN, quota={"enabled": True, "base_per_week": 1})
    trial, real = case.lead(test=True), case.lead()
    case.serve()
    assert case.owners(trial, real) == [ANN.rep_id] * 2
    assert basics(case.usage(ANN)) == Usage(None, 0, ANN.this_week(NOON), 1, 1)


# Whose turn


def test_leads_go_round() -> None:
    case = AssignmentCase(ANN, BOB, CHO)
    leads = [case.lead() for _ in range(7)]
    case.serve()
    assert case.owners(*leads) == [rep.rep_id for rep in (ANN, BOB, CHO, ANN, BOB, CHO, ANN)]


def test_the_turn_is_kept_from_one_lead_to_the_next() -> None:
    case = AssignmentCase(ANN, BOB, CHO)
    leads = []
    for _ in range(5):
        leads.append(case.lead())
        case.serve()
    assert case.owners(*leads) == [rep.rep_id for rep in (ANN, BOB, CHO, ANN, BOB)]


def test_leads_go_by_weight() -> None:
    reps = replace(ANN, weight=3), BOB
    case = AssignmentCase(*reps, assignment={"method": "weighted"})
    leads = [case.lead() for _ in range(8)]
    case.serve()
    assert Counter(case.owners(*leads)) == {ANN.rep_id: 6, BOB.rep_id: 2}


def test_who_was_away_is_owed_nothing() -> None:
    case = AssignmentCase(ANN, BOB)
    case.pause(BOB, hours=1)
    first = [case.lead() for _ in range(4)]
    case.serve()
    assert set(case.owners(*first)) == {ANN.rep_id}
    case.on(BOB)
    second = [case.lead() for _ in range(4)]
    case.serve()
    assert Counter(case.owners(*second)) == {ANN.rep_id: 2, BOB.rep_id: 2}


def test_teams_that_share_their_leads_share_one_ring_whatever_order_they_are_named_in() -> None:
    teams = {"north": {"name": "N"}, "south": {"name": "S"}}
    southern = replace(BOB, team="south")
    case = AssignmentCase(ANN, southern, teams=teams)
    leads = [case.lead() for _ in range(4)]
    mixed = [
        replace(lead, teams=lead.teams[:: 1 if number % 2 else -1])
        for number, lead in enumerate(leads)
    ]
    case.world.memory.leads.update({lead.lead_id: lead for lead in mixed})
    case.serve()
    assert case.owners(*leads) == [ANN.rep_id, BOB.rep_id] * 2


def test_a_lead_of_one_team_goes_to_nobody_of_another() -> None:
    teams = {"north": {"name": "N"}, "south": {"name": "S"}}
    case = AssignmentCase(replace(BOB, team="south"), teams=teams)
    lead = case.lead(team="north")
    assert case.serve() == []
    assert case.owner(lead) is None


def test_a_limit_of_leads_in_hand_passes_the_turn_on() -> None:
    case = AssignmentCase(ANN, BOB, assignment={"in_hand_limit": 2})
    leads = [case.lead() for _ in range(6)]
    case.serve()
    assert Counter(case.owners(*leads)) == {ANN.rep_id: 2, BOB.rep_id: 2, None: 2}


def test_an_allowance_of_the_week_passes_the_turn_on() -> None:
    case = AssignmentCase(
        replace(ANN, allowance=1), BOB, quota={"enabled": True, "base_per_week": 3}
    )
    leads = [case.lead() for _ in range(5)]
    case.serve()
    assert Counter(case.owners(*leads)) == {ANN.rep_id: 1, BOB.rep_id: 3, None: 1}


# From the pool's end to the fallback person (C7)


def test_what_a_team_with_tiers_lets_go_is_tier_threes_first() -> None:
    first, second = replace(ANN, tier=1), replace(BOB, tier=2)
    case = AssignmentCase(first, second, replace(CHO, tier=3), model="tiers")
    leads = [case.lead(score=90) for _ in range(3)]
    case.until(leads[-1].closes_at)
    assert case.owners(*leads) == [CHO.rep_id] * 3
    assert {case.world.memory.claims[lead.lead_id].cause for lead in leads} == {"unclaimed"}


def test_where_tier_three_has_no_room_the_others_get_it() -> None:
    first, third = replace(ANN, tier=1), replace(CHO, tier=3)
    case = AssignmentCase(first, third, model="tiers", assignment={"in_hand_limit": 1})
    leads = [case.lead(score=90) for _ in range(3)]
    case.until(leads[-1].closes_at)
    assert case.owners(*leads) == [CHO.rep_id, ANN.rep_id, None]


def test_what_nobody_may_take_waits_and_the_oldest_goes_first_when_somebody_frees_up() -> None:
    case = AssignmentCase(ANN, assignment={"in_hand_limit": 1})
    leads = [case.lead() for _ in range(3)]
    case.happens()
    assert case.owners(*leads) == [ANN.rep_id, None, None]
    case.give_back(leads[0])  # as working it, losing it or a manager would
    case.world.memory.leads.pop(leads[0].lead_id)
    offering.follow(LeadEvent("queue.check", "", 0), case.world.follow_deps())
    assert case.owners(*leads[1:]) == [ANN.rep_id, None]


def test_a_newer_lead_never_overtakes_an_older_one() -> None:
    case = AssignmentCase(ANN)
    case.pause(ANN, minutes=10)
    old = [case.lead() for _ in range(3)]
    case.happens()
    assert case.owners(*old) == [None] * 3
    case.on(ANN)
    case.world.put_playbook(
        a_playbook(model="round-robin", quota={"enabled": True, "base_per_week": 2})
    )
    new = case.lead()
    case.happens()
    assert case.owners(*old, new) == [ANN.rep_id, ANN.rep_id, None, None]


def test_a_lead_that_was_raced_for_and_one_that_was_not_wait_in_one_queue() -> None:
    teams = {"north": {"name": "N", "model": "open-pool"}, "south": {"name": "S"}}
    case = AssignmentCase(teams=teams, assignment={"in_hand_limit": 1})
    raced = case.lead(team="north")
    case.until(raced.closes_at)
    never = case.lead(team="south")
    case.happens()
    assert case.world.lead(raced).state is State.EXPIRED
    assert [lead.lead_id for lead in case.world.holdings.queued()] == [
        raced.lead_id,
        never.lead_id,
    ]


def test_a_rep_who_comes_on_is_served_by_the_next_sweep_at_the_latest() -> None:
    case = AssignmentCase(ANN)
    case.pause(ANN, minutes=5)
    lead = case.lead()
    case.happens()
    assert case.owner(lead) is None
    case.clock.pass_(minutes=5)
    world = case.world
    world.bus.events.clear()
    sweep(
        world.leads, world.race, world.holdings, world.roster, world.offers, world.bus, case.clock()
    )
    for event in world.bus.events:
        offering.follow(event, world.follow_deps())
    assert case.owner(lead) == ANN.rep_id


RESORT = {"fallback_after_seconds": 600}


def fallback_to(rep: Rep, **team: Any) -> dict[str, Any]:
    return {"teams": {"north": {"name": "N", "fallback": rep.rep_id, **team}}}


AWAY: dict[str, Callable[[Rep], Rep]] = {
    "paused": lambda rep: replace(rep, paused_until=NOON + 9 * HOUR),
    "on leave": lambda rep: replace(rep, leave=((date(2026, 11, 23), date(2026, 11, 23)),)),
    "over their allowance": lambda rep: replace(rep, allowance=0),
}


@pytest.mark.parametrize("why", AWAY)
def test_after_the_stated_time_the_fallback_person_gets_it_to_the_millisecond(why: str) -> None:
    away = [AWAY[why](rep) for rep in (ANN, BOB)]
    quota = {"enabled": True}
    case = AssignmentCase(*away, **fallback_to(BOB), assignment=RESORT, quota=quota)
    lead = case.lead()
    waits_until = lead.received_at + 10 * MINUTE
    case.clock.at = waits_until - MS
    assert case.serve() == []
    case.clock.at = waits_until
    (given,) = case.serve()
    assert (given.rep_id, given.cause) == (BOB.rep_id, "fallback")
    assert case.world.lead(lead).owner == BOB.rep_id
    step = case.world.leads.history(lead.lead_id)[-1]
    assert (step.cause, step.holder) == ("fallback", BOB.rep_id)


def test_on_a_holiday_the_fallback_person_gets_it_all_the_same() -> None:
    case = AssignmentCase(ANN, **fallback_to(ANN, holidays=["2026-11-23"]), assignment=RESORT)
    lead = case.lead()
    case.clock.pass_(minutes=10)
    case.serve()
    assert case.owner(lead) == ANN.rep_id


def test_the_fallback_persons_own_limits_do_not_count() -> None:
    case = AssignmentCase(
        ANN,
        **fallback_to(ANN),
        assignment={**RESORT, "in_hand_limit": 1},
        quota={"enabled": True, "base_per_week": 1},
    )
    leads = [case.lead() for _ in range(3)]
    case.serve()
    assert case.owners(*leads) == [ANN.rep_id, None, None]
    case.clock.pass_(minutes=11)
    assert {given.cause for given in case.serve()} == {"fallback"}
    assert case.owners(*leads) == [ANN.rep_id] * 3
    assert basics(case.usage(ANN)) == Usage(None, 0, ANN.this_week(NOON), 3, 3)


def test_a_raced_lead_waits_for_the_last_resort_from_the_end_of_its_window() -> None:
    case = AssignmentCase(
        AWAY["paused"](ANN), model="open-pool", **fallback_to(ANN), assignment=RESORT
    )
    lead = case.lead()
    case.until(lead.closes_at)
    case.clock.at = lead.closes_at + 10 * MINUTE - MS
    assert case.serve() == []
    case.clock.at += MS
    assert [given.rep_id for given in case.serve()] == [ANN.rep_id]


def test_as_long_as_somebody_may_take_it_it_does_not_go_to_the_last_resort() -> None:
    case = AssignmentCase(ANN, AWAY["paused"](BOB), **fallback_to(BOB), assignment=RESORT)
    lead = case.lead()
    case.clock.pass_(hours=2)
    case.serve()
    assert case.owner(lead) == ANN.rep_id


def test_the_last_resort_takes_nobodys_turn() -> None:
    case = AssignmentCase(ANN, BOB, CHO, **fallback_to(CHO), assignment=RESORT)
    case.lead()
    case.serve()  # Ann's turn
    for rep in (ANN, BOB, CHO):
        case.pause(rep, hours=1)
    late = case.lead()
    case.clock.pass_(minutes=10)
    case.serve()
    assert case.owner(late) == CHO.rep_id
    for rep in (ANN, BOB, CHO):
        case.on(rep)
    last = case.lead()
    case.serve()
    assert case.owner(last) == BOB.rep_id


def test_without_a_fallback_person_or_with_one_who_left_it_goes_on_waiting() -> None:
    for rep, team in ((ANN, {}), (replace(ANN, active=False), {"fallback": ANN.rep_id})):
        case = AssignmentCase(
            AWAY["paused"](rep), teams={"north": {"name": "N", **team}}, assignment=RESORT
        )
        lead = case.lead()
        case.clock.pass_(hours=2)
        assert case.serve() == []
        assert case.world.lead(lead).state is State.NEW
        assert case.world.holdings.queued() == [lead]


def test_a_fallback_person_nobody_knows_leaves_it_waiting() -> None:
    case = AssignmentCase(teams={"north": {"name": "N", "fallback": "zzzzz"}}, assignment=RESORT)
    case.lead()
    case.clock.pass_(hours=2)
    assert case.serve() == []


def test_of_several_teams_the_first_with_a_fallback_person_is_asked() -> None:
    teams = {
        "north": {"name": "N"},
        "south": {"name": "S", "fallback": BOB.rep_id},
        "west": {"name": "W", "fallback": CHO.rep_id},
    }
    away = [AWAY["paused"](replace(rep, team=t)) for rep, t in ((BOB, "south"), (CHO, "west"))]
    case = AssignmentCase(*away, teams=teams, assignment=RESORT)
    lead = case.lead()
    case.clock.pass_(minutes=10)
    case.serve()
    assert case.owner(lead) == BOB.rep_id


def test_a_fallback_person_of_another_team_gets_what_is_due_and_is_in_nobodys_ring() -> None:
    teams = {"north": {"name": "N", "fallback": CHO.rep_id}, "south": {"name": "S"}}
    boss = replace(CHO, team="south")
    case = AssignmentCase(AWAY["paused"](ANN), boss, teams=teams, assignment=RESORT)
    due = case.lead(team="north")
    case.clock.pass_(minutes=10)
    fresh = case.lead(team="north")
    case.serve()
    assert case.owners(due, fresh) == [CHO.rep_id, None]
    # They may see the lead assigned to them, whatever their team.
    world, proof = case.world, proof_of(boss)
    won = claim(world.race, due.lead_id, boss.rep_id, proof, world.clock, pause=no_pause)
    assert won.already_yours
    assert won.card is not None


# A lead that comes back


def test_a_returned_lead_goes_to_somebody_else_and_says_so() -> None:
    case = AssignmentCase(ANN, BOB)
    lead = case.lead()
    case.serve()
    case.clock.pass_(minutes=5)
    back = case.give_back(lead)
    assert back is not None
    assert (back.state, back.epoch) == (State.RELEASED, 2)
    (given,) = case.serve()
    assert (given.rep_id, given.epoch, given.cause) == (BOB.rep_id, 2, "returned")


def test_where_only_who_had_it_last_is_left_it_waits_for_the_fallback_person() -> None:
    case = AssignmentCase(ANN, AWAY["paused"](CHO), **fallback_to(CHO), assignment=RESORT)
    lead = case.lead()
    case.serve()
    case.give_back(lead)
    back = case.world.lead(lead)
    case.clock.at = back.closes_at + timedelta(minutes=10) - MS
    assert case.serve() == []
    case.clock.at += MS
    (given,) = case.serve()
    assert (given.rep_id, given.cause) == (CHO.rep_id, "fallback")


def test_as_the_very_last_resort_a_fallback_person_has_it_twice_in_a_row() -> None:
    teams = {"north": {"name": "N", "fallback": ANN.rep_id}, "south": {"name": "S"}}
    case = AssignmentCase(ANN, replace(BOB, team="south"), teams=teams, assignment=RESORT)
    lead = case.lead(team="north")
    case.serve()
    case.give_back(lead)
    case.clock.pass_(minutes=10)
    (given,) = case.serve()
    assert (given.rep_id, given.cause) == (ANN.rep_id, "fallback")
    # Another team's fallback person comes before the previous owner.
    teams["south"]["fallback"] = BOB.rep_id
    case.world.put_playbook(a_playbook(model="round-robin", teams=teams, assignment=RESORT))
    case.give_back(lead)
    case.clock.pass_(minutes=10)
    (given,) = case.serve()
    assert (given.rep_id, given.cause) == (BOB.rep_id, "fallback")


def test_a_returned_lead_keeps_its_place_in_the_queue() -> None:
    case = AssignmentCase(ANN, BOB, assignment={"in_hand_limit": 1})
    leads = [case.lead() for _ in range(3)]
    case.serve()
    assert case.owners(*leads) == [ANN.rep_id, BOB.rep_id, None]
    case.give_back(leads[0])
    case.give_back(leads[1])
    case.serve()
    # Both are free again, each for the other's lead; those came before the lead that still waits.
    assert case.owners(*leads) == [BOB.rep_id, ANN.rep_id, None]


# Two runs at once, and failures


def test_two_who_serve_the_queue_at_once_give_each_lead_once_and_pass_each_turn_once() -> None:
    case = AssignmentCase(ANN, BOB, CHO)
    leads = [case.lead() for _ in range(6)]
    queue = case.world.holdings.queued()
    others: list[Claim] = []
    case.world.holdings.meanwhile = lambda: others.extend(case.serve(queue[:3]))
    mine = case.serve(queue)
    assert sorted(given.lead_id for given in mine + others) == sorted(
        lead.lead_id for lead in leads
    )
    assert Counter(case.owners(*leads)) == {rep.rep_id: 2 for rep in (ANN, BOB, CHO)}
    assert sum(case.usage(rep).in_hand for rep in (ANN, BOB, CHO)) == 6


def test_a_turn_somebody_else_took_meanwhile_is_the_next_persons() -> None:
    case = AssignmentCase(ANN, BOB)
    first, second = case.lead(), case.lead()
    case.world.holdings.meanwhile = lambda: case.serve([first])
    case.serve([second])
    assert case.owners(first, second) == [ANN.rep_id, BOB.rep_id]


@pytest.mark.parametrize("taken", ["claimed", "given"])
def test_a_lead_somebody_else_gave_away_meanwhile_is_left_alone(taken: str) -> None:
    case = AssignmentCase(ANN, BOB)
    lead = case.lead()
    queue = case.world.holdings.queued()
    if taken == "given":
        case.serve()
    else:
        state = replace(lead, state=State.CLAIMED, owner=BOB.rep_id)
        case.world.memory.leads[lead.lead_id] = state
    before = repr(case.world.memory)
    assert case.serve(queue) == []
    assert repr(case.world.memory) == before


def test_a_lead_of_an_earlier_opening_is_left_alone() -> None:
    case = AssignmentCase(ANN)
    lead = case.lead()
    queue = case.world.holdings.queued()
    case.world.memory.leads[lead.lead_id] = replace(lead, epoch=2)
    assert case.serve(queue) == []


def snapshot(case: AssignmentCase) -> None:
    """Freeze the roster's teams as they are now."""
    known = {team: case.world.roster.team(team) for team in ("north", "south")}

    def team(name: str, *, fresh: bool = False) -> Any:
        return known[name]

    case.world.roster.team = team  # type: ignore[method-assign]


def test_the_snapshot_of_a_team_only_proposes() -> None:
    case = AssignmentCase(ANN, BOB, CHO, assignment={"in_hand_limit": 2})
    snapshot(case)
    case.pause(ANN, hours=1)
    case.world.memory.usage[BOB.rep_id] = Usage(in_hand=2)
    leads = [case.lead() for _ in range(4)]
    case.serve()
    assert case.owners(*leads) == [CHO.rep_id, CHO.rep_id, None, None]


def test_leave_entered_since_the_snapshot_counts_too() -> None:
    case = AssignmentCase(ANN, BOB)
    snapshot(case)
    today = ANN.today(NOON)
    case.world.roster.put_profile(replace(ANN, leave=((today, today),)), ("leave",))
    leads = [case.lead() for _ in range(3)]
    case.serve()
    assert case.owners(*leads) == [BOB.rep_id] * 3


def test_somebody_who_left_since_the_snapshot_gets_nothing() -> None:
    case = AssignmentCase(ANN, BOB)
    snapshot(case)
    case.world.roster.deactivate(ANN.rep_id, NOON.date())
    lead = case.lead()
    case.serve()
    assert case.owner(lead) == BOB.rep_id


def test_a_pause_between_reading_and_writing_passes_the_turn_on() -> None:
    case = AssignmentCase(ANN, BOB)
    lead = case.lead()
    case.world.holdings.meanwhile = lambda: case.pause(ANN, hours=1)
    case.serve()
    assert case.owner(lead) == BOB.rep_id


def test_a_busy_store_is_tried_again_and_one_that_stays_busy_is_said_to_be() -> None:
    case = AssignmentCase(ANN)
    lead = case.lead()
    case.world.holdings.busy = ATTEMPTS - 1
    assert len(case.serve()) == 1
    another = case.lead()
    case.world.holdings.busy = 1_000
    with pytest.raises(Busy):
        case.serve()
    assert case.owners(lead, another) == [ANN.rep_id, None]


def test_one_run_assigns_so_many_and_leaves_the_rest_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assigning, "SLICE", 3)
    case = AssignmentCase(ANN)
    leads = [case.lead() for _ in range(5)]
    assert [given.lead_id for given in case.serve()] == [lead.lead_id for lead in leads[:3]]
    assert [given.lead_id for given in case.serve()] == [lead.lead_id for lead in leads[3:]]


def test_leads_nobody_may_take_do_not_keep_the_others_from_being_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assigning, "SLICE", 3)
    teams = {"north": {"name": "N"}, "south": {"name": "S"}}
    case = AssignmentCase(AWAY["paused"](ANN), replace(BOB, team="south"), teams=teams)
    stuck = [case.lead(team="north") for _ in range(5)]
    lead = case.lead(team="south")
    case.serve()
    assert case.owners(*stuck, lead) == [None] * 5 + [BOB.rep_id]


def test_a_lead_nobody_may_take_asks_the_store_for_nothing() -> None:
    case = AssignmentCase(AWAY["paused"](ANN))
    case.lead()

    def asked(*_: object) -> Turn:
        raise AssertionError("there is nobody whose turn it could be")

    case.world.holdings.last_turn = asked  # type: ignore[method-assign]
    assert case.serve() == []


# Whatever happens

reps_of_all_kinds = st.lists(
    st.builds(
        lambda number, tier, paused, allowance, weight, active: a_rep(
            number,
            tier=tier,
            paused_until=NOON + paused * MINUTE if paused else None,
            allowance=allowance,
            weight=weight,
            active=active,
        ),
        number=st.integers(1, 99),
        tier=st.integers(1, 3),
        paused=st.sampled_from([0, 0, 10, 200]),
        allowance=st.sampled_from([0, 1, 2, 5]),
        weight=st.integers(1, 4),
        active=st.sampled_from([True, True, True, False]),
    ),
    max_size=5,
    unique_by=lambda rep: rep.rep_id,
)


@given(
    reps=reps_of_all_kinds,
    model=st.sampled_from(["open-pool", "tiers", "round-robin", "speed-board"]),
    method=st.sampled_from(["round-robin", "weighted", "territory"]),
    in_hand=st.sampled_from([0, 1, 3]),
    fallback=st.booleans(),
    arrivals=st.lists(st.integers(0, 40), min_size=1, max_size=8),
)
def test_no_lead_ends_unassigned_while_anybody_may_take_it(
    reps: list[Rep],
    model: str,
    method: str,
    in_hand: int,
    fallback: bool,
    arrivals: list[int],
) -> None:
    team = {"name": "N", "fallback": reps[0].rep_id if reps and fallback else ""}
    case = AssignmentCase(
        *reps,
        model=model,
        teams={"north": team},
        quota={"enabled": True, "base_per_week": 3},
        assignment={"method": method, "in_hand_limit": in_hand, "fallback_after_seconds": 1200},
    )
    leads = []
    for minutes in arrivals:
        case.until(case.clock() + minutes * MINUTE)
        leads.append(case.lead())
    case.until(case.clock() + 2 * HOUR)
    offering.follow(LeadEvent("queue.check", "", 0), case.world.follow_deps())
    world, now = case.world, case.clock()
    left = [world.lead(lead) for lead in leads if case.owner(lead) is None]
    playbook = world.memory.playbook
    takers = [
        rep
        for rep, usage in world.roster.team("north")
        if not not_assignable(rep, usage, playbook, now)
    ]
    if left:
        assert takers == []
        assert not (fallback and reps and reps[0].active)
    # No rep is over their limit, except by fallback assignments.
    for rep in reps:
        causes = Counter(
            claim.cause for claim in world.memory.claims.values() if claim.rep_id == rep.rep_id
        )
        assert causes.total() - causes["fallback"] <= (rep.allowance or 0)
        assert not in_hand or causes.total() - causes["fallback"] <= in_hand
        assert rep.active or not causes
    # Older before newer: leads that still wait came after those assigned by turn at the end.
    assert [lead.lead_id for lead in left] == [lead.lead_id for lead in world.holdings.queued()]


# Rotations


def test_each_territory_takes_turns_of_its_own() -> None:
    east = [a_rep(number, territories=("East",)) for number in (1, 2)]
    west = [a_rep(number, territories=("West",)) for number in (3, 4)]
    case = AssignmentCase(*east, *west, assignment={"method": "territory"})
    leads = [case.lead(territory=("East", "West")[number % 2]) for number in range(40)]
    case.serve()
    assert Counter(case.owners(*leads)) == dict.fromkeys((rep.rep_id for rep in (*east, *west)), 10)


def test_tier_three_takes_turns_of_its_own() -> None:
    third = [a_rep(number, tier=3) for number in (1, 2)]
    case = AssignmentCase(*third, a_rep(3, tier=1), a_rep(4, tier=2), model="tiers")
    leads = []
    for number in range(6):
        leads.append(case.lead(score=30))
        case.until(case.world.lead(leads[-1]).closes_at + SECOND)
        if number == 2:
            # No rep of tier 3 is there: others get the lead, in a rotation of their own.
            for rep in third:
                case.pause(rep, hours=3)
            between = case.lead(score=30)
            case.until(case.world.lead(between).closes_at + SECOND)
            for rep in third:
                case.on(rep)
    assert case.owners(*leads) == [third[number % 2].rep_id for number in range(6)]


def test_a_test_lead_takes_nobodys_turn() -> None:
    case = AssignmentCase(ANN, BOB)
    real = []
    for _ in range(6):
        real.append(case.lead())
        case.serve()
        case.lead(test=True)
        case.serve()
    assert case.owners(*real) == [ANN.rep_id, BOB.rep_id] * 3


def test_of_two_fallback_people_the_one_who_is_still_here_gets_it() -> None:
    teams = {
        "north": {"name": "North", "fallback": ANN.rep_id},
        "south": {"name": "South", "fallback": BOB.rep_id},
    }
    case = AssignmentCase(ANN, replace(BOB, team="south"), teams=teams)
    case.world.roster.deactivate(ANN.rep_id, NOON.date())
    case.pause(BOB, hours=24)
    lead = case.lead()
    case.clock.pass_(hours=2)
    (given,) = case.serve()
    assert (given.rep_id, given.cause) == (BOB.rep_id, "fallback")
    assert case.owner(lead) == BOB.rep_id


def test_a_lead_of_a_team_that_is_no_more_goes_to_whoever_there_is() -> None:
    case = AssignmentCase(ANN, teams={"north": {"name": "North"}, "gone": {"name": "Gone"}})
    lead = case.lead(team="gone")
    assert case.serve() == []
    case.world.put_playbook(a_playbook(model="round-robin"))
    assert [claim.rep_id for claim in case.serve()] == [ANN.rep_id]
    assert case.owner(lead) == ANN.rep_id
