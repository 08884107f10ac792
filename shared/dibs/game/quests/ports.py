"""What quests need from the outside, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dibs.game.quests.rules import Told


class QuestLog(Protocol):
    """Steps of quests that reps have told of themselves, until somebody confirms them (G8)."""

    def tell(self, told: Told, was: Told | None) -> bool:
        """Store what a rep tells, for them and for who is to confirm it, in place of what they
        told `was`; False when it was not that any more."""
        ...

    def told_by(self, rep_id: str) -> list[Told]: ...

    def waiting_for(self, who: str) -> list[Told]:
        """Return what waits for a peer's word, or for the managers' (`MANAGERS`)."""
        ...

    def settle(self, told: Told) -> None:
        """Take it off the lists of who was to confirm it."""
        ...
