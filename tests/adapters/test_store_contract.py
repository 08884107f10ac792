"""What every store promises, shown on the tables and on the fakes alike: a fake that drifts from
the real thing fails here, and with it whatever the unit tests showed on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from dibs.adapters.leads import DynamoLeadStore
from dibs.adapters.offers import DynamoOfferStore
from dibs.adapters.once import DynamoOnce
from dibs.adapters.race import DynamoRaceStore
from dibs.adapters.roster import DynamoRoster
from dibs.domain.errors import AlreadyExists, RouteNotFound
from dibs.domain.leads import Card, Claim, Lead, Move, State
from dibs.domain.playbook import Playbook
from dibs.domain.reps import Device, Limits, Platform, Rep
from dibs.usecases.claim import token_hash
from dibs.usecases.ports import (
    Fact,
    LeadStore,
    Notice,
    OfferStore,
    Once,
    RaceStore,
    RaceView,
    Roster,
    Sighting,
)
from support.builders import NOON, World, a_card, a_playbook, a_rep
from support.fakes import FakeOnce, FakeWorld

MS = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
AINA, BEN = a_rep(1, name="Aina"), a_rep(2, name="Ben", team="north")


@dataclass
class Stores:
    """One organisation's stores, all of one make. Those of tables remember nothing between uses."""

    race: RaceStore
    leads: LeadStore
    roster: Roster
    offers: OfferStore
    once: Once
    add_rep: Callable[[Rep], Rep]
    post_lead: Callable[..., Lead]
    history: Callable[[str], list[Move]]
    put_playbook: Callable[[Playbook], None]
    refreshed: Callable[[], Stores]

    def view(self, lead: Lead, rep: Rep = AINA) -> RaceView:
        return self.race.read(lead.lead_id, rep.rep_id)

    def commit(self, view: RaceView, at: datetime = NOON, **changes: Any) -> RaceView | None:
        return self.race.commit_claim(view, a_claim(view, at, **changes))


def a_claim(view: RaceView, at: datetime, **changes: Any) -> Claim:
    lead, rep = view.lead, view.rep
    assert lead is not None
    assert rep is not None
    claim = Claim(
        lead.lead_id, lead.epoch, rep.rep_id, rep.name, rep.team, at, 1234, 1, test=lead.test
    )
    return replace(claim, **changes)


def on_tables(world: World) -> Stores:
    return Stores(
        race=DynamoRaceStore(world.dynamo, world.settings),
        leads=DynamoLeadStore(world.dynamo, world.settings),
        roster=DynamoRoster(world.dynamo, world.settings),
        offers=DynamoOfferStore(world.dynamo, world.settings),
        once=DynamoOnce(world.dynamo, world.settings.once_table),
        add_rep=world.add_rep,
        post_lead=world.post_lead,
        history=world.leads.history,
        put_playbook=world.put_playbook,
        refreshed=lambda: on_tables(world),
    )


def in_memory(world: FakeWorld) -> Stores:
    return Stores(
        race=world.race,
        leads=world.leads,
        roster=world.roster,
        offers=world.offers,
        once=FakeOnce(),
        add_rep=world.add_rep,
        post_lead=world.post_lead,
        history=world.leads.history,
        put_playbook=world.put_playbook,
        refreshed=lambda: in_memory(world),
    )


@pytest.fixture(params=["tables", "memory"])
def stores(request: pytest.FixtureRequest) -> Stores:
    made = (
        on_tables(request.getfixturevalue("world"))
        if request.param == "tables"
        else in_memory(FakeWorld())
    )
    made.add_rep(AINA)
    made.add_rep(BEN)
    return made


@pytest.fixture
def lead(stores: Stores) -> Lead:
    return stores.post_lead(a_card(), NOON)


# Leads


def test_an_accepted_lead_is_found_as_it_was_accepted(stores: Stores, lead: Lead) -> None:
    assert stores.leads.get(lead.lead_id) == lead
    assert stores.leads.card(lead.lead_id) == replace(a_card(), lead_id=lead.lead_id)
    assert stores.leads.open_leads() == [lead]
    assert stores.race.open_leads() == [lead]
    assert stores.race.count_open("north", NOON) == 1


