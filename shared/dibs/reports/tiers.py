"""Each week the reps of a team are put into three tiers by their results on leads (M2).

Pure: the results of the last weeks go in, each rep's tier and the reasons come out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import fsum
from typing import NamedTuple

from dibs.rules.rules import TierRules

_AVERAGE, _TWICE_AS_GOOD = 50.0, 2.0
_MIDDLE = 2


@dataclass(frozen=True)
class Inputs:
    """What one rep's score is computed from, over the last weeks.

    `tier` (1 to 3) is the current tier, `converted` how many of the `taken` leads converted,
    `attainment` achieved divided by target (1.0 is on target, None without a target),
    `response_seconds` the mean time to first contact (None where no lead was contacted).
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
    """The averages a team's reps are measured against, over the reps inside the count.

    `conversion` is the mean of the `reps`' own rates, so nobody moves it by taking more leads or
    fewer; `response_seconds` is the mean over the reps who contacted a lead, None where no rep did.
    """

    reps: int
    conversion: Fraction
    response_seconds: float | None


@dataclass(frozen=True)
class Marks:
    """A rep's score, 0 to 100 with four decimals, and its parts.

    `conversion` is the rate, shrunk where that makes it smaller. The three indices run from 0 to
    100: 50 is the team's average (for attainment: on target), 100 is twice as good or better.
    """

    score: float
    conversion: float
    conversion_index: float
    attainment_index: float
    speed_index: float


@dataclass(frozen=True)
class Placing:
    """One rep's new tier; `was` is the tier before.

    A rep outside the count has no `marks`; `reason` says why: "newcomer" or "small_sample".
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
    """What a rep may read of their own placing; it does not identify other reps (M2).

    `to_rise` is the score to pass for the next tier: the lowest score there plus the margin;
    `points_missing` is the distance to it. `conversions_needed` is the fewest further conversions,
    of the leads taken, that pass it; None where all of them do not. `to_fall` is the score a rep of
    the tier below must pass to push out the lowest of this tier. None: there is no such tier, or
    the rep is outside the count.
    """

    inputs: Inputs
    placing: Placing
    to_rise: float | None = None
    points_missing: float | None = None
    conversions_needed: int | None = None
    to_fall: float | None = None


class _Rank(NamedTuple):
    """The sort key of a rep; the better rep sorts first."""

    minus_score: float
    was: int
    minus_taken: int
    rep_id: str


def sizes(count: int, rules: TierRules) -> tuple[int, int, int]:
    """Return the sizes of the top, middle and bottom tier for `count` reps.

    By largest remainder (Hare). Among equal remainders the middle comes first, then the top, then
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
    """Return why a rep is outside the count: "newcomer" or "small_sample"; "" for inside.

    A rep without leads is always outside, whatever the minimum.
    """
    if rep.newcomer:
        return "newcomer"
    return "small_sample" if rep.taken < max(rules.minimum_sample, 1) else ""


def team_of(inputs: Sequence[Inputs], rules: TierRules) -> Team:
    """Return the averages over the reps inside the count."""
    counted = [rep for rep in inputs if not outside(rep, rules)]
    times = [rep.response_seconds for rep in counted if rep.response_seconds is not None]
    rates = sum((Fraction(rep.converted, rep.taken) for rep in counted), Fraction(0))
    return Team(
        len(counted),
        rates / max(len(counted), 1),
        # Summed exactly, so the order of the reps does not matter.
        fsum(times) / len(times) if times else None,
    )


