"""Changes of boards: what a few reps came to, listed until the pages they belong on are written.

A page holds many reps, so writing it for one costs as much as for all. A change says what a rep's
totals of a period are, and at which version of their sum. Whoever shows a page shows the rep's
latest version, on the page or in the list: so changes may be listed twice, late or in any order,
and stay in the list after the page has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dibs.game.scoring.pages import Page, Total, replaced

Key = tuple[str, str]
"""A rep and a period."""


@dataclass(frozen=True)
class BoardChange:
    """What boards show of a rep in a period, by the sum of that version; nothing without totals."""

    rep_id: str
    period: str
    version: int
    totals: tuple[Total, ...] = ()

    @property
    def key(self) -> Key:
        """Return the rep and the period."""
        return self.rep_id, self.period


def latest(changes: Iterable[BoardChange]) -> dict[Key, BoardChange]:
    """Return the latest change of each rep and period: the highest version, else the last. They
    are in the order in which they came."""
    found: dict[Key, BoardChange] = {}
    for change in changes:
        known = found.get(change.key)
        if known is None or change.version >= known.version:
            found.pop(change.key, None)
            found[change.key] = change
    return found


def with_changes(page: Page, changes: Iterable[BoardChange]) -> Page:
    """Return a page of one period with those changes that it does not have yet; the same page
    where it has all."""
    new = {
        one.rep_id: one
        for one in latest(changes).values()
        if one.version >= page.version_of(one.rep_id)
    }
    totals = [total for one in new.values() for total in one.totals]
    return replaced(page, {rep_id: one.version for rep_id, one in new.items()}, totals)


def changes_body(changes: Iterable[BoardChange]) -> dict[str, Any]:
    """Return changes as they are stored: each name once, and numbers in the order of the names.

    A rep is called by one name in all periods, that of the last change.
    """
    known = [*changes]
    names = sorted({name for one in known for total in one.totals for name in total.counts})
    reps: dict[str, list[Any]] = {}
    for one in known:
        called = next((total.name for total in one.totals), "")
        lines = [
            [total.team, " ".join(str(total.counts.get(name, 0)) for name in names)]
            for total in one.totals
        ]
        of_rep = reps.setdefault(one.rep_id, [called])
        of_rep[0] = called or of_rep[0]
        of_rep.append([one.period, one.version, *lines])
    return {"names": names, "reps": reps}


def changes_from(body: Mapping[str, Any]) -> list[BoardChange]:
    """Return the changes a stored body describes."""
    names = body["names"]
    return [
        BoardChange(
            rep_id,
            period,
            version,
            tuple(Total(rep_id, team, called, _counts(names, numbers)) for team, numbers in lines),
        )
        for rep_id, (called, *of_rep) in body["reps"].items()
        for period, version, *lines in of_rep
    ]


def _counts(names: list[str], numbers: str) -> dict[str, int]:
    counts = zip(names, map(int, numbers.split()), strict=True)
    return {name: number for name, number in counts if number}
