"""The claim against a bare client: how long it takes, and how many requests it sends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
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
)
from claim.handler import handler
from dibs import wiring
from dibs.adapters import clock
from dibs.domain.leads import Lead
from dibs.domain.reps import Rep
from dibs.usecases.ports import Notice
from support.builders import World

ROUNDS = 150
REPS = 30
CONTEXT = Context()

Calls = list[tuple[str, dict[str, Any]]]


def measure(endpoint: str) -> dict[str, Any]:
    """Time winners and losers beside a bare loop that sends the very same requests; count both."""
    world = organisation(endpoint, "claims", claims_per_day=500)
    reps = add_reps(world, REPS)
    leads = post_leads(world, range(3 * ROUNDS + REPS + 5))
    _offer(world, leads, reps)
    bare = {"bare": bare_client(endpoint, False), "validating": bare_client(endpoint, True)}
    handled, copied, checked, spare = (leads[n * ROUNDS : (n + 1) * ROUNDS] for n in range(4))
    for rep in reps:  # the day's first claim of each, which is written differently
        _claim(spare.pop(), rep, 200)
    requests = _requests(spare, reps)
    told = spare.pop()
    wins = _recorded(lambda: _claim(told, reps[0], 200))
    losses = _recorded(lambda: _claim(told, reps[1], 409))
    times: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        rep, late = reps[number % REPS], reps[(number + 1) % REPS]
        won = {
            "handler": lambda n=number, r=rep: _claim(handled[n], r, 200),
            "bare": _replay(bare["bare"], wins, told, reps[0], copied[number], rep),
            "validating": _replay(bare["validating"], wins, told, reps[0], checked[number], rep),
        }
        lost = {
            "handler": lambda n=number, r=late: _claim(handled[n], r, 409),
            "bare": _replay(bare["bare"], losses, told, reps[1], copied[number], late),
            "validating": _replay(bare["validating"], losses, told, reps[1], checked[number], late),
        }
        for outcome, ways in (("win", won), ("loss", lost)):
            order = list(ways)[number % 3 :] + list(ways)[: number % 3]
            for way in order:
                times.setdefault(f"{outcome}/{way}", []).append(_timed(ways[way]))
    return {
        "milliseconds": {name: round(1000 * median(taken), 2) for name, taken in times.items()},
        "ratio": {
            outcome: round(
                median(times[f"{outcome}/handler"]) / median(times[f"{outcome}/bare"]), 3
            )
            for outcome in ("win", "loss")
        },
        "requests": requests,
        "rounds": ROUNDS,
    }


def bare_client(endpoint: str, validate: bool) -> Any:
    """Return a client with the product's own settings; optionally with botocore's validation."""
    return botocore.session.get_session().create_client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=REGION,
        config=Config(
            retries={"mode": "standard", "total_max_attempts": 3},
            connect_timeout=1,
            read_timeout=2,
            max_pool_connections=64,
            parameter_validation=validate,
        ),
    )


def _offer(world: World, leads: list[Lead], reps: list[Rep]) -> None:
    """Record offers as notify does, for those who will claim."""
    from dibs.adapters.offers import DynamoOfferStore

    store = DynamoOfferStore(world.dynamo, world.settings)
    now = clock.now()
    store.record(
        [
            Notice(lead.lead_id, lead.epoch, reps[(n + late) % REPS].rep_id, now, ("push",))
            for m, lead in enumerate(leads)
            for n in [m % ROUNDS]
            for late in (0, 1)
        ]
    )


def _claim(lead: Lead, rep: Rep, status: int | None = None) -> None:
    answer = handler(claim_event(lead, rep), CONTEXT)
    if status is not None and answer["statusCode"] != status:
        raise AssertionError(answer)


def _recorded(act: Callable[[], None]) -> Calls:
    """Return the DynamoDB calls something makes, for a bare client to make again."""
    calls: Calls = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.append((xform_name(model.name), json.loads(json.dumps(params))))

    events = wiring.dynamo().client.meta.events
    events.register("provide-client-params.dynamodb", note)
    act()
    events.unregister("provide-client-params.dynamodb", note)
    return calls


def _replay(
    client: Any, calls: Calls, lead: Lead, rep: Rep, other_lead: Lead, other_rep: Rep
) -> Callable[[], None]:
    """Return a loop that makes recorded calls, for another lead and rep; prepared, not yet run."""
    text = json.dumps(calls).replace(lead.lead_id, other_lead.lead_id)
    prepared = json.loads(text.replace(rep.rep_id, other_rep.rep_id))
    operations = [(getattr(client, name), params) for name, params in prepared]

    def loop() -> None:
        for operation, params in operations:
            operation(**params)

    return loop


def _timed(act: Callable[[], None]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def _requests(leads: list[Lead], reps: list[Rep]) -> dict[str, dict[str, int]]:
    """Count the requests of winners and losers, by API and by page, warm and in a new process."""
    found = {}
    for number, (name, event) in enumerate({"api": claim_event, "page": page_event}.items()):
        for start in ("warm", "new process"):
            lead = leads[2 * number + (start == "warm")]
            for outcome, rep in (("winner", reps[0]), ("loser", reps[1])):
                if start == "new process":
                    wiring.forget()
                else:
                    wiring.race().count_open(rep.team, clock.now())
                with counted(wiring.dynamo().client) as counts:
                    handler(event(lead, rep), CONTEXT)
                found[f"{outcome} by {name}, {start}"] = dict(counts)
    return found


if __name__ == "__main__":
    run(measure)
