"""The deployed API against its published description: requests made from it, good and bad ones."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from standardwebhooks import Webhook

from support import contract
from support.stack import Stack

pytestmark = pytest.mark.stack

# Requests of each kind for each route: a few thousand in all, the same in every run.
EXAMPLES = 20
DESCRIBED = schemathesis.openapi.from_dict(contract.document())
ROUTES = contract.operations()


@dataclass(frozen=True)
class Caller:
    """The stack, a rep of its own that nobody races against, and a lead that rep can see."""

    stack: Stack
    session: requests.Session
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
    _, lead = stack.post_lead(company="Described Ltd", test=True)
    link = stack.link(rep, lead["lead_id"]).rpartition("/")[2]
    with requests.Session() as session:
        yield Caller(stack, session, rep["rep_id"], token, lead["lead_id"], link)
    manager = stack.described["manager_token"]
    stack.call("POST", f"/reps/{rep['rep_id']}/leave", {}, token=manager)


def send(caller: Caller, route: str, case: Case, as_manager: bool) -> requests.Response | None:
    """Send a request as somebody who may; None where its path would be that of another route."""
    operation = ROUTES[route]
    path = {name: str(value) for name, value in (case.path_parameters or {}).items()}
    if any("/" in value or value in (".", "..", "") for value in path.values()):
        return None
    asked = case.as_transport_kwargs(base_url=caller.stack.described["api_url"])
    asked = {key: value for key, value in asked.items() if key not in ("timeout", "verify", "cert")}
    asked["cookies"] = {}
    template = route.partition(" ")[2]
    where = re.sub(r"{(\w+)}", lambda name: quote(path[name[1]], safe=""), template)
    asked["url"] = caller.stack.described["api_url"] + where
    sent = requests.Request(**asked).prepare()
    who = operation["x-dibs-callers"]
    sent.headers.pop("authorization", None)
    if who == "signed":
        body = sent.body or b""
        text = body if isinstance(body, str) else body.decode(errors="replace")
        message, now = f"msg_{uuid.uuid4().hex}", datetime.now(UTC)
        secret = caller.stack.described["intake_secret"]
        sent.headers["webhook-id"] = message
        sent.headers["webhook-timestamp"] = str(int(now.timestamp()))
        sent.headers["webhook-signature"] = Webhook(secret).sign(message, now, text)
    elif who not in ("anybody", "link"):
        manager = who == "manager" or (who == "rep or manager" and as_manager)
        token = caller.stack.described["manager_token"] if manager else caller.token
        sent.headers["authorization"] = f"Bearer {token}"
    return caller.session.send(sent, timeout=60, allow_redirects=False)


def harmless(route: str, case: Case) -> None:
    """Keep a request from changing what other tests stand on."""
    if route == "PUT /playbook":
        case.query = {**(case.query or {}), "dry_run": "true"}
    if route == "POST /leads" and isinstance(case.body, dict):
        case.body = {**case.body, "test": True}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("route", ROUTES)
def test_every_answer_is_one_the_description_names(
    caller: Caller, route: str, mode: GenerationMode
) -> None:
    method, _, path = route.partition(" ")
    operation = DESCRIBED[path][method]
    if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
        pytest.skip("there is nothing to get wrong")
    known = caller.known

    @given(operation.as_strategy(generation_mode=mode), st.booleans(), st.booleans())
    @settings(
        max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    def every(case: Any, in_place: bool, as_manager: bool) -> None:
        harmless(route, case)
        if in_place:
            case.path_parameters = {
                name: known.get(name, value) for name, value in (case.path_parameters or {}).items()
            }
        answer = send(caller, route, case, as_manager)
        if answer is not None:
            assert answer.status_code != 500, answer.text
            headers = {name.lower(): value for name, value in answer.headers.items()}
            contract.check(route, answer.status_code, headers, answer.text)

    every()
