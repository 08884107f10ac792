"""Facts about leads: an opened one is offered, a closed one withdrawn, a due one expires."""

from __future__ import annotations

from typing import Any

from dibs import wiring
from dibs.adapters import clock
from dibs.adapters.entry import Arrival, messages
from dibs.usecases.offer import plan
from dibs.usecases.ports import Fact
from dibs.usecases.sweep import closing


def follow(body: dict[str, Any], arrival: Arrival) -> None:
    """Follow one fact, or answer one timer."""
    del arrival
    if body["kind"] == "lead.closing":
        closing(body["lead_id"], body["epoch"], wiring.leads(), wiring.timers(), clock.now)
    else:
        plan(
            Fact(body["kind"], body["lead_id"], body["epoch"], body.get("rep_id")),
            wiring.leads(),
            wiring.roster(),
            wiring.notify_queue(),
            wiring.timers(),
            clock.now,
        )


def warm() -> None:
    """Make what the first lead would wait for."""
    for team in wiring.roster().playbook().teams:
        wiring.roster().team(team)
    wiring.leads()
    wiring.notify_queue()
    wiring.timers()


handler = messages(follow, warm)
