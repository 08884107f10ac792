"""What a rep's app does besides claiming."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from dibs.assignment.work import accept
from dibs.assignment.work import release as release_lead
from dibs.aws import clock
from dibs.core.errors import FieldError, InvalidInput
from dibs.core.lead import Lead, State
from dibs.core.rep import Rep
from dibs.intake.body import json_object, raw_body
from dibs.offers.open_offers import OpenOffer, open_offers, sight
from dibs.people.own import (
    MOST_QUIET_MINUTES,
    register_device,
    remove_device,
    set_availability,
    set_quiet,
)
from dibs.people.profiles import leave_of, own_leave
from dibs.race.claim import bearer, in_draw
from dibs.race.decide import Refused
from dibs.race.draw import Drawn, collects, ticket
from dibs.race.draw_winner import look
from dibs.race.opening import next_opening
from dibs.roster.callers import calling_rep, calling_viewer
from dibs.web.entry import Event, http
from dibs.web.http import Response, answer, bearer_token, lead_id, path, query
from dibs.web.translations import refusal_sentence, shown_company
from dibs.wiring import wiring
from rep import receipt, why
from rep.allotted import allotted
from rep.card import card_of
from rep.earned import earned


def offers(event: Event) -> Response:
    """`GET /me/offers`: the open leads of the rep's team, each with whether and why not."""
    rep, usage = calling_rep(event, wiring().roster)
    found = open_offers(wiring().race, rep, usage, wiring().roster.playbook(), clock.now())
    return answer(200, {"offers": [_offer(offer, rep) for offer in found]})


def _offer(offer: OpenOffer, rep: Rep) -> dict[str, Any]:
    lead, preview = offer.lead, offer.lead.shown
    body = {
        "lead_id": lead.lead_id,
        "claim_url": f"{wiring().settings.public_url}/c/{offer.token}",
        "opens_at": lead.opens_for(rep),
        "closes_at": lead.closes_at,
        "preview": {
            "company": shown_company(lead, rep.language),
            "company_size": preview.company_size,
            "contact_title": preview.contact_title,
            "source": preview.source,
            "score": preview.score,
        },
        "blind": lead.blind,
        "eligible": not isinstance(offer.verdict, Refused),
    }
    if collects(lead, clock.now()):
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


def seen(event: Event) -> Response:
    """`POST /leads/{lead_id}/seen`: the app shows the offer (N3)."""
    return _sighted(event, "seen_at")


def decline(event: Event) -> Response:
    """`POST /leads/{lead_id}/decline`: not for me; no text will follow."""
    return _sighted(event, "declined_at")


def _sighted(event: Event, what: str) -> Response:
    rep_id, token = bearer_token(event)
    lead = sight(wiring().race, lead_id(event), rep_id, bearer(token), what, clock.now())
    waits = lead.state is State.OPEN and next_opening(lead, clock.now()) is not None
    if what == "declined_at" and waits:
        # The last one to decline opens the next wave (M6).
        wiring().timers.check("lead.check", lead)
    return answer(200, {"lead_id": lead.lead_id, what.removesuffix("_at"): True})


def draw(event: Event) -> Response:
    """`GET /leads/{lead_id}/draw`: how it was drawn, for who was in the draw and for managers.

    The latest draw, or that of opening `?epoch=2`. Anybody can recompute it from the answer.
    """
    rep, opening = calling_viewer(event, wiring().roster), query(event, "epoch")
    if opening and not (opening.isascii() and opening.isdigit() and len(opening) <= 5):
        raise InvalidInput((FieldError("epoch", "send a whole number"),))
    epoch = int(opening) if opening else None
    drawn = look(wiring().race, lead_id(event), epoch, rep and rep.rep_id)
    hidden = rep is not None and wiring().roster.playbook().hides_winner_from(rep)
    return answer(200, _drawn(drawn, rep.rep_id if rep and hidden else None))


def _drawn(drawn: Drawn, only: str | None) -> dict[str, Any]:
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


def release(event: Event) -> Response:
    """`POST /leads/{lead_id}/release` `{"reason": "..."}`: give back a lead I hold (C5).

    Within the playbook's seconds a claim is undone, and needs no reason.
    """
    rep_id, token = bearer_token(event)
    reason = json_object(raw_body(event)).get("reason")
    lead, undone = release_lead(
        wiring().race,
        wiring().holdings,
        lead_id(event),
        rep_id,
        bearer(token),
        reason,
        clock.now,
    )
    if not undone:
        wiring().timers.check("queue.check")  # they may be given another
    return answer(200, {"lead_id": lead.lead_id, "state": lead.state, "undone": undone})


def held(event: Event) -> Response:
    """`GET /me/leads`: the leads I hold and am not done with, the oldest first."""
    rep, _ = calling_rep(event, wiring().roster)
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


