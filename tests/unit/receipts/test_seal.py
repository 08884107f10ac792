"""A race is sealed once, from stored records, when it is over and its late losers are stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from dibs.assignment.override import assign
from dibs.core.errors import (
    AlreadyClaimed,
    Busy,
    ClaimRefused,
    Expired,
    LeadNotFound,
)
from dibs.core.events import LeadEvent
from dibs.core.lead import Lead
from dibs.core.rep import Rep
from dibs.dispatch.follow import follow
from dibs.offers.ports import OfferView
from dibs.race.claim import claim
from dibs.race.draw import commitment_of, draw_time, in_order, seed_of
from dibs.race.ports import SentOffer
from dibs.race.undo import undo
from dibs.receipts.audit import audit, of_day
from dibs.receipts.receipts import Receipt, SealedRace, Trace, broken
from dibs.receipts.seal import BLOCK_RACES, chain_up, dispute, own_receipt, seal_late
from support.builders import NOON, a_card, a_playbook, a_rep, proof_of
from support.fakes import FakeOffers, FakeRace, FakeWorld

AINA, BEN, CHONG, DAYANG = (a_rep(number) for number in range(1, 5))
SECONDS_TO_SEAL = 60  # thirty to undo, thirty for late losers


class SealCase(FakeWorld):
    """An organisation; the test runs its offer step and notify by hand."""

    def __init__(self, *reps: Rep, **playbook: object) -> None:
        super().__init__(a_playbook(**playbook))
        for rep in reps or (AINA, BEN, CHONG):
            self.add_rep(rep)

    def offer(self, card: int = 1) -> Lead:
        """Post a lead and notify its reps a second later."""
        lead = self.post_lead(a_card(card))
        self.follow(lead, "lead.opened")
        return lead

    def follow(self, lead: Lead, kind: str, rep: Rep | None = None) -> None:
        told = len(self.queue.of("offer"))
        event = LeadEvent(kind, lead.lead_id, lead.epoch, rep.rep_id if rep else None)
        follow(event, self.follow_deps())
        for batch in self.queue.of("offer")[told:]:
            at = self.clock() + timedelta(seconds=1)
            told_now = [SentOffer(batch.lead_id, batch.epoch, r, at, ()) for r in batch.rep_ids]
            self.offers.record(told_now)

    def claim(self, lead: Lead, rep: Rep) -> None:
        claim(self.race, lead.lead_id, rep.rep_id, proof_of(rep), self.clock)

    def seal(self, lead: Lead) -> SealedRace:
        """Wait until the race can be sealed, and seal it."""
        self.clock.pass_(seconds=SECONDS_TO_SEAL)
        self.follow(lead, "race.seal")
        return self.sealed(lead)

    def sealed(self, lead: Lead) -> SealedRace:
        sealed = self.races.find(lead.lead_id, lead.epoch)
        assert sealed is not None
        return sealed

    def own(self, lead: Lead, rep: Rep, epoch: int | None = None) -> Receipt | Trace:
        own = own_receipt(self.race, self.races, self.offers, lead.lead_id, rep.rep_id, epoch)
        return own.part


def brief(sealed: SealedRace) -> list[tuple[str, str, int | None, int | None, tuple[str, ...]]]:
    return [(r.rep_id, r.outcome.value, r.place, r.behind_ms, r.rules) for r in sealed.receipts]


def lost(case: SealCase, lead: Lead, rep: Rep) -> None:
    with pytest.raises(AlreadyClaimed):
        case.claim(lead, rep)


def chained(case: SealCase, now: datetime) -> int:
    return sum(block.races for block in chain_up(case.races, now))


# Judged


def test_the_answer_and_the_receipt_tell_of_one_moment_the_judged_one() -> None:
    # Time goes on while the answer is prepared: the count of open leads alone may take a while.
    case = SealCase(AINA, BEN, CHONG)
    lead = case.offer()
    case.claim(lead, AINA)
    won_at = case.clock()
    told, count = dict[str, AlreadyClaimed](), FakeRace.count_open
    for rep, answered_after in ((BEN, 280), (CHONG, 5)):
        case.clock.pass_(milliseconds=98)
        judged_at = case.clock()

        def slowly(*given: Any, ms: int = answered_after) -> int:
            case.clock.pass_(milliseconds=ms)
            return count(*given)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(FakeRace, "count_open", slowly)
            with pytest.raises(AlreadyClaimed) as lost_to:
                case.claim(lead, rep)
        told[rep.rep_id] = lost_to.value
        assert lost_to.value.details()["judged_at"] == judged_at
        assert case.memory.sightings[lead.lead_id, rep.rep_id][1].lost_at == judged_at
    case.follow(lead, "lead.claimed", AINA)
    by_rep = {receipt.rep_id: receipt for receipt in case.seal(lead).receipts}
    for rep_id, error in told.items():
        assert by_rep[rep_id].behind_ms == error.ms_ago
        assert by_rep[rep_id].attempted_at == error.judged_at
        assert error.judged_at == won_at + timedelta(milliseconds=error.ms_ago)


def test_a_refusal_and_its_receipt_tell_of_one_moment_too() -> None:
    case = SealCase(AINA, BEN)
    lead = case.offer()
    case.roster.pause(BEN.rep_id, NOON + timedelta(hours=1))
    ticks = iter(NOON + timedelta(milliseconds=number) for number in range(1, 99))
    with pytest.raises(ClaimRefused) as refused:
        claim(case.race, lead.lead_id, BEN.rep_id, proof_of(BEN), lambda: next(ticks))
    sighting = case.memory.sightings[lead.lead_id, BEN.rep_id][1]
    assert sighting.attempted_at == refused.value.details()["judged_at"]


def test_how_everybody_was_judged_is_kept_with_each_wave() -> None:
    case = SealCase(AINA, replace(BEN, active=False), CHONG)
    case.roster.pause(CHONG.rep_id, NOON + timedelta(hours=1))
    lead = case.offer()
    [judged] = case.races.judged(lead.lead_id, 1)
    assert (judged.wave_at, judged.at, judged.teams) == (NOON, NOON, ("north",))
    assert judged.playbook_version == case.memory.playbook.version
    assert judged.verdicts == {
        AINA.rep_id: (),
        BEN.rep_id: ("left",),
        CHONG.rep_id: ("paused",),
    }
    # A redelivered event judges nobody again.
    case.clock.pass_(seconds=5)
    case.follow(lead, "lead.opened")
    assert case.races.judged(lead.lead_id, 1) == [judged]


def test_each_wave_is_judged_when_it_is_told() -> None:
    tiers = {"teams": {"north": {"name": "N", "model": "tiers"}}, "windows": []}
    case = SealCase(replace(AINA, tier=1), BEN, **tiers)
    lead = case.offer()
    second = lead.openings("north")[1]
    assert second is not None
    case.clock.at = second
    case.follow(lead, "lead.due")
    first, then = case.races.judged(lead.lead_id, 1)
    assert first.verdicts[BEN.rep_id] == ("not_open_yet",)
    assert (then.wave_at, then.verdicts) == (second, {AINA.rep_id: (), BEN.rep_id: ()})


# SealedRace


def test_a_claimed_race_is_sealed_with_everybody_in_it() -> None:
    case = SealCase(AINA, BEN, CHONG, replace(DAYANG, active=False))
    lead = case.offer()
    case.clock.pass_(seconds=10)
    case.claim(lead, AINA)
    case.follow(lead, "lead.claimed", AINA)
    assert case.timers.seals == [(lead.lead_id, 1, NOON + timedelta(seconds=70))]
    case.clock.pass_(milliseconds=250)
    lost(case, lead, BEN)
    sealed = case.seal(lead)
    assert brief(sealed) == [
        (AINA.rep_id, "won", 1, 0, ()),
        (BEN.rep_id, "lost", 2, 250, ()),
        (CHONG.rep_id, "did_not_try", None, None, ()),
        (DAYANG.rep_id, "not_told", None, None, ("left",)),
    ]
    race = sealed.race
    assert (race.winner, race.cause, race.count) == (AINA.rep_id, "claimed", 4)
    assert (race.opened_at, race.closed_at) == (NOON, NOON + timedelta(seconds=10))
    assert race.sealed_at == case.clock()
    assert sealed.receipts[2].told_at == NOON + timedelta(seconds=1)


def test_a_refused_rep_has_the_rules_of_their_first_try() -> None:
    case = SealCase(AINA, BEN)
    lead = case.offer()
    case.roster.pause(BEN.rep_id, NOON + timedelta(minutes=10))
    for _ in range(2):
        with pytest.raises(ClaimRefused):
            case.claim(lead, BEN)
        case.clock.pass_(seconds=1)
    case.claim(lead, AINA)
    [_, ben] = case.seal(lead).receipts
    assert (ben.outcome, ben.rules, ben.attempted_at) == ("refused", ("paused",), NOON)


def test_a_race_is_not_sealed_before_it_can_be_undone_no_more() -> None:
    case = SealCase()
    lead = case.offer()
    case.follow(lead, "race.seal")
    assert case.races.sealed == {}
    assert case.timers.seals == []  # not over yet: the claim or the expiry asks again
    case.claim(lead, AINA)
    case.clock.pass_(seconds=59, milliseconds=999)
    case.follow(lead, "race.seal")
    assert case.races.sealed == {}
    assert case.timers.seals == [(lead.lead_id, 1, NOON + timedelta(seconds=60))]
    case.clock.pass_(milliseconds=1)
    case.follow(lead, "race.seal")
    assert case.sealed(lead).race.winner == AINA.rep_id


def test_the_first_seal_counts_and_who_tries_later_is_not_in_it() -> None:
    case = SealCase()
    lead = case.offer()
    case.claim(lead, AINA)
    sealed = case.seal(lead)
    case.clock.pass_(seconds=1)
    lost(case, lead, BEN)
    assert case.seal(lead) == sealed
    assert case.own(lead, BEN).outcome == "did_not_try"  # type: ignore[union-attr]


def test_a_race_nobody_won_is_sealed_as_expired_whoever_gets_the_lead_then() -> None:
    case = SealCase(AINA, BEN)
    lead = case.offer()
    case.clock.at = lead.closes_at
    with pytest.raises(Expired):
        case.claim(lead, BEN)
    case.follow(lead, "lead.due")
    case.follow(lead, "lead.expired")
    assert case.timers.seals == [(lead.lead_id, 1, lead.closes_at + timedelta(seconds=60))]
    assert case.lead(lead).owner == AINA.rep_id
    sealed = case.seal(lead)
    assert (sealed.race.winner, sealed.race.cause) == (None, "expired")
    assert brief(sealed) == [
        (BEN.rep_id, "too_late", None, None, ()),
        (AINA.rep_id, "did_not_try", None, None, ()),
    ]


def test_an_undone_race_is_sealed_as_undone_with_its_own_tries() -> None:
    case = SealCase(AINA, BEN)
    lead = case.offer()
    case.claim(lead, AINA)
    case.clock.pass_(milliseconds=40)
    lost(case, lead, BEN)
    case.clock.pass_(seconds=5)
    undo(case.race, lead.lead_id, AINA.rep_id, proof_of(AINA), case.clock)
    again = case.lead(lead)
    case.claim(again, BEN)
    case.clock.pass_(milliseconds=10)
    lost(case, again, AINA)  # the winner was faster than the offer step
    assert case.races.sealed == {}
    case.follow(again, "lead.claimed", BEN)
    first = case.seal(lead)
    assert (first.race.cause, first.race.winner) == ("undone", AINA.rep_id)
    assert brief(first) == [(AINA.rep_id, "won", 1, 0, ()), (BEN.rep_id, "lost", 2, 40, ())]
    second = case.seal(again)
    assert (second.race.cause, second.race.winner) == ("claimed", BEN.rep_id)
    assert brief(second) == [(BEN.rep_id, "won", 1, 0, ()), (AINA.rep_id, "lost", 2, 10, ())]


def test_an_undone_race_is_sealed_before_the_next_one_is_told() -> None:
    case = SealCase(AINA, BEN, CHONG)
    lead = case.offer()
    case.claim(lead, AINA)
    lost(case, lead, BEN)
    case.clock.pass_(seconds=5)
    undo(case.race, lead.lead_id, AINA.rep_id, proof_of(AINA), case.clock)
    again = case.lead(lead)
    case.follow(again, "lead.opened")  # its sent offers overwrite the first ones
    first = case.sealed(lead)
    assert [one.told_at for one in first.receipts] == [NOON + timedelta(seconds=1)] * 3
    case.claim(again, BEN)
    case.seal(again)
    # A rep sees, and may dispute, the latest race they were in or an earlier one.
    theirs = case.own(lead, AINA)
    assert isinstance(theirs, Receipt)
    assert (theirs.outcome, theirs.rules) == ("not_told", ("undone",))
    assert case.own(lead, AINA, 1).place == 1  # type: ignore[union-attr]
    assert object_to(case, lead, CHONG, "not fair", 1) == case.races.disputes(NOON.date())[0]
    assert case.sealed(lead).disputed == {CHONG.rep_id}
    assert case.sealed(again).disputed == set()


@pytest.mark.parametrize("early", [True, False])
def test_only_an_early_seal_reads_tries_as_they_are_at_that_moment(
    early: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    sightings = FakeOffers.sightings

    def noted(*given: Any, consistent: bool = False) -> dict[str, OfferView]:
        asked.append(consistent)
        return sightings(*given)

    monkeypatch.setattr(FakeOffers, "sightings", noted)
    case = SealCase(AINA, BEN)
    lead = case.offer()
    case.claim(lead, AINA)
    if early:
        case.clock.pass_(seconds=5)
        undo(case.race, lead.lead_id, AINA.rep_id, proof_of(AINA), case.clock)
        case.follow(case.lead(lead), "lead.opened")
    else:
        case.seal(lead)
    assert asked == [early]


def test_a_store_too_busy_to_seal_delays_no_offer(monkeypatch: pytest.MonkeyPatch) -> None:
    case = SealCase(AINA, BEN)
    lead = case.offer()
    case.claim(lead, AINA)
    undo(case.race, lead.lead_id, AINA.rep_id, proof_of(AINA), case.clock)

    def busy(lead_id: str, epoch: int) -> None:
        raise Busy

    with monkeypatch.context() as patched:
        patched.setattr(case.races, "find", busy)
        case.follow(case.lead(lead), "lead.opened")
    assert [batch.epoch for batch in case.queue.of("offer")] == [1, 2]
    case.follow(lead, "race.seal")
    assert case.sealed(lead).race.cause == "undone"


def test_a_rep_sees_their_last_race_though_later_openings_went_by_turn() -> None:
    case = SealCase(AINA, BEN)
    lead = case.offer()
    case.claim(lead, AINA)
    case.seal(lead)
    case.memory.leads[lead.lead_id] = replace(case.lead(lead), epoch=4)
    assert case.own(lead, AINA).place == 1  # type: ignore[union-attr]


def test_who_joined_after_the_wave_and_tried_has_a_receipt_too() -> None:
    case = SealCase(AINA)
    lead = case.offer()
    case.add_rep(BEN)
    case.add_rep(CHONG)
    case.claim(lead, AINA)
    lost(case, lead, BEN)
    assert [one.rep_id for one in case.seal(lead).receipts] == [AINA.rep_id, BEN.rep_id]


def test_a_lead_that_goes_by_turn_has_no_race() -> None:
    case = SealCase(AINA, model="round-robin")
    lead = case.post_lead(a_card())
    case.follow(lead, "lead.queued")
    assert case.lead(lead).owner == AINA.rep_id
    case.clock.pass_(hours=1)
    case.follow(lead, "race.seal")
    assert case.races.sealed == {}
    with pytest.raises(LeadNotFound):
        case.own(lead, AINA)


def test_a_seal_that_was_lost_is_asked_for_by_the_sweep() -> None:
    case = SealCase()
    lead = case.offer()
    case.claim(lead, AINA)
    case.clock.at = lead.closes_at + timedelta(seconds=104)
    assert seal_late(case.races, case.bus, case.clock()) == 0
    case.clock.pass_(seconds=1)
    assert seal_late(case.races, case.bus, case.clock()) == 1
    assert case.bus.events == [LeadEvent("race.seal", lead.lead_id, 1)]
    case.follow(lead, "race.seal")
    assert case.sealed(lead).race.winner == AINA.rep_id
    assert seal_late(case.races, case.bus, case.clock()) == 0


# Chained


def test_sealed_races_are_chained_once_in_the_next_block() -> None:
    case = SealCase()
    leads = [case.offer(number) for number in (1, 2)]
    for lead in leads:
        case.claim(lead, AINA)
    assert chained(case, case.clock()) == 0
    sealed = [case.seal(lead) for lead in leads]
    assert chained(case, case.clock()) == 2
    assert chained(case, case.clock()) == 0
    assert case.sealed(leads[0]).block == 1
    found = list(of_day(case.races, case.clock().date()))
    assert [one.sealed and one.sealed.head for one in found] == [one.head for one in sealed]
    after = of_day(case.races, case.clock().date(), (1, 1))
    assert [one.place for one in after] == [(1, 2)]
    assert list(audit(case.races, case.story)) == []


def test_of_two_who_chain_at_once_one_waits_for_the_next_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = SealCase()
    lead = case.offer()
    case.claim(lead, AINA)
    case.seal(lead)
    monkeypatch.setattr(case.races, "add_block", lambda number, link, at: False)
    assert chained(case, case.clock()) == 0
    assert case.sealed(lead).block is None


def test_a_crash_before_a_race_is_marked_chains_it_twice_and_that_is_no_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = SealCase()
    lead = case.offer()
    case.claim(lead, AINA)
    case.seal(lead)
    with monkeypatch.context() as patched:
        patched.setattr(case.races, "chained", lambda races, number: None)
        assert chained(case, case.clock()) == 1
    assert chained(case, case.clock()) == 1
    assert case.races.last_block()[0] == 2
    assert list(audit(case.races, case.story)) == []
    assert len(list(of_day(case.races, case.clock().date()))) == 1


def test_a_block_holds_no_more_races_than_an_item_can(monkeypatch: pytest.MonkeyPatch) -> None:
    case = SealCase()
    waiting = [(f"lead{n}", 1, "aa") for n in range(2 * BLOCK_RACES + 1)]
    monkeypatch.setattr(case.races, "unchained", lambda: waiting)
    monkeypatch.setattr(case.races, "chained", lambda races, number: None)
    assert chained(case, NOON) == len(waiting)
    assert case.races.last_block()[0] == 3
    assert broken([link for _, link in case.races.blocks()]) == []


# A rep's own


def test_before_it_is_sealed_a_rep_sees_what_is_known() -> None:
    case = SealCase(AINA, BEN, replace(CHONG, tier=3))
    lead = case.offer()
    case.claim(lead, AINA)
    lost(case, lead, BEN)
    part = case.own(lead, BEN)
    assert isinstance(part, Trace)
    assert (part.told_at, part.lost_at) == (NOON + timedelta(seconds=1), NOON)


def test_who_was_in_no_race_has_no_receipt_and_nothing_to_dispute() -> None:
    case = SealCase(AINA, BEN)
    lead = case.offer()
    stranger = case.add_rep(replace(CHONG, team="south"))
    case.claim(lead, AINA)
    for _ in range(2):
        for lead_id, rep, epoch in (
            (lead.lead_id, stranger, None),
            (lead.lead_id, stranger, 1),
            (lead.lead_id, AINA, 2),
            ("aaaaaaaaaaaa", AINA, None),
        ):
            with pytest.raises(LeadNotFound):
                own_receipt(case.race, case.races, case.offers, lead_id, rep.rep_id, epoch)
        with pytest.raises(LeadNotFound):
            object_to(case, lead, stranger, "not fair")
        case.seal(lead)


def object_to(case: SealCase, lead: Lead, rep: Rep, why: str, epoch: int | None = None) -> object:
    stores = (case.race, case.races, case.offers)
    return dispute(*stores, lead.lead_id, rep.rep_id, why, case.clock(), epoch)


def test_a_race_is_disputed_once_a_rep() -> None:
    case = SealCase(AINA, BEN)
    lead = case.offer()
    case.claim(lead, AINA)
    first = object_to(case, lead, BEN, "my phone was slow")
    case.clock.pass_(seconds=5)
    assert object_to(case, lead, BEN, "again") == first
    assert case.seal(lead).disputed == {BEN.rep_id}
    assert case.races.disputes(NOON.date()) == [first]


def test_what_becomes_of_a_person_breaks_no_receipt() -> None:
    case = SealCase(AINA, BEN)
    lead = case.offer()
    case.claim(lead, AINA)
    sealed = case.seal(lead)
    chain_up(case.races, case.clock())
    for kept in (case.memory.reps, case.memory.usage, case.memory.tokens):
        kept.pop(AINA.rep_id)
    assert list(audit(case.races, case.story)) == []
    assert case.sealed(lead).links == sealed.links


# A draw (C10)


def test_everybody_in_a_draw_has_a_receipt_by_their_ticket_and_the_race_shows_the_draw() -> None:
    case = SealCase(AINA, BEN, CHONG, DAYANG, draw={"collect_seconds": 2}, claims_per_day=1)
    lead = case.offer()
    for rep in (AINA, BEN, CHONG):
        case.claim(lead, rep)
    order = in_order(seed_of(lead), lead.lead_id, 1, [rep.rep_id for rep in (AINA, BEN, CHONG)])
    first, winner, last = order
    case.roster.pause(first, NOON + timedelta(hours=1))  # drawn first, but paused by then
    case.clock.pass_(seconds=4)
    case.follow(lead, "lead.due")
    now = case.leads.get(lead.lead_id)
    assert now is not None
    assert now.owner == winner
    lost(case, lead, DAYANG)
    sealed = case.seal(lead)
    assert brief(sealed) == [
        (winner, "won", 1, 0, ()),
        (last, "not_drawn", 2, None, ()),
        (DAYANG.rep_id, "lost", 3, 0, ()),
        (first, "refused", None, None, ("paused",)),
    ]
    assert sealed.race.draw == {
        "commitment": commitment_of(seed_of(lead)),
        "seed": seed_of(lead),
        "entrants": list(order),
        "winner": winner,
    }
    assert case.own(lead, case.memory.reps[last]) == sealed.receipts[1]


def a_draw(case: SealCase, *reps: Rep) -> Lead:
    """A lead whose draw is due, with these reps in it."""
    lead = case.offer()
    for rep in reps:
        case.claim(lead, rep)
    case.clock.at = draw_time(lead)
    return lead


def test_who_was_in_a_draw_that_a_manager_cut_short_was_not_drawn() -> None:
    case = SealCase(AINA, BEN, CHONG, draw={"collect_seconds": 5})
    lead = a_draw(case, AINA, BEN)
    assign(case.race, case.holdings, lead.lead_id, CHONG.rep_id, "boss", "Knows them", case.clock)
    assert brief(case.seal(lead)) == [
        (AINA.rep_id, "not_drawn", None, None, ()),
        (BEN.rep_id, "not_drawn", None, None, ()),
        (CHONG.rep_id, "did_not_try", None, None, ()),
    ]


@pytest.mark.parametrize("what", ["kept", "altered", "removed"])
def test_an_audit_finds_a_draw_that_is_not_the_one_that_was_sealed(what: str) -> None:
    case = SealCase(AINA, BEN, draw={"collect_seconds": 5})
    lead = a_draw(case, AINA, BEN)
    case.follow(lead, "lead.due")
    case.seal(lead)
    chained(case, case.clock())
    drawn = case.memory.draws[lead.lead_id, 1]
    if what == "altered":
        case.memory.draws[lead.lead_id, 1] = replace(drawn, entrants=drawn.entrants[:1])
    elif what == "removed":
        del case.memory.draws[lead.lead_id, 1]
    found = [(fault.kind, fault.where) for fault in audit(case.races, case.story)]
    assert found == ([] if what == "kept" else [("draw_changed", f"{lead.lead_id}/1")])
