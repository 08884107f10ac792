"""What one lead costs: told to 50 reps, opened by 10, claimed by 10, one of whom wins.

The real handlers run in this process, one event after the other. DynamoDB is DynamoDB Local with
a `Meter` on the functions' client, and its real streams feed relay and score; SNS, SQS and Secrets
Manager are answered where botocore would send. Units, messages and bytes are counted on one lead.
Processor time is that of the fastest of several others, without the meter: what slows this machine
down is none of Lambda's.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import botocore.session
from botocore.awsrequest import AWSResponse
from standardwebhooks import Webhook

from benchmarks.meter import Meter
from benchmarks.scale import LOOKERS, POLLS, TOLD
from benchmarks.stage import (
    Context,
    add_reps,
    http_event,
    organisation,
    post_leads,
    register_phones,
    run,
)
from claim.handler import handler as claim
from dibs.aws import clients
from dibs.core.events import RECORDED
from dibs.core.lead import Lead
from dibs.core.links import link_token
from dibs.core.rep import Platform, Rep
from dibs.offers.push import SNS_NAMES
from dibs.race import store as race
from dibs.receipts import seal as sealing
from dibs.receipts.seal import chain_up
from dibs.roster import store as roster
from dibs.wiring import wiring
from ingest.handler import handler as ingest
from notify.handler import handler as notify
from offer.handler import handler as offer
from project.handler import handler as project
from publish.handler import handler as publish
from recalculate.handler import handler as recalculate
from relay.handler import handler as relay
from score.handler import handler as score
from support import dynamodb_local
from support.builders import World
from support.tables import template

REPS = TOLD
PATIENT_POLLS = 12  # they look for 25 s, so that the others get a text after 20 s
OTHER_OPEN_LEADS = 20
# How often the page asks, whether others get a text meanwhile, how many leads are timed.
WAYS = {"push": (POLLS, False, 5), "texts": (PATIENT_POLLS, True, 2)}
SNS_SECONDS, SQS_SECONDS, DYNAMO_SECONDS = 0.020, 0.010, 0.005
_people = itertools.count()
FULL_CPU_MB = 1769  # at this much memory Lambda gives a whole processor
SECRET = base64.b64encode(b"bench-secret-of-32-bytes-or-more").decode()
QUEUES = "https://sqs.us-east-1.amazonaws.com/123456789012"
ENVIRONMENT = {
    "FACTS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:events",
    "OFFER_QUEUE_URL": f"{QUEUES}/offer",
    "NOTIFY_QUEUE_URL": f"{QUEUES}/notify",
    "PUBLISH_QUEUE_URL": f"{QUEUES}/publish",
    "INTAKE_SECRET_ID": "arn:aws:secretsmanager:us-east-1:123456789012:secret:intake",
    "APNS_APPLICATION_ARN": "arn:aws:sns:us-east-1:123456789012:app/APNS/dibs",
    "FCM_APPLICATION_ARN": "arn:aws:sns:us-east-1:123456789012:app/GCM/dibs",
}
HANDLERS: dict[str, Callable[[Any, Any], Any]] = {
    "ingest": ingest,
    "relay": relay,
    "project": project,
    "offer": offer,
    "notify": notify,
    "claim": claim,
    "recalculate": recalculate,
    "score": score,
    "publish": publish,
}

Used = dict[str, dict[str, float]]


class Cloud:
    """What lies between the functions: two streams, a topic, queues, and who counts."""

    def __init__(self, world: World, endpoint: str) -> None:
        self.counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.function = "-"
        self._waits, self._waiting = 0, Lock()
        self.messages: deque[tuple[str, str]] = deque()
        self.later: deque[tuple[str, str]] = deque()
        self._leads, self._ledger = (
            _Stream(world.dynamo.client, table, endpoint)
            for table in (world.settings.leads_table, world.settings.ledger_table)
        )
        # Pushes are signed as always, and answered where they would be sent.
        pushes = wiring().push._publisher._wire
        pushes.send, pushes.open = self._pushed, lambda connections: None
        for service, client in (
            ("sns", clients.sns()),
            ("sqs", clients.sqs()),
            ("secretsmanager", clients.secrets()),
        ):
            client.meta.events.register(f"before-send.{service}", getattr(self, f"_{service}"))

    def add(self, what: str, amount: float) -> None:
        self.counts[self.function][what] += amount

    def used(self, act: Callable[[], Any]) -> Used:
        """Return what each function used while something was done."""
        self.counts.clear()
        act()
        return {function: dict(used) for function, used in self.counts.items()}

    def call(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke a function and count what Lambda bills."""
        self.function = function
        memory = memory_of(function)
        logged, cpu = os.fstat(1).st_size, time.process_time()
        answer = HANDLERS[function](event, Context(f"dibs-{function}", memory))
        cpu = time.process_time() - cpu
        if answer.get("batchItemFailures") or answer.get("statusCode", 200) >= 500:
            raise AssertionError(f"{function} failed: {answer}")
        self.add("invocations", 1)
        # What took processor time here takes longer on the share of one that Lambda gives.
        self.add("seconds", cpu * max(1.0, FULL_CPU_MB / memory))
        self.add("log bytes", os.fstat(1).st_size - logged)
        return answer

    def http(self, function: str, event: dict[str, Any]) -> Any:
        self.function = function
        self.add("HTTP calls", 1)
        answer = self.call(function, event)
        self.add("bytes out", _bytes_of(answer))
        return answer

    def settle(self) -> None:
        """Deliver until nothing is under way but what was delayed on purpose."""
        while True:
            if changed := self._leads.waiting("outbox_shard"):
                self.call("relay", {"Records": changed})
            elif entries := self._ledger.waiting("unscored_shard"):
                self.call("score", {"Records": entries})
            elif self.messages:
                self._deliver(*self.messages.popleft())
            else:
                return

    def ring(self, kind: str) -> None:
        """Deliver the delayed messages of a kind."""
        due = [message for message in self.later if json.loads(message[1])["kind"] == kind]
        for message in due:
            self.later.remove(message)
            self._deliver(*message)
        self.settle()

    def forget_stream(self) -> None:
        """Leave aside what was written until now."""
        self._leads.waiting("outbox_shard")

    def _deliver(self, queue: str, body: str) -> None:
        self.function = queue
        self.add("SQS requests", 2)  # receive and delete; the sender counts its own
        record = {
            "messageId": str(uuid4()),
            "receiptHandle": "handle",
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": str(int(time.time() * 1000)),
            },
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue}",
        }
        self.call(queue, {"Records": [record]})

    def _pushed(self, request: bytes, *_: Any, **__: Any) -> None:
        self._wait(SNS_SECONDS)
        self.add("SNS requests", 1)
        self.add("pushes", 1)

    def _wait(self, seconds: float) -> None:
        """Take as long as AWS does; what is asked for side by side waits once."""
        with self._waiting:
            first, self._waits = not self._waits, self._waits + 1
        time.sleep(seconds)
        with self._waiting:
            self._waits -= 1
            if first:
                self.add("seconds", seconds)

    def _sns(self, request: Any, **_: Any) -> AWSResponse:
        self._wait(SNS_SECONDS)
        sent = dict(parse_qsl(_text(request.body)))
        self.add("SNS requests", 1)
        if sent["Action"] == "PublishBatch":
            entries = [name.rpartition(".")[0] for name in sent if name.endswith(".Message")]
            for entry in entries:
                # The topic hands a event to who subscribes; SNS asks nothing for that, SQS does.
                event = sent[f"{entry}.Message"]
                ledger = ["project"] if json.loads(event)["kind"] in RECORDED else []
                for queue in ("offer", *ledger):
                    self.add("SQS requests", 1)
                    self.messages.append((queue, event))
            done = "".join(
                f"<member><Id>{sent[f'{entry}.Id']}</Id><MessageId>m</MessageId></member>"
                for entry in entries
            )
            return _xml("PublishBatch", f"<Successful>{done}</Successful><Failed/>", request.url)
        self.add("texts" if "PhoneNumber" in sent else "pushes", 1)
        if "TargetArn" in sent:  # of a push only what is meant for the phone's platform leaves AWS
            platform = Platform[sent["TargetArn"].split("/")[1]]
            self.add("bytes out", len(json.loads(sent["Message"])[SNS_NAMES[platform]].encode()))
        return _xml("Publish", f"<MessageId>{uuid4()}</MessageId>", request.url)

    def _sqs(self, request: Any, **_: Any) -> AWSResponse:
        self._wait(SQS_SECONDS)
        sent = json.loads(_text(request.body))
        self.add("SQS requests", 1)
        queue = sent["QueueUrl"].rpartition("/")[2]
        for entry in sent["Entries"]:
            waits = self.later if entry.get("DelaySeconds") else self.messages
            waits.append((queue, entry["MessageBody"]))
        done = [{"Id": e["Id"], "MessageId": "m", "MD5OfMessageBody": ""} for e in sent["Entries"]]
        return _json({"Successful": done, "Failed": []}, request.url)

    def _secretsmanager(self, request: Any, **_: Any) -> AWSResponse:
        told = {"ARN": "arn", "Name": "intake", "SecretString": SECRET, "CreatedDate": 1.7e9}
        return _json(told, request.url)


