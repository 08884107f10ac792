"""What every store promises, shown on the tables and on the fakes alike: a fake that drifts from
the real thing fails here, and with it whatever the unit tests showed on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from dibs.assignment import override
from dibs.assignment.ports import AssignmentWrite, Holdings, Override, Recipient
from dibs.assignment.round_robin import Turn
from dibs.assignment.store import DynamoHoldings
from dibs.aws.once import DynamoOnce
from dibs.core.calendar import parse_hours, week_of
from dibs.core.credentials import proves, shown
from dibs.core.errors import AlreadyExists, Busy, RouteNotFound
from dibs.core.events import LeadEvent
from dibs.core.lead import (
    RELEASED,
    Claim,
    Contact,
    DuplicateLink,
    IdentityKind,
    Lead,
    State,
    Transition,
    moved,
)
from dibs.core.ports import Once
from dibs.core.quality import Quality
from dibs.core.rep import Device, Platform, Rep, Usage
from dibs.intake.arrival_store import DynamoArrivals
from dibs.intake.blind import ArrivalCounts
from dibs.intake.duplicates import Identity, KnownIdentity
from dibs.intake.ports import Arrivals, LeadStore, StoredPost
from dibs.intake.store import DynamoLeadStore
from dibs.offers.ports import OfferStore, OfferView
from dibs.offers.store import DynamoOfferStore
from dibs.race.draw import DrawResult, in_order
from dibs.race.lifecycle import new_claim, remove_owner, return_lead
from dibs.race.ports import RaceStore, RaceView, SentOffer
from dibs.race.store import DynamoRaceStore
from dibs.race.usage import count_lead, release_lead, undo_claim
from dibs.roster.ports import Roster
from dibs.roster.store import DynamoRoster
from dibs.rules.playbook import Playbook
from support.builders import NOON, World, a_card, a_lead, a_playbook, a_rep, basics, counts_of
from support.clients import dynamodb_at
from support.fakes import FakeOnce, FakeWorld
from support.odd_server import serving
from support.over_http import asking

MS = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
AINA, BEN = a_rep(1, name="Aina"), a_rep(2, name="Ben", team="north")


@dataclass
class Stores:
    """One organisation's stores, all of one make. Those of tables remember nothing between uses."""

    race: RaceStore
    leads: LeadStore
    arrivals: Arrivals
    holdings: Holdings
    roster: Roster
    offers: OfferStore
    once: Once
    add_rep: Callable[[Rep], Rep]
    post_lead: Callable[..., Lead]
    history: Callable[[str], list[Transition]]
    put_playbook: Callable[[Playbook], None]
    refreshed: Callable[[], Stores]

    def view(self, lead: Lead, rep: Rep = AINA) -> RaceView:
        return self.race.read(lead.lead_id, rep.rep_id)

    def commit(self, view: RaceView, at: datetime = NOON, **changes: Any) -> RaceView | None:
        claim = a_claim(view, at, **changes)
        return self.race.commit_claim(view, claim, counts_of(view, claim))


def a_claim(view: RaceView, at: datetime, **changes: Any) -> Claim:
    lead, rep = view.lead, view.rep
    assert lead is not None
    assert rep is not None
    claim = Claim(
        lead.lead_id, lead.epoch, rep.rep_id, rep.name, rep.team, at, 1234, 1, test=lead.test
    )
    return replace(claim, **changes)


def used(at: datetime, claims: int, leads: int = -1, in_hand: int = -1) -> Usage:
    """What Aina has used up: as many leads as claims, and all in hand, where not said otherwise."""
    of_week = claims if leads < 0 else leads
    held = of_week if in_hand < 0 else in_hand
    return Usage(AINA.today(at), claims, AINA.this_week(at), of_week, held)


def on_tables(world: World) -> Stores:
    return Stores(
        race=DynamoRaceStore(world.dynamo, world.settings),
        leads=DynamoLeadStore(world.dynamo, world.settings),
        arrivals=DynamoArrivals(world.dynamo, world.settings),
        holdings=DynamoHoldings(world.dynamo, world.settings),
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
        arrivals=world.arrivals,
        holdings=world.holdings,
        roster=world.roster,
        offers=world.offers,
        once=FakeOnce(),
        add_rep=world.add_rep,
        post_lead=world.post_lead,
        history=world.leads.history,
        put_playbook=world.put_playbook,
        refreshed=lambda: in_memory(world),
    )


@pytest.fixture
def own_world(world: World) -> Iterator[World]:
    """The same tables, asked as functions ask them on AWS: by our own client, over HTTP."""
    with (
        serving(asking(world.dynamo.client)) as server,
        dynamodb_at(f"http://127.0.0.1:{server.port}") as client,
    ):
        yield World(client, world.settings)


