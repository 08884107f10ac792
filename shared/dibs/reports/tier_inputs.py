"""What reps are placed in tiers by: what they made of the leads they took (M2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dibs.ledger.entries import Entry
from dibs.ledger.outcomes import mean_seconds, taken_between

# Who never calls is no slower than who calls a day late: beyond it nothing gets worse.
LONGEST_RESPONSE = timedelta(hours=24)


@dataclass(frozen=True)
class Results:
    """What one rep made of the leads they took: three of `tiers.Inputs`, by the same names."""

    taken: int
    converted: int
    response_seconds: float | None


def tier_inputs(
    entries: Iterable[Entry],
    counts: Collection[str],
    rep_id: str,
    start: datetime,
    end: datetime,
) -> Results:
    """Return what the rep made, by `end`, of the leads they took in [start, end) (M2).

    A lead converts with its first opportunity or won. The mean response is over all leads taken:
    one not yet contacted counts with the time to `end`, and none with more than 24 hours. None
    where nobody was contacted.
    """
    known = [entry for entry in entries if entry.rep_id == rep_id and entry.at < end]
    leads = taken_between(known, start, end)
    responses = [lead.response_time(counts) for lead in leads]
    waits = [
        min(LONGEST_RESPONSE, end - lead.taken.at if response is None else response)
        for lead, response in zip(leads, responses, strict=True)
    ]
    answered = any(response is not None for response in responses)
    return Results(
        taken=len(leads),
        converted=sum(lead.converted for lead in leads),
        response_seconds=mean_seconds(waits) if answered else None,
    )
