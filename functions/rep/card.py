"""A rep's own card: what decides for them now, and what the next tier needs (U2, M2, M4, R8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from dibs.core.calendar import Kind, day_start, last_completed, next_on_duty
from dibs.core.rep import Rep, Usage
from dibs.game.scoring.ports import OwnCard
from dibs.ledger.entries import Entry
from dibs.race.debts import debts
from dibs.race.decide import off, schedule_of
from dibs.race.limits import allowance_of, day_after, used_limits
from dibs.reports.assignment_rows import releases
from dibs.reports.ports import QuotaResult
from dibs.reports.tiers import Outlook
from dibs.reports.winning import winning_metrics
from dibs.rules.playbook import Playbook
from dibs.web.translations import refusal_sentence


def card_of(
    rep: Rep,
    usage: Usage,
    playbook: Playbook,
    own: OwnCard,
    entries: Sequence[Entry],
    now: datetime,
) -> dict[str, Any]:
    """Return what `GET /me` answers."""
    why = off(rep, playbook, now)
    today, week = rep.today(now), rep.this_week(now)
    return {
        "rep_id": rep.rep_id,
        "name": rep.name,
        "team": rep.team,
        "zone": rep.zone,
        "model": playbook.model_of(rep.team),
        "playbook_version": playbook.version,
        "available": not why,
        "unavailable": [refusal_sentence(one, rep.language) for one in why],
        "available_at": _back_at(rep, playbook, now) if why else None,
        "paused_until": rep.paused_until if rep.is_paused(now) else None,
        "quiet_until": rep.quiet_until if rep.is_quiet(now) else None,
        "leave": [{"from": str(first), "to": str(last)} for first, last in rep.leave],
        "claims": {
            "today": usage.claims_on(today),
            "most_a_day": playbook.claims_per_day,
            "starts_again_at": day_after(today, rep.zone),
        },
        "limits": [asdict(limit) for limit in used_limits(rep, usage, playbook, now)],
        "debts": [asdict(debt) for debt in debts(rep, usage, playbook, now)],
        "unaccepted": usage.unaccepted,
        "in_hand": usage.in_hand,
        "released_this_week": _released(rep, entries, now),
        "tier": rep.tier,
        "tier_metrics": _metrics(rep, playbook, entries, now),
        "tier_outlook": _outlook(_latest(rep, playbook, own, now)),
        "allowance": {
            "leads_a_week": allowance_of(rep, playbook, now),
            "taken_this_week": usage.leads_in(week),
            "starts_again_at": day_after(week + timedelta(days=6), rep.zone),
            "last_month": _attained(_last_month(rep, playbook, own, now)),
        },
    }


def weeks_of(rep: Rep, playbook: Playbook, now: datetime) -> tuple[str, ...]:
    """Return the weeks whose places the card may show: the last one, and the one before it."""
    if not playbook.ranks(rep.team):
        return ()
    before = now - timedelta(days=7)
    return _last("week", rep, playbook, now), _last("week", rep, playbook, before)


def month_of(rep: Rep, playbook: Playbook, now: datetime) -> str:
    """Return the month whose target the card shows, empty where there are no quotas."""
    return _last("month", rep, playbook, now) if playbook.quota.enabled else ""


def since(rep: Rep, playbook: Playbook, now: datetime) -> datetime:
    """Return from when on the card needs what the rep did."""
    monday = day_start(rep.this_week(now), rep.zone)
    if not playbook.ranks(rep.team):
        return monday
    return min(monday, now - timedelta(weeks=playbook.tiers.weeks))


def _back_at(rep: Rep, playbook: Playbook, now: datetime) -> datetime | None:
    """Return when the rep is on duty again; a pause may end outside their hours.

    None while a manager's pause has no end.
    """
    team = playbook.paused.get(rep.team)
    pauses = [team if team and team.holds(now) else None, rep.manager_pause(now)]
    if any(pause is not None and pause.until is None for pause in pauses):
        return None
    own = [rep.paused_until] if rep.is_paused(now) else []
    ends = [until for until in (*own, *(p.until for p in pauses if p)) if until is not None]
    return next_on_duty(schedule_of(rep, playbook), max(ends, default=now))


def _released(rep: Rep, entries: Sequence[Entry], now: datetime) -> int:
    """Return how many leads the rep gave back since their Monday (C5)."""
    start = day_start(rep.this_week(now), rep.zone)
    return releases((one for one in entries if one.at >= start), start, now)


def _metrics(
    rep: Rep, playbook: Playbook, entries: Sequence[Entry], now: datetime
) -> dict[str, Any] | None:
    """Return what wins in the rep's tier (G10), over as many weeks as tiers look back on."""
    if not playbook.ranks(rep.team):
        return None
    weeks, currency = playbook.tiers.weeks, playbook.quota.currency
    start = now - timedelta(weeks=weeks)
    known = [one for one in entries if one.at >= start]
    counts, names = playbook.work.counts, playbook.game.tier_metrics
    found = winning_metrics(rep.tier, known, counts, currency, rep.rep_id, start, now, names)
    return {"weeks": weeks, "currency": currency, **found}


def _latest(
    rep: Rep, playbook: Playbook, own: OwnCard, now: datetime
) -> tuple[str, Outlook] | None:
    """Return the latest week the rep was placed for: the last one, or the one before it."""
    weeks = weeks_of(rep, playbook, now)
    return next(((name, own.outlooks[name]) for name in weeks if name in own.outlooks), None)


def _last_month(
    rep: Rep, playbook: Playbook, own: OwnCard, now: datetime
) -> tuple[str, QuotaResult] | None:
    month = month_of(rep, playbook, now)
    return (month, own.attained) if month and own.attained is not None else None


def _last(kind: Kind, rep: Rep, playbook: Playbook, now: datetime) -> str:
    team = playbook.teams.get(rep.team)
    return last_completed(kind, rep.zone if team is None else team.zone, now).name


def _outlook(found: tuple[str, Outlook] | None) -> dict[str, Any] | None:
    if found is None:
        return None
    week, outlook = found
    inputs, placing = outlook.inputs, outlook.placing
    return {
        "week": week,
        "tier": placing.tier,
        "was": placing.was,
        "counted": placing.counted,
        "reason": placing.reason,
        "inputs": {
            "taken": inputs.taken,
            "converted": inputs.converted,
            "attainment": inputs.attainment,
            "response_seconds": inputs.response_seconds,
        },
        "score": placing.score,
        "marks": None
        if placing.marks is None
        else {
            "conversion": placing.marks.conversion_index,
            "attainment": placing.marks.attainment_index,
            "speed": placing.marks.speed_index,
        },
        "to_rise": outlook.to_rise,
        "points_missing": outlook.points_missing,
        "conversions_needed": outlook.conversions_needed,
        "to_fall": outlook.to_fall,
    }


def _attained(found: tuple[str, QuotaResult] | None) -> dict[str, Any] | None:
    if found is None:
        return None
    month, result = found
    reached = result.attainment
    return {
        "month": month,
        "achieved": result.achieved,
        "target": result.target,
        # Cut, not rounded: what falls short of a band does not read as if it did not.
        "percent": None if reached is None else int(reached * 1000) / 10,
        "leads_a_week": result.allowance,
    }
