"""The rows of the assignment report: what became of leads, by team, territory, source and model
(R10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from dibs.core.lead import RELEASED
from dibs.ledger.entries import RETURNED, Entry
from dibs.ledger.outcomes import TakenLead, mean_seconds, standing, taken_between

Dimension = Literal["team", "territory", "source", "model"]
DIMENSIONS: tuple[Dimension, ...] = ("team", "territory", "source", "model")


@dataclass(frozen=True)
class Row:
    """What became of the leads of one team, territory, source or model (R10).

    `by` says which of the four `name` is; an empty name is the leads without one. Means are None
    where there are no values, `conversion` (0 to 1) where no lead was taken. Loads are leads per
    rep, over the reps with at least one. Of the `returned` leads, `released` were released by their
    holders (C5).
    """

    by: Dimension
    name: str
    claimed: int
    assigned: int
    returned: int
    converted: int
    conversion: float | None
    mean_take_seconds: float | None
    mean_contact_seconds: float | None
    least_load: int
    median_load: float
    most_load: int
    released: int = 0

    @property
    def taken(self) -> int:
        return self.claimed + self.assigned


def assignment_report(
    entries: Iterable[Entry], counts: Collection[str], start: datetime, end: datetime
) -> list[Row]:
    """Return what became of the leads taken in [start, end), and how many were returned (R10).

    One row for each team, then for each territory, source and model, by name. Contacts and
    conversions count also after `end`.
    """
    valid = standing(entries)
    leads = taken_between(valid, start, end)
    returned = [entry for entry in valid if entry.kind == RETURNED and start <= entry.at < end]
    rows = []
    for by in DIMENSIONS:
        names = {getattr(entry, by) for entry in (*(lead.taken for lead in leads), *returned)}
        for name in sorted(names):
            rows.append(
                _row(
                    by,
                    name,
                    counts,
                    [lead for lead in leads if getattr(lead.taken, by) == name],
                    [entry for entry in returned if getattr(entry, by) == name],
                )
            )
    return rows


def _row(
    by: Dimension,
    name: str,
    counts: Collection[str],
    leads: list[TakenLead],
    returned: list[Entry],
) -> Row:
    load = Counter(lead.taken.rep_id for lead in leads)
    claimed = sum(lead.claimed for lead in leads)
    converted = sum(lead.converted for lead in leads)
    takes = [lead.taken.take_ms for lead in leads if lead.taken.take_ms is not None]
    responses = [lead.response_time(counts) for lead in leads]
    return Row(
        by=by,
        name=name,
        claimed=claimed,
        assigned=len(leads) - claimed,
        returned=len(returned),
        converted=converted,
        conversion=converted / len(leads) if leads else None,
        mean_take_seconds=mean_seconds([timedelta(milliseconds=take) for take in takes]),
        mean_contact_seconds=mean_seconds(
            [response for response in responses if response is not None]
        ),
        least_load=min(load.values(), default=0),
        median_load=_median(sorted(load.values())),
        most_load=max(load.values(), default=0),
        released=sum(entry.cause == RELEASED for entry in returned),
    )


def releases(entries: Iterable[Entry], start: datetime, end: datetime) -> int:
    """Return how many releases are in the entries of [start, end) (C5)."""
    return sum(
        entry.kind == RETURNED and entry.cause == RELEASED and start <= entry.at < end
        for entry in standing(entries)
    )


def _median(ordered: list[int]) -> float:
    count = len(ordered)
    return (ordered[(count - 1) // 2] + ordered[count // 2]) / 2 if ordered else 0.0
