"""One word of a rep becomes activities, once (U2)."""

from __future__ import annotations

import pytest

from dibs.core.errors import AlreadyExists, InvalidInput
from dibs.core.lead import State
from dibs.ledger.activities import TYPES, next_moves
from dibs.ledger.quick import (
    OUTCOMES,
    activities_of,
    next_outcomes,
    record_outcome,
    tell_outcome,
)
from dibs.rules.game import Reporting
from unit.ledger.test_activities import AINA, ActivityCase

STATES = {
    "called": State.CLAIMED,
    "no answer": State.CLAIMED,
    "reached": State.CONTACTED,
    "meeting": State.CONTACTED,
    "wrong number": State.LOST,
    "not interested": State.LOST,
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_outcome_works_the_lead_and_moves_it_once(outcome: str) -> None:
    case = ActivityCase()
    case.clock.pass_(minutes=5)
    told = activities_of(outcome, "tap-1", case.won.lead_id, case.clock())
    assert {one.type for one in told} <= set(TYPES)
    first = record_outcome(case.register, AINA.rep_id, told)
    again = record_outcome(case.register, AINA.rep_id, told)
    assert [one.repeated for one in (*first, *again)] == [False] * len(told) + [True] * len(told)
    lead = case.lead(case.won)
    assert (lead.state, lead.worked_at, case.in_hand) == (STATES[outcome], case.clock(), 0)


@pytest.mark.parametrize("said", ["No Answer", "no_answer", "no-answer", " NO  answer! "])
def test_an_outcome_is_read_as_a_person_writes_it(said: str) -> None:
    case = ActivityCase()
    [call] = activities_of(said, "tap-1", case.won.lead_id, case.clock())
    assert call.type == "call"


@pytest.mark.parametrize("said", ["", "won", "answer", "contacted", "reversal"])
def test_what_is_no_outcome_is_refused(said: str) -> None:
    case = ActivityCase()
    with pytest.raises(InvalidInput) as caught:
        activities_of(said, "tap-1", case.won.lead_id, case.clock())
    assert caught.value.errors[0].field == "outcome"


def test_an_id_is_of_one_outcome() -> None:
    case = ActivityCase()
    case.clock.pass_(minutes=5)
    for number, minutes in enumerate((0, 1)):
        case.clock.pass_(minutes=minutes)
        told = activities_of("called", "tap-1", case.won.lead_id, case.clock())
        if number:
            with pytest.raises(AlreadyExists):
                record_outcome(case.register, AINA.rep_id, told)
        else:
            record_outcome(case.register, AINA.rep_id, told)


def test_the_same_tap_counts_once_also_when_it_comes_twice_at_once() -> None:
    case = ActivityCase()
    case.clock.pass_(minutes=5)

    def told() -> list[bool]:
        case.clock.pass_(seconds=1)
        lead_id, now = case.won.lead_id, case.clock()
        found = tell_outcome(case.register, AINA.rep_id, lead_id, "reached", "tap-1", now)
        return [one.repeated for one in found]

    case.ledger.meanwhile = lambda: told() and None
    assert told() == [True, True]
    entries = [entry for entry in case.ledger.entries.values() if entry.reporter == "rep"]
    assert sorted(entry.kind for entry in entries) == ["call", "contacted"]
    assert told() == [True, True]


@pytest.mark.parametrize("state", [State.CLAIMED, State.CONTACTED, State.OPPORTUNITY])
def test_every_outcome_may_come_of_a_lead_that_is_not_closed(state: State) -> None:
    assert next_outcomes(state, Reporting()) == tuple(OUTCOMES)


def test_no_outcome_comes_of_a_closed_lead_and_nothing_moves_it() -> None:
    assert next_outcomes(State.WON, Reporting()) == next_outcomes(State.LOST, Reporting()) == ()
    assert next_moves(State.WON) == next_moves(State.LOST) == ()
    assert "contacted" not in next_moves(State.QUALIFIED)
