"""What managers send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dibs.assignment.body import Reason
from dibs.assignment.override import WHERE, Where
from dibs.core.errors import FieldError, InvalidInput
from dibs.people.access import LONGEST_DAYS
from dibs.people.pauses import LONGEST
from dibs.people.profiles import PROFILE_SCHEMA
from dibs.playbook.file import Lines, read_json, read_yaml, schema
from dibs.receipts.body import InOwnWords
from dibs.reports.quotas import LARGEST_TARGET
from dibs.web.body import JSON, AppBody, field_errors, judged_later, otherwise
from dibs.web.http import LARGEST_BODY
from dibs.web.json_body import form_fields, json_object

YAML = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
_LONGEST_ID = 64
_LONGEST_NOTE = 200
_MOST_MINUTES = LONGEST.days * 24 * 60


class AssignIn(AppBody):
    """To whom a lead goes, and why."""

    example: ClassVar[Mapping[str, Any]] = {"rep_id": "aaaac", "reason": "Knows the customer"}

    rep_id: Annotated[
        str,
        Field(min_length=1, max_length=_LONGEST_ID),
        otherwise("name a rep; look at GET /reps"),
    ]
    reason: Reason


class TokenIn(AppBody):
    """When a new token ends; never where nothing is said."""

    example: ClassVar[Mapping[str, Any]] = {"ends_in_days": 90}

    ends_in_days: Annotated[
        int | None,
        Field(ge=1, le=LONGEST_DAYS),
        otherwise(f"send a whole number from 1 to {LONGEST_DAYS}"),
    ] = None


class ManagerIn(TokenIn):
    """A new manager; without a team they act on all."""

    example: ClassVar[Mapping[str, Any]] = {"name": "Amina Yusof", "team": "north"}

    name: Annotated[
        str, Field(min_length=1, max_length=80), otherwise("give a name of up to 80 letters")
    ]
    team: Annotated[str, otherwise("name one of the playbook's teams, or none for all")] = ""


class RulingIn(AppBody):
    """Whether a dispute is upheld, and why; the rep reads it."""

    example: ClassVar[Mapping[str, Any]] = {
        "upheld": False,
        "text": "Your claim came 250 milliseconds after the first one.",
    }

    upheld: Annotated[bool, otherwise("send true or false")]
    text: InOwnWords

    @classmethod
    def read_form(cls, raw: bytes) -> Self:
        """Return what was filled in; each answer has a button of its own."""
        sent: dict[str, Any] = dict(form_fields(raw, cls.model_fields))
        if sent.get("upheld") in ("true", "false"):
            sent["upheld"] = sent["upheld"] == "true"
        return cls.read(json.dumps(sent).encode())


class PauseIn(AppBody):
    """Why a team or a rep is paused, and until when or for how many minutes; until it is ended
    where neither is said."""

    example: ClassVar[Mapping[str, Any]] = {
        "reason": "All hands in the big room",
        "until": "2026-11-23T14:00:00Z",
    }

    reason: Reason
    until: Annotated[
        str | None, otherwise("send a time such as 2026-11-23T14:00:00Z, or leave it out")
    ] = None
    minutes: Annotated[
        int | None,
        Field(ge=1, le=_MOST_MINUTES),
        otherwise(f"send a whole number from 1 to {_MOST_MINUTES}, in place of until"),
    ] = None

    @classmethod
    def read_form(cls, raw: bytes) -> Self:
        """Return what was filled in; how long counts from when it is sent, not shown."""
        sent: dict[str, Any] = dict(form_fields(raw, cls.model_fields))
        minutes = sent.get("minutes", "")
        if minutes.isascii() and minutes.isdigit() and len(minutes) <= len(str(_MOST_MINUTES)):
            sent["minutes"] = int(minutes)
        return cls.read(json.dumps(sent).encode())


class WithdrawIn(AppBody):
    """Why a lead is taken back, and whether others may have it."""

    example: ClassVar[Mapping[str, Any]] = {"to": "pool", "reason": "Nobody called back"}

    to: Annotated[Where, otherwise(f"send one of {', '.join(WHERE)}")] = "pool"
    reason: Reason


class TargetsIn(AppBody):
    """What is wanted of each rep that is named; the use case knows who there is."""

    example: ClassVar[Mapping[str, Any]] = {"targets": {"aaaac": 20}}

    targets: Annotated[
        dict[str, Any],
        Field(min_length=1),
        otherwise("send an object of rep ids and numbers"),
        judged_later(
            "object",
            minProperties=1,
            additionalProperties={"type": "integer", "minimum": 0, "maximum": LARGEST_TARGET},
        ),
    ]


@dataclass(frozen=True)
class ProfileIn:
    """What is to change of a rep's profile; `change_profile` judges it by the playbook."""

    example: ClassVar[Mapping[str, Any]] = {
        "tier": 2,
        "zone": "Asia/Kuching",
        "hours": {"mon": ["09:00-18:00"]},
    }

    named: dict[str, Any]
    media: ClassVar[str] = JSON
    largest: ClassVar[int] = LARGEST_BODY

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Return the fields that were sent."""
        return cls(json_object(raw))

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema."""
        return PROFILE_SCHEMA


