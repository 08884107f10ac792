"""Draw the winner among those who claimed in the window (C10): exactly one, whoever draws.

Nobody is the drawer: a timer, the sweep and every late claim carry out a draw that is due. What
was drawn is stored in the transaction that gives the lead away, so it is stored once.
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
    Drawn,
    commitment_of,
    draw_time,
    in_order,
    judged_at,
    seed_of,
    undrawn,
)
from dibs.race.lifecycle import taking
from dibs.race.ports import RaceStore
from dibs.race.usage import count_lead

ATTEMPTS = 12


def draw(
    store: RaceStore,
    lead: Lead,
    clock: Callable[[], datetime],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Carry out the draw of this opening, once it is due; it may be over already.

    The lead goes to the first, in the order of the tickets, who may have it at this moment. Where
    nobody may, it stays open for whoever claims first.

    Raises:
        Busy: the store did not get to it in time; the next one draws.
    """
    early = (draw_time(lead) - clock()).total_seconds()
    if early > 0:
        pause(early)
    draws, seed = store.draws(), seed_of(lead)
    drawn = Drawn(
        lead_id=lead.lead_id,
        epoch=lead.epoch,
        commitment=commitment_of(seed),
        seed=seed,
        drawn_at=clock(),
        entrants=in_order(seed, lead.lead_id, lead.epoch, draws.entrants(lead)),
    )
    for rep_id in drawn.entrants:
        rules = _given(store, lead, rep_id, drawn, clock, pause)
        if rules is None:
            return
        drawn = replace(drawn, passed=(*drawn.passed, (rep_id, rules)))
    draws.close(lead, replace(drawn, drawn_at=judged_at(lead, clock())))


def look(store: RaceStore, lead_id: str, epoch: int | None, rep_id: str | None) -> Drawn:
    """Return how a lead was drawn, to a rep who was in the draw or to a manager (`rep_id` None).

    Raises:
        RouteNotFound: it was not drawn, or the rep was not in it.
    """
    drawn = store.draws().get(lead_id, epoch)
    if drawn is None or (rep_id is not None and rep_id not in drawn.entrants):
        raise RouteNotFound("There is no draw of this lead that you were in, or not yet.")
    return drawn


def _given(
    store: RaceStore,
    lead: Lead,
    rep_id: str,
    drawn: Drawn,
    clock: Callable[[], datetime],
    pause: Callable[[float], None],
) -> tuple[str, ...] | None:
    """Give the lead to an entrant; return the rules that refuse, None when the draw is over."""
    for attempt in attempts(ATTEMPTS, pause):
        view = store.read(lead.lead_id, rep_id)
        found, rep, now = view.lead, view.rep, judged_at(lead, clock())
        if found is None or not undrawn(found) or found.epoch != lead.epoch:
            return None
        if rep is None:
            return ("left",)
        verdict, usage = decide_knowing(
            found, rep, view.usage, view.playbook, now, store.open_leads
        )
        if isinstance(verdict, Refused):
            return tuple(refusal.code for refusal in verdict.refusals)
        since = view.noticed_at or verdict.since
        claim = replace(taking(found, rep, view.playbook, now, since), drawn=True)
        counts = count_lead(rep, found, usage, view.playbook, claim)
        ours = replace(drawn, winner=rep_id, drawn_at=now)
        with attempt:  # somebody else may be drawing, or the rep claiming another lead
            if store.draws().give(view, claim, counts, ours):
                return None
    raise Busy
