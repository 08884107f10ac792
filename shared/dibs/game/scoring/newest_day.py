"""A rep's newest day is counted by itself, and added to longer periods when a newer one begins.

An activity is nearly always of the rep's newest day. So it changes one stored total, not five: the
day's. What a rep came to in a week is the week's total, and the newest day where that is in the
week. A day that is not the newest is in the totals of all its periods.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dibs.core.periods import periods

Counts = Mapping[str, int]
"""Counts of one rep, by team and name."""


@dataclass(frozen=True)
class NewestDay:
    """A rep's newest day, as it is stored.

    `version` counts its changes, `closed` how many days came before it; `before` is the last one.
    """

    day: str
    counts: Counts = field(default_factory=dict)
    version: int = 0
    closed: int = 0
    before: str = ""


@dataclass(frozen=True)
class Move:
    """The changes that new counts make to what is stored of a rep.

    `newest` is added to the newest day, which is `day`; empty where that does not change. `begins`
    says that this day is new: the one before it is then among `totals`, and `closed` counts it.
    """

    day: str
    newest: Counts | None
    totals: Mapping[str, Counts]
    begins: bool = False
    closed: bool = False


def move(known: NewestDay | None, news: Mapping[str, Counts]) -> Move:
    """Return where new counts of one rep go, by day."""
    day = max((*news, *([known.day] if known else [])))
    begins = known is None or known.day != day
    closing = known if known is not None and begins else None
    totals = dict[str, dict[str, int]]()
    for of, counts in news.items():
        if of != day:
            _add(totals, of, counts)
    if closing is not None:
        _add(totals, closing.day, closing.counts)
    return Move(day, news.get(day), totals, begins, closing is not None)


def in_all_periods(news: Mapping[str, Counts]) -> dict[str, dict[str, int]]:
    """Return new counts of one rep by the periods they are in, as of days that are not newest."""
    totals = dict[str, dict[str, int]]()
    for day, counts in news.items():
        _add(totals, day, counts)
    return totals


def adds_to(newest: NewestDay | None, period: str) -> bool:
    """Return whether a period's total lacks the newest day, which has to be added to it."""
    return newest is not None and period in periods(newest.day)


def belong_together(newest: NewestDay | None, period: str, closed: int) -> bool:
    """Return whether a total and a newest day, read one after the other, are of one moment.

    `closed` is how many days the rep had closed when one was last added to this total.
    """
    if newest is None:
        return closed == 0
    if newest.before and period in periods(newest.before):
        return closed == newest.closed
    return closed <= newest.closed


def _add(totals: dict[str, dict[str, int]], day: str, counts: Counts) -> None:
    for period in periods(day):
        into = totals.setdefault(period, {})
        for name, number in counts.items():
            into[name] = into.get(name, 0) + number
