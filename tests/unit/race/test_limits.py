"""Limits of competitive claims (F7): by the rep's calendar, rolling, in hand and per tier."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dibs.core.lead import Claim
from dibs.core.quality import Quality
from dibs.core.rep import Rep, Usage
from dibs.race.decide import Eligible, Refused, decide
from dibs.race.lifecycle import new_claim
from dibs.race.limits import day_after, over_limits, used
from dibs.rules.playbook import Playbook
from dibs.rules.rules import Limit
from support.builders import NOON, a_lead, a_playbook, a_rep, with_one_more

MS, SECOND, MINUTE = timedelta(milliseconds=1), timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = 7 * DAY
OPEN = a_lead(opens_at=NOON - 800 * DAY, closes_at=NOON + 800 * DAY)


def rules(*limits: dict[str, Any], **others: Any) -> Playbook:
    return a_playbook(limits=list(limits), **{"claims_per_day": 1000, **others})


def codes(rep: Rep, usage: Usage, playbook: Playbook, now: datetime) -> list[str]:
    return [refusal.code for refusal in over_limits(OPEN, rep, usage, playbook, now)]


def after_claims(rep: Rep, playbook: Playbook, *moments: datetime, usage: Usage | None = None):
    """Return the usage of a rep who won a race at each of these times."""
    used_up = usage or Usage()
    for at in moments:
        claim = new_claim(OPEN, rep, playbook, at, at)
        used_up = with_one_more(rep, OPEN, used_up, playbook, claim)
    return used_up


def lifts(rep: Rep, usage: Usage, playbook: Playbook, now: datetime, at: datetime) -> None:
    """The rep is refused until a time that is right to the millisecond."""
    verdict = decide(OPEN, rep, usage, playbook, now)
    assert isinstance(verdict, Refused)
    assert verdict.lifts_at == at
    assert isinstance(decide(OPEN, rep, usage, playbook, at - MS), Refused)
    assert isinstance(decide(OPEN, rep, usage, playbook, at), Eligible)


def local(zone: str, *moment: int, fold: int = 0) -> datetime:
    return datetime(*moment, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)  # type: ignore[arg-type]


# By the calendar

CALENDAR = [
    # zone, per, the claim, when it stops counting
    ("UTC", "hour", (2026, 11, 23, 12, 0), (2026, 11, 23, 13, 0)),
    ("UTC", "hour", (2026, 11, 23, 12, 59), (2026, 11, 23, 13, 0)),
    # Hours begin in the rep's time zone, here at a quarter to the hour in UTC.
    ("Asia/Kathmandu", "hour", (2026, 11, 23, 12, 59), (2026, 11, 23, 13, 0)),
    ("Asia/Kathmandu", "day", (2026, 11, 23, 23, 59), (2026, 11, 24, 0, 0)),
    ("Asia/Kathmandu", "week", (2026, 11, 29, 23, 59), (2026, 11, 30, 0, 0)),
    ("UTC", "day", (2026, 11, 23, 0, 0), (2026, 11, 24, 0, 0)),
    ("UTC", "week", (2026, 11, 23, 0, 0), (2026, 11, 30, 0, 0)),
    ("Pacific/Kiritimati", "week", (2026, 11, 29, 23, 59), (2026, 11, 30, 0, 0)),
    ("Pacific/Pago_Pago", "week", (2026, 11, 23, 0, 0), (2026, 11, 30, 0, 0)),
    # A week does not end with the year.
    ("UTC", "week", (2026, 12, 31, 12, 0), (2027, 1, 4, 0, 0)),
    # Spring skips the hour from two, or from midnight.
    ("Europe/Berlin", "hour", (2026, 3, 29, 1, 30), (2026, 3, 29, 3, 0)),
    ("Europe/Berlin", "day", (2026, 3, 29, 0, 0), (2026, 3, 30, 0, 0)),
    ("Europe/Berlin", "week", (2026, 3, 23, 0, 0), (2026, 3, 30, 0, 0)),
    ("Asia/Beirut", "day", (2026, 3, 28, 23, 30), (2026, 3, 29, 1, 0)),
    ("Asia/Beirut", "hour", (2026, 3, 28, 23, 30), (2026, 3, 29, 1, 0)),
    ("Asia/Beirut", "week", (2026, 3, 23, 9, 0), (2026, 3, 30, 0, 0)),
]


@pytest.mark.parametrize(("zone", "per", "claimed", "lifted"), CALENDAR)
def test_a_claim_counts_until_its_hour_day_or_week_is_over_on_the_reps_clock(
    zone: str, per: str, claimed: tuple[int, ...], lifted: tuple[int, ...]
) -> None:
    rep, playbook = a_rep(zone=zone), rules({"most": 1, "per": per})
    at, until = local(zone, *claimed), local(zone, *lifted)
    once = after_claims(rep, playbook, at)
    lifts(rep, once, playbook, at, until)
    lifts(rep, once, playbook, until - MS, until)
    # The last millisecond of a period and the first of the next are in different periods.
    twice = after_claims(rep, playbook, at, until)
    assert used(Limit(1, per), rep, twice, until) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("zone", "claimed", "lifted"),
    [
        # The hour that autumn repeats counts as two hours.
        (
            "Europe/Berlin",
            local("Europe/Berlin", 2026, 10, 25, 2, 30),
            local("Europe/Berlin", 2026, 10, 25, 2, 0, fold=1),
        ),
        (
            "Europe/Berlin",
            local("Europe/Berlin", 2026, 10, 25, 2, 30, fold=1),
            local("Europe/Berlin", 2026, 10, 25, 3, 0),
        ),
        # Lord Howe's clocks change by half an hour.
        (
            "Australia/Lord_Howe",
            local("Australia/Lord_Howe", 2026, 4, 5, 1, 15),
            local("Australia/Lord_Howe", 2026, 4, 5, 1, 30, fold=1),
        ),
        (
            "Australia/Lord_Howe",
            local("Australia/Lord_Howe", 2026, 4, 5, 1, 45, fold=1),
            local("Australia/Lord_Howe", 2026, 4, 5, 2, 0),
        ),
        (
            "Australia/Lord_Howe",
            local("Australia/Lord_Howe", 2026, 10, 4, 1, 45),
            local("Australia/Lord_Howe", 2026, 10, 4, 2, 30),
        ),
    ],
)
def test_an_hour_ends_where_the_clock_is_moved(
    zone: str, claimed: datetime, lifted: datetime
) -> None:
    rep, playbook = a_rep(zone=zone), rules({"most": 1, "per": "hour"})
    lifts(rep, after_claims(rep, playbook, claimed), playbook, claimed, lifted)


@pytest.mark.parametrize("per", ["hour", "day", "week"])
def test_the_last_claim_goes_through_and_not_one_more(per: str) -> None:
    rep, playbook = a_rep(zone="UTC"), rules({"most": 3, "per": per})
    two = after_claims(rep, playbook, NOON, NOON)
    three = after_claims(rep, playbook, NOON, NOON, NOON)
    assert codes(rep, two, playbook, NOON) == []
    assert len(codes(rep, three, playbook, NOON)) == 1
    (refusal,) = over_limits(OPEN, rep, three, playbook, NOON)
    assert "(3)" in refusal.how


def test_ten_a_day_are_the_default_and_bind_every_tier() -> None:
    playbook = a_playbook()
    for tier in (1, 2, 3):
        rep = a_rep(tier=tier, zone="UTC")
        assert codes(rep, after_claims(rep, playbook, *[NOON] * 9), playbook, NOON) == []
        ten = after_claims(rep, playbook, *[NOON] * 10)
        assert codes(rep, ten, playbook, NOON) == ["daily_limit"]


@pytest.mark.parametrize(
    ("per", "counted", "until"),
    [
        ("hour", Usage(hour=NOON + HOUR, hour_claims=1), NOON + 2 * HOUR),
        ("day", Usage(day=NOON.date() + DAY, claims=1), NOON + 36 * HOUR),
        (
            "week",
            Usage(week=date(2026, 11, 30), week_claims=1),
            datetime(2026, 12, 7, tzinfo=UTC),
        ),
        # An hour of the rep's earlier time zone.
        ("hour", Usage(hour=NOON + 15 * MINUTE, hour_claims=1), NOON + HOUR),
    ],
)
def test_a_count_that_a_faster_clock_began_holds_until_that_is_over(
    per: str, counted: Usage, until: datetime
) -> None:
    rep, playbook = a_rep(zone="UTC"), rules({"most": 1, "per": per})
    lifts(rep, counted, playbook, NOON, until)
    (refusal,) = over_limits(OPEN, rep, counted, playbook, NOON)
    assert refusal.lifts_at == until
    now = NOON + 20 * MINUTE
    more = after_claims(rep, playbook, now, usage=counted)
    assert (more.hour_claims, more.claims, more.week_claims) >= (1, 1, 1)
    assert used(Limit(1, per), rep, more, now) == 2  # type: ignore[arg-type]


# Rolling limits

SPANS = [("hour", HOUR), ("day", DAY), ("week", WEEK)]


@pytest.mark.parametrize(("per", "span"), SPANS)
def test_over_any_span_a_claim_counts_until_it_has_left_it(per: str, span: timedelta) -> None:
    rep, playbook = a_rep(), rules({"most": 2, "per": per, "rolling": True})
    first, second = NOON, NOON + span / 2
    one = after_claims(rep, playbook, first)
    assert codes(rep, one, playbook, second) == []
    lifts(rep, after_claims(rep, playbook, first, second), playbook, second, first + span)
    third = after_claims(rep, playbook, first, second, first + span)
    lifts(rep, third, playbook, first + span, second + span)


def test_over_any_span_the_claims_may_be_in_any_order_and_at_one_moment() -> None:
    rep, playbook = a_rep(), rules({"most": 2, "per": "hour", "rolling": True})
    once = after_claims(rep, playbook, NOON, NOON)
    lifts(rep, once, playbook, NOON, NOON + HOUR)
    mixed = Usage(recent=(NOON + 2 * MINUTE, NOON, NOON + MINUTE))
    # Two of three claims must be older than the period.
    lifts(rep, mixed, playbook, NOON + 3 * MINUTE, NOON + HOUR + MINUTE)


def test_a_limit_that_was_lowered_lifts_once_enough_claims_have_left_it() -> None:
    rep, playbook = a_rep(), rules({"most": 1, "per": "day", "rolling": True})
    five = Usage(recent=tuple(NOON + HOUR * number for number in range(5)))
    lifts(rep, five, playbook, NOON + 5 * HOUR, NOON + 4 * HOUR + DAY)
    (refusal,) = over_limits(OPEN, rep, five, playbook, NOON + 5 * HOUR)
    assert refusal.lifts_at == NOON + 4 * HOUR + DAY


def test_moments_are_kept_only_where_a_rolling_limit_binds_the_rep() -> None:
    only_first = rules({"most": 2, "per": "day", "rolling": True, "tiers": [1]})
    assert after_claims(a_rep(tier=1), only_first, NOON).recent == (NOON,)
    assert after_claims(a_rep(tier=2), only_first, NOON).recent == ()
    assert after_claims(a_rep(), rules({"most": 2, "per": "day"}), NOON).recent == ()


# In hand, per tier, several at once


def test_leads_in_hand_are_enough_until_one_is_worked() -> None:
    rep, playbook = a_rep(), rules({"most": 3, "per": "in_hand"})
    assert codes(rep, Usage(in_hand=2), playbook, NOON) == []
    (refusal,) = over_limits(OPEN, rep, Usage(in_hand=3), playbook, NOON)
    assert (refusal.code, refusal.lifts_at) == ("open_load", None)
    assert "3 leads" in refusal.how


def test_a_limit_binds_the_tiers_it_names() -> None:
    playbook = rules({"most": 1, "per": "day", "tiers": [2, 3]})
    for tier, refused in ((1, []), (2, ["daily_limit"]), (3, ["daily_limit"])):
        rep = a_rep(tier=tier, zone="UTC")
        assert codes(rep, after_claims(rep, playbook, NOON), playbook, NOON) == refused


def test_several_limits_all_hold_and_the_last_to_lift_says_when() -> None:
    rep = a_rep(zone="UTC")
    playbook = rules(
        {"most": 2, "per": "hour"},
        {"most": 3, "per": "day", "rolling": True},
        {"most": 4, "per": "week"},
        {"most": 5, "per": "in_hand"},
    )
    table: list[tuple[list[datetime], list[str], datetime | None]] = [
        ([NOON], [], None),
        ([NOON] * 2, ["hourly_limit"], NOON + HOUR),
        ([NOON] * 3, ["hourly_limit", "daily_limit"], NOON + DAY),
        (
            [NOON] * 4,
            ["hourly_limit", "daily_limit", "weekly_limit"],
            datetime(2026, 11, 30, tzinfo=UTC),
        ),
        ([NOON] * 5, ["hourly_limit", "daily_limit", "weekly_limit", "open_load"], None),
        ([NOON - DAY + MS] * 3, ["daily_limit"], NOON + MS),
        ([NOON - DAY] * 3, [], None),
    ]
    for moments, refused, until in table:
        counted = after_claims(rep, playbook, *moments)
        assert codes(rep, counted, playbook, NOON) == refused
        verdict = decide(OPEN, rep, counted, playbook, NOON)
        assert getattr(verdict, "lifts_at", None) == until


# What counts


def counts(usage: Usage) -> tuple[int, ...]:
    return (usage.hour_claims, usage.claims, usage.week_claims, usage.leads, usage.in_hand)


@pytest.mark.parametrize(
    ("lead", "claim", "counted", "qualities"),
    [
        ({}, {}, (1, 1, 1, 1, 1), (1, 0, 0)),
        ({"quality": Quality.WARM}, {}, (1, 1, 1, 1, 1), (0, 1, 0)),
        ({"quality": Quality.COLD}, {}, (1, 1, 1, 1, 1), (0, 0, 1)),
        ({"blind": True}, {}, (1, 1, 1, 1, 1), (0, 0, 0)),
        ({"reserved_for": "cohort"}, {}, (1, 1, 1, 1, 1), (1, 0, 0)),
        ({}, {"cause": "assigned"}, (0, 0, 0, 1, 1), (0, 0, 0)),
        ({}, {"cause": "fallback"}, (0, 0, 0, 1, 1), (0, 0, 0)),
        ({"test": True}, {"test": True}, (0, 0, 0, 0, 0), (0, 0, 0)),
        ({"test": True}, {"test": True, "cause": "assigned"}, (0, 0, 0, 0, 0), (0, 0, 0)),
    ],
)
def test_what_counts_and_what_does_not(
    lead: dict[str, Any],
    claim: dict[str, Any],
    counted: tuple[int, ...],
    qualities: tuple[int, ...],
) -> None:
    rep, playbook = a_rep(), rules({"most": 9, "per": "day", "rolling": True})
    taken = a_lead(**lead)
    record = Claim(taken.lead_id, 1, rep.rep_id, rep.name, rep.team, NOON, 0, 1, **claim)
    after = with_one_more(rep, taken, Usage(), playbook, record)
    assert counts(after) == counted
    assert (after.hot, after.warm, after.cold) == qualities
    won = counted[0]
    assert (after.raced, after.ever, len(after.recent)) == (won, won, won)
    assert after.unaccepted == (counted[3] and not won)


def test_a_new_week_starts_anew_and_remembers_the_one_before_alone() -> None:
    rep, playbook = a_rep(zone="UTC"), rules()
    hot, cold = OPEN, a_lead(quality=Quality.COLD)
    usage = Usage()
    for lead in (hot, cold, cold):
        usage = with_one_more(
            rep, lead, usage, playbook, new_claim(lead, rep, playbook, NOON, NOON)
        )
    assert (usage.week_claims, usage.claims_before, usage.cold_before) == (3, 0, 0)
    next_week = after_claims(rep, playbook, NOON + WEEK, usage=usage)
    assert (next_week.week_claims, next_week.hot, next_week.cold) == (1, 1, 0)
    assert (next_week.claims_before, next_week.cold_before) == (3, 2)
    # The week before had no claims.
    later = after_claims(rep, playbook, NOON + 2 * WEEK, usage=usage)
    assert (later.week_claims, later.claims_before, later.cold_before) == (1, 0, 0)
    # An assignment starts the count of a week, as a claim does.
    given = new_claim(hot, rep, playbook, NOON + WEEK, NOON, "assigned")
    assigned = with_one_more(rep, hot, usage, playbook, given)
    assert (assigned.leads, assigned.week_claims, assigned.hot) == (1, 0, 0)
    assert (assigned.claims_before, assigned.cold_before) == (3, 2)


@pytest.mark.parametrize("per", ["hour", "day", "week", "in_hand"])
def test_a_test_lead_is_held_back_by_no_limit(per: str) -> None:
    full = Usage(NOON.date(), 9, date(2026, 11, 23), 9, 9, NOON, 9, 9)
    rep, playbook = a_rep(zone="UTC"), rules({"most": 1, "per": per})
    assert codes(rep, full, playbook, NOON)
    assert isinstance(decide(a_lead(test=True), rep, full, playbook, NOON), Eligible)


def test_the_day_after_is_the_zones_next_midnight() -> None:
    assert day_after(date(2026, 11, 23), "Asia/Kathmandu") == datetime(
        2026, 11, 23, 18, 15, tzinfo=UTC
    )


def test_of_two_limits_of_a_kind_the_one_that_lifts_later_is_told() -> None:
    rep = a_rep(zone="UTC")
    rolling = {"most": 2, "per": "day", "rolling": True}
    playbook = a_playbook(claims_per_day=2, limits=[rolling])
    recent = (NOON - timedelta(hours=1), NOON)
    usage = Usage(day=rep.today(NOON), claims=2, recent=recent, ever=2)
    [refusal] = over_limits(OPEN, rep, usage, playbook, NOON)
    assert (refusal.code, refusal.lifts_at) == ("daily_limit", NOON + timedelta(hours=23))
