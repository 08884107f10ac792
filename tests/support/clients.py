"""The clients that functions may use, our own and boto3's, asking a server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dibs.aws.clients import BOTO3, OWN, dynamodb

# More patience than a function has: the server shares this machine with everything else.
PATIENCE_SECONDS = 30

over_both = pytest.mark.parametrize("local_world", [OWN, BOTO3], indirect=True)
"""For races: what each client makes of two transactions that meet is its own code."""


@contextmanager
def dynamodb_at(endpoint: str, library: str = OWN) -> Iterator[Any]:
    """A DynamoDB client of an endpoint, made as a function makes it; closed in the end."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        client = dynamodb(library, PATIENCE_SECONDS)
    try:
        yield client
    finally:
        (client.wire if library == OWN else client).close()
