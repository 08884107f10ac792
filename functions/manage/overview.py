"""What managers see of leads: lists, page by page (U5)."""

from __future__ import annotations

from typing import Any

from dibs.assignment.overview import LISTED, MOST_LISTED, STATES, Asked, page_of
from dibs.aws import clock
from dibs.callers import part_shown
from dibs.core.credentials import Manager
from dibs.core.errors import FieldError, InvalidInput, RouteNotFound
from dibs.people.leads_shown import lead_shown
from dibs.people.operator import rep_of
from dibs.roster.callers import manages
from dibs.web.http import Event, Response, answer, query
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
    if holder and manager.team and not manages(manager, rep_of(wiring().roster, holder).team):
        raise RouteNotFound("There is no such rep.")
    asked = Asked(
        state=query(event, "state"),
        team="" if holder else part_shown(event, manager),
        holder=holder,
        after=query(event, "after"),
        most=_most(query(event, "limit")),
    )
    page = page_of(wiring().lead_pages, wiring().roster, asked)
    holders = wiring().roster.get_many(sorted({lead.owner for lead in page.leads if lead.owner}))
    names = {rep_id: rep.name for rep_id, rep in holders.items()}
    body: dict[str, Any] = {"leads": [lead_shown(lead, names, now) for lead in page.leads]}
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