def test_every_field_of_a_lead_and_its_card_comes_back(stores: Stores) -> None:
    card = Card(
        lead_id="",
        source="s",
        external_id="e",
        company="古晋工业 & Söhne",
        company_size="51-200",
        contact_name="Jane",
        contact_title="CEO",
        contact_email="j@x.example",
        contact_phone="+60128880000",
        score=0,
        territory="t",
        segment="g",
        product="p",
        team="north",
        needs=("a b", "c"),
        language="ms",
        consent="yes",
        do_not_call=True,
        test=True,
        flags=("email_unusable",),
    )
    lead = stores.post_lead(card, NOON)
    assert stores.leads.card(lead.lead_id) == replace(card, lead_id=lead.lead_id)
    kept = stores.leads.get(lead.lead_id)
    assert kept == lead
    assert kept is not None
    assert (kept.test, kept.preview.score, kept.preview.company) == (True, 0, "古晋工业 & Söhne")


def test_what_nobody_stored_is_not_there(stores: Stores) -> None:
    assert stores.leads.get("aaaaaaaaaaaa") is None
    assert stores.leads.card("aaaaaaaaaaaa") is None
    assert stores.race.card("aaaaaaaaaaaa") is None
    assert stores.leads.open_leads() == []
    assert list(stores.leads.waiting_in_outbox(NOON)) == []
    view = stores.race.read("aaaaaaaaaaaa", "zzzzz")
    assert (view.lead, view.rep, view.claim, view.noticed_at) == (None, None, None, None)
    assert (view.limits, view.token_hash) == (Limits(), None)


def test_a_lead_accepted_again_is_met_by_the_card_stored_first(stores: Stores, lead: Lead) -> None:
    card = replace(a_card(company="Other"), lead_id=lead.lead_id)
    opening = Move(lead.lead_id, 1, NOON, State.NEW, State.OPEN, "accepted", "x")
    met = stores.leads.accept(replace(lead, epoch=7), card, opening, NOON)
    assert met == replace(a_card(), lead_id=lead.lead_id)
    assert stores.leads.get(lead.lead_id) == lead
    assert len(stores.history(lead.lead_id)) == 1


def test_a_card_is_replaced_by_one_signed_later_and_by_no_older_one(
    stores: Stores, lead: Lead
) -> None:
    def put(company: str, signed_at: datetime) -> str:
        changed = replace(a_card(), lead_id=lead.lead_id, company=company)
        stores.leads.update_card(changed, signed_at)
        kept = stores.leads.card(lead.lead_id)
        assert kept is not None
        return kept.company

    assert put("Newer", NOON + SECOND) == "Newer"
    assert put("Older", NOON) == "Newer"
    assert put("Same second", NOON + SECOND) == "Same second"


def test_only_the_opening_that_stands_is_noted_as_planned(stores: Stores, lead: Lead) -> None:
    stores.leads.planned(replace(lead, epoch=2))
    assert stores.leads.get(lead.lead_id) == lead
    stores.leads.planned(lead)
    assert stores.leads.get(lead.lead_id) == replace(lead, planned_epoch=1)


def expiry(lead: Lead, at: datetime) -> Move:
    return Move(lead.lead_id, lead.epoch, at, State.OPEN, State.EXPIRED, "window_closed", "clock")


def test_an_open_lead_expires_once_its_window_has_closed(stores: Stores, lead: Lead) -> None:
    assert not stores.leads.expire(lead, expiry(lead, lead.closes_at - MS))
    assert stores.leads.get(lead.lead_id) == lead
    assert stores.leads.expire(lead, expiry(lead, lead.closes_at))
    assert stores.leads.get(lead.lead_id) == replace(lead, state=State.EXPIRED)
    assert stores.leads.open_leads() == []
    assert stores.history(lead.lead_id)[-1] == expiry(lead, lead.closes_at)
    assert not stores.leads.expire(lead, expiry(lead, lead.closes_at + SECOND))
    assert len(stores.history(lead.lead_id)) == 2


def test_a_claimed_lead_does_not_expire(stores: Stores, lead: Lead) -> None:
    assert stores.commit(stores.view(lead)) is None
    assert not stores.leads.expire(lead, expiry(lead, lead.closes_at))
    kept = stores.leads.get(lead.lead_id)
    assert kept is not None
    assert kept.state is State.CLAIMED


