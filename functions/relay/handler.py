"""The leads table's stream: what was written becomes known on the bus (outbox)."""

from __future__ import annotations

from typing import Any

from dibs import wiring
from dibs.adapters.entry import WARM
from dibs.adapters.leads import pending_from
from dibs.adapters.observability import observed
from dibs.usecases.sweep import relay


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | str:
    """Publish the facts of a batch and take them out of the outbox; in order, all or again."""
    del context
    if event == WARM:
        wiring.bus()
        wiring.leads()
        return "warm"
    images = [record["dynamodb"].get("NewImage", {}) for record in event["Records"]]
    waiting = [pending_from(image) for image in images if "outbox_at" in image]
    relay(waiting, wiring.leads(), wiring.bus())
    return {"batchItemFailures": []}
