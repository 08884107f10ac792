"""What `POST /activities` answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired

from typing_extensions import TypedDict


class Recorded(TypedDict):
    """An activity as it was recorded, and by whom.

    `missing` names fields that may follow under the same id. `held` says why an amount does not
    count yet.
    """

    activity_id: str
    type: str
    lead_id: str | None
    rep_id: str
    at: datetime
    repeated: bool
    reporter: str
    missing: NotRequired[list[str]]
    held: NotRequired[str]


class Result(TypedDict):
    """What became of one of many: the status it would have had by itself."""

    activity_id: str | None
    status: int
    code: NotRequired[str]
    detail: NotRequired[str]
    errors: NotRequired[list[Any]]


class Results(TypedDict):
    """What became of each activity, in the order they were sent."""

    results: list[Result]
