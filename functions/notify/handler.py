"""Batches of up to 50 reps: offers out, texts to those who have not looked, withdrawals."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

from dibs.offers.notify import TEXTS_ONLY, notify
from dibs.offers.ports import MARKED, NotifyBatch
from dibs.offers.queues import batch_from
from dibs.web.entry import Arrival, messages
from dibs.wiring import wiring

_ONE_DAY_SECONDS = 86_400


@lru_cache(maxsize=1)
def _done() -> DynamoDBPersistenceLayer:
    return DynamoDBPersistenceLayer(
        wiring().settings.once_table, boto3_client=wiring().boto3_dynamodb
    )


def work(body: dict[str, Any], arrival: Arrival) -> None:
    """Do one batch once, also when its message is delivered twice at the same time (C4).

    A run that died holds its batch until its time-out; then the next delivery takes over, and
    goes on with the reps that have no record yet.
    """
    batch = batch_from(body)
    if batch.kind in TEXTS_ONLY:
        notify(batch, wiring().notify_deps)
        return
    config = IdempotencyConfig(
        expires_after_seconds=_ONE_DAY_SECONDS, lambda_context=arrival.context
    )

    # Its name is part of the stored key: renamed, it would do again what was done before.
    def once(*, name: str, batch: NotifyBatch) -> None:
        del name
        notify(batch, wiring().notify_deps)

    run = idempotent_function(
        once, data_keyword_argument="name", persistence_store=_done(), config=config
    )
    run(name=batch.name, batch=batch)
    if batch.kind in MARKED:
        wiring().offers.unmark(batch)


def warm() -> None:
    """Make what the first batch would wait for."""
    _done()
    wiring().notify_deps.roster.playbook()


handler = messages(work, warm)
