"""Import and client set-up of the claim function against a bare boto3 DynamoDB client."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median
from typing import Any

from benchmarks.stage import organisation, run

ROUNDS = 15
_TIMED = (
    "import time; w, c = time.perf_counter(), time.process_time(); {}; "
    "print(time.perf_counter() - w, time.process_time() - c)"
)
WAYS = {
    "claim": _TIMED.format("import claim.handler; from dibs.wiring import wiring; wiring().dynamo"),
    "boto3": _TIMED.format("import boto3; boto3.client('dynamodb')"),
}


def measure(endpoint: str) -> dict[str, Any]:
    """Time both in fresh processes, turn by turn."""
    organisation(endpoint, "startup")  # sets the environment the function is configured by
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for number in range(ROUNDS + 1):
        for way in sorted(WAYS, reverse=bool(number % 2)):
            taken = _fresh(WAYS[way])
            if number:  # the first round only compiles
                times[way].append(taken)
    (claim, claim_cpu), (bare, bare_cpu) = (
        [median(column) for column in zip(*times[way], strict=True)] for way in ("claim", "boto3")
    )
    return {
        "milliseconds": {"claim": round(1000 * claim, 1), "boto3": round(1000 * bare, 1)},
        "ratio": round(claim / bare, 3),
        "processor_ratio": round(claim_cpu / bare_cpu, 3),
        "rounds": ROUNDS,
    }


def _fresh(script: str) -> tuple[float, float]:
    # Lambda's layer is compiled; a shell that forbids writing that down would time the compiler.
    compiled = {"PYTHONDONTWRITEBYTECODE": ""}
    environment = {**os.environ, **compiled, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, check=True, text=True
    )
    wall, cpu = done.stdout.split()
    return float(wall), float(cpu)


if __name__ == "__main__":
    run(measure)
