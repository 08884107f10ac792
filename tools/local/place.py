"""Where a local stack lives: its port, files, addresses, and the environment for its tools."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dibs.cli import local_stack
from dibs.cli.local_stack import REGION, STACK
from tools.local.bootstrap import LOCAL, ROOT, port_from

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
        return {**local_stack.environment(self.endpoint), **more}

    def credentials(self) -> dict[str, str]:
        """Return the settings that point AWS libraries and tools at this stack, as its root."""
        return local_stack.credentials(self.endpoint)

    def enter(self) -> None:
        """Make this process's own AWS clients talk to this stack."""
        local_stack.enter(self.endpoint)

    def stack_files(self) -> tuple[Path, Path]:
        """Return where the running stack is described: its own file, and the one tools look at."""
        return local_stack.description(self.port), local_stack.description()

    def stack(self) -> dict[str, Any]:
        """Return what `up` wrote about this stack."""
        return local_stack.described(self.stack_files()[0])


def place() -> Place:
    """Return the stack that DIBS_PORT names."""
    return Place(port_from(os.environ))


def runtime() -> str:
    """Return the Lambda runtime of the interpreter at hand: MiniStack runs functions with it."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


__all__ = ["LOCAL", "REGION", "ROOT", "STACK", "Place", "place", "runtime"]
