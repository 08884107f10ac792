"""The playbook: all rules of an organisation, as data (O4)."""

from __future__ import annotations

from dataclasses import field

from dibs.core.values import dataclass
from dibs.rules.game import Game
from dibs.rules.rules import Rules


@dataclass(frozen=True)
class Playbook(Rules):
    """All rules of one organisation. A duration's name says its unit."""

    game: Game = field(default_factory=Game)
