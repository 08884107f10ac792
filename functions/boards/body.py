"""What the sign-in page sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs

from dibs.web.http import LARGEST_BODY


@dataclass(frozen=True)
class SignInForm:
    """The form's one field."""

    example: ClassVar[Mapping[str, Any]] = {"token": "aaaac.Zm9yIGFuIGV4YW1wbGU"}

    token: str
    media: ClassVar[str] = "application/x-www-form-urlencoded"
    largest: ClassVar[int] = LARGEST_BODY

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Return what was filled in, whatever else there is."""
        sent = parse_qs(raw.decode(errors="replace"))
        return cls(sent.get("token", [""])[0].strip())

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema."""
        return {"type": "object", "properties": {"token": {"type": "string"}}}
