"""What became of taken leads: the one definition that everything counted is worked out from.

Tiers (M2), boards (M3, G3), quotas (M4), reports (R10), points (G1), metrics (K2) and contests all
read it. It comes out the same in whatever order the entries are and however often one comes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dibs.core.lead import UNDONE
from dibs.ledger.activities import REVERSAL, counting
from dibs.ledger.entries import ASSIGNED, CLAIMED, RETURNED, Entry

SALES = frozenset({"won", "upsell", "cross_sell"})

_TAKEN = (CLAIMED, ASSIGNED)
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True)
class TakenLead:
    """One lead in one rep's hands, and what became of it there.

    `taken` is the entry of the claim or the assignment: by whom, when, for which team, and whether
    it is `protected`. `activities` are what the rep reported of the lead, in order. What somebody
    else did with the lead before or after is no part of it. Test leads and claims that were undone
    are no taken leads.
    """

    taken: Entry
    activities: tuple[Entry, ...]

    @property
    def claimed(self) -> bool:
        return self.taken.kind == CLAIMED

    @property
    def noticed_at(self) -> datetime:
        """When the clock of the points starts (G1): with the rep's first notice of the lead.

        That is as long before a claim as the rep needed for it. Who was assigned a lead had notice
        of it then, however long it had waited.
        """
        return self.taken.at - (self.taken.take_ms or 0) * _MS if self.claimed else self.taken.at

    def first(self, kind: str) -> Entry | None:
        """Return the first activity of a kind."""
        return next((entry for entry in self.activities if entry.kind == kind), None)

    def response_time(self, counts: Collection[str]) -> timedelta | None:
        """Return how long the rep needed, from taking the lead, to work it; None: not yet (M3).

        `counts` are the types of activities that work a lead (C11).
        """
        works = counting(counts)
        first = next((entry for entry in self.activities if entry.kind in works), None)
        # A system that tells whole seconds may name a moment just before the lead was taken.
        return None if first is None else max(timedelta(), first.at - self.taken.at)

    @property
    def contacted(self) -> bool:
        """Whether the rep talked with somebody who can decide (K2): nobody qualifies or wins a
        lead they never talked with."""
        return self._has("contacted", "qualified", "opportunity", "won")

    @property
    def qualified(self) -> bool:
        return self._has("qualified")

    @property
    def converted(self) -> bool:
        """Whether it became an opportunity or was won."""
        return self._has("opportunity", "won")

    @property
    def won(self) -> bool:
        return self._has("won")

    @property
    def transferred(self) -> bool:
        return self._has("transfer")

    def _has(self, *kinds: str) -> bool:
        return any(entry.kind in kinds for entry in self.activities)


def standing(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that count, each once, in the order they happened.

    Left out are those of test leads, activities that a reversal takes back (K1), and a claim that
    was undone with the return that says so (C5).
    """
    known = {entry.entry_id: entry for entry in entries if not entry.test}
    for reversal in [entry for entry in known.values() if entry.kind == REVERSAL]:
        known.pop(reversal.reverses, None)
    undone = {
        _holding(entry)
        for entry in known.values()
        if entry.kind == RETURNED and entry.cause == UNDONE
    }
    found = [
        entry
        for entry in known.values()
        if entry.kind not in (*_TAKEN, RETURNED) or _holding(entry) not in undone
    ]
    return sorted(found, key=_when)


def taken_leads(entries: Iterable[Entry]) -> list[TakenLead]:
    """Return the leads that were taken, in the order they were, with what became of each."""
    holdings: dict[tuple[str | None, int, str], list[Entry]] = defaultdict(list)
    for entry in standing(entries):
        if entry.lead_id is not None and entry.kind != RETURNED:
            holdings[_holding(entry)].append(entry)
    found = []
    for held in holdings.values():
        taken = next((entry for entry in held if entry.kind in _TAKEN), None)
        if taken is not None:
            done = tuple(entry for entry in held if entry.kind not in _TAKEN)
            found.append(TakenLead(taken, done))
    return sorted(found, key=lambda lead: _when(lead.taken))


def taken_between(entries: Iterable[Entry], start: datetime, end: datetime) -> list[TakenLead]:
    """Return the leads that were taken in [start, end), in the order they were."""
    return [lead for lead in taken_leads(entries) if start <= lead.taken.at < end]


def revenue(entry: Entry, currency: str) -> int:
    """Return what an entry adds to the revenue in a currency, in its smallest unit."""
    return entry.amount or 0 if entry.kind in SALES and entry.currency == currency else 0


def mean_seconds(times: Collection[timedelta]) -> float | None:
    """Return the mean, from whole milliseconds: the same whatever the order."""
    if not times:
        return None
    return sum(time // _MS for time in times) / (1000 * len(times))


def _holding(entry: Entry) -> tuple[str | None, int, str]:
    """Return whose hands an entry says a lead was in: a lead is opened anew under a new epoch."""
    return entry.lead_id, entry.epoch, entry.rep_id


def _when(entry: Entry) -> tuple[datetime, str]:
    return entry.at, entry.entry_id
