"""Record each activity once (K1), together with its change to the lead (C8, C11)."""

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
from dibs.ledger.entries import Entry, activity_entry_id, new_entry, unit_of
from dibs.ledger.ports import Ledger
from dibs.ledger.quest_steps import quest_unit, wrong_step
from dibs.race.newcomers import protected
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook

# Clocks differ, and some systems report whole seconds or minutes.
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
class RecordResult:
    """A recorded activity. `repeated`: it was recorded before, and nothing was changed.

    `freed`: its rep has one unworked lead fewer, so the queue of unassigned leads can be served.
    """

    entry: Entry
    repeated: bool
    freed: bool


def record(deps: RecordDeps, activity: Activity, caller: str | None) -> RecordResult:
    """Record one activity; `caller` is the reporting rep, None for a trusted source.

    Raises:
        InvalidInput: names every field that is wrong.
        Forbidden: a rep reports another rep's work.
        LeadNotFound, NotYours: there is no such lead; the rep does not hold it.
        IllegalMove: the lead is already won or lost.
        AlreadyExists: another activity has this id.
        Busy: the store did not get to it.
    """
    [outcome] = record_all(deps, [activity], caller)
    if isinstance(outcome, DibsError):
        raise outcome
    return outcome


def record_all(
    deps: RecordDeps, activities: Sequence[Activity], caller: str | None
) -> list[RecordResult | DibsError]:
    """Record activities independently, in order; return the result of each.

    A reversal may come before the activity it cancels; it is then recorded after it.
    """
    entry_ids = [activity_entry_id(activity.activity_id) for activity in activities]
    stored = deps.ledger.find(entry_ids)
    rep_of, playbook = cache(deps.roster.get), deps.roster.playbook()
    first_place: dict[str, int] = {}
    for place, activity in enumerate(activities):
        first_place.setdefault(activity.activity_id, place)
    outcomes: dict[int, RecordResult | DibsError] = {}
    for place, activity in sorted(
        enumerate(activities),
        key=lambda item: (
            max(item[0], first_place.get(item[1].reverses, 0)),
            item[1].type == REVERSAL,
        ),
    ):
        entry = stored.get(activity_entry_id(activity.activity_id))
        try:
            outcomes[place] = _record(deps, activity, caller, rep_of, playbook, entry)
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
) -> RecordResult:
    if caller is not None:
        if activity.rep_id not in ("", caller):
            raise Forbidden("You may tell of your own work only.")
        activity = replace(activity, rep_id=caller)
    problems = wrong(activity, deps.clock(), playbook.game.activities)
    if problems:
        raise InvalidInput(tuple(problems))
    source = "system" if caller is None else "rep"
    for attempt in attempts(pause=deps.pause):
        if stored is not None:
            return _repeated(stored, activity)
        try:
            with attempt:
                if activity.type == REVERSAL:
                    entry, change = _reverse(deps, activity, playbook)
                else:
                    entry, change = _apply(deps, activity, source, rep_of, playbook)
                if deps.ledger.record(entry, change):
                    freed = change is not None and change.frees
                    return RecordResult(entry, repeated=False, freed=freed)
        except Busy:
            raise
        except DibsError:
            # The lead may refuse it because a parallel request has just recorded it.
            stored = _stored(deps, activity)
            if stored is None:
                raise
            attempt.at_once = True
        else:
            stored = _stored(deps, activity)
    raise Busy


def _stored(deps: RecordDeps, activity: Activity) -> Entry | None:
    entry_id = activity_entry_id(activity.activity_id)
    return deps.ledger.find([entry_id]).get(entry_id)


def _repeated(stored: Entry, activity: Activity) -> RecordResult:
    """Return the stored activity, whoever holds the lead now (C4)."""
    if stored.digest != activity.digest:
        raise AlreadyExists("Another activity has this activity_id; send a new one.")
    return RecordResult(stored, repeated=True, freed=False)


