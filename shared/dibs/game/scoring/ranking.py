"""Reps or teams ranked by a metric (G3)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from operator import itemgetter

from dibs.game.scoring.metrics import order, value_of
from dibs.game.scoring.samples import Sample, sample_of
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


_Key = tuple[int, Fraction | int, str]
_Known = tuple[_Key, str, Fraction | None]
"""A sort key, a name, and the value of who is not ranked yet."""

# The parts of a board, in order: with a value, without one, and not ranked yet.
_PLACED, _WITHOUT, _APART = range(3)
# Beyond so many changes, sorting all again is faster.
_FEW = 500
# Sorts before every id with the same value.
_ANYBODY = ""


@dataclass(frozen=True)
class Ranking:
    """All reps or teams in the order of a metric (G3).

    Equal values share the place, the next place is left out, and they are ordered by id. Those
    without a value have no place and come last. Whoever has a smaller sample than `need` is listed
    apart, after all others, the largest sample first (G12).
    """

    metric: Metric
    need: int = 0
    _by_id: Mapping[str, _Known] = field(default_factory=dict)
    _keys: Sequence[_Key] = ()

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def ranked(self) -> int:
        """How many rows come before those that are listed apart."""
        return bisect_left(self._keys, _APART, key=itemgetter(0))

    def changed(self, counts: Mapping[str, Named | None]) -> Ranking:
        """Return the ranking with these new counts; None removes an id.

        A board of many reps changes all the time. Among ten thousand, inserting takes a dozen
        comparisons, sorting a hundred thousand.
        """
        by_id, keys = dict(self._by_id), list(self._keys)
        old = [by_id.pop(id_)[0] for id_ in counts if id_ in by_id]
        sample = sample_of(self.metric) if self.need else None
        new = {
            id_: _known(self, sample, id_, named)
            for id_, named in counts.items()
            if named is not None
        }
        by_id |= new
        if len(counts) > _FEW:
            return replace(self, _by_id=by_id, _keys=sorted(key for key, *_ in by_id.values()))
        for key in old:
            del keys[bisect_left(keys, key)]
        for key, *_ in new.values():
            insort(keys, key)
        return replace(self, _by_id=by_id, _keys=keys)

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


def _known(ranking: Ranking, sample: Sample | None, id_: str, named: Named) -> _Known:
    """Return what is kept of a row; its sort key is first."""
    (name, counts), metric = named, ranking.metric
    value = value_of(metric, counts)
    have = None if sample is None else sample.size(counts)
    if have is not None and have < ranking.need:
        return (_APART, _whole(-have), id_), name, value
    without, by = order(metric, value)
    return (_WITHOUT if without else _PLACED, _whole(by), id_), name, None


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
