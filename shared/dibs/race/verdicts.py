"""How reps were judged when a wave was notified, or a lead assigned (R9)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from dibs.core.values import dataclass


@dataclass(frozen=True)
class RecordedVerdicts:
    """How the reps of a lead's teams were judged when a wave was notified, or it was assigned (R9).

    `verdicts` are, by rep, the codes of the rules that refused them. There are none for a rep who
    might claim, or to whom the lead was assigned.
    """

    lead_id: str
    epoch: int
    wave_at: datetime
    at: datetime
    teams: tuple[str, ...]
    playbook_version: int
    verdicts: Mapping[str, tuple[str, ...]]
    how: Literal["race", "assigned"] = "race"
