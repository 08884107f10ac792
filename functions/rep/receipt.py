"""A rep's receipts of races, and their objections to them (C9)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from dibs.aws import clock
from dibs.core.errors import DibsError, FieldError, InvalidInput
from dibs.core.rep import Rep
from dibs.receipts import seal as sealing
from dibs.receipts.ports import Dispute
from dibs.receipts.receipts import SealedRace, Trace
from dibs.screens import pages
from dibs.web.http import (
    Event,
    Response,
    answer,
    epoch_asked,
    lead_id,
    query,
    see_other,
    wants_html,
)
from dibs.web.translations import N_, shown_company
from dibs.wiring import wiring
from rep import page, receipt_page
from rep.body import DisputeIn

RECEIPTS = "/me/receipts"
AFTER: dict[str, dict[str, Any]] = {
    "after": {"description": "Where `next` of the page before says.", "type": "string"}
}
_PAGE = 50
_AFTER = re.compile(r"[0-9]{13}#[A-Za-z0-9_-]{1,64}#[0-9]{5}")


def listed(event: Event, rep: Rep) -> Response:
    """`GET /me/receipts`: the races I tried to win in the last 90 days, the newest first.

    Of a race I let pass, or was not told of, the lead's own receipt says so.
    """
    after = query(event, "after")
    if after and not _AFTER.fullmatch(after):
        raise InvalidInput((FieldError("after", "follow the `next` of the page before"),))
    races, following = wiring().races.tried_by(rep.rep_id, _PAGE, after)
    companies = _companies({one.lead_id for one in races}, rep)
    following = f"{RECEIPTS}?after={quote(following)}" if following else ""
    if wants_html(event):
        return receipt_page.receipts(rep, races, companies, following, clock.now())
    found = [
        {
            "lead_id": one.lead_id,
            "epoch": one.epoch,
            "company": companies.get(one.lead_id, ""),
            "closed_at": one.closed_at,
            "outcome": one.outcome,
            "place": one.place,
            "behind_ms": one.behind_ms,
            "rules": one.rules,
        }
        for one in races
    ]
    return answer(200, {"receipts": found, "next": following or None})


def _companies(lead_ids: Collection[str], rep: Rep) -> dict[str, str]:
    leads = wiring().leads.get_many(lead_ids) if lead_ids else {}
    return {one.lead_id: shown_company(one, rep.language) for one in leads.values()}


_CALLED = N_("My races")


def page_of(event: Event, error: DibsError) -> Response | None:
    """Return the page that tells a browser of an error; where to sign in, if that is it."""
    return pages.error_page(page.site(), event, error, RECEIPTS, _CALLED)


def _or_page(event: Event, error: DibsError, rep: Rep) -> Response:
    """Return the page that tells a rep's browser of an error, in their language."""
    if not wants_html(event):
        raise error
    return pages.refused(page.site(), error, RECEIPTS, _CALLED, rep.language)


def _one(event: Event, epoch: int) -> str:
    return f"/leads/{quote(lead_id(event), safe='')}/receipt?epoch={epoch}"


def _receipt(event: Event, rep: Rep) -> sealing.OwnReceipt:
    return sealing.own_receipt(
        wiring().race,
        wiring().races,
        wiring().offers,
        lead_id(event),
        rep.rep_id,
        epoch_asked(event),
    )


def receipt(event: Event, rep: Rep) -> Response:
    """`GET /leads/{lead_id}/receipt`: my receipt of the latest race for a lead, or of `epoch`."""
    try:
        own = _receipt(event, rep)
    except DibsError as error:
        return _or_page(event, error, rep)
    if wants_html(event):
        filed = wiring().races.disputed(lead_id(event), own.epoch, rep.rep_id)
        company = _companies([lead_id(event)], rep).get(lead_id(event), "")
        return receipt_page.receipt(rep, own, filed, lead_id(event), company, clock.now())
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

    To the latest the rep was in, or that of `?epoch=1`. From the form of a receipt's page, that
    page comes next.
    """
    try:
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
    except DibsError as error:
        return _or_page(event, error, rep)
    if wants_html(event):
        return see_other(_one(event, filed.epoch))
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
