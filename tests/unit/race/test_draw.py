"""The draw (C10): claims of the first seconds count as simultaneous, and a draw can be verified."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dibs.core.errors import (
    AlreadyClaimed,
    Busy,
    ClaimRefused,
    DibsError,
    Expired,
    LeadNotFound,
    RouteNotFound,
)
from dibs.core.events import LATE_AFTER, LeadEvent
from dibs.core.lead import Lead, State
from dibs.core.rep import Rep, Usage
from dibs.dispatch import follow as offering
from dibs.dispatch.sweep import close, sweep
from dibs.playbook.checks.teams import problems
from dibs.race import draw_winner as drawing
from dibs.race.claim import InDraw, Won, claim
from dibs.race.draw import (
    DRAWN_AFTER,
    WRITTEN_BY,
    DrawResult,
    collects,
    commitment_of,
    draw_is_due,
    flaws,
    in_order,
    seed_of,
    ticket,
)
from dibs.race.draw_winner import draw, look
from dibs.race.opening import reopening
from dibs.race.undo import undo
from support.builders import NOON, a_card, a_lead, a_playbook, a_rep, proof_of
from support.fakes import FakeDraws, FakeWorld

MS, SECOND = timedelta(milliseconds=1), timedelta(seconds=1)
COLLECTED = timedelta(seconds=5)
REPS = tuple(a_rep(number, name=f"Rep {number}") for number in range(1, 6))
AINA = REPS[0]


class Hall:
    """A lead whose claims are collected for 5 s, its reps, and their actions."""

    def __init__(self, **playbook: object) -> None:
        self.world = FakeWorld(a_playbook(draw={"collect_seconds": 5}, **playbook))
        for rep in REPS:
            self.world.add_rep(rep)
        self.lead = self.world.post_lead(a_card(team="north"))
        self.waited: list[float] = []

    def pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.world.clock.pass_(seconds=seconds)

    def claim(self, rep: Rep = AINA, lead: Lead | None = None) -> Won | InDraw:
        lead_id = (lead or self.lead).lead_id
        clock, proof = self.world.clock, proof_of(rep)
        return claim(self.world.race, lead_id, rep.rep_id, proof, clock, pause=self.pause)

    def refusal(self, rep: Rep = AINA) -> DibsError:
        with pytest.raises(DibsError) as refused:
            self.claim(rep)
        return refused.value

    def enter(self, *reps: Rep) -> None:
        for rep in reps:
            assert isinstance(self.claim(rep), InDraw)

    def draw(self, lead: Lead | None = None) -> None:
        draw(self.world.race, lead or self.lead, self.world.clock, self.pause)

    def drawn(self) -> DrawResult:
        found = self.world.race.draws().get(self.lead.lead_id)
        assert found is not None
        return found

    def stored(self) -> Lead:
        return self.world.lead(self.lead)

    def order(self, *reps: Rep) -> list[Rep]:
        """Return the reps in the order they are drawn."""
        lead = self.lead
        order = in_order(seed_of(lead), lead.lead_id, lead.epoch, [rep.rep_id for rep in reps])
        return sorted(reps, key=lambda rep: order.index(rep.rep_id))

    def follow(self, kind: str = "lead.due", rep_id: str | None = None) -> None:
        event = LeadEvent(kind, self.lead.lead_id, self.lead.epoch, rep_id)
        offering.follow(event, self.world.floor())


# The order of a draw


def test_a_seed_is_of_one_opening_and_tells_nothing_of_another() -> None:
    lead = a_lead()
    seeds = {
        seed_of(lead),
        seed_of(replace(lead, epoch=2)),
        seed_of(replace(lead, salt=b"other")),
    }
    assert len(seeds) == 3
    assert seed_of(lead) == seed_of(replace(lead, state=State.CLAIMED, owner="x"))


def test_anybody_recomputes_the_draw_with_nothing_but_sha_256() -> None:
    hall = Hall()
    hall.enter(*REPS)
    promised = hall.claim(AINA)
    assert isinstance(promised, InDraw)
    hall.draw()
    drawn = hall.drawn()

    def sha(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    assert sha(drawn.seed) == promised.commitment == drawn.commitment
    lowest = min(
        (rep.rep_id for rep in REPS),
        key=lambda rep_id: sha(f"{drawn.seed}|{hall.lead.lead_id}|1|{rep_id}"),
    )
    assert drawn.winner == lowest == hall.stored().owner
    assert flaws(drawn, promised.commitment) == []


A_DRAW = DrawResult(
    lead_id="lead",
    epoch=1,
    commitment=commitment_of("seed"),
    seed="seed",
    drawn_at=NOON,
    entrants=in_order("seed", "lead", 1, ["a", "b", "c", "d"]),
    passed=((in_order("seed", "lead", 1, ["a", "b", "c", "d"])[0], ("daily_limit",)),),
    winner=in_order("seed", "lead", 1, ["a", "b", "c", "d"])[1],
)
FIRST, SECOND_ONE, THIRD, LAST = A_DRAW.entrants


def test_a_draw_as_it_was_made_has_no_flaw() -> None:
    assert flaws(A_DRAW) == []
    everybody = tuple((rep_id, ("paused",)) for rep_id in A_DRAW.entrants)
    assert flaws(replace(A_DRAW, passed=everybody, winner=None)) == []
    assert flaws(replace(A_DRAW, entrants=(), passed=(), winner=None)) == []


@pytest.mark.parametrize(
    "altered",
    [
        replace(A_DRAW, seed="another"),
        replace(A_DRAW, commitment=commitment_of("another")),
        replace(A_DRAW, seed="another", commitment=commitment_of("another")),
        replace(A_DRAW, entrants=(SECOND_ONE, FIRST, THIRD, LAST)),
        replace(A_DRAW, entrants=(FIRST, SECOND_ONE, LAST, THIRD)),
        replace(A_DRAW, entrants=(FIRST, FIRST, SECOND_ONE, THIRD, LAST)),
        replace(A_DRAW, entrants=A_DRAW.entrants[1:]),
        replace(A_DRAW, winner=THIRD),
        replace(A_DRAW, winner=FIRST),
        replace(A_DRAW, winner=None),
        replace(A_DRAW, winner="e"),
        replace(A_DRAW, passed=()),
        replace(A_DRAW, passed=((FIRST, ()),)),
        replace(A_DRAW, passed=((SECOND_ONE, ("paused",)),)),
        replace(A_DRAW, epoch=2),
        replace(A_DRAW, lead_id="other"),
    ],
)
def test_whatever_is_altered_of_a_draw_is_noticed(altered: DrawResult) -> None:
    assert flaws(altered)


def test_a_draw_by_another_seed_than_was_shown_is_noticed_by_who_kept_the_commitment() -> None:
    seed = "another"
    order = in_order(seed, "lead", 1, A_DRAW.entrants)
    other = DrawResult("lead", 1, commitment_of(seed), seed, NOON, order, (), order[0])
    assert flaws(other) == []
    assert flaws(other, A_DRAW.commitment) == ["the commitment is not the one that was shown"]


def test_every_entrant_is_as_likely_to_win_as_any_other() -> None:
    # 20,000 leads with ten entrants each: chi-square with 9 degrees of freedom exceeds 27.9 once
    # in a thousand fair draws. Seeds are fixed, so this test is not flaky.
    reps = [a_rep(number).rep_id for number in range(1, 11)]
    wins: Counter[str] = Counter()
    for number in range(20_000):
        lead = a_lead(salt=number.to_bytes(9, "big"))
        wins[in_order(seed_of(lead), lead.lead_id, lead.epoch, reps)[0]] += 1
    assert sum((wins[rep] - 2_000) ** 2 / 2_000 for rep in reps) < 27.9


def test_every_place_in_the_order_is_as_likely_too() -> None:
    reps = [a_rep(number).rep_id for number in range(1, 6)]
    places: Counter[tuple[str, int]] = Counter()
    for number in range(10_000):
        order = in_order(seed_of(a_lead(salt=number.to_bytes(9, "big"))), "lead", 1, reps)
        places.update((rep_id, place) for place, rep_id in enumerate(order))
    # 16 degrees of freedom: 39.3 once in a thousand.
    assert sum((n - 2_000) ** 2 / 2_000 for n in places.values()) < 39.3


def test_tickets_depend_on_everything_they_name() -> None:
    base = ("seed", "lead", 1, "rep")
    others = [("seeds", "lead", 1, "rep"), ("seed", "l", 1, "rep"), ("seed", "lead", 2, "rep")]
    assert len({ticket(*one) for one in [base, *others, ("seed", "lead", 1, "r")]}) == 5


# Entering


def test_a_claim_in_the_window_is_answered_at_once_and_takes_nothing() -> None:
    hall = Hall()
    hall.world.clock.pass_(seconds=2)
    answer = hall.claim()
    assert answer == InDraw(hall.lead.lead_id, NOON + COLLECTED, commitment_of(seed_of(hall.lead)))
    assert hall.waited == []
    assert hall.stored() == hall.lead
    assert hall.world.memory.usage[AINA.rep_id] == Usage()
    assert hall.claim() == answer  # and again
    assert hall.world.race.draws().entrants(hall.lead) == [AINA.rep_id]


def test_without_the_rule_the_first_claim_wins_at_once() -> None:
    world = FakeWorld()
    world.add_rep(AINA)
    lead = world.post_lead(a_card())
    assert lead.draws_at is None
    won = claim(world.race, lead.lead_id, AINA.rep_id, proof_of(AINA), world.clock)
    assert isinstance(won, Won)
    assert not won.claim.drawn
    assert world.memory.entries == {}


def test_who_a_rule_refuses_or_may_not_know_of_the_lead_does_not_enter() -> None:
    hall = Hall(teams={"north": {"name": "N"}, "south": {"name": "S"}})
    hall.world.roster.pause(AINA.rep_id, NOON + SECOND)
    stranger = hall.world.add_rep(a_rep(9, team="south"))
    assert isinstance(hall.refusal(AINA), ClaimRefused)
    assert isinstance(hall.refusal(stranger), LeadNotFound)
    assert hall.world.memory.entries == {}
    hall.world.clock.pass_(seconds=1)
    hall.enter(AINA)


def test_the_last_instant_of_the_window_is_in_and_the_end_is_out() -> None:
    hall = Hall()
    hall.world.clock.at = NOON + COLLECTED - MS
    hall.enter(AINA)
    hall.world.clock.at = NOON + COLLECTED
    assert isinstance(hall.refusal(REPS[1]), AlreadyClaimed)
    assert hall.drawn().entrants == (AINA.rep_id,)


class Slow(FakeDraws):
    """Entries that are stored at a later time."""

    def __init__(self, world: FakeWorld, until: datetime) -> None:
        super().__init__(world.memory, world.race)
        self._clock, self._until = world.clock, until

    def enter(self, lead: Lead, rep_id: str, at: datetime) -> None:
        super().enter(lead, rep_id, at)
        self._clock.at = self._until


@pytest.mark.parametrize("others", [(), REPS[1:]])
@pytest.mark.parametrize(("took", "promised"), [(WRITTEN_BY - MS, True), (WRITTEN_BY, False)])
def test_an_entry_stored_too_late_is_not_promised_but_told_how_it_ended(
    took: timedelta, promised: bool, others: tuple[Rep, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = Hall()
    hall.enter(*others)
    hall.world.clock.at = NOON + COLLECTED - MS
    slow = Slow(hall.world, NOON + COLLECTED + took)
    monkeypatch.setattr(hall.world.race, "draws", lambda: slow)
    if promised:
        assert isinstance(hall.claim(AINA), InDraw)
        assert hall.stored() == hall.lead
    elif hall.order(AINA, *others)[0] is AINA:
        won = hall.claim(AINA)
        assert isinstance(won, Won)
        assert won.already_yours
    else:
        assert isinstance(hall.refusal(AINA), AlreadyClaimed)


def test_clocks_may_differ_by_half_a_second() -> None:
    assert WRITTEN_BY + timedelta(milliseconds=500) <= DRAWN_AFTER


# Drawing


def test_the_draw_waits_until_every_promised_entry_can_be_read() -> None:
    hall = Hall()
    hall.enter(AINA)
    assert not draw_is_due(hall.lead, NOON + COLLECTED + DRAWN_AFTER - MS)
    assert draw_is_due(hall.lead, NOON + COLLECTED + DRAWN_AFTER)
    hall.world.clock.at = NOON + COLLECTED
    hall.draw()
    assert hall.waited == [1.0]
    assert hall.drawn().drawn_at == NOON + COLLECTED + DRAWN_AFTER


def test_one_wins_as_by_a_claim_and_the_others_hear_who() -> None:
    hall = Hall()
    hall.enter(*REPS[:3])
    winner, *losers = hall.order(*REPS[:3])
    hall.draw()
    at = NOON + COLLECTED + DRAWN_AFTER
    won = hall.claim(winner)
    assert isinstance(won, Won)
    assert won.already_yours
    assert won.card is not None
    assert won.undo_until == at + timedelta(seconds=30)
    record = won.claim
    assert (record.claimed_at, record.drawn, record.competitive) == (at, True, True)
    assert record.claim_ms == 6_000
    assert hall.stored().state is State.CLAIMED
    assert hall.world.memory.usage[winner.rep_id].claims == 1
    for loser in losers:
        lost = hall.refusal(loser)
        assert isinstance(lost, AlreadyClaimed)
        assert lost.details()["drawn"] is True
        assert lost.claimed_by == (winner.rep_id, winner.name)
        assert hall.world.memory.usage[loser.rep_id] == Usage()
    assert hall.drawn() == DrawResult(
        hall.lead.lead_id,
        1,
        commitment_of(seed_of(hall.lead)),
        seed_of(hall.lead),
        at,
        tuple(rep.rep_id for rep in [winner, *losers]),
        (),
        winner.rep_id,
    )


def test_drawing_again_changes_nothing() -> None:
    hall = Hall()
    hall.enter(*REPS)
    hall.draw()
    before = repr(hall.world.memory)
    hall.draw()
    assert repr(hall.world.memory) == before


def test_who_may_not_have_it_any_more_is_passed_over_with_the_rule() -> None:
    hall = Hall(claims_per_day=1)
    first, second, third = hall.order(*REPS[:3])
    hall.enter(first, second, third)
    hall.world.roster.pause(first.rep_id, NOON + timedelta(hours=1))
    hall.world.memory.usage[second.rep_id] = Usage(second.today(NOON), 1)
    hall.draw()
    drawn = hall.drawn()
    assert drawn.passed == (
        (first.rep_id, ("paused",)),
        (second.rep_id, ("daily_limit",)),
    )
    assert drawn.winner == third.rep_id == hall.stored().owner
    assert flaws(drawn) == []


def test_who_used_up_their_limit_between_look_and_write_is_passed_over_too() -> None:
    hall = Hall(claims_per_day=1)
    first, second = hall.order(*REPS[:2])
    hall.enter(first, second)

    def meanwhile() -> None:
        hall.world.memory.usage[first.rep_id] = Usage(first.today(NOON), 1)

    hall.world.race.meanwhile = meanwhile
    hall.draw()
    assert hall.drawn().winner == second.rep_id
    assert hall.drawn().passed == ((first.rep_id, ("daily_limit",)),)


def test_a_rep_in_five_draws_with_one_claim_left_wins_one() -> None:
    hall = Hall(claims_per_day=1)
    leads = [hall.lead, *(hall.world.post_lead(a_card(number)) for number in range(2, 6))]
    for lead in leads:
        assert isinstance(hall.claim(AINA, lead), InDraw)
    for lead in leads:
        hall.draw(lead)
    owners = [hall.world.lead(lead).owner for lead in leads]
    assert owners.count(AINA.rep_id) == 1
    assert owners.count(None) == 4


@pytest.mark.parametrize("entered", [(), (AINA,)])
def test_where_nobody_may_have_it_the_race_goes_on_for_whoever_claims_first(
    entered: tuple[Rep, ...],
) -> None:
    hall = Hall()
    hall.enter(*entered)
    for rep in entered:
        hall.world.roster.pause(rep.rep_id, NOON + timedelta(hours=1))
    hall.draw()
    drawn = hall.drawn()
    assert drawn.winner is None
    assert drawn.passed == tuple((rep.rep_id, ("paused",)) for rep in entered)
    assert (hall.stored().state, hall.stored().draws_at) == (State.OPEN, None)
    won = hall.claim(REPS[1])
    assert isinstance(won, Won)
    assert (won.already_yours, won.claim.drawn) == (False, False)
    assert "drawn" not in hall.refusal(REPS[2]).details()


def test_a_draw_that_is_busy_is_tried_again_and_then_left_to_the_next() -> None:
    hall = Hall()
    hall.enter(AINA)
    hall.world.race.busy = 2
    hall.draw()
    assert hall.stored().owner == AINA.rep_id
    hall = Hall()
    hall.enter(AINA)
    hall.world.race.busy = drawing.ATTEMPTS
    with pytest.raises(Busy):
        hall.draw()
    assert hall.stored() == hall.lead
    hall.draw()
    assert hall.stored().owner == AINA.rep_id


def test_a_lost_answer_leaves_one_winner_and_one_record() -> None:
    hall = Hall()
    hall.enter(*REPS[:2])
    hall.world.race.lost_answers = 1
    hall.draw()
    assert hall.stored().owner == hall.order(*REPS[:2])[0].rep_id


def test_a_rep_who_left_is_passed_over() -> None:
    hall = Hall()
    first, second = hall.order(*REPS[:2])
    hall.enter(first, second)
    del hall.world.memory.reps[first.rep_id]
    hall.draw()
    assert hall.drawn().passed == ((first.rep_id, ("left",)),)
    assert hall.drawn().winner == second.rep_id


# No right depends on a timer


def test_the_timer_that_waits_for_a_lead_also_waits_for_its_draw() -> None:
    hall = Hall()
    hall.follow("lead.opened")
    due = NOON + COLLECTED + DRAWN_AFTER
    assert hall.world.timers.set == [(hall.lead.lead_id, 1, due)]
    hall.enter(*REPS[:2])
    hall.world.clock.at = due - MS
    hall.follow()
    assert hall.stored().owner is None
    assert hall.world.timers.set[-1][2] == due
    hall.world.clock.at = due
    hall.follow()
    assert hall.stored().owner == hall.order(*REPS[:2])[0].rep_id
    assert len(hall.world.timers.set) == 2


def test_after_a_draw_nobody_won_the_timer_waits_for_the_end() -> None:
    hall = Hall()
    hall.world.clock.at = NOON + COLLECTED + DRAWN_AFTER
    hall.follow()
    assert hall.stored().draws_at is None
    assert hall.world.timers.set == [(hall.lead.lead_id, 1, hall.lead.closes_at)]


def test_a_timer_of_an_earlier_opening_draws_nothing() -> None:
    hall = Hall()
    hall.enter(AINA)
    hall.world.clock.at = NOON + COLLECTED + DRAWN_AFTER
    offering.follow(LeadEvent("lead.due", hall.lead.lead_id, 7), hall.world.floor())
    assert hall.stored() == hall.lead


def test_without_any_timer_the_next_claim_carries_out_the_draw() -> None:
    hall = Hall()
    hall.enter(*REPS[:2])
    hall.world.clock.at = NOON + timedelta(minutes=2)
    assert isinstance(hall.refusal(REPS[2]), AlreadyClaimed)
    assert hall.stored().owner == hall.order(*REPS[:2])[0].rep_id
    assert hall.drawn().drawn_at == NOON + timedelta(minutes=2)


def test_a_claim_just_after_the_window_waits_for_the_draw_and_then_races() -> None:
    hall = Hall()
    hall.world.clock.at = NOON + COLLECTED + 300 * MS
    won = hall.claim(REPS[2])
    assert hall.waited == [0.7]
    assert isinstance(won, Won)
    assert won.claim.claimed_at == NOON + COLLECTED + DRAWN_AFTER
    assert hall.drawn().entrants == ()


def test_a_stranger_makes_nobody_draw() -> None:
    hall = Hall(teams={"north": {"name": "N"}, "south": {"name": "S"}})
    stranger = hall.world.add_rep(a_rep(9, team="south"))
    hall.world.clock.at = NOON + COLLECTED
    assert isinstance(hall.refusal(stranger), LeadNotFound)
    assert hall.waited == []
    assert hall.stored() == hall.lead


def swept(hall: Hall) -> None:
    world = hall.world
    world.bus.events.clear()
    sweep(world.leads, world.race, world.holdings, world.roster, world.bus, world.clock())


def test_the_sweep_brings_back_a_draw_that_nobody_made() -> None:
    hall = Hall()
    hall.enter(*REPS)
    hall.follow("lead.opened")
    again = LeadEvent("lead.opened", hall.lead.lead_id, 1)
    hall.world.memory.outbox.clear()
    hall.world.clock.at = NOON + COLLECTED + DRAWN_AFTER + LATE_AFTER - MS
    swept(hall)
    assert hall.world.bus.events == []
    hall.world.clock.pass_(milliseconds=1)
    swept(hall)
    assert hall.world.bus.events == [again]
    offering.follow(again, hall.world.floor())
    assert hall.stored().owner is not None
    hall.world.memory.outbox.clear()
    swept(hall)
    assert hall.world.bus.events == []


def test_who_is_in_a_draw_keeps_their_chance_when_it_comes_after_the_lead_closed() -> None:
    hall = Hall()
    hall.enter(*REPS[:2])
    hall.world.clock.at = hall.lead.closes_at + timedelta(minutes=3)
    assert not close(hall.lead, hall.world.leads, hall.world.clock())
    swept(hall)
    offering.follow(LeadEvent("lead.due", hall.lead.lead_id, 1), hall.world.floor())
    assert hall.stored().owner == hall.order(*REPS[:2])[0].rep_id
    assert hall.drawn().drawn_at == hall.lead.closes_at - MS


def test_a_timer_of_a_lead_that_closes_before_its_draw_waits_on() -> None:
    hall = Hall(window_seconds=5)
    hall.enter(AINA)
    hall.follow("lead.opened")
    hall.world.clock.at = hall.lead.closes_at
    hall.follow("lead.check")
    assert [at for _, _, at in hall.world.timers.set] == [hall.lead.closes_at]
    hall.follow()
    due = NOON + COLLECTED + DRAWN_AFTER
    assert [at for _, _, at in hall.world.timers.set] == [hall.lead.closes_at, due]
    hall.world.clock.at = due
    hall.follow()
    assert hall.stored().owner == AINA.rep_id
    assert len(hall.world.timers.set) == 2


def test_a_lead_nobody_entered_for_closes_after_its_draw() -> None:
    hall = Hall()
    hall.world.clock.at = hall.lead.closes_at
    hall.follow()
    assert hall.stored().state is State.EXPIRED
    assert hall.drawn().winner is None
    assert isinstance(hall.refusal(AINA), Expired)


def test_a_claim_after_the_end_hears_how_the_draw_ended() -> None:
    hall = Hall()
    hall.enter(AINA)
    hall.world.clock.at = hall.lead.closes_at + SECOND
    won = hall.claim(AINA)
    assert isinstance(won, Won)
    assert won.claim.drawn


# After the draw


def test_the_winner_is_told_because_nobody_waits_for_an_answer() -> None:
    hall = Hall()
    hall.enter(AINA)
    hall.draw()
    hall.follow("lead.claimed", AINA.rep_id)
    assert [batch.rep_ids for batch in hall.world.queue.of("assigned")] == [(AINA.rep_id,)]
    assert [batch.rep_ids for batch in hall.world.queue.of("won")] == [(AINA.rep_id,)]


def test_who_was_first_after_a_draw_is_not_told_what_they_know() -> None:
    hall = Hall()
    hall.draw()
    hall.claim(AINA)
    hall.follow("lead.claimed", AINA.rep_id)
    assert hall.world.queue.of("assigned") == []


def test_a_lead_given_back_is_collected_for_anew_under_another_seed() -> None:
    hall = Hall()
    hall.enter(AINA)
    hall.draw()
    proof = proof_of(AINA)
    back = undo(hall.world.race, hall.lead.lead_id, AINA.rep_id, proof, hall.world.clock)
    assert back.draws_at == hall.world.clock() + COLLECTED
    answer = hall.claim(REPS[1])
    assert isinstance(answer, InDraw)
    assert answer.commitment != hall.drawn().commitment
    hall.draw(hall.lead)  # a process that draws the earlier opening
    assert hall.stored() == back
    hall.draw(back)
    assert hall.stored().owner == REPS[1].rep_id
    assert [hall.world.race.draws().get(back.lead_id, n).winner for n in (1, 2)] == [
        AINA.rep_id,
        REPS[1].rep_id,
    ]


def test_a_playbook_that_collects_no_more_counts_from_the_next_opening() -> None:
    lead = a_lead(draws_at=NOON + COLLECTED)
    assert collects(lead, NOON)
    assert not collects(reopening(lead, a_playbook(), NOON), NOON)


def test_who_was_in_a_draw_and_managers_see_it_once_it_is_over() -> None:
    hall = Hall()
    hall.enter(AINA)
    lead_id = hall.lead.lead_id
    for reader in (AINA.rep_id, None):
        with pytest.raises(RouteNotFound):
            look(hall.world.race, lead_id, None, reader)
    hall.draw()
    for reader in (AINA.rep_id, None):
        assert look(hall.world.race, lead_id, None, reader) == hall.drawn()
    with pytest.raises(RouteNotFound):
        look(hall.world.race, lead_id, None, REPS[1].rep_id)
    with pytest.raises(RouteNotFound):
        look(hall.world.race, lead_id, 2, None)


def test_who_entered_has_seen_the_offer_and_is_sent_no_text_to_claim_it() -> None:
    hall = Hall()
    hall.enter(AINA)
    known = hall.world.offers.sightings(hall.lead.lead_id, 1, [rep.rep_id for rep in REPS])
    assert {rep_id: one.seen_at for rep_id, one in known.items()} == {AINA.rep_id: NOON}
    # The draw records that they tried, so their alert is still withdrawn when another is drawn.
    assert known[AINA.rep_id].attempted_at is None


def test_a_draw_is_over_before_any_window_closes() -> None:
    def wrong(**rules: object) -> list[str]:
        found = problems(a_playbook(draw={"collect_seconds": 30}, **rules))
        return [one.field for one in found]

    assert wrong(windows=[{"source": "fair", "window_seconds": 31}]) == []
    assert wrong(windows=[{"source": "fair", "window_seconds": 30}]) == ["draw.collect_seconds"]
    assert "draw.collect_seconds" in wrong(window_seconds=30)
