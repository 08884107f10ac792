"""How many leads a rep may take: limits of competitive claims (F7) and the allowance (M4). Pure.

`usage.py` counts them.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from dibs.core.calendar import day_start
from dibs.core.errors import Refusal
from dibs.core.lead import Claim, Lead
from dibs.core.rep import Rep, Usage
from dibs.core.values import dataclass
from dibs.race.guards import Guard
from dibs.rules.rules import Limit, Rules

SPANS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
"""The periods of rolling limits."""

_COUNTED = {"hour": "hour_claims", "day": "claims", "week": "week_claims", "in_hand": "in_hand"}
"""The counter of each limit that is not rolling."""


@dataclass(frozen=True)
class UsedLimit:
    """A limit and how much of it is used."""

    per: str
    rolling: bool
    used: int
    most: int


def used_limits(rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[UsedLimit]:
    """Return every limit that binds the rep, and how much of it is used."""
    return [
        UsedLimit(limit.per, limit.rolling, used(limit, rep, usage, now), limit.most)
        for limit in playbook.limits_of(rep.tier)
    ]


def over_limits(
    lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime
) -> list[Refusal]:
    """Return every limit of competitive claims that keeps the rep from the lead (F7).

    Of two with the same code, such as two daily limits, it returns the one that lifts later.
    """
    reached = [
        _reached(limit, rep, usage, now)
        for limit in _binding(lead, rep, playbook)
        if used(limit, rep, usage, now) >= limit.most
    ]
    by_code: dict[str, Refusal] = {}
    for refusal in reached:
        other = by_code.get(refusal.code)
        later = other is None or (refusal.lifts_at or now) > (other.lifts_at or now)
        by_code[refusal.code] = refusal if later else other or refusal
    return list(by_code.values())


def _binding(lead: Lead, rep: Rep, playbook: Rules) -> tuple[Limit, ...]:
    """Return the limits that bind the rep's claim of the lead; a test lead counts nowhere."""
    return () if lead.test else playbook.limits_of(rep.tier)


def used(limit: Limit, rep: Rep, usage: Usage, now: datetime) -> int:
    """Return how much of a limit the rep has used up at `now`."""
    if limit.per == "in_hand":
        return usage.in_hand
    if limit.rolling:
        return len(_inside(limit, usage, now))
    if limit.per == "hour":
        return usage.claims_in(rep.this_hour(now))
    if limit.per == "day":
        return usage.claims_on(rep.today(now))
    return usage.week_claims_in(rep.this_week(now))


def _reached(limit: Limit, rep: Rep, usage: Usage, now: datetime) -> Refusal:
    """Return the refusal of a limit the rep has reached."""
    if limit.per == "in_hand":
        return Refusal(
            "open_load",
            None,
            f"You hold {usage.in_hand} leads you have not worked yet. Work one first.",
        )
    if limit.rolling:
        return _rolled(limit, usage, now)
    if limit.per == "hour":
        return Refusal(
            "hourly_limit",
            rep.this_hour(max(now, usage.hour or now)) + SPANS["hour"],
            f"You have reached your limit for this hour ({limit.most}).",
        )
    if limit.per == "day":
        day = max(rep.today(now), usage.day or rep.today(now))
        return Refusal(
            "daily_limit",
            day_after(day, rep.zone),
            f"You have reached your limit for today ({limit.most}). "
            "The count starts again at midnight in your time zone.",
        )
    return Refusal(
        "weekly_limit",
        next_week(rep, usage, now),
        f"You have reached your limit of claims for this week ({limit.most}). "
        "The count starts again on Monday in your time zone.",
    )


def _rolled(limit: Limit, usage: Usage, now: datetime) -> Refusal:
    """Return the refusal of a rolling limit: it lifts when enough claims are older than it."""
    inside, most = _inside(limit, usage, now), limit.most
    lifts_at = inside[len(inside) - most] + SPANS[limit.per]
    if limit.per == "hour":
        return Refusal("hourly_limit", lifts_at, f"You have claimed {most} leads within one hour.")
    if limit.per == "day":
        return Refusal("daily_limit", lifts_at, f"You have claimed {most} leads within one day.")
    return Refusal("weekly_limit", lifts_at, f"You have claimed {most} leads within one week.")


def _inside(limit: Limit, usage: Usage, now: datetime) -> list[datetime]:
    """Return the claims within the rolling limit's period up to `now`, the oldest first."""
    start = now - SPANS[limit.per]
    return sorted(at for at in usage.recent if at > start)


def rolling(playbook: Rules, rep: Rep) -> list[Limit]:
    """Return the rep's rolling limits, which need the times of the latest claims."""
    return [limit for limit in playbook.limits_of(rep.tier) if limit.rolling]


def limit_guards(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, claim: Claim) -> list[Guard]:
    """Return the guards that keep the claim or assignment within every limit that binds it."""
    allowance = allowance_of(rep, playbook, claim.claimed_at)
    guards = [] if allowance is None else [Guard("leads", "<", allowance)]
    if not claim.competitive:
        most = playbook.assignment.in_hand_limit
        return [*guards, Guard("in_hand", "<", most)] if most else guards
    for limit in _binding(lead, rep, playbook):
        if limit.rolling:
            # Many claims may be stored at the same moment; the limit still holds.
            left = limit.most - used(limit, rep, usage, claim.claimed_at)
            guards.append(Guard("ever", "<", usage.ever + left))
        else:
            guards.append(Guard(_COUNTED[limit.per], "<", limit.most))
    return guards


def over_allowance(rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[Refusal]:
    """Refuse a rep who has used up their weekly allowance (M4)."""
    allowance = allowance_of(rep, playbook, now)
    if allowance is None or usage.leads_in(rep.this_week(now)) < allowance:
        return []
    return [
        Refusal(
            "weekly_allowance",
            next_week(rep, usage, now),
            f"You have had your leads for this week ({allowance}). "
            "The count starts again on Monday in your time zone.",
        )
    ]


def next_week(rep: Rep, usage: Usage, now: datetime) -> datetime:
    """Return when the next week begins in which nothing is counted yet, in UTC."""
    week = rep.this_week(now)
    return day_start(max(week, usage.week or week) + timedelta(days=7), rep.zone)


def allowance_of(rep: Rep, playbook: Rules, now: datetime) -> int | None:
    """Return how many leads the rep may take this week (M4), None without a quota."""
    if not playbook.quota.enabled:
        return None
    weekly = playbook.quota.base_per_week if rep.allowance is None else rep.allowance
    return first_week(weekly, rep.joined_on, rep.this_week(now))


def first_week(weekly: int, joined: date | None, week_first: date) -> int:
    """Return the allowance of the week that begins on `week_first`, in leads.

    It is `weekly`, but in the week a rep joins it is pro rata for the calendar days from the
    joining day on, rounded up.
    """
    missed = (joined - week_first).days if joined else 0
    if not 0 < missed < 7:
        return weekly
    return -(-weekly * (7 - missed) // 7)


def day_after(day: date, zone: str) -> datetime:
    """Return the start of the day after `day` in the zone, in UTC."""
    return day_start(day + timedelta(days=1), zone)
