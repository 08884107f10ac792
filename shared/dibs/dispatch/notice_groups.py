"""How many reps are told of a lead at once, and when the next ones are (N6).

It is about messages only: whoever may claim finds the lead in their list, and may claim it, from
the instant it opens. Who is in the first group is drawn for each lead, so nobody is first more
often than chance has it. Once a rep has claimed the lead, the groups to come are not told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta

from dibs.offers.ports import BATCH_SIZE, NotifyBatch
from dibs.rules.rules import Notices

_LONGEST_DELAY = 900  # SQS keeps a message back for no longer


def groups(
    batches: Sequence[NotifyBatch], rules: Notices
) -> Iterator[tuple[int, Sequence[NotifyBatch]]]:
    """Yield which batches go together, and how many seconds they are kept back."""
    size = rules.at_once // BATCH_SIZE
    for number, start in enumerate(range(0, len(batches), size)):
        delay = min(_LONGEST_DELAY, number * rules.every_seconds)
        yield delay, batches[start : start + size]


def last_group_after(reps: int, rules: Notices) -> timedelta:
    """Return how long after the first group the last one of so many reps is told."""
    size = rules.at_once // BATCH_SIZE
    more = max(0, math.ceil(math.ceil(reps / BATCH_SIZE) / size) - 1)
    return timedelta(seconds=min(_LONGEST_DELAY, more * rules.every_seconds))
