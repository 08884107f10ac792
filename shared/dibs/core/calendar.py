"""Local time: when a rep is on duty (R8), how much working time has passed (C11), and the days,
weeks and months of a time zone (O1).

Every instant is an aware UTC datetime and every zone an IANA name. Shifts are in local time. The
hour that autumn repeats counts twice. The hour that spring skips does not count; a shift that
would begin in it begins when it is over.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache, partial
from typing import Literal
from zoneinfo import ZoneInfo

from dibs.core.values import dataclass

OffDuty = Literal["on_leave", "holiday", "outside_hours"]
Kind = Literal["day", "week", "month", "quarter", "year"]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# How far ahead we look for duty: a year of leave and a little more.
HORIZON = timedelta(days=400)

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_SHIFT = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")
_NAME = re.compile(r"([0-9]{4})(?:-(?:W([0-9]{2})|Q([1-4])|([0-9]{2})(?:-([0-9]{2}))?))?")


@dataclass(frozen=True)
class Hours:
    """Weekly working hours (R8): per day from Monday, its shifts in minutes since local midnight.

    An empty week means always on duty.
    """

    week: tuple[tuple[tuple[int, int], ...], ...] = ()

    def on(self, day: date) -> tuple[tuple[int, int], ...]:
        """Return the shifts of a local day, in order: first minute, and first minute after it."""
        return self.week[day.weekday()] if self.week else ((0, 1440),)


@dataclass(frozen=True)
class Schedule:
    """When a rep is on duty (R8). `leave` holds first and last days, inclusive, in the zone."""

    zone: str
    hours: Hours = Hours()
    holidays: frozenset[date] = frozenset()
    leave: tuple[tuple[date, date], ...] = ()


@dataclass(frozen=True)
class Period:
    """A local day, ISO week, month, quarter or year (O1): 2026-11-23, 2026-W48, 2026-11, 2026-Q4,
    2026.

    `start` is inclusive, `end` is the first instant after it.
    """

    name: str
    start: datetime
    end: datetime
    first_day: date
    last_day: date


def parse_hours(written: Mapping[str, Sequence[str]]) -> Hours:
    """Parse weekly hours such as `{"mon": ["09:00-12:30", "13:30-18:00"]}` (R8).

    A day that is not named is off. An empty mapping means always on duty.

    Raises:
        ValueError: names the first mistake and says how to correct it.
    """
    if not written:
        return Hours()
    for name in written:
        if name not in WEEKDAYS:
            raise ValueError(f"{name!r} is no weekday; write {', '.join(WEEKDAYS)}")
    week = tuple(_shifts(name, written.get(name, ())) for name in WEEKDAYS)
    if not any(week):
        raise ValueError("no day has a shift; write at least one, or no days at all for always")
    return Hours(week)


def written_hours(hours: Hours) -> dict[str, list[str]]:
    """Return hours in the form that `parse_hours` reads (R8)."""
    return {
        name: [f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in shifts]
        for name, shifts in zip(WEEKDAYS, hours.week, strict=False)
        if shifts
    }


def off_duty(schedule: Schedule, now: datetime) -> OffDuty | None:
    """Return why a rep is off duty, None when on duty (R8). Leave comes before a holiday, a
    holiday before the hours."""
    local = now.astimezone(_zone(schedule.zone))
    day, minute = local.date(), local.hour * 60 + local.minute
    reason = _day_off(schedule, day)
    if reason is None and not any(a <= minute < b for a, b in schedule.hours.on(day)):
        return "outside_hours"
    return reason


def next_on_duty(schedule: Schedule, now: datetime) -> datetime | None:
    """Return the first instant on duty from `now` on (R8); None if not within 400 days."""
    return next((start for start, _ in _duty(schedule, now)), None)


def working_time_after(schedule: Schedule, start: datetime, duration: timedelta) -> datetime | None:
    """Return when `duration` of working time has passed since `start` (C11).

    A duration that exactly fills a shift ends with that shift, a duration of zero ends at `start`.
    None if it has not passed within 400 days.
    """
    if duration <= timedelta():
        return start
    for begins, ends in _duty(schedule, start):
        if begins + duration <= ends:
            return begins + duration
        duration -= ends - begins
    return None


def duty_between(schedule: Schedule, start: datetime, end: datetime) -> timedelta:
    """Return the working time from `start` to `end`, which may be at most 400 days later."""
    passed = timedelta()
    for begins, ends in _duty(schedule, start):
        if begins >= end:
            break
        passed += min(ends, end) - begins
    return passed


def clock_shows(
    zone: str, day: date, first: int, last: int
) -> tuple[tuple[datetime, datetime], ...]:
    """Return, in UTC, when local time is between the minutes `first` and `last` of a day.

    That is one interval; two for an hour that autumn repeats, none for an hour that spring skips.
    """
    intervals: list[tuple[datetime, datetime]] = []
    for utc_day in (day - _DAY, day, day + _DAY):
        for start, end, offset in _stretches(zone, utc_day):
            midnight = datetime.combine(day, time(), UTC) - offset
            begins = max(start, midnight + timedelta(minutes=first))
            ends = min(end, midnight + timedelta(minutes=last))
            if begins < ends and intervals and intervals[-1][1] == begins:
                intervals[-1] = intervals[-1][0], ends
            elif begins < ends:
                intervals.append((begins, ends))
    return tuple(intervals)


@lru_cache(maxsize=4096)
def day_start(day: date, zone: str) -> datetime:
    """Return the first instant of a local day: midnight, or the first time after it that exists.

    A day that a zone skipped (Samoa, 30 December 2011) starts and ends where the next day starts.
    """
    midnight = datetime.combine(day, time(), UTC)
    return next(
        max(start, midnight - offset)
        for utc_day in (day - _DAY, day)
        for start, end, offset in _stretches(zone, utc_day)
        if midnight - offset < end
    )


def period_of(kind: Kind, zone: str, now: datetime) -> Period:
    """Return the zone's day, ISO week, month, quarter or year that `now` is in (O1)."""
    day = now.astimezone(_zone(zone)).date()
    # When the clock goes back over midnight (Newfoundland until 2010), the old date is shown again.
    # We stay on the new day, or two days would share an hour.
    return _period(kind, zone, day + _DAY if day_start(day + _DAY, zone) <= now else day)


