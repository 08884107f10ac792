"""The leads table's stream: what was written becomes known on the bus (outbox)."""

from __future__ import annotations

from typing import Any

from dibs.dispatch.sweep import relay
from dibs.intake.store import pending_from
from dibs.web.entry import function
from dibs.wiring import wiring


def work(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Publish the events of a batch and take them out of the outbox; in order, all or again."""
    del context
    images = [record["dynamodb"].get("NewImage", {}) for record in event["Records"]]
    waiting = [pending_from(image) for image in images if "outbox_at" in image]
    # A mark that only says "not in the ledger yet" is no event to send.
    relay([one for one in waiting if not one.published], wiring().leads, wiring().bus)
    return {"batchItemFailures": []}


handler = function(work, lambda: (wiring().bus, wiring().leads))
