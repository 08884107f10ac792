"""QuestDeps quests (G8): steps told and confirmed, and when a quest is finished.

A step that a signed system tells, or that nobody has to confirm, is done with its activity; one
that a manager or a colleague confirms is done with their word, an entry of the ledger
(`step_verified`). Where somebody stands is worked out from these entries, whatever their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dibs.ledger.entries import Entry
from dibs.ledger.outcomes import standing
from dibs.ledger.quest_steps import STEP_VERIFIED
from dibs.rules.game import Quest

MANAGERS = "manager"
"""How the managers are named among those who confirm."""
SYSTEM = "system"


@dataclass(frozen=True)
class Told:
    """A step a rep has told of, which waits for the word of a `peer` or, without one, a manager."""

    rep_id: str
    quest: str
    step: str
    at: datetime
    peer: str = ""


def step_entry_id(quest: str, step: str, rep_id: str) -> str:
    """Return the id of the entry of a confirmed step: confirming twice is confirming once."""
    return f"step/{quest}/{step}/{rep_id}"


def done(entries: Iterable[Entry], quest: Quest) -> dict[str, Entry]:
    """Return, by step, the first entry that shows it was done, of all entries of a rep's quest.

    The activity itself where a `system` told it or nobody has to confirm it, else the confirmation.
    What was reversed is as if it never came, and test entries show nothing.
    """
    found: dict[str, Entry] = {}
    for entry in standing(entries):
        step_id = entry.cause.partition("/")[2]
        if _shows(entry, step_id, quest):
            found.setdefault(step_id, entry)
    return found


def finished(entries: Iterable[Entry], quest: Quest) -> Entry | None:
    """Return the entry with which the last of all steps was done; None while one is missing."""
    found = done(entries, quest)
    if not quest.steps or len(found) < len(quest.steps):
        return None
    return max(found.values(), key=lambda entry: (entry.at, entry.entry_id))


def _shows(entry: Entry, step_id: str, quest: Quest) -> bool:
    step = quest.steps.get(step_id)
    if step is None:
        return False
    if entry.kind == STEP_VERIFIED:
        return True
    if entry.kind != step.type:
        return False
    # An entry about a lead says where the lead is from, not who told it.
    by_system = entry.lead_id is None and entry.source == SYSTEM
    return step.verified_by == "self" or (step.verified_by == "system" and by_system)