day_of = partial(period_of, "day")
week_of = partial(period_of, "week")


def last_completed(kind: Kind, zone: str, now: datetime) -> Period:
    """Return the latest period that ended before `now` (O1)."""
    return _period(kind, zone, period_of(kind, zone, now).first_day - _DAY)


def named(name: str, zone: str) -> Period:
    """Return the period of that name in a zone (O1).

    Raises:
        ValueError: when there is no such period.
    """
    _zone(zone)
    match = _NAME.fullmatch(name)
    try:
        if match:
            year, week, quarter, month, day = (int(part or 0) for part in match.groups())
            if match[2]:
                return _period("week", zone, date.fromisocalendar(year, week, 1))
            if match[3]:
                return _period("quarter", zone, date(year, quarter * 3, 1))
            if match[5]:
                return _period("day", zone, date(year, month, day))
            if match[4]:
                return _period("month", zone, date(year, month, 1))
            return _period("year", zone, date(year, 1, 1))
    except (ValueError, OverflowError):
        pass  # there is no such day, or Python's calendar ends before it
    raise ValueError(
        f"{name!r} is no period; write a day as 2026-11-23, a week as 2026-W48, "
        "a month as 2026-11, a quarter as 2026-Q4, a year as 2026"
    )


def _shifts(weekday: str, written: Sequence[str]) -> tuple[tuple[int, int], ...]:
    if isinstance(written, str):
        raise ValueError(f'{weekday}: {written!r} is no list of shifts; write ["09:00-17:00"]')
    shifts: list[tuple[int, int]] = []
    for text in written:
        match = _SHIFT.fullmatch(text)
        if not match:
            raise ValueError(f"{weekday}: {text!r} is no shift; write 09:00-17:00")
        hour, minute, end_hour, end_minute = (int(part or 0) for part in match.groups())
        opens, closes = hour * 60 + minute, (end_hour * 60 + end_minute if match[3] else 1440)
        if closes <= opens:
            raise ValueError(
                f"{weekday}: {text!r} does not end after it starts; over midnight write two "
                "shifts, one up to 24:00 and on the next day one from 00:00"
            )
        if shifts and opens < shifts[-1][1]:
            raise ValueError(
                f"{weekday}: {text!r} starts before the shift in front of it ends; "
                "write shifts in order and without overlap"
            )
        shifts.append((opens, closes))
    return tuple(shifts)


