"""Where a local stack lives: its port, files, addresses, and the environment for its tools."""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dibs.cli.bootstrap import LOCAL, ROOT, port_from

REGION = "us-east-1"
STACK = "dibs"
DOMAIN = "dibs.localhost"


@dataclass(frozen=True)
class Place:
    """One local stack. Each port has a state of its own, so two can run side by side."""

    port: int

    @cached_property
    def home(self) -> Path:
        return LOCAL / f"port-{self.port}"

    @property
    def state(self) -> Path:
        return self.home / "state"

    @property
    def scratch(self) -> Path:
        return self.home / "tmp"

    @property
    def log(self) -> Path:
        return self.home / "ministack.log"

    @property
    def pid_file(self) -> Path:
        return self.home / "ministack.pid"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def public_url(self) -> str:
        """Return what people open: browsers know that *.localhost is this machine."""
        return f"http://{DOMAIN}:{self.port}"

    def api_url(self, api_id: str) -> str:
        """Return what programs call: not every machine's resolver knows *.localhost."""
        try:
            socket.getaddrinfo(DOMAIN, self.port, type=socket.SOCK_STREAM)
        except OSError:
            return f"{self.endpoint}/_aws/execute-api/{api_id}/$default"
        return self.public_url

    def environment(self, **more: str) -> dict[str, str]:
        """Return this process's environment with AWS meaning this stack, and nothing but it.

        A developer's own profile, keys or proxy must never make a local run touch the real AWS.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        no_proxy = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
        return {**kept, **no_proxy, **self.credentials(), **more}

    def credentials(self) -> dict[str, str]:
        """Return the settings that point AWS libraries and tools at this stack, as its root."""
        nowhere = os.devnull
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": nowhere,
            "AWS_SHARED_CREDENTIALS_FILE": nowhere,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def enter(self) -> None:
        """Make this process's own AWS clients talk to this stack."""
        fresh = self.environment()
        os.environ.clear()
        os.environ.update(fresh)

    def stack_files(self) -> tuple[Path, Path]:
        """Return where the running stack is described: its own file, and the one tools look at."""
        return self.home / "stack.json", LOCAL / "stack.json"

    def stack(self) -> dict[str, Any]:
        """Return what `up` wrote about this stack."""
        found: dict[str, Any] = json.loads(self.stack_files()[0].read_text())
        return found


def place() -> Place:
    """Return the stack that DIBS_PORT names."""
    return Place(port_from(os.environ))


def runtime() -> str:
    """Return the Lambda runtime of the interpreter at hand: MiniStack runs functions with it."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


__all__ = ["LOCAL", "REGION", "ROOT", "STACK", "Place", "place", "runtime"]
