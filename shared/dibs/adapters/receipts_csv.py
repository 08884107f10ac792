"""Receipts as CSV: a line for each rep of a race, ids and codes only (C9)."""

from __future__ import annotations

import csv
from datetime import datetime
from typing import TextIO

from dibs.adapters.http import iso
from dibs.domain.receipts import Sealed

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
    """Write the names of the columns."""
    csv.writer(out).writerow(COLUMNS)


def write_race(out: TextIO, found: Sealed, team: str = "") -> None:
    """Write a race's receipts in order; nothing when `team` is named and was not in it."""
    race, lines = found.race, csv.writer(out)
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
    for link, receipt in zip(found.links[1:], found.receipts, strict=True):
        of_rep = (
            receipt.rep_id,
            receipt.outcome.value,
            receipt.place,
            receipt.behind_ms,
            _when(receipt.told_at),
            _when(receipt.attempted_at),
            " ".join(receipt.rules),
            _yes(receipt.rep_id in found.disputed),
        )
        lines.writerow((*of_race, *of_rep, link.hash, found.head))


def _when(moment: datetime | None) -> str:
    return "" if moment is None else iso(moment)


def _yes(it_is: bool) -> str:
    return "yes" if it_is else ""
