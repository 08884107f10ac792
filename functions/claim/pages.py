"""Which page tells of which outcome. Loaded only when a browser asks, not by the claim API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from claim.page import (
    Page,
    busy_page,
    drawing_page,
    expired_page,
    lost_page,
    not_found_page,
    not_recorded_page,
    open_page,
    over_page,
    refused_page,
    undo_over_page,
    undone_page,
    went_page,
    won_but_hidden_page,
    won_page,
)
from dibs.aws.clock import to_ms
from dibs.core.errors import (
    AlreadyClaimed,
    Busy,
    ClaimRefused,
    DibsError,
    Expired,
    NoLongerYours,
    Refusal,
    UndoOver,
    Withdrawn,
)
from dibs.core.lead import State
from dibs.ledger.quick import next_outcomes
from dibs.ledger.texts import closed_sentence, deadline
from dibs.race.claim import (
    InDraw,
    Won,
    check_claim,
    in_draw,
    standing_win,
    waits_in_draw,
)
from dibs.race.draw import DRAWN_AFTER, collects
from dibs.race.lifecycle import taken
from dibs.race.opening import exclusive_until
from dibs.race.ports import RaceStore, RaceView
from dibs.web.http import STATUS
from dibs.web.translations import not_done


def standing(
    store: RaceStore,
    view: RaceView,
    token: str,
    now: datetime,
    signed_in: bool = False,
    told: str = "",
) -> Page:
    """Return the page of a race as it stands for the holder of this link.

    The winner sees the contact at first, and where they have `signed_in` as long as they hold it.
    `told` is the outcome they have just reported, in a request before this one.
    """
    language = view.rep.language if view.rep else "en"
    refusals: tuple[Refusal, ...] = ()
    lifts_at: datetime | None = None
    if view.lead is not None and waits_in_draw(store, view):
        return of_draw(in_draw(view.lead), language, now)
    try:
        lead, rep, _ = check_claim(store, view, now)
        if lead.owner == rep.rep_id and (view.claim is None or view.claim.epoch != lead.epoch):
            view = store.read(lead.lead_id, rep.rep_id)  # caught between lock and record
        if lead.owner == rep.rep_id and view.claim is not None:
            won = standing_win(store, view, view.claim, now, only_at_first=not signed_in)
            return of_win(store, won, token, view, now, posted=False, told=told)
    except ClaimRefused as error:
        refusals, lifts_at = error.refusals, error.lifts_at
    except DibsError as error:
        return of_error(error, token, language, now, posted=False)
    assert view.lead is not None
    return open_page(
        token=token,
        preview=view.lead.shown,
        quality=None if view.lead.blind else view.lead.quality,
        opens_at=view.lead.opens_at,
        exclusive_until=exclusive_until(view.lead, view.rep, now) if view.rep else None,
        closes_at=view.lead.closes_at,
        now=now,
        refusals=refusals,
        lifts_at=lifts_at,
        language=language,
        test=view.lead.test,
        commitment=in_draw(view.lead).commitment if collects(view.lead, now) else "",
    )


def of_draw(entered: InDraw, language: str, now: datetime) -> Page:
    """Return the page of a rep who is in the draw."""
    return drawing_page(
        drawn_in=entered.draws_at + DRAWN_AFTER - now,
        commitment=entered.commitment,
        language=language,
    )


def of_win(
    store: RaceStore,
    won: Won,
    token: str,
    view: RaceView,
    now: datetime,
    *,
    posted: bool = True,
    told: str = "",
) -> Page:
    """Return the winner's page: the contact, by when to make it, and what came of it.

    `view` is what the claim was judged on, so its lead may still be open there.
    """
    lead, rep = view.lead, view.rep
    assert lead is not None
    assert rep is not None
    if lead.owner != rep.rep_id:
        lead = taken(lead, won.claim)
    common: dict[str, Any] = {
        "token": token,
        "posted": posted,
        "due": deadline(lead, rep, now),
        "outcomes": next_outcomes(lead.state, store.reporting()),
        "tap": f"{won.claim.epoch}-{to_ms(now)}",
        "told": told,
        "closed": closed_sentence(lead.state, rep.language),
        "lost": lead.state is State.LOST,
        "language": rep.language,
    }
    if won.card is None:
        return won_but_hidden_page(company=lead.preview.company, **common)
    return won_page(
        card=won.card,
        claimed_at=won.claim.claimed_at,
        claim_ms=won.claim.claim_ms,
        claimed=won.claim.competitive,
        now=now,
        undo_until=won.undo_until,
        **common,
    )


def not_recorded(error: DibsError, token: str, language: str) -> Page:
    """Return the page that tells why an outcome was not recorded."""
    return not_recorded_page(STATUS[type(error)], not_done(error, language), token, language)


def undone(language: str) -> Page:
    """Return the page of a claim taken back in time."""
    return undone_page(language)


def of_error(
    error: DibsError, token: str, language: str, now: datetime, *, posted: bool = True
) -> Page:
    """Return the page that tells of an error."""
    if isinstance(error, AlreadyClaimed):
        return lost_page(
            winner=error.claimed_by[1] if error.claimed_by else None,
            ms_ago=error.ms_ago,
            open_leads=error.open_leads,
            drawn=error.drawn,
            language=language,
        )
    if isinstance(error, ClaimRefused):
        return refused_page(
            refusals=error.refusals, lifts_at=error.lifts_at, now=now, language=language
        )
    if isinstance(error, UndoOver):
        return undo_over_page(token, language, posted=posted)
    if isinstance(error, Busy):
        return busy_page(token, language, posted=posted)
    if isinstance(error, NoLongerYours):
        return went_page(str(error), language, posted=posted)
    if isinstance(error, Expired):
        return expired_page(language)
    return over_page(language) if isinstance(error, Withdrawn) else not_found_page(language)