def accepted(event: Event) -> Response:
    """`POST /leads/{lead_id}/accept`: I take the lead that was assigned to me (F2)."""
    rep_id, token = bearer_token(event)
    proof = bearer(token)
    lead = accept(wiring().race, wiring().holdings, lead_id(event), rep_id, proof, clock.now)
    return answer(200, {"lead_id": lead.lead_id, "accepted": True})


def availability(event: Event) -> Response:
    """`PUT /me/availability`: on, off for a while, without alerts for a while, or on leave (R8).

    `{"available": false, "minutes": 60}`, `{"quiet_minutes": 30}`,
    `{"leave": [{"from": "2026-12-24", "to": "2026-12-31"}]}`; a pause ends by itself.
    """
    rep, _ = calling_rep(event, wiring().roster)
    body, now, roster = json_object(raw_body(event)), clock.now(), wiring().roster
    available, minutes = body.get("available"), body.get("minutes")
    quiet, leave = body.get("quiet_minutes"), body.get("leave")
    errors = []
    if available is None and quiet is None and leave is None:
        errors.append(FieldError("available", "send true or false, quiet_minutes or leave"))
    if available is not None and not isinstance(available, bool):
        errors.append(FieldError("available", "send true or false"))
    longest = roster.playbook().availability.pause_ends_after_minutes
    for name, value, least, most in (
        ("minutes", minutes, 1, longest),
        ("quiet_minutes", quiet, 0, MOST_QUIET_MINUTES),
    ):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            errors.append(
                FieldError(name, f"send a whole number of minutes from {least} to {most}")
            )
    try:
        days_off = rep.leave if leave is None else own_leave(rep, leave_of(leave), rep.today(now))
    except ValueError as error:
        errors.append(FieldError("leave", str(error)))
    if errors:
        raise InvalidInput(tuple(errors))
    answered = dict[str, Any]()
    if leave is not None:
        roster.put_profile(replace(rep, leave=days_off), ("leave",))
        answered["leave"] = [{"from": str(first), "to": str(last)} for first, last in days_off]
    if quiet is not None:
        answered["quiet_until"] = set_quiet(roster, rep.rep_id, quiet, now)
    if available is not None:
        until = set_availability(roster, rep.rep_id, available, minutes, now)
        answered |= {"available": available, "paused_until": until}
    # Who goes may leave a wave without anybody, and who comes back frees the queue (M6, C7).
    if leave is not None or available is False:
        wiring().timers.check("waves.check")
    if leave is not None or available is True:
        wiring().timers.check("queue.check")
    return answer(200, answered)


def me(event: Event) -> Response:
    """`GET /me`: my tier and what the next one needs, my allowance, and whether I am on duty.

    And what is mine without being the fastest: my turn, my guarantee, my credits. And what I have
    earned: points and badges.
    """
    rep, usage = calling_rep(event, wiring().roster)
    playbook, now = wiring().roster.playbook(), clock.now()
    card = card_of(rep, usage, playbook, wiring().results, wiring().ledger, now)
    card |= allotted(rep, usage, playbook, wiring().turns, now)
    card |= earned(rep, playbook, wiring().standings, wiring().points, now)
    return answer(200, card)


def put_device(event: Event) -> Response:
    """`PUT /me/devices/{device_id}`: the app registers its push token."""
    rep, _ = calling_rep(event, wiring().roster)
    body = json_object(raw_body(event))
    platform, token = (
        value if isinstance(value, str) else "" for value in map(body.get, ("platform", "token"))
    )
    device_id = path(event, "device_id")
    register_device(wiring().roster, wiring().push, rep, device_id, platform, token)
    return answer(200, {"device_id": device_id, "platform": platform})


def delete_device(event: Event) -> Response:
    """`DELETE /me/devices/{device_id}`."""
    rep, _ = calling_rep(event, wiring().roster)
    remove_device(wiring().roster, wiring().push, rep, path(event, "device_id"))
    return answer(200, {"device_id": path(event, "device_id"), "removed": True})


ROUTES = {
    "GET /me": me,
    "GET /me/offers": offers,
    "GET /me/leads": held,
    "POST /leads/{lead_id}/seen": seen,
    "POST /leads/{lead_id}/decline": decline,
    "POST /leads/{lead_id}/release": release,
    "POST /leads/{lead_id}/accept": accepted,
    "GET /leads/{lead_id}/receipt": receipt.receipt,
    "GET /leads/{lead_id}/why": why.show,
    "POST /leads/{lead_id}/dispute": receipt.dispute,
    "GET /leads/{lead_id}/draw": draw,
    "PUT /me/availability": availability,
    "PUT /me/devices/{device_id}": put_device,
    "DELETE /me/devices/{device_id}": delete_device,
}

handler = http(
    ROUTES,
    lambda: (wiring().race.read("-", "-"), wiring().roster, wiring().push, wiring().timers),
)
