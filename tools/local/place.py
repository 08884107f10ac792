"""A local stack's port, files, addresses and environment variables."""

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
    """A local stack. Each port has its own state, so two can run at the same time."""

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
        """Return the URL for people: browsers resolve *.localhost to this machine."""
        return f"http://{DOMAIN}:{self.port}"

    def api_url(self, api_id: str) -> str:
        """Return the URL for programs: not every machine resolves *.localhost."""
        try:
            socket.getaddrinfo(DOMAIN, self.port, type=socket.SOCK_STREAM)
        except OSError:
            return f"{self.endpoint}/_aws/execute-api/{api_id}/$default"
        return self.public_url

    def environment(self, **more: str) -> dict[str, str]:
        """Return this process's environment with AWS set to this stack only.

        A developer's profile, keys or proxy must never make a local run use the real AWS.
        """
        return {**local_stack.environment(self.endpoint), **more}

    def credentials(self) -> dict[str, str]:
        """Return the variables that point AWS tools to this stack, as its root user."""
        return local_stack.credentials(self.endpoint)

    def enter(self) -> None:
        """Make this process's AWS clients use this stack."""
        local_stack.enter(self.endpoint)

    def stack_files(self) -> tuple[Path, Path]:
        """Return the two files that describe the running stack: its own, and the one tools read."""
        return local_stack.description(self.port), local_stack.description()

    def stack(self) -> dict[str, Any]:
        """Return the description that `up` wrote of this stack."""
        return local_stack.described(self.stack_files()[0])


def place() -> Place:
    """Return the stack on the port in DIBS_PORT."""
    return Place(port_from(os.environ))


def runtime() -> str:
    """Return the Lambda runtime of this Python, which MiniStack runs functions with."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


__all__ = ["LOCAL", "REGION", "ROOT", "STACK", "Place", "place", "runtime"]
