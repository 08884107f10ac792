"""Standings made anew from the ledger, beside the live ones, and held against it (G3).

What is scored while a rebuild runs is counted in both: in the live generation and in the one being
built. So when the new one takes over it lacks nothing. A rebuild that dies has changed nothing
anybody sees; the next begins again. In the end points accounts follow the new generation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from dibs.core.periods import periods
from dibs.game.scoring.points import ISSUED, Transfer
from dibs.game.scoring.ports import StandingsBuild, Sum, Total, Unit
from dibs.game.scoring.score import ScoreDeps, count_units, publish, rules_of, settle
from dibs.game.scoring.tally import Place, Tally, tally
from dibs.ledger.entries import Entry, unit_of
from dibs.receipts.receipts import Fault

A_SLICE = 2000
_TARGET = "target.sum"
_REVERSED = "reversed/"
T = TypeVar("T")

Progress = Callable[[str, int, int], None]
"""Told what is being gone through, how far it has come, and of how many; 0 is not known."""

Key = tuple[str, str]
"""A rep and a period."""


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild went through, and the generation that is live now."""

    generation: str
    entries: int
    units: int
    totals: int


class _Whole:
    """Counts of every rep in every period, by team, as they add up."""

    def __init__(self) -> None:
        self.counts: dict[Key, dict[tuple[str, bool], dict[str, int]]] = {}

    def add(self, made: Tally) -> None:
        for place, counts in made.counts.items():
            for period in periods(place.day):
                of_rep = self.counts.setdefault((place.rep_id, period), {})
                into = of_rep.setdefault((place.team, place.protected), {})
                for name, number in counts.items():
                    into[name] = into.get(name, 0) + number

    def touch(self, place: Place) -> None:
        for period in periods(place.day):
            self.counts.setdefault((place.rep_id, period), {})


def rebuild(
    deps: ScoreDeps, build: StandingsBuild, entries: Iterable[Entry], progress: Progress
) -> Rebuilt:
    """Make all standings anew from every entry of the ledger, and let boards show them.

    `entries` are read when whatever is scored from then on is counted here too: none falls between.
    """
    rules, generation, whole = rules_of(deps.playbooks), build.begin(), _Whole()
    units, many = _by_unit(entries, build, progress)
    names = sorted(units)
    for done, some in _slices(names):
        known = {name: {e.entry_id: e for e in map(build.unpack, units.pop(name))} for name in some}
        made = {name: tally(of.values(), rules) for name, of in known.items()}
        fresh = [Unit(name, of, made[name], 1) for name, of in known.items()]
        # Where somebody scored a new entry of a unit meanwhile, theirs is gone on with.
        begun = set(build.fill(generation, fresh))
        for name in made.keys() - begun:
            whole.add(made[name])
        news = {name: known[name] for name in begun}
        for place in count_units(deps, generation, news, rules)[0]:
            whole.touch(place)
        progress("units", done, len(names))
    keys = sorted(whole.counts, key=lambda key: (key[1], key[0]))
    for done, due in _slices(keys):
        build.add(generation, {key: whole.counts[key] for key in due})
        progress("totals", done, len(keys))
    for done, due in _slices(keys):
        publish(deps, generation, due, rules)
        progress("boards", done, len(keys))
    build.swap(generation)
    for done, some in _slices(names):
        settle(deps, some)
        progress("points", done, len(names))
    return Rebuilt(generation, many, len(names), len(keys))


