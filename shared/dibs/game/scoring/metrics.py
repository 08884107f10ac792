"""A metric is a formula over counts, and an organisation can write its own (K2).

A formula has numbers, `+ - * /`, parentheses, `count(x)`, `sum(x)`, `mean(x)`, `max(a, b)` and
`min(a, b)` over the names of `vocabulary.py`. It is parsed once and never run as code. Divided by
zero it has no value: such a rep is last on every board, with a dash.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
from functools import lru_cache

from dibs.game.scoring.vocabulary import SCALES, Names
from dibs.rules.game import Metric
from dibs.rules.playbook import Playbook

LONGEST = 200
"""The most characters of a formula."""

Counts = Mapping[str, int]
# Numerator and denominator (1 or more), not reduced: Fractions take several times as long.
_Pair = tuple[int, int]
_Value = Callable[[Counts], _Pair]

_DEEPEST = 32
# From here on a float has no decimals.
_NO_PLACES = 2**53
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?")
# Everything that begins like a number, up to the next space or operator.
_LIKE_NUMBERS = re.compile(r"(?<![\w.])\.?[0-9][\w.]*")
_STRANGE = re.compile(r"[^A-Za-z0-9_+\-*/().,\x20]")
_WHAT_THERE_IS = "use numbers, + - * /, parentheses, count, sum, mean, max and min"
_READERS = ("count", "sum", "mean")
_CHOOSERS = ("max", "min")


@dataclass(frozen=True)
class Formula:
    """A parsed formula: its `text`, and the `terms` it reads, keys of a rep's counts."""

    text: str
    terms: frozenset[str]
    _value: _Value = field(repr=False, compare=False)

    def value(self, counts: Counts) -> Fraction | None:
        """Return the exact value for these counts, None where it divides by zero.

        A missing count is 0.
        """
        try:
            return Fraction(*self._value(counts))
        except ZeroDivisionError:
            return None


@lru_cache(maxsize=1024)
def parse(formula: str, names: Names | None = None) -> Formula:
    """Parse a formula. Without `names` it may use any name; an unknown one counts 0.

    Raises:
        ValueError: says what is wrong, where, and how to fix it.
    """
    text = formula.strip(" ")
    if not text:
        raise ValueError("is empty; write one such as count(claimed)")
    if len(text) > LONGEST:
        raise ValueError(f"has {len(text)} letters; use {LONGEST} or fewer")
    strange = _STRANGE.search(text)
    if strange is not None:
        raise _wrong(f"{strange.group()!r} has no meaning", strange.start(), _WHAT_THERE_IS)
    for number in _LIKE_NUMBERS.finditer(text):
        if not _NUMBER.fullmatch(number.group()):
            raise _wrong(
                f"{number.group()!r} is no number",
                number.start(),
                "write it as 12 or 0.5, with up to 15 digits and 6 after the point",
            )
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        place = min(max((error.offset or 1) - 1, 0), len(text))
        raise _wrong("something is missing or one too many", place, _WHAT_THERE_IS) from None
    reader = _Reader(text, names)
    value = reader.read(tree.body, 1)
    return Formula(text, frozenset(reader.terms), value)


