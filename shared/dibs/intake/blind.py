"""Choose the leads released blind (F4) so that their qualities reach the wanted mix (F5).

The chance of being blind follows from a lead's quality and from how many of each came lately.
The mix comes before the share: where a quality is scarce, fewer leads are blind. If that would
cost most of the share, the scarce quality no longer limits it: all its leads are blind, and the
others keep their proportion.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from statistics import NormalDist

from dibs.core.quality import Quality
from dibs.rules.rules import Blind

# Add this many leads of each quality, so that early counts do not decide too much.
_PRIOR = 10
# A scarce quality stops limiting the share when less than this part of it would be left.
_LEAST_OF_SHARE = 0.25
_DRAW_BYTES = 8
_SURE = 0.95


@dataclass(frozen=True)
class ArrivalCounts:
    """Numbers of raced leads by quality: `seen` counts all of them, `blind` the blind ones."""

    seen: Mapping[Quality, int] = field(default_factory=dict)
    blind: Mapping[Quality, int] = field(default_factory=dict)

    def __add__(self, other: ArrivalCounts) -> ArrivalCounts:
        return ArrivalCounts(_sum(self.seen, other.seen), _sum(self.blind, other.blind))


@dataclass(frozen=True)
class Part:
    """One quality's part of the blind leads: reached (`percent`) and `wanted`, in percent.

    `least` and `most` are the 95 % confidence interval. All three are None without blind leads.
    """

    quality: Quality
    seen: int
    blind: int
    wanted: int
    percent: float | None
    least: float | None
    most: float | None


def chances(seen: Mapping[Quality, int], rule: Blind) -> dict[Quality, float]:
    """Return the probability with which a lead of each quality is blind (F5)."""
    total = sum(seen.values()) + _PRIOR * len(Quality)
    comes = {quality: (seen.get(quality, 0) + _PRIOR) / total for quality in Quality}
    wanted = wanted_of(rule)
    share = rule.share_percent / 100
    kept = [quality for quality in Quality if wanted[quality]]
    if not kept or not share:
        return dict.fromkeys(Quality, 0.0)
    while True:
        whole = sum(wanted[quality] for quality in kept)
        # The largest share of all leads for which each quality has enough leads.
        enough = {quality: comes[quality] * whole / wanted[quality] for quality in kept}
        scarcest = min(kept, key=enough.__getitem__)
        if enough[scarcest] >= share * _LEAST_OF_SHARE or len(kept) == 1:
            break
        kept.remove(scarcest)
    share = min(share, enough[scarcest])
    return {
        quality: min(1.0, share / enough[quality])
        if quality in kept
        else float(bool(wanted[quality]))
        for quality in Quality
    }


def is_blind(salt: bytes, chance: float) -> bool:
    """Return whether the lead of this salt is blind: always the same, and hidden from reps."""
    digest = hashlib.sha256(b"blind\0" + salt).digest()[:_DRAW_BYTES]
    return int.from_bytes(digest, "big") < chance * (1 << 8 * _DRAW_BYTES)


def mix(arrived: ArrivalCounts, rule: Blind) -> list[Part]:
    """Return the mix reached with its confidence interval (F5)."""
    total, wanted = sum(arrived.blind.values()), wanted_of(rule)
    parts = []
    for quality in Quality:
        count = arrived.blind.get(quality, 0)
        least, most = _between(count, total) if total else (None, None)
        percent = round(100 * count / total, 1) if total else None
        seen = arrived.seen.get(quality, 0)
        parts.append(Part(quality, seen, count, wanted[quality], percent, least, most))
    return parts


def wanted_of(rule: Blind) -> dict[Quality, int]:
    """Return the wanted mix, in percent."""
    return {Quality.HOT: rule.hot, Quality.WARM: rule.warm, Quality.COLD: rule.cold}


def _between(count: int, total: int) -> tuple[float, float]:
    """Return Wilson's interval for `count` of `total`, in percent."""
    z = NormalDist().inv_cdf((1 + _SURE) / 2)
    part, spread = count / total, z * z / total
    middle = (part + spread / 2) / (1 + spread)
    reach = z * sqrt(part * (1 - part) / total + spread / total / 4) / (1 + spread)
    return round(100 * max(0.0, middle - reach), 1), round(100 * min(1.0, middle + reach), 1)


def _sum(one: Mapping[Quality, int], other: Mapping[Quality, int]) -> dict[Quality, int]:
    return {quality: one.get(quality, 0) + other.get(quality, 0) for quality in Quality}
