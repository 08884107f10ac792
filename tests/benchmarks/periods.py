"""Deciding for many reps, and a week's recalculation of them: how long, and how much memory."""

from __future__ import annotations

import os
import random
import resource
import statistics
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from benchmarks.stage import CREDENTIALS, counted, in_parallel, organisation, run
from dibs.core.calendar import last_completed, parse_hours
from dibs.core.rep import Rep, Usage
from dibs.ledger.entries import Entry
from dibs.ledger.store import entry_item
from dibs.race.decide import decide
from dibs.race.rep_records import rep_item
from dibs.reports.recalculate import recalculate_quotas, recalculate_tiers
from dibs.wiring import wiring
from support.builders import NOON, a_lead, a_rep

REPS = 10_000
LEADS_EACH = 4
ROUNDS = 5
# A Lambda's whole time; the goal is to be done within it.
LAMBDA_SECONDS = 900
_dice = random.Random(7)


def measure(endpoint: str) -> dict[str, Any]:
    """Return seconds for each, the requests of the jobs, and the process's largest memory."""
    os.environ.update(CREDENTIALS)
    world = organisation(
        endpoint,
        "weekly",
        model="tiers",
        teams={"north": {"name": "North", "zone": "Asia/Kuching"}},
        quota={"enabled": True, "measure": "won"},
        tiers={"minimum_sample": LEADS_EACH},  # so that everybody is counted
    )
    reps = [
        replace(a_rep(number), tier=number % 3 + 1, phone=None) for number in range(1, REPS + 1)
    ]
    deciding = _deciding(reps)
    records = [rep_item(rep) for rep in reps]
    world.dynamo.batch_put(world.settings.organisation_table, records)
    month = last_completed("month", "Asia/Kuching", NOON).first_day
    wiring().targets.put(month, {rep.rep_id: 4 for rep in reps})
    in_parallel(lambda page: _fill(world.dynamo, world.settings, page), _pages(reps))
    jobs = {}
    for name, job in (("tiers", recalculate_tiers), ("quotas", recalculate_quotas)):
        with counted(wiring().dynamo.client) as requests:
            started = time.perf_counter()
            ran = job(wiring().period_deps, NOON)
            took = time.perf_counter() - started
        assert ran.reps == REPS, ran
        started = time.perf_counter()
        again = job(wiring().period_deps, NOON)
        assert again.reps == 0, again
        jobs[name] = {
            "seconds": took,
            "again_seconds": time.perf_counter() - started,
            "changed": ran.changed,
            "requests": dict(requests),
        }
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"deciding": deciding, "jobs": jobs, "megabytes": megabytes}


def _deciding(reps: list[Rep]) -> float:
    """Return the median seconds to judge every rep for one lead, with hours, leave and tiers."""
    hours = parse_hours({day: ["09:00-13:00", "14:00-22:00"] for day in ("mon", "tue", "wed")})
    playbook = replace(wiring().roster.playbook(), claims_per_day=3)
    working = [replace(rep, hours=hours) for rep in reps]
    lead = a_lead(
        waves={
            "north": (
                NOON,
                NOON + timedelta(minutes=15),
                NOON + timedelta(minutes=60),
            )
        },
        closes_at=NOON + timedelta(minutes=75),
    )
    used = Usage(day=NOON.date(), claims=1, week=NOON.date(), leads=4)
    took = []
    for number in range(ROUNDS):
        now = NOON + timedelta(minutes=number)
        started = time.perf_counter()
        for rep in working:
            decide(lead, rep, used, playbook, now)
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def _fill(dynamo: Any, settings: Any, reps: list[Rep]) -> None:
    """Write what a page of reps did in the four weeks looked back on."""
    entries = [entry_item(entry) for rep in reps for entry in _history(rep)]
    dynamo.batch_put(settings.ledger_table, entries)


def _history(rep: Rep) -> list[Entry]:
    start = NOON - timedelta(days=28)
    entries = []
    for number in range(LEADS_EACH):
        taken = start + timedelta(days=2 * number, minutes=_dice.randrange(600))
        lead_id = f"{rep.rep_id}-{number}"
        entries.append(_entry(rep, "claimed", taken, f"taken/{lead_id}/1", lead_id, taken))
        called = taken + timedelta(minutes=_dice.randrange(1, 90))
        entries.append(_entry(rep, "contacted", called, f"activity/{lead_id}-c", lead_id, taken))
        if _dice.random() < 0.3:
            won = taken + timedelta(hours=5)
            entries.append(_entry(rep, "won", won, f"activity/{lead_id}-w", lead_id, taken))
    return entries


def _entry(
    rep: Rep, kind: str, at: datetime, entry_id: str, lead_id: str, taken: datetime
) -> Entry:
    return Entry(
        entry_id=entry_id,
        kind=kind,
        rep_id=rep.rep_id,
        team=rep.team,
        at=at,
        week=last_completed("week", "Asia/Kuching", at + timedelta(days=7)).name,
        lead_id=lead_id,
        epoch=1,
        taken_at=taken,
    )


def _pages(reps: list[Rep]) -> list[list[Rep]]:
    return [reps[start : start + 100] for start in range(0, len(reps), 100)]


if __name__ == "__main__":
    run(measure)
