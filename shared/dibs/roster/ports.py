"""What the other areas need of the roster: reps, teams and the current playbook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from dibs.core.rep import Device, Rep, Usage
from dibs.rules.playbook import Playbook


class Roster(Protocol):
    """Reps, teams and the current playbook."""

    def playbook(self) -> Playbook: ...

    def add(self, rep: Rep, token_hash: str) -> None:
        """Store a new rep.

        Raises:
            AlreadyExists: the phone number belongs to another rep.
        """
        ...

    def set_token(self, rep_id: str, token_hash: str) -> None: ...

    def set_manager_hash(self, token_hash: str) -> None: ...

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

    def count_sms(self, rep_id: str, day: date, per_rep: int, per_organisation: int) -> bool: ...