@pytest.fixture(params=["world", "own_world", "memory"])
def stores(request: pytest.FixtureRequest) -> Stores:
    made = (
        in_memory(FakeWorld())
        if request.param == "memory"
        else on_tables(request.getfixturevalue(request.param))
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
    card = Contact(
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
    assert (view.usage, view.credential) == (Usage(), None)


def test_a_lead_accepted_again_is_met_by_the_card_stored_first(stores: Stores, lead: Lead) -> None:
    card = replace(a_card(company="Other"), lead_id=lead.lead_id)
    opening = Transition(lead.lead_id, 1, NOON, State.NEW, State.OPEN, "accepted", "x")
    met = stores.leads.accept(replace(lead, epoch=7), card, opening, NOON)
    assert met == StoredPost(replace(a_card(), lead_id=lead.lead_id))
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


def test_only_of_the_opening_that_stands_it_is_noted_what_was_told_and_never_less(
    stores: Stores, lead: Lead
) -> None:
    stores.leads.record_notified(replace(lead, epoch=2), NOON)
    assert stores.leads.get(lead.lead_id) == lead
    stores.leads.record_notified(lead, NOON + SECOND)
    stores.leads.record_notified(lead, NOON)
    assert stores.leads.get(lead.lead_id) == replace(lead, notified_until=NOON + SECOND)
    stores.leads.record_notified(lead, NOON + 2 * SECOND)
    assert stores.leads.get(lead.lead_id) == replace(lead, notified_until=NOON + 2 * SECOND)


TIERS = {"model": "tiers", "teams": {"north": {"name": "N"}, "south": {"name": "S"}}}


def in_waves(stores: Stores) -> Lead:
    """A lead with waves in two teams."""
    stores.put_playbook(a_playbook(**TIERS))
    return stores.refreshed().post_lead(a_card(score=60), NOON)


def early_of(lead: Lead, at: datetime) -> Lead:
    """The lead with the second tier of team north let in early."""
    first, _, third = lead.waves["north"]
    return replace(lead, waves={**lead.waves, "north": (first, at, third)})


def test_the_openings_of_every_tier_and_team_come_back(stores: Stores) -> None:
    lead = in_waves(stores)
    quarter, hour = NOON + timedelta(minutes=15), NOON + timedelta(hours=1)
    kept = stores.leads.get(lead.lead_id)
    assert kept == lead
    assert kept is not None
    assert kept.waves == dict.fromkeys(("north", "south"), (NOON, quarter, hour))
    premium = stores.refreshed().post_lead(a_card(2), NOON)
    kept = stores.leads.get(premium.lead_id)
    assert kept is not None
    assert kept.openings("north") == (NOON, quarter, None)


def test_a_wave_that_opens_early_is_recorded_once(stores: Stores) -> None:
    lead = in_waves(stores)
    early = early_of(lead, NOON + 3 * SECOND)
    assert stores.leads.open_early(lead, early)
    assert stores.leads.get(lead.lead_id) == early
    # Somebody else had read the lead before; what is recorded is not put off again.
    assert not stores.leads.open_early(lead, early_of(lead, NOON + 5 * SECOND))
    assert stores.leads.get(lead.lead_id) == early
    assert stores.leads.open_early(early, early_of(early, NOON + 2 * SECOND))


def test_a_wave_of_a_lead_that_is_gone_or_opened_anew_does_not_open_early(stores: Stores) -> None:
    lead = in_waves(stores)
    assert not stores.leads.open_early(
        replace(lead, epoch=2), early_of(replace(lead, epoch=2), NOON + SECOND)
    )
    stores = stores.refreshed()
    first = stores.add_rep(a_rep(3, tier=1))
    assert stores.commit(stores.view(lead, first), NOON + SECOND) is None
    held = stores.leads.get(lead.lead_id)
    assert not stores.leads.open_early(lead, early_of(lead, NOON + 2 * SECOND))
    assert stores.leads.get(lead.lead_id) == held


def expiry(lead: Lead, at: datetime) -> Transition:
    return Transition(
        lead.lead_id, lead.epoch, at, State.OPEN, State.EXPIRED, "window_closed", "clock"
    )


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


def waiting(stores: Stores, before: datetime) -> list[LeadEvent | None]:
    return [pending.event for pending in stores.leads.waiting_in_outbox(before)]


def test_a_event_waits_until_it_is_taken_out(stores: Stores, lead: Lead) -> None:
    assert waiting(stores, NOON) == []
    (pending,) = stores.leads.waiting_in_outbox(NOON + MS)
    assert pending.event == LeadEvent("lead.opened", lead.lead_id, 1)
    assert pending.since == NOON
    stores.leads.clear_outbox(pending)
    stores.leads.clear_outbox(pending)
    assert waiting(stores, NOON + SECOND) == []
    assert stores.leads.get(lead.lead_id) == lead


def test_a_claim_and_the_opening_it_ended_wait_side_by_side(stores: Stores, lead: Lead) -> None:
    stores.commit(stores.view(lead), NOON + SECOND)
    events = waiting(stores, NOON + 2 * SECOND)
    assert sorted(events, key=str) == sorted(
        [None, LeadEvent("lead.claimed", lead.lead_id, 1, AINA.rep_id)], key=str
    )
    assert waiting(stores, NOON + SECOND) == [None]


def test_an_older_event_taken_out_leaves_the_newer_one_in(stores: Stores, lead: Lead) -> None:
    (opening,) = stores.leads.waiting_in_outbox(NOON + MS)
    stores.leads.expire(lead, expiry(lead, lead.closes_at))
    stores.leads.clear_outbox(opening)
    assert waiting(stores, lead.closes_at + MS) == [LeadEvent("lead.expired", lead.lead_id, 1)]


# The race


def test_a_claim_takes_lock_count_and_record_together(stores: Stores, lead: Lead) -> None:
    at = NOON + SECOND
    view = stores.view(lead)
    assert view.lead == lead
    assert (view.rep, view.usage) == (AINA, Usage())
    assert view.credential is None, "nobody asked for it"
    said = shown(f"{AINA.rep_id}.secret")
    known = stores.race.read(lead.lead_id, AINA.rep_id, said).credential
    assert known is not None
    assert (known.digest, known.number) == (said.digest, view.token_number)
    assert stores.commit(view, at) is None
    after = stores.view(lead)
    assert after.lead == replace(lead, state=State.CLAIMED, owner=AINA.rep_id, claimed_at=at)
    assert basics(after.usage) == used(at, 1)
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
    assert (met.rep, met.usage) == (BEN, Usage())
    assert stores.view(lead, BEN).usage == Usage()


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
    assert basics(met.usage) == used(NOON, 2)


def test_counts_read_before_another_claim_still_fit_below_the_limit(stores: Stores) -> None:
    stores.put_playbook(a_playbook(claims_per_day=3))
    stores = stores.refreshed()
    leads = [stores.post_lead(a_card(number), NOON) for number in range(5)]
    assert stores.commit(stores.view(leads[0])) is None
    views = [stores.view(lead) for lead in leads[1:]]  # all of them read a count of one
    assert [stores.commit(view) is None for view in views] == [True, True, False, False]
    assert stores.view(leads[0]).usage.claims == 3


def test_the_first_claim_of_a_day_is_decided_again_when_another_came_first(
    stores: Stores,
) -> None:
    leads = [stores.post_lead(a_card(number), NOON) for number in range(2)]
    views = [stores.view(lead) for lead in leads]  # both saw no count at all
    assert stores.commit(views[0]) is None
    met = stores.commit(views[1])
    assert met is not None
    assert basics(met.usage) == used(NOON, 1)
    assert stores.commit(met) is None
    assert stores.view(leads[0]).usage.claims == 2


def test_the_count_starts_again_on_a_new_day(stores: Stores) -> None:
    leads = [stores.post_lead(a_card(n), NOON + 4 * n * timedelta(hours=1)) for n in range(2)]
    assert stores.commit(stores.view(leads[0])) is None
    tomorrow = NOON + timedelta(hours=4)  # midnight in Kuching
    before = stores.view(leads[1])
    assert stores.commit(before, tomorrow) is None
    assert basics(stores.view(leads[0]).usage) == used(tomorrow, 1, leads=2)
    third = stores.post_lead(a_card(3), tomorrow)
    stale = replace(stores.view(third), usage=before.usage)
    met = stores.commit(stale, tomorrow)  # read yesterday's count, and meets today's
    assert met is not None
    assert basics(met.usage) == used(tomorrow, 1, leads=2)


def test_a_clock_behind_midnight_counts_on_the_day_another_has_begun(stores: Stores) -> None:
    stores.put_playbook(a_playbook(claims_per_day=2))
    stores = stores.refreshed()
    midnight = NOON + timedelta(hours=4)  # in Kuching
    leads = [stores.post_lead(a_card(n), midnight - SECOND) for n in range(3)]
    views = [stores.view(lead) for lead in leads]
    assert stores.commit(views[0], midnight) is None
    met = stores.commit(views[1], midnight - MS)  # its day is over, says the store
    assert met is not None
    assert basics(met.usage) == used(midnight, 1)
    assert stores.commit(met, midnight - MS) is None
    assert basics(stores.view(leads[0]).usage) == used(midnight, 2)
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
    assert basics(stores.view(trial).usage) == used(NOON, 1)
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
    transitions = [
        Transition(
            held.lead_id, held.epoch, at, State.CLAIMED, State.RELEASED, "undone", AINA.rep_id
        ),
        Transition(
            held.lead_id, held.epoch + 1, at, State.RELEASED, State.OPEN, "undone", AINA.rep_id
        ),
    ]
    off = undo_claim(held, view.rep, view.usage)
    return stores.race.commit_undo(held, fresh, transitions, off), fresh


def test_an_undone_claim_is_open_anew_uncounted_and_told(stores: Stores, lead: Lead) -> None:
    other = stores.post_lead(a_card(2), NOON)
    stores.commit(stores.view(other))
    stores.commit(stores.view(lead))
    at = NOON + SECOND
    done, fresh = undo(stores, stores.view(lead), at)
    assert done
    after = stores.view(lead)
    assert after.lead == fresh
    assert basics(after.usage) == used(NOON, 1)
    assert after.claim is not None
    assert after.claim.epoch == 1  # kept, until the next claim takes its place
    assert stores.leads.open_leads() == [fresh]
    assert LeadEvent("lead.opened", lead.lead_id, 2) in waiting(stores, at + MS)
    steps = [(transition.epoch, transition.to_state) for transition in stores.history(lead.lead_id)]
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
    # The day's count is another day's; the week is the same, and the lead is in hand no longer.
    assert basics(stores.view(first).usage) == used(midnight, 2, leads=1)


# The weekly allowance


def with_an_allowance(stores: Stores, leads: int) -> Stores:
    stores.put_playbook(a_playbook(quota={"enabled": True, "base_per_week": leads}))
    return stores.refreshed()


def test_claims_count_up_to_the_weeks_allowance_and_no_further(stores: Stores) -> None:
    stores = with_an_allowance(stores, 2)
    days = [NOON, NOON + timedelta(days=1), NOON + timedelta(days=2)]
    leads = [stores.post_lead(a_card(number), at) for number, at in enumerate(days)]
    outcomes = [
        stores.commit(stores.view(lead), at) is None for lead, at in zip(leads, days, strict=True)
    ]
    assert outcomes == [True, True, False]
    met = stores.commit(stores.view(leads[2]), days[2])
    assert met is not None
    assert met.lead == leads[2]
    assert basics(met.usage) == used(days[1], 1, leads=2)


def test_an_allowance_of_their_own_goes_before_the_base(stores: Stores) -> None:
    stores = with_an_allowance(stores, 5)
    rep = stores.add_rep(a_rep(3, allowance=1))
    leads = [stores.post_lead(a_card(number), NOON) for number in range(2)]
    assert [stores.commit(stores.view(lead, rep)) is None for lead in leads] == [True, False]


def test_allowances_read_before_another_claim_still_fit_below_the_maximum(stores: Stores) -> None:
    stores = with_an_allowance(stores, 3)
    leads = [stores.post_lead(a_card(number), NOON) for number in range(5)]
    assert stores.commit(stores.view(leads[0])) is None
    views = [stores.view(lead) for lead in leads[1:]]  # all of them read a week of one
    assert [stores.commit(view) is None for view in views] == [True, True, False, False]
    assert basics(stores.view(leads[0]).usage) == used(NOON, 3)


MONDAY = NOON + timedelta(days=6, hours=4)  # midnight in Kuching, the week after


def test_the_allowance_starts_again_on_monday_in_the_reps_zone(stores: Stores) -> None:
    stores = with_an_allowance(stores, 1)
    sunday = MONDAY - MS
    leads = [stores.post_lead(a_card(number), sunday) for number in range(4)]
    assert stores.commit(stores.view(leads[0]), sunday) is None
    stale = stores.view(leads[1])
    assert stores.commit(stores.view(leads[1]), sunday) is not None
    assert stores.commit(stores.view(leads[1]), MONDAY) is None
    assert basics(stores.view(leads[0]).usage) == used(MONDAY, 1, leads=1, in_hand=2)
    # Whoever read last week's count meets this week's.
    third = replace(stores.view(leads[2]), usage=stale.usage)
    met = stores.commit(third, MONDAY)
    assert met is not None
    assert basics(met.usage) == used(MONDAY, 1, leads=1, in_hand=2)
    # A clock behind midnight counts in the week another has begun, which is full.
    assert stores.commit(stores.view(leads[3]), sunday) is not None


def test_a_rep_whose_tier_was_changed_since_does_not_get_the_lead(
    stores: Stores, lead: Lead
) -> None:
    view = stores.view(lead)
    assert view.rep is not None
    met = stores.commit(replace(view, rep=replace(view.rep, tier=1)))
    assert met is not None
    assert met.rep == AINA
    assert stores.leads.get(lead.lead_id) == lead


# What goes to somebody, and comes back, without a race


def without_a_race(stores: Stores, **rules: Any) -> Stores:
    stores.put_playbook(a_playbook(model="round-robin", **rules))
    return stores.refreshed()


ANY = Turn(1, "any")


def assign(
    stores: Stores,
    lead: Lead,
    rep: Rep = AINA,
    at: datetime = NOON,
    last: Turn | None = None,
    turn: Turn | None = ANY,
    view: RaceView | None = None,
    **changes: Any,
) -> bool:
    """Assign as decided on `view`, or on what is stored now; no `turn` is the last resort's."""
    read = view or stores.view(lead, rep)
    assert read.rep is not None
    claim = a_claim(read, at, cause="assigned", **changes)
    step = Transition(lead.lead_id, lead.epoch, at, lead.state, State.ASSIGNED, "assigned", "dibs")
    before = stores.holdings.last_turn("north") if last is None else last
    counts = counts_of(replace(read, lead=lead), claim, bound=turn is not None)
    taken = AssignmentWrite(
        claim, replace(step, holder=claim.rep_id), "north", before, turn, counts
    )
    return stores.holdings.assign(lead, taken)


def test_a_lead_nobody_races_for_waits_to_be_assigned(stores: Stores) -> None:
    lead = without_a_race(stores).post_lead(a_card(), NOON)
    assert lead.state is State.NEW
    assert stores.leads.get(lead.lead_id) == lead
    assert stores.holdings.queued() == [lead]
    assert stores.leads.open_leads() == []
    assert waiting(stores, NOON + MS) == [LeadEvent("lead.queued", lead.lead_id, 1)]
    assert stores.history(lead.lead_id) == []


def test_the_queue_is_in_the_order_leads_came_in_wherever_they_come_from(stores: Stores) -> None:
    raced = stores.post_lead(a_card(9), NOON + 2 * SECOND)
    stores = without_a_race(stores)
    leads = [stores.post_lead(a_card(n), NOON + n * SECOND) for n in (4, 1, 3)]
    twin = stores.post_lead(a_card(5), NOON + SECOND)
    first, second = sorted([leads[1], twin], key=lambda lead: lead.lead_id)
    assert stores.holdings.queued() == [first, second, leads[2], leads[0]]
    assert stores.leads.expire(raced, expiry(raced, raced.closes_at))
    assert [one.lead_id for one in stores.holdings.queued()] == [
        lead.lead_id for lead in (first, second, raced, leads[2], leads[0])
    ]


def test_an_assignment_takes_lock_counts_record_step_and_turn_together(stores: Stores) -> None:
    stores = without_a_race(stores)
    lead, at = stores.post_lead(a_card(), NOON), NOON + SECOND
    view, turn = stores.view(lead), Turn(1, AINA.rep_id)
    due = {"nudge_at": at + SECOND, "return_at": at + 2 * SECOND}
    assert stores.holdings.last_turn("north") == Turn()
    assert assign(stores, lead, at=at, turn=turn, **due)
    after = stores.view(lead)
    assert after.lead == replace(
        lead,
        state=State.ASSIGNED,
        owner=AINA.rep_id,
        claimed_at=at,
        return_at=due["return_at"],
    )
    assert after.claim == a_claim(view, at, cause="assigned", **due)
    # No competitive claim: the day's count is left alone.
    assert basics(after.usage) == Usage(None, 0, AINA.this_week(at), 1, 1)
    assert stores.holdings.last_turn("north") == turn
    assert stores.holdings.last_turn("south") == Turn()
    assert stores.holdings.queued() == []
    assert LeadEvent("lead.assigned", lead.lead_id, 1, AINA.rep_id) in waiting(stores, at + MS)
    assert stores.history(lead.lead_id) == [
        Transition(
            lead.lead_id,
            1,
            at,
            State.NEW,
            State.ASSIGNED,
            "assigned",
            "dibs",
            holder=AINA.rep_id,
        )
    ]


def test_an_assigned_lead_has_left_the_outbox_as_waiting(stores: Stores) -> None:
    stores = without_a_race(stores)
    lead = stores.post_lead(a_card(), NOON)
    assert assign(stores, lead, at=NOON + SECOND)
    assert sorted(waiting(stores, NOON + 2 * SECOND), key=str) == sorted(
        [None, LeadEvent("lead.assigned", lead.lead_id, 1, AINA.rep_id)], key=str
    )


def test_an_expired_lead_is_assigned_too_and_an_open_one_waits_for_nobody(
    stores: Stores, lead: Lead
) -> None:
    assert stores.holdings.queued() == []
    assert stores.leads.expire(lead, expiry(lead, lead.closes_at))
    kept = stores.leads.get(lead.lead_id)
    assert kept is not None
    assert stores.holdings.queued() == [kept]
    assert not assign(stores, lead, at=lead.closes_at, view=replace(stores.view(lead), lead=lead))
    assert assign(stores, kept, at=lead.closes_at + MS)
    assert [transition.to_state for transition in stores.history(lead.lead_id)] == [
        State.OPEN,
        State.EXPIRED,
        State.ASSIGNED,
    ]


def test_of_two_who_serve_the_queue_at_once_the_second_changes_nothing(stores: Stores) -> None:
    stores = without_a_race(stores)
    lead = stores.post_lead(a_card(), NOON)
    mine, theirs = stores.view(lead), stores.view(lead, BEN)
    assert assign(stores, lead, view=mine, last=Turn(), turn=Turn(1, AINA.rep_id))
    before = stores.view(lead, BEN)
    assert not assign(stores, lead, BEN, view=theirs, last=Turn(), turn=Turn(1, BEN.rep_id))
    # Not with the turn as it is now either: the lead is gone.
    last = Turn(1, AINA.rep_id)
    assert not assign(stores, lead, BEN, view=theirs, last=last, turn=Turn(1, BEN.rep_id))
    assert stores.view(lead, BEN) == before
    assert stores.holdings.last_turn("north") == last
    assert len(stores.history(lead.lead_id)) == 1


@pytest.mark.parametrize("first", [True, False])
def test_a_turn_is_passed_on_once(stores: Stores, first: bool) -> None:
    stores = without_a_race(stores)
    leads = [stores.post_lead(a_card(number), NOON) for number in range(4)]
    last = Turn()
    if not first:
        last = Turn(2, BEN.rep_id)
        assert assign(stores, leads[3], BEN, turn=last)
    assert assign(stores, leads[0], last=last, turn=Turn(1, AINA.rep_id))
    # Whoever read the turn before that may not give another lead on it.
    assert not assign(stores, leads[1], last=last, turn=Turn(1, AINA.rep_id))
    assert not assign(stores, leads[1], BEN, last=Turn(2, AINA.rep_id), turn=Turn(1, BEN.rep_id))
    assert stores.leads.get(leads[1].lead_id) == leads[1]
    assert stores.holdings.last_turn("north") == Turn(1, AINA.rep_id)
    assert assign(stores, leads[1], BEN, last=Turn(1, AINA.rep_id), turn=Turn(1, BEN.rep_id))
    assert stores.holdings.last_turn("north") == Turn(1, BEN.rep_id)


def test_a_reopened_lead_is_not_assigned_on_what_was_read_before(stores: Stores) -> None:
    stores = without_a_race(stores)
    lead = stores.post_lead(a_card(), NOON)
    assert not assign(stores, lead, epoch=2)
    assert stores.leads.get(lead.lead_id) == lead
    assert stores.holdings.last_turn("north") == Turn()


def changed_rep(stores: Stores, how: str) -> RaceView:
    """A view of a lead in the queue and of somebody who may not have it by the time of writing."""
    lead = stores.post_lead(a_card(50), NOON)
    if how == "let go":
        rep = stores.add_rep(a_rep(3, active=False))
        return stores.view(lead, rep)
    view = stores.view(lead)
    assert view.rep is not None
    if how == "paused":
        stores.roster.pause(AINA.rep_id, NOON + SECOND)
    if how == "tier changed":
        view = replace(view, rep=replace(view.rep, tier=1))
    return view


@pytest.mark.parametrize("how", ["paused", "let go", "tier changed"])
@pytest.mark.parametrize("test", [False, True])
def test_somebody_who_may_not_have_it_any_more_is_not_assigned_a_lead(
    stores: Stores, how: str, test: bool
) -> None:
    stores = without_a_race(stores)
    view = changed_rep(stores, how)
    lead = view.lead
    assert lead is not None
    assert not assign(stores, lead, view=view, test=test)
    assert stores.leads.get(lead.lead_id) == lead
    assert stores.holdings.last_turn("north") == Turn()


@pytest.mark.parametrize("how", ["paused", "tier changed"])
def test_the_last_resort_gets_it_whatever_they_switched_off(stores: Stores, how: str) -> None:
    stores = without_a_race(stores)
    view = changed_rep(stores, how)
    assert view.lead is not None
    assert assign(stores, view.lead, view=view, turn=None)
    kept = stores.leads.get(view.lead.lead_id)
    assert kept is not None
    assert (kept.state, kept.owner) == (State.ASSIGNED, AINA.rep_id)


def test_not_even_as_the_last_resort_somebody_who_left_is_assigned_a_lead(stores: Stores) -> None:
    stores = without_a_race(stores)
    view = changed_rep(stores, "let go")
    assert view.lead is not None
    assert not assign(stores, view.lead, view=view, turn=None)


def test_assignments_count_up_to_the_weeks_allowance_and_no_further(stores: Stores) -> None:
    stores = without_a_race(stores, quota={"enabled": True, "base_per_week": 2})
    leads = [stores.post_lead(a_card(number), NOON) for number in range(5)]
    early = stores.view(leads[2])
    assert [assign(stores, lead) for lead in leads[:3]] == [True, True, False]
    assert not assign(stores, leads[2], view=early)  # read before there was any count
    assert stores.leads.get(leads[2].lead_id) == leads[2]
    assert basics(stores.view(leads[0]).usage) == Usage(None, 0, AINA.this_week(NOON), 2, 2)
    assert assign(stores, leads[2], at=MONDAY)
    assert basics(stores.view(leads[0]).usage) == Usage(None, 0, AINA.this_week(MONDAY), 1, 3)
    assert assign(stores, leads[3], at=MONDAY)
    # The last resort is over any allowance, and their count goes on.
    assert not assign(stores, leads[4], at=MONDAY)
    assert assign(stores, leads[4], at=MONDAY, turn=None)
    assert basics(stores.view(leads[0]).usage) == Usage(None, 0, AINA.this_week(MONDAY), 3, 5)


def test_leads_in_hand_count_up_to_the_limit_and_no_further(stores: Stores) -> None:
    stores = without_a_race(stores, assignment={"in_hand_limit": 2})
    leads = [stores.post_lead(a_card(number), NOON) for number in range(4)]
    assert assign(stores, leads[0])
    view = stores.view(leads[2])  # reads one in hand
    assert assign(stores, leads[1])
    assert not assign(stores, leads[2])
    assert not assign(stores, leads[2], view=view)
    assert stores.view(leads[2]).usage.in_hand == 2
    assert assign(stores, leads[3], turn=None)
    assert stores.view(leads[2]).usage.in_hand == 3


def test_the_limit_of_leads_in_hand_is_for_assignments_not_for_claims(stores: Stores) -> None:
    stores.put_playbook(a_playbook(assignment={"in_hand_limit": 1}))
    stores = stores.refreshed()
    leads = [stores.post_lead(a_card(number), NOON) for number in range(2)]
    assert [stores.commit(stores.view(lead)) is None for lead in leads] == [True, True]
    assert basics(stores.view(leads[0]).usage) == used(NOON, 2)


def test_a_test_lead_is_assigned_and_counted_nowhere(stores: Stores) -> None:
    stores = without_a_race(stores, quota={"enabled": True, "base_per_week": 1})
    trial, real = stores.post_lead(a_card(1, test=True), NOON), stores.post_lead(a_card(2), NOON)
    assert assign(stores, trial)
    assert stores.view(trial).usage == Usage()
    assert assign(stores, real)
    assert give_back(stores, trial)[0]
    assert basics(stores.view(trial).usage) == Usage(None, 0, AINA.this_week(NOON), 1, 1)


def test_the_last_resort_does_not_pass_the_turn_on(stores: Stores) -> None:
    stores = without_a_race(stores)
    leads = [stores.post_lead(a_card(number), NOON) for number in range(2)]
    assert assign(stores, leads[0], turn=Turn(1, BEN.rep_id))
    assert assign(stores, leads[1], last=Turn(7, "nobody"), turn=None)
    assert stores.holdings.last_turn("north") == Turn(1, BEN.rep_id)


def test_a_test_lead_does_not_pass_the_turn_on(stores: Stores) -> None:
    stores = without_a_race(stores)
    real, test = (stores.post_lead(a_card(n, test=n == 2), NOON) for n in (1, 2))
    assert assign(stores, real, turn=Turn(1, BEN.rep_id))
    assert assign(stores, test, turn=Turn(1, AINA.rep_id), test=True)
    assert stores.holdings.last_turn("north") == Turn(1, BEN.rep_id)


def give_back(
    stores: Stores,
    lead: Lead,
    at: datetime = NOON + SECOND,
    view: RaceView | None = None,
    to: State = State.RELEASED,
    **changes: Any,
) -> tuple[bool, Lead]:
    """Give a held lead back, to wait for another or to race anew."""
    read = view or stores.view(lead)
    assert read.lead is not None
    assert read.rep is not None
    held = replace(read.lead, **changes)
    released, transition = moved(held, State.RELEASED, at, "not_worked", "clock")
    back = replace(
        released,
        state=to,
        epoch=held.epoch + 1,
        owner=None,
        claimed_at=None,
        return_at=None,
        worked_at=None,
        previous_owner=held.owner,
        opens_at=at,
        closes_at=at + timedelta(minutes=15),
    )
    done = stores.holdings.give_back(held, back, [transition], release_lead(held, read.usage))
    return done, back


DUE = {"nudge_at": NOON + 10 * SECOND, "return_at": NOON + 20 * SECOND}


def test_a_lead_given_back_waits_again_and_is_in_hand_no_longer(stores: Stores) -> None:
    stores = without_a_race(stores)
    lead, at = stores.post_lead(a_card(), NOON), NOON + 20 * SECOND
    assert assign(stores, lead, **DUE)
    done, back = give_back(stores, lead, at)
    assert done
    after = stores.view(lead)
    assert after.lead == back
    # It was had, and counts for the week.
    assert basics(after.usage) == Usage(None, 0, AINA.this_week(NOON), 1, 0)
    assert stores.holdings.queued() == [back]
    assert stores.holdings.unworked(at + timedelta(days=9)) == []
    assert stores.holdings.held_by(AINA.rep_id) == []
    events = waiting(stores, at + MS)
    assert LeadEvent("lead.queued", lead.lead_id, 2) in events
    assert LeadEvent("lead.returned", lead.lead_id, 1, AINA.rep_id) in events
    steps = [(step.epoch, step.to_state, step.cause) for step in stores.history(lead.lead_id)]
    assert steps == [(1, State.ASSIGNED, "assigned"), (1, State.RELEASED, "not_worked")]


def test_a_release_leaves_the_outbox_by_itself(stores: Stores) -> None:
    stores = without_a_race(stores)
    lead = stores.post_lead(a_card(), NOON)
    assert assign(stores, lead)
    give_back(stores, lead)
    for pending in stores.leads.waiting_in_outbox(NOON + 2 * SECOND):
        if pending.event is not None and pending.event.kind == "lead.returned":
            stores.leads.clear_outbox(pending)
    kinds = {event.kind for event in waiting(stores, NOON + 2 * SECOND) if event}
    assert kinds == {"lead.queued", "lead.assigned"}


def test_a_claimed_lead_given_back_is_open_anew_and_its_claim_still_counts(
    stores: Stores, lead: Lead
) -> None:
    assert stores.commit(stores.view(lead)) is None
    done, back = give_back(stores, lead, to=State.OPEN)
    assert done
    assert stores.leads.open_leads() == [back]
    assert stores.holdings.queued() == []
    assert basics(stores.view(lead).usage) == used(NOON, 1, in_hand=0)
    assert LeadEvent("lead.opened", lead.lead_id, 2) in waiting(stores, NOON + 2 * SECOND)
    assert stores.commit(stores.view(lead, BEN), NOON + 2 * SECOND) is None


def test_a_lead_is_given_back_once(stores: Stores) -> None:
    stores = without_a_race(stores)
    lead = stores.post_lead(a_card(), NOON)
    assert assign(stores, lead)
    held = stores.view(lead)
    assert give_back(stores, lead, view=held)[0]
    after = stores.view(lead)
    assert not give_back(stores, lead, view=held)[0]
    assert stores.view(lead) == after
    assert assign(stores, after.lead, BEN)  # type: ignore[arg-type]
    now = stores.view(lead)
    assert not give_back(stores, lead, view=held)[0]
    assert stores.view(lead) == now


def test_a_lead_that_moved_on_since_is_not_given_back(stores: Stores) -> None:
    stores = without_a_race(stores)
    lead = stores.post_lead(a_card(), NOON)
    assert assign(stores, lead)
    held = stores.view(lead)
    assert not give_back(stores, lead, state=State.CONTACTED)[0]
    assert not give_back(stores, lead, owner=BEN.rep_id)[0]
    assert not give_back(stores, lead, epoch=2)[0]
    assert stores.view(lead) == held


def test_a_worked_lead_given_back_was_in_hand_no_longer(stores: Stores) -> None:
    stores = without_a_race(stores)
    leads = [stores.post_lead(a_card(number), NOON) for number in range(2)]
    for lead in leads:
        assert assign(stores, lead)
    assert give_back(stores, leads[0], worked_at=NOON)[0]
    assert stores.view(leads[0]).usage.in_hand == 2


def test_counts_that_were_full_when_read_are_not_lowered_below_nothing(stores: Stores) -> None:
    stores = without_a_race(stores)
    leads = [stores.post_lead(a_card(number), NOON) for number in range(2)]
    for lead in leads:
        assert assign(stores, lead)
    views = [stores.view(lead) for lead in leads]
    assert [give_back(stores, lead, view=view)[0] for lead, view in zip(leads, views, strict=True)]
    assert stores.view(leads[0]).usage.in_hand == 0


def test_who_released_a_lead_and_why_is_kept(stores: Stores, lead: Lead) -> None:
    assert stores.commit(stores.view(lead)) is None
    view = stores.view(lead)
    assert view.lead is not None
    assert view.rep is not None
    at = NOON + 90 * MS
    back, transitions = return_lead(
        view.lead, view.playbook, at, RELEASED, AINA.rep_id, "wrong industry", won=True
    )
    off = release_lead(view.lead, view.usage)
    assert stores.holdings.give_back(view.lead, back, transitions, off)
    assert stores.view(lead).lead == back
    assert (back.previous_owner, back.released_by) == (AINA.rep_id, {AINA.rep_id: NOON})
    notes = {
        transition.cause: transition.note
        for transition in stores.history(lead.lead_id)
        if transition.note
    }
    assert notes == {RELEASED: "wrong industry"}
    # Both stay while others have it.
    assert stores.commit(stores.view(lead, BEN), at) is None
    held = stores.view(lead).lead
    assert held is not None
    assert (held.previous_owner, held.released_by) == (back.previous_owner, back.released_by)


# A manager's word (R7)


def decided(
    stores: Stores,
    lead: Lead,
    to: Rep | override.Where,
    at: datetime = NOON + SECOND,
) -> tuple[Lead, bool]:
    race, holdings = stores.race, stores.holdings
    if isinstance(to, Rep):
        rep_id = to.rep_id
        return override.assign(
            race, holdings, lead.lead_id, rep_id, "manager", "so", lambda: at, lambda _: None
        )
    return override.withdraw(
        race, holdings, lead.lead_id, to, "manager", "so", lambda: at, lambda _: None
    )


@pytest.mark.parametrize("how", ["open", "claimed", "queued", "parked"])
def test_a_lead_a_manager_assigns_is_its_holders_as_any_other(
    stores: Stores, lead: Lead, how: str
) -> None:
    at = NOON + SECOND
    if how == "claimed":
        assert stores.commit(stores.view(lead)) is None
    elif how == "queued":
        at = lead.closes_at + SECOND
        _, transition = moved(lead, State.EXPIRED, lead.closes_at, "window_closed", "clock")
        assert stores.leads.expire(lead, transition)
    elif how == "parked":
        decided(stores, lead, "nobody", NOON + MS)
    given, changed = decided(stores, lead, BEN, at)
    view = stores.view(lead, BEN)
    assert (changed, view.lead) == (True, given)
    assert basics(view.usage) == Usage(None, 0, BEN.this_week(at), 1, 1)
    assert view.claim is not None
    assert (view.claim.rep_id, view.claim.epoch) == (BEN.rep_id, given.epoch)
    assert stores.holdings.held_by(BEN.rep_id) == [given]
    assert stores.holdings.held_by(AINA.rep_id) == []
    assert stores.holdings.queued() == stores.leads.open_leads() == []
    assert given.return_at is not None
    assert stores.holdings.unworked(given.return_at) == [given]
    events = [event for event in waiting(stores, at + MS) if event is not None]
    assert LeadEvent("lead.assigned", lead.lead_id, given.epoch, BEN.rep_id) in events
    returned = LeadEvent("lead.returned", lead.lead_id, 1, AINA.rep_id)
    assert (returned in events) is (how == "claimed")
    assert "lead.opened" not in {event.kind for event in events}
    if how == "claimed":
        assert basics(stores.view(lead).usage) == used(NOON, 1, in_hand=0)
        assert given.epoch == 2
    assert stores.history(lead.lead_id)[-1].note == "so"
    assert decided(stores, lead, BEN, at + SECOND) == (given, False)


@pytest.mark.parametrize("held", [False, True])
def test_a_lead_put_aside_waits_for_nobody_until_it_is_put_back(
    stores: Stores, lead: Lead, held: bool
) -> None:
    if held:
        assert stores.commit(stores.view(lead)) is None
    aside, changed = decided(stores, lead, "nobody")
    assert (changed, stores.view(lead).lead, aside.on_hold) == (True, aside, True)
    assert stores.holdings.queued() == stores.leads.open_leads() == []
    assert stores.holdings.held_by(AINA.rep_id) == []
    assert stores.holdings.unworked(NOON + timedelta(days=9)) == []
    assert LeadEvent("lead.expired", lead.lead_id, aside.epoch) in waiting(
        stores, NOON + 2 * SECOND
    )
    assert not assign(stores, aside, epoch=aside.epoch)
    at = NOON + 3 * SECOND
    back, changed = decided(stores, lead, "pool", at)
    assert (changed, stores.view(lead).lead, back.on_hold) == (True, back, False)
    assert stores.leads.open_leads() == [back]
    assert LeadEvent("lead.opened", lead.lead_id, back.epoch) in waiting(stores, at + MS)
    assert stores.commit(stores.view(lead, BEN), at + SECOND, epoch=back.epoch) is None


def test_a_managers_word_is_stored_only_while_all_is_as_it_was_read(
    stores: Stores, lead: Lead
) -> None:
    assert stores.commit(stores.view(lead)) is None
    ex, to = stores.view(lead), stores.view(lead, BEN)
    assert ex.lead is not None
    assert ex.rep is not None
    assert to.rep is not None
    free, transitions = remove_owner(ex.lead, ex.playbook, NOON + SECOND, "x", "manager", won=True)
    claim = new_claim(free, to.rep, ex.playbook, NOON + SECOND, NOON, "x")
    given = replace(free, state=State.ASSIGNED, owner=BEN.rep_id, claimed_at=NOON + SECOND)
    change = Override(
        ex.lead,
        given,
        tuple(transitions),
        release_lead(ex.lead, ex.usage),
        Recipient(claim, count_lead(to.rep, given, to.usage, ex.playbook, claim, bound=False)),
    )
    before = stores.view(lead)
    for was in (
        replace(ex.lead, state=State.CONTACTED),
        replace(ex.lead, owner=BEN.rep_id),
        replace(ex.lead, owner=None),
        replace(ex.lead, epoch=2),
    ):
        assert not stores.holdings.override(replace(change, was=was))
    stores.roster.deactivate(BEN.rep_id, date(2026, 11, 23))
    assert not stores.holdings.override(change), "who left gets nothing"
    assert stores.view(lead) == before
    assert stores.view(lead, BEN).usage == Usage()
    aside = replace(change, given=None, lead=replace(free, state=State.EXPIRED, on_hold=True))
    assert stores.holdings.override(aside)
    assert not stores.holdings.override(aside)
    assert basics(stores.view(lead).usage) == used(NOON, 1, in_hand=0)


def test_an_undo_takes_the_lead_off_the_day_the_week_and_the_hand(
    stores: Stores, lead: Lead
) -> None:
    assert stores.commit(stores.view(lead), **DUE) is None
    assert stores.holdings.unworked(NOON + timedelta(hours=1)) != []
    assert undo(stores, stores.view(lead), NOON + SECOND)[0]
    assert basics(stores.view(lead).usage) == used(NOON, 0)
    assert stores.holdings.unworked(NOON + timedelta(hours=1)) == []
    assert stores.holdings.held_by(AINA.rep_id) == []


def test_a_held_lead_is_looked_at_for_its_reminder_and_then_for_its_return(
    stores: Stores, lead: Lead
) -> None:
    assert stores.commit(stores.view(lead), **DUE) is None
    nudge_at, return_at = DUE["nudge_at"], DUE["return_at"]
    assert stores.holdings.unworked(nudge_at - MS) == []
    (due,) = stores.holdings.unworked(nudge_at)
    assert due == stores.leads.get(lead.lead_id)
    assert due.return_at == return_at
    assert stores.holdings.nudged(due)
    assert not stores.holdings.nudged(due)
    assert stores.holdings.unworked(return_at - MS) == []
    assert stores.holdings.unworked(return_at) == [due]


def test_an_assigned_lead_is_looked_at_just_the_same(stores: Stores) -> None:
    stores = without_a_race(stores)
    leads = [stores.post_lead(a_card(number), NOON) for number in range(3)]
    assert assign(stores, leads[0], **DUE)
    assert assign(stores, leads[1], **{**DUE, "nudge_at": NOON + 12 * SECOND})
    assert assign(stores, leads[2])  # no such rule for it
    found = stores.holdings.unworked(NOON + timedelta(hours=1))
    assert {lead.lead_id for lead in found} == {lead.lead_id for lead in leads[:2]}
    (due,) = stores.holdings.unworked(NOON + 11 * SECOND)
    assert due.lead_id == leads[0].lead_id


def test_nobody_is_reminded_of_an_earlier_opening(stores: Stores, lead: Lead) -> None:
    assert stores.commit(stores.view(lead), **DUE) is None
    held = stores.leads.get(lead.lead_id)
    assert held is not None
    assert give_back(stores, lead, to=State.OPEN)[0]
    assert not stores.holdings.nudged(held)
    again = {"nudge_at": NOON + 40 * SECOND, "return_at": NOON + 50 * SECOND}
    assert stores.commit(stores.view(lead, BEN), NOON + 5 * SECOND, **again) is None
    assert not stores.holdings.nudged(held)
    assert len(stores.holdings.unworked(NOON + 40 * SECOND)) == 1


def test_what_somebody_holds_is_found_the_oldest_first(stores: Stores, lead: Lead) -> None:
    others = [stores.post_lead(a_card(number), NOON) for number in (2, 3, 4)]
    assert stores.holdings.held_by(AINA.rep_id) == []
    # In the order they were taken, not in that of their ids.
    second, first = sorted([lead, others[0]], key=lambda lead: lead.lead_id)
    assert stores.commit(stores.view(second), NOON + 3 * SECOND) is None
    assert stores.commit(stores.view(first), NOON + SECOND) is None
    assert stores.leads.expire(others[1], expiry(others[1], others[1].closes_at))
    late = stores.leads.get(others[1].lead_id)
    assert late is not None
    assert assign(stores, late, at=late.closes_at)
    assert stores.commit(stores.view(others[2], BEN), NOON + SECOND) is None
    mine = [held.lead_id for held in stores.holdings.held_by(AINA.rep_id)]
    assert mine == [first.lead_id, second.lead_id, late.lead_id]
    assert stores.holdings.held_by(BEN.rep_id) == [stores.leads.get(others[2].lead_id)]
    assert stores.holdings.held_by("zzzzz") == []


def test_an_undo_of_last_weeks_claim_leaves_this_weeks_count_alone(stores: Stores) -> None:
    first, second = (stores.post_lead(a_card(n), MONDAY) for n in (1, 2))
    assert stores.commit(stores.view(second), MONDAY) is None
    assert stores.commit(stores.view(first), MONDAY) is None
    held = stores.view(first)
    assert held.lead is not None
    # As if it had been claimed just before midnight.
    sunday = replace(held, lead=replace(held.lead, claimed_at=MONDAY - SECOND))
    assert undo(stores, sunday, MONDAY + SECOND)[0]
    assert basics(stores.view(first).usage) == used(MONDAY, 2, leads=2, in_hand=1)


# Sightings and notices


def sightings(stores: Stores, lead: Lead) -> dict[str, OfferView]:
    return stores.offers.sightings(lead.lead_id, lead.epoch, [AINA.rep_id, BEN.rep_id])


def test_what_a_rep_did_is_kept_from_the_first_time_on(stores: Stores, lead: Lead) -> None:
    assert sightings(stores, lead) == {}
    for number, what in enumerate(("seen_at", "declined_at", "seen_at", "declined_at")):
        stores.race.record_sighting(lead, AINA.rep_id, what, NOON + number * SECOND)
    assert sightings(stores, lead) == {
        AINA.rep_id: OfferView(seen_at=NOON, declined_at=NOON + SECOND)
    }


def test_a_try_is_kept_with_what_refused_it_first_and_when_it_was_beaten_first(
    stores: Stores, lead: Lead
) -> None:
    for number, (outcome, rules, version) in enumerate(
        (
            ("expired", (), 6),
            ("refused", ("paused", "daily_limit"), 7),
            ("refused", ("left",), 8),
            ("already_claimed", (), 8),
            ("already_claimed", (), 8),
        )
    ):
        at = NOON + number * SECOND
        stores.race.record_attempt(lead, AINA.rep_id, at, outcome, rules, version)
    assert sightings(stores, lead) == {
        AINA.rep_id: OfferView(
            attempted_at=NOON,
            rules=("paused", "daily_limit"),
            rules_version=7,
            lost_at=NOON + 3 * SECOND,
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
    # That of the opening before is still there, for its receipt.
    assert sightings(stores, lead) == {AINA.rep_id: OfferView(seen_at=NOON)}
    assert sightings(stores, again) == {AINA.rep_id: OfferView(**{first: NOON + SECOND})}
    # A straggler of the first opening does not turn the page back.
    stores.race.record_sighting(lead, AINA.rep_id, "declined_at", NOON + 2 * SECOND)
    stores.race.record_attempt(lead, AINA.rep_id, NOON + 2 * SECOND, "already_claimed")
    assert sightings(stores, again) == {AINA.rep_id: OfferView(**{first: NOON + SECOND})}
    assert sightings(stores, lead) == {AINA.rep_id: OfferView(seen_at=NOON)}
    # With a third one the first is over and done.
    third = replace(lead, epoch=3)
    stores.race.record_sighting(third, AINA.rep_id, "seen_at", NOON + 3 * SECOND)
    assert sightings(stores, third) == {AINA.rep_id: OfferView(seen_at=NOON + 3 * SECOND)}
    assert sightings(stores, again) == {AINA.rep_id: OfferView(**{first: NOON + SECOND})}
    assert sightings(stores, lead) == {}


@pytest.mark.parametrize("together", [True, False])
def test_notices_are_found_by_opening_and_start_the_claims_clock(
    stores: Stores, lead: Lead, together: bool
) -> None:
    told = [
        SentOffer(lead.lead_id, 1, AINA.rep_id, NOON + SECOND, ("push",)),
        SentOffer(lead.lead_id, 1, BEN.rep_id, NOON + 2 * SECOND, ()),
    ]
    stores.offers.record(told, together=together)
    both = [AINA.rep_id, BEN.rep_id, "zzzzz"]
    assert stores.offers.notices(lead.lead_id, 1, both) == {n.rep_id: n for n in told}
    assert stores.offers.notices(lead.lead_id, 2, both) == {}
    assert stores.offers.notices(lead.lead_id, 1, []) == {}
    assert stores.view(lead).noticed_at == NOON + SECOND
    assert stores.view(lead, BEN).noticed_at == NOON + 2 * SECOND


@pytest.mark.parametrize("together", [True, False])
def test_many_notices_are_kept_at_once(stores: Stores, lead: Lead, together: bool) -> None:
    reps = [f"rep{number:02}" for number in range(60)]
    told = [SentOffer(lead.lead_id, 1, rep, NOON, ("sms",)) for rep in reps]
    stores.offers.record(told[:50], together=together)
    stores.offers.record(told[50:], together=together)
    stores.offers.record([], together=together)
    assert stores.offers.notices(lead.lead_id, 1, reps) == {one.rep_id: one for one in told}


@pytest.mark.parametrize("together", [True, False])
def test_a_notice_of_another_opening_does_not_start_the_clock(
    stores: Stores, lead: Lead, together: bool
) -> None:
    other = SentOffer(lead.lead_id, 2, AINA.rep_id, NOON, ("push",))
    stores.offers.record([other], together=together)
    assert stores.view(lead).noticed_at is None


@pytest.mark.parametrize("first", [True, False])
def test_the_notice_of_the_latest_opening_counts_wherever_it_is(
    stores: Stores, lead: Lead, first: bool
) -> None:
    """A team grows from small to large between two openings of a lead, or the other way."""
    kept = SentOffer(lead.lead_id, 1, AINA.rep_id, NOON, ("push",))
    again = replace(kept, epoch=2, sent_at=NOON + SECOND)
    stores.offers.record([kept], together=first)
    stores.offers.record([again], together=not first)
    assert stores.offers.notices(lead.lead_id, 2, [AINA.rep_id]) == {AINA.rep_id: again}
    assert stores.offers.notices(lead.lead_id, 2, [AINA.rep_id], since=1) == {AINA.rep_id: again}
    assert stores.offers.notices(lead.lead_id, 1, [AINA.rep_id]) in ({}, {AINA.rep_id: kept})


@pytest.mark.parametrize("together", [True, False])
def test_the_claimed_time_is_put_beside_the_notice_it_belongs_to(
    stores: Stores, lead: Lead, together: bool
) -> None:
    notice = SentOffer(lead.lead_id, 1, AINA.rep_id, NOON, ("push",))
    stores.offers.record([notice], together=together)
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
        [(AINA, Usage()), (BEN, Usage())], key=str
    )
    assert list(stores.roster.team("south")) == []
    assert stores.roster.by_phone(str(AINA.phone)) == (AINA, Usage())
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
        quiet_until=NOON + SECOND,
        hours=parse_hours({"mon": ["09:00-12:30", "13:30-24:00"], "sun": ["00:00-06:00"]}),
        leave=((date(2026, 12, 24), date(2026, 12, 31)), (date(2027, 2, 1), date(2027, 2, 1))),
        allowance=0,
        weight=3,
        territories=("sarawak", "sabah"),
        joined_on=date(2026, 11, 4),
        left_on=date(2027, 1, 31),
    )
    stores.add_rep(rep)
    assert stores.roster.get("repid") == rep


def test_a_team_shows_what_its_reps_have_used_up(stores: Stores, lead: Lead) -> None:
    stores.commit(stores.view(lead))
    found = dict(stores.refreshed().roster.team("north"))
    assert basics(found[AINA]) == used(NOON, 1)
    known = stores.roster.by_phone(str(AINA.phone))
    assert known == (AINA, found[AINA])


@pytest.mark.parametrize(
    "twin", [a_rep(1, phone="+60177777777"), a_rep(9, phone=AINA.phone)], ids=["id", "phone"]
)
def test_an_id_and_a_phone_belong_to_one_rep(stores: Stores, twin: Rep) -> None:
    with pytest.raises(AlreadyExists):
        stores.add_rep(twin)
    assert stores.roster.get(AINA.rep_id) == AINA
    assert stores.roster.by_phone(str(AINA.phone)) == (AINA, Usage())
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


def test_a_rep_asks_for_quiet_and_ends_it(stores: Stores) -> None:
    stores.roster.quiet(AINA.rep_id, NOON)
    assert stores.roster.get(AINA.rep_id) == replace(AINA, quiet_until=NOON)
    stores.roster.quiet(AINA.rep_id, None)
    assert stores.roster.get(AINA.rep_id) == AINA


def test_a_tier_is_changed_from_what_it_was(stores: Stores) -> None:
    assert stores.roster.set_tier(AINA.rep_id, 2, 1)
    assert not stores.roster.set_tier(AINA.rep_id, 2, 3)
    assert stores.roster.get(AINA.rep_id) == replace(AINA, tier=1)
    assert not stores.roster.set_tier("zzzzz", 2, 1)
    assert stores.roster.get("zzzzz") is None


def test_what_is_named_of_a_profile_is_changed_and_nothing_else(stores: Stores) -> None:
    other = replace(
        AINA,
        name="Somebody else",
        weight=3,
        leave=((date(2026, 12, 24), date(2026, 12, 31)),),
        hours=parse_hours({"mon": ["09:00-18:00"]}),
        territories=("sarawak",),
        joined_on=date(2026, 11, 4),
    )
    fields = ("weight", "leave", "hours", "territories", "joined_on")
    stores.roster.put_profile(other, fields)
    assert stores.roster.get(AINA.rep_id) == replace(other, name=AINA.name)
    stores.roster.put_profile(AINA, ("weight", "leave", "hours", "territories"))
    assert stores.roster.get(AINA.rep_id) == replace(AINA, joined_on=date(2026, 11, 4))
    stores.roster.put_profile(other, ())
    assert stores.roster.get(AINA.rep_id) == replace(AINA, joined_on=date(2026, 11, 4))


def test_whoever_left_is_kept_without_their_token(stores: Stores, lead: Lead) -> None:
    stores.roster.deactivate(AINA.rep_id, date(2026, 11, 30))
    gone = replace(AINA, active=False, left_on=date(2026, 11, 30))
    assert stores.roster.get(AINA.rep_id) == gone
    said = shown(f"{AINA.rep_id}.secret")
    view = stores.race.read(lead.lead_id, AINA.rep_id, said)
    assert not proves(view.credential, said, view.token_number, NOON)


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
        lambda: stores.roster.quiet("zzzzz", NOON),
        lambda: stores.roster.put_profile(a_rep(9), ("weight", "joined_on")),
        lambda: stores.roster.deactivate("zzzzz", NOON.date()),
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


def test_answers_and_the_word_that_a_cap_is_reached_are_counted_apart(stores: Stores) -> None:
    day, count = date(2026, 11, 23), stores.roster.count_sms
    assert count(AINA.rep_id, day, 1, 1)
    assert [count(AINA.rep_id, day, 2, 3, "answers") for _ in range(3)] == [True, True, False]
    assert count(AINA.rep_id, day, 1, None, "cap")
    assert not count(AINA.rep_id, day, 1, None, "cap")
    # Without a rep, as a stranger's, it counts for all.
    assert [count("", day, 0, 3, "answers") for _ in range(2)] == [True, False]
    assert not count(BEN.rep_id, day, 2, 3, "answers")


def test_the_playbook_in_force_is_the_one_put_last(stores: Stores) -> None:
    stores.put_playbook(a_playbook(claims_per_day=7))
    now = stores.refreshed()
    assert now.roster.playbook().claims_per_day == 7
    assert now.race.read("aaaaaaaaaaaa", AINA.rep_id).playbook.claims_per_day == 7


# Draws


@pytest.fixture
def collecting(stores: Stores) -> Lead:
    """A lead whose claims are collected for five seconds."""
    stores.put_playbook(a_playbook(claims_per_day=1, draw={"collect_seconds": 5}))
    lead = stores.refreshed().post_lead(a_card(50), NOON)
    assert lead.draws_at == NOON + 5 * SECOND
    return lead


DRAWN_AT = NOON + 6 * SECOND


def a_draw(lead: Lead, *reps: Rep, **changes: Any) -> DrawResult:
    order = in_order("seed", lead.lead_id, lead.epoch, [rep.rep_id for rep in reps])
    return replace(
        DrawResult(lead.lead_id, lead.epoch, "sealed", "seed", DRAWN_AT, order), **changes
    )


def given(stores: Stores, lead: Lead, rep: Rep = AINA, view: RaceView | None = None) -> bool:
    view = view or stores.view(lead, rep)
    claim = a_claim(view, DRAWN_AT, drawn=True)
    drawn = a_draw(lead, rep, winner=rep.rep_id)
    return stores.race.draws().give(view, claim, counts_of(view, claim), drawn)


def test_who_entered_is_in_the_draw_of_that_opening_once(stores: Stores, collecting: Lead) -> None:
    draws = stores.race.draws()
    assert draws.entrants(collecting) == []
    assert not draws.entered(collecting, AINA.rep_id)
    for rep in (AINA, BEN, AINA):
        draws.enter(collecting, rep.rep_id, NOON)
    assert sorted(draws.entrants(collecting)) == [AINA.rep_id, BEN.rep_id]
    assert draws.entered(collecting, AINA.rep_id)
    assert draws.entrants(replace(collecting, epoch=2)) == []
    assert not draws.entered(replace(collecting, epoch=2), AINA.rep_id)
    assert stores.leads.get(collecting.lead_id) == collecting


def test_a_draw_gives_the_lead_away_and_stands_beside_it(stores: Stores, collecting: Lead) -> None:
    passed = ((BEN.rep_id, ("daily_limit", "paused")),)
    view = stores.view(collecting)
    drawn = a_draw(collecting, AINA, BEN, passed=passed, winner=AINA.rep_id)
    claim = a_claim(view, DRAWN_AT, drawn=True)
    assert stores.race.draws().get(collecting.lead_id) is None
    assert stores.race.draws().give(view, claim, counts_of(view, claim), drawn)
    after = stores.view(collecting)
    assert after.claim == claim
    assert after.lead is not None
    assert (after.lead.state, after.lead.owner) == (State.CLAIMED, AINA.rep_id)
    assert after.usage.claims == 1
    for epoch in (None, 1):
        assert stores.race.draws().get(collecting.lead_id, epoch) == drawn
    assert stores.race.draws().get(collecting.lead_id, 2) is None
    # The ordinary way a claim becomes known.
    events = [pending.event for pending in stores.leads.waiting_in_outbox(DRAWN_AT + SECOND)]
    assert LeadEvent("lead.claimed", collecting.lead_id, 1, AINA.rep_id) in events


def test_of_two_who_draw_one_gives_the_lead_away(stores: Stores, collecting: Lead) -> None:
    aina, ben = stores.view(collecting, AINA), stores.view(collecting, BEN)
    assert given(stores, collecting, AINA, aina)
    assert not given(stores, collecting, BEN, ben)
    drawn = stores.race.draws().get(collecting.lead_id)
    assert drawn is not None
    assert drawn.winner == AINA.rep_id
    assert stores.view(collecting, BEN).usage == Usage()
    stores.race.draws().close(collecting, a_draw(collecting, AINA))
    assert stores.race.draws().get(collecting.lead_id) == drawn
    assert stores.leads.get(collecting.lead_id) == stores.view(collecting).lead


def test_nobody_is_drawn_beyond_a_limit(stores: Stores, collecting: Lead) -> None:
    other = stores.refreshed().post_lead(a_card(51), NOON)
    before = stores.view(collecting), stores.view(other)
    assert given(stores, collecting, AINA, before[0])
    assert not given(stores, other, AINA, before[1])
    assert stores.leads.get(other.lead_id) == other
    assert stores.race.draws().get(other.lead_id) is None


def test_a_draw_nobody_won_leaves_the_lead_to_the_race(stores: Stores, collecting: Lead) -> None:
    draws = stores.race.draws()
    nobody = a_draw(collecting, AINA, passed=((AINA.rep_id, ("paused",)),))
    before = stores.view(collecting, BEN)
    draws.close(collecting, nobody)
    assert draws.get(collecting.lead_id) == nobody
    left = stores.leads.get(collecting.lead_id)
    assert left == replace(collecting, draws_at=None)
    # Neither is it drawn again, by whoever read it before.
    assert not given(stores, collecting, BEN, before)
    draws.close(collecting, a_draw(collecting, BEN))
    assert draws.get(collecting.lead_id) == nobody
    assert stores.commit(stores.view(collecting, BEN), DRAWN_AT) is None


def test_a_draw_of_an_opening_that_is_over_changes_nothing(
    stores: Stores, collecting: Lead
) -> None:
    earlier = replace(collecting, epoch=0)
    stores.race.draws().close(earlier, a_draw(earlier))
    assert stores.leads.get(collecting.lead_id) == collecting
    assert stores.race.draws().get(collecting.lead_id) is None


def test_a_lead_that_is_still_to_be_drawn_does_not_expire(stores: Stores, collecting: Lead) -> None:
    at = collecting.closes_at
    _, expired = moved(collecting, State.EXPIRED, at, "window_closed", "clock")
    assert not stores.leads.expire(collecting, expired)
    stores.race.draws().close(collecting, a_draw(collecting))
    assert stores.leads.expire(collecting, expired)


# Once


def test_a_name_is_given_once(stores: Stores) -> None:
    assert stores.once.claim_name("a", NOON)
    assert not stores.once.claim_name("a", NOON + SECOND)
    assert stores.once.claim_name("b", NOON)


BY_PHONE, BY_NAME = (
    Identity(IdentityKind.PHONE, "person:1"),
    Identity(IdentityKind.NAME, "company:2"),
)
OTHER = replace(a_card(2), lead_id="bbbbbbbbbbbb", flags=("merged_same_phone",))


def merged(
    stores: Stores, into: Lead, card: Contact = OTHER, at: datetime = NOON
) -> StoredPost | None:
    link = DuplicateLink(into.lead_id, card.lead_id, at, IdentityKind.PHONE, card.source, "merged")
    _, standings = stores.leads.known(card.lead_id, [BY_PHONE, BY_NAME])
    return stores.leads.merge(into, card, link, at, standings)


def test_an_identity_nobody_had_stands_for_nothing(stores: Stores) -> None:
    assert stores.leads.known("aaaaaaaaaaaa", [BY_PHONE, BY_NAME]) == (
        None,
        [KnownIdentity(BY_PHONE), KnownIdentity(BY_NAME)],
    )
    assert stores.leads.get_many(["aaaaaaaaaaaa"]) == {}
    assert stores.roster.counted("zzzzz") is None


def test_a_new_leads_identities_stand_for_it(stores: Stores) -> None:
    lead = a_lead(state=State.OPEN)
    card = replace(a_card(), lead_id=lead.lead_id)
    opening = Transition(lead.lead_id, 1, NOON, State.NEW, State.OPEN, "accepted", "x")
    assert stores.leads.accept(lead, card, opening, NOON, [KnownIdentity(BY_PHONE)]) is None
    stored, [phone, name] = stores.leads.known(lead.lead_id, [BY_PHONE, BY_NAME])
    assert stored == StoredPost(card)
    assert (phone, name) == (KnownIdentity(BY_PHONE, lead.lead_id, NOON), KnownIdentity(BY_NAME))
    assert stores.leads.get_many([lead.lead_id, "aaaaaaaaaaaa"]) == {lead.lead_id: lead}


def test_a_name_keeps_whom_it_came_with(stores: Stores, lead: Lead) -> None:
    def name(*marks: str) -> Identity:
        return replace(BY_NAME, marks=marks)

    def seen() -> tuple[str | None, frozenset[str]]:
        _, [known] = stores.leads.known("x", [BY_NAME])
        return known.lead_id, known.seen

    first, later = name("domain:a", "form:ltd"), name("person:b", "person:c")
    new = a_lead(lead_id="cccccccccccc")
    card = replace(a_card(3), lead_id=new.lead_id)
    stores.leads.accept(new, card, None, NOON, [KnownIdentity(first)])
    assert seen() == (new.lead_id, {"domain:a", "form:ltd"})
    _, [known] = stores.leads.known("x", [later])
    link = DuplicateLink(lead.lead_id, OTHER.lead_id, NOON, IdentityKind.PHONE, "x", "merged")
    assert stores.leads.merge(lead, OTHER, link, NOON, [replace(known, stays=True)]) is None
    assert seen() == (new.lead_id, {"domain:a", "form:ltd", "person:b"})
    stores.leads.name_owner(name("domain:d"), "aaaac")
    assert seen() == (new.lead_id, {"domain:a", "form:ltd", "person:b", "domain:d"})


def test_an_identity_that_was_taken_meanwhile_stops_the_whole_write(
    stores: Stores, lead: Lead
) -> None:
    merged(stores, lead)
    late = a_lead(lead_id="cccccccccccc")
    card = replace(a_card(3), lead_id=late.lead_id)
    for standing in (KnownIdentity(BY_PHONE), KnownIdentity(BY_PHONE, "dddddddddddd", NOON)):
        with pytest.raises(Busy) as busy:
            stores.leads.accept(late, card, None, NOON, [standing])
        assert busy.value.conflict
        link = DuplicateLink(lead.lead_id, late.lead_id, NOON, IdentityKind.PHONE, "x", "merged")
        with pytest.raises(Busy):
            stores.leads.merge(lead, card, link, NOON, [standing])
    assert stores.leads.get(late.lead_id) is None
    assert stores.leads.card(late.lead_id) is None


def test_a_merged_post_stands_with_its_lead_and_is_found_again(stores: Stores, lead: Lead) -> None:
    assert merged(stores, lead, at=NOON + SECOND) is None
    link = DuplicateLink(
        lead.lead_id, OTHER.lead_id, NOON + SECOND, IdentityKind.PHONE, OTHER.source, "merged"
    )
    stored, [phone, name] = stores.leads.known(OTHER.lead_id, [BY_PHONE, BY_NAME])
    assert stored == StoredPost(OTHER, link)
    assert phone == KnownIdentity(BY_PHONE, lead.lead_id, NOON + SECOND)
    assert name == KnownIdentity(BY_NAME, lead.lead_id, NOON + SECOND)
    assert stores.leads.duplicate_links(lead.lead_id) == [link]
    assert len(stores.history(lead.lead_id)) == 1
    for card in (stores.leads.card(lead.lead_id), stores.race.card(lead.lead_id)):
        assert card is not None
        [shown] = card.merged
        assert (shown.lead_id, shown.because, shown.at) == (
            OTHER.lead_id,
            IdentityKind.PHONE,
            NOON + SECOND,
        )
        assert (shown.contact_email, shown.needs) == (OTHER.contact_email, OTHER.needs)
    assert stores.leads.get(OTHER.lead_id) is None
    assert merged(stores, lead) == StoredPost(OTHER, link)  # once
    assert stores.leads.accept(a_lead(lead_id=OTHER.lead_id), OTHER, None, NOON) == StoredPost(
        OTHER, link
    )


def test_nothing_is_merged_into_a_lead_that_moved_on(stores: Stores, lead: Lead) -> None:
    with pytest.raises(Busy) as busy:
        merged(stores, replace(lead, state=State.EXPIRED))
    assert busy.value.conflict
    assert stores.leads.known(OTHER.lead_id, [BY_PHONE]) == (None, [KnownIdentity(BY_PHONE)])
    assert stores.leads.duplicate_links(lead.lead_id) == []


def test_a_card_shows_twenty_posts_in_order_and_the_rest_are_kept(
    stores: Stores, lead: Lead
) -> None:
    for number in range(22):
        card = replace(OTHER, lead_id=f"b{number:011d}", contact_name=f"Name {number}")
        assert merged(stores, lead, card, NOON - number * SECOND) is None
        assert stores.leads.card(card.lead_id) == card
    whole = stores.leads.card(lead.lead_id)
    assert whole is not None
    assert [post.contact_name for post in whole.merged] == [f"Name {n}" for n in range(19, -1, -1)]
    assert len(stores.leads.duplicate_links(lead.lead_id)) == 22
    changed = replace(OTHER, lead_id=f"b{21:011d}", contact_name="Newer")
    link = DuplicateLink(
        lead.lead_id, changed.lead_id, NOON, IdentityKind.PHONE, changed.source, "merged"
    )
    stores.leads.update_card(changed, NOON, link)
    assert stores.leads.card(changed.lead_id) == changed
    assert stores.leads.card(lead.lead_id) == whole


def test_the_newest_body_of_a_merged_post_counts_wherever_it_is_shown(
    stores: Stores, lead: Lead
) -> None:
    merged(stores, lead)
    stored, _ = stores.leads.known(OTHER.lead_id, [])
    assert stored is not None

    def put(name: str, at: datetime) -> list[str]:
        stores.leads.update_card(replace(OTHER, contact_name=name), at, stored.link)
        card, own = stores.leads.card(lead.lead_id), stores.leads.card(OTHER.lead_id)
        assert card is not None
        assert own is not None
        assert [post.contact_name for post in card.merged] == [own.contact_name]
        return [own.contact_name]

    assert put("Newer", NOON + SECOND) == ["Newer"]
    assert put("Older", NOON) == ["Newer"]


def test_the_newest_body_of_a_lead_keeps_what_was_merged_into_it(
    stores: Stores, lead: Lead
) -> None:
    merged(stores, lead)
    stores.leads.update_card(replace(a_card(), lead_id=lead.lead_id, contact_name=""), NOON)
    card = stores.leads.card(lead.lead_id)
    assert card is not None
    assert len(card.merged) == 1
    assert card.contact_name == OTHER.contact_name  # filled in


def test_a_lead_given_to_its_owner_is_theirs_from_the_first_write(stores: Stores) -> None:
    rep = AINA
    found = stores.roster.counted(rep.rep_id)
    assert found == (rep, Usage())
    new = a_lead(state=State.NEW, closes_at=NOON)
    claim = new_claim(new, rep, a_playbook(), NOON, NOON, "existing_owner")
    theirs = replace(new, owner=rep.rep_id, claimed_at=NOON, return_at=claim.return_at)
    theirs, transition = moved(theirs, State.ASSIGNED, NOON, "existing_owner", "dibs")
    link = DuplicateLink(new.lead_id, "", NOON, IdentityKind.NAME, "web", "existing_owner")
    card = replace(a_card(), lead_id=new.lead_id)
    counts = count_lead(rep, theirs, Usage(), a_playbook(), claim, bound=False)
    given = Recipient(claim, counts, link)
    assert stores.leads.accept(theirs, card, transition, NOON, [], given) is None
    view = stores.view(new)
    assert (view.lead, view.claim) == (theirs, claim)
    assert (view.usage.leads, view.usage.in_hand, view.usage.claims) == (1, 1, 0)
    assert stores.history(new.lead_id) == [transition]
    assert stores.leads.duplicate_links(new.lead_id) == [link]
    assert stores.holdings.held_by(rep.rep_id) == [theirs]
    assert stores.holdings.queued() == []
    assert claim.nudge_at is not None
    assert stores.holdings.unworked(claim.nudge_at) == [theirs]
    events = [one.event for one in stores.leads.waiting_in_outbox(NOON + SECOND)]
    assert events == [LeadEvent("lead.assigned", new.lead_id, 1, rep.rep_id)]
    # Counts that are not as they were read, or an owner who left: nothing is stored.
    second = replace(theirs, lead_id="bbbbbbbbbbbb")
    other = replace(card, lead_id=second.lead_id)
    again = replace(given, claim=replace(claim, lead_id=second.lead_id))
    with pytest.raises(Busy):
        stores.leads.accept(second, other, transition, NOON, [], again)
    found = stores.roster.counted(rep.rep_id)
    assert found is not None
    stores.roster.deactivate(rep.rep_id, NOON.date())
    counts = count_lead(rep, theirs, found[1], a_playbook(), claim, bound=False)
    with pytest.raises(Busy):
        stores.leads.accept(second, other, transition, NOON, [], replace(again, counts=counts))
    assert stores.leads.get(second.lead_id) is None


def test_an_owner_is_named_from_outside_whatever_lead_there_is(stores: Stores, lead: Lead) -> None:
    stores.leads.name_owner(BY_NAME, "aaaac")
    assert stores.leads.known("x", [BY_NAME])[1] == [KnownIdentity(BY_NAME, owner="aaaac")]
    merged(stores, lead)
    assert stores.leads.known("x", [BY_NAME])[1] == [
        KnownIdentity(BY_NAME, lead.lead_id, NOON, "aaaac")
    ]
    stores.leads.name_owner(BY_NAME, None)
    stores.leads.name_owner(BY_NAME, None)
    assert stores.leads.known("x", [BY_NAME])[1] == [KnownIdentity(BY_NAME, lead.lead_id, NOON)]


# Arrivals


def counts(hot: int = 0, warm: int = 0, cold: int = 0) -> dict[Quality, int]:
    return {Quality.HOT: hot, Quality.WARM: warm, Quality.COLD: cold}


def test_arrivals_are_counted_by_week_and_quality(stores: Stores) -> None:
    assert not any(stores.arrivals.lately(NOON).seen.values())
    for quality, blind, at in (
        (Quality.WARM, True, NOON),
        (Quality.WARM, False, NOON),
        (Quality.COLD, True, NOON - timedelta(weeks=1)),
        (Quality.HOT, False, NOON - timedelta(weeks=2)),
    ):
        stores.arrivals.count(quality, blind, at)
    weeks = [week_of("UTC", NOON - timedelta(weeks=ago)).name for ago in range(4)]
    two = ArrivalCounts(counts(warm=2, cold=1), counts(warm=1, cold=1))
    assert stores.arrivals.lately(NOON) == two
    assert stores.refreshed().arrivals.lately(NOON) == two
    found = sum(stores.arrivals.of_weeks(weeks), ArrivalCounts())
    assert found == ArrivalCounts(counts(1, 2, 1), counts(0, 1, 1))
    assert stores.arrivals.of_weeks(weeks[3:]) == []


def test_leads_of_a_night_have_their_places_per_team_and_morning(stores: Stores) -> None:
    next_day = NOON + timedelta(days=1)
    asked = [("north", NOON), ("north", NOON), ("south", NOON), ("north", next_day)]
    places = [stores.arrivals.place(team, begins) for team, begins in asked]
    assert places == [0, 1, 0, 0]
    assert stores.refreshed().arrivals.place("north", NOON) == 2
