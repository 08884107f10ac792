"""Leaderboards (G3): reps or teams in the order of a figure."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from dibs.game.scoring.metrics import order, value_of
from dibs.reports.speed import RepSpeed
from dibs.rules.game import Metric

Named = tuple[str, Mapping[str, int]]
"""A name, and what was counted of who has it."""


@dataclass(frozen=True)
class Row:
    """One line of a board. `place` and `value` are None where there is nothing to divide by.

    `speed` is more about the value on the board of response speed (M3).
    """

    place: int | None
    id: str
    name: str
    value: Fraction | None
    speed: RepSpeed | None = None


_Key = tuple[bool, Fraction | int, str]
# More than that are sorted anew with all others, which is faster then.
_FEW = 500
# What stands before everybody with the same value.
_ANYBODY = ""


@dataclass(frozen=True)
class Ranking:
    """Everybody in the order of a figure (G3).

    Who is level shares the place, the next place is left out, and they stand in the order of their
    ids. Who has no value has no place, and stands last.
    """

    metric: Metric
    _by_id: Mapping[str, tuple[_Key, str]] = field(default_factory=dict)
    _keys: Sequence[_Key] = ()

    def __len__(self) -> int:
        return len(self._keys)

    def changed(self, counts: Mapping[str, Named | None]) -> Ranking:
        """Return it with what these have come to now; None: they are on it no more.

        Finding a place takes a dozen comparisons among ten thousand, sorting them all a hundred
        thousand: a board of many reps has changed whenever somebody looks.
        """
        by_id, keys = dict(self._by_id), list(self._keys)
        gone = [by_id.pop(one)[0] for one in counts if one in by_id]
        come = {
            one: (_key(self.metric, one, now[1]), now[0])
            for one, now in counts.items()
            if now is not None
        }
        by_id |= come
        if len(counts) > _FEW:
            return Ranking(self.metric, by_id, sorted(key for key, _ in by_id.values()))
        for key in gone:
            del keys[bisect_left(keys, key)]
        for key, _ in come.values():
            insort(keys, key)
        return Ranking(self.metric, by_id, keys)

    def number_of(self, one: str) -> int | None:
        """Return how many stand before somebody, None where they are not on it."""
        return bisect_left(self._keys, self._by_id[one][0]) if one in self._by_id else None

    def rows(self, start: int = 0, end: int | None = None) -> tuple[Row, ...]:
        """Return the rows from one number up to, and without, another; 0 is the first."""
        return tuple(self._row(key) for key in self._keys[max(0, start) : end])

    def gap(self, row: Row) -> Fraction | None:
        """Return how much better the next place above a row is, None at the top, or without a
        value."""
        if row.place is None or row.value is None or row.place == 1:
            return None
        _, above, _ = self._keys[row.place - 2]
        return abs(self._value(above) - row.value)

    def is_shared(self, place: int) -> bool:
        """Tell whether more than one has a place."""
        first, *others = self._keys[place - 1 : place + 1]
        return bool(others) and others[0][:2] == first[:2]

    def _row(self, key: _Key) -> Row:
        without, value, one = key
        _, name = self._by_id[one]
        if without:
            return Row(None, one, name, None)
        place = bisect_left(self._keys, (without, value, _ANYBODY)) + 1
        return Row(place, one, name, self._value(value))

    def _value(self, sorted_by: Fraction | int) -> Fraction:
        return Fraction(sorted_by if self.metric.better == "less" else -sorted_by)


def ranked(metric: Metric, counts: Mapping[str, Named]) -> tuple[Row, ...]:
    """Return everybody's row in the order of a figure; `counts` are name and counts by id."""
    return Ranking(metric).changed(counts).rows()


def _key(metric: Metric, one: str, counts: Mapping[str, int]) -> _Key:
    """Return what somebody is sorted by: who has a value first, the best of them first."""
    without, by = order(metric, value_of(metric, counts))
    # Whole numbers are compared many times faster.
    return without, by.numerator if by.denominator == 1 else by, one


def team_of_target(teams: Mapping[str, Mapping[str, int]]) -> str:
    """Return which of the teams a rep worked for in a period their target counts for: the one they
    sold most for, of level ones the first by its id. A target has one, so that teams add up (M4).
    """
    return min(teams, key=lambda team: (-teams[team].get("revenue.sum", 0), team))


def summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return counts added up, name by name."""
    found: dict[str, int] = {}
    for one in counts:
        for name, number in one.items():
            found[name] = found.get(name, 0) + number
    return found
