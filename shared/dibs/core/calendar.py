"""Local time: when somebody is on duty (R8), how long duty has lasted (C11), which days, weeks
and months there were (O1).

Every instant is an aware UTC datetime and every zone an IANA name. A shift means what a clock on
the wall of that zone shows: in the hour that autumn repeats it counts both times, in the hour that
spring leaves out it does not count, and a shift that begins in that hour begins when it is over.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache, partial
from typing import Literal
from zoneinfo import ZoneInfo

OffDuty = Literal["on_leave", "holiday", "outside_hours"]
Kind = Literal["day", "week", "month", "quarter", "year"]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# How far ahead duty is looked for: a year's leave, and then some.
HORIZON = timedelta(days=400)

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_SHIFT = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")
_NAME = re.compile(r"([0-9]{4})(?:-(?:W([0-9]{2})|Q([1-4])|([0-9]{2})(?:-([0-9]{2}))?))?")


@dataclass(frozen=True)
class Hours:
    """Weekly hours (R8): seven days from Monday, each its shifts as minutes since local midnight.

    An empty week is always.
    """

    week: tuple[tuple[tuple[int, int], ...], ...] = ()

    def on(self, day: date) -> tuple[tuple[int, int], ...]:
        """Return the shifts of a local day, in order: first minute, and the first one after."""
        return self.week[day.weekday()] if self.week else ((0, 1440),)


@dataclass(frozen=True)
class Schedule:
    """When somebody is on duty (R8). `leave` is first and last days, inclusive, in the zone."""

    zone: str
    hours: Hours = Hours()
    holidays: frozenset[date] = frozenset()
    leave: tuple[tuple[date, date], ...] = ()


@dataclass(frozen=True)
class Period:
    """A local day, ISO week, month, quarter or year (O1): 2026-11-23, 2026-W48, 2026-11, 2026-Q4,
    2026.

    `end` is the first instant after it; `last_day` is its last day.
    """

    name: str
    start: datetime
    end: datetime
    first_day: date
    last_day: date


def parse_hours(written: Mapping[str, Sequence[str]]) -> Hours:
    """Read weekly hours as files have them: `{"mon": ["09:00-12:30", "13:30-18:00"]}` (R8).

    A day not named is off; nothing written is always.

    Raises:
        ValueError: names the first thing that is wrong and says how to mend it.
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
    """Return hours as `parse_hours` reads them: days with a shift; nothing is always (R8)."""
    return {
        name: [f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in shifts]
        for name, shifts in zip(WEEKDAYS, hours.week, strict=False)
        if shifts
    }


def off_duty(schedule: Schedule, now: datetime) -> OffDuty | None:
    """Return why somebody is off duty, the longest-lasting reason first; None when on duty (R8)."""
    local = now.astimezone(_zone(schedule.zone))
    day, minute = local.date(), local.hour * 60 + local.minute
    reason = _day_off(schedule, day)
    if reason is None and not any(a <= minute < b for a, b in schedule.hours.on(day)):
        return "outside_hours"
    return reason


def next_on_duty(schedule: Schedule, now: datetime) -> datetime | None:
    """Return the first instant from `now` on that is on duty, to the microsecond (R8).

    None where there is none within 400 days.
    """
    return next((start for start, _ in _duty(schedule, now)), None)


def working_time_after(schedule: Schedule, start: datetime, duration: timedelta) -> datetime | None:
    """Return the earliest instant by which `duration` of duty has passed since `start` (C11).

    A duration that a shift just fills ends with that shift; none at all ends at `start`. None where
    it has not passed within 400 days.
    """
    if duration <= timedelta():
        return start
    for begins, ends in _duty(schedule, start):
        if begins + duration <= ends:
            return begins + duration
        duration -= ends - begins
    return None


def duty_between(schedule: Schedule, start: datetime, end: datetime) -> timedelta:
    """Return how much duty there is from `start` to `end`, which is within 400 days of it."""
    passed = timedelta()
    for begins, ends in _duty(schedule, start):
        if begins >= end:
            break
        passed += min(ends, end) - begins
    return passed


def clock_shows(
    zone: str, day: date, first: int, last: int
) -> tuple[tuple[datetime, datetime], ...]:
    """Return when a clock on the wall shows the minutes from `first` to `last` of a local day.

    In UTC: one stretch, two in the hour that autumn repeats, none in the hour spring leaves out.
    """
    found: list[tuple[datetime, datetime]] = []
    for utc_day in (day - _DAY, day, day + _DAY):
        for start, end, offset in _stretches(zone, utc_day):
            midnight = datetime.combine(day, time(), UTC) - offset
            begins = max(start, midnight + timedelta(minutes=first))
            ends = min(end, midnight + timedelta(minutes=last))
            if begins < ends and found and found[-1][1] == begins:
                found[-1] = found[-1][0], ends
            elif begins < ends:
                found.append((begins, ends))
    return tuple(found)


