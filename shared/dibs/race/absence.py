"""What time away earns (F10): credits for leads outside the race, or for head starts. Pure.

The rep's own working hours inside each leave that has ended earn a credit per so many, rounded
down. They fall due evenly over the days until they expire, the first on the day of return, so that
nobody comes back to all of them at once.

A credit is used on the last day of the leave that earned it. What was used counts against whatever
leave is on record for as long as it could have been used: leave that is edited, moved or split
afterwards earns nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from dibs.core.calendar import day_start, duty_between
from dibs.core.rep import Rep, Usage
from dibs.race.decide import schedule_of
from dibs.rules.rules import Rules

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Credits:
    """A rep's credits: `left` that they may still use, of which `due` by now, until `expires_on`.

    `expires_on` is the last day of those that expire first; None where there are none left.
    `charged_to` is the leave's last day the next one is used on, None where none is due.
    """

    left: int = 0
    due: int = 0
    expires_on: date | None = None
    charged_to: date | None = None


@dataclass(frozen=True)
class Credit:
    """One credit being used: what the rep had used `before`, and has used `after`."""

    rep_id: str
    before: tuple[date, ...]
    after: tuple[date, ...]


@dataclass(frozen=True)
class _Earned:
    last: date
    first: date
    credits: int
    due: int


def credits_of(rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> Credits:
    """Return what a rep's absences have earned and they have not used."""
    if not playbook.absence.hours_per_credit or not rep.leave:
        return Credits()
    earned, today = list(_earned(rep, playbook, now)), rep.today(now)
    oldest = today - playbook.absence.expires_days * _DAY
    since = min([oldest, *(one.first for one in earned)])
    used = [day for day in usage.credits_used if day >= since]
    left = sum(one.credits for one in earned) - len(used)
    due = sum(one.due for one in earned) - len(used)
    if left <= 0:
        return Credits()
    own = [sum(one.first <= day <= one.last for day in used) for one in earned]
    pairs = list(zip(earned, own, strict=True))
    soonest = next(one.last for one, n in pairs if n < one.credits)
    charged_to = next((one.last for one, n in pairs if n < one.due), None) if due > 0 else None
    return Credits(left, max(0, due), soonest + playbook.absence.expires_days * _DAY, charged_to)


def using(rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> Credit | None:
    """Return the rep's next credit as it is used up, None where none is due."""
    day = credits_of(rep, usage, playbook, now).charged_to
    if day is None:
        return None
    # What can count no more is forgotten, so that the record stays small.
    oldest = rep.today(now) - timedelta(days=400)
    kept = tuple(one for one in usage.credits_used if one >= oldest)
    return Credit(rep.rep_id, usage.credits_used, (*kept, day))


def _earned(rep: Rep, playbook: Rules, now: datetime) -> Iterator[_Earned]:
    """Yield each leave that has ended and whose credits have not expired, the oldest first."""
    rules, today = playbook.absence, rep.today(now)
    schedule = replace(schedule_of(rep, playbook), leave=())
    for first, last in _leaves(rep):
        back = (today - last).days - 1
        if not 0 <= back < rules.expires_days:
            continue
        start, end = day_start(first, rep.zone), day_start(last + _DAY, rep.zone)
        hours = duty_between(schedule, start, end) // timedelta(hours=1)
        credits = hours // rules.hours_per_credit
        if credits:
            due = min(credits, credits * back // rules.expires_days + 1)
            yield _Earned(last, first, credits, due)


def _leaves(rep: Rep) -> list[tuple[date, date]]:
    """Return the rep's leave in order, what overlaps or touches as one."""
    found: list[tuple[date, date]] = []
    for first, last in sorted(rep.leave):
        if found and first <= found[-1][1] + _DAY:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found
