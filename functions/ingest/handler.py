"""`POST /leads`: a signed lead comes in and its race begins."""

from __future__ import annotations

import secrets
from datetime import datetime

from dibs.aws.observability import count, logger
from dibs.callers import SOURCE
from dibs.intake.body import LeadIn, card_of
from dibs.intake.company_names import company_name
from dibs.intake.domains import company_domain
from dibs.intake.ingest import ingest
from dibs.race.draw import commitment_of, seed_of, undrawn
from dibs.web.entry import http
from dibs.web.http import Event, Response, answer
from dibs.web.route import Route
from dibs.wiring import wiring


def post_lead(event: Event, signed_at: datetime, sent: LeadIn) -> Response:
    """Accept one lead: 201 for a new one, 200 for a repeated or merged one."""
    del event
    salt = secrets.token_bytes(9)
    playbook = wiring().roster.playbook()
    card = card_of(sent, playbook.phone_region)
    accepted = ingest(card, playbook, salt, signed_at, wiring().ingest_deps)
    lead = accepted.lead
    logger.info("lead accepted", lead_id=lead.lead_id, duplicate=accepted.duplicate)
    if not accepted.duplicate and not lead.test:
        count("LeadsAccepted")
    return answer(
        200 if accepted.duplicate else 201,
        {
            "lead_id": lead.lead_id,
            "state": lead.state,
            "quality": lead.quality,
            "pool": lead.pool,
            "duplicate": accepted.duplicate,
            "flags": accepted.flags,
            "reason": accepted.reason,
            **({"draw_commitment": commitment_of(seed_of(lead))} if undrawn(lead) else {}),
        },
    )


def warm() -> object:
    """Make what the first lead would wait for."""
    mine, named = wiring(), (company_domain("dibs.example"), company_name("Dibs"))
    return mine.signatures.book(), mine.ingest_deps, mine.roster.playbook(), named


ROUTES = {
    "POST /leads": Route(
        post_lead,
        SOURCE,
        {201: "Accepted", 200: "Accepted"},
        body=LeadIn,
        repeated="The same source and external_id is the same lead: 200 with duplicate true.",
    )
}

handler = http(ROUTES, warm)
