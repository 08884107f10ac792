"""Offer an opened lead to every eligible rep at the same moment (C1, N1, N6)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from dibs.domain.decide import Eligible, decide
from dibs.domain.leads import Lead, State
from dibs.domain.playbook import Playbook
from dibs.domain.reps import Limits, Rep
from dibs.usecases.ports import Chunk, Fact, LeadStore, NotifyQueue, Roster, Timers

CHUNK = 50
# Chunks of one wave run side by side; this is how long the slowest may take to be picked up.
HEAD_START = timedelta(milliseconds=400)


def plan(
    fact: Fact,
    leads: LeadStore,
    roster: Roster,
    queue: NotifyQueue,
    timers: Timers,
    clock: Callable[[], datetime],
) -> None:
    """Follow one fact: tell the eligible reps of an opened lead, withdraw those of a closed one.

    Safe to run twice: an opening is planned once, and the same chunks come out of the same fact.
    """
    lead = leads.get(fact.lead_id)
    if lead is None:
        return
    if fact.kind == "lead.opened":
        now = clock()
        if lead.state is State.OPEN and lead.epoch == fact.epoch and now < lead.closes_at:
            reps = eligible(lead, _members(roster, lead.teams), roster.playbook(), now)
            queue.put(chunks("offer", lead, reps, now))
            timers.close_at(lead, now)
            leads.planned(lead)
    else:
        members = [rep for rep, _ in _members(roster, lead.teams) if rep.rep_id != fact.rep_id]
        queue.put(chunks("withdraw", replace(lead, epoch=fact.epoch), members, None))
        if fact.rep_id is not None:
            queue.put([Chunk("won", fact.lead_id, fact.epoch, (fact.rep_id,))])


def eligible(
    lead: Lead, roster: Iterable[tuple[Rep, Limits]], playbook: Playbook, now: datetime
) -> list[Rep]:
    """Return the reps who may claim the lead now. Advisory: the claim judges again."""
    return [
        rep
        for rep, limits in roster
        if isinstance(decide(lead, rep, limits, playbook, now), Eligible)
    ]


def chunks(kind: str, lead: Lead, reps: Sequence[Rep], now: datetime | None) -> list[Chunk]:
    """Deal reps into chunks in random order (N6), the same order whenever the fact is replayed."""
    order = sorted(rep.rep_id for rep in reps)
    random.Random(f"{lead.lead_id}/{lead.epoch}").shuffle(order)  # noqa: S311 - fairness, no secret
    dealt = [tuple(order[start : start + CHUNK]) for start in range(0, len(order), CHUNK)]
    start = None if now is None else now + (HEAD_START if len(dealt) > 1 else timedelta())
    return [Chunk(kind, lead.lead_id, lead.epoch, rep_ids, start) for rep_ids in dealt]


def _members(roster: Roster, teams: Iterable[str]) -> list[tuple[Rep, Limits]]:
    return [member for team in teams for member in roster.team(team)]
