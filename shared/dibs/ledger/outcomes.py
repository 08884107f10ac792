"""The outcomes of claimed and assigned leads: the one definition behind everything counted.

Tiers (M2), boards (M3, G3), quotas (M4), reports (R10), points (G1), metrics (K2) and contests all
use it. The result does not depend on the order of the entries or on repeated ones.
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
    """One lead as long as one rep holds it.

    `taken` is the entry of the claim or assignment. `activities` are the rep's activities about the
    lead, in order; those of earlier and later holders are not included. Test leads and undone
    claims are left out.
    """

    taken: Entry
    activities: tuple[Entry, ...]

    @property
    def claimed(self) -> bool:
        return self.taken.kind == CLAIMED

    @property
    def noticed_at(self) -> datetime:
        """When the clock of the points starts: at the rep's first notice of the lead (G1).

        For a claim that is `take_ms` before it; for an assignment, its own time.
        """
        return self.taken.at - (self.taken.take_ms or 0) * _MS if self.claimed else self.taken.at

    def first(self, kind: str) -> Entry | None:
        """Return the first activity of a kind."""
        return next((entry for entry in self.activities if entry.kind == kind), None)

    def response_time(self, counts: Collection[str]) -> timedelta | None:
        """Return the time from claim or assignment to first work, None before it (M3).

        `counts` are the types of activities that work a lead (C11).
        """
        works = counting(counts)
        first = next((entry for entry in self.activities if entry.kind in works), None)
        # A system that reports whole seconds may name a moment just before the lead was claimed.
        return None if first is None else max(timedelta(), first.at - self.taken.at)

    @property
    def contacted(self) -> bool:
        """Whether the rep talked with a person who can decide; later stages imply it (K2)."""
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

    Left out are entries of test leads, reversed activities (K5), and an undone claim together with
    its return (C5).
    """
    by_id = {entry.entry_id: entry for entry in entries if not entry.test}
    for reversal in [entry for entry in by_id.values() if entry.kind == REVERSAL]:
        by_id.pop(reversal.reverses, None)
    undone = {
        _holding(entry)
        for entry in by_id.values()
        if entry.kind == RETURNED and entry.cause == UNDONE
    }
    counting_entries = [
        entry
        for entry in by_id.values()
        if entry.kind not in (*_TAKEN, RETURNED) or _holding(entry) not in undone
    ]
    return sorted(counting_entries, key=_when)


def taken_leads(entries: Iterable[Entry]) -> list[TakenLead]:
    """Return the claimed and assigned leads with their activities, oldest claim first."""
    holdings: dict[tuple[str | None, int, str], list[Entry]] = defaultdict(list)
    for entry in standing(entries):
        if entry.lead_id is not None and entry.kind != RETURNED:
            holdings[_holding(entry)].append(entry)
    leads = []
    for held in holdings.values():
        taken = next((entry for entry in held if entry.kind in _TAKEN), None)
        if taken is not None:
            activities = tuple(entry for entry in held if entry.kind not in _TAKEN)
            leads.append(TakenLead(taken, activities))
    return sorted(leads, key=lambda lead: _when(lead.taken))


def taken_between(entries: Iterable[Entry], start: datetime, end: datetime) -> list[TakenLead]:
    """Return the leads claimed or assigned in [start, end), oldest first."""
    return [lead for lead in taken_leads(entries) if start <= lead.taken.at < end]


def revenue(entry: Entry, currency: str) -> int:
    """Return an entry's revenue in a currency, in its smallest unit; 0 for other entries."""
    return entry.amount or 0 if entry.kind in SALES and entry.currency == currency else 0


def mean_seconds(times: Collection[timedelta]) -> float | None:
    """Return the mean in seconds, summed in whole milliseconds so that order does not matter."""
    if not times:
        return None
    return sum(time // _MS for time in times) / (1000 * len(times))


def _holding(entry: Entry) -> tuple[str | None, int, str]:
    """Return the holding an entry belongs to: one lead, one epoch, one rep."""
    return entry.lead_id, entry.epoch, entry.rep_id


def _when(entry: Entry) -> tuple[datetime, str]:
    return entry.at, entry.entry_id
