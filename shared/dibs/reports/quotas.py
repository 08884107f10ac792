"""Each month, a rep's attainment of their target sets how many leads a week they may take (M4).

Pure. Whole numbers and fractions only, so that exactly on target is on target.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Literal

from dibs.ledger.entries import Entry
from dibs.ledger.outcomes import revenue, standing
from dibs.rules.rules import QuotaRules

LARGEST_TARGET = 10**15


def achieved(
    entries: Iterable[Entry],
    measure: Literal["revenue", "won"],
    currency: str,
    start: datetime,
    end: datetime,
) -> int:
    """Return what the entries of [start, end) add up to, in the quota's measure (M4).

    Either the number of leads won, or the revenue of won, upsell and cross-sell in the smallest
    unit of `currency`. Other currencies and sales without an amount do not count.
    """
    in_period = [entry for entry in standing(entries) if start <= entry.at < end]
    if measure == "won":
        return sum(entry.kind == "won" for entry in in_period)
    return sum(revenue(entry, currency) for entry in in_period)


def allowance(attainment: Fraction | None, rules: QuotaRules) -> int:
    """Return the leads a week for an attainment. 1 is on target; None, no target, gets the base.

    A band begins exactly at its percent. Rounded down: 25 % more than 10 is 12.
    """
    reached = [
        (band.from_percent, band.more_percent)
        for band in rules.bands
        if attainment is not None and attainment * 100 >= band.from_percent
    ]
    _, more = max(reached, default=(0, 0))
    return rules.base_per_week * (100 + more) // 100


def attainment(
    achieved: int, target: int | None, worked_days: int, days_in_month: int
) -> Fraction | None:
    """Return achieved divided by target, the target pro rata for the days worked of the month.

    `achieved` and `target` are in the same unit. None without a target or without a day worked.
    """
    if target is None or target <= 0 or worked_days <= 0:
        return None
    return Fraction(achieved * days_in_month, target * worked_days)


def worked_days(month_first: date, joined: date | None, left: date | None) -> tuple[int, int]:
    """Return on how many calendar days of a month a rep was employed, and how many it has.

    `month_first` is the first day of the month, `left` the last day worked. `joined` is None for
    long ago, `left` for not yet.
    """
    _, days = monthrange(month_first.year, month_first.month)
    month_last = month_first + timedelta(days=days - 1)
    first = max(month_first, joined or month_first)
    last = min(month_last, left or month_last)
    return max(0, (last - first).days + 1), days


def target_for(
    targets: Mapping[date, int], first: date, last: date, joined: date | None, left: date | None
) -> Fraction:
    """Return the target for the days from `first` to `last`, both included.

    `targets` are by the first day of their month. Each is spread evenly over the days of its month;
    days before joining and after leaving have no target.
    """
    first, last = max(first, joined or first), min(last, left or last)
    total = Fraction(0)
    for month_first, target in targets.items():
        _, days = monthrange(month_first.year, month_first.month)
        begins, ends = max(first, month_first), min(last, month_first + timedelta(days=days - 1))
        total += Fraction(target * max(0, (ends - begins).days + 1), days)
    return total
