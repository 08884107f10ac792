"""Entries of the ledger: leads claimed, assigned and returned, and activities.

`outcomes.py` says what the entries add up to.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dibs.core.calendar import day_of, week_of
from dibs.core.lead import Lead
from dibs.rules.rules import Rules

CLAIMED, ASSIGNED, RETURNED = "claimed", "assigned", "returned"
TAKEN_IDS, RETURNED_IDS = "taken/", "returned/"
AMOUNT = "amount"
"""The kind of an entry that completes the amount of the entry it `follows`."""


def taken_id(lead_id: str, epoch: int) -> str:
    """Return the id of a claim's or an assignment's entry."""
    return f"{TAKEN_IDS}{lead_id}/{epoch}"


def returned_id(lead_id: str, epoch: int) -> str:
    """Return the id of a return's entry."""
    return f"{RETURNED_IDS}{lead_id}/{epoch}"


def activity_entry_id(activity_id: str, reporter: str = "system", name: str = "") -> str:
    """Return the id of an activity's entry (C4): each reporter's ids are their own.

    The prefix keeps senders' ids apart from ours; a sender's id may have any letters.
    """
    if reporter == "system":
        return f"activity/{activity_id}"
    return f"{reporter}-activity/{name}/{activity_id}"


def activity_id_of(entry: Entry) -> str:
    """Return the id that the reporter of an activity gave it."""
    prefix, _, rest = entry.entry_id.partition("/")
    return rest if prefix == "activity" else rest.partition("/")[2]


def amount_id(entry_id: str) -> str:
    """Return the id of the entry with the amount of an activity that was reported without one."""
    return f"amount/{entry_id}"


@dataclass(frozen=True)
class Entry:
    """One event: `kind` is claimed, assigned, returned, or an activity's type.

    `week` and `day` are the ISO week and local day of `at` in the team's zone. `taken_at` is when
    this rep got the lead, under its `epoch`; `take_ms` is the time from when they could claim it
    until they did (None where unknown). `model` is the team's distribution model at the time,
    `cause` why the lead was assigned or went back. `amount` is in the smallest unit of `currency`,
    or without one in the unit of its kind. `digest` distinguishes a repeated activity from another
    one with the same id.

    `unit` names the aggregate the entry belongs to (`game/scoring/tally.py`), `reverses` the entry
    it cancels. `other` is the colleague it is about, `shared` the reps credited with the rep (R5).
    A `protected` entry is of a newcomer's first weeks and shows on no board (F9). Without a lead,
    `source` is who reported it: `rep`, `system` or `manager`.

    `reporter` is who reported an activity, empty where that was not kept yet, and `recorded_at`
    when we heard of it (K5); where that was too late, its speed counts from `late_at`. `follows` is
    the entry this one completes or confirms. `value` is the amount in the smallest unit of
    `value_currency`, by the `rate` of its day; without it, an amount in another currency is held
    until there is a rate (K6). `quantity` is how many were sold. `excused`: a lead was released for
    a reason that is the lead's own (K4).
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
    reporter: str = ""
    recorded_at: datetime | None = None
    late_at: datetime | None = None
    follows: str = ""
    value: int | None = None
    value_currency: str = ""
    rate: str = ""
    quantity: int | None = None
    excused: bool = False

    @property
    def counts_from(self) -> datetime:
        """When it happened, as far as speed is concerned (K5)."""
        return self.late_at or self.at

    @property
    def heard_at(self) -> datetime:
        """When it was recorded; what we saw ourselves is recorded as it happens (C8)."""
        return self.recorded_at or self.at


def new_entry(
    entry_id: str,
    kind: str,
    rep_id: str,
    team: str,
    at: datetime,
    playbook: Rules,
    lead: Lead | None = None,
    **more: Any,
) -> Entry:
    """Return an entry with its fields filled from playbook and lead; `more` overrides them."""
    rules = playbook.teams.get(team)
    zone = "UTC" if rules is None else rules.zone
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
    """Return the aggregate of all entries about a lead."""
    return f"lead/{lead.lead_id}"


def unit_of(entry: Entry) -> str:
    """Return the aggregate an entry belongs to."""
    if entry.unit or entry.lead_id is None:
        return entry.unit or f"rep/{entry.rep_id}/{entry.week}"
    return f"lead/{entry.lead_id}"


def _part(entry_id: str) -> str:
    # A dialler's day may be hundreds of calls without a lead: sixteen parts keep aggregates small.
    return hashlib.sha256(entry_id.encode()).hexdigest()[0]
