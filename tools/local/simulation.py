"""Simulated sources and reps, which use Dibs over HTTP and by text as real ones do."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import re
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from dibs.cli.leads import post_signed
from dibs.core.errors import DibsError
from dibs.core.lead import lead_id_for
from dibs.core.links import read_link
from tools.local.deploy import client

POLL_SECONDS = 1.5
HOLD_BACK_SECONDS = 60.0
TIMEOUT_SECONDS = 15.0
# Each rep tries for this share of the offers.
INTEREST = 0.6
# The start of each range of numbers that Ofcom reserves for fiction.
_FICTION = (
    *("1914980", "2079460", "1134960", "1144960", "2896496", "1164960", "1174960"),
    *("1184960", "1214960", "1314960", "1414960", "1514960", "1614960"),
)
_dice = random.Random()  # noqa: S311 - not a secret

Answer = tuple[int, dict[str, Any]]


@dataclass
class Ringside:
    """State that the threads of the show share; each write is a single step."""

    stop: threading.Event = field(default_factory=threading.Event)
    reserved_until: dict[str, float] = field(default_factory=dict)
    way: dict[tuple[str, str], str] = field(default_factory=dict)
    tried_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    beaten_by_ms: dict[tuple[str, str], int] = field(default_factory=dict)

    def free(self, lead_id: str) -> bool:
        """Tell whether simulated reps may try for the lead yet."""
        return time.monotonic() >= self.reserved_until.get(lead_id, 0.0)


class Api:
    """The HTTP API of Dibs, called as a rep's app does."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base = base_url
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """Call, and return status and answer; (0, {}) if there was no answer."""
        request = urllib.request.Request(  # noqa: S310 - our own stack's address
            f"{self._base}{path}",
            data=json.dumps(body or {}).encode() if method != "GET" else None,
            headers=self._headers,
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with contextlib.suppress(ValueError):
                return error.code, json.load(error)
            return error.code, {}
        except (OSError, ValueError):
            return 0, {}


class AppRep(threading.Thread):
    """A rep with the app: looks at new offers, waits a moment, taps."""

    def __init__(self, rep: dict[str, Any], api: Api, ringside: Ringside) -> None:
        super().__init__(daemon=True, name=rep["name"])
        self._id, self._api, self._ringside = rep["rep_id"], api, ringside
        # Some reps are always quicker than others.
        self._usual_seconds = _dice.uniform(0.6, 2.6)
        self._due: dict[str, tuple[float, str]] = {}
        self._looked_at: set[str] = set()

    def run(self) -> None:
        """Look, wait, tap, until the show ends."""
        next_look = time.monotonic() + _dice.uniform(0, POLL_SECONDS)
        while not self._ringside.stop.wait(0.1):
            now = time.monotonic()
            for lead_id, (due, url) in list(self._due.items()):
                if now >= due and self._ringside.free(lead_id):
                    del self._due[lead_id]
                    self._claim(lead_id, url)
            if now >= next_look:
                next_look = now + POLL_SECONDS * _dice.uniform(0.7, 1.3)
                self._look()

    def _look(self) -> None:
        _, answer = self._api.call("GET", "/me/offers")
        for offer in answer.get("offers", []):
            lead_id = offer["lead_id"]
            if lead_id in self._looked_at or not offer["eligible"]:
                continue
            self._looked_at.add(lead_id)
            if _dice.random() < INTEREST:
                self._api.call("POST", f"/leads/{lead_id}/seen")
                pause = self._usual_seconds * _dice.lognormvariate(0, 0.35)
                self._due[lead_id] = (time.monotonic() + pause, offer["claim_url"])

    def _claim(self, lead_id: str, url: str) -> None:
        key = (lead_id, self._id)
        if _dice.random() < 0.5:
            self._ringside.way[key] = "in the app"
            status, answer = self._api.call("POST", f"/leads/{lead_id}/claim")
        else:
            self._ringside.way[key] = "on the claim page"
            status, answer = self._api.call("POST", f"{urlsplit(url).path}/claim")
        if status == 409:
            self._ringside.beaten_by_ms[key] = int(answer.get("ms_ago", 0))
        elif status in (0, 503):
            self._due[lead_id] = (time.monotonic() + 1.0, url)  # no answer, or busy: tap again


class TextReps(threading.Thread):
    """The reps without the app, who get texts and reply with the code."""

    _CODE = re.compile(r"\b(?=[A-Z2-9]*\d)[A-Z2-9]{4,6}\b")
    _LINK = re.compile(r"/c/(\w{22})\b")

    def __init__(
        self, reps: list[dict[str, Any]], endpoint: str, topic_arn: str, ringside: Ringside
    ) -> None:
        super().__init__(daemon=True, name="texts")
        self._reps = {rep["phone"]: rep for rep in reps}
        self._url = f"{endpoint}/_ministack/sns/sms-messages"
        self._topic, self._ringside = topic_arn, ringside
        self._sns = client("sns")
        self._read = {phone: len(texts) for phone, texts in self._texts().items()}
        self._due: list[tuple[float, str, str, str]] = []

    def run(self) -> None:
        """Read, wait, reply, until the show ends."""
        while not self._ringside.stop.wait(0.4):
            for phone, texts in self._texts().items():
                for text in texts[self._read.get(phone, 0) :]:
                    self._consider(phone, text)
                self._read[phone] = len(texts)
            now = time.monotonic()
            for reply in list(self._due):
                due, phone, lead_id, code = reply
                if now >= due and self._ringside.free(lead_id):
                    self._due.remove(reply)
                    self._reply(phone, lead_id, code)

    def _texts(self) -> dict[str, list[str]]:
        try:
            with urllib.request.urlopen(self._url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                by_phone = json.load(answer)["sms_messages"]
        except (OSError, ValueError):
            return {}
        return {
            phone: [str(sent.get("Message") or sent.get("message") or "") for sent in messages]
            for phone, messages in by_phone.items()
            if phone in self._reps
        }

    def _consider(self, phone: str, text: str) -> None:
        link = self._LINK.search(text)
        code = self._CODE.search(text[: link.start()] if link else text)
        if not (link and code) or _dice.random() > INTEREST:
            return
        with contextlib.suppress(DibsError):
            lead_id = read_link(link.group(1)).lead_id
            self._due.append((time.monotonic() + _dice.uniform(0.8, 3.0), phone, lead_id, code[0]))

    def _reply(self, phone: str, lead_id: str, code: str) -> None:
        key = (lead_id, self._reps[phone]["rep_id"])
        self._ringside.way[key] = "by text"
        self._ringside.tried_at[key] = datetime.now(UTC)
        inbound = {
            "originationNumber": phone,
            "destinationNumber": "+12025550199",
            "messageKeyword": "DIBS",
            "messageBody": code.lower(),
            "inboundMessageId": str(uuid.uuid4()),
            "previousPublishedMessageId": str(uuid.uuid4()),
        }
        self._sns.publish(TopicArn=self._topic, Message=json.dumps(inbound))


class Sender:
    """A source such as a CRM or a form: posts the sample leads in turn, without end."""

    def __init__(self, api_url: str, secret: str, ringside: Ringside) -> None:
        self._api_url, self._secret, self._ringside = api_url, secret, ringside
        self._run = uuid.uuid4().hex[:8]
        self._leads = enumerate(_samples(_dice.randrange(1000, 9000)))

    def post(self, *, reserved: bool) -> bool:
        """Post the next lead; simulated reps wait before they try for a reserved one."""
        number, sample = next(self._leads)
        body = {**sample, "external_id": f"{self._run}-{number}"}
        if reserved:
            lead_id = lead_id_for(body["source"], body["external_id"])
            self._ringside.reserved_until[lead_id] = time.monotonic() + HOLD_BACK_SECONDS
        try:
            status, _ = post_signed(self._api_url, self._secret, json.dumps(body))
        except (OSError, ValueError):
            return False
        return status in (200, 201)


def _samples(first: int) -> Iterator[dict[str, Any]]:
    """Yield the sample leads without end, with other people and companies in each round.

    Numbers begin at `first`, so that two shows on one stack do not post duplicates (C6).
    """
    text = resources.files("dibs.cli").joinpath("sample_leads.json").read_text(encoding="utf-8")
    leads: list[dict[str, Any]] = json.loads(text)
    for number in itertools.count(first):
        for place, lead in enumerate(leads):
            name, _, domain = lead["contact_email"].partition("@")
            yield {
                **lead,
                "company": f"{lead['company']} {number}",
                "contact_email": f"{name}@{number}-{domain}",
                "contact_phone": _fictional_phone(number * len(leads) + place),
            }


def _fictional_phone(number: int) -> str:
    """Return one of the 13,000 numbers that Ofcom reserves for fiction: no phone has them."""
    return f"+44{_FICTION[number // 1000 % len(_FICTION)]}{number % 1000:03d}"
