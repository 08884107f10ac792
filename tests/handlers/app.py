"""An organisation as its functions see it: tables, topic, queues, phones, secret, all in moto."""

from __future__ import annotations

import base64
import gzip
import importlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from standardwebhooks import Webhook

from dibs.aws import clients
from dibs.aws.dynamo import Dynamo
from dibs.aws.settings import Settings, logical_id
from dibs.core.credentials import is_manager
from dibs.core.lead import Lead
from dibs.core.links import link_token
from dibs.core.rep import Device, Platform, Rep
from dibs.offers.push import SNS_NAMES
from dibs.offers.store import DynamoOfferStore
from dibs.people.access import begin_session, token_number
from dibs.race.rep_records import rep_item
from dibs.rules.playbook import Playbook
from dibs.wiring import wiring
from handlers.roles import Roles
from support import contract
from support.aws import Everything, empty_tables, peek
from support.builders import World, a_card, a_playbook, a_rep, token_of
from support.fakes import Clock
from support.privacy import Overheard
from support.tables import create_tables

Event = dict[str, Any]

EVENTS = Path(__file__).parents[2] / "events"
REGION = "us-east-1"
PLAYBOOK = a_playbook(teams={"north": {"name": "North"}, "south": {"name": "South"}})
MANAGER = "manager.secret"
RESULTS_SECRET = "cmVzdWx0cy1hcmUtc2lnbmVkLXdpdGgtdGhpcy1vbmUh"
INTAKE_SECRET = "bm9ib2R5LWtub3dzLXRoaXMtYnV0LXRoZS10ZXN0cw=="

NOTED_ELSEWHERE = {"POST /activities"}  # each entry of the ledger names who reported it

# The people of the events: the rep, the link and the lead they name are Aina's and `a_card()`.
AINA = a_rep(1, name="Aina Zulkifli")
BEN = a_rep(2, name="Ben Lim")
CHONG = a_rep(3, name="Chong Wei", team="south")
DAYANG = a_rep(4, name="Dayang", language="ms")


@dataclass(frozen=True)
class LambdaContext:
    """What Lambda tells a function about its run."""

    function_name: str
    memory_limit_in_mb: int = 512
    aws_request_id: str = "8f0d1c2b-3a49-4857-96a5-b4c3d2e1f001"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{DEFAULT_ACCOUNT_ID}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The problem's stable code."""
        assert self.headers["content-type"].startswith("application/problem+json")
        assert self.json["status"] == self.status
        return str(self.json["code"])


def _text_of(response: Any) -> str:
    if not response.get("isBase64Encoded"):
        return str(response["body"])
    assert response["headers"]["content-encoding"] == "gzip"
    return gzip.decompress(base64.b64decode(response["body"])).decode()


class Read(dict[str, str]):
    """A query string that remembers which parameters were looked at."""

    def __init__(self, sent: dict[str, str]) -> None:
        super().__init__(sent)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True)
class Waiting:
    """A message in a queue."""

    body: dict[str, Any]
    delay_seconds: int


def event(name: str) -> Event:
    """The event of that name, fresh from its file."""
    loaded: Event = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def http(
    name: str,
    route: str | None = None,
    path: dict[str, str] | None = None,
    body: str | None = None,
    **headers: str | None,
) -> Event:
    """The HTTP event of that name with another route, path parameters, body or headers.

    A header that is None is left out.
    """
    asked = event(name)
    if route is not None:
        asked["routeKey"] = asked["requestContext"]["routeKey"] = route
        asked["requestContext"]["http"]["method"] = route.split()[0]
    if path is not None:
        asked["pathParameters"] = path
    where = asked["routeKey"].split()[1].format(**asked.get("pathParameters", {}))
    asked["rawPath"] = asked["requestContext"]["http"]["path"] = where
    if body is not None:
        asked["body"] = body
    elif asked["routeKey"] != event(name)["routeKey"]:
        asked.pop("body", None)  # it is another call's
    for header, value in headers.items():
        asked["headers"].pop(header.replace("_", "-"), None)
        if value is not None:
            asked["headers"][header.replace("_", "-")] = value
    return asked


def sqs(name: str, *bodies: dict[str, Any]) -> Event:
    """The SQS event of that name with these bodies in place of its own, each a message."""
    sent = event(name)
    if bodies:
        sent["Records"] = [
            {**sent["Records"][0], "messageId": f"message-{n}", "body": json.dumps(body)}
            for n, body in enumerate(bodies)
        ]
    return sent


def signed(asked: Event, at: datetime | None = None, secret: str = INTAKE_SECRET) -> Event:
    """The event with a signature over its body, as a source signs it."""
    at = at or datetime.now(UTC)
    message = asked["headers"]["webhook-id"]
    body = asked["body"]
    if asked["isBase64Encoded"]:
        body = base64.b64decode(body).decode()
    headers = {
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message, at, body),
    }
    return {**asked, "headers": {**asked["headers"], **headers}}


