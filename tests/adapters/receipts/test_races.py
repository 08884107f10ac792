"""Races on the tables: kept once and in order, and `dibs audit` names whatever was altered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dibs.aws import keys
from dibs.aws.dynamo import Dynamo
from dibs.core.lead import Lead
from dibs.ledger.store import DynamoLedger
from dibs.race.claim import claim
from dibs.race.verdicts import RecordedVerdicts
from dibs.receipts.audit import audit, of_day
from dibs.receipts.ports import Dispute, Races
from dibs.receipts.receipts import (
    ChainLink,
    Ending,
    Race,
    SealedRace,
    Trace,
    block_from,
    block_link,
    chain,
    receipts,
    seal,
)
from dibs.receipts.seal import chain_up
from dibs.receipts.store import DynamoRaces, page_from, page_item
from support.aws import items
from support.builders import NOON, World, a_card, a_lead, a_rep, proof_of
from support.fakes import FakeRaces

MINUTE = timedelta(minutes=1)
AINA = a_rep(1)


def a_sealed(crowd: int = 4, lead_id: str = "lead", **changes: Any) -> SealedRace:
    """A race of `crowd` reps, won by Aina; the others lost a millisecond after each other."""
    won_at = NOON + MINUTE
    ended = Ending("claimed", won_at, AINA.rep_id)
    times = [won_at + n * timedelta(milliseconds=1) for n in range(1, crowd)]
    losers = [Trace(f"r{n:04d}", NOON, at, at) for n, at in enumerate(times)]
    found = receipts(ended, losers)
    race = Race(
        lead_id, 1, ("north",), NOON, won_at, NOON + 2 * MINUTE, AINA.rep_id, "claimed", 1, crowd
    )
    return seal(replace(race, **changes), found)


# What the port promises, of tables and of the fake


@pytest.fixture(params=["tables", "memory"])
def races(request: pytest.FixtureRequest) -> Races:
    if request.param == "memory":
        return FakeRaces()
    world: World = request.getfixturevalue("world")
    return DynamoRaces(world.dynamo, world.settings)


def a_judged(**changes: Any) -> RecordedVerdicts:
    judged = RecordedVerdicts(
        lead_id="lead",
        epoch=1,
        wave_at=NOON,
        at=NOON,
        teams=("north", "south"),
        playbook_version=7,
        verdicts={"aa": (), "bb": ("paused", "daily_limit"), "cc": (), "dd": ("left",)},
    )
    return replace(judged, **changes)


def test_waves_are_kept_as_they_were_judged_first_and_come_in_order(races: Races) -> None:
    later = a_judged(wave_at=NOON + MINUTE, at=NOON + MINUTE, verdicts={"aa": ("paused",)})
    races.record_judged(later)
    races.record_judged(a_judged())
    races.record_judged(a_judged(verdicts={"aa": ("left",)}))
    races.record_judged(a_judged(epoch=2, verdicts={}))
    assert races.judged("lead", 1) == [a_judged(), later]
    assert races.judged("lead", 2) == [a_judged(epoch=2, verdicts={})]
    assert races.judged("other", 1) == []


@pytest.mark.parametrize("crowd", [999, 1000, 1001, 2500])
def test_a_crowd_is_judged_in_parts_and_found_whole(races: Races, crowd: int) -> None:
    verdicts = {f"r{n:04d}": ("paused",) if n % 7 == 0 else () for n in range(crowd)}
    races.record_judged(a_judged(verdicts=verdicts))
    [found] = races.judged("lead", 1)
    assert found.verdicts == verdicts


def test_a_sealed_race_is_found_as_it_was_sealed_first(races: Races) -> None:
    assert races.find("lead", 1) is None
    assert races.seal("lead", 1, a_sealed(), NOON)
    other = a_sealed(cause="other")
    assert not races.seal("lead", 1, other, NOON + MINUTE)
    assert races.find("lead", 1) == a_sealed()
    assert races.find("lead", 2) is None
    assert races.unchained() == [("lead", 1, a_sealed().head)]


def test_a_rep_finds_the_races_they_tried_the_newest_first(races: Races) -> None:
    sealed = [
        a_sealed(lead_id=f"lead-{n}", closed_at=NOON + n * MINUTE, crowd=30) for n in range(3)
    ]
    for n, race in enumerate(sealed):
        assert races.seal(f"lead-{n}", 1, race, NOON + n * MINUTE)
    found, following = races.tried_by("r0001", 2)
    assert [(one.lead_id, one.outcome, one.place) for one in found] == [
        ("lead-2", "lost", 3),
        ("lead-1", "lost", 3),
    ]
    [last], none = races.tried_by("r0001", 2, following)
    assert (last.lead_id, none) == ("lead-0", "")
    assert races.tried_by("nobody", 2) == ([], "")


@pytest.mark.parametrize("crowd", [1, 200, 201, 202, 1500])
def test_a_race_of_any_size_is_found_whole(races: Races, crowd: int) -> None:
    sealed = a_sealed(crowd)
    races.seal("lead", 1, sealed, NOON)
    found = races.find("lead", 1)
    assert found == sealed
    assert found is not None
    assert len(found.receipts) == crowd


def test_a_race_waits_to_be_sealed_until_it_is(races: Races) -> None:
    lead = a_lead()
    races.begin(lead, NOON + MINUTE)
    races.begin(lead, NOON + 9 * MINUTE)
    assert races.unsealed(NOON + MINUTE - timedelta(milliseconds=1)) == []
    assert races.unsealed(NOON + MINUTE) == [(lead.lead_id, 1)]
    assert races.find(lead.lead_id, 1) is None
    races.seal(lead.lead_id, 1, a_sealed(), NOON)
    assert races.unsealed(NOON + 99 * MINUTE) == []
    races.begin(lead, NOON)  # a straggler does not undo the seal
    assert races.find(lead.lead_id, 1) == a_sealed()
    assert races.unsealed(NOON + 99 * MINUTE) == []


def test_blocks_follow_each_other_and_are_found_by_number_and_day(races: Races) -> None:
    assert races.last_block() == (0, "")
    midnight = NOON.replace(hour=0) + timedelta(days=1)
    links = [ChainLink(f"text {n}", f"hash {n}") for n in range(3)]
    for number, at in enumerate((NOON, midnight - timedelta(milliseconds=1), midnight), start=1):
        assert races.add_block(number, links[number - 1], at)
        assert not races.add_block(number, ChainLink("another", "one"), at)
    assert races.last_block() == (3, "hash 2")
    assert list(races.blocks()) == [(1, links[0]), (2, links[1]), (3, links[2])]
    assert list(races.blocks(2, 2)) == [(2, links[1])]
    assert races.block_numbers(NOON.date()) == [1, 2]
    assert races.block_numbers(midnight.date()) == [3]
    assert races.block_numbers(date(2026, 1, 1)) == []


def test_a_chained_race_waits_no_longer_and_knows_its_block(races: Races) -> None:
    races.seal("lead", 1, a_sealed(), NOON)
    races.chained([("lead", 1)], 17)
    assert races.unchained() == []
    assert races.find("lead", 1) == replace(a_sealed(), block=17)


def test_a_dispute_is_answered_once(races: Races) -> None:
    filed = Dispute("lead", 1, "aa", NOON, "My phone was slow.")
    races.dispute(filed)
    assert races.disputed("lead", 1, "aa") == filed
    assert races.disputed("lead", 1, "bb") is None
    first = replace(
        filed, ruling="upheld", answer="It was.", answered_at=NOON + MINUTE, answered_by="m"
    )
    assert races.answer(first) == first
    assert races.answer(replace(first, ruling="not_upheld", answer="No.")) == first
    assert races.disputed("lead", 1, "aa") == first
    assert races.disputes(date(2026, 11, 1)) == [first]


def test_a_dispute_is_filed_once_a_rep_and_found_by_month(races: Races) -> None:
    races.seal("lead", 1, a_sealed(), NOON)
    first = Dispute("lead", 1, "aa", NOON, "My phone\nwas slow.")
    other = Dispute("lead", 1, "bb", NOON + MINUTE, "Mine too.")
    december = Dispute("lead", 2, "aa", NOON + timedelta(days=30), "And again.")
    assert races.dispute(first) == first
    assert races.dispute(replace(first, at=NOON + MINUTE, reason="Changed my mind.")) == first
    for one in (december, other):
        races.dispute(one)
    assert races.disputes(date(2026, 11, 1)) == [first, other]
    assert races.disputes(date(2026, 12, 1)) == [december]
    found = races.find("lead", 1)
    assert found == replace(a_sealed(), disputed=frozenset({"aa", "bb"}))


# Sealing that is interrupted, or done twice at once


def test_a_crash_between_the_receipts_and_the_race_leaves_it_unsealed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = DynamoRaces(world.dynamo, world.settings)

    def crash(*_: Any, **__: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched, pytest.raises(ConnectionError):
        patched.setattr(world.dynamo, "put", crash)
        tables.seal("lead", 1, a_sealed(300), NOON)
    assert tables.find("lead", 1) is None
    # SealedRace later, with other receipts: what was left behind is not among them.
    again = a_sealed(250)
    assert tables.seal("lead", 1, again, NOON + MINUTE)
    assert tables.find("lead", 1) == again


def test_of_two_seals_at_once_one_counts_with_its_own_receipts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = (DynamoRaces(world.dynamo, world.settings) for _ in range(2))
    put = world.dynamo.put

    def meanwhile(*given: Any, **options: Any) -> None:
        monkeypatch.setattr(world.dynamo, "put", put)
        assert theirs.seal("lead", 1, a_sealed(201), NOON)
        put(*given, **options)

    monkeypatch.setattr(world.dynamo, "put", meanwhile)
    assert not ours.seal("lead", 1, a_sealed(450), NOON)
    assert ours.find("lead", 1) == a_sealed(201)


# Tampering


@dataclass
class Vault:
    """Two real races on tables, won by Aina, sealed and chained; and ways to alter them."""

    world: World
    races: DynamoRaces
    leads: list[Lead]

    @property
    def table(self) -> str:
        return self.world.settings.races_table

    @property
    def where(self) -> str:
        return f"{self.leads[0].lead_id}/1"

    def found(self) -> list[tuple[str, str]]:
        """What the audit finds: kind and place."""
        story = DynamoLedger(self.world.dynamo, self.world.settings).story
        return [(fault.kind, fault.where) for fault in audit(self.races, story)]

    def item(self, sk: str, lead: int = 0) -> dict[str, Any]:
        """The one item whose key begins like that."""
        pk = self.leads[lead].lead_id if sk.startswith(keys.RACES) else keys.BLOCKS
        [found] = [
            one
            for one in items(self.world.dynamo.client, self.table)
            if one["lead_id"]["S"] == pk and one["sk"]["S"].startswith(sk)
        ]
        return found

    def put(self, item: dict[str, Any]) -> None:
        self.world.dynamo.put(self.table, item)

    def drop(self, item: dict[str, Any]) -> None:
        self.world.dynamo.delete(self.table, {"lead_id": item["lead_id"], "sk": item["sk"]})

    def race(self) -> dict[str, Any]:
        return next(
            one
            for one in items(self.world.dynamo.client, self.table)
            if one["lead_id"]["S"] == self.leads[0].lead_id and one["sk"]["S"] == keys.race(1)
        )

    def lines(self, change: Callable[[list[str]], list[str]]) -> None:
        """Alter the receipts' lines as they are stored."""
        page = self.item(f"{keys.race(1)}#PAGE")
        changed = change([f"{link.hash} {link.text}" for link in page_from(page)])
        altered = (line.partition(" ") for line in changed)
        links = [ChainLink(text, digest) for digest, _, text in altered]
        self.put(page_item(page["lead_id"]["S"], page["sk"]["S"], links))

    def rewrite(self, change: Callable[[list[str]], list[str]]) -> None:
        """Alter a race as somebody would who knows how hashes are made, and makes all of its anew.

        `change` alters the lines' texts, the race's own among them.
        """
        sealed = self.races.find(self.leads[0].lead_id, 1)
        assert sealed is not None
        race = self.race()
        page = self.item(f"{keys.race(1)}#PAGE")
        links = chain(change([link.text for link in sealed.links]))
        head = links[-1].hash
        self.drop(page)
        self.put(page_item(page["lead_id"]["S"], keys.race_page(1, head, 0), links[1:]))
        told = {"race": links[0].text, "hash": links[0].hash, "head": head}
        self.put({**race, **{name: {"S": value} for name, value in told.items()}})