def test_another_opening_than_was_meant_does_not_expire(stores: Stores, lead: Lead) -> None:
    assert not stores.leads.expire(replace(lead, epoch=2), expiry(lead, lead.closes_at))
    assert stores.leads.get(lead.lead_id) == lead


# The outbox


def waiting(stores: Stores, before: datetime) -> list[Fact | None]:
    return [pending.fact for pending in stores.leads.waiting_in_outbox(before)]


def test_a_fact_waits_until_it_is_taken_out(stores: Stores, lead: Lead) -> None:
    assert waiting(stores, NOON) == []
    (pending,) = stores.leads.waiting_in_outbox(NOON + MS)
    assert pending.fact == Fact("lead.opened", lead.lead_id, 1)
    assert pending.since == NOON
    stores.leads.clear_outbox(pending)
    stores.leads.clear_outbox(pending)
    assert waiting(stores, NOON + SECOND) == []
    assert stores.leads.get(lead.lead_id) == lead


def test_a_claim_and_the_opening_it_ended_wait_side_by_side(stores: Stores, lead: Lead) -> None:
    stores.commit(stores.view(lead), NOON + SECOND)
    facts = waiting(stores, NOON + 2 * SECOND)
    assert sorted(facts, key=str) == sorted(
        [None, Fact("lead.claimed", lead.lead_id, 1, AINA.rep_id)], key=str
    )
    assert waiting(stores, NOON + SECOND) == [None]


def test_an_older_fact_taken_out_leaves_the_newer_one_in(stores: Stores, lead: Lead) -> None:
    (opening,) = stores.leads.waiting_in_outbox(NOON + MS)
    stores.leads.expire(lead, expiry(lead, lead.closes_at))
    stores.leads.clear_outbox(opening)
    assert waiting(stores, lead.closes_at + MS) == [Fact("lead.expired", lead.lead_id, 1)]


# The race


def test_a_claim_takes_lock_count_and_record_together(stores: Stores, lead: Lead) -> None:
    at = NOON + SECOND
    view = stores.view(lead)
    assert view.lead == lead
    assert (view.rep, view.limits) == (AINA, Limits())
    assert view.token_hash == token_hash(f"{AINA.rep_id}.secret")
    assert stores.commit(view, at) is None
    after = stores.view(lead)
    assert after.lead == replace(lead, state=State.CLAIMED, owner=AINA.rep_id, claimed_at=at)
    assert after.limits == Limits(AINA.today(at), 1)
    assert after.claim == a_claim(view, at)
    assert stores.leads.open_leads() == []


def test_of_two_who_read_the_same_the_second_meets_what_the_first_did(
    stores: Stores, lead: Lead
) -> None:
    mine, theirs = stores.view(lead), stores.view(lead, BEN)
    assert stores.commit(mine) is None
    met = stores.commit(theirs, NOON + MS)
    assert met is not None
    assert met.lead == replace(lead, state=State.CLAIMED, owner=AINA.rep_id, claimed_at=NOON)
    assert met.claim == a_claim(mine, NOON)
    assert (met.rep, met.limits) == (BEN, Limits())
    assert stores.view(lead, BEN).limits == Limits()


@pytest.mark.parametrize("late", [False, True])
def test_a_claim_stands_inside_the_window_only(stores: Stores, lead: Lead, late: bool) -> None:
    view = stores.view(lead)
    inside, outside = (
        (lead.closes_at - MS, lead.closes_at) if late else (lead.opens_at, lead.opens_at - MS)
    )
    met = stores.commit(view, outside)
    assert met is not None
    assert met.lead == lead
    assert stores.view(lead) == view
    assert stores.commit(view, inside) is None


def test_a_claim_of_an_opening_that_is_over_does_not_stand(stores: Stores, lead: Lead) -> None:
    assert stores.commit(stores.view(lead), epoch=2) is not None
    assert stores.leads.get(lead.lead_id) == lead


