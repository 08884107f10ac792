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
from dibs.race.lifecycle import MOST_RELEASED, given_back
from dibs.reports.assignment_rows import releases
from support.builders import NOON, a_card, a_lead, a_playbook, a_rep, proof_of, token_of
from support.fake_ledger import FakeLedger
from support.fakes import FakeWorld, no_pause

ANN, BOB, CHO = a_rep(1), a_rep(2), a_rep(3)
SECOND, WEEK = timedelta(seconds=1), timedelta(days=7)
WHY = "wrong industry"


class Office:
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

    def release(self, rep: Rep, reason: Any = WHY, token: str = "") -> tuple[Lead, bool]:
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
    office = Office()
    office.holds(ANN)
    back, undone = office.release(ANN)
    assert (undone, back) == (False, office.now)
    assert (back.state, back.owner, back.epoch, back.claimed_at) == (State.OPEN, None, 2, None)
    assert (back.previous_owner, back.released_by) == (ANN.rep_id, {ANN.rep_id: office.clock()})
    assert back.opens_at == office.clock()
    assert office.in_hand(ANN) == 0
    assert office.world.memory.usage[ANN.rep_id].claims == 1, "it was taken, and counts"
    claimed, _, released, opened = office.world.leads.history(office.lead.lead_id)
    assert (claimed.to_state, claimed.by) == (State.CLAIMED, ANN.rep_id)
    assert (released.cause, released.by, released.note) == (RELEASED, ANN.rep_id, WHY)
    assert (released.epoch, released.holder) == (1, ANN.rep_id)
    assert (opened.epoch, opened.to_state, opened.note) == (2, State.OPEN, "")
    assert not office.claim(BOB).already_yours


def test_where_nobody_races_it_waits_for_the_next_in_turn() -> None:
    office = Office(model="round-robin")
    office.world.memory.leads[office.lead.lead_id] = replace(
        office.now, state=State.ASSIGNED, owner=ANN.rep_id, claimed_at=NOON
    )
    back, _ = office.release(ANN)
    assert (back.state, back.epoch, back.owner) == (State.RELEASED, 2, None)
    assert [lead.lead_id for lead in office.world.holdings.queued()] == [back.lead_id]


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
    office = Office()
    office.holds(ANN, state)
    before = office.now
    if isinstance(outcome, State):
        assert office.release(ANN)[0].state is outcome
    else:
        with pytest.raises(outcome):
            office.release(ANN)
        assert office.now == before


@pytest.mark.parametrize(
    ("seconds", "worked", "undone"),
    [(0, False, True), (30, False, True), (31, False, False), (10, True, False)],
)
def test_a_claim_of_a_moment_ago_is_undone_and_was_no_release(
    seconds: int, worked: bool, undone: bool
) -> None:
    office = Office()
    office.claim(ANN)
    if worked:
        office.world.memory.leads[office.lead.lead_id] = replace(office.now, worked_at=NOON)
    office.clock.pass_(seconds=seconds)
    assert office.release(ANN)[1] is undone
    if undone:
        assert (office.now.previous_owner, office.now.released_by) == (None, {})
        office.claim(ANN)
    else:
        assert office.refused(ANN)[0] == ["released_lately", "not_twice_in_a_row"]


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
    office = Office()
    office.holds(ANN)
    if kept is not None:
        office.release(ANN, reason)
        assert reason_of(reason) == kept
        notes = [transition.note for transition in office.world.leads.history(office.lead.lead_id)]
        assert notes == ["", "", kept, ""]
        return
    with pytest.raises(InvalidInput) as wrong:
        office.release(ANN, reason)
    assert [error.field for error in wrong.value.errors] == ["reason"]
    assert office.now.owner == ANN.rep_id


def test_a_mistake_needs_no_reason() -> None:
    office = Office()
    office.claim(ANN)
    assert office.release(ANN, None) == (office.now, True)


def test_only_its_holder_releases_a_lead() -> None:
    office = Office(ANN, BOB, replace(CHO, team="south"))
    office.holds(ANN)
    with pytest.raises(NotYours):
        office.release(BOB)
    with pytest.raises(LeadNotFound):
        office.release(replace(CHO, team="south"))
    with pytest.raises(Unauthorized):
        office.release(ANN, token=token_of(BOB))
    assert office.now.owner == ANN.rep_id


def test_who_got_it_as_a_last_resort_from_another_team_can_release_it() -> None:
    south = replace(CHO, team="south")
    office = Office(ANN, south, teams={"north": {"name": "N"}, "south": {"name": "S"}})
    office.world.memory.leads[office.lead.lead_id] = replace(
        office.now, teams=("north",), state=State.ASSIGNED, owner=south.rep_id, claimed_at=NOON
    )
    assert office.release(south)[0].previous_owner == south.rep_id