@pytest.fixture
def vault(world: World) -> Vault:
    races, leads = DynamoRaces(world.dynamo, world.settings), list[Lead]()
    world.add_rep(AINA)
    for number in (1, 2):
        lead = world.post_lead(a_card(number), NOON)
        proof = proof_of(AINA)
        claim(world.race, lead.lead_id, AINA.rep_id, proof, lambda: NOON + MINUTE)
        races.seal(lead.lead_id, 1, a_sealed(6, lead.lead_id), NOON + 2 * MINUTE)
        leads.append(lead)
        chain_up(races, NOON + (2 + number) * MINUTE)
    return Vault(world, races, leads)


def test_what_nobody_altered_is_found_whole(vault: Vault) -> None:
    assert vault.found() == []
    assert vault.races.last_block()[0] == 2


def test_a_page_of_an_earlier_version_is_read(vault: Vault) -> None:
    page = vault.item(f"{keys.race(1)}#PAGE")
    lines = "\n".join(f"{link.hash} {link.text}" for link in page_from(page))
    vault.put({"lead_id": page["lead_id"], "sk": page["sk"], "lines": {"S": lines}})
    assert vault.found() == []


def test_receipts_take_a_third_of_the_room_of_their_lines() -> None:
    links = a_sealed(50, "lead").links[1:]
    packed = page_item("lead", "page", links)["packed"]["B"]
    assert len(packed) < sum(len(f"{link.hash} {link.text}\n") for link in links) / 3
    assert page_from(page_item("lead", "page", links)) == list(links)


