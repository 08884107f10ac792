"""The deployed local stack, with every role enforced, on a port and a state of its own."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import urllib3
from botocore.config import Config
from standardwebhooks import Webhook

from dibs.aws.dynamo import Dynamo
from dibs.aws.settings import settings_from
from dibs.offers.store import DynamoOfferStore
from dibs.roster.store import NUMBER_SECONDS

ROOT = Path(__file__).parents[2]
# The prefix of every contact's phone number.
PHONES = "+6012888"
_people = itertools.count()


@dataclass
class Stack:
    """A running stack, called as its users call it."""

    port: int
    described: dict[str, Any]
    pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(maxsize=80, retries=False, timeout=240)
    )

    # How long a process caches the rules.
    _settled_at: float = 0.0

    @property
    def reps(self) -> list[dict[str, Any]]:
        return self.described["reps"]

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            config=Config(max_pool_connections=80, read_timeout=120),
            endpoint_url=self.described["aws_endpoint_url"],
            region_name=self.described["region"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str | None = None,
        **headers: str,
    ) -> tuple[int, Any, dict[str, str]]:
        """Call the API; return status, JSON or text, and headers."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        answer = self.pool.request(
            method, f"{self.described['api_url']}{path}", body=body, headers=sent
        )
        text = answer.data.decode()
        kind = answer.headers.get("content-type", "")
        found = json.loads(text) if text and "json" in kind else text
        return answer.status, found, dict(answer.headers)

    def post_lead(self, **fields: Any) -> tuple[int, dict[str, Any]]:
        """Post a signed lead, of another person and company each time (C6)."""
        person = next(_people)
        lead = {
            "source": "web",
            "external_id": uuid.uuid4().hex,
            "company": f"Borneo Solar {person}",
            "company_size": "51-200",
            "contact_name": "Nadia Jamal",
            "contact_title": "Head of Operations",
            "contact_email": f"nadia@borneo-solar-{person}.example",
            "contact_phone": f"{PHONES}{person:04d}",
            "score": 86,
            **fields,
        }
        return self.signed("/leads", lead)

    def signed(self, path: str, what: dict[str, Any], secret: str | None = None) -> tuple[int, Any]:
        """Post a body with a source's signature; return status and JSON."""
        body, now = json.dumps(what), datetime.now(UTC)
        message = f"msg_{uuid.uuid4().hex}"
        signature = Webhook(secret or self.described["intake_secret"]).sign(message, now, body)
        status, answer, _ = self.call(
            "POST",
            path,
            body.encode(),
            content_type="application/json",
            webhook_id=message,
            webhook_timestamp=str(int(now.timestamp())),
            webhook_signature=signature,
        )
        return status, answer

    def texts(self, phone: str) -> list[str]:
        """Return every text the local AWS recorded for a number."""
        answer = self.pool.request(
            "GET",
            f"{self.described['aws_endpoint_url']}/_ministack/sns/sms-messages",
            fields={"phoneNumber": phone},
        )
        found: list[str] = []

        def collect(node: Any) -> None:
            if isinstance(node, dict):
                if node.get("PhoneNumber") == phone and "Message" in node:
                    found.append(node["Message"])
                for child in node.values():
                    collect(child)
            elif isinstance(node, list):
                for child in node:
                    collect(child)

        collect(json.loads(answer.data))
        return found

    def text_from(self, phone: str, body: str, message_id: str | None = None) -> str:
        """Deliver a rep's text as the carrier would; return its message id."""
        message_id = message_id or uuid.uuid4().hex
        self.client("sns").publish(
            TopicArn=self.described["inbound_sms_topic_arn"],
            Message=json.dumps(
                {
                    "originationNumber": phone,
                    "destinationNumber": "+12125550199",
                    "messageKeyword": "KEYWORD",
                    "messageBody": body,
                    "inboundMessageId": message_id,
                    "previousPublishedMessageId": uuid.uuid4().hex,
                }
            ),
        )
        return message_id

    def offers(self, rep: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the offers in the rep's app."""
        status, answer, _ = self.call("GET", "/me/offers", token=rep["token"])
        assert status == 200, answer
        return answer["offers"]

    def offer(self, rep: dict[str, Any], lead_id: str) -> dict[str, Any]:
        """Return the rep's offer of a lead, once it is listed."""
        return until(lambda: next((o for o in self.offers(rep) if o["lead_id"] == lead_id), None))

    def link(self, rep: dict[str, Any], lead_id: str) -> str:
        """Return the path of the rep's claim link."""
        return "/c/" + self.offer(rep, lead_id)["claim_url"].rpartition("/")[2]

    def warm(self, name: str, many: int) -> None:
        """Warm up that many processes of a function."""
        from concurrent.futures import ThreadPoolExecutor

        lambdas = self.client("lambda")
        with ThreadPoolExecutor(many) as pool:
            list(
                pool.map(
                    lambda _: lambdas.invoke(
                        FunctionName=self.described["functions"][name], Payload=b'{"warm": true}'
                    )["Payload"].read(),
                    range(many),
                )
            )

    @contextmanager
    def under(self, rules: dict[str, Any]) -> Iterator[Stack]:
        """Apply these rules in every process; restore the earlier rules afterwards."""
        status, before, _ = self.call("GET", "/playbook", token=self.described["manager_token"])
        assert status == 200, before
        self.apply(rules)
        self.settle()
        yield self
        self.apply(before["playbook"])

    def apply(self, rules: dict[str, Any]) -> None:
        """Put rules in force; with `settle`, wait until every process uses them."""
        manager = self.described["manager_token"]
        status, applied, _ = self.call("PUT", "/playbook", rules, token=manager)
        assert status == 200, applied
        self._settled_at = time.monotonic() + NUMBER_SECONDS

        def followed() -> bool:
            _, lead = self.post_lead(company="Probe Ltd", test=True)
            return int(self.lock(lead["lead_id"])["playbook_version"]["N"]) == applied["version"]

        until(followed)

    def settle(self) -> None:
        """Wait until the earlier rules have expired in every process's cache."""
        until(lambda: time.monotonic() > self._settled_at)

    @contextmanager
    def variables(self, functions: Collection[str], **values: str) -> Iterator[None]:
        """Set environment variables of functions, by their short names; put them back afterwards.

        The processes that run are ended: the next run of each function starts one anew.
        """
        lambdas, names = self.client("lambda"), [self.described["functions"][f] for f in functions]
        before = {
            name: lambdas.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            for name in names
        }

        def set_(name: str, **more: str) -> None:
            environment = {"Variables": {**before[name], **more}}
            lambdas.update_function_configuration(FunctionName=name, Environment=environment)

        try:
            for name in names:
                set_(name, **values)
            yield
        finally:
            for name in names:
                set_(name)

    def lock(self, lead_id: str) -> dict[str, Any]:
        """Return the stored lead item."""
        table = self.described["settings"]["LEADS_TABLE"]
        key = {"lead_id": {"S": lead_id}, "sk": {"S": "LOCK"}}
        item: dict[str, Any] = self.client("dynamodb").get_item(
            TableName=table, Key=key, ConsistentRead=True
        )["Item"]
        return item

    def told_at(self, lead_id: str, rep_id: str) -> datetime | None:
        """Return when the rep was told of the lead, None as long as they were not."""
        settings = settings_from(self.described["settings"])
        offers = DynamoOfferStore(Dynamo(self.client("dynamodb")), settings)
        epoch = int(self.lock(lead_id)["epoch"]["N"])
        told = offers.notices(lead_id, epoch, [rep_id], since=1)
        return told[rep_id].sent_at if told else None

    def run_job(self, job: str, as_of: datetime | None = None) -> dict[str, Any]:
        """Run a scheduled job now."""
        asked = {"job": job, **({"as_of": as_of.isoformat()} if as_of else {})}
        answer = self.client("lambda").invoke(
            FunctionName=self.described["functions"]["recalculate"],
            Payload=json.dumps(asked).encode(),
        )
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, found
        return found

    def dibs(self, *arguments: str) -> str:
        """Run the `dibs` command on this stack."""
        return _run(self.port, "-m", "dibs.cli.main", *arguments)

    def restart(self) -> None:
        """Stop the stack and start it again, as `make down` and `make up` do."""
        _run(self.port, "-m", "tools.local", "down")
        _run(self.port, "-m", "tools.local", "up")
        self.described = _described(self.port)


def until(look: Callable[[], Any], seconds: float = 40) -> Any:
    """Return the result of `look` as soon as there is one."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@contextmanager
def running(root: Path = ROOT) -> Iterator[Stack]:
    """Run a newly deployed stack on a free port, and remove it afterwards.

    `root` is another build's folder, whose `.local` holds our environments.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subprocess.run([sys.executable, "tools/local/bootstrap.py", "up"], cwd=ROOT, check=True)
    try:
        _run(port, "-m", "tools.local", "up", root=root)
        yield Stack(port, _described(port, root))
    finally:
        _run(port, "-m", "tools.local", "down", root=root)
        _run(port, "-m", "tools.local", "reset", root=root)


def _described(port: int, root: Path = ROOT) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(
        (root / ".local" / f"port-{port}" / "stack.json").read_text()
    )
    return described


def _run(port: int, *arguments: str, root: Path = ROOT) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={
            **os.environ,
            "DIBS_PORT": str(port),
            "AUTH": "true",
            "PYTHONPATH": os.pathsep.join([str(root / "shared"), str(root)]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
