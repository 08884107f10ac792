"""Events about leads become entries of the ledger."""

from __future__ import annotations

from typing import Any

from dibs.core.events import LeadEvent
from dibs.ledger.project import project
from dibs.web.entry import Arrival, messages
from dibs.wiring import wiring


def act(body: dict[str, Any], arrival: Arrival) -> None:
    """Write down one event."""
    del arrival
    project(LeadEvent.read(body), wiring().ledger, wiring().roster)


handler = messages(act, lambda: (wiring().ledger, wiring().roster.playbook()))
