"""A text in Secrets Manager, with the one before it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from dibs.aws.clients import secrets


def secret_text(secret_id: str) -> tuple[str, datetime]:
    """Return a secret's text and since when it has it."""
    found = secrets().get_secret_value(SecretId=secret_id)
    return str(found["SecretString"]), found["CreatedDate"]


def previous_text(secret_id: str) -> str:
    """Return the text before it; empty if there was none."""
    client = secrets()
    with suppress(client.exceptions.ResourceNotFoundException):
        found = client.get_secret_value(SecretId=secret_id, VersionStage="AWSPREVIOUS")
        return str(found["SecretString"])
    return ""


def put_secret_text(secret_id: str, text: str) -> None:
    """Store another text; the last one becomes the one before."""
    secrets().put_secret_value(SecretId=secret_id, SecretString=text)
