"""The outcomes of claimed and assigned leads: the one definition behind everything counted.

Tiers (M2), boards (M3, G3), quotas (M4), reports (R10), points (G1), metrics (K2) and contests all
use it. The result does not depend on the order of the entries or on repeated ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dibs.assignment.override import REASSIGNED, TRANSFERRED
from dibs.assignment.work import NOT_WORKED
from dibs.core.lead import RELEASED, UNDONE
from dibs.ledger.activities import REVERSAL, SALES, TRANSFER, counting
from dibs.ledger.amounts import value_of
from dibs.ledger.entries import AMOUNT, ASSIGNED, CLAIMED, RETURNED, Entry
from dibs.rules.rules import Model

_TAKEN = (CLAIMED, ASSIGNED)
_MS = timedelta(milliseconds=1)
_NO_RACE = frozenset(model.value for model in Model if not model.races)


@dataclass(frozen=True)
class TakenLead:
    """One lead as long as one rep holds it.

    `taken` is the entry of the claim or assignment, `returned` that of its end. `activities` are
    the rep's activities about the lead, in order; those of earlier and later holders are not
    included. Test leads and undone claims are left out.

    Credit travels (K4): `handed_on` are the activities of the colleagues whom the lead went to by
    a transfer or by a manager, without a race; `later` those of everybody who had it afterwards.
    `raced`: it was claimed, by this rep or by the one it was handed on from.
    """

    taken: Entry
    activities: tuple[Entry, ...]
    returned: Entry | None = None
    handed_on: tuple[Entry, ...] = ()
    later: tuple[Entry, ...] = ()
    raced: bool = False

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
        return None if first is None else max(timedelta(), first.counts_from - self.taken.at)

    @property
    def contacted(self) -> bool:
        """Whether the rep talked with a person who can decide; later stages imply it (K2)."""
        return self._has("contacted", "qualified", "opportunity", "won")

    @property
    def qualified(self) -> bool:
        return self._has("qualified")

    @property
    def converted(self) -> bool:
        """Whether it became an opportunity or was won, by the rep or whom it was handed on to."""
        return self._has("opportunity", "won") or _any(self.handed_on, "opportunity", "won")

    @property
    def won(self) -> bool:
        """Whether it was won, by the rep or whom it was handed on to."""
        return self._has("won") or _any(self.handed_on, "won")

    @property
    def qualified_right(self) -> bool:
        """Whether it was qualified, and became an opportunity or was won, whoever closed it."""
        return self.qualified and (self.converted or _any(self.later, "opportunity", "won"))

    @property
    def transferred(self) -> bool:
        return self._has(TRANSFER)

    @property
    def pays(self) -> bool:
        """Whether its opportunity and deal are those of a claimed lead (G1).

        In a team that does not race all leads are.
        """
        return self.raced or self.taken.model in _NO_RACE

    @property
    def given_up(self) -> bool:
        """Whether the rep gave it up, by releasing or not working it, for no reason of the lead's
        own (K4)."""
        back = self.returned
        return back is not None and back.cause in (RELEASED, NOT_WORKED) and not back.excused

    def _has(self, *kinds: str) -> bool:
        return _any(self.activities, *kinds)


def _any(entries: Iterable[Entry], *kinds: str) -> bool:
    return any(entry.kind in kinds for entry in entries)


def standing(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that count, each once, in the order they happened.

    Left out are entries of test leads, reversed activities (K5), and an undone claim together with
    its return (C5). An amount that came later is the activity's (K6), and a deal told several times
    is one.
    """
    by_id = {entry.entry_id: entry for entry in entries if not entry.test}
    for reversal in [entry for entry in by_id.values() if entry.kind == REVERSAL]:
        by_id.pop(reversal.reverses, None)
    # The amount is sent first and its value later; their ids are in this order.
    for amount in sorted(
        (entry for entry in by_id.values() if entry.kind == AMOUNT),
        key=lambda entry: entry.entry_id,
    ):
        del by_id[amount.entry_id]
        if amount.follows in by_id:
            by_id[amount.follows] = _with_money(by_id[amount.follows], amount)
    _join_deals(by_id)
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
        if entry.lead_id is not None:
            holdings[_holding(entry)].append(entry)
    by_lead: dict[str | None, list[TakenLead]] = defaultdict(list)
    for held in holdings.values():
        taken = next((entry for entry in held if entry.kind in _TAKEN), None)
        if taken is not None:
            returned = next((entry for entry in held if entry.kind == RETURNED), None)
            activities = tuple(entry for entry in held if entry.kind not in (*_TAKEN, RETURNED))
            by_lead[taken.lead_id].append(TakenLead(taken, activities, returned))
    leads = [lead for of_lead in by_lead.values() for lead in _with_credit(of_lead)]
    return sorted(leads, key=lambda lead: _when(lead.taken))


def _with_credit(of_lead: list[TakenLead]) -> list[TakenLead]:
    """Return the times a lead was held, each with what became of it later (K4)."""
    in_order = sorted(of_lead, key=lambda lead: (lead.taken.epoch, _when(lead.taken)))
    handed_on, later, found = tuple[Entry, ...](), tuple[Entry, ...](), list[TakenLead]()
    for lead in reversed(in_order):
        mine = handed_on if _handed_on(lead) else ()
        found.append(replace(lead, handed_on=mine, later=later))
        handed_on, later = lead.activities + mine, lead.activities + later
    raced, before = list[TakenLead](), None
    for lead in reversed(found):
        from_race = before is not None and before.raced and _handed_on(before)
        before = replace(lead, raced=lead.claimed or from_race)
        raced.append(before)
    return raced


def _handed_on(lead: TakenLead) -> bool:
    back = lead.returned
    by_somebody = back is not None and back.cause in (TRANSFERRED, REASSIGNED)
    return by_somebody or lead.transferred


def _with_money(entry: Entry, other: Entry) -> Entry:
    return replace(
        entry,
        amount=other.amount,
        currency=other.currency,
        value=other.value,
        value_currency=other.value_currency,
        rate=other.rate,
        quantity=entry.quantity if other.quantity is None else other.quantity,
    )


def _join_deals(by_id: dict[str, Entry]) -> None:
    """Make one entry of a rep's several about one deal: at the time of the first.

    Its amount is the first that a system or a manager reported, else the first that the rep did.
    """
    deals: dict[tuple[str | None, int, str], list[Entry]] = defaultdict(list)
    for entry in by_id.values():
        if entry.kind == "won" and entry.lead_id is not None:
            deals[_holding(entry)].append(entry)
    for told in deals.values():
        if len(told) == 1:
            continue
        first, *others = sorted(told, key=_when)
        trusted = [entry for entry in (first, *others) if entry.reporter != "rep"]
        known = [entry for entry in (*trusted, first, *others) if entry.amount is not None]
        joined = _with_money(first, known[0]) if known else first
        by_id[first.entry_id] = replace(
            joined, reporter=trusted[0].reporter if trusted else first.reporter
        )
        for entry in others:
            del by_id[entry.entry_id]


def taken_between(entries: Iterable[Entry], start: datetime, end: datetime) -> list[TakenLead]:
    """Return the leads claimed or assigned in [start, end), oldest first."""
    return [lead for lead in taken_leads(entries) if start <= lead.taken.at < end]


def revenue(entry: Entry, currency: str) -> int:
    """Return an entry's revenue in a currency, in its smallest unit; 0 for other entries."""
    return value_of(entry, currency) or 0 if entry.kind in SALES else 0


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
