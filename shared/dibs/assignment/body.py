"""Reasons as they are sent."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from dibs.assignment.work import LONGEST_REASON, reason_of
from dibs.core.errors import InvalidInput


def _reason(value: object) -> str:
    try:
        return reason_of(value)
    except InvalidInput as wrong:
        raise PydanticCustomError("reason", "{how}", {"how": wrong.errors[0].problem}) from wrong


Reason = Annotated[str, Field(min_length=1, max_length=LONGEST_REASON), BeforeValidator(_reason)]
"""Why a person does something, in one line."""
