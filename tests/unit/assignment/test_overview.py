"""The pool as it is counted, and a lead's steps in order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dibs.assignment.overview import pool_view, steps_of
from dibs.core.errors import IllegalMove
from dibs.core.lead import Claim, State, Transition, implied_by_move, legal_moves
from dibs.core.quality import Quality
from support.builders import NOON, a_lead

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("quality", Quality)
def test_the_quality_of_a_blind_lead_is_hidden_from_who_may_claim_it(quality: Quality) -> None:
    leads = [a_lead(blind=True, quality=quality)]
    mine = pool_view(leads, "north", NOON, hidden=True)
    assert (mine.size, mine.blind, set(mine.by_quality.values())) == (1, 1, {0})
    theirs = pool_view(leads, "north", NOON, hidden=False)
    assert theirs.by_quality[quality.value] == theirs.blind == 1


def test_what_is_over_or_of_another_team_is_not_in_the_pool() -> None:
    lead = a_lead()
    assert pool_view([lead], "", lead.closes_at - MINUTE, hidden=False).size == 1
    assert pool_view([lead], "", lead.closes_at, hidden=False).size == 0
    assert pool_view([lead], "elsewhere", NOON, hidden=False).size == 0
    assert pool_view([a_lead(state=State.CLAIMED)], "", NOON, hidden=False).size == 0


def test_a_claim_is_in_its_place_among_the_steps() -> None:
    def step(minute: int, to: State) -> Transition:
        return Transition("a", 1, NOON + minute * MINUTE, State.OPEN, to, "x", "y")

    claim = Claim("a", 1, "aaaac", "Aina", "north", NOON + MINUTE, 1000, 1)
    history = [step(0, State.OPEN), step(2, State.CONTACTED), step(3, State.QUALIFIED)]
    found = steps_of(history, claim)
    assert [one.to_state for one in found] == ["open", "claimed", "contacted", "qualified"]
    assert steps_of(history, None) == history


@pytest.mark.parametrize("state", State)
def test_the_moves_that_are_legal_are_those_that_are_taken(state: State) -> None:
    for to in State:
        if to is state:
            continue
        try:
            implied_by_move(state, to)
        except IllegalMove:
            assert to not in legal_moves(state)
        else:
            assert to in legal_moves(state)
