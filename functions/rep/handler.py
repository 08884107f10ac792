"""What a rep's app does besides claiming."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from dibs.assignment.work import accept
from dibs.assignment.work import release as release_lead
from dibs.aws import clock
from dibs.callers import HOLDER, HOLDER_OR_MANAGER, POOL_VIEWER, REP, REP_AND_USAGE
from dibs.core.credentials import Manager, Shown
from dibs.core.errors import (
    AlreadyExists,
    DibsError,
    FieldError,
    Forbidden,
    IllegalMove,
    InvalidInput,
    LeadNotFound,
    NoLongerYours,
    NotYours,
    Outdated,
    RouteNotFound,
    Unauthorized,
)
from dibs.core.lead import Lead, State
from dibs.core.rep import Rep, Usage
from dibs.offers.open_offers import OpenOffer, open_offers, sight
from dibs.people.own import (
    register_device,
    remove_device,
    set_availability,
    set_quiet,
)
from dibs.people.profiles import own_leave
from dibs.race.claim import bearer, in_draw
from dibs.race.decide import Refused
from dibs.race.draw import DrawResult, collects, ticket
from dibs.race.draw_winner import look
from dibs.race.opening import exclusive_until, next_opening
from dibs.screens import pages
from dibs.screens.frame import HOME, ME
from dibs.web.entry import http
from dibs.web.http import (
    EPOCH,
    Event,
    Response,
    answer,
    epoch_asked,
    lead_id,
    path,
    see_other,
    wants_html,
)
from dibs.web.json_body import FORM
from dibs.web.route import ERROR_PAGES, HTML, Route
from dibs.web.translations import languages, refusal_sentence, shown_company
from dibs.wiring import wiring
from rep import held_lead, home, page, pool, receipt, why
from rep import lead as one_lead
from rep.allotted import allotted
from rep.body import (
    AvailabilityForm,
    AvailabilityIn,
    DeviceIn,
    DisputeIn,
    HeldOutcomeIn,
    LanguageIn,
    ReleaseIn,
)
from rep.card import card_of, month_of, since, weeks_of
from rep.earned import earned, periods_of


def offers(event: Event, caller: tuple[Rep, Usage]) -> Response:
    """`GET /me/offers`: the open leads of the rep's team, each with whether and why not."""
    del event
    rep, usage = caller
    playbook, now = wiring().roster.playbook(fresh=True), clock.now()
    found = open_offers(wiring().race, rep, usage, playbook, now)
    return answer(200, {"offers": [_offer(offer, rep, now) for offer in found]})


def _offer(offer: OpenOffer, rep: Rep, now: datetime) -> dict[str, Any]:
    lead, preview = offer.lead, offer.lead.shown
    body: dict[str, Any] = {
        "lead_id": lead.lead_id,
        "claim_url": f"{wiring().settings.public_url}/c/{offer.token}",
        "opens_at": lead.opens_for(rep),
        "exclusive_until": exclusive_until(lead, rep, now),
        "closes_at": lead.closes_at,
        "preview": {
            "company": shown_company(lead, rep.language),
            "company_size": preview.company_size,
            "contact_title": preview.contact_title,
            "source": preview.source,
            "score": preview.score,
        },
        "blind": lead.blind,
        "test": lead.test,
        "eligible": not isinstance(offer.verdict, Refused),
    }
    if collects(lead, now):
        entering = in_draw(lead)
        body["draw"] = {"draws_at": entering.draws_at, "commitment": entering.commitment}
    if isinstance(offer.verdict, Refused):
        refusals = offer.verdict.refusals
        body["refusal"] = {
            "codes": [refusal.code for refusal in refusals],
            "lifts_at": offer.verdict.lifts_at,
            "lifts_when": " ".join(refusal_sentence(r, rep.language) for r in refusals),
        }
    return body


def seen(event: Event, caller: Shown) -> Response:
    """`POST /leads/{lead_id}/seen`: say that the app shows the offer (N3)."""
    return _sighted(event, caller, "seen_at")


def decline(event: Event, caller: Shown) -> Response:
    """`POST /leads/{lead_id}/decline`: decline an offer; no text will follow.

    From the form of my page, my page comes next.
    """
    return _sighted(event, caller, "declined_at")


