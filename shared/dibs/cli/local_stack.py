"""The local stack, which commands without `--stack` use.

`make up` writes a description of it; the tools that start it are not part of the product.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[3] / ".local"
REGION = "us-east-1"
STACK = "dibs"


def description(port: int | None = None) -> Path:
    """Return the file that describes the stack on a port, or the stack started last."""
    return (HOME if port is None else HOME / f"port-{port}") / "stack.json"


def described(file: Path) -> dict[str, Any]:
    """Return the description of a running stack.

    Raises:
        OSError: no stack is running.
    """
    stack: dict[str, Any] = json.loads(file.read_text())
    return stack


def credentials(endpoint: str) -> dict[str, str]:
    """Return the settings that point AWS libraries and tools at a local stack, as its root."""
    nowhere = os.devnull
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def environment(endpoint: str) -> dict[str, str]:
    """Return this process's environment with AWS set to the local stack only."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    no_proxy = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    return {**kept, **no_proxy, **credentials(endpoint)}


def enter(endpoint: str) -> None:
    """Make this process's AWS clients use the local stack."""
    fresh = environment(endpoint)
    os.environ.clear()
    os.environ.update(fresh)
