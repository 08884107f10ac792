"""A hundred threads score activities at once: nothing is lost or counts twice (K1, G1, G9)."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest

from dibs.core.errors import Busy
from dibs.game.scoring.points_store import DynamoPoints
from dibs.game.scoring.rebuild import audit_standings, rebuild
from dibs.game.scoring.score import ScoreDeps, score
from dibs.game.scoring.store import DynamoStandings
from dibs.ledger.entries import Entry, new_entry
from dibs.ledger.store import DynamoLedger
from dibs.wiring import Wiring
from support.builders import NOON, World, a_lead, a_playbook, a_rep

pytestmark = pytest.mark.race

THREADS = 100
REPS = [a_rep(number) for number in range(1, 17)]
PLAYBOOK = a_playbook()


def history() -> list[Entry]:
    """Two dozen leads of sixteen reps: claimed, worked, won, some activities reversed."""
    found = []
    for number in range(24):
        lead, rep = a_lead(lead_id=f"lead{number}"), REPS[number % len(REPS)]

        def entry(name: str, kind: str, minutes: float, rep=rep, lead=lead, **more) -> Entry:  # type: ignore[no-untyped-def]
            at = NOON + timedelta(minutes=minutes)
            return new_entry(
                f"{name}/{lead.lead_id}",
                kind,
                rep.rep_id,
                rep.team,
                at,
                PLAYBOOK,
                lead,
                epoch=1,
                **more,
            )

        found += [
            entry("taken", "claimed", 0, take_ms=number * 2000),
            entry("contact", "contacted", number % 8),
            entry("opportunity", "opportunity", 30),
            entry("won", "won", 60, amount=100, currency="USD"),
        ]
        if number % 5 == 0:
            found.append(entry("back", "reversal", 90, reverses=f"won/lead{number}"))
    return found


def faults(scorer: ScoreDeps, standings: DynamoStandings, world: World) -> list[str]:
    found = audit_standings(
        scorer,
        standings,
        DynamoLedger(world.dynamo, world.settings).everything(),
        DynamoPoints(world.dynamo, world.settings).transfers(),
        lambda what, done, of: None,
    )
    return [f"{one.kind} {one.where}: {one.what}" for one in found]


def insist(scorer: ScoreDeps, batch: list[Entry]) -> None:
    """Score a batch as the stream does: again while the store is busy."""
    for _ in range(20):
        with suppress(Busy):
            score(scorer, batch)
            return
    raise AssertionError("turned away twenty times")


def test_a_hundred_threads_leave_standings_as_the_ledger_says(local_world: World) -> None:
    for rep in REPS:
        local_world.add_rep(rep)
    scorer = Wiring(local_world.settings, local_world.dynamo).score_deps
    standings = DynamoStandings(local_world.dynamo, local_world.settings)
    entries, dice = history(), random.Random(5)
    DynamoLedger(local_world.dynamo, local_world.settings).put(entries)
    # Every entry twice, in any order, in batches of two.
    stream = [*entries, *entries]
    dice.shuffle(stream)
    batches = [stream[start : start + 2] for start in range(0, len(stream), 2)]
    with ThreadPoolExecutor(THREADS) as pool:
        done = [pool.submit(insist, scorer, batch) for batch in batches]
        rebuilt = rebuild(scorer, standings, entries, lambda what, done, of: None)
        for one in done:
            one.result()
    assert rebuilt.entries == len(entries)
    assert standings.generations() == (rebuilt.generation,)
    assert faults(scorer, standings, local_world) == []
    accounts = list(DynamoPoints(local_world.dynamo, local_world.settings).accounts())
    shown = {one.rep_id: one.counts["points.sum"] for one in standings.totals("all")}
    assert {one.rep_id: one.balance for one in accounts} == shown
