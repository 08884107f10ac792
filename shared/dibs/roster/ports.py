"""What the other areas need of the roster: reps, teams and the current playbook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Protocol

from dibs.core.credentials import Credential, Manager, Shown
from dibs.core.rep import Device, Pause, Rep, Usage
from dibs.roster.audit import Entry
from dibs.rules.playbook import Playbook


class AuditLog(Protocol):
    """Who changed what (O6)."""

    def add(self, entry: Entry) -> None: ...

    def month(self, month: datetime) -> Iterator[Entry]:
        """Return a UTC month's entries, the newest first."""
        ...


class Credentials(Protocol):
    """Managers, and what reps and managers sign in with."""

    def of_rep(self, shown: Shown) -> tuple[Rep, Usage, int, Credential | None] | None:
        """Return a rep, the number of their token, and what is stored of what they show."""
        ...

    def of_manager(self, shown: Shown) -> tuple[Manager | None, Credential | None]:
        """Return a manager, and what is stored of what they show."""
        ...

    def managers(self) -> list[Manager]: ...

    def add_manager(
        self, manager: Manager, shown: Shown, token: Credential, entry: Entry
    ) -> None: ...

    def remove_manager(self, manager_id: str, entry: Entry) -> None:
        """Remove a manager; what they could sign in with ends at once.

        Raises:
            RouteNotFound: there is no such manager.
        """
        ...

    def replace_token(self, shown: Shown, token: Credential, entry: Entry) -> None:
        """Give an owner a new token; the old one and all sessions end at once.

        Raises:
            RouteNotFound: there is no such rep or manager, or they have left.
        """
        ...

    def add_session(self, shown: Shown, session: Credential) -> None: ...

    def sessions(self, owner: str) -> list[Credential]: ...

    def end_session(self, owner: str, digest: str) -> None: ...

    def add_link(self, digest: str, owner: str, ends_at: datetime) -> None: ...

    def link(self, digest: str) -> tuple[str, datetime] | None: ...

    def use_link(self, digest: str) -> bool:
        """Use a sign-in link up; False where somebody has."""
        ...

    def counted(self, what: str) -> int:
        """Return how many of `what` were counted."""
        ...

    def count(self, what: str, most: int, ends_at: datetime) -> bool:
        """Count one of `what` until then; False where `most` are reached."""
        ...


class Roster(Protocol):
    """Reps, teams and the current playbook."""

    def playbook(self, *, fresh: bool = False) -> Playbook:
        """Return the playbook in force, with the teams that are paused; `fresh`, those of now."""
        ...

    def pause_team(self, team: str, pause: Pause | None) -> None: ...

    def pause_by_manager(self, rep_id: str, pause: Pause | None) -> None: ...

    def note_first_activity(self, at: datetime) -> None:
        """Note that an activity about a lead was reported: unworked leads go back now (C11)."""
        ...

    def add(self, rep: Rep, shown: Shown, token: Credential, entry: Entry) -> None:
        """Store a new rep with their first token, and the entry of the audit trail.

        Raises:
            AlreadyExists: the phone number belongs to another rep.
        """
        ...

    def team(self, team: str, *, fresh: bool = False) -> Sequence[tuple[Rep, Usage]]:
        """Return a team's reps, from a snapshot some seconds old unless `fresh`."""
        ...

    def get(self, rep_id: str) -> Rep | None: ...

    def counted(self, rep_id: str) -> tuple[Rep, Usage] | None:
        """Return a rep with their current usage."""
        ...

    def get_many(self, rep_ids: Sequence[str]) -> dict[str, Rep]: ...

    def by_phone(self, phone: str) -> tuple[Rep, Usage] | None:
        """Return the active rep with this number and their usage."""
        ...

    def set_tier(self, rep_id: str, was: int, tier: int) -> bool:
        """Set a rep's tier; False when it is no longer `was`."""
        ...

    def put_profile(self, rep: Rep, fields: Sequence[str]) -> None:
        """Store the named fields; with another phone number, who texts from it is this rep.

        Raises:
            AlreadyExists: the phone number belongs to another rep.
        """
        ...

    def deactivate(self, rep_id: str, left_on: date) -> None:
        """Note that a rep left: no token from now on, and their number is free."""
        ...

    def reactivate(self, rep: Rep) -> None:
        """Undo that a rep left; they have no token yet.

        Raises:
            AlreadyExists: the phone number belongs to another rep.
        """
        ...

    def opt_out(self, rep_id: str, opted_out: bool) -> None: ...

    def pause(self, rep_id: str, until: datetime | None) -> None: ...

    def quiet(self, rep_id: str, until: datetime | None) -> None: ...

    def put_device(self, rep_id: str, device: Device) -> None: ...

    def remove_device(self, rep_id: str, device_id: str) -> None: ...

    def count_sms(
        self, rep_id: str, day: date, per_rep: int, per_organisation: int | None, kind: str = ""
    ) -> bool:
        """Count one text of a kind (by default an offer) to a rep; False if a cap is reached.

        Without a rep it counts for the organisation alone, without its cap for the rep alone.
        """
        ...
