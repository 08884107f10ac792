"""The store that quests need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dibs.game.quests.rules import Told


class QuestLog(Protocol):
    """Quest steps that reps reported, until they are confirmed (G8)."""

    def tell(self, told: Told, was: Told | None) -> bool:
        """Store a reported step, for the rep and for who confirms it, in place of the report `was`;
        False when that has changed."""
        ...

    def told_by(self, rep_id: str) -> list[Told]: ...

    def waiting_for(self, who: str) -> list[Told]:
        """Return the steps that wait for a peer, or for the managers (`MANAGERS`)."""
        ...

    def settle(self, told: Told) -> None:
        """Remove a step from the lists of those who could confirm it."""
        ...