@dataclass(frozen=True)
class Place:
    """What CloudFormation would have made: the functions' environment, and the names of things."""

    environment: dict[str, str]
    arns: dict[str, str]
    tables: dict[str, str]


def furnish(database: Dynamo) -> Place:
    """Make the tables of the template, and what else the functions are told of."""
    sns, sqs = clients.sns(), clients.sqs()
    settings = create_tables(database.client, "dibs")
    topic = sns.create_topic(Name="events")["TopicArn"]
    notify, offer, publish = (
        sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("notify", "offer", "publish")
    )
    managers = sns.create_topic(Name="managers")["TopicArn"]
    sqs.create_queue(QueueName="managers")
    sns.subscribe(TopicArn=managers, Protocol="sqs", Endpoint=_arn("sqs", "managers"))
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=_arn("sqs", "offer"), Attributes=raw)
    applications = {
        f"{platform}_application_arn": sns.create_platform_application(
            Name="dibs", Platform=name, Attributes={}
        )["PlatformApplicationArn"]
        for platform, name in SNS_NAMES.items()
    }
    secret = clients.secrets().create_secret(Name="dibs-intake", SecretString=INTAKE_SECRET)["ARN"]
    results = clients.secrets().create_secret(Name="dibs-results", SecretString=RESULTS_SECRET)
    tables = {f.name: getattr(settings, f.name) for f in fields(settings) if "_table" in f.name}
    arns = {name: _arn("dynamodb", f"table/{name}") for name in tables.values()}
    return Place(
        environment={
            **{name.upper(): table for name, table in tables.items()},
            "PUBLIC_URL": settings.public_url,
            "FACTS_TOPIC_ARN": topic,
            "MANAGERS_TOPIC_ARN": managers,
            "NOTIFY_QUEUE_URL": notify,
            "OFFER_QUEUE_URL": offer,
            "PUBLISH_QUEUE_URL": publish,
            "INTAKE_SECRET_ID": secret,
            "RESULTS_SECRET_ID": results["ARN"],
            **{name.upper(): arn for name, arn in applications.items()},
        },
        arns={
            **{
                f"{name.removesuffix('_table').capitalize()}Table.Arn": arns[table]
                for name, table in tables.items()
            },
            "FactsTopic": topic,
            "ManagersTopic": managers,
            "NotifyQueue.Arn": _arn("sqs", "notify"),
            "OfferQueue.Arn": _arn("sqs", "offer"),
            "PublishQueue.Arn": _arn("sqs", "publish"),
            notify: _arn("sqs", "notify"),
            offer: _arn("sqs", "offer"),
            publish: _arn("sqs", "publish"),
            **{logical_id(name): arn for name, arn in applications.items()},
            "IntakeSecret.Id": secret,
            "ResultsSecret.Id": results["ARN"],
            "AWS::Partition": "aws",
        },
        tables=arns,
    )


def empty() -> None:
    """Leave what was furnished as it was when it was new."""
    empty_tables()
    for queue in sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues.values():
        queue._messages.clear()
    sns = sns_backends[DEFAULT_ACCOUNT_ID][REGION]
    sns.sms_messages.clear()
    sns.platform_endpoints.clear()


def _arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{DEFAULT_ACCOUNT_ID}:{name}"


