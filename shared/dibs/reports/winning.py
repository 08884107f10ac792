"""Each tier has its own winning metrics, from contact rate up to revenue (G10)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from dibs.ledger.activities import SALES
from dibs.ledger.entries import Entry
from dibs.ledger.outcomes import mean_seconds, revenue, standing, taken_between
from dibs.rules.game import TIER_METRICS

WINNING = (
    *("revenue", "deal_size", "conversion", "response_seconds"),
    *("contact_rate", "qualification_accuracy"),
)
"""The names of what may win in a tier."""


def winning_metrics(
    tier: int,
    entries: Iterable[Entry],
    counts: Collection[str],
    currency: str,
    rep_id: str,
    start: datetime,
    end: datetime,
    names: Mapping[str, Sequence[str]] = TIER_METRICS,
) -> dict[str, float | None]:
    """Return the metrics that win in a tier, by name, for one rep over [start, end) (G10).

    Entries after `end` are left out. `revenue` and `deal_size` (mean of the sales with an amount)
    are in the smallest unit of `currency`. `conversion` and `contact_rate` (0 to 1) are of the
    leads taken; a contact is a talk with somebody who can decide (K2). `response_seconds` is the
    mean over the leads that were worked. `qualification_accuracy` (0 to 1) is the share of the
    qualified leads that became an opportunity or were won. None: nothing to divide by.
    """
    own = [entry for entry in entries if entry.rep_id == rep_id and entry.at < end]
    leads = taken_between(own, start, end)
    responses = [lead.response_time(counts) for lead in leads]
    sales = [
        entry
        for entry in standing(own)
        if entry.kind in SALES
        and entry.amount is not None
        and entry.currency == currency
        and start <= entry.at
    ]
    earned = sum(revenue(entry, currency) for entry in sales)
    qualified = [lead for lead in leads if lead.qualified]
    metrics: dict[str, float | None] = {
        "revenue": earned,
        "deal_size": _share(earned, len(sales)),
        "conversion": _share(sum(lead.converted for lead in leads), len(leads)),
        "response_seconds": mean_seconds(
            [response for response in responses if response is not None]
        ),
        "contact_rate": _share(sum(lead.contacted for lead in leads), len(leads)),
        "qualification_accuracy": _share(sum(lead.converted for lead in qualified), len(qualified)),
    }
    return {name: metrics[name] for name in names.get(str(tier), ())}


def _share(part: int, total: int) -> float | None:
    return part / total if total else None
