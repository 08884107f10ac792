"""How reps were judged when a wave was told, or a lead assigned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Judged:
    """How the reps of a lead's teams were judged when a wave was told, or it was assigned (R9).

    `verdicts` are, by rep, the codes of every rule that refused them; none for who might claim, or
    whom it was assigned to.
    """

    lead_id: str
    epoch: int
    wave_at: datetime
    at: datetime
    teams: tuple[str, ...]
    playbook_version: int
    verdicts: Mapping[str, tuple[str, ...]]
    how: Literal["race", "assigned"] = "race"
