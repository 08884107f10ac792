"""A lead as it comes in: signature, size, shape, and what is kept although it cannot be right."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import phonenumbers
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from standardwebhooks import Webhook, WebhookVerificationError

from dibs.core.errors import BodyTooLarge, FieldError, InvalidInput, MalformedBody, Unauthorized
from dibs.core.lead import Card

LARGEST_BODY = 64 * 1024
_DEEPEST = 20
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

Shape = TypeVar("Shape", bound=BaseModel)

Word = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


def _number_in_words(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _yes_or_no_in_words(value: object) -> object:
    return ("yes" if value else "no") if isinstance(value, bool) else value


class LeadIn(BaseModel):
    """The body of `POST /leads`. Unknown fields are ignored: sources send what they like."""

    model_config = ConfigDict(strict=True, extra="ignore")

    source: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
    external_id: Id
    company: Name
    company_size: Annotated[Word, BeforeValidator(_number_in_words)] = ""
    contact_name: Line = ""
    contact_title: Line = ""
    contact_email: Line = ""
    contact_phone: Line = ""
    score: Annotated[int, Field(ge=0, le=100)] | None = None
    territory: Word = ""
    segment: Word = ""
    product: Word = ""
    team: Word = ""
    needs: Annotated[list[Word], Field(max_length=20)] = []
    language: Word = ""
    consent: Annotated[Line, BeforeValidator(_yes_or_no_in_words)] = ""
    do_not_call: bool = False
    test: bool = False


def verify(body: bytes, headers: Mapping[str, str], secret: str) -> datetime:
    """Check the Standard Webhooks signature over the raw body; return when it was signed.

    Raises:
        MalformedBody: the body is no text, so nobody can have signed it.
        Unauthorized: unsigned, wrongly signed, or signed more than five minutes from now.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise MalformedBody from error
    try:
        Webhook(secret).verify(text, dict(headers), json_parse=False)
        return datetime.fromtimestamp(float(headers["webhook-timestamp"]), UTC)
    except (WebhookVerificationError, ValueError, KeyError, OverflowError) as error:
        raise Unauthorized(
            "The webhook signature is missing, wrong, or more than five minutes old."
        ) from error


def raw_body(event: Mapping[str, Any], largest: int = LARGEST_BODY) -> bytes:
    """Return the bytes that were sent, however API Gateway wrapped them.

    Raises:
        BodyTooLarge: more than `largest` bytes, 64 KB unless told.
    """
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    if len(raw) > largest:
        raise BodyTooLarge
    return raw


def parse_json(raw: bytes, mapping: Callable[[list[tuple[str, Any]]], Any] = dict) -> Any:
    """Return what a JSON body says; `mapping` makes its objects of their names and values.

    Raises:
        MalformedBody: not JSON, not UTF-8, or nested deeper than anything real.
    """
    try:
        data = json.loads(raw, object_pairs_hook=mapping, parse_constant=_no_constants)
    except (ValueError, RecursionError) as error:
        raise MalformedBody from error
    if _depth(data) > _DEEPEST:
        raise MalformedBody
    return data


def json_object(raw: bytes) -> dict[str, Any]:
    """Return the object a JSON body is, an empty one where nothing was sent.

    Raises:
        MalformedBody: the body is not JSON.
        InvalidInput: it is JSON, but no object.
    """
    data = parse_json(raw or b"{}")
    if not isinstance(data, dict):
        raise InvalidInput((FieldError("body", "send a JSON object"),))
    return data


def card_from_body(raw: bytes) -> Card:
    """Return the lead a body describes; an unusable phone or e-mail is kept and flagged.

    Raises:
        MalformedBody: the body is no JSON object.
        InvalidInput: names every field that is wrong.
    """
    data = parse_json(raw)
    if not isinstance(data, dict):
        raise MalformedBody("The body must be a JSON object.")
    lead = checked(LeadIn, data)
    phone, phone_flags = usable_phone(lead.contact_phone)
    email_flags = (
        ("email_unusable",)
        if lead.contact_email and not _EMAIL.fullmatch(lead.contact_email)
        else ()
    )
    return Card(
        lead_id="",
        **{**lead.model_dump(), "needs": tuple(lead.needs), "contact_phone": phone},
        flags=(*phone_flags, *email_flags),
    )


def checked(shape: type[Shape], data: Mapping[str, Any]) -> Shape:
    """Return what was sent in its shape.

    Fields the shape does not know are left alone, and null says what leaving a field out says.

    Raises:
        InvalidInput: names every field that is wrong.
    """
    data = {k: v for k, v in data.items() if k in shape.model_fields and v is not None}
    controls = {
        name: FieldError(name, "contains control characters; send plain text")
        for name, value in data.items()
        if any(_CONTROL.search(text) for text in _texts(value))
    }
    try:
        found = shape.model_validate(data)
    except ValidationError as error:
        others = (e for e in field_errors(error) if e.field.split(".")[0] not in controls)
        raise InvalidInput((*controls.values(), *others)) from error
    if controls:
        raise InvalidInput(tuple(controls.values()))
    return found


def usable_phone(given: str) -> tuple[str, tuple[str, ...]]:
    """Return a number in E.164 where it can be, else as given with a flag: a typo loses nobody."""
    if not given:
        return "", ()
    try:
        number = phonenumbers.parse(given, None)
    except phonenumbers.NumberParseException:
        return given, ("phone_unusable",)
    if not phonenumbers.is_valid_number(number):
        return given, ("phone_unusable",)
    if number.extension:
        return given, ()  # E.164 has no place for it, and nobody is reached without it
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), ()


def field_errors(error: ValidationError) -> tuple[FieldError, ...]:
    """Return pydantic's findings as ours, without the values: those may be personal."""
    return tuple(
        FieldError(".".join(str(part) for part in found["loc"]) or "body", found["msg"])
        for found in error.errors(include_url=False, include_input=False, include_context=False)
    )


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _texts(part)]
    return [text for part in value for text in _texts(part)] if isinstance(value, list) else []


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return deepest


def _no_constants(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
