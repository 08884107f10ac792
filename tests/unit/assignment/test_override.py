"""A manager may assign, reassign and withdraw a lead in any state but won and lost (R7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dibs.assignment import override
from dibs.assignment.assign import serve
from dibs.core.errors import (
    AlreadyClaimed,
    Busy,
    DibsError,
    Expired,
    IllegalMove,
    InvalidInput,
    LeadNotFound,
)
from dibs.core.events import LeadEvent
from dibs.core.lead import HELD, Lead, State
from dibs.core.rep import Rep
from dibs.dispatch import follow as offering
from dibs.dispatch.sweep import close, relay, sweep
from dibs.ledger.entries import ASSIGNED, CLAIMED, RETURNED
from dibs.ledger.project import project
from dibs.race.claim import Won, claim
from support.builders import a_card, a_playbook, a_rep, proof_of
from support.fake_ledger import FakeLedger
from support.fakes import FakeWorld, no_pause

ANN, BOB, CHO = a_rep(1), a_rep(2), a_rep(3)
WHY = "knows the customer"
S = State


class OverrideCase:
    """A lead, three reps and a manager."""

    def __init__(self, **playbook: Any) -> None:
        self.world = FakeWorld(a_playbook(**playbook))
        for rep in (ANN, BOB, CHO):
            self.world.add_rep(rep)
        self.clock = self.world.clock
        self.lead = self.world.post_lead(a_card())

    @property
    def now(self) -> Lead:
        return self.world.lead(self.lead)

    def claim(self, rep: Rep = ANN) -> Won:
        proof, race = proof_of(rep), self.world.race
        return claim(race, self.lead.lead_id, rep.rep_id, proof, self.clock, pause=no_pause)

    def assign(self, rep: Rep = BOB) -> tuple[Lead, bool]:
        return override.assign(
            self.world.race,
            self.world.holdings,
            self.lead.lead_id,
            rep.rep_id,
            "manager",
            WHY,
            self.clock,
            no_pause,
        )

    def withdraw(self, to: override.Where = "pool") -> tuple[Lead, bool]:
        return override.withdraw(
            self.world.race,
            self.world.holdings,
            self.lead.lead_id,
            to,
            "manager",
            WHY,
            self.clock,
            no_pause,
        )

    def is_(self, how: str) -> None:
        """Bring the lead into a state."""
        if how == "queued":
            self.clock.at = self.now.closes_at
            assert close(self.now, self.world.leads, self.clock())
        elif how == "parked":
            self.withdraw("nobody")
        elif how != "open":
            self.claim()
            state = State(how)
            worked = None if state in (S.CLAIMED, S.ASSIGNED) else self.clock()
            changed = replace(self.now, state=state, worked_at=worked)
            self.world.memory.leads[self.lead.lead_id] = changed
            if worked:
                used = self.world.memory.usage[ANN.rep_id]
                self.world.memory.usage[ANN.rep_id] = replace(used, in_hand=0)
        self.clock.pass_(seconds=1)

    def serve(self) -> int:
        world, queue = self.world, self.world.holdings.queued()
        return len(serve(queue, world.race, world.roster, world.holdings, self.clock, no_pause))

    def events(self) -> list[LeadEvent]:
        self.clock.pass_(milliseconds=1)
        pending = list(self.world.leads.waiting_in_outbox(self.clock()))
        self.world.bus.events.clear()
        relay(pending, self.world.leads, self.world.bus)
        return self.world.bus.events

    def in_hand(self) -> list[int]:
        return [self.world.memory.usage[rep.rep_id].in_hand for rep in (ANN, BOB, CHO)]

    def last_moves(self, many: int) -> list[tuple[int, str, str, str, str, str]]:
        found = self.world.leads.history(self.lead.lead_id)[-many:]
        return [(m.epoch, m.from_state, m.to_state, m.cause, m.by, m.note) for m in found]


WAITS = ("open", "queued", "parked")
HELD_IN = tuple(state.value for state in HELD)
DONE = ("won", "lost")


@pytest.mark.parametrize("how", [*WAITS, *HELD_IN, *DONE])
def test_a_manager_gives_any_lead_that_is_not_done_with_to_anybody(how: str) -> None:
    case = OverrideCase(claims_per_day=1)
    case.is_(how)
    before = case.now
    if how in DONE:
        with pytest.raises(IllegalMove):
            case.assign()
        assert case.now == before
        return
    given, changed = case.assign()
    assert (changed, given) == (True, case.now)
    assert (given.state, given.owner, given.claimed_at) == (S.ASSIGNED, BOB.rep_id, case.clock())
    assert (given.worked_at, given.on_hold) == (None, False)
    assert given.return_at is not None
    assert case.world.memory.look_at[given.lead_id] < given.return_at
    assert case.in_hand() == [0, 1, 0]
    claim_ = case.world.memory.claims[given.lead_id]
    assert (claim_.rep_id, claim_.epoch, claim_.competitive) == (BOB.rep_id, given.epoch, False)
    assigned = ("assigned", override.BY_MANAGER, "manager", WHY)
    if how in HELD_IN:
        assert (given.epoch, given.previous_owner) == (2, ANN.rep_id)
        assert case.last_moves(2) == [
            (1, how, "released", override.REASSIGNED, "manager", WHY),
            (2, "released", *assigned),
        ]
    else:
        assert (given.epoch, given.previous_owner) == (1, None)
        assert case.last_moves(1) == [(1, "open" if how == "open" else "expired", *assigned)]
    assert case.assign() == (given, False)
    assert LeadEvent("lead.assigned", given.lead_id, given.epoch, BOB.rep_id) in case.events()


@pytest.mark.parametrize(
    ("how", "to", "state", "epoch", "parked"),
    [
        ("open", "pool", S.OPEN, 1, None),
        ("queued", "pool", S.EXPIRED, 1, None),
        ("parked", "pool", S.OPEN, 2, False),
        ("open", "nobody", S.EXPIRED, 1, True),
        ("queued", "nobody", S.EXPIRED, 1, True),
        ("parked", "nobody", S.EXPIRED, 1, None),
        *((how, "pool", S.OPEN, 2, False) for how in HELD_IN),
        *((how, "nobody", S.EXPIRED, 2, True) for how in HELD_IN),
        *((how, "pool", IllegalMove, 1, None) for how in DONE),
        *((how, "nobody", IllegalMove, 1, None) for how in DONE),
    ],
)
def test_a_manager_withdraws_any_lead_that_is_not_done_with(
    how: str,
    to: override.Where,
    state: State | type[DibsError],
    epoch: int,
    parked: bool | None,
) -> None:
    case = OverrideCase()
    case.is_(how)
    before = case.now
    if not isinstance(state, State):
        with pytest.raises(state):
            case.withdraw(to)
        assert case.now == before
        return
    found, changed = case.withdraw(to)
    assert changed is (parked is not None)
    assert (found.state, found.epoch, found.owner) == (state, epoch, None)
    assert found == case.now
    assert found.on_hold is (before.on_hold if parked is None else parked)
    assert case.in_hand() == [0, 0, 0]
    assert found.previous_owner == (ANN.rep_id if how in HELD_IN else None)
    assert case.withdraw(to) == (found, False)
    if found.on_hold:
        assert case.world.holdings.queued() == []
        assert case.world.race.open_leads() == []
    if not changed:
        assert found == before
        return
    causes = {transition[3] for transition in case.last_moves(2 if how in HELD_IN else 1)}
    assert causes == {override.PUT_BACK if how == "parked" else override.WITHDRAWN}
    assert case.last_moves(1)[0][4] == "manager"
    notes = [transition[5] for transition in case.last_moves(2 if how in HELD_IN else 1)]
    assert notes[0] == WHY


def test_a_lead_put_aside_is_nobodys_however_long_until_a_manager_puts_it_back() -> None:
    case = OverrideCase(teams={"north": {"name": "N", "fallback": ANN.rep_id}})
    stale = case.lead
    case.withdraw("nobody")
    for _ in range(3):
        case.clock.pass_(hours=5)
        for event in (*case.events(), LeadEvent("lead.expired", stale.lead_id, 1)):
            offering.follow(event, case.world.follow_deps())
        case.world.bus.events.clear()
        world = case.world
        sweep(
            world.leads,
            world.race,
            world.holdings,
            world.roster,
            world.offers,
            world.bus,
            case.clock(),
        )
        assert case.serve() == 0
        with pytest.raises(Expired):
            case.claim()
    assert case.now.on_hold
    case.withdraw("pool")
    assert LeadEvent("lead.opened", stale.lead_id, 2) in case.events()
    assert case.claim(CHO).claim.epoch == 2


def test_where_nobody_races_a_lead_put_back_waits_for_the_next_in_turn() -> None:
    case = OverrideCase(model="round-robin")
    case.withdraw("nobody")
    assert case.serve() == 0
    found, _ = case.withdraw("pool")
    assert (found.state, found.on_hold, found.epoch) == (S.EXPIRED, False, 2)
    assert case.last_moves(2)[0][1:3] == ("new", "expired")
    assert LeadEvent("lead.expired", found.lead_id, 2) in case.events()
    assert case.serve() == 1


def test_offers_still_open_are_withdrawn_when_a_manager_assigns_the_lead() -> None:
    case = OverrideCase()
    for event in case.events():
        offering.follow(event, case.world.follow_deps())
    case.assign()
    with pytest.raises(AlreadyClaimed) as lost:
        case.claim(CHO)
    assert lost.value.claimed_by == (BOB.rep_id, BOB.name)
    for event in case.events():
        offering.follow(event, case.world.follow_deps())
    (batch,) = case.world.queue.of("withdraw")
    assert (batch.epoch, set(batch.rep_ids)) == (1, {ANN.rep_id, CHO.rep_id})
    assert [batch.rep_ids for batch in case.world.queue.of("assigned")] == [(BOB.rep_id,)]


def test_a_lead_assigned_by_turn_had_no_offers_to_withdraw() -> None:
    case = OverrideCase()
    case.is_("queued")
    case.events()
    assert case.serve() == 1
    for event in case.events():
        offering.follow(event, case.world.follow_deps())
    assert case.world.queue.of("withdraw") == []


def test_no_limit_and_no_cooldown_binds_a_manager_and_it_counts_all_the_same() -> None:
    case = OverrideCase(
        assignment={"in_hand_limit": 1},
        quota={"enabled": True, "base_per_week": 1},
    )
    case.is_("claimed")
    case.withdraw("pool")
    case.world.roster.pause(ANN.rep_id, case.clock.pass_(days=1))
    given, _ = case.assign(ANN)
    assert (given.owner, given.previous_owner) == (ANN.rep_id, ANN.rep_id)
    assert case.world.memory.usage[ANN.rep_id].leads == 2


@pytest.mark.parametrize("changes", [{"active": False}, None])
def test_who_left_or_never_was_gets_nothing(changes: dict[str, Any] | None) -> None:
    case = OverrideCase()
    if changes:
        case.world.roster.deactivate(BOB.rep_id, case.clock().date())
    with pytest.raises(InvalidInput) as wrong:
        case.assign(BOB if changes else a_rep(9))
    assert [error.field for error in wrong.value.errors] == ["rep_id"]
    assert case.now == case.lead


def test_a_lead_nobody_knows_is_not_found() -> None:
    case = OverrideCase()
    case.lead = replace(case.lead, lead_id="aaaaaaaaaaaa")
    for act in (case.assign, case.withdraw):
        with pytest.raises(LeadNotFound):
            act()


def test_a_test_lead_counts_for_nobody() -> None:
    case = OverrideCase()
    case.lead = case.world.post_lead(a_card(2, test=True))
    case.claim()
    case.assign()
    case.withdraw()
    assert case.in_hand() == [0, 0, 0]


# Two decisions at once


def test_who_claims_meanwhile_loses_the_lead_again_and_counts_come_out_right() -> None:
    case = OverrideCase()
    case.world.holdings.meanwhile = case.claim
    given, _ = case.assign()
    assert (given.owner, given.epoch, given.previous_owner) == (BOB.rep_id, 2, ANN.rep_id)
    assert case.in_hand() == [0, 1, 0]


def test_two_managers_at_once_decide_one_after_the_other() -> None:
    case = OverrideCase()
    case.claim()
    case.world.holdings.meanwhile = lambda: case.assign(CHO)
    given, _ = case.assign(BOB)
    assert (given.owner, given.epoch, given.previous_owner) == (BOB.rep_id, 3, CHO.rep_id)
    assert case.in_hand() == [0, 1, 0]


def test_a_lead_put_aside_while_its_turn_is_sought_goes_to_nobody() -> None:
    case = OverrideCase()
    case.is_("queued")
    case.world.holdings.meanwhile = lambda: case.withdraw("nobody")
    assert case.serve() == 0
    assert (case.now.on_hold, case.now.owner) == (True, None)


def test_work_recorded_meanwhile_is_read_again() -> None:
    case = OverrideCase()
    case.claim()

    def works() -> None:
        case.world.memory.leads[case.lead.lead_id] = replace(
            case.now, state=S.CONTACTED, worked_at=case.clock()
        )
        used = case.world.memory.usage[ANN.rep_id]
        case.world.memory.usage[ANN.rep_id] = replace(used, in_hand=0)

    case.world.holdings.meanwhile = works
    case.assign()
    assert case.in_hand() == [0, 1, 0]
    assert case.last_moves(2)[0][1] == "contacted"


def test_a_transaction_in_the_way_is_tried_again_and_given_up_on_in_the_end() -> None:
    case = OverrideCase()
    case.world.holdings.busy = 2
    assert case.assign()[1] is True
    case.world.holdings.busy = 99
    with pytest.raises(Busy):
        case.withdraw()
    assert case.now.owner == BOB.rep_id


# The ledger


def test_the_ledger_has_who_lost_it_and_who_got_it() -> None:
    case = OverrideCase()
    ledger = FakeLedger(case.world.memory)
    case.claim()
    case.clock.pass_(seconds=1)
    case.assign(BOB)
    case.clock.pass_(seconds=1)
    case.withdraw("nobody")
    events = list(case.events())
    case.assign(CHO)
    for event in (*events, *case.events()):
        project(event, ledger, case.world.roster)
    found = sorted(ledger.entries.values(), key=lambda entry: (entry.epoch, entry.kind))
    assert [(e.epoch, e.kind, e.rep_id, e.cause) for e in found] == [
        (1, CLAIMED, ANN.rep_id, "claimed"),
        (1, RETURNED, ANN.rep_id, override.REASSIGNED),
        (2, ASSIGNED, BOB.rep_id, override.BY_MANAGER),
        (2, RETURNED, BOB.rep_id, override.WITHDRAWN),
        (3, ASSIGNED, CHO.rep_id, override.BY_MANAGER),
    ]
