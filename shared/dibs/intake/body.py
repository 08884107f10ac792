"""A lead as it comes in: signature, size, shape, and what is kept although it cannot be right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import phonenumbers
from pydantic import BeforeValidator, Field, StringConstraints
from standardwebhooks import Webhook, WebhookVerificationError

from dibs.core.errors import MalformedBody, Unauthorized
from dibs.core.lead import Contact
from dibs.intake.dummy import TEST_EVERYBODY, is_dummy
from dibs.web.body import Id, Line, Name, SourceBody, Word

_DOUBLE_ZERO = re.compile(r"^\s*\(?00\)?(?=[\s(-]*[1-9])")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def _number_in_words(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _yes_or_no_in_words(value: object) -> object:
    return ("yes" if value else "no") if isinstance(value, bool) else value


def _says_yes(value: object) -> bool:
    return value is True or str(value).strip().casefold() in ("true", "yes", "1")


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
    test_everybody: bool = False
    # What Google Ads calls it. Anything that does not say yes is left alone, as an unknown field.
    is_test: Annotated[bool, BeforeValidator(_says_yes)] = False


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


def card_of(lead: LeadIn, region: str = "") -> Contact:
    """Return the lead that was sent; an unusable phone or e-mail is kept and flagged.

    A lead that an ad platform sent to try the connection is a test lead, and flagged so.
    """
    phone, phone_flags = usable_phone(lead.contact_phone, region)
    email_flags = (
        ("email_unusable",)
        if lead.contact_email and not _EMAIL.fullmatch(lead.contact_email)
        else ()
    )
    sent = lead.model_dump(exclude={"is_test", "test_everybody"})
    dummy = lead.is_test or is_dummy(sent)
    test_flags: tuple[str, ...] = ("test_lead",) if dummy and not lead.test else ()
    if (lead.test or dummy) and lead.test_everybody:
        test_flags += (TEST_EVERYBODY,)
    return Contact(
        lead_id="",
        **{
            **sent,
            "needs": tuple(lead.needs),
            "contact_phone": phone,
            "test": lead.test or dummy,
        },
        flags=(*phone_flags, *email_flags, *test_flags),
    )


# How numbers were once written abroad, by country code, and how they are dialled now: Mexico's 1
# before a mobile number (until 2019), Brazil's mobile numbers without the ninth digit (until 2016).
# What Argentina adds and leaves out, phonenumbers knows.
_DIALLED_ONCE: Mapping[int, tuple[re.Pattern[str] | None, str]] = {
    52: (re.compile(r"1(\d{10})"), r"\1"),
    55: (re.compile(r"(\d{2})([6-9]\d{7})"), r"\g<1>9\2"),
}


def usable_phone(given: str, region: str = "") -> tuple[str, tuple[str, ...]]:
    """Return a number in E.164 where it can be, else as given with a flag: a typo loses nobody.

    A leading 00 is the plus. Numbers without a country code are read as those of `region`.
    """
    if not given:
        return "", ()
    number = _number(given, region)
    if number is None:
        return given, ("phone_unusable",)
    if number.extension:
        return given, ()  # E.164 has no place for it, and nobody is reached without it
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), ()


def _number(given: str, region: str) -> phonenumbers.PhoneNumber | None:
    plain = unicodedata.normalize("NFKC", given).strip()
    with_plus = re.sub(r"^\W*0[\s.-]*0(?!0)", "+", plain)
    for text in dict.fromkeys((with_plus, plain)):
        with suppress(phonenumbers.NumberParseException):
            number = phonenumbers.parse(text, region or None)
            if phonenumbers.is_valid_number(number):
                return number
            now = _as_dialled_now(number)
            if now is not None and phonenumbers.is_valid_number(now):
                return now
    return None


def _as_dialled_now(number: phonenumbers.PhoneNumber) -> phonenumbers.PhoneNumber | None:
    once, now = _DIALLED_ONCE.get(number.country_code or 0, (None, ""))
    found = once.fullmatch(str(number.national_number)) if once else None
    return phonenumbers.parse(f"+{number.country_code}{found.expand(now)}") if found else None
