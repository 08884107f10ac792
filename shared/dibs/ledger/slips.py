"""Managers are notified at once of a deal that slips (K1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from dibs.ledger.entries import Entry
from dibs.roster.ports import Roster

SLIPPED = "slipped"


class Managers(Protocol):
    """Sends urgent messages to managers."""

    def tell(self, subject: str, text: str) -> None: ...


def tell_slips(entries: Iterable[Entry], roster: Roster, managers: Managers, url: str) -> int:
    """Notify managers of every slipped deal except test leads; return how many.

    Repeated entries, which are rare, notify again: better twice than never.
    """
    slipped = [entry for entry in entries if entry.kind == SLIPPED and not entry.test]
    for entry in slipped:
        rep = roster.get(entry.rep_id)
        team = roster.playbook().teams.get(entry.team)
        managers.tell(
            "A deal slipped",
            f"{rep.name if rep else entry.rep_id} ({team.name if team else entry.team}) tells that "
            f"the deal of lead {entry.lead_id or 'unknown'} slipped, at {entry.at:%Y-%m-%d %H:%M} "
            f"UTC. Its history: {url}/leads/{entry.lead_id}/why",
        )
    return len(slipped)
