"""The deployed API against its published description: requests made from it, good and bad ones."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
import requests
import schemathesis
import urllib3
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from standardwebhooks import Webhook

from support import contract
from support.stack import Stack

pytestmark = pytest.mark.stack

# Hundreds of requests in all, the same in every run. What is wrong in a body is tried without HTTP,
# in tests/handlers/test_bodies.py.
EXAMPLES = {"body": 10, "query": 6, "path": 4, "nothing": 2}
AT_ONCE = 4
DESCRIBED = schemathesis.openapi.from_dict(contract.document())
ROUTES = contract.operations()
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass(frozen=True)
class Caller:
    """The stack, a rep of its own that nobody races against, and a lead that rep can see."""

    stack: Stack
    rep_id: str
    token: str
    lead_id: str
    link: str

    @property
    def known(self) -> dict[str, str]:
        """Names that stand for something, for parameters of paths."""
        return {
            "lead_id": self.lead_id,
            "token": self.link,
            "rep_id": "nobody",
            "month": "2026-11",
            "metric": "points",
            "device_id": "phone",
            "contest_id": "week",
        }


@pytest.fixture(scope="module")
def caller(stack: Stack) -> Iterator[Caller]:
    stack.settle()
    said = ("--name", "Fuzz", "--team", stack.reps[0]["team"], "--zone", "Asia/Kuching")
    token = stack.dibs("reps", "add", *said).split()[-1]
    rep = {"rep_id": token.partition(".")[0], "token": token}
    _, lead = stack.post_lead(company="Described Ltd", test=True, test_everybody=True)
    link = stack.link(rep, lead["lead_id"]).rpartition("/")[2]
    yield Caller(stack, rep["rep_id"], token, lead["lead_id"], link)
    manager = stack.described["manager_token"]
    stack.call("POST", f"/reps/{rep['rep_id']}/leave", {}, token=manager)


def taken(route: str) -> set[str]:
    """Where a route takes what a caller chooses: body, query, path."""
    operation = ROUTES[route]
    body = {"body"} if "requestBody" in operation else set()
    places = {one["in"] for one in operation.get("parameters", ())}
    return body | (places - {"header"})  # a tag of an earlier answer changes nothing


def can_be_wrong(route: str) -> bool:
    """Whether there is anything in a request that its schema could refuse."""
    operation = ROUTES[route]
    return "query" in taken(route) or "application/json" in operation.get("requestBody", {}).get(
        "content", {}
    )


def cases(route: str, mode: GenerationMode) -> list[tuple[Any, bool, bool]]:
    """Make requests from the description; each with whether it names what there is, and by whom."""
    method, _, path = route.partition(" ")
    many = EXAMPLES[min(taken(route) | {"nothing"}, key=list(EXAMPLES).index)]
    found: list[tuple[Any, bool, bool]] = []

    @given(DESCRIBED[path][method].as_strategy(generation_mode=mode), st.booleans(), st.booleans())
    @settings(max_examples=many, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def collect(case: Any, known: bool, as_manager: bool) -> None:
        found.append((case, known, as_manager))

    collect()
    return found


def harmless(route: str, case: Case) -> None:
    """Keep a request from changing what other tests stand on."""
    if route == "PUT /playbook":
        case.query = {**(case.query or {}), "dry_run": "true"}
    unseen = {"POST /leads": {"test": True}, "PUT /rewards/{reward_id}": {"active": False}}
    if route in unseen and isinstance(case.body, dict):
        case.body = {**case.body, **unseen[route]}


def send(
    caller: Caller, route: str, case: Case, known: bool, as_manager: bool
) -> urllib3.BaseHTTPResponse | None:
    """Send a request as somebody who may; None where its path would be that of another route."""
    harmless(route, case)
    chosen = {name: str(value) for name, value in (case.path_parameters or {}).items()}
    path = {name: caller.known.get(name, value) for name, value in chosen.items()}
    path = path if known else chosen
    if any("/" in value or value in (".", "..", "") for value in path.values()):
        return None
    api, template = caller.stack.described["api_url"], route.partition(" ")[2]
    asked = case.as_transport_kwargs(base_url=api)
    asked["url"] = api + re.sub(
        r"{(\w+)}", lambda name: quote(path[name[1]], safe="", errors="replace"), template
    )
    parts = ("method", "url", "headers", "params", "json", "data")
    sent = requests.Request(**{name: asked.get(name) for name in parts}).prepare()
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
    # What the description says of credentials is made up as well; theirs take its place.
    made_up = ("authorization", "cookie", "webhook-signature")
    headers = {name: value for name, value in sent.headers.items() if name.lower() not in made_up}
    headers |= credentials(caller, route, body, as_manager)
    assert sent.method and sent.url
    return caller.stack.pool.request(
        sent.method, sent.url, body=body, headers=headers, redirect=False
    )


def credentials(caller: Caller, route: str, body: bytes, as_manager: bool) -> dict[str, str]:
    who = ROUTES[route]["x-dibs-callers"]
    if who in ("anybody", "link"):
        return {}
    if who == "signed":
        message, now = f"msg_{uuid.uuid4().hex}", datetime.now(UTC)
        secret = caller.stack.described["intake_secret"]
        return {
            "webhook-id": message,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(message, now, body.decode(errors="replace")),
        }
    manager = who == "manager" or (who == "rep or manager" and as_manager)
    token = caller.stack.described["manager_token"] if manager else caller.token
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("route", "mode"),
    [
        pytest.param(route, mode, id=f"{route} {mode.value}")
        for route in ROUTES
        for mode in MODES
        if mode is GenerationMode.POSITIVE or can_be_wrong(route)
    ],
)
def test_every_answer_is_one_the_description_names(
    caller: Caller, route: str, mode: GenerationMode
) -> None:
    def asked(made: tuple[Any, bool, bool]) -> tuple[str, urllib3.BaseHTTPResponse | None]:
        case, known, as_manager = made
        return case.as_curl_command(), send(caller, route, case, known, as_manager)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for curl, answer in pool.map(asked, cases(route, mode)):
            if answer is None:
                continue
            text = answer.data.decode()
            assert answer.status < 500, f"{curl}\n{text}"
            headers = {name.lower(): value for name, value in answer.headers.items()}
            contract.check(route, answer.status, headers, text)