def score(rep: Inputs, team: Team, rules: TierRules) -> Marks:
    """Return the marks of a rep inside the count of `team` (M2).

    The index is average (50) for conversion where no rep converted, for attainment without a
    target, and for speed where no rep contacted a lead. Where others did, a rep without a contact
    has speed 0.

    A rate over few leads is shrunk toward the team's mean only where it lies above: a poor one is
    not pulled up. So the same results on fewer leads never give more, and who stops without knowing
    which leads would have converted gains nothing.
    """
    # Fractions: equal rates stay equal.
    own = Fraction(rep.converted, rep.taken)
    shrunk = (rep.converted + rules.prior_sample * team.conversion) / (
        rep.taken + rules.prior_sample
    )
    rate = min(own, shrunk)
    conversion = _index(rate, team.conversion)
    attainment = _AVERAGE if rep.attainment is None else _index(rep.attainment, 1)
    if team.response_seconds is None:
        speed = _AVERAGE
    elif rep.response_seconds is None:
        speed = 0.0
    else:
        # Inverted: less is better.
        speed = _index(team.response_seconds, rep.response_seconds)
    weighted = (
        rules.conversion_weight * conversion
        + rules.attainment_weight * attainment
        + rules.speed_weight * speed
    )
    return Marks(round(weighted / 100, 4), float(rate), conversion, attainment, speed)


def _index(value: float | Fraction, average: float | Fraction) -> float:
    """Return 50 for the average, 100 for twice as much or more, 0 at the least."""
    if not average:
        return _AVERAGE * _TWICE_AS_GOOD if value else _AVERAGE
    return _AVERAGE * min(_TWICE_AS_GOOD, max(0.0, float(value / average)))


def to_pass(held: float, rules: TierRules) -> float:
    """Return the score a challenger must pass to push out a rep with the score `held`."""
    # Rounded like a score: 63.54 + 3 is 66.54, not one bit less.
    return round(held + rules.margin, 4)


def place(inputs: Sequence[Inputs], rules: TierRules) -> list[Placing]:
    """Place every rep of a team, in the order of their ids (M2).

    Outside the count are newcomers, who are in tier 2, and reps with too small a sample, who keep
    their tier: to take fewer leads is no way up. Once inside, they are incumbents of that tier.
    Where no rep is inside, every rep keeps their tier. The others fill
    `sizes`: incumbents stay, except that the lowest of a tier that is too full fall and the best
    below rise into free places. Then the best of a tier swaps with the lowest of the tier above
    while they pass it by the margin (0 or more). Better is the higher score, then the incumbent of
    the higher tier, then more leads taken, then the lower rep_id.
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
    # Every trade raises the scores of the tier above by more than the margin, so this ends.
    while any(_trade(upper, lower, rules) for upper, lower in pairwise(filled)):
        pass
    tier_of = {rank.rep_id: number for number, tier in tiers.items() for rank in tier}
    return [
        Placing(
            rep.rep_id,
            tier_of.get(rep.rep_id, _MIDDLE if tier_of and rep.newcomer else rep.tier),
            rep.tier,
            marks.get(rep.rep_id),
            outside(rep, rules),
        )
        for rep in sorted(inputs, key=lambda rep: rep.rep_id)
    ]


def _trade(upper: list[_Rank], lower: list[_Rank], rules: TierRules) -> bool:
    """Swap the best of `lower` with the worst of `upper` while the margin is passed.

    A swapped pair never swaps back, so one pass is enough. Returns whether there was a swap.
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
    """Return the lowest score in each tier that has a rep inside the count."""
    lowest: dict[int, float] = {}
    for placing in placings:
        if placing.score is not None:
            lowest[placing.tier] = min(placing.score, lowest.get(placing.tier, placing.score))
    return lowest


def explain(
    rep: Inputs, placing: Placing, team: Team, lowest: Mapping[int, float], rules: TierRules
) -> Outlook:
    """Return what a rep may read of their placing.

    `team` is `team_of` and `lowest` the `edges` of the same run, computed once for all reps.
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
        # More conversions raise the team's mean too; that only lowers the scores of the others.
        return score(
            replace(rep, converted=rep.converted + conversions),
            replace(
                team, conversion=team.conversion + Fraction(conversions, rep.taken * team.reps)
            ),
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
