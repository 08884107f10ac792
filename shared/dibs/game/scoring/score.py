"""Keep standings equal to the ledger (K1, K2, G1-G3): entries become counts, points and badges.

Entries may come twice, late or in any order, and a run may die between two writes. All entries of
a unit that are known are tallied anew; the difference to what the unit came to before is added to
the totals in the same transaction that stores the unit. So everything counts exactly once, and
standings are what a recomputation gives. What boards read follows from the totals, and the points
in accounts from the units: both are looked at for every entry, also where it was known.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from dibs.core.attempts import attempts
from dibs.core.calendar import named
from dibs.core.errors import Busy
from dibs.core.periods import ALL, months, periods
from dibs.game.scoring.badges import badges_of, held
from dibs.game.scoring.points import ISSUED, Transfer
from dibs.game.scoring.ports import AwardBook, Booked, Change, StandingsStore, Sum, Unit
from dibs.game.scoring.tally import (
    Award,
    Place,
    Rules,
    Tally,
    places_of,
    tally,
)
from dibs.ledger.entries import Entry, unit_of
from dibs.reports.ports import Targets
from dibs.reports.quotas import target_for
from dibs.roster.ports import Roster
from dibs.rules.game import Badge
from dibs.rules.playbook import Playbook
from dibs.rules.ports import Playbooks

ATTEMPTS = 25
# What a unit gains in one go must fit into a transaction of a hundred writes. A place is in five
# periods, beside the unit; an award may be one transfer back and one anew, each with its balance.
MOST_PLACES = 19
MOST_AWARDS = 24


@dataclass(frozen=True)
class ScoreDeps:
    """Everything scoring works with."""

    standings: StandingsStore
    roster: Roster
    playbooks: Playbooks
    targets: Targets
    awards: AwardBook
    clock: Callable[[], datetime]
    pause: Callable[[float], None] = time.sleep


def rules_of(playbooks: Playbooks) -> Rules:
    """Return how to find the playbook of a version; of one that is not on record, the present."""
    in_force = cache(playbooks.in_force)

    @cache
    def of(version: int) -> Playbook:
        known = playbooks.get(version) if version else None
        return (known or in_force()).playbook

    return of


def score(deps: ScoreDeps, entries: Iterable[Entry]) -> int:
    """Count entries; return how many of their units were changed by them.

    Raises:
        Busy: others kept changing the same units; what was not counted comes again.
    """
    by_unit: dict[str, dict[str, Entry]] = defaultdict(dict)
    for entry in entries:
        by_unit[unit_of(entry)][entry.entry_id] = entry
    rules, changed = rules_of(deps.playbooks), 0
    for number, generation in enumerate(deps.standings.generations()):
        places, count = count_units(deps, generation, by_unit, rules)
        publish(deps, generation, {(p.rep_id, x) for p in places for x in periods(p.day)}, rules)
        changed = changed if number else count
    settle(deps, by_unit)
    return changed


def count_units(
    deps: ScoreDeps,
    generation: str,
    news: Mapping[str, Mapping[str, Entry]],
    rules: Rules,
) -> tuple[set[Place], int]:
    """Count new entries by their units; return where they count, and how many units changed.

    Where a unit has counted before is returned as well, for all its entries: whoever counted them
    may have died before anybody could see it.

    Raises:
        Busy: others kept changing the same units.
    """
    waiting, places, changed = set(news), set[Place](), set[str]()
    again = attempts(ATTEMPTS, deps.pause)
    next(again)
    while True:
        units = deps.standings.units(generation, waiting)
        changes, unfinished = [], set()
        for name in sorted(waiting):
            unit = units.get(name, Unit(name))
            known = {**news[name], **unit.entries}
            places |= places_of(known.values(), rules)
            if len(known) > len(unit.entries):
                change = _change(unit, known, rules)
                changes.append(change)
                if change.unit.entries is not known:
                    unfinished.add(name)
        refused = set(deps.standings.apply(generation, changes)) if changes else set()
        changed |= {change.unit.name for change in changes} - refused
        waiting = refused | unfinished
        if not waiting:
            return places, len(changed)
        if refused and next(again, None) is None:
            raise Busy(conflict=True)


def settle(deps: ScoreDeps, units: Iterable[str]) -> None:
    """Let points accounts follow the awards of units (G1, G9), each award booked once.

    Raises:
        Busy: others kept changing the same accounts.
    """
    waiting, again = set(units), attempts(ATTEMPTS, deps.pause)
    next(again)
    while True:
        # What is booked first: while it is still so, no newer awards than those read have been.
        booked = deps.awards.booked(waiting)
        live = deps.standings.generations()[0]
        due, unfinished = [], set()
        for name, unit in deps.standings.units(live, waiting).items():
            was, made = booked.get(name, Booked(name)), (unit.made or Tally()).awards
            if was.awards != made:
                some = _some_awards(was.awards, made)
                after = Booked(name, some, was.version + 1)
                due.append((after, tuple(_transfers(was.awards, some, after.version))))
                if some != made:
                    unfinished.add(name)
        refused = set(deps.awards.settle(due)) if due else set()
        waiting = refused | unfinished
        if not waiting:
            return
        if refused and next(again, None) is None:
            raise Busy(conflict=True)


def _change(unit: Unit, known: Mapping[str, Entry], rules: Rules) -> Change:
    """Return the unit with all entries that are known now, and the difference.

    One that is too much for a transaction is made in steps: up to the last, the unit holds what
    it came to so far, and not the new entries.
    """
    was, made = unit.made or Tally(), tally(known.values(), rules)
    apart = _difference(was, made)
    if len(apart) <= MOST_PLACES:
        return Change(Unit(unit.name, known, made, unit.version + 1), apart)
    order = sorted(apart, key=lambda place: (place.rep_id, place.day, place.team, place.protected))
    some = {place: apart[place] for place in order[:MOST_PLACES]}
    counts = dict(was.counts) | {place: made.counts.get(place, {}) for place in some}
    so_far = Tally({place: found for place, found in counts.items() if found}, was.awards)
    return Change(Unit(unit.name, unit.entries, so_far, unit.version + 1), some)


def _some_awards(was: Mapping[str, Award], made: Mapping[str, Award]) -> dict[str, Award]:
    """Return what awards are to be booked next on the way to those that were `made`."""
    apart = sorted(name for name in was.keys() | made.keys() if was.get(name) != made.get(name))
    kept = {name: award for name, award in was.items() if name not in apart[:MOST_AWARDS]}
    return kept | {name: made[name] for name in apart[:MOST_AWARDS] if name in made}


def _difference(was: Tally, made: Tally) -> dict[Place, dict[str, int]]:
    """Return what must be added to `was` for `made`, where they are not the same."""
    found = {}
    for place in was.counts.keys() | made.counts.keys():
        old, new = was.counts.get(place, {}), made.counts.get(place, {})
        deltas = {name: new.get(name, 0) - old.get(name, 0) for name in old.keys() | new.keys()}
        if any(deltas.values()):
            found[place] = {name: delta for name, delta in sorted(deltas.items()) if delta}
    return found


def _transfers(
    was: Mapping[str, Award], made: Mapping[str, Award], version: int
) -> Iterable[Transfer]:
    """Yield what becomes of accounts: awards that are new, and those that are taken back."""
    for award_id, award in was.items():
        if made.get(award_id) != award:
            name = f"reversed/{award_id}/{version}"
            rep_id, rule = award.place.rep_id, f"{award.rule}_reversed"
            yield Transfer(name, rep_id, ISSUED, award.points, award.at, rule, award.cause)
    for award_id, award in made.items():
        if was.get(award_id) != award:
            name, rep_id = f"{award_id}/{version}", award.place.rep_id
            yield Transfer(name, ISSUED, rep_id, award.points, award.at, award.rule, award.cause)


def publish(
    deps: ScoreDeps, generation: str, keys: Collection[tuple[str, str]], rules: Rules
) -> None:
    """Put together what boards read of reps and periods, and the badges that follow (G2)."""
    if not keys:
        return
    reps = deps.roster.get_many(sorted({rep_id for rep_id, _ in keys}))
    names = {rep_id: rep.name for rep_id, rep in reps.items()}
    sums = deps.standings.publish(generation, keys, names, _targets(deps, keys))
    badges = badges_of(rules(0))
    for one in sums:
        _award(deps, generation, one, badges)


def _award(deps: ScoreDeps, generation: str, one: Sum, badges: Mapping[str, Badge]) -> None:
    """Note the badges a sum holds, and the loss of those it no longer does."""
    for _ in attempts(ATTEMPTS, deps.pause):
        earned = held(badges, one.period, one.whole)
        if earned == one.badges:
            return
        if deps.standings.award_badges(generation, one, earned, deps.clock()):
            return
        [one] = deps.standings.sums(generation, {(one.rep_id, one.period)})
    raise Busy(conflict=True)


def _targets(deps: ScoreDeps, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return the targets of reps in periods (M4), each month's spread evenly over its days."""
    by_period: dict[str, list[str]] = defaultdict(list)
    for rep_id, period in keys:
        if period != ALL:
            by_period[period].append(rep_id)
    found = {}
    for name, rep_ids in by_period.items():
        days = named(name, "UTC")
        wanted = {
            month: deps.targets.of(month, sorted(rep_ids))
            for month in months(days.first_day, days.last_day)
        }
        for rep_id in rep_ids:
            mine = {month: of[rep_id] for month, of in wanted.items() if rep_id in of}
            if mine:
                whole = target_for(mine, days.first_day, days.last_day, None, None)
                found[rep_id, name] = round(whole)
    return found
