"""Reps or teams ranked by a metric (G3)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from dibs.game.scoring.metrics import order, value_of
from dibs.reports.speed import RepSpeed
from dibs.rules.game import Metric

Named = tuple[str, Mapping[str, int]]
"""A name, and the counts of the rep or team with it."""


@dataclass(frozen=True)
class Row:
    """One line of a board. `place` and `value` are None where there is nothing to divide by.

    `speed` is only on the board of response speed (M3).
    """

    place: int | None
    id: str
    name: str
    value: Fraction | None
    speed: RepSpeed | None = None


_Key = tuple[bool, Fraction | int, str]
# Beyond so many changes, sorting all again is faster.
_FEW = 500
# Sorts before every id with the same value.
_ANYBODY = ""


@dataclass(frozen=True)
class Ranking:
    """All reps or teams in the order of a metric (G3).

    Equal values share the place, the next place is left out, and they are ordered by id. Those
    without a value have no place and come last.
    """

    metric: Metric
    _by_id: Mapping[str, tuple[_Key, str]] = field(default_factory=dict)
    _keys: Sequence[_Key] = ()

    def __len__(self) -> int:
        return len(self._keys)

    def changed(self, counts: Mapping[str, Named | None]) -> Ranking:
        """Return the ranking with these new counts; None removes an id.

        A board of many reps changes all the time. Among ten thousand, inserting takes a dozen
        comparisons, sorting a hundred thousand.
        """
        by_id, keys = dict(self._by_id), list(self._keys)
        old = [by_id.pop(id_)[0] for id_ in counts if id_ in by_id]
        new = {
            id_: (_key(self.metric, id_, named[1]), named[0])
            for id_, named in counts.items()
            if named is not None
        }
        by_id |= new
        if len(counts) > _FEW:
            return Ranking(self.metric, by_id, sorted(key for key, _ in by_id.values()))
        for key in old:
            del keys[bisect_left(keys, key)]
        for key, _ in new.values():
            insort(keys, key)
        return Ranking(self.metric, by_id, keys)

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
        without, value, id_ = key
        _, name = self._by_id[id_]
        if without:
            return Row(None, id_, name, None)
        place = bisect_left(self._keys, (without, value, _ANYBODY)) + 1
        return Row(place, id_, name, self._value(value))

    def _value(self, sorted_by: Fraction | int) -> Fraction:
        return Fraction(sorted_by if self.metric.better == "less" else -sorted_by)


def ranked(metric: Metric, counts: Mapping[str, Named]) -> tuple[Row, ...]:
    """Return all rows in the order of a metric; `counts` are name and counts by id."""
    return Ranking(metric).changed(counts).rows()


def _key(metric: Metric, id_: str, counts: Mapping[str, int]) -> _Key:
    """Return a sort key: the best value first, those without a value last."""
    without, by = order(metric, value_of(metric, counts))
    # Whole numbers are compared many times faster.
    return without, by.numerator if by.denominator == 1 else by, id_


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
