"""`GET /leads/{lead_id}`: a page for who holds the lead, all that is known of it for a manager."""

from __future__ import annotations

from dibs.assignment.overview import steps_of
from dibs.aws import clock
from dibs.core.credentials import Manager
from dibs.core.errors import LeadNotFound
from dibs.core.lead import legal_moves
from dibs.core.rep import Rep
from dibs.people.leads_shown import lead_shown, link_shown, step_shown
from dibs.web.http import Event, Response, answer, card_body, lead_id
from dibs.wiring import wiring
from rep import held_lead


def show(event: Event, caller: Rep | Manager) -> Response:
    """`GET /leads/{lead_id}`: a page for its holder's browser; for managers all that is known (U5).

    A manager gets the contact, how it came, its history, and the states it may come to from here.
    """
    if isinstance(caller, Rep):
        return held_lead.show_page(event, caller)
    mine, named = wiring(), lead_id(event)
    view = mine.race.read(named, "-")
    lead = view.lead
    if lead is None:
        raise LeadNotFound
    card, holder = mine.race.card(named), mine.roster.get(lead.owner) if lead.owner else None
    names = {} if holder is None else {holder.rep_id: holder.name}
    return answer(
        200,
        {
            **lead_shown(lead, names, clock.now()),
            "epoch": lead.epoch,
            "playbook_version": lead.playbook_version,
            "next_states": legal_moves(lead.state),
            "contact": None if card is None else card_body(card),
            "duplicates": [link_shown(link) for link in mine.leads.duplicate_links(named)],
            "history": [step_shown(one) for one in steps_of(mine.leads.history(named), view.claim)],
        },
    )
