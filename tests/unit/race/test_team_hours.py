"""Openings, windows, notices and last resorts keep to the team's hours (R11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.calendar import Hours, off_duty
from dibs.core.errors import ClaimRefused
from dibs.core.events import LeadEvent
from dibs.core.lead import Lead, State
from dibs.core.rep import Device, Platform, Rep, Usage
from dibs.dispatch import follow as offering
from dibs.dispatch.sweep import sweep
from dibs.intake.ingest import IngestDeps, ingest
from dibs.offers.notify import notify
from dibs.offers.ports import NotifyBatch
from dibs.race.claim import Won, claim
from dibs.race.decide import schedule_of_team
from dibs.race.opening import next_opening, opened_early, opening, resumed
from support.builders import a_card, a_lead, a_playbook, a_rep, proof_of
from support.fakes import FakeWorld, no_pause

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WEEKDAYS = {day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
KL = "Asia/Kuala_Lumpur"
NIGHT = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
"""Monday, 22:00 in Kuala Lumpur."""
MORNING = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
"""Tuesday, 09:00 in Kuala Lumpur."""


def team(zone: str = KL, **more: Any) -> dict[str, Any]:
    return {"name": "T", "zone": zone, "hours": WEEKDAYS, **more}


def playbook(**rules: Any) -> Any:
    return a_playbook(**{"teams": {"north": team()}, **rules})


def opened(now: datetime, place: int = 0, **rules: Any) -> Lead:
    lead, found = a_lead(received_at=now), playbook(**rules)
    return opening(replace(lead, teams=tuple(found.teams)), found, now, places={"north": place})


def test_a_lead_of_the_night_opens_when_work_begins_for_its_whole_window() -> None:
    lead = opened(NIGHT)
    assert (lead.opens_at, lead.closes_at) == (MORNING, MORNING + 15 * MINUTE)


def test_leads_of_the_night_are_spread_out() -> None:
    starts = [opened(NIGHT, n, overnight={"at_once": 2, "every_seconds": 60}) for n in range(5)]
    minutes = [(lead.opens_at - MORNING) // MINUTE for lead in starts]
    assert minutes == [0, 0, 1, 1, 2]
    assert all(lead.closes_at - lead.opens_at == 15 * MINUTE for lead in starts)


def test_a_window_that_the_end_of_work_cuts_off_goes_on_the_next_day() -> None:
    evening = datetime(2026, 11, 23, 9, 55, tzinfo=UTC)  # 17:55
    lead = opened(evening)
    assert (lead.opens_at, lead.closes_at) == (evening, MORNING + 10 * MINUTE)


def test_a_wave_never_opens_at_night() -> None:
    afternoon = datetime(2026, 11, 23, 9, 45, tzinfo=UTC)  # 17:45; tier 2 would come at 18:00
    lead = opened(afternoon, model="tiers")
    assert lead.openings("north") == (afternoon, MORNING, None)


def test_a_weekend_and_a_holiday_are_no_work() -> None:
    friday = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    assert opened(friday).opens_at == datetime(2026, 11, 30, 1, 0, tzinfo=UTC)
    off = {"north": team(holidays=["2026-11-24"])}
    found = a_playbook(teams=off)
    assert opening(a_lead(), found, NIGHT).opens_at == MORNING + timedelta(days=1)


@pytest.mark.parametrize(
    ("zone", "night", "morning"),
    [
        # The clocks go forward, and back, in the night to Monday's first hour of work.
        (
            "Europe/London",
            datetime(2026, 3, 28, 20, tzinfo=UTC),
            datetime(2026, 3, 30, 8, tzinfo=UTC),
        ),
        (
            "Europe/London",
            datetime(2026, 10, 24, 20, tzinfo=UTC),
            datetime(2026, 10, 26, 9, tzinfo=UTC),
        ),
    ],
)
def test_work_begins_by_the_clock_on_the_wall(
    zone: str, night: datetime, morning: datetime
) -> None:
    lead = opening(a_lead(), a_playbook(teams={"north": team(zone)}), night)
    assert lead.opens_at == morning


def test_each_team_opens_in_its_own_morning() -> None:
    teams = {"north": team(KL), "south": team("Europe/London")}
    lead = opening(a_lead(teams=("north", "south")), a_playbook(teams=teams), NIGHT)
    # 22:00 in Kuala Lumpur is 14:00 in London.
    assert lead.openings("south")[0] == lead.opens_at == NIGHT
    assert set(lead.openings("north")) == {MORNING}


@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(
        lambda at: at.replace(tzinfo=UTC)
    ),
    zone=st.sampled_from([KL, "Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    place=st.integers(0, 40),
    model=st.sampled_from(["open-pool", "tiers"]),
)
def test_nothing_ever_opens_outside_hours(
    start: datetime, zone: str, place: int, model: str
) -> None:
    found = a_playbook(teams={"north": team(zone)}, model=model)
    lead = opening(a_lead(), found, start, places={"north": place})
    schedule = schedule_of_team(found, "north")
    openings = [at for at in lead.openings("north") if at is not None]
    assert all(off_duty(schedule, at) is None and at >= start for at in openings)
    assert lead.closes_at > max(openings)


def test_a_team_without_hours_opens_at_once() -> None:
    lead = opening(a_lead(), a_playbook(), NIGHT)
    assert (lead.opens_at, lead.waves) == (NIGHT, {})


def test_nothing_opens_early_before_work_begins() -> None:
    found = playbook(model="tiers")
    lead = opening(a_lead(), found, NIGHT, places={"north": 9})
    third = a_rep(tier=2)
    assert opened_early(lead, [(third, Usage())], frozenset(), found, NIGHT) == lead
    # Work has begun, but not this lead's batch.
    assert opened_early(lead, [(third, Usage())], frozenset(), found, MORNING) == lead


def test_an_early_opening_waits_for_the_morning() -> None:
    afternoon = datetime(2026, 11, 23, 9, 50, tzinfo=UTC)  # 17:50
    found = playbook(model="tiers")
    lead = replace(opening(a_lead(), found, afternoon), notified_until=afternoon)
    night = afternoon + HOUR
    early = opened_early(lead, [(a_rep(tier=2), Usage())], frozenset(), found, night)
    assert early.openings("north")[1] == MORNING


def test_an_undone_claim_of_the_evening_races_on_in_the_morning() -> None:
    evening = datetime(2026, 11, 23, 9, 59, 50, tzinfo=UTC)
    found = playbook()
    again = resumed(opening(a_lead(), found, evening), found, evening + MINUTE)
    assert (again.opens_at, again.closes_at) == (MORNING, MORNING + 15 * MINUTE - MINUTE / 6)


# From the post to the claim


def post(world: FakeWorld, number: int) -> Lead:
    deps = IngestDeps(world.leads, world.arrivals, world.clock, pause=no_pause)
    return ingest(a_card(number), world.memory.playbook, b"saltsalts", world.clock(), deps).lead


def test_twelve_leads_of_the_evening_are_all_raced_for_in_the_morning() -> None:
    world = FakeWorld(playbook())
    rep = world.add_rep(a_rep())
    world.clock.at = NIGHT
    leads = [post(world, number) for number in range(1, 13)]
    assert {lead.state for lead in leads} == {State.OPEN}
    with pytest.raises(ClaimRefused) as refused:
        claim(world.race, leads[0].lead_id, rep.rep_id, proof_of(rep), world.clock)
    assert refused.value.lifts_at == MORNING
    per_minute = [(lead.opens_at - MORNING) // MINUTE for lead in leads]
    assert per_minute == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    world.clock.at = MORNING + 3 * MINUTE
    won = [
        claim(world.race, lead.lead_id, rep.rep_id, proof_of(rep), world.clock)
        for lead in leads[:10]
    ]
    assert all(isinstance(one, Won) for one in won)


def test_reps_are_told_in_the_morning_and_nobody_at_night() -> None:
    world = FakeWorld(playbook())
    phone = Device("phone", Platform.FCM, "arn:phone")
    world.add_rep(a_rep(devices=(phone,)))
    night_owl = world.add_rep(a_rep(2, hours=Hours((((0, 1440),),) * 7)))
    world.clock.at = NIGHT
    lead = post(world, 1)
    event = LeadEvent("lead.opened", lead.lead_id, 1)
    offering.follow(event, world.follow_deps())
    assert world.queue.waiting == []
    for rep in (a_rep(), night_owl):
        notify(NotifyBatch("offer", lead.lead_id, 1, (rep.rep_id,)), world.notify_deps())
    assert (world.push.told(), world.sms.told) == ([], [])
    world.clock.at = MORNING
    offering.follow(event, world.follow_deps())
    [batch] = world.queue.of("offer")
    assert set(batch.rep_ids) == {a_rep().rep_id, night_owl.rep_id}


def holder(world: FakeWorld, rep: Rep, now: datetime) -> Lead:
    lead = a_lead(owner=rep.rep_id, state=State.ASSIGNED, claimed_at=now, received_at=now)
    world.memory.leads[lead.lead_id] = lead
    return lead


def test_the_text_about_an_assigned_lead_waits_for_the_morning() -> None:
    world = FakeWorld(playbook())
    rep = world.add_rep(a_rep(zone=KL))
    world.clock.at = NIGHT
    lead = holder(world, rep, NIGHT)
    notify(NotifyBatch("assigned", lead.lead_id, 1, (rep.rep_id,)), world.notify_deps())
    names = set[str]()
    while world.clock.at < MORNING:
        assert world.sms.told == []
        [(later, delay)] = world.queue.waiting
        assert later.name not in names  # each wait is a message of its own
        names.add(later.name)
        world.queue.waiting.clear()
        world.clock.pass_(seconds=delay)
        notify(later, world.notify_deps())
    assert world.clock.at == MORNING
    assert world.sms.told == [rep.phone]
    assert next_opening(lead, NIGHT) is None


def test_nobody_gets_a_lead_as_a_last_resort_at_night() -> None:
    rules = {"model": "round-robin", "teams": {"north": team(fallback=a_rep(9).rep_id)}}
    world = FakeWorld(playbook(**rules))
    world.add_rep(a_rep(9, team="south", zone=KL))
    world.clock.at = NIGHT
    lead = post(world, 1)
    for hour in range(1, 11):
        world.clock.at = NIGHT + hour * HOUR
        offering.follow(LeadEvent("lead.queued", lead.lead_id, 1), world.follow_deps())
        assert world.lead(lead).owner is None
    world.clock.at = MORNING + HOUR
    offering.follow(LeadEvent("lead.queued", lead.lead_id, 1), world.follow_deps())
    assert world.lead(lead).owner == a_rep(9).rep_id


def test_leads_that_wait_at_night_alarm_nobody() -> None:
    world = FakeWorld(playbook(model="round-robin"))
    world.clock.at = NIGHT
    post(world, 1)

    def unassigned(now: datetime) -> int:
        stores = (world.leads, world.race, world.holdings, world.roster, world.offers, world.bus)
        return sweep(*stores, now).queued

    assert [unassigned(at) for at in (NIGHT, MORNING - MINUTE, MORNING)] == [0, 0, 1]
