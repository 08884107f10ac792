"""Trying again while another transaction is in the way: the one way it is done.

By hand because the claim uses it too: `tenacity` loads asyncio, which a claim would wait for.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from types import TracebackType

from dibs.core.errors import Busy

MOST = 6
"""How often work that somebody waits for is tried."""


class Attempt:
    """One try, used with `with`: it ends quietly where another transaction was in the way.

    Any other error passes, also `Busy` from a store that is slow or throttled: asking that one
    again at once would make it worse.
    """

    at_once = False
    """Set where it is known what stood in the way: the next attempt needs no pause."""

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

    The pauses grow from some hundredths of a second, so that many who meet at one item part.
    """
    attempt = Attempt()
    yield attempt
    for number in range(1, most):
        if not attempt.at_once:
            pause(random.uniform(0.01, 0.05) * number)  # noqa: S311 - jitter, no secret
        attempt = Attempt()
        yield attempt
