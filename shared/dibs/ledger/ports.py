"""What the ledger needs from stores."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from dibs.core.lead import Claim, Lead, Transition
from dibs.intake.ports import Pending

if TYPE_CHECKING:
    from dibs.ledger.activities import Step
    from dibs.ledger.entries import Entry
    from dibs.race.draw import DrawResult


@dataclass(frozen=True)
class LeadHistory:
    """A lead's history: its current state, its latest claim, and its transitions.

    The transition of a won race is stored only when the lead is given back; until then `claim`
    holds it. `draws` are the draws of its openings (C10), `pending` its claim and returns whose
    entries may not be written yet.
    """

    lead: Lead
    claim: Claim | None
    transitions: tuple[Transition, ...]
    draws: tuple[DrawResult, ...] = ()
    pending: tuple[Pending, ...] = ()


class Ledger(Protocol):
    """The store of ledger entries; entries are added and never changed."""

    def find(self, entry_ids: Collection[str]) -> dict[str, Entry]: ...

    def of_rep(self, rep_id: str, start: datetime, end: datetime) -> Iterable[Entry]: ...

    def of_team(self, team: str, weeks: Sequence[str]) -> Iterable[Entry]: ...

    def put(self, entries: Sequence[Entry]) -> None: ...

    def record(self, entry: Entry, step: Step | None) -> bool:
        """Store an activity with its change to the lead; False, and nothing is changed, when the
        activity is stored already or the lead has changed since it was read.

        Raises:
            Busy: on a transaction conflict or throttling.
        """
        ...

    def story(self, lead_id: str) -> LeadHistory | None: ...

    def unrecorded(self, before: datetime) -> Iterable[str]:
        """Return the leads with events that were sent, happened before `before`, and have no entry
        yet."""
        ...

    def recorded(self, pending: Pending) -> None:
        """Note that an event has its entry."""
        ...

    def unscored(self, before: datetime) -> Iterable[Entry]:
        """Yield the entries written before `before` that are not in the standings yet."""
        ...

    def scored(self, entry_ids: Sequence[str]) -> None:
        """Note that entries are in the standings."""
        ...


class EveryLead(Protocol):
    """The whole ledger and the history of every lead, for an operator's command."""

    def find(self, entry_ids: Collection[str]) -> dict[str, Entry]: ...

    def everything(self) -> Iterable[Entry]: ...

    def stories(self) -> Iterable[LeadHistory]: ...
