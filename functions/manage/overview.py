"""What managers see of leads: lists, page by page, and one with all that is known of it (U5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dibs.assignment.overview import LISTED, MOST_LISTED, STATES, Asked, page_of, steps_of
from dibs.aws import clock
from dibs.core.credentials import Manager
from dibs.core.errors import FieldError, InvalidInput, LeadNotFound
from dibs.core.lead import DuplicateLink, Lead, Transition, legal_moves
from dibs.core.rep import Rep
from dibs.people.operator import rep_of
from dibs.roster.callers import check_team
from dibs.web.http import Event, Response, answer, card_body, lead_id, query
from dibs.wiring import wiring

LEADS: dict[str, dict[str, Any]] = {
    "state": {"description": "Where they are, or one state; all unless named.", "enum": [*STATES]},
    "team": {
        "description": "One of the playbook's teams: leads offered to it or held by its reps.",
        "type": "string",
    },
    "holder": {"description": "Only what this rep holds, by id.", "type": "string"},
    "after": {"description": "The `next` of the page before.", "type": "string"},
    "limit": {
        "description": f"How many at most: {LISTED} unless said.",
        "type": "integer",
        "minimum": 1,
        "maximum": MOST_LISTED,
    },
}


def listed(event: Event, manager: Manager) -> Response:
    """`GET /leads`: leads that are open, wait, are on hold or held, page by page (U5).

    The oldest of each place first. A page may hold fewer than asked for, even none: the list goes
    on while there is a `next`. Leads that were won or lost are in the reports.
    """
    holder, now = query(event, "holder"), clock.now()
    if holder and manager.team:
        check_team(manager, (rep_of(wiring().roster, holder).team,), looks=True)
    asked = Asked(
        state=query(event, "state"),
        team="" if holder else query(event, "team") or manager.team,
        holder=holder,
        after=query(event, "after"),
        most=_most(query(event, "limit")),
    )
    page = page_of(wiring().lead_pages, wiring().roster, asked)
    holders = _reps(page.leads)
    body: dict[str, Any] = {"leads": [_row(lead, holders, now) for lead in page.leads]}
    if page.after:
        body["next"] = page.after
    return answer(200, body)


def _most(sent: str) -> int:
    if not sent:
        return LISTED
    most = int(sent) if sent.isascii() and sent.isdigit() and len(sent) <= 3 else 0
    if not 1 <= most <= MOST_LISTED:
        raise InvalidInput((FieldError("limit", f"send a whole number from 1 to {MOST_LISTED}"),))
    return most


def _reps(leads: list[Lead]) -> Mapping[str, Rep]:
    return wiring().roster.get_many(sorted({lead.owner for lead in leads if lead.owner}))


def _row(lead: Lead, holders: Mapping[str, Rep], now: datetime) -> dict[str, Any]:
    held = lead.owner is not None and lead.owner in holders
    return {
        "lead_id": lead.lead_id,
        "state": lead.state,
        "quality": lead.quality,
        "pool": lead.pool,
        "teams": lead.teams,
        "company": lead.preview.company,
        "holder": None
        if lead.owner is None
        else {"rep_id": lead.owner, "name": holders[lead.owner].name if held else None},
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


def show(event: Event, manager: Manager) -> Response:
    """`GET /leads/{lead_id}`: a lead with its contact, how it came, and what became of it (U5).

    `next_states` are those it may come to from here.
    """
    del manager
    mine, named = wiring(), lead_id(event)
    view = mine.race.read(named, "-")
    if view.lead is None:
        raise LeadNotFound
    card = mine.leads.card(named)
    return answer(
        200,
        {
            **_row(view.lead, _reps([view.lead]), clock.now()),
            "epoch": view.lead.epoch,
            "playbook_version": view.lead.playbook_version,
            "next_states": legal_moves(view.lead.state),
            "contact": None if card is None else card_body(card),
            "duplicates": [_link(link) for link in mine.leads.duplicate_links(named)],
            "history": [_step(one) for one in steps_of(mine.leads.history(named), view.claim)],
        },
    )


def _step(step: Transition) -> dict[str, Any]:
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


def _link(link: DuplicateLink) -> dict[str, Any]:
    return {
        "at": link.at,
        "other_id": link.other_id or None,
        "because": link.because,
        "source": link.source,
        "outcome": link.outcome,
    }
