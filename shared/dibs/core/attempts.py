"""Retry while another transaction holds an item. All retries in the product use this.

No retry library: `tenacity` loads asyncio, and the claim function would wait for that.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from types import TracebackType

from dibs.core.errors import Busy

MOST = 6
"""How many attempts are made while a person waits for the answer."""


class Attempt:
    """One try, used with `with`. It swallows `Busy` when another transaction was in the way.

    Every other error passes, also `Busy` from a slow or throttled store: retrying that at once
    would make it worse.
    """

    at_once = False
    """Set when the caller has read the current state already: the next attempt needs no pause."""

    def __enter__(self) -> Attempt:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        return isinstance(error, Busy) and error.conflict


def attempts(most: int = MOST, pause: Callable[[float], None] = time.sleep) -> Iterator[Attempt]:
    """Yield up to `most` attempts, with a random pause before each but the first.

    The pauses grow from 10 to 50 ms, so that callers who collide at one item spread out.
    """
    attempt = Attempt()
    yield attempt
    for number in range(1, most):
        if not attempt.at_once:
            pause(random.uniform(0.01, 0.05) * number)  # noqa: S311 - jitter, no secret
        attempt = Attempt()
        yield attempt
