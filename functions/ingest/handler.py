"""`POST /leads`: a signed lead comes in and its race begins."""

from __future__ import annotations

import secrets

from dibs.assignment.allocate import allot
from dibs.aws import clock
from dibs.aws.observability import count, logger
from dibs.intake.body import card_from_body, raw_body, verify
from dibs.intake.identity import company_domain
from dibs.intake.ingest import ingest
from dibs.race.draw import commitment_of, seed_of, undrawn
from dibs.web.entry import Event, http
from dibs.web.http import Response, answer
from dibs.wiring import wiring


def post_lead(event: Event) -> Response:
    """Accept one lead: 201 for a new one, 200 for a repeated or merged one."""
    body = raw_body(event)
    signed_at = verify(body, event.get("headers", {}), wiring().intake_secret)
    card = card_from_body(body)
    roster, salt = wiring().roster, secrets.token_bytes(9)
    accepted = ingest(
        wiring().leads,
        wiring().arrivals,
        card,
        roster.playbook(),
        salt,
        signed_at,
        clock.now,
        find_rep=roster.counted,
        allot=allot(roster, wiring().turns),
    )
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
    mine, domain = wiring(), company_domain("dibs.example")
    return mine.intake_secret, mine.leads, mine.arrivals, mine.roster.playbook(), domain


ROUTES = {"POST /leads": post_lead}

handler = http(ROUTES, warm)
