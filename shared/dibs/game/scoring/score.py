"""Every ledger entry counts exactly once in standings, points and badges (K1, K2, G1-G3).

Entries may come twice, late or in any order, and a run may die between two writes. So all known
entries of an aggregate are tallied again; the difference from its last tally is added to the totals
in the same transaction that stores the aggregate. Boards follow from the totals, and points
accounts from the aggregates: both are checked for every entry, even one that is stored already.

Counting and publishing are two steps: a page of a board has many reps, so pages are published for
many batches of entries at once.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from dibs.core.attempts import attempts
from dibs.core.calendar import named
from dibs.core.errors import Busy
from dibs.core.periods import ALL, months, periods
from dibs.game.scoring.badges import badges_of, held
from dibs.game.scoring.points import ISSUED, Transfer
from dibs.game.scoring.ports import Aggregate, AwardBook, Change, PostedAwards, StandingsStore, Sum
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
# A change must fit into a transaction of a hundred writes. Beside the aggregate, a place may begin
# a newest day, and add the one before it to five periods; an award may need a reversal and a new
# transfer, each with its balance.
MOST_PLACES = 16
MOST_AWARDS = 24

Day = tuple[str, str]
"""A rep, and a day such as 2026-11-23."""


@dataclass(frozen=True)
class ScoreDeps:
    """The stores and the clock that scoring needs."""

    standings: StandingsStore
    roster: Roster
    playbooks: Playbooks
    targets: Targets
    awards: AwardBook
    clock: Callable[[], datetime]
    pause: Callable[[float], None] = time.sleep


def rules_of(playbooks: Playbooks) -> Rules:
    """Return a lookup of the playbook by version; the one in force where that is not stored."""
    in_force = cache(playbooks.in_force)

    @cache
    def of(version: int) -> Playbook:
        stored = playbooks.get(version) if version else None
        return (stored or in_force()).playbook

    return of


@dataclass(frozen=True)
class Counted:
    """How many aggregates changed, and the reps and days for whom boards have to be published."""

    changed: int
    due: frozenset[Day]


def score(deps: ScoreDeps, entries: Iterable[Entry]) -> int:
    """Count entries and publish them at once; return how many of their aggregates changed.

    Raises:
        Busy: others kept changing the same aggregates; uncounted entries are delivered again.
    """
    counted = count(deps, entries)
    publish_days(deps, counted.due)
    return counted.changed


def count(deps: ScoreDeps, entries: Iterable[Entry]) -> Counted:
    """Count entries in the totals and in points accounts; boards and badges come later.

    Raises:
        Busy: others kept changing the same aggregates; uncounted entries are delivered again.
    """
    by_unit: dict[str, dict[str, Entry]] = defaultdict(dict)
    for entry in entries:
        by_unit[unit_of(entry)][entry.entry_id] = entry
    rules, changed, due = rules_of(deps.playbooks), 0, set[Day]()
    for number, generation in enumerate(deps.standings.generations()):
        places, some = count_units(deps, generation, by_unit, rules)
        due |= {(place.rep_id, place.day) for place in places}
        changed = changed if number else some
    settle(deps, by_unit)
    return Counted(changed, frozenset(due))


def publish_days(deps: ScoreDeps, due: Iterable[Day]) -> None:
    """Publish what reps came to on some days, and in the periods around these, to the boards.

    Boards follow the totals of that moment, so publishing twice, or in another order, changes
    nothing.
    """
    keys = {(rep_id, period) for rep_id, day in due for period in periods(day)}
    rules = rules_of(deps.playbooks)
    for generation in deps.standings.generations() if keys else ():
        publish(deps, generation, keys, rules)


def count_units(
    deps: ScoreDeps,
    generation: str,
    news: Mapping[str, Mapping[str, Entry]],
    rules: Rules,
) -> tuple[set[Place], int]:
    """Count new entries by aggregate; return where they count, and how many aggregates changed.

    The places include those of earlier entries: the run that counted them may have died before it
    published them.

    Raises:
        Busy: others kept changing the same aggregates.
    """
    waiting, places, changed = set(news), set[Place](), set[str]()
    again = attempts(ATTEMPTS, deps.pause)
    next(again)
    while True:
        units = deps.standings.units(generation, waiting)
        changes, unfinished = [], set()
        for name in sorted(waiting):
            unit = units.get(name, Aggregate(name))
            merged = {**news[name], **unit.entries}
            places |= places_of(merged.values(), rules)
            if len(merged) > len(unit.entries):
                change = _change(unit, merged, rules)
                changes.append(change)
                if change.unit.entries is not merged:
                    unfinished.add(name)
        refused = set(deps.standings.apply(generation, changes)) if changes else set()
        changed |= {change.unit.name for change in changes} - refused
        waiting = refused | unfinished
        if not waiting:
            return places, len(changed)
        if refused and next(again, None) is None:
            raise Busy(conflict=True)


def settle(deps: ScoreDeps, units: Iterable[str]) -> None:
    """Make points accounts equal the awards of aggregates, each award posted once (G1, G9).

    Raises:
        Busy: others kept changing the same accounts.
    """
    waiting, again = set(units), attempts(ATTEMPTS, deps.pause)
    next(again)
    while True:
        # The posted awards are read first: while they are unchanged, the awards read next are
        # the newest.
        posted = deps.awards.posted_awards(waiting)
        live = deps.standings.generations()[0]
        due, unfinished = [], set()
        for name, unit in deps.standings.units(live, waiting).items():
            was, earned = posted.get(name, PostedAwards(name)), (unit.tally or Tally()).awards
            if was.awards != earned:
                some = _some_awards(was.awards, earned)
                after = PostedAwards(name, some, was.version + 1)
                due.append((after, tuple(_transfers(was.awards, some, after.version))))
                if some != earned:
                    unfinished.add(name)
        refused = set(deps.awards.settle(due)) if due else set()
        waiting = refused | unfinished
        if not waiting:
            return
        if refused and next(again, None) is None:
            raise Busy(conflict=True)


def _change(unit: Aggregate, entries: Mapping[str, Entry], rules: Rules) -> Change:
    """Return the aggregate with all its entries, and the difference.

    A difference too large for one transaction is made in steps: before the last step the aggregate
    holds its tally so far, without the new entries.
    """
    was, now = unit.tally or Tally(), tally(entries.values(), rules)
    deltas = _difference(was, now)
    if len(deltas) <= MOST_PLACES:
        return Change(Aggregate(unit.name, entries, now, unit.version + 1), deltas)
    order = sorted(deltas, key=lambda place: (place.rep_id, place.day, place.team, place.protected))
    some = {place: deltas[place] for place in order[:MOST_PLACES]}
    counts = dict(was.counts) | {place: now.counts.get(place, {}) for place in some}
    so_far = Tally({place: of for place, of in counts.items() if of}, was.awards)
    return Change(Aggregate(unit.name, unit.entries, so_far, unit.version + 1), some)


def _some_awards(was: Mapping[str, Award], now: Mapping[str, Award]) -> dict[str, Award]:
    """Return the awards to post next: `was`, with up to MOST_AWARDS changed to `now`."""
    changed = sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))
    kept = {name: award for name, award in was.items() if name not in changed[:MOST_AWARDS]}
    return kept | {name: now[name] for name in changed[:MOST_AWARDS] if name in now}


def _difference(was: Tally, now: Tally) -> dict[Place, dict[str, int]]:
    """Return what must be added to `was` to get `now`, at the places where they differ."""
    differing = {}
    for place in was.counts.keys() | now.counts.keys():
        old, new = was.counts.get(place, {}), now.counts.get(place, {})
        deltas = {name: new.get(name, 0) - old.get(name, 0) for name in old.keys() | new.keys()}
        if any(deltas.values()):
            differing[place] = {name: delta for name, delta in sorted(deltas.items()) if delta}
    return differing


def _transfers(
    was: Mapping[str, Award], now: Mapping[str, Award], version: int
) -> Iterable[Transfer]:
    """Yield the transfers between two states: reversals of old awards, then the new awards."""
    for award_id, award in was.items():
        if now.get(award_id) != award:
            name = f"reversed/{award_id}/{version}"
            rep_id, rule = award.place.rep_id, f"{award.rule}_reversed"
            yield Transfer(name, rep_id, ISSUED, award.points, award.at, rule, award.cause)
    for award_id, award in now.items():
        if was.get(award_id) != award:
            name, rep_id = f"{award_id}/{version}", award.place.rep_id
            yield Transfer(name, ISSUED, rep_id, award.points, award.at, award.rule, award.cause)


def publish(
    deps: ScoreDeps, generation: str, keys: Collection[tuple[str, str]], rules: Rules
) -> None:
    """Publish the sums of reps and periods to the boards, and award the badges that follow (G2)."""
    if not keys:
        return
    reps = deps.roster.get_many(sorted({rep_id for rep_id, _ in keys}))
    names = {rep_id: rep.name for rep_id, rep in reps.items()}
    targets = targets_of(deps.targets.of, keys)
    sums = deps.standings.publish(generation, keys, names, targets)
    badges = badges_of(rules(0))
    for total in sums:
        award(deps, generation, total, badges)


def award(deps: ScoreDeps, generation: str, total: Sum, badges: Mapping[str, Badge]) -> None:
    """Store the badges a sum earns; those it no longer earns are removed."""
    for attempt in attempts(ATTEMPTS, deps.pause):
        earned = held(badges, total.period, total.whole)
        if earned == total.badges:
            return
        if deps.standings.award_badges(generation, total, earned, deps.clock()):
            return
        [total] = deps.standings.sums(generation, {(total.rep_id, total.period)})
        attempt.at_once = True
    raise Busy(conflict=True)


def targets_of(
    monthly_of: Callable[[date, Sequence[str]], Mapping[str, int]],
    keys: Collection[tuple[str, str]],
) -> dict[tuple[str, str], int]:
    """Return the targets of reps in periods, each month's spread evenly over its days (M4)."""
    by_period: dict[str, list[str]] = defaultdict(list)
    for rep_id, period in keys:
        if period != ALL:
            by_period[period].append(rep_id)
    targets = {}
    for name, rep_ids in by_period.items():
        days = named(name, "UTC")
        monthly = {
            month: monthly_of(month, sorted(rep_ids))
            for month in months(days.first_day, days.last_day)
        }
        for rep_id in rep_ids:
            own = {month: of[rep_id] for month, of in monthly.items() if rep_id in of}
            if own:
                target = target_for(own, days.first_day, days.last_day, None, None)
                targets[rep_id, name] = round(target)
    return targets
