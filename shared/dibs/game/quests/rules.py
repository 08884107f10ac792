"""Onboarding quests: a quest is finished when each of its steps is done (G8).

A step is done with its activity when a signed system reports it or it needs no confirmation. A step
that a manager or a colleague confirms is done with the confirmation, an entry of the ledger
(`step_verified`). A rep's progress is computed from these entries, in any order.
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
"""The name that stands for the managers among those who confirm."""
SYSTEM = "system"


@dataclass(frozen=True)
class ReportedStep:
    """A step a rep has reported; it waits for a `peer` or, without one, a manager to confirm it."""

    rep_id: str
    quest: str
    step: str
    at: datetime
    peer: str = ""


def step_entry_id(quest: str, step: str, rep_id: str) -> str:
    """Return the entry id of a confirmed step; the same each time, so it counts once."""
    return f"step/{quest}/{step}/{rep_id}"


def done(entries: Iterable[Entry], quest: Quest) -> dict[str, Entry]:
    """Return, by step, the first entry that shows it is done, from the entries of a rep's quest.

    That is the activity where a `system` reported it or it needs no confirmation, else the
    confirmation. Reversed entries and test entries do not count.
    """
    first: dict[str, Entry] = {}
    for entry in standing(entries):
        step_id = entry.cause.partition("/")[2]
        if _shows(entry, step_id, quest):
            first.setdefault(step_id, entry)
    return first


def finished(entries: Iterable[Entry], quest: Quest) -> Entry | None:
    """Return the entry that completed the last step; None while a step is missing."""
    steps = done(entries, quest)
    if not quest.steps or len(steps) < len(quest.steps):
        return None
    return max(steps.values(), key=lambda entry: (entry.at, entry.entry_id))


def _shows(entry: Entry, step_id: str, quest: Quest) -> bool:
    step = quest.steps.get(step_id)
    if step is None:
        return False
    if entry.kind == STEP_VERIFIED:
        return True
    if entry.kind != step.type:
        return False
    # The source of an entry about a lead is the lead's source, not who reported the entry.
    by_system = entry.lead_id is None and entry.source == SYSTEM
    return step.verified_by == "self" or (step.verified_by == "system" and by_system)
