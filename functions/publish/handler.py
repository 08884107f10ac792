"""What was counted is published to boards and badges, for many batches of entries at once."""

from __future__ import annotations

import json
from typing import Any

from dibs.aws.observability import logger
from dibs.dispatch.board_queue import due_from
from dibs.dispatch.heal import publish_entries
from dibs.web.entry import function
from dibs.wiring import wiring


def work(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Publish what some messages say is due, all or again: twice changes nothing."""
    del context
    messages = [due_from(json.loads(record["body"])) for record in event["Records"]]
    due = {day for days, _ in messages for day in days}
    entry_ids = sorted({entry_id for _, ids in messages for entry_id in ids})
    publish_entries(wiring().count_deps, due, entry_ids)
    logger.info("boards published", messages=len(messages), days=len(due), entries=len(entry_ids))
    return {"batchItemFailures": []}


handler = function(work, lambda: (wiring().score_deps.playbooks.in_force(), wiring().ledger))
