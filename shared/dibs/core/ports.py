"""Where events go, what wakes us later, and what happens once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from dibs.core.events import Fact
from dibs.core.lead import Lead

if TYPE_CHECKING:
    pass
if TYPE_CHECKING:
    pass


class Timers(Protocol):
    """Delayed messages about a lead; a late or lost one delays a message, never a right."""

    def wake_at(
        self, lead: Lead, moment: datetime, now: datetime, kind: str = "lead.due"
    ) -> None: ...

    def check(self, kind: str, lead: Lead | None = None) -> None: ...


class Bus(Protocol):
    """Where facts go."""

    def publish(self, facts: Sequence[Fact]) -> None: ...


class Once(Protocol):
    """At most one run per name, also when it is asked for twice at the same time."""

    def claim_name(self, name: str, now: datetime) -> bool: ...