class _Envelope(BaseModel):
    """A playbook, the version it was made from, and why."""

    model_config = ConfigDict(strict=True, extra="forbid")

    playbook: Any
    expected_version: Annotated[int | None, otherwise("send a whole number")] = None
    note: Annotated[
        str, Field(max_length=_LONGEST_NOTE), otherwise("send text of up to 200 letters")
    ] = ""


@dataclass(frozen=True)
class PlaybookIn:
    """The body of `PUT /playbook`: a playbook, bare or in an envelope."""

    example: ClassVar[Mapping[str, Any]] = {
        "playbook": {
            "preset": "open-pool",
            "fits": "Two teams of similar skill.",
            "teams": {"north": {"name": "North"}, "south": {"name": "South"}},
        },
        "note": "Two teams",
    }

    playbook: Any
    expected_version: int | None = None
    note: str = ""
    lines: Lines = field(default_factory=dict)
    media: ClassVar[str] = JSON
    largest: ClassVar[int] = LARGEST_BODY

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Return what was sent as JSON; `playbook_of` judges the rules.

        Raises:
            MalformedBody: it is not JSON.
            InvalidInput: it is no object; or names what is wrong with the envelope.
        """
        return cls._of(read_json(raw), {})

    @classmethod
    def read_yaml(cls, raw: bytes) -> Self:
        """Return what was sent as YAML; errors name the line.

        Raises:
            InvalidInput: it is not YAML or no mapping; or names what is wrong with the envelope.
        """
        return cls._of(*read_yaml(raw))

    @classmethod
    def _of(cls, sent: Any, lines: Lines) -> Self:
        if not isinstance(sent, dict):
            raise InvalidInput((FieldError("body", "send a JSON object, or a YAML mapping"),))
        if "playbook" not in sent:
            return cls(sent, lines=lines)
        try:
            envelope = _Envelope.model_validate(sent).model_dump()
            within = "playbook."
            inner = {
                path.removeprefix(within): line
                for path, line in lines.items()
                if path.startswith(within)
            }
            return cls(**envelope, lines=inner)
        except ValidationError as error:
            raise InvalidInput(field_errors(error, _Envelope.model_fields)) from error

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema."""
        rules, envelope = schema(), _Envelope.model_json_schema()
        shared = rules.pop("$defs")
        del rules["$schema"]
        envelope["properties"]["playbook"] = {"$ref": "#/$defs/Playbook"}
        anyof = [{"$ref": "#/$defs/Playbook"}, envelope]
        return {"anyOf": anyof, "$defs": shared | {"Playbook": rules}}
