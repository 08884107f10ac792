"""Activities as they come in: one, or up to 500 in one body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from dibs.aws.clock import from_iso
from dibs.core.errors import BodyTooLarge, FieldError, InvalidInput, MalformedBody
from dibs.ledger.activities import Activity
from dibs.web.body import JSON, Id, SourceBody, Word, checked
from dibs.web.http import LARGEST_BODY
from dibs.web.json_body import named_only, parse_json

MOST = 500
LARGEST_BATCH = 256 * 1024
# More than anybody sells, and far below what a number can hold exactly.
_LARGEST_AMOUNT = 10**15
_ROUNDING = 1e-6


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return from_iso(value)
    except ValueError as error:
        raise PydanticCustomError("moment", "{how}", {"how": str(error)}) from error


Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Quantity = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Step = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}/[a-z0-9_-]{1,40}$")]


class ActivityIn(SourceBody):
    """One activity of `POST /activities`.

    Of a system, unknown fields are ignored, as those of a lead are; of a rep or manager they are
    named.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "activity_id": "call-1",
        "type": "call",
        "at": "2026-11-23T12:00:00Z",
        "rep_id": "aaaac",
    }

    activity_id: Id
    type: Word
    at: Annotated[datetime, BeforeValidator(_moment, json_schema_input_type=datetime)]
    lead_id: Word = ""
    rep_id: Word = ""
    amount: Annotated[float, Field(ge=0, le=_LARGEST_AMOUNT)] | None = None
    currency: Currency | None = None
    reverses: Id | None = None
    step: Step | None = None
    confirms: Id | None = None
    to_rep_id: Word = ""
    quantity: Quantity | None = None


def activity_from(data: Any, *, by_system: bool = True) -> Activity:
    """Return the activity that was sent.

    Raises:
        InvalidInput: names every field that is wrong, or that a person sent and nobody knows.
    """
    if not isinstance(data, dict):
        raise InvalidInput((FieldError("activity", "send a JSON object"),))
    if not by_system:
        named_only(data, ActivityIn.model_fields)
    found = checked(ActivityIn, data)
    words = {
        name: getattr(found, name) or "" for name in ("currency", "reverses", "step", "confirms")
    }
    return Activity(**{**found.model_dump(), **words, "amount": _amount(found)})


def _amount(found: ActivityIn) -> int | None:
    """Return the amount in whole units: hours, which may be parts of one, as minutes.

    Raises:
        InvalidInput: it is no whole number of them.
    """
    sent = found.amount
    if sent is None:
        return None
    hours = found.type == "hours_worked"
    units = sent * 60 if hours else sent
    # 2.05 hours are 123 minutes, and as a float a little less.
    if abs(units - round(units)) > (_ROUNDING if hours else 0):
        mend = "send hours, to the minute" if hours else "send whole units"
        raise InvalidInput((FieldError("amount", mend),))
    return round(units)


@dataclass(frozen=True)
class ActivitiesIn:
    """The body of `POST /activities`: one, or a list whose members are judged one by one."""

    example: ClassVar[Mapping[str, Any]] = ActivityIn.example

    each: list[Any]
    alone: bool
    media: ClassVar[str] = JSON
    largest: ClassVar[int] = LARGEST_BATCH

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Return what was sent.

        Raises:
            MalformedBody: it is no JSON object.
            BodyTooLarge: one alone is larger than 64 KB.
            InvalidInput: `activities` is no list, or one of none or too many.
        """
        body = parse_json(raw)
        if not isinstance(body, dict):
            raise MalformedBody("The body must be a JSON object.")
        if "activities" in body:
            return cls(_listed(body["activities"]), alone=False)
        if len(raw) > LARGEST_BODY:
            raise BodyTooLarge
        return cls([body], alone=True)

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema."""
        one = ActivityIn.described()
        many = {"type": "array", "items": {}, "minItems": 1, "maxItems": MOST}
        many["description"] = "Each is an activity; one that is wrong keeps none of the others out."
        batch = {"type": "object", "required": ["activities"], "properties": {"activities": many}}
        return {"anyOf": [one, batch]}


def _listed(found: Any) -> list[Any]:
    if not isinstance(found, list) or not 1 <= len(found) <= MOST:
        raise InvalidInput((FieldError("activities", f"send a list of 1 to {MOST} activities"),))
    return found