def test_claims_count_up_to_the_limit_and_no_further(stores: Stores) -> None:
    stores.put_playbook(a_playbook(claims_per_day=2))
    stores = stores.refreshed()
    leads = [stores.post_lead(a_card(number), NOON) for number in range(3)]
    assert [stores.commit(stores.view(lead)) is None for lead in leads] == [True, True, False]
    met = stores.commit(stores.view(leads[2]))
    assert met is not None
    assert met.lead == leads[2]
    assert met.limits == Limits(AINA.today(NOON), 2)


def test_counts_read_before_another_claim_still_fit_below_the_limit(stores: Stores) -> None:
    stores.put_playbook(a_playbook(claims_per_day=3))
    stores = stores.refreshed()
    leads = [stores.post_lead(a_card(number), NOON) for number in range(5)]
    assert stores.commit(stores.view(leads[0])) is None
    views = [stores.view(lead) for lead in leads[1:]]  # all of them read a count of one
    assert [stores.commit(view) is None for view in views] == [True, True, False, False]
    assert stores.view(leads[0]).limits.claims == 3


def test_the_first_claim_of_a_day_is_decided_again_when_another_came_first(
    stores: Stores,
) -> None:
    leads = [stores.post_lead(a_card(number), NOON) for number in range(2)]
    views = [stores.view(lead) for lead in leads]  # both saw no count at all
    assert stores.commit(views[0]) is None
    met = stores.commit(views[1])
    assert met is not None
    assert met.limits == Limits(AINA.today(NOON), 1)
    assert stores.commit(met) is None
    assert stores.view(leads[0]).limits.claims == 2


def test_the_count_starts_again_on_a_new_day(stores: Stores) -> None:
    leads = [stores.post_lead(a_card(n), NOON + 4 * n * timedelta(hours=1)) for n in range(2)]
    assert stores.commit(stores.view(leads[0])) is None
    tomorrow = NOON + timedelta(hours=4)  # midnight in Kuching
    before = stores.view(leads[1])
    assert stores.commit(before, tomorrow) is None
    assert stores.view(leads[0]).limits == Limits(AINA.today(tomorrow), 1)
    third = stores.post_lead(a_card(3), tomorrow)
    stale = replace(stores.view(third), limits=before.limits)
    met = stores.commit(stale, tomorrow)  # read yesterday's count, and meets today's
    assert met is not None
    assert met.limits == Limits(AINA.today(tomorrow), 1)


def test_a_clock_behind_midnight_counts_on_the_day_another_has_begun(stores: Stores) -> None:
    stores.put_playbook(a_playbook(claims_per_day=2))
    stores = stores.refreshed()
    midnight = NOON + timedelta(hours=4)  # in Kuching
    leads = [stores.post_lead(a_card(n), midnight - SECOND) for n in range(3)]
    views = [stores.view(lead) for lead in leads]
    assert stores.commit(views[0], midnight) is None
    met = stores.commit(views[1], midnight - MS)  # its day is over, says the store
    assert met is not None
    assert met.limits == Limits(AINA.today(midnight), 1)
    assert stores.commit(met, midnight - MS) is None
    assert stores.view(leads[0]).limits == Limits(AINA.today(midnight), 2)
    full = stores.commit(stores.view(leads[2]), midnight - MS)
    assert full is not None
    assert full.lead == leads[2]


def test_a_rep_who_was_paused_or_let_go_since_does_not_get_the_lead(
    stores: Stores, lead: Lead
) -> None:
    view = stores.view(lead)
    stores.roster.pause(AINA.rep_id, NOON + SECOND)
    met = stores.commit(view)
    assert met is not None
    assert met.rep == replace(AINA, paused_until=NOON + SECOND)
    assert met.lead == lead
    assert stores.leads.get(lead.lead_id) == lead
    assert stores.commit(view, NOON + SECOND) is None  # the pause is over


def test_somebody_who_left_does_not_get_the_lead(stores: Stores, lead: Lead) -> None:
    gone = stores.add_rep(a_rep(3, active=False))
    assert stores.commit(stores.view(lead, gone)) is not None
    assert stores.leads.get(lead.lead_id) == lead


