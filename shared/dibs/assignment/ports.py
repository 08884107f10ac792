"""What assigning leads needs from stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from dibs.core.lead import Claim, DuplicateLink, Lead, Transition

if TYPE_CHECKING:
    from dibs.assignment.head_starts import OnTurn, Rotation
    from dibs.assignment.round_robin import Turn
    from dibs.race.usage import Change


@dataclass(frozen=True)
class AssignmentWrite:
    """An assignment to be stored: the claim, the transition, and the turn it uses.

    Without a turn the lead goes to the fallback person (C7). `counts` is what it adds to the rep's
    usage.
    """

    claim: Claim
    transition: Transition
    rotation: str
    last: Turn
    turn: Turn | None
    counts: Change


@dataclass(frozen=True)
class Recipient:
    """A lead that goes to a rep without a race or a turn (C6, R7).

    `counts` is what it adds to the rep's usage. `link` is why a new lead belongs to the rep.
    """

    claim: Claim
    counts: Change
    link: DuplicateLink | None = None


@dataclass(frozen=True)
class Override:
    """A manager's decision to be stored (R7): the lead as read (`was`) and as it becomes.

    `off` is what it takes off the usage of the rep who loses the lead; `given` is the rep who gets
    it.
    """

    was: Lead
    lead: Lead
    transitions: tuple[Transition, ...]
    off: Change | None = None
    given: Recipient | None = None


class Holdings(Protocol):
    """Leads that are assigned, or go back, without a race (C7, C11, M5).

    Each write is one transaction. It returns False, and changes nothing, when the lead, its holder
    or the turn has changed since it was read.
    """

    def place(self, team: str, begins: datetime) -> int:
        """Count one lead that waits until the team's work begins; return how many came before."""
        ...

    def queued(self) -> list[Lead]: ...

    def unworked(self, until: datetime) -> list[Lead]: ...

    def held_by(self, rep_id: str) -> list[Lead]: ...

    def last_turn(self, rotation: str) -> Turn: ...

    def assign(self, lead: Lead, taken: AssignmentWrite) -> bool: ...

    def open(self, lead: Lead, opened: Lead, transition: Transition) -> bool:
        """Open a reserved lead that waits to be assigned for a race."""
        ...

    def give_back(
        self, held: Lead, back: Lead, transitions: Sequence[Transition], counts: Change
    ) -> bool: ...

    def accept(self, lead: Lead, at: datetime) -> bool: ...

    def override(self, change: Override) -> bool: ...

    def nudged(self, lead: Lead) -> bool: ...


Position = Mapping[str, tuple[int, str]]
"""How far each key of an index was read: the time and the lead read last."""


class LeadPages(Protocol):
    """Leads that are not done with, page by page.

    Each read returns at most so many leads, what it cost in requests, and where to go on; None
    where nothing is left.
    """

    def waiting(
        self, place: str, after: Position | None, most: int
    ) -> tuple[list[Lead], int, Position | None]: ...

    def held(
        self, rep_id: str, after: Position | None, most: int
    ) -> tuple[list[Lead], int, Position | None]: ...


class PriorityTurns(Protocol):
    """Whose turn it is to see new leads first (F6)."""

    def rotation(self, team: str) -> Rotation: ...

    def give(
        self, team: str, last: Rotation, after: Rotation, day: date, turns: Sequence[OnTurn]
    ) -> bool:
        """Record a day's turns and the rotation `after` them, together.

        False, and nothing is changed, when another run has planned turns since `last`.
        """
        ...

    def of_day(self, team: str, day: date) -> tuple[OnTurn, ...]:
        """Return a day's turns from a cached snapshot; empty where none were planned."""
        ...
