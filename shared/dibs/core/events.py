"""The event that tells the rest of the product what happened to a lead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

# Events younger than this are not late: they are still being forwarded.
PATIENCE = timedelta(seconds=45)


@dataclass(frozen=True)
class LeadEvent:
    """An event: something happened to a lead. The bus carries it to the rest of the product."""

    kind: str
    lead_id: str
    epoch: int
    rep_id: str | None = None
