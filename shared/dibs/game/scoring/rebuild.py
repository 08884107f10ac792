"""Standings can be rebuilt from the ledger beside the live ones, and audited against it (G3).

While a rebuild runs, every new entry is counted in the live build and in the new one, so the new
one is complete when boards switch to it. A rebuild that dies changes nothing on the boards; the
next begins again. At the end the points accounts follow the new build.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from dibs.core.periods import periods
from dibs.game.scoring.badges import badges_of
from dibs.game.scoring.pages import TARGET, Total
from dibs.game.scoring.points import ISSUED, Transfer
from dibs.game.scoring.ports import Aggregate, StandingsBuild, Sum
from dibs.game.scoring.score import (
    ScoreDeps,
    award,
    count_units,
    publish,
    rules_of,
    settle,
    targets_of,
)
from dibs.game.scoring.tally import Place, Tally, tally
from dibs.ledger.entries import Entry, unit_of
from dibs.receipts.receipts import Fault

A_SLICE = 2000
_REVERSED = "reversed/"
T = TypeVar("T")

Progress = Callable[[str, int, int], None]
"""Called with the name of the stage, how many are done, and of how many; 0 is unknown."""

Key = tuple[str, str]
"""A rep and a period."""


@dataclass(frozen=True)
class RebuildResult:
    """What a rebuild counted, and the build that is live now."""

    generation: str
    entries: int
    units: int
    totals: int


class _Whole:
    """The sums of every rep in every period, by team."""

    def __init__(self) -> None:
        self.counts: dict[Key, dict[tuple[str, bool], dict[str, int]]] = {}

    def add(self, tally: Tally) -> None:
        for place, counts in tally.counts.items():
            for period in periods(place.day):
                of_rep = self.counts.setdefault((place.rep_id, period), {})
                into = of_rep.setdefault((place.team, place.protected), {})
                for name, number in counts.items():
                    into[name] = into.get(name, 0) + number

    def touch(self, place: Place) -> None:
        """Note that the stored totals of a place have more than is known here."""
        for period in periods(place.day):
            self.counts.setdefault((place.rep_id, period), {})


def rebuild(
    deps: ScoreDeps, build: StandingsBuild, entries: Iterable[Entry], progress: Progress
) -> RebuildResult:
    """Rebuild all standings from every entry of the ledger, and let boards show them.

    `entries` are read only after the new build counts new entries too, so none is missed.
    """
    rules, generation, sums = rules_of(deps.playbooks), build.begin(), _Whole()
    units, many = _by_unit(entries, build, progress)
    names = sorted(units)
    for done, some in _slices(names):
        by_id = {name: {e.entry_id: e for e in map(build.unpack, units.pop(name))} for name in some}
        tallies = {name: tally(of.values(), rules) for name, of in by_id.items()}
        fresh = [Aggregate(name, of, tallies[name], 1) for name, of in by_id.items()]
        # An aggregate that got a new entry meanwhile is stored already: add the others to it.
        begun = set(build.fill(generation, fresh))
        for name in tallies.keys() - begun:
            sums.add(tallies[name])
        news = {name: by_id[name] for name in begun}
        for place in count_units(deps, generation, news, rules)[0]:
            sums.touch(place)
        progress("units", done, len(names))
    keys = sorted(sums.counts, key=lambda key: (key[1], key[0]))
    for done, due in _slices(keys):
        build.add(generation, {key: sums.counts[key] for key in due})
        progress("totals", done, len(keys))
    _publish_all(deps, build, generation, keys, progress)
    build.swap(generation)
    for done, some in _slices(names):
        settle(deps, some)
        progress("points", done, len(names))
    return RebuildResult(generation, many, len(names), len(keys))


def _publish_all(
    deps: ScoreDeps,
    build: StandingsBuild,
    generation: str,
    keys: Iterable[Key],
    progress: Progress,
) -> None:
    """Publish a build's totals, each page once.

    The totals are read back: others may have counted in them what is not known here, and published
    it before the rest was added. What is counted later is published later, by a higher version.
    """
    rules, done = rules_of(deps.playbooks), 0
    by_period: dict[str, list[Key]] = defaultdict(list)
    for key in keys:
        by_period[key[1]].append(key)
    rep_ids = sorted({rep_id for of in by_period.values() for rep_id, _ in of})
    names = {rep.rep_id: rep.name for rep in deps.roster.get_many(rep_ids).values()}
    badges, monthly = badges_of(rules(0)), cache(lambda month: deps.targets.of(month, rep_ids))
    many = sum(map(len, by_period.values()))
    for period in sorted(by_period):
        due = by_period[period]
        sums = deps.standings.sums(generation, due)
        targets = targets_of(lambda month, _: monthly(month), due)
        shown = build.publish_first(generation, sums, names, targets)
        for total in sums:
            if (total.rep_id, period) in shown:
                award(deps, generation, total, badges)
        for _, some in _slices([key for key in due if key not in shown]):
            publish(deps, generation, some, rules)
        done += len(due)
        progress("boards", done, many)


def audit_standings(
    deps: ScoreDeps,
    build: StandingsBuild,
    entries: Iterable[Entry],
    transfers: Iterable[Transfer],
    progress: Progress,
) -> Iterator[Fault]:
    """Yield each difference between the ledger and the stored standings.

    Compared are the totals by rep and period, the boards, and the points awarded. An entry scored
    while this runs may show as a difference: run it again at a quiet time.
    """
    rules, sums = rules_of(deps.playbooks), _Whole()
    units, _ = _by_unit(entries, build, progress)
    awarded: dict[str, int] = defaultdict(int)
    for done, name in enumerate(sorted(units), 1):
        counted = tally(map(build.unpack, units.pop(name)), rules)
        sums.add(counted)
        for award_id, earned in counted.awards.items():
            awarded[award_id] += earned.points
        if done % A_SLICE == 0:
            progress("units", done, done + len(units))
    generation = deps.standings.generations()[0]
    shown = {period for _, period in sums.counts}

    def stored() -> Iterator[Sum]:
        # A board may still show a total that no longer exists.
        for total in build.every_sum(generation):
            shown.add(total.period)
            yield total

    yield from _totals_apart(sums, stored())
    for period in sorted(shown):
        yield from _boards_apart(sums, period, build.totals_in(generation, period))
    yield from _points_apart(awarded, transfers)


def _by_unit(
    entries: Iterable[Entry], build: StandingsBuild, progress: Progress
) -> tuple[dict[str, list[bytes]], int]:
    """Return entries by their aggregate, packed: a million of them fit into memory."""
    units: dict[str, list[bytes]] = {}
    many = 0
    for many, entry in enumerate(entries, 1):
        units.setdefault(unit_of(entry), []).append(build.pack(entry))
        if many % A_SLICE == 0:
            progress("entries", many, 0)
    progress("entries", many, many)
    return units, many


def _totals_apart(sums: _Whole, totals: Iterable[Sum]) -> Iterator[Fault]:
    waiting = set(sums.counts)
    for total in totals:
        waiting.discard((total.rep_id, total.period))
        expected = sums.counts.get((total.rep_id, total.period), {})
        stored = {(team, False): counts for team, counts in total.counts.items()}
        stored |= {(team, True): counts for team, counts in total.protected.items()}
        for of in sorted(expected.keys() | stored.keys()):
            where = f"{total.rep_id} {total.period} {of[0]}"
            yield from _apart("total", where, expected.get(of, {}), stored.get(of, {}))
    for rep_id, period in sorted(waiting):
        for (team, _), counts in sums.counts[rep_id, period].items():
            yield from _apart("total", f"{rep_id} {period} {team}", counts, {})


def _boards_apart(sums: _Whole, period: str, shown: Iterable[Total]) -> Iterator[Fault]:
    expected = {
        (rep_id, team): counts
        for (rep_id, of), teams in sums.counts.items()
        if of == period
        for (team, protected), counts in teams.items()
        if not protected
    }
    stored = {
        (total.rep_id, total.team): {n: c for n, c in total.counts.items() if n != TARGET}
        for total in shown
    }
    for of in sorted(expected.keys() | stored.keys()):
        where = f"{of[0]} {period} {of[1]}"
        yield from _apart("board", where, expected.get(of, {}), stored.get(of, {}))


def _apart(
    kind: str, where: str, expected: Mapping[str, int], stored: Mapping[str, int]
) -> Iterator[Fault]:
    for name in sorted(expected.keys() | stored.keys()):
        should, is_ = expected.get(name, 0), stored.get(name, 0)
        if should != is_:
            yield Fault(kind, where, f"{name} is {is_}; by the ledger {should}")


def _points_apart(awarded: Mapping[str, int], transfers: Iterable[Transfer]) -> Iterator[Fault]:
    posted: dict[str, int] = defaultdict(int)
    for transfer in transfers:
        if ISSUED in (transfer.from_account, transfer.to_account):
            sign = 1 if transfer.from_account == ISSUED else -1
            award_id, _, _ = transfer.transfer_id.removeprefix(_REVERSED).rpartition("/")
            posted[award_id] += sign * transfer.points
    for award_id in sorted(awarded.keys() | posted.keys()):
        should, is_ = awarded.get(award_id, 0), posted.get(award_id, 0)
        if should != is_:
            yield Fault("points", award_id, f"{is_} points posted; by the ledger {should}")


def _slices(items: Sequence[T]) -> Iterator[tuple[int, Sequence[T]]]:
    """Yield items in slices, each with how many items that makes so far."""
    for start in range(0, len(items), A_SLICE):
        some = items[start : start + A_SLICE]
        yield start + len(some), some
