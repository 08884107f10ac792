"""A rep's receipt of a race, and their objection to it (C9)."""

from __future__ import annotations

from typing import Any

from dibs.aws import clock
from dibs.core.errors import FieldError, InvalidInput
from dibs.intake.body import json_object, raw_body
from dibs.receipts import seal as sealing
from dibs.receipts.receipts import Sealed, Trace
from dibs.roster.callers import calling_rep
from dibs.web.entry import Event
from dibs.web.http import Response, answer, epoch_asked, lead_id
from dibs.wiring import wiring

_LONGEST_REASON = 500


def receipt(event: Event) -> Response:
    """`GET /leads/{lead_id}/receipt`: the rep's own, of the latest race or of `?epoch=1`."""
    rep, _ = calling_rep(event, wiring().roster)
    own = sealing.own_receipt(
        wiring().race,
        wiring().races,
        wiring().offers,
        lead_id(event),
        rep.rep_id,
        epoch_asked(event),
    )
    body: dict[str, Any] = {"lead_id": lead_id(event), "epoch": own.epoch}
    part = own.part
    if isinstance(part, Trace) or own.sealed is None:
        known = {"told_at": part.told_at, "attempted_at": part.attempted_at}
        rules = part.refused or part.kept_out if isinstance(part, Trace) else part.rules
        return answer(200, {**body, "sealed": False, "receipt": {**known, "rules": rules}})
    found = {
        "outcome": part.outcome,
        "place": part.place,
        "behind_ms": part.behind_ms,
        "told_at": part.told_at,
        "attempted_at": part.attempted_at,
        "rules": part.rules,
        "disputed": rep.rep_id in own.sealed.disputed,
        **_proof(own.sealed, own.place),
    }
    return answer(200, {**body, "sealed": True, "receipt": found, "race": _race(own.sealed)})


def _proof(sealed: Sealed, place: int) -> dict[str, str]:
    """Return what shows a receipt unaltered: SHA-256 of the hash before, a line feed, the text."""
    link = sealed.links[place]
    return {"text": link.text, "before": sealed.links[place - 1].hash, "hash": link.hash}


def _race(sealed: Sealed) -> dict[str, Any]:
    """Return what every rep of a race may know of it: not who won."""
    race = sealed.race
    return {
        "opened_at": race.opened_at,
        "closed_at": race.closed_at,
        "sealed_at": race.sealed_at,
        "cause": race.cause,
        "playbook_version": race.playbook_version,
        "receipts": race.count,
        "head": sealed.head,
        "block": sealed.block,
    }


def dispute(event: Event) -> Response:
    """`POST /leads/{lead_id}/dispute` `{"reason": "..."}`: object to a race, once.

    To the latest the rep was in, or that of `?epoch=1`.
    """
    rep, _ = calling_rep(event, wiring().roster)
    given = json_object(raw_body(event)).get("reason")
    reason = given.strip() if isinstance(given, str) else ""
    plain = all(letter.isprintable() or letter in "\r\n\t" for letter in reason)
    if not (plain and 0 < len(reason) <= _LONGEST_REASON):
        problem = f"say why, in up to {_LONGEST_REASON} letters"
        raise InvalidInput((FieldError("reason", problem),))
    filed = sealing.dispute(
        wiring().race,
        wiring().races,
        wiring().offers,
        lead_id(event),
        rep.rep_id,
        reason,
        clock.now(),
        epoch_asked(event),
    )
    body = {"epoch": filed.epoch, "reason": filed.reason, "disputed_at": filed.at}
    return answer(200, {"lead_id": filed.lead_id, **body})
