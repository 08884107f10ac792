"""10,000 races: several processes claim one lead at one instant. Each has one winner."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from statistics import median
from threading import BrokenBarrierError
from typing import Any

from benchmarks.stage import add_reps, organisation, run
from dibs.aws import clock, keys
from dibs.aws.dynamo import Dynamo
from dibs.aws.settings import Settings
from dibs.core.errors import AlreadyClaimed, Busy
from dibs.core.lead import Lead, id_text
from dibs.core.rep import Rep
from dibs.race.card_records import card_item
from dibs.race.claim import claim
from dibs.race.records import lead_from, lock_item
from dibs.race.store import DynamoRaceStore
from support.builders import World, a_card, a_lead, proof_of
from support.clients import dynamodb_at

RACES = 10_000
PROCESSES = 3
"""Each of them claims in every race."""
LANES = 3
"""So many races are run at the same time."""
REPS = 12
"""Of each lane: who races in two lanes at once would be judged twice."""
SECONDS = 300.0
WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Try:
    """One rep's claim in one race: when it began, and who the answer says has the lead."""

    race: int
    began: float
    rep_id: str
    winner: str | None


def measure(endpoint: str) -> dict[str, Any]:
    """Run as many of the races as there is time for, and judge each by answers and table."""
    world = organisation(endpoint, "races", claims_per_day=RACES)
    reps = add_reps(world, LANES * REPS)
    leads = _open_leads(world)
    context = multiprocessing.get_context("spawn")
    barriers = [context.Barrier(PROCESSES) for _ in range(LANES)]
    pipes = [context.Pipe(duplex=False) for _ in range(PROCESSES)]
    ids = [lead.lead_id for lead in leads]
    processes = [
        context.Process(
            target=contend,
            args=(theirs, endpoint, world.settings, barriers, number, ids, reps),
            daemon=True,
        )
        for number, (_, theirs) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    told = [ours.recv() for ours, _ in pipes]
    for process in processes:
        process.join()
    tries: dict[int, list[Try]] = {}
    for one in (one for _, some in told for one in some):
        tries.setdefault(one.race, []).append(one)
    return judged(
        [some for some in tries.values() if len(some) == PROCESSES],
        _owners(world, ids),
        max(seconds for seconds, _ in told),
    )


def judged(races: Sequence[Sequence[Try]], owners: Sequence[str | None], seconds: float) -> Any:
    """Count the races in which answers and table do not agree on one winner."""
    winners = [{one.rep_id for one in tries if one.winner == one.rep_id} for tries in races]
    believed = [{one.winner for one in tries if one.winner is not None} for tries in races]
    wrong = [
        tries[0].race
        for tries, won, named in zip(races, winners, believed, strict=True)
        if len(won) != 1 or named != won or won != {owners[tries[0].race]}
    ]
    began = [[one.began for one in tries] for tries in races]
    return {
        "races": len(races),
        "wanted": RACES,
        "contenders": PROCESSES,
        "not_one_winner": len(wrong),
        "wrong": wrong[:10],
        "winners": sum(map(len, winners)),
        "unanswered": sum(one.winner is None for tries in races for one in tries),
        "apart_ms": round(1000 * median(max(b) - min(b) for b in began), 2) if began else None,
        "seconds": round(seconds, 1),
    }


def contend(
    told: Connection,
    endpoint: str,
    settings: Settings,
    barriers: Sequence[Barrier],
    number: int,
    ids: Sequence[str],
    reps: Sequence[Rep],
) -> None:
    """Be one of the processes: claim in each race, a lane of them in each thread."""
    with dynamodb_at(endpoint) as client:
        store = DynamoRaceStore(Dynamo(client), settings)
        told.send(_contended(store, barriers, number, ids, reps))


def _contended(
    store: DynamoRaceStore,
    barriers: Sequence[Barrier],
    number: int,
    ids: Sequence[str],
    reps: Sequence[Rep],
) -> tuple[float, list[Try]]:
    for barrier in barriers:
        barrier.wait(WAIT_SECONDS)  # everybody has started
    began = time.monotonic()

    def run_lane(lane: int) -> list[Try]:
        ours = reps[lane * REPS : (lane + 1) * REPS]
        tries: list[Try] = []
        for race in range(lane, len(ids), LANES):
            if time.monotonic() - began > SECONDS:
                barriers[lane].abort()  # the others of this lane end as well
            try:
                barriers[lane].wait(WAIT_SECONDS)
            except BrokenBarrierError:
                break
            tries.append(_tried(store, race, ids[race], ours[(race // LANES + number) % REPS]))
        return tries

    with ThreadPoolExecutor(LANES) as pool:
        tries = [one for some in pool.map(run_lane, range(LANES)) for one in some]
    return time.monotonic() - began, tries


def _tried(store: DynamoRaceStore, race: int, lead_id: str, rep: Rep) -> Try:
    began = time.perf_counter()
    for _ in range(10):  # nothing was changed (503): try again, as an app does
        with suppress(Busy):
            try:
                claim(store, lead_id, rep.rep_id, proof_of(rep), clock.now)
            except AlreadyClaimed as lost:
                return Try(race, began, rep.rep_id, lost.claimed_by[0])
            return Try(race, began, rep.rep_id, rep.rep_id)
    return Try(race, began, rep.rep_id, None)


def _open_leads(world: World) -> list[Lead]:
    """Store open leads as ingest does, but many a request."""
    now = clock.now()
    version = world.playbooks.in_force().number
    leads = [
        a_lead(
            lead_id=id_text(number.to_bytes(7, "big")),
            opens_at=now,
            closes_at=now + timedelta(hours=1),
            playbook_version=version,
            received_at=now,
        )
        for number in range(RACES)
    ]
    world.dynamo.batch_put(world.settings.leads_table, [lock_item(lead) for lead in leads])
    cards = [card_item(a_card(lead_id=lead.lead_id), now) for lead in leads]
    world.dynamo.batch_put(world.settings.contacts_table, cards)
    return leads


def _owners(world: World, ids: Sequence[str]) -> list[str | None]:
    """Return who has each lead, as the table says."""
    table = world.settings.leads_table
    wanted = [{"lead_id": {"S": lead_id}, "sk": {"S": keys.LOCK}} for lead_id in ids]
    found = world.dynamo.batch_get({table: wanted}, consistent=[table])[table]
    owners = {lead.lead_id: lead.owner for lead in map(lead_from, found)}
    return [owners[lead_id] for lead_id in ids]


if __name__ == "__main__":
    run(measure)