def test_a_test_lead_is_claimed_and_counted_nowhere(stores: Stores) -> None:
    stores.put_playbook(a_playbook(claims_per_day=1))
    stores = stores.refreshed()
    real = stores.post_lead(a_card(1), NOON)
    trial = stores.post_lead(a_card(2, test=True), NOON)
    assert stores.commit(stores.view(real)) is None
    assert stores.commit(stores.view(trial)) is None
    assert stores.view(trial).limits == Limits(AINA.today(NOON), 1)
    another = stores.post_lead(a_card(3, test=True), NOON)
    view = stores.view(another)
    stores.roster.pause(AINA.rep_id, NOON + SECOND)
    assert stores.commit(view) is not None  # a pause counts for tests, too


def undo(stores: Stores, view: RaceView, at: datetime) -> tuple[bool, Lead]:
    held = view.lead
    assert held is not None
    fresh = replace(
        held,
        state=State.OPEN,
        epoch=held.epoch + 1,
        owner=None,
        claimed_at=None,
        opens_at=at,
        closes_at=at + timedelta(minutes=15),
    )
    moves = [
        Move(held.lead_id, held.epoch, at, State.CLAIMED, State.RELEASED, "undone", AINA.rep_id),
        Move(held.lead_id, held.epoch + 1, at, State.RELEASED, State.OPEN, "undone", AINA.rep_id),
    ]
    return stores.race.commit_undo(view, fresh, moves), fresh


def test_an_undone_claim_is_open_anew_uncounted_and_told(stores: Stores, lead: Lead) -> None:
    other = stores.post_lead(a_card(2), NOON)
    stores.commit(stores.view(other))
    stores.commit(stores.view(lead))
    at = NOON + SECOND
    done, fresh = undo(stores, stores.view(lead), at)
    assert done
    after = stores.view(lead)
    assert after.lead == fresh
    assert after.limits == Limits(AINA.today(NOON), 1)
    assert after.claim is not None
    assert after.claim.epoch == 1  # kept, until the next claim takes its place
    assert stores.leads.open_leads() == [fresh]
    assert Fact("lead.opened", lead.lead_id, 2) in waiting(stores, at + MS)
    steps = [(move.epoch, move.to_state) for move in stores.history(lead.lead_id)]
    assert steps == [(1, State.OPEN), (1, State.RELEASED), (2, State.OPEN)]
    assert stores.commit(stores.view(lead, BEN), at) is None
    retaken = stores.view(lead).claim
    assert retaken is not None
    assert (retaken.epoch, retaken.rep_id) == (2, BEN.rep_id)


def test_an_undo_that_comes_twice_or_too_late_changes_nothing(stores: Stores, lead: Lead) -> None:
    stores.commit(stores.view(lead))
    held = stores.view(lead)
    assert undo(stores, held, NOON + SECOND)[0]
    after = stores.view(lead)
    assert not undo(stores, held, NOON + 2 * SECOND)[0]
    assert stores.view(lead) == after
    stores.commit(stores.view(lead, BEN), NOON + 3 * SECOND)
    assert not undo(stores, held, NOON + 4 * SECOND)[0]
    kept = stores.leads.get(lead.lead_id)
    assert kept is not None
    assert kept.owner == BEN.rep_id


def test_an_undo_of_yesterdays_claim_leaves_todays_count_alone(stores: Stores) -> None:
    first, second = (stores.post_lead(a_card(n), NOON + timedelta(hours=4)) for n in (1, 2))
    midnight = NOON + timedelta(hours=4)
    view = stores.view(first)
    assert view.lead is not None
    stores.commit(stores.view(second), midnight)
    stores.commit(stores.view(first), midnight)
    held = stores.view(first)
    assert held.lead is not None
    # As if it had been claimed just before midnight.
    yesterday = replace(held, lead=replace(held.lead, claimed_at=midnight - SECOND))
    assert undo(stores, yesterday, midnight + SECOND)[0]
    assert stores.view(first).limits == Limits(AINA.today(midnight), 2)


# Sightings and notices


def sightings(stores: Stores, lead: Lead) -> dict[str, Sighting]:
    return stores.offers.sightings(lead.lead_id, lead.epoch, [AINA.rep_id, BEN.rep_id])


