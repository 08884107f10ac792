"""Draw one winner among the reps who claimed in the collection window (C10).

A timer, the sweep and every late claim carry out a draw that is due. The draw is stored in the
transaction that gives the lead to the winner, so it is stored once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from dibs.core.attempts import attempts
from dibs.core.errors import Busy, RouteNotFound
from dibs.core.lead import Lead
from dibs.race.decide import Refused, decide_knowing
from dibs.race.draw import (
    DrawResult,
    commitment_of,
    draw_time,
    in_order,
    judged_at,
    seed_of,
    undrawn,
)
from dibs.race.lifecycle import new_claim
from dibs.race.ports import RaceStore
from dibs.race.usage import count_lead

ATTEMPTS = 12


def draw(
    store: RaceStore,
    lead: Lead,
    clock: Callable[[], datetime],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until the draw of this opening is due, and carry it out unless that is done already.

    The lead goes to the first entrant, in the order of the tickets, who may have it now. If none
    may, it stays open for the first rep who claims it.

    Raises:
        Busy: the store did not answer in time; the next caller carries out the draw.
    """
    early = (draw_time(lead) - clock()).total_seconds()
    if early > 0:
        pause(early)
    draws, seed = store.draws(), seed_of(lead)
    drawn = DrawResult(
        lead_id=lead.lead_id,
        epoch=lead.epoch,
        commitment=commitment_of(seed),
        seed=seed,
        drawn_at=clock(),
        entrants=in_order(seed, lead.lead_id, lead.epoch, draws.entrants(lead)),
    )
    for rep_id in drawn.entrants:
        rules = _give(store, lead, rep_id, drawn, clock, pause)
        if rules is None:
            return
        drawn = replace(drawn, passed=(*drawn.passed, (rep_id, rules)))
    draws.close(lead, replace(drawn, drawn_at=judged_at(lead, clock())))


def look(store: RaceStore, lead_id: str, epoch: int | None, rep_id: str | None) -> DrawResult:
    """Return the record of a lead's draw, for an entrant or for a manager (`rep_id` None).

    Raises:
        RouteNotFound: there was no draw, or the rep did not enter it.
    """
    drawn = store.draws().get(lead_id, epoch)
    if drawn is None or (rep_id is not None and rep_id not in drawn.entrants):
        raise RouteNotFound("There is no draw of this lead that you were in, or not yet.")
    return drawn


def _give(
    store: RaceStore,
    lead: Lead,
    rep_id: str,
    drawn: DrawResult,
    clock: Callable[[], datetime],
    pause: Callable[[float], None],
) -> tuple[str, ...] | None:
    """Give the lead to an entrant. Return the rules that refuse them, None if the draw is over."""
    for attempt in attempts(ATTEMPTS, pause):
        view = store.read(lead.lead_id, rep_id)
        current, rep, now = view.lead, view.rep, judged_at(lead, clock())
        if current is None or not undrawn(current) or current.epoch != lead.epoch:
            return None
        if rep is None:
            return ("left",)
        verdict, usage = decide_knowing(
            current, rep, view.usage, view.playbook, now, store.open_leads
        )
        if isinstance(verdict, Refused):
            return tuple(refusal.code for refusal in verdict.refusals)
        since = view.noticed_at or verdict.since
        claim = replace(new_claim(current, rep, view.playbook, now, since), drawn=True)
        counts = count_lead(rep, current, usage, view.playbook, claim)
        won = replace(drawn, winner=rep_id, drawn_at=now)
        with attempt:  # another process may be drawing, or the rep claiming another lead
            if store.draws().give(view, claim, counts, won):
                return None
    raise Busy
