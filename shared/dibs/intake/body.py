"""A lead as it comes in: signature, size, shape, and what is kept although it cannot be right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import phonenumbers
from pydantic import BeforeValidator, Field, StringConstraints
from standardwebhooks import Webhook, WebhookVerificationError

from dibs.core.errors import MalformedBody, Unauthorized
from dibs.core.lead import Contact
from dibs.web.body import Id, Line, Name, SourceBody, Word

_DOUBLE_ZERO = re.compile(r"^\s*\(?00\)?(?=[\s(-]*[1-9])")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def _number_in_words(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _yes_or_no_in_words(value: object) -> object:
    return ("yes" if value else "no") if isinstance(value, bool) else value


class LeadIn(SourceBody):
    """The body of `POST /leads`. Unknown fields are ignored: sources send what they like."""

    example: ClassVar[Mapping[str, Any]] = {
        "source": "website",
        "external_id": "form-1",
        "company": "Acme Sdn Bhd",
        "contact_name": "Jane Tan",
        "contact_phone": "+60 12-345 6789",
        "score": 86,
    }

    source: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
    external_id: Id
    company: Name
    company_size: Annotated[
        Word, BeforeValidator(_number_in_words, json_schema_input_type=str | int)
    ] = ""
    contact_name: Line = ""
    contact_title: Line = ""
    contact_email: Line = ""
    contact_phone: Line = ""
    score: Annotated[int, Field(ge=0, le=100)] | None = None
    territory: Word = ""
    segment: Word = ""
    product: Word = ""
    team: Word = ""
    needs: Annotated[list[Word], Field(default_factory=list, max_length=20)]
    language: Word = ""
    consent: Annotated[
        Line, BeforeValidator(_yes_or_no_in_words, json_schema_input_type=str | bool)
    ] = ""
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


def card_of(lead: LeadIn) -> Contact:
    """Return the lead that was sent; an unusable phone or e-mail is kept and flagged."""
    phone, phone_flags = usable_phone(lead.contact_phone)
    email_flags = (
        ("email_unusable",)
        if lead.contact_email and not _EMAIL.fullmatch(lead.contact_email)
        else ()
    )
    return Contact(
        lead_id="",
        **{**lead.model_dump(), "needs": tuple(lead.needs), "contact_phone": phone},
        flags=(*phone_flags, *email_flags),
    )


def usable_phone(given: str, region: str = "") -> tuple[str, tuple[str, ...]]:
    """Return a number in E.164 where it can be, else as given with a flag: a typo loses nobody.

    00 is as good as the plus. A number without either is read as one of `region` (`MY`), if given.
    """
    if not given:
        return "", ()
    plain = _DOUBLE_ZERO.sub("+", given)
    try:
        number = phonenumbers.parse(plain, region or None)
    except phonenumbers.NumberParseException:
        return given, ("phone_unusable",)
    if not phonenumbers.is_valid_number(number):
        return given, ("phone_unusable",)
    if number.extension:
        return given, ()  # E.164 has no place for it, and nobody is reached without it
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), ()
