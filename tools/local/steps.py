"""Show a long step: a line that names it, and that it is still running."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(highlight=False, soft_wrap=True)
HEARTBEAT_SECONDS = 5.0


@contextmanager
def step(doing: str, done: str) -> Iterator[None]:
    """Print `doing` with the seconds while the block runs, then `done`.

    On a terminal one line is updated; in a log a line is added every few seconds.
    """
    started = time.monotonic()
    finished = threading.Event()
    status = console.status(doing)

    def beat() -> None:
        pause = 1.0 if console.is_terminal else HEARTBEAT_SECONDS
        while not finished.wait(pause):
            seconds = f"{time.monotonic() - started:.0f} s"
            if console.is_terminal:
                status.update(f"{doing} ({seconds})")
            else:
                console.print(f"  still {doing[0].lower()}{doing[1:]} ({seconds})")

    if console.is_terminal:
        status.start()
    else:
        console.print(f"{doing} ...")
    ticking = threading.Thread(target=beat, daemon=True)
    ticking.start()
    try:
        yield
    finally:
        finished.set()
        ticking.join()
        status.stop()
    console.print(f"[green]✓[/] {done} [dim]({time.monotonic() - started:.0f} s)[/]")
