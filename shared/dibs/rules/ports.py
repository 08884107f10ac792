"""The stored versions of the playbook."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from dibs.core.values import dataclass
from dibs.rules.playbook import Playbook


@dataclass(frozen=True)
class Version:
    """A version of the playbook: when it came into force, by whom, and why. Version 0 is the
    shipped preset."""

    playbook: Playbook
    applied_at: datetime | None = None
    by: str = ""
    note: str = ""

    @property
    def number(self) -> int:
        return self.playbook.version


class Playbooks(Protocol):
    """The playbook in force, and all earlier versions (O4)."""

    def in_force(self) -> Version: ...

    def get(self, number: int) -> Version | None: ...

    def history(self) -> list[Version]:
        """Return the latest hundred versions, the newest first."""
        ...

    def add(self, version: Version) -> bool:
        """Store the next version and put it in force, in one step.

        False, with nothing changed, if the version before it is not the one in force.
        """
        ...