def _sighted(event: Event, caller: Shown, what: str) -> Response:
    now, rep_id = clock.now(), caller.owner
    lead, _ = sight(wiring().race, lead_id(event), rep_id, bearer(caller, now), what, now)
    waits = lead.state is State.OPEN and next_opening(lead, clock.now()) is not None
    if what == "declined_at" and waits:
        # The last one to decline opens the next wave (M6).
        wiring().timers.check("lead.check", lead)
    if wants_html(event):
        return see_other(HOME)
    return answer(200, {"lead_id": lead.lead_id, what.removesuffix("_at"): True})


def draw(event: Event, caller: Rep | Manager) -> Response:
    """`GET /leads/{lead_id}/draw`: how a lead was drawn, for who was in the draw and for managers.

    The latest draw, or that of opening `?epoch=2`. Anybody can recompute it from the answer.
    """
    rep = caller if isinstance(caller, Rep) else None
    asking = None if rep is None else rep.rep_id
    drawn = look(wiring().race, lead_id(event), epoch_asked(event), asking)
    hidden = rep is not None and wiring().roster.playbook().hides_winner_from(rep)
    return answer(200, _drawn(drawn, asking if hidden else None))


def _drawn(drawn: DrawResult, only: str | None) -> dict[str, Any]:
    """Return a draw; where winners are hidden, all but `only` their reader are tickets alone."""

    def named(rep_id: str | None) -> str | None:
        return rep_id if only in (None, rep_id) else None

    passed = dict(drawn.passed)
    return {
        "lead_id": drawn.lead_id,
        "epoch": drawn.epoch,
        "commitment": drawn.commitment,
        "seed": drawn.seed,
        "drawn_at": drawn.drawn_at,
        "entrants": [
            {
                "rep_id": named(rep_id),
                "ticket": ticket(drawn.seed, drawn.lead_id, drawn.epoch, rep_id),
                "rules": passed.get(rep_id, ()) if named(rep_id) else (),
                "won": rep_id == drawn.winner,
            }
            for rep_id in drawn.entrants
        ],
        "winner": named(drawn.winner),
    }


def release(event: Event, caller: Shown, sent: ReleaseIn) -> Response:
    """`POST /leads/{lead_id}/release`: give back a lead I hold, with a reason (C5).

    Within the playbook's seconds a claim is undone, and needs no reason. From the form of the
    lead's page, my page comes next.
    """
    try:
        lead, undone = release_lead(
            wiring().race,
            wiring().holdings,
            lead_id(event),
            caller.owner,
            bearer(caller, clock.now()),
            sent.reason,
            clock.now,
        )
    except Unauthorized:
        raise
    except DibsError as error:
        return held_lead.or_page(event, error, wiring().roster.get(caller.owner))
    if not undone:
        wiring().timers.check("queue.check")  # they may be given another
    if wants_html(event):
        return see_other(HOME)
    return answer(200, {"lead_id": lead.lead_id, "state": lead.state, "undone": undone})


def held(event: Event, rep: Rep) -> Response:
    """`GET /me/leads`: the leads I hold and am not done with, the oldest first."""
    del event
    return answer(200, {"leads": [_held(lead) for lead in wiring().holdings.held_by(rep.rep_id)]})


def _held(lead: Lead) -> dict[str, Any]:
    return {
        "lead_id": lead.lead_id,
        "state": lead.state,
        "quality": lead.quality,
        "preview": asdict(lead.preview),
        "taken_at": lead.claimed_at,
        "worked_at": lead.worked_at,
        "return_at": None if lead.worked_at else lead.return_at,
    }


def accepted(event: Event, caller: Shown) -> Response:
    """`POST /leads/{lead_id}/accept`: accept the lead that was assigned to me (F2)."""
    proof = bearer(caller, clock.now())
    lead = accept(wiring().race, wiring().holdings, lead_id(event), caller.owner, proof, clock.now)
    return answer(200, {"lead_id": lead.lead_id, "accepted": True})


