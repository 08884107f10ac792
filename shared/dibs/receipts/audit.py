"""Check sealed races against their hashes and the leads' records, and the ledger against these;
list the races of a day (C9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from dibs.ledger.entries import RETURNED_IDS, TAKEN_IDS, Entry
from dibs.ledger.ports import EveryLead, LeadHistory
from dibs.ledger.project import entries_of
from dibs.receipts.ports import Races
from dibs.receipts.receipts import ChainLink, Fault, SealedRace, block_from, broken, ending, faults
from dibs.receipts.seal import revealed
from dibs.roster.ports import Roster

StoryOf = Callable[[str], LeadHistory | None]
ChainEntry = tuple[str, int, str]
"""A race as a block lists it: lead, epoch and head."""


def audit(
    races: Races, story_of: StoryOf, first: int = 1, last: int | None = None
) -> Iterator[Fault]:
    """Yield every fault in the blocks from `first` to `last`.

    Every hash is computed again, and every winner compared with the lead's own record. Without
    `last`, sealed races that are not in a block yet are checked too.
    """
    before = "".join(link.hash for _, link in races.blocks(first - 1, first - 1))
    expected, seen = first, set[ChainEntry]()
    for number, link in races.blocks(first, last):
        if number != expected:
            yield Fault("block_missing", str(expected), f"the next block is {number}")
        elif broken([link], before):
            yield Fault(
                "block_broken",
                str(number),
                "its hash does not match its text and the block before it",
            )
        expected, before = number + 1, link.hash
        try:
            entries = _races_of(link, number)
        except ValueError as error:
            yield Fault("unreadable", str(number), f"the block cannot be read: {error}")
            continue
        for entry in entries:
            if entry not in seen:
                seen.add(entry)
                yield from _faults(races, story_of, *entry)
    if last is not None and expected <= last:
        yield Fault("block_missing", str(expected), "the chain ends before this block")
    for entry in races.unchained() if last is None else ():
        if entry not in seen:
            yield from _faults(races, story_of, *entry)


def _races_of(link: ChainLink, number: int) -> Sequence[ChainEntry]:
    block = block_from(link.text)
    if block.number != number:
        raise ValueError(f"it is number {block.number}")
    return block.races


def _faults(
    races: Races, story_of: StoryOf, lead_id: str, epoch: int, head: str
) -> Iterator[Fault]:
    where = f"{lead_id}/{epoch}"
    sealed = races.find(lead_id, epoch)
    if sealed is None:
        yield Fault("race_missing", where, "a block lists this race, but it is not stored")
        return
    wrong = faults(sealed, where)
    yield from wrong
    if not wrong and sealed.head != head:
        yield Fault(
            "race_rewritten", where, "its hashes match each other, but not the hash in its block"
        )
    story = story_of(lead_id)
    if story is None or any(fault.kind == "unreadable" for fault in wrong):
        return
    # Rewriting the sealed race does not change the lead's own record.
    recorded, race = ending(story.claim, story.transitions, epoch), sealed.race
    if (race.lead_id, race.epoch) != (lead_id, epoch):
        yield Fault(
            "race_changed", where, f"what is stored is the race {race.lead_id}/{race.epoch}"
        )
    elif recorded is None or recorded.winner != race.winner:
        winner = None if recorded is None else recorded.winner
        by_record = f"{winner or 'nobody'} by the lead's record"
        what = f"the winner is {race.winner or 'nobody'}, but {by_record}"
        if all(fault.kind != "winner_changed" for fault in wrong):
            yield Fault("winner_changed", where, what)
    elif race.draw != _drawn(story, epoch):
        yield Fault("draw_changed", where, "its draw differs from the lead's record")
    elif recorded.at != race.closed_at:
        yield Fault("race_changed", where, "its end differs from the lead's record")


def _drawn(story: LeadHistory, epoch: int) -> dict[str, object] | None:
    return next((revealed(draw) for draw in story.draws if draw.epoch == epoch), None)


def audit_ledger(ledger: EveryLead, roster: Roster) -> Iterator[Fault]:
    """Yield each claim, assignment and return that the ledger lacks or tells otherwise, and each
    entry of one that never happened.

    What happens while this runs may show as missing: run it again.
    """
    # Read first: what a lead did since then is no fault.
    before = {
        entry.entry_id
        for entry in ledger.everything()
        if entry.entry_id.startswith((TAKEN_IDS, RETURNED_IDS))
    }
    for story in ledger.stories():
        due = {entry.entry_id: entry for entry in entries_of(story, roster)}
        stored = ledger.find(list(due))
        for entry_id, entry in sorted(due.items()):
            before.discard(entry_id)
            found = stored.get(entry_id)
            if found is None:
                yield Fault("entry_missing", entry_id, f"{_told(entry)}, and the ledger lacks it")
            elif _told(found) != _told(entry):
                what = f"by the lead's record {_told(entry)}, by the ledger {_told(found)}"
                yield Fault("entry_differs", entry_id, what)
    for entry_id in sorted(before):
        yield Fault("entry_unexplained", entry_id, "no lead's record says that this happened")


def _told(entry: Entry) -> str:
    return f"{entry.kind} by {entry.rep_id} at {entry.at.isoformat()}"


@dataclass(frozen=True)
class ChainedRace:
    """A race as a block lists it; `sealed` is None where the race was removed or altered.

    `place` is the number of the block and the number of the race in it.
    """

    place: tuple[int, int]
    lead_id: str
    epoch: int
    sealed: SealedRace | None


def of_day(races: Races, day: date, after: tuple[int, int] = (0, 0)) -> Iterator[ChainedRace]:
    """Yield the races in the blocks of a UTC day that come after a place.

    A race that is in two blocks is yielded once.
    """
    seen = set[ChainEntry]()
    numbers = races.block_numbers(day)
    if not numbers:
        return
    for number, link in races.blocks(numbers[0], numbers[-1]):
        for index, entry in enumerate(block_from(link.text).races, start=1):
            repeated = entry in seen
            seen.add(entry)
            if repeated or (number, index) <= after:
                continue
            lead_id, epoch, head = entry
            sealed = races.find(lead_id, epoch)
            intact = sealed is not None and sealed.head == head and not faults(sealed, "")
            yield ChainedRace((number, index), lead_id, epoch, sealed if intact else None)
