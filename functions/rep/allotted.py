"""A rep's own share of what does not go to the fastest: turns, guarantee, credits (F6, F8-F10)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from dibs.assignment.head_starts import turn_of
from dibs.assignment.pace import due_by, guaranteed_this_week
from dibs.assignment.ports import PriorityTurns
from dibs.core.calendar import day_of
from dibs.core.rep import Rep, Usage
from dibs.race.absence import credits_of
from dibs.race.newcomers import Phase, phase_of, phase_until
from dibs.rules.playbook import Playbook


def allotted(
    rep: Rep, usage: Usage, playbook: Playbook, turns: PriorityTurns, now: datetime
) -> dict[str, Any]:
    """Return what `GET /me` says of it; None for each rule that is off or not for them."""
    return {
        "priority": _turns(rep, playbook, turns, now),
        "newcomer": _newcomer(rep, usage, playbook, now),
        "credits": _credits(rep, usage, playbook, now),
    }


def _turns(
    rep: Rep, playbook: Playbook, turns: PriorityTurns, now: datetime
) -> dict[str, Any] | None:
    team = playbook.teams.get(rep.team)
    if not playbook.priority.share_percent or team is None:
        return None
    today = day_of(team.zone, now).first_day
    found = {
        name: turn_of(turns.of_day(rep.team, day), rep.rep_id, now)
        for name, day in (("today", today), ("tomorrow", today + timedelta(days=1)))
    }
    return {
        "head_start_seconds": playbook.priority.head_start_seconds,
        **{
            name: None if turn is None else {"from": turn.start, "until": turn.end}
            for name, turn in found.items()
        },
    }


def _newcomer(rep: Rep, usage: Usage, playbook: Playbook, now: datetime) -> dict[str, Any] | None:
    phase, guaranteed = phase_of(rep, playbook, now), guaranteed_this_week(rep, playbook, now)
    if phase is Phase.FULL and not guaranteed:
        return None
    return {
        "phase": phase,
        "phase_ends_at": phase_until(rep, playbook, now),
        "guaranteed_this_week": guaranteed,
        "due_by_now": due_by(rep, playbook, now),
        "had_this_week": usage.leads_in(rep.this_week(now)),
    }


def _credits(rep: Rep, usage: Usage, playbook: Playbook, now: datetime) -> dict[str, Any] | None:
    rules = playbook.absence
    if not rules.hours_per_credit:
        return None
    found = credits_of(rep, usage, playbook, now)
    return {
        "earns": rules.earns,
        "left": found.left,
        "due_by_now": found.due,
        "last_day": None if found.expires_on is None else str(found.expires_on),
    }
