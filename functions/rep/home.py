"""The rep's page: on duty or paused, what is up for grabs, what they hold (U2, U4)."""

from __future__ import annotations

from dibs.aws import clock
from dibs.core.errors import DibsError, Forbidden, Unauthorized
from dibs.core.rep import Rep, Usage
from dibs.ledger.quick import next_outcomes
from dibs.offers.open_offers import open_offers
from dibs.screens import pages
from dibs.screens.frame import DESK, HOME, ME
from dibs.web.http import Event, Response, see_other, wants_html
from dibs.wiring import wiring
from rep import page


def show(event: Event, caller: tuple[Rep, Usage]) -> Response:
    """`GET /`: the rep's page: on duty or paused, open offers, leads in hand; without script."""
    rep, usage = caller
    mine, now = wiring(), clock.now()
    playbook = mine.roster.playbook()
    reporting = playbook.game.reporting
    held = [
        (lead, next_outcomes(lead.state, reporting)) for lead in mine.holdings.held_by(rep.rep_id)
    ]
    offers = open_offers(mine.race, rep, usage, playbook, now)
    return page.home(
        rep,
        playbook,
        offers,
        held,
        now,
        declined=mine.offers.declined(rep.rep_id, [one.lead for one in offers]),
        dropped=pages.was_dropped(event),
    )


def page_of(event: Event, error: DibsError) -> Response | None:
    """Return where a browser goes instead: to sign in, or a manager to their desk."""
    if not wants_html(event):
        return None
    if isinstance(error, Unauthorized):
        return pages.sign_in(event, ME if event.get("routeKey") == "GET /me" else HOME)
    if isinstance(error, Forbidden):
        return see_other(DESK)
    return page.problem(error)
