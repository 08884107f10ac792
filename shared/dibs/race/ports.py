"""What a claim is judged on, and where it is stored: all the claim needs from the outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from dibs.core.lead import Card, Claim, Lead, Move
from dibs.core.rep import Rep, Usage
from dibs.rules.rules import Rules

if TYPE_CHECKING:
    from dibs.race.draw import Drawn
    from dibs.race.usage import Change


@dataclass(frozen=True)
class RaceView:
    """Everything one claim is judged on, as one read found it.

    `claim` is the record of the lead's last won race; `noticed_at` is when this rep was first
    told of this opening, None where they were not.
    """

    lead: Lead | None
    rep: Rep | None
    usage: Usage
    claim: Claim | None
    noticed_at: datetime | None
    playbook: Rules
    token_hash: str | None = None


@dataclass(frozen=True)
class Notice:
    """One offer as it was sent (N3): by which channels, and when."""

    lead_id: str
    epoch: int
    rep_id: str
    sent_at: datetime
    channels: tuple[str, ...]
    claimed_at: datetime | None = None


class RaceStore(Protocol):
    """The claim's own view of the tables: one read, one transaction."""

    def read(self, lead_id: str, rep_id: str) -> RaceView: ...

    def commit_claim(self, view: RaceView, claim: Claim, counts: Change) -> RaceView | None:
        """Store the claim, and what it counts.

        None when it stands, else the facts as they stood when it failed.

        Raises:
            Busy: on a transaction conflict or throttling; nothing was changed.
        """
        ...

    def commit_undo(
        self, held: Lead, reopened: Lead, moves: Sequence[Move], counts: Change
    ) -> bool:
        """Store the reopened lead and its moves, and take the claim off the rep's count.

        False when the lead moved on meanwhile; nothing was changed then.
        """
        ...

    def record_attempt(
        self,
        lead: Lead,
        rep_id: str,
        at: datetime,
        outcome: str,
        rules: Sequence[str] = (),
        version: int = 0,
    ) -> None:
        """Note a try that won nothing: its error's code, the rules that refused it, of which
        playbook version."""
        ...

    def record_sighting(self, lead: Lead, rep_id: str, what: str, at: datetime) -> None: ...

    def card(self, lead_id: str) -> Card | None: ...

    def open_leads(self) -> list[Lead]: ...

    def count_open(self, team: str, now: datetime) -> int: ...

    def draws(self) -> Draws: ...


class Draws(Protocol):
    """Who is in the draw of a lead, and how it ended (C10)."""

    def enter(self, lead: Lead, rep_id: str, at: datetime) -> None:
        """Put the rep into the draw of this opening; entering twice is entering once.

        Raises:
            Busy: it may have been stored or not.
        """
        ...

    def entered(self, lead: Lead, rep_id: str) -> bool: ...

    def entrants(self, lead: Lead) -> list[str]:
        """Return everybody whose entry was stored before this was asked."""
        ...

    def give(self, view: RaceView, claim: Claim, counts: Change, drawn: Drawn) -> bool:
        """Store the draw and its winner's claim together.

        False when lead or rep are not as they were read; nothing was changed then.

        Raises:
            Busy: on a transaction conflict or throttling.
        """
        ...

    def close(self, lead: Lead, drawn: Drawn) -> None:
        """Store a draw that nobody won, unless the lead was drawn meanwhile: the race goes on."""
        ...

    def get(self, lead_id: str, epoch: int | None = None) -> Drawn | None:
        """Return the draw of an opening, or the latest; None where there was none."""
        ...
