"""The store writes what the pure rules say of usage, and only while their guards hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dibs.aws.dynamo import ConditionFailed
from dibs.core.lead import Lead, State
from dibs.core.rep import Rep, Usage
from dibs.race.absence import Credit
from dibs.race.lifecycle import new_claim
from dibs.race.usage import Change, count_lead, release_lead, undo_claim, use_credit, work_lead
from dibs.race.writes import write_usage
from dibs.rules.playbook import Playbook
from support.builders import NOON, World
from support.fakes import Memory
from support.usages import careers, leads, playbooks

numbers = count(1)
COUNTERS = [f.name for f in fields(Usage) if f.type == "int"]
# Tables are slow, and shrinking takes minutes; an example is short enough to be read.
on_tables = settings(
    max_examples=30, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None
)
moved = st.dictionaries(st.sampled_from(COUNTERS), st.sampled_from([-1, 1, 900]), max_size=3)


@pytest.fixture(scope="module")
def world(moto_dynamodb: Any) -> Iterator[World]:
    """One for all examples: each has a rep of its own."""
    from moto import mock_aws

    from support.tables import create_tables

    with mock_aws():
        yield World(moto_dynamodb, create_tables(moto_dynamodb, "usage"))


def stored(world: World, rep: Rep) -> Usage:
    return world.race.read("aaaaaaaaaaaa", rep.rep_id).usage


def writes(world: World, change: Change) -> bool:
    try:
        world.dynamo.transact(write_usage(world.settings, change))
    except ConditionFailed:
        return False
    return True


def has_used(world: World, rep: Rep, usage: Usage) -> Rep:
    """Store a rep with this usage; what was never counted is not stored at all."""
    rep = replace(rep, rep_id=f"r{next(numbers)}", phone=None)
    world.add_rep(rep)
    whole = {name: value for name, value in vars(usage).items() if value != getattr(Usage, name)}
    assert not whole or writes(world, Change(rep.rep_id, sets=whole))
    assert stored(world, rep) == usage
    return rep


def change_of(kind: str, rep: Rep, lead: Lead, usage: Usage, playbook: Playbook) -> Change:
    """What one of the writes of a lead's life changes, decided on this usage."""
    held = replace(lead, state=State.ASSIGNED, owner=rep.rep_id, claimed_at=NOON)
    if kind == "undo":
        return undo_claim(held, rep, usage)
    if kind == "release":
        return release_lead(held, usage)
    if kind == "work":
        return work_lead(rep.rep_id, worked=usage.in_hand > 0, accepted=usage.unaccepted > 0)
    day = NOON.date() - timedelta(days=1)
    credit = Credit(rep.rep_id, usage.credits_used, (*usage.credits_used, day))
    if kind == "credit":
        return use_credit(credit)
    cause = "claimed" if kind in ("claim", "draw") else kind
    claim = new_claim(lead, rep, playbook, NOON, NOON, cause)
    return count_lead(
        rep,
        lead,
        usage,
        playbook,
        claim,
        bound=kind != "fallback",
        credit=credit if kind == "absence_credit" else None,
        week_most=3 if kind == "newcomer" else None,
    )


kinds = st.sampled_from(
    [
        *("claim", "claim", "claim", "assigned", "fallback", "newcomer", "absence_credit"),
        *("undo", "release", "work", "credit"),
    ]
)


def test_what_is_stored_is_what_the_rules_count_under_the_guards_they_name(world: World) -> None:
    """Decided on one usage and met by another, tables and memory take it or leave it alike."""

    @on_tables
    @given(careers(), leads, playbooks, kinds, moved)
    def property_of(
        career: tuple[Rep, Usage],
        lead: Lead,
        playbook: Playbook,
        kind: str,
        meanwhile: dict[str, int],
    ) -> None:
        someone, read = career
        now = {name: max(0, getattr(read, name) + by) for name, by in meanwhile.items()}
        met = replace(read, **now)
        rep = has_used(world, someone, met)
        change = change_of(kind, rep, lead, read, playbook)
        if kind == "work" and (met.in_hand == 0 or met.unaccepted == 0):
            return  # its lock guards it: nobody works a lead that nobody holds
        memory = Memory(reps={rep.rep_id: rep}, usage={rep.rep_id: met})
        should_be = memory.counted(change)
        if not write_usage(world.settings, change):
            assert should_be == met
            return
        assert writes(world, change) == (should_be is not None)
        assert stored(world, rep) == (should_be or met)

    property_of()


def test_a_claim_stored_and_undone_leaves_what_was_stored_before(world: World) -> None:
    @on_tables
    @given(careers(), leads, playbooks)
    def property_of(career: tuple[Rep, Usage], lead: Lead, playbook: Playbook) -> None:
        someone, read = career
        rep = has_used(world, someone, read)
        assert writes(world, change_of("claim", rep, lead, read, playbook))
        after = stored(world, rep)
        undone = change_of("undo", rep, lead, after, playbook)
        assert lead.test or writes(world, undone)
        assert stored(world, rep) == undone.applied_to(after)
        assert stored(world, rep).in_hand == read.in_hand
        assert stored(world, rep).ever == read.ever

    property_of()
