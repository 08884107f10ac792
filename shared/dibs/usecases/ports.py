"""What the use cases need from the outside, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from dibs.domain.leads import Card, Claim, Lead, Move
from dibs.domain.playbook import Playbook
from dibs.domain.reps import Device, Limits, Rep


@dataclass(frozen=True)
class RaceView:
    """Everything one claim is judged on, as one read found it.

    `claim` is the record of the lead's last won race; `noticed_at` is when this rep was first
    told of this opening, None where they were not.
    """

    lead: Lead | None
    rep: Rep | None
    limits: Limits
    claim: Claim | None
    noticed_at: datetime | None
    playbook: Playbook
    token_hash: str | None = None


@dataclass(frozen=True)
class Sighting:
    """What a rep did with an offer (N3): seen it, tried for it, declined it."""

    seen_at: datetime | None = None
    attempted_at: datetime | None = None
    declined_at: datetime | None = None


@dataclass(frozen=True)
class Notice:
    """One offer as it was sent (N3): by which channels, and when."""

    lead_id: str
    epoch: int
    rep_id: str
    sent_at: datetime
    channels: tuple[str, ...]
    claimed_at: datetime | None = None


@dataclass(frozen=True)
class Fact:
    """Something that happened to a lead, told to the rest of the product over the bus."""

    kind: str
    lead_id: str
    epoch: int
    rep_id: str | None = None


@dataclass(frozen=True)
class Pending:
    """An item whose fact may not have left the outbox yet; `since` guards its clearing."""

    key: Mapping[str, str]
    since: datetime
    fact: Fact | None


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


class RaceStore(Protocol):
    """The claim's own view of the tables: one read, one transaction."""

    def read(self, lead_id: str, rep_id: str) -> RaceView: ...

    def commit_claim(self, view: RaceView, claim: Claim) -> RaceView | None:
        """Store the claim; None when it stands, else the facts as they stood when it failed.

        Raises:
            Busy: on a transaction conflict or throttling; nothing was changed.
        """
        ...

    def commit_undo(self, view: RaceView, reopened: Lead, moves: Sequence[Move]) -> bool:
        """Store the reopened lead and its moves, and take the claim off the rep's count.

        False when the lead moved on meanwhile; nothing was changed then.
        """
        ...

    def record_attempt(self, lead: Lead, rep_id: str, at: datetime, outcome: str) -> None: ...

    def record_sighting(self, lead: Lead, rep_id: str, what: str, at: datetime) -> None: ...

    def card(self, lead_id: str) -> Card | None: ...

    def open_leads(self) -> list[Lead]: ...

    def count_open(self, team: str, now: datetime) -> int: ...


class LeadStore(Protocol):
    """Leads outside the race: accepted, opened, closed, and their outbox."""

    def get(self, lead_id: str) -> Lead | None: ...

    def card(self, lead_id: str) -> Card | None: ...

    def accept(self, lead: Lead, card: Card, move: Move, now: datetime) -> Card | None:
        """Store a new lead; None when stored, else the card already stored under its id."""
        ...

    def update_card(self, card: Card, signed_at: datetime) -> None: ...

    def open_leads(self) -> list[Lead]: ...

    def planned(self, lead: Lead) -> None: ...

    def expire(self, lead: Lead, move: Move) -> bool: ...

    def waiting_in_outbox(self, before: datetime) -> Iterable[Pending]: ...

    def clear_outbox(self, pending: Pending) -> None: ...


class Roster(Protocol):
    """Reps, teams and the playbook in force."""

    def playbook(self) -> Playbook: ...

    def team(self, team: str) -> Sequence[tuple[Rep, Limits]]: ...

    def get(self, rep_id: str) -> Rep | None: ...

    def get_many(self, rep_ids: Sequence[str]) -> dict[str, Rep]: ...

    def by_phone(self, phone: str) -> tuple[Rep, Limits] | None: ...

    def opt_out(self, rep_id: str, opted_out: bool) -> None: ...

    def pause(self, rep_id: str, until: datetime | None) -> None: ...

    def put_device(self, rep_id: str, device: Device) -> None: ...

    def remove_device(self, rep_id: str, device_id: str) -> None: ...

    def count_sms(self, rep_id: str, day: date, per_rep: int, per_organisation: int) -> bool: ...


class OfferStore(Protocol):
    """The record of every offer, one (lead, rep) key each."""

    def notices(self, lead_id: str, epoch: int, rep_ids: Sequence[str]) -> dict[str, Notice]: ...

    def record(self, notices: Sequence[Notice]) -> None: ...

    def record_claimed(
        self, lead_id: str, epoch: int, rep_id: str, claimed_at: datetime
    ) -> None: ...

    def sightings(
        self, lead_id: str, epoch: int, rep_ids: Sequence[str]
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


class Timers(Protocol):
    """Delayed messages about a lead; a late or lost one delays a message, never a right."""

    def close_at(self, lead: Lead, now: datetime) -> None: ...


class Bus(Protocol):
    """Where facts go."""

    def publish(self, facts: Sequence[Fact]) -> None: ...


class Once(Protocol):
    """At most one run per name, also when it is asked for twice at the same time."""

    def claim_name(self, name: str, now: datetime) -> bool: ...
