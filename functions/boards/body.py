"""What the sign-in page sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from dibs.web.body import JSON
from dibs.web.http import LARGEST_BODY
from dibs.web.json_body import FORM, form_fields, json_object, named_only

_TO = {"type": "string", "description": "Which page of ours comes after signing in."}


@dataclass(frozen=True)
class SignInForm:
    """The form's field, and the page of ours that comes next."""

    example: ClassVar[Mapping[str, Any]] = {"token": "aaaac.Zm9yIGFuIGV4YW1wbGU"}

    token: str
    to: str = ""
    media: ClassVar[str] = FORM
    largest: ClassVar[int] = LARGEST_BODY

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Return what was filled in.

        Raises:
            InvalidInput: names each field that is not known.
        """
        sent = form_fields(raw, ("token", "to"))
        return cls(sent.get("token", "").strip(), sent.get("to", ""))

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema."""
        token = {"type": "string"}
        return {
            "type": "object",
            "properties": {"token": token, "to": _TO},
            "additionalProperties": False,
        }


@dataclass(frozen=True)
class PhoneIn:
    """The phone number a link is asked for, from an app (JSON) or from the page's form."""

    phone: str
    to: str = ""
    example: ClassVar[Mapping[str, Any]] = {"phone": "+60128880000"}
    media: ClassVar[str] = JSON
    largest: ClassVar[int] = LARGEST_BODY

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Return what was sent; what is no number is answered as one nobody has.

        Raises:
            MalformedBody: it looks like JSON and is none.
            InvalidInput: names each field that is not known.
        """
        if raw.lstrip()[:1] in (b"", b"{", b"["):
            sent: Mapping[str, Any] = json_object(raw)
            named_only(sent, ("phone", "to"))
        else:
            sent = form_fields(raw, ("phone", "to"))
        phone, to = (
            text if isinstance(text, str) else "" for text in (sent.get("phone"), sent.get("to"))
        )
        return cls(phone.strip()[:40], to)

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema."""
        phone = {"type": "string", "description": "With country code, such as +60128880000."}
        return {
            "type": "object",
            "properties": {"phone": phone, "to": _TO},
            "additionalProperties": False,
        }