def availability(event: Event, rep: Rep, sent: AvailabilityIn) -> Response:
    """`PUT /me/availability`: switch myself on or off, alerts off for a while, or set leave (R8).

    `{"available": false, "minutes": 60}`, `{"quiet_minutes": 30}`,
    `{"leave": [{"from": "2026-12-24", "to": "2026-12-31"}]}`; a pause ends by itself.
    """
    del event
    now, roster, available = clock.now(), wiring().roster, sent.available
    longest = roster.playbook().availability.pause_ends_after_minutes
    if sent.minutes is not None and sent.minutes > longest:
        raise InvalidInput((FieldError("minutes", f"send a whole number from 1 to {longest}"),))
    answered = dict[str, Any]()
    if sent.leave is not None:
        days_off = own_leave(rep, sent.leave, rep.today(now))
        roster.put_profile(replace(rep, leave=days_off), ("leave",))
        answered["leave"] = [{"from": str(first), "to": str(last)} for first, last in days_off]
    if sent.quiet_minutes is not None:
        answered["quiet_until"] = set_quiet(roster, rep.rep_id, sent.quiet_minutes, now)
    if available is not None:
        until = set_availability(roster, rep.rep_id, available, sent.minutes, now)
        answered |= {"available": available, "paused_until": until}
    # Who goes may leave a wave without anybody, and who comes back frees the queue (M6, C7).
    if sent.leave is not None or available is False:
        wiring().timers.check("waves.check")
    if sent.leave is not None or available is True:
        wiring().timers.check("queue.check")
    # Who comes back is told of the leads that are open (C13).
    if sent.leave is not None or available is True or sent.quiet_minutes == 0:
        wiring().timers.check("rep.check", rep_id=rep.rep_id)
    return answer(200, answered)


def switch(event: Event, rep: Rep, sent: AvailabilityIn) -> Response:
    """`POST /me/availability`: the same from the form of my page, which comes next."""
    if sent.leave:
        # A form adds one leave to those that are set.
        sent = sent.model_copy(update={"leave": tuple(dict.fromkeys((*rep.leave, *sent.leave)))})
    availability(event, rep, sent)
    return see_other(HOME if sent.available is not None else ME)


def language(event: Event, rep: Rep, sent: LanguageIn) -> Response:
    """`POST /me/language`: the language of my pages, pushes and texts (U6).

    From the form of my page, my page comes next.
    """
    if sent.language not in languages():
        raise InvalidInput((FieldError("language", f"use one of {', '.join(languages())}"),))
    wiring().roster.put_profile(replace(rep, language=sent.language), ("language",))
    return see_other(ME) if wants_html(event) else answer(200, {"language": sent.language})


def me(event: Event, caller: tuple[Rep, Usage]) -> Response:
    """`GET /me`: my tier and what the next one needs, my allowance, and whether I am on duty.

    And what is mine without being the fastest: my turn, my guarantee, my credits. And what I have
    earned: points and badges.
    """
    rep, usage = caller
    mine, now = wiring(), clock.now()
    rules = mine.roster.rules()
    weeks, month = weeks_of(rep, rules, now), month_of(rep, rules, now)
    own = mine.own_cards.of(rep.rep_id, weeks, month, periods_of(rep, rules, now))
    playbook = replace(mine.roster.rules(own.number), paused=own.paused)
    entries = list(mine.ledger.of_rep(rep.rep_id, since(rep, playbook, now), now))
    card = card_of(rep, usage, playbook, own, entries, now)
    card |= allotted(rep, usage, playbook, mine.turns, now)
    card |= earned(rep, playbook, own, mine.standings, now)
    return page.me(rep, card, now) if wants_html(event) else answer(200, card)


def put_device(event: Event, rep: Rep, sent: DeviceIn) -> Response:
    """`PUT /me/devices/{device_id}`: register a phone and its push token."""
    device_id = path(event, "device_id")
    register_device(wiring().roster, wiring().push, rep, device_id, sent.platform, sent.token)
    return answer(200, {"device_id": device_id, "platform": sent.platform})


def delete_device(event: Event, rep: Rep) -> Response:
    """`DELETE /me/devices/{device_id}`: forget a phone; one that is not there as well."""
    remove_device(wiring().roster, wiring().push, rep, path(event, "device_id"))
    return answer(200, {"device_id": path(event, "device_id"), "removed": True})


_NO_LEAD = (LeadNotFound,)
_AGAIN = "The same again changes nothing and gets the same answer."

