"""The store that contests need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dibs.game.contests.rules import (
        Contest,
        ContestStanding,
        ContestTimes,
        FrozenContest,
        Result,
        State,
    )
    from dibs.game.contests.series import Series


@dataclass(frozen=True)
class PlannedContest:
    """A stored contest: its definition, state, times, and who set it up.

    `owed`: it is final, and some prizes may not be posted yet. `taken_back`: its series called it
    off, and may set it up again.
    """

    contest: Contest
    state: State
    times: ContestTimes
    by: str
    owed: bool = False
    taken_back: bool = False


@dataclass(frozen=True)
class SignedResult:
    """A contest's result, the text that was signed, and its signature in hex."""

    result: Result
    text: str
    signature: str


class Contests(Protocol):
    """Contests, their frozen parts, standings and results (G4-G7)."""

    def all(self) -> list[PlannedContest]: ...

    def get(self, contest_id: str) -> PlannedContest | None: ...

    def plan(self, planned: PlannedContest) -> bool:
        """Store an upcoming contest, in place of an earlier definition.

        False, and nothing changed, when it has begun or was cancelled.
        """
        ...

    def cancel(self, contest_id: str) -> bool:
        """Cancel a contest; False when it is final or cancelled already."""
        ...

    def take_back(self, contest_id: str) -> bool:
        """Call off a contest that is to come, so that `plan` may set it up again; False if not."""
        ...

    def open(self, planned: PlannedContest, frozen: FrozenContest, seed: str) -> bool:
        """Begin a contest, if unchanged since it was read, and store its frozen part, in one step.

        False, and nothing changed, when it has begun or was cancelled.
        """
        ...

    def frozen(self, contest_id: str) -> tuple[FrozenContest, str] | None:
        """Return the frozen part, and the lottery's secret seed (empty: no lottery)."""
        ...

    def refresh(self, contest_id: str, standing: ContestStanding, at: datetime) -> None: ...

    def standing(self, contest_id: str) -> tuple[ContestStanding, datetime] | None: ...

    def close(self, signed: SignedResult) -> bool:
        """Store a result and make the contest final, with its prizes owed, in one step.

        False when it is not live; the first result counts.
        """
        ...

    def result(self, contest_id: str) -> SignedResult | None: ...

    def paid(self, contest_id: str) -> None: ...

    def series(self) -> list[Series]: ...

    def put_series(self, series: Series) -> None:
        """Store a series in place of an earlier one of that id."""
        ...
