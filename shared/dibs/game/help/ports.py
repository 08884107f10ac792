"""What help needs from the outside, and nothing more."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dibs.game.help.rules import Answer, HelpRequest


class HelpRequests(Protocol):
    """What reps ask their colleagues, and what they were answered (G11)."""

    def find(self, help_id: str) -> HelpRequest | None: ...

    def add(self, request: HelpRequest) -> bool:
        """Store a new request; False when there is one of its id."""
        ...

    def of_rep(self, rep_id: str, since: datetime) -> list[HelpRequest]:
        """Return the latest fifty a rep asked since then, the newest first."""
        ...

    def of_team(self, team: str, since: datetime) -> list[HelpRequest]:
        """Return the latest fifty a team was asked since then, the newest first."""
        ...

    def answer(self, help_id: str, answer: Answer) -> bool:
        """Store a rep's first answer; False when they have one, or it takes no more."""
        ...

    def confirm(self, help_id: str, rep_id: str, at: datetime) -> None:
        """Note that an answer helped; the first note stays."""
        ...

    def close(self, help_id: str, at: datetime) -> None: ...
