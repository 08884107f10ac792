"""A rep as managers and operators see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dibs.core.calendar import written_hours
from dibs.core.rep import Rep
from dibs.people.phones import masked
from dibs.race.decide import off
from dibs.rules.rules import Rules


def rep_shown(rep: Rep, playbook: Rules, now: datetime, phones: bool = False) -> dict[str, Any]:
    """Return a rep's profile and whether they are on duty; of their number, the end alone."""
    unavailable = [refusal.code for refusal in off(rep, playbook, now)]
    return {
        "rep_id": rep.rep_id,
        "name": rep.name,
        "team": rep.team,
        "tier": rep.tier,
        "zone": rep.zone,
        "language": rep.language,
        "phone": rep.phone and (rep.phone if phones else masked(rep.phone)),
        "active": rep.active,
        "available": not unavailable,
        "unavailable": unavailable,
        "push": bool(rep.pushable),
        "sms": rep.textable,
        "hours": written_hours(rep.hours),
        "leave": [{"from": str(first), "to": str(last)} for first, last in rep.leave],
        "weight": rep.weight,
        "territories": rep.territories,
        "segments": rep.segments,
        "skills": dict(rep.skills),
        "speaks": rep.speaks,
        "interests": rep.interests,
        "pod": rep.pod,
        "joined_on": rep.joined_on and str(rep.joined_on),
        "left_on": rep.left_on and str(rep.left_on),
        "leads_a_week": rep.allowance,
    }
