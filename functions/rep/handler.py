"""What a rep's app does besides claiming, and the managers' list of reps."""

from __future__ import annotations

import hmac
from typing import Any

from dibs import wiring
from dibs.adapters import clock
from dibs.adapters.entry import Event, http
from dibs.adapters.http import Response, answer, bearer_token, lead_id, path
from dibs.adapters.intake import parse_json, raw_body
from dibs.adapters.settings import settings
from dibs.adapters.translations import refusal_sentence
from dibs.domain.decide import Refused
from dibs.domain.errors import FieldError, Forbidden, InvalidInput, Unauthorized
from dibs.domain.reps import Limits, Rep
from dibs.usecases.claim import bearer, token_hash, undo
from dibs.usecases.reps import (
    OpenOffer,
    open_offers,
    register_device,
    remove_device,
    set_availability,
    sight,
)


def offers(event: Event) -> Response:
    """`GET /me/offers`: the open leads of the rep's team, each with whether and why not."""
    rep, limits = _caller(event)
    found = open_offers(wiring.race(), rep, limits, wiring.roster().playbook(), clock.now())
    return answer(200, {"offers": [_offer(offer, rep) for offer in found]})


def _offer(offer: OpenOffer, rep: Rep) -> dict[str, Any]:
    lead, preview = offer.lead, offer.lead.preview
    body = {
        "lead_id": lead.lead_id,
        "claim_url": f"{settings().public_url}/c/{offer.token}",
        "opens_at": lead.opens_at,
        "closes_at": lead.closes_at,
        "preview": {
            "company": preview.company,
            "company_size": preview.company_size,
            "contact_title": preview.contact_title,
            "source": preview.source,
            "score": preview.score,
        },
        "eligible": not isinstance(offer.verdict, Refused),
    }
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
    lead = lead_id(event)
    sight(wiring.race(), lead, rep_id, bearer(token), what, clock.now())
    return answer(200, {"lead_id": lead, what.removesuffix("_at"): True})


def release(event: Event) -> Response:
    """`POST /leads/{lead_id}/release`: within the playbook's seconds, a claim is undone (C5)."""
    rep_id, token = bearer_token(event)
    _body(event)
    lead = undo(wiring.race(), lead_id(event), rep_id, bearer(token), clock.now)
    return answer(200, {"lead_id": lead.lead_id, "state": lead.state, "undone": True})


def availability(event: Event) -> Response:
    """`PUT /me/availability` `{"available": false, "minutes": 60}`: a pause ends by itself."""
    rep, _ = _caller(event)
    body = _body(event)
    available, minutes = body.get("available"), body.get("minutes")
    errors = []
    if not isinstance(available, bool):
        errors.append(FieldError("available", "send true or false"))
    if minutes is not None and (isinstance(minutes, bool) or not isinstance(minutes, int)):
        errors.append(FieldError("minutes", "send a whole number of minutes"))
    if errors:
        raise InvalidInput(tuple(errors))
    until = set_availability(wiring.roster(), rep.rep_id, bool(available), minutes, clock.now())
    return answer(200, {"available": available, "paused_until": until})


def put_device(event: Event) -> Response:
    """`PUT /me/devices/{device_id}`: the app registers its push token."""
    rep, _ = _caller(event)
    body = _body(event)
    platform, token = (
        value if isinstance(value, str) else "" for value in map(body.get, ("platform", "token"))
    )
    device_id = path(event, "device_id")
    register_device(wiring.roster(), wiring.push(), rep, device_id, platform, token)
    return answer(200, {"device_id": device_id, "platform": platform})


def delete_device(event: Event) -> Response:
    """`DELETE /me/devices/{device_id}`."""
    rep, _ = _caller(event)
    remove_device(wiring.roster(), wiring.push(), rep, path(event, "device_id"))
    return answer(200, {"device_id": path(event, "device_id"), "removed": True})


def reps(event: Event) -> Response:
    """`GET /reps` (managers): who is on which team, and who is switched on."""
    caller, token = bearer_token(event)
    if caller != "manager":
        _caller(event)
        raise Forbidden
    known = wiring.roster().manager_hash()
    if known is None or not hmac.compare_digest(known, token_hash(token)):
        raise Unauthorized
    now = clock.now()
    found = wiring.Operator(wiring.roster()).reps()
    return answer(
        200,
        {
            "reps": [
                {
                    "rep_id": rep.rep_id,
                    "name": rep.name,
                    "team": rep.team,
                    "tier": rep.tier,
                    "zone": rep.zone,
                    "active": rep.active,
                    "available": rep.paused_until is None or rep.paused_until <= now,
                    "push": bool(rep.pushable),
                    "sms": rep.textable,
                }
                for rep in found
            ]
        },
    )


def _caller(event: Event) -> tuple[Rep, Limits]:
    """Return the rep whose token was sent.

    Raises:
        Unauthorized: nobody's, or no longer theirs.
        Forbidden: a manager's; these calls are a rep's own.
    """
    rep_id, token = bearer_token(event)
    known = wiring.roster().credentials(rep_id)
    if known is None or known[2] is None:
        if rep_id == "manager":
            raise Forbidden("These calls are a rep's own.")
        raise Unauthorized
    rep, limits, stored = known
    if not rep.active or not hmac.compare_digest(stored, token_hash(token)):
        raise Unauthorized
    return rep, limits


def _body(event: Event) -> dict[str, Any]:
    body = parse_json(raw_body(event) or b"{}")
    if not isinstance(body, dict):
        raise InvalidInput((FieldError("body", "send a JSON object"),))
    return body


ROUTES = {
    "GET /me/offers": offers,
    "POST /leads/{lead_id}/seen": seen,
    "POST /leads/{lead_id}/decline": decline,
    "POST /leads/{lead_id}/release": release,
    "PUT /me/availability": availability,
    "PUT /me/devices/{device_id}": put_device,
    "DELETE /me/devices/{device_id}": delete_device,
    "GET /reps": reps,
}

handler = http(
    ROUTES,
    lambda: (wiring.race().read("-", "-"), wiring.roster(), wiring.push()),
)
