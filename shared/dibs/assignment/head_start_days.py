"""Plan who sees new leads first (F6), one day at a time and before the day begins (O1).

The recorded turns are the ones that count. The next run makes up for a missed one: past days had
no turns, and on a day that has begun only the slots still to come are planned.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from dibs.assignment.head_starts import give_turns
from dibs.assignment.ports import PriorityTurns
from dibs.core.calendar import day_of
from dibs.core.jobs import JobResult
from dibs.roster.ports import Roster

# Turns are planned this long before the day: in the evening, when it is known who will be away.
AHEAD = timedelta(hours=6)


def turns_daily(roster: Roster, turns: PriorityTurns, as_of: datetime) -> JobResult:
    """Plan each team's turns of the day that contains `as_of` plus `AHEAD`; repeating is safe."""
    playbook, total = roster.playbook(), JobResult()
    if not playbook.priority.share_percent:
        return total
    for team, rules in playbook.teams.items():
        if not playbook.model_of(team).races:
            continue
        day = day_of(rules.zone, as_of + AHEAD).first_day
        last = turns.rotation(team)
        if last.day is not None and last.day >= day:
            continue
        members = [rep for rep, _ in roster.team(team, fresh=True)]
        rotation, day_turns = give_turns(last, team, members, playbook, day, as_of)
        if turns.give(team, last, rotation, day, day_turns):
            total += JobResult(1, len(members), len(rotation.given))
    return total
