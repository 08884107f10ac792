"""A rep holds a badge for every period in which its formula reaches its mark (G2)."""

from __future__ import annotations

from collections.abc import Mapping

from dibs.core.periods import kind_of
from dibs.game.scoring.metrics import parse
from dibs.rules.game import Badge
from dibs.rules.playbook import Playbook


def badges_of(playbook: Playbook) -> dict[str, Badge]:
    """Return all badges by id: the playbook's, and those of quests (G8)."""
    quests = playbook.game.quests.items()
    return dict(playbook.game.badges) | {
        f"quest_{quest_id}": Badge(quest.badge, f"count(quest_{quest_id})", 1)
        for quest_id, quest in quests
        if quest.badge
    }


def held(badges: Mapping[str, Badge], period: str, counts: Mapping[str, int]) -> frozenset[str]:
    """Return the badges that the counts of a period earn; exactly at the mark counts."""
    per = kind_of(period)
    earned = set()
    for badge_id, badge in badges.items():
        value = parse(badge.formula).value(counts) if badge.per == per else None
        if value is not None and value >= badge.at_least:
            earned.add(badge_id)
    return frozenset(earned)