def test_what_a_rep_did_is_kept_from_the_first_time_on(stores: Stores, lead: Lead) -> None:
    assert sightings(stores, lead) == {}
    for number, what in enumerate(("seen_at", "declined_at", "seen_at", "declined_at")):
        stores.race.record_sighting(lead, AINA.rep_id, what, NOON + number * SECOND)
    stores.race.record_attempt(lead, AINA.rep_id, NOON + 5 * SECOND, "refused")
    stores.race.record_attempt(lead, AINA.rep_id, NOON + 6 * SECOND, "already_claimed")
    assert sightings(stores, lead) == {
        AINA.rep_id: Sighting(
            seen_at=NOON, declined_at=NOON + SECOND, attempted_at=NOON + 5 * SECOND
        )
    }


@pytest.mark.parametrize("first", ["seen_at", "attempted_at"])
def test_a_new_opening_starts_a_new_page(stores: Stores, lead: Lead, first: str) -> None:
    again = replace(lead, epoch=2)
    stores.race.record_sighting(lead, AINA.rep_id, "seen_at", NOON)
    if first == "seen_at":
        stores.race.record_sighting(again, AINA.rep_id, "seen_at", NOON + SECOND)
    else:
        stores.race.record_attempt(again, AINA.rep_id, NOON + SECOND, "refused")
    assert sightings(stores, lead) == {}
    assert sightings(stores, again) == {AINA.rep_id: Sighting(**{first: NOON + SECOND})}
    # A straggler of the first opening does not turn the page back.
    stores.race.record_sighting(lead, AINA.rep_id, "declined_at", NOON + 2 * SECOND)
    stores.race.record_attempt(lead, AINA.rep_id, NOON + 2 * SECOND, "already_claimed")
    assert sightings(stores, again) == {AINA.rep_id: Sighting(**{first: NOON + SECOND})}


def test_notices_are_found_by_opening_and_start_the_claims_clock(
    stores: Stores, lead: Lead
) -> None:
    told = [
        Notice(lead.lead_id, 1, AINA.rep_id, NOON + SECOND, ("push",)),
        Notice(lead.lead_id, 1, BEN.rep_id, NOON + 2 * SECOND, ()),
    ]
    stores.offers.record(told)
    both = [AINA.rep_id, BEN.rep_id, "zzzzz"]
    assert stores.offers.notices(lead.lead_id, 1, both) == {n.rep_id: n for n in told}
    assert stores.offers.notices(lead.lead_id, 2, both) == {}
    assert stores.offers.notices(lead.lead_id, 1, []) == {}
    assert stores.view(lead).noticed_at == NOON + SECOND
    assert stores.view(lead, BEN).noticed_at == NOON + 2 * SECOND


def test_many_notices_are_kept_at_once(stores: Stores, lead: Lead) -> None:
    reps = [f"rep{number:02}" for number in range(60)]
    stores.offers.record([Notice(lead.lead_id, 1, rep, NOON, ("sms",)) for rep in reps])
    assert set(stores.offers.notices(lead.lead_id, 1, reps)) == set(reps)


def test_a_notice_of_another_opening_does_not_start_the_clock(stores: Stores, lead: Lead) -> None:
    stores.offers.record([Notice(lead.lead_id, 2, AINA.rep_id, NOON, ("push",))])
    assert stores.view(lead).noticed_at is None


def test_the_claimed_time_is_put_beside_the_notice_it_belongs_to(
    stores: Stores, lead: Lead
) -> None:
    notice = Notice(lead.lead_id, 1, AINA.rep_id, NOON, ("push",))
    stores.offers.record([notice])
    stores.offers.record_claimed(lead.lead_id, 2, AINA.rep_id, NOON + SECOND)
    stores.offers.record_claimed(lead.lead_id, 1, BEN.rep_id, NOON + SECOND)
    found = stores.offers.notices(lead.lead_id, 1, [AINA.rep_id, BEN.rep_id])
    assert found == {AINA.rep_id: notice}
    stores.offers.record_claimed(lead.lead_id, 1, AINA.rep_id, NOON + SECOND)
    found = stores.offers.notices(lead.lead_id, 1, [AINA.rep_id])
    assert found == {AINA.rep_id: replace(notice, claimed_at=NOON + SECOND)}


# Texts and codes


