"""From how many events a value is worked out, and how many it takes to be ranked by it (G12).

An average of one is no result yet: one lead answered in ten seconds would beat fifty answered in
twelve. What a metric divides by says what it is an average or a share of. A metric that only adds
up has no sample, and ranks everybody.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from dibs.game.scoring.metrics import parse
from dibs.game.scoring.vocabulary import ADDED, SCALES
from dibs.rules.game import Metric
from dibs.rules.playbook import Playbook

Counts = Mapping[str, int]
_Size = Callable[[Counts], Fraction]

# Sums that are themselves a number of things; other sums are money, time or points.
_NUMBERS = ("hours_worked", "units")


@dataclass(frozen=True)
class Sample:
    """What a value is an average or a share of; `terms` are the keys of the counts it reads."""

    terms: frozenset[str]
    size: _Size = field(repr=False, compare=False)


def needed(metric: Metric, playbook: Playbook) -> int:
    """Return the smallest sample a rep is ranked with by a metric; 0 where it has none."""
    if sample_of(metric) is None:
        return 0
    return playbook.game.minimum_sample if metric.minimum is None else metric.minimum


@lru_cache(maxsize=1024)
def sample_of(metric: Metric) -> Sample | None:
    """Return what a metric is an average or a share of; None where it only adds up.

    Of several averages in one formula the smallest sample counts.

    Raises:
        ValueError: the formula is invalid.
    """
    if metric.sample:
        own = parse(metric.sample)
        return Sample(own.terms, lambda counts: own.value(counts) or Fraction(0))
    terms: set[str] = set()
    # `parse` refuses all but plain formulas, so the tree has only the nodes that are read here.
    tree = ast.parse(parse(metric.formula).text, mode="eval")
    sizes = list(_averages(tree.body, terms))
    if not sizes:
        return None
    return Sample(frozenset(terms), lambda counts: min(size(counts) for size in sizes))


def _averages(node: ast.AST, terms: set[str]) -> Iterator[_Size]:
    """Yield the sample of each mean and of each division."""
    match node:
        case ast.Call(func=ast.Name(id="mean"), args=[ast.Name(id=name)]):
            yield _key(f"{name}.n", terms)
        case ast.BinOp(op=ast.Div(), right=below):
            size = _divisor(below, terms)
            if size is not None:
                yield size
    for part in ast.iter_child_nodes(node):
        yield from _averages(part, terms)


def _divisor(node: ast.AST, terms: set[str]) -> _Size | None:
    """Return how many events a divisor counts; None where it counts none, as a number does."""
    match node:
        case ast.UnaryOp(operand=operand):
            return _divisor(operand, terms)
        case ast.Call(func=ast.Name(id="count"), args=[ast.Name(id=name)]):
            return _key(name, terms)
        case ast.Call(func=ast.Name(id="sum"), args=[ast.Name(id=name)]):
            if name in _NUMBERS:
                return _key(f"{name}.sum", terms, SCALES.get(name, 1))
            return None if name in ADDED else _key(f"{name}.n", terms)
        case ast.Call(func=ast.Name(id="max" | "min" as which), args=[first, second]):
            chosen = max if which == "max" else min
            return _joined(_divisor(first, terms), _divisor(second, terms), chosen)
        case ast.BinOp(left=left, op=op, right=right):
            sides = _divisor(left, terms), _divisor(right, terms)
            match op:
                case ast.Add():
                    return _joined(*sides, lambda a, b: a + b)
                case ast.Sub():
                    return _joined(*sides, lambda a, b: a - b)
            return _joined(*sides, min)
    return None


def _key(name: str, terms: set[str], scale: int = 1) -> _Size:
    terms.add(name)
    return lambda counts: Fraction(counts.get(name, 0), scale)


def _joined(
    first: _Size | None, second: _Size | None, join: Callable[[Fraction, Fraction], Fraction]
) -> _Size | None:
    if first is None or second is None:
        return first or second
    return lambda counts: join(first(counts), second(counts))
