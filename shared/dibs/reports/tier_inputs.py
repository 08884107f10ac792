"""Reps are put into tiers by their results on the leads they took (M2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dibs.ledger.entries import Entry
from dibs.ledger.outcomes import mean_seconds, taken_between
from dibs.rules.rules import TierRules


@dataclass(frozen=True)
class TierResults:
    """One rep's results on the leads they took; the fields are those of `tiers.Inputs`."""

    taken: int
    converted: int
    response_seconds: float | None


def tier_inputs(
    entries: Iterable[Entry],
    counts: Collection[str],
    rep_id: str,
    start: datetime,
    end: datetime,
    longest: timedelta = timedelta(hours=TierRules.longest_response_hours),
) -> TierResults:
    """Return the rep's results, by `end`, on the leads they took in [start, end) (M2).

    A lead converts with its first opportunity or won. The mean response is over all leads taken,
    each with at most `longest`, so never calling is no worse than calling late: a lead without a
    contact counts with the time to `end`. None where no lead was contacted.
    """
    own = [entry for entry in entries if entry.rep_id == rep_id and entry.at < end]
    leads = taken_between(own, start, end)
    responses = [lead.response_time(counts) for lead in leads]
    waits = [
        min(longest, end - lead.taken.at if response is None else response)
        for lead, response in zip(leads, responses, strict=True)
    ]
    answered = any(response is not None for response in responses)
    return TierResults(
        taken=len(leads),
        converted=sum(lead.converted for lead in leads),
        response_seconds=mean_seconds(waits) if answered else None,
    )
