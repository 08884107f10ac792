"""A rep's receipt of a race, and their objection to it (C9)."""

from __future__ import annotations

from typing import Any

from dibs.aws import clock
from dibs.core.rep import Rep
from dibs.receipts import seal as sealing
from dibs.receipts.ports import Dispute
from dibs.receipts.receipts import SealedRace, Trace
from dibs.web.http import Event, Response, answer, epoch_asked, lead_id
from dibs.wiring import wiring
from rep.body import DisputeIn


def receipt(event: Event, rep: Rep) -> Response:
    """`GET /leads/{lead_id}/receipt`: my receipt of the latest race for a lead, or of `epoch`."""
    own = sealing.own_receipt(
        wiring().race,
        wiring().races,
        wiring().offers,
        lead_id(event),
        rep.rep_id,
        epoch_asked(event),
    )
    body: dict[str, Any] = {"lead_id": lead_id(event), "epoch": own.epoch}
    filed = wiring().races.disputed(lead_id(event), own.epoch, rep.rep_id)
    body["dispute"] = filed and _filed(filed)
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
        "disputed": filed is not None,
        **_proof(own.sealed, own.place),
    }
    return answer(200, {**body, "sealed": True, "receipt": found, "race": _race(own.sealed)})


def _proof(sealed: SealedRace, place: int) -> dict[str, str]:
    """Return what shows a receipt unaltered: SHA-256 of the hash before, a line feed, the text."""
    link = sealed.links[place]
    return {"text": link.text, "before": sealed.links[place - 1].hash, "hash": link.hash}


def _race(sealed: SealedRace) -> dict[str, Any]:
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


def dispute(event: Event, rep: Rep, sent: DisputeIn) -> Response:
    """`POST /leads/{lead_id}/dispute`: object to a race the rep did not win, once, with a reason.

    To the latest the rep was in, or that of `?epoch=1`.
    """
    filed = sealing.dispute(
        wiring().race,
        wiring().races,
        wiring().offers,
        lead_id(event),
        rep.rep_id,
        sent.reason,
        clock.now(),
        epoch_asked(event),
    )
    return answer(200, {"lead_id": filed.lead_id, "epoch": filed.epoch, **_filed(filed)})


def _filed(filed: Dispute) -> dict[str, Any]:
    """Return a dispute and its answer; not who answered."""
    given = {
        "upheld": filed.ruling == "upheld",
        "text": filed.answer,
        "answered_at": filed.answered_at,
    }
    answered = given if filed.ruling else None
    return {"reason": filed.reason, "disputed_at": filed.at, "answer": answered}
