"""What was dropped between a lead, the ledger and the standings is made up for (O9, H1).

Each event that becomes an entry, each entry, and each batch of notices to holders or about lost
offers bears a mark until the next step is done. What
still bears it after `LATE_AFTER` is done here, each minute. Doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from dibs.core.events import LATE_AFTER
from dibs.game.quests.steps import QuestDeps, file
from dibs.game.scoring.score import ScoreDeps, score
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


def count_entries(deps: CountDeps, entries: Sequence[Entry]) -> int:
    """Count entries in standings, points and badges; return how many aggregates changed.

    Managers hear of slipped deals, and steps of quests go to who confirms them (G8). Last the
    entries lose the mark that says they are not counted.

    Raises:
        Busy: others kept changing the same aggregates.
    """
    changed = score(deps.score, entries)
    tell_slips(entries, deps.score.roster, deps.managers, deps.public_url)
    for entry in entries:
        file(deps.quests, entry)
    deps.ledger.scored(entries)
    return changed


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
        count_entries(deps, entries)
        return len(entries)
    except Exception:  # as above: each is tried by itself, and the one that fails is named
        if len(entries) == 1:
            failed(entries[0].entry_id)
            return 0
    return sum(_count_late(deps, [entry], failed) for entry in entries)
