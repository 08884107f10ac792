"""How a quick outcome is sent: as JSON by an app, or by a form of a page that has no script."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Self

from dibs.core.errors import FieldError, InvalidInput
from dibs.core.values import dataclass
from dibs.web.http import LARGEST_BODY
from dibs.web.json_body import form_fields, json_object, named_only

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_ID_SAYS = "send an id of your own for this tap: up to 64 letters, digits and . _ : -"
_OUTCOME_SAYS = "say what came of it, such as no answer or reached"


def fields_of(raw: bytes, known: Collection[str]) -> Mapping[str, Any]:
    """Return the fields of a JSON object or of a form, all of them known.

    Raises:
        MalformedBody: it looks like JSON and is none.
        InvalidInput: names each field that is not known.
    """
    is_json = raw.lstrip()[:1] in (b"", b"{", b"[", b'"')
    sent: Mapping[str, Any] = json_object(raw) if is_json else form_fields(raw, known)
    named_only(sent, known)
    return sent


@dataclass(frozen=True)
class OutcomeIn:
    """What came of a lead, in a word, and the sender's id of it: sent again, it counts once.

    Nothing here imports pydantic: the claim function reads it too.
    """

    outcome: str
    outcome_id: str
    media: ClassVar[str] = "application/json"
    largest: ClassVar[int] = LARGEST_BODY
    example: ClassVar[Mapping[str, Any]] = {"outcome": "reached", "outcome_id": "tap-1"}

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Return what was sent.

        Raises:
            MalformedBody: it looks like JSON and is none.
            InvalidInput: names every field that is wrong.
        """
        return cls.of(fields_of(raw, ("outcome", "outcome_id")))

    @classmethod
    def of(cls, sent: Mapping[str, Any]) -> Self:
        """Return what these fields say.

        Raises:
            InvalidInput: names every field that is wrong.
        """
        outcome, outcome_id = sent.get("outcome"), sent.get("outcome_id")
        wrong = []
        if not isinstance(outcome, str) or not outcome.strip():
            wrong.append(FieldError("outcome", _OUTCOME_SAYS))
        if not isinstance(outcome_id, str) or not _ID.fullmatch(outcome_id):
            wrong.append(FieldError("outcome_id", _ID_SAYS))
        if wrong:
            raise InvalidInput(tuple(wrong))
        return cls(str(outcome), str(outcome_id))

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema."""
        return {
            "type": "object",
            "required": ["outcome", "outcome_id"],
            "properties": {
                "outcome": {
                    "type": "string",
                    "description": "called, no answer, reached, meeting, wrong number or "
                    "not interested.",
                },
                "outcome_id": {
                    "type": "string",
                    "pattern": f"^{_ID.pattern}$",
                    "description": "Yours; the same again counts once.",
                },
            },
            "additionalProperties": False,
        }
