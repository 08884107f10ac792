"""Reps or teams ranked by a metric (G3)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from dibs.game.scoring.metrics import parse, value_of
from dibs.game.scoring.samples import sample_of
from dibs.reports.speed import RepSpeed
from dibs.rules.game import Metric

Named = tuple[str, Mapping[str, int]]
"""A name, and the counts of the rep or team with it."""


@dataclass(frozen=True)
class Row:
    """One line of a board. `place` and `value` are None where there is nothing to divide by.

    A rep who is not ranked yet has no place either, and `have` of the `need` events it takes (G12).
    `speed` is only on the board of response speed (M3).
    """

    place: int | None
    id: str
    name: str
    value: Fraction | None
    speed: RepSpeed | None = None
    have: Fraction | None = None
    need: int | None = None

    @property
    def not_ranked(self) -> bool:
        """Tell whether the rep has too few events to be ranked yet."""
        return self.need is not None


Numbers = tuple[int, ...]
"""The counts that a metric reads, in the order of `terms_of`."""

_Key = tuple[int, Fraction | int, str]
_Known = tuple[_Key, str, Fraction | None]
"""A sort key, a name, and the value of who is not ranked yet."""

# The parts of a board, in order: with a value, without one, and not ranked yet.
_PLACED, _WITHOUT, _APART = range(3)
# Beyond so many changes, sorting all again is faster.
_FEW = 500
# Sorts before every id with the same value.
_ANYBODY = ""


@lru_cache(maxsize=1024)
def terms_of(metric: Metric) -> tuple[str, ...]:
    """Return the keys of the counts that a metric and its sample read."""
    sample = sample_of(metric)
    return tuple(sorted(parse(metric.formula).terms | (sample.terms if sample else frozenset())))


@dataclass(frozen=True)
class Ranking:
    """All reps or teams in the order of a metric (G3).

    Equal values share the place, the next place is left out, and they are ordered by id. Those
    without a value have no place and come last. Whoever has a smaller sample than `need` is listed
    apart, after all others, the largest sample first (G12).
    """

    metric: Metric
    need: int = 0
    _by_id: dict[str, _Known] = field(default_factory=dict)
    _keys: list[_Key] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def ranked(self) -> int:
        """How many rows come before those that are listed apart."""
        return bisect_left(self._keys, _APART, key=itemgetter(0))

    def changed(self, counts: Mapping[str, Named | None]) -> Ranking:
        """Return the ranking with these new counts; None removes an id."""
        terms, other = terms_of(self.metric), replace(self, _by_id={**self._by_id})
        other = replace(other, _keys=[*self._keys])
        other.change(
            {
                id_: named and (named[0], tuple(named[1].get(name, 0) for name in terms))
                for id_, named in counts.items()
            }
        )
        return other

    def change(self, lines: Mapping[str, tuple[str, Numbers] | None]) -> None:
        """Put names and numbers by id into this ranking itself; None removes an id.

        A board of many reps changes all the time. Among ten thousand, inserting takes a dozen
        comparisons, sorting a hundred thousand, and copying as long as all the rest.

        Raises:
            ValueError: the formula is invalid; nothing was changed.
        """
        by_id, keys = self._by_id, self._keys
        places: dict[Numbers, tuple[int, Fraction | int, Fraction | None]] = {}
        new: dict[str, _Known] = {}
        for id_, line in lines.items():
            if line is None:
                continue
            name, numbers = line
            place = places.get(numbers)
            if place is None:
                place = places[numbers] = self._place(numbers)
            part, by, value = place
            new[id_] = ((part, by, id_), name, value)
        if not by_id:
            by_id |= new
            keys[:] = _in_order(new.values())
            return
        old = [by_id.pop(id_)[0] for id_ in lines if id_ in by_id]
        by_id |= new
        if len(lines) > _FEW:
            keys[:] = sorted(known[0] for known in by_id.values())
            return
        for key in old:
            del keys[bisect_left(keys, key)]
        for known in new.values():
            insort(keys, known[0])

    def _place(self, numbers: Numbers) -> tuple[int, Fraction | int, Fraction | None]:
        """Return the part of the board, what sorts there, and the value of who is listed apart."""
        counts = dict(zip(terms_of(self.metric), numbers, strict=True))
        value = value_of(self.metric, counts)
        sample = sample_of(self.metric) if self.need else None
        have = None if sample is None else sample.size(counts)
        if have is not None and have < self.need:
            return _APART, _whole(-have), value
        if value is None:
            return _WITHOUT, 0, None
        by = _whole(value)
        return _PLACED, by if self.metric.better == "less" else -by, None

    def number_of(self, id_: str) -> int | None:
        """Return how many come before an id, None where it is not ranked."""
        return bisect_left(self._keys, self._by_id[id_][0]) if id_ in self._by_id else None

    def rows(self, start: int = 0, end: int | None = None) -> tuple[Row, ...]:
        """Return the rows [start, end); 0 is the first."""
        return tuple(self._row(key) for key in self._keys[max(0, start) : end])

    def gap(self, row: Row) -> Fraction | None:
        """Return how much better the next place above a row is; None at the top, and without a
        value."""
        if row.place is None or row.value is None or row.place == 1:
            return None
        _, above, _ = self._keys[row.place - 2]
        return abs(self._value(above) - row.value)

    def is_shared(self, place: int) -> bool:
        """Return whether a place is tied."""
        first, *others = self._keys[place - 1 : place + 1]
        return bool(others) and others[0][:2] == first[:2]

    def _row(self, key: _Key) -> Row:
        part, by, id_ = key
        _, name, value = self._by_id[id_]
        if part == _WITHOUT:
            return Row(None, id_, name, None)
        if part == _APART:
            return Row(None, id_, name, value, have=Fraction(-by), need=self.need)
        place = bisect_left(self._keys, (part, by, _ANYBODY)) + 1
        return Row(place, id_, name, self._value(by))

    def _value(self, sorted_by: Fraction | int) -> Fraction:
        return Fraction(sorted_by if self.metric.better == "less" else -sorted_by)


def ranked(metric: Metric, counts: Mapping[str, Named], need: int = 0) -> tuple[Row, ...]:
    """Return all rows in the order of a metric; `counts` are name and counts by id."""
    return Ranking(metric, need).changed(counts).rows()


def _in_order(known: Iterable[_Known]) -> Iterator[_Key]:
    """Yield sort keys in order, each value compared once: fractions take twenty times as long."""
    ids: dict[tuple[int, int], list[str]] = defaultdict(list)
    places: dict[tuple[int, int], tuple[int, Fraction | int]] = {}
    for (part, by, id_), *_ in known:
        # Reps with the same numbers have the very same value.
        value = part, id(by)
        ids[value].append(id_)
        places[value] = part, by
    in_order = sorted(places, key=places.__getitem__)
    for place, same in groupby(in_order, key=places.__getitem__):
        for id_ in sorted(id_ for value in same for id_ in ids[value]):
            yield (*place, id_)


def _whole(number: Fraction) -> Fraction | int:
    # Whole numbers are compared many times faster.
    return number.numerator if number.denominator == 1 else number


def team_of_target(teams: Mapping[str, Mapping[str, int]]) -> str:
    """Return the team a rep's target counts for: the one they sold most for in the period, among
    equals the first by id. A target counts for one team only, so that teams add up (M4).
    """
    return min(teams, key=lambda team: (-teams[team].get("revenue.sum", 0), team))


def summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return counts added up, name by name."""
    total: dict[str, int] = {}
    for addend in counts:
        for name, number in addend.items():
            total[name] = total.get(name, 0) + number
    return total
