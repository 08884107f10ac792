"""The rep's page: on duty or paused, what is up for grabs, what they hold (U2, U4)."""

from __future__ import annotations

from dibs.aws import clock
from dibs.core.errors import DibsError
from dibs.core.rep import Rep, Usage
from dibs.ledger.quick import next_outcomes
from dibs.offers.open_offers import open_offers
from dibs.screens import pages
from dibs.screens.frame import HOME, ME
from dibs.web.http import Event, Response
from dibs.web.translations import N_
from dibs.wiring import wiring
from rep import page

_OF_ME = ("GET /me", "POST /me/language")


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
    mine = event.get("routeKey") in _OF_ME
    back, called = (ME, N_("Me")) if mine else (HOME, N_("My leads"))
    return pages.error_page(page.site(), event, error, back, called)
