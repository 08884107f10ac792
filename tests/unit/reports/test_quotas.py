"""Attainment sets the leads a week (M4): both sides of every boundary."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.race.limits import first_week
from dibs.reports.quotas import allowance, attainment, target_for, worked_days
from dibs.rules.rules import Band, QuotaRules

RULES = QuotaRules()
MONDAY = date(2026, 11, 23)
# Far less than a cent of any target, and too small for a float.
BIT = Fraction(1, 10**30)


@pytest.mark.parametrize(
    ("reached", "weekly"),
    [
        (None, 10),
        (Fraction(-1, 5), 10),
        (Fraction(0), 10),
        (Fraction(1, 4), 10),
        (Fraction(1, 2) - BIT, 10),
        (Fraction(1, 2), 12),
        (Fraction(1, 2) + BIT, 12),
        (Fraction(3, 4) - BIT, 12),
        (Fraction(3, 4), 15),
        (Fraction(1) - BIT, 15),
        (Fraction(1), 20),
        (Fraction(1) + BIT, 20),
        (Fraction(50), 20),
    ],
)
def test_ten_twelve_fifteen_or_twenty_leads_a_week(reached: Fraction | None, weekly: int) -> None:
    assert allowance(reached, RULES) == weekly


def test_part_of_a_lead_is_no_lead() -> None:
    assert [allowance(Fraction(1, 2), QuotaRules(base_per_week=base)) for base in (1, 3, 4, 7)] == [
        1,
        3,
        5,
        8,
    ]


def test_bands_are_the_organisations_in_whatever_order() -> None:
    rules = QuotaRules(bands=(Band(120, 200), Band(60, -50)))
    table = {0: 10, 59: 10, 60: 5, 119: 5, 120: 30}
    assert {percent: allowance(Fraction(percent, 100), rules) for percent in table} == table
    assert allowance(None, rules) == 10
    assert allowance(Fraction(2), QuotaRules(bands=())) == 10


@given(st.fractions(), st.fractions())
def test_more_attained_is_never_fewer_leads(one: Fraction, other: Fraction) -> None:
    low, high = sorted((one, other))
    assert 10 <= allowance(low, RULES) <= allowance(high, RULES) <= 20


@pytest.mark.parametrize(
    ("achieved", "target", "worked", "days", "reached"),
    [
        (50, 100, 30, 30, Fraction(1, 2)),
        (50, 100, 15, 30, Fraction(1)),
        (50, 100, 1, 31, Fraction(31, 2)),
        (0, 100, 30, 30, Fraction(0)),
        (-10, 100, 30, 30, Fraction(-1, 10)),
        (1, 3, 31, 31, Fraction(1, 3)),
        (50, None, 30, 30, None),
        (50, 0, 30, 30, None),
        (50, -1, 30, 30, None),
        (50, 100, 0, 30, None),
    ],
)
def test_attainment_is_of_the_target_pro_rata(
    achieved: int, target: int | None, worked: int, days: int, reached: Fraction | None
) -> None:
    assert attainment(achieved, target, worked, days) == reached


def test_who_joins_in_the_middle_of_the_month_reaches_a_band_exactly() -> None:
    # 23 of 31 days of 3.1 million are 2.3 million; three quarters of that are 1,725,000.
    assert allowance(attainment(1_725_000, 3_100_000, 23, 31), RULES) == 15
    assert allowance(attainment(1_724_999, 3_100_000, 23, 31), RULES) == 12


@pytest.mark.parametrize(
    ("month", "joined", "left", "worked"),
    [
        ("2026-11-01", None, None, (30, 30)),
        ("2026-12-01", None, None, (31, 31)),
        ("2026-02-01", None, None, (28, 28)),
        ("2028-02-01", None, None, (29, 29)),
        ("2000-02-01", None, None, (29, 29)),
        ("2100-02-01", None, None, (28, 28)),
        ("2028-02-01", "2028-02-15", None, (15, 29)),
        ("2026-02-01", "2026-02-15", None, (14, 28)),
        ("2028-02-01", "2028-02-29", None, (1, 29)),
        ("2028-02-01", None, "2028-02-28", (28, 29)),
        ("2028-02-01", None, "2028-02-01", (1, 29)),
        ("2026-11-01", "2026-11-01", "2026-11-30", (30, 30)),
        ("2026-11-01", "2026-10-31", "2026-12-01", (30, 30)),
        ("2026-11-01", "2026-11-10", "2026-11-12", (3, 30)),
        ("2026-11-01", "2026-12-01", None, (0, 30)),
        ("2026-11-01", None, "2026-10-31", (0, 30)),
        ("2026-11-01", "2027-03-01", None, (0, 30)),
    ],
)
def test_the_days_worked_of_a_month(
    month: str, joined: str | None, left: str | None, worked: tuple[int, int]
) -> None:
    def day(text: str | None) -> date | None:
        return date.fromisoformat(text) if text else None

    assert worked_days(date.fromisoformat(month), day(joined), day(left)) == worked


@given(st.dates(date(1999, 1, 1), date(2101, 1, 1)), st.integers(0, 400))
def test_the_months_of_a_stay_add_up_to_its_days(joined: date, stay: int) -> None:
    left = joined + timedelta(days=stay)
    month, total = joined.replace(day=1), 0
    while month <= left:
        worked, days = worked_days(month, joined, left)
        total += worked
        month += timedelta(days=days)
    assert total == stay + 1


@pytest.mark.parametrize(
    ("day", "weekly"),
    [(-1, 10), (0, 10), (1, 9), (2, 8), (3, 6), (4, 5), (5, 3), (6, 2), (7, 10), (8, 10)],
)
def test_the_week_of_joining_is_pro_rata_and_rounded_up(day: int, weekly: int) -> None:
    assert first_week(10, MONDAY + timedelta(days=day), MONDAY) == weekly


def test_who_has_been_here_long_has_whole_weeks() -> None:
    assert first_week(20, None, MONDAY) == 20
    assert first_week(0, MONDAY + timedelta(days=3), MONDAY) == 0
    assert first_week(7, MONDAY + timedelta(days=3), MONDAY) == 4


NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)


@pytest.mark.parametrize(
    ("first", "last", "joined", "left", "wanted"),
    [
        (NOVEMBER, date(2026, 11, 30), None, None, 300),
        (date(2026, 11, 2), date(2026, 11, 29), None, None, 280),
        # Ten a day until the month's end, one a day after it.
        (date(2026, 11, 23), date(2026, 12, 6), None, None, 86),
        (NOVEMBER, date(2026, 11, 30), date(2026, 11, 16), None, 150),
        (NOVEMBER, date(2026, 11, 30), None, date(2026, 11, 3), 30),
        (NOVEMBER, date(2026, 11, 30), date(2026, 12, 5), None, 0),
    ],
)
def test_a_target_is_spread_over_the_days_of_its_month(
    first: date, last: date, joined: date | None, left: date | None, wanted: int
) -> None:
    targets = {NOVEMBER: 300, DECEMBER: 31}
    assert target_for(targets, first, last, joined, left) == wanted


def test_months_without_a_target_ask_for_nothing() -> None:
    assert target_for({}, NOVEMBER, DECEMBER, None, None) == 0
