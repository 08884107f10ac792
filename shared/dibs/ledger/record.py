"""Record each activity once (K1), together with its change to the lead (C8, C11)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from dibs.core.attempts import attempts
from dibs.core.calendar import day_of
from dibs.core.credentials import Manager
from dibs.core.errors import (
    AlreadyExists,
    Busy,
    DibsError,
    FieldError,
    Forbidden,
    IllegalMove,
    InvalidInput,
    LeadNotFound,
    NotYours,
)
from dibs.core.lead import Lead
from dibs.core.rep import Rep
from dibs.intake.ports import LeadStore
from dibs.ledger.activities import (
    CLOSED,
    CONFIRMATION,
    REVERSAL,
    TRANSFER,
    Activity,
    Step,
    not_believed,
    step,
    taken_back,
    wrong,
)
from dibs.ledger.amounts import valued
from dibs.ledger.entries import AMOUNT, Entry, activity_entry_id, amount_id, new_entry, unit_of
from dibs.ledger.holders import Holder, holder_at
from dibs.ledger.ports import Ledger
from dibs.ledger.quest_steps import quest_unit, wrong_step
from dibs.race.newcomers import protected
from dibs.roster.ports import Roster
from dibs.rules.game import Reporter
from dibs.rules.playbook import Playbook

# Clocks differ, and some systems report whole seconds or minutes.
SKEW = timedelta(minutes=1)


@dataclass(frozen=True)
class RecordDeps:
    """Everything recording works with. `hand_over` assigns a lead from one rep to another."""

    ledger: Ledger
    leads: LeadStore
    roster: Roster
    clock: Callable[[], datetime]
    pause: Callable[[float], None] = time.sleep
    hand_over: Callable[[str, str, str], object] | None = None


@dataclass(frozen=True)
class RecordResult:
    """A recorded activity. `repeated`: it was recorded before, and nothing was changed.

    `freed`: its rep has one unworked lead fewer, so the queue of unassigned leads can be served.
    """

    entry: Entry
    repeated: bool
    freed: bool


@dataclass(frozen=True)
class _Caller:
    """Who reports: a rep or manager by id, or a trusted system; a manager may be of one team."""

    reporter: Reporter
    name: str = ""
    team: str = ""

    def acts_for(self, *teams: str) -> bool:
        """Tell whether what belongs to these teams is theirs to report on."""
        return not self.team or self.team in teams

    def entry_id(self, activity_id: str) -> str:
        return activity_entry_id(activity_id, self.reporter, self.name)

    def entry_ids(self, activity_id: str) -> tuple[str, ...]:
        """Return the ids an activity of this caller may be stored under, today's first.

        Before each reporter had ids of their own, all shared those of systems.
        """
        return tuple(dict.fromkeys((self.entry_id(activity_id), activity_entry_id(activity_id))))


def record(
    deps: RecordDeps, activity: Activity, caller: str | None, manager: Manager | None = None
) -> RecordResult:
    """Record one activity; `caller` is the reporting rep, None for a trusted source or a `manager`.

    Raises:
        InvalidInput: names every field that is wrong.
        Forbidden: a rep reports another rep's work, or takes back a system's word; this reporter
            does not report such activities (K5).
        LeadNotFound, NotYours: there is no such lead; the rep did not hold it then.
        IllegalMove: the lead has ended otherwise.
        AlreadyExists: another activity of this reporter has this id.
        Busy: the store did not get to it.
    """
    [outcome] = record_all(deps, [activity], caller, manager)
    if isinstance(outcome, DibsError):
        raise outcome
    return outcome


def record_all(
    deps: RecordDeps,
    activities: Sequence[Activity],
    caller: str | None,
    manager: Manager | None = None,
) -> list[RecordResult | DibsError]:
    """Record activities independently, in order; return the result of each.

    A reversal may come before the activity it cancels; it is then recorded after it.
    """
    by = _Caller("rep", caller) if caller is not None else _Caller("system")
    if manager is not None:
        by = _Caller("manager", manager.manager_id, manager.team)
    entry_ids = [name for one in activities for name in by.entry_ids(one.activity_id)]
    stored = deps.ledger.find(entry_ids)
    rep_of, playbook = cache(deps.roster.get), deps.roster.playbook()
    first_place: dict[str, int] = {}
    for place, activity in enumerate(activities):
        first_place.setdefault(activity.activity_id, place)
    outcomes: dict[int, RecordResult | DibsError] = {}
    for place, activity in sorted(
        enumerate(activities),
        key=lambda item: (
            max(item[0], first_place.get(item[1].reverses or item[1].confirms, 0)),
            item[1].type in (REVERSAL, CONFIRMATION),
        ),
    ):
        try:
            outcomes[place] = _record(deps, activity, by, rep_of, playbook, stored)
        except DibsError as error:
            outcomes[place] = error
    if not playbook.first_activity and any(map(_begins, outcomes.values())):
        deps.roster.note_first_activity(deps.clock())
    return [outcomes[place] for place in range(len(activities))]


def record_together(
    deps: RecordDeps, activities: Sequence[Activity], rep_id: str
) -> list[RecordResult]:
    """Record what a rep reports at once: all of it, or nothing where one part is refused.

    What is recorded already is not judged again. A lead that has ended takes no part (C8).

    Raises:
        What `record` does; IllegalMove also where the lead has ended.
    """
    by = _Caller("rep", rep_id)
    rep_of, playbook = cache(deps.roster.get), deps.roster.playbook()
    stored = deps.ledger.find([n for one in activities for n in by.entry_ids(one.activity_id)])
    for activity in activities:
        _check(deps, activity, by, rep_of, playbook, stored)
    results = [_record(deps, one, by, rep_of, playbook, stored) for one in activities]
    if not playbook.first_activity and any(map(_begins, results)):
        deps.roster.note_first_activity(deps.clock())
    return results


def _check(
    deps: RecordDeps,
    activity: Activity,
    by: _Caller,
    rep_of: Callable[[str], Rep | None],
    playbook: Playbook,
    found: Mapping[str, Entry],
) -> None:
    """Raise what would refuse the rep's activity, and change nothing."""
    activity = replace(activity, rep_id=by.name)
    stored = _own(by, activity, found)
    if stored is not None:
        if stored.digest != activity.digest:
            raise AlreadyExists("Another activity has this activity_id; send a new one.")
        return
    problems = wrong(activity, deps.clock(), playbook.game.activities)
    if problems:
        raise InvalidInput(tuple(problems))
    _, change = _apply(deps, activity, by, rep_of, playbook)
    if change is not None and change.held.state in CLOSED:
        raise IllegalMove(
            f"This lead is closed ({change.held.state}), so nothing is recorded. "
            "If that is a mistake, ask a manager to take back what closed it."
        )


