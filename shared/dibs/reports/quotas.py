"""Quotas: every month, from the attainment of a target, how many leads a week a rep may take (M4).

Pure: entries, targets and days go in. Whole numbers and fractions only, so that exactly on
target is on target.
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
    """Return what whoever the entries are of achieved in [start, end) (M4).

    Leads won, or the amounts of what was won, upsold and cross-sold, in the smallest unit of
    `currency`; other currencies do not count, nor does a sale without an amount.
    """
    found = [entry for entry in standing(entries) if start <= entry.at < end]
    if measure == "won":
        return sum(entry.kind == "won" for entry in found)
    return sum(revenue(entry, currency) for entry in found)


def allowance(attainment: Fraction | None, rules: QuotaRules) -> int:
    """Return the leads a week for an attainment (1 is on target; None, no target, is the base).

    A band begins exactly at its percent. Part of a lead is no lead: 25 % more than 10 is 12.
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
    """Return achieved by target, the target pro rata for the days worked of the month.

    `achieved` and `target` are in the same unit, whatever it is. None without a target or a day
    worked.
    """
    if target is None or target <= 0 or worked_days <= 0:
        return None
    return Fraction(achieved * days_in_month, target * worked_days)


def worked_days(month_first: date, joined: date | None, left: date | None) -> tuple[int, int]:
    """Return how many calendar days of a month a rep was with us, and how many it has.

    `month_first` is the first of the month, `left` the last day worked; None: long ago, not yet.
    """
    _, days = monthrange(month_first.year, month_first.month)
    month_last = month_first + timedelta(days=days - 1)
    first = max(month_first, joined or month_first)
    last = min(month_last, left or month_last)
    return max(0, (last - first).days + 1), days


def target_for(
    targets: Mapping[date, int], first: date, last: date, joined: date | None, left: date | None
) -> Fraction:
    """Return the target of a stretch of days, both ends among them, by the months it lies in.

    `targets` are by the first of their month. Each month's is spread evenly over its days; days
    before joining and after leaving ask for nothing.
    """
    first, last = max(first, joined or first), min(last, left or last)
    whole = Fraction(0)
    for month_first, target in targets.items():
        _, days = monthrange(month_first.year, month_first.month)
        begins, ends = max(first, month_first), min(last, month_first + timedelta(days=days - 1))
        whole += Fraction(target * max(0, (ends - begins).days + 1), days)
    return whole
