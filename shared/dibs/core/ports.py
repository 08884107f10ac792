"""Ports that every area may use: the bus for events, timers, and work that runs once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from dibs.core.events import LeadEvent
from dibs.core.lead import Lead

Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""Calls a function with each of many things and returns the results in their order, as `map` does;
side by side where it can."""


class Timers(Protocol):
    """Delayed messages about a lead. No right to claim depends on when one arrives."""

    def wake_at(
        self, lead: Lead, moment: datetime, now: datetime, kind: str = "lead.due"
    ) -> None: ...

    def check(self, kind: str, lead: Lead | None = None, rep_id: str | None = None) -> None: ...


class Bus(Protocol):
    """Carries events to their consumers."""

    def publish(self, events: Sequence[LeadEvent]) -> None: ...


class Once(Protocol):
    """Lets work run at most once per name, also when two callers ask at the same time."""

    def claim_name(self, name: str, now: datetime) -> bool: ...