def _begins(outcome: RecordResult | DibsError) -> bool:
    """Tell whether this is an activity about a lead, from which on unworked leads go back (C11)."""
    about = isinstance(outcome, RecordResult) and outcome.entry.lead_id is not None
    return about and isinstance(outcome, RecordResult) and not outcome.entry.test


def _record(
    deps: RecordDeps,
    activity: Activity,
    by: _Caller,
    rep_of: Callable[[str], Rep | None],
    playbook: Playbook,
    found: Mapping[str, Entry],
) -> RecordResult:
    if by.reporter == "rep":
        if activity.rep_id not in ("", by.name):
            raise Forbidden("You may tell of your own work only.")
        activity = replace(activity, rep_id=by.name)
    problems = wrong(activity, deps.clock(), playbook.game.activities)
    if problems:
        raise InvalidInput(tuple(problems))
    stored = _own(by, activity, found)
    for attempt in attempts(pause=deps.pause):
        if stored is not None:
            return _repeated(deps, stored, activity, by, playbook)
        try:
            with attempt:
                if activity.type in (REVERSAL, CONFIRMATION):
                    entry, change = _about_another(deps, activity, by, playbook)
                else:
                    entry, change = _apply(deps, activity, by, rep_of, playbook)
                if deps.ledger.record(entry, change):
                    freed = change is not None and change.frees
                    _hand_over(deps, entry)
                    return RecordResult(entry, repeated=False, freed=freed)
        except Busy:
            raise
        except DibsError:
            # The lead may refuse it because a parallel request has just recorded it.
            stored = _stored(deps, activity, by)
            if stored is None:
                raise
            attempt.at_once = True
        else:
            stored = _stored(deps, activity, by)
    raise Busy


def _stored(deps: RecordDeps, activity: Activity, by: _Caller) -> Entry | None:
    return _own(by, activity, deps.ledger.find(by.entry_ids(activity.activity_id)))


def _own(by: _Caller, activity: Activity, found: Mapping[str, Entry]) -> Entry | None:
    """Return the caller's activity of this id, None where they reported none (C4)."""
    own, shared = (
        found.get(by.entry_id(activity.activity_id)),
        found.get(activity_entry_id(activity.activity_id)),
    )
    if own is not None or shared is None:
        return own
    # Stored before it was kept who reported it: theirs where it says the same.
    return shared if not shared.reporter and shared.digest == activity.digest else None


