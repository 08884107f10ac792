"""Events of leads: an opened one is offered, a closed one withdrawn, a waiting one assigned."""

from __future__ import annotations

from typing import Any

from dibs.core.events import LeadEvent
from dibs.dispatch.follow import follow
from dibs.web.entry import Arrival, messages
from dibs.wiring import wiring


def act(body: dict[str, Any], arrival: Arrival) -> None:
    """Follow one event, or answer one timer."""
    del arrival
    follow(LeadEvent.read(body), wiring().follow_deps)


def warm() -> None:
    """Make what the first lead would wait for."""
    deps = wiring().follow_deps
    for team in deps.roster.playbook().teams:
        deps.roster.team(team)


handler = messages(act, warm)
