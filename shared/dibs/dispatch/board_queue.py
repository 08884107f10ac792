"""What has to be published to boards, over SQS: ids and days only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dibs.game.scoring.score import Day
from dibs.offers.queues import send

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsBoardQueue:
    """The queue of what has to be published; its function waits a second and takes all at once."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._sqs = client
        self._url = queue_url

    def put(self, due: Iterable[Day], entry_ids: Sequence[str]) -> None:
        """Queue reps and days with the entries that lose their mark once these are published.

        Raises:
            RuntimeError: SQS did not accept it; sending it again is harmless.
        """
        send(self._sqs, self._url, [due_body(due, entry_ids)], 0)


def due_body(due: Iterable[Day], entry_ids: Sequence[str]) -> dict[str, Any]:
    """Return what is due as a message: reps by day, and entries."""
    by_day: dict[str, list[str]] = defaultdict(list)
    for rep_id, day in sorted(due):
        by_day[day].append(rep_id)
    return {"reps": dict(by_day), "entries": [*entry_ids]}


def due_from(body: Mapping[str, Any]) -> tuple[set[Day], list[str]]:
    """Return what a message says is due."""
    days = {(rep_id, day) for day, rep_ids in body["reps"].items() for rep_id in rep_ids}
    return days, body["entries"]
