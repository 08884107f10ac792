"""The claim: the first valid one wins, others learn why not, retries are harmless (C1-C4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dibs.assignment.override import assign
from dibs.assignment.work import release
from dibs.core.credentials import shown
from dibs.core.errors import (
    AlreadyClaimed,
    Busy,
    ClaimRefused,
    DibsError,
    Expired,
    LeadNotFound,
    NotYours,
    Unauthorized,
    UndoOver,
    Withdrawn,
)
from dibs.core.lead import Lead, State
from dibs.core.links import link_token, read_link
from dibs.core.rep import Rep, Usage
from dibs.race.claim import (
    ATTEMPTS,
    Won,
    bearer,
    by_link,
    by_sms,
    check_claim,
    claim,
)
from dibs.race.lifecycle import MOST_UNDONE
from dibs.race.ports import SentOffer
from dibs.race.undo import undo
from support.builders import NOON, a_card, a_playbook, a_rep, basics, proof_of, token_of
from support.fakes import FakeWorld, no_pause

AINA, BEN = a_rep(1, name="Aina"), a_rep(2, name="Ben")


class Race:
    """A lead, two reps of its team, and their actions."""

    def __init__(self, **playbook: object) -> None:
        self.world = FakeWorld(a_playbook(**playbook))
        for rep in (AINA, BEN):
            self.world.add_rep(rep)
        self.lead = self.world.post_lead(a_card())

    def claim(self, rep: Rep = AINA, lead: Lead | None = None) -> Won:
        lead_id, proof = (lead or self.lead).lead_id, proof_of(rep)
        return claim(self.world.race, lead_id, rep.rep_id, proof, self.world.clock, pause=no_pause)

    def refusal(self, rep: Rep = BEN) -> DibsError:
        with pytest.raises(DibsError) as refused:
            self.claim(rep)
        return refused.value

    def undo(self, rep: Rep = AINA) -> Lead:
        proof = proof_of(rep)
        return undo(self.world.race, self.lead.lead_id, rep.rep_id, proof, self.world.clock)

    def stored(self) -> Lead:
        return self.world.lead(self.lead)

    def usage(self, rep: Rep = AINA) -> Usage:
        return self.world.memory.usage[rep.rep_id]

    def everything(self) -> str:
        """Return all stored data, to check that a refused call changed nothing."""
        return repr(self.world.memory)


def test_the_first_claim_wins_and_shows_the_contact_in_the_same_answer() -> None:
    race = Race()
    race.world.clock.pass_(milliseconds=2100)
    won = race.claim()
    assert won.card is not None
    assert (won.card.contact_phone, won.card.contact_name) == ("+60128880000", "Jane Tan")
    assert not won.already_yours
    assert won.claim.claimed_at == NOON + timedelta(milliseconds=2100)
    assert won.undo_until == won.claim.claimed_at + timedelta(seconds=30)
    stored = race.stored()
    assert (stored.state, stored.owner) == (State.CLAIMED, AINA.rep_id)
    assert basics(race.usage()) == Usage(NOON.date(), 1, NOON.date(), 1, 1)  # NOON is a Monday's


def test_a_claims_milliseconds_run_from_the_reps_first_notice() -> None:
    race = Race()
    told = SentOffer(race.lead.lead_id, 1, AINA.rep_id, NOON + timedelta(seconds=2), ("push",))
    race.world.offers.record([told])
    race.world.clock.pass_(seconds=5, milliseconds=7)
    assert race.claim().claim.claim_ms == 3_007


def test_without_a_notice_they_run_from_the_opening_of_the_wave() -> None:
    race = Race()
    race.world.clock.pass_(seconds=5)
    assert race.claim().claim.claim_ms == 5_000


def test_a_notice_of_an_earlier_opening_does_not_count() -> None:
    race = Race()
    race.world.offers.record([SentOffer(race.lead.lead_id, 1, BEN.rep_id, NOON, ("push",))])
    race.claim()
    race.undo()
    race.world.clock.pass_(seconds=4)
    assert race.claim(BEN).claim.claim_ms == 4_000


def test_a_notice_from_a_clock_ahead_of_ours_makes_no_negative_time() -> None:
    race = Race()
    ahead = SentOffer(race.lead.lead_id, 1, AINA.rep_id, NOON + timedelta(seconds=9), ("push",))
    race.world.offers.record([ahead])
    assert race.claim().claim.claim_ms == 0


def test_a_loser_hears_who_won_how_long_ago_and_how_many_are_still_open() -> None:
    race = Race()
    race.world.post_lead(a_card(2))
    race.world.post_lead(a_card(3))
    race.claim(AINA)
    race.world.clock.pass_(milliseconds=340)
    lost = race.refusal(BEN)
    assert isinstance(lost, AlreadyClaimed)
    assert lost.details() == {
        "claimed_by": {"rep_id": AINA.rep_id, "name": "Aina"},
        "ms_ago": 340,
        "judged_at": NOON + timedelta(milliseconds=340),
        "open_leads": 2,
    }
    assert race.stored().owner == AINA.rep_id
    assert race.usage(BEN) == Usage()


def test_open_leads_of_other_teams_are_not_counted_for_a_loser() -> None:
    race = Race(teams={"north": {"name": "N"}, "south": {"name": "S"}})
    race.world.post_lead(a_card(2, team="south"))
    race.claim(AINA)
    assert race.refusal(BEN).details()["open_leads"] == 0


def test_a_loser_on_an_anonymous_team_is_not_told_who_won() -> None:
    race = Race(teams={"north": {"name": "N", "anonymous": True}})
    race.claim(AINA)
    lost = race.refusal(BEN)
    assert lost.details()["claimed_by"] is None
    assert "Aina" not in str(lost)


def test_a_loser_of_another_team_is_told_when_only_the_winners_team_is_anonymous() -> None:
    race = Race(teams={"north": {"name": "N", "anonymous": True}, "south": {"name": "S"}})
    lead = race.world.post_lead(a_card(2))
    other = race.world.add_rep(a_rep(3, team="south"))
    race.claim(AINA, lead)
    with pytest.raises(AlreadyClaimed) as lost:
        race.claim(other, lead)
    assert lost.value.claimed_by == (AINA.rep_id, "Aina")


def test_somebody_who_lost_hears_so_before_any_rule_that_would_have_refused_them() -> None:
    race = Race(claims_per_day=1)
    race.claim(BEN, race.world.post_lead(a_card(2)))
    race.world.roster.pause(BEN.rep_id, NOON + timedelta(hours=1))
    race.claim(AINA)
    race.world.clock.pass_(hours=5)  # after the window as well
    assert isinstance(race.refusal(BEN), AlreadyClaimed)


def test_a_refused_rep_hears_every_rule_and_when_the_last_of_them_lifts() -> None:
    race = Race(claims_per_day=1)
    race.claim(BEN, race.world.post_lead(a_card(2)))
    race.world.roster.pause(BEN.rep_id, NOON + timedelta(hours=1))
    before = race.stored()
    refused = race.refusal(BEN)
    assert isinstance(refused, ClaimRefused)
    details = refused.details()
    assert details["rules"] == ["paused", "daily_limit"]
    assert details["lifts_at"] == NOON + timedelta(hours=4)  # midnight in Kuching
    assert "midnight" in details["lifts_when"]
    assert race.stored() == before


def test_the_limit_holds_one_lead_after_another() -> None:
    race = Race(claims_per_day=3)
    leads = [race.world.post_lead(a_card(number)) for number in range(10, 15)]
    outcomes = []
    for lead in leads:
        try:
            outcomes.append(race.claim(AINA, lead).claim.rep_id)
        except ClaimRefused as refused:
            outcomes.append(refused.refusals[0].code)
    assert outcomes == [AINA.rep_id] * 3 + ["daily_limit"] * 2
    assert race.usage().claims == 3


def test_the_count_starts_again_on_the_reps_own_next_day() -> None:
    race = Race(claims_per_day=1, window_seconds=86_400)
    race.claim(AINA)
    later = race.world.post_lead(a_card(2))
    race.world.clock.pass_(hours=4)  # midnight in Kuching
    assert race.claim(AINA, later).claim.rep_id == AINA.rep_id
    tomorrow = NOON.date() + timedelta(days=1)
    assert basics(race.usage()) == Usage(tomorrow, 1, NOON.date(), 2, 2)


def test_a_test_lead_is_won_and_counts_nowhere() -> None:
    race = Race(claims_per_day=1)
    race.claim(AINA)
    trial = race.world.post_lead(a_card(2, test=True))
    assert race.claim(AINA, trial).claim.test
    assert race.usage().claims == 1


def test_when_the_window_has_closed_the_lead_is_gone_for_everybody() -> None:
    race = Race()
    race.world.clock.at = race.lead.closes_at - timedelta(milliseconds=1)
    assert race.claim(AINA).claim.rep_id == AINA.rep_id
    late = Race()
    late.world.clock.at = late.lead.closes_at
    assert isinstance(late.refusal(), Expired)


def test_a_lead_that_was_swept_up_is_expired_too() -> None:
    race = Race()
    race.world.memory.leads[race.lead.lead_id] = replace(race.lead, state=State.EXPIRED)
    assert isinstance(race.refusal(), Expired)


def test_a_rep_of_another_team_does_not_learn_that_the_lead_exists() -> None:
    race = Race(teams={"north": {"name": "N"}, "south": {"name": "S"}})
    lead = race.world.post_lead(a_card(2, team="north"))
    stranger = race.world.add_rep(a_rep(3, team="south"))
    for claimed in (False, True):
        if claimed:
            race.claim(AINA, lead)
        with pytest.raises(LeadNotFound):
            race.claim(stranger, lead)
    assert (lead.lead_id, stranger.rep_id) not in race.world.memory.sightings


def test_a_lead_nobody_posted_is_not_found() -> None:
    race = Race()
    with pytest.raises(LeadNotFound):
        race.claim(AINA, replace(race.lead, lead_id="aaaaaaaaaaaa"))


def test_a_wrong_token_changes_nothing_and_learns_nothing() -> None:
    race = Race()
    before = race.everything()
    for lead_id in (race.lead.lead_id, "aaaaaaaaaaaa"):
        for rep_id in (AINA.rep_id, "zzzzz"):
            for token in (token_of(BEN), "", "x", f"{AINA.rep_id}.wrong"):
                with pytest.raises(Unauthorized):
                    proof = bearer(shown(token), NOON)
                    claim(race.world.race, lead_id, rep_id, proof, race.world.clock)
    assert race.everything() == before


def test_the_winners_second_tap_gets_the_same_answer_and_counts_once() -> None:
    race = Race()
    first = race.claim()
    race.world.clock.pass_(minutes=3)
    again = race.claim()
    assert again == replace(first, already_yours=True)
    assert race.usage().claims == 1


def test_a_winner_keeps_the_lead_whatever_rule_would_refuse_them_now() -> None:
    race = Race(claims_per_day=1)
    race.claim()
    race.world.roster.pause(AINA.rep_id, NOON + timedelta(hours=1))
    race.world.clock.pass_(minutes=30)
    assert race.claim().already_yours


def test_a_lost_answer_asked_for_again_is_already_yours() -> None:
    race = Race()
    race.world.race.lost_answers = 1
    won = race.claim()
    assert won.already_yours
    assert won.card is not None
    assert race.usage().claims == 1


def test_a_busy_store_is_tried_again() -> None:
    race = Race()
    race.world.race.busy = ATTEMPTS - 1
    assert not race.claim().already_yours


def test_a_store_that_stays_busy_is_said_to_be_busy_and_nothing_changes() -> None:
    race = Race()
    before = race.everything()
    race.world.race.busy = 1_000
    assert isinstance(race.refusal(AINA), Busy)
    assert race.everything() == before


def test_waiting_for_a_busy_store_takes_longer_each_time_and_never_long() -> None:
    race = Race()
    race.world.race.busy = 1_000
    waits: list[float] = []
    proof = proof_of(AINA)
    with pytest.raises(Busy):
        claim(
            race.world.race,
            race.lead.lead_id,
            AINA.rep_id,
            proof,
            race.world.clock,
            pause=waits.append,
        )
    assert len(waits) == ATTEMPTS - 1
    assert 0 < sum(waits) < 1.5
    assert all(0.01 * (n + 1) <= wait <= 0.05 * (n + 1) for n, wait in enumerate(waits))


def test_somebody_who_wins_between_my_read_and_my_write_wins() -> None:
    race = Race()
    race.world.race.meanwhile = lambda: race.claim(BEN)
    lost = race.refusal(AINA)
    assert isinstance(lost, AlreadyClaimed)
    assert lost.claimed_by == (BEN.rep_id, "Ben")
    assert race.stored().owner == BEN.rep_id


def test_my_own_other_claim_in_between_is_decided_again_and_both_count() -> None:
    race = Race(claims_per_day=2)
    other = race.world.post_lead(a_card(2))
    race.world.race.meanwhile = lambda: race.claim(AINA, other)
    assert race.claim(AINA).claim.lead_id == race.lead.lead_id
    assert race.usage().claims == 2


def test_my_own_other_claim_in_between_may_take_the_last_of_the_day() -> None:
    race = Race(claims_per_day=1)
    other = race.world.post_lead(a_card(2))
    race.world.race.meanwhile = lambda: race.claim(AINA, other)
    refused = race.refusal(AINA)
    assert isinstance(refused, ClaimRefused)
    assert [refusal.code for refusal in refused.refusals] == ["daily_limit"]
    assert race.stored().state is State.OPEN
    assert race.usage().claims == 1


def test_a_pause_between_read_and_write_holds() -> None:
    race = Race()
    until = NOON + timedelta(minutes=5)
    race.world.race.meanwhile = lambda: race.world.roster.pause(AINA.rep_id, until)
    refused = race.refusal(AINA)
    assert isinstance(refused, ClaimRefused)
    assert refused.lifts_at == until
    assert race.stored().state is State.OPEN


def test_a_lead_that_expires_between_read_and_write_is_expired() -> None:
    race = Race()

    def expire() -> None:
        stored = race.stored()
        race.world.memory.leads[stored.lead_id] = replace(stored, state=State.EXPIRED)

    race.world.race.meanwhile = expire
    assert isinstance(race.refusal(AINA), Expired)


def test_a_losers_and_a_refused_reps_try_is_kept_for_the_receipt() -> None:
    race = Race()
    race.world.roster.pause(BEN.rep_id, NOON + timedelta(minutes=1))
    race.refusal(BEN)
    _, sighting = race.world.memory.sightings[race.lead.lead_id, BEN.rep_id]
    assert sighting.attempted_at == NOON
    assert race.world.memory.outcomes[race.lead.lead_id, BEN.rep_id] == "refused"
    race.world.clock.pass_(minutes=2)
    race.claim(AINA)
    race.refusal(BEN)
    _, sighting = race.world.memory.sightings[race.lead.lead_id, BEN.rep_id]
    assert sighting.attempted_at == NOON  # the first attempt counts
    assert race.world.memory.outcomes[race.lead.lead_id, BEN.rep_id] == "already_claimed"


def test_only_the_winner_reads_the_contact() -> None:
    race = Race()
    race.claim(AINA)
    assert race.world.race.cards_read == 1
    race.refusal(BEN)
    assert race.world.race.cards_read == 1


# By link


def link_of(race: Race, rep: Rep = AINA, epoch: int = 1) -> str:
    return link_token(race.lead.salt, race.lead.lead_id, rep.rep_id, epoch)


def claim_link(race: Race, token: str) -> Won:
    link = read_link(token)
    return claim(
        race.world.race,
        link.lead_id,
        link.rep_id,
        by_link(link),
        race.world.clock,
        only_at_first=True,
        pause=no_pause,
    )


def test_a_link_claims_for_the_rep_it_was_made_for() -> None:
    race = Race()
    assert claim_link(race, link_of(race, BEN)).claim.rep_id == BEN.rep_id


def test_a_link_shows_the_contact_for_fifteen_minutes_and_then_only_that_it_is_yours() -> None:
    race = Race()
    claim_link(race, link_of(race))
    race.world.clock.pass_(minutes=15)
    shown = claim_link(race, link_of(race))
    assert shown.card is not None
    race.world.clock.pass_(milliseconds=1)
    hidden = claim_link(race, link_of(race))
    assert hidden.card is None
    assert hidden.already_yours
    assert race.claim(AINA).card is not None  # for a signed-in rep it does not expire


def test_how_long_a_link_shows_the_contact_is_a_setting() -> None:
    race = Race(contact_shown_seconds=120)
    claim_link(race, link_of(race))
    race.world.clock.pass_(seconds=120)
    assert claim_link(race, link_of(race)).card is not None
    race.world.clock.pass_(milliseconds=1)
    assert claim_link(race, link_of(race)).card is None


def test_a_forged_link_finds_nothing_and_changes_nothing() -> None:
    race = Race()
    before = race.everything()
    forged = link_token(b"wrongsalt", race.lead.lead_id, AINA.rep_id, 1)
    unknown_rep = link_token(race.lead.salt, race.lead.lead_id, "zzzzy", 1)
    unknown_lead = link_token(race.lead.salt, "aaaaaaaaaaaa", AINA.rep_id, 1)
    for token in (forged, unknown_rep, unknown_lead):
        with pytest.raises(LeadNotFound):
            claim_link(race, token)
    assert race.everything() == before


def reopened(race: Race) -> None:
    """Let Aina claim the lead and give it back, so that another race begins."""
    race.claim(AINA)
    world, token = race.world, proof_of(AINA)
    world.clock.pass_(minutes=1)
    lead_id = race.lead.lead_id
    release(world.race, world.holdings, lead_id, AINA.rep_id, token, "no fit", world.clock)


def test_a_link_of_an_earlier_opening_says_the_offer_is_over() -> None:
    race = Race()
    old = link_of(race, BEN)
    reopened(race)
    with pytest.raises(Withdrawn):
        claim_link(race, old)
    assert claim_link(race, link_of(race, BEN, epoch=2)).claim.epoch == 2


def test_after_an_undo_the_links_and_codes_of_the_race_hold_good_again() -> None:
    for old in ("link", "code"):
        race = Race()
        race.claim(AINA)
        race.undo()
        if old == "link":
            assert claim_link(race, link_of(race, BEN)).claim.epoch == 2
        else:
            proof, lead_id = by_sms(1), race.lead.lead_id
            won = claim(race.world.race, lead_id, BEN.rep_id, proof, race.world.clock)
            assert isinstance(won, Won)
            assert won.claim.epoch == 2


def test_a_link_of_an_opening_still_to_come_finds_nothing() -> None:
    race = Race()
    with pytest.raises(LeadNotFound):
        claim_link(race, link_of(race, epoch=2))


def test_a_reply_code_of_an_earlier_opening_says_the_offer_is_over() -> None:
    race = Race()
    reopened(race)
    with pytest.raises(Withdrawn):
        claim(race.world.race, race.lead.lead_id, BEN.rep_id, by_sms(1), race.world.clock)


# A preview claims nothing


def test_judging_changes_nothing() -> None:
    race = Race()
    before = race.everything()
    view = race.world.race.read(race.lead.lead_id, AINA.rep_id)
    assert check_claim(race.world.race, view, NOON)[0].owner is None
    assert race.everything() == before


def test_a_record_read_before_the_lock_was_taken_is_looked_up_once_more() -> None:
    # The read is not one snapshot: the lead item may be from after the race, the record not.
    race = Race()
    before = race.world.race.read(race.lead.lead_id, BEN.rep_id)
    race.claim(AINA)
    torn = replace(before, lead=race.stored())
    with pytest.raises(AlreadyClaimed) as lost:
        check_claim(race.world.race, torn, NOON)
    assert lost.value.claimed_by == (AINA.rep_id, "Aina")


# Undo


def test_an_undo_opens_the_lead_anew_and_takes_the_claim_off_the_count() -> None:
    race = Race()
    race.claim()
    race.world.clock.pass_(seconds=30)
    reopened = race.undo()
    assert race.stored() == reopened
    assert (reopened.state, reopened.epoch, reopened.owner) == (State.OPEN, 2, None)
    assert (reopened.claimed_at, reopened.return_at, reopened.previous_owner) == (None, None, None)
    assert reopened.opens_at == race.world.clock()
    assert reopened.closes_at == race.lead.closes_at  # no new window
    assert basics(race.usage()) == Usage(NOON.date(), 0, NOON.date(), 0, 0)


def test_an_undo_is_recorded_move_by_move() -> None:
    race = Race()
    race.world.clock.pass_(seconds=1)
    race.claim()
    race.world.clock.pass_(seconds=2)
    race.undo()
    transitions = race.world.leads.history(race.lead.lead_id)
    steps = [(m.epoch, m.from_state.value, m.to_state.value, m.cause, m.by) for m in transitions]
    assert steps == [
        (1, "new", "open", "accepted", "google-ads"),
        (1, "open", "claimed", "claimed", AINA.rep_id),
        (1, "claimed", "released", "undone", AINA.rep_id),
        (2, "released", "open", "undone", AINA.rep_id),
    ]
    assert [m.at - NOON for m in transitions] == [timedelta(seconds=s) for s in (0, 1, 3, 3)]
    assert [m.holder for m in transitions] == [None, None, AINA.rep_id, None]


def test_a_millisecond_after_the_thirty_seconds_the_lead_stays() -> None:
    race = Race()
    race.claim()
    race.world.clock.pass_(seconds=30, milliseconds=1)
    with pytest.raises(UndoOver):
        race.undo()
    assert race.stored().owner == AINA.rep_id


def test_undoing_twice_is_undoing_once() -> None:
    race = Race()
    race.claim()
    once = race.undo()
    race.world.clock.pass_(seconds=5)
    before = race.everything()
    assert race.undo() == once
    assert race.everything() == before


def test_an_undone_lead_that_somebody_else_took_is_not_mine_to_undo_again() -> None:
    race = Race()
    race.claim(AINA)
    race.undo(AINA)
    race.claim(BEN)
    with pytest.raises(NotYours):
        race.undo(AINA)
    assert race.stored().owner == BEN.rep_id


def test_nobody_undoes_another_reps_claim_or_no_claim() -> None:
    race = Race()
    with pytest.raises(NotYours):
        race.undo(AINA)
    race.claim(AINA)
    before = race.everything()
    with pytest.raises(NotYours):
        race.undo(BEN)
    with pytest.raises(Unauthorized):
        undo(
            race.world.race,
            race.lead.lead_id,
            AINA.rep_id,
            proof_of(BEN),
            race.world.clock,
        )
    assert race.everything() == before


def test_a_rep_of_another_team_finds_nothing_to_undo() -> None:
    race = Race(teams={"north": {"name": "N"}, "south": {"name": "S"}})
    lead = race.world.post_lead(a_card(2, team="north"))
    stranger = race.world.add_rep(a_rep(3, team="south"))
    with pytest.raises(LeadNotFound):
        undo(
            race.world.race,
            lead.lead_id,
            stranger.rep_id,
            proof_of(stranger),
            race.world.clock,
        )


def test_a_link_undoes_what_it_claimed_and_undoes_it_once() -> None:
    race = Race()
    token = link_of(race)
    link = read_link(token)
    claim_link(race, token)
    for _ in range(2):
        undone = undo(race.world.race, link.lead_id, link.rep_id, by_link(link), race.world.clock)
        assert undone.epoch == 2
    assert race.stored().epoch == 2


@pytest.mark.parametrize("rules", [{}, {"release": {"cooldown_days": 0}}])
def test_an_undo_ends_the_reps_race_for_the_lead_until_a_manager_assigns_it(
    rules: dict[str, object],
) -> None:
    race = Race(window_seconds=86_400, **rules)
    won = race.claim()
    assert won.card is not None  # the phone number was read
    race.undo()
    refused = race.refusal(AINA)
    assert isinstance(refused, ClaimRefused)
    assert [rule.code for rule in refused.refusals] == ["undone"]
    assert refused.lifts_at is None
    # Neither somebody else's undo or release nor time lifts it.
    race.claim(BEN)
    race.undo(BEN)
    race.world.clock.pass_(hours=20)
    for rep in (AINA, BEN):
        assert "undone" in refusal_codes(race.refusal(rep))
    world = race.world
    lead, _ = assign(
        world.race, world.holdings, race.lead.lead_id, AINA.rep_id, "manager", "ok", world.clock
    )
    assert lead.owner == AINA.rep_id


def refusal_codes(error: DibsError) -> list[str]:
    assert isinstance(error, ClaimRefused)
    return [rule.code for rule in error.refusals]


def test_undos_are_counted_and_limited_by_the_day() -> None:
    race = Race(undos_per_day=2, window_seconds=86_400, claims_per_day=9)
    leads = [race.lead, *(race.world.post_lead(a_card(number)) for number in range(2, 6))]

    def undo_of(lead: Lead) -> Lead:
        proof = proof_of(AINA)
        return undo(race.world.race, lead.lead_id, AINA.rep_id, proof, race.world.clock)

    for number, lead in enumerate(leads[:2], start=1):
        assert race.claim(AINA, lead).undo_until > race.world.clock()
        undo_of(lead)
        undo_of(lead)  # a repeat counts once
        assert race.usage().undos == number
    third = race.claim(AINA, leads[2])
    assert third.undo_until == third.claim.claimed_at  # none is offered
    with pytest.raises(UndoOver, match=r"of 2.*Release the lead"):
        undo_of(leads[2])
    assert race.usage().claims == 1
    race.world.clock.pass_(hours=4)  # midnight in Kuching
    race.claim(AINA, leads[3])
    undo_of(leads[3])
    assert (race.usage().undos, race.usage().claims) == (1, 0)


def test_claims_of_one_lead_are_not_undone_by_one_rep_after_another_for_ever() -> None:
    race = Race()
    reps = [AINA, BEN, *(race.world.add_rep(a_rep(number)) for number in range(3, 7))]
    for rep in reps[:MOST_UNDONE]:
        race.claim(rep)
        race.undo(rep)
    last = race.claim(reps[MOST_UNDONE])
    assert last.undo_until == last.claim.claimed_at
    with pytest.raises(UndoOver, match="too often"):
        race.undo(reps[MOST_UNDONE])


def test_an_undo_in_the_last_seconds_gives_the_lead_no_new_window() -> None:
    race = Race()
    race.world.clock.at = race.lead.closes_at - timedelta(seconds=1)
    race.claim()
    race.world.clock.pass_(seconds=10)
    race.undo()
    assert isinstance(race.refusal(BEN), Expired)


def test_an_undo_after_midnight_takes_nothing_off_the_new_days_count() -> None:
    race = Race(window_seconds=86_400)
    later = race.world.post_lead(a_card(2))
    race.world.clock.at = NOON + timedelta(hours=4) - timedelta(seconds=10)
    race.claim(AINA)
    race.world.clock.pass_(seconds=20)  # midnight in Kuching has passed
    race.claim(AINA, later)
    race.undo(AINA)
    tomorrow = NOON.date() + timedelta(days=1)
    assert basics(race.usage()) == Usage(tomorrow, 1, NOON.date(), 1, 1)


def test_an_undone_test_lead_takes_nothing_off_the_count() -> None:
    race = Race()
    race.claim(AINA)
    trial = race.world.post_lead(a_card(2, test=True))
    race.claim(AINA, trial)
    undo(race.world.race, trial.lead_id, AINA.rep_id, proof_of(AINA), race.world.clock)
    assert race.usage().claims == 1
    assert race.world.lead(trial).state is State.OPEN
