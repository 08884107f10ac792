"""Availability (R8): hours, holidays, leave, pauses and do-not-disturb, and when exactly a refusal
lifts (C3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.calendar import WEEKDAYS, parse_hours
from dibs.core.errors import ClaimRefused
from dibs.core.events import LeadEvent
from dibs.core.rep import Device, Platform, Rep, Usage
from dibs.dispatch import follow as offering
from dibs.offers.notify import notify
from dibs.race.claim import claim
from dibs.race.decide import Eligible, Refused, Verdict, decide, off
from support.builders import NOON, a_card, a_lead, a_playbook, a_rep, proof_of
from support.fakes import FakeWorld, no_pause

MS, MINUTE, HOUR = timedelta(milliseconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)
TODAY = date(2026, 11, 23)
OFFICE = {day: ["09:00-12:30", "13:30-18:00"] for day in WEEKDAYS[:5]}
# A window of a month, so that it does not close in these tests.
OPEN = a_lead(opens_at=NOON - 30 * DAY, closes_at=NOON + 30 * DAY)


def local(zone: str, *moment: int) -> datetime:
    return datetime(*moment, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[arg-type]


def judged(rep: Rep, at: datetime, usage: Usage | None = None, **playbook: Any) -> Verdict:
    return decide(OPEN, rep, usage or Usage(), a_playbook(**playbook), at)


def codes(verdict: Verdict) -> list[str]:
    return [r.code for r in verdict.refusals] if isinstance(verdict, Refused) else []


def refused_until(
    rep: Rep, at: datetime, code: str, until: datetime, usage: Usage | None = None, **rules: Any
) -> None:
    """The rep is refused by this rule alone, until a time that is right to the millisecond.

    `lifts_at` may come from another rule than the one that refuses now.
    """
    verdict = judged(rep, at, usage, **rules)
    assert codes(verdict) == [code]
    assert isinstance(verdict, Refused)
    assert verdict.lifts_at == until
    assert isinstance(judged(rep, until - MS, usage, **rules), Refused)
    assert isinstance(judged(rep, until, usage, **rules), Eligible)


# Hours

KUCHING = "Asia/Kuching"


def by_hours(hours: dict[str, list[str]]) -> dict[str, Any]:
    return {"teams": {"north": {"name": "N", "hours": hours}}}


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ((2026, 11, 23, 8, 59), (2026, 11, 23, 9, 0)),
        ((2026, 11, 23, 12, 30), (2026, 11, 23, 13, 30)),
        ((2026, 11, 23, 18, 0), (2026, 11, 24, 9, 0)),
        ((2026, 11, 27, 18, 0), (2026, 11, 30, 9, 0)),
        ((2026, 11, 28, 11, 0), (2026, 11, 30, 9, 0)),
    ],
)
def test_outside_the_teams_hours_nobody_claims_until_they_begin_again(
    now: tuple[int, ...], until: tuple[int, ...]
) -> None:
    rep = a_rep(zone=KUCHING)
    at, lifts = local(KUCHING, *now), local(KUCHING, *until)
    refused_until(rep, at, "outside_hours", lifts, **by_hours(OFFICE))


def test_within_hours_they_may_to_the_millisecond() -> None:
    rep, rules = a_rep(zone=KUCHING), by_hours(OFFICE)
    for moment in ((9, 0), (12, 29), (13, 30), (17, 59)):
        at = local(KUCHING, 2026, 11, 23, *moment)
        assert codes(judged(rep, at, **rules)) == []
    assert codes(judged(rep, local(KUCHING, 2026, 11, 23, 18, 0) - MS, **rules)) == []


def test_the_teams_hours_are_by_each_reps_own_clock() -> None:
    rules = by_hours(OFFICE)
    at = local(KUCHING, 2026, 11, 24, 9, 0)  # 02:00 in Berlin
    assert codes(judged(a_rep(zone=KUCHING), at, **rules)) == []
    assert codes(judged(a_rep(zone="Europe/Berlin"), at, **rules)) == ["outside_hours"]


def test_a_reps_own_hours_go_before_the_teams() -> None:
    early = a_rep(zone=KUCHING, hours=parse_hours({"mon": ["05:00-09:00"]}))
    rules = by_hours(OFFICE)
    assert codes(judged(early, local(KUCHING, 2026, 11, 23, 6, 0), **rules)) == []
    refused_until(
        early,
        local(KUCHING, 2026, 11, 23, 10, 0),
        "outside_hours",
        local(KUCHING, 2026, 11, 30, 5, 0),
        **rules,
    )


def test_without_any_hours_reps_are_always_on() -> None:
    for moment in range(0, 7 * 24, 5):
        assert codes(judged(a_rep(), NOON + moment * HOUR)) == []


def test_a_shift_that_begins_in_the_hour_spring_leaves_out_begins_when_it_is_over() -> None:
    rep = a_rep(zone="Europe/Berlin", hours=parse_hours({"sun": ["02:30-06:00"]}))
    lead = replace(OPEN, opens_at=NOON - 365 * DAY, closes_at=NOON)
    at = local("Europe/Berlin", 2026, 3, 29, 1, 0)
    verdict = decide(lead, rep, Usage(), a_playbook(), at)
    assert isinstance(verdict, Refused)
    assert verdict.lifts_at == local("Europe/Berlin", 2026, 3, 29, 3, 0)
    assert isinstance(decide(lead, rep, Usage(), a_playbook(), verdict.lifts_at), Eligible)


# Holidays and leave


def test_a_holiday_of_the_team_is_a_whole_day_of_the_reps_own() -> None:
    rules = {"teams": {"north": {"name": "N", "holidays": ["2026-11-23", "2026-11-24"]}}}
    rep = a_rep(zone=KUCHING)
    assert codes(judged(rep, local(KUCHING, 2026, 11, 23, 0, 0) - MS, **rules)) == []
    refused_until(
        rep,
        local(KUCHING, 2026, 11, 23, 0, 0),
        "holiday",
        local(KUCHING, 2026, 11, 25, 0, 0),
        **rules,
    )


def test_after_a_holiday_the_day_begins_with_its_first_shift() -> None:
    rules = {
        "teams": {"north": {"name": "N", "hours": OFFICE, "holidays": ["2026-11-23"]}},
    }
    rep = a_rep(zone=KUCHING)
    at = local(KUCHING, 2026, 11, 23, 10, 0)
    refused_until(rep, at, "holiday", local(KUCHING, 2026, 11, 24, 9, 0), **rules)


def test_leave_is_from_its_first_day_to_its_last_both_included() -> None:
    rep = a_rep(zone=KUCHING, leave=((date(2026, 11, 23), date(2026, 11, 25)),))
    first, after = local(KUCHING, 2026, 11, 23, 0, 0), local(KUCHING, 2026, 11, 26, 0, 0)
    assert codes(judged(rep, first - MS)) == []
    refused_until(rep, first, "on_leave", after)
    refused_until(rep, after - MS, "on_leave", after)


def test_leave_on_a_holiday_is_leave() -> None:
    rules = {"teams": {"north": {"name": "N", "holidays": ["2026-11-23"]}}}
    rep = a_rep(zone=KUCHING, leave=((date(2026, 11, 22), date(2026, 11, 23)),))
    assert codes(judged(rep, local(KUCHING, 2026, 11, 23, 9, 0), **rules)) == ["on_leave"]


def test_leave_that_does_not_end_has_no_end_to_name() -> None:
    rep = a_rep(leave=((TODAY, date(2099, 1, 1)),))
    verdict = judged(rep, NOON)
    assert codes(verdict) == ["on_leave"]
    assert isinstance(verdict, Refused)
    assert verdict.lifts_at is None


# Pauses, and several at once


def test_a_pause_ends_when_it_says() -> None:
    refused_until(a_rep(paused_until=NOON + HOUR), NOON, "paused", NOON + HOUR)


def test_a_pause_that_ends_after_hours_ends_when_the_next_shift_begins() -> None:
    rep = a_rep(zone=KUCHING, paused_until=local(KUCHING, 2026, 11, 23, 20, 0))
    refused_until(
        rep,
        local(KUCHING, 2026, 11, 23, 17, 0),
        "paused",
        local(KUCHING, 2026, 11, 24, 9, 0),
        **by_hours(OFFICE),
    )


def test_a_days_limit_that_lifts_at_midnight_lifts_when_the_next_shift_begins() -> None:
    rep = a_rep(zone=KUCHING)
    at = local(KUCHING, 2026, 11, 23, 17, 0)
    refused_until(
        rep,
        at,
        "daily_limit",
        local(KUCHING, 2026, 11, 24, 9, 0),
        Usage(rep.today(at), 10),
        **by_hours(OFFICE),
    )


def test_a_weeks_allowance_lifts_with_the_first_shift_of_the_next_week() -> None:
    rep = a_rep(zone=KUCHING)
    at = local(KUCHING, 2026, 11, 25, 10, 0)
    used = Usage(None, 0, rep.this_week(at), 10)
    quota = {"enabled": True, "base_per_week": 10}
    monday = local(KUCHING, 2026, 11, 30, 0, 0)
    refused_until(rep, at, "weekly_allowance", monday, used, quota=quota)
    refused_until(
        rep, at, "weekly_allowance", monday + 9 * HOUR, used, quota=quota, **by_hours(OFFICE)
    )
    away = replace(rep, leave=((date(2026, 11, 30), date(2026, 12, 1)),))
    wednesday = local(KUCHING, 2026, 12, 2, 0, 0)
    refused_until(away, at, "weekly_allowance", wednesday, used, quota=quota)


def test_a_week_that_a_faster_clock_began_counts_until_it_is_over() -> None:
    rep = a_rep(zone="UTC")
    sunday = datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC)
    ahead = Usage(None, 0, date(2026, 11, 30), 10)
    quota = {"enabled": True, "base_per_week": 10}
    over = datetime(2026, 12, 7, tzinfo=UTC)
    refused_until(rep, sunday, "weekly_allowance", over, ahead, quota=quota)
    verdict = judged(rep, sunday, ahead, quota=quota)
    assert isinstance(verdict, Refused)
    assert [refusal.lifts_at for refusal in verdict.refusals] == [over]


def test_an_allowance_of_nothing_does_not_lift_within_any_window() -> None:
    verdict = judged(a_rep(allowance=0, zone="UTC"), NOON, quota={"enabled": True})
    assert codes(verdict) == ["weekly_allowance"]
    assert isinstance(verdict, Refused)
    assert verdict.lifts_at is None or verdict.lifts_at >= OPEN.closes_at


def test_whoever_joined_in_the_middle_of_the_week_has_a_part_of_it() -> None:
    rep = a_rep(zone="UTC", joined_on=date(2026, 11, 26))  # joined on Thursday: four days of seven
    thursday = datetime(2026, 11, 26, 9, tzinfo=UTC)
    quota = {"enabled": True, "base_per_week": 7}
    week = rep.this_week(thursday)
    assert codes(judged(rep, thursday, Usage(None, 0, week, 3), quota=quota)) == []
    monday = datetime(2026, 11, 30, tzinfo=UTC)
    refused_until(rep, thursday, "weekly_allowance", monday, Usage(None, 0, week, 4), quota=quota)


def test_a_test_lead_is_held_back_by_duty_and_by_no_count() -> None:
    trial = replace(OPEN, test=True)
    full = Usage(TODAY, 10, TODAY, 99)
    rules = a_playbook(quota={"enabled": True})
    assert isinstance(decide(trial, a_rep(), full, rules, NOON), Eligible)
    paused = a_rep(paused_until=NOON + HOUR)
    assert codes(decide(trial, paused, full, rules, NOON)) == ["paused"]


def test_who_is_off_hears_every_reason_and_when_the_last_of_them_lifts() -> None:
    rep = a_rep(
        zone=KUCHING,
        paused_until=NOON + 3 * DAY,
        leave=((TODAY, TODAY + DAY),),
    )
    full = Usage(rep.today(NOON), 10, rep.this_week(NOON), 10)
    verdict = judged(rep, NOON, full, quota={"enabled": True}, **by_hours(OFFICE))
    assert codes(verdict) == ["paused", "on_leave", "daily_limit", "weekly_allowance"]
    assert isinstance(verdict, Refused)
    assert verdict.lifts_at == local(KUCHING, 2026, 11, 30, 9, 0)
    assert len({refusal.how for refusal in verdict.refusals}) == 4


# Do not disturb

PHONE = Device("phone", Platform.FCM, "arn:phone")
QUIET = a_rep(1, quiet_until=NOON + HOUR)


def test_do_not_disturb_keeps_nobody_from_claiming() -> None:
    assert off(QUIET, a_playbook(), NOON) == []
    world = FakeWorld()
    world.add_rep(QUIET)
    lead = world.post_lead(a_card())
    proof = proof_of(QUIET)
    won = claim(world.race, lead.lead_id, QUIET.rep_id, proof, world.clock, pause=no_pause)
    assert not won.already_yours


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, True),
        ({"quiet_until": NOON + MS}, False),
        ({"quiet_until": NOON}, True),
        ({"paused_until": NOON + MS}, False),
        ({"leave": ((TODAY, TODAY),)}, False),
        ({"hours": parse_hours({"sun": ["00:00-24:00"]})}, False),
        ({"active": False}, False),
    ],
)
@pytest.mark.parametrize("pushed", [True, False])
def test_whoever_is_off_or_wants_quiet_is_told_neither_by_push_nor_by_text(
    change: dict[str, Any], told: bool, pushed: bool
) -> None:
    world = FakeWorld()
    rep = world.add_rep(a_rep(1, devices=(PHONE,) if pushed else ()))
    other = world.add_rep(a_rep(2))
    lead = world.post_lead(a_card())
    offering.follow(LeadEvent("lead.opened", lead.lead_id, 1), world.follow_deps())
    (batch,) = world.queue.of("offer")
    assert set(batch.rep_ids) == {rep.rep_id, other.rep_id}
    world.memory.reps[rep.rep_id] = replace(rep, **change)  # since the wave was notified
    notify(batch, world.notify_deps())
    reached = [*world.push.told(), *world.sms.told]
    assert reached == (
        [rep.rep_id, other.phone] if told and pushed else [rep.phone, other.phone][not told :]
    )


def test_whoever_wants_quiet_after_the_alert_is_not_texted_either() -> None:
    world = FakeWorld()
    rep = world.add_rep(a_rep(1, devices=(PHONE,)))
    lead = world.post_lead(a_card())
    offering.follow(LeadEvent("lead.opened", lead.lead_id, 1), world.follow_deps())
    notify(world.queue.of("offer")[0], world.notify_deps())
    world.roster.quiet(rep.rep_id, NOON + HOUR)
    world.clock.pass_(seconds=20)
    notify(world.queue.of("unseen")[0], world.notify_deps())
    assert world.sms.told == []


def test_a_claim_outside_hours_is_refused_with_its_rule_and_when_it_lifts() -> None:
    world = FakeWorld(a_playbook(window_seconds=86_400, **by_hours(OFFICE)))
    rep = world.add_rep(a_rep(zone=KUCHING))
    lead = world.post_lead(a_card())  # 20:00 in Kuching
    before, proof = world.lead(lead), proof_of(rep)
    with pytest.raises(ClaimRefused) as refused:
        claim(world.race, lead.lead_id, rep.rep_id, proof, world.clock, pause=no_pause)
    details = refused.value.details()
    assert details["rules"] == ["outside_hours"]
    assert details["lifts_at"] == local(KUCHING, 2026, 11, 24, 9, 0)
    assert world.lead(lead) == before
    world.clock.at = details["lifts_at"]
    claim(world.race, lead.lead_id, rep.rep_id, proof, world.clock, pause=no_pause)
    assert world.lead(lead).owner == rep.rep_id


# Whatever the rep, the lead and the rules

zones = st.sampled_from(
    ["UTC", KUCHING, "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"]
)
moments = st.integers(0, 2 * 366 * 24 * 60).map(
    lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + minutes * MINUTE
)
shifts = st.sampled_from(
    [{}, {}, OFFICE, {"sat": ["22:00-24:00"], "sun": ["00:00-02:30"]}, {"wed": ["02:15-02:45"]}]
)
days = st.integers(-3, 9)


@given(
    now=moments,
    zone=zones,
    own=shifts,
    teams=shifts,
    tier=st.integers(1, 3),
    score=st.sampled_from([86, 60]),
    opened=st.integers(-120, 60).map(lambda minutes: minutes * MINUTE),
    window=st.sampled_from([900, 7200, 86_400]),
    pause=st.none() | st.integers(-60, 3000).map(lambda minutes: minutes * MINUTE),
    leave=st.none() | st.tuples(days, st.integers(0, 4)),
    holidays=st.sets(days, max_size=3),
    claims=st.integers(0, 3),
    of_day=st.integers(-1, 1),
    leads=st.integers(0, 4),
    of_week=st.integers(-1, 1),
)
def test_a_refusal_lifts_when_it_says_and_not_a_millisecond_before(
    now: datetime,
    zone: str,
    own: dict[str, list[str]],
    teams: dict[str, list[str]],
    tier: int,
    score: int,
    opened: timedelta,
    window: int,
    pause: timedelta | None,
    leave: tuple[int, int] | None,
    holidays: set[int],
    claims: int,
    of_day: int,
    leads: int,
    of_week: int,
) -> None:
    rep = a_rep(zone=zone, tier=tier, hours=parse_hours(own))
    today, week = rep.today(now), rep.this_week(now)
    if pause is not None:
        rep = replace(rep, paused_until=now + pause)
    if leave is not None:
        first = today + leave[0] * DAY
        rep = replace(rep, leave=((first, first + leave[1] * DAY),))
    team = {
        "name": "N",
        "hours": teams,
        "holidays": [str(today + day * DAY) for day in sorted(holidays)],
    }
    world = FakeWorld(
        a_playbook(
            model="tiers",
            teams={"north": team},
            window_seconds=window,
            claims_per_day=2,
            quota={"enabled": True, "base_per_week": 3},
        )
    )
    lead = world.post_lead(a_card(score=score), now + opened)
    usage = Usage(today + of_day * DAY, claims, week + of_week * 7 * DAY, leads)
    playbook = world.memory.playbook

    def at(moment: datetime) -> Verdict:
        return decide(lead, rep, usage, playbook, moment)

    verdict = at(now)
    if isinstance(verdict, Eligible):
        assert verdict.since == lead.openings("north")[tier - 1]
        assert verdict.since is not None
        assert verdict.since <= now < lead.closes_at
        return
    lifts = verdict.lifts_at
    within = [now + (lead.closes_at - now) * part / 40 for part in range(41)]
    if lifts is None or lifts >= lead.closes_at:
        # A rep who waited for it would never be admitted.
        assert not any(isinstance(at(moment), Eligible) for moment in within if moment >= now)
        return
    assert lifts > now
    assert isinstance(at(lifts), Eligible)
    assert isinstance(at(lifts - MS), Refused)
    assert not any(isinstance(at(moment), Eligible) for moment in within if now <= moment < lifts)
