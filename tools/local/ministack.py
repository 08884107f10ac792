"""Start and stop the local AWS, the process of MiniStack."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.error import URLError

from tools.local.bootstrap import LOCAL, Failed, check_port, port_taken
from tools.local.place import Place

START_SECONDS = 60.0
STOP_SECONDS = 120.0
# A function that was stopped may keep its message hidden until its time-out (notify: 30 s).
HELD_SECONDS = 35.0
SAVED = (
    "apigateway",
    "cloudformation",
    "dynamodb",
    "iam",
    "lambda",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
)
# The services that the template uses; others need not be loaded and saved.
SERVICES = (
    "apigateway,cloudformation,cloudwatch,dynamodb,iam,kms,lambda,logs,s3,scheduler,"
    "secretsmanager,sns,sqs,sts"
)


def is_running(place: Place) -> bool:
    """Tell whether this clone's stack runs on its port."""
    pid = _pid(place)
    return pid is not None and _is_ministack(pid)


def start(place: Place) -> None:
    """Start MiniStack and wait until it answers.

    Raises:
        Failed: the port is taken, or MiniStack does not start.
    """
    if not is_running(place):
        place.pid_file.unlink(missing_ok=True)
    check_port(place.port)
    shutil.rmtree(place.scratch, ignore_errors=True)
    place.scratch.mkdir(parents=True)
    mend_state(place)
    settings = {
        "GATEWAY_PORT": str(place.port),
        "BIND_HOST": "127.0.0.1",
        # Enforce roles, so that a missing permission fails here and not first on AWS.
        "AUTH": os.environ.get("AUTH", "true"),
        "SERVICES": SERVICES,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(place.state),
        "LAMBDA_EXECUTOR": "local",
        # Keep functions warm: a cold start takes a second, as long as a race.
        "LAMBDA_WARM_TTL_SECONDS": "86400",
        # Otherwise it listens on all interfaces for devices and file transfers.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(place.scratch),
    }
    environment = place.environment(**settings)
    del environment["AWS_ENDPOINT_URL"]  # MiniStack sets it for functions
    with place.log.open("wb") as log:
        child = subprocess.Popen(
            [str(LOCAL / "ministack" / "bin" / "ministack")],
            env=environment,
            cwd=place.home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C must reach only us: we then stop it so that it saves its state.
            start_new_session=True,
        )
    place.pid_file.write_text(str(child.pid))
    try:
        _wait_until_ready(place, child)
    except BaseException:
        stop(place)
        raise


def stop(place: Place) -> bool:
    """Stop MiniStack, which saves its state first; return whether it was running."""
    pid = _pid(place)
    running = pid is not None and _is_ministack(pid)
    if pid is not None and running:
        asked_at = time.time()
        os.kill(pid, signal.SIGTERM)
        while _is_ministack(pid) and time.time() < asked_at + STOP_SECONDS:
            if _has_saved(place, asked_at):
                break
            time.sleep(0.1)
        _kill_group(pid)  # the rest of MiniStack, and its functions
        while _is_ministack(pid):
            time.sleep(0.05)
    place.pid_file.unlink(missing_ok=True)
    shutil.rmtree(place.scratch, ignore_errors=True)
    return running


def _has_saved(place: Place, asked_at: float) -> bool:
    """Tell whether a MiniStack asked to stop has saved what this stack needs.

    It then still waits for every running function, which can take a minute on a busy machine.
    """
    try:
        saved = [(place.state / f"{name}.json").stat().st_mtime for name in SAVED]
    except OSError:
        return False
    return min(saved) >= asked_at and not any(place.state.glob("*.tmp"))


def mend_state(place: Place) -> None:
    """Repair the saved state where MiniStack alone would not continue from it.

    MiniStack saves how far a stream was read, but not the stream: the position would lie beyond
    the end of the new stream, and that many changes would not be read. And messages that a
    function held at the stop would stay hidden for their whole time-out.
    """
    with _saved(place, "lambda") as state:
        state.pop("dynamodb_stream_positions", None)
    with _saved(place, "sqs") as state:
        for queue in state.get("queues", {}).get("data", {}).values():
            for message in queue["messages"]:
                if message["receive_count"]:
                    message["visible_at"] = min(message["visible_at"], time.time() + HELD_SECONDS)
                    message["receive_count"] -= 1


@contextlib.contextmanager
def _saved(place: Place, service: str) -> Iterator[dict[str, Any]]:
    """Open the saved state of a service for changes; an empty one if there is none."""
    file = place.state / f"{service}.json"
    whole = json.loads(file.read_text()) if file.exists() else {}
    yield whole.get("payload", {})
    if whole:
        file.write_text(json.dumps(whole))


def tail(place: Place, lines: int = 12) -> str:
    """Return the end of the log."""
    with contextlib.suppress(OSError):
        return "\n".join(place.log.read_text(errors="replace").splitlines()[-lines:])
    return ""


def _wait_until_ready(place: Place, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    ready = f"{place.endpoint}/_ministack/ready"
    while time.monotonic() < deadline:
        if child.poll() is not None:
            if "already in use" in tail(place):
                raise Failed(port_taken(place.port))
            raise Failed(f"The local AWS did not start; {place.log} says why.")
        with (
            contextlib.suppress(URLError, OSError),
            urllib.request.urlopen(ready, timeout=2) as answer,  # noqa: S310 - our own port
        ):
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise Failed(f"The local AWS did not answer within a minute; {place.log} says why.")


def _pid(place: Place) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(place.pid_file.read_text())
    return None


def _is_ministack(pid: int) -> bool:
    """Tell whether the process runs and is MiniStack, not another one that reuses its number."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    asked = subprocess.run(
        ["ps", "-o", "stat=,args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "ministack" in asked.stdout and not asked.stdout.lstrip().startswith("Z")


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
