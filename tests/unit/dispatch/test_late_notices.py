"""Who becomes eligible while a lead is open is told then, once; nor is a lost batch lost (C13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from dibs.core.calendar import parse_hours
from dibs.core.events import LeadEvent
from dibs.core.lead import Lead
from dibs.core.rep import Rep, Usage
from dibs.dispatch.follow import follow
from dibs.dispatch.late_notices import ON_ITS_WAY
from dibs.dispatch.sweep import sweep
from dibs.offers.notify import notify
from support.builders import NOON, a_card, a_playbook, a_rep
from support.fakes import FakeWorld

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
TEAMS = {"north": {"name": "North"}, "south": {"name": "South"}}
REP = a_rep(1, zone="UTC")


class Open:
    """A lead that is open, whose wave was notified, and a rep who could not claim it then."""

    def __init__(self, rep: Rep, usage: Usage | None = None, **playbook: object) -> None:
        self.world = FakeWorld(a_playbook(teams=TEAMS, **playbook))
        self.rep = self.world.add_rep(rep)
        self.world.add_rep(a_rep(2))
        self.world.memory.usage[rep.rep_id] = usage or Usage()
        self.lead = self.world.post_lead(a_card(team="north"))
        self.follow("lead.opened")
        self.deliver()

    def follow(self, kind: str, rep_id: str | None = None) -> None:
        lead_id = "" if rep_id else self.lead.lead_id
        follow(LeadEvent(kind, lead_id, self.lead.epoch, rep_id), self.world.follow_deps())

    def deliver(self) -> None:
        """Let notify do what is queued."""
        waiting, self.world.queue.waiting = self.world.queue.waiting, []
        deps = self.world.notify_deps()
        for batch, delay in waiting:
            if not delay:
                notify(batch, deps)

    def the_rep_changes(self) -> None:
        """What the offer step hears when a rep's profile or availability changed."""
        self.follow("rep.check", self.rep.rep_id)
        self.deliver()

    def a_minute_passes(self) -> None:
        """The sweep runs, and what it asks for is followed."""
        self.world.clock.pass_(minutes=1)
        self.sweep()

    def sweep(self) -> None:
        world = self.world
        stores = (world.leads, world.race, world.holdings, world.roster, world.offers)
        sweep(*stores, world.bus, world.clock())
        events, world.bus.events = world.bus.events, []
        for event in events:
            follow(event, world.follow_deps())
        self.deliver()

    def timers_fire(self, until: datetime) -> None:
        """Fire each timer at its time, up to then."""
        while True:
            due = [timer for timer in self.world.timers.set if timer[2] <= until]
            self.world.timers.set = [t for t in self.world.timers.set if t[2] > until]
            if not due:
                break
            for _, _, moment in due:
                self.world.clock.at = max(moment, self.world.clock.at)
                self.follow("lead.due")
                self.deliver()

    @property
    def texts(self) -> int:
        return self.world.sms.told.count(str(self.rep.phone))


def switched_on(case: Open) -> None:
    case.world.roster.pause(case.rep.rep_id, None)


def joined(case: Open) -> None:
    case.world.roster.put_profile(replace(case.rep, team="north"), ("team",))


def back_from_leave(case: Open) -> None:
    case.world.roster.put_profile(replace(case.rep, leave=()), ("leave",))


def given_hours(case: Open) -> None:
    day = parse_hours({"mon": ["08:00-18:00"]})
    case.world.roster.put_profile(replace(case.rep, hours=day), ("hours",))


def not_quiet(case: Open) -> None:
    case.world.roster.quiet(case.rep.rep_id, None)


def freed(case: Open) -> None:
    case.world.memory.usage[case.rep.rep_id] = Usage()


def returned(case: Open) -> None:
    case.world.roster.reactivate(case.rep)