def _reverse(deps: RecordDeps, activity: Activity, playbook: Playbook) -> tuple[Entry, Step | None]:
    """Return the entry that reverses another, and its change to the lead.

    It is for the same rep and lead as the other entry, whoever holds the lead now.
    """
    entry_id = activity_entry_id(activity.reverses)
    original = deps.ledger.find([entry_id]).get(entry_id)
    problem = ""
    if original is None:
        problem = "there is no such activity; send it first"
    elif original.kind == REVERSAL:
        problem = "is a reversal itself; send the activity once more under a new activity_id"
    elif activity.lead_id and activity.lead_id != original.lead_id:
        problem = "is about another lead"
    if original is None or problem:
        raise InvalidInput((FieldError("reverses", problem),))
    if activity.rep_id not in ("", original.rep_id):
        raise Forbidden("That is somebody else's activity.")
    change = None
    history = deps.ledger.story(original.lead_id) if original.lead_id else None
    if history is not None:
        change = taken_back(
            history.lead,
            original.rep_id,
            original.kind,
            original.epoch,
            history.transitions,
            deps.clock(),
            original.digest,
        )
    entry = new_entry(
        activity_entry_id(activity.activity_id),
        REVERSAL,
        original.rep_id,
        original.team,
        activity.at,
        playbook,
        lead_id=original.lead_id,
        epoch=original.epoch,
        source=original.source,
        unit=unit_of(original),
        reverses=entry_id,
        test=original.test,
        digest=activity.digest,
    )
    return entry, change


def _apply(
    deps: RecordDeps,
    activity: Activity,
    source: str,
    rep_of: Callable[[str], Rep | None],
    playbook: Playbook,
) -> tuple[Entry, Step | None]:
    """Return the entry of an activity, and its change to the lead."""
    lead = deps.leads.get(activity.lead_id) if activity.lead_id else None
    if lead is None and activity.lead_id:
        raise LeadNotFound("There is no such lead.")
    rep_id = activity.rep_id or (lead.owner if lead is not None else None)
    if rep_id is None:
        raise NotYours("Nobody holds this lead.")
    rep = rep_of(rep_id)
    if rep is None:
        raise InvalidInput((FieldError("rep_id", "there is no such rep"),))
    change = None
    if lead is not None:
        change = step(lead, rep_id, activity, playbook.work.counts, deps.clock())
        if lead.claimed_at is not None and activity.at < lead.claimed_at - SKEW:
            raise InvalidInput((FieldError("at", "lies before the rep took the lead"),))
    fields: dict[str, Any] = {} if lead is not None else {"source": source}
    if activity.step:
        fields |= _step_fields(activity, rep, playbook)
    entry = new_entry(
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
        **fields,
    )
    return entry, change


def _step_fields(activity: Activity, rep: Rep, playbook: Playbook) -> dict[str, Any]:
    """Return the fields of an entry that is a step of a quest (G8).

    Raises:
        InvalidInput: it cannot be that step.
    """
    quests, day = playbook.game.quests, rep.today(activity.at)
    problem = wrong_step(quests, activity.type, activity.step, rep.joined_on, day)
    if activity.lead_id:
        problem = "is told by activities about no lead; leave lead_id out"
    unit = quest_unit(activity.type, activity.step, rep.rep_id)
    if problem or unit is None:
        raise InvalidInput((FieldError("step", problem),))
    return {"cause": activity.step, "unit": unit}


def is_protected(rep: Rep, at: datetime, playbook: Playbook) -> bool:
    """Return whether a rep was in the newcomer weeks that show on no board (F9)."""
    team = playbook.teams.get(rep.team)
    day = day_of("UTC" if team is None else team.zone, at).first_day
    return protected(rep.joined_on, day, playbook)


# They are credited in one transaction with the rep, which holds up to a hundred writes.
MOST_SHARED = 8


def shared_with(roster: Roster, rep: Rep, lead: Lead, playbook: Playbook) -> tuple[str, ...]:
    """Return the pod colleagues credited with the rep, where the lead was offered to their pod;
    the first eight by id (R5)."""
    if not playbook.game.points.pod_percent or not rep.pod or rep.pod not in lead.pods:
        return ()
    mates = (
        mate.rep_id
        for mate, _ in roster.team(rep.team)
        if mate.pod == rep.pod and mate.active and mate.rep_id != rep.rep_id
    )
    return tuple(sorted(mates)[:MOST_SHARED])
