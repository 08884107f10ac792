"""The playbook in force, and every one there was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from dibs.rules.playbook import Playbook

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Version:
    """A playbook as it was put in force: when, by whom, and why. 0 is the preset as shipped."""

    playbook: Playbook
    applied_at: datetime | None = None
    by: str = ""
    note: str = ""

    @property
    def number(self) -> int:
        return self.playbook.version


class Playbooks(Protocol):
    """The playbook in force, and every one there was (O4)."""

    def in_force(self) -> Version: ...

    def get(self, number: int) -> Version | None: ...

    def history(self) -> list[Version]:
        """Return the latest hundred versions, the newest first."""
        ...

    def add(self, version: Version) -> bool:
        """Store the next version and put it in force, in one step.

        False when another one is in force than the one before it; nothing was changed then.
        """
        ...
