"""Tiers: every week the best of a team race first, by what they made of the leads they took (M2).

Pure: the numbers of the weeks looked back on go in, a tier for everybody and the reasons come out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import fsum
from typing import NamedTuple

from dibs.rules.rules import TierRules

_AVERAGE, _TWICE_AS_GOOD = 50.0, 2.0
_MIDDLE = 2


@dataclass(frozen=True)
class Inputs:
    """What one rep's score is made of, over the weeks looked back on.

    `tier` (1 to 3) is the one held so far, `converted` how many of the `taken` leads converted,
    `attainment` achieved by target (1.0 is on target, None without one), `response_seconds` the
    mean time to first contact (None where nobody was contacted).
    """

    rep_id: str
    tier: int
    taken: int
    converted: int
    attainment: float | None
    response_seconds: float | None
    newcomer: bool


@dataclass(frozen=True)
class Team:
    """What the reps of a team are measured against: those inside the count taken together.

    The team's mean conversion is `converted` by `taken`, so every lead weighs the same;
    `response_seconds` is the mean over the reps who contacted anybody, None where nobody did.
    """

    taken: int
    converted: int
    response_seconds: float | None


@dataclass(frozen=True)
class Marks:
    """A rep's score, 0 to 100 in four decimals, and what it is made of.

    `conversion` is the shrunk rate; the three indices run from 0 to 100, where 50 is the team's
    average (for attainment: on target) and 100 twice as good or better.
    """

    score: float
    conversion: float
    conversion_index: float
    attainment_index: float
    speed_index: float


@dataclass(frozen=True)
class Placing:
    """One rep's result: `tier` from now on, `was` before.

    Outside the count there are no `marks`, and `reason` says why: "newcomer" or "small_sample".
    """

    rep_id: str
    tier: int
    was: int
    marks: Marks | None
    reason: str = ""

    @property
    def counted(self) -> bool:
        return self.marks is not None

    @property
    def score(self) -> float | None:
        return None if self.marks is None else self.marks.score


@dataclass(frozen=True)
class Outlook:
    """What a rep may read of their own placing; nobody else can be made out in it (M2).

    `to_rise` is the score to pass for the next tier: the lowest held there plus the margin, and
    `points_missing` how far it is. `conversions_needed` is the fewest further conversions, of the
    leads taken, that pass it; None where they alone do not. `to_fall` is the score somebody of the
    tier below must pass to push out the lowest of this one. None: there is no such tier, or the
    rep is outside the count.
    """

    inputs: Inputs
    placing: Placing
    to_rise: float | None = None
    points_missing: float | None = None
    conversions_needed: int | None = None
    to_fall: float | None = None


class _Rank(NamedTuple):
    """A rep's place in the order; sorted, the better stands first."""

    minus_score: float
    was: int
    minus_taken: int
    rep_id: str