class _Stream:
    """A table's stream, through the filter of template.yaml: items that have a mark."""

    def __init__(self, client: Any, table: str, endpoint: str) -> None:
        client.update_table(
            TableName=table,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        arn = client.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        self._client = botocore.session.get_session().create_client(
            "dynamodbstreams", endpoint_url=endpoint
        )
        self._arn = arn
        self._last: dict[str, str] = {}

    def waiting(self, mark: str) -> list[dict[str, Any]]:
        return [record for record in self._read() if mark in record["dynamodb"].get("NewImage", {})]

    def _read(self) -> Iterator[dict[str, Any]]:
        described = self._client.describe_stream(StreamArn=self._arn)["StreamDescription"]
        for shard in (shard["ShardId"] for shard in described["Shards"]):
            start = {"ShardIteratorType": "TRIM_HORIZON"}
            if shard in self._last:
                start = {
                    "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                    "SequenceNumber": self._last[shard],
                }
            position = self._client.get_shard_iterator(StreamArn=self._arn, ShardId=shard, **start)[
                "ShardIterator"
            ]
            for record in self._client.get_records(ShardIterator=position)["Records"]:
                self._last[shard] = record["dynamodb"]["SequenceNumber"]
                yield json.loads(json.dumps(record, default=_plain))


def measure(endpoint: str) -> dict[str, Used]:
    """Run leads from the first POST to the last message; return what one of them used."""
    # Races are sealed as soon as they are claimed: nobody waits a minute for the bill.
    world = organisation(endpoint, "costs", claims_per_day=500, undo_seconds=0)
    sealing.GRACE = timedelta()
    os.environ.update(ENVIRONMENT)
    wiring.cache_clear()
    # Nothing is remembered from lead to lead: the dearest case, and the usual one for a small team.
    race.COUNT_SECONDS = roster.ROSTER_SECONDS = roster.PLAYBOOK_SECONDS = -1.0
    cloud = Cloud(world, endpoint)
    tables = [getattr(world.settings, f.name) for f in fields(world.settings) if "_table" in f.name]
    meter = Meter(dynamodb_local.client(endpoint), tables, cloud.add)
    cloud.call("recalculate", {"job": "sweep"})
    with meter.watching(wiring().dynamo.client):
        found = {"sweep": cloud.used(lambda: cloud.call("recalculate", {"job": "sweep"}))}
    reps = add_reps(world, REPS)
    register_phones(world, reps)
    post_leads(world, range(OTHER_OPEN_LEADS))
    cloud.forget_stream()  # those leads are none of ours
    for way, (polls, texts, rounds) in WAYS.items():
        live = partial(_life, cloud, world, reps, polls, texts)
        live()  # makes clients and connections
        timed = _fastest([cloud.used(live) for _ in range(rounds)])
        with meter.watching(wiring().dynamo.client):
            found[way] = cloud.used(live)
        for function, used in found[way].items():  # the meter takes time of its own
            _bill_time(function, used, timed.get(function, {}).get("seconds", 0))
    for function, used in found["sweep"].items():
        _bill_time(function, used, used["seconds"])
    return found


def _life(cloud: Cloud, world: World, reps: list[Rep], polls: int, texts: bool) -> None:
    """Run one lead through its whole life."""
    answer = cloud.http("ingest", _posted())
    lead = world.leads.get(json.loads(answer["body"])["lead_id"])
    assert lead is not None
    cloud.settle()
    for rep in reps[:LOOKERS]:
        wiring().__dict__.pop("race", None)  # as if each rep were served by a new claim function
        cloud.http("claim", _page(lead, rep, "GET", ""))
        cloud.http("claim", _page(lead, rep, "POST", "/seen"))  # the first poll
        for _ in range(polls - 1):
            cloud.http("claim", _page(lead, rep, "GET", "/state"))
    if texts:
        cloud.ring("unseen")
    tries = (_page(lead, rep, "POST", "/claim", _PART) for rep in reps[:LOOKERS])
    statuses = [cloud.http("claim", tap)["statusCode"] for tap in tries]
    if statuses != [200] + [409] * (LOOKERS - 1):
        raise AssertionError(statuses)
    cloud.settle()
    cloud.ring("unseen")
    cloud.ring("lead.due")
    if cloud.later:
        raise AssertionError(cloud.later)
    cloud.function = "recalculate"  # its seal is the only one of that minute
    if not chain_up(wiring().races, datetime.now(UTC)):
        raise AssertionError("no race was sealed")


def _bill_time(function: str, used: dict[str, float], seconds: float) -> None:
    """Add what Lambda bills: processor time and waits as measured, and DynamoDB's answers.

    Those come from a Java program here, which does not say how fast AWS is.
    """
    used["seconds"] = seconds + DYNAMO_SECONDS * used.get("requests", 0)
    used["GB-seconds"] = used["seconds"] * memory_of(function) / 1024


def _fastest(lives: list[Used]) -> Used:
    """Return each function's times in the life it was fastest in."""
    return {
        function: min((life[function] for life in lives), key=lambda used: used.get("seconds", 0))
        for function in lives[0]
    }


def memory_of(function: str) -> int:
    """Return a function's memory as template.yaml sets it."""
    loaded = template()
    common = loaded["Globals"]["Function"]["MemorySize"]
    own = loaded["Resources"][f"{function.capitalize()}Function"]["Properties"]
    return int(own.get("MemorySize", common))


def _posted() -> dict[str, Any]:
    person = next(_people)  # nobody twice: who is known is not raced for again
    body = json.dumps(
        {
            "source": "google-ads",
            "external_id": uuid4().hex,
            "company": f"Borneo Timber Works {person} Sdn Bhd",
            "company_size": "51-200",
            "contact_name": "Jane Tan Siew Ling",
            "contact_title": "Head of Operations",
            "contact_email": f"jane.tan@borneo-timber-{person}.example",
            "contact_phone": f"+60 12-777 {person:04d}",
            "score": 86,
            "territory": "Sarawak",
            "segment": "manufacturing",
            "product": "ERP",
            "needs": ["inventory", "multi-site"],
            "consent": "form of 2026-11-23",
        }
    )
    now = datetime.now(UTC)
    message_id = f"msg_{uuid4().hex}"
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(f"whsec_{SECRET}").sign(message_id, now, body),
    }
    return http_event("POST /leads", "/leads", {}, headers, body)