def test_a_page_that_cannot_be_unpacked_is_found(vault: Vault) -> None:
    page = vault.item(f"{keys.race(1)}#PAGE")
    vault.put({**page, "packed": {"B": page["packed"]["B"][:-9]}})
    assert vault.found() == [("unreadable", vault.where)]


def test_a_changed_winner_is_found(vault: Vault) -> None:
    race = vault.race()
    text = race["race"]["S"].replace(AINA.rep_id, "r0001")
    vault.put({**race, "race": {"S": text}})
    assert vault.found() == [("winner_changed", vault.where), ("race_changed", vault.where)]


def test_a_winner_changed_with_all_hashes_made_anew_is_found(vault: Vault) -> None:
    def swap(texts: list[str]) -> list[str]:
        return [
            text.replace(AINA.rep_id, "?").replace("r0001", AINA.rep_id).replace("?", "r0001")
            for text in texts
        ]

    vault.rewrite(swap)
    assert vault.found() == [("race_rewritten", vault.where), ("winner_changed", vault.where)]


def test_a_removed_receipt_is_found_wherever_it_stood(vault: Vault) -> None:
    for gone in range(1, 6):
        kept = vault.item(f"{keys.race(1)}#PAGE")
        vault.lines(lambda lines, gone=gone: lines[:gone] + lines[gone + 1 :])  # type: ignore[misc]
        assert vault.found() == [("receipt_removed", vault.where)], gone
        vault.put(kept)
    assert vault.found() == []


