"""Events over SNS; batches of notices and timers over SQS."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dibs.aws.clock import from_ms, to_ms
from dibs.core.events import LeadEvent
from dibs.core.lead import Lead
from dibs.core.ports import Bus, Timers
from dibs.offers.ports import MARKED, BatchMarks, NotifyBatch, NotifyQueue

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

_BATCH = 10
_LONGEST_DELAY = 900


class SnsBus(Bus):
    """`Bus` on SNS: one topic, to which each consumer's queue subscribes."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._sns = client
        self._topic = topic_arn

    def publish(self, events: Sequence[LeadEvent]) -> None:
        """Publish events, ten a request.

        Raises:
            RuntimeError: some were not accepted; publishing all again is harmless.
        """
        for start in range(0, len(events), _BATCH):
            answer = self._sns.publish_batch(
                TopicArn=self._topic,
                PublishBatchRequestEntries=[
                    {
                        "Id": str(number),
                        "Message": json.dumps(asdict(event)),
                        "MessageAttributes": {
                            "kind": {"DataType": "String", "StringValue": event.kind}
                        },
                    }
                    for number, event in enumerate(events[start : start + _BATCH])
                ],
            )
            if answer.get("Failed"):
                raise RuntimeError(f"{len(answer['Failed'])} events were not accepted")


class SqsNotifyQueue(NotifyQueue):
    """`NotifyQueue` on SQS. A batch whose kind is `MARKED` bears a mark before it is queued."""

    def __init__(
        self,
        client: SQSClient,
        queue_url: str,
        marks: BatchMarks,
        clock: Callable[[], datetime],
    ) -> None:
        self._sqs = client
        self._url = queue_url
        self._marks = marks
        self._clock = clock

    def put(self, batches: Sequence[NotifyBatch], delay_seconds: int = 0) -> None:
        """Queue batches, ten a request."""
        marked = [batch for batch in batches if batch.kind in MARKED]
        if marked:
            self._marks.mark(marked, self._clock() + timedelta(seconds=delay_seconds))
        send(self._sqs, self._url, [batch_body(batch) for batch in batches], delay_seconds)


class SqsTimers(Timers):
    """`Timers` on SQS: delayed messages to the offer queue, re-sent until due."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._sqs = client
        self._url = queue_url

    def wake_at(self, lead: Lead, moment: datetime, now: datetime, kind: str = "lead.due") -> None:
        """Wake the offer step at `moment`, or in 15 minutes to wait again (SQS's longest delay)."""
        left = -(-(to_ms(moment) - to_ms(now)) // 1000)
        self._send({"kind": kind, "lead_id": lead.lead_id, "epoch": lead.epoch}, left)

    def check(self, kind: str, lead: Lead | None = None, rep_id: str | None = None) -> None:
        """Request a check of one lead (`lead.check`) or rep (`rep.check`), of all open leads or of
        the queue."""
        about = {} if lead is None else {"lead_id": lead.lead_id, "epoch": lead.epoch}
        named = {} if rep_id is None else {"rep_id": rep_id}
        self._send({"kind": kind, **about, **named}, 0)

    def _send(self, body: dict[str, Any], seconds: int) -> None:
        send(self._sqs, self._url, [body], min(_LONGEST_DELAY, max(0, seconds)))


def send(
    client: SQSClient, queue_url: str, bodies: Sequence[dict[str, Any]], delay_seconds: int
) -> None:
    """Send messages, ten a request.

    Raises:
        RuntimeError: some were not accepted; sending all again is harmless.
    """
    for start in range(0, len(bodies), _BATCH):
        answer = client.send_message_batch(
            QueueUrl=queue_url,
            Entries=[
                {"Id": str(n), "MessageBody": json.dumps(body), "DelaySeconds": delay_seconds}
                for n, body in enumerate(bodies[start : start + _BATCH])
            ],
        )
        if answer.get("Failed"):
            raise RuntimeError(f"{len(answer['Failed'])} messages were not accepted")


def batch_body(batch: NotifyBatch) -> dict[str, Any]:
    """Return a batch as its message: ids only, no personal data."""
    start = None if batch.notify_at is None else to_ms(batch.notify_at)
    return {**asdict(batch), "notify_at": start}


def batch_from(body: dict[str, Any]) -> NotifyBatch:
    """Return the batch a message holds."""
    start = body["notify_at"]
    return NotifyBatch(
        kind=body["kind"],
        lead_id=body["lead_id"],
        epoch=body["epoch"],
        rep_ids=tuple(body["rep_ids"]),
        notify_at=None if start is None else from_ms(start),
        # Not in messages of earlier versions.
        members=body.get("members", 0),
        first=body.get("first", False),
    )
