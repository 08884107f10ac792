"""What people say of a race in their own words: a dispute, and its answer (C9)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from dibs.core.errors import FieldError, InvalidInput
from dibs.web.body import otherwise

LONGEST_WORDS = 500
_HOW = f"say why, in up to {LONGEST_WORDS} letters"


def own_words(value: object) -> str | None:
    """Return a text without blanks around it; None where it has what is no letter."""
    text = value.strip() if isinstance(value, str) else ""
    shows = all(letter.isprintable() or letter in "\r\n\t" for letter in text)
    return text if shows else None


def checked_words(value: str, field: str) -> str:
    """Return a text that may be kept.

    Raises:
        InvalidInput: it is empty, too long, or has what is no letter.
    """
    text = own_words(value)
    if not text or len(text) > LONGEST_WORDS:
        raise InvalidInput((FieldError(field, _HOW),))
    return text


def _read(value: object) -> str:
    text = own_words(value)
    if text is None:
        raise PydanticCustomError("own_words", "{how}", {"how": _HOW})
    return text


InOwnWords = Annotated[
    str, Field(min_length=1, max_length=LONGEST_WORDS), BeforeValidator(_read), otherwise(_HOW)
]