def test_one_text_is_reserved_per_rep_and_opening(stores: Stores, lead: Lead) -> None:
    def reserve(about: Lead, rep: Rep, code: str) -> str | None:
        return stores.offers.reserve_sms(about, rep.rep_id, lambda: code, NOON)

    assert reserve(lead, AINA, "7K2P") == "7K2P"
    assert reserve(lead, AINA, "9Q4R") is None
    assert reserve(lead, BEN, "7K2P") == "7K2P"  # another rep's code may be the same
    again = replace(lead, epoch=2)
    assert reserve(again, AINA, "5T6U") == "5T6U"
    assert reserve(lead, AINA, "8V9W") is None
    assert stores.offers.find_code(AINA.rep_id, "7K2P") == (lead.lead_id, 1)
    assert stores.offers.find_code(AINA.rep_id, "5T6U") == (lead.lead_id, 2)
    assert stores.offers.find_code(AINA.rep_id, "9Q4R") is None
    assert stores.offers.find_code(BEN.rep_id, "5T6U") is None


def test_a_code_the_rep_has_already_is_drawn_again(stores: Stores, lead: Lead) -> None:
    other = stores.post_lead(a_card(2), NOON)
    drawn = iter(["7K2P", "7K2P", "7K2P", "9Q4R"])
    for about, code in ((lead, "7K2P"), (other, "9Q4R")):
        got = stores.offers.reserve_sms(about, AINA.rep_id, lambda: next(drawn), NOON)
        assert got == code
    assert stores.offers.find_code(AINA.rep_id, "7K2P") == (lead.lead_id, 1)


def test_a_code_of_days_ago_may_be_used_again(stores: Stores, lead: Lead) -> None:
    later = NOON + timedelta(days=3)
    other = stores.post_lead(a_card(2), later)
    stores.offers.reserve_sms(lead, AINA.rep_id, lambda: "7K2P", NOON)
    assert stores.offers.reserve_sms(other, AINA.rep_id, lambda: "7K2P", later) == "7K2P"
    assert stores.offers.find_code(AINA.rep_id, "7K2P") == (other.lead_id, 1)


def test_a_reservation_given_back_may_be_taken_again(stores: Stores, lead: Lead) -> None:
    stores.offers.reserve_sms(lead, AINA.rep_id, lambda: "7K2P", NOON)
    stores.offers.free_sms(lead, AINA.rep_id, "7K2P")
    assert stores.offers.find_code(AINA.rep_id, "7K2P") is None
    assert stores.offers.reserve_sms(lead, AINA.rep_id, lambda: "9Q4R", NOON) == "9Q4R"


# The roster


def test_reps_are_found_by_id_team_and_phone(stores: Stores) -> None:
    assert stores.roster.get(AINA.rep_id) == AINA
    assert stores.roster.get("zzzzz") is None
    assert stores.roster.get_many([AINA.rep_id, "zzzzz", BEN.rep_id]) == {
        AINA.rep_id: AINA,
        BEN.rep_id: BEN,
    }
    assert stores.roster.get_many([]) == {}
    assert sorted(stores.roster.team("north"), key=str) == sorted(
        [(AINA, Limits()), (BEN, Limits())], key=str
    )
    assert list(stores.roster.team("south")) == []
    assert stores.roster.by_phone(str(AINA.phone)) == (AINA, Limits())
    assert stores.roster.by_phone("+60199999999") is None


def test_every_field_of_a_rep_comes_back(stores: Stores) -> None:
    rep = Rep(
        rep_id="repid",
        name="Zoë 陈",
        team="south",
        zone="America/Santiago",
        tier=3,
        language="ms",
        phone=None,
        active=False,
        paused_until=NOON,
        sms_opted_out=True,
    )
    stores.add_rep(rep)
    assert stores.roster.get("repid") == rep


def test_a_team_shows_what_its_reps_have_used_up(stores: Stores, lead: Lead) -> None:
    stores.commit(stores.view(lead))
    found = dict(stores.refreshed().roster.team("north"))
    assert found[AINA] == Limits(AINA.today(NOON), 1)
    known = stores.roster.by_phone(str(AINA.phone))
    assert known == (AINA, Limits(AINA.today(NOON), 1))


