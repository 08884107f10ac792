"""The store that receipts need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from dibs.core.lead import Lead
from dibs.race.verdicts import RecordedVerdicts

if TYPE_CHECKING:
    from dibs.receipts.receipts import ChainLink, SealedRace, TriedRace


Ruling = Literal["", "upheld", "not_upheld"]


@dataclass(frozen=True)
class Dispute:
    """A rep disputes a race, with a reason in their own words; a manager answers it (C9).

    `ruling` is empty until then, `answer` is what the manager said to it.
    """

    lead_id: str
    epoch: int
    rep_id: str
    at: datetime
    reason: str
    ruling: Ruling = ""
    answer: str = ""
    answered_at: datetime | None = None
    answered_by: str = ""


class Races(Protocol):
    """The records of races: verdicts on reps, sealed races, blocks and disputes (C9).

    Each record is written once; the first one counts.
    """

    def begin(self, lead: Lead, late_at: datetime) -> None: ...

    def record_judged(self, judged: RecordedVerdicts) -> None: ...

    def judged(self, lead_id: str, epoch: int) -> list[RecordedVerdicts]: ...

    def seal(self, lead_id: str, epoch: int, sealed: SealedRace, at: datetime) -> bool: ...

    def find(self, lead_id: str, epoch: int) -> SealedRace | None: ...

    def tried_by(self, rep_id: str, most: int, before: str = "") -> tuple[list[TriedRace], str]:
        """Return the races a rep tried to win, the newest first, and where the next page begins."""
        ...

    def unsealed(self, late: datetime) -> list[tuple[str, int]]: ...

    def unchained(self) -> list[tuple[str, int, str]]: ...

    def last_block(self) -> tuple[int, str]: ...

    def add_block(self, number: int, link: ChainLink, at: datetime) -> bool: ...

    def chained(self, races: Iterable[tuple[str, int]], number: int) -> None: ...

    def blocks(
        self, first: int = 1, last: int | None = None
    ) -> Iterable[tuple[int, ChainLink]]: ...

    def block_numbers(self, day: date) -> list[int]: ...

    def dispute(self, dispute: Dispute) -> Dispute: ...

    def disputed(self, lead_id: str, epoch: int, rep_id: str) -> Dispute | None:
        """Return the rep's dispute of a race, as it is now."""
        ...

    def answer(self, answered: Dispute) -> Dispute:
        """Store the answer to a dispute, once; return the dispute with its first answer."""
        ...

    def disputes(self, month: date) -> list[Dispute]: ...
