"""The stack a command works on: one on AWS (`--stack`), or the local one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Annotated, Any

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError

from dibs.aws import clock
from dibs.aws.clients import dynamodb
from dibs.aws.dynamo import Dynamo
from dibs.aws.settings import Settings, logical_id
from dibs.cli import local_stack
from dibs.core.errors import NotConfigured
from dibs.roster import trail
from dibs.roster.trail import Note
from dibs.wiring import Wiring

Stack = Annotated[
    str,
    typer.Option("--stack", envvar="DIBS_STACK", help="A stack on AWS; the local one if left out."),
]


@dataclass(frozen=True)
class Target:
    """A deployed stack: its settings, and the URL of its API."""

    settings: Settings
    api_url: str

    @cached_property
    def stores(self) -> Wiring:
        """All stores of this stack; the client waits longer for AWS than in a function."""
        return Wiring(self.settings, Dynamo(dynamodb()))


def target(stack: str) -> Target:
    """Return the stack a command works on.

    Raises:
        NotConfigured: the stack cannot be reached; the message says what to do.
    """
    if stack:
        found = settings_of(stack)
        return Target(found, found.public_url)
    # The stack started last, unless DIBS_PORT names another.
    port = os.environ.get("DIBS_PORT", "")
    try:
        known = local_stack.described(local_stack.description(int(port) if port else None))
    except (OSError, ValueError) as error:
        raise NotConfigured(
            "No local stack is running: start one with 'make up', or name one on AWS with --stack."
        ) from error
    local_stack.enter(known["aws_endpoint_url"])
    return Target(settings_of(local_stack.STACK), known["api_url"])


def operator() -> str:
    """Return who is named in the audit trail for what a command does: the operator's AWS user."""
    try:
        arn: str = boto3.client("sts").get_caller_identity()["Arn"]
    except (ClientError, BotoCoreError):
        arn = ""
    user = arn.rpartition(":")[2].partition("/")[2] or "root"
    return f"operator ({user})"


def noting(
    stores: Wiring,
    what: str,
    about: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AbstractContextManager[Note]:
    """Note in the audit trail what a command changes, around the change."""
    return trail.noting(stores.audit_log, operator(), what, about, clock.now(), before, after)


def settings_of(stack: str) -> Settings:
    """Return a stack's settings, from its outputs.

    Raises:
        NotConfigured: there is no such stack, or it cannot be reached.
    """
    try:
        described: Any = boto3.client("cloudformation").describe_stacks(StackName=stack)
    except (ClientError, BotoCoreError) as error:
        raise NotConfigured(f"The stack {stack!r} cannot be reached: {error}") from error
    outputs = {o["OutputKey"]: o["OutputValue"] for o in described["Stacks"][0]["Outputs"]}
    named = {field.name: output_of(field.name) for field in fields(Settings)}
    return Settings(
        **{field: outputs[output] for field, output in named.items() if output in outputs}
    )


def output_of(field: str) -> str:
    """Return the output of template.yaml that holds a setting."""
    return "Url" if field == "public_url" else logical_id(field)
