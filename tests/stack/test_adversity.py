"""In the middle of races processes are killed, messages are dropped, and messages come twice.

What anybody was told stays true, and the sweep alone brings back what was lost (O9, H1, H2).
"""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3

from dibs.core.events import LATE_AFTER
from support.stack import Stack, until

pytestmark = pytest.mark.stack

REPS, LEADS = 6, 4
PATIENCE = 120
# What a sender or a phone tries again: the process is gone, or the store is busy.
AGAIN = {429, 500, 502, 503, 504}
HOPS = ("OfferQueue", "NotifyQueue", "ProjectQueue")

RULES: dict[str, Any] = {
    "preset": "open-pool",
    "fits": "A test.",
    "teams": {"storm": {"name": "Storm", "zone": "UTC"}},
    "routing": [{"source": "storm", "teams": ["storm"]}],
    "window_seconds": 900,
    "undo_seconds": 0,
    "claims_per_day": 1000,
    "sms": {"enabled": True, "per_rep_per_day": 1000, "per_organisation_per_day": 100_000},
}


@dataclass(frozen=True)
class Storm:
    """A team that races while somebody breaks things."""

    stack: Stack
    tokens: tuple[str, ...]
    dice: random.Random = field(default_factory=lambda: random.Random(41))

    def insist(self, *request: Any, **more: Any) -> tuple[int, Any]:
        """Ask as a phone does: again, until there is an answer."""

        def answer() -> tuple[int, Any] | None:
            with suppress(urllib3.exceptions.HTTPError):
                status, said, _ = self.stack.call(*request, **more)
                return None if status in AGAIN else (status, said)
            return None

        found: tuple[int, Any] = until(answer, PATIENCE)
        return found

    def post(self) -> str:
        """Post a lead as a source does: the same again, until it is taken."""
        lead = {
            "source": "storm",
            "external_id": uuid.uuid4().hex,
            "company": f"Storm {uuid.uuid4().hex[:8]}",
            "contact_name": "Nadia Jamal",
            "contact_phone": f"+60137{self.dice.randrange(10**6):06d}",
        }

        def taken() -> dict[str, Any] | None:
            with suppress(urllib3.exceptions.HTTPError):
                status, said = self.stack.signed("/leads", lead)
                assert status in {200, 201, *AGAIN}, said
                return said if status < 300 else None
            return None

        return str(until(taken, PATIENCE)["lead_id"])

    def sweep(self) -> None:
        """Let the minute's sweep run, as it would when everything is late."""
        with suppress(AssertionError, KeyError, json.JSONDecodeError):  # it may be killed too
            self.stack.run_job("sweep", datetime.now(UTC) + LATE_AFTER + timedelta(seconds=1))

    def told(self, lead_id: str, token: str) -> bool:
        return self.stack.told_at(lead_id, token.partition(".")[0]) is not None

    def queue(self, hop: str) -> str:
        urls = self.stack.client("sqs").list_queues(QueueNamePrefix=f"dibs-{hop}")["QueueUrls"]
        return str(urls[0])


def kill_a_process(storm: Storm) -> None:
    """Kill a process of any function, as a host that fails does."""
    folder = f"port-{storm.stack.port}/"
    listed = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True)
    workers = [
        int(line.split()[0])
        for line in listed.stdout.splitlines()
        if folder in line and line.rstrip().endswith("_worker.py")
    ]
    if workers:
        with suppress(ProcessLookupError):
            os.kill(storm.dice.choice(workers), signal.SIGKILL)


def drop_messages(storm: Storm) -> None:
    """Drop all that waits at one hop."""
    storm.stack.client("sqs").purge_queue(QueueUrl=storm.queue(storm.dice.choice(HOPS)))


def repeat_messages(storm: Storm) -> None:
    """Send what waits at one hop once more."""
    sqs, url = storm.stack.client("sqs"), storm.queue(storm.dice.choice(HOPS))
    waiting = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    for message in waiting.get("Messages", []):
        sqs.send_message(QueueUrl=url, MessageBody=message["Body"])


@contextmanager
def meanwhile(act: Callable[[], None], every: float) -> Iterator[Callable[[], int]]:
    """Do something again and again beside what is done inside; it tells how often it was."""
    over, times = threading.Event(), [0]

    def repeatedly() -> None:
        while not over.wait(every):
            act()
            times[0] += 1

    beside = threading.Thread(target=repeatedly)
    beside.start()
    try:
        yield lambda: times[0]
    finally:
        over.set()
        beside.join()


