"""What makes no sense in the playbook's rules of the game (G, K). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dibs.domain.errors import FieldError
from dibs.domain.playbook import Playbook, Quest

_QUEST_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_STEP_ID = re.compile(r"[a-z0-9_-]{1,40}")
_MOST_QUESTS = 20
_MOST_STEPS = 30
_LONGEST_NAME = 80
_MOST_POINTS = 100_000
_MOST_DAYS = 730


def quest_problems(playbook: Playbook) -> Iterator[FieldError]:
    """Yield what makes no sense in the quests (G8): each place and its mend."""
    quests = playbook.game.quests
    if len(quests) > _MOST_QUESTS:
        yield FieldError("game.quests", f"has {len(quests)} quests; use up to {_MOST_QUESTS}")
    for quest_id, quest in quests.items():
        place = f"game.quests.{quest_id}"
        if not _QUEST_ID.fullmatch(quest_id):
            yield FieldError(
                place, "is no id; use up to 40 of a-z, 0-9 and _, beginning with a letter"
            )
        yield from _quest(place, quest)


def _quest(place: str, quest: Quest) -> Iterator[FieldError]:
    yield from _name(f"{place}.name", quest.name)
    if quest.badge:
        yield from _name(f"{place}.badge", quest.badge)
    if not 0 <= quest.points <= _MOST_POINTS:
        yield FieldError(f"{place}.points", f"is {quest.points}; use 0 to {_MOST_POINTS}")
    if not 0 <= quest.within_days <= _MOST_DAYS:
        yield FieldError(f"{place}.within_days", f"is {quest.within_days}; use 0 to {_MOST_DAYS}")
    if not 1 <= len(quest.steps) <= _MOST_STEPS:
        yield FieldError(f"{place}.steps", f"has {len(quest.steps)}; write 1 to {_MOST_STEPS}")
    for step_id, step in quest.steps.items():
        at = f"{place}.steps.{step_id}"
        if not _STEP_ID.fullmatch(step_id):
            yield FieldError(at, "is no id; use up to 40 of a-z, 0-9, _ and -")
        yield from _name(f"{at}.name", step.name)
        if step.type == "peer_interview" and step.verified_by == "system":
            yield FieldError(
                f"{at}.verified_by", "no system tells of an interview; use peer, manager or self"
            )


def _name(place: str, name: str) -> Iterator[FieldError]:
    if not (name.isprintable() and 0 < len(name.strip()) <= _LONGEST_NAME):
        yield FieldError(place, f"give it a name of up to {_LONGEST_NAME} letters")
