"""How values are stored: PynamoDB attributes for words, numbers, moments, days and lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from pynamodb.attributes import Attribute
from pynamodb.constants import LIST, NUMBER, STRING, STRING_SET

from dibs.aws.clock import from_ms, to_ms

Item = dict[str, dict[str, Any]]
"""An item in DynamoDB's own form: attribute name to typed value."""

E = TypeVar("E", bound=StrEnum)


class KeyAttribute(Attribute[str]):
    """An id that is stored as a key, made by one of the functions in `keys.py`."""

    attr_type = STRING

    def __init__(self, key: Callable[[str], str], **options: Any) -> None:
        super().__init__(**options)
        self._key, self._start = key, key("")

    def serialize(self, value: str) -> str:
        return self._key(value)

    def deserialize(self, value: str) -> str:
        return value.removeprefix(self._start)


class EnumAttribute(Attribute[E]):
    """One word of a few."""

    attr_type = STRING

    def __init__(self, of: type[E], **options: Any) -> None:
        super().__init__(**options)
        self._of = of

    def serialize(self, value: E) -> str:
        return value.value

    def deserialize(self, value: str) -> E:
        return self._of(value)


class IntegerAttribute(Attribute[int]):
    """A whole number."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        return str(value)

    def deserialize(self, value: str) -> int:
        return int(value)


class CountAttribute(IntegerAttribute):
    """A count that may be taken off too often: below 0 it is read as 0."""

    def deserialize(self, value: str) -> int:
        return max(0, int(value))


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


class WordsAttribute(Attribute[tuple[str, ...]]):
    """Short words in order, stored as one string; none of ours holds a space."""

    attr_type = STRING

    def __init__(self, of: type[str] = str, **options: Any) -> None:
        super().__init__(**options)
        self._of = of

    def serialize(self, value: tuple[str, ...]) -> str:
        return " ".join(value)

    def deserialize(self, value: str) -> tuple[str, ...]:
        return tuple(map(self._of, value.split()))


class WordSetAttribute(Attribute[frozenset[str]]):
    """Words without order, each once: two writers can add to it at the same time."""

    attr_type = STRING_SET

    def serialize(self, value: frozenset[str]) -> list[str]:
        return sorted(value)

    def deserialize(self, value: list[str]) -> frozenset[str]:
        return frozenset(value)


class LinesAttribute(Attribute[tuple[str, ...]]):
    """Names in order, one a line; ours are printable, so none holds a line's end."""

    attr_type = STRING

    def serialize(self, value: tuple[str, ...]) -> str:
        return "\n".join(value)

    def deserialize(self, value: str) -> tuple[str, ...]:
        return tuple(value.split("\n"))


class SkillsAttribute(Attribute[tuple[tuple[str, int], ...]]):
    """Skills and their levels, `solar:2` one a line."""

    attr_type = STRING

    def serialize(self, value: tuple[tuple[str, int], ...]) -> str:
        return "\n".join(f"{name}:{level}" for name, level in value)

    def deserialize(self, value: str) -> tuple[tuple[str, int], ...]:
        pairs = (line.rpartition(":") for line in value.split("\n") if line)
        return tuple((name, int(level)) for name, _, level in pairs)


class TextsAttribute(Attribute[tuple[str, ...]]):
    """Any texts in order, as a list."""

    attr_type = LIST

    def serialize(self, value: tuple[str, ...]) -> list[dict[str, str]]:
        return [{STRING: text} for text in value]

    def deserialize(self, value: list[dict[str, str]]) -> tuple[str, ...]:
        return tuple(text[STRING] for text in value)


class InstantsAttribute(Attribute[tuple[datetime, ...]]):
    """Moments as a list of milliseconds, so that one can be added without reading the others."""

    attr_type = LIST

    def serialize(self, value: tuple[datetime, ...]) -> list[dict[str, str]]:
        return [{NUMBER: str(to_ms(at))} for at in value]

    def deserialize(self, value: list[dict[str, str]]) -> tuple[datetime, ...]:
        return tuple(from_ms(int(at[NUMBER])) for at in value)


def days_text(days: Iterable[date]) -> str:
    """Return calendar days as they are stored."""
    return " ".join(day.isoformat() for day in days)