@dataclass
class App:
    """One organisation, and the one way to run its functions."""

    client: Any
    settings: Settings
    clock: Clock
    roles: Roles
    overheard: Overheard
    world: World = field(init=False)
    offers: DynamoOfferStore = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.client, self.settings, PLAYBOOK)
        self.offers = DynamoOfferStore(self.world.dynamo, self.settings)

    def run(self, function: str, asked: Event) -> Any:
        """Run a function on an event. It does nothing its role in the template does not allow."""
        handler: Callable[[Event, LambdaContext], Any]
        handler = importlib.import_module(f"{function}.handler").handler
        with self.roles.taken_by(function) as refused:
            result = handler(asked, LambdaContext(f"dibs-{function}"))
        assert not refused, f"{function} has no right to {refused}"
        return result

    def ask(self, function: str, asked: Event) -> Answer:
        """Run a function that answers over HTTP. It reads and answers what it publishes."""
        read = Read(asked.get("queryStringParameters") or {})
        response = self.run(function, {**asked, "queryStringParameters": read})
        json.dumps(response, ensure_ascii=False).encode()  # what Lambda does with it
        answer = Answer(response["statusCode"], response["headers"], _text_of(response))
        operation = contract.operations().get(asked["routeKey"])
        if operation is not None:
            named = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
            assert read.names <= named, f"{asked['routeKey']} reads {read.names - named}"
            contract.check(asked["routeKey"], answer.status, answer.headers, answer.text)
            self._check_noted(asked, operation)
        return answer

    def _check_noted(self, asked: Event, operation: dict[str, Any]) -> None:
        """A manager's change is in the audit trail before it is made, or together with it (O6)."""
        token = asked["headers"].get("authorization", "").removeprefix("Bearer ")
        by_manager = is_manager(token.partition(".")[0])
        scope = operation.get("x-dibs-scope")
        noted = scope in ("named", "body", "all") and asked["routeKey"] not in NOTED_ELSEWHERE
        if by_manager and noted and self.roles.writes:
            assert self.settings.audit_table in self.roles.writes[0], asked["routeKey"]

    def put_playbook(self, playbook: Playbook) -> None:
        """Put a playbook in force at once, whatever the functions remember."""
        self.world.put_playbook(playbook)
        wiring.cache_clear()

    def hire(self, *reps: Rep) -> None:
        """Store reps whose tokens are `token_of(rep)`."""
        for rep in reps:
            self.world.add_rep(rep)

    def hire_crowd(self, many: int) -> None:
        """Store reps of team north in one go."""
        reps = [rep_item(a_rep(number)) for number in range(100, 100 + many)]
        self.world.dynamo.batch_put(self.settings.organisation_table, reps)

    def hire_with_phone(self, rep: Rep, device_id: str = "phone") -> Rep:
        """Store a rep whose phone has the app, and return them with it."""
        token = f"push-token-{rep.rep_id}"
        device, _ = wiring().push.register(rep.rep_id, device_id, Platform.FCM, token)
        self.world.add_rep(rep)
        self.world.roster.put_device(rep.rep_id, device)
        return replace(rep, devices=(device,))

    def cookie(self, token: str) -> str:
        """Sign a browser in, and return the cookie it sends from then on."""
        owner, mine = token.partition(".")[0], self.world.credentials
        playbook = wiring().roster.playbook()
        number = token_number(mine, owner) or 0
        session = begin_session(mine, playbook, owner, number, self.clock.at)
        return f"__Host-dibs={session.secret}"

    def lead(self, number: int = 1, **changes: Any) -> Lead:
        """Accept a lead of team north as ingest does; number one is that of the events."""
        card = a_card(number, **{"team": "north", **changes})
        return self.world.post_lead(card, self.clock.at)

    def now(self, lead: Lead) -> Lead:
        """The lead as it stands now."""
        found = self.world.leads.get(lead.lead_id)
        assert found is not None
        return found

    def link(self, lead: Lead, rep: Rep = AINA) -> str:
        """The token of the rep's claim link."""
        return link_token(lead.salt, lead.lead_id, rep.rep_id, lead.epoch)

    def claim(self, lead: Lead, rep: Rep = AINA, token: str | None = None) -> Answer:
        """Press the button in the rep's app."""
        bearer = f"Bearer {token_of(rep) if token is None else token}"
        asked = http("http_claim", path={"lead_id": lead.lead_id}, authorization=bearer)
        return self.ask("claim", asked)

    def contend(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on somebody else's transaction always holds what a function wants to write."""
        reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}, {"Code": "None"}]
        told = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}

        def conflict(**request: Any) -> None:
            raise ClientError(told, "TransactWriteItems")

        monkeypatch.setattr(wiring().dynamo.client, "transact_write_items", conflict)
        monkeypatch.setattr(random, "uniform", lambda low, high: 0.0)  # nor does a test wait

    def pause(self, rep: Rep, **duration: float) -> None:
        """Switch the rep off for a while."""
        self.world.roster.pause(rep.rep_id, self.clock.at + timedelta(**duration))

    def texts(self) -> list[tuple[str, str]]:
        """Every text sent so far: to which number, saying what."""
        return list(sns_backends[DEFAULT_ACCOUNT_ID][REGION].sms_messages.values())

    def alerts(self, device: Device) -> list[dict[str, Any]]:
        """What the platform was given to show on a phone, as the phone gets it."""
        endpoint = sns_backends[DEFAULT_ACCOUNT_ID][REGION].platform_endpoints[device.endpoint_arn]
        return [
            json.loads(json.loads(message)["GCM"])["fcmV1Message"]["message"]
            for message in endpoint.messages.values()
        ]

    def waiting(self, queue: str) -> list[Waiting]:
        """Take everything out of a queue, also what is delayed."""
        kept = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[queue]._messages
        found = [
            Waiting(json.loads(m.body), max(0, round((m.delayed_until - m.sent_timestamp) / 1000)))
            for m in kept
        ]
        kept.clear()
        return found

    def everything(self) -> Everything:
        """Every item of every table but the audit trail, which has tests of its own."""
        tables = [
            f.name
            for f in fields(self.settings)
            if f.name.endswith("_table") and f.name != "audit_table"
        ]
        return {name: sorted(map(repr, peek(getattr(self.settings, name)))) for name in tables}

    def counted(self, capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
        """What was counted since the last look, as CloudWatch reads it from the log."""
        printed = capsys.readouterr().out.splitlines()
        self.overheard.lines.extend(printed)
        found: dict[str, float] = {}
        for logged in map(json.loads, printed):
            for directive in logged.get("_aws", {}).get("CloudWatchMetrics", []):
                assert directive["Namespace"] == "Dibs"
                for metric in directive["Metrics"]:
                    name = metric["Name"]
                    found[name] = found.get(name, 0) + sum(logged[name])
        return found
