"""A series of contests follows a calendar; each of its contests stands by itself (G12).

Each day, each week, each calendar month or quarter has its contest. Weekdays say which days have
one, or from which to which day a week's contest runs; times and zone are those of the contest. A
period that begins before the first day of the series, or after its last, has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from dibs.core.calendar import WEEKDAYS
from dibs.core.periods import kind_of, periods, span
from dibs.game.contests.rules import Contest, ContestTimes, times_of
from dibs.rules.playbook import Playbook

AHEAD = timedelta(days=28)
"""The next contest of a series is set up so long before it begins."""
LONGEST_ID = 48
"""Room is left in a contest's id for its period."""

_DAY = timedelta(days=1)

Every = Literal["day", "week", "month", "quarter"]


@dataclass(frozen=True)
class Repeats:
    """How often a contest recurs, and on which weekdays, such as `mon`; all where none is named."""

    every: Every
    weekdays: tuple[str, ...] = ()
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012


@dataclass(frozen=True)
class Series:
    """A contest that recurs. Its `contest` has the id of the series; the first and the last day are
    those between which its contests begin."""

    contest: Contest
    repeats: Repeats
    by: str = ""
    cancelled: bool = False

    @property
    def series_id(self) -> str:
        return self.contest.contest_id

    @property
    def author(self) -> str:
        """Who is named as having set up its contests."""
        return f"series/{self.series_id}"


def contest_on(series: Series, day: date) -> Contest | None:
    """Return the contest of the period that a day is in; None where there is none."""
    repeats = series.repeats
    period = next(name for name in periods(day.isoformat()) if kind_of(name) == repeats.every)
    first, last = span(period)
    chosen = sorted(WEEKDAYS.index(name) for name in repeats.weekdays)
    if repeats.every == "day" and chosen and first.weekday() not in chosen:
        return None
    if repeats.every == "week" and chosen:
        first, last = first + chosen[0] * _DAY, first + chosen[-1] * _DAY
    if not series.contest.first_day <= first <= series.contest.last_day:
        return None
    contest_id = f"{series.series_id}-{period}"
    return replace(series.contest, contest_id=contest_id, first_day=first, last_day=last)


def contests_from(series: Series, first: date, last: date) -> Iterator[Contest]:
    """Yield the contests of the periods that the days from `first` to `last` are in, in order."""
    seen, day = "", first
    while day <= last:
        contest = contest_on(series, day)
        if contest is not None and contest.contest_id != seen:
            seen = contest.contest_id
            yield contest
        day += _DAY


def due(series: Series, playbook: Playbook, as_of: datetime) -> list[tuple[Contest, ContestTimes]]:
    """Return the contests of a series that are on, and the next one."""
    found: list[tuple[Contest, ContestTimes]] = []
    today = as_of.date()
    for contest in contests_from(series, today - _DAY, (as_of + AHEAD).date()):
        times = times_of(contest, playbook)
        if times.ends_at > as_of:
            found.append((contest, times))
        if times.opens_at > as_of:
            break
    return found
