"""What telling reps needs from the outside, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from dibs.core.lead import Lead
from dibs.core.rep import Device, Rep
from dibs.race.ports import Notice

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Chunk:
    """Work for one notify run: up to 50 reps to be told the same thing about one lead.

    `notify_at` is the common instant at which every chunk of a wave starts (N6).
    """

    kind: str
    lead_id: str
    epoch: int
    rep_ids: tuple[str, ...]
    notify_at: datetime | None = None

    @property
    def name(self) -> str:
        """What it asks for, in one word: a chunk of other reps is other work."""
        return f"{self.kind}/{self.lead_id}/{self.epoch}/{','.join(self.rep_ids)}"


@dataclass(frozen=True)
class Sighting:
    """What a rep did with an offer (N3): seen it, tried for it, declined it, each the first time.

    `lost_at` is their first try that came after the winner's; `rules` refused their first refused
    one, under the playbook version `rules_version` (C9).
    """

    seen_at: datetime | None = None
    attempted_at: datetime | None = None
    declined_at: datetime | None = None
    lost_at: datetime | None = None
    rules: tuple[str, ...] = ()
    rules_version: int | None = None


class OfferStore(Protocol):
    """The record of every offer, one (lead, rep) key each."""

    def notices(self, lead_id: str, epoch: int, rep_ids: Sequence[str]) -> dict[str, Notice]: ...

    def record(self, notices: Sequence[Notice]) -> None: ...

    def record_claimed(
        self, lead_id: str, epoch: int, rep_id: str, claimed_at: datetime
    ) -> None: ...

    def sightings(
        self, lead_id: str, epoch: int, rep_ids: Sequence[str], *, consistent: bool = False
    ) -> dict[str, Sighting]: ...

    def reserve_sms(
        self, lead: Lead, rep_id: str, new_code: Callable[[], str], now: datetime
    ) -> str | None: ...

    def free_sms(self, lead: Lead, rep_id: str, code: str) -> None: ...

    def find_code(self, rep_id: str, code: str) -> tuple[str, int] | None: ...


@dataclass(frozen=True)
class Delivery:
    """How a batch of publishes went: accepted for whom, and when each left."""

    accepted: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    sent_at: Mapping[str, datetime] = field(default_factory=dict)
    spread_ms: int = 0


class Push(Protocol):
    """Alerts on phones. Both answer per rep; a rep counts as accepted when any device took it."""

    def offer(self, lead: Lead, reps: Sequence[Rep], now: datetime) -> Delivery: ...

    def withdraw(self, lead: Lead, reps: Sequence[Rep], now: datetime) -> Delivery: ...

    def tell(self, what: str, lead: Lead, reps: Sequence[Rep], now: datetime) -> Delivery:
        """Tell a lead's holder that it is theirs (`assigned`) or waits for them (`unworked`)."""
        ...

    def register(
        self, rep_id: str, device_id: str, platform: str, token: str
    ) -> tuple[Device, str]:
        """Own a phone to the rep; return it and whose it was before."""
        ...

    def forget(self, device: Device) -> None: ...


class Sms(Protocol):
    """Text messages out."""

    def send(self, phone: str, text: str) -> None: ...


class NotifyQueue(Protocol):
    """Where chunks wait for notify."""

    def put(self, chunks: Sequence[Chunk], delay_seconds: int = 0) -> None: ...
