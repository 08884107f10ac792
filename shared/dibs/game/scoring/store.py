"""Standings on DynamoDB: units, totals by rep and period, and the pages boards read.

Nothing here is not in the ledger. Every key begins with the generation it belongs to: one is live,
and another may be in the making beside it.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from functools import partial
from itertools import groupby
from secrets import token_hex
from time import monotonic
from typing import Any, TypeVar

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import from_ms, to_ms
from dibs.aws.dynamo import ConditionFailed, Dynamo, insisting
from dibs.aws.settings import Settings
from dibs.core.errors import Busy
from dibs.core.periods import covering, kind_of, periods, span
from dibs.core.ports import Each
from dibs.game.scoring.changes import (
    BoardChange,
    changes_body,
    changes_from,
    latest,
    with_changes,
)
from dibs.game.scoring.newest_day import (
    Counts,
    Move,
    NewestDay,
    adds_to,
    belong_together,
    in_all_periods,
    move,
)
from dibs.game.scoring.pages import (
    NOTHING,
    TARGET,
    Page,
    Total,
    page_body,
    page_from,
    page_of,
    replaced,
)
from dibs.game.scoring.ports import (
    Aggregate,
    Change,
    OwnStandings,
    StandingsBuild,
    StandingsStore,
    Sum,
)
from dibs.game.scoring.ranking import summed, team_of_target
from dibs.game.scoring.tally import Award, Place, Tally
from dibs.ledger.entries import Entry

FIRST = "1"
# DynamoDB takes a hundred writes in one transaction, and a hundred keys in one read.
_MOST_WRITES = _MOST_READ = 100
# Where many are written one after the other: more at once would not be faster, and be refused more.
_MOST_FILLED = 25
_MOST_BYTES = 2_000_000
_PROTECTED = "!"
# Some 3 KB each: what a process keeps of them stays far below its memory.
_MOST_TOTALS = 40_000
_LIVE_SECONDS = 20
# Small items of the list of changes are added to, each time for a unit. The list is read with each
# board, so it grows no larger than the pages of a period, within these bounds.
_LISTED_BYTES = 900
_LEAST_LISTED_BYTES = 8_000
_MOST_LISTED_BYTES = 64_000
_MOST_LISTED = 1_000
# DynamoDB compares with a hundred values at most.
_MOST_IN = 100
_NO_COUNTS = frozenset({"pk", "sk", "version", "badges", "day", "closed", "before"})
# Sums that somebody moves on while they are read are read again.
_READS = 25

NOT_TALLIED = frozenset({"digest", "taken_at", "territory", "quality"})
"""What no tally reads of an entry: it stays in the ledger. All else is stored with a unit."""
_TALLIED = tuple(one.name for one in fields(Entry) if one.name not in NOT_TALLIED)
_INSTANTS = ("at", "recorded_at", "late_at")
_DEFAULTS = {one.name: one.default for one in fields(Entry)}

Write = dict[str, Any]
T = TypeVar("T")


@dataclass
class _Seen:
    """Pages of a period as they were last read, each with the stamp it then had.

    `written` says when pages were last written before they were read. `whole_pages` are the pages
    with the changes of the list `listed`, each with the page and the changes it was made of;
    `shown` are these in order, `totals` what somebody asked for of each.
    """

    stamps: dict[str, str] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    written: str | None = None
    listed: dict[tuple[str, str], BoardChange] | None = None
    whole_pages: dict[str, tuple[Page, tuple[BoardChange, ...], Page]] = field(default_factory=dict)
    shown: tuple[Page, ...] = ()
    totals: dict[str, tuple[Page, list[Total]]] = field(default_factory=dict)
    whole: tuple[tuple[Page, ...], list[Total]] = ((), [])


@dataclass(frozen=True)
class _Listed:
    """An item of the list of changes."""

    number: str
    stamp: str
    changes: tuple[BoardChange, ...]
    bytes: int


@dataclass
class _Changes:
    """The list of changes as it was last read, and when pages were last written."""

    items: dict[str, _Listed] = field(default_factory=dict)
    written: str = ""
    listed: dict[tuple[str, str], BoardChange] | None = None
    by_page: dict[str, dict[str, tuple[BoardChange, ...]]] = field(default_factory=dict)


class DynamoStandings(StandingsStore, StandingsBuild, OwnStandings):
    """`StandingsStore` and `StandingsBuild` on DynamoDB.

    `each` does something with each of many things, side by side where it can.
    """

    def __init__(self, dynamo: Dynamo, settings: Settings, each: Each = map) -> None:
        self._db = dynamo
        self._each = each
        self._to = settings
        self._table = settings.standings_table
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._changes: dict[str, _Changes] = {}
        # What was added up last, and the pages it was made of.
        self._added: tuple[list[tuple[str, tuple[Page, ...]]], list[Total]] = ([], [])
        self._year: tuple[list[Total], tuple[Page, ...]] = ([], ())
        self._live, self._live_until = FIRST, 0.0

    # Which making of them

    def generations(self) -> tuple[str, ...]:
        """Return the generations to be kept up to date, the live one first."""
        item = self._db.get(self._table, _GENERATION, consistent=True)
        if item is None:
            return (FIRST,)
        return (item["live"]["S"], *((item["building"]["S"],) if "building" in item else ()))

    def live(self) -> str:
        """Return the generation boards show, which this process looks up again now and then."""
        if monotonic() >= self._live_until:
            self._live = self.generations()[0]
            self._live_until = monotonic() + _LIVE_SECONDS
        return self._live

    def begin(self) -> str:
        """Begin another generation beside the live one, and return it; one that was begun before
        and never finished is given up.

        Raises:
            ConditionFailed: somebody else began one just then.
        """
        live, *given_up = self.generations()
        number = max(int(one) for one in (live, *given_up)) + 1
        was: Item = {":live": {"S": live}, **({":was": {"S": given_up[0]}} if given_up else {})}
        building = "building = :was" if given_up else "attribute_not_exists(building)"
        self._db.put(
            self._table,
            {**_GENERATION, "live": {"S": live}, "building": {"S": str(number)}},
            f"attribute_not_exists(pk) OR live = :live AND {building}",
            ExpressionAttributeValues=was,
        )
        return str(number)

    def swap(self, generation: str) -> None:
        """Let boards show a generation that is complete.

        Raises:
            ConditionFailed: another one was begun meanwhile.
        """
        self._db.put(
            self._table,
            {**_GENERATION, "live": {"S": generation}},
            "building = :this",
            ExpressionAttributeValues={":this": {"S": generation}},
        )

    def forget_others(self) -> int:
        """Delete what is of no generation that is live or being built; return how many items."""
        kept, found = set(self.generations()), 0
        for item in self._db.scan(self._table, ProjectionExpression="pk, sk"):
            generation = keys.part(item["pk"]["S"], 1)
            if generation and generation not in kept:
                self._db.delete(self._table, {"pk": item["pk"], "sk": item["sk"]})
                found += 1
        return found

    def pack(self, entry: Entry) -> bytes:
        """Return what a tally needs of an entry, as small as can be."""
        return packed(_entry_body(entry))

    def unpack(self, small: bytes) -> Entry:
        """Return the entry that was packed, without what no tally needs."""
        return _entry_from(unpacked(small))

    def fill(self, generation: str, units: Sequence[Aggregate]) -> list[str]:
        """Store units that are not there yet; return those that are, and were left alone."""
        writes = [(unit.name, self._unit_write(generation, unit)) for unit in units]
        loads = _loads(writes, lambda one: len(one[1]["Put"]["Item"]["body"]["B"]))
        return [name for refused in self._each(self._filled, loads) for name in refused]

    def _filled(self, due: Sequence[tuple[str, Write]]) -> list[str]:
        try:
            self._once([write for _, write in due])
        except ConditionFailed as met:
            tried = list(zip(due, met.failed, strict=True))
            rest = [one for one, no in tried if not no]
            return [name for (name, _), no in tried if no] + (self._filled(rest) if rest else [])
        return []

    def add(
        self,
        generation: str,
        counts: Mapping[tuple[str, str], Mapping[tuple[str, bool], Mapping[str, int]]],
    ) -> None:
        """Add counts to totals: by rep and period, then by team and whether protected."""
        writes = []
        for (rep_id, period), teams in counts.items():
            flat = {
                _flat(team, protected, name): number
                for (team, protected), of in teams.items()
                for name, number in of.items()
            }
            writes.append(self._total_write(generation, rep_id, period, flat))
        # A few counts each: so many of them are always small enough.
        list(self._each(self._once, _loads(writes, lambda _: 0)))

    def _once(self, writes: Sequence[Write]) -> None:
        # Always a transaction, and always the same: when its answer is lost and it is sent again,
        # it is done once. A plain write would take its own unit for somebody else's.
        insisting(partial(self._db.transact, writes, token_hex(18)))

    def every_sum(self, generation: str) -> Iterator[Sum]:
        """Yield every total of a generation, in no order, for the audit."""
        found = self._db.scan(
            self._table,
            FilterExpression="begins_with(pk, :of)",
            ExpressionAttributeValues={":of": {"S": keys.totals_of(generation, "")}},
        )
        # A scan yields all items of one key after each other.
        for _, of_rep in groupby(found, key=lambda item: item["pk"]["S"]):
            items = {item["sk"]["S"]: item for item in of_rep}
            newest = items.pop(keys.NEWEST, None)
            day = () if newest is None else periods(newest["day"]["S"])
            for period in sorted(items.keys() | set(day)):
                one = sum_of(period, items.get(period), newest)
                if one is not None:
                    yield one

    # Units and totals

    def units(self, generation: str, names: Collection[str]) -> dict[str, Aggregate]:
        """Return those units that are stored, as they are now."""
        wanted = [_unit_key(generation, name) for name in sorted(names)]
        units = (unit_from(item) for item in self._now(wanted))
        return {unit.name: unit for unit in units}

    def _now(self, wanted: Sequence[Item]) -> Iterator[Item]:
        """Yield items as they are now, the requests for many of them side by side."""

        def read(some: Sequence[Item]) -> list[Item]:
            return self._db.batch_get({self._table: some}, (self._table,))[self._table]

        loads = [wanted[at : at + _MOST_READ] for at in range(0, len(wanted), _MOST_READ)]
        return (item for items in self._each(read, loads) for item in items)

    def apply(self, generation: str, changes: Sequence[Change]) -> list[str]:
        """Store changes, each unit whole or not at all; return the units that have changed
        meanwhile, or were held just then, for which nothing was done."""
        reps = {place.rep_id for change in changes for place in change.counts}
        newest: dict[str, NewestDay] | None = None
        # A build in progress has no newest days: its totals are added while others count in it.
        if generation == self.live():
            found = self._now([total_key(generation, rep_id, keys.NEWEST) for rep_id in reps])
            newest = {keys.part(item["pk"]["S"], 2): newest_from(item) for item in found}

        def refused(batch: Sequence[Change]) -> list[str]:
            try:
                self._db.transact(self._writes(generation, batch, newest))
            except (ConditionFailed, Busy) as error:
                if isinstance(error, Busy) and not error.conflict:
                    raise
                return [change.unit.name for change in batch]
            return []

        batches = _batches(changes, newest)
        return [name for names in self._each(refused, batches) for name in names]

    def _writes(
        self,
        generation: str,
        changes: Sequence[Change],
        newest: Mapping[str, NewestDay] | None,
    ) -> list[dict[str, Any]]:
        writes: list[dict[str, Any]] = [self._unit_write(generation, one.unit) for one in changes]
        for rep_id, moved in _moves(changes, newest).items():
            known = newest.get(rep_id) if newest else None
            if moved.newest is not None:
                writes.append(self._newest_write(generation, rep_id, moved, known))
            closes = known if moved.closed else None
            for period, counts in moved.totals.items():
                closing = closes is not None and period in periods(closes.day)
                of = closes if closing else None
                writes.append(self._total_write(generation, rep_id, period, counts, of))
        return writes

    def _newest_write(
        self, generation: str, rep_id: str, moved: Move, known: NewestDay | None
    ) -> Write:
        """Return what adds to a rep's newest day, or begins one."""
        counts = moved.newest or {}
        if not moved.begins:
            write = self._total_write(generation, rep_id, keys.NEWEST, counts)
            update = write["Update"]
            update["ConditionExpression"] = "#day = :day"
            update.setdefault("ExpressionAttributeNames", {})["#day"] = "day"
            update["ExpressionAttributeValues"][":day"] = {"S": moved.day}
            return write
        item: Item = {
            **total_key(generation, rep_id, keys.NEWEST),
            "day": {"S": moved.day},
            "version": {"N": "1"},
            **{name: {"N": str(number)} for name, number in counts.items()},
        }
        if known is None:
            condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        else:
            item |= {"closed": {"N": str(known.closed + 1)}, "before": {"S": known.day}}
            condition = _still(known.day, known.version)
        return {"Put": {"TableName": self._table, "Item": item, **condition}}

    def _unit_write(self, generation: str, unit: Aggregate) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self._table, "Item": unit_item(generation, unit)}
        if unit.version == 1:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put["ConditionExpression"] = "version = :was"
            put["ExpressionAttributeValues"] = {":was": {"N": str(unit.version - 1)}}
        return {"Put": put}

    def _total_write(
        self,
        generation: str,
        rep_id: str,
        period: str,
        counts: Counts,
        closing: NewestDay | None = None,
    ) -> dict[str, Any]:
        """Return what adds counts to a total; of a day that closes, its changes count as well."""
        names = {f"#c{n}": name for n, name in enumerate(counts)}
        values = {f":c{n}": {"N": str(number)} for n, number in enumerate(counts.values())}
        values[":more"] = {"N": str(1 + (0 if closing is None else closing.version))}
        added = ", ".join(f"#c{n} :c{n}" for n in range(len(counts)))
        change = f"ADD version :more{', ' if added else ''}{added}"
        if closing is not None:
            change = f"SET closed = :closed {change}"
            values[":closed"] = {"N": str(closing.closed + 1)}
        return {
            "Update": {
                "TableName": self._table,
                "Key": total_key(generation, rep_id, period),
                "UpdateExpression": change,
                "ExpressionAttributeValues": values,
                **({"ExpressionAttributeNames": names} if names else {}),
            }
        }

    def sums(self, generation: str, keys_: Collection[tuple[str, str]]) -> list[Sum]:
        """Return the sums of reps in periods, as they are now.

        Raises:
            Busy: others moved the same reps' days on each time they were read.
        """
        waiting, found = set(keys_), dict[tuple[str, str], Sum]()
        for _ in range(_READS):
            asked = sorted(waiting | {(rep_id, keys.NEWEST) for rep_id, _ in waiting})
            items = {
                (keys.part(item["pk"]["S"], 2), item["sk"]["S"]): item
                for item in self._now([total_key(generation, *key) for key in asked])
            }
            waiting, moved = set(), waiting
            for rep_id, period in moved:
                stored, newest = items.get((rep_id, period)), items.get((rep_id, keys.NEWEST))
                if not is_of_one_moment(period, stored, newest):
                    waiting.add((rep_id, period))
                elif one := sum_of(period, stored, newest):
                    found[rep_id, period] = one
            if not waiting:
                return [found[key] for key in sorted(found)]
        raise Busy(conflict=True)

    def award_badges(self, generation: str, sums: Sum, held: frozenset[str], at: datetime) -> bool:
        """Note which badges a rep holds for a period; False when the sum has changed meanwhile."""
        inside = bool(sums.newest) and sums.period in periods(sums.newest)
        own = sums.version - (sums.newest_version if inside else 0)
        noted: dict[str, Any] = {
            "TableName": self._table,
            "Key": total_key(generation, sums.rep_id, sums.period),
            "UpdateExpression": "SET badges = :held" if held else "REMOVE badges",
            "ConditionExpression": "version = :seen" if own else "attribute_not_exists(version)",
        }
        values: Item = {":held": {"SS": sorted(held)}} if held else {}
        if own:
            values[":seen"] = {"N": str(own)}
        if values:
            noted["ExpressionAttributeValues"] = values
        unmoved: dict[str, Any] = {
            "TableName": self._table,
            "Key": total_key(generation, sums.rep_id, keys.NEWEST),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if sums.newest:
            unmoved |= _still(sums.newest, sums.newest_version)
        writes: list[dict[str, Any]] = [{"Update": noted}, {"ConditionCheck": unmoved}]
        game = self._to.game_table
        for badge in sorted(held - sums.badges):
            # Update, not put: who rebuilds the standings does not change when it was earned.
            earned = "SET earned_at = if_not_exists(earned_at, :at)"
            write = {"UpdateExpression": earned, "ExpressionAttributeValues": {":at": _ms(at)}}
            key = _badge_key(sums.rep_id, badge, sums.period)
            writes.append({"Update": {"TableName": game, "Key": key, **write}})
        for badge in sorted(sums.badges - held):
            key = _badge_key(sums.rep_id, badge, sums.period)
            writes.append({"Delete": {"TableName": game, "Key": key}})
        try:
            self._db.transact(writes)
        except (ConditionFailed, Busy) as error:
            if isinstance(error, Busy) and not error.conflict:
                raise
            return False
        return True

    def badges(self, rep_id: str) -> list[tuple[str, str, datetime]]:
        """Return a rep's badges: each one's id, the period it is held for, when it was earned."""
        found = self._db.query(
            self._to.game_table, "pk = :rep", {":rep": {"S": keys.badges(rep_id)}}
        )
        return [
            (
                keys.part(item["sk"]["S"], 0),
                keys.part(item["sk"]["S"], 1),
                from_ms(int(item["earned_at"]["N"])),
            )
            for item in found
        ]

    # What boards read

    def publish(
        self,
        generation: str,
        wanted: Collection[tuple[str, str]],
        names: Mapping[str, str],
        targets: Mapping[tuple[str, str], int],
    ) -> list[Sum]:
        """Put what reps came to in periods where boards read it; return these sums.

        Raises:
            Busy: others kept changing the list.
        """
        sums = self.sums(generation, wanted)
        changes = [
            BoardChange(
                *(one.rep_id, one.period, one.version),
                tuple(
                    _shown(one, names.get(one.rep_id, ""), targets.get((one.rep_id, one.period), 0))
                ),
            )
            for one in sums
        ]
        for at in range(0, len(changes), _MOST_LISTED):
            self._list(generation, changes[at : at + _MOST_LISTED])
        return sums

    def _list(self, generation: str, changes: Sequence[BoardChange]) -> None:
        """List changes of boards; where the list is long, write the pages they belong on."""
        for _ in range(_READS):
            listed, most = self._listed(generation)
            known = latest(change for one in listed for change in one.changes)
            # What shows already, as after a repeat, is not paid for again.
            due = [
                one
                for one in changes
                if one.key not in known
                or (known[one.key] != one and known[one.key].version <= one.version)
            ]
            if not due:
                return
            last = listed[-1] if listed else None
            whole = [*latest([*(last.changes if last else ()), *due]).values()]
            body = packed(changes_body(whole))
            if last is None or len(body) > _LISTED_BYTES:
                number = int(last.number) + 1 if last else 0
                last, body = None, packed(changes_body(due))
            else:
                number = int(last.number)
            if self._put_changes(generation, f"{number:06d}", last, body):
                size = sum(one.bytes for one in listed if one is not last) + len(body)
                if size > most:
                    self.write_pages(generation)
                return
        raise Busy(conflict=True)

    def _put_changes(self, generation: str, number: str, was: _Listed | None, body: bytes) -> bool:
        condition, values = "attribute_not_exists(pk)", Item()
        if was is not None:
            condition, values = "stamp = :was", {":was": {"S": was.stamp}}
        item = {
            **_changes_key(generation, number),
            "stamp": {"S": token_hex(6)},
            "changes": {"B": body},
        }
        more: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
        try:
            self._db.put(self._table, item, condition, **more)
        except ConditionFailed:
            return False
        return True

    def _listed(self, generation: str) -> tuple[list[_Listed], int]:
        """Return the list of changes as it is now, and how many bytes it may have."""
        values: Item = {":of": {"S": keys.board_changes(generation)}}
        found = list(self._db.query(self._table, "pk = :of", values, ConsistentRead=True))
        written = max((_number(item, "bytes") for item in found), default=0)
        most = min(max(written, _LEAST_LISTED_BYTES), _MOST_LISTED_BYTES)
        return [_listed_from(item) for item in found if "changes" in item], most

    def write_pages(self, generation: str) -> None:
        """Write the pages that listed changes belong on, and take these off the list.

        Raises:
            Busy: others kept writing the same pages.
        """
        listed, _ = self._listed(generation)
        if not listed:  # Somebody else did it just then, and knows how long the pages are.
            return
        waiting: dict[tuple[str, str], list[BoardChange]] = defaultdict(list)
        sizes = Counter[str]()
        for change in latest(change for one in listed for change in one.changes).values():
            waiting[change.period, keys.page_of(change.rep_id)].append(change)
        for _ in range(_READS):
            pages = self._pages(generation, waiting)

            def written(
                of: tuple[str, str],
                pages: Mapping[tuple[str, str], tuple[int, Page]] = pages,
            ) -> bool:
                version, page = pages.get(of, (0, NOTHING))
                whole = with_changes(page, waiting[of])
                sizes[of[0]] += len(packed(page_body(whole)))
                return whole is page or self._put_page(generation, *of, version, whole)

            tried = list(waiting)
            for of, is_stored in zip(tried, self._each(written, tried), strict=True):
                if is_stored:
                    del waiting[of]
            if not waiting:
                break
        else:
            raise Busy(conflict=True)
        # Who has read pages before reads them again. They are told before anything leaves the list,
        # in case this dies in between, and after it, so that they forget what has left.
        largest = max(sizes.values(), default=0)
        self._put_written(generation, largest)
        for one in listed:
            # One that was added to meanwhile stays.
            with suppress(ConditionFailed):
                self._db.delete(
                    self._table,
                    _changes_key(generation, one.number),
                    "stamp = :was",
                    ExpressionAttributeValues={":was": {"S": one.stamp}},
                )
        self._put_written(generation, largest)

    def _put_written(self, generation: str, bytes_: int) -> None:
        self._db.put(
            self._table,
            {
                **_changes_key(generation, keys.WRITTEN),
                "stamp": {"S": token_hex(6)},
                "bytes": {"N": str(bytes_)},
            },
        )

    def publish_first(
        self,
        generation: str,
        sums: Sequence[Sum],
        names: Mapping[str, str],
        targets: Mapping[tuple[str, str], int],
    ) -> set[tuple[str, str]]:
        """Write pages of these sums that are not there yet; return whose they are."""
        pages: dict[tuple[str, str], list[Sum]] = defaultdict(list)
        for one in sums:
            pages[one.period, keys.page_of(one.rep_id)].append(one)

        def written(of: tuple[str, str]) -> bool:
            totals = [
                total
                for one in pages[of]
                for total in _shown(
                    one, names.get(one.rep_id, ""), targets.get((one.rep_id, one.period), 0)
                )
            ]
            versions = {one.rep_id: one.version for one in pages[of]}
            page = replaced(NOTHING, versions, totals)
            return not totals or self._put_page(generation, *of, 0, page)

        shown = set[tuple[str, str]]()
        for of, is_stored in zip(pages, self._each(written, list(pages)), strict=True):
            if is_stored:
                shown |= {(one.rep_id, one.period) for one in pages[of]}
        return shown

    def _pages(
        self, generation: str, wanted: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[int, Page]]:
        page_keys = [_page_key(generation, period, number) for period, number in wanted]
        return {
            (keys.part(item["pk"]["S"], 2), item["sk"]["S"]): (
                int(item["version"]["N"]),
                page_from(unpacked(item["reps"]["B"])),
            )
            for item in self._now(page_keys)
        }

    def _put_page(
        self, generation: str, period: str, number: str, version: int, page: Page
    ) -> bool:
        try:
            self._db.put(
                self._table,
                {
                    **_page_key(generation, period, number),
                    "version": {"N": str(version + 1)},
                    "stamp": {"S": token_hex(6)},
                    "made_at": _ms(datetime.now(UTC)),
                    "reps": {"B": packed(page_body(page))},
                },
                "attribute_not_exists(pk) OR version = :was",
                ExpressionAttributeValues={":was": {"N": str(version)}},
            )
        except ConditionFailed:
            return False
        return True

    def totals(self, period: str) -> list[Total]:
        """Return every rep's total of a period, as it was last put together.

        One request up to some 15,000 reps (1 MB), four for a year, which is its quarters; pages
        this process has seen are not sent again.
        """
        if kind_of(period) == "year":
            return self.between(*span(period))
        return self.totals_in(self.live(), period)

    def pages(self, period: str) -> Sequence[Page]:
        """Return the same page by page; a year is one page."""
        if kind_of(period) != "year":
            return self._read(self.live(), period).shown
        whole = self.between(*span(period))
        if self._year[0] is not whole:
            self._year = (whole, (page_of(whole),))
        return self._year[1]

    def totals_in(self, generation: str, period: str) -> list[Total]:
        """Return every rep's total of a period in one generation."""
        seen = self._read(generation, period)
        if seen.whole[0] is not seen.shown:
            # The very same total where nothing changed: what was worked out of it stands.
            for number, (*_, page) in seen.whole_pages.items():
                was, known = seen.totals.get(number, (NOTHING, []))
                if was is not page:
                    were = {(one.rep_id, one.team): one for one in known}
                    found = ((were.get((one.rep_id, one.team)), one) for one in page.totals())
                    seen.totals[number] = page, [was if was == one else one for was, one in found]
            totals = [one for number in sorted(seen.totals) for one in seen.totals[number][1]]
            seen.whole = seen.shown, totals
        return seen.whole[1]

    def _read(self, generation: str, period: str) -> _Seen:
        """Return the pages of a period as they are now, with the changes that are listed."""
        seen = self._seen.pop((generation, period), _Seen())
        self._seen[generation, period] = seen  # The last to be forgotten.
        # The list first: what leaves it is on pages by then.
        changes = self._changes.setdefault(generation, _Changes())
        self._read_changes(generation, changes)
        if seen.written != changes.written:
            self._read_pages(generation, period, seen)
            seen.written = changes.written
        if seen.listed is not changes.listed:
            seen.listed = changes.listed
            due = changes.by_page.get(period, {})
            for number in sorted(seen.pages.keys() | due.keys()):
                page, new = seen.pages.get(number, NOTHING), due.get(number, ())
                was = seen.whole_pages.get(number)
                if was is None or was[:2] != (page, new):
                    seen.whole_pages[number] = page, new, with_changes(page, new)
            shown = tuple(whole for _, (*_, whole) in sorted(seen.whole_pages.items()))
            if shown != seen.shown:
                seen.shown = shown
        while len(self._seen) > 1 and self._kept() > _MOST_TOTALS:
            del self._seen[next(iter(self._seen))]
        return seen

    def _read_pages(self, generation: str, period: str, seen: _Seen) -> None:
        values: Item = {":page": {"S": keys.pages(generation, period)}}
        options: dict[str, Any] = {}
        if seen.stamps:
            stamps = {f":s{n}": {"S": stamp} for n, stamp in enumerate(seen.stamps.values())}
            values |= stamps
            options["FilterExpression"] = f"NOT stamp IN ({', '.join(stamps)})"
        for item in self._db.query(
            self._table, "pk = :page", values, ConsistentRead=True, **options
        ):
            number = item["sk"]["S"]
            seen.stamps[number] = item["stamp"]["S"]
            seen.pages[number] = page_from(unpacked(item["reps"]["B"]))
            seen.listed = None

    def _read_changes(self, generation: str, changes: _Changes) -> None:
        """Bring the list of changes that this process knows up to what it is now."""
        values: Item = {":of": {"S": keys.board_changes(generation)}}
        options: dict[str, Any] = {}
        if changes.items or changes.written:
            known = [changes.written, *(one.stamp for one in changes.items.values())]
            stamps = {f":s{n}": {"S": stamp} for n, stamp in enumerate(known)}
            some = [", ".join(names) for names in _slices(list(stamps), _MOST_IN)]
            values |= stamps
            options["FilterExpression"] = " AND ".join(f"NOT stamp IN ({one})" for one in some)
        found = list(self._db.query(self._table, "pk = :of", values, **options))
        written = next((one["stamp"]["S"] for one in found if "changes" not in one), "")
        if written and changes.items:
            # Pages were written: what is gone from the list no filter tells.
            values = {":of": {"S": keys.board_changes(generation)}}
            found = list(self._db.query(self._table, "pk = :of", values))
            changes.items = {}
            written = next((one["stamp"]["S"] for one in found if "changes" not in one), written)
        changes.written = written or changes.written
        if not found and changes.listed is not None:
            return
        changes.items |= {one["sk"]["S"]: _listed_from(one) for one in found if "changes" in one}
        in_order = [changes.items[number] for number in sorted(changes.items)]
        listed = latest(change for one in in_order for change in one.changes)
        by_page: dict[str, dict[str, list[BoardChange]]] = defaultdict(lambda: defaultdict(list))
        for change in listed.values():
            by_page[change.period][keys.page_of(change.rep_id)].append(change)
        changes.by_page = {
            period: {number: tuple(some) for number, some in pages.items()}
            for period, pages in by_page.items()
        }
        changes.listed = listed

    def _kept(self) -> int:
        # A period nobody has done anything in counts as well.
        return sum(max(1, sum(map(len, seen.shown))) for seen in self._seen.values())

    def between(self, first: date, last: date) -> list[Total]:
        """Return every rep's total of some days, both ends among them."""
        generation, parts, stamps = self.live(), [], []
        for period in covering(first, last):
            parts.append(self.totals_in(generation, period))
            stamps.append((period, self._seen[generation, period].shown))
        # The very same list while nothing changed, as with a period that is stored.
        if self._added[0] != stamps:
            self._added = (stamps, _added_up(parts))
        return self._added[1]


def _added_up(parts: Iterable[Iterable[Total]]) -> list[Total]:
    whole: dict[tuple[str, str], Total] = {}
    for part in parts:
        for one in part:
            known = whole.get((one.rep_id, one.team))
            # As they are called now.
            whole[one.rep_id, one.team] = (
                one if known is None else replace(one, counts=summed((known.counts, one.counts)))
            )
    return list(whole.values())


def unit_item(generation: str, unit: Aggregate) -> Item:
    """Return the item of a unit: its entries as far as they are tallied, and what they came to."""
    tally = unit.tally or Tally()
    body = {
        "name": unit.name,
        "entries": [_entry_body(entry) for _, entry in sorted(unit.entries.items())],
        "counts": [[*_place_body(place), dict(found)] for place, found in tally.counts.items()],
        "awards": awards_body(tally.awards),
    }
    return {
        **_unit_key(generation, unit.name),
        "version": {"N": str(unit.version)},
        "body": {"B": packed(body)},
    }


def unit_from(item: Item) -> Aggregate:
    """Return the unit a stored item describes."""
    body = unpacked(item["body"]["B"])
    entries = (_entry_from(one) for one in body["entries"])
    tally = Tally(
        {Place(*place): found for *place, found in body["counts"]},
        awards_from(body["awards"]),
    )
    known = {entry.entry_id: entry for entry in entries}
    return Aggregate(body["name"], known, tally, int(item["version"]["N"]))


def awards_body(awards: Mapping[str, Award]) -> dict[str, list[Any]]:
    """Return awards as JSON has them."""
    return {
        name: [*_place_body(a.place), to_ms(a.at), a.rule, a.points, a.cause]
        for name, a in awards.items()
    }


def awards_from(body: Mapping[str, list[Any]]) -> dict[str, Award]:
    """Return the awards a stored body describes."""
    return {
        name: Award(Place(*place), from_ms(at), rule, points, cause)
        for name, (*place, at, rule, points, cause) in body.items()
    }


def sum_of(period: str, stored: Item | None, newest: Item | None) -> Sum | None:
    """Return the sum that a stored total and the rep's newest day describe, None without either."""
    day = None if newest is None else newest_from(newest)
    inside = newest if adds_to(day, period) else None
    items = [item for item in (stored, inside) if item is not None]
    if not items:
        return None
    flat = Counter[str]()
    for item in items:
        flat.update(_counts_of(item))
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    protected: dict[str, dict[str, int]] = defaultdict(dict)
    for attribute, number in flat.items():
        team, _, name = attribute.partition("|")
        if number:
            into = protected if team.endswith(_PROTECTED) else counts
            into[team.removesuffix(_PROTECTED)][name] = number
    return Sum(
        rep_id=keys.part(items[0]["pk"]["S"], 2),
        period=period,
        counts=dict(counts),
        protected=dict(protected),
        badges=frozenset(stored["badges"]["SS"]) if stored and "badges" in stored else frozenset(),
        version=sum(_number(item, "version") for item in items),
        newest="" if day is None else day.day,
        newest_version=0 if day is None else day.version,
    )


def is_of_one_moment(period: str, stored: Item | None, newest: Item | None) -> bool:
    """Return whether a total and a newest day that were read together belong together."""
    day = None if newest is None else newest_from(newest)
    return belong_together(day, period, 0 if stored is None else _number(stored, "closed"))


def newest_from(item: Item) -> NewestDay:
    """Return the newest day that a stored item describes."""
    return NewestDay(
        day=item["day"]["S"],
        counts=_counts_of(item),
        version=_number(item, "version"),
        closed=_number(item, "closed"),
        before=item["before"]["S"] if "before" in item else "",
    )


def _counts_of(item: Item) -> dict[str, int]:
    return {name: int(value["N"]) for name, value in item.items() if name not in _NO_COUNTS}


def _number(item: Item, name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def _flat(team: str, protected: bool, name: str) -> str:
    return f"{team}{_PROTECTED if protected else ''}|{name}"


def _still(day: str, version: int) -> dict[str, Any]:
    """Return the condition that a rep's newest day is as it was seen."""
    return {
        "ConditionExpression": "#day = :day AND version = :was",
        "ExpressionAttributeNames": {"#day": "day"},
        "ExpressionAttributeValues": {":day": {"S": day}, ":was": {"N": str(version)}},
    }


def _loads(writes: Iterable[T], bytes_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield writes in transactions well within what DynamoDB takes: a hundred, and 4 MB."""
    load: list[T] = []
    size = 0
    for write in writes:
        if load and (len(load) == _MOST_FILLED or size + bytes_of(write) > _MOST_BYTES):
            yield load
            load, size = [], 0
        load.append(write)
        size += bytes_of(write)
    if load:
        yield load


def _batches(
    changes: Sequence[Change], newest: Mapping[str, NewestDay] | None
) -> Iterable[list[Change]]:
    """Yield changes in transactions that fit, those of the same reps together."""

    def by_rep(change: Change) -> str:
        return min((place.rep_id for place in change.counts), default="")

    batch: list[Change] = []
    for change in sorted(changes, key=by_rep):
        if batch and _writes_of([*batch, change], newest) > _MOST_WRITES:
            yield batch
            batch = []
        batch.append(change)
    if batch:
        yield batch


def _writes_of(changes: Sequence[Change], newest: Mapping[str, NewestDay] | None) -> int:
    moves = _moves(changes, newest).values()
    return len(changes) + sum((one.newest is not None) + len(one.totals) for one in moves)


def _moves(changes: Sequence[Change], newest: Mapping[str, NewestDay] | None) -> dict[str, Move]:
    """Return what changes come to by rep; without newest days, all is added to the periods."""
    news: dict[str, dict[str, dict[str, int]]] = defaultdict(dict)
    for change in changes:
        for place, counts in change.counts.items():
            into = news[place.rep_id].setdefault(place.day, {})
            for name, number in counts.items():
                flat = _flat(place.team, place.protected, name)
                into[flat] = into.get(flat, 0) + number
    if newest is None:
        return {rep_id: Move("", None, in_all_periods(days)) for rep_id, days in news.items()}
    return {rep_id: move(newest.get(rep_id), days) for rep_id, days in news.items()}


def _shown(found: Sum, name: str, target: int) -> list[Total]:
    """Return what boards show of a rep's sum: protected counts are the rep's own (F9)."""
    best = team_of_target(found.counts) if target and found.counts else None
    return [
        Total(found.rep_id, team, name, {**counts, **({TARGET: target} if team == best else {})})
        for team, counts in found.counts.items()
    ]


def _entry_body(entry: Entry) -> dict[str, Any]:
    body = {name: getattr(entry, name) for name in _TALLIED}
    kept = {name: value for name, value in body.items() if value != _DEFAULTS.get(name, ...)}
    return kept | {name: to_ms(kept[name]) for name in _INSTANTS if name in kept}


def _entry_from(body: dict[str, Any]) -> Entry:
    instants = {name: from_ms(body[name]) for name in _INSTANTS if name in body}
    return Entry(**{**body, **instants, "shared": tuple(body.get("shared", ()))})


def _place_body(place: Place) -> list[Any]:
    return [place.rep_id, place.team, place.day, place.protected]


def packed(body: Any) -> bytes:
    """Return a JSON body as small as can be."""
    return zlib.compress(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode())


def unpacked(small: bytes) -> Any:
    """Return a body that was packed."""
    return json.loads(zlib.decompress(small))


def _listed_from(item: Item) -> _Listed:
    body = item["changes"]["B"]
    changes = tuple(changes_from(unpacked(body)))
    return _Listed(item["sk"]["S"], item["stamp"]["S"], changes, len(body))


def _changes_key(generation: str, number: str) -> Item:
    return {"pk": {"S": keys.board_changes(generation)}, "sk": {"S": number}}


def _slices(things: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    for at in range(0, len(things), most):
        yield things[at : at + most]


_GENERATION: Item = {"pk": {"S": keys.GENERATION}, "sk": {"S": keys.GENERATION}}


def _ms(at: datetime) -> dict[str, str]:
    return {"N": str(to_ms(at))}


def _unit_key(generation: str, name: str) -> Item:
    return {"pk": {"S": keys.unit(generation, name)}, "sk": {"S": keys.UNIT}}


def total_key(generation: str, rep_id: str, period: str) -> Item:
    """Return where a rep's sums of a period are."""
    return {"pk": {"S": keys.totals_of(generation, rep_id)}, "sk": {"S": period}}


def _page_key(generation: str, period: str, number: str) -> Item:
    return {"pk": {"S": keys.pages(generation, period)}, "sk": {"S": number}}


def _badge_key(rep_id: str, badge: str, period: str) -> Item:
    return {"pk": {"S": keys.badges(rep_id)}, "sk": {"S": f"{badge}#{period}"}}
