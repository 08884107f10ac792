"""Activities as they come in: one, or up to 500 in one body."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from dibs.aws.clock import from_iso
from dibs.core.errors import FieldError, InvalidInput
from dibs.intake.body import Id, Word, checked
from dibs.ledger.activities import Activity

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
Step = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}/[a-z0-9_-]{1,40}$")]


class ActivityIn(BaseModel):
    """One activity of `POST /activities`. Unknown fields are ignored, as those of a lead are."""

    model_config = ConfigDict(strict=True, extra="ignore")

    activity_id: Id
    type: Word
    at: Annotated[datetime, BeforeValidator(_moment)]
    lead_id: Word = ""
    rep_id: Word = ""
    amount: Annotated[float, Field(ge=0, le=_LARGEST_AMOUNT)] | None = None
    currency: Currency | None = None
    reverses: Id | None = None
    step: Step | None = None


def activity_from(data: Any) -> Activity:
    """Return the activity that was sent.

    Raises:
        InvalidInput: names every field that is wrong.
    """
    if not isinstance(data, dict):
        raise InvalidInput((FieldError("activity", "send a JSON object"),))
    found = checked(ActivityIn, data)
    words = {name: getattr(found, name) or "" for name in ("currency", "reverses", "step")}
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


def listed(body: dict[str, Any]) -> list[Any]:
    """Return what a body holds under `activities`.

    Raises:
        InvalidInput: it is no list, or one of none or too many.
    """
    found = body.get("activities")
    if not isinstance(found, list) or not 1 <= len(found) <= MOST:
        raise InvalidInput((FieldError("activities", f"send a list of 1 to {MOST} activities"),))
    return found
