"""A claim on the deployed local stack, against the same claim of an earlier build beside it.

Both builds are deployed from the ground up, each on a port of its own with every role enforced, and
take turns: a lead comes in, everybody claims it at once.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.stage import run
from support import stack
from support.stack import ROOT, Stack

EARLIER = "1610bc1"
"""The last commit whose functions reach DynamoDB by boto3's client."""
ROUNDS = 10
WARM_ROUNDS = 2
PAUSE_SECONDS = 2.0
"""So long the functions that follow a lead, and those that follow a claim, are given to end."""
ENVIRONMENTS = ("boot", "env", "ministack", "sam")


class Unavailable(Exception):
    """Raised when there is nothing to compare with here; the message says why."""


def measure(endpoint: str) -> dict[str, Any]:
    """Measure both builds, or say why it cannot be done here."""
    del endpoint  # the stacks have tables of their own
    try:
        with earlier_build() as root, stack.running(root) as then, stack.running() as now:
            return _measured({"now": now, "then": then})
    except Unavailable as reason:
        return {"missing": str(reason)}
    except AssertionError as failure:  # the local AWS did not start, or a build did not deploy
        return {"missing": str(failure).strip().splitlines()[-1]}


def _measured(builds: dict[str, Stack]) -> dict[str, Any]:
    taken: dict[str, dict[int, list[float]]] = {name: defaultdict(list) for name in builds}
    for build in builds.values():
        build.warm("claim", len(build.reps))
    for number in range(WARM_ROUNDS + ROUNDS):
        for name in sorted(builds, reverse=bool(number % 2)):
            for status, seconds in race(builds[name]):
                if number >= WARM_ROUNDS:
                    taken[name][status].append(seconds)
    middle = {
        name: median(one for some in found.values() for one in some)
        for name, found in taken.items()
    }
    return {
        "earlier": EARLIER,
        "ratio": round(middle["now"] / middle["then"], 3),
        "milliseconds": {name: round(1000 * one, 1) for name, one in middle.items()},
        "winners": {name: len(found[200]) for name, found in taken.items()},
        "answers": {
            name: {status: len(some) for status, some in found.items()}
            for name, found in taken.items()
        },
        "rounds": ROUNDS,
    }


def race(build: Stack) -> list[tuple[int, float]]:
    """Post a lead and have everybody claim it at once; return status and seconds of each."""
    _, lead = build.post_lead()
    time.sleep(PAUSE_SECONDS)

    def claim(rep: dict[str, Any]) -> tuple[int, float]:
        began = time.perf_counter()
        status, _, _ = build.call("POST", f"/leads/{lead['lead_id']}/claim", token=rep["token"])
        return status, time.perf_counter() - began

    with ThreadPoolExecutor(len(build.reps)) as pool:
        answers = list(pool.map(claim, build.reps))
    time.sleep(PAUSE_SECONDS)
    return answers


@contextmanager
def earlier_build() -> Iterator[Path]:
    """Put the earlier build's files into a folder, which is removed again.

    Raises:
        Unavailable: git does not have it, as in a clone without history.
    """
    if shutil.which("git") is None:
        raise Unavailable("git is not installed")
    packed = subprocess.run(["git", "archive", EARLIER], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        raise Unavailable(f"git has no commit {EARLIER} here; a shallow clone has no history")
    root = ROOT / ".local" / "earlier"
    shutil.rmtree(root, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(root, filter="data")
    try:
        (root / ".local").mkdir()
        for name in ENVIRONMENTS:
            (root / ".local" / name).symlink_to(ROOT / ".local" / name)
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    run(measure)
