"""Record what reps did (K1): once, and together with what it makes of the lead (C8, C11)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from dibs.domain.activities import Activity, Step, step, wrong
from dibs.domain.errors import (
    AlreadyExists,
    Busy,
    DibsError,
    FieldError,
    Forbidden,
    InvalidInput,
    LeadNotFound,
    NotYours,
)
from dibs.domain.ledger import Entry, activity_entry_id, booked
from dibs.domain.playbook import Playbook
from dibs.domain.reps import Rep
from dibs.usecases.ports import LeadStore, Ledger, Roster

ATTEMPTS = 6
# Clocks differ, and some systems tell whole seconds or minutes.
SKEW = timedelta(minutes=1)


@dataclass(frozen=True)
class Register:
    """Everything recording works with."""

    ledger: Ledger
    leads: LeadStore
    roster: Roster
    clock: Callable[[], datetime]
    pause: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Recorded:
    """An activity that stands. `repeated`: it stood before, and nothing was changed.

    `freed`: its rep has one lead fewer in hand, so the leads that wait for somebody may be served.
    """

    entry: Entry
    repeated: bool
    freed: bool


def record(register: Register, activity: Activity, caller: str | None) -> Recorded:
    """Record one activity; `caller` is the rep who tells of their own work, None a trusted source.

    Raises:
        InvalidInput: names every field that cannot be right.
        Forbidden: a rep tells of somebody else's work.
        LeadNotFound, NotYours: there is no such lead; the rep does not hold it.
        IllegalMove: the lead was won or lost before.
        AlreadyExists: another activity has this id.
        Busy: the store did not get to it; nothing was changed.
    """
    [outcome] = record_all(register, [activity], caller)
    if isinstance(outcome, DibsError):
        raise outcome
    return outcome


def record_all(
    register: Register, activities: Sequence[Activity], caller: str | None
) -> list[Recorded | DibsError]:
    """Record activities in order, each for itself; return what became of each."""
    known = register.ledger.find([activity_entry_id(one.activity_id) for one in activities])
    rep_of, playbook = cache(register.roster.get), register.roster.playbook()
    outcomes: list[Recorded | DibsError] = []
    for activity in activities:
        stored = known.get(activity_entry_id(activity.activity_id))
        try:
            outcomes.append(_record(register, activity, caller, rep_of, playbook, stored))
        except DibsError as error:
            outcomes.append(error)
    return outcomes


def _record(
    register: Register,
    activity: Activity,
    caller: str | None,
    rep_of: Callable[[str], Rep | None],
    playbook: Playbook,
    stored: Entry | None,
) -> Recorded:
    if caller is not None:
        if activity.rep_id not in ("", caller):
            raise Forbidden("You may tell of your own work only.")
        activity = replace(activity, rep_id=caller)
    problems = wrong(activity, register.clock())
    if problems:
        raise InvalidInput(tuple(problems))
    for attempt in range(ATTEMPTS):
        if stored is not None:
            return _repeated(stored, activity)
        try:
            entry, made = _judged(register, activity, rep_of, playbook)
            if register.ledger.record(entry, made):
                return Recorded(entry, repeated=False, freed=made is not None and made.frees)
        except Busy as busy:
            if not busy.conflict:
                raise
        except DibsError:
            # A twin of this request may be what the lead refuses it for.
            stored = _stored(register, activity)
            if stored is None:
                raise
            continue
        register.pause(random.uniform(0.01, 0.05) * (attempt + 1))  # noqa: S311 - jitter, no secret
        stored = _stored(register, activity)
    raise Busy


def _stored(register: Register, activity: Activity) -> Entry | None:
    entry_id = activity_entry_id(activity.activity_id)
    return register.ledger.find([entry_id]).get(entry_id)


def _repeated(stored: Entry, activity: Activity) -> Recorded:
    """Return what was told before, whoever holds the lead by now."""
    if stored.digest != activity.digest:
        raise AlreadyExists("Another activity has this activity_id; send a new one.")
    return Recorded(stored, repeated=True, freed=False)


def _judged(
    register: Register, activity: Activity, rep_of: Callable[[str], Rep | None], playbook: Playbook
) -> tuple[Entry, Step | None]:
    """Return the entry, and what becomes of the lead as it stands now."""
    lead = register.leads.get(activity.lead_id) if activity.lead_id else None
    if lead is None and activity.lead_id:
        raise LeadNotFound("There is no such lead.")
    rep_id = activity.rep_id or (lead.owner if lead is not None else None)
    if rep_id is None:
        raise NotYours("Nobody holds this lead.")
    rep = rep_of(rep_id)
    if rep is None:
        raise InvalidInput((FieldError("rep_id", "there is no such rep"),))
    made = None
    if lead is not None:
        made = step(lead, rep_id, activity, playbook.work.counts, register.clock())
        if lead.claimed_at is not None and activity.at < lead.claimed_at - SKEW:
            raise InvalidInput((FieldError("at", "lies before the rep took the lead"),))
    entry = booked(
        activity_entry_id(activity.activity_id),
        activity.type,
        rep_id,
        rep.team,
        activity.at,
        playbook,
        lead,
        amount=activity.amount,
        currency=activity.currency,
        digest=activity.digest,
    )
    return entry, made
