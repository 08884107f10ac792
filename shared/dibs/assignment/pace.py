"""A newcomer's guaranteed leads come evenly over their week, never all on Monday (F8). Pure.

The working time of their week, by their own hours and without leave, is cut into as many equal
parts as leads are guaranteed. One lead is due at the start of each part. Every lead they claim or
are assigned in the week counts. In the first and the last week the guarantee is pro rata for the
calendar days, rounded up, and is spread over what is left of the week.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from dibs.core.calendar import day_start, duty_between
from dibs.core.rep import Rep, Usage
from dibs.race.decide import schedule_of
from dibs.race.newcomers import guaranteed
from dibs.rules.rules import Rules


def guaranteed_this_week(rep: Rep, playbook: Rules, now: datetime) -> int:
    """Return how many leads the rep is guaranteed in the week `now` is in."""
    weekly = guaranteed(rep, playbook, now)
    if not weekly or rep.joined_on is None:
        return 0
    first, last = _days(rep, playbook, now)
    return -(-weekly * (last - first) // 7)


def due_by(rep: Rep, playbook: Rules, now: datetime) -> int:
    """Return how many of the week's guaranteed leads are due by `now`."""
    weekly = guaranteed_this_week(rep, playbook, now)
    if not weekly:
        return 0
    monday = rep.this_week(now)
    first, last = _days(rep, playbook, now)
    start = day_start(monday + timedelta(days=first), rep.zone)
    end = day_start(monday + timedelta(days=last), rep.zone)
    schedule = schedule_of(rep, playbook)
    work = duty_between(schedule, start, end)
    if not work or now < start:
        return 0
    due = duty_between(schedule, start, now) * weekly // work + 1
    return min(weekly, due)


def behind(rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> int:
    """Return how many due leads the rep has not had; 0 for a rep who is no newcomer."""
    leads = usage.leads_in(rep.this_week(now))
    return max(0, due_by(rep, playbook, now) - leads)


def _days(rep: Rep, playbook: Rules, now: datetime) -> tuple[int, int]:
    """Return the days of the rep's week with a guarantee: first and end (exclusive), 0 to 7."""
    monday = rep.this_week(now)
    joined = rep.joined_on or monday
    ends = (joined - monday).days + playbook.newcomers.until_day
    return max(0, min(7, (joined - monday).days)), max(0, min(7, ends))
