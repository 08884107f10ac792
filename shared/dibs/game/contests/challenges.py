"""Challenges are contests of the whole organisation that recur by a calendar (G7).

What counts in each is a rule of the playbook, by default:

- Speed Week: the mean response time; the shortest wins.
- Quality Month: the share of claimed leads that became customers; the only one that takes a month.
- Volume Sprint: most claims, with own conversion kept: the share of claimed leads that became
  opportunities is no smaller than in the 28 days before.
- Underdog Week: by how many percent a rep's points pass their own past, without prizes: the week
  before, or the average of four where that is more. So that growth from almost nothing does not
  decide, some points are added to that past. A rep with no counts in the week before was away and
  is not placed.

The weekly challenges take turns, one each ISO week. Quality Month runs beside them, each calendar
month.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from dibs.core.calendar import named
from dibs.game.contests.rules import RESERVED, Contest, Minimum
from dibs.rules.game import Challenge, Challenges
from dibs.rules.playbook import Playbook

NAMES: Mapping[Challenge, str] = {
    "speed_week": "Speed Week",
    "quality_month": "Quality Month",
    "volume_sprint": "Volume Sprint",
    "underdog_week": "Underdog Week",
}

_WEEK = timedelta(weeks=1)
_MONTHLY: Challenge = "quality_month"


@dataclass(frozen=True)
class ChallengeSlot:
    """A challenge and its period, such as 2026-W48 or 2026-12, with its local days."""

    challenge: Challenge
    period: str
    first_day: date
    last_day: date

    @property
    def contest_id(self) -> str:
        return f"{RESERVED}{self.challenge}-{self.period}"


def calendar(challenges: Challenges, first: date, last: date) -> list[ChallengeSlot]:
    """Return the challenges that overlap the days from `first` to `last`.

    The rotation's weekly challenges take turns from the week of `starts` on. Quality Month is every
    month that begins in that week or later.
    """
    starts = challenges.starts
    if starts is None or not challenges.rotation:
        return []
    monday = starts - timedelta(days=starts.weekday())
    weekly = [name for name in challenges.rotation if name != _MONTHLY]
    slots = []
    week = max(monday, first - timedelta(days=first.weekday()))
    while weekly and week <= last:
        turn = (week - monday) // _WEEK
        year, number, _ = week.isocalendar()
        name = weekly[turn % len(weekly)]
        slots.append(
            ChallengeSlot(name, f"{year:04}-W{number:02}", week, week + _WEEK - timedelta(days=1))
        )
        week += _WEEK
    month = first.replace(day=1)
    while _MONTHLY in challenges.rotation and month <= last:
        period = named(f"{month:%Y-%m}", "UTC")
        if month >= monday:
            slots.append(ChallengeSlot(_MONTHLY, period.name, period.first_day, period.last_day))
        month = period.last_day + timedelta(days=1)
    return sorted(slots, key=lambda slot: (slot.first_day, slot.challenge))


def contest_of(slot: ChallengeSlot, playbook: Playbook) -> Contest:
    """Return the contest of a challenge, for all reps of all teams."""
    rules = playbook.game.challenges
    rule = rules.rule_for(slot.challenge)
    return Contest(
        contest_id=slot.contest_id,
        name=NAMES[slot.challenge],
        kind="individual",
        first_day=slot.first_day,
        last_day=slot.last_day,
        teams=tuple(playbook.teams),
        metric=rule.formula,
        better=rule.better,
        improvement=rule.improvement,
        prior=rule.prior if rule.improvement else 0,
        keeps=rule.keeps,
        minimum=Minimum(rule.minimum_of, rules.minimum) if rules.minimum else None,
        tie_breakers=rule.tie_breakers,
        late_days=rule.late_days,
        prize_points=rules.prize_points,
        prize=rules.prize,
        hidden=rules.hidden,
    )


def challenge_of(contest: Contest) -> Challenge:
    """Return the challenge of a contest that the calendar set up."""
    return next(name for name in NAMES if contest.contest_id.startswith(f"{RESERVED}{name}-"))