def test_released_is_released_however_often_one_asks_and_whoever_has_it_since() -> None:
    office = Office()
    office.holds(ANN)
    office.release(ANN)
    assert office.release(ANN) == (office.now, False)
    office.claim(BOB)
    assert office.release(ANN) == (office.now, False)
    assert office.now.owner == BOB.rep_id
    assert office.in_hand(ANN) == 0


def test_two_who_ask_at_once_release_once() -> None:
    office = Office()
    office.holds(ANN)
    office.world.holdings.meanwhile = lambda: office.release(ANN)
    assert office.release(ANN) == (office.now, False)
    assert (office.now.epoch, office.in_hand(ANN)) == (2, 0)


@pytest.mark.parametrize("cause", [NOT_WORKED, LEFT])
def test_a_lead_taken_back_meanwhile_was_not_released(cause: str) -> None:
    office = Office(work={"hot_minutes": 1})
    office.holds(ANN)
    office.world.holdings.meanwhile = lambda: office.lose(ANN, cause)
    with pytest.raises(NotYours):
        office.release(ANN)
    assert (office.now.epoch, office.now.released_by, office.in_hand(ANN)) == (2, {}, 0)


def test_a_lead_worked_meanwhile_is_released_all_the_same_and_lowers_nothing_twice() -> None:
    office = Office()
    office.holds(ANN)

    def works() -> None:
        memory, lead_id = office.world.memory, office.lead.lead_id
        memory.leads[lead_id] = replace(office.now, state=State.CONTACTED, worked_at=NOON)
        memory.usage[ANN.rep_id] = replace(memory.usage[ANN.rep_id], in_hand=0)

    office.world.holdings.meanwhile = works
    office.release(ANN)
    assert (office.now.owner, office.in_hand(ANN)) == (None, 0)


def test_another_transaction_in_the_way_is_tried_again() -> None:
    office = Office()
    office.holds(ANN)
    office.world.holdings.busy = 2
    assert office.release(ANN)[0].owner is None


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
    back, _ = given_back(held, a_playbook(), NOON, cause, "boss", won=True)
    assert (back.previous_owner, back.released_by) == (ANN.rep_id, {})
    held = replace(back, state=State.CLAIMED, owner=BOB.rep_id, claimed_at=NOON)
    again, _ = given_back(held, a_playbook(), NOON, cause, "boss", won=True)
    assert again.previous_owner == BOB.rep_id, "now it may be theirs again"


def test_a_claim_undone_in_between_was_nobodys_turn() -> None:
    held = a_lead(
        state=State.CLAIMED, owner=BOB.rep_id, claimed_at=NOON, previous_owner=ANN.rep_id, epoch=2
    )
    back, _ = given_back(held, a_playbook(), NOON, UNDONE, BOB.rep_id, won=True)
    assert back.previous_owner == ANN.rep_id


def test_a_lock_remembers_the_latest_few_within_the_cooldown_in_whole_seconds() -> None:
    reps = [a_rep(number).rep_id for number in range(1, 8)]
    lead = a_lead()
    for number, rep_id in enumerate(reps):
        held = replace(lead, state=State.ASSIGNED, owner=rep_id, claimed_at=NOON)
        at = NOON + timedelta(days=number, milliseconds=700)
        lead, _ = given_back(held, a_playbook(), at, RELEASED, rep_id, won=False)
    assert lead.released_by == {
        rep_id: NOON + timedelta(days=number) for number, rep_id in list(enumerate(reps))[3:]
    }
    assert len(lead.released_by) == MOST_RELEASED
    held = replace(lead, owner=reps[-1], state=State.ASSIGNED)
    later = NOON + timedelta(days=12)
    lead, _ = given_back(held, a_playbook(), later, RELEASED, reps[6], won=False)
    assert lead.released_by == {reps[6]: later}, "the others' cooldown is over, by the second"


# Churn


def test_a_release_is_told_and_counted_as_such_and_an_undo_is_not() -> None:
    office = Office()
    ledger = FakeLedger(office.world.memory)
    office.claim(ANN)
    office.release(ANN, None)
    office.holds(BOB)
    office.release(BOB)
    office.clock.pass_(milliseconds=1)
    pending = list(office.world.leads.waiting_in_outbox(office.clock()))
    relay(pending, office.world.leads, office.world.bus)
    assert LeadEvent("lead.returned", office.lead.lead_id, 2, BOB.rep_id) in office.world.bus.events
    for event in office.world.bus.events:
        project(event, ledger, office.world.roster)
    start, end = NOON - WEEK, NOON + WEEK
    assert releases(ledger.of_rep(BOB.rep_id, start, end), start, end) == 1
    assert releases(ledger.of_rep(ANN.rep_id, start, end), start, end) == 0
    assert releases(ledger.of_rep(BOB.rep_id, start, end), start, office.clock.at - WEEK) == 0
    assert not any(WHY in repr(entry) for entry in ledger.entries.values())
