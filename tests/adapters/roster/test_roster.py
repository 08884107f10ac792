"""Reps on tables: what a new one must be, whose phone is whose, and what is remembered how long."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dibs.core.errors import AlreadyExists, InvalidInput, RouteNotFound
from dibs.people.operator import add_rep, issue_manager_token, issue_token, new_rep, rep_of
from dibs.race.claim import token_hash
from dibs.roster import store as module
from dibs.roster.store import DynamoRoster
from support.aws import everything
from support.builders import World, a_playbook, a_rep, token_of
from support.fakes import Clock


@pytest.mark.parametrize(
    ("twin", "named"),
    [(a_rep(1, phone="+60177777777"), "rep id"), (a_rep(9, phone=a_rep(1).phone), "phone number")],
)
def test_a_taken_id_or_phone_is_named_and_nothing_is_stored(
    world: World, twin: object, named: str
) -> None:
    world.add_rep(a_rep(1))
    before = everything(world.dynamo.client, world.settings)
    with pytest.raises(AlreadyExists, match=named):
        world.add_rep(twin)  # type: ignore[arg-type]
    assert everything(world.dynamo.client, world.settings) == before


def test_a_team_is_read_anew_every_five_seconds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    stopwatch = SimpleNamespace(monotonic=lambda: clock().timestamp())
    monkeypatch.setattr(module, "time", stopwatch)
    roster = DynamoRoster(world.dynamo, world.settings)
    assert len(roster.team("north")) == 0
    world.add_rep(a_rep(1))
    assert len(roster.team("north")) == 0
    assert len(roster.team("north", fresh=True)) == 1  # who comes on frees the queue at once
    world.add_rep(a_rep(2))
    assert len(roster.team("north")) == 1
    clock.pass_(seconds=5, milliseconds=1)
    assert len(roster.team("north")) == 2


def test_the_playbook_is_read_anew_every_twenty_seconds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    stopwatch = SimpleNamespace(monotonic=lambda: clock().timestamp())
    monkeypatch.setattr(module, "time", stopwatch)
    roster = DynamoRoster(world.dynamo, world.settings)
    assert roster.playbook().version == 1
    world.put_playbook(a_playbook(claims_per_day=3))
    assert roster.playbook().version == 1
    clock.pass_(seconds=20, milliseconds=1)
    assert (roster.playbook().version, roster.playbook().claims_per_day) == (2, 3)


def test_tokens_are_kept_as_hashes_and_a_new_one_ends_the_old(world: World) -> None:
    rep = world.add_rep(a_rep(1))
    token = issue_token(world.roster, rep.rep_id)
    known = world.roster.credentials(rep.rep_id)
    assert known is not None
    assert known[2] == token_hash(token) != token_hash(token_of(rep))
    assert token.startswith(f"{rep.rep_id}.")
    assert token not in repr(everything(world.dynamo.client, world.settings))


def test_nobody_gets_a_token_who_is_not_there(world: World) -> None:
    with pytest.raises(RouteNotFound):
        issue_token(world.roster, "zzzzz")


def test_the_managers_token_is_one_and_the_last(world: World) -> None:
    assert world.roster.manager_hash() is None
    first, second = issue_manager_token(world.roster), issue_manager_token(world.roster)
    assert first != second
    assert world.roster.manager_hash() == token_hash(second)


def test_a_new_rep_gets_an_id_and_a_token_that_fit_each_other(world: World) -> None:
    rep, token = add_rep(
        world.roster,
        name="  Aina Yusof ",
        team="north",
        zone="Asia/Kuching",
        phone="+60 12-888 0000",
    )
    assert (rep.name, rep.phone) == ("Aina Yusof", "+60128880000")
    assert token.partition(".")[0] == rep.rep_id
    known = world.roster.by_phone("+60128880000")
    assert known is not None
    assert known[0] == rep
    assert rep_of(world.roster, rep.rep_id) == rep


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 81),
        ("name", "ச" * 34),
        ("name", "Aina\nYusof"),
        ("team", "nowhere"),
        ("zone", "Kuching"),
        ("zone", "../etc/passwd"),
        ("phone", "0128880000"),
        ("tier", 4),
        ("language", "tlh"),
    ],
)
def test_each_wrong_field_of_a_new_rep_is_named(field: str, wrong: object) -> None:
    right = {
        "name": "Aina",
        "team": "north",
        "zone": "UTC",
        "phone": "",
        "tier": 2,
        "language": "en",
    }
    with pytest.raises(InvalidInput) as refused:
        new_rep(a_playbook(), **{**right, field: wrong})  # type: ignore[arg-type]
    assert [error.field for error in refused.value.errors] == [field]
