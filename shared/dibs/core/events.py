"""The event that tells the rest of the product what happened to a lead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self

from dibs.core.values import dataclass

# An event is late after this time. Before, it may still be on its way.
LATE_AFTER = timedelta(seconds=45)

# These become entries of the ledger.
RECORDED = ("lead.claimed", "lead.assigned", "lead.returned")


@dataclass(frozen=True)
class LeadEvent:
    """An event: something happened to a lead. The bus carries it to the rest of the product."""

    kind: str
    lead_id: str
    epoch: int
    rep_id: str | None = None

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """Return the event a message carries; a timer's may be about no lead in particular."""
        return cls(body["kind"], body.get("lead_id", ""), body.get("epoch", 0), body.get("rep_id"))
