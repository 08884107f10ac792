"""Record what reps did (K1): once, and together with what it makes of the lead (C8, C11)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from dibs.core.attempts import attempts
from dibs.core.calendar import day_of
from dibs.core.errors import (
    AlreadyExists,
    Busy,
    DibsError,
    FieldError,
    Forbidden,
    InvalidInput,
    LeadNotFound,
    NotYours,
)
from dibs.core.lead import Lead
from dibs.core.rep import Rep
from dibs.intake.ports import LeadStore
from dibs.ledger.activities import REVERSAL, Activity, Step, step, taken_back, wrong
from dibs.ledger.entries import Entry, activity_entry_id, booked, unit_of
from dibs.ledger.ports import Ledger
from dibs.ledger.quest_steps import quest_unit, wrong_step
from dibs.race.newcomers import protected
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook

# Clocks differ, and some systems tell whole seconds or minutes.
SKEW = timedelta(minutes=1)


@dataclass(frozen=True)
class RecordDeps:
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


def record(deps: RecordDeps, activity: Activity, caller: str | None) -> Recorded:
    """Record one activity; `caller` is the rep who tells of their own work, None a trusted source.

    Raises:
        InvalidInput: names every field that cannot be right.
        Forbidden: a rep tells of somebody else's work.
        LeadNotFound, NotYours: there is no such lead; the rep does not hold it.
        IllegalMove: the lead was won or lost before.
        AlreadyExists: another activity has this id.
        Busy: the store did not get to it; nothing was changed.
    """
    [outcome] = record_all(deps, [activity], caller)
    if isinstance(outcome, DibsError):
        raise outcome
    return outcome


def record_all(
    deps: RecordDeps, activities: Sequence[Activity], caller: str | None
) -> list[Recorded | DibsError]:
    """Record activities in order, each for itself; return what became of each.

    What a reversal takes back may stand further down; then it waits for that.
    """
    known = deps.ledger.find([activity_entry_id(one.activity_id) for one in activities])
    rep_of, playbook = cache(deps.roster.get), deps.roster.playbook()
    stands: dict[str, int] = {}
    for place, activity in enumerate(activities):
        stands.setdefault(activity.activity_id, place)
    outcomes: dict[int, Recorded | DibsError] = {}
    for place, activity in sorted(
        enumerate(activities),
        key=lambda one: (max(one[0], stands.get(one[1].reverses, 0)), one[1].type == REVERSAL),
    ):
        stored = known.get(activity_entry_id(activity.activity_id))
        try:
            outcomes[place] = _record(deps, activity, caller, rep_of, playbook, stored)
        except DibsError as error:
            outcomes[place] = error
    return [outcomes[place] for place in range(len(activities))]


def _record(
    deps: RecordDeps,
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
    problems = wrong(activity, deps.clock(), playbook.game.activities)
    if problems:
        raise InvalidInput(tuple(problems))
    told_by = "system" if caller is None else "rep"
    for attempt in attempts(pause=deps.pause):
        if stored is not None:
            return _repeated(stored, activity)
        try:
            with attempt:
                if activity.type == REVERSAL:
                    entry, made = _reversed(deps, activity, playbook)
                else:
                    entry, made = _judged(deps, activity, told_by, rep_of, playbook)
                if deps.ledger.record(entry, made):
                    return Recorded(entry, repeated=False, freed=made is not None and made.frees)
        except Busy:
            raise
        except DibsError:
            # A twin of this request may be what the lead refuses it for.
            stored = _stored(deps, activity)
            if stored is None:
                raise
        else:
            stored = _stored(deps, activity)
    raise Busy


def _stored(deps: RecordDeps, activity: Activity) -> Entry | None:
    entry_id = activity_entry_id(activity.activity_id)
    return deps.ledger.find([entry_id]).get(entry_id)


def _repeated(stored: Entry, activity: Activity) -> Recorded:
    """Return what was told before, whoever holds the lead by now."""
    if stored.digest != activity.digest:
        raise AlreadyExists("Another activity has this activity_id; send a new one.")
    return Recorded(stored, repeated=True, freed=False)


def _reversed(
    deps: RecordDeps, activity: Activity, playbook: Playbook
) -> tuple[Entry, Step | None]:
    """Return the entry that takes another back, and what becomes of the lead as it stands now.

    It stands beside the other: for the same rep and lead, whoever holds the lead by now.
    """
    entry_id = activity_entry_id(activity.reverses)
    told = deps.ledger.find([entry_id]).get(entry_id)
    problem = ""
    if told is None:
        problem = "there is no such activity; send it first"
    elif told.kind == REVERSAL:
        problem = "is a reversal itself; send the activity once more under a new activity_id"
    elif activity.lead_id and activity.lead_id != told.lead_id:
        problem = "is about another lead"
    if told is None or problem:
        raise InvalidInput((FieldError("reverses", problem),))
    if activity.rep_id not in ("", told.rep_id):
        raise Forbidden("That is somebody else's activity.")
    made = None
    story = deps.ledger.story(told.lead_id) if told.lead_id else None
    if story is not None:
        made = taken_back(
            story.lead,
            told.rep_id,
            told.kind,
            told.epoch,
            story.moves,
            deps.clock(),
            told.digest,
        )
    entry = booked(
        activity_entry_id(activity.activity_id),
        REVERSAL,
        told.rep_id,
        told.team,
        activity.at,
        playbook,
        lead_id=told.lead_id,
        epoch=told.epoch,
        source=told.source,
        unit=unit_of(told),
        reverses=entry_id,
        test=told.test,
        digest=activity.digest,
    )
    return entry, made


def _judged(
    deps: RecordDeps,
    activity: Activity,
    told_by: str,
    rep_of: Callable[[str], Rep | None],
    playbook: Playbook,
) -> tuple[Entry, Step | None]:
    """Return the entry, and what becomes of the lead as it stands now."""
    lead = deps.leads.get(activity.lead_id) if activity.lead_id else None
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
        made = step(lead, rep_id, activity, playbook.work.counts, deps.clock())
        if lead.claimed_at is not None and activity.at < lead.claimed_at - SKEW:
            raise InvalidInput((FieldError("at", "lies before the rep took the lead"),))
    about: dict[str, Any] = {} if lead is not None else {"source": told_by}
    if activity.step:
        about |= _as_step(activity, rep, playbook)
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
        protected=is_protected(rep, activity.at, playbook),
        shared=() if lead is None else shared_with(deps.roster, rep, lead, playbook),
        **about,
    )
    return entry, made


def _as_step(activity: Activity, rep: Rep, playbook: Playbook) -> dict[str, Any]:
    """Return what an entry says of the step of a quest it is (G8).

    Raises:
        InvalidInput: it cannot be that step.
    """
    quests, day = playbook.game.quests, rep.today(activity.at)
    wrong = wrong_step(quests, activity.type, activity.step, rep.joined_on, day)
    if activity.lead_id:
        wrong = "is told by activities about no lead; leave lead_id out"
    unit = quest_unit(activity.type, activity.step, rep.rep_id)
    if wrong or unit is None:
        raise InvalidInput((FieldError("step", wrong),))
    return {"cause": activity.step, "unit": unit}


def is_protected(rep: Rep, at: datetime, playbook: Playbook) -> bool:
    """Tell whether what a rep did then shows on no board, as they are new (F9)."""
    team = playbook.teams.get(rep.team)
    day = day_of("UTC" if team is None else team.zone, at).first_day
    return protected(rep.joined_on, day, playbook)


# Each is credited in one transaction with the rep, and that has room for a hundred writes.
MOST_SHARED = 8


def shared_with(roster: Roster, rep: Rep, lead: Lead, playbook: Playbook) -> tuple[str, ...]:
    """Return who is credited with the rep (R5): the others of their pod, where the lead was
    offered to it, the first eight by their ids."""
    if not playbook.game.points.pod_percent or not rep.pod or rep.pod not in lead.pods:
        return ()
    mates = (
        one.rep_id
        for one, _ in roster.team(rep.team)
        if one.pod == rep.pod and one.active and one.rep_id != rep.rep_id
    )
    return tuple(sorted(mates)[:MOST_SHARED])
