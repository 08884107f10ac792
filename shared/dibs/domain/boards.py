"""Leaderboards (G3): reps or teams in the order of a figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from dibs.domain.game import Metric
from dibs.domain.metrics import order, value_of


@dataclass(frozen=True)
class Row:
    """One line of a board. `place` and `value` are None where there is nothing to divide by."""

    place: int | None
    id: str
    name: str
    value: Fraction | None


def ranked(metric: Metric, counts: Mapping[str, tuple[str, Mapping[str, int]]]) -> list[Row]:
    """Return everybody in the order of a figure; `counts` are name and counts by id (G3).

    Who is level shares the place, the next place is left out, and they stand in the order of their
    ids. Who has no value has no place, and stands last.
    """
    values = {one: value_of(metric, of) for one, (_, of) in counts.items()}
    rows: list[Row] = []
    for number, one in enumerate(sorted(values, key=lambda x: (order(metric, values[x]), x)), 1):
        value, place = values[one], None
        if value is not None:
            level = bool(rows) and rows[-1].value == value
            place = rows[-1].place if level else number
        rows.append(Row(place, one, counts[one][0], value))
    return rows


def near(rows: Sequence[Row], own: int, by: int = 1) -> Sequence[Row]:
    """Return a row with its neighbours, `by` on either side."""
    return rows[max(0, own - by) : own + by + 1]


def shared(rows: Sequence[Row], places: Iterable[int | None]) -> frozenset[int]:
    """Return which of these places more than one has; `rows` are the whole board."""
    known = {place for place in places if place is not None}
    return frozenset(one for one in known if one < len(rows) and rows[one].place == one)


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
