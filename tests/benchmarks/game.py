"""The game: scoring activities, reading boards, and making all standings anew."""

from __future__ import annotations

import os
import random
import resource
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from benchmarks.claims import CONTEXT
from benchmarks.meter import Meter
from benchmarks.stage import (
    CREDENTIALS,
    add_reps,
    counted,
    http_event,
    in_parallel,
    organisation,
    run,
)
from boards.handler import handler
from dibs.aws import clock
from dibs.aws.clients import dynamodb
from dibs.aws.dynamo import Dynamo
from dibs.aws.settings import Settings
from dibs.core.rep import Rep
from dibs.game.scoring.rebuild import rebuild
from dibs.game.scoring.score import count, publish_days, score
from dibs.ledger.entries import Entry, new_entry
from dibs.ledger.store import entry_item
from dibs.web.entry import WARM
from dibs.wiring import Wiring, wiring
from support import dynamodb_local
from support.builders import World, a_lead, a_playbook, token_of

SCORED, A_BATCH, METERED, A_SECOND = 10_000, 500, 2_000, 100
READERS = (10, 1_000, 10_000)
READS = 60
REBUILT = int(os.environ.get("DIBS_BENCH_REBUILT", "20000"))
REBUILT_REPS = 1_000
# What a lead's holder does with it, and how often of ten times.
WORK = (("call", 10), ("contacted", 7), ("email", 4), ("qualified", 3), ("opportunity", 2))
PLAYBOOK = a_playbook()


def measure(endpoint: str) -> dict[str, Any]:
    """Return what scoring, reading and rebuilding take."""
    os.environ.update(CREDENTIALS)
    return {
        "scoring": {str(many): _scoring(endpoint, many) for many in (100, 1_000, 10_000)},
        "reading": _reading(endpoint),
        "rebuild": _rebuild(endpoint),
    }


def activities(reps: Sequence[Rep], days: int, seed: int = 7) -> Iterator[Entry]:
    """Yield what goes on: leads claimed, called, won, over some days up to today, in order."""
    dice, number = random.Random(seed), 0
    noon = clock.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=days)
    while True:
        number += 1
        rep, lead = dice.choice(reps), a_lead(lead_id=f"lead{number}")
        at = noon + timedelta(days=dice.randrange(days), seconds=dice.randrange(20_000))

        def entry(kind: str, after: int, rep: Rep = rep, lead: Any = lead, at: Any = at) -> Entry:
            more: dict[str, Any] = {"take_ms": 4000} if kind == "claimed" else {}
            if kind == "won":
                more = {"amount": 50_000, "currency": "USD"}
            name = f"activity/{lead.lead_id}-{kind}"
            when = at + timedelta(seconds=after)
            return new_entry(
                name, kind, rep.rep_id, rep.team, when, PLAYBOOK, lead, taken_at=at, **more
            )

        yield entry("claimed", 0)
        for kind, of_ten in WORK:
            if dice.randrange(10) < of_ten:
                yield entry(kind, dice.randrange(600))
        if dice.randrange(10) < 1:
            yield entry("won", 3600)


