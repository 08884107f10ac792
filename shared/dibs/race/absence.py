"""Absence credits (F10): leave earns leads outside the race, or head starts. Pure.

Every so many working hours within a leave that has ended earn one credit, rounded down. The
credits fall due evenly over the days until they expire, the first on the day of return. So no rep
gets all of them at once.

A used credit is recorded as the last day of the leave that earned it. It counts against all leave
on record until it would have expired. So leave that is edited, moved or split afterwards earns
nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from dibs.core.calendar import day_start, duty_between
from dibs.core.rep import Rep, Usage
from dibs.core.values import dataclass
from dibs.race.decide import schedule_of
from dibs.rules.rules import Rules

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Credits:
    """A rep's credits: how many are `left`, and how many of them are `due` by now.

    `expires_on` is the last day of those that expire first, None without any left. The next one
    used is recorded as `charged_to`, the last day of its leave; None if none is due.
    """

    left: int = 0
    due: int = 0
    expires_on: date | None = None
    charged_to: date | None = None


@dataclass(frozen=True)
class Credit:
    """The use of one credit: the rep's used credits `before` and `after` it."""

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
    """Return the credits that a rep's leave has earned and the rep has not used."""
    if not playbook.absence.hours_per_credit or not rep.leave:
        return Credits()
    earned, today = list(_earned(rep, playbook, now)), rep.today(now)
    oldest = today - playbook.absence.expires_days * _DAY
    since = min([oldest, *(leave.first for leave in earned)])
    used = [day for day in usage.credits_used if day >= since]
    left = sum(leave.credits for leave in earned) - len(used)
    due = sum(leave.due for leave in earned) - len(used)
    if left <= 0:
        return Credits()
    own = [sum(leave.first <= day <= leave.last for day in used) for leave in earned]
    pairs = list(zip(earned, own, strict=True))
    soonest = next(leave.last for leave, n in pairs if n < leave.credits)
    charged_to = (
        next((leave.last for leave, n in pairs if n < leave.due), None) if due > 0 else None
    )
    return Credits(left, max(0, due), soonest + playbook.absence.expires_days * _DAY, charged_to)


def using(rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> Credit | None:
    """Return the use of the rep's next credit, None if none is due."""
    day = credits_of(rep, usage, playbook, now).charged_to
    if day is None:
        return None
    # Used credits that can count no more are dropped, so that the record stays small.
    oldest = rep.today(now) - timedelta(days=400)
    kept = tuple(used for used in usage.credits_used if used >= oldest)
    return Credit(rep.rep_id, usage.credits_used, (*kept, day))


def _earned(rep: Rep, playbook: Rules, now: datetime) -> Iterator[_Earned]:
    """Yield the credits of each leave that has ended, until they expire, the oldest first."""
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
    """Return the rep's leave in order; leave that overlaps or is adjacent is merged."""
    leaves: list[tuple[date, date]] = []
    for first, last in sorted(rep.leave):
        if leaves and first <= leaves[-1][1] + _DAY:
            leaves[-1] = leaves[-1][0], max(leaves[-1][1], last)
        else:
            leaves.append((first, last))
    return leaves
