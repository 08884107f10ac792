"""A claim's processor time against the same claim with FastAPI and PostgreSQL.

Only the application's own time counts: neither the databases' nor a server's. Both answer in turn,
in two processes that stay.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import postgres
from benchmarks.claims import offer
from benchmarks.stage import Context, add_reps, claim_event, organisation, post_leads, run
from claim.handler import handler
from dibs.core.lead import Lead
from dibs.core.rep import Rep
from support.builders import a_card, token_of

ROUNDS = 300
REPS = 30
CONTEXT = Context()
HERE = Path(__file__).parent
PYTHON = HERE.parents[1] / ".local" / "bench" / "bin" / "python"
STATUS = {"win": 200, "loss": 409}

Ask = Callable[[Lead, Rep], tuple[int, float]]


def measure(endpoint: str) -> dict[str, Any]:
    """Measure both, or say why it cannot be done here."""
    if not PYTHON.exists():
        return {"missing": "FastAPI could not be installed"}
    world = organisation(endpoint, "against-fastapi", claims_per_day=500)
    reps = add_reps(world, REPS)
    leads = post_leads(world, range(ROUNDS + REPS))
    offer(world, leads, reps)
    try:
        with postgres.running() as database, fastapi(database, leads, reps) as rival:
            return _measured({"dibs": dibs, "fastapi": rival}, leads, reps)
    except postgres.Unavailable as reason:
        return {"missing": str(reason)}


def _measured(ways: dict[str, Ask], leads: list[Lead], reps: list[Rep]) -> dict[str, Any]:
    taken: dict[str, list[float]] = defaultdict(list)
    for number, lead in enumerate(leads):
        for late, (outcome, wanted) in enumerate(STATUS.items()):
            rep = reps[(number + late) % REPS]
            for way in sorted(ways, reverse=bool(number % 2)):
                status, seconds = ways[way](lead, rep)
                if status != wanted:
                    raise AssertionError((way, outcome, status))
                if number >= REPS:  # before, the day's first claim of each rep
                    taken[f"{outcome}, {way}"].append(seconds)
    used = {name: median(seconds) for name, seconds in taken.items()}
    return {
        "processor_milliseconds": {name: round(1000 * one, 3) for name, one in used.items()},
        "ratio": {o: round(used[f"{o}, dibs"] / used[f"{o}, fastapi"], 3) for o in STATUS},
        "rounds": ROUNDS,
    }


def dibs(lead: Lead, rep: Rep) -> tuple[int, float]:
    """Claim with our own handler; return status and processor seconds."""
    event = claim_event(lead, rep)
    before = time.process_time()
    answer = handler(event, CONTEXT)
    return answer["statusCode"], time.process_time() - before


@contextmanager
def fastapi(database: str, leads: list[Lead], reps: list[Rep]) -> Iterator[Ask]:
    """Run the other application with the same leads and reps, and yield how to claim there."""
    with subprocess.Popen(
        [PYTHON, HERE / "fastapi_claim.py", database],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        ask = partial(_answered, process)
        cards = [a_card(number) for number in range(len(leads))]
        ask(
            [
                [(rep.rep_id, rep.name, token_of(rep)) for rep in reps],
                [
                    (lead.lead_id, c.company, c.contact_name, c.contact_email, c.contact_phone)
                    for lead, c in zip(leads, cards, strict=True)
                ],
            ]
        )
        yield lambda lead, rep: tuple(json.loads(ask((lead.lead_id, token_of(rep)))))


def _answered(process: subprocess.Popen[str], what: Any) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(what) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise AssertionError("the application with FastAPI ended")
    return answer


if __name__ == "__main__":
    run(measure)
