"""What the sign-in page sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs

from dibs.web.body import JSON, json_object, named_only
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


@dataclass(frozen=True)
class PhoneIn:
    """The phone number a link is asked for, from an app (JSON) or from the page's form."""

    phone: str
    example: ClassVar[Mapping[str, Any]] = {"phone": "+60128880000"}
    media: ClassVar[str] = JSON
    largest: ClassVar[int] = LARGEST_BODY

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Return what was sent; what is no number is answered as one nobody has.

        Raises:
            MalformedBody: it looks like JSON and is none.
            InvalidInput: names each field of the JSON that is not known.
        """
        if raw.lstrip()[:1] in (b"", b"{", b"["):
            body = json_object(raw)
            named_only(body, ("phone",))
            sent: Any = body.get("phone")
        else:
            sent = parse_qs(raw.decode(errors="replace")).get("phone", [""])[0]
        return cls(sent.strip()[:40] if isinstance(sent, str) else "")

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema."""
        phone = {"type": "string", "description": "With country code, such as +60128880000."}
        return {
            "type": "object",
            "properties": {"phone": phone},
            "additionalProperties": False,
        }
