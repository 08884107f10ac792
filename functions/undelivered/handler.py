"""Pushes a platform refused after SNS took them: the device is switched off, texts follow."""

from __future__ import annotations

from typing import Any

from dibs.aws.observability import count, logger
from dibs.offers.notify import push_failed
from dibs.web.entry import Arrival, messages
from dibs.wiring import wiring


def work(body: dict[str, Any], arrival: Arrival) -> None:
    """Follow one `DeliveryFailure` event of an SNS platform application."""
    del arrival
    if body.get("EventType") != "DeliveryFailure":
        return
    endpoint = str(body["EndpointArn"])
    rep_id = wiring().push.owner_of(endpoint)
    logger.info("push undelivered", rep_id=rep_id, failure=body.get("FailureType"))
    count("PushUndelivered")
    if rep_id is not None:
        push_failed(rep_id, endpoint, wiring().race, wiring().roster, wiring().notify_queue)


def warm() -> object:
    """Make what the first event would wait for."""
    mine = wiring()
    return mine.push, mine.race, mine.roster, mine.notify_queue


handler = messages(work, warm)