def _repeated(
    deps: RecordDeps, stored: Entry, activity: Activity, by: _Caller, playbook: Playbook
) -> RecordResult:
    """Return the stored activity, whoever holds the lead now (C4).

    Where it was reported without its amount, the amount may follow under the same id.
    """
    if stored.digest == activity.digest:
        _hand_over(deps, stored)
        return RecordResult(stored, repeated=True, freed=False)
    bare = replace(activity, amount=None, currency="", quantity=None)
    if stored.amount is not None or activity.amount is None or stored.digest != bare.digest:
        raise AlreadyExists("Another activity has this activity_id; send a new one.")
    money = _money(activity, by, playbook, deps.clock())
    amount = replace(
        stored,
        entry_id=amount_id(stored.entry_id),
        kind=AMOUNT,
        follows=stored.entry_id,
        digest=activity.digest,
        recorded_at=deps.clock(),
        quantity=activity.quantity,
        **money,
    )
    if deps.ledger.record(amount, None):
        return RecordResult(replace(stored, **money), repeated=False, freed=False)
    there = deps.ledger.find([amount.entry_id]).get(amount.entry_id)
    if there is None or there.digest != activity.digest:
        raise AlreadyExists("This activity has another amount; take it back with a reversal.")
    return RecordResult(replace(stored, **money), repeated=True, freed=False)


def _money(activity: Activity, by: _Caller, playbook: Playbook, now: datetime) -> dict[str, Any]:
    """Return the amount of an activity as its entry keeps it, with its value (K6).

    Raises:
        Forbidden, InvalidInput: the playbook does not believe it (K5).
    """
    money: dict[str, Any] = {"amount": activity.amount, "currency": activity.currency}
    money |= valued(activity.amount, activity.currency, activity.at, playbook)
    value: int | None = money.get("value")
    if value is None and activity.currency in ("", playbook.quota.currency):
        value = activity.amount
    found = not_believed(activity, by.reporter, playbook.game.reporting, value, now)
    if found:
        raise InvalidInput(tuple(found))
    return money


def _hand_over(deps: RecordDeps, entry: Entry) -> None:
    """Give a transferred lead to the colleague it was transferred to; a repeat is harmless (K4)."""
    if entry.kind == TRANSFER and entry.other and entry.lead_id and deps.hand_over is not None:
        deps.hand_over(entry.lead_id, entry.rep_id, entry.other)


def _another(deps: RecordDeps, activity: Activity, by: _Caller) -> Entry:
    """Return the activity that a reversal or a confirmation is about.

    An id is first one of the caller's own, then one of a system's, then one of the named rep's.

    Raises:
        InvalidInput: there is none, or it is about another lead.
        Forbidden: it is somebody else's.
    """
    name, field = activity.reverses, "reverses"
    if activity.type == CONFIRMATION:
        name, field = activity.confirms, "confirms"
    ids = [*by.entry_ids(name)]
    if activity.rep_id:
        ids.append(activity_entry_id(name, "rep", activity.rep_id))
    if activity.type == CONFIRMATION:
        ids.reverse()
    found = deps.ledger.find(ids)
    original = next((found[one] for one in ids if one in found), None)
    if original is not None and not by.acts_for(original.team):
        original = None
    problem = ""
    if original is None:
        problem = "there is no such activity; send it first, and name the rep_id whose it is"
    elif original.kind in (REVERSAL, CONFIRMATION):
        problem = f"is a {original.kind} itself; send the activity under a new activity_id"
    elif activity.lead_id and activity.lead_id != original.lead_id:
        problem = "is about another lead"
    if original is None or problem:
        raise InvalidInput((FieldError(field, problem),))
    if activity.rep_id not in ("", original.rep_id):
        raise Forbidden("That is somebody else's activity.")
    # Old activities about leads do not say who reported them; it may have been a system.
    reporter = original.reporter or ("" if original.lead_id else original.source)
    if by.reporter == "rep" and reporter != "rep":
        raise Forbidden("A system or a manager reported that; ask a manager to take it back.")
    return original


def _about_another(
    deps: RecordDeps, activity: Activity, by: _Caller, playbook: Playbook
) -> tuple[Entry, Step | None]:
    """Return the entry that reverses or confirms another, and its change to the lead.

    It is for the same rep and lead as the other entry, whoever holds the lead now.
    """
    _money(activity, by, playbook, deps.clock())
    original = _another(deps, activity, by)
    change = None
    history = deps.ledger.story(original.lead_id) if original.lead_id else None
    if history is not None and activity.type == REVERSAL:
        change = taken_back(
            history.lead,
            original.rep_id,
            original.kind,
            original.epoch,
            history.transitions,
            deps.clock(),
            original.digest,
        )
    about: dict[str, Any] = {"reverses": original.entry_id}
    if activity.type == CONFIRMATION:
        about = {"follows": original.entry_id}
    entry = new_entry(
        by.entry_id(activity.activity_id),
        activity.type,
        original.rep_id,
        original.team,
        activity.at,
        playbook,
        lead_id=original.lead_id,
        epoch=original.epoch,
        source=original.source,
        unit=unit_of(original),
        test=original.test,
        digest=activity.digest,
        reporter=by.reporter,
        recorded_at=deps.clock(),
        **about,
    )
    return entry, change


