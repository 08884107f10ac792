"""The playbook: an organisation's rules as data (O4). Every number is a setting."""

from __future__ import annotations

from dataclasses import dataclass, field

from dibs.rules.game import Game
from dibs.rules.rules import Rules


@dataclass(frozen=True)
class Playbook(Rules):
    """All rules of one organisation. Durations name their unit."""

    game: Game = field(default_factory=Game)
