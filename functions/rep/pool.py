"""The pool: how many leads are open, how old, of which quality, and whether I may claim (U4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from dibs.assignment.overview import pool_view
from dibs.aws import clock
from dibs.callers import part_shown
from dibs.core.credentials import Manager
from dibs.core.errors import FieldError, Forbidden, InvalidInput, Refusal
from dibs.core.rep import Rep, Usage
from dibs.offers.open_offers import offers_of
from dibs.race.decide import Refused, off
from dibs.web.http import Event, Response, answer, query
from dibs.web.translations import refusal_sentence
from dibs.wiring import wiring

POOL: dict[str, dict[str, Any]] = {
    "team": {"description": "One of the playbook's teams; a rep's own at most.", "type": "string"}
}


def pool(event: Event, caller: tuple[Rep, Usage] | Manager) -> Response:
    """`GET /pool`: the leads that are open for claiming, counted (U4).

    A rep hears of their own team, whether they may claim one of them now, and why not; the quality
    of blind leads is hidden from them. A manager may name a `team`.
    """
    now, playbook, team = clock.now(), wiring().roster.playbook(), query(event, "team")
    if team and team not in playbook.teams:
        raise InvalidInput((FieldError("team", "name one of the playbook's teams, or none"),))
    if isinstance(caller, Manager):
        part = part_shown(event, caller)
        view = pool_view(wiring().race.open_leads(), part, now, hidden=False)
        return answer(200, {"as_of": now, "team": part or None, **asdict(view)})
    rep, usage = caller
    if team not in ("", rep.team):
        raise Forbidden("You see the pool of your own team.")
    found = wiring().race.open_leads()
    view = pool_view(found, rep.team, now, hidden=True)
    body = {"as_of": now, "team": rep.team, **asdict(view)}
    offers = offers_of(found, rep, usage, playbook, now)
    refused = [one.verdict for one in offers if isinstance(one.verdict, Refused)]
    if len(refused) < len(offers):
        return answer(200, {**body, "eligible": True})
    if refused:
        soonest = min(refused, key=_lifts)
        return answer(200, {**body, **_refused(soonest.refusals, soonest.lifts_at, rep)})
    # Of an empty pool only what holds for every lead can be said.
    why = off(rep, playbook, now)
    return answer(200, {**body, **(_refused(why, None, rep) if why else {})})


def _lifts(verdict: Refused) -> tuple[bool, datetime]:
    return verdict.lifts_at is None, verdict.lifts_at or datetime.max.replace(tzinfo=UTC)


def _refused(refusals: Sequence[Refusal], lifts_at: datetime | None, rep: Rep) -> dict[str, Any]:
    return {
        "eligible": False,
        "refusal": {
            "codes": [refusal.code for refusal in refusals],
            "lifts_at": lifts_at,
            "lifts_when": " ".join(refusal_sentence(one, rep.language) for one in refusals),
        },
    }
