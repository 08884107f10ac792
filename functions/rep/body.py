"""What a rep's app sends."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from dibs.assignment.work import LONGEST_REASON
from dibs.core.errors import FieldError, InvalidInput
from dibs.core.money import smallest_units
from dibs.core.rep import Platform
from dibs.core.values import dataclass
from dibs.people.own import MOST_QUIET_MINUTES
from dibs.people.profiles import LEAVE_SCHEMA, leave_of
from dibs.receipts.body import InOwnWords
from dibs.web.body import TEXT_ONLY, AppBody, judged_later, otherwise
from dibs.web.http import LARGEST_BODY
from dibs.web.json_body import FORM, form_fields
from dibs.web.outcome import OutcomeIn, fields_of
from dibs.web.translations import languages

_CURRENCY = re.compile("[A-Z]{3}")
_QUIET = f"send a whole number of minutes from 0 to {MOST_QUIET_MINUTES}"


def _leave(value: object) -> object:
    if value is None:
        return None
    try:
        return leave_of(value)
    except ValueError as error:
        raise PydanticCustomError("leave", "{how}", {"how": str(error)}) from error


class AvailabilityIn(AppBody):
    """At least one of `available`, `quiet_minutes` and `leave`; null says nothing."""

    example: ClassVar[Mapping[str, Any]] = {"available": False, "minutes": 60}

    minutes: Annotated[
        int | None,
        Field(ge=1, description="How long to be off; the playbook says how long at most."),
        otherwise("send a whole number of minutes, from 1"),
    ] = None
    quiet_minutes: Annotated[int | None, Field(ge=0, le=MOST_QUIET_MINUTES), otherwise(_QUIET)] = (
        None
    )
    leave: Annotated[
        tuple[tuple[date, date], ...] | None,
        BeforeValidator(_leave),
        WithJsonSchema({"anyOf": [LEAVE_SCHEMA, {"type": "null"}]}),
    ] = None
    available: Annotated[
        bool | None, Field(validate_default=True), otherwise("send true or false")
    ] = None

    @field_validator("available")
    @classmethod
    def _says_something(cls, value: bool | None, info: ValidationInfo) -> bool | None:
        """Whether anything was sent at all; what was wrong is named by itself."""
        others = (info.data.get(name, "wrong") for name in ("quiet_minutes", "leave"))
        if value is None and all(other is None for other in others):
            problem = "send true or false, quiet_minutes or leave"
            raise PydanticCustomError("nothing", "{how}", {"how": problem})
        return value


class AvailabilityForm:
    """The switch on the rep's page, as a form sends it."""

    media: ClassVar[str] = FORM
    largest: ClassVar[int] = LARGEST_BODY
    example: ClassVar[Mapping[str, Any]] = {"available": "false", "minutes": "60"}

    @classmethod
    def read(cls, raw: bytes) -> AvailabilityIn:
        """Return what was filled in.

        Raises:
            InvalidInput: names every field that is wrong.
        """
        names = ("available", "minutes", "quiet_minutes", "leave_from", "leave_to", "no_leave")
        sent = form_fields(raw, names)
        given: dict[str, Any] = {
            "available": {"true": True, "false": False}.get(sent.get("available", "")),
            "minutes": _number(sent.get("minutes", "")),
            "quiet_minutes": _number(sent.get("quiet_minutes", "")),
        }
        first, last = sent.get("leave_from", ""), sent.get("leave_to", "")
        if sent.get("no_leave") == "true":
            given["leave"] = []
        elif first or last:
            given["leave"] = [{"from": first, "to": last or first}]
        found = {name: value for name, value in given.items() if value not in (None, "")}
        return AvailabilityIn.read(json.dumps(found).encode())

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema."""
        day = {"type": "string", "format": "date"}
        says: dict[str, Any] = {
            "available": {"enum": ["true", "false"]},
            "minutes": {"type": "string"},
            "quiet_minutes": {"type": "string"},
            "leave_from": day,
            "leave_to": day,
            "no_leave": {"enum": ["true"]},
        }
        return {"type": "object", "properties": says, "additionalProperties": False}


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


class LanguageIn(AppBody):
    """The language of pages, pushes and texts."""

    example: ClassVar[Mapping[str, Any]] = {"language": "ms"}

    language: Annotated[
        str, TEXT_ONLY, judged_later("string", "One there is.", enum=list(languages()))
    ] = ""


@dataclass(frozen=True)
class HeldOutcomeIn:
    """What came of a lead in hand, in a word; of a deal its amount as well.

    An amount is in the smallest unit of its currency; a form sends it as people write it, 1250.50.
    """

    told: OutcomeIn
    amount: int | None = None
    currency: str = ""
    media: ClassVar[str] = OutcomeIn.media
    largest: ClassVar[int] = LARGEST_BODY
    example: ClassVar[Mapping[str, Any]] = OutcomeIn.example

    @classmethod
    def read(cls, raw: bytes) -> HeldOutcomeIn:
        """Return what was sent.

        Raises:
            MalformedBody: it looks like JSON and is none.
            InvalidInput: names every field that is wrong.
        """
        sent = dict(fields_of(raw, ("outcome", "outcome_id", "amount", "currency")))
        amount, currency = sent.pop("amount", None), sent.pop("currency", None) or ""
        told = OutcomeIn.of(sent)
        if amount in (None, ""):
            return cls(told)
        if told.outcome != "won":
            raise InvalidInput((FieldError("amount", "goes with the outcome won alone"),))
        if not (isinstance(currency, str) and _CURRENCY.fullmatch(currency)):
            raise InvalidInput((FieldError("currency", "send three letters, such as USD"),))
        found = smallest_units(amount, currency) if isinstance(amount, str) else amount
        if not isinstance(found, int) or isinstance(found, bool) or found < 0:
            raise InvalidInput((FieldError("amount", "write it without signs, such as 1250.50"),))
        return cls(told, found, currency)

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema."""
        schema = OutcomeIn.described()
        words = "called, no answer, reached, meeting, wrong number, not interested, qualified, won "
        outcome = {**schema["properties"]["outcome"], "description": f"{words}or lost."}
        more = {
            "amount": {
                "type": ["integer", "string", "null"],
                "minimum": 0,
                "description": "Of a deal: in the smallest unit; a text as people write it.",
            },
            "currency": {"type": ["string", "null"], "description": "ISO 4217, such as USD."},
        }
        return {**schema, "properties": {**schema["properties"], "outcome": outcome, **more}}


class ReleaseIn(AppBody):
    """Why a lead is given back; a claim that is still undone needs no reason."""

    example: ClassVar[Mapping[str, Any]] = {"reason": "They speak Mandarin only"}

    reason: Annotated[
        Any, judged_later("string", "Why, in one line.", maxLength=LONGEST_REASON)
    ] = None


class DisputeIn(AppBody):
    """What a rep objects to, in their own words."""

    example: ClassVar[Mapping[str, Any]] = {"reason": "I pressed at once and heard nothing."}

    reason: InOwnWords


class DeviceIn(AppBody):
    """A phone's push token."""

    example: ClassVar[Mapping[str, Any]] = {
        "platform": "fcm",
        "token": "dGhpcyBpcyBhIHB1c2ggdG9rZW4",
    }

    platform: Annotated[
        str, TEXT_ONLY, judged_later("string", "Who delivers to it.", enum=list(Platform))
    ] = ""
    token: Annotated[
        str,
        TEXT_ONLY,
        judged_later("string", "What the platform gave the app.", minLength=8, maxLength=2048),
    ] = ""
