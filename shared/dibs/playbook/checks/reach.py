"""How high a formula can get where some counts cannot grow, as claims in a team that has no race.

Pure. Bounds are rough to the safe side: what is said to be out of reach is.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from math import inf
from typing import NamedTuple

from dibs.game.scoring.metrics import parse


class Bounds(NamedTuple):
    """The lowest and the highest value."""

    low: float
    high: float


Most = Callable[[str], float]
"""The most that is ever counted of a name."""


def bounds(formula: str, most: Most) -> Bounds | None:
    """Return the bounds of a formula's value, None where it always divides by zero.

    Raises:
        ValueError: the formula is invalid.
    """
    return _bounds(ast.parse(parse(formula).text, mode="eval").body, most)


def _bounds(node: ast.AST, most: Most) -> Bounds | None:
    match node:
        case ast.Constant(value=value):
            return Bounds(float(str(value)), float(str(value)))
        case ast.UnaryOp(operand=operand):
            inner = _bounds(operand, most)
            return None if inner is None else Bounds(-inner.high, -inner.low)
        case ast.Call(
            func=ast.Name(id="count" | "sum" | "mean" as reads), args=[ast.Name(id=name)]
        ):
            highest = most(name)
            if reads == "count":
                return Bounds(0, highest)
            # Amounts and times have no highest value, as long as there are any.
            return Bounds(0, inf) if highest else None if reads == "mean" else Bounds(0, 0)
        case ast.Call(func=ast.Name(id=chooses), args=[first, second]):
            one, other = _bounds(first, most), _bounds(second, most)
            choose = max if chooses == "max" else min
            if one is None or other is None:
                return None
            return Bounds(choose(one.low, other.low), choose(one.high, other.high))
        case ast.BinOp(left=left, op=op, right=right):
            one, other = _bounds(left, most), _bounds(right, most)
            return None if one is None or other is None else _combined(op, one, other)
    return None


def _combined(op: ast.operator, one: Bounds, other: Bounds) -> Bounds | None:
    match op:
        case ast.Add():
            return Bounds(one.low + other.low, one.high + other.high)
        case ast.Sub():
            return Bounds(one.low - other.high, one.high - other.low)
        case ast.Mult():
            return _spanned(_times(a, b) for a in one for b in other)
    if other == (0, 0):
        return None
    if other.low > 0 or other.high < 0:
        return _spanned(_times(a, 1 / b) for a in one for b in other)
    # The divisor can be as small as one likes.
    return Bounds(-inf if one.low < 0 or other.low < 0 else 0, inf if one != (0, 0) else 0)


def _times(a: float, b: float) -> float:
    return a * b if a and b else 0.0


def _spanned(values: Iterable[float]) -> Bounds:
    found = list(values)
    return Bounds(min(found), max(found))
