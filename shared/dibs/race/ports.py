"""What a claim is judged on, and the stores it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from dibs.core.credentials import Credential, Shown
from dibs.core.lead import Claim, Contact, Lead, Transition
from dibs.core.rep import Rep, Usage
from dibs.core.values import dataclass
from dibs.rules.rules import Look, Rules

if TYPE_CHECKING:
    from dibs.race.draw import DrawResult
    from dibs.race.usage import Change
    from dibs.rules.game import Reporting


@dataclass(frozen=True)
class RaceView:
    """Everything one claim is judged on, from one read.

    `claim` is the record of the lead's latest claim or assignment; `noticed_at` is when this rep
    was first notified of this opening, None if they were not. `credential` is what is stored of the
    token or session the caller showed, `token_number` what it must have. `open_leads` is about how
    many leads are open by team, None before they were first counted.
    """

    lead: Lead | None
    rep: Rep | None
    usage: Usage
    claim: Claim | None
    noticed_at: datetime | None
    playbook: Rules
    credential: Credential | None = None
    token_number: int = 0
    open_leads: Mapping[str, int] | None = None


@dataclass(frozen=True)
class SentOffer:
    """A sent offer: by which channels, and when (N3)."""

    lead_id: str
    epoch: int
    rep_id: str
    sent_at: datetime
    channels: tuple[str, ...]
    claimed_at: datetime | None = None


class RaceStore(Protocol):
    """The store of a claim: one read, one transaction."""

    def read(self, lead_id: str, rep_id: str, shown: Shown | None = None) -> RaceView:
        """Read what a claim is judged on, with what is stored of what the caller `shown`."""
        ...

    def look(self, lead_id: str, rep_id: str) -> RaceView:
        """Read lead and rep for whoever only looks, or says that they do: a moment old, without
        the claim's record and the rep's notice."""
        ...

    def reporting(self) -> Reporting:
        """Return who reports what by the playbook that was last read, without a request (K5)."""
        ...

    def page_look(self) -> Look:
        """Return what pages look like by the playbook that was last read, without a request."""
        ...

    def commit_claim(self, view: RaceView, claim: Claim, counts: Change) -> RaceView | None:
        """Store the claim and its counts.

        Return None if it was stored, else the view at the time it failed, to be judged again.

        Raises:
            Busy: on a transaction conflict or throttling.
        """
        ...

    def commit_undo(
        self, held: Lead, reopened: Lead, transitions: Sequence[Transition], counts: Change
    ) -> bool:
        """Store the reopened lead and its transitions, and subtract the claim from the rep's usage.

        False, with nothing changed, if the lead has changed since it was read.
        """
        ...

    def count(self, counts: Change) -> bool:
        """Store counts by themselves; False, with nothing changed, if a guard does not hold.

        Raises:
            Busy: on a transaction conflict or throttling.
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
        """Record a claim that did not win: its error code, and the rules that refused it, of
        playbook version `version`."""
        ...

    def record_sighting(self, lead: Lead, rep_id: str, what: str, at: datetime) -> None: ...

    def card(self, lead_id: str) -> Contact | None: ...

    def open_leads(self) -> list[Lead]: ...

    def count_open(self, team: str, now: datetime) -> int: ...

    def add_open(self, lead: Lead, many: int) -> None:
        """Count the lead among the open ones of its teams, or no more. May be done twice by
        mistake: `put_open` puts it right."""
        ...

    def put_open(self, leads: Sequence[Lead], now: datetime) -> None:
        """Store how many of these leads, which are all that are marked open, are open by team."""
        ...

    def draws(self) -> Draws: ...


class Draws(Protocol):
    """The entries and results of draws (C10)."""

    def enter(self, lead: Lead, rep_id: str, at: datetime) -> None:
        """Enter the rep in the draw of this opening. A second entry changes nothing.

        Raises:
            Busy: the entry may or may not have been stored.
        """
        ...

    def entered(self, lead: Lead, rep_id: str) -> bool: ...

    def entrants(self, lead: Lead) -> list[str]:
        """Return all reps whose entry was stored before this call."""
        ...

    def give(self, view: RaceView, claim: Claim, counts: Change, drawn: DrawResult) -> bool:
        """Store the draw and its winner's claim in one transaction.

        False, with nothing changed, if the lead or the rep has changed since they were read.

        Raises:
            Busy: on a transaction conflict or throttling.
        """
        ...

    def close(self, lead: Lead, drawn: DrawResult) -> None:
        """Store a draw without a winner, unless another draw was stored; the race goes on."""
        ...

    def get(self, lead_id: str, epoch: int | None = None) -> DrawResult | None:
        """Return the draw of an opening (by default the latest one), None if there was none."""
        ...