@lru_cache(maxsize=4096)
def day_start(day: date, zone: str) -> datetime:
    """Return the first instant of a local day: midnight, or what the clock shows in its place.

    A day that a zone left out (Samoa, 30 December 2011) starts and ends where the next one starts.
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
    # A clock put back over midnight (Newfoundland until 2010) shows the old date once more; the new
    # day has begun all the same, or two days would share an hour.
    return _period(kind, zone, day + _DAY if day_start(day + _DAY, zone) <= now else day)


day_of = partial(period_of, "day")
week_of = partial(period_of, "week")


def last_completed(kind: Kind, zone: str, now: datetime) -> Period:
    """Return the period before the one that `now` is in (O1)."""
    return _period(kind, zone, period_of(kind, zone, now).first_day - _DAY)


def named(name: str, zone: str) -> Period:
    """Return the period of that name in a zone (O1).

    Raises:
        ValueError: when there is no such period.
    """
    _zone(zone)
    found = _NAME.fullmatch(name)
    try:
        if found:
            year, week, quarter, month, day = (int(part or 0) for part in found.groups())
            if found[2]:
                return _period("week", zone, date.fromisocalendar(year, week, 1))
            if found[3]:
                return _period("quarter", zone, date(year, quarter * 3, 1))
            if found[5]:
                return _period("day", zone, date(year, month, day))
            if found[4]:
                return _period("month", zone, date(year, month, 1))
            return _period("year", zone, date(year, 1, 1))
    except (ValueError, OverflowError):
        pass  # The calendar has no such day, or ends there.
    raise ValueError(
        f"{name!r} is no period; write a day as 2026-11-23, a week as 2026-W48, "
        "a month as 2026-11, a quarter as 2026-Q4, a year as 2026"
    )


def _shifts(weekday: str, written: Sequence[str]) -> tuple[tuple[int, int], ...]:
    if isinstance(written, str):
        raise ValueError(f'{weekday}: {written!r} is no list of shifts; write ["09:00-17:00"]')
    shifts: list[tuple[int, int]] = []
    for text in written:
        found = _SHIFT.fullmatch(text)
        if not found:
            raise ValueError(f"{weekday}: {text!r} is no shift; write 09:00-17:00")
        hour, minute, end_hour, end_minute = (int(part or 0) for part in found.groups())
        opens, closes = hour * 60 + minute, (end_hour * 60 + end_minute if found[3] else 1440)
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
    # ZoneInfo keeps only the last eight for certain, and fails in as many ways as files do.
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
    """Yield what is left of each stretch of duty from `now` on, for 400 days."""
    until = now + HORIZON
    for ahead in range(HORIZON.days + 1):
        utc_day = now.date() + ahead * _DAY
        for day, start, end in _shifts_within(schedule.zone, schedule.hours, utc_day):
            if now < end and start < until and _day_off(schedule, day) is None:
                yield max(now, start), min(end, until)


# One for each zone, hours and day: reps of a team share them, so most of a wave is looked up.
@lru_cache(maxsize=16_384)
def _shifts_within(
    zone: str, hours: Hours, utc_day: date
) -> tuple[tuple[date, datetime, datetime], ...]:
    """Return what a UTC day holds of each shift, in order: its local day, start and end in UTC."""
    found = []
    for start, end, offset in _stretches(zone, utc_day):
        for day in sorted({(start + offset).date(), (end + offset).date()}):
            midnight = datetime.combine(day, time(), UTC) - offset
            for opens, closes in hours.on(day):
                begins = max(start, midnight + timedelta(minutes=opens))
                ends = min(end, midnight + timedelta(minutes=closes))
                if begins < ends:
                    found.append((day, begins, ends))
    return tuple(found)


@lru_cache(maxsize=16_384)
def _stretches(zone: str, utc_day: date) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """Cut a UTC day where the zone's clock is moved: start, end, and what local time is ahead.

    No zone has ever moved its clock twice in one UTC day, and none within a second.
    """
    start = datetime.combine(utc_day, time(), UTC)
    end = start + _DAY
    tz = _zone(zone)

    def ahead(second: int) -> timedelta:
        moment = start + second * _SECOND
        return moment.astimezone(tz).replace(tzinfo=UTC) - moment

    before, after = ahead(0), ahead(86_399)
    if before == after:
        return ((start, end, before),)
    moved = start + _SECOND * bisect_left(
        range(86_400), True, key=lambda second: ahead(second) != before
    )
    return (start, moved, before), (moved, end, after)


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