def test_a_receipt_removed_with_all_hashes_made_anew_is_found(vault: Vault) -> None:
    def remove(texts: list[str]) -> list[str]:
        return [texts[0].replace('"count":6', '"count":5'), *texts[1:3], *texts[4:]]

    vault.rewrite(remove)
    assert vault.found() == [("race_rewritten", vault.where)]


def test_removed_pages_are_found(vault: Vault) -> None:
    vault.drop(vault.item(f"{keys.race(1)}#PAGE"))
    assert vault.found() == [("winner_changed", vault.where), ("receipt_removed", vault.where)]


def test_reordered_receipts_are_found(vault: Vault) -> None:
    vault.lines(lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]])
    assert vault.found() == [("receipts_reordered", vault.where)]


def test_receipts_reordered_with_all_hashes_made_anew_are_found(vault: Vault) -> None:
    vault.rewrite(lambda texts: [*texts[:3], texts[4], texts[3], *texts[5:]])
    assert vault.found() == [("race_rewritten", vault.where)]


def test_a_changed_receipt_is_found(vault: Vault) -> None:
    vault.lines(lambda lines: [line.replace('"place":4', '"place":2') for line in lines])
    assert vault.found() == [("receipt_changed", vault.where)]


def test_a_removed_race_is_found(vault: Vault) -> None:
    vault.drop(vault.race())
    assert vault.found() == [("race_missing", vault.where)]


def test_a_race_of_another_lead_in_its_place_is_found(vault: Vault) -> None:
    other = vault.leads[1].lead_id
    vault.rewrite(lambda texts: [texts[0].replace(vault.leads[0].lead_id, other), *texts[1:]])
    assert vault.found() == [("race_rewritten", vault.where), ("race_changed", vault.where)]


def test_a_changed_end_is_found_though_all_hashes_were_made_anew(vault: Vault) -> None:
    vault.rewrite(lambda texts: [texts[0].replace("12:01:00", "12:00:59"), *texts[1:]])
    assert vault.found() == [("race_rewritten", vault.where), ("race_changed", vault.where)]