LATER = NOON + timedelta(hours=2)
EVENING = parse_hours({"mon": ["18:00-22:00"]})
TODAY = date(2026, 11, 23)
CHANGES: dict[str, tuple[Callable[[], Open], Callable[[Open], None]]] = {
    "a pause ends": (lambda: Open(replace(REP, paused_until=LATER)), switched_on),
    "they join the team": (lambda: Open(replace(REP, team="south")), joined),
    "leave is cut short": (lambda: Open(replace(REP, leave=((TODAY, TODAY),))), back_from_leave),
    "hours change": (lambda: Open(replace(REP, hours=EVENING)), given_hours),
    "quiet ends": (lambda: Open(replace(REP, quiet_until=LATER)), not_quiet),
    "they return": (lambda: Open(replace(REP, active=False)), returned),
    "a lead in hand goes": (
        lambda: Open(REP, Usage(in_hand=3), limits=[{"most": 3, "per": "in_hand"}]),
        freed,
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_who_becomes_eligible_is_told_at_once_and_once(name: str) -> None:
    begin, change = CHANGES[name]
    case = begin()
    assert case.texts == 0
    case.world.clock.pass_(seconds=6)
    change(case)
    case.the_rep_changes()
    assert case.texts == 1
    for _ in range(3):
        case.the_rep_changes()
        case.a_minute_passes()
    assert case.texts == 1


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_nobody_heard_of_is_found_within_a_minute(name: str) -> None:
    begin, change = CHANGES[name]
    case = begin()
    case.world.clock.pass_(seconds=6)
    change(case)
    case.a_minute_passes()
    assert case.texts == 1
    for _ in range(3):
        case.a_minute_passes()
        case.follow("lead.opened")
        case.deliver()
    assert case.texts == 1


BY_THE_CLOCK: dict[str, Callable[[datetime], Open]] = {
    "a limit lifts": lambda at: Open(
        REP,
        Usage(recent=(at - timedelta(hours=1),)),
        limits=[{"most": 1, "per": "hour", "rolling": True}],
    ),
    "a pause ends": lambda at: Open(replace(REP, paused_until=at)),
    "a shift begins": lambda at: Open(
        replace(REP, hours=parse_hours({"mon": [f"{at:%H:%M}-18:00"]}))
    ),
    "quiet ends": lambda at: Open(replace(REP, quiet_until=at)),
}


@pytest.mark.parametrize("name", BY_THE_CLOCK)
def test_who_becomes_eligible_by_the_clock_is_told_then(name: str) -> None:
    at = NOON + 5 * MINUTE
    case = BY_THE_CLOCK[name](at)
    case.timers_fire(at - SECOND)
    assert case.texts == 0
    case.timers_fire(at)
    assert case.texts == 1
    case.timers_fire(at + 5 * MINUTE)
    assert case.texts == 1


def test_a_pause_that_ends_right_after_the_wave_ends_with_a_notice_in_seconds() -> None:
    case = Open(replace(REP, paused_until=NOON + 6 * SECOND))
    case.timers_fire(NOON + ON_ITS_WAY)
    assert case.texts == 1


def test_a_batch_that_was_lost_is_sent_by_the_sweep() -> None:
    world = FakeWorld(a_playbook())
    reps = [world.add_rep(a_rep(number)) for number in range(1, 8)]
    case = Open.__new__(Open)
    case.world, case.rep = world, reps[0]
    case.lead = world.post_lead(a_card())
    case.follow("lead.opened")
    world.queue.waiting.clear()  # lost
    world.clock.pass_(seconds=60)
    case.sweep()
    assert sorted(world.sms.told) == sorted(str(rep.phone) for rep in reps)
    for _ in range(3):
        case.a_minute_passes()
    assert len(world.sms.told) == 7


def test_the_sweep_leaves_alone_what_may_be_on_its_way() -> None:
    case = Open(REP)
    case.world.memory.notices.clear()
    case.world.clock.at = NOON + ON_ITS_WAY - SECOND
    case.sweep()
    assert case.texts == 1  # the one text they had


def test_each_batch_says_how_large_the_team_is_and_whether_anybody_was_told_before() -> None:
    """By that notify knows where the notices are: those of a small team are one item (N3)."""
    case = Open(replace(REP, paused_until=LATER))
    switched_on(case)
    case.follow("rep.check", case.rep.rep_id)
    [(late, _)] = case.world.queue.waiting
    case.world.queue.waiting.clear()
    case.world.clock.pass_(minutes=1)
    case.follow("lead.check")
    [again] = case.world.queue.of(late.kind)
    assert [(batch.members, batch.first) for batch in (late, again)] == [(2, False)] * 2
    case.world.queue.waiting.clear()
    other = case.world.post_lead(a_card(2, team="north"))
    for _ in range(2):
        follow(LeadEvent("lead.opened", other.lead_id, 1), case.world.follow_deps())
    [first] = case.world.queue.of("offer")
    assert (first.members, first.first) == (2, True)


def test_a_rep_who_was_off_again_when_it_came_is_told_when_they_are_back_for_good() -> None:
    case = Open(replace(REP, paused_until=LATER))
    switched_on(case)
    case.follow("rep.check", case.rep.rep_id)
    [(first, _)] = case.world.queue.waiting
    case.world.roster.pause(case.rep.rep_id, LATER)
    case.deliver()
    assert case.texts == 0
    case.world.clock.pass_(seconds=20)
    switched_on(case)
    case.follow("rep.check", case.rep.rep_id)
    [(second, _)] = case.world.queue.waiting
    assert first.name != second.name  # else it would count as done
    case.deliver()
    assert case.texts == 1


def test_nobody_is_told_of_a_wave_that_is_still_to_come() -> None:
    world = FakeWorld(a_playbook(model="tiers"))
    first = world.add_rep(a_rep(1, tier=1))
    second = world.add_rep(a_rep(2, tier=2, paused_until=NOON + MINUTE))
    lead: Lead = world.post_lead(a_card(score=60))
    follow(LeadEvent("lead.opened", lead.lead_id, 1), world.follow_deps())
    world.clock.pass_(minutes=2)
    world.roster.pause(second.rep_id, None)
    follow(LeadEvent("rep.check", "", 0, second.rep_id), world.follow_deps())
    assert [rep for batch, _ in world.queue.waiting for rep in batch.rep_ids] == [first.rep_id]


def test_of_a_test_lead_only_test_reps_are_told_late_as_well() -> None:
    case = Open(replace(REP, paused_until=LATER), test_reps=[])
    trial = replace(case.world.lead(case.lead), test=True)
    case.world.memory.leads[trial.lead_id] = trial
    switched_on(case)
    case.the_rep_changes()
    case.a_minute_passes()
    assert case.texts == 0
    case.world.memory.playbook = replace(case.world.memory.playbook, test_reps=(case.rep.rep_id,))
    case.a_minute_passes()
    assert case.texts == 1
