"""What was dropped between a lead, the ledger and the standings is made up for (O9, H1).

Each event that becomes an entry, each entry, and each batch of notices to holders or about lost
offers bears a mark until the next step is done. What still bears it after `LATE_AFTER` is done
here, each minute. Doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from dibs.core.events import LATE_AFTER
from dibs.game.quests.steps import QuestDeps, file
from dibs.game.scoring.score import Counted, Day, ScoreDeps, count, publish_days
from dibs.ledger.entries import Entry
from dibs.ledger.ports import Ledger
from dibs.ledger.project import record_lead
from dibs.ledger.slips import Managers, tell_slips
from dibs.offers.ports import BatchMarks, NotifyQueue

SLICE = 50


@dataclass(frozen=True)
class CountDeps:
    """What counting ledger entries works with."""

    ledger: Ledger
    score: ScoreDeps
    quests: QuestDeps
    managers: Managers
    public_url: str


@dataclass(frozen=True)
class HealResult:
    """How many entries were missing in the ledger, and how many in the standings."""

    recorded: int
    scored: int


def count_entries(deps: CountDeps, entries: Sequence[Entry]) -> Counted:
    """Count entries in totals and points; return what is due to be published.

    Managers hear of slipped deals, and steps of quests go to who confirms them (G8). The entries
    keep the mark that says they are not counted, until boards show them.

    Raises:
        Busy: others kept changing the same aggregates.
    """
    counted = count(deps.score, entries)
    tell_slips(entries, deps.score.roster, deps.managers, deps.public_url)
    for entry in entries:
        file(deps.quests, entry)
    return counted


def publish_entries(deps: CountDeps, due: Iterable[Day], entry_ids: Sequence[str]) -> None:
    """Publish what was counted to boards and badges; then its entries lose their mark.

    Raises:
        Busy: others kept changing the same totals.
    """
    publish_days(deps.score, due)
    deps.ledger.scored(entry_ids)


def heal(deps: CountDeps, now: datetime, failed: Callable[[str], None]) -> HealResult:
    """Write the entries that events should have become, and count entries that were not counted.

    What cannot be done is named to `failed`, and holds up nothing else.
    """
    late = now - LATE_AFTER
    recorded = scored = 0
    for lead_id in deps.ledger.unrecorded(late):
        try:
            recorded += record_lead(lead_id, deps.ledger, deps.score.roster)
        except Exception:  # whatever is wrong with one lead must not hold up the others
            failed(lead_id)
    waiting = iter(deps.ledger.unscored(late))
    while some := list(islice(waiting, SLICE)):
        scored += _count_late(deps, some, failed)
    return HealResult(recorded, scored)


def send_again(marks: BatchMarks, queue: NotifyQueue, now: datetime) -> int:
    """Queue the batches of notices again that should have been sent; return how many (H1).

    One that was sent after all is not sent twice: notify knows it by its name.
    """
    late = marks.overdue(now - LATE_AFTER)
    queue.put(late)
    return len(late)


def _count_late(deps: CountDeps, entries: Sequence[Entry], failed: Callable[[str], None]) -> int:
    try:
        counted = count_entries(deps, entries)
        publish_entries(deps, counted.due, [entry.entry_id for entry in entries])
        return len(entries)
    except Exception:  # as above: each is tried by itself, and the one that fails is named
        if len(entries) == 1:
            failed(entries[0].entry_id)
            return 0
    return sum(_count_late(deps, [entry], failed) for entry in entries)
