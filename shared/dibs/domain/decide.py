"""The one decision: may this rep have this lead now?

The same function picks whom to notify, judges a claim, and tells a rep on any screen why or why
not. It is pure: the lead, the rep, what the rep has used up, the rules and the time go in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from dibs.domain.calendar import (
    Hours,
    Schedule,
    day_start,
    next_on_duty,
    off_duty,
    parse_hours,
)
from dibs.domain.errors import Refusal, lifts_at
from dibs.domain.leads import Lead
from dibs.domain.playbook import Playbook, Team
from dibs.domain.reps import Limits, Rep


@dataclass(frozen=True)
class Eligible:
    """The rep may claim, and has been able to since `since`."""

    since: datetime


@dataclass(frozen=True)
class Refused:
    """Every rule that says no, in the order a person would want to hear them.

    `lifts_at` is when time alone has lifted them all, None where it does not (C3).
    """

    refusals: tuple[Refusal, ...]
    lifts_at: datetime | None


Verdict = Eligible | Refused

# One refusal may hide another that begins later; more than this many in a row are not real.
_LIFTINGS = 12


def decide(lead: Lead, rep: Rep, limits: Limits, playbook: Playbook, now: datetime) -> Verdict:
    """Judge whether `rep` may claim `lead` at `now` (C2).

    The lead is taken to be open; whether it was already claimed is for the lock to say.
    """
    refusals = _refusals(lead, rep, limits, playbook, now)
    if not refusals:
        return Eligible(lead.openings(rep.team)[rep.tier - 1] or lead.opens_at)
    moment = lifts_at(refusals)
    for _ in range(_LIFTINGS):
        if moment is None or moment >= lead.closes_at:
            break
        then = _refusals(lead, rep, limits, playbook, moment)
        if not then:
            break
        moment = lifts_at(then)
    return Refused(tuple(refusals), moment)


def _refusals(
    lead: Lead, rep: Rep, limits: Limits, playbook: Playbook, now: datetime
) -> list[Refusal]:
    refusals: list[Refusal] = []
    if rep.team not in lead.teams:
        refusals.append(Refusal("not_routed", None, "This lead goes to other teams."))
    opens_at = lead.openings(rep.team)[rep.tier - 1]
    if opens_at is None:
        refusals.append(
            Refusal("assigned_only", None, "Leads like this come to you by assignment only.")
        )
    elif now < opens_at:
        refusals.append(Refusal("not_open_yet", opens_at, "Your window for this lead opens soon."))
    if now >= lead.closes_at:
        refusals.append(Refusal("closed", None, "The window for this lead has closed."))
    refusals += gave_back(lead, rep, playbook, now)
    refusals += off(rep, playbook, now)
    today = rep.today(now)
    if not lead.test and limits.claims_on(today) >= playbook.claims_per_day:
        refusals.append(
            Refusal(
                "daily_limit",
                day_after(max(today, limits.day or today), rep.zone),
                f"You have reached your limit for today ({playbook.claims_per_day}). "
                "The count starts again at midnight in your time zone.",
            )
        )
    if not lead.test:
        refusals += over_allowance(rep, limits, playbook, now)
    return refusals


def gave_back(lead: Lead, rep: Rep, playbook: Playbook, now: datetime) -> list[Refusal]:
    """Return why the rep cannot have a lead again that they had before (C5).

    Not within the cooldown after they released it, and never twice in a row, however they lost it.
    An undone claim is none.
    """
    found: list[Refusal] = []
    released_at, days = lead.released.get(rep.rep_id), playbook.release.cooldown_days
    again_at = released_at and released_at + timedelta(days=days)
    if again_at and now < again_at:
        found.append(
            Refusal(
                "released_lately",
                again_at,
                f"You released this lead. It is kept for others for a while (days: {days}).",
            )
        )
    if lead.previous == rep.rep_id:
        found.append(
            Refusal(
                "not_twice_in_a_row",
                None,
                "You had this lead last. It goes to somebody else first.",
            )
        )
    return found


def off(rep: Rep, playbook: Playbook, now: datetime) -> list[Refusal]:
    """Return why the rep is not on duty now (R8): nothing when they are."""
    found: list[Refusal] = []
    if not rep.active:
        found.append(Refusal("left", None, "Your account is closed. Ask your manager."))
    if rep.is_paused(now):
        found.append(
            Refusal("paused", rep.paused_until, "You are paused. Switch yourself on to claim.")
        )
    calendar = schedule_of(rep, playbook)
    why = off_duty(calendar, now)
    if why:
        found.append(replace(_OFF_DUTY[why], lifts_at=next_on_duty(calendar, now)))
    return found


_OFF_DUTY = {
    "on_leave": Refusal("on_leave", None, "You are on leave."),
    "holiday": Refusal("holiday", None, "Today is a holiday in your team."),
    "outside_hours": Refusal("outside_hours", None, "You are outside your working hours."),
}


def over_allowance(rep: Rep, limits: Limits, playbook: Playbook, now: datetime) -> list[Refusal]:
    """Return the weekly allowance's refusal (M4) when the rep has used it up."""
    allowance = allowance_of(rep, playbook, now)
    week = rep.this_week(now)
    if allowance is None or limits.leads_in(week) < allowance:
        return []
    counted = max(week, limits.week or week)
    return [
        Refusal(
            "weekly_allowance",
            day_start(counted + timedelta(days=7), rep.zone),
            f"You have had your leads for this week ({allowance}). "
            "The count starts again on Monday in your time zone.",
        )
    ]


def allowance_of(rep: Rep, playbook: Playbook, now: datetime) -> int | None:
    """Return how many leads the rep may take this week (M4), None where there is no quota."""
    if not playbook.quota.enabled:
        return None
    whole = playbook.quota.base_per_week if rep.allowance is None else rep.allowance
    return first_week(whole, rep.joined_on, rep.this_week(now))


def first_week(weekly: int, joined: date | None, week_first: date) -> int:
    """Return the allowance of the week that begins on `week_first`.

    In the week a rep joins, `weekly` is pro rata for the calendar days left of it, the day of
    joining among them, rounded up; every other week has all of it.
    """
    missed = (joined - week_first).days if joined else 0
    if not 0 < missed < 7:
        return weekly
    return -(-weekly * (7 - missed) // 7)


def schedule_of(rep: Rep, playbook: Playbook) -> Schedule:
    """Return when the rep is on duty: by their own hours, else the team's, without their leave."""
    team = playbook.teams.get(rep.team)
    hours = rep.hours if rep.hours.week or team is None else team_hours(team)
    holidays = frozenset(() if team is None else team.holidays)
    return Schedule(rep.zone, hours, holidays, rep.leave)


def team_schedule(team: Team) -> Schedule:
    """Return when a team's clocks run (C11): its hours in its zone, without its holidays."""
    return Schedule(team.zone, team_hours(team), frozenset(team.holidays))


def team_hours(team: Team) -> Hours:
    """Return a team's working hours; none written means always."""
    return _parsed(tuple((day, tuple(shifts)) for day, shifts in team.hours.items()))


@lru_cache(maxsize=256)
def _parsed(written: tuple[tuple[str, tuple[str, ...]], ...]) -> Hours:
    return parse_hours(dict(written))


def day_after(day: date, zone: str) -> datetime:
    """Return, in UTC, the first moment of the zone's next calendar day (DST-correct)."""
    return day_start(day + timedelta(days=1), zone)
