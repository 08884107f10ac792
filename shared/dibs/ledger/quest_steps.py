"""Activities that may be steps of onboarding quests (G8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

from dibs.rules.game import Quest

STEP_VERIFIED = "step_verified"
"""The kind of entry by which a manager or a colleague confirms a step."""

_TYPES = ("training_step", "crm_step", "tool_used", "peer_interview")
_CAUSE = re.compile(r"([a-z0-9_-]{1,40})/([a-z0-9_-]{1,40})")


def unit_of_quest(quest: str, rep_id: str) -> str:
    """Return the aggregate of all entries of a rep's quest."""
    return f"quest/{rep_id}/{quest}"


def quest_unit(kind: str, cause: str, rep_id: str) -> str | None:
    """Return the aggregate of an entry of this kind and cause (`quest/step`), None where it is no
    step of a quest."""
    match = _CAUSE.fullmatch(cause)
    if match is None or kind not in (*_TYPES, STEP_VERIFIED):
        return None
    return unit_of_quest(match[1], rep_id)


def last_day(quest: Quest, joined_on: date | None) -> date | None:
    """Return the last day of a rep's quest; None where it is always open.

    The first day counts: seven days from a Monday end on Sunday.
    """
    if not quest.within_days or joined_on is None:
        return None
    return joined_on + timedelta(days=quest.within_days - 1)


def wrong_step(
    quests: Mapping[str, Quest], kind: str, cause: str, joined_on: date | None, day: date
) -> str:
    """Return why an activity cannot be this step of a quest (`quest/step`), empty when it can.

    `day` is the rep's local day of the activity.
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
