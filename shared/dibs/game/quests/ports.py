"""The store that quests need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dibs.game.quests.rules import ReportedStep


class QuestLog(Protocol):
    """Quest steps that reps reported, until they are confirmed (G8)."""

    def tell(self, told: ReportedStep, was: ReportedStep | None) -> bool:
        """Store a reported step, for the rep and for who confirms it, in place of the report `was`;
        False when that has changed."""
        ...

    def reported_by(self, rep_id: str) -> list[ReportedStep]: ...

    def waiting_for(self, who: str) -> list[ReportedStep]:
        """Return the steps that wait for a peer, or for the managers (`MANAGERS`)."""
        ...

    def settle(self, told: ReportedStep) -> None:
        """Remove a step from the lists of those who could confirm it."""
        ...
