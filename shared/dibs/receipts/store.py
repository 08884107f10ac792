"""Races on DynamoDB, judged, sealed and chained (C9, R9): a table without a stream."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from itertools import islice

from pynamodb.attributes import Attribute, BinaryAttribute, UnicodeAttribute
from pynamodb.constants import STRING
from pynamodb.models import Model

from dibs.aws import keys
from dibs.aws.attributes import (
    EnumAttribute,
    InstantAttribute,
    IntegerAttribute,
    Item,
    WordsAttribute,
)
from dibs.aws.clock import to_ms
from dibs.aws.codec import Codec
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.core.lead import Lead
from dibs.race.records import OFFER_KEPT
from dibs.race.verdicts import RecordedVerdicts
from dibs.receipts.ports import Dispute, Races
from dibs.receipts.receipts import ChainLink, Outcome, SealedRace, TriedRace, tried_races

# Receipts an item holds, and reps: far below the 400 KB an item may have.
_PAGE = 200
_PART = 1000


class VerdictsAttribute(Attribute[Mapping[str, tuple[str, ...]]]):
    """Which rules kept reps out: their codes, then all reps they kept out, a line for each set."""

    attr_type = STRING

    def serialize(self, value: Mapping[str, tuple[str, ...]]) -> str:
        by_codes: dict[str, list[str]] = {}
        for rep_id, codes in value.items():
            by_codes.setdefault(",".join(codes), []).append(rep_id)
        return "\n".join(f"{codes}:{' '.join(reps)}" for codes, reps in sorted(by_codes.items()))

    def deserialize(self, value: str) -> dict[str, tuple[str, ...]]:
        lines = (line.partition(":") for line in value.splitlines())
        return {
            rep_id: tuple(codes.split(",")) if codes else ()
            for codes, _, reps in lines
            for rep_id in reps.split()
        }


class RaceRecord(Model):
    """A race (races table): before it is sealed only its place among those to be sealed."""

    class Meta:
        table_name = "races"

    lead_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    race = UnicodeAttribute(null=True)
    hash = UnicodeAttribute(null=True)
    head = UnicodeAttribute(null=True)
    block = IntegerAttribute(null=True)
    filed_under = UnicodeAttribute(null=True)
    filed_at = InstantAttribute(null=True)


class PageRecord(Model):
    """Receipts of a race in order (races table), a line each: its hash, then its text.

    The lines are compressed to a quarter, because a write is paid by the KB. Pages of earlier
    versions hold them as they are.
    """

    class Meta:
        table_name = "races"

    lead_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    lines = UnicodeAttribute(null=True)
    packed = BinaryAttribute(null=True, legacy_encoding=False)


class VerdictsRecord(Model):
    """How one wave's reps were judged (races table)."""

    class Meta:
        table_name = "races"

    lead_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    epoch = IntegerAttribute()
    wave_at = InstantAttribute()
    at = InstantAttribute()
    teams = WordsAttribute()
    playbook_version = IntegerAttribute()
    verdicts = VerdictsAttribute()
    how = UnicodeAttribute(null=True)
    expires_at = IntegerAttribute()


class TriedRecord(Model):
    """A race in the list of a rep who tried to win it (races table), kept as long as offers are."""

    class Meta:
        table_name = "races"

    listed = UnicodeAttribute(hash_key=True, attr_name="lead_id")
    sk = UnicodeAttribute(range_key=True)
    lead_id = UnicodeAttribute(attr_name="lead")
    epoch = IntegerAttribute()
    rep_id = UnicodeAttribute()
    closed_at = InstantAttribute()
    outcome = EnumAttribute(Outcome)
    place = IntegerAttribute(null=True)
    behind_ms = IntegerAttribute(null=True)
    rules = WordsAttribute(null=True)
    expires_at = IntegerAttribute()


class BlockRecord(Model):
    """The races sealed in a minute (races table): each block's hash covers the one before."""

    class Meta:
        table_name = "races"

    lead_id = UnicodeAttribute(hash_key=True, default=keys.BLOCKS)
    sk = UnicodeAttribute(range_key=True)
    block = UnicodeAttribute()
    hash = UnicodeAttribute()
    filed_under = UnicodeAttribute()
    filed_at = InstantAttribute()


