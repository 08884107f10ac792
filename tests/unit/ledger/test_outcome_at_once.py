"""An outcome is recorded as a whole or not at all, and never of a lead that has ended (U2, K5)."""

from __future__ import annotations

from typing import Any

import pytest

from dibs.core.errors import DibsError, Forbidden, IllegalMove
from dibs.core.lead import State
from dibs.ledger.quick import OUTCOMES, next_outcomes, tell_outcome
from dibs.rules.game import Reporting, ReportRule
from support.builders import a_playbook
from unit.ledger.test_activities import AINA, ActivityCase

PARTS = [(outcome, type) for outcome, types in OUTCOMES.items() for type in types]


def under(rules: dict[str, Any]) -> ActivityCase:
    """A won lead five minutes ago, under a playbook with these rules of reporting."""
    case = ActivityCase()
    case.memory.playbook = a_playbook(game={"reporting": {"types": rules}})
    case.clock.pass_(minutes=5)
    return case


def tell(case: ActivityCase, outcome: str, tap: str = "tap-1", **ago: int) -> list[str]:
    lead_id, at = case.won.lead_id, case.clock()
    told = tell_outcome(case.register, AINA.rep_id, lead_id, outcome, tap, at)
    return [one.entry.kind for one in told]


def told_by_rep(case: ActivityCase) -> list[str]:
    return [entry.kind for entry in case.ledger.entries.values() if entry.reporter == "rep"]


@pytest.mark.parametrize(("outcome", "type"), PARTS)
def test_nothing_is_recorded_where_only_others_report_a_part(outcome: str, type: str) -> None:
    case = under({type: {"by": ["system", "manager"]}})
    with pytest.raises(Forbidden, match=f"reports {type!r}") as caught:
        tell(case, outcome)
    assert caught.value.only == ("system", "manager")
    assert told_by_rep(case) == []
    assert (case.lead(case.won).state, case.lead(case.won).worked_at) == (State.CLAIMED, None)
    assert outcome not in next_outcomes(State.CLAIMED, case.memory.playbook.game.reporting)


@pytest.mark.parametrize(("outcome", "type"), PARTS)
def test_nothing_is_recorded_where_a_part_is_too_old(outcome: str, type: str) -> None:
    case = under({type: {"rep_days": 0}})
    at = case.clock()
    case.clock.pass_(minutes=1)  # a text takes its time
    with pytest.raises(DibsError):
        tell_outcome(case.register, AINA.rep_id, case.won.lead_id, outcome, "tap-1", at)
    assert told_by_rep(case) == []


@pytest.mark.parametrize("closing", ["won", "lost", "disqualified"])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_of_a_lead_that_has_ended_nothing_is_recorded(closing: str, outcome: str) -> None:
    case = under({})
    case.tell(closing, lead_id=case.won.lead_id, activity_id="end")
    with pytest.raises(IllegalMove, match="closed"):
        tell(case, outcome)
    assert told_by_rep(case) == []
    assert next_outcomes(case.lead(case.won).state, Reporting()) == ()


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_tap_that_ended_a_lead_is_answered_again(outcome: str) -> None:
    case = under({})
    first = tell(case, outcome)
    assert tell(case, outcome) == first == list(OUTCOMES[outcome])
    assert told_by_rep(case) == first


def test_what_may_be_told_follows_the_rules_of_reporting() -> None:
    reporting = Reporting(types={"contacted": ReportRule(by=("system",))})
    assert next_outcomes(State.CLAIMED, reporting) == ("called", "no answer", "wrong number")