@pytest.fixture(scope="module")
def storm(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storm]:
    folder = tmp_path_factory.mktemp("storm")
    file, tokens = folder / "reps.csv", folder / "tokens.csv"
    with file.open("w", newline="") as out:
        people = [(f"Storm {n}", "storm", f"+12025557{n:03d}", "2025-01-06") for n in range(REPS)]
        csv.writer(out).writerows([("name", "team", "phone", "joined"), *people])
    with stack.under(RULES):
        stack.dibs("reps", "import", str(file), "--tokens", str(tokens))
        with tokens.open(newline="") as written:
            yield Storm(stack, tuple(row["token"] for row in csv.DictReader(written)))


@pytest.mark.parametrize(
    ("breaks", "every"), [(kill_a_process, 0.7), (drop_messages, 0.3), (repeat_messages, 0.2)]
)
def test_a_race_in_which_things_break_has_one_winner_and_loses_nothing(
    storm: Storm, breaks: Callable[[Storm], None], every: float
) -> None:
    with meanwhile(lambda: breaks(storm), every) as times:
        leads = [storm.post() for _ in range(LEADS)]

        def all_told() -> bool:
            storm.sweep()
            return all(storm.told(lead, token) for lead in leads for token in storm.tokens)

        until(all_told, PATIENCE)

        def race(pair: tuple[str, str]) -> tuple[int, Any]:
            lead_id, token = pair
            return storm.insist("POST", f"/leads/{lead_id}/claim", token=token)

        pairs = [(lead, token) for lead in leads for token in storm.tokens]
        storm.dice.shuffle(pairs)
        with ThreadPoolExecutor(REPS) as pool:
            answers = dict(zip(pairs, pool.map(race, pairs), strict=True))
        assert times() > 0
    winners = {
        lead: [token for token in storm.tokens if answers[lead, token][0] == 200] for lead in leads
    }
    assert {lead: len(won) for lead, won in winners.items()} == dict.fromkeys(leads, 1)
    assert {status for status, _ in answers.values()} == {200, 409}
    owners = {lead: storm.stack.lock(lead)["owner"]["S"] for lead in leads}
    assert owners == {lead: won[0].partition(".")[0] for lead, won in winners.items()}
    for (lead, _), (status, said) in answers.items():
        assert status == 200 or said["claimed_by"]["rep_id"] == owners[lead]
    _everything_counted(storm, Counter(owners.values()))


_before: Counter[str] = Counter()


def _everything_counted(storm: Storm, wins: Counter[str]) -> None:
    """The sweep alone brings ledger and boards to what was won, and the audit finds no fault."""
    _before.update(wins)
    by_token = {token.partition(".")[0]: token for token in storm.tokens}

    def wrong() -> dict[str, Any]:
        storm.sweep()
        return {rep: at for rep, n in _before.items() if (at := _claims(storm, by_token[rep])) != n}

    with suppress(AssertionError):
        until(lambda: not wrong(), PATIENCE)
    assert wrong() == {}, _before
    storm.stack.dibs("audit")


def _claims(storm: Storm, token: str) -> int:
    status, found = storm.insist("GET", "/boards/claims?period=all", token=token)
    assert status == 200, found
    return int(found.get("me", {}).get("value") or 0)


def test_a_secret_is_changed_under_load_and_no_post_is_lost(storm: Storm, stack: Stack) -> None:
    def printed(*words: str) -> str:
        return stack.dibs("secrets", *words).split("whsec_")[1].split()[0]

    uses = [printed("add", "storm", "--scope", "leads")]
    refused: list[tuple[int, Any]] = []
    posts: Counter[str] = Counter()

    def post(number: int) -> None:
        lead = {"source": "storm", "external_id": uuid.uuid4().hex, "company": f"Rain {number}"}
        lead |= {"contact_phone": f"+60138{storm.dice.randrange(10**6):06d}"}
        secret = uses[-1]
        status, said = stack.signed("/leads", lead, secret=secret)
        posts[secret] += 1
        if status != 201:
            refused.append((status, said))

    numbers = iter(range(10**6))
    with meanwhile(lambda: post(next(numbers)), 0.05), meanwhile(lambda: post(next(numbers)), 0.05):
        until(lambda: posts[uses[-1]] > 3, PATIENCE)
        for _ in range(2):
            fresh = printed("rotate", "storm")
            # The source goes on with the old one until somebody has changed it there.
            so_far = posts[uses[-1]]
            until(lambda so_far=so_far: posts[uses[-1]] > so_far + 3, PATIENCE)
            uses.append(fresh)
            until(lambda fresh=fresh: posts[fresh] > 3, PATIENCE)
    assert refused == []
    assert len(posts) == 3
    stack.dibs("secrets", "end", "storm")  # processes notice within a minute: test_secrets.py
