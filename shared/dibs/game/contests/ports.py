"""What contests need from the outside, and nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dibs.game.contests.rules import Contest, Frozen, Result, State, Times
    from dibs.game.contests.rules import Standing as Stands


@dataclass(frozen=True)
class Planned:
    """A contest as it is kept: its definition, how far it is, its times, and who set it up.

    `owed`: it is final, and its prizes may not all be booked yet.
    """

    contest: Contest
    state: State
    times: Times
    by: str
    owed: bool = False


@dataclass(frozen=True)
class SignedResult:
    """A contest's result, the text that was signed, and its signature in hex."""

    result: Result
    text: str
    signature: str


class Contests(Protocol):
    """Contests, what of them is frozen, how they stand and how they ended (G4-G7)."""

    def all(self) -> list[Planned]: ...

    def get(self, contest_id: str) -> Planned | None: ...

    def plan(self, planned: Planned) -> bool:
        """Store a contest that is to come, in place of an earlier definition.

        False when it has begun, or was cancelled; nothing was changed then.
        """
        ...

    def cancel(self, contest_id: str) -> bool:
        """Call a contest off; False when it is final or was cancelled before."""
        ...

    def open(self, planned: Planned, frozen: Frozen, seed: str) -> bool:
        """Begin a contest, as it was read, and freeze what it is about, in one step.

        False when it has begun or was cancelled; nothing was changed then.
        """
        ...

    def frozen(self, contest_id: str) -> tuple[Frozen, str] | None:
        """Return what is frozen, and the secret seed of the lottery (empty: there is none)."""
        ...

    def refresh(self, contest_id: str, standing: Stands, at: datetime) -> None: ...

    def standing(self, contest_id: str) -> tuple[Stands, datetime] | None: ...

    def close(self, signed: SignedResult) -> bool:
        """Store a result and make the contest final, in one step; its prizes are owed then.

        False when it is not live; the first result stands.
        """
        ...

    def result(self, contest_id: str) -> SignedResult | None: ...

    def paid(self, contest_id: str) -> None: ...
