"""The store that help needs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dibs.game.help.rules import HelpAnswer, HelpRequest


class HelpRequests(Protocol):
    """Reps' questions to their colleagues, and the answers (G11)."""

    def find(self, help_id: str) -> HelpRequest | None: ...

    def add(self, request: HelpRequest) -> bool:
        """Store a new request; False when its id is in use."""
        ...

    def of_rep(self, rep_id: str, since: datetime) -> list[HelpRequest]:
        """Return the latest fifty requests of a rep since then, the newest first."""
        ...

    def of_team(self, team: str, since: datetime) -> list[HelpRequest]:
        """Return the latest fifty requests to a team since then, the newest first."""
        ...

    def answer(self, help_id: str, answer: HelpAnswer) -> bool:
        """Store a rep's first answer; False when they have one, or no more are accepted."""
        ...

    def confirm(self, help_id: str, rep_id: str, at: datetime) -> None:
        """Mark an answer as confirmed; the first time stays."""
        ...

    def close(self, help_id: str, at: datetime) -> None: ...
