"""The ledger: who took which lead and what they made of it, entry by entry.

Boards (M3), tiers (M2), quotas (M4) and reports (R10) are sums over entries. They come out the
same in whatever order the entries are and however often one comes; test entries never count, nor
does a claim that was undone (C5).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from dibs.core.calendar import day_of, week_of
from dibs.core.lead import RELEASED, UNDONE, Lead
from dibs.ledger.activities import counting
from dibs.rules.rules import Rules

CLAIMED, ASSIGNED, RETURNED = "claimed", "assigned", "returned"

CONVERTED = frozenset({"opportunity", "won"})
SALES = frozenset({"won", "upsell", "cross_sell"})

FIVE_MINUTES = timedelta(minutes=5)
TEN_MINUTES = timedelta(minutes=10)
HOUR = timedelta(hours=1)
# Who never calls is no slower than who calls a day late: beyond it nothing gets worse.
LONGEST_RESPONSE = timedelta(hours=24)

_MS = timedelta(milliseconds=1)

Dimension = Literal["team", "territory", "source", "model"]
DIMENSIONS: tuple[Dimension, ...] = ("team", "territory", "source", "model")


def taken_id(lead_id: str, epoch: int) -> str:
    """Return the id of the entry of a lead claimed or assigned."""
    return f"taken/{lead_id}/{epoch}"


def returned_id(lead_id: str, epoch: int) -> str:
    """Return the id of the entry of a lead that went back."""
    return f"returned/{lead_id}/{epoch}"


def activity_entry_id(activity_id: str) -> str:
    """Return the id of an activity's entry; no sender's id meets one of ours."""
    return f"activity/{activity_id}"


@dataclass(frozen=True)
class Entry:
    """One thing that happened: `kind` is claimed, assigned, returned, or an activity's type.

    `week` is the ISO week of `at` in the team's zone. `taken_at` is when this rep took the lead,
    under its `epoch`; `take_ms` how long, from the moment they could, they needed to (None where
    that is not known). `model` is how the team got its leads then, `cause` why it was assigned or
    went back. `amount` is in the smallest unit of `currency`, or without one in the unit of its
    kind. `digest` tells a repeated activity from another one of the same id.

    `day` is the local day of `at` in the team's zone, `unit` what the entry is tallied together
    with (`scoring/tally.py`), `reverses` the entry it takes back. `other` is the colleague it is
    about, `shared` who is credited with the rep (R5). What is `protected` was done in a newcomer's
    first weeks, and shows on no board (F9). Without a lead, `source` is who told it: `rep` or
    `system`.
    """

    entry_id: str
    kind: str
    rep_id: str
    team: str
    at: datetime
    week: str
    lead_id: str | None = None
    epoch: int = 0
    taken_at: datetime | None = None
    take_ms: int | None = None
    source: str = ""
    territory: str = ""
    quality: str = ""
    model: str = ""
    cause: str = ""
    amount: int | None = None
    currency: str = ""
    playbook_version: int = 0
    test: bool = False
    digest: str = ""
    day: str = ""
    unit: str = ""
    reverses: str = ""
    other: str = ""
    shared: tuple[str, ...] = ()
    protected: bool = False


def booked(
    entry_id: str,
    kind: str,
    rep_id: str,
    team: str,
    at: datetime,
    playbook: Rules,
    lead: Lead | None = None,
    **more: Any,
) -> Entry:
    """Return an entry with what the playbook and the lead say about it; `more` overrides both."""
    known = playbook.teams.get(team)
    zone = "UTC" if known is None else known.zone
    day = day_of(zone, at).name
    about: dict[str, Any] = {
        "week": week_of(zone, at).name,
        "day": day,
        "unit": f"rep/{rep_id}/{day}/{_part(entry_id)}" if lead is None else lead_unit(lead),
        "model": playbook.model_of(team).value,
        "playbook_version": playbook.version,
    }
    if lead is not None:
        about |= {
            "lead_id": lead.lead_id,
            "epoch": lead.epoch,
            "taken_at": lead.claimed_at,
            "source": lead.preview.source,
            "territory": lead.territory,
            "quality": lead.quality.value,
            "test": lead.test,
        }
    return Entry(entry_id, kind, rep_id, team, at, **{**about, **more})


def lead_unit(lead: Lead) -> str:
    """Return what all entries about a lead are tallied together with."""
    return f"lead/{lead.lead_id}"


def _part(entry_id: str) -> str:
    # A dialler's day is hundreds of calls without a lead: sixteen parts of it stay small.
    return hashlib.sha256(entry_id.encode()).hexdigest()[0]


@dataclass(frozen=True)
class RepSpeed:
    """How fast one rep answered the leads they took (M3).

    `mean_seconds` is over the `contacted` ones, None where there are none; the shares, 0 to 1, are
    of all `taken`. `longest_streak_under_10_min` is the most leads in the order they were taken,
    one after the other, whose first contact came in under ten minutes.
    """

    taken: int
    contacted: int
    mean_seconds: float | None
    within_5_min: float
    within_1_hour: float
    longest_streak_under_10_min: int


@dataclass(frozen=True)
class Speed:
    """How fast the reps who took leads answered them, by rep id."""

    reps: Mapping[str, RepSpeed]


@dataclass(frozen=True)
class Results:
    """What one rep made of the leads they took: three of `tiers.Inputs`, by the same names."""

    taken: int
    converted: int
    response_seconds: float | None


@dataclass(frozen=True)
class Row:
    """What became of the leads of one team, territory, source or model (R10).

    `by` says which of the four `name` is; an empty name stands for leads without one. Means are
    None where there is nothing to take the mean of, `conversion` (0 to 1) where nobody took any.
    Loads are leads per rep, of the reps who took any. Of the `returned` ones, `released` were given
    back by their holders (C5).
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