@cache
def _zone(name: str) -> ZoneInfo:
    # ZoneInfo's own cache is sure to keep only eight zones, and a bad name may raise OSError.
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write one such as Europe/London") from None


def _day_off(schedule: Schedule, day: date) -> OffDuty | None:
    for first, last in schedule.leave:
        if first <= day <= last:
            return "on_leave"
    return "holiday" if day in schedule.holidays else None


def _duty(schedule: Schedule, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the start and end of each time on duty from `now` on, for 400 days."""
    until = now + HORIZON
    for ahead in range(HORIZON.days + 1):
        utc_day = now.date() + ahead * _DAY
        for day, start, end in _shifts_within(schedule.zone, schedule.hours, utc_day):
            if now < end and start < until and _day_off(schedule, day) is None:
                yield max(now, start), min(end, until)


# Reps of a team share zone and hours, so most reps of a wave are answered from this cache.
@lru_cache(maxsize=16_384)
def _shifts_within(
    zone: str, hours: Hours, utc_day: date
) -> tuple[tuple[date, datetime, datetime], ...]:
    """Return the parts of shifts within a UTC day, in order: local day, start and end in UTC."""
    parts = []
    for start, end, offset in _stretches(zone, utc_day):
        for day in sorted({(start + offset).date(), (end + offset).date()}):
            midnight = datetime.combine(day, time(), UTC) - offset
            for opens, closes in hours.on(day):
                begins = max(start, midnight + timedelta(minutes=opens))
                ends = min(end, midnight + timedelta(minutes=closes))
                if begins < ends:
                    parts.append((day, begins, ends))
    return tuple(parts)


@lru_cache(maxsize=16_384)
def _stretches(zone: str, utc_day: date) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """Split a UTC day where the zone's UTC offset changes: start, end and offset of each part.

    No zone has ever changed its offset twice in one UTC day, and none within a second.
    """
    start = datetime.combine(utc_day, time(), UTC)
    end = start + _DAY
    tz = _zone(zone)

    def offset(second: int) -> timedelta:
        moment = start + second * _SECOND
        return moment.astimezone(tz).replace(tzinfo=UTC) - moment

    before, after = offset(0), offset(86_399)
    if before == after:
        return ((start, end, before),)
    change = start + _SECOND * bisect_left(
        range(86_400), True, key=lambda second: offset(second) != before
    )
    return (start, change, before), (change, end, after)


def _period(kind: Kind, zone: str, day: date) -> Period:
    """Return the period a local day is in."""
    if kind == "day":
        first, after, name = day, day + _DAY, f"{day}"
    elif kind == "week":
        year, week, weekday = day.isocalendar()
        first = day - (weekday - 1) * _DAY
        after, name = first + 7 * _DAY, f"{year:04}-W{week:02}"
    elif kind == "month":
        first = day.replace(day=1)
        after, name = _months_after(first, 1), f"{day}"[:7]
    elif kind == "year":
        first = date(day.year, 1, 1)
        after, name = _months_after(first, 12), f"{day.year:04}"
    else:
        quarter = (day.month - 1) // 3
        first = date(day.year, quarter * 3 + 1, 1)
        after, name = _months_after(first, 3), f"{day.year:04}-Q{quarter + 1}"
    return Period(name, day_start(first, zone), day_start(after, zone), first, after - _DAY)


def _months_after(first: date, months: int) -> date:
    return date(
        first.year + (first.month + months - 1) // 12, (first.month + months - 1) % 12 + 1, 1
    )
