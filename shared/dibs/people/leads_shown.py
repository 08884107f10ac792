"""Leads as managers and operators see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from typing_extensions import TypedDict

from dibs.core.lead import DuplicateLink, Lead, State, Transition
from dibs.core.quality import Pool, Quality


class HeldBy(TypedDict):
    """Who holds a lead; without a name if they are not known any more."""

    rep_id: str
    name: str | None


class LeadRow(TypedDict):
    """A lead as managers see it in a list."""

    lead_id: str
    state: State
    quality: Quality
    pool: Pool
    teams: Sequence[str]
    company: str
    holder: HeldBy | None
    received_at: datetime
    opened_at: datetime
    closes_at: datetime
    taken_at: datetime | None
    worked_at: datetime | None
    return_at: datetime | None
    on_hold: bool
    blind: bool
    test: bool
    age_seconds: int


def lead_shown(lead: Lead, names: Mapping[str, str], now: datetime) -> LeadRow:
    """Return a lead as it is in a list, without contact details; `names` are those of holders."""
    holder: HeldBy | None = None
    if lead.owner is not None:
        holder = {"rep_id": lead.owner, "name": names.get(lead.owner)}
    return {
        "lead_id": lead.lead_id,
        "state": lead.state,
        "quality": lead.quality,
        "pool": lead.pool,
        "teams": lead.teams,
        "company": lead.preview.company,
        "holder": holder,
        "received_at": lead.received_at,
        "opened_at": lead.opens_at,
        "closes_at": lead.closes_at,
        "taken_at": lead.claimed_at if lead.owner else None,
        "worked_at": lead.worked_at,
        "return_at": None if lead.worked_at else lead.return_at,
        "on_hold": lead.on_hold,
        "blind": lead.blind,
        "test": lead.test,
        "age_seconds": max(0, round((now - lead.received_at).total_seconds())),
    }


def step_shown(step: Transition) -> dict[str, Any]:
    """Return one step of a lead's life."""
    return {
        "at": step.at,
        "epoch": step.epoch,
        "from_state": step.from_state,
        "to_state": step.to_state,
        "cause": step.cause,
        "by": step.by,
        "holder": step.holder,
        "reason": step.note,
    }


def link_shown(link: DuplicateLink) -> dict[str, Any]:
    """Return why another post or lead belongs to this one."""
    return {
        "at": link.at,
        "other_id": link.other_id or None,
        "because": link.because,
        "source": link.source,
        "outcome": link.outcome,
    }