class _Reader:
    """Turns a syntax tree into closures over counts, and collects the keys they read."""

    def __init__(self, text: str, names: Names | None) -> None:
        self.terms: set[str] = set()
        self._text = text
        self._names = names

    def read(self, node: ast.expr, depth: int) -> _Value:
        if depth > _DEEPEST:
            raise ValueError(f"is nested more than {_DEEPEST} deep; use fewer parts")
        match node:
            case ast.Constant():
                return self._number(node)
            case ast.UnaryOp(op=ast.USub()):
                return _negative(self.read(node.operand, depth + 1))
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
                left = self.read(node.left, depth + 1)
                return _joined(node.op, left, self.read(node.right, depth + 1))
            case ast.Call(func=ast.Name(id=function), keywords=[]):
                return self._call(node, function, depth)
            case ast.Name():
                mend = f"write count({node.id}) or sum({node.id})"
                raise _wrong(f"{node.id!r} stands alone", node.col_offset, mend)
            case _:
                raise _wrong("this is no part of a formula", node.col_offset, _WHAT_THERE_IS)

    def _number(self, node: ast.Constant) -> _Value:
        # Read from the text, since a float is not exact. True and None are no numbers.
        written = self._text[node.col_offset : node.end_col_offset]
        if not _NUMBER.fullmatch(written):
            raise _wrong(f"{written!r} is no number", node.col_offset, _WHAT_THERE_IS)
        exact = Fraction(written).as_integer_ratio()
        return lambda counts: exact

    def _call(self, node: ast.Call, function: str, depth: int) -> _Value:
        if function in _CHOOSERS:
            if len(node.args) != 2:
                raise _wrong(
                    f"{function} takes two values", node.col_offset, f"write {function}(a, b)"
                )
            first, second = (self.read(part, depth + 1) for part in node.args)
            return _chosen(function, first, second)
        if function not in _READERS:
            functions = (*_READERS, *_CHOOSERS)
            raise _wrong(
                f"there is no function {function!r}", node.col_offset, _nearest(function, functions)
            )
        match node.args:
            case [ast.Name() as name]:
                self._check(function, name)
                return self._term(function, name.id)
            case _:
                raise _wrong(
                    f"{function} takes one name",
                    node.col_offset,
                    "write it as count(claimed), and calculate outside of it",
                )

    def _check(self, function: str, name: ast.Name) -> None:
        """Raise ValueError for a name that this function does not accept."""
        if self._names is None:
            return
        of = dict(
            zip(
                _READERS,
                (self._names.counted, self._names.summed, self._names.averaged),
                strict=True,
            )
        )
        if name.id in of[function]:
            return
        others = [other for other in _READERS if name.id in of[other]]
        mend = f"use {' or '.join(f'{other}({name.id})' for other in others)}"
        raise _wrong(
            f"{function} knows no {name.id!r}",
            name.col_offset,
            mend if others else _nearest(name.id, sorted(of[function])),
        )

    def _term(self, function: str, name: str) -> _Value:
        if function == "count":
            self.terms.add(name)
            return lambda counts: (counts.get(name, 0), 1)
        total, scale = f"{name}.sum", SCALES.get(name, 1)
        self.terms.add(total)
        if function == "sum":
            return lambda counts: (counts.get(total, 0), scale)
        number = f"{name}.n"
        self.terms.add(number)
        return lambda counts: _divided(counts.get(total, 0), scale * counts.get(number, 0))


def _negative(value: _Value) -> _Value:
    def negative(counts: Counts) -> _Pair:
        over, under = value(counts)
        return -over, under

    return negative


def _chosen(function: str, first: _Value, second: _Value) -> _Value:
    largest = function == "max"

    def chosen(counts: Counts) -> _Pair:
        one, other = first(counts), second(counts)
        return one if (one[0] * other[1] > other[0] * one[1]) is largest else other

    return chosen


def _joined(op: ast.operator, first: _Value, second: _Value) -> _Value:
    def joined(counts: Counts) -> _Pair:
        (a, b), (c, d) = first(counts), second(counts)
        match op:
            case ast.Add():
                return a * d + c * b, b * d
            case ast.Sub():
                return a * d - c * b, b * d
            case ast.Mult():
                return a * c, b * d
            case _:
                return _divided(a * d, b * c)

    return joined


def _divided(over: int, under: int) -> _Pair:
    if under == 0:
        raise ZeroDivisionError
    return (over, under) if under > 0 else (-over, -under)


def _wrong(what: str, place: int, mend: str) -> ValueError:
    return ValueError(f"{what}, at letter {place + 1}; {mend}")


