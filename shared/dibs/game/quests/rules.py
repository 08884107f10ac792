"""QuestDeps quests (G8): steps told and confirmed, and when a quest is finished.

A step that a signed system tells, or that nobody has to confirm, is done with its activity; one
that a manager or a colleague confirms is done with their word, an entry of the ledger
(`step_verified`). Where somebody stands is worked out from these entries, whatever their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dibs.ledger.entries import Entry
from dibs.rules.game import Quest

STEP_VERIFIED = "step_verified"
MANAGERS = "manager"
"""How the managers are named among those who confirm."""
SYSTEM = "system"

_TYPES = ("training_step", "crm_step", "tool_used", "peer_interview")
_CAUSE = re.compile(r"([a-z0-9_-]{1,40})/([a-z0-9_-]{1,40})")


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


def unit_of_quest(quest: str, rep_id: str) -> str:
    """Return what all entries of a rep's quest are tallied together with."""
    return f"quest/{rep_id}/{quest}"


def quest_unit(kind: str, cause: str, rep_id: str) -> str | None:
    """Return what an entry of this kind and cause (`quest/step`) is tallied together with; None
    where it is no step of a quest."""
    named = _CAUSE.fullmatch(cause)
    if named is None or kind not in (*_TYPES, STEP_VERIFIED):
        return None
    return unit_of_quest(named[1], rep_id)


def last_day(quest: Quest, joined_on: date | None) -> date | None:
    """Return the last day of a rep's quest; None where it is always open.

    The first day counts: seven days from a Monday end with Sunday.
    """
    if not quest.within_days or joined_on is None:
        return None
    return joined_on + timedelta(days=quest.within_days - 1)


def wrong_step(
    quests: Mapping[str, Quest], kind: str, cause: str, joined_on: date | None, day: date
) -> str:
    """Return why an activity cannot be this step of a quest (`quest/step`), nothing when it can.

    `day` is the rep's when it was done.
    """
    quest_id, _, step_id = cause.partition("/")
    quest = quests.get(quest_id)
    step = quest.steps.get(step_id) if quest is not None else None
    if quest is None or step is None:
        return "is no step of a quest; look at GET /me/quests"
    if step.type != kind:
        return f"is told by activities of the type {step.type!r}"
    until = last_day(quest, joined_on)
    return f"was open until {until}" if until is not None and day > until else ""


def done(entries: Iterable[Entry], quest: Quest) -> dict[str, Entry]:
    """Return, by step, the first entry that shows it was done, of all entries of a rep's quest.

    The activity itself where a `system` told it or nobody has to confirm it, else the confirmation.
    What was reversed is as if it never came, and test entries show nothing.
    """
    known = [entry for entry in entries if not entry.test]
    reversed_ids = {entry.reverses for entry in known if entry.reverses}
    found: dict[str, Entry] = {}
    for entry in sorted(known, key=lambda one: (one.at, one.entry_id)):
        step_id = entry.cause.partition("/")[2]
        if entry.entry_id not in reversed_ids and _shows(entry, step_id, quest):
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
