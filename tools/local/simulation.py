"""Simulated senders and reps: they use Dibs over HTTP and by text, as the real ones would."""

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
# Each rep goes for this share of the offers; the others are in a meeting.
INTEREST = 0.6
# Area codes and beginnings of the numbers that Ofcom keeps for films.
_FILMS = (
    *("1914980", "2079460", "1134960", "1144960", "2896496", "1164960", "1174960"),
    *("1184960", "1214960", "1314960", "1414960", "1514960", "1614960"),
)
_dice = random.Random()  # noqa: S311 - a show, no secret

Answer = tuple[int, dict[str, Any]]


@dataclass
class Ringside:
    """What everybody in the show knows of each other. Written by many threads, in single steps."""

    stop: threading.Event = field(default_factory=threading.Event)
    reserved_until: dict[str, float] = field(default_factory=dict)
    way: dict[tuple[str, str], str] = field(default_factory=dict)
    tried_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    beaten_by_ms: dict[tuple[str, str], int] = field(default_factory=dict)

    def free(self, lead_id: str) -> bool:
        """Tell whether simulated reps may go for the lead yet."""
        return time.monotonic() >= self.reserved_until.get(lead_id, 0.0)


class Api:
    """Dibs's HTTP API as one rep's app calls it."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base = base_url
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """Call and return status and answer; a call that does not get through is (0, {})."""
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
    """A rep with the app: sees offers as they come, thinks for a moment, taps."""

    def __init__(self, rep: dict[str, Any], api: Api, ringside: Ringside) -> None:
        super().__init__(daemon=True, name=rep["name"])
        self._id, self._api, self._ringside = rep["rep_id"], api, ringside
        # People differ: some are quick every time.
        self._usual_seconds = _dice.uniform(0.6, 2.6)
        self._due: dict[str, tuple[float, str]] = {}
        self._looked_at: set[str] = set()

    def run(self) -> None:
        """Look, think, tap, until the show is over."""
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
            self._due[lead_id] = (time.monotonic() + 1.0, url)  # the network; tap again


class TextReps(threading.Thread):
    """The reps without the app: they get texts, and reply with the code."""

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
        """Read, think, reply, until the show is over."""
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
                found = json.load(answer)["sms_messages"]
        except (OSError, ValueError):
            return {}
        return {
            phone: [str(sent.get("Message") or sent.get("message") or "") for sent in messages]
            for phone, messages in found.items()
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
    """A CRM, a form, an ad: posts the sample leads, one after the other, for ever."""

    def __init__(self, api_url: str, secret: str, ringside: Ringside) -> None:
        self._api_url, self._secret, self._ringside = api_url, secret, ringside
        self._run = uuid.uuid4().hex[:8]
        self._leads = enumerate(_samples(_dice.randrange(1000, 9000)))

    def post(self, *, reserved: bool) -> bool:
        """Post the next lead; the simulated reps leave a reserved one alone for a while."""
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
    """Yield the sample leads for ever, in each round of other people and companies.

    Numbers begin at `first`, so that two shows on one stack do not meet the same people (C6).
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
                "contact_phone": _nobodys_phone(number * len(leads) + place),
            }


def _nobodys_phone(number: int) -> str:
    """Return one of the 13,000 numbers that Ofcom keeps for films: nobody can be called on them."""
    return f"+44{_FILMS[number // 1000 % len(_FILMS)]}{number % 1000:03d}"
