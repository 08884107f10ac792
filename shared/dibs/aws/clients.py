"""AWS clients, each built here once per process.

The DynamoDB client is in `dynamo.py`, so that the claim function loads no other library.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

PUBLISH_SECONDS = 4
PUBLISH_TRIES = 2
"""How long one try to publish waits for SNS, and how many the client makes."""

PUBLISHERS = 32
"""How many messages one notify run publishes in parallel. The connection pool holds as many."""


def _config(read_seconds: int = 5, attempts: int = 3) -> Config:
    # Tests cover our requests. Validating them again costs a fifth of a publish's processor time,
    # which decides how far apart the reps of a wave are notified (N6).
    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=2,
        read_timeout=read_seconds,
        max_pool_connections=PUBLISHERS + 8,
        parameter_validation=False,
    )


@lru_cache(maxsize=1)
def sns() -> SNSClient:
    """Return the SNS client.

    One publish that hangs must not outlast a run of notify (template.yaml): with the try of
    `publisher.py` before it, it takes at most twelve seconds.
    """
    client: SNSClient = boto3.client("sns", config=_config(PUBLISH_SECONDS, attempts=PUBLISH_TRIES))
    return client


@lru_cache(maxsize=1)
def sqs() -> SQSClient:
    """Return the SQS client."""
    client: SQSClient = boto3.client("sqs", config=_config())
    return client


@lru_cache(maxsize=1)
def secrets() -> SecretsManagerClient:
    """Return the Secrets Manager client."""
    client: SecretsManagerClient = boto3.client("secretsmanager", config=_config())
    return client
