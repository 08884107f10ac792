"""Formulas are exact or refused with a reason, and shipped metrics are as described (K2)."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dibs.cli.metrics import page
from dibs.game.scoring.metrics import LONGEST, METRICS, metrics_of, number, order, parse, value_of
from dibs.game.scoring.vocabulary import (
    AVERAGED,
    BY_DAY,
    BY_LEAD,
    COUNTED,
    KINDS,
    SCALES,
    SUMMED,
    Names,
    known_names,
)
from dibs.rules.game import Metric
from support.builders import a_playbook

SHIPPED = Names()
# A week of a rep who claimed 8 leads: 3 converted, 1 of these became a customer.
COUNTS = {
    "claimed": 8,
    "taken": 10,
    "call": 120,
    "contacted": 30,
    "contacted_leads": 9,
    "qualified_leads": 4,
    "qualified_right": 3,
    "claimed_opportunities": 3,
    "claimed_customers": 1,
    "opportunity": 5,
    "opportunities": 2,
    "slipped": 1,
    "sales": 4,
    "won": 3,
    "transfer": 6,
    "transfer_leads": 6,
    "transfer_converted": 2,
    "revenue.sum": 480_000,
    "claimed_revenue.sum": 360_000,
    "units.sum": 9,
    "buyers": 3,
    "nps": 10,
    "promoters": 6,
    "detractors": 2,
    "held_sales": 1,
    "target.sum": 600_000,
    "hours_worked.sum": 1_800,  # minutes
    "hours_worked.n": 5,
    "claim_seconds.sum": 36_004,  # milliseconds
    "claim_seconds.n": 8,
    "response_seconds.sum": 900_000,
    "response_seconds.n": 9,
    "csat.sum": 261,
    "csat.n": 3,
    "points.sum": 345,
}


def value(formula: str, **counts: int) -> Fraction | None:
    return parse(formula, SHIPPED).value({**COUNTS, **counts})


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("7", 7),
        ("0.5", Fraction(1, 2)),
        ("0.1 + 0.2", Fraction(3, 10)),  # not exact as a float
        ("999999999999999 + 0.000001", Fraction(999_999_999_999_999_000_001, 10**6)),
        ("count(claimed)", 8),
        ("  count( claimed )  ", 8),
        ("-count(claimed)", -8),
        ("--3", 3),
        ("1 - -1", 2),
        ("10 - 2 - 3", 5),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("12 / 4 / 3", 1),
        ("1 / 3 * 3", 1),
        ("1 / -2", Fraction(-1, 2)),
        ("sum(claim_seconds)", Fraction(36_004, 1000)),
        ("mean(claim_seconds)", Fraction(36_004, 8000)),
        ("sum(hours_worked)", 30),
        ("mean(hours_worked)", 6),
        ("sum(revenue)", 480_000),
        ("sum(target)", 600_000),
        ("mean(csat)", 87),
        ("max(count(claimed), 9)", 9),
        ("max(9, count(claimed))", 9),
        ("min(count(claimed), 9)", 8),
        ("min(9, count(claimed))", 8),
        ("max(1/3, 1/2)", Fraction(1, 2)),
        ("min(1/3, 1/2)", Fraction(1, 3)),
        ("min(1/-3, -1/2)", Fraction(-1, 2)),
        ("max(2, 2)", 2),
        ("(" * 99 + "1" + ")" * 99, 1),
        ("count(email)", 0),  # not among the counts
        ("0 / count(claimed)", 0),
    ],
)
def test_a_formula_is_worked_out_exactly(formula: str, expected: int | Fraction) -> None:
    assert value(formula) == expected


@pytest.mark.parametrize(
    "formula",
    [
        "1 / 0",
        "count(claimed) / count(email)",
        "mean(email)",
        "1 + count(claimed) / (count(won) - 3)",
        "max(5, 1 / 0)",
        "0 * (1 / 0)",
        "0 / 0",
    ],
)
def test_what_is_divided_by_nothing_has_no_value(formula: str) -> None:
    assert value(formula) is None


def test_nobody_has_a_value_of_a_ratio_before_anything_was_counted() -> None:
    without = {name for name in METRICS if value_of(METRICS[name], {}) is None}
    ratios = {name for name in METRICS if "/" in METRICS[name].formula}
    assert without == ratios | {"claim_speed", "csat", "response_time"}


@pytest.mark.parametrize(
    ("formula", "terms"),
    [
        ("1", set()),
        ("count(claimed)", {"claimed"}),
        ("sum(revenue) / count(call)", {"revenue.sum", "call"}),
        ("mean(csat) + count(csat)", {"csat.sum", "csat.n", "csat"}),
        ("max(sum(target), min(count(won), 1))", {"target.sum", "won"}),
    ],
)
def test_a_formula_names_the_counts_it_reads(formula: str, terms: set[str]) -> None:
    assert parse(formula).terms == terms


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("", "is empty; write one such as count(claimed)"),
        ("   ", "is empty"),
        ("1" * (LONGEST + 1), "has 201 letters; use 200 or fewer"),
        ("count(clamed)", "count knows no 'clamed', at letter 7; did you mean 'claimed'?"),
        ("1 + sum(revenu)", "sum knows no 'revenu', at letter 9; did you mean 'revenue'?"),
        ("sum(claimed)", "sum knows no 'claimed', at letter 5; use count(claimed)"),
        ("mean(revenue)", "mean knows no 'revenue', at letter 6; use sum(revenue)"),
        ("count(claim_seconds)", "use sum(claim_seconds) or mean(claim_seconds)"),
        ("mean(zzzz)", "use one of appointment_held,"),
        ("coun(claimed)", "there is no function 'coun', at letter 1; did you mean 'count'?"),
        ("eval(claimed)", "there is no function 'eval', at letter 1; use one of count, sum"),
        ("2 * claimed", "'claimed' stands alone, at letter 5; write count(claimed)"),
        ("count()", "count takes one name, at letter 1"),
        ("count(claimed, won)", "count takes one name"),
        ("count(1)", "count takes one name"),
        ("sum(count(claimed))", "sum takes one name"),
        ("max(1)", "max takes two values, at letter 1; write max(a, b)"),
        ("min(1, 2, 3)", "min takes two values"),
        ("max(*claimed, 1)", "no part of a formula"),
        ("max(1, 2, **won)", "no part of a formula"),
        ("1e3", "'1e3' is no number, at letter 1; write it as 12 or 0.5"),
        ("1 + 007", "'007' is no number, at letter 5"),
        (".5", "'.5' is no number"),
        ("5.", "'5.' is no number"),
        ("1.5.2", "'1.5.2' is no number"),
        ("1_000", "'1_000' is no number"),
        ("0x10", "'0x10' is no number"),
        ("1j", "'1j' is no number"),
        ("1" * 16, "is no number"),
        ("0.1234567", "is no number"),
        ("True", "'True' is no number"),
        ("count(claimed", "something is missing or one too many, at letter 6"),
        ("count(claimed))", "something is missing or one too many, at letter 15"),
        ("1 +", "something is missing"),
        ("1 2", "something is missing or one too many"),
        ("count(lambda)", "something is missing or one too many"),
        ("2 ** 9", "no part of a formula, at letter 1; use numbers, + - * /"),
        ("7 // 2", "no part of a formula"),
        ("+1", "no part of a formula"),
        ("1, 2", "no part of a formula"),
        ("claimed.sum", "no part of a formula"),
        ("count.real(claimed)", "no part of a formula"),
        ("(count)(claimed)(won)", "no part of a formula"),
        ("1 if 2 else 3", "no part of a formula"),
        ("count(x for x in y)", "count takes one name"),
        ("count(x=1)", "'=' has no meaning, at letter 8"),
        ("count(claimed)\n", "'\\n' has no meaning, at letter 15"),
        ("'count'", "has no meaning, at letter 1"),
        ("count(claimed) > 3", "'>' has no meaning, at letter 16"),
        ("2 % 3", "'%' has no meaning, at letter 3"),
        ("cöunt(claimed)", "'ö' has no meaning, at letter 2"),
        ("1\x00", "'\\x00' has no meaning"),
        ("-" * 40 + "1", "is nested more than 32 deep; use fewer parts"),
        ("1+" * 40 + "1", "is nested more than 32 deep"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place_and_its_mend(formula: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parse(formula, SHIPPED)


@given(st.text() | st.text("()+-*/.,0123456789 countsummeanmaxminclaimedrevenue_\n", max_size=60))
@example("(" * 199)
@example("\ud800")
def test_no_text_does_more_than_be_refused(text: str) -> None:
    try:
        found = parse(text, SHIPPED)
    except ValueError as error:
        assert str(error)
    else:
        assert found.value(COUNTS) is None or isinstance(found.value(COUNTS), Fraction)


Worked = tuple[str, Fraction | None]


def _leaf(name: str) -> Worked:
    return f"count({name})", Fraction(COUNTS.get(name, 0))


def _number(number: int, places: int) -> Worked:
    text = f"{number // 10**places}.{number % 10**places:0{places}}" if places else str(number)
    return text, Fraction(number, 10**places)


def _both(first: Worked, sign: str, second: Worked) -> Worked:
    (one, a), (other, b) = first, second
    text = f"{sign}({one}, {other})" if sign in ("max", "min") else f"({one}) {sign} ({other})"
    if a is None or b is None or (sign == "/" and b == 0):
        return text, None
    worked = {
        "+": a + b,
        "-": a - b,
        "*": a * b,
        "/": a / b if b else None,
        "max": max(a, b),
        "min": min(a, b),
    }
    return text, worked[sign]


WORKED = st.recursive(
    st.builds(_leaf, st.sampled_from(["claimed", "won", "email", "call"]))
    | st.builds(_number, st.integers(0, 10**6), st.integers(0, 6)),
    lambda inner: (
        st.builds(_both, inner, st.sampled_from(["+", "-", "*", "/", "max", "min"]), inner)
        | inner.map(lambda one: (f"-({one[0]})", None if one[1] is None else -one[1]))
    ),
    max_leaves=6,
).filter(lambda worked: len(worked[0]) <= LONGEST)


@given(WORKED)
def test_a_value_is_that_of_the_same_sum_done_in_fractions(worked: Worked) -> None:
    text, expected = worked
    assert value(text) == expected


def test_a_name_the_playbook_no_longer_knows_counts_nothing() -> None:
    assert parse("count(site_visit) + 1").value({}) == 1
    with pytest.raises(ValueError, match="knows no 'site_visit'"):
        parse("count(site_visit) + 1", SHIPPED)


# The names


def test_a_playbooks_own_activities_and_quests_can_be_named() -> None:
    game = {
        "activities": ("site_visit",),
        "quests": {"first_week": {"name": "First week", "steps": {}}},
    }
    names = known_names(a_playbook(game=game))
    for formula in (
        "count(site_visit)",
        "sum(site_visit)",
        "mean(site_visit)",
        "count(quest_first_week)",
    ):
        assert parse(formula, names)
    with pytest.raises(ValueError, match="sum knows no 'quest_first_week'"):
        parse("sum(quest_first_week)", names)


def test_every_name_says_what_it_means_and_none_means_two_things() -> None:
    kinds = [*KINDS, *BY_DAY, *BY_LEAD]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) < COUNTED
    assert AVERAGED < SUMMED
    assert set(SCALES) <= SUMMED


# The shipped metrics


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("points", 345),
        ("claims", 8),
        ("claim_speed", Fraction("4.5005")),
        ("conversion", Fraction("0.375")),
        ("opportunities", 2),
        ("revenue", 360_000),
        ("dials_per_hour", 4),
        ("contacts_per_hour", 1),
        ("sales_per_hour", Fraction(9, 30)),
        ("revenue_per_hour", 16_000),
        ("revenue_per_call", 4_000),
        ("sales", 4),
        ("average_ticket", 160_000),
        ("slippage", Fraction("0.2")),
        ("leads", 10),
        ("transfers", 6),
        ("transfers_per_hour", Fraction(1, 5)),
        ("transfer_conversion", Fraction(1, 3)),
        ("contact_rate", Fraction("0.9")),
        ("qualification_accuracy", Fraction("0.75")),
        ("quota_attainment", Fraction("0.8")),
        ("claim_to_opportunity", Fraction("0.375")),
        ("claim_to_customer", Fraction("0.125")),
        ("labour_share", Fraction("0.15625")),
        ("csat", 87),
        ("nps", 40),
        ("held_sales", 1),
        ("response_time", 100),
    ],
)
def test_a_shipped_metric_is_what_its_sentence_says(name: str, expected: int | Fraction) -> None:
    metric = METRICS[name]
    assert parse(metric.formula, SHIPPED)
    assert value_of(metric, COUNTS) == expected
    assert metric.means.endswith(".")
    assert metric.better == ("less" if name in LESS else "more")


LESS = {"claim_speed", "slippage", "labour_share", "response_time", "held_sales"}


def test_every_shipped_metric_stands_in_the_table_above() -> None:
    [table] = [
        mark.args[1]
        for mark in test_a_shipped_metric_is_what_its_sentence_says.pytestmark  # type: ignore[attr-defined]
    ]
    assert [name for name, _ in table] == list(METRICS)


def test_a_playbook_changes_shipped_metrics_and_adds_its_own() -> None:
    own: dict[str, Any] = {
        "sales": {"formula": "count(won)", "means": "Deals won."},
        "visits": {"formula": "count(appointment_held)", "means": "Visits."},
    }
    found = metrics_of(a_playbook(game={"metrics": own}))
    assert found["sales"] == Metric("count(won)", "Deals won.")
    assert value_of(found["visits"], {"appointment_held": 3}) == 3
    assert set(found) == {*METRICS, "visits"}
    assert found["claims"] == METRICS["claims"]
    assert metrics_of(a_playbook()) == METRICS


def test_attainment_is_of_what_targets_are_set_in() -> None:
    won = {"quota": {"measure": "won"}}
    counts = {"won": 3, "revenue.sum": 1, "target.sum": 4}
    assert value_of(metrics_of(a_playbook(**won))["quota_attainment"], counts) == Fraction(3, 4)
    assert value_of(metrics_of(a_playbook())["quota_attainment"], counts) == Fraction(1, 4)
    own = {"game": {"metrics": {"quota_attainment": {"formula": "1", "means": "One."}}}}
    assert value_of(metrics_of(a_playbook(**won, **own))["quota_attainment"], counts) == 1


@pytest.mark.parametrize(
    ("better", "expected"),
    [("more", [7, 0, -1, None]), ("less", [-1, 0, 7, None])],
)
def test_the_best_come_first_and_who_has_no_value_last(
    better: Any, expected: list[int | None]
) -> None:
    metric = replace(METRICS["claims"], better=better)
    values = [None, Fraction(0), Fraction(7), Fraction(-1)]
    assert sorted(values, key=lambda one: order(metric, one)) == expected


@pytest.mark.parametrize(
    ("exact", "shown"),
    [
        (Fraction(7), "7"),
        (Fraction(200, 3), "66.6667"),
        (Fraction(-1, 2), "-0.5"),
        (Fraction(10**400), f"1{'0' * 400}"),  # too large for a float
        (Fraction(10**400 + 1, 2), f"5{'0' * 399}"),
        (Fraction(1, 10**400), "0.0"),
    ],
)
def test_a_value_is_shown_whole_or_with_four_places(exact: Fraction, shown: str) -> None:
    assert str(number(exact)) == shown


def test_the_published_page_is_current() -> None:
    published = Path(__file__).parents[4] / "docs" / "metrics.md"
    assert published.read_text("utf-8") == page(), "write it anew: dibs metrics docs"
