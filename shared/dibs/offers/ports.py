"""What notifying reps needs from stores, queues and senders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from dibs.core.lead import Lead
from dibs.core.rep import Device, Rep
from dibs.race.ports import SentOffer

BATCH_SIZE = 50
"""How many reps one notify run tells."""

LATE = "late"
"""The kind of an offer to who became eligible after their wave, or whose notice was lost (C13)."""

LATER = "_later"
"""How the kind of a notice ends that waits for its rep's working hours (R11)."""


SMALL_TEAM = 200
"""So many reps are read in one request, and their notices of a lead are one item of 8 KB."""


@dataclass(frozen=True)
class NotifyBatch:
    """Work for one notify run: up to 50 reps who get the same notice about one lead.

    `notify_at` is the common instant at which every batch of a wave starts (N6), or when a text
    that waits is looked at again. `members` is how many the lead's teams have, 0 where that is not
    known. `first`: nobody had been notified of the lead when this was queued.
    """

    kind: str
    lead_id: str
    epoch: int
    rep_ids: tuple[str, ...]
    notify_at: datetime | None = None
    members: int = 0
    first: bool = False

    @property
    def small(self) -> bool:
        """Whether the lead's teams are so small that one read tells of all of them."""
        return 0 < self.members <= SMALL_TEAM

    @property
    def name(self) -> str:
        """A unique name of this work: kind, lead, epoch and reps; the time, if it waits or is late.

        A rep may be off again when a late one comes, and on once more.
        """
        name = f"{self.kind}/{self.lead_id}/{self.epoch}/{','.join(self.rep_ids)}"
        if (self.kind == LATE or self.kind.endswith(LATER)) and self.notify_at is not None:
            return f"{name}/{self.notify_at.isoformat()}"
        return name


MARKED = frozenset(
    name for kind in ("assigned", "unworked", "withdraw") for name in (kind, f"{kind}{LATER}")
)
"""The kinds of batches that bear a mark until they are done. An offer needs none: who may claim an
open lead and has no notice of it is found without (docs/decisions/0079)."""


@dataclass(frozen=True)
class OfferView:
    """When a rep first saw an offer, first tried to claim it and first declined it (N3).

    `lost_at` is their first try after the winner's. `rules` are the codes that refused their first
    refused try, under the playbook version `rules_version` (C9).
    """

    seen_at: datetime | None = None
    attempted_at: datetime | None = None
    declined_at: datetime | None = None
    lost_at: datetime | None = None
    rules: tuple[str, ...] = ()
    rules_version: int | None = None


class OfferStore(Protocol):
    """The record of every offer, one per lead and rep."""

    def notices(
        self,
        lead_id: str,
        epoch: int,
        rep_ids: Sequence[str],
        *,
        since: int | None = None,
        together: bool = False,
    ) -> dict[str, SentOffer]:
        """Return the offers of an opening sent to these reps, or of any from `since` on;
        `together` where all of them were recorded so."""
        ...

    def record(self, notices: Sequence[SentOffer], *, together: bool = False) -> None:
        """Record sent offers of a lead; `together` where its teams are small."""
        ...

    def record_claimed(
        self, lead_id: str, epoch: int, rep_id: str, claimed_at: datetime
    ) -> None: ...

    def sightings(
        self, lead_id: str, epoch: int, rep_ids: Sequence[str], *, consistent: bool = False
    ) -> dict[str, OfferView]: ...

    def declined(self, rep_id: str, leads: Sequence[Lead]) -> frozenset[str]:
        """Return which of these leads the rep has declined since they opened, by id."""
        ...

    def reserve_sms(
        self, lead: Lead, rep_id: str, new_code: Callable[[], str], now: datetime
    ) -> str | None: ...

    def free_sms(self, lead: Lead, rep_id: str, code: str) -> None: ...

    def find_code(self, rep_id: str, code: str) -> tuple[str, int] | None: ...


@dataclass(frozen=True)
class Delivery:
    """The result of publishing alerts: reps accepted and refused, and when each was sent."""

    accepted: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    sent_at: Mapping[str, datetime] = field(default_factory=dict)
    spread_ms: int = 0


class Push(Protocol):
    """Alerts on phones. A rep counts as accepted when the push to any of their devices was."""

    def offer(
        self,
        lead: Lead,
        reps: Sequence[Rep],
        now: datetime,
        wait: Callable[[], None] = lambda: None,
    ) -> Delivery:
        """Alert reps of a lead. Call `wait` when all is ready to be sent, and send then."""
        ...

    def withdraw(self, lead: Lead, reps: Sequence[Rep], now: datetime) -> Delivery: ...

    def tell(self, what: str, lead: Lead, reps: Sequence[Rep], now: datetime) -> Delivery:
        """Alert a lead's holder: it is theirs (`assigned`) or waits for them (`unworked`)."""
        ...

    def register(
        self, rep_id: str, device_id: str, platform: str, token: str
    ) -> tuple[Device, str]:
        """Register a phone for the rep; return it and its previous owner's id."""
        ...

    def forget(self, device: Device) -> None: ...


class Sms(Protocol):
    """Sends text messages, and knows who wants none."""

    def send(self, phone: str, text: str) -> None: ...

    def opted_out(self) -> Iterable[str]: ...

    def opt_in(self, phone: str) -> None: ...


class BatchMarks(Protocol):
    """The batches of notices that are to be sent, and not known to be (O9)."""

    def mark(self, batches: Sequence[NotifyBatch], due_at: datetime) -> None: ...

    def unmark(self, batch: NotifyBatch) -> None: ...

    def overdue(self, before: datetime) -> list[NotifyBatch]:
        """Return the batches that were due before then and still bear their mark."""
        ...


class NotifyQueue(Protocol):
    """The queue of batches for notify."""

    def put(self, batches: Sequence[NotifyBatch], delay_seconds: int = 0) -> None: ...
