"""Which leads are released blind (F4), so that their mix of qualities is the one asked for (F5).

A lead is drawn with a chance that follows from its quality and from how many of each came lately.
The mix comes before the share: where a quality is scarce, fewer leads are blind. Only where that
would cost most of the share is the quality given up on: then all its leads are blind, and the
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

# Until enough have come, all qualities are taken to come alike: so many of each.
_PRIOR = 10
# A scarce quality is given up on when keeping the mix would leave less of the share than this.
_LEAST_OF_SHARE = 0.25
_DRAW_BYTES = 8
_SURE = 0.95


@dataclass(frozen=True)
class Arrived:
    """Leads that came to race, by quality, and those of them that were released blind."""

    seen: Mapping[Quality, int] = field(default_factory=dict)
    blind: Mapping[Quality, int] = field(default_factory=dict)

    def __add__(self, other: Arrived) -> Arrived:
        return Arrived(_sum(self.seen, other.seen), _sum(self.blind, other.blind))


@dataclass(frozen=True)
class Part:
    """One quality's part of the blind leads, in percent, beside the one that is `wanted`.

    The part that the rules aim at lies between `least` and `most` with 95 % confidence; without
    blind leads nothing is known of it.
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
        # The share of all leads up to which there are enough of each.
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


def drawn(salt: bytes, chance: float) -> bool:
    """Tell whether the lead of this salt is blind: always the same, and nothing a rep can see."""
    digest = hashlib.sha256(b"blind\0" + salt).digest()[:_DRAW_BYTES]
    return int.from_bytes(digest, "big") < chance * (1 << 8 * _DRAW_BYTES)


def mix(arrived: Arrived, rule: Blind) -> list[Part]:
    """Return the mix reached (F5), and how sure it is."""
    whole, wanted = sum(arrived.blind.values()), wanted_of(rule)
    parts = []
    for quality in Quality:
        of_it = arrived.blind.get(quality, 0)
        least, most = _between(of_it, whole) if whole else (None, None)
        percent = round(100 * of_it / whole, 1) if whole else None
        seen = arrived.seen.get(quality, 0)
        parts.append(Part(quality, seen, of_it, wanted[quality], percent, least, most))
    return parts


def wanted_of(rule: Blind) -> dict[Quality, int]:
    """Return the mix asked for, in percent."""
    return {Quality.HOT: rule.hot, Quality.WARM: rule.warm, Quality.COLD: rule.cold}


def _between(count: int, whole: int) -> tuple[float, float]:
    """Return Wilson's interval for `count` of `whole`, in percent."""
    z = NormalDist().inv_cdf((1 + _SURE) / 2)
    part, spread = count / whole, z * z / whole
    middle = (part + spread / 2) / (1 + spread)
    reach = z * sqrt(part * (1 - part) / whole + spread / whole / 4) / (1 + spread)
    return round(100 * max(0.0, middle - reach), 1), round(100 * min(1.0, middle + reach), 1)


def _sum(one: Mapping[Quality, int], other: Mapping[Quality, int]) -> dict[Quality, int]:
    return {quality: one.get(quality, 0) + other.get(quality, 0) for quality in Quality}