def audit_standings(
    deps: ScoreDeps,
    build: StandingsBuild,
    entries: Iterable[Entry],
    transfers: Iterable[Transfer],
    progress: Progress,
) -> Iterator[Fault]:
    """Yield each difference between what the ledger comes to and what is kept.

    Totals by rep and period, what boards read of them, and the points awarded. What is scored
    while this runs may show: look again when it is quiet.
    """
    rules, whole = rules_of(deps.playbooks), _Whole()
    units, _ = _by_unit(entries, build, progress)
    awarded: dict[str, int] = defaultdict(int)
    for done, name in enumerate(sorted(units), 1):
        made = tally(map(build.unpack, units.pop(name)), rules)
        whole.add(made)
        for award_id, award in made.awards.items():
            awarded[award_id] += award.points
        if done % A_SLICE == 0:
            progress("units", done, done + len(units))
    generation = deps.standings.generations()[0]
    shown = {period for _, period in whole.counts}

    def kept() -> Iterator[Sum]:
        # A board may still show what is in no total any more.
        for one in build.every_sum(generation):
            shown.add(one.period)
            yield one

    yield from _totals_apart(whole, kept())
    for period in sorted(shown):
        yield from _boards_apart(whole, period, build.totals_in(generation, period))
    yield from _points_apart(awarded, transfers)


def _by_unit(
    entries: Iterable[Entry], build: StandingsBuild, progress: Progress
) -> tuple[dict[str, list[bytes]], int]:
    """Return entries by the unit they belong to, packed: a million of them fit into memory."""
    units: dict[str, list[bytes]] = {}
    many = 0
    for many, entry in enumerate(entries, 1):
        units.setdefault(unit_of(entry), []).append(build.pack(entry))
        if many % A_SLICE == 0:
            progress("entries", many, 0)
    progress("entries", many, many)
    return units, many


def _totals_apart(whole: _Whole, kept: Iterable[Sum]) -> Iterator[Fault]:
    waiting = set(whole.counts)
    for one in kept:
        waiting.discard((one.rep_id, one.period))
        expected = whole.counts.get((one.rep_id, one.period), {})
        stored = {(team, False): counts for team, counts in one.counts.items()}
        stored |= {(team, True): counts for team, counts in one.protected.items()}
        for of in sorted(expected.keys() | stored.keys()):
            where = f"{one.rep_id} {one.period} {of[0]}"
            yield from _apart("total", where, expected.get(of, {}), stored.get(of, {}))
    for rep_id, period in sorted(waiting):
        for (team, _), counts in whole.counts[rep_id, period].items():
            yield from _apart("total", f"{rep_id} {period} {team}", counts, {})


def _boards_apart(whole: _Whole, period: str, shown: Iterable[Total]) -> Iterator[Fault]:
    expected = {
        (rep_id, team): counts
        for (rep_id, of), teams in whole.counts.items()
        if of == period
        for (team, protected), counts in teams.items()
        if not protected
    }
    stored = {
        (one.rep_id, one.team): {n: c for n, c in one.counts.items() if n != _TARGET}
        for one in shown
    }
    for of in sorted(expected.keys() | stored.keys()):
        where = f"{of[0]} {period} {of[1]}"
        yield from _apart("board", where, expected.get(of, {}), stored.get(of, {}))


def _apart(
    kind: str, where: str, expected: Mapping[str, int], kept: Mapping[str, int]
) -> Iterator[Fault]:
    for name in sorted(expected.keys() | kept.keys()):
        said, is_kept = expected.get(name, 0), kept.get(name, 0)
        if said != is_kept:
            yield Fault(kind, where, f"{name} is {is_kept}; the ledger comes to {said}")


def _points_apart(awarded: Mapping[str, int], transfers: Iterable[Transfer]) -> Iterator[Fault]:
    booked: dict[str, int] = defaultdict(int)
    for one in transfers:
        if ISSUED in (one.from_account, one.to_account):
            sign = 1 if one.from_account == ISSUED else -1
            award_id, _, _ = one.transfer_id.removeprefix(_REVERSED).rpartition("/")
            booked[award_id] += sign * one.points
    for award_id in sorted(awarded.keys() | booked.keys()):
        said, is_booked = awarded.get(award_id, 0), booked.get(award_id, 0)
        if said != is_booked:
            yield Fault(
                "points", award_id, f"{is_booked} points are booked; the ledger comes to {said}"
            )


def _slices(items: Sequence[T]) -> Iterator[tuple[int, Sequence[T]]]:
    """Yield items bit by bit, each bit with how many that makes so far."""
    for start in range(0, len(items), A_SLICE):
        some = items[start : start + A_SLICE]
        yield start + len(some), some
