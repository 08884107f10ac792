"""Holders who do not work a lead are reminded, then lose it (C11). Leavers' leads go back (R8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.assignment.work import LEFT, NOT_WORKED, give_back, let_go, look_after
from dibs.core.attempts import MOST
from dibs.core.calendar import WEEKDAYS, off_duty, parse_hours
from dibs.core.errors import Busy, NotYours
from dibs.core.events import LeadEvent
from dibs.core.lead import Claim, Lead, State
from dibs.core.quality import Quality
from dibs.core.rep import Rep, Usage
from dibs.dispatch import follow as offering
from dibs.offers.notify import notify
from dibs.race.claim import claim
from dibs.race.decide import team_schedule
from dibs.race.lifecycle import return_times
from dibs.race.undo import undo
from support.builders import NOON, a_card, a_playbook, a_rep, basics, proof_of
from support.fakes import FakeWorld, no_pause

MS, MINUTE, HOUR = timedelta(milliseconds=1), timedelta(minutes=1), timedelta(hours=1)
ANN, BOB = a_rep(1), a_rep(2)
HOT, WARM, COLD = 86, 60, 10


class WorkCase:
    """Leads with holders, and the check for leads not worked."""

    def __init__(self, *reps: Rep, at: datetime = NOON, **playbook: Any) -> None:
        self.world = FakeWorld(a_playbook(**playbook))
        self.clock = self.world.clock
        self.clock.at = at
        self.made = 0
        for rep in reps or (ANN, BOB):
            self.world.add_rep(rep)

    def lead(self, score: int = HOT, **card: Any) -> Lead:
        self.made += 1
        return self.world.post_lead(a_card(self.made, score=score, **card))

    def claim(self, lead: Lead, rep: Rep = ANN) -> Claim:
        self.clock.pass_(milliseconds=1)
        proof = proof_of(rep)
        world = self.world
        won = claim(world.race, lead.lead_id, rep.rep_id, proof, world.clock, pause=no_pause)
        return won.claim

    def held(self, score: int = HOT, rep: Rep = ANN, **card: Any) -> tuple[Lead, Claim]:
        """Return a lead a rep has just claimed, and the claim."""
        lead = self.lead(score, **card)
        return lead, self.claim(lead, rep)

    def look(self) -> tuple[int, int]:
        world = self.world
        return look_after(world.race, world.holdings, world.bus, world.clock)

    def work(self, lead: Lead) -> None:
        """Let the holder make contact."""
        world, stored = self.world, self.now(lead)
        worked = replace(stored, state=State.CONTACTED, worked_at=self.clock())
        world.memory.leads[lead.lead_id] = worked
        world.memory.look_at.pop(lead.lead_id, None)
        holder = str(stored.owner)
        used = world.memory.usage[holder]
        world.memory.usage[holder] = replace(used, in_hand=used.in_hand - 1)

    def now(self, lead: Lead) -> Lead:
        return self.world.lead(lead)

    def usage(self, rep: Rep = ANN) -> Usage:
        return self.world.memory.usage[rep.rep_id]

    def steps(self, lead: Lead) -> list[tuple[int, str, str, str, str | None]]:
        transitions = self.world.leads.history(lead.lead_id)
        return [(m.epoch, m.to_state.value, m.cause, m.by, m.holder) for m in transitions]


# Time until first contact is due

MINUTES = {"hot_minutes": 20, "warm_minutes": 60, "cold_minutes": 240}


@pytest.mark.parametrize(("score", "minutes"), [(HOT, 20), (WARM, 60), (COLD, 240), (None, 240)])
def test_the_time_goes_by_how_good_the_lead_is(score: int | None, minutes: int) -> None:
    case = WorkCase(work=MINUTES)
    lead, taken = case.held(score)  # type: ignore[arg-type]
    at = taken.claimed_at
    assert taken.return_at == at + minutes * MINUTE
    assert taken.nudge_at == at + minutes * MINUTE / 2
    assert case.now(lead).return_at == taken.return_at


@pytest.mark.parametrize(("percent", "minutes"), [(0, 0), (25, 5), (50, 10), (90, 18), (100, 20)])
def test_the_reminder_comes_after_the_stated_part_of_it(percent: int, minutes: int) -> None:
    _, taken = WorkCase(work={**MINUTES, "nudge_percent": percent}).held()
    assert taken.nudge_at == taken.claimed_at + minutes * MINUTE


def test_where_there_is_no_such_rule_for_its_quality_a_lead_stays() -> None:
    case = WorkCase(work={**MINUTES, "cold_minutes": 0})
    lead, taken = case.held(COLD)
    assert (taken.nudge_at, taken.return_at) == (None, None)
    assert case.now(lead).return_at is None
    case.clock.pass_(hours=2000)
    assert case.look() == (0, 0)
    assert case.now(lead).owner == ANN.rep_id


# Reminded, then taken back


def test_a_lead_that_was_taken_back_is_not_theirs_to_undo() -> None:
    case = WorkCase()
    lead, taken = case.held()
    assert taken.return_at is not None
    case.clock.at = taken.return_at
    assert case.look() == (0, 1)
    with pytest.raises(NotYours):
        undo(case.world.race, lead.lead_id, ANN.rep_id, proof_of(ANN), case.clock)


def test_a_reminder_is_sent_beyond_the_days_offers_by_text() -> None:
    caps = {"enabled": True, "per_rep_per_day": 0, "per_organisation_per_day": 0}
    case = WorkCase(sms=caps)
    lead, _ = case.held()
    offering.follow(
        LeadEvent("lead.unworked", lead.lead_id, 1, ANN.rep_id), case.world.follow_deps()
    )
    (batch,) = case.world.queue.of("unworked")
    notify(batch, case.world.notify_deps())
    assert (case.world.sms.told, case.world.counted["SmsCapReached"]) == ([str(ANN.phone)], 0)


def test_the_holder_is_reminded_at_its_moment_and_once() -> None:
    case = WorkCase()
    lead, taken = case.held()
    assert taken.nudge_at is not None
    case.clock.at = taken.nudge_at - MS
    assert case.look() == (0, 0)
    case.clock.at = taken.nudge_at
    assert case.look() == (1, 0)
    assert case.world.bus.events == [LeadEvent("lead.unworked", lead.lead_id, 1, ANN.rep_id)]
    for _ in range(3):
        case.clock.pass_(minutes=1)
        assert case.look() == (0, 0)
    assert len(case.world.bus.events) == 1


def test_a_reminder_reaches_the_holder() -> None:
    case = WorkCase()
    lead, _ = case.held()
    offering.follow(
        LeadEvent("lead.unworked", lead.lead_id, 1, ANN.rep_id), case.world.follow_deps()
    )
    (batch,) = case.world.queue.of("unworked")
    notify(batch, case.world.notify_deps())
    assert case.world.sms.told == [ANN.phone]
    # Not when the lead is worked or has another owner.
    for change in (lambda: case.work(lead), lambda: case.clock.pass_(hours=1) and case.look()):
        change()
        notify(batch, case.world.notify_deps())
        assert case.world.sms.told == [ANN.phone]


def test_a_lead_that_was_not_worked_in_time_goes_back_at_its_moment() -> None:
    case = WorkCase()
    lead, taken = case.held()
    assert taken.return_at is not None
    case.clock.at = taken.return_at - MS
    assert case.look() == (1, 0)
    assert case.now(lead).owner == ANN.rep_id
    case.clock.at = taken.return_at
    assert case.look() == (0, 1)
    back = case.now(lead)
    assert (back.state, back.epoch, back.owner) == (State.OPEN, 2, None)
    assert (back.claimed_at, back.return_at, back.worked_at) == (None, None, None)
    assert back.previous_owner == ANN.rep_id
    assert (back.opens_at, back.closes_at) == (case.clock(), case.clock() + 15 * MINUTE)
    assert case.look() == (0, 0)


def test_a_return_is_recorded_step_by_step_with_its_cause() -> None:
    case = WorkCase()
    lead, _ = case.held()
    case.clock.pass_(hours=2)
    case.look()
    assert case.steps(lead) == [
        (1, "open", "accepted", "google-ads", None),
        (1, "claimed", "claimed", ANN.rep_id, None),
        (1, "released", NOT_WORKED, "clock", ANN.rep_id),
        (2, "open", NOT_WORKED, "clock", None),
    ]
    events = [pending.event for pending in case.world.leads.waiting_in_outbox(case.clock() + MS)]
    assert LeadEvent("lead.returned", lead.lead_id, 1, ANN.rep_id) in events
    assert LeadEvent("lead.opened", lead.lead_id, 2) in events


def test_a_returned_lead_is_in_hand_no_longer_and_was_had_all_the_same() -> None:
    case = WorkCase()
    case.held()
    assert basics(case.usage()) == Usage(NOON.date(), 1, NOON.date(), 1, 1)
    case.clock.pass_(hours=1)
    case.look()
    assert basics(case.usage()) == Usage(NOON.date(), 1, NOON.date(), 1, 0)


def test_a_returned_lead_may_be_won_by_anybody_and_has_its_time_anew() -> None:
    case = WorkCase()
    lead, _ = case.held()
    case.clock.pass_(hours=1)
    case.look()
    taken = case.claim(lead, BOB)
    assert taken.epoch == 2
    assert taken.return_at == taken.claimed_at + HOUR
    case.clock.at = taken.return_at - MS
    assert case.look() == (1, 0)
    case.clock.at += MS
    assert case.look() == (0, 1)
    assert case.now(lead).previous_owner == BOB.rep_id


def test_a_lead_of_a_team_that_takes_turns_waits_for_another_when_it_comes_back() -> None:
    case = WorkCase(model="round-robin")
    lead = case.lead()
    offering.follow(LeadEvent("lead.queued", lead.lead_id, 1), case.world.follow_deps())
    assert case.now(lead).owner == ANN.rep_id
    case.clock.pass_(hours=1)
    assert case.look() == (0, 1)
    back = case.now(lead)
    assert (back.state, back.epoch, back.previous_owner) == (State.RELEASED, 2, ANN.rep_id)
    assert case.world.holdings.queued() == [back]
    assert case.steps(lead) == [
        (1, "assigned", "assigned", "dibs", ANN.rep_id),
        (1, "released", NOT_WORKED, "clock", ANN.rep_id),
    ]
    offering.follow(LeadEvent("lead.queued", lead.lead_id, 2), case.world.follow_deps())
    assert case.now(lead).owner == BOB.rep_id


@pytest.mark.parametrize("when", [10, 45])
def test_a_worked_lead_stays(when: int) -> None:
    case = WorkCase()
    lead, _ = case.held()
    case.clock.pass_(minutes=when)
    case.look()
    case.work(lead)
    before = case.now(lead)
    case.clock.pass_(hours=500)
    assert case.look() == (0, 0)
    assert case.now(lead) == before


def test_an_undone_claim_is_nobodys_to_be_reminded_of() -> None:
    case = WorkCase()
    lead, _ = case.held()
    undo(case.world.race, lead.lead_id, ANN.rep_id, proof_of(ANN), case.clock)
    case.clock.pass_(hours=2)
    assert case.look() == (0, 0)


def test_a_test_lead_goes_back_too_and_changes_no_count() -> None:
    case = WorkCase()
    case.held()
    trial, _ = case.held(test=True)
    case.clock.pass_(minutes=59)
    case.look()
    case.clock.pass_(minutes=1)
    assert case.look() == (0, 2)
    assert case.now(trial).epoch == 2
    assert case.usage().in_hand == 0


def test_several_are_looked_after_at_once() -> None:
    case = WorkCase()
    old, _ = case.held()
    case.clock.pass_(minutes=30)
    young, _ = case.held()
    worked, _ = case.held()
    case.work(worked)
    case.clock.pass_(minutes=30)
    assert case.look() == (1, 1)
    assert case.now(old).owner is None
    assert case.now(young).owner == case.now(worked).owner == ANN.rep_id


# Concurrent changes


def meanwhile(case: WorkCase, happens: Any) -> None:
    case.world.holdings.meanwhile = happens


def test_work_between_the_look_and_the_return_keeps_the_lead() -> None:
    case = WorkCase()
    lead, _ = case.held()
    case.clock.pass_(hours=1)
    meanwhile(case, lambda: case.work(lead))
    assert case.look() == (0, 0)
    assert (case.now(lead).owner, case.now(lead).epoch) == (ANN.rep_id, 1)


def test_what_an_index_shows_late_is_judged_as_it_is_now() -> None:
    case = WorkCase()
    lead, _ = case.held()
    stale = case.now(lead)
    case.work(lead)
    case.clock.pass_(hours=1)
    case.world.holdings.unworked = lambda until: [stale]  # type: ignore[method-assign]
    before = repr(case.world.memory)
    assert case.look() == (0, 0)
    assert repr(case.world.memory) == before


def test_two_who_take_it_back_at_once_take_it_back_once() -> None:
    case = WorkCase()
    lead, _ = case.held()
    case.clock.pass_(hours=1)
    found: list[tuple[int, int]] = []
    meanwhile(case, lambda: found.append(case.look()))
    assert [case.look(), *found] == [(0, 0), (0, 1)]
    assert case.now(lead).epoch == 2
    assert case.usage().in_hand == 0


def test_two_who_remind_at_once_remind_once() -> None:
    case = WorkCase()
    lead, _ = case.held()
    stale = case.now(lead)
    case.clock.pass_(minutes=30)
    assert case.look() == (1, 0)
    case.world.holdings.unworked = lambda until: [stale]  # type: ignore[method-assign]
    assert case.look() == (0, 0)


def test_a_store_that_is_busy_for_a_moment_is_tried_again_and_then_left_in_peace() -> None:
    case = WorkCase()
    lead, _ = case.held()
    case.clock.pass_(hours=1)
    case.world.holdings.busy = MOST
    with pytest.raises(Busy):
        case.look()
    assert case.now(lead).owner == ANN.rep_id
    case.world.holdings.busy = MOST - 1
    assert case.look() == (0, 1)


def test_nobody_gives_back_what_they_do_not_hold() -> None:
    case = WorkCase()
    lead, _ = case.held()
    sold, _ = case.held()
    case.world.memory.leads[sold.lead_id] = replace(case.now(sold), state=State.WON)
    world, before = case.world, repr(case.world.memory)
    for lead_id, rep_id in (
        (lead.lead_id, BOB.rep_id),
        (sold.lead_id, ANN.rep_id),
        ("aaaaaaaaaaaa", ANN.rep_id),
        (lead.lead_id, "zzzzz"),
    ):
        assert (
            give_back(world.race, world.holdings, lead_id, rep_id, LEFT, "boss", case.clock) is None
        )
    assert repr(world.memory) == before


# Leavers


def leave(case: WorkCase, rep: Rep = ANN) -> int:
    world = case.world
    world.roster.deactivate(rep.rep_id, case.clock().date())
    return let_go(world.race, world.holdings, rep.rep_id, "manager", world.clock)


def test_a_leavers_leads_go_back_worked_or_not() -> None:
    case = WorkCase()
    first, _ = case.held()
    second, _ = case.held()
    other, _ = case.held(rep=BOB)
    case.work(second)
    case.clock.pass_(minutes=5)
    assert leave(case) == 2
    for lead in (first, second):
        back = case.now(lead)
        assert (back.state, back.epoch, back.owner) == (State.OPEN, 2, None)
        assert back.previous_owner == ANN.rep_id
        assert case.steps(lead)[-2:] == [
            (1, "released", LEFT, "manager", ANN.rep_id),
            (2, "open", LEFT, "manager", None),
        ]
    assert case.now(other).owner == BOB.rep_id
    assert case.usage().in_hand == 0
    assert leave(case) == 0


def test_what_a_leaver_is_done_with_stays_as_it_is() -> None:
    case = WorkCase()
    lead, _ = case.held()
    won = replace(case.now(lead), state=State.WON)
    case.world.memory.leads[lead.lead_id] = won
    assert leave(case) == 0
    assert case.now(lead) == won


def test_a_leavers_lead_is_not_assigned_to_them_again() -> None:
    case = WorkCase(ANN, model="round-robin")
    lead = case.lead()
    offering.follow(LeadEvent("lead.queued", lead.lead_id, 1), case.world.follow_deps())
    assert leave(case) == 1
    offering.follow(LeadEvent("lead.queued", lead.lead_id, 2), case.world.follow_deps())
    assert case.now(lead).owner is None


# The clock stops outside the team's hours

OFFICE = {day: ["09:00-12:30", "13:30-18:00"] for day in WEEKDAYS[:5]}
BERLIN = ZoneInfo("Europe/Berlin")


def berlin(*moment: int, fold: int = 0) -> datetime:
    return datetime(*moment, tzinfo=BERLIN, fold=fold).astimezone(UTC)  # type: ignore[arg-type]


def in_berlin(hours: Any = None, holidays: Any = (), **work: Any) -> Any:
    team = {
        "name": "N",
        "zone": "Europe/Berlin",
        "hours": OFFICE if hours is None else hours,
        "holidays": list(holidays),
    }
    return a_playbook(teams={"north": team}, work={"hot_minutes": 60, **work})


@pytest.mark.parametrize(
    ("taken", "nudged", "returned"),
    [
        # One working hour.
        ((2026, 11, 23, 10, 0), (2026, 11, 23, 10, 30), (2026, 11, 23, 11, 0)),
        # Over lunch.
        ((2026, 11, 23, 12, 0), (2026, 11, 23, 12, 30), (2026, 11, 23, 14, 0)),
        ((2026, 11, 23, 12, 10), (2026, 11, 23, 13, 40), (2026, 11, 23, 14, 10)),
        # Claimed in the evening: the clock starts in the morning.
        ((2026, 11, 23, 22, 0), (2026, 11, 24, 9, 30), (2026, 11, 24, 10, 0)),
        # Half before the night, half after it.
        ((2026, 11, 23, 17, 45), (2026, 11, 24, 9, 15), (2026, 11, 24, 9, 45)),
        # Over the weekend.
        ((2026, 11, 27, 17, 45), (2026, 11, 30, 9, 15), (2026, 11, 30, 9, 45)),
        ((2026, 11, 28, 11, 0), (2026, 11, 30, 9, 30), (2026, 11, 30, 10, 0)),
        # Over the weekends on which the clocks change.
        ((2026, 3, 27, 17, 45), (2026, 3, 30, 9, 15), (2026, 3, 30, 9, 45)),
        ((2026, 10, 23, 17, 45), (2026, 10, 26, 9, 15), (2026, 10, 26, 9, 45)),
    ],
)
def test_the_clock_runs_in_the_teams_hours_only(
    taken: tuple[int, ...], nudged: tuple[int, ...], returned: tuple[int, ...]
) -> None:
    times = return_times(Quality.HOT, "north", in_berlin(), berlin(*taken))
    assert times == (berlin(*nudged), berlin(*returned))


def test_a_holiday_does_not_count() -> None:
    playbook = in_berlin(holidays=["2026-11-30", "2026-12-01"])
    taken = berlin(2026, 11, 27, 17, 45)
    returned = berlin(2026, 12, 2, 9, 45)
    assert return_times(Quality.HOT, "north", playbook, taken) == (
        berlin(2026, 12, 2, 9, 15),
        returned,
    )


NIGHT = {day: ["00:00-06:00"] for day in WEEKDAYS}


def test_on_the_day_that_loses_an_hour_the_hour_that_is_not_there_does_not_count() -> None:
    # At 02:00 on 29 March 2026 it is 03:00 in Berlin.
    playbook = in_berlin(NIGHT, hot_minutes=180)
    times = return_times(Quality.HOT, "north", playbook, berlin(2026, 3, 29, 0, 30))
    assert times == (berlin(2026, 3, 29, 3, 0), berlin(2026, 3, 29, 4, 30))


def test_on_the_day_that_gains_an_hour_the_hour_that_comes_twice_counts_twice() -> None:
    # At 03:00 on 25 October 2026 it is 02:00 again.
    playbook = in_berlin(NIGHT, hot_minutes=180)
    times = return_times(Quality.HOT, "north", playbook, berlin(2026, 10, 25, 0, 30))
    assert times == (berlin(2026, 10, 25, 2, 0), berlin(2026, 10, 25, 2, 30, fold=1))


def test_the_teams_hours_count_and_not_the_holders_own() -> None:
    always = parse_hours({day: ["00:00-24:00"] for day in WEEKDAYS})
    ann = replace(ANN, zone="Pacific/Auckland", hours=always)
    case = WorkCase(ann, at=berlin(2026, 11, 27, 17, 55))
    case.world.put_playbook(in_berlin())
    lead = case.lead()  # its window goes on on Monday
    case.clock.at = berlin(2026, 11, 28, 12, 0)
    taken = case.claim(lead)
    assert taken.return_at == berlin(2026, 11, 30, 10, 0)


def test_a_lead_held_over_the_weekend_is_taken_back_on_monday_and_not_before() -> None:
    friday = berlin(2026, 11, 27, 17, 45)
    case = WorkCase(replace(ANN, zone="Europe/Berlin"), at=friday)
    case.world.put_playbook(in_berlin())
    lead, taken = case.held()
    assert taken.claimed_at == friday + MS
    seen = []
    for moment in (
        berlin(2026, 11, 27, 18, 0),
        berlin(2026, 11, 28, 12, 0),
        berlin(2026, 11, 30, 9, 15),
        berlin(2026, 11, 30, 9, 15) + MS,
        berlin(2026, 11, 30, 9, 45),
        berlin(2026, 11, 30, 9, 45) + MS,
    ):
        case.clock.at = moment
        seen.append(case.look())
    assert seen == [(0, 0), (0, 0), (0, 0), (1, 0), (0, 0), (0, 1)]
    assert case.now(lead).owner is None


def test_a_team_that_is_gone_from_the_playbook_takes_nothing_back() -> None:
    assert return_times(Quality.HOT, "south", a_playbook(), NOON) is None


zones = st.sampled_from(["UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe"])
weeks = st.sampled_from([{}, OFFICE, NIGHT, {"sat": ["10:00-10:20"], "wed": ["22:00-24:00"]}])


@given(
    start=st.integers(0, 2 * 366 * 24 * 60).map(
        lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + minutes * MINUTE
    ),
    zone=zones,
    hours=weeks,
    minutes=st.integers(1, 300),
    percent=st.integers(0, 100),
)
def test_between_taking_and_losing_a_lead_lie_exactly_its_minutes_of_duty(
    start: datetime, zone: str, hours: Any, minutes: int, percent: int
) -> None:
    teams = {"north": {"name": "N", "zone": zone, "hours": hours}}
    playbook = a_playbook(teams=teams, work={"hot_minutes": minutes, "nudge_percent": percent})
    times = return_times(Quality.HOT, "north", playbook, start)
    assert times is not None
    nudge_at, return_at = times
    assert start <= nudge_at <= return_at
    schedule = team_schedule(playbook.teams["north"])
    # Minute by minute: hours begin and end on whole minutes in every time zone.
    at, counted = start, 0
    while at < return_at:
        counted += off_duty(schedule, at) is None
        at += MINUTE
    assert counted == minutes
    assert off_duty(schedule, return_at - MS) is None
