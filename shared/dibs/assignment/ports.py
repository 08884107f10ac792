"""What assigning leads needs from the outside, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from dibs.core.lead import Claim, Lead, Move, Tie

if TYPE_CHECKING:
    from dibs.assignment.head_starts import OnTurn, Rotation
    from dibs.assignment.round_robin import Turn
    from dibs.race.usage import Change


@dataclass(frozen=True)
class Taken:
    """An assignment to be stored: who takes the lead, the step, and whose turn that was.

    Without a turn it is the last resort's (C7). `counts` is what it adds to their usage.
    """

    claim: Claim
    move: Move
    ring: str
    last: Turn
    turn: Turn | None
    counts: Change


@dataclass(frozen=True)
class Given:
    """Whom a lead goes to without a race: the record of it, and what it counts (C6, R7).

    `tie` is why a new lead is its owner's.
    """

    claim: Claim
    counts: Change
    tie: Tie | None = None


@dataclass(frozen=True)
class Override:
    """What a manager decided, to be stored (R7): the lead as it was read and as it is to be.

    `off` is what that takes off the usage of who loses it, and `given` who gets it.
    """

    was: Lead
    lead: Lead
    moves: tuple[Move, ...]
    off: Change | None = None
    given: Given | None = None


class Holdings(Protocol):
    """Leads that go to somebody, and come back, without a race (C7, C11, M5).

    Each write is one transaction; False when the lead, its holder or the turn was no longer as
    read, and nothing was changed.
    """

    def queued(self) -> list[Lead]: ...

    def unworked(self, until: datetime) -> list[Lead]: ...

    def held_by(self, rep_id: str) -> list[Lead]: ...

    def last_turn(self, ring: str) -> Turn: ...

    def assign(self, lead: Lead, taken: Taken) -> bool: ...

    def open(self, lead: Lead, opened: Lead, move: Move) -> bool:
        """Open a lead that waits to be assigned, and was kept for somebody, for its race."""
        ...

    def give_back(self, held: Lead, back: Lead, moves: Sequence[Move], counts: Change) -> bool: ...

    def accept(self, lead: Lead, at: datetime) -> bool: ...

    def override(self, change: Override) -> bool: ...

    def nudged(self, lead: Lead) -> bool: ...


class PriorityTurns(Protocol):
    """Whose turn it is to see new leads first (F6)."""

    def rotation(self, team: str) -> Rotation: ...

    def give(
        self, team: str, last: Rotation, stands: Rotation, day: date, turns: Sequence[OnTurn]
    ) -> bool:
        """Record a day's turns and where they stand then, together.

        False when somebody else has given out turns since `last`; nothing was changed then.
        """
        ...

    def of_day(self, team: str, day: date) -> tuple[OnTurn, ...]:
        """Return a day's turns, from a snapshot of some time; none where none were given out."""
        ...
