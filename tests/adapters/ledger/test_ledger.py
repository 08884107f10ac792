"""What the ledger promises, shown on its table and on the fake alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from dibs.assignment.override import assign
from dibs.assignment.ports import Holdings
from dibs.assignment.work import LEFT, accept, let_go, release
from dibs.core.lead import Lead, State
from dibs.core.rep import Rep
from dibs.intake.ports import LeadStore
from dibs.ledger.activities import Activity, Step, step
from dibs.ledger.entries import Entry
from dibs.ledger.ports import Ledger
from dibs.ledger.store import DynamoLedger, entry_item
from dibs.race.claim import claim
from dibs.race.ports import RaceStore
from dibs.race.undo import undo
from support.builders import NOON, World, a_card, a_playbook, a_rep, proof_of
from support.fake_ledger import FakeLedger
from support.fakes import FakeWorld

MS = timedelta(milliseconds=1)
MINUTE = timedelta(minutes=1)
AINA, BEN = a_rep(1), a_rep(2)
COUNTS = ("call", "contacted")

ENTRY = Entry("activity/1", "call", AINA.rep_id, "north", NOON, "2026-W48", "lead", 1)
WHOLE = Entry(
    entry_id="activity/2",
    kind="won",
    rep_id=AINA.rep_id,
    team="north",
    at=NOON + MS,
    week="2026-W48",
    lead_id="aaaaaaaaaaaa",
    epoch=3,
    taken_at=NOON - MS,
    take_ms=0,
    source="网站",
    territory="Sarawak",
    quality="hot",
    model="tiers",
    cause="fallback",
    amount=0,
    currency="MYR",
    playbook_version=7,
    test=True,
    digest="0123456789abcdef",
)


@dataclass
class Stores:
    """A ledger and the leads it is about, all of one make."""

    ledger: Ledger
    leads: LeadStore
    race: RaceStore
    holdings: Holdings
    post: Callable[..., Lead]

    def claimed(self, rep: Rep = AINA, *, test: bool = False, number: int = 1) -> Lead:
        """A lead the rep has just won."""
        lead = self.post(a_card(number, test=test), NOON)
        claim(self.race, lead.lead_id, rep.rep_id, proof_of(rep), lambda: NOON)
        return self.now(lead)

    def now(self, lead: Lead) -> Lead:
        found = self.leads.get(lead.lead_id)
        assert found is not None
        return found

    def in_hand(self, rep: Rep = AINA) -> int:
        return self.race.read("-", rep.rep_id).usage.in_hand


@pytest.fixture(params=["tables", "memory"])
def stores(request: pytest.FixtureRequest) -> Stores:
    # The lead is looked at again after 30 minutes, and goes back after 60.
    playbook = a_playbook(work={"hot_minutes": 60})
    world: World | FakeWorld
    ledger: Ledger
    if request.param == "tables":
        world = request.getfixturevalue("world")
        ledger = DynamoLedger(world.dynamo, world.settings)
    else:
        world = FakeWorld()
        ledger = FakeLedger(world.memory)
    world.put_playbook(playbook)
    for rep in (AINA, BEN):
        world.add_rep(rep)
    return Stores(ledger, world.leads, world.race, world.holdings, world.post_lead)


def stepped(lead: Lead, kind: str, at: datetime = NOON) -> Step:
    """What an activity makes of the lead, as it was read."""
    return step(lead, str(lead.owner), Activity("1", kind, at, lead.lead_id), COUNTS, at)


def told(kind: str, number: int = 1, rep: Rep = AINA) -> Entry:
    return replace(ENTRY, entry_id=f"activity/{number}", kind=kind, rep_id=rep.rep_id)


# Entries


@pytest.mark.parametrize("entry", [ENTRY, WHOLE, replace(ENTRY, lead_id=None, epoch=0)])
def test_an_entry_comes_back_as_it_was_put(stores: Stores, entry: Entry) -> None:
    stores.ledger.put([entry])
    assert stores.ledger.find([entry.entry_id, "activity/none"]) == {entry.entry_id: entry}
    assert list(stores.ledger.of_rep(AINA.rep_id, NOON, NOON + MINUTE)) == [entry]
    assert list(stores.ledger.of_team("north", ["2026-W48"])) == [entry]


def test_nothing_is_found_where_nothing_is(stores: Stores) -> None:
    assert stores.ledger.find([]) == {}
    assert list(stores.ledger.of_rep(AINA.rep_id, NOON, NOON + MINUTE)) == []
    assert list(stores.ledger.of_team("north", ["2026-W48"])) == []
    assert stores.ledger.story("aaaaaaaaaaaa") is None


def test_the_first_entry_of_an_id_stands(stores: Stores) -> None:
    stores.ledger.put([ENTRY])
    stores.ledger.put([replace(ENTRY, kind="email"), WHOLE])
    assert stores.ledger.find(["activity/1", "activity/2"]) == {
        "activity/1": ENTRY,
        "activity/2": WHOLE,
    }


def test_an_entry_found_twice_comes_once(stores: Stores) -> None:
    stores.ledger.put([ENTRY])
    assert list(stores.ledger.find(["activity/1", "activity/1"])) == ["activity/1"]


@pytest.mark.parametrize(
    ("after", "inside"), [(-MS, False), (0 * MS, True), (MINUTE - MS, True), (MINUTE, False)]
)
def test_a_reps_entries_are_those_from_the_start_to_before_the_end(
    stores: Stores, after: timedelta, inside: bool
) -> None:
    stores.ledger.put([replace(ENTRY, at=NOON + after)])
    assert len(list(stores.ledger.of_rep(AINA.rep_id, NOON, NOON + MINUTE))) == inside


def test_a_reps_entries_come_in_order_and_are_theirs(stores: Stores) -> None:
    entries = [replace(told("call", n), at=NOON + n * MS) for n in (3, 1, 2)]
    stores.ledger.put([*entries, told("call", 4, BEN)])
    found = stores.ledger.of_rep(AINA.rep_id, NOON, NOON + MINUTE)
    assert [entry.entry_id for entry in found] == ["activity/1", "activity/2", "activity/3"]


def test_a_teams_entries_are_those_of_the_weeks_asked_for(stores: Stores) -> None:
    weeks = ["2026-W47", "2026-W48", "2026-W49"]
    entries = [replace(told("call", n), week=week) for n, week in enumerate(weeks * 4)]
    stores.ledger.put([*entries, replace(WHOLE, entry_id="other", team="north#2026")])
    found = {entry.entry_id for entry in stores.ledger.of_team("north", weeks[1:])}
    assert found == {entry.entry_id for entry in entries if entry.week != "2026-W47"}


# Activities and their leads


def test_a_first_call_works_the_lead_and_frees_a_hand(stores: Stores) -> None:
    lead = stores.claimed()
    assert stores.in_hand() == 1
    at = NOON + MINUTE
    assert stores.ledger.record(told("call"), stepped(lead, "call", at))
    assert stores.now(lead) == replace(lead, worked_at=at)
    assert stores.in_hand() == 0
    assert stores.ledger.find(["activity/1"]) == {"activity/1": told("call")}
    assert stores.holdings.unworked(NOON + 999 * MINUTE) == []
    assert stores.holdings.held_by(AINA.rep_id) == [stores.now(lead)]


def test_an_activity_that_is_no_work_leaves_the_lead_waiting(stores: Stores) -> None:
    lead = stores.claimed()
    assert stores.ledger.record(told("email"), stepped(lead, "email"))
    assert stores.now(lead) == lead
    assert stores.in_hand() == 1
    assert stores.holdings.unworked(NOON + 999 * MINUTE) == [lead]


def test_a_test_lead_is_worked_and_was_never_in_hand(stores: Stores) -> None:
    lead = stores.claimed(test=True)
    assert stores.ledger.record(told("call"), stepped(lead, "call"))
    assert stores.now(lead).worked_at == NOON
    assert stores.in_hand() == 0


def test_a_move_is_recorded_with_the_stages_it_implies(stores: Stores) -> None:
    lead = stores.claimed()
    at = NOON + MINUTE
    made = stepped(lead, "opportunity", at)
    assert stores.ledger.record(told("opportunity"), made)
    assert stores.now(lead) == replace(lead, state=State.OPPORTUNITY, worked_at=at)
    story = stores.ledger.story(lead.lead_id)
    assert story is not None
    assert story.transitions[-1] == made.transition
    assert story.transitions[-1].implied == (State.CONTACTED, State.QUALIFIED)


@pytest.mark.parametrize("kind", ["won", "lost"])
def test_a_closed_lead_is_in_nobodys_hands(stores: Stores, kind: str) -> None:
    lead = stores.claimed()
    assert stores.ledger.record(told(kind), stepped(lead, kind))
    assert stores.now(lead) == replace(lead, state=State(kind), worked_at=NOON)
    assert stores.holdings.held_by(AINA.rep_id) == []
    assert stores.holdings.unworked(NOON + 999 * MINUTE) == []
    assert stores.in_hand() == 0
    later = told("call", 2)
    assert stores.ledger.record(later, stepped(stores.now(lead), "call"))
    assert stores.in_hand() == 0


def test_the_second_call_changes_nothing_but_the_ledger(stores: Stores) -> None:
    lead = stores.claimed()
    assert stores.ledger.record(told("call"), stepped(lead, "call"))
    worked = stores.now(lead)
    assert stores.ledger.record(told("call", 2), stepped(worked, "call", NOON + MINUTE))
    assert stores.now(lead) == worked
    assert stores.in_hand() == 0


def test_of_two_first_calls_at_the_same_time_one_is_told_to_look_again(stores: Stores) -> None:
    lead = stores.claimed()
    assert stores.ledger.record(told("call"), stepped(lead, "call"))
    assert not stores.ledger.record(told("call", 2), stepped(lead, "call", NOON + MINUTE))
    assert stores.now(lead).worked_at == NOON
    assert stores.in_hand() == 0
    assert list(stores.ledger.find(["activity/1", "activity/2"])) == ["activity/1"]


def test_an_entry_stored_before_changes_nothing(stores: Stores) -> None:
    stores.ledger.put([told("email")])
    lead = stores.claimed()
    assert not stores.ledger.record(told("won"), stepped(lead, "won"))
    assert stores.now(lead) == lead
    assert stores.in_hand() == 1
    assert stores.ledger.find(["activity/1"]) == {"activity/1": told("email")}


@pytest.mark.parametrize("kind", ["call", "email", "won"])
def test_an_activity_stands_only_on_the_lead_as_it_was_held(stores: Stores, kind: str) -> None:
    lead = stores.claimed()
    undo(stores.race, lead.lead_id, AINA.rep_id, proof_of(AINA), lambda: NOON)
    before = stores.now(lead)
    assert not stores.ledger.record(told(kind), stepped(lead, kind))
    assert stores.ledger.find(["activity/1"]) == {}
    assert stores.now(lead) == before
    claim(stores.race, lead.lead_id, BEN.rep_id, proof_of(BEN), lambda: NOON)
    assert not stores.ledger.record(told(kind), stepped(lead, kind))
    assert stores.in_hand(BEN) == 1


def test_an_activity_of_an_earlier_opening_does_not_stand_on_a_later_one(stores: Stores) -> None:
    lead = stores.claimed()
    undo(stores.race, lead.lead_id, AINA.rep_id, proof_of(AINA), lambda: NOON)
    assign(stores.race, stores.holdings, lead.lead_id, AINA.rep_id, "boss", "ok", lambda: NOON)
    assert not stores.ledger.record(told("call"), stepped(lead, "call"))
    assert stores.ledger.record(told("call"), stepped(stores.now(lead), "call"))


def test_an_activity_about_no_lead_is_stored_alone(stores: Stores) -> None:
    entry = replace(told("training_step"), lead_id=None, epoch=0)
    assert stores.ledger.record(entry, None)
    assert not stores.ledger.record(entry, None)
    assert stores.ledger.find(["activity/1"]) == {"activity/1": entry}


# The story of a lead


def test_a_story_has_the_lead_who_took_it_and_every_step(stores: Stores) -> None:
    lead = stores.claimed()
    story = stores.ledger.story(lead.lead_id)
    assert story is not None
    assert story.lead == lead
    assert story.claim is not None
    assert (story.claim.rep_id, story.claim.epoch) == (AINA.rep_id, 1)
    assert [transition.to_state for transition in story.transitions] == [State.OPEN]


def test_a_story_remembers_who_held_the_lead_before(stores: Stores) -> None:
    lead = stores.claimed()
    let_go(stores.race, stores.holdings, AINA.rep_id, "manager", lambda: NOON + MINUTE)
    story = stores.ledger.story(lead.lead_id)
    assert story is not None
    assert story.lead.epoch == 2
    steps = {(m.epoch, m.to_state, m.cause, m.holder or m.by) for m in story.transitions}
    assert steps >= {
        (1, State.CLAIMED, "claimed", AINA.rep_id),
        (1, State.RELEASED, LEFT, AINA.rep_id),
    }


def test_an_entry_takes_as_little_room_as_it_can() -> None:
    small = Entry("training/1", "training_step", AINA.rep_id, "north", NOON, "2026-W48")
    assert set(entry_item(small)) == {
        "entry_id",
        "kind",
        "rep_id",
        "team",
        "at",
        "week",
        "week_shard",
    }


# An assignment is accepted once (F2)


def two_assigned(stores: Stores) -> tuple[Lead, Lead]:
    """Two leads a manager has just given to Aina."""
    leads = [stores.post(a_card(number), NOON) for number in (1, 2)]
    for lead in leads:
        assign(stores.race, stores.holdings, lead.lead_id, AINA.rep_id, "boss", "x", lambda: NOON)
    assert unaccepted(stores) == 2
    return stores.now(leads[0]), stores.now(leads[1])


def unaccepted(stores: Stores) -> int:
    return stores.race.read("aaaaaaaaaaaa", AINA.rep_id).usage.unaccepted


def accepts(stores: Stores, lead: Lead) -> None:
    proof = proof_of(AINA)
    accept(stores.race, stores.holdings, lead.lead_id, AINA.rep_id, proof, lambda: NOON)


def releases(stores: Stores, lead: Lead) -> None:
    proof = proof_of(AINA)
    ours = (lead.lead_id, AINA.rep_id, proof, "Not mine", lambda: NOON)
    release(stores.race, stores.holdings, *ours)


def test_who_works_an_assigned_lead_and_accepts_it_then_has_accepted_it_once(
    stores: Stores,
) -> None:
    lead, _ = two_assigned(stores)
    assert stores.ledger.record(told("call"), stepped(lead, "call"))
    accepts(stores, lead)
    assert not stores.holdings.accept(lead, NOON)
    assert unaccepted(stores) == 1


def test_work_on_a_lead_that_was_accepted_meanwhile_accepts_it_no_more(stores: Stores) -> None:
    lead, _ = two_assigned(stores)
    assert stores.holdings.accept(lead, NOON)
    assert not stores.ledger.record(told("call"), stepped(lead, "call"))
    assert stores.ledger.record(told("call"), stepped(stores.now(lead), "call"))
    assert unaccepted(stores) == 1


@pytest.mark.parametrize("write", ["give_back", "override"])
def test_a_lead_that_is_accepted_while_it_is_taken_away_is_accepted_once(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    lead, _ = two_assigned(stores)
    store = getattr(stores.holdings, write)

    def accepted_before(*arguments: Any) -> bool:
        stores.holdings.accept(lead, NOON)
        return bool(store(*arguments))

    monkeypatch.setattr(stores.holdings, write, accepted_before)
    if write == "give_back":
        releases(stores, lead)
    else:
        to = (lead.lead_id, BEN.rep_id, "boss", "Not hers", lambda: NOON)
        assign(stores.race, stores.holdings, *to)
    assert stores.now(lead).epoch == 2
    assert unaccepted(stores) == 1


def test_a_lead_that_moves_on_is_accepted_whatever_counts_as_work(stores: Stores) -> None:
    """Else nothing ever takes it off what waits for them, and the race stays closed to them."""
    lead, _ = two_assigned(stores)
    moved_on = step(lead, AINA.rep_id, Activity("1", "contacted", NOON), ("call",), NOON)
    assert (moved_on.first_work, moved_on.accepts) == (False, True)
    assert stores.ledger.record(told("contacted"), moved_on)
    assert unaccepted(stores) == 1
    releases(stores, lead)
    assert unaccepted(stores) == 1
