"""The decision: who may have a lead now, and when a refusal lifts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.rep import Usage
from dibs.race.decide import Eligible, Refused, Verdict, decide
from dibs.race.limits import day_after
from support.builders import NOON, a_lead, a_playbook, a_rep

MS = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)
TODAY = NOON.date()
FULL = Usage(TODAY, 10)


def codes(verdict: Verdict) -> list[str]:
    """Return the codes of the rules that refused."""
    return [r.code for r in verdict.refusals] if isinstance(verdict, Refused) else []


def lifts_at(verdict: Verdict) -> datetime | None:
    assert isinstance(verdict, Refused)
    return verdict.lifts_at


def test_a_rep_of_the_team_may_claim_since_the_wave_opened() -> None:
    assert decide(a_lead(), a_rep(), Usage(), a_playbook(), NOON + HOUR / 6) == Eligible(NOON)


@pytest.mark.parametrize(
    ("lead", "rep", "usage", "now", "code", "lifts"),
    [
        ({"teams": ("south",)}, {}, Usage(), NOON, "not_routed", None),
        ({}, {"active": False}, Usage(), NOON, "left", None),
        ({}, {}, Usage(), NOON - HOUR, "not_open_yet", NOON),
        ({}, {}, Usage(), NOON + HOUR, "closed", None),
        ({}, {"paused_until": NOON + HOUR}, Usage(), NOON, "paused", NOON + HOUR),
        ({}, {"zone": "UTC"}, FULL, NOON, "daily_limit", NOON + 12 * HOUR),
    ],
)
def test_each_rule_refuses_alone_and_says_when_it_lifts(
    lead: dict[str, object],
    rep: dict[str, object],
    usage: Usage,
    now: datetime,
    code: str,
    lifts: datetime | None,
) -> None:
    verdict = decide(a_lead(**lead), a_rep(**rep), usage, a_playbook(), now)
    assert codes(verdict) == [code]
    assert lifts_at(verdict) == lifts
    assert isinstance(verdict, Refused)
    assert verdict.refusals[0].how.endswith(".")


def test_all_rules_refuse_together_and_one_that_never_lifts_leaves_no_moment() -> None:
    rep = a_rep(zone="UTC", active=False, paused_until=NOON + HOUR)
    verdict = decide(
        a_lead(teams=("south",), opens_at=NOON + HOUR, closes_at=NOON),
        rep,
        FULL,
        a_playbook(),
        NOON,
    )
    assert codes(verdict) == [
        "not_routed",
        "not_open_yet",
        "closed",
        "left",
        "paused",
        "daily_limit",
    ]
    assert lifts_at(verdict) is None


def test_several_rules_that_lift_have_lifted_at_the_latest_of_their_moments() -> None:
    lead = a_lead(opens_at=NOON + HOUR, closes_at=NOON + 48 * HOUR)
    paused = a_rep(zone="UTC", paused_until=NOON + 2 * HOUR)
    assert lifts_at(decide(lead, paused, Usage(), a_playbook(), NOON)) == NOON + 2 * HOUR
    assert lifts_at(decide(lead, paused, FULL, a_playbook(), NOON)) == NOON + 12 * HOUR
    later = a_rep(zone="UTC", paused_until=NOON + 20 * HOUR)
    assert lifts_at(decide(lead, later, FULL, a_playbook(), NOON)) == NOON + 20 * HOUR


def test_the_window_opens_and_closes_to_the_millisecond() -> None:
    lead = a_lead()

    def at(now: datetime) -> list[str]:
        return codes(decide(lead, a_rep(), Usage(), a_playbook(), now))

    assert at(lead.opens_at - MS) == ["not_open_yet"]
    assert at(lead.opens_at) == []
    assert at(lead.closes_at - MS) == []
    assert at(lead.closes_at) == ["closed"]


def test_a_pause_ends_to_the_millisecond() -> None:
    rep = a_rep(paused_until=NOON + 5 * MS)
    assert codes(decide(a_lead(), rep, Usage(), a_playbook(), NOON + 4 * MS)) == ["paused"]
    assert codes(decide(a_lead(), rep, Usage(), a_playbook(), NOON + 5 * MS)) == []


def test_the_daily_limit_lets_the_last_claim_through_and_not_one_more() -> None:
    playbook = a_playbook(claims_per_day=3)
    rep = a_rep(zone="UTC")
    assert codes(decide(a_lead(), rep, Usage(TODAY, 2), playbook, NOON)) == []
    assert codes(decide(a_lead(), rep, Usage(TODAY, 3), playbook, NOON)) == ["daily_limit"]
    verdict = decide(a_lead(), rep, Usage(TODAY, 3), playbook, NOON)
    assert isinstance(verdict, Refused)
    assert "(3)" in verdict.refusals[0].how


def test_yesterdays_claims_do_not_count_today() -> None:
    rep = a_rep(zone="UTC")
    yesterday = Usage(TODAY - timedelta(days=1), 10)
    assert codes(decide(a_lead(), rep, yesterday, a_playbook(), NOON)) == []


def test_a_count_of_a_day_that_a_faster_clock_began_holds_until_that_day_is_over() -> None:
    # Clocks of functions differ by milliseconds; at midnight one of them is a day ahead.
    rep = a_rep(zone="UTC")
    tomorrow = Usage(TODAY + timedelta(days=1), 10)
    verdict = decide(a_lead(), rep, tomorrow, a_playbook(), NOON)
    assert codes(verdict) == ["daily_limit"]
    assert lifts_at(verdict) == NOON + 36 * HOUR


def test_a_test_lead_is_not_held_back_by_the_daily_limit() -> None:
    rep = a_rep(zone="UTC")
    assert codes(decide(a_lead(test=True), rep, FULL, a_playbook(), NOON)) == []


def local(zone: str, *moment: int, fold: int = 0) -> datetime:
    return datetime(*moment, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("zone", "now", "midnight"),
    [
        ("Asia/Kuching", "2026-11-23T12:00:00+00:00", "2026-11-23T16:00:00+00:00"),
        # At UTC+14 it is already the 24th, at UTC-11 still the 23rd for another 23 hours.
        ("Pacific/Kiritimati", "2026-11-23T12:00:00+00:00", "2026-11-24T10:00:00+00:00"),
        ("Pacific/Pago_Pago", "2026-11-23T12:00:00+00:00", "2026-11-24T11:00:00+00:00"),
        ("Asia/Kathmandu", "2026-11-23T12:00:00+00:00", "2026-11-23T18:15:00+00:00"),
        # Days of 23 and of 25 hours.
        ("Europe/Berlin", "2026-03-28T23:30:00+00:00", "2026-03-29T22:00:00+00:00"),
        ("Europe/Berlin", "2026-10-24T22:30:00+00:00", "2026-10-25T23:00:00+00:00"),
        # Santiago's clock goes from 24:00 to 01:00: that day begins at one o'clock.
        ("America/Santiago", "2026-09-05T20:00:00+00:00", "2026-09-06T04:00:00+00:00"),
        # Santiago's clock goes back from 24:00 to 23:00: Saturday ends an hour later.
        ("America/Santiago", "2026-04-04T20:00:00+00:00", "2026-04-05T04:00:00+00:00"),
        # Havana's clock goes back from 01:00 to 00:00: Sunday begins with the first midnight.
        ("America/Havana", "2026-10-31T20:00:00+00:00", "2026-11-01T04:00:00+00:00"),
        # Beirut's clock goes from 24:00 to 01:00.
        ("Asia/Beirut", "2026-03-28T12:00:00+00:00", "2026-03-28T22:00:00+00:00"),
        # Samoa skipped 30 December 2011.
        ("Pacific/Apia", "2011-12-30T02:00:00+00:00", "2011-12-30T10:00:00+00:00"),
    ],
)
def test_the_day_ends_at_midnight_in_the_reps_own_zone(zone: str, now: str, midnight: str) -> None:
    moment, expected = datetime.fromisoformat(now), datetime.fromisoformat(midnight)
    rep = a_rep(zone=zone)
    full = Usage(rep.today(moment), 10)
    lead = a_lead(opens_at=moment, closes_at=moment + 72 * HOUR)
    verdict = decide(lead, rep, full, a_playbook(), moment)
    assert lifts_at(verdict) == expected
    assert codes(decide(lead, rep, full, a_playbook(), expected - MS)) == ["daily_limit"]
    assert codes(decide(lead, rep, full, a_playbook(), expected)) == []


def test_the_repeated_hour_before_midnight_belongs_to_the_old_day() -> None:
    # 23:30 comes twice in Santiago on 4 April 2026; both are still the fourth.
    rep = a_rep(zone="America/Santiago")
    for fold in (0, 1):
        moment = local("America/Santiago", 2026, 4, 4, 23, 30, fold=fold)
        assert rep.today(moment) == date(2026, 4, 4)
        assert day_after(rep.today(moment), rep.zone) == datetime(2026, 4, 5, 4, tzinfo=UTC)


ZONES = (
    "UTC",
    "Asia/Kuching",
    "America/Santiago",
    "America/Havana",
    "America/New_York",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Nuuk",
    "Atlantic/Azores",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
moments = st.integers(0, 3 * 366 * 24 * 3_600_000).map(
    lambda ms: datetime(2025, 1, 1, tzinfo=UTC) + ms * MS
)
spans = st.integers(-72 * 3_600_000, 72 * 3_600_000).map(lambda ms: ms * MS)


@given(
    now=moments,
    zone=st.sampled_from(ZONES),
    opens=spans,
    window=st.integers(1, 96 * 3_600_000).map(lambda ms: ms * MS),
    pause=st.none() | spans,
    used_on=st.sampled_from([None, 0, 0, -1, 1]),
    claims=st.integers(0, 12),
    active=st.booleans(),
    team=st.sampled_from(["north", "north", "south"]),
    test=st.booleans(),
)
def test_a_no_becomes_a_yes_when_it_says_so_and_not_a_millisecond_earlier(
    now: datetime,
    zone: str,
    opens: timedelta,
    window: timedelta,
    pause: timedelta | None,
    used_on: int | None,
    claims: int,
    active: bool,
    team: str,
    test: bool,
) -> None:
    rep = a_rep(
        zone=zone,
        active=active,
        team=team,
        paused_until=None if pause is None else now + pause,
    )
    day = None if used_on is None else rep.today(now) + timedelta(days=used_on)
    usage = Usage(day, claims if day else 0)
    lead = a_lead(opens_at=now + opens, closes_at=now + opens + window, test=test)
    playbook = a_playbook(claims_per_day=10)
    verdict = decide(lead, rep, usage, playbook, now)
    if isinstance(verdict, Eligible):
        assert lead.opens_at <= now < lead.closes_at
        return
    lifts = verdict.lifts_at
    if lifts is None:
        assert {"not_routed", "left", "closed"} & set(codes(verdict))
        return
    assert lifts > now
    assert codes(decide(lead, rep, usage, playbook, lifts - MS))
    after = decide(lead, rep, usage, playbook, lifts)
    assert isinstance(after, Eligible) or codes(after) == ["closed"]
    assert isinstance(after, Eligible) == (lifts < lead.closes_at)
