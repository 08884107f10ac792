"""The names that formulas may use: what is counted and summed for every rep, day by day (K2).

`count(x)` is the key `x` of a rep's counts, `sum(x)` the key `x.sum`, and `mean(x)` is `x.sum`
divided by `x.n`. Counts are whole numbers; durations are stored in smaller units than they are
read in (`SCALES`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from dibs.ledger.activities import TYPES
from dibs.rules.playbook import Playbook

KINDS: Mapping[str, str] = {
    "claimed": "leads claimed and not undone",
    "assigned": "leads assigned to the rep",
    "returned": "leads that went back from the rep",
    "helped": "help to colleagues, paid or not",
    "step_verified": "steps of quests that were confirmed",
    "prize": "prizes won",
}
"""Entry kinds that are not activities, each counted on its own day."""

BY_DAY: Mapping[str, str] = {
    "sales": "won, upsell and cross_sell together",
    "customers": "claimed leads that were won",
    "opportunities": "claimed leads that became an opportunity",
    "contacted_in_2_min": "leads contacted so soon after the first notice: two minutes, or "
    "`game.speed.badge_seconds`",
    "claimed_and_contacted": "leads claimed and contacted in the same week",
    "buyers": "customers who bought, each counted once; a sale without a lead is one of its own",
    "held_sales": "sales whose amount waits for a rate of its currency",
    "promoters": "answers of 9 or 10 to nps",
    "detractors": "answers of 0 to 6 to nps",
    "helps": "help that earned points",
    "colleagues_helped": "colleagues helped, each counted once",
}
"""Counts that follow from several entries, on the day they happened."""

BY_LEAD: Mapping[str, str] = {
    "taken": "leads claimed or assigned",
    "contacted_leads": "of these, those that were contacted",
    "qualified_leads": "those that were qualified",
    "qualified_right": "those qualified that became an opportunity or were won, by anybody",
    "opportunity_leads": "those that became an opportunity",
    "customer_leads": "those that were won",
    "claimed_opportunities": "those claimed that became an opportunity or were won",
    "claimed_customers": "those claimed that were won",
    "transfer_leads": "those that were transferred",
    "transfer_converted": "those transferred that were won",
}
"""Outcomes of leads, counted on the day the lead was taken, whenever they happened."""

TIMED: Mapping[str, str] = {
    "claim_seconds": "from the moment the rep could claim a lead to their claim",
    "response_seconds": "from taking a lead to its first contact, on the day it was taken",
}
"""Durations; each has a sum and a mean."""

ADDED: Mapping[str, str] = {
    "revenue": "the amounts of sales in the playbook's currency",
    "claimed_revenue": "of these, those of claimed leads, and of all leads where nobody races",
    "units": "how many were sold, 1 where nothing is said",
    "points": "the points earned, prizes among them",
    "prize": "the points of prizes",
    "target": "the rep's target for the period, in the playbook's measure",
}
"""Names that have only a sum."""

COUNTED = frozenset({*KINDS, *TYPES, *BY_DAY, *BY_LEAD})
AVERAGED = frozenset({*TYPES, *TIMED})
SUMMED = AVERAGED | frozenset(ADDED)

SCALES: Mapping[str, int] = {"claim_seconds": 1000, "response_seconds": 1000, "hours_worked": 60}
"""How many stored units make one unit in formulas: ms in a second, minutes in an hour."""

QUEST = "quest_"
"""The prefix of a quest's id in the count of reps who finished it."""


@dataclass(frozen=True)
class Names:
    """The names that `count`, `sum` and `mean` take."""

    counted: frozenset[str] = COUNTED
    summed: frozenset[str] = SUMMED
    averaged: frozenset[str] = AVERAGED


def known_names(playbook: Playbook) -> Names:
    """Return the names a playbook's formulas may use, with its own activities and quests."""
    return _known(playbook.game.activities, tuple(playbook.game.quests))


@lru_cache(maxsize=8)
def _known(activities: tuple[str, ...], quests: tuple[str, ...]) -> Names:
    return Names(
        COUNTED.union(activities, (f"{QUEST}{quest}" for quest in quests)),
        SUMMED.union(activities),
        AVERAGED.union(activities),
    )
