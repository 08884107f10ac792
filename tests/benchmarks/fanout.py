"""One lead told to 1,000 reps: two processes, batches of 50, an SNS that takes 20 ms to answer."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from multiprocessing.connection import Connection
from statistics import median
from typing import Any
from urllib.request import urlopen

from benchmarks.stage import add_reps, organisation, post_leads, register_phones, run
from dibs.aws import clients, clock
from dibs.core.events import LeadEvent
from dibs.core.lead import Lead
from dibs.dispatch.follow import batches, follow
from dibs.offers.notify import NotifyDeps, notify
from dibs.offers.ports import BATCH_SIZE, NotifyBatch
from dibs.race.claim import claim
from dibs.wiring import wiring
from support.builders import World, proof_of

REPS = 1000
PROCESSES = 2
ROUNDS = 5
AHEAD = timedelta(seconds=1.5)  # the common instant, once every batch is in somebody's hands

Arrival = tuple[float, str, str, str]


class Pile:
    """A queue that keeps what is put: takes the place of SQS."""

    def __init__(self) -> None:
        self.batches: list[NotifyBatch] = []

    def put(self, batches: Sequence[NotifyBatch], delay_seconds: int = 0) -> None:
        del delay_seconds
        self.batches.extend(batches)

    def wake_at(self, *_: Any) -> None:
        """Take the place of the timers, too."""


def measure(endpoint: str) -> dict[str, Any]:
    """Tell a wave in two processes, batches side by side as on Lambda, then one after another."""
    world = organisation(endpoint, "fanout")
    reps = add_reps(world, REPS)
    register_phones(world, reps)
    leads = post_leads(world, range(ROUNDS + 2))
    stub = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sns_stub"],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert stub.stdout is not None
    url = f"http://127.0.0.1:{int(stub.stdout.readline())}"
    os.environ["AWS_ENDPOINT_URL_SNS"] = url
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(PROCESSES)]
    workers = [context.Process(target=work, args=(theirs,), daemon=True) for _, theirs in pipes]
    for worker in workers:
        worker.start()
    crew = [ours for ours, _ in pipes]
    try:
        tell(crew, planned(world, leads[0]), True)  # connections open, nothing else is measured
        waves = [(lead, True) for lead in leads[1:-1]] + [(leads[-1], False)]
        arrivals(url)
        spreads, seen, cpu = [], Counter[tuple[str, str, str]](), []
        for lead, side_by_side in waves:
            wave = planned(world, lead)
            cpu.append(sum(tell(crew, wave, side_by_side)))
            came = arrivals(url)
            spreads.append(max(came)[0] - min(came)[0])
            tell(crew, wave, True)  # every message delivered twice, as SQS may
            seen.update((kind, lead_id, target) for _, target, kind, lead_id in came)
            seen.update((kind, lead_id, target) for _, target, kind, lead_id in arrivals(url))
        lead, winner = leads[-1], reps[0]
        claim(world.race, lead.lead_id, winner.rep_id, proof_of(winner), clock.now)
        tell(crew, batches("withdraw", lead, [r for r in reps if r != winner], None), True)
        seen.update((kind, lead_id, target) for _, target, kind, lead_id in arrivals(url))
    finally:
        for pipe in crew:
            pipe.send(None)
        stub.terminate()
        stub.wait()
    told = {
        kind: [n for (k, *_), n in seen.items() if k == kind] for kind in ("offer", "withdrawn")
    }
    return {
        "spread": round(median(spreads[:-1]), 3),
        "spreads": [round(spread, 3) for spread in spreads[:-1]],
        "one_after_another": round(spreads[-1], 3),
        "cpu_per_publish_ms": round(1000 * median(cpu) / REPS, 2),
        "offers": sum(told["offer"]) / len(waves),
        "withdrawals": sum(told["withdrawn"]),
        "most_offers_per_rep": max(told["offer"]),
        "most_withdrawals_per_rep": max(told["withdrawn"]),
    }


def planned(world: World, lead: Lead) -> list[NotifyBatch]:
    """Return the batches the offer step makes of an opened lead, with one instant for all."""
    pile = Pile()
    event = LeadEvent("lead.opened", lead.lead_id, lead.epoch)
    follow(event, replace(wiring().follow_deps, queue=pile, timers=pile))
    return pile.batches


def tell(
    crew: Sequence[Connection], wave: Sequence[NotifyBatch], side_by_side: bool
) -> list[float]:
    """Have a wave told, each process its share; return the processor seconds each one used."""
    start = clock.now() + AHEAD
    wave = [replace(batch, notify_at=start if batch.notify_at else None) for batch in wave]
    for number, pipe in enumerate(crew):
        pipe.send((wave[number::PROCESSES], side_by_side))
    return [pipe.recv() for pipe in crew]


def arrivals(url: str) -> list[Arrival]:
    """Return what reached the stub since last time."""
    with urlopen(f"{url}/arrivals") as answer:
        return [tuple(note) for note in json.load(answer)]


def work(pipe: Connection) -> None:
    """Be the notify functions of one process, each with clients and threads of its own."""
    environments = [_environment() for _ in range(REPS // BATCH_SIZE // PROCESSES)]
    with ThreadPoolExecutor(len(environments)) as pool:
        while (job := pipe.recv()) is not None:
            share, side_by_side = job
            used = time.process_time()
            if side_by_side:
                list(pool.map(notify, share, environments))
            else:
                for batch in share:
                    notify(batch, environments[0])
            pipe.send(time.process_time() - used)


def _environment() -> NotifyDeps:
    """Return what one Lambda environment works with: the real adapters, but for SQS."""
    wiring.cache_clear()
    clients.sns.cache_clear()
    return replace(wiring().notify_deps, queue=Pile())


if __name__ == "__main__":
    run(measure)
