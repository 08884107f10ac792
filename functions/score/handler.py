"""The ledger's stream: entries become totals and points; a slipped deal is told.

What follows for boards and badges is left to `publish`.
"""

from __future__ import annotations

from typing import Any

from dibs.aws.observability import logger
from dibs.dispatch.heal import count_entries
from dibs.ledger.store import entry_from
from dibs.web.entry import function
from dibs.wiring import wiring


def work(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Count a batch of entries, all or again: what was counted counts no second time."""
    del context
    images = [record["dynamodb"].get("NewImage") for record in event["Records"]]
    entries = [entry_from(image) for image in images if image]
    counted = count_entries(wiring().count_deps, entries)
    if entries:
        wiring().board_queue.put(counted.due, [entry.entry_id for entry in entries])
    logger.info("entries scored", entries=len(entries), units=counted.changed)
    return {"batchItemFailures": []}


handler = function(
    work,
    lambda: (
        wiring().score_deps.playbooks.in_force(),
        wiring().managers,
        wiring().board_queue,
    ),
)
