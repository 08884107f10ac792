"""Reps on tables: what a new one must be, whose phone is whose, and what is remembered how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from types import SimpleNamespace

import pytest

from dibs.core.errors import AlreadyExists, InvalidInput, Outdated, RouteNotFound
from dibs.people.operator import add_rep, issue_manager_token, issue_token, new_rep, rep_of
from dibs.race.claim import token_hash
from dibs.roster import store as module
from dibs.roster.store import DynamoRoster
from support.aws import everything
from support.builders import NOON, World, a_playbook, a_rep, token_of
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
        NOON,
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
        ("name", "ச" * 30),
        ("name", "Aina\0Yusof"),
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
        new_rep(a_playbook(), NOON, **{**right, field: wrong})  # type: ignore[arg-type]
    assert [error.field for error in refused.value.errors] == [field]


# The first day (F8, F9)


@pytest.mark.parametrize(
    ("zone", "now", "first"),
    [
        ("UTC", NOON, date(2026, 11, 23)),
        ("Asia/Kuala_Lumpur", NOON.replace(hour=16), date(2026, 11, 24)),
        ("America/Lima", NOON.replace(hour=4), date(2026, 11, 22)),
    ],
)
def test_a_first_day_is_the_day_of_adding_where_the_team_is(
    zone: str, now: datetime, first: date
) -> None:
    playbook = a_playbook(teams={"north": {"name": "North", "zone": zone}})
    right = ("Aina", "north", "UTC", "", 2, "en")
    assert new_rep(playbook, now, *right).joined_on == first
    assert new_rep(playbook, now, *right, joined="2020-02-29").joined_on == date(2020, 2, 29)
    with pytest.raises(InvalidInput):
        new_rep(playbook, now, *right, joined="29.02.2020")


def test_a_number_without_country_code_is_one_of_the_playbooks_region() -> None:
    playbook = a_playbook(default_region="MY")
    for phone in ("012-888 0000", "60128880000", "0060 12-888 0000", "60128880000.0"):
        rep = new_rep(playbook, NOON, "Aina", "north", "UTC", phone, 2, "en")
        assert rep.phone == "+60128880000", phone
    for phone in ("012", "+60128880000 ext 5", "012-888 0000 / 013-888 0000", "1-800-FLOWERS",
                  "447911123456", "4.47911E+11"):  # fmt: skip
        with pytest.raises(InvalidInput):
            new_rep(playbook, NOON, "Aina", "north", "UTC", phone, 2, "en")


# Whose number it is


def test_leaving_frees_the_number_and_returning_takes_it_back(world: World) -> None:
    gone = world.add_rep(a_rep(1))
    phone = str(gone.phone)
    world.roster.deactivate(gone.rep_id, NOON.date())
    assert world.roster.by_phone(phone) is None
    world.roster.reactivate(replace(gone, active=False))
    known = world.roster.by_phone(phone)
    assert known is not None
    assert known[0] == gone
    with pytest.raises(Outdated):
        world.roster.reactivate(gone)
    world.roster.deactivate(gone.rep_id, NOON.date())
    new = world.add_rep(a_rep(2, phone=phone))
    world.roster.deactivate(gone.rep_id, NOON.date())  # again: it is not theirs any more
    known = world.roster.by_phone(phone)
    assert known is not None
    assert known[0] == new
    with pytest.raises(AlreadyExists):
        world.roster.reactivate(gone)
    world.roster.reactivate(replace(gone, phone=None))
    back = world.roster.get(gone.rep_id)
    assert back == replace(gone, phone=None)


def test_a_number_an_earlier_version_left_with_a_leaver_is_free(world: World) -> None:
    gone = world.add_rep(a_rep(1, active=False))
    phone = str(gone.phone)
    assert world.roster.by_phone(phone) is None
    new = world.add_rep(a_rep(2, phone=phone))
    known = world.roster.by_phone(phone)
    assert known is not None
    assert known[0] == new


def test_a_changed_number_moves_in_one_step(world: World) -> None:
    one, other = world.add_rep(a_rep(1)), world.add_rep(a_rep(2))
    world.roster.opt_out(one.rep_id, True)
    changed = replace(one, phone="+60177777777", name="Aina")
    world.roster.put_profile(changed, ["phone", "name"])
    assert world.roster.get(one.rep_id) == changed  # a STOP was of the old number
    assert world.roster.by_phone(str(one.phone)) is None
    before = everything(world.dynamo.client, world.settings)
    with pytest.raises(AlreadyExists):
        world.roster.put_profile(replace(changed, phone=other.phone), ["phone"])
    assert everything(world.dynamo.client, world.settings) == before
    world.roster.put_profile(replace(changed, phone=None), ["phone"])
    assert world.roster.by_phone("+60177777777") is None
    world.roster.put_profile(replace(other, phone=one.phone), ["phone"])
    known = world.roster.by_phone(str(one.phone))
    assert known is not None
    assert known[0].rep_id == other.rep_id
