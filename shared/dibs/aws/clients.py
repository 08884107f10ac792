"""AWS clients, each built here once per process.

boto3 is loaded only where it is used: a claim does without it (docs/decisions/0089).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dibs.core.errors import NotConfigured

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from dibs.aws.publisher import Publisher

OWN, BOTO3 = "own", "boto3"
"""What the setting AWS_CLIENT may say: which library speaks to DynamoDB, and publishes to SNS."""

CONNECT_SECONDS = 2
PUBLISH_CONNECT_SECONDS = 1
PUBLISH_SECONDS = 3
PUBLISH_TRIES = 3
"""How long one try to publish waits for a connection and for the answer, and how many there are."""

PUBLISHERS = 50
"""How many messages one notify run publishes at once: a batch of reps with a phone each."""

_TRIES = 3


def dynamodb(library: str = BOTO3, timeout_seconds: float = 10) -> Any:
    """Return a DynamoDB client of one library: functions say which, a command uses boto3.

    Three tries in all and short time-outs: a claim may not hang on a throttle (C3: 503).
    """
    if _is_own(library):
        from dibs.aws.wire import DynamoClient, Wire

        return DynamoClient(
            Wire(
                "dynamodb",
                connect_seconds=timeout_seconds / 2,
                read_seconds=timeout_seconds,
                tries=_TRIES,
            )
        )
    import boto3

    config = _config(timeout_seconds, _TRIES, timeout_seconds / 2, connections=64)
    return boto3.client("dynamodb", config=config)


def publisher(library: str) -> Publisher:
    """Return what publishes pushes.

    One publish that hangs must not outlast a run of notify (template.yaml).
    """
    from dibs.aws.publisher import Boto3Publisher, OwnPublisher

    if not _is_own(library):
        return Boto3Publisher(sns(), PUBLISHERS)
    from dibs.aws.wire import Wire

    return OwnPublisher(
        Wire(
            "sns",
            connect_seconds=PUBLISH_CONNECT_SECONDS,
            read_seconds=PUBLISH_SECONDS,
            tries=PUBLISH_TRIES,
            connections=PUBLISHERS,
        ),
        PUBLISHERS,
    )


def _is_own(library: str) -> bool:
    if library not in (OWN, BOTO3):
        raise NotConfigured(f"AWS_CLIENT is {OWN} or {BOTO3}, not {library!r}.")
    return library == OWN


def _config(
    read_seconds: float = 5,
    attempts: int = _TRIES,
    connect_seconds: float = CONNECT_SECONDS,
    connections: int = PUBLISHERS + 8,
) -> Config:
    from botocore.config import Config

    # Tests cover our requests. Validating them again costs a fifth of a request's processor time.
    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=connect_seconds,
        read_timeout=read_seconds,
        max_pool_connections=connections,
        parameter_validation=False,
    )


@lru_cache(maxsize=1)
def sns() -> SNSClient:
    """Return the SNS client."""
    import boto3

    config = _config(PUBLISH_SECONDS, PUBLISH_TRIES, PUBLISH_CONNECT_SECONDS)
    client: SNSClient = boto3.client("sns", config=config)
    return client


@lru_cache(maxsize=1)
def sqs() -> SQSClient:
    """Return the SQS client."""
    import boto3

    client: SQSClient = boto3.client("sqs", config=_config())
    return client


@lru_cache(maxsize=1)
def secrets() -> SecretsManagerClient:
    """Return the Secrets Manager client."""
    import boto3

    client: SecretsManagerClient = boto3.client("secretsmanager", config=_config())
    return client