def _nearest(name: str, known: tuple[str, ...] | list[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(known)}"


def metrics_of(playbook: Playbook) -> Mapping[str, Metric]:
    """Return all metrics by name: the shipped ones, with the playbook's changes and additions.

    Attainment uses the measure in which the playbook sets targets (M4).
    """
    won = {"quota_attainment": _WON_ATTAINMENT} if playbook.quota.measure == "won" else {}
    return {**METRICS, **won, **playbook.game.metrics}


def value_of(metric: Metric, counts: Counts) -> Fraction | None:
    """Return a metric's value for these counts, None where it divides by zero.

    Raises:
        ValueError: the formula is invalid.
    """
    return parse(metric.formula).value(counts)


def order(metric: Metric, value: Fraction | None) -> tuple[bool, Fraction]:
    """Return a sort key for a value: the best first, None last."""
    exact = value or Fraction(0)
    return value is None, exact if metric.better == "less" else -exact


def number(value: Fraction) -> int | float:
    """Return a value for display: whole numbers as int, others with four decimals."""
    if value.denominator == 1 or abs(value) >= _NO_PLACES:
        return round(value)
    return round(float(value), 4)


METRICS: Mapping[str, Metric] = {
    "points": Metric("sum(points)", "Points earned.", "points"),
    "claims": Metric("count(claimed)", "Leads claimed."),
    "claim_speed": Metric(
        "mean(claim_seconds)",
        "Mean time from the moment the rep could claim a lead to their claim.",
        "seconds",
        "less",
    ),
    "conversion": Metric(
        "count(claimed_opportunities) / count(claimed)",
        "Of the leads claimed, how many became an opportunity or a customer.",
        "ratio",
    ),
    "opportunities": Metric(
        "count(opportunities)", "Claimed leads that became an opportunity, by that day."
    ),
    "revenue": Metric(
        "sum(claimed_revenue)",
        "Amounts of what was won, upsold and cross-sold with claimed leads, in the playbook's "
        "currency; with all leads in a team that does not race.",
        "money",
    ),
    "dials_per_hour": Metric("count(call) / sum(hours_worked)", "Calls per hour worked."),
    "contacts_per_hour": Metric(
        "count(contacted) / sum(hours_worked)",
        "Talks with somebody who can decide, per hour worked.",
    ),
    "sales_per_hour": Metric(
        "sum(units) / sum(hours_worked)",
        "Units won, upsold and cross-sold, per hour worked; a sale without a quantity is one.",
    ),
    "revenue_per_hour": Metric(
        "sum(revenue) / sum(hours_worked)", "Revenue per hour worked.", "money"
    ),
    "revenue_per_call": Metric("sum(revenue) / count(call)", "Revenue per call.", "money"),
    "sales": Metric("count(sales)", "Deals won, upsold and cross-sold."),
    "average_ticket": Metric(
        "sum(revenue) / count(buyers)",
        "Revenue per customer; a deal told without an amount counts with nothing.",
        "money",
    ),
    "slippage": Metric(
        "count(slipped) / count(opportunity)",
        "Opportunities that slipped, of those that opened in the period.",
        "ratio",
        "less",
    ),
    "leads": Metric("count(taken)", "Leads claimed or assigned."),
    "transfers": Metric("count(transfer)", "Leads transferred to somebody else."),
    "transfers_per_hour": Metric(
        "count(transfer) / sum(hours_worked)", "Transfers per hour worked."
    ),
    "transfer_conversion": Metric(
        "count(transfer_converted) / count(transfer_leads)",
        "Of the leads transferred, how many became a customer, whoever closed them.",
        "ratio",
    ),
    "contact_rate": Metric(
        "count(contacted_leads) / count(taken)",
        "Of the leads claimed or assigned, how many were contacted.",
        "ratio",
    ),
    "qualification_accuracy": Metric(
        "count(qualified_right) / count(qualified_leads)",
        "Of the leads qualified, how many became an opportunity or a customer.",
        "ratio",
    ),
    "quota_attainment": Metric(
        "sum(revenue) / sum(target)", "Revenue as part of the target.", "ratio"
    ),
    "claim_to_opportunity": Metric(
        "count(claimed_opportunities) / count(claimed)",
        "Of the leads claimed, how many became an opportunity or more: conversion.",
        "ratio",
    ),
    "claim_to_customer": Metric(
        "count(claimed_customers) / count(claimed)",
        "Of the leads claimed, how many became a customer.",
        "ratio",
    ),
    "labour_share": Metric(
        "2500 * sum(hours_worked) / sum(revenue)",
        "Pay as part of revenue, at 2500 of the currency's smallest unit an hour: put your own.",
        "ratio",
        "less",
        sample="sum(hours_worked)",
    ),
    "csat": Metric("mean(csat)", "Mean satisfaction that customers gave, 0 to 100."),
    "nps": Metric(
        "100 * (count(promoters) - count(detractors)) / count(nps)",
        "Net promoter score: percent who answered 9 or 10, less percent who answered 0 to 6.",
    ),
    "held_sales": Metric(
        "count(held_sales)",
        "Sales whose amount counts with nothing until there is a rate of its currency.",
        better="less",
    ),
    "response_time": Metric(
        "mean(response_seconds)",
        "Mean time from taking a lead to its first contact, of those contacted.",
        "seconds",
        "less",
    ),
}
"""The shipped metrics. Percentages are 0 to 100, money the smallest unit of the currency."""

_WON_ATTAINMENT = Metric("count(won) / sum(target)", "Leads won as part of the target.", "ratio")
