"""A lead in the rep's hand: its card, and what came of it in one tap (U2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from dibs.aws import clock
from dibs.core.errors import DibsError, Unauthorized
from dibs.core.rep import Rep
from dibs.ledger.activities import next_moves
from dibs.ledger.entries import Entry, activity_id_of
from dibs.ledger.in_hand import InHand, held_view, in_hand
from dibs.ledger.quick import ALL_OUTCOMES, further_outcomes, next_outcomes, tell_outcome
from dibs.screens import pages
from dibs.web.http import Event, Response, answer, card_body, lead_id, path, see_other, wants_html
from dibs.web.route import reads
from dibs.wiring import wiring
from rep import page
from rep.body import HeldOutcomeIn


def show(event: Event, rep: Rep) -> Response:
    """`GET /me/leads/{lead_id}`: a lead I hold, with its contact, as long as I hold it.

    How it came, what I did, what may come next. Afterwards 410 says why it went.
    """
    return answer(200, _body(_found(event, rep)))


def show_page(event: Event, rep: Rep) -> Response:
    """`GET /leads/{lead_id}`: the same as a page for its holder's browser."""
    try:
        found = _found(event, rep)
    except DibsError as error:
        return or_page(event, error, rep)
    playbook = wiring().roster.playbook()
    return page.lead(
        found,
        _outcomes(found),
        further_outcomes(found.lead.state, playbook.game.reporting),
        playbook.quota.currency,
        clock.now(),
        dropped=pages.was_dropped(event),
    )


def outcome(event: Event, rep: Rep, sent: HeldOutcomeIn) -> Response:
    """`POST /me/leads/{lead_id}/outcome`: report in one word what came of a lead I hold (U2)."""
    mine, lead, now = wiring(), lead_id(event), clock.now()
    try:
        held_view(mine.race, mine.ledger.story, lead, rep.rep_id, now)
        one = sent.told
        told = tell_outcome(
            *(mine.record_deps, rep.rep_id, lead, one.outcome, one.outcome_id, now),
            amount=sent.amount,
            currency=sent.currency,
            among=ALL_OUTCOMES,
        )
    except DibsError as error:
        return or_page(event, error, rep)
    if any(one.freed for one in told):
        mine.timers.check("queue.check")
    if wants_html(event):
        return see_other(_page(event))
    found = in_hand(mine.race, mine.ledger, lead, rep.rep_id, clock.now())
    body = {
        "lead_id": lead,
        "recorded": [one.entry.kind for one in told],
        "repeated": all(one.repeated for one in told),
        **_state(found),
    }
    return answer(200, body)


def page_of(event: Event, error: DibsError) -> Response | None:
    """Return the page that tells a browser of an error; where to sign in, if that is it."""
    if not wants_html(event):
        return None
    if isinstance(error, Unauthorized):
        return pages.sign_in(event, _page(event))
    return page.problem(error, _back(event))


def or_page(event: Event, error: DibsError, rep: Rep | None) -> Response:
    """Return the page that tells a rep's browser of an error, in their language."""
    if rep is None or not wants_html(event):
        raise error
    return page.problem(error, _back(event), rep.language)


def _back(event: Event) -> str:
    """Return the lead's page, empty where that is the one which could not be shown."""
    return "" if reads(event.get("routeKey", "")) else _page(event)


def _page(event: Event) -> str:
    return f"/leads/{quote(path(event, 'lead_id'), safe='')}"


def _found(event: Event, rep: Rep) -> InHand:
    mine = wiring()
    return in_hand(mine.race, mine.ledger, lead_id(event), rep.rep_id, clock.now())


def _outcomes(found: InHand) -> tuple[str, ...]:
    return next_outcomes(found.lead.state, wiring().roster.playbook().game.reporting)


def _state(found: InHand) -> Mapping[str, Any]:
    """Return where the lead stands, and what may be reported of it next."""
    lead = found.lead
    return {
        "state": lead.state,
        "worked_at": lead.worked_at,
        "return_at": None if lead.worked_at else lead.return_at,
        "outcomes": _outcomes(found),
        "moves": next_moves(lead.state),
    }


def _body(found: InHand) -> dict[str, Any]:
    lead, came, given = found.lead, found.came, found.given
    return {
        "lead_id": lead.lead_id,
        "quality": lead.quality,
        "lead": card_body(found.card),
        "came": {
            "cause": came.cause,
            "at": came.claimed_at,
            "claim_ms": came.claim_ms if came.competitive else None,
            "by": None if given is None else given.by,
            "reason": "" if given is None else given.note,
        },
        "unaccepted": lead.unaccepted,
        "undo_until": found.undo_until,
        "history": [_done(entry) for entry in found.done],
        **_state(found),
    }


def _done(entry: Entry) -> dict[str, Any]:
    return {
        "activity_id": activity_id_of(entry),
        "type": entry.kind,
        "at": entry.at,
        "reporter": entry.reporter,
        "amount": entry.amount,
        "currency": entry.currency,
    }
