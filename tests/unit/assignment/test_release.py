"""Giving a lead back (C5): with a reason, a cooldown, and never twice in a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from dibs.assignment.work import LEFT, LONGEST_REASON, NOT_WORKED, give_back, reason_of, release
from dibs.core.errors import (
    ClaimRefused,
    DibsError,
    IllegalMove,
    InvalidInput,
    LeadNotFound,
    NotYours,
    Unauthorized,
)
from dibs.core.events import LeadEvent
from dibs.core.lead import RELEASED, UNDONE, Lead, State
from dibs.core.rep import Rep, Usage
from dibs.dispatch.sweep import relay
from dibs.ledger.project import project
from dibs.race.claim import Won, claim
from dibs.race.decide import Eligible, Refused, decide
from dibs.race.lifecycle import MOST_RELEASED, return_lead
from dibs.reports.assignment_rows import releases
from support.builders import NOON, a_card, a_lead, a_playbook, a_rep, proof_of, token_of
from support.fake_ledger import FakeLedger
from support.fakes import FakeWorld, no_pause

ANN, BOB, CHO = a_rep(1), a_rep(2), a_rep(3)
SECOND, WEEK = timedelta(seconds=1), timedelta(days=7)
WHY = "wrong industry"


class ReleaseCase:
    """Three reps who race for a lead and release it."""

    def __init__(self, *reps: Rep, **playbook: Any) -> None:
        self.world = FakeWorld(a_playbook(**playbook))
        for rep in reps or (ANN, BOB, CHO):
            self.world.add_rep(rep)
        self.clock = self.world.clock
        self.lead = self.world.post_lead(a_card())

    def claim(self, rep: Rep) -> Won:
        proof = proof_of(rep)
        return claim(
            self.world.race, self.lead.lead_id, rep.rep_id, proof, self.clock, pause=no_pause
        )

    def release(self, rep: Rep, reason: Any = WHY, token: str | None = None) -> tuple[Lead, bool]:
        proof, world = proof_of(rep, token), self.world
        return release(
            world.race, world.holdings, self.lead.lead_id, rep.rep_id, proof, reason, self.clock
        )

    def holds(self, rep: Rep, state: State = State.CLAIMED, **changes: Any) -> None:
        """Let the rep claim the lead a minute ago and bring it to `state`."""
        self.claim(rep)
        self.world.memory.leads[self.lead.lead_id] = replace(self.now, state=state, **changes)
        self.clock.pass_(minutes=1)

    def lose(self, rep: Rep, cause: str) -> None:
        world = self.world
        assert give_back(
            world.race, world.holdings, self.lead.lead_id, rep.rep_id, cause, "boss", self.clock
        )

    @property
    def now(self) -> Lead:
        return self.world.lead(self.lead)

    def refused(self, rep: Rep) -> tuple[list[str], datetime | None]:
        with pytest.raises(ClaimRefused) as refusal:
            self.claim(rep)
        return [one.code for one in refusal.value.refusals], refusal.value.lifts_at

    def in_hand(self, rep: Rep) -> int:
        return self.world.memory.usage[rep.rep_id].in_hand


def test_a_released_lead_is_everybody_elses_at_once_under_the_next_epoch() -> None:
    case = ReleaseCase()
    case.holds(ANN)
    back, undone = case.release(ANN)
    assert (undone, back) == (False, case.now)
    assert (back.state, back.owner, back.epoch, back.claimed_at) == (State.OPEN, None, 2, None)
    assert (back.previous_owner, back.released_by) == (ANN.rep_id, {ANN.rep_id: case.clock()})
    assert back.opens_at == case.clock()
    assert case.in_hand(ANN) == 0
    assert case.world.memory.usage[ANN.rep_id].claims == 1, "it was taken, and counts"
    claimed, _, released, opened = case.world.leads.history(case.lead.lead_id)
    assert (claimed.to_state, claimed.by) == (State.CLAIMED, ANN.rep_id)
    assert (released.cause, released.by, released.note) == (RELEASED, ANN.rep_id, WHY)
    assert (released.epoch, released.holder) == (1, ANN.rep_id)
    assert (opened.epoch, opened.to_state, opened.note) == (2, State.OPEN, "")
    assert not case.claim(BOB).already_yours


def test_where_nobody_races_it_waits_for_the_next_in_turn() -> None:
    case = ReleaseCase(model="round-robin")
    case.world.memory.leads[case.lead.lead_id] = replace(
        case.now, state=State.ASSIGNED, owner=ANN.rep_id, claimed_at=NOON
    )
    back, _ = case.release(ANN)
    assert (back.state, back.epoch, back.owner) == (State.RELEASED, 2, None)
    assert [lead.lead_id for lead in case.world.holdings.queued()] == [back.lead_id]


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (State.CLAIMED, State.OPEN),
        (State.ASSIGNED, State.OPEN),
        (State.CONTACTED, State.OPEN),
        (State.QUALIFIED, State.OPEN),
        (State.OPPORTUNITY, State.OPEN),
        (State.WON, IllegalMove),
        (State.LOST, IllegalMove),
    ],
)
def test_every_lead_one_is_not_done_with_can_be_released(
    state: State, outcome: State | type[DibsError]
) -> None:
    case = ReleaseCase()
    case.holds(ANN, state)
    before = case.now
    if isinstance(outcome, State):
        assert case.release(ANN)[0].state is outcome
    else:
        with pytest.raises(outcome):
            case.release(ANN)
        assert case.now == before


@pytest.mark.parametrize(
    ("seconds", "worked", "undone"),
    [(0, False, True), (30, False, True), (31, False, False), (10, True, False)],
)
def test_a_claim_of_a_moment_ago_is_undone_and_was_no_release(
    seconds: int, worked: bool, undone: bool
) -> None:
    case = ReleaseCase()
    case.claim(ANN)
    if worked:
        case.world.memory.leads[case.lead.lead_id] = replace(case.now, worked_at=NOON)
    case.clock.pass_(seconds=seconds)
    assert case.release(ANN)[1] is undone
    if undone:
        assert (case.now.previous_owner, case.now.released_by) == (None, {})
        assert case.refused(ANN)[0] == ["undone"]  # they have seen the contact details (C12)
    else:
        assert case.refused(ANN)[0] == ["released_lately", "not_twice_in_a_row"]


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("wrong industry", "wrong industry"),
        ("  no time ", "no time"),
        ("界" * LONGEST_REASON, "界" * LONGEST_REASON),
        ("x" * (LONGEST_REASON + 1), None),
        ("", None),
        ("  ", None),
        ("two\nlines", None),
        (None, None),
        (7, None),
        (["no"], None),
    ],
)
def test_a_release_wants_a_reason(reason: Any, kept: str | None) -> None:
    case = ReleaseCase()
    case.holds(ANN)
    if kept is not None:
        case.release(ANN, reason)
        assert reason_of(reason) == kept
        notes = [transition.note for transition in case.world.leads.history(case.lead.lead_id)]
        assert notes == ["", "", kept, ""]
        return
    with pytest.raises(InvalidInput) as wrong:
        case.release(ANN, reason)
    assert [error.field for error in wrong.value.errors] == ["reason"]
    assert case.now.owner == ANN.rep_id


def test_a_mistake_needs_no_reason() -> None:
    case = ReleaseCase()
    case.claim(ANN)
    assert case.release(ANN, None) == (case.now, True)


def test_only_its_holder_releases_a_lead() -> None:
    case = ReleaseCase(ANN, BOB, replace(CHO, team="south"))
    case.holds(ANN)
    with pytest.raises(NotYours):
        case.release(BOB)
    with pytest.raises(LeadNotFound):
        case.release(replace(CHO, team="south"))
    with pytest.raises(Unauthorized):
        case.release(ANN, token=token_of(BOB))
    assert case.now.owner == ANN.rep_id


def test_who_got_it_as_a_last_resort_from_another_team_can_release_it() -> None:
    south = replace(CHO, team="south")
    case = ReleaseCase(ANN, south, teams={"north": {"name": "N"}, "south": {"name": "S"}})
    case.world.memory.leads[case.lead.lead_id] = replace(
        case.now, teams=("north",), state=State.ASSIGNED, owner=south.rep_id, claimed_at=NOON
    )
    assert case.release(south)[0].previous_owner == south.rep_id


def test_released_is_released_however_often_one_asks_and_whoever_has_it_since() -> None:
    case = ReleaseCase()
    case.holds(ANN)
    case.release(ANN)
    assert case.release(ANN) == (case.now, False)
    case.claim(BOB)
    assert case.release(ANN) == (case.now, False)
    assert case.now.owner == BOB.rep_id
    assert case.in_hand(ANN) == 0


def test_two_who_ask_at_once_release_once() -> None:
    case = ReleaseCase()
    case.holds(ANN)
    case.world.holdings.meanwhile = lambda: case.release(ANN)
    assert case.release(ANN) == (case.now, False)
    assert (case.now.epoch, case.in_hand(ANN)) == (2, 0)


@pytest.mark.parametrize("cause", [NOT_WORKED, LEFT])
def test_a_lead_taken_back_meanwhile_was_not_released(cause: str) -> None:
    case = ReleaseCase(work={"hot_minutes": 1})
    case.holds(ANN)
    case.world.holdings.meanwhile = lambda: case.lose(ANN, cause)
    with pytest.raises(NotYours):
        case.release(ANN)
    assert (case.now.epoch, case.now.released_by, case.in_hand(ANN)) == (2, {}, 0)


def test_a_lead_worked_meanwhile_is_released_all_the_same_and_lowers_nothing_twice() -> None:
    case = ReleaseCase()
    case.holds(ANN)

    def works() -> None:
        memory, lead_id = case.world.memory, case.lead.lead_id
        memory.leads[lead_id] = replace(case.now, state=State.CONTACTED, worked_at=NOON)
        memory.usage[ANN.rep_id] = replace(memory.usage[ANN.rep_id], in_hand=0)

    case.world.holdings.meanwhile = works
    case.release(ANN)
    assert (case.now.owner, case.in_hand(ANN)) == (None, 0)


def test_another_transaction_in_the_way_is_tried_again() -> None:
    case = ReleaseCase()
    case.holds(ANN)
    case.world.holdings.busy = 2
    assert case.release(ANN)[0].owner is None


# Who may get it again, and when


def verdict(lead: Lead, rep: Rep, at: datetime, **playbook: Any) -> list[str]:
    open_then = replace(lead, closes_at=at + WEEK)
    found = decide(open_then, rep, Usage(), a_playbook(**playbook), at)
    return [one.code for one in found.refusals] if isinstance(found, Refused) else []


@pytest.mark.parametrize(
    ("lead", "days", "after", "codes"),
    [
        ({}, 7, WEEK, []),
        ({"previous_owner": BOB.rep_id, "released_by": {BOB.rep_id: NOON}}, 7, SECOND, []),
        ({"released_by": {ANN.rep_id: NOON}}, 7, SECOND, ["released_lately"]),
        ({"released_by": {ANN.rep_id: NOON}}, 7, WEEK - SECOND, ["released_lately"]),
        ({"released_by": {ANN.rep_id: NOON}}, 7, WEEK, []),
        ({"released_by": {ANN.rep_id: NOON}}, 1, timedelta(days=1), []),
        ({"released_by": {ANN.rep_id: NOON}}, 0, SECOND, []),
        ({"previous_owner": ANN.rep_id}, 7, WEEK, ["not_twice_in_a_row"]),
        ({"previous_owner": ANN.rep_id}, 0, WEEK, ["not_twice_in_a_row"]),
        (
            {"previous_owner": ANN.rep_id, "released_by": {ANN.rep_id: NOON}},
            7,
            SECOND,
            ["released_lately", "not_twice_in_a_row"],
        ),
    ],
)
def test_who_gave_a_lead_back_waits_for_it(
    lead: dict[str, Any], days: int, after: timedelta, codes: list[str]
) -> None:
    found = a_lead(**lead)
    assert verdict(found, ANN, NOON + after, release={"cooldown_days": days}) == codes


def test_a_cooldown_says_when_it_ends_and_never_twice_in_a_row_does_not() -> None:
    playbook = a_playbook()
    lately = a_lead(released_by={ANN.rep_id: NOON}, closes_at=NOON + 2 * WEEK)
    refused = decide(lately, ANN, Usage(), playbook, NOON)
    assert isinstance(refused, Refused)
    assert refused.lifts_at == NOON + WEEK
    assert isinstance(decide(lately, ANN, Usage(), playbook, NOON + WEEK), Eligible)
    last = decide(replace(lately, previous_owner=ANN.rep_id), ANN, Usage(), playbook, NOON)
    assert isinstance(last, Refused)
    assert last.lifts_at is None


@pytest.mark.parametrize("cause", [NOT_WORKED, LEFT, "reassigned", "withdrawn"])
def test_however_they_lost_it_who_had_it_last_lets_another_go_first(cause: str) -> None:
    held = a_lead(state=State.CLAIMED, owner=ANN.rep_id, claimed_at=NOON)
    back, _ = return_lead(held, a_playbook(), NOON, cause, "boss", won=True)
    assert (back.previous_owner, back.released_by) == (ANN.rep_id, {})
    held = replace(back, state=State.CLAIMED, owner=BOB.rep_id, claimed_at=NOON)
    again, _ = return_lead(held, a_playbook(), NOON, cause, "boss", won=True)
    assert again.previous_owner == BOB.rep_id, "now it may be theirs again"


def test_a_claim_undone_in_between_was_nobodys_turn() -> None:
    held = a_lead(
        state=State.CLAIMED, owner=BOB.rep_id, claimed_at=NOON, previous_owner=ANN.rep_id, epoch=2
    )
    back, _ = return_lead(held, a_playbook(), NOON, UNDONE, BOB.rep_id, won=True)
    assert back.previous_owner == ANN.rep_id


def test_a_lock_remembers_the_latest_few_within_the_cooldown_in_whole_seconds() -> None:
    reps = [a_rep(number).rep_id for number in range(1, 8)]
    lead = a_lead()
    for number, rep_id in enumerate(reps):
        held = replace(lead, state=State.ASSIGNED, owner=rep_id, claimed_at=NOON)
        at = NOON + timedelta(days=number, milliseconds=700)
        lead, _ = return_lead(held, a_playbook(), at, RELEASED, rep_id, won=False)
    assert lead.released_by == {
        rep_id: NOON + timedelta(days=number) for number, rep_id in list(enumerate(reps))[3:]
    }
    assert len(lead.released_by) == MOST_RELEASED
    held = replace(lead, owner=reps[-1], state=State.ASSIGNED)
    later = NOON + timedelta(days=12)
    lead, _ = return_lead(held, a_playbook(), later, RELEASED, reps[6], won=False)
    assert lead.released_by == {reps[6]: later}, "the others' cooldown is over, by the second"


# Churn


def test_a_release_is_told_and_counted_as_such_and_an_undo_is_not() -> None:
    case = ReleaseCase()
    ledger = FakeLedger(case.world.memory)
    case.claim(ANN)
    case.release(ANN, None)
    case.holds(BOB)
    case.release(BOB)
    case.clock.pass_(milliseconds=1)
    pending = list(case.world.leads.waiting_in_outbox(case.clock()))
    relay(pending, case.world.leads, case.world.bus)
    assert LeadEvent("lead.returned", case.lead.lead_id, 2, BOB.rep_id) in case.world.bus.events
    for event in case.world.bus.events:
        project(event, ledger, case.world.roster)
    start, end = NOON - WEEK, NOON + WEEK
    assert releases(ledger.of_rep(BOB.rep_id, start, end), start, end) == 1
    assert releases(ledger.of_rep(ANN.rep_id, start, end), start, end) == 0
    assert releases(ledger.of_rep(BOB.rep_id, start, end), start, case.clock.at - WEEK) == 0
    assert not any(WHY in repr(entry) for entry in ledger.entries.values())
