"""What counts in a contest was recorded before the cut-off, and happened in its time (C8, G12).

An entry's own time says when it happened, and may lie in the past; `heard_at` says when it was
recorded. Totals by day hold everything that was scored so far. At the close, what was recorded too
late is taken out of them again. In a contest that runs by the hour the entries themselves are
tallied, as totals are by day.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from dibs.core.errors import Busy
from dibs.core.events import LATE_AFTER, RECORDED
from dibs.core.periods import covering
from dibs.game.contests.rules import Counts, FrozenContest
from dibs.game.scoring.ports import Aggregate, StandingsStore, Sum
from dibs.game.scoring.score import rules_of
from dibs.game.scoring.tally import Place, Rules, tally
from dibs.intake.ports import Pending
from dibs.ledger.entries import Entry, unit_of
from dibs.ledger.ports import Ledger
from dibs.roster.ports import Roster
from dibs.rules.ports import Playbooks

Row = tuple[str, str, Counts]
"""A rep's counts for a team."""

_READS = 5
_DAY = timedelta(days=1)
# Behind the day of an entry that happened within the contest's hours.
_WITHIN = "+"


@dataclass(frozen=True)
class CountStores:
    """The stores that contests are counted from. `unsent` are the leads' events that were to be
    sent before a time and are not."""

    standings: StandingsStore
    ledger: Ledger
    playbooks: Playbooks
    roster: Roster
    unsent: Callable[[datetime], Iterable[Pending]]


def settled(stores: CountStores, cut_off: datetime, as_of: datetime) -> bool:
    """Return whether everything recorded before the cut-off is in the standings.

    What is being written at the cut-off is given some time to arrive.
    """
    if as_of < cut_off + LATE_AFTER:
        return False
    events = (pending.event for pending in stores.unsent(cut_off))
    if any(event is None or event.kind in RECORDED for event in events):
        return False
    if any(True for _ in stores.ledger.unrecorded(cut_off)):
        return False
    return not any(entry.heard_at < cut_off for entry in stores.ledger.unscored(as_of))


def late_units(
    stores: CountStores, frozen: FrozenContest, since: date, cut_off: datetime, as_of: datetime
) -> set[str]:
    """Return the aggregates of the entrants' entries that were recorded too late."""
    start = datetime(since.year, since.month, since.day, tzinfo=cut_off.tzinfo) - _DAY
    entries = _entries(stores, frozen, start, as_of + _DAY)
    return {unit_of(entry) for entry in entries if entry.heard_at >= cut_off}


def by_day(
    stores: CountStores, first: date, last: date, late: Collection[str], cut_off: datetime
) -> list[Row]:
    """Return everybody's counts of some days, by what was scored so far; of the `late` aggregates,
    only what was recorded before the cut-off.

    Raises:
        Busy: the aggregates changed each time they were read.
    """
    rows = [(t.rep_id, t.team, t.counts) for t in stores.standings.between(first, last)]
    if not late:
        return rows
    units, sums = _at_once(stores, late, covering(first, last))
    entries = stores.ledger.find({name for unit in units.values() for name in unit.entries})
    rules, affected = rules_of(stores.playbooks), {sum_.rep_id for sum_ in sums}
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for found in sums:
        for team, own in found.counts.items():
            counts[found.rep_id, team].update(own)
    days = (first.isoformat(), last.isoformat())
    for unit in units.values():
        in_time = [entries[name] for name in unit.entries if name in entries]
        in_time = [entry for entry in in_time if entry.heard_at < cut_off]
        for place, own in tally(in_time, rules).counts.items():
            if _shows(place, days):
                counts[place.rep_id, place.team].update(own)
        for place, own in (unit.tally.counts if unit.tally else {}).items():
            if _shows(place, days):
                counts[place.rep_id, place.team].subtract(own)
    others = [row for row in rows if row[0] not in affected]
    return others + _rows(counts)


def _shows(place: Place, days: tuple[str, str]) -> bool:
    return not place.protected and days[0] <= place.day <= days[1]


def _at_once(
    stores: CountStores, names: Collection[str], periods: Collection[str]
) -> tuple[dict[str, Aggregate], list[Sum]]:
    """Return aggregates, and the sums of their reps that hold just these tallies."""
    store = stores.standings
    generation = store.generations()[0]
    units = store.units(generation, names)
    for _ in range(_READS):
        places = (place for unit in units.values() if unit.tally for place in unit.tally.counts)
        reps = {place.rep_id for place in places}
        sums = store.sums(generation, {(rep_id, period) for rep_id in reps for period in periods})
        before, units = units, store.units(generation, names)
        if before == units:
            return units, sums
    raise Busy(conflict=True)


def by_hour(
    stores: CountStores,
    frozen: FrozenContest,
    within: Callable[[Entry], bool],
    start: datetime,
    end: datetime,
    cut_off: datetime,
) -> list[Row]:
    """Return what entrants did from `start` to `end`, as far as it was recorded in time.

    Entries are tallied with all that belongs to them; those that are `within` the hours count.
    """
    near = [entry for entry in _entries(stores, frozen, start, end) if within(entry)]
    names = {unit_of(entry) for entry in near}
    stored = stores.standings.units(stores.standings.generations()[0], names)
    wanted = {entry.entry_id for entry in near}
    wanted |= {name for unit in stored.values() for name in unit.entries}
    whole: dict[str, list[Entry]] = defaultdict(list)
    for entry in stores.ledger.find(wanted).values():
        if entry.heard_at < cut_off:
            day = entry.day + _WITHIN if within(entry) else entry.day
            whole[unit_of(entry)].append(replace(entry, day=day))
    return _rows(_tallied(whole, rules_of(stores.playbooks)))


def _tallied(
    whole: Mapping[str, Iterable[Entry]], rules: Rules
) -> dict[tuple[str, str], Counter[str]]:
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for entries in whole.values():
        for place, own in tally(entries, rules).counts.items():
            if place.day.endswith(_WITHIN) and not place.protected:
                counts[place.rep_id, place.team].update(own)
    return counts


def _rows(counts: Mapping[tuple[str, str], Mapping[str, int]]) -> list[Row]:
    """Return counts as rows, without those of nothing."""
    rows = (
        (rep_id, team, {name: number for name, number in own.items() if number})
        for (rep_id, team), own in counts.items()
    )
    return [row for row in rows if row[2]]


def _entries(
    stores: CountStores, frozen: FrozenContest, start: datetime, end: datetime
) -> Iterable[Entry]:
    """Yield what entrants did, and the members of their teams, who may share results (R5)."""
    reps = {entrant.rep_id for entrant in frozen.entrants}
    for team in sorted({entrant.team for entrant in frozen.entrants}):
        reps |= {rep.rep_id for rep, _ in stores.roster.team(team)}
    for rep_id in sorted(reps):
        yield from stores.ledger.of_rep(rep_id, start, end)
