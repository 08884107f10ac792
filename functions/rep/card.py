"""A rep's own card: what decides for them now, and what the next tier needs (U2, M2, M4, R8)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from dibs.core.calendar import Kind, day_start, last_completed, next_on_duty
from dibs.core.rep import Rep, Usage
from dibs.ledger.ports import Ledger
from dibs.race.debts import debts
from dibs.race.decide import off, schedule_of
from dibs.race.limits import allowance_of, day_after, used_limits
from dibs.reports.assignment_rows import releases
from dibs.reports.ports import OwnResults, QuotaResult
from dibs.reports.tiers import Outlook
from dibs.reports.winning import winning_metrics
from dibs.rules.playbook import Playbook
from dibs.web.translations import refusal_sentence


def card_of(
    rep: Rep,
    usage: Usage,
    playbook: Playbook,
    results: OwnResults,
    ledger: Ledger,
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
        "released_this_week": _released(rep, ledger, now),
        "tier": rep.tier,
        "tier_metrics": _metrics(rep, playbook, ledger, now),
        "tier_outlook": _outlook(_latest(rep, playbook, results, now)),
        "allowance": {
            "leads_a_week": allowance_of(rep, playbook, now),
            "taken_this_week": usage.leads_in(week),
            "starts_again_at": day_after(week + timedelta(days=6), rep.zone),
            "last_month": _attained(_last_month(rep, playbook, results, now)),
        },
    }


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


def _released(rep: Rep, ledger: Ledger, now: datetime) -> int:
    """Return how many leads the rep gave back since their Monday (C5)."""
    start = day_start(rep.this_week(now), rep.zone)
    return releases(ledger.of_rep(rep.rep_id, start, now), start, now)


def _metrics(rep: Rep, playbook: Playbook, ledger: Ledger, now: datetime) -> dict[str, Any] | None:
    """Return what wins in the rep's tier (G10), over as many weeks as tiers look back on."""
    if not playbook.ranks(rep.team):
        return None
    weeks, currency = playbook.tiers.weeks, playbook.quota.currency
    start = now - timedelta(weeks=weeks)
    entries = list(ledger.of_rep(rep.rep_id, start, now))
    counts, names = playbook.work.counts, playbook.game.tier_metrics
    found = winning_metrics(rep.tier, entries, counts, currency, rep.rep_id, start, now, names)
    return {"weeks": weeks, "currency": currency, **found}


def _latest(
    rep: Rep, playbook: Playbook, results: OwnResults, now: datetime
) -> tuple[str, Outlook] | None:
    """Return the latest week the rep was placed for: the last one, or the one before it."""
    if not playbook.ranks(rep.team):
        return None
    week = _last("week", rep, playbook, now)
    for name in (week, _last("week", rep, playbook, now - timedelta(days=7))):
        found = results.outlook(rep.rep_id, name)
        if found is not None:
            return name, found
    return None


def _last_month(
    rep: Rep, playbook: Playbook, results: OwnResults, now: datetime
) -> tuple[str, QuotaResult] | None:
    if not playbook.quota.enabled:
        return None
    month = _last("month", rep, playbook, now)
    found = results.attained(rep.rep_id, month)
    return None if found is None else (month, found)


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
