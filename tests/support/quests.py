"""A quest, the reps who may do it, and what the ledger says of its steps (G8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from dibs.ledger.entries import Entry
from dibs.ledger.quest_steps import STEP_VERIFIED
from dibs.rules.game import Quest, QuestStep
from support.builders import NOON, a_rep

MONDAY = date(2026, 11, 23)
AINA = a_rep(1, joined_on=MONDAY)
BEN, CHONG, LEFT = a_rep(2), a_rep(3, team="south"), a_rep(4, active=False)

START = Quest(
    "First weeks",
    {
        "video": QuestStep("Welcome video", "training_step", "system"),
        "ethics": QuestStep("Safety and ethics", "training_step", "manager"),
        "tool": QuestStep("The dialler", "tool_used", "self"),
        "seller": QuestStep("Ask a top seller", "peer_interview", "peer"),
    },
    badge="Ready",
    points=50,
    within_days=30,
)


def an_entry(step: str, kind: str = STEP_VERIFIED, hour: int = 0, **changes: Any) -> Entry:
    at = NOON + timedelta(hours=hour)
    entry = Entry(
        f"{kind}/{step}/{hour}", kind, AINA.rep_id, "north", at, "", cause=f"start/{step}"
    )
    return replace(entry, **changes)


VIDEO = an_entry("video", "training_step", 1, source="system")
ALL = [VIDEO, an_entry("ethics", hour=2), an_entry("tool", "tool_used", 3), an_entry("seller")]