_PART = "text/html;part=main"  # as the page's script asks


def _page(lead: Lead, rep: Rep, method: str, step: str, accept: str = "") -> dict[str, Any]:
    token = link_token(lead.salt, lead.lead_id, rep.rep_id, lead.epoch)
    accept = accept or ("application/json" if step else "text/html,application/xhtml+xml")
    return http_event(
        f"{method} /c/{{token}}{step}", f"/c/{token}{step}", {"token": token}, {"accept": accept}
    )


def _bytes_of(answer: dict[str, Any]) -> int:
    """Return what an answer sends: its body and its headers."""
    body = answer.get("body", "")
    sent = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    headers = (f"{name}: {value}\r\n" for name, value in answer.get("headers", {}).items())
    return len(sent) + sum(map(len, headers))


class _Raw(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _xml(action: str, result: str, url: str) -> AWSResponse:
    body = (
        f'<{action}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><{action}Result>'
        f"{result}</{action}Result></{action}Response>"
    )
    return AWSResponse(url, 200, {"content-type": "text/xml"}, _Raw(body.encode()))


def _json(body: dict[str, Any], url: str) -> AWSResponse:
    return AWSResponse(
        url, 200, {"content-type": "application/x-amz-json-1.0"}, _Raw(json.dumps(body).encode())
    )


def _text(body: bytes | str) -> str:
    return body.decode() if isinstance(body, bytes) else body


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value.timestamp()


if __name__ == "__main__":
    run(measure)
