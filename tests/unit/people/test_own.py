"""What a rep does besides claiming: view, decline, pause, register a phone (R8, N1, N3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dibs.core.errors import InvalidInput, LeadNotFound, Unauthorized
from dibs.core.lead import State
from dibs.core.links import link_is_for, read_link
from dibs.core.rep import Rep, Usage
from dibs.offers.open_offers import open_offers, sight
from dibs.people.own import DEVICES_PER_REP, register_device, remove_device, set_availability
from dibs.race.decide import Eligible, Refused
from support.builders import NOON, a_card, a_playbook, a_rep, proof_of, token_of
from support.fakes import FakeWorld

TWO_TEAMS = {"teams": {"north": {"name": "N"}, "south": {"name": "S"}}}


def a_world(**playbook: object) -> tuple[FakeWorld, Rep]:
    world = FakeWorld(a_playbook(**playbook))
    return world, world.add_rep(a_rep(1))


def offers(world: FakeWorld, rep: Rep) -> list[tuple[str, bool]]:
    found = open_offers(
        world.race,
        world.memory.reps[rep.rep_id],
        world.memory.usage[rep.rep_id],
        world.memory.playbook,
        world.clock(),
    )
    return [(offer.lead.lead_id, isinstance(offer.verdict, Eligible)) for offer in found]


def test_the_list_holds_the_open_leads_of_the_reps_team_oldest_first() -> None:
    world, rep = a_world(**TWO_TEAMS)
    second = world.post_lead(a_card(1, team="north"), NOON + timedelta(seconds=2))
    first = world.post_lead(a_card(2), NOON + timedelta(seconds=1))
    world.post_lead(a_card(3, team="south"))
    for number, change in ((4, {"state": State.CLAIMED}), (5, {"closes_at": NOON})):
        gone = world.post_lead(a_card(number))
        world.memory.leads[gone.lead_id] = replace(gone, **change)
    world.clock.pass_(seconds=5)
    assert offers(world, rep) == [(first.lead_id, True), (second.lead_id, True)]


def test_a_refused_rep_still_sees_the_lead_and_why_not() -> None:
    world, rep = a_world()
    lead = world.post_lead(a_card())
    world.memory.usage[rep.rep_id] = Usage(rep.today(NOON), 10)
    (offer,) = open_offers(
        world.race, rep, world.memory.usage[rep.rep_id], world.memory.playbook, NOON
    )
    assert offer.lead == lead
    assert isinstance(offer.verdict, Refused)
    assert [refusal.code for refusal in offer.verdict.refusals] == ["daily_limit"]


def test_a_test_lead_is_in_the_lists_of_test_reps_unless_it_is_for_everybody() -> None:
    world, rep = a_world()
    other = world.add_rep(a_rep(2))
    world.memory.playbook = replace(world.memory.playbook, test_reps=(other.rep_id,))
    world.post_lead(a_card(1, test=True))
    assert (offers(world, rep), len(offers(world, other))) == ([], 1)
    for_all = world.post_lead(a_card(2, test=True))
    world.memory.leads[for_all.lead_id] = replace(
        world.memory.leads[for_all.lead_id], test_everybody=True
    )
    assert (len(offers(world, rep)), len(offers(world, other))) == (1, 2)


def test_each_offer_carries_the_reps_own_link() -> None:
    world, rep = a_world()
    lead = world.post_lead(a_card())
    (offer,) = open_offers(world.race, rep, Usage(), world.memory.playbook, NOON)
    link = read_link(offer.token)
    assert (link.lead_id, link.rep_id) == (lead.lead_id, rep.rep_id)
    assert link_is_for(link, lead.salt, 1)


def see(world: FakeWorld, rep: Rep, lead_id: str, what: str, token: str | None = None) -> None:
    proof = proof_of(rep, token)
    sight(world.race, lead_id, rep.rep_id, proof, what, world.clock())


def test_the_first_look_is_what_counts_and_declining_is_kept_beside_it() -> None:
    world, rep = a_world()
    lead = world.post_lead(a_card())
    see(world, rep, lead.lead_id, "seen_at")
    world.clock.pass_(seconds=5)
    see(world, rep, lead.lead_id, "seen_at")
    see(world, rep, lead.lead_id, "declined_at")
    sighting = world.offers.sightings(lead.lead_id, 1, [rep.rep_id])[rep.rep_id]
    assert sighting.seen_at == NOON
    assert sighting.declined_at == NOON + timedelta(seconds=5)


def test_a_look_at_a_lead_that_is_gone_is_not_kept() -> None:
    world, rep = a_world()
    lead = world.post_lead(a_card())
    world.memory.leads[lead.lead_id] = replace(lead, state=State.CLAIMED)
    see(world, rep, lead.lead_id, "seen_at")
    assert world.memory.sightings == {}


def test_nobody_looks_for_somebody_else_or_at_another_teams_lead() -> None:
    world, rep = a_world(**TWO_TEAMS)
    other = world.add_rep(a_rep(2, team="south"))
    lead = world.post_lead(a_card(1, team="north"))
    with pytest.raises(Unauthorized):
        see(world, rep, lead.lead_id, "seen_at", token_of(other))
    with pytest.raises(LeadNotFound):
        see(world, other, lead.lead_id, "seen_at")
    with pytest.raises(LeadNotFound):
        see(world, rep, "aaaaaaaaaaaa", "seen_at")
    assert world.memory.sightings == {}


def switch(world: FakeWorld, rep: Rep, available: bool, minutes: int | None = None) -> object:
    return set_availability(world.roster, rep.rep_id, available, minutes, world.clock())


def test_a_pause_ends_by_itself() -> None:
    world, rep = a_world()
    assert switch(world, rep, False, 30) == NOON + timedelta(minutes=30)
    assert world.memory.reps[rep.rep_id].paused_until == NOON + timedelta(minutes=30)
    assert switch(world, rep, False) == NOON + timedelta(hours=12)  # the playbook's longest


def test_switching_on_ends_a_pause_at_once() -> None:
    world, rep = a_world()
    switch(world, rep, False, 30)
    assert switch(world, rep, True) is None
    assert world.memory.reps[rep.rep_id].paused_until is None


@pytest.mark.parametrize("minutes", [0, -1, 721, 10**30])
def test_a_pause_outside_the_playbook_is_refused_and_changes_nothing(minutes: int) -> None:
    world, rep = a_world()
    with pytest.raises(InvalidInput) as refused:
        switch(world, rep, False, minutes)
    assert [error.field for error in refused.value.errors] == ["minutes"]
    assert world.memory.reps[rep.rep_id].paused_until is None


def register(
    world: FakeWorld, rep: Rep, device: str, token: str = "token-0001", platform: str = "fcm"
) -> None:
    current = world.memory.reps[rep.rep_id]
    register_device(world.roster, world.push, current, device, platform, token)


def devices(world: FakeWorld, rep: Rep) -> list[str]:
    return [device.device_id for device in world.memory.reps[rep.rep_id].devices]


def test_a_phone_is_registered_for_push() -> None:
    world, rep = a_world()
    register(world, rep, "phone-1", platform="apns")
    (device,) = world.memory.reps[rep.rep_id].pushable
    assert world.push.endpoints[device.endpoint_arn] == rep.rep_id


def test_the_same_phone_again_takes_its_new_token_and_no_second_place() -> None:
    world, rep = a_world()
    register(world, rep, "phone-1", "token-0001")
    register(world, rep, "phone-1", "token-0002")
    (device,) = world.memory.reps[rep.rep_id].devices
    assert device.endpoint_arn.endswith("token-0002")


def test_a_rep_keeps_their_last_three_phones() -> None:
    world, rep = a_world()
    for number in range(5):
        register(world, rep, f"phone-{number}", f"token-000{number}")
    assert devices(world, rep) == ["phone-2", "phone-3", "phone-4"]
    assert len(world.push.endpoints) == DEVICES_PER_REP


@pytest.mark.parametrize(
    ("device", "platform", "token", "fields"),
    [
        ("phone", "webpush", "token-0001", ["platform"]),
        ("phone", "", "token-0001", ["platform"]),
        ("phone", "fcm", "short", ["token"]),
        ("phone", "fcm", "x" * 2049, ["token"]),
        ("", "fcm", "token-0001", ["device_id"]),
        ("x" * 65, "fcm", "token-0001", ["device_id"]),
        ("pho\nne", "fcm", "token-0001", ["device_id"]),
        ("手机" * 16, "fcm", "token-0001", ["device_id"]),  # a rep's item stays small
        ("", "pager", "", ["platform", "token", "device_id"]),
    ],
)
def test_what_is_wrong_with_a_phone_is_named_all_at_once(
    device: str, platform: str, token: str, fields: list[str]
) -> None:
    world, rep = a_world()
    with pytest.raises(InvalidInput) as refused:
        register(world, rep, device, token, platform)
    assert [error.field for error in refused.value.errors] == fields
    assert devices(world, rep) == []
    assert world.push.endpoints == {}


def test_a_phone_is_forgotten_and_forgetting_it_again_changes_nothing() -> None:
    world, rep = a_world()
    register(world, rep, "phone-1", "token-0001")
    register(world, rep, "phone-2", "token-0002")
    for _ in range(2):
        remove_device(world.roster, world.push, world.memory.reps[rep.rep_id], "phone-1")
        assert devices(world, rep) == ["phone-2"]
        assert [arn.rpartition("/")[2] for arn in world.push.endpoints] == ["token-0002"]


def test_a_phone_that_changed_hands_is_taken_from_whoever_had_it() -> None:
    world, rep = a_world()
    other = world.add_rep(a_rep(2))
    register(world, rep, "phone-1", "token-0001")
    register(world, rep, "phone-2", "token-0002")
    register(world, other, "my-phone", "token-0001")
    assert devices(world, rep) == ["phone-2"]
    assert devices(world, other) == ["my-phone"]
    assert sorted(world.push.endpoints.values()) == sorted([rep.rep_id, other.rep_id])


def test_a_phone_that_got_a_new_id_is_not_kept_under_its_old_one() -> None:
    world, rep = a_world()
    register(world, rep, "phone-1", "token-0001")
    register(world, rep, "phone-1-after-reset", "token-0001")
    assert devices(world, rep) == ["phone-1-after-reset"]


def test_the_list_says_of_a_debt_what_a_claim_would_hear() -> None:
    """A debt refuses only while an open lead can pay it (F1), in the list as in a claim."""
    world, rep = a_world(acceptance={"hot_per_warm": 2})
    owing = replace(Usage(), week=rep.this_week(NOON), hot=2, leads=2, week_claims=2)
    world.memory.usage[rep.rep_id] = owing
    hot = world.post_lead(a_card(1, score=90))
    assert offers(world, rep) == [(hot.lead_id, True)]
    warm = world.post_lead(a_card(2, score=60), NOON + timedelta(seconds=1))
    world.clock.pass_(seconds=1)
    assert offers(world, rep) == [(hot.lead_id, False), (warm.lead_id, True)]


def test_a_lead_that_waits_to_be_assigned_is_known_to_nobody() -> None:
    world, rep = a_world(teams={"north": {"name": "N", "model": "round-robin"}})
    lead = world.post_lead(a_card())
    assert lead.state is State.NEW
    with pytest.raises(LeadNotFound):
        sight(world.race, lead.lead_id, rep.rep_id, proof_of(rep), "seen_at", NOON)