def _scoring(endpoint: str, many: int) -> dict[str, Any]:
    """Score activities as the stream brings them: each alone, each counted alone and published for
    all of a second together, and hundreds at a time.

    Pages are written when the list of changes is long; each activity bears its share of that, by
    how much longer it makes the list.
    """
    world = organisation(endpoint, f"scoring{many}")
    source = activities(_filled(world, many), days=1)
    batches = [[next(source) for _ in range(A_BATCH)] for _ in range(SCORED // A_BATCH)]
    alone, ones = ([[next(source)] for _ in range(A_SECOND)] for _ in range(2))
    tables = [world.settings.standings_table, world.settings.game_table]
    tables.append(world.settings.organisation_table)
    units: Counter[str] = Counter()
    meter = Meter(dynamodb_local.client(endpoint), tables, lambda name, n: units.update({name: n}))
    metered, timed = batches[: METERED // A_BATCH], batches[METERED // A_BATCH :]
    deps, found, standings = wiring().score_deps, dict[str, float](), wiring().standings
    live = standings.live()
    score(deps, [next(source) for _ in range(A_BATCH)])
    standings.write_pages(live)  # from now on the list may be as long as pages of this size allow
    listed = [0]

    def taken(name: str, activities: int) -> None:
        items, most = standings._listed(live)
        listed.append(sum(item.bytes for item in items))
        share = max(0, listed[-1] - listed[-2]) / most
        found[name] = units["write units"] / activities
        found[f"{name}_pages"] = share / activities
        found["read_units"] = units["read units"] / activities
        units.clear()

    with meter.watching(wiring().dynamo.client):
        for one in alone:
            score(deps, one)
        taken("write_units_alone", A_SECOND)
        publish_days(deps, {day for one in ones for day in count(deps, one).due})
        taken("write_units_a_second", A_SECOND)
        for batch in metered:
            score(deps, batch)
        taken("write_units", METERED)
        units.clear()
        standings.write_pages(live)
    for name in ("write_units_alone", "write_units_a_second", "write_units"):
        found[name] += found.pop(f"{name}_pages") * units["write units"]
    started = time.perf_counter()
    for batch in timed:
        score(deps, batch)
    took = time.perf_counter() - started
    return {
        **found,
        "a_second": sum(map(len, timed)) / took,
    }


def _filled(world: World, many: int) -> list[Rep]:
    """Add reps who are all on the boards, so that pages have their size."""
    reps = add_reps(world, many)
    source = activities(reps, days=1, seed=11)
    first = [
        new_entry(
            f"taken/{rep.rep_id}",
            "claimed",
            rep.rep_id,
            rep.team,
            clock.now(),
            PLAYBOOK,
            a_lead(lead_id=f"first{rep.rep_id}"),
            take_ms=5,
        )
        for rep in reps
    ]
    more = [replace(next(source), entry_id=f"more/{number}") for number in range(many)]
    more = [replace(one, lead_id=f"more-{one.lead_id}", unit="") for one in more]
    stores = Wiring(world.settings, Dynamo(dynamodb(timeout_seconds=60)))
    rebuild(stores.score_deps, stores.standings, [*first, *more], lambda *_: None)
    return reps


def _reading(endpoint: str) -> dict[str, Any]:
    """Read a board as a rep does, of few and of many reps, in turns."""
    found: dict[str, Any] = {}
    ready: dict[int, tuple[World, Rep]] = {}
    for many in READERS:
        world = organisation(endpoint, f"reading{many}")
        reps = _filled(world, many)
        ready[many] = (world, reps[many // 2])
    took: dict[int, list[float]] = {many: [] for many in READERS}
    for many, (world, rep) in ready.items():
        _point_at(endpoint, world)
        asked = http_event(
            "GET /boards/{metric}",
            "/boards/points",
            {"metric": "points"},
            {"authorization": f"Bearer {token_of(rep)}"},
        )
        handler(WARM, CONTEXT)  # as Lambda does before the first event
        started = time.perf_counter()
        answer = handler(asked, CONTEXT)
        cold = time.perf_counter() - started
        assert answer["statusCode"] == 200, answer
        with counted(wiring().dynamo.client) as requests:
            handler(asked, CONTEXT)
        for _ in range(READS):
            started = time.perf_counter()
            handler(asked, CONTEXT)
            took[many].append(time.perf_counter() - started)
        anew = []
        for number in range(READS // 4):
            about = a_lead(lead_id=f"later{number}")
            at = clock.now()
            taken = new_entry(
                f"later/{number}", "claimed", rep.rep_id, rep.team, at, PLAYBOOK, about, take_ms=5
            )
            score(wiring().score_deps, [taken])
            started = time.perf_counter()
            handler(asked, CONTEXT)
            anew.append(time.perf_counter() - started)
        found[str(many)] = {
            "milliseconds": statistics.median(took[many]) * 1000,
            "changed_milliseconds": statistics.median(anew) * 1000,
            "first_milliseconds": cold * 1000,
            "requests": dict(requests),
        }
    return found


def _point_at(endpoint: str, world: World) -> None:
    """Let this process's functions look at an organisation that was made before."""
    names = {f.name.upper(): getattr(world.settings, f.name) for f in fields(Settings)}
    os.environ.update(names, AWS_ENDPOINT_URL_DYNAMODB=endpoint)
    wiring.cache_clear()


def _rebuild(endpoint: str) -> dict[str, Any]:
    """Make the standings of many activities anew from the ledger."""
    # Points are booked before a rebuild, as a rule; here nothing earns any.
    none = {"claim": 0, "contact": 0, "opportunity": 0, "won": 0}
    world = organisation(endpoint, "rebuilt", game={"points": none})
    reps = add_reps(world, REBUILT_REPS)
    source = activities(reps, days=60)
    slices = ([next(source) for _ in range(1000)] for _ in range(REBUILT // 1000))

    def put(entries: list[Entry]) -> None:
        items = [entry_item(entry) for entry in entries]
        world.dynamo.batch_put(world.settings.ledger_table, items)

    started = time.perf_counter()
    for some in _by(6, slices):
        in_parallel(put, some)
    filled = time.perf_counter() - started
    steps: dict[str, float] = {}
    before = started = time.perf_counter()

    def progress(what: str, done: int, of: int) -> None:
        if done == of:
            nonlocal before
            steps[what] = time.perf_counter() - before
            before = time.perf_counter()

    # As an operator's command does it: with time to wait, and writes side by side.
    database, settings = Dynamo(dynamodb(timeout_seconds=60)), world.settings
    # DynamoDB Local reads the rest of the table for every page that has no limit; AWS does not.
    database.client.meta.events.register("provide-client-params.dynamodb.Scan", _in_pages)
    stores = Wiring(settings, database)
    done = rebuild(stores.score_deps, stores.standings, stores.ledger.everything(), progress)
    assert done.entries == REBUILT, done
    return {
        "entries": done.entries,
        "units": done.units,
        "totals": done.totals,
        "filling_seconds": filled,
        "seconds": time.perf_counter() - started,
        "steps": steps,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _in_pages(params: dict[str, Any], **_: Any) -> dict[str, Any]:
    return {"Limit": 1500, **params}


def _by(many: int, slices: Iterator[list[Entry]]) -> Iterator[list[list[Entry]]]:
    while some := [one for _, one in zip(range(many), slices, strict=False)]:
        yield some


if __name__ == "__main__":
    run(measure)
