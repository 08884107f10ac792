"""What wins in each tier (G10): who already closes is measured by what they close, who is learning
by what leads there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from dibs.ledger.entries import CONVERTED, SALES, Entry, achieved, speed, tier_inputs

WINNING: dict[int, tuple[str, str]] = {
    1: ("revenue", "deal_size"),
    2: ("conversion", "response_seconds"),
    3: ("contact_rate", "qualification_accuracy"),
}


def winning_metrics(
    tier: int,
    entries: Iterable[Entry],
    counts: Collection[str],
    currency: str,
    rep_id: str,
    start: datetime,
    end: datetime,
) -> dict[str, float | None]:
    """Return the two metrics that win in a tier, by name, for one rep over [start, end).

    `revenue` and `deal_size` (mean of the sales with an amount) are in the smallest unit of
    `currency`. `conversion` and `contact_rate` (0 to 1) are of the leads taken;
    `response_seconds` is the mean of the leads contacted. `qualification_accuracy` (0 to 1) is how
    many of the leads called qualified became an opportunity or were won. None: nothing to divide.
    """
    mine = [entry for entry in entries if entry.rep_id == rep_id]
    made = tier_inputs(mine, counts, rep_id, start, end)
    contact = speed(mine, counts, start, end).reps.get(rep_id)
    sales = {
        entry.entry_id
        for entry in mine
        if entry.kind in SALES
        and entry.amount is not None
        and entry.currency == currency
        and start <= entry.at < end
        and not entry.test
    }
    revenue = achieved(mine, "revenue", currency, start, end)
    qualified = {
        (entry.lead_id, entry.epoch)
        for entry in mine
        if entry.kind == "qualified" and start <= entry.at < end and not entry.test
    }
    held = {(entry.lead_id, entry.epoch) for entry in mine if entry.kind in CONVERTED}
    found: dict[str, float | None] = {
        "revenue": revenue,
        "deal_size": _share(revenue, len(sales)),
        "conversion": _share(made.converted, made.taken),
        "response_seconds": None if contact is None else contact.mean_seconds,
        "contact_rate": None if contact is None else _share(contact.contacted, contact.taken),
        "qualification_accuracy": _share(len(qualified & held), len(qualified)),
    }
    return {name: found[name] for name in WINNING[tier]}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