def sizes(count: int, rules: TierRules) -> tuple[int, int, int]:
    """Return how many of `count` reps the top, middle and bottom tier hold.

    By largest remainder (Hare); among equal remainders the middle comes first, then the top, then
    the bottom.
    """
    percents = (
        rules.top_percent,
        100 - rules.top_percent - rules.bottom_percent,
        rules.bottom_percent,
    )
    held = [percent * count // 100 for percent in percents]
    largest = sorted((1, 0, 2), key=lambda tier: -(percents[tier] * count % 100))
    for tier in largest[: count - sum(held)]:
        held[tier] += 1
    top, middle, bottom = held
    return top, middle, bottom


def outside(rep: Inputs, rules: TierRules) -> str:
    """Return why a rep stays outside the count: "newcomer", "small_sample", or "" for inside.

    Nobody is scored on no leads at all, whatever the minimum.
    """
    if rep.newcomer:
        return "newcomer"
    return "small_sample" if rep.taken < max(rules.minimum_sample, 1) else ""


def team_of(inputs: Sequence[Inputs], rules: TierRules) -> Team:
    """Return what the reps inside the count are measured against."""
    counted = [rep for rep in inputs if not outside(rep, rules)]
    times = [rep.response_seconds for rep in counted if rep.response_seconds is not None]
    return Team(
        sum(rep.taken for rep in counted),
        sum(rep.converted for rep in counted),
        # Summed exactly: the same in whatever order the reps come.
        fsum(times) / len(times) if times else None,
    )


def score(rep: Inputs, team: Team, rules: TierRules) -> Marks:
    """Return the marks of a rep inside the count, which `team` is made of (M2).

    Average, an index of 50, is everybody's conversion where nobody converted, attainment without
    a target, and everybody's speed where nobody was contacted. Who alone contacted nobody has
    speed 0.
    """
    # The shrunk rate is shrunk / (sample * team.taken), all whole numbers, so that a tie is a tie.
    sample = rep.taken + rules.prior_sample
    shrunk = rep.converted * team.taken + rules.prior_sample * team.converted
    conversion = _index(shrunk, sample * team.converted)
    attainment = _AVERAGE if rep.attainment is None else _index(rep.attainment, 1)
    if team.response_seconds is None:
        speed = _AVERAGE
    elif rep.response_seconds is None:
        speed = 0.0
    else:
        # The other way round: less is better.
        speed = _index(team.response_seconds, rep.response_seconds)
    weighted = (
        rules.conversion_weight * conversion
        + rules.attainment_weight * attainment
        + rules.speed_weight * speed
    )
    return Marks(
        round(weighted / 100, 4), shrunk / (sample * team.taken), conversion, attainment, speed
    )


def _index(value: float, average: float) -> float:
    """Return 50 for the average, 100 for twice as much or more, 0 at the least."""
    if not average:
        return _AVERAGE * _TWICE_AS_GOOD if value else _AVERAGE
    return _AVERAGE * min(_TWICE_AS_GOOD, max(0.0, value / average))


def to_pass(held: float, rules: TierRules) -> float:
    """Return the score a challenger must pass to push out somebody who holds `held`."""
    # Rounded like a score: 63.54 and 3 are 66.54, not one bit less.
    return round(held + rules.margin, 4)


def place(inputs: Sequence[Inputs], rules: TierRules) -> list[Placing]:
    """Place every rep of a team, in the order of their ids (M2).

    Newcomers and reps with too small a sample sit in tier 2, outside the count; coming from there
    they are incumbents of tier 2; where nobody is in the count, everybody stays. The others fill
    `sizes`. Incumbents stay, except that the lowest
    of too many fall and the best below rise into what is free. Then the best of a tier changes
    places with the lowest of the tier above while the margin (0 or more) is passed. Better is the
    higher score, then the incumbent of the higher tier, then more leads taken, then the lower
    rep_id.
    """
    team = team_of(inputs, rules)
    marks = {rep.rep_id: score(rep, team, rules) for rep in inputs if not outside(rep, rules)}
    ranks = [
        _Rank(-marks[rep.rep_id].score, rep.tier, -rep.taken, rep.rep_id)
        for rep in inputs
        if rep.rep_id in marks
    ]
    ranks.sort(key=lambda rank: (rank.was, rank))
    top, middle, _ = sizes(len(ranks), rules)
    tiers = {1: ranks[:top], 2: ranks[top : top + middle], 3: ranks[top + middle :]}
    filled = [tier for tier in tiers.values() if tier]
    # Every trade lifts the tier above by more than the margin, so this comes to an end.
    while any(_trade(upper, lower, rules) for upper, lower in pairwise(filled)):
        pass
    tier_of = {rank.rep_id: number for number, tier in tiers.items() for rank in tier}
    return [
        Placing(
            rep.rep_id,
            tier_of.get(rep.rep_id, _MIDDLE if tier_of else rep.tier),
            rep.tier,
            marks.get(rep.rep_id),
            outside(rep, rules),
        )
        for rep in sorted(inputs, key=lambda rep: rep.rep_id)
    ]


def _trade(upper: list[_Rank], lower: list[_Rank], rules: TierRules) -> bool:
    """Swap the best of `lower` with the worst of `upper` while the margin is passed.

    Who has just changed places never changes back, so one walk over both is enough. Tells whether
    anybody changed places.
    """
    upper.sort(reverse=True)
    lower.sort()
    swaps = 0
    for incumbent, challenger in zip(upper, lower, strict=False):
        if -challenger.minus_score <= to_pass(-incumbent.minus_score, rules):
            break
        swaps += 1
    upper[:swaps], lower[:swaps] = lower[:swaps], upper[:swaps]
    return swaps > 0


def edges(placings: Sequence[Placing]) -> dict[int, float]:
    """Return the lowest score held in each tier that holds anybody of the count."""
    lowest: dict[int, float] = {}
    for placing in placings:
        if placing.score is not None:
            lowest[placing.tier] = min(placing.score, lowest.get(placing.tier, placing.score))
    return lowest


def explain(
    rep: Inputs, placing: Placing, team: Team, lowest: Mapping[int, float], rules: TierRules
) -> Outlook:
    """Return what a rep may read of their placing.

    `team` is `team_of` and `lowest` the `edges` of the same placing, made once for all reps.
    """
    if placing.score is None:
        return Outlook(rep, placing)
    above = [tier for tier in lowest if tier < placing.tier]
    below = [tier for tier in lowest if tier > placing.tier]
    to_fall = to_pass(lowest[placing.tier], rules) if below else None
    if not above:
        return Outlook(rep, placing, to_fall=to_fall)
    to_rise = to_pass(lowest[max(above)], rules)

    def with_more(conversions: int) -> float:
        # The team's mean moves with them; the others, measured against it, only lose by that.
        return score(
            replace(rep, converted=rep.converted + conversions),
            replace(team, converted=team.converted + conversions),
            rules,
        ).score

    possible = range(rep.taken - rep.converted + 1)
    needed = bisect_right(possible, to_rise, key=with_more)
    return Outlook(
        rep,
        placing,
        to_rise,
        round(to_rise - placing.score, 4),
        needed if needed < len(possible) else None,
        to_fall,
    )