@dataclass(frozen=True)
class _Taking:
    """One lead in one rep's hands: how it came, its first contact, whether it converted."""

    entry: Entry
    contacted_at: datetime | None
    converted: bool

    @property
    def response(self) -> timedelta | None:
        if self.contacted_at is None:
            return None
        return max(timedelta(), self.contacted_at - self.entry.at)


def speed(
    entries: Iterable[Entry], counts: Collection[str], start: datetime, end: datetime
) -> Speed:
    """Return how fast reps answered the leads they took in [start, end) (M3).

    The first contact is the rep's first activity on that lead that works it (`counts`, C11), also
    after `end`. Exactly five minutes and exactly one hour are within; a streak wants less than ten
    minutes. A lead not contacted is within nothing and ends a streak.
    """
    by_rep = defaultdict(list)
    for taking in _takings(entries, counts, start, end):
        by_rep[taking.entry.rep_id].append(taking.response)
    return Speed({rep_id: _speed(by_rep[rep_id]) for rep_id in sorted(by_rep)})


def _speed(responses: list[timedelta | None]) -> RepSpeed:
    known = [response for response in responses if response is not None]
    longest = run = 0
    for response in responses:
        run = run + 1 if response is not None and response < TEN_MINUTES else 0
        longest = max(longest, run)
    return RepSpeed(
        taken=len(responses),
        contacted=len(known),
        mean_seconds=_mean_seconds(known),
        within_5_min=sum(response <= FIVE_MINUTES for response in known) / len(responses),
        within_1_hour=sum(response <= HOUR for response in known) / len(responses),
        longest_streak_under_10_min=longest,
    )


def places(found: Speed) -> list[tuple[int | None, str]]:
    """Return the reps with their places, the fastest first (M3).

    Faster is the lower mean; then the larger share within five minutes, then the longer streak,
    then more leads taken. Who is level in all four shares the place, and the next place is left
    out. Who contacted nobody has none, and stands last.
    """
    ranks = {
        rep_id: (one.mean_seconds, -one.within_5_min, -one.longest_streak_under_10_min, -one.taken)
        for rep_id, one in found.reps.items()
        if one.mean_seconds is not None
    }
    order = sorted(ranks, key=lambda rep_id: (ranks[rep_id], rep_id))
    placed: list[tuple[int | None, str]] = []
    for number, rep_id in enumerate(order, 1):
        level = number > 1 and ranks[rep_id] == ranks[order[number - 2]]
        placed.append((placed[-1][0] if level else number, rep_id))
    return placed + [(None, rep_id) for rep_id in sorted(found.reps) if rep_id not in ranks]


def winners(found: Speed) -> tuple[str, ...]:
    """Return who holds the first place of `places`: several where they are level, in the order of
    their ids, nobody where nobody was contacted."""
    return tuple(rep_id for place, rep_id in places(found) if place == 1)


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
    takings = _takings(known, counts, start, end)
    waits = [
        min(LONGEST_RESPONSE, end - taking.entry.at if wait is None else wait)
        for taking in takings
        for wait in [taking.response]
    ]
    contacted = any(taking.contacted_at is not None for taking in takings)
    return Results(
        taken=len(takings),
        converted=sum(taking.converted for taking in takings),
        response_seconds=_mean_seconds(waits) if contacted else None,
    )


