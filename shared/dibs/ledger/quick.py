"""What a rep says of a lead in one word, as activities (U2): "reached", "no answer"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from dibs.core.errors import AlreadyExists, FieldError, IllegalMove, InvalidInput
from dibs.core.lead import State
from dibs.ledger.activities import CLOSED, MOVES, Activity
from dibs.ledger.entries import activity_entry_id
from dibs.ledger.ports import Ledger
from dibs.ledger.record import RecordDeps, RecordResult, record_together
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
FURTHER: Mapping[str, tuple[str, ...]] = {
    "qualified": ("qualified",),
    "won": ("won",),
    "lost": ("lost",),
}
"""What the page of a lead in hand asks for as well: a deal comes with its amount."""
ALL_OUTCOMES: Mapping[str, tuple[str, ...]] = {**OUTCOMES, **FURTHER}
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # an entry's id does not depend on when it was told
CLOSING = frozenset(
    outcome for outcome, types in OUTCOMES.items() if State.LOST in map(MOVES.get, types)
)
"""The outcomes after which a lead is lost."""


def activities_of(
    outcome: str,
    outcome_id: str,
    lead_id: str,
    at: datetime,
    among: Mapping[str, tuple[str, ...]] = OUTCOMES,
) -> list[Activity]:
    """Return the activities an outcome stands for; the same ones for the same id and outcome.

    Another outcome under the same id, as from a page that a browser goes back to, is another event.

    Case, and what stands between the words, do not matter.

    Raises:
        InvalidInput: there is no such outcome.
    """
    said = _named(outcome)
    if said not in among:
        raise InvalidInput((FieldError("outcome", f"use one of {', '.join(among)}"),))
    name = f"{outcome_id}:{said.replace(' ', '-')}"
    return [Activity(f"{name}:{type}", type, at, lead_id) for type in among[said]]


def _named(outcome: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in outcome.casefold()).split())


def recorded(ledger: Ledger, rep_id: str, lead_id: str, outcome: str, outcome_id: str) -> str:
    """Return the outcome if it is recorded of this lead under this id, empty otherwise."""
    said = _named(outcome)
    if said not in OUTCOMES:
        return ""
    names = [
        activity_entry_id(one.activity_id, "rep", rep_id)
        for one in activities_of(said, outcome_id, lead_id, _ANY_TIME)
    ]
    found = ledger.find(names)
    return said if all(n in found and found[n].lead_id == lead_id for n in names) else ""


def record_outcome(deps: RecordDeps, rep_id: str, activities: list[Activity]) -> list[RecordResult]:
    """Record what an outcome stands for, or nothing where one part of it is refused.

    What a lost answer left out is made up for by a repeat.

    Raises:
        AlreadyExists: another outcome has this id.
        Others as `record_together` does.
    """
    try:
        return record_together(deps, activities, rep_id)
    except AlreadyExists as error:
        raise AlreadyExists("Another outcome has this id; send a new one.") from error


def next_outcomes(state: State, reporting: Reporting) -> tuple[str, ...]:
    """Return the outcomes a rep may report of a held lead in this state.

    None of a lead that has ended (C8), and none of which only others report a part (K5).
    """
    return _reportable(OUTCOMES, state, reporting)


def further_outcomes(state: State, reporting: Reporting) -> tuple[str, ...]:
    """Return what else a rep may report of a held lead in this state, as `next_outcomes` does.

    A lead that is qualified already is not asked about again.
    """
    found = _reportable(FURTHER, state, reporting)
    past = (State.QUALIFIED, State.OPPORTUNITY)
    return tuple(one for one in found if one != "qualified" or state not in past)


def _reportable(
    outcomes: Mapping[str, tuple[str, ...]], state: State, reporting: Reporting
) -> tuple[str, ...]:
    if state in CLOSED:
        return ()
    return tuple(
        outcome
        for outcome, types in outcomes.items()
        if all("rep" in reporting.rule_for(type).by for type in types)
    )


def tell_outcome(
    deps: RecordDeps,
    rep_id: str,
    lead_id: str,
    outcome: str,
    outcome_id: str,
    at: datetime,
    amount: int | None = None,
    currency: str = "",
    among: Mapping[str, tuple[str, ...]] = OUTCOMES,
) -> list[RecordResult]:
    """Record an outcome once for its id, whenever it is told again (C4).

    The first time it was told is when it happened. An `amount` is that of a deal,
    `among` are the outcomes the sender may tell of.

    Raises:
        InvalidInput: there is no such outcome.
        Others as `record_outcome` does.
    """
    told = activities_of(outcome, outcome_id, lead_id, at, among)
    if amount is not None:
        told = [replace(one, amount=amount, currency=currency) for one in told]
    names = [activity_entry_id(one.activity_id, "rep", rep_id) for one in told]

    def attempt() -> list[RecordResult]:
        stored = deps.ledger.find(names)
        first = next((stored[name].at for name in names if name in stored), at)
        return record_outcome(deps, rep_id, [replace(one, at=first) for one in told])

    try:
        return attempt()
    except (AlreadyExists, IllegalMove):
        return attempt()  # the same tap may have been stored by a parallel request meanwhile
