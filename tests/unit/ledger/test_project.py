"""Events become entries once, in any order; none is lost when the lead has changed since (R10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from dibs.assignment.assign import serve
from dibs.assignment.work import LEFT, let_go
from dibs.core.events import RECORDED, LeadEvent
from dibs.core.lead import UNDONE
from dibs.ledger.entries import ASSIGNED, CLAIMED, RETURNED, Entry
from dibs.ledger.project import project
from dibs.race.claim import claim
from dibs.race.undo import undo
from support.builders import NOON, a_card, a_playbook, a_rep, proof_of
from support.fake_ledger import FakeLedger
from support.fakes import FakeWorld, no_pause

MINUTE = timedelta(minutes=1)
AINA, BEN = a_rep(1), a_rep(2)


class LedgerCase(FakeWorld):
    """An organisation with a ledger, and a lead with a long history."""

    def __init__(self, **playbook: Any) -> None:
        super().__init__(a_playbook(**playbook))
        self.ledger = FakeLedger(self.memory)
        for rep in (AINA, BEN):
            self.add_rep(rep)
        self.posted = self.post_lead(a_card(territory="Sarawak"))

    def won(self, rep: Any, **after: float) -> None:
        self.clock.pass_(**after)
        claim(self.race, self.posted.lead_id, rep.rep_id, proof_of(rep), self.clock)

    def gone(self, rep: Any, **after: float) -> None:
        self.clock.pass_(**after)
        let_go(self.race, self.holdings, rep.rep_id, "manager", self.clock)

    def event(self, kind: str, epoch: int) -> LeadEvent:
        return LeadEvent(f"lead.{kind}", self.posted.lead_id, epoch, "whoever")

    def told(self, *events: LeadEvent) -> dict[str, Entry]:
        """Project these events; return the ledger's entries by kind and opening."""
        for event in events:
            project(event, self.ledger, self.roster)
        return {
            entry_id.replace(f"/{self.posted.lead_id}", ""): entry
            for entry_id, entry in self.ledger.entries.items()
        }


def test_a_won_race_is_an_entry_with_all_that_reports_ask_for() -> None:
    case = LedgerCase()
    case.won(AINA, seconds=3)
    at = NOON + timedelta(seconds=3)
    assert case.told(case.event("claimed", 1)) == {
        "taken/1": Entry(
            entry_id=f"taken/{case.posted.lead_id}/1",
            kind=CLAIMED,
            rep_id=AINA.rep_id,
            team="north",
            at=at,
            week="2026-W48",
            lead_id=case.posted.lead_id,
            epoch=1,
            taken_at=at,
            take_ms=3000,
            source="google-ads",
            territory="Sarawak",
            quality="hot",
            model="open-pool",
            cause="claimed",
            playbook_version=case.memory.playbook.version,
            day="2026-11-23",
            unit=f"lead/{case.posted.lead_id}",
        )
    }


def test_an_assigned_lead_is_an_entry_that_says_why() -> None:
    case = LedgerCase(model="round-robin")
    case.clock.pass_(seconds=2)
    serve(case.holdings.queued(), case.race, case.roster, case.holdings, case.clock, no_pause)
    entry = case.told(case.event("assigned", 1))["taken/1"]
    assert (entry.kind, entry.cause, entry.model) == (ASSIGNED, "assigned", "round-robin")
    assert (entry.rep_id, entry.at) == (AINA.rep_id, case.clock.at)


def test_a_lead_given_back_is_an_entry_of_who_lost_it() -> None:
    case = LedgerCase()
    case.won(AINA)
    case.gone(AINA, minutes=5)
    entry = case.told(case.event("returned", 1))["returned/1"]
    assert (entry.kind, entry.rep_id, entry.cause) == (RETURNED, AINA.rep_id, LEFT)
    assert (entry.at, entry.epoch, entry.taken_at) == (NOON + 5 * MINUTE, 1, None)


def test_a_claim_of_a_lead_that_is_open_again_is_of_its_own_opening() -> None:
    case = LedgerCase()
    case.won(AINA, seconds=3)
    case.gone(AINA, minutes=5)
    entry = case.told(case.event("claimed", 1))["taken/1"]
    assert (entry.epoch, entry.take_ms, entry.taken_at) == (1, 3000, NOON + timedelta(seconds=3))


def test_an_undone_claim_is_returned_as_undone() -> None:
    case = LedgerCase()
    case.won(AINA)
    undo(case.race, case.posted.lead_id, AINA.rep_id, proof_of(AINA), case.clock)
    assert case.told(case.event("returned", 1))["returned/1"].cause == UNDONE


def handed_on() -> LedgerCase:
    """Let Aina win the lead and leave, then Ben win it."""
    case = LedgerCase()
    case.won(AINA, seconds=3)
    case.gone(AINA, minutes=5)
    case.won(BEN, minutes=1)
    return case


def test_a_claim_whose_record_was_overwritten_is_not_lost() -> None:
    case = handed_on()
    entry = case.told(case.event("claimed", 1))["taken/1"]
    assert (entry.kind, entry.rep_id, entry.team) == (CLAIMED, AINA.rep_id, "north")
    assert (entry.at, entry.epoch) == (NOON + timedelta(seconds=3), 1)
    assert entry.taken_at == entry.at
    assert entry.take_ms is None  # only this is no longer stored


def test_events_told_in_time_leave_out_nothing() -> None:
    case = LedgerCase()
    case.won(AINA, seconds=3)
    case.told(case.event("claimed", 1))
    case.gone(AINA, minutes=5)
    case.told(case.event("returned", 1))
    case.won(BEN, minutes=1)
    entries = case.told(case.event("claimed", 2))
    assert {name: (entry.rep_id, entry.take_ms) for name, entry in entries.items()} == {
        "taken/1": (AINA.rep_id, 3000),
        "returned/1": (AINA.rep_id, None),
        "taken/2": (BEN.rep_id, 60_000),
    }


@pytest.mark.parametrize(
    "order", [*permutations([("claimed", 1), ("returned", 1), ("claimed", 2)])]
)
def test_events_make_the_same_entries_in_any_order(order: Sequence[tuple[str, int]]) -> None:
    case = handed_on()
    events = [case.event(*one) for one in order]
    first = case.told(events[0])
    assert sorted(first) == ["returned/1", "taken/1", "taken/2"]  # one is enough for all
    assert case.told(*events, *events) == first


def test_telling_again_writes_nothing() -> None:
    case = handed_on()
    event = case.event("claimed", 2)
    assert [project(event, case.ledger, case.roster) for _ in range(2)] == [3, 0]


@pytest.mark.parametrize("kind", ["lead.opened", "lead.expired", "lead.queued", "lead.unworked"])
def test_other_events_are_let_pass(kind: str) -> None:
    case = LedgerCase()
    case.won(AINA)
    assert kind not in RECORDED
    assert project(LeadEvent(kind, case.posted.lead_id, 1), case.ledger, case.roster) == 0
    assert case.ledger.entries == {}


def test_a_lead_nobody_knows_is_let_pass() -> None:
    case = LedgerCase()
    assert project(LeadEvent("lead.claimed", "aaaaaaaaaaaa", 1), case.ledger, case.roster) == 0


def test_a_test_lead_is_written_down_as_one() -> None:
    case = LedgerCase()
    case.posted = case.post_lead(a_card(2, test=True))
    case.won(AINA)
    assert case.told(case.event("claimed", 1))["taken/1"].test
