"""What the ledger needs from the outside, and nothing more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from dibs.core.lead import Claim, Lead, Move

if TYPE_CHECKING:
    from dibs.ledger.activities import Step
    from dibs.ledger.entries import Entry
    from dibs.race.draw import Drawn


@dataclass(frozen=True)
class Story:
    """What is on record of a lead: as it stands, who took it last, and the steps of its life.

    A race won leaves its step only when the lead is given back; until then `claim` has it.
    `draws` are those of its openings that were drawn (C10).
    """

    lead: Lead
    claim: Claim | None
    moves: tuple[Move, ...]
    draws: tuple[Drawn, ...] = ()


class Ledger(Protocol):
    """Who took which lead and what they made of it; entries are added and never changed."""

    def find(self, entry_ids: Collection[str]) -> dict[str, Entry]: ...

    def of_rep(self, rep_id: str, start: datetime, end: datetime) -> Iterable[Entry]: ...

    def of_team(self, team: str, weeks: Sequence[str]) -> Iterable[Entry]: ...

    def put(self, entries: Sequence[Entry]) -> None: ...

    def record(self, entry: Entry, step: Step | None) -> bool:
        """Store an activity with what it makes of its lead; False when neither is any more as
        it was read, and nothing was changed.

        Raises:
            Busy: on a transaction conflict or throttling; nothing was changed.
        """
        ...

    def story(self, lead_id: str) -> Story | None: ...
