"""Give out the turns to see new leads first (F6), a day at a time and before it begins (O1).

What is recorded is what counts. A run that was missed is caught up by the next: days that are over
had no turns, and of a day under way only the slots still to come are given out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from dibs.assignment.head_starts import give_turns
from dibs.assignment.ports import PriorityTurns
from dibs.core.calendar import day_of
from dibs.core.jobs import Ran
from dibs.roster.ports import Roster

# So early are a day's turns given out: in the evening, and late enough to know who is away.
AHEAD = timedelta(hours=6)


def turns_daily(roster: Roster, turns: PriorityTurns, as_of: datetime) -> Ran:
    """Give out each team's turns of the day it is `AHEAD` of `as_of`; asked twice, once."""
    playbook, total = roster.playbook(), Ran()
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
        stands, given = give_turns(last, team, members, playbook, day, as_of)
        if turns.give(team, last, stands, day, given):
            total += Ran(1, len(members), len(stands.given))
    return total
