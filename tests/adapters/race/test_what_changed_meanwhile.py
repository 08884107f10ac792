"""A claim binds to what it was judged on: team, leave, pause and playbook, also of a moment ago."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dibs.assignment.work import let_go
from dibs.core.errors import ClaimRefused, DibsError
from dibs.core.lead import State
from dibs.race.claim import claim
from dibs.race.store import DynamoRaceStore
from support.builders import NOON, World, a_card, a_playbook, a_rep, proof_of
from support.fakes import Clock, no_pause
from support.interleaving import meanwhile

AINA = a_rep(1)
TODAY = NOON.date()

CHANGES: dict[str, tuple[Callable[[World], object], str]] = {
    "team": (
        lambda world: world.roster.put_profile(replace(AINA, team="south"), ("team",)),
        "lead_not_found",
    ),
    "leave": (
        lambda world: world.roster.put_profile(replace(AINA, leave=((TODAY, TODAY),)), ("leave",)),
        "refused",
    ),
    "pause": (
        lambda world: world.roster.pause(AINA.rep_id, NOON + timedelta(hours=1)),
        "refused",
    ),
    "left": (lambda world: world.roster.deactivate(AINA.rep_id, TODAY), "unauthorized"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_changes_between_the_read_and_the_write_binds_the_claim(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    act, code = CHANGES[what]
    world.put_playbook(a_playbook(teams={"north": {"name": "N"}, "south": {"name": "S"}}))
    world.add_rep(AINA)
    lead = world.post_lead(a_card(team="north"), NOON)
    meanwhile(monkeypatch, world.race, "commit_claim", lambda: act(world))
    proof = proof_of(AINA)
    with pytest.raises(DibsError) as refused:
        claim(world.race, lead.lead_id, AINA.rep_id, proof, Clock(), pause=no_pause)
    assert refused.value.code == code
    stored = world.leads.get(lead.lead_id)
    assert stored is not None
    assert (stored.state, stored.owner) == (State.OPEN, None)


def test_a_rep_on_leave_another_day_claims_as_ever(world: World) -> None:
    later = TODAY + timedelta(days=9)
    world.add_rep(replace(AINA, leave=((later, later), (later, later + timedelta(days=1)))))
    lead = world.post_lead(a_card(), NOON)
    proof = proof_of(AINA)
    assert claim(world.race, lead.lead_id, AINA.rep_id, proof, Clock(), pause=no_pause)


def test_a_change_of_the_playbook_binds_the_next_claim_in_every_process(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_rep(AINA)
    lead = world.post_lead(a_card(), NOON)
    other = DynamoRaceStore(world.dynamo, world.settings)  # another process, with its own cache
    requests = list[dict[str, Any]]()
    real = world.dynamo.batch_get

    def counted(wanted: dict[str, Any], *given: Any, **more: Any) -> Any:
        requests.append(wanted)
        return real(wanted, *given, **more)

    monkeypatch.setattr(world.dynamo, "batch_get", counted)
    for _ in range(3):
        other.read(lead.lead_id, AINA.rep_id)
    assert len(requests) == 3  # one a claim
    team = {"name": "North", "holidays": [TODAY.isoformat()]}  # a day without a race
    world.put_playbook(a_playbook(teams={"north": team}))
    with pytest.raises(ClaimRefused) as refused:
        proof = proof_of(AINA)
        claim(other, lead.lead_id, AINA.rep_id, proof, Clock(), pause=no_pause)
    assert [rule.code for rule in refused.value.refusals] == ["holiday"]
    requests.clear()
    other.read(lead.lead_id, AINA.rep_id)
    assert len(requests) == 1


def test_a_leavers_claim_of_the_last_moment_goes_back_though_the_index_lags(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_rep(AINA)
    lead = world.post_lead(a_card(), NOON)
    proof = proof_of(AINA)
    claim(world.race, lead.lead_id, AINA.rep_id, proof, Clock(), pause=no_pause)
    world.roster.deactivate(AINA.rep_id, TODAY)
    real, looks = world.holdings.held_by, list[str]()

    def lagging(rep_id: str) -> Any:
        looks.append(rep_id)
        return real(rep_id) if len(looks) > 2 else []

    monkeypatch.setattr(world.holdings, "held_by", lagging)
    clock = Clock()
    assert let_go(world.race, world.holdings, AINA.rep_id, "boss", clock, no_pause) == 1
    stored = world.leads.get(lead.lead_id)
    assert stored is not None
    assert (stored.state, stored.owner) == (State.OPEN, None)
    looks.clear()
    let_go(world.race, world.holdings, AINA.rep_id, "boss", clock, no_pause)
    assert len(looks) == 1