def _apply(
    deps: RecordDeps,
    activity: Activity,
    by: _Caller,
    rep_of: Callable[[str], Rep | None],
    playbook: Playbook,
) -> tuple[Entry, Step | None]:
    """Return the entry of an activity, and its change to the lead."""
    no_rep = InvalidInput((FieldError("rep_id", "there is no such rep"),))
    named = rep_of(activity.rep_id) if activity.rep_id else None
    if by.team and activity.rep_id and (named is None or not by.acts_for(named.team)):
        raise no_rep
    lead = deps.leads.get(activity.lead_id) if activity.lead_id else None
    if lead is None and activity.lead_id:
        raise LeadNotFound("There is no such lead.")
    try:
        holder = None if lead is None else _holder(deps, lead, activity)
    except (NotYours, InvalidInput) as error:
        if lead is None or by.acts_for(*_teams_of(lead, rep_of)):
            raise
        raise LeadNotFound("There is no such lead.") from error
    rep_id = activity.rep_id if holder is None else holder.rep_id
    rep = rep_of(rep_id)
    if rep is None:
        raise no_rep
    if not by.acts_for(rep.team):
        raise LeadNotFound("There is no such lead.")
    now = deps.clock()
    fields: dict[str, Any] = _money(activity, by, playbook, now)
    change = None
    if lead is None or holder is None:
        fields |= {"source": by.reporter}
    elif holder.until is None:
        change = step(lead, rep_id, activity, playbook.work.counts, now)
    else:
        # Who had the lead before changes nothing about it now.
        fields |= {"epoch": holder.epoch, "taken_at": holder.since}
    if activity.step:
        fields |= _step_fields(activity, rep, playbook)
    if activity.to_rep_id:
        fields |= {"other": _colleague(activity, rep_id, holder, rep_of)}
    entry = new_entry(
        by.entry_id(activity.activity_id),
        activity.type,
        rep_id,
        rep.team,
        activity.at,
        playbook,
        lead,
        digest=activity.digest,
        protected=is_protected(rep, activity.at, playbook),
        shared=() if lead is None else shared_with(deps.roster, rep, lead, playbook),
        reporter=by.reporter,
        recorded_at=now,
        late_at=now if by.reporter == "rep" and now - activity.at > _prompt(playbook) else None,
        quantity=activity.quantity,
        **fields,
    )
    return entry, change


def _teams_of(lead: Lead, rep_of: Callable[[str], Rep | None]) -> tuple[str, ...]:
    """Return whose lead it is: its holder's team's, or those it is offered to."""
    holder = rep_of(lead.owner) if lead.owner else None
    return lead.teams if holder is None else (holder.team,)


def _prompt(playbook: Playbook) -> timedelta:
    return timedelta(seconds=playbook.game.reporting.prompt_seconds)


def _holder(deps: RecordDeps, lead: Lead, activity: Activity) -> Holder:
    """Return who held the lead when the activity happened (K4).

    Raises:
        InvalidInput: it lies before the rep took the lead.
        NotYours: the rep did not hold it then, or nobody did.
    """
    since = lead.claimed_at
    holds = lead.owner is not None and activity.rep_id in ("", lead.owner)
    if lead.owner is not None and holds and (since is None or activity.at >= since - SKEW):
        return Holder(lead.owner, lead.epoch, since or activity.at)
    history = deps.ledger.story(lead.lead_id)
    found = None if history is None else holder_at(history, activity.at, activity.rep_id, SKEW)
    if found is not None:
        return found
    if holds:
        raise InvalidInput((FieldError("at", "lies before the rep took the lead"),))
    raise NotYours(
        "The rep did not hold this lead then." if activity.rep_id else "Nobody holds this lead."
    )


def _colleague(
    activity: Activity, rep_id: str, holder: Holder | None, rep_of: Callable[[str], Rep | None]
) -> str:
    """Return the colleague a lead is transferred to.

    Raises:
        InvalidInput: there is no such colleague.
        NotYours: the rep no longer holds the lead.
    """
    to = rep_of(activity.to_rep_id)
    if to is None or not to.active or to.rep_id == rep_id:
        problem = "is no colleague here; name the rep who gets the lead"
        raise InvalidInput((FieldError("to_rep_id", problem),))
    if holder is None or holder.until is not None:
        raise NotYours("Only who holds a lead can transfer it.")
    return to.rep_id


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
