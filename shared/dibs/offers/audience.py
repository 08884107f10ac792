"""Which reps may be told of a lead now (R8, R11, O2)."""

from __future__ import annotations

from datetime import datetime

from dibs.core.calendar import off_duty
from dibs.core.lead import Lead
from dibs.core.rep import Rep
from dibs.race.decide import off, schedule_of_team
from dibs.rules.rules import Rules


def may_be_told(lead: Lead, rep: Rep, playbook: Rules) -> bool:
    """Tell whether the rep may be told of the lead.

    A test lead is made known to the playbook's test reps only, unless its post asks for everybody:
    by no alert, and in no list of others.
    """
    return not lead.test or lead.test_everybody or rep.rep_id in playbook.test_reps


def reachable(lead: Lead, rep: Rep, playbook: Rules, now: datetime) -> bool:
    """Tell whether an offer of the lead may reach the rep now.

    Not who left, is off duty or wants quiet (R8). Whatever a rep's own hours are, nobody is told of
    a lead outside the team's (R11).
    """
    return (
        may_be_told(lead, rep, playbook)
        and not rep.is_quiet(now)
        and not off(rep, playbook, now)
        and not off_duty(schedule_of_team(playbook, rep.team), now)
    )
