"""What every measure stands on: an organisation on DynamoDB Local, and what Lambda would give.

Each measure runs in a process of its own (`run`), configured as Lambda configures a function: by
its environment. What the functions log goes to a file, as on Lambda it goes to a pipe.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from dibs.aws import clock
from dibs.aws.settings import Settings
from dibs.core.credentials import Credential, shown
from dibs.core.lead import Lead
from dibs.core.links import link_token
from dibs.core.rep import Device, Platform, Rep
from dibs.race.credential_records import credential_item
from dibs.race.rep_records import rep_item
from dibs.wiring import wiring
from support import dynamodb_local
from support.builders import World, a_card, a_playbook, a_rep, token_of
from support.tables import create_tables

REGION = "us-east-1"
OPERATIONS = {
    "get_item": "GetItem",
    "batch_get_item": "BatchGetItem",
    "query": "Query",
    "scan": "Scan",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "batch_write_item": "BatchWriteItem",
    "transact_write_items": "TransactWriteItems",
}
"""What DynamoDB calls the methods of its clients."""
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "dibs",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "LAMBDA_TASK_ROOT": "/var/task",
}


@dataclass
class Context:
    """What Lambda tells a function about its run."""

    function_name: str = "bench"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:123456789012:function:bench"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def run(measure: Callable[[str], Any]) -> None:
    """Run a measure as this process: logs go to a file, the result as JSON to standard output."""
    result = os.fdopen(os.dup(1), "w")
    with tempfile.TemporaryFile() as logs:
        os.dup2(logs.fileno(), 1)
        sys.stdout.reconfigure(line_buffering=True)
        json.dump(measure(sys.argv[1]), result)
        result.close()


def organisation(endpoint: str, name: str, **playbook: Any) -> World:
    """Make an organisation's tables, and point this process's functions at them."""
    client = dynamodb_local.client(endpoint)
    settings = create_tables(client, name)
    os.environ.pop("AWS_PROFILE", None)
    os.environ.update(CREDENTIALS, AWS_ENDPOINT_URL_DYNAMODB=endpoint)
    os.environ.update({f.name.upper(): getattr(settings, f.name) for f in fields(Settings)})
    wiring.cache_clear()
    return World(client, settings, a_playbook(**playbook))


def add_reps(world: World, count: int) -> list[Rep]:
    """Add reps with a phone number each, many a request."""
    reps = [a_rep(number) for number in range(1, count + 1)]
    records = [rep_item(rep) for rep in reps]
    world.dynamo.batch_put(world.settings.organisation_table, records)
    said = [shown(token_of(rep)) for rep in reps]
    tokens = [credential_item(one, Credential(one.digest, 0)) for one in said]
    world.dynamo.batch_put(world.settings.credentials_table, tokens)
    return reps


def register_phones(world: World, reps: Sequence[Rep]) -> None:
    """Give each rep one device, every other an iPhone."""

    def register(rep: Rep) -> None:
        platform = Platform.APNS if int(str(rep.phone)[-1]) % 2 else Platform.FCM
        arn = f"arn:aws:sns:{REGION}:123456789012:endpoint/{platform.name}/dibs/{rep.rep_id}"
        world.roster.put_device(rep.rep_id, Device("phone", platform, arn))

    in_parallel(register, reps)


def post_leads(world: World, numbers: range) -> list[Lead]:
    """Accept leads, which opens them."""
    return in_parallel(lambda number: world.post_lead(a_card(number), clock.now()), list(numbers))


def in_parallel(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """Do something with each item, a few at a time; for setting up only."""
    with ThreadPoolExecutor(6) as pool:
        return list(pool.map(work, items))


def http_event(
    route: str, path: str, parameters: dict[str, str], headers: dict[str, str], body: str = ""
) -> dict[str, Any]:
    """Return an event as an HTTP API sends it (payload format 2.0)."""
    method, _, _ = route.partition(" ")
    host = "abcdef1234.execute-api.us-east-1.amazonaws.com"
    sent = {
        "accept-encoding": "gzip, br",
        "content-length": str(len(body)),
        "host": host,
        "user-agent": "Dibs/1.4 (iPhone; iOS 19.1)",
        "x-amzn-trace-id": "Root=1-67a1b2c3-0123456789abcdef01234567",
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        **headers,
    }
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": sent,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef1234",
            "domainName": host,
            "domainPrefix": "abcdef1234",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": sent["user-agent"],
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": route,
            "stage": "$default",
            "time": "23/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1795435200000,
        },
        "pathParameters": parameters,
        "body": body,
        "isBase64Encoded": False,
    }


def claim_event(lead: Lead, rep: Rep) -> dict[str, Any]:
    """Return the app's claim: `POST /leads/{lead_id}/claim` with the rep's bearer token."""
    return http_event(
        "POST /leads/{lead_id}/claim",
        f"/leads/{lead.lead_id}/claim",
        {"lead_id": lead.lead_id},
        {"authorization": f"Bearer {token_of(rep)}", "accept": "application/json"},
    )


def page_event(lead: Lead, rep: Rep) -> dict[str, Any]:
    """Return the claim page's claim: `POST /c/{token}/claim` from a browser."""
    token = link_token(lead.salt, lead.lead_id, rep.rep_id, lead.epoch)
    return http_event(
        "POST /c/{token}/claim", f"/c/{token}/claim", {"token": token}, {"accept": "text/html"}
    )


@contextmanager
def watched(client: Any, around: Callable[..., Any]) -> Iterator[None]:
    """Have every request of a DynamoDB client made by `around`: operation, how to ask, request."""
    kept = {name: getattr(client, name) for name in OPERATIONS}
    for name, ask in kept.items():
        setattr(client, name, partial(around, OPERATIONS[name], ask))
    try:
        yield
    finally:
        for name, ask in kept.items():
            setattr(client, name, ask)


@contextmanager
def counted(client: Any) -> Iterator[Counter[str]]:
    """Count every request of a DynamoDB client, by operation."""
    counts: Counter[str] = Counter()

    def count(operation: str, ask: Callable[..., Any], **request: Any) -> Any:
        counts[operation] += 1
        return ask(**request)

    with watched(client, count):
        yield counts
