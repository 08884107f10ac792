"""The claim against a bare client: how long it takes, and how many requests it sends."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.config import Config

from benchmarks.stage import (
    REGION,
    Context,
    add_reps,
    claim_event,
    counted,
    organisation,
    page_event,
    post_leads,
    run,
    watched,
)
from claim.handler import handler
from dibs.aws import clock
from dibs.core.lead import Lead
from dibs.core.rep import Rep
from dibs.race.ports import SentOffer
from dibs.wiring import wiring
from support.builders import World

ROUNDS = 150
REPS = 30
CONTEXT = Context()

Calls = list[tuple[str, dict[str, Any]]]


# Every rule a claim is judged by is on, with room enough that none refuses.
EVERY_RULE: dict[str, Any] = {
    "limits": [
        {"most": 500, "per": "hour"},
        {"most": 60, "per": "hour", "rolling": True},
        {"most": 60, "per": "week", "rolling": True},
        {"most": 500, "per": "week", "tiers": [1, 2, 3]},
        {"most": 500, "per": "in_hand"},
    ],
    "acceptance": {"hot_per_warm": 100, "claims_per_assignment": 500, "cold_per_week": 3},
    "matching": {
        "territory": True,
        "segment": True,
        "skills": ["solar"],
        "languages": True,
        "interests": True,
    },
    "newcomers": {"enabled": True},
    "quota": {"enabled": True, "base_per_week": 500},
}


def measure(endpoint: str) -> dict[str, Any]:
    """Measure with the limit of a day alone, and with every rule on."""
    return {
        "plain": _measured(organisation(endpoint, "claims", claims_per_day=500), endpoint),
        "every_rule": _measured(
            organisation(endpoint, "every-rule", claims_per_day=500, **EVERY_RULE), endpoint
        ),
    }


def _measured(world: World, endpoint: str) -> dict[str, Any]:
    """Time winners and losers beside a bare loop that sends the very same requests; count both."""
    reps = add_reps(world, REPS)
    leads = post_leads(world, range(2 * ROUNDS + REPS + 5))
    world.race.put_open(leads, clock.now())  # as the sweep does each minute
    offer(world, leads, reps)
    bare = _bare_client(endpoint)
    handled, copied, spare = leads[:ROUNDS], leads[ROUNDS : 2 * ROUNDS], leads[2 * ROUNDS :]
    for rep in reps:  # the day's first claim of each, which is written differently
        _claim(spare.pop(), rep, 200)
    requests = _requests(spare, reps)
    seen = spare.pop()
    acts = {
        "win": (0, 200, _recorded(lambda: _claim(seen, reps[0], 200))),
        "loss": (1, 409, _recorded(lambda: _claim(seen, reps[1], 409))),
    }
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for number in range(ROUNDS):
        for outcome, (late, status, calls) in acts.items():
            rep = reps[(number + late) % REPS]
            ways = {
                "handler": partial(_claim, handled[number], rep, status),
                "bare": _replay(bare, calls, (seen, reps[late]), (copied[number], rep)),
            }
            for way in sorted(ways, reverse=bool(number % 2)):
                times[f"{outcome}, {way}"].append(_timed(ways[way]))
    wall = {name: median(wall for wall, _ in taken) for name, taken in times.items()}
    cpu = {name: median(cpu for _, cpu in taken) for name, taken in times.items()}
    return {
        "milliseconds": {name: round(1000 * seconds, 2) for name, seconds in wall.items()},
        "processor_milliseconds": {name: round(1000 * used, 2) for name, used in cpu.items()},
        "ratio": {o: round(wall[f"{o}, handler"] / wall[f"{o}, bare"], 3) for o in acts},
        "requests": requests,
        "rounds": ROUNDS,
    }


def _bare_client(endpoint: str) -> Any:
    """Return a client with the settings of the product's own."""
    return botocore.session.get_session().create_client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=REGION,
        config=Config(
            retries={"mode": "standard", "total_max_attempts": 3},
            connect_timeout=1,
            read_timeout=2,
            max_pool_connections=64,
            parameter_validation=False,
        ),
    )


def offer(world: World, leads: list[Lead], reps: list[Rep]) -> None:
    """Record offers as notify does, for those who will claim: each lead's rep and the next one."""
    from dibs.offers.store import DynamoOfferStore

    store = DynamoOfferStore(world.dynamo, world.settings)
    now = clock.now()
    store.record(
        [
            SentOffer(lead.lead_id, lead.epoch, reps[(n + late) % REPS].rep_id, now, ("push",))
            for n, lead in enumerate(leads)  # ROUNDS is a multiple of REPS
            for late in (0, 1)
        ]
    )


def _claim(lead: Lead, rep: Rep, status: int) -> None:
    answer = handler(claim_event(lead, rep), CONTEXT)
    if answer["statusCode"] != status:
        raise AssertionError(answer)


def _recorded(act: Callable[[], None]) -> Calls:
    """Return the DynamoDB calls something makes, for a bare client to make again."""
    calls: Calls = []

    def note(operation: str, ask: Callable[..., Any], **request: Any) -> Any:
        calls.append((xform_name(operation), json.loads(json.dumps(request))))
        return ask(**request)

    with watched(wiring().dynamo.client, note):
        act()
    return calls


def _replay(
    client: Any, calls: Calls, recorded: tuple[Lead, Rep], wanted: tuple[Lead, Rep]
) -> Callable[[], None]:
    """Return a loop that makes recorded calls for another lead and rep; prepared, not yet run."""
    text = json.dumps(calls).replace(recorded[0].lead_id, wanted[0].lead_id)
    prepared = json.loads(text.replace(recorded[1].rep_id, wanted[1].rep_id))
    operations = [(getattr(client, name), params) for name, params in prepared]

    def loop() -> None:
        for operation, params in operations:
            operation(**params)

    return loop


def _timed(act: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.thread_time()
    act()
    return time.perf_counter() - wall, time.thread_time() - cpu


def _requests(leads: list[Lead], reps: list[Rep]) -> dict[str, dict[str, int]]:
    """Count the requests of winners and losers, by API and by page, warm and in a new process."""
    found = {}
    for number, (name, event) in enumerate({"api": claim_event, "page": page_event}.items()):
        for start in ("warm", "new process"):
            lead = leads[2 * number + (start == "warm")]
            for outcome, rep in (("winner", reps[0]), ("loser", reps[1])):
                if start == "new process":
                    wiring.cache_clear()
                with counted(wiring().dynamo.client) as counts:
                    handler(event(lead, rep), CONTEXT)
                found[f"{outcome} by {name}, {start}"] = dict(counts)
    return found


if __name__ == "__main__":
    run(measure)
