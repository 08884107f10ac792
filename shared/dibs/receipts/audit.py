"""Check sealed races against their hashes and the leads' own records, and find a day's (C9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from dibs.ledger.ports import Story
from dibs.receipts.ports import Races
from dibs.receipts.receipts import Fault, Link, Sealed, block_from, broken, ending, faults
from dibs.receipts.seal import revealed

StoryOf = Callable[[str], Story | None]
Entry = tuple[str, int, str]
"""A race as a block names it: lead, epoch and head."""


def audit(
    races: Races, story_of: StoryOf, first: int = 1, last: int | None = None
) -> Iterator[Fault]:
    """Yield whatever is not as it was sealed, in the blocks from one number to another.

    Every hash is worked out anew, and every winner held against the lead's own record. Where no
    `last` block is named, the sealed races that stand in no block yet are looked at too.
    """
    before = "".join(link.hash for _, link in races.blocks(first - 1, first - 1))
    expected, seen = first, set[Entry]()
    for number, link in races.blocks(first, last):
        if number != expected:
            yield Fault("block_missing", str(expected), f"the chain goes on with block {number}")
        elif broken([link], before):
            yield Fault("block_broken", str(number), "its hash does not follow from the one before")
        expected, before = number + 1, link.hash
        try:
            listed = _races_of(link, number)
        except ValueError as error:
            yield Fault("unreadable", str(number), f"the block cannot be read: {error}")
            continue
        for entry in listed:
            if entry not in seen:
                seen.add(entry)
                yield from _faults(races, story_of, *entry)
    if last is not None and expected <= last:
        yield Fault("block_missing", str(expected), "the chain ends before it")
    for entry in races.unchained() if last is None else ():
        if entry not in seen:
            yield from _faults(races, story_of, *entry)


def _races_of(link: Link, number: int) -> Sequence[Entry]:
    block = block_from(link.text)
    if block.number != number:
        raise ValueError(f"it is number {block.number}")
    return block.races


def _faults(
    races: Races, story_of: StoryOf, lead_id: str, epoch: int, head: str
) -> Iterator[Fault]:
    where = f"{lead_id}/{epoch}"
    found = races.find(lead_id, epoch)
    if found is None:
        yield Fault("race_missing", where, "it was sealed and is not there")
        return
    wrong = faults(found, where)
    yield from wrong
    if not wrong and found.head != head:
        yield Fault("race_rewritten", where, "it is whole, but not the one its block stands for")
    story = story_of(lead_id)
    if story is None or any(fault.kind == "unreadable" for fault in wrong):
        return
    # What the lead's own record says nobody changes by writing the race anew.
    known, race = ending(story.claim, story.moves, epoch), found.race
    if (race.lead_id, race.epoch) != (lead_id, epoch):
        yield Fault("race_changed", where, f"it is of {race.lead_id}/{race.epoch}")
    elif known is None or known.winner != race.winner:
        said = None if known is None else known.winner
        what = f"{race.winner or 'nobody'} won, not {said or 'nobody'} as the lead's record says"
        if all(fault.kind != "winner_changed" for fault in wrong):
            yield Fault("winner_changed", where, what)
    elif race.draw != _drawn(story, epoch):
        yield Fault("draw_changed", where, "its draw is not the one on the lead's record")
    elif known.at != race.closed_at:
        yield Fault("race_changed", where, "it did not end when the lead's record says")


def _drawn(story: Story, epoch: int) -> dict[str, object] | None:
    return next((revealed(one) for one in story.draws if one.epoch == epoch), None)


@dataclass(frozen=True)
class Found:
    """A race as a block names it, and what is there of it: None where it was removed or altered.

    `place` is the block's number and the race's in it.
    """

    place: tuple[int, int]
    lead_id: str
    epoch: int
    sealed: Sealed | None


def of_day(races: Races, day: date, after: tuple[int, int] = (0, 0)) -> Iterator[Found]:
    """Yield the races that were put into a UTC day's blocks, those after a place.

    One that stands in two blocks comes once.
    """
    seen = set[Entry]()
    numbers = races.block_numbers(day)
    if not numbers:
        return
    for number, link in races.blocks(numbers[0], numbers[-1]):
        for index, entry in enumerate(block_from(link.text).races, start=1):
            known = entry in seen
            seen.add(entry)
            if known or (number, index) <= after:
                continue
            lead_id, epoch, head = entry
            sealed = races.find(lead_id, epoch)
            whole = sealed is not None and sealed.head == head and not faults(sealed, "")
            yield Found((number, index), lead_id, epoch, sealed if whole else None)
