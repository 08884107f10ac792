"""Playbooks by version, on tables: put in force in one step, never over somebody else's."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from dibs.core.errors import InvalidInput, Outdated, RouteNotFound
from dibs.playbook.changes import apply, propose, propose_again, version
from dibs.playbook.file import read_playbook
from dibs.race.store import DynamoRaceStore
from dibs.roster.store import DynamoRoster
from dibs.rules.playbook import Playbook
from dibs.rules.ports import Version
from dibs.rules.presets import preset_text
from support.aws import everything
from support.builders import NOON, World, a_playbook, a_rep
from support.playbooks import playbooks

FEW = a_playbook(claims_per_day=3)
FEWER = a_playbook(claims_per_day=2)


def put(world: World, playbook: Playbook, note: str = "") -> int:
    proposal = propose(world.playbooks, world.roster, playbook)
    return apply(world.playbooks, proposal, "Aina", NOON, note)


def test_the_next_version_is_in_force_for_whoever_reads_and_kept(world: World) -> None:
    assert put(world, FEW, "fewer") == 2
    in_force = world.playbooks.in_force()
    assert in_force == Version(replace(FEW, version=2), NOON, "Aina", "fewer")
    assert version(world.playbooks, 2) == in_force
    assert DynamoRoster(world.dynamo, world.settings).playbook() == in_force.playbook
    raced_by = DynamoRaceStore(world.dynamo, world.settings).read("-", "-").playbook
    assert Playbook(**vars(raced_by), game=FEW.game) == in_force.playbook
    assert [known.number for known in world.playbooks.history()] == [2, 1]


def test_an_identical_playbook_is_no_new_version(world: World) -> None:
    put(world, FEW)
    before = everything(world.dynamo.client, world.settings)
    assert put(world, replace(FEW, version=99), "once more") == 2
    assert everything(world.dynamo.client, world.settings) == before


def test_of_two_people_who_apply_at_once_one_is_told_it_is_outdated(world: World) -> None:
    mine = propose(world.playbooks, world.roster, FEW)
    theirs = propose(world.playbooks, world.roster, FEWER)
    assert apply(world.playbooks, theirs, "Ben", NOON) == 2
    before = everything(world.dynamo.client, world.settings)
    with pytest.raises(Outdated):
        apply(world.playbooks, mine, "Aina", NOON)
    assert everything(world.dynamo.client, world.settings) == before
    assert world.playbooks.in_force().playbook.claims_per_day == 2


def test_of_two_first_playbooks_one_is_outdated(world: World) -> None:
    world.dynamo.delete(world.settings.organisation_table, {"pk": {"S": "PLAYBOOK"}})
    world.dynamo.delete(world.settings.organisation_table, {"pk": {"S": "PLAYBOOK#000001"}})
    mine, theirs = (propose(world.playbooks, world.roster, one) for one in (FEW, FEWER))
    assert apply(world.playbooks, theirs, "Ben", NOON) == 1
    with pytest.raises(Outdated):
        apply(world.playbooks, mine, "Aina", NOON)


def test_before_anything_is_applied_the_preset_is_in_force_as_version_0(world: World) -> None:
    world.dynamo.delete(world.settings.organisation_table, {"pk": {"S": "PLAYBOOK"}})
    shipped = world.playbooks.in_force()
    assert (shipped.number, shipped.applied_at, shipped.playbook.preset) == (0, None, "open-pool")
    assert world.playbooks.history() == []
    assert version(world.playbooks, 0) == shipped
    # Whoever applies the preset as it is, keeps it: another Dibs may ship another.
    world.dynamo.delete(world.settings.organisation_table, {"pk": {"S": "PLAYBOOK#000001"}})
    assert put(world, shipped.playbook) == 1


def test_a_version_that_was_expected_to_be_in_force_is_checked(world: World) -> None:
    put(world, FEW)
    assert propose(world.playbooks, world.roster, FEWER, expected_version=2).base.number == 2
    with pytest.raises(Outdated, match="Version 2 is in force, not 1"):
        propose(world.playbooks, world.roster, FEWER, expected_version=1)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=playbooks(), second=playbooks())
def test_going_back_restores_what_was_as_a_version_of_its_own(
    world: World, first: Playbook, second: Playbook
) -> None:
    # Their fallback people are nobody here.
    world.put_playbook(first)
    earlier = world.playbooks.in_force()
    world.put_playbook(second)
    now = world.playbooks.in_force()
    for rep_id in ("aaaac", "zzzzz"):
        if world.roster.get(rep_id) is None:
            world.add_rep(replace(a_rep(1), rep_id=rep_id, phone=None))
    back = propose_again(world.playbooks, world.roster, earlier.number)
    number = apply(world.playbooks, back, "Aina", NOON, "back")
    restored = world.playbooks.in_force()
    assert replace(restored.playbook, version=0) == replace(first, version=0)
    assert number == (now.number + 1 if first != second else now.number)
    assert version(world.playbooks, now.number).playbook == now.playbook


def test_there_is_no_way_back_to_what_never_was(world: World) -> None:
    for number in (7, -1):
        with pytest.raises(RouteNotFound, match=f"no version {number}"):
            propose_again(world.playbooks, world.roster, number)


def test_going_back_to_a_fallback_person_who_has_left_is_refused(world: World) -> None:
    rep = a_rep(1)
    world.put_playbook(a_playbook(teams={"north": {"name": "N", "fallback": rep.rep_id}}))
    world.put_playbook(FEW)
    with pytest.raises(InvalidInput) as refused:
        propose_again(world.playbooks, world.roster, 2)
    assert [error.field for error in refused.value.errors] == ["teams.north.fallback"]
    world.add_rep(rep)
    assert propose_again(world.playbooks, world.roster, 2).changes


def test_one_person_may_be_the_fallback_of_two_teams(world: World) -> None:
    boss = world.add_rep(a_rep(1))
    team = {"name": "A team", "fallback": boss.rep_id}
    assert put(world, a_playbook(teams={"north": team, "south": team})) == 2


def test_what_makes_no_sense_is_never_put_in_force(world: World) -> None:
    before = everything(world.dynamo.client, world.settings)
    with pytest.raises(InvalidInput) as refused:
        put(world, a_playbook(claims_per_day=0))
    assert [error.field for error in refused.value.errors] == ["claims_per_day"]
    assert everything(world.dynamo.client, world.settings) == before


def test_a_playbook_larger_than_an_item_is_refused(world: World) -> None:
    before = everything(world.dynamo.client, world.settings)
    with pytest.raises(InvalidInput) as refused:
        put(world, a_playbook(fits="x" * 400_000))
    [error] = refused.value.errors
    assert "KB as stored; use 390 KB or less" in error.problem
    assert everything(world.dynamo.client, world.settings) == before


def test_the_history_is_the_latest_hundred(world: World) -> None:
    for claims in range(102):
        world.put_playbook(a_playbook(claims_per_day=claims + 1))
    numbers = [known.number for known in world.playbooks.history()]
    assert numbers == list(range(103, 3, -1))
    assert version(world.playbooks, 1).number == 1


def test_an_operator_applies_a_file(world: World) -> None:
    rules = {**json.loads(preset_text("open-pool")), "teams": {"north": {"name": "North"}}}
    assert (
        apply(
            world.playbooks,
            propose(
                world.playbooks,
                world.roster,
                read_playbook(json.dumps({**rules, "claims_per_day": 9})),
            ),
            "operator",
            NOON,
        )
        == 2
    )
    assert world.playbooks.in_force().by == "operator"