def achieved(
    entries: Iterable[Entry],
    measure: Literal["revenue", "won"],
    currency: str,
    start: datetime,
    end: datetime,
) -> int:
    """Return what whoever the entries are of achieved in [start, end) (M4).

    Leads won, or the amounts of what was won, upsold and cross-sold, in the smallest unit of
    `currency`; other currencies do not count, nor does a sale without an amount.
    """
    found = [entry for entry in _counted(entries).values() if start <= entry.at < end]
    if measure == "won":
        return sum(entry.kind == "won" for entry in found)
    return sum(
        entry.amount or 0 for entry in found if entry.kind in SALES and entry.currency == currency
    )


def assignment_report(
    entries: Iterable[Entry], counts: Collection[str], start: datetime, end: datetime
) -> list[Row]:
    """Return what became of the leads taken in [start, end), and how many went back then (R10).

    One row for each team, then for each territory, source and model, by name. Contacts and
    conversions count whenever they came.
    """
    known = _counted(entries)
    takings = _takings(known.values(), counts, start, end)
    returned = [
        entry
        for entry in known.values()
        if entry.kind == RETURNED and entry.cause != UNDONE and start <= entry.at < end
    ]
    rows = []
    for by in DIMENSIONS:
        names = {getattr(entry, by) for entry in (*(t.entry for t in takings), *returned)}
        for name in sorted(names):
            rows.append(
                _row(
                    by,
                    name,
                    [taking for taking in takings if getattr(taking.entry, by) == name],
                    [entry for entry in returned if getattr(entry, by) == name],
                )
            )
    return rows


def _row(by: Dimension, name: str, takings: list[_Taking], returned: list[Entry]) -> Row:
    load: dict[str, int] = defaultdict(int)
    for taking in takings:
        load[taking.entry.rep_id] += 1
    claimed = sum(taking.entry.kind == CLAIMED for taking in takings)
    converted = sum(taking.converted for taking in takings)
    takes = [taking.entry.take_ms for taking in takings if taking.entry.take_ms is not None]
    contacts = [taking.response for taking in takings if taking.response is not None]
    return Row(
        by=by,
        name=name,
        claimed=claimed,
        assigned=len(takings) - claimed,
        returned=len(returned),
        converted=converted,
        conversion=converted / len(takings) if takings else None,
        mean_take_seconds=_mean_seconds([take * _MS for take in takes]),
        mean_contact_seconds=_mean_seconds(contacts),
        least_load=min(load.values(), default=0),
        median_load=_median(sorted(load.values())),
        most_load=max(load.values(), default=0),
        released=sum(entry.cause == RELEASED for entry in returned),
    )


def releases(entries: Iterable[Entry], start: datetime, end: datetime) -> int:
    """Return how many leads whoever the entries are of gave back in [start, end) (C5)."""
    return sum(
        entry.kind == RETURNED and entry.cause == RELEASED and start <= entry.at < end
        for entry in _counted(entries).values()
    )


def _counted(entries: Iterable[Entry]) -> dict[str, Entry]:
    return {entry.entry_id: entry for entry in entries if not entry.test}


def _takings(
    entries: Iterable[Entry], counts: Collection[str], start: datetime, end: datetime
) -> list[_Taking]:
    """Return the leads taken in [start, end) and not undone, in the order they were taken."""
    works = counting(counts)
    taken, undone, converted = [], set(), set()
    contacts: dict[tuple[str | None, int, str], datetime] = {}
    for entry in _counted(entries).values():
        held = (entry.lead_id, entry.epoch, entry.rep_id)
        if entry.kind in (CLAIMED, ASSIGNED):
            if start <= entry.at < end:
                taken.append(entry)
        elif entry.kind == RETURNED:
            if entry.cause == UNDONE:
                undone.add(held)
        elif entry.lead_id is not None:
            if entry.kind in works:
                contacts[held] = min(entry.at, contacts.get(held, entry.at))
            if entry.kind in CONVERTED:
                converted.add(held)
    taken.sort(key=lambda entry: (entry.at, entry.entry_id))
    keyed = [((entry.lead_id, entry.epoch, entry.rep_id), entry) for entry in taken]
    return [
        _Taking(entry, contacts.get(held), held in converted)
        for held, entry in keyed
        if held not in undone
    ]


def _median(ordered: list[int]) -> float:
    count = len(ordered)
    return (ordered[(count - 1) // 2] + ordered[count // 2]) / 2 if ordered else 0.0


def _mean_seconds(times: Collection[timedelta]) -> float | None:
    """Return the mean, from whole milliseconds: the same whatever the order."""
    if not times:
        return None
    return sum(time // _MS for time in times) / (1000 * len(times))
