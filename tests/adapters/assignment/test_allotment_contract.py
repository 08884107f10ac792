"""Turns, credits and leads kept for somebody: the stores in memory do what the tables do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from dibs.assignment.assign import serve
from dibs.assignment.head_start_store import DynamoTurns
from dibs.assignment.head_starts import OnTurn, Rotation
from dibs.assignment.ports import AssignmentWrite, PriorityTurns
from dibs.assignment.round_robin import Turn
from dibs.core.errors import Busy
from dibs.core.lead import Claim, Contact, Lead, Reserved, State, Transition
from dibs.race.absence import Credit
from dibs.race.lifecycle import new_claim
from dibs.race.opening import opening
from support.builders import NOON, World, a_card, a_lead, a_playbook, a_rep, counts_of
from support.fakes import FakeWorld

MS, SECOND, HOUR = (timedelta(**{unit: 1}) for unit in ("milliseconds", "seconds", "hours"))
TODAY, DAY = date(2026, 11, 23), timedelta(days=1)
AINA, BEN = a_rep(1), a_rep(2)
FIRST = date(2026, 11, 20)
Kind = World | FakeWorld


@dataclass
class Makes:
    """One organisation, on tables or in memory."""

    world: Kind
    turns: Callable[[], PriorityTurns]
    """The turns, as a process that remembers nothing reads them."""

    def used(self) -> tuple[date, ...]:
        return self.world.race.read("-", AINA.rep_id).usage.credits_used

    def accept(self, lead: Lead, card: Contact, credit: Credit | None = None) -> bool:
        """Store a lead; False when it was there."""
        return self.world.leads.accept(lead, card, None, NOON, credit=credit) is None


@pytest.fixture(params=["tables", "memory"])
def stores(request: pytest.FixtureRequest) -> Makes:
    world: Kind = request.getfixturevalue("world") if request.param == "tables" else FakeWorld()
    for rep in (AINA, BEN):
        world.add_rep(rep)

    def turns() -> PriorityTurns:
        if isinstance(world, FakeWorld):
            return world.turns
        return DynamoTurns(world.dynamo, world.settings)

    return Makes(world, turns)


# Turns


STANDS = Rotation(TODAY, {"ann": {"540-1080/30": 3}, "bob": {}}, {"ann": "540-1080/30"})
TURNS = (
    OnTurn(NOON, NOON + HOUR, ("ann", "bob")),
    OnTurn(NOON + HOUR, NOON + 2 * HOUR, ("cho",)),
)


def test_a_days_turns_come_back_with_where_they_stand(stores: Makes) -> None:
    assert stores.turns().rotation("north") == Rotation()
    assert stores.turns().of_day("north", TODAY) == ()
    assert stores.turns().give("north", Rotation(), STANDS, TODAY, TURNS)
    assert stores.turns().rotation("north") == STANDS
    assert stores.turns().of_day("north", TODAY) == TURNS
    assert stores.turns().of_day("north", TODAY + DAY) == ()
    assert stores.turns().rotation("south") == Rotation()


def test_a_day_is_given_out_once_whoever_is_second(stores: Makes) -> None:
    assert stores.turns().give("north", Rotation(), STANDS, TODAY, TURNS)
    assert not stores.turns().give("north", Rotation(), replace(STANDS, given={}), TODAY, ())
    assert stores.turns().of_day("north", TODAY) == TURNS
    tomorrow = replace(STANDS, day=TODAY + DAY)
    assert stores.turns().give("north", STANDS, tomorrow, TODAY + DAY, ())
    assert not stores.turns().give("north", STANDS, tomorrow, TODAY + DAY, TURNS)
    assert stores.turns().rotation("north") == tomorrow
    assert stores.turns().of_day("north", TODAY) == TURNS
    assert stores.turns().of_day("north", TODAY + DAY) == ()


# Credits


def test_a_credit_is_used_with_the_lead_it_is_for(stores: Makes) -> None:
    lead, card = a_lead(), a_card(lead_id=a_lead().lead_id)
    assert stores.accept(lead, card, Credit(AINA.rep_id, (), (FIRST,)))
    assert stores.used() == (FIRST,)
    # Sent again, the lead is known, and nothing more is used.
    again = Credit(AINA.rep_id, (FIRST,), (FIRST, FIRST))
    assert not stores.accept(lead, card, again)
    assert stores.used() == (FIRST,)


@pytest.mark.parametrize("before", [(), (FIRST - DAY,), (FIRST, FIRST)])
def test_a_credit_used_meanwhile_stores_nothing(stores: Makes, before: tuple[date, ...]) -> None:
    other = a_lead(lead_id="another")
    stores.accept(other, a_card(2, lead_id="another"), Credit(AINA.rep_id, (), (FIRST,)))
    lead, card = a_lead(), a_card(lead_id=a_lead().lead_id)
    with pytest.raises(Busy) as busy:
        stores.accept(lead, card, Credit(AINA.rep_id, before, (*before, FIRST)))
    assert busy.value.conflict
    assert stores.world.leads.get(lead.lead_id) is None
    assert stores.world.leads.card(lead.lead_id) is None
    assert stores.used() == (FIRST,)


def assign(
    stores: Makes, lead: Lead, credit: Credit | None = None, week_most: int | None = None
) -> bool:
    view = stores.world.race.read(lead.lead_id, AINA.rep_id)
    assert view.rep is not None
    claim = replace(
        _claim(lead), claimed_at=NOON + SECOND, cause="newcomer" if week_most else "absence_credit"
    )
    step = Transition(
        lead.lead_id, 1, NOON + SECOND, State.NEW, State.ASSIGNED, claim.cause, "dibs"
    )
    last = stores.world.holdings.last_turn("north")
    turn = Turn(last.round + 1, AINA.rep_id)
    counts = counts_of(view, claim, credit=credit, week_most=week_most)
    return stores.world.holdings.assign(
        lead, AssignmentWrite(claim, step, "north", last, turn, counts)
    )


def _claim(lead: Lead) -> Claim:

    return new_claim(lead, AINA, a_playbook(), NOON + SECOND, NOON)


def waiting(stores: Makes, number: int, reserved: Reserved) -> Lead:
    lead = replace(
        a_lead(lead_id=f"lead{number}"), state=State.NEW, reserved_for=reserved, closes_at=NOON
    )
    assert stores.accept(lead, a_card(number, lead_id=lead.lead_id))
    return lead


def test_an_assignment_uses_its_credit_once(stores: Makes) -> None:
    first, second = (waiting(stores, number, "absence") for number in (1, 2))
    credit = Credit(AINA.rep_id, (), (FIRST,))
    assert assign(stores, first, credit)
    assert stores.used() == (FIRST,)
    assert not assign(stores, second, credit)
    kept = stores.world.leads.get(second.lead_id)
    assert kept is not None
    assert (kept.state, kept.reserved_for, kept.owner) == (State.NEW, "absence", None)
    assert assign(stores, second, Credit(AINA.rep_id, (FIRST,), (FIRST, FIRST)))
    assert stores.used() == (FIRST, FIRST)
    assert stores.world.race.read("-", AINA.rep_id).usage.leads == 2


def test_no_more_is_assigned_in_a_week_than_is_due(stores: Makes) -> None:
    leads = [waiting(stores, number, "newcomers") for number in (1, 2, 3)]
    assert assign(stores, leads[0], week_most=1)
    assert not assign(stores, leads[1], week_most=1)
    assert assign(stores, leads[1], week_most=2)
    assert not assign(stores, leads[2], week_most=2)
    assert stores.world.race.read("-", AINA.rep_id).usage.leads == 2


# Leads kept for somebody


def test_a_lead_kept_for_somebody_is_opened_for_its_race_once(stores: Makes) -> None:
    lead = waiting(stores, 1, "newcomers")
    assert [one.lead_id for one in stores.world.holdings.queued()] == [lead.lead_id]
    opened = opening(
        replace(lead, state=State.OPEN, reserved_for="cohort"), a_playbook(), NOON + SECOND
    )
    transition = Transition(lead.lead_id, 1, NOON + SECOND, State.NEW, State.OPEN, "cohort", "dibs")
    assert stores.world.holdings.open(lead, opened, transition)
    assert stores.world.leads.get(lead.lead_id) == opened
    assert stores.world.holdings.queued() == []
    assert [one.lead_id for one in stores.world.leads.open_leads()] == [lead.lead_id]
    assert stores.world.leads.history(lead.lead_id) == [transition]
    kinds = [
        pending.event.kind
        for pending in stores.world.leads.waiting_in_outbox(NOON + 2 * SECOND)
        if pending.event
    ]
    assert kinds == ["lead.opened"]
    assert not stores.world.holdings.open(lead, opened, transition)
    assert not assign(stores, lead, week_most=5)


def test_a_lead_that_was_assigned_is_not_opened(stores: Makes) -> None:
    lead = waiting(stores, 1, "newcomers")
    assert assign(stores, lead, week_most=1)
    opened = opening(replace(lead, state=State.OPEN, reserved_for=""), a_playbook(), NOON + SECOND)
    transition = Transition(
        lead.lead_id, 1, NOON + SECOND, State.NEW, State.OPEN, "not_owed", "dibs"
    )
    assert not stores.world.holdings.open(lead, opened, transition)
    kept = stores.world.leads.get(lead.lead_id)
    assert kept is not None
    assert (kept.state, kept.owner) == (State.ASSIGNED, AINA.rep_id)


def test_a_newcomers_lead_goes_all_the_way(stores: Makes) -> None:
    rules = a_playbook(newcomers={"enabled": True, "per_week": 7})
    stores.world.put_playbook(rules)
    new = replace(a_rep(3), joined_on=TODAY - 3 * DAY)
    stores.world.add_rep(new)
    world = stores.world
    lead = world.post_lead(a_card(), NOON)
    assert lead.reserved_for == "newcomers"
    (given,) = serve([lead], world.race, world.roster, world.holdings, lambda: NOON + SECOND)
    assert (given.rep_id, given.cause) == (new.rep_id, "newcomer")
