"""What happens to a lead, as the rest of the product hears of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

# Younger ones are still on their ordinary way.
PATIENCE = timedelta(seconds=45)


@dataclass(frozen=True)
class Fact:
    """Something that happened to a lead, told to the rest of the product over the bus."""

    kind: str
    lead_id: str
    epoch: int
    rep_id: str | None = None
