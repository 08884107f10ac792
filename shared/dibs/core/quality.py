"""How good a lead is, and which pool it races in."""

from __future__ import annotations

from enum import StrEnum


class Quality(StrEnum):
    """How good a lead is, from its score and the playbook's thresholds."""

    HOT = "hot"
    WARM = "warm"
    COLD = "cold"


class Pool(StrEnum):
    """Where a lead races: hot leads in `premium`, the others in `standard`."""

    PREMIUM = "premium"
    STANDARD = "standard"


def pool_for(quality: Quality) -> Pool:
    """Return the pool a lead of this quality races in."""
    return Pool.PREMIUM if quality is Quality.HOT else Pool.STANDARD
