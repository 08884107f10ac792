"""Receipts as CSV: a line for each rep of a race, with ids and codes only (C9)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TextIO

from dibs.core.tables import write_rows
from dibs.receipts.audit import ChainedRace
from dibs.web.http import iso

COLUMNS = (
    "lead_id",
    "epoch",
    "teams",
    "test",
    "opened_at",
    "closed_at",
    "cause",
    "playbook_version",
    "rep_id",
    "outcome",
    "place",
    "behind_ms",
    "told_at",
    "attempted_at",
    "rules",
    "disputed",
    "hash",
    "head",
)


def write_head(out: TextIO) -> None:
    """Write the column names."""
    write_rows(out, [COLUMNS])


ALTERED = "altered"
"""The outcome of a race that was removed or altered after sealing: `dibs audit` shows details."""


def write_race(
    out: TextIO, found: ChainedRace, team: str = "", reps: Collection[str] | None = None
) -> None:
    """Write a race's receipts in order; nothing when `team` was not in the race.

    With `reps`, those of these reps alone. A race that was removed or altered gets one line that
    says so; whose it was is not known any more.
    """
    sealed = found.sealed
    if sealed is None and reps is not None:
        return
    if sealed is None:
        row = {"lead_id": found.lead_id, "epoch": found.epoch, "outcome": ALTERED}
        write_rows(out, [[row.get(column, "") for column in COLUMNS]])
        return
    race = sealed.race
    if team and team not in race.teams:
        return
    of_race = (
        race.lead_id,
        race.epoch,
        " ".join(race.teams),
        _yes(race.test),
        iso(race.opened_at),
        iso(race.closed_at),
        race.cause,
        race.playbook_version,
    )
    for link, receipt in zip(sealed.links[1:], sealed.receipts, strict=True):
        if reps is not None and receipt.rep_id not in reps:
            continue
        of_rep = (
            receipt.rep_id,
            receipt.outcome.value,
            receipt.place,
            receipt.behind_ms,
            _when(receipt.told_at),
            _when(receipt.attempted_at),
            " ".join(receipt.rules),
            _yes(receipt.rep_id in sealed.disputed),
        )
        write_rows(out, [(*of_race, *of_rep, link.hash, sealed.head)])


def _when(moment: datetime | None) -> str:
    return "" if moment is None else iso(moment)


def _yes(flag: bool) -> str:
    return "yes" if flag else ""
