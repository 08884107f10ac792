"""Local time: duty to the microsecond, and periods without gaps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dibs.core.calendar import (
    HORIZON,
    WEEKDAYS,
    Hours,
    Kind,
    Period,
    Schedule,
    day_of,
    day_start,
    last_completed,
    named,
    next_on_duty,
    off_duty,
    parse_hours,
    period_of,
    week_of,
    working_time_after,
    written_hours,
)

MICROSECOND = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
KINDS: tuple[Kind, ...] = ("day", "week", "month", "quarter", "year")
# Without the zones with leap seconds, and without the machine's own.
ZONES = sorted(
    zone
    for zone in available_timezones()
    if not zone.startswith(("right/", "posix")) and zone != "localtime"
)
OFFICE = {day: ["09:00-12:30", "13:30-18:00"] for day in WEEKDAYS[:5]}
NEVER = Hours(((),) * 7)


def at(text: str) -> datetime:
    """Return an instant in UTC, from `2026-11-23 09:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(*texts: str) -> frozenset[date]:
    return frozenset(map(date.fromisoformat, texts))


def leave(*texts: str) -> tuple[tuple[date, date], ...]:
    """Return first and last days, from `2026-11-23/2026-11-27`."""
    pairs = (text.split("/") for text in texts)
    return tuple((date.fromisoformat(first), date.fromisoformat(last)) for first, last in pairs)


def daily(zone: str, *shifts: str) -> Schedule:
    return Schedule(zone, parse_hours(dict.fromkeys(WEEKDAYS, shifts)))


# Weekly hours


def test_hours_are_read_as_minutes_of_seven_days() -> None:
    hours = parse_hours({"sat": ["22:00-24:00"], "mon": ["09:00-12:30", "12:30-18:00"]})
    none: tuple[tuple[int, int], ...] = ()
    assert hours.week == (((540, 750), (750, 1080)), none, none, none, none, ((1320, 1440),), none)
    again = parse_hours({"sun": [], "mon": ["09:00-12:30", "12:30-18:00"], "sat": ["22:00-24:00"]})
    assert hash(hours) == hash(again)


def test_nothing_written_is_always() -> None:
    assert parse_hours({}) == Hours()
    assert Hours().on(date(2026, 11, 22)) == ((0, 1440),)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ({"mon": ["9-17"]}, "mon: '9-17' is no shift; write 09:00-17:00"),
        ({"mon": ["9:00-17:00"]}, "mon: '9:00-17:00' is no shift; write 09:00-17:00"),
        ({"tue": ["09:00-17:60"]}, "tue: '09:00-17:60' is no shift; write 09:00-17:00"),
        ({"tue": ["09:00-25:00"]}, "tue: '09:00-25:00' is no shift; write 09:00-17:00"),
        ({"tue": ["24:00-24:00"]}, "tue: '24:00-24:00' is no shift; write 09:00-17:00"),
        ({"tue": ["22:00-24:30"]}, "tue: '22:00-24:30' is no shift; write 09:00-17:00"),
        ({"tue": ["09:00-17:00\n"]}, "is no shift"),
        ({"tue": ["٠٩:٠٠-١٧:٠٠"]}, "is no shift"),
        ({"wed": [""]}, "wed: '' is no shift; write 09:00-17:00"),
        ({"wed": "09:00-17:00"}, "is no list of shifts; write"),
        (
            {"fri": ["22:00-06:00"]},
            "fri: '22:00-06:00' does not end after it starts; over midnight",
        ),
        ({"fri": ["09:00-09:00"]}, "does not end after it starts"),
        ({"sat": ["13:00-14:00", "09:00-12:00"]}, "sat: '09:00-12:00' starts before the shift in"),
        ({"sat": ["09:00-12:00", "11:59-14:00"]}, "sat: '11:59-14:00' starts before the shift in"),
        ({"Monday": ["09:00-17:00"]}, "'Monday' is no weekday; write mon, tue, wed, thu, fri, sat"),
        ({"mon": [], "tue": []}, "no day has a shift; write at least one, or no days at all"),
    ],
)
def test_hours_that_cannot_be_are_turned_away_with_their_mend(
    written: dict[str, list[str]], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_hours(written)


# On duty or not


@pytest.mark.parametrize(
    ("now", "reason", "returns"),
    [
        # Monday in London, in winter.
        ("2026-11-23 08:59:59.999999", "outside_hours", "2026-11-23 09:00"),
        ("2026-11-23 09:00", None, "2026-11-23 09:00"),
        ("2026-11-23 12:29:59.999999", None, "2026-11-23 12:29:59.999999"),
        ("2026-11-23 12:30", "outside_hours", "2026-11-23 13:30"),
        ("2026-11-23 18:00", "outside_hours", "2026-11-24 09:00"),
        # Friday evening to Monday.
        ("2026-11-20 18:00", "outside_hours", "2026-11-23 09:00"),
        # Christmas on a Friday, and the Monday after it.
        ("2026-12-25 10:00", "holiday", "2026-12-29 09:00"),
        ("2026-12-27 10:00", "outside_hours", "2026-12-29 09:00"),
        # Leave over the end of a month and the leap day; it begins and ends at midnight.
        ("2028-02-24 18:00", "outside_hours", "2028-02-25 09:00"),
        ("2028-02-27 23:59:59.999999", "outside_hours", "2028-03-02 09:00"),
        ("2028-02-28 00:00", "on_leave", "2028-03-02 09:00"),
        ("2028-02-29 10:00", "on_leave", "2028-03-02 09:00"),
        ("2028-03-01 23:59:59.999999", "on_leave", "2028-03-02 09:00"),
        ("2028-03-02 00:00", "outside_hours", "2028-03-02 09:00"),
        # Leave, a holiday and a Sunday at once: leave comes first.
        ("2026-05-03 10:00", "on_leave", "2026-05-05 08:00"),
    ],
)
def test_on_duty_by_the_week_the_holidays_and_the_leave(
    now: str, reason: str | None, returns: str
) -> None:
    schedule = Schedule(
        "Europe/London",
        parse_hours(OFFICE),
        days("2026-05-03", "2026-12-25", "2026-12-28"),
        leave("2026-05-01/2026-05-04", "2028-02-28/2028-03-01"),
    )
    assert off_duty(schedule, at(now)) == reason
    assert next_on_duty(schedule, at(now)) == at(returns)


@pytest.mark.parametrize(
    ("zone", "shift", "now", "returns", "hours"),
    [
        # The shift begins in a skipped hour, so it begins when the gap is over.
        ("Europe/London", "01:30-04:00", "2026-03-29 00:00", "2026-03-29 01:00", 2),
        ("America/New_York", "02:15-04:00", "2026-03-08 06:00", "2026-03-08 07:00", 1),
        # The whole shift is skipped: the next one is tomorrow's.
        ("Europe/London", "01:00-02:00", "2026-03-29 00:00", "2026-03-30 00:00", 1),
        # Over the gap and over the fold: an hour less, an hour more.
        ("Europe/London", "00:30-04:00", "2026-03-29 00:00", "2026-03-29 00:30", 2.5),
        ("Europe/London", "00:30-04:00", "2026-10-24 23:00", "2026-10-24 23:30", 4.5),
        ("America/New_York", "00:00-23:00", "2026-11-01 03:30", "2026-11-01 04:00", 24),
        # Half an hour of daylight saving: 02:00 to 02:30 is skipped, 01:30 to 02:00 comes twice.
        ("Australia/Lord_Howe", "02:15-03:00", "2026-10-03 15:00", "2026-10-03 15:30", 0.5),
        ("Australia/Lord_Howe", "01:00-03:00", "2026-04-04 13:00", "2026-04-04 14:00", 2.5),
        # Days that do not begin at midnight, and one that ends twice.
        ("Africa/Cairo", "00:00-02:00", "2026-04-23 12:00", "2026-04-23 22:00", 1),
        ("Africa/Cairo", "23:00-24:00", "2026-10-29 12:00", "2026-10-29 20:00", 2),
        ("Asia/Beirut", "00:15-03:00", "2026-03-28 12:00", "2026-03-28 22:00", 2),
        ("America/Sao_Paulo", "00:00-03:00", "2018-11-03 12:00", "2018-11-04 03:00", 2),
        ("America/Sao_Paulo", "23:00-24:00", "2019-02-16 12:00", "2019-02-17 01:00", 2),
        # No daylight saving: offsets with odd minutes, and the largest ones.
        ("Asia/Kathmandu", "09:00-17:00", "2026-11-23 00:00", "2026-11-23 03:15", 8),
        ("Pacific/Kiritimati", "09:00-17:00", "2026-11-23 12:00", "2026-11-23 19:00", 8),
        ("Pacific/Niue", "09:00-17:00", "2026-11-23 12:00", "2026-11-23 20:00", 8),
        # Samoa skipped 30 December 2011.
        ("Pacific/Apia", "09:00-17:00", "2011-12-30 03:00", "2011-12-30 19:00", 8),
    ],
)
def test_a_shift_is_what_the_clock_on_the_wall_shows(
    zone: str, shift: str, now: str, returns: str, hours: float
) -> None:
    schedule = daily(zone, shift)
    begins, length = at(returns), HOUR * hours
    assert next_on_duty(schedule, at(now)) == begins
    assert off_duty(schedule, begins - MICROSECOND) == "outside_hours"
    assert off_duty(schedule, begins) is None
    assert working_time_after(schedule, at(now), length) == begins + length
    assert off_duty(schedule, begins + length - MICROSECOND) is None
    assert off_duty(schedule, begins + length) == "outside_hours"


def test_a_short_shift_in_the_repeated_hour_counts_both_times() -> None:
    schedule = daily("Europe/London", "01:15-01:45")
    assert next_on_duty(schedule, at("2026-10-25 00:00")) == at("2026-10-25 00:15")
    assert next_on_duty(schedule, at("2026-10-25 00:45")) == at("2026-10-25 01:15")
    assert working_time_after(schedule, at("2026-10-25 00:00"), HOUR) == at("2026-10-25 01:45")


def test_a_shift_over_midnight_is_two_that_meet() -> None:
    written = {"fri": ["22:00-24:00"], "sat": ["00:00-06:00"]}
    schedule = Schedule("Asia/Kuching", parse_hours(written))
    friday = at("2026-11-20 12:00")
    assert next_on_duty(schedule, friday) == at("2026-11-20 14:00")
    assert off_duty(schedule, at("2026-11-20 16:00")) is None
    assert working_time_after(schedule, friday, 8 * HOUR) == at("2026-11-20 22:00")
    assert working_time_after(schedule, friday, 8 * HOUR + MICROSECOND) == (
        at("2026-11-27 14:00") + MICROSECOND
    )


def test_somebody_without_hours_is_off_on_holidays_and_leave_alone() -> None:
    schedule = Schedule("Pacific/Kiritimati", holidays=days("2026-11-24"))
    assert off_duty(schedule, at("2026-11-23 09:59")) is None
    assert off_duty(schedule, at("2026-11-23 10:00")) == "holiday"
    assert next_on_duty(schedule, at("2026-11-23 10:00")) == at("2026-11-24 10:00")
    assert off_duty(Schedule("Pacific/Niue"), at("2026-11-23 10:00")) is None


def test_duty_further_off_than_400_days_is_none() -> None:
    now = at("2026-11-23 12:00")
    assert next_on_duty(Schedule("UTC", NEVER), now) is None
    assert working_time_after(Schedule("UTC", NEVER), now, HOUR) is None
    last = (now + HORIZON).date()
    on_leave = Schedule("UTC", leave=((now.date(), last - DAY),))
    assert next_on_duty(on_leave, now) == at(f"{last} 00:00")
    assert next_on_duty(Schedule("UTC", leave=((now.date(), last),)), now) is None
    # 400 days later it is noon.
    one = parse_hours(dict.fromkeys(WEEKDAYS, ("12:01-13:00",)))
    assert next_on_duty(Schedule("UTC", one, leave=on_leave.leave), now) is None
    assert next_on_duty(Schedule("UTC", one, leave=on_leave.leave), now + MINUTE) is None
    assert next_on_duty(Schedule("UTC", one, leave=on_leave.leave), now + 2 * MINUTE) == (
        at(f"{last} 12:01")
    )
    assert working_time_after(on_leave, now, 12 * HOUR) == now + HORIZON
    assert working_time_after(on_leave, now, 12 * HOUR + MICROSECOND) is None


@pytest.mark.parametrize("zone", ["Europe/Londn", "", "Europe", "../etc/passwd", "Mars/\0"])
def test_an_unknown_zone_is_named(zone: str) -> None:
    now = at("2026-11-23 12:00")
    for ask in (off_duty, next_on_duty):
        with pytest.raises(ValueError, match="is no time zone; write one such as Europe/London"):
            ask(Schedule(zone), now)
    with pytest.raises(ValueError, match="is no time zone"):
        week_of(zone, now)
    with pytest.raises(ValueError, match="is no time zone"):
        named("2026-W48", zone)


# Working time


@pytest.mark.parametrize(
    ("zone", "start", "hours", "ends"),
    [
        ("Europe/London", "2026-11-23 09:00", 0, "2026-11-23 09:00"),
        ("Europe/London", "2026-11-22 09:00", 0, "2026-11-22 09:00"),
        ("Europe/London", "2026-11-23 09:00", 3, "2026-11-23 12:00"),
        # A duration that exactly fills a shift ends with it; a minute more ends after lunch.
        ("Europe/London", "2026-11-23 09:00", 3.5, "2026-11-23 12:30"),
        ("Europe/London", "2026-11-23 09:00", 4, "2026-11-23 14:00"),
        ("Europe/London", "2026-11-23 12:45", 1, "2026-11-23 14:30"),
        # Over a weekend, over the end of summer time, over a holiday.
        ("Europe/London", "2026-11-20 17:00", 2, "2026-11-23 10:00"),
        ("Europe/London", "2026-10-23 16:00", 2, "2026-10-26 10:00"),
        ("Europe/London", "2026-12-24 17:00", 2, "2026-12-28 10:00"),
        # Two weeks of eight hours a day, in New York, over the start of summer time.
        ("America/New_York", "2026-03-02 14:00", 80, "2026-03-13 22:00"),
    ],
)
def test_the_clock_stops_outside_working_hours(
    zone: str, start: str, hours: float, ends: str
) -> None:
    schedule = Schedule(zone, parse_hours(OFFICE), days("2026-12-25"))
    assert working_time_after(schedule, at(start), HOUR * hours) == at(ends)


@given(
    start=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(ZONES),
    duration=st.timedeltas(timedelta(), HORIZON),
)
def test_the_clock_of_somebody_always_on_never_stops(
    start: datetime, zone: str, duration: timedelta
) -> None:
    assert working_time_after(Schedule(zone), start, duration) == start + duration
    assert next_on_duty(Schedule(zone), start) == start


# Duty compared with a walk, minute by minute, through the standard library's local time.

# Days on which the offset changes: an hour, half an hour, at midnight, over the date line.
MOVES = [
    ("Europe/London", "2026-03-29"),
    ("Europe/London", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-10-03"),
    ("Australia/Lord_Howe", "2026-04-04"),
    ("Asia/Kathmandu", "2026-11-23"),
    ("Africa/Cairo", "2026-04-24"),
    ("Africa/Cairo", "2026-10-29"),
    ("America/Sao_Paulo", "2018-11-04"),
    ("America/Sao_Paulo", "2019-02-17"),
    ("Asia/Beirut", "2026-03-28"),
    ("America/Havana", "2026-11-01"),
    ("America/Santiago", "2026-04-05"),
    ("America/St_Johns", "2010-11-07"),
    ("Pacific/Apia", "2011-12-30"),
    ("Pacific/Kwajalein", "1993-08-21"),
    ("Pacific/Kiritimati", "2026-11-23"),
    ("Pacific/Niue", "2026-11-23"),
    ("America/Toronto", "1919-03-31"),
]


def on_duty(schedule: Schedule, moment: datetime) -> bool:
    """Tell whether a rep is on duty, by local time alone."""
    wall = moment.astimezone(ZoneInfo(schedule.zone))
    return (
        not any(first <= wall.date() <= last for first, last in schedule.leave)
        and wall.date() not in schedule.holidays
        and any(
            opens <= wall.hour * 60 + wall.minute < closes
            for opens, closes in schedule.hours.on(wall.date())
        )
    )


def minutes(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += MINUTE


def minutes_of_duty(schedule: Schedule, start: datetime, end: datetime) -> int:
    return sum(on_duty(schedule, moment) for moment in minutes(start, end))


@st.composite
def week_hours(draw: st.DrawFn) -> Hours:
    """Return a strategy for hours: always, or shifts between ordered minutes, some at midnight."""
    marks = st.lists(
        st.sampled_from([0, 15, 30, 60, 75, 90, 105, 120, 150, 180, 540, 1080, 1380, 1410, 1440])
        | st.integers(0, 1440),
        max_size=6,
        unique=True,
    ).map(sorted)
    if draw(st.integers(0, 7)) == 0:
        return Hours()
    week = [draw(marks) for _ in WEEKDAYS]
    return Hours(tuple(tuple(zip(day[::2], day[1::2], strict=False)) for day in week))


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Schedule, datetime]:
    """Return a strategy for a schedule and a full minute near a change of the offset."""
    zone, day = draw(st.sampled_from(MOVES))
    noon = at(f"{day} 12:00")
    near = st.integers(-1, 2).map(lambda ahead: noon.date() + ahead * DAY)
    holidays = draw(st.frozensets(near, max_size=1))
    away = draw(st.lists(st.tuples(near, near).map(lambda pair: tuple(sorted(pair))), max_size=1))
    spans = tuple((first, last) for first, last in away)
    now = noon + draw(st.integers(-36 * 60, 24 * 60)) * MINUTE
    return Schedule(zone, draw(week_hours()), holidays, spans), now


def test_hours_are_written_as_they_are_read() -> None:
    written = {"mon": ["00:00-08:05", "13:30-18:00"], "sun": ["22:00-24:00"]}
    assert written_hours(parse_hours({**written, "fri": []})) == written
    assert written_hours(Hours()) == {}


@given(week_hours().filter(lambda hours: hours != NEVER))
def test_what_was_written_reads_as_the_same_hours(hours: Hours) -> None:
    assert parse_hours(written_hours(hours)) == hours


@settings(max_examples=150)
@given(schedules())
def test_the_next_instant_on_duty_is_the_first_one(case: tuple[Schedule, datetime]) -> None:
    schedule, now = case
    assert (off_duty(schedule, now) is None) == on_duty(schedule, now)
    walked = next((m for m in minutes(now, now + 3 * DAY) if on_duty(schedule, m)), None)
    begins = next_on_duty(schedule, now)
    if walked is None:
        assert begins is None or begins >= now + 3 * DAY
    else:
        assert begins == walked
    if begins is not None and begins > now:
        assert off_duty(schedule, begins) is None
        assert off_duty(schedule, begins - MICROSECOND) is not None


@settings(max_examples=150)
@given(case=schedules(), duration=st.integers(1, 2 * 24 * 60))
def test_working_time_is_so_many_minutes_of_duty(
    case: tuple[Schedule, datetime], duration: int
) -> None:
    schedule, start = case
    end = working_time_after(schedule, start, duration * MINUTE)
    limit = start + 3 * DAY
    if end is None or end > limit:
        assert minutes_of_duty(schedule, start, limit) < duration
    else:
        assert minutes_of_duty(schedule, start, end) == duration
        assert on_duty(schedule, end - MICROSECOND)


# Periods


@pytest.mark.parametrize(
    ("day", "zone", "start"),
    [
        ("2026-11-23", "UTC", "2026-11-23 00:00"),
        ("2026-11-23", "Pacific/Kiritimati", "2026-11-22 10:00"),
        ("2026-11-23", "Pacific/Pago_Pago", "2026-11-23 11:00"),
        ("2026-11-23", "Asia/Kathmandu", "2026-11-22 18:15"),
        # Midnight is skipped.
        ("2026-04-24", "Africa/Cairo", "2026-04-23 22:00"),
        ("2026-03-29", "Asia/Beirut", "2026-03-28 22:00"),
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04 03:00"),
        ("1919-03-31", "America/Toronto", "1919-03-31 04:30"),
        # Midnight comes twice: the day begins with the first, or with the second.
        ("2026-11-01", "America/Havana", "2026-11-01 04:00"),
        ("2010-11-07", "America/St_Johns", "2010-11-07 02:30"),
        ("2026-04-05", "America/Santiago", "2026-04-05 04:00"),
        # A skipped day begins and ends where the next begins.
        ("2011-12-30", "Pacific/Apia", "2011-12-30 10:00"),
        ("2011-12-31", "Pacific/Apia", "2011-12-30 10:00"),
    ],
)
def test_a_day_begins_at_the_first_instant_there_is(day: str, zone: str, start: str) -> None:
    assert day_start(date.fromisoformat(day), zone) == at(start)


@pytest.mark.parametrize(
    ("kind", "zone", "now", "name", "first", "last"),
    [
        ("day", "UTC", "2026-11-23 12:00", "2026-11-23", "2026-11-23", "2026-11-23"),
        ("day", "Pacific/Kiritimati", "2026-11-23 12:00", "2026-11-24", "2026-11-24", "2026-11-24"),
        ("day", "Pacific/Niue", "2026-11-23 10:59", "2026-11-22", "2026-11-22", "2026-11-22"),
        ("day", "UTC", "2028-02-29 23:59", "2028-02-29", "2028-02-29", "2028-02-29"),
        ("week", "UTC", "2026-11-22 23:59", "2026-W47", "2026-11-16", "2026-11-22"),
        ("week", "UTC", "2026-11-23 00:00", "2026-W48", "2026-11-23", "2026-11-29"),
        # ISO years do not end with calendar years.
        ("week", "UTC", "2027-01-01 00:00", "2026-W53", "2026-12-28", "2027-01-03"),
        ("week", "UTC", "2027-01-04 00:00", "2027-W01", "2027-01-04", "2027-01-10"),
        ("week", "UTC", "2024-12-30 00:00", "2025-W01", "2024-12-30", "2025-01-05"),
        ("month", "UTC", "2028-02-29 12:00", "2028-02", "2028-02-01", "2028-02-29"),
        ("month", "UTC", "2026-12-31 12:00", "2026-12", "2026-12-01", "2026-12-31"),
        ("month", "Pacific/Kiritimati", "2026-12-31 12:00", "2027-01", "2027-01-01", "2027-01-31"),
        ("month", "Pacific/Pago_Pago", "2027-01-01 10:59", "2026-12", "2026-12-01", "2026-12-31"),
        ("quarter", "UTC", "2026-03-31 12:00", "2026-Q1", "2026-01-01", "2026-03-31"),
        ("quarter", "UTC", "2026-04-01 00:00", "2026-Q2", "2026-04-01", "2026-06-30"),
        ("quarter", "UTC", "2026-12-31 12:00", "2026-Q4", "2026-10-01", "2026-12-31"),
        ("year", "Pacific/Kiritimati", "2026-12-31 10:00", "2027", "2027-01-01", "2027-12-31"),
        ("year", "Pacific/Pago_Pago", "2027-01-01 10:59", "2026", "2026-01-01", "2026-12-31"),
    ],
)
def test_a_period_has_a_name_and_local_days(
    kind: Kind, zone: str, now: str, name: str, first: str, last: str
) -> None:
    period = period_of(kind, zone, at(now))
    assert (period.name, f"{period.first_day}", f"{period.last_day}") == (name, first, last)
    assert period.start == day_start(period.first_day, zone)
    assert period.end == day_start(period.last_day + DAY, zone)
    assert named(name, zone) == period


@pytest.mark.parametrize(
    ("zone", "week", "hours"),
    [
        ("Europe/London", "2026-W13", 167),
        ("Europe/London", "2026-W43", 169),
        ("Europe/London", "2026-W48", 168),
        ("Australia/Lord_Howe", "2026-W14", 168.5),
        ("Africa/Cairo", "2026-W17", 167),
        ("Pacific/Apia", "2011-W52", 144),
    ],
)
def test_a_week_has_the_hours_its_clocks_give_it(zone: str, week: str, hours: float) -> None:
    period = named(week, zone)
    assert period.end - period.start == HOUR * hours


def test_each_kind_has_its_function() -> None:
    now = at("2026-11-23 12:00")
    assert [f("UTC", now).name for f in (day_of, week_of)] == ["2026-11-23", "2026-W48"]
    names = [period_of(kind, "UTC", now).name for kind in ("month", "quarter")]
    assert names == ["2026-11", "2026-Q4"]


@pytest.mark.parametrize(
    ("kind", "zone", "now", "name"),
    [
        ("day", "UTC", "2026-03-01 00:00", "2026-02-28"),
        ("day", "Pacific/Kiritimati", "2026-11-23 12:00", "2026-11-23"),
        ("week", "UTC", "2027-01-04 00:00", "2026-W53"),
        ("week", "UTC", "2027-01-03 23:59:59.999999", "2026-W52"),
        ("month", "UTC", "2027-01-31 12:00", "2026-12"),
        ("quarter", "UTC", "2027-02-28 12:00", "2026-Q4"),
        ("year", "UTC", "2027-12-31 12:00", "2026"),
        # The day that Samoa skipped ends as soon as it would begin.
        ("day", "Pacific/Apia", "2011-12-30 10:00", "2011-12-30"),
    ],
)
def test_the_last_completed_period_is_the_one_before(
    kind: Kind, zone: str, now: str, name: str
) -> None:
    assert last_completed(kind, zone, at(now)) == named(name, zone)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "202",
        "0000",
        "2026-",
        "2026-W00",
        "2025-W53",
        "2026-W54",
        "2026-W1",
        "2026-w48",
        "2026-Q0",
        "2026-Q5",
        "2026-13",
        "2026-00",
        "2027-02-29",
        "2026-11-00",
        "2026-W48-1",
        "20261123",
        "2026-11-23\n",
        "２０２６-11",
        "0000-01",
        "0001-01-01",
        "9999-12",
    ],
)
def test_a_name_of_no_period_is_turned_away(name: str) -> None:
    with pytest.raises(ValueError, match="is no period; write a day as 2026-11-23, a week as"):
        named(name, "Europe/London")


moments = st.datetimes(datetime(1970, 1, 3), datetime(2037, 12, 1), timezones=st.just(UTC))


@example(kind="day", zone="America/St_Johns", now=at("2010-11-07 03:00"))
@example(kind="day", zone="Pacific/Apia", now=at("2011-12-30 09:59"))
@example(kind="week", zone="America/Havana", now=at("2026-11-01 04:30"))
@given(kind=st.sampled_from(KINDS), zone=st.sampled_from(ZONES), now=moments)
def test_periods_follow_each_other_without_gap_or_overlap(
    kind: Kind, zone: str, now: datetime
) -> None:
    period = period_of(kind, zone, now)
    assert period.start <= now < period.end
    assert named(period.name, zone) == period
    before, after = last_completed(kind, zone, now), period_of(kind, zone, period.end)
    assert before.end == period.start
    assert before.last_day + DAY == period.first_day
    assert after.start == period.end
    for instant in (period.start, period.end - MICROSECOND):
        assert period_of(kind, zone, instant) == period
    assert_days_tile(period, zone)


def assert_days_tile(period: Period, zone: str) -> None:
    """A period is exactly its days, one after another."""
    day, reached = period.first_day, period.start
    while day <= period.last_day:
        this = named(f"{day}", zone)
        assert this.start == reached
        assert this.start <= this.end
        day, reached = day + DAY, this.end
    assert reached == period.end


@example(zone="America/Toronto", day=date(1919, 3, 31))
@given(zone=st.sampled_from(ZONES), day=st.dates(date(1970, 1, 3), date(2037, 12, 1)))
def test_before_a_day_begins_the_clock_shows_an_earlier_one(zone: str, day: date) -> None:
    start = day_start(day, zone)
    assert start.tzinfo is UTC
    assert start.astimezone(ZoneInfo(zone)).date() >= day
    assert (start - MICROSECOND).astimezone(ZoneInfo(zone)).date() < day
