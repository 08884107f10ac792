"""Prepares a fresh clone: the environments under .local/ that everything else runs in.

Runs before anything is installed, so it uses the standard library only. `make` calls it with what
is about to be done (`run`, `up`, `dev` ...); a clone that is ready costs some milliseconds.

Three environments, because the local AWS pins its own botocore and SAM CLI its own of everything:
`env` (Dibs), `ministack` (the local AWS, whose Python runs the functions) and `sam`.
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
    """Something a person can mend; its words are the one sentence they see."""


@dataclass(frozen=True)
class Environment:
    """One environment: the folder, what it says while it is made, what it depends on, and how."""

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
        usable = (self.folder / "bin" / "python").exists()  # its interpreter may have gone
        return usable and self.stamp.is_file() and self.stamp.read_text() == self.wanted


def main() -> int:
    """Prepare what `sys.argv[1]` needs; return the exit code."""
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
    sam = _pinned("sam", "SAM CLI, which builds and deploys", SAM)
    if what == "deploy":
        return [sam]
    ministack = _pinned("ministack", "the local AWS", MINISTACK)
    return [_project(project, developer=what == "dev"), ministack, sam]


def _project(lock: bytes, *, developer: bool) -> Environment:
    groups = ["--all-extras", "--group", "dev"] if developer else ["--extra", "cli", "--no-dev"]
    # `run` after `test` keeps the developer's tools: nothing is taken away that is not in the way.
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
    """Make the environments that are missing or out of date, side by side.

    Raises:
        Failed: one could not be made; none is left half made.
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
    # The developers' environment holds everything `run` needs.
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
    """Run one command to its end.

    Raises:
        Failed: it failed; the sentence says what to do about it.
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
        said = output.read().decode(errors="replace")
    if code:
        raise Failed(_sentence(kind, said))


def _sentence(kind: str, said: str) -> str:
    if kind == "venv":
        return (
            f"{sys.executable} cannot make environments; install its venv package "
            "(on Debian and Ubuntu: apt install python3-venv) and try again."
        )
    if looks_offline(said):
        return OFFLINE
    last = [line for line in said.splitlines() if line.strip()][-1:] or ["no reason given"]
    return f"Installing Dibs's parts failed: {last[0].strip()}"


def looks_offline(said: str) -> bool:
    """Tell whether what a tool said means that the network was not there."""
    words = said.lower()
    return any(sign in words for sign in _OFFLINE_SIGNS)


def check_python() -> None:
    """Tell a Python that is too new from one that fits; make has seen to the old ones.

    Raises:
        Failed: this Python does not run Dibs.
    """
    if not (3, 11) <= sys.version_info < NEWER_THAN_US:
        version = sys.version.split()[0]
        raise Failed(f"Dibs needs Python 3.11, 3.12 or 3.13; {sys.executable} is {version}.")


def port_from(environment: Mapping[str, str]) -> int:
    """Return the port DIBS_PORT names, 4566 otherwise.

    Raises:
        Failed: it is no port.
    """
    given = environment.get("DIBS_PORT") or "4566"
    if not given.isdecimal() or not 1024 <= int(given) <= 65_535:
        raise Failed(f"DIBS_PORT is {given!r}: choose a port from 1024 to 65535.")
    return int(given)


def check_port(port: int) -> None:
    """Make sure the port is free, or taken by this clone's own stack.

    Raises:
        Failed: another program has it.
    """
    if (LOCAL / f"port-{port}" / "ministack.pid").exists():
        return  # `make up` looks more closely
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Failed(port_taken(port)) from error


def port_taken(port: int) -> str:
    """Return what to say when another program has the port."""
    return (
        f"Port {port} is taken by another program: choose a free one, "
        f"for example DIBS_PORT={port + 10} make run."
    )


@contextmanager
def _progress(says: str) -> Iterator[None]:
    """Say what is being done, and go on saying so every few seconds."""
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
