"""What a rep says of a lead in one word, as activities (U2): "reached", "no answer"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from dibs.core.errors import AlreadyExists, DibsError, FieldError, InvalidInput
from dibs.core.lead import State
from dibs.ledger.activities import MOVES, Activity, possible
from dibs.ledger.entries import activity_entry_id
from dibs.ledger.record import RecordDeps, RecordResult, record_all
from dibs.rules.game import Reporting

OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "called": ("call",),
    "no answer": ("call",),
    "reached": ("call", "contacted"),
    "meeting": ("call", "contacted", "appointment_set"),
    "wrong number": ("call", "disqualified"),
    "not interested": ("call", "contacted", "lost"),
}
"""The types of activities each outcome stands for, in the order they are recorded."""
CLOSING = frozenset(
    outcome for outcome, types in OUTCOMES.items() if State.LOST in map(MOVES.get, types)
)
"""The outcomes after which a lead is lost."""


def activities_of(outcome: str, outcome_id: str, lead_id: str, at: datetime) -> list[Activity]:
    """Return the activities an outcome stands for; the same ones for the same id and outcome.

    Another outcome under the same id, as from a page that a browser goes back to, is another event.

    Case, and what stands between the words, do not matter.

    Raises:
        InvalidInput: there is no such outcome.
    """
    said = " ".join("".join(c if c.isalnum() else " " for c in outcome.casefold()).split())
    if said not in OUTCOMES:
        raise InvalidInput((FieldError("outcome", f"use one of {', '.join(OUTCOMES)}"),))
    name = f"{outcome_id}:{said.replace(' ', '-')}"
    return [Activity(f"{name}:{type}", type, at, lead_id) for type in OUTCOMES[said]]


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


def next_outcomes(state: State, reporting: Reporting | None = None) -> tuple[str, ...]:
    """Return the outcomes a rep may report of a held lead in this state.

    With the playbook's `reporting`, without those of which only others report a part (K5).
    """
    return tuple(
        outcome
        for outcome, types in OUTCOMES.items()
        if all(possible(type, state) for type in types)
        and (reporting is None or all("rep" in reporting.rule_for(type).by for type in types))
    )


def tell_outcome(
    deps: RecordDeps, rep_id: str, lead_id: str, outcome: str, outcome_id: str, at: datetime
) -> list[RecordResult]:
    """Record an outcome once for its id, whenever it is told again (C4).

    The first time it was told is when it happened.

    Raises:
        InvalidInput: there is no such outcome.
        Others as `record_outcome` does.
    """
    told = activities_of(outcome, outcome_id, lead_id, at)
    names = [activity_entry_id(one.activity_id, "rep", rep_id) for one in told]

    def attempt() -> list[RecordResult]:
        stored = deps.ledger.find(names)
        first = next((stored[name].at for name in names if name in stored), at)
        return record_outcome(deps, rep_id, [replace(one, at=first) for one in told])

    try:
        return attempt()
    except AlreadyExists:
        return attempt()  # the same tap may have been stored by a parallel request meanwhile