@pytest.mark.parametrize(
    "twin", [a_rep(1, phone="+60177777777"), a_rep(9, phone=AINA.phone)], ids=["id", "phone"]
)
def test_an_id_and_a_phone_belong_to_one_rep(stores: Stores, twin: Rep) -> None:
    with pytest.raises(AlreadyExists):
        stores.add_rep(twin)
    assert stores.roster.get(AINA.rep_id) == AINA
    assert stores.roster.by_phone(str(AINA.phone)) == (AINA, Limits())
    assert stores.roster.by_phone("+60177777777") is None
    assert stores.roster.get(a_rep(9).rep_id) is None


def test_a_rep_opts_out_and_in_pauses_and_comes_back(stores: Stores) -> None:
    stores.roster.opt_out(AINA.rep_id, True)
    stores.roster.pause(AINA.rep_id, NOON)
    assert stores.roster.get(AINA.rep_id) == replace(AINA, sms_opted_out=True, paused_until=NOON)
    stores.roster.opt_out(AINA.rep_id, False)
    stores.roster.pause(AINA.rep_id, None)
    stores.roster.pause(AINA.rep_id, None)
    assert stores.roster.get(AINA.rep_id) == AINA


PHONE = Device("phone-1", Platform.FCM, "arn:1")
TABLET = Device("tablet:2.b_c", Platform.APNS, "arn:2")


def test_devices_come_back_in_the_order_they_were_registered(stores: Stores) -> None:
    for device in (TABLET, PHONE):
        stores.roster.put_device(AINA.rep_id, device)
    assert stores.roster.get(AINA.rep_id) == replace(AINA, devices=(TABLET, PHONE))


def test_a_device_registered_again_replaces_itself(stores: Stores) -> None:
    for device in (PHONE, replace(PHONE, endpoint_arn="arn:9", enabled=False)):
        stores.roster.put_device(AINA.rep_id, device)
    kept = stores.roster.get(AINA.rep_id)
    assert kept is not None
    assert kept.devices == (Device("phone-1", Platform.FCM, "arn:9", enabled=False),)
    assert kept.pushable == ()


def test_a_device_is_forgotten_and_the_others_stay(stores: Stores) -> None:
    stores.roster.remove_device(AINA.rep_id, "phone-1")
    for device in (PHONE, TABLET):
        stores.roster.put_device(AINA.rep_id, device)
    stores.roster.remove_device(AINA.rep_id, "phone-1")
    stores.roster.remove_device(AINA.rep_id, "phone-1")
    assert stores.roster.get(AINA.rep_id) == replace(AINA, devices=(TABLET,))


def test_nothing_is_kept_of_a_rep_who_is_not_there(stores: Stores) -> None:
    for change in (
        lambda: stores.roster.pause("zzzzz", NOON),
        lambda: stores.roster.opt_out("zzzzz", True),
        lambda: stores.roster.put_device("zzzzz", PHONE),
        lambda: stores.roster.remove_device("zzzzz", "phone-1"),
    ):
        with pytest.raises(RouteNotFound):
            change()
    assert stores.roster.get("zzzzz") is None


def test_texts_are_counted_per_rep_and_in_all_up_to_each_cap(stores: Stores) -> None:
    day = date(2026, 11, 23)

    def count(rep: Rep, of_rep: int = 2, in_all: int = 3, on: date = day) -> bool:
        return stores.roster.count_sms(rep.rep_id, on, of_rep, in_all)

    assert [count(AINA) for _ in range(3)] == [True, True, False]
    assert [count(BEN) for _ in range(2)] == [True, False]  # three in all
    assert count(AINA, on=day + timedelta(days=1))
    assert not count(BEN, of_rep=0)
    assert not count(BEN, in_all=0)


def test_the_playbook_in_force_is_the_one_put_last(stores: Stores) -> None:
    stores.put_playbook(a_playbook(claims_per_day=7))
    now = stores.refreshed()
    assert now.roster.playbook().claims_per_day == 7
    assert now.race.read("aaaaaaaaaaaa", AINA.rep_id).playbook.claims_per_day == 7


# Once


def test_a_name_is_given_once(stores: Stores) -> None:
    assert stores.once.claim_name("a", NOON)
    assert not stores.once.claim_name("a", NOON + SECOND)
    assert stores.once.claim_name("b", NOON)
