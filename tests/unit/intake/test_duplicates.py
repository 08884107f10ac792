"""A lead of a known person or company is merged or goes to their rep, before any race (C6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dibs.core.events import LeadEvent
from dibs.core.lead import Contact, IdentityKind, Lead, Post, State, filled
from dibs.core.rep import Usage
from dibs.intake.company_names import company_name
from dibs.intake.duplicates import MERGED, REASONS
from dibs.intake.identity import domain_mark, identity
from dibs.intake.ingest import IngestDeps, IngestResult, ingest
from support.builders import NOON, a_card, a_playbook, a_rep
from support.fakes import FakeWorld, no_pause

AINA = a_rep(1, name="Aina Zulkifli")
WAITING = (State.NEW, State.OPEN, State.EXPIRED, State.RELEASED)
HELD = (State.CLAIMED, State.ASSIGNED, State.CONTACTED, State.QUALIFIED, State.OPPORTUNITY)
STRANGER = {"source": "fair", "external_id": "2"}
"""A second post, by another sender."""


def post(world: FakeWorld, card: Contact) -> IngestResult:
    deps = IngestDeps(
        world.leads, world.arrivals, world.clock, find_rep=world.roster.counted, pause=no_pause
    )
    return ingest(card, world.memory.playbook, b"saltsalts", world.clock(), deps)


def known(world: FakeWorld, state: State, rep_id: str | None = AINA.rep_id) -> Lead:
    """Post `a_card()` and bring its lead into `state`."""
    lead = post(world, a_card()).lead
    lead = replace(lead, state=state, owner=None if state in WAITING else rep_id)
    world.memory.leads[lead.lead_id] = lead
    world.memory.outbox.clear()
    return lead


def same_phone(**changes: Any) -> Contact:
    return replace(a_card(2, contact_phone="+60128880000", **STRANGER), **changes)


def same_email(**changes: Any) -> Contact:
    return replace(a_card(2, contact_email="JANE@acme.example", **STRANGER), **changes)


def colleague(**changes: Any) -> Contact:
    """Return another person of the company, recognised by its domain."""
    return replace(a_card(2, contact_email="tom@mail.acme.example", **STRANGER), **changes)


def namesake(**changes: Any) -> Contact:
    """Return another person of the company, recognised by its name."""
    namesake = a_card(2, company="ACME 1 SDN. BHD.", contact_email="tom@gmail.com", **STRANGER)
    return replace(namesake, **changes)


@pytest.fixture
def world() -> FakeWorld:
    made = FakeWorld()
    made.add_rep(AINA)
    return made


@pytest.mark.parametrize("state", [*WAITING, *HELD])
@pytest.mark.parametrize(
    ("card", "flag"),
    [(same_phone(), "merged_same_phone"), (same_email(), "merged_same_email")],
)
def test_the_same_person_again_becomes_part_of_a_lead_that_is_not_over(
    world: FakeWorld, state: State, card: Contact, flag: str
) -> None:
    lead = known(world, state)
    world.clock.pass_(days=30)
    again = post(world, card)
    assert again == IngestResult(lead, (flag,), duplicate=True)
    assert again.reason == REASONS[flag]
    assert world.memory.leads == {lead.lead_id: lead}
    assert world.memory.outbox == {}  # no offer is sent, nothing is raced


@pytest.mark.parametrize("state", WAITING)
@pytest.mark.parametrize("card", [colleague(), namesake()])
def test_somebody_else_of_a_company_that_waits_for_a_rep_becomes_part_of_its_lead(
    world: FakeWorld, state: State, card: Contact
) -> None:
    lead = known(world, state)
    assert post(world, card) == IngestResult(lead, ("merged_same_company",), duplicate=True)


@pytest.mark.parametrize("card", [colleague(), namesake()])
def test_somebody_else_of_a_company_put_aside_by_a_manager_is_raced_for(
    world: FakeWorld, card: Contact
) -> None:
    """Merged into a lead on hold, a new customer would reach no rep (R7)."""
    aside = replace(known(world, State.EXPIRED), on_hold=True)
    world.memory.leads[aside.lead_id] = aside
    accepted = post(world, card)
    assert (accepted.lead.state, accepted.flags) == (State.OPEN, ("known_company",))
    assert world.memory.leads[aside.lead_id] == aside
    assert post(world, same_phone(external_id="3")).flags == ("merged_same_phone",)


@pytest.mark.parametrize("state", [*HELD, State.WON])
@pytest.mark.parametrize("card", [colleague(), namesake()])
def test_somebody_else_of_a_reps_company_is_that_reps_lead(
    world: FakeWorld, state: State, card: Contact
) -> None:
    known(world, state)
    world.clock.pass_(days=3)
    accepted = post(world, card)
    lead = world.lead(accepted.lead)
    assert (accepted.flags, accepted.duplicate) == (("existing_owner",), False)
    assert accepted.reason == REASONS["existing_owner"]
    assert (lead.state, lead.owner, lead.claimed_at) == (
        State.ASSIGNED,
        AINA.rep_id,
        world.clock(),
    )
    claim = world.memory.claims[lead.lead_id]
    assert (claim.rep_id, claim.cause, claim.epoch) == (AINA.rep_id, "existing_owner", 1)
    assert (lead.return_at, claim.return_at) == (
        claim.return_at,
        world.clock() + timedelta(hours=1),
    )
    [transition] = world.leads.history(lead.lead_id)
    assert (transition.from_state, transition.to_state) == (State.NEW, State.ASSIGNED)
    assert (transition.cause, transition.holder) == ("existing_owner", AINA.rep_id)
    [pending] = world.leads.waiting_in_outbox(world.clock() + timedelta(seconds=1))
    assert pending.event == LeadEvent("lead.assigned", lead.lead_id, 1, AINA.rep_id)
    used = world.memory.usage[AINA.rep_id]
    assert (used.leads, used.claims, used.in_hand) == (1, 0, 1)


@pytest.mark.parametrize("card", [same_phone(), same_email()])
def test_who_became_a_customer_comes_back_as_a_lead_of_the_rep_who_won_them(
    world: FakeWorld, card: Contact
) -> None:
    known(world, State.WON)
    world.clock.pass_(days=5000)
    accepted = post(world, card)
    assert (accepted.lead.owner, accepted.flags) == (AINA.rep_id, ("existing_owner",))


@pytest.mark.parametrize(
    ("card", "flag"),
    [(same_phone(), "known_person"), (colleague(), "known_company")],
)
def test_who_was_lost_is_raced_for_as_anybody(world: FakeWorld, card: Contact, flag: str) -> None:
    first = known(world, State.LOST)
    accepted = post(world, card)
    assert (accepted.lead.state, accepted.flags) == (State.OPEN, (flag,))
    assert accepted.reason == REASONS[flag]
    assert accepted.lead.lead_id != first.lead_id


def test_the_company_of_a_rep_who_has_left_is_raced_for(world: FakeWorld) -> None:
    known(world, State.WON)
    world.roster.deactivate(AINA.rep_id, NOON.date())
    accepted = post(world, colleague())
    assert (accepted.lead.state, accepted.flags) == (State.OPEN, ("known_company",))


def test_an_owner_takes_what_is_theirs_whatever_their_limits(world: FakeWorld) -> None:
    world.put_playbook(a_playbook(quota={"enabled": True}, assignment={"in_hand_limit": 1}))
    known(world, State.WON)
    world.memory.reps[AINA.rep_id] = replace(AINA, allowance=1, paused_until=NOON.max)
    world.memory.usage[AINA.rep_id] = Usage(week=AINA.this_week(world.clock()), leads=7, in_hand=9)
    assert post(world, colleague()).lead.owner == AINA.rep_id
    assert world.memory.usage[AINA.rep_id].in_hand == 10


@pytest.mark.parametrize(
    ("state", "days", "flags"),
    [
        (State.OPEN, 365, ("merged_same_phone",)),
        (State.OPEN, 366, ()),
        (State.CONTACTED, 366, ()),
        (State.LOST, 365, ("known_person",)),
        (State.LOST, 366, ()),
        (State.WON, 366, ("existing_owner",)),
    ],
)
def test_how_long_somebody_is_remembered(
    world: FakeWorld, state: State, days: int, flags: tuple[str, ...]
) -> None:
    known(world, state)
    world.clock.pass_(days=days)
    assert post(world, same_phone()).flags == flags


def test_each_post_counts_anew_how_long_somebody_is_remembered(world: FakeWorld) -> None:
    known(world, State.OPEN)
    for number in range(3):
        world.clock.pass_(days=300)
        assert post(world, same_phone(external_id=f"again-{number}")).duplicate


@pytest.mark.parametrize("card", [same_phone(), same_email(), colleague(), namesake()])
def test_nobody_is_known_where_the_rule_is_off(world: FakeWorld, card: Contact) -> None:
    world.put_playbook(a_playbook(duplicates={"person": False, "company": False}))
    known(world, State.OPEN)
    assert post(world, card).flags == ()
    assert world.memory.identities == {}


@pytest.mark.parametrize(("first", "second"), [(False, True), (True, False), (True, True)])
def test_a_test_lead_is_nobody_and_meets_nobody(
    world: FakeWorld, first: bool, second: bool
) -> None:
    post(world, a_card(test=first))
    accepted = post(world, a_card(**STRANGER, test=second))
    assert (accepted.duplicate, accepted.flags) == (False, ())


def test_strangers_are_strangers(world: FakeWorld) -> None:
    known(world, State.OPEN)
    assert post(world, a_card(2)) == IngestResult(world.leads.open_leads()[1], (), duplicate=False)


def test_a_merged_post_leads_on_to_whoever_it_names(world: FakeWorld) -> None:
    lead = known(world, State.OPEN)
    post(world, same_phone())  # with an e-mail address and a company of its own
    third = a_card(3, contact_email="jane@acme-2.example", external_id="3")
    assert post(world, third) == IngestResult(lead, ("merged_same_email",), duplicate=True)


def test_a_merged_post_takes_nobody_from_another_lead(world: FakeWorld) -> None:
    known(world, State.OPEN)
    other = post(world, a_card(2)).lead
    post(world, same_phone())  # of the person of the one lead, from the company of the other
    assert post(world, a_card(2, contact_phone="", external_id="3")).lead == other


def test_a_company_stays_with_the_lead_it_was_won_by(world: FakeWorld) -> None:
    known(world, State.WON)
    second = post(world, colleague()).lead
    world.memory.leads[second.lead_id] = replace(second, state=State.LOST)
    third = post(world, colleague(external_id="3", contact_email="eve@acme.example"))
    assert third.lead.owner == AINA.rep_id


def test_a_customer_who_comes_back_twice_is_one_new_lead(world: FakeWorld) -> None:
    known(world, State.WON)
    second = post(world, same_phone()).lead
    third = post(world, same_phone(external_id="3"))
    assert third == IngestResult(second, ("merged_same_phone",), duplicate=True)


def test_a_merged_post_takes_along_who_was_lost_before(world: FakeWorld) -> None:
    lead = known(world, State.OPEN)
    lost = post(world, a_card(2)).lead
    world.memory.leads[lost.lead_id] = replace(lost, state=State.LOST)
    post(world, same_phone())
    again = post(world, a_card(2, contact_phone="", external_id="3"))
    assert again == IngestResult(lead, ("merged_same_email",), duplicate=True)


def test_a_lead_again_changes_nothing_of_what_was_merged_into_it(world: FakeWorld) -> None:
    lead = known(world, State.OPEN)
    post(world, same_phone())
    before = dict(world.memory.cards)
    world.clock.pass_(seconds=1)
    assert post(world, a_card()) == IngestResult(lead, (), duplicate=True)
    assert world.memory.cards == before


def test_the_same_merged_post_again_is_answered_the_same(world: FakeWorld) -> None:
    lead = known(world, State.CONTACTED)
    first = post(world, same_phone())
    before = (
        dict(world.memory.cards),
        list(world.memory.duplicate_links),
        dict(world.memory.identities),
    )
    world.clock.pass_(days=400)
    assert post(world, same_phone()) == first == IngestResult(lead, first.flags, duplicate=True)
    assert before == (world.memory.cards, world.memory.duplicate_links, world.memory.identities)


def test_the_same_lead_of_an_owner_again_is_answered_the_same(world: FakeWorld) -> None:
    known(world, State.WON)
    first = post(world, colleague())
    again = post(world, colleague())
    assert again == replace(first, duplicate=True)
    assert world.memory.usage[AINA.rep_id].in_hand == 1


def test_a_changed_body_of_a_merged_post_shows_with_its_lead(world: FakeWorld) -> None:
    lead = known(world, State.CONTACTED)
    post(world, same_phone())
    world.clock.pass_(seconds=1)
    post(world, same_phone(contact_name="Jane Tan-Lee", do_not_call=True))
    card = world.leads.card(lead.lead_id)
    assert card is not None
    assert [one.contact_name for one in card.merged] == ["Jane Tan-Lee"]
    assert card.do_not_call


def test_a_merged_post_is_kept_whole_and_on_record(world: FakeWorld) -> None:
    lead = known(world, State.CONTACTED)
    world.clock.pass_(hours=1)
    card = same_phone()
    post(world, card)
    [link] = world.leads.duplicate_links(lead.lead_id)
    assert (link.lead_id, link.outcome, link.because) == (
        lead.lead_id,
        "merged",
        IdentityKind.PHONE,
    )
    assert (link.source, link.at) == ("fair", world.clock())
    kept = world.leads.card(link.other_id)
    assert kept == replace(card, lead_id=link.other_id, flags=("merged_same_phone",))
    theirs = world.leads.card(lead.lead_id)
    assert theirs is not None
    [shown] = theirs.merged
    assert (shown.lead_id, shown.source, shown.at) == (link.other_id, "fair", world.clock())
    assert (shown.contact_email, shown.company) == ("jane@acme-2.example", "Acme 2 Sdn Bhd")


def test_why_a_lead_went_to_its_owner_is_on_record(world: FakeWorld) -> None:
    first = known(world, State.WON)
    lead = post(world, colleague()).lead
    [link] = world.leads.duplicate_links(lead.lead_id)
    assert (link.other_id, link.outcome) == (first.lead_id, "existing_owner")
    assert link.because is IdentityKind.DOMAIN


def test_a_card_shows_so_many_posts_and_keeps_them_all(world: FakeWorld) -> None:
    lead = known(world, State.OPEN)
    for number in range(25):
        assert post(world, same_phone(external_id=f"again-{number}")).duplicate
    card = world.leads.card(lead.lead_id)
    assert card is not None
    assert len(card.merged) == 20
    assert len(world.leads.duplicate_links(lead.lead_id)) == 25


def test_who_is_being_stored_at_the_same_moment_is_met(world: FakeWorld) -> None:
    world.leads.meanwhile = lambda: None
    firsts: list[Lead] = []
    world.leads.meanwhile = lambda: firsts.append(post(world, a_card()).lead)
    second = post(world, same_phone())
    assert second == IngestResult(firsts[0], ("merged_same_phone",), duplicate=True)


def test_a_lead_that_is_claimed_at_the_same_moment_is_its_owners(world: FakeWorld) -> None:
    lead = known(world, State.OPEN)

    def taken() -> None:
        held = replace(lead, state=State.CLAIMED, owner=AINA.rep_id)
        world.memory.leads[lead.lead_id] = held

    world.leads.meanwhile = taken
    accepted = post(world, colleague())
    assert (accepted.lead.owner, accepted.flags) == (AINA.rep_id, ("existing_owner",))


def test_an_owner_named_from_outside_gets_the_companys_first_lead(world: FakeWorld) -> None:
    acme = identity(IdentityKind.DOMAIN, "acme.example")
    assert acme is not None
    world.leads.name_owner(acme, AINA.rep_id)
    accepted = post(world, a_card())
    assert (accepted.lead.owner, accepted.flags) == (AINA.rep_id, ("existing_owner",))
    world.leads.name_owner(acme, None)
    world.memory.leads[accepted.lead.lead_id] = replace(accepted.lead, state=State.LOST)
    assert post(world, colleague()).flags == ("known_company",)


EMPTY = Contact("", "web", "1", "Acme")
LATER = Post(
    "b",
    NOON,
    IdentityKind.PHONE,
    "fair",
    company="Acme Ltd",
    company_size="10",
    contact_name="Jane",
    contact_email="jane@acme.example",
    needs=("solar",),
    consent="Form",
    do_not_call=True,
)


def test_a_later_post_of_the_same_person_fills_what_is_empty() -> None:
    card = filled(replace(EMPTY, contact_name="J. Tan", merged=(LATER,)))
    assert (card.contact_name, card.company) == ("J. Tan", "Acme")
    assert (card.contact_email, card.company_size) == ("jane@acme.example", "10")
    assert (card.needs, card.consent) == (("solar",), "Form")
    assert card.do_not_call  # do-not-call travels with the merged post


def test_somebody_else_of_the_company_fills_in_nothing_of_a_persons() -> None:
    card = filled(replace(EMPTY, merged=(replace(LATER, because=IdentityKind.NAME),)))
    assert card == replace(EMPTY, company_size="10", merged=card.merged)


def test_the_earlier_post_fills_first() -> None:
    second = replace(LATER, lead_id="c", contact_name="Joan", contact_title="Boss")
    card = filled(replace(EMPTY, merged=(LATER, second)))
    assert (card.contact_name, card.contact_title) == ("Jane", "Boss")


def test_every_flag_has_its_sentence() -> None:
    assert set(MERGED.values()) <= set(REASONS)
    assert set(MERGED) == set(IdentityKind)


# A name that two companies have, and one that is nobody's (C6)


def person(number: int, company: str, **changes: Any) -> Contact:
    """Return a person with a shared mailbox and a number of their own."""
    mail = {"contact_email": f"person{number}@gmail.com", "company": company}
    return replace(a_card(number), **{**mail, **changes})


FILLER = "Zzyva blorp"
"""Stands for any text in place of a name that no list has."""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"contact_email": "a@dental-kl.my"}, {"contact_email": "b@dental.co.uk"}),
        ({"company": "City Dental Ltd"}, {"company": "City Dental GmbH"}),
    ],
)
@pytest.mark.parametrize("state", [State.OPEN, State.CONTACTED, State.WON])
def test_a_name_two_companies_have_merges_nothing_and_has_no_owner(
    world: FakeWorld, state: State, one: dict[str, Any], other: dict[str, Any]
) -> None:
    first = post(world, person(1, **{"company": "City Dental", **one})).lead
    held = replace(first, state=state, owner=None if state is State.OPEN else AINA.rep_id)
    world.memory.leads[first.lead_id] = held
    second = post(world, person(2, **{"company": "City Dental", **other}))
    assert (second.lead.state, second.flags) == (State.OPEN, ())
    third = post(world, person(3, "City Dental"))  # of which of the two?
    assert (third.lead.state, third.flags) == (State.OPEN, ())


def test_a_name_with_one_domain_is_that_company_also_without_it(world: FakeWorld) -> None:
    first = post(world, person(1, "City Dental", contact_email="a@dental-kl.my")).lead
    again = post(world, person(2, "City Dental Sdn Bhd"))
    assert again == IngestResult(first, ("merged_same_company",), duplicate=True)


@pytest.mark.parametrize("state", [State.OPEN, State.CONTACTED, State.WON])
def test_a_name_many_people_come_with_is_nobodys(world: FakeWorld, state: State) -> None:
    first = post(world, person(1, FILLER)).lead
    held = replace(first, state=state, owner=None if state is State.OPEN else AINA.rep_id)
    world.memory.leads[first.lead_id] = held
    post(world, person(2, FILLER))
    later = [post(world, person(number, FILLER)) for number in range(3, 9)]
    assert [(one.duplicate, one.lead.owner, one.flags) for one in later] == [(False, None, ())] * 6


def test_how_many_people_make_a_name_nobodys_is_a_setting(world: FakeWorld) -> None:
    world.put_playbook(a_playbook(duplicates={"name_people": 5}))
    merged = [post(world, person(number, FILLER)).duplicate for number in range(1, 9)]
    assert merged == [False, True, True, True, False, False, False, False]


def test_many_people_of_one_domain_are_one_company(world: FakeWorld) -> None:
    first = post(world, person(1, "Acme", contact_email="p1@acme.example")).lead
    for number in range(2, 9):
        again = post(world, person(number, "Acme", contact_email=f"p{number}@acme.example"))
        assert again.lead.lead_id == first.lead_id
    assert post(world, person(9, "Acme")).lead.lead_id == first.lead_id


def test_one_person_who_posts_often_does_not_use_up_the_name(world: FakeWorld) -> None:
    first = post(world, person(1, "Acme")).lead
    for number in range(5):
        post(world, person(1, "Acme", source="fair", external_id=f"again-{number}"))
    assert post(world, person(2, "Acme")).lead.lead_id == first.lead_id


def test_people_without_any_contact_count_each_for_one(world: FakeWorld) -> None:
    nobody = {"contact_email": "", "contact_phone": "", "contact_name": ""}
    merged = [post(world, person(number, FILLER, **nobody)).duplicate for number in range(1, 6)]
    assert merged == [False, True, False, False, False]


def test_a_name_that_is_nobodys_is_written_no_more(world: FakeWorld) -> None:
    for number in range(1, 5):
        post(world, person(number, FILLER))
    before = dict(world.memory.identities), {key: set(x) for key, x in world.memory.seen.items()}
    world.clock.pass_(seconds=1)
    post(world, person(9, FILLER, contact_email="", contact_phone="", contact_name=""))
    assert before == (world.memory.identities, world.memory.seen)


def test_a_named_owner_keeps_the_name_but_not_another_companys_lead(world: FakeWorld) -> None:
    name = identity(IdentityKind.NAME, company_name("Acme"))
    domain = identity(IdentityKind.DOMAIN, "acme.example")
    assert name is not None
    assert domain is not None
    world.leads.name_owner(replace(name, marks=(domain_mark(domain),)), AINA.rep_id)
    owners = [post(world, person(number, "Acme")).lead.owner for number in range(1, 6)]
    assert owners == [AINA.rep_id] * 5
    assert post(world, person(7, "Acme", contact_email="x@other.example")).lead.owner is None