def test_a_claim_record_that_was_changed_is_found(vault: Vault) -> None:
    vault.world.dynamo.update(
        vault.world.settings.leads_table,
        {"lead_id": {"S": vault.leads[0].lead_id}, "sk": {"S": keys.CLAIM}},
        "SET rep_id = :other",
        ExpressionAttributeValues={":other": {"S": "r0001"}},
    )
    assert vault.found() == [("winner_changed", vault.where)]


@pytest.mark.parametrize("number", [1, 2])
def test_a_changed_block_is_found(vault: Vault, number: int) -> None:
    block = vault.item(keys.block(number))
    text = block["block"]["S"].replace(vault.leads[number - 1].lead_id, "somebodyelse")
    vault.put({**block, "block": {"S": text}})
    assert ("block_broken", str(number)) in vault.found()


def test_a_block_made_anew_breaks_the_one_after_it(vault: Vault) -> None:
    block = vault.item(keys.block(1))
    empty = block_link(replace(block_from(block["block"]["S"]), races=()), "")
    vault.put({**block, "block": {"S": empty.text}, "hash": {"S": empty.hash}})
    assert vault.found() == [("block_broken", "2")]


def test_a_removed_block_is_found(vault: Vault) -> None:
    vault.drop(vault.item(keys.block(1)))
    assert vault.found() == [("block_missing", "1")]


def test_a_block_in_the_place_of_another_is_found(vault: Vault) -> None:
    first, second = (vault.item(keys.block(number)) for number in (1, 2))
    vault.put({**first, "block": second["block"], "hash": second["hash"]})
    assert ("unreadable", "1") in vault.found()


def test_an_audit_of_some_blocks_begins_with_the_hash_before_them(vault: Vault) -> None:
    story = DynamoLedger(vault.world.dynamo, vault.world.settings).story
    assert list(audit(vault.races, story, 2, 2)) == []
    assert [fault.kind for fault in audit(vault.races, story, 2, 3)] == ["block_missing"]


def test_what_is_not_as_it_was_sealed_is_in_no_days_receipts(vault: Vault) -> None:
    def whole() -> list[tuple[tuple[int, int], bool]]:
        found = of_day(vault.races, NOON.date())
        return [(one.place, one.sealed is not None) for one in found]

    assert whole() == [((1, 1), True), ((2, 1), True)]
    vault.rewrite(lambda texts: [*texts[:3], texts[4], texts[3], *texts[5:]])
    assert whole() == [((1, 1), False), ((2, 1), True)]
    vault.drop(vault.race())
    assert whole() == [((1, 1), False), ((2, 1), True)]


def test_a_lead_that_is_gone_breaks_no_receipt(vault: Vault) -> None:
    for sk in (keys.LOCK, keys.CLAIM):
        key = {"lead_id": {"S": vault.leads[0].lead_id}, "sk": {"S": sk}}
        vault.world.dynamo.delete(vault.world.settings.leads_table, key)
    assert vault.found() == []


@given(
    line=st.integers(0, 5),
    place=st.integers(0, 300),
    letter=st.characters(codec="utf-8", exclude_characters="\n"),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
def test_any_letter_changed_in_any_stored_receipt_is_found(
    vault: Vault, line: int, place: int, letter: str
) -> None:
    kept = vault.item(f"{keys.race(1)}#PAGE")

    def change(lines: list[str]) -> list[str]:
        at = place % len(lines[line])
        lines[line] = lines[line][:at] + letter + lines[line][at + 1 :]
        return lines

    before = vault.races.find(vault.leads[0].lead_id, 1)
    vault.lines(change)
    altered = vault.races.find(vault.leads[0].lead_id, 1) != before
    assert bool(vault.found()) is altered
    vault.put(kept)


def test_nothing_is_kept_of_a_race_but_ids_codes_and_times(vault: Vault) -> None:
    stored = repr(items(vault.world.dynamo.client, vault.table))
    for personal in (AINA.name, str(AINA.phone), "Jane", "Acme"):
        assert personal not in stored


def test_two_sweeps_chain_nothing_twice(world: World) -> None:
    races = DynamoRaces(Dynamo(world.dynamo.client), world.settings)
    races.seal("lead", 1, a_sealed(), NOON)
    [added] = chain_up(races, NOON)
    assert (added.number, added.races) == (1, 1)
    assert races.last_block() == (1, added.hash)
    assert chain_up(races, NOON) == []
    assert [number for number, _ in races.blocks()] == [1]