ROUTES = {
    "GET /me": Route(me, REP_AND_USAGE, {200: ("Me", HTML), 303: "", 304: ""}, page=home.page_of),
    "GET /me/offers": Route(offers, REP_AND_USAGE, {200: "Offers"}),
    "GET /pool": Route(
        pool.pool, POOL_VIEWER, {200: "PoolShown"}, (Forbidden, InvalidInput), query=pool.POOL
    ),
    "GET /me/leads": Route(held, REP, {200: "HeldLeads"}),
    "GET /": Route(
        home.show, REP_AND_USAGE, {200: HTML, 303: ""}, query=pages.TAP, page=home.page_of
    ),
    "GET /me/leads/{lead_id}": Route(
        held_lead.show, REP, {200: "LeadInHand"}, (LeadNotFound, NoLongerYours)
    ),
    "GET /leads/{lead_id}": Route(
        one_lead.show,
        HOLDER_OR_MANAGER,
        {200: (HTML, "LeadShown"), 303: "", **ERROR_PAGES},
        (LeadNotFound, NoLongerYours, RouteNotFound),
        query=pages.TAP,
        page=held_lead.page_of,
    ),
    "POST /me/leads/{lead_id}/outcome": Route(
        held_lead.outcome,
        REP,
        {200: "OutcomeTold", 303: "", **ERROR_PAGES},
        (LeadNotFound, NoLongerYours, NotYours, IllegalMove, AlreadyExists, Forbidden),
        body=HeldOutcomeIn,
        repeated="The same outcome_id counts once.",
        page=held_lead.page_of,
    ),
    "POST /leads/{lead_id}/seen": Route(seen, HOLDER, {200: "Seen"}, _NO_LEAD, repeated=_AGAIN),
    "POST /leads/{lead_id}/decline": Route(
        decline,
        HOLDER,
        {200: "Declined", 303: "", **ERROR_PAGES},
        _NO_LEAD,
        repeated=_AGAIN,
        page=home.page_of,
    ),
    "POST /leads/{lead_id}/release": Route(
        release,
        HOLDER,
        {200: "Released", 303: "", **ERROR_PAGES, 400: HTML, 413: HTML},
        (LeadNotFound, NotYours, IllegalMove),
        body=ReleaseIn,
        also={FORM: ReleaseIn.read_form},
        repeated=_AGAIN,
        page=held_lead.page_of,
    ),
    "POST /leads/{lead_id}/accept": Route(
        accepted, HOLDER, {200: "Accepted"}, (LeadNotFound, NotYours), repeated=_AGAIN
    ),
    "GET /leads/{lead_id}/receipt": Route(
        receipt.receipt,
        REP,
        {200: ("Receipt", HTML), 303: "", **ERROR_PAGES},
        _NO_LEAD,
        query=EPOCH,
        page=receipt.page_of,
    ),
    "GET /me/receipts": Route(
        receipt.listed,
        REP,
        {200: ("TriedRaces", HTML), 303: "", **ERROR_PAGES},
        (InvalidInput,),
        query=receipt.AFTER,
        page=receipt.page_of,
    ),
    "GET /leads/{lead_id}/why": Route(
        why.show, HOLDER_OR_MANAGER, {200: "Why"}, _NO_LEAD, query=EPOCH
    ),
    "POST /leads/{lead_id}/dispute": Route(
        receipt.dispute,
        REP,
        {200: "Dispute", 303: "", **ERROR_PAGES, 400: HTML, 413: HTML},
        (*_NO_LEAD, IllegalMove),
        body=DisputeIn,
        also={FORM: DisputeIn.read_form},
        query=EPOCH,
        repeated="The first objection of a rep to a race stays as it was.",
        page=receipt.page_of,
    ),
    "GET /leads/{lead_id}/draw": Route(
        draw, HOLDER_OR_MANAGER, {200: "Draw"}, (LeadNotFound, RouteNotFound), query=EPOCH
    ),
    "PUT /me/availability": Route(
        availability, REP, {200: "Availability"}, body=AvailabilityIn, repeated=_AGAIN
    ),
    "POST /me/availability": Route(
        switch,
        REP,
        {303: "", **ERROR_PAGES},
        (InvalidInput,),
        body=AvailabilityForm,
        repeated=_AGAIN,
        page=home.page_of,
    ),
    "POST /me/language": Route(
        language,
        REP,
        {200: "Language", 303: "", **ERROR_PAGES},
        (InvalidInput, Outdated),
        body=LanguageIn,
        also={FORM: LanguageIn.read_form},
        repeated=_AGAIN,
        page=home.page_of,
    ),
    "PUT /me/devices/{device_id}": Route(
        put_device, REP, {200: "Device"}, body=DeviceIn, repeated=_AGAIN
    ),
    "DELETE /me/devices/{device_id}": Route(delete_device, REP, {200: "NoDevice"}, repeated=_AGAIN),
}

handler = http(
    ROUTES,
    lambda: (wiring().race.read("-", "-"), wiring().roster, wiring().push, wiring().timers),
)