class DisputeRecord(Model):
    """Why a rep disputes a race, and the answer (races table); in people's own words, so in no hash
    and no log."""

    class Meta:
        table_name = "races"

    lead_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    epoch = IntegerAttribute()
    rep_id = UnicodeAttribute()
    reason = UnicodeAttribute()
    filed_under = UnicodeAttribute()
    at = InstantAttribute(attr_name="filed_at")
    ruling = UnicodeAttribute(null=True)
    answer = UnicodeAttribute(null=True)
    answered_at = InstantAttribute(null=True)
    answered_by = UnicodeAttribute(null=True)


_JUDGED = Codec(
    VerdictsRecord,
    RecordedVerdicts,
    beside=lambda judged: {"expires_at": to_ms(judged.at + OFFER_KEPT) // 1000},
)
_DISPUTE = Codec(
    DisputeRecord,
    Dispute,
    beside=lambda dispute: {
        "sk": keys.dispute(dispute.epoch, dispute.rep_id),
        "filed_under": keys.disputes_of(dispute.at.date()),
    },
)
_TRIED = Codec(
    TriedRecord,
    TriedRace,
    beside=lambda one: {
        "listed": keys.races_of(one.rep_id),
        "sk": keys.tried(one.closed_at, one.lead_id, one.epoch),
        "expires_at": to_ms(one.closed_at + OFFER_KEPT) // 1000,
    },
)
tried_item, tried_from = _TRIED.item, _TRIED.value
judged_item, judged_from = _JUDGED.item, _JUDGED.value
dispute_item, dispute_from = _DISPUTE.item, _DISPUTE.value


def page_item(lead_id: str, sk: str, links: Iterable[ChainLink]) -> Item:
    """Return receipts as they are stored."""
    lines = "\n".join(f"{link.hash} {link.text}" for link in links)
    packed = zlib.compress(lines.encode(), 9)
    return PageRecord(lead_id=lead_id, sk=sk, packed=packed).serialize()


def page_from(item: Item) -> list[ChainLink]:
    """Return the receipts of a page.

    One that cannot be unpacked was altered: it is one line that no audit can read.
    """
    page = PageRecord.from_raw_data(item)
    try:
        lines = page.lines or zlib.decompress(page.packed or b"").decode()
    except (zlib.error, ValueError):
        lines = ""
    parts = (line.partition(" ") for line in lines.split("\n"))
    return [ChainLink(text, digest) for digest, _, text in parts]


class DynamoRaces(Races):
    """`Races` on DynamoDB."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._table = settings.races_table

    def begin(self, lead: Lead, late_at: datetime) -> None:
        """Put the lead's opening among the races to be sealed, late from `late_at` on; once."""
        record = RaceRecord(
            lead_id=lead.lead_id,
            sk=keys.race(lead.epoch),
            filed_under=keys.unsealed_shard(keys.shard_of(lead.lead_id)),
            filed_at=late_at,
        )
        self._add(record.serialize())

    def record_judged(self, judged: RecordedVerdicts) -> None:
        """Keep how a wave was judged, for 90 days; the first record of it stays."""
        reps = sorted(judged.verdicts)
        for part, start in enumerate(range(0, max(1, len(reps)), _PART)):
            some = {rep_id: judged.verdicts[rep_id] for rep_id in reps[start : start + _PART]}
            sk = keys.judged(judged.epoch, judged.wave_at, part)
            self._add(judged_item(replace(judged, verdicts=some), sk=sk))

    def judged(self, lead_id: str, epoch: int) -> list[RecordedVerdicts]:
        """Return how each wave of an opening was judged, in order."""
        found = self._db.query(
            self._table,
            "lead_id = :lead AND begins_with(sk, :start)",
            {":lead": {"S": lead_id}, ":start": {"S": keys.judged(epoch)}},
        )
        waves: dict[datetime, RecordedVerdicts] = {}
        for item in found:
            part = judged_from(item)
            first = waves.get(part.wave_at, part)
            waves[part.wave_at] = replace(first, verdicts={**first.verdicts, **part.verdicts})
        return list(waves.values())

    def seal(self, lead_id: str, epoch: int, sealed: SealedRace, at: datetime) -> bool:
        """Store a sealed race, its receipts before it; False when it was sealed before."""
        told = sealed.links[1:]
        pages = [
            page_item(
                lead_id, keys.race_page(epoch, sealed.head, page), told[start : start + _PAGE]
            )
            for page, start in enumerate(range(0, len(told), _PAGE))
        ]
        # Pages stand under their head, so that of two who seal at once each has its own.
        # A list may say what an earlier seal of the same race does not: it is read to find it.
        self._db.batch_put(self._table, [*pages, *map(tried_item, tried_races(sealed))])
        first = sealed.links[0]
        record = RaceRecord(
            lead_id=lead_id,
            sk=keys.race(epoch),
            race=first.text,
            hash=first.hash,
            head=sealed.head,
            filed_under=keys.unchained_shard(keys.shard_of(lead_id)),
            filed_at=at,
        )
        try:
            self._db.put(self._table, record.serialize(), "attribute_not_exists(race)")
        except ConditionFailed:
            return False
        return True

    def find(self, lead_id: str, epoch: int) -> SealedRace | None:
        """Return a sealed race with its receipts and who disputes it."""
        key = keys.race(epoch)
        found = self._db.query(
            self._table,
            "lead_id = :lead AND begins_with(sk, :race)",
            {":lead": {"S": lead_id}, ":race": {"S": key}},
            ConsistentRead=True,
        )
        items = {item["sk"]["S"]: item for item in found}
        if key not in items or "race" not in items[key]:
            return None
        record = RaceRecord.from_raw_data(items[key])
        pages = keys.race_pages(epoch, record.head or "")
        links = [ChainLink(record.race or "", record.hash or "")]
        for sk in sorted(sk for sk in items if sk.startswith(pages)):
            links += page_from(items[sk])
        disputes = keys.dispute(epoch, "")
        return SealedRace(
            links=tuple(links),
            head=record.head or "",
            block=record.block,
            disputed=frozenset(
                sk.removeprefix(disputes) for sk in items if sk.startswith(disputes)
            ),
        )

    def tried_by(self, rep_id: str, most: int, before: str = "") -> tuple[list[TriedRace], str]:
        """Return the races a rep tried to win, the newest first, and where the next page begins."""
        values: Item = {":listed": {"S": keys.races_of(rep_id)}}
        older = " AND sk < :before" if before else ""
        if before:
            values[":before"] = {"S": before}
        found = list(
            islice(
                self._db.query(
                    self._table,
                    f"lead_id = :listed{older}",
                    values,
                    ScanIndexForward=False,
                    Limit=most + 1,
                ),
                most + 1,
            )
        )
        page = found[:most]
        return [tried_from(item) for item in page], page[-1]["sk"]["S"] if found[most:] else ""

    def unsealed(self, late: datetime) -> list[tuple[str, int]]:
        """Return the races that were to be sealed by `late` and are not: lead and epoch."""
        found = self._filed(keys.unsealed_shard, late)
        return [(item["lead_id"]["S"], _epoch_of(item)) for item in found]

    def unchained(self) -> list[tuple[str, int, str]]:
        """Return the sealed races that stand in no block yet: lead, epoch and head."""
        found = self._filed(keys.unchained_shard)
        return [
            (item["lead_id"]["S"], _epoch_of(item), item["head"]["S"])
            for item in sorted(found, key=lambda item: int(item["filed_at"]["N"]))
        ]

    def last_block(self) -> tuple[int, str]:
        """Return the number and the hash of the latest block; 0 and nothing before the first."""
        found = self._db.query(
            self._table,
            "lead_id = :blocks",
            {":blocks": {"S": keys.BLOCKS}},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=1,
        )
        item = next(found, None)
        return (int(item["sk"]["S"]), item["hash"]["S"]) if item else (0, "")

    def add_block(self, number: int, link: ChainLink, at: datetime) -> bool:
        """Store the next block; False when somebody else has stored one of that number."""
        return self._add(
            BlockRecord(
                sk=keys.block(number),
                block=link.text,
                hash=link.hash,
                filed_under=keys.blocks_of(at.date()),
                filed_at=at,
            ).serialize()
        )

    def chained(self, races: Iterable[tuple[str, int]], number: int) -> None:
        """Note that these races stand in a block: they wait for one no longer."""
        for lead_id, epoch in races:
            with suppress(ConditionFailed):
                self._db.update(
                    self._table,
                    {"lead_id": {"S": lead_id}, "sk": {"S": keys.race(epoch)}},
                    "SET #block = :number REMOVE filed_under, filed_at",
                    "attribute_exists(race)",
                    ExpressionAttributeNames={"#block": "block"},
                    ExpressionAttributeValues={":number": {"N": str(number)}},
                )

    def blocks(self, first: int = 1, last: int | None = None) -> Iterator[tuple[int, ChainLink]]:
        """Yield blocks in order, from one number to another."""
        found = self._db.query(
            self._table,
            "lead_id = :blocks AND sk BETWEEN :first AND :last",
            {
                ":blocks": {"S": keys.BLOCKS},
                ":first": {"S": keys.block(first)},
                ":last": {"S": keys.block(10**9 - 1 if last is None else last)},
            },
            ConsistentRead=True,
        )
        for item in found:
            yield int(item["sk"]["S"]), ChainLink(item["block"]["S"], item["hash"]["S"])

    def block_numbers(self, day: date) -> list[int]:
        """Return the numbers of a UTC day's blocks, in order."""
        found = self._filed_under(keys.blocks_of(day))
        return sorted(int(item["sk"]["S"]) for item in found)

    def dispute(self, dispute: Dispute) -> Dispute:
        """File a rep's dispute of a race, once; return it as it was filed first."""
        try:
            self._db.put(self._table, dispute_item(dispute), _NEW)
        except ConditionFailed as failure:
            return dispute_from(failure.items[0]) if failure.items[0] else dispute
        return dispute

    def disputed(self, lead_id: str, epoch: int, rep_id: str) -> Dispute | None:
        """Return a rep's dispute of a race, as it is now."""
        found = self._db.query(
            self._table,
            "lead_id = :lead AND sk = :sk",
            {":lead": {"S": lead_id}, ":sk": {"S": keys.dispute(epoch, rep_id)}},
            ConsistentRead=True,
        )
        item = next(found, None)
        return None if item is None else dispute_from(item)

    def answer(self, answered: Dispute) -> Dispute:
        """Answer a dispute, once; return it with the answer it got first."""
        key = {"lead_id": {"S": answered.lead_id}}
        key["sk"] = {"S": keys.dispute(answered.epoch, answered.rep_id)}
        given = dispute_item(answered)
        names = ("ruling", "answer", "answered_at", "answered_by")
        try:
            self._db.update(
                self._table,
                key,
                "SET " + ", ".join(f"{name} = :{name}" for name in names),
                "attribute_exists(lead_id) AND attribute_not_exists(answered_at)",
                ExpressionAttributeValues={f":{name}": given[name] for name in names},
            )
        except ConditionFailed:
            found = self.disputed(answered.lead_id, answered.epoch, answered.rep_id)
            return answered if found is None else found
        return answered

    def disputes(self, month: date) -> list[Dispute]:
        """Return the disputes filed in a UTC month, in order."""
        found = self._filed_under(keys.disputes_of(month))
        wanted = [{"lead_id": item["lead_id"], "sk": item["sk"]} for item in found]
        items = self._db.batch_get({self._table: wanted})[self._table]
        return sorted(map(dispute_from, items), key=lambda one: (one.at, one.lead_id, one.rep_id))

    def _add(self, item: Item) -> bool:
        try:
            self._db.put(self._table, item, _NEW)
        except ConditionFailed:
            return False
        return True

    def _filed(self, shard_name: Callable[[int], str], until: datetime | None = None) -> list[Item]:
        return [
            item
            for shard in range(keys.SHARDS)
            for item in self._filed_under(shard_name(shard), until)
        ]

    def _filed_under(self, name: str, until: datetime | None = None) -> Iterator[Item]:
        due = "" if until is None else " AND filed_at <= :until"
        values: Item = {} if until is None else {":until": {"N": str(to_ms(until))}}
        return self._db.query(
            self._table,
            f"filed_under = :name{due}",
            {":name": {"S": name}, **values},
            index=keys.FILED_INDEX,
        )


_NEW = "attribute_not_exists(lead_id)"


def _epoch_of(item: Item) -> int:
    return int(item["sk"]["S"].removeprefix(keys.RACES))
