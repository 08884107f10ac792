"""Names of periods: 2026-11-23, 2026-W48, 2026-11, 2026-Q4, 2026 and `all`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

from dibs.core.calendar import Kind, named

ALL = "all"


def kind_of(period: str) -> Kind | Literal["all"]:
    """Return the kind of a period by its name, such as `week` for 2026-W48."""
    if period == ALL:
        return "all"
    if "W" in period or "Q" in period:
        return "week" if "W" in period else "quarter"
    if len(period) == 4:
        return "year"
    return "day" if len(period) == 10 else "month"


def periods(day: str) -> tuple[str, ...]:
    """Return the names of the day, week, month and quarter of a local day, and `all` (G3)."""
    local = date.fromisoformat(day)
    year, week, _ = local.isocalendar()
    quarter = (local.month + 2) // 3
    return day, f"{year:04}-W{week:02}", day[:7], f"{local.year:04}-Q{quarter}", ALL


def months(first: date, last: date) -> Iterator[date]:
    """Yield the first day of each month from that of `first` to that of `last`."""
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = (month + timedelta(days=31)).replace(day=1)


def span(period: str) -> tuple[date, date]:
    """Return the first and the last day of a period."""
    of = named(period, "UTC")
    return of.first_day, of.last_day


def covering(first: date, last: date) -> list[str]:
    """Return, in order, few periods that cover the days from `first` to `last`, inclusive."""
    names, day = [], first
    while day <= last:
        # Try the longest first: quarter, month, week, and the day, which always fits.
        *shorter, quarter, _ = periods(day.isoformat())
        for name in (quarter, *reversed(shorter)):
            start, end = span(name)
            if start == day and end <= last:
                names.append(name)
                day = end + timedelta(days=1)
                break
    return names
