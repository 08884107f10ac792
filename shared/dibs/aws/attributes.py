"""How values are stored: PynamoDB attributes for moments, days and lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from pynamodb.attributes import (
    Attribute,
)
from pynamodb.constants import LIST, NUMBER, STRING

from dibs.aws.clock import from_ms, to_ms

Item = dict[str, dict[str, Any]]
"""An item in DynamoDB's own form: attribute name to typed value."""


class InstantAttribute(Attribute[datetime]):
    """A UTC moment, stored as milliseconds since 1970."""

    attr_type = NUMBER

    def serialize(self, value: datetime) -> str:
        return str(to_ms(value))

    def deserialize(self, value: str) -> datetime:
        return from_ms(int(value))


class DayAttribute(Attribute[date]):
    """A calendar day, stored as YYYY-MM-DD."""

    attr_type = STRING

    def serialize(self, value: date) -> str:
        return value.isoformat()

    def deserialize(self, value: str) -> date:
        return date.fromisoformat(value)


class DaysAttribute(Attribute[tuple[date, ...]]):
    """Calendar days in order, as YYYY-MM-DD, in one string."""

    attr_type = STRING

    def serialize(self, value: tuple[date, ...]) -> str:
        return days_text(value)

    def deserialize(self, value: str) -> tuple[date, ...]:
        return tuple(date.fromisoformat(day) for day in value.split())


class ListAttribute(Attribute[tuple[str, ...]]):
    """Short words in order, stored as one string; none of ours holds a space."""

    attr_type = STRING

    def serialize(self, value: tuple[str, ...]) -> str:
        return " ".join(value)

    def deserialize(self, value: str) -> tuple[str, ...]:
        return tuple(value.split())


class LinesAttribute(Attribute[tuple[str, ...]]):
    """Names in order, one a line; ours are printable, so none holds a line's end."""

    attr_type = STRING

    def serialize(self, value: tuple[str, ...]) -> str:
        return "\n".join(value)

    def deserialize(self, value: str) -> tuple[str, ...]:
        return tuple(value.split("\n"))


class InstantsAttribute(Attribute[tuple[datetime, ...]]):
    """Moments as a list of milliseconds, so that one can be added without reading the others."""

    attr_type = LIST

    def serialize(self, value: tuple[datetime, ...]) -> list[dict[str, str]]:
        return [{"N": str(to_ms(at))} for at in value]

    def deserialize(self, value: list[dict[str, str]]) -> tuple[datetime, ...]:
        return tuple(from_ms(int(at["N"])) for at in value)


def days_text(days: Iterable[date]) -> str:
    """Return calendar days as they are stored."""
    return " ".join(day.isoformat() for day in days)
