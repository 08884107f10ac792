"""What a rep says of a lead in one word, as activities (U2): "reached", "no answer"."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dibs.core.errors import AlreadyExists, DibsError, FieldError, InvalidInput
from dibs.ledger.activities import Activity
from dibs.ledger.record import RecordDeps, RecordResult, record_all

OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "called": ("call",),
    "no answer": ("call",),
    "reached": ("call", "contacted"),
    "meeting": ("call", "contacted", "appointment_set"),
    "wrong number": ("call", "disqualified"),
    "not interested": ("call", "contacted", "lost"),
}
"""The types of activities each outcome stands for, in the order they are recorded."""


def activities_of(outcome: str, outcome_id: str, lead_id: str, at: datetime) -> list[Activity]:
    """Return the activities an outcome stands for; the same ones for the same id.

    Case, and what stands between the words, do not matter.

    Raises:
        InvalidInput: there is no such outcome.
    """
    said = " ".join("".join(c if c.isalnum() else " " for c in outcome.casefold()).split())
    if said not in OUTCOMES:
        raise InvalidInput((FieldError("outcome", f"use one of {', '.join(OUTCOMES)}"),))
    return [Activity(f"{outcome_id}:{type}", type, at, lead_id) for type in OUTCOMES[said]]


def record_outcome(deps: RecordDeps, rep_id: str, activities: list[Activity]) -> list[RecordResult]:
    """Record what an outcome stands for; what a lost answer left out is made up for by a repeat.

    Raises:
        AlreadyExists: another outcome has this id.
        Others as `record` does; a later activity is not recorded where an earlier one is refused.
    """
    results = []
    for activity in activities:
        [one] = record_all(deps, [activity], rep_id)
        if isinstance(one, AlreadyExists):
            raise AlreadyExists("Another outcome has this id; send a new one.")
        if isinstance(one, DibsError):
            raise one
        results.append(one)
    return results
