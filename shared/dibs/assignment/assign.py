"""Assign leads without a race: those that go by turn (M3, M5), and those no rep claimed (C7).

A lead waits in the queue until a rep may take it. The queue is served oldest first: whenever a
lead joins it, whenever a rep frees up, and each minute. A lead that no rep could take for too long
goes to the team's fallback person, whatever their limits. A reserved lead goes to the newcomer
(F8) or the rep who was away (F10) who is owed it most. If no rep is owed it any more, it is raced.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from dibs.assignment.allocate import raced_instead
from dibs.assignment.pace import due_by
from dibs.assignment.ports import AssignmentWrite, Holdings
from dibs.assignment.reservations import CREDIT, NEWCOMER
from dibs.assignment.round_robin import (
    Candidates,
    Turn,
    candidates,
    next_turn,
    not_assignable,
    passed_over,
)
from dibs.core.attempts import attempts
from dibs.core.calendar import off_duty, working_time_after
from dibs.core.errors import Busy
from dibs.core.lead import Claim, Lead, State, moved
from dibs.core.rep import Rep, Usage
from dibs.race.absence import using
from dibs.race.decide import schedule_of_team
from dibs.race.lifecycle import new_claim
from dibs.race.ports import RaceStore, RaceView
from dibs.race.usage import count_lead
from dibs.race.verdicts import RecordedVerdicts
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook

ATTEMPTS = 12
# One run assigns at most this many leads; the next run continues.
SLICE = 200

FALLBACK = "fallback"
CAUSES = {State.NEW: "assigned", State.EXPIRED: "unclaimed", State.RELEASED: "returned"}
"""Why a lead was assigned, by the state it waited in. `FALLBACK`: to the fallback person (C7)."""


def serve(
    queue: Sequence[Lead],
    race: RaceStore,
    roster: Roster,
    holdings: Holdings,
    clock: Callable[[], datetime],
    pause: Callable[[float], None] = time.sleep,
    keep: Callable[[RecordedVerdicts], None] = lambda judged: None,
) -> list[Claim]:
    """Assign the leads of the queue in order where a rep may take them; return the assignments.

    The verdicts behind each assignment are handed to `keep` (R9).
    """
    claims: list[Claim] = []
    members: dict[tuple[str, ...], dict[str, tuple[Rep, Usage]]] = {}
    for lead in queue:
        if len(claims) == SLICE:
            break
        if lead.teams not in members:
            # A lead whose teams have all left the playbook may go to any team.
            ours = [team for team in lead.teams if team in roster.playbook().teams]
            teams = ours or roster.playbook().teams
            members[lead.teams] = {
                rep.rep_id: (rep, usage)
                for team in teams
                for rep, usage in roster.team(team, fresh=True)
            }
        claim = _assigned(lead, members[lead.teams], race, roster, holdings, clock, pause, keep)
        if claim is not None:
            claims.append(claim)
    return claims


def _assigned(
    lead: Lead,
    members: dict[str, tuple[Rep, Usage]],
    race: RaceStore,
    roster: Roster,
    holdings: Holdings,
    clock: Callable[[], datetime],
    pause: Callable[[float], None],
    keep: Callable[[RecordedVerdicts], None],
) -> Claim | None:
    """Assign the lead to the rep whose turn it is.

    None when no rep may take it, when it no longer waits, or when it was opened for a race.
    """
    for attempt in attempts(ATTEMPTS + len(members), pause):
        playbook, now = roster.playbook(), clock()
        raced = raced_instead(lead, members.values(), playbook, now, race.open_leads)
        if raced is not None:
            holdings.open(lead, *raced)
            return None
        group = candidates(lead, members.values(), playbook, now)
        last = holdings.last_turn(group.name) if group.weights else Turn()
        turn = next_turn(group.weights, last)
        rep_id = turn.rep_id if turn else _last_resort(lead, playbook, roster, now)
        if rep_id is None:
            return None
        # The snapshot only proposes: the check uses lead, rep and usage as stored now.
        view = race.read(lead.lead_id, rep_id)
        if view.lead is None or not _waits(view.lead, lead.epoch):
            return None
        if view.rep is None or not view.rep.active:
            members.pop(rep_id, None)
            if turn is None:
                return None
            attempt.at_once = True
            continue
        if rep_id in members:  # a fallback person of another team takes no turns here
            members[rep_id] = (view.rep, view.usage)
        now_free = not not_assignable(view.rep, view.usage, playbook, now)
        # The rep may have got the lead they were owed meanwhile.
        again = candidates(lead, members.values(), playbook, now) if group.why else group
        same = again.why == group.why and rep_id in again.weights
        if turn is not None and not (now_free and same):
            attempt.at_once = True
            continue
        taken = _taken(view, playbook, now, group, last, turn)
        with attempt:
            if holdings.assign(view.lead, taken):
                keep(_judged(view.lead, members.values(), group, taken.claim, playbook, now))
                if rep_id in members:
                    members[rep_id] = (view.rep, taken.counts.applied_to(view.usage))
                return taken.claim
    raise Busy


def _judged(
    lead: Lead,
    members: Iterable[tuple[Rep, Usage]],
    group: Candidates,
    claim: Claim,
    playbook: Playbook,
    now: datetime,
) -> RecordedVerdicts:
    verdicts = passed_over(lead, members, group, claim.rep_id, playbook, now)
    version = playbook.version
    return RecordedVerdicts(
        lead.lead_id, lead.epoch, now, now, lead.teams, version, verdicts, "assigned"
    )


def _waits(lead: Lead, epoch: int) -> bool:
    """Return whether a lead still waits to be assigned and no manager has put it on hold (R7)."""
    return lead.state in CAUSES and lead.epoch == epoch and not lead.on_hold


def _taken(
    view: RaceView,
    playbook: Playbook,
    now: datetime,
    group: Candidates,
    last: Turn,
    turn: Turn | None,
) -> AssignmentWrite:
    lead, rep = view.lead, view.rep
    if lead is None or rep is None:
        raise ValueError("an assignment needs a lead and a rep")
    cause = (group.why or CAUSES[lead.state]) if turn else FALLBACK
    claim = new_claim(lead, rep, playbook, now, lead.opens_at, cause)
    _, transition = moved(replace(lead, owner=rep.rep_id), State.ASSIGNED, now, cause, "dibs")
    credit = using(rep, view.usage, playbook, now) if cause == CREDIT else None
    most = due_by(rep, playbook, now) if cause == NEWCOMER else None
    counts = count_lead(
        rep,
        lead,
        view.usage,
        playbook,
        claim,
        bound=turn is not None,
        credit=credit,
        week_most=most,
    )
    return AssignmentWrite(claim, transition, group.name, last, turn, counts)


def _last_resort(lead: Lead, playbook: Playbook, roster: Roster, now: datetime) -> str | None:
    """Return the fallback person for a lead that has waited long enough, None before (C7).

    The lead's own teams come first, then the others, so that no lead stays unassigned. The
    previous owner comes last (C5). Reps who have left are skipped. The wait is counted in the hours
    of its first team, holidays included: somebody has to have it on those, too (R11).
    """
    teams = [*(team for team in lead.teams if team in playbook.teams), *playbook.teams]
    waits = timedelta(seconds=playbook.assignment.fallback_after_seconds)
    schedule = replace(schedule_of_team(playbook, teams[0]), holidays=frozenset())
    due = working_time_after(schedule, lead.closes_at, waits) or lead.closes_at + waits
    if now < due or off_duty(schedule, now):
        return None
    named = dict.fromkeys(playbook.teams[team].fallback for team in teams)
    named = dict.fromkeys(sorted(named, key=lambda rep_id: rep_id == lead.previous_owner))
    reps = (roster.get(rep_id) for rep_id in named if rep_id)
    return next((rep.rep_id for rep in reps if rep is not None and rep.active), None)
