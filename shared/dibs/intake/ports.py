"""What intake needs from stores."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from dibs.assignment.ports import Recipient
from dibs.core.events import LeadEvent
from dibs.core.lead import Contact, DuplicateLink, Lead, Transition
from dibs.core.quality import Quality

if TYPE_CHECKING:
    from dibs.intake.blind import ArrivalCounts
    from dibs.intake.duplicates import Identity, KnownIdentity
    from dibs.race.absence import Credit


@dataclass(frozen=True)
class Pending:
    """An item whose event is in the outbox; changed only while its time is `since`.

    `published`: the event was sent, and its ledger entry is not written yet.
    """

    key: Mapping[str, str]
    since: datetime
    event: LeadEvent | None
    published: bool = False


@dataclass(frozen=True)
class StoredPost:
    """A stored post; `link` says into which lead it was merged, if it was."""

    card: Contact
    link: DuplicateLink | None = None


class LeadStore(Protocol):
    """Leads outside the race: accept, merge, open and close them, and their outbox."""

    def get(self, lead_id: str) -> Lead | None: ...

    def get_many(self, lead_ids: Collection[str]) -> dict[str, Lead]: ...

    def card(self, lead_id: str) -> Contact | None: ...

    def known(
        self, lead_id: str, identities: Sequence[Identity]
    ) -> tuple[StoredPost | None, list[KnownIdentity]]:
        """Return what is stored under a lead's id, and what each identity refers to, in order."""
        ...

    def accept(
        self,
        lead: Lead,
        card: Contact,
        transition: Transition | None,
        signed_at: datetime,
        identities: Sequence[KnownIdentity] = (),
        given: Recipient | None = None,
        credit: Credit | None = None,
    ) -> StoredPost | None:
        """Store a new lead, which races or is `given` to a rep; its identities now refer to it.

        None when stored, else what is already stored under its id. Its head start may use up an
        absence `credit` (F10).

        Raises:
            Busy: on a transaction conflict or throttling, or when what was read has changed;
                nothing was changed.
        """
        ...

    def merge(
        self,
        into: Lead,
        card: Contact,
        link: DuplicateLink,
        signed_at: datetime,
        identities: Sequence[KnownIdentity],
    ) -> StoredPost | None:
        """Merge a post into a lead that has not changed since it was read; answers as `accept`."""
        ...

    def update_card(
        self, card: Contact, signed_at: datetime, link: DuplicateLink | None = None
    ) -> None: ...

    def open_leads(self) -> list[Lead]: ...

    def record_notified(self, lead: Lead, until: datetime) -> None: ...

    def open_early(self, lead: Lead, early: Lead) -> bool: ...

    def expire(self, lead: Lead, transition: Transition) -> bool: ...

    def waiting_in_outbox(self, before: datetime) -> Iterable[Pending]: ...

    def clear_outbox(self, pending: Pending) -> None: ...


class Arrivals(Protocol):
    """How many raced leads of each quality came, and how many of them were blind (F5)."""

    def lately(self, now: datetime) -> ArrivalCounts:
        """Return the counts of this week and the week before."""
        ...

    def count(self, quality: Quality, blind: bool, at: datetime) -> None: ...

    def of_weeks(self, weeks: Sequence[str]) -> list[ArrivalCounts]: ...

    def place(self, team: str, begins: datetime) -> int:
        """Count one lead that waits until the team's work begins; return how many came before."""
        ...
