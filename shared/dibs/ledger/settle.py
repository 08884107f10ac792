"""Sales whose amount is held count once the playbook has a rate of their currency (K6)."""

from __future__ import annotations

from datetime import datetime, timedelta

from dibs.core.calendar import week_of
from dibs.core.jobs import JobResult
from dibs.ledger.amounts import settled
from dibs.ledger.outcomes import standing
from dibs.ledger.ports import Ledger
from dibs.rules.playbook import Playbook

_WEEK = timedelta(weeks=1)


def settle_amounts(ledger: Ledger, playbook: Playbook, as_of: datetime) -> JobResult:
    """Write the value of every held sale there is a rate for; a second run changes nothing.

    It looks as far back as a system may report.
    """
    done = JobResult()
    if not playbook.game.rates:
        return done
    # An activity may be reported on the last day and be held for as long again.
    back = 2 * playbook.game.reporting.system_days // 7 + 1
    for team, rules in playbook.teams.items():
        weeks = [week_of(rules.zone, as_of - n * _WEEK).name for n in range(back + 1)]
        for week in weeks:
            found = [settled(one, playbook) for one in standing(ledger.of_team(team, [week]))]
            rated = [entry for entry in found if entry is not None]
            ledger.put(rated)
            done += JobResult(periods=1, changed=len(rated))
    return done
