"""What reps and managers send about the game; the use cases judge what depends on its rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field

from dibs.assignment.body import Reason
from dibs.game.contests.store import contest_schema, series_schema
from dibs.game.help.ask import LONGEST_REQUEST_ID
from dibs.game.help.rules import LONGEST_TEXT
from dibs.game.rewards.requests import REWARD_SCHEMA
from dibs.web.body import JSON, TEXT_ONLY, AppBody, judged_later, otherwise
from dibs.web.http import LARGEST_BODY
from dibs.web.json_body import form_fields, form_lists, json_object

MOST_APPROVED = 100
_TEXT = judged_later("string", minLength=1, maxLength=LONGEST_TEXT)
_REP = judged_later("string", "A rep, by id.")


class QuestionIn(AppBody):
    """A question to the rep's team."""

    example: ClassVar[Mapping[str, Any]] = {
        "request_id": "q1",
        "question": "Who knows the buyer?",
    }

    request_id: Annotated[
        str,
        TEXT_ONLY,
        judged_later("string", "New for each question.", minLength=1, maxLength=LONGEST_REQUEST_ID),
    ] = ""
    question: Annotated[str, TEXT_ONLY, _TEXT] = ""


class AnswerIn(AppBody):
    """An answer to a colleague."""

    example: ClassVar[Mapping[str, Any]] = {"text": "I do; call before ten."}

    text: Annotated[str, TEXT_ONLY, _TEXT] = ""


class HelperIn(AppBody):
    """Who helped."""

    example: ClassVar[Mapping[str, Any]] = {"helper": "aaaae"}

    helper: Annotated[str, TEXT_ONLY, _REP] = ""


class PeerIn(AppBody):
    """Who can confirm the step, where a colleague has to."""

    example: ClassVar[Mapping[str, Any]] = {"peer": "aaaae"}

    peer: Annotated[str, TEXT_ONLY, _REP] = ""


class DoneBy(AppBody):
    """Whose step is confirmed."""

    example: ClassVar[Mapping[str, Any]] = {"rep_id": "aaaac"}

    rep_id: Annotated[str, TEXT_ONLY, _REP] = ""


class RewardRequestIn(AppBody):
    """A wish for a reward."""

    example: ClassVar[Mapping[str, Any]] = {"request_id": "r1", "price": 500}

    request_id: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9_-]{1,40}$"),
        otherwise("send an id of your own for this request, up to 40 of A-Z, a-z, 0-9, - and _"),
    ]
    price: Annotated[
        int | None,
        Field(description="The points it was shown at."),
        otherwise("send the points it costs, or leave it out"),
    ] = None

    @classmethod
    def read_form(cls, raw: bytes) -> Self:
        """Return what a form sent: its price is a text of digits."""
        sent: dict[str, Any] = form_fields(raw, cls.model_fields)
        price = sent.get("price", "")
        if price.isascii() and price.isdigit():
            sent["price"] = int(price)
        return cls.read(json.dumps(sent).encode())


class DecisionIn(AppBody):
    """Why, in one line, where there is something to say."""

    example: ClassVar[Mapping[str, Any]] = {"reason": "At the front desk"}

    reason: Reason | None = None


class ApprovalsIn(AppBody):
    """Which requests are approved."""

    example: ClassVar[Mapping[str, Any]] = {"request_ids": ["aaaac.r1", "aaaae.r1"]}

    request_ids: Annotated[
        list[str],
        Field(min_length=1, max_length=MOST_APPROVED),
        otherwise(f"name 1 to {MOST_APPROVED} requests; look at GET /rewards/requests"),
    ]

    @classmethod
    def read_form(cls, raw: bytes) -> Self:
        """Return which were ticked: each box is a field of the same name."""
        ticked = form_lists(raw, ("request_id",))
        return cls.read(json.dumps({"request_ids": ticked.get("request_id", [])}).encode())


class RefusalIn(AppBody):
    """Why not, in one line."""

    example: ClassVar[Mapping[str, Any]] = {"reason": "It is the month's second"}

    reason: Reason


@dataclass(frozen=True)
class _Named:
    """Fields as they were sent; one that is not known is an error."""

    named: dict[str, Any]
    media: ClassVar[str] = JSON
    largest: ClassVar[int] = LARGEST_BODY

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Return the fields that were sent."""
        return cls(json_object(raw))


class RewardIn(_Named):
    """A reward as it is to be."""

    example: ClassVar[Mapping[str, Any]] = {"name": "Dinner for two", "price": 500, "stock": 4}

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema."""
        return REWARD_SCHEMA


class SeriesIn(_Named):
    """A contest that recurs, as it is to be."""

    example: ClassVar[Mapping[str, Any]] = {
        "name": "Week of calls",
        "kind": "individual",
        "first_day": "2026-12-07",
        "metric": "count(call)",
        "teams": ["north"],
        "repeats": {"every": "week", "weekdays": ["mon", "fri"]},
    }

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema."""
        return series_schema()


class ContestIn(_Named):
    """A contest as it is to be."""

    example: ClassVar[Mapping[str, Any]] = {
        "name": "December race",
        "kind": "individual",
        "first_day": "2026-12-07",
        "last_day": "2026-12-11",
        "metric": "points",
        "teams": ["north"],
    }

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema."""
        return contest_schema()
