"""Reps on tables: what a new one must be, whose phone is whose, and what is remembered how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from dibs.aws import keys
from dibs.core.credentials import digest_of, shown
from dibs.core.errors import (
    AlreadyExists,
    Forbidden,
    InvalidInput,
    Outdated,
    RouteNotFound,
    Unauthorized,
)
from dibs.people.access import (
    add_manager,
    begin_session,
    issue_token,
    link_is_good,
    make_link,
    open_sessions,
    remove_manager,
    use_link,
)
from dibs.people.operator import add_rep, new_rep, rep_of
from dibs.race.claim import Won, claim
from dibs.race.rep_records import rep_item
from dibs.roster import store as module
from dibs.roster.callers import calling_viewer
from dibs.roster.store import DynamoRoster
from support.aws import everything
from support.builders import NOON, World, a_card, a_playbook, a_rep, proof_of, token_of
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


def test_a_new_playbook_is_followed_within_two_seconds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    stopwatch = SimpleNamespace(monotonic=lambda: clock().timestamp())
    monkeypatch.setattr(module, "time", stopwatch)
    roster = DynamoRoster(world.dynamo, world.settings)
    assert roster.playbook().version == 1
    world.put_playbook(a_playbook(claims_per_day=3))
    assert roster.playbook().version == 1
    assert roster.playbook(fresh=True).version == 2
    world.put_playbook(a_playbook(claims_per_day=3))
    clock.pass_(seconds=2, milliseconds=1)
    assert (roster.playbook().version, roster.playbook().claims_per_day) == (3, 3)


def good(world: World, secret: str, *, session: bool = False, at: datetime = NOON) -> bool:
    """Tell whether somebody may come in with this."""
    try:
        calling_viewer(shown(secret, session=session), world.credentials, at)
    except Unauthorized:
        return False
    return True


def test_tokens_are_kept_as_digests_and_a_new_one_ends_the_old(world: World) -> None:
    rep = world.add_rep(a_rep(1))
    token = issue_token(world.credentials, rep.rep_id, "m-boss", NOON)
    assert token.startswith(f"{rep.rep_id}.")
    assert (good(world, token), good(world, token_of(rep))) == (True, False)
    assert token not in repr(everything(world.dynamo.client, world.settings))
    again = issue_token(world.credentials, rep.rep_id, "m-boss", NOON)
    assert (good(world, again), good(world, token)) == (True, False)


def test_a_token_may_have_an_end(world: World) -> None:
    rep = world.add_rep(a_rep(1))
    token = issue_token(world.credentials, rep.rep_id, "m-boss", NOON, ends_in_days=2)
    assert good(world, token, at=NOON + timedelta(days=2, seconds=-1))
    assert not good(world, token, at=NOON + timedelta(days=2))


@pytest.mark.parametrize("owner", ["zzzzz", "m-zzzzz", "manager"])
def test_nobody_gets_a_token_who_is_not_there(world: World, owner: str) -> None:
    with pytest.raises(RouteNotFound):
        issue_token(world.credentials, owner, "m-boss", NOON)


def test_whoever_left_gets_no_token_and_their_sessions_have_ended(world: World) -> None:
    rep = world.add_rep(a_rep(1))
    playbook = world.roster.playbook()
    session = begin_session(world.credentials, playbook, rep.rep_id, 0, NOON)
    assert good(world, session.secret, session=True)
    assert not good(world, session.secret), "a session is no token"
    world.roster.deactivate(rep.rep_id, NOON.date())
    assert not good(world, session.secret, session=True)
    with pytest.raises(RouteNotFound):
        issue_token(world.credentials, rep.rep_id, "m-boss", NOON)


def test_a_new_token_ends_all_sessions(world: World) -> None:
    manager = world.add_manager("m-amina.secret")
    playbook = world.roster.playbook()
    session = begin_session(world.credentials, playbook, manager.manager_id, 0, NOON)
    assert good(world, session.secret, session=True)
    assert not good(world, session.secret, session=True, at=NOON + timedelta(hours=12))
    issue_token(world.credentials, manager.manager_id, "m-boss", NOON)
    assert not good(world, session.secret, session=True)
    assert open_sessions(world.credentials, manager.manager_id, NOON) == []


def test_managers_are_people_with_tokens_of_their_own(world: World) -> None:
    playbook = world.roster.playbook()
    amina, first = add_manager(world.credentials, playbook, "Amina", "", "operator", NOON)
    ben, second = add_manager(world.credentials, playbook, "Ben", "north", amina.manager_id, NOON)
    assert (good(world, first), good(world, second)) == (True, True)
    assert [one.name for one in world.credentials.managers()] == ["Amina", "Ben"]
    remove_manager(world.credentials, "Ben", amina.manager_id, NOON)
    assert (good(world, first), good(world, second)) == (True, False)
    with pytest.raises(Forbidden):
        remove_manager(world.credentials, amina.manager_id, amina.manager_id, NOON)
    remove_manager(world.credentials, amina.manager_id, "operator (root)", NOON)
    assert ben.team == "north"


def test_a_link_signs_in_once_and_in_time(world: World) -> None:
    rep, playbook = world.add_rep(a_rep(1)), world.roster.playbook()
    secret = make_link(world.credentials, playbook, rep.rep_id, NOON)
    assert link_is_good(world.credentials, secret, NOON)
    assert secret not in repr(everything(world.dynamo.client, world.settings))
    session = use_link(world.credentials, playbook, secret, NOON)
    assert good(world, session.secret, session=True)
    late = make_link(world.credentials, playbook, rep.rep_id, NOON)
    for link, at in ((secret, NOON), (late, NOON + timedelta(minutes=10)), ("made-up", NOON)):
        assert not link_is_good(world.credentials, link, at)
        with pytest.raises(Unauthorized):
            use_link(world.credentials, playbook, link, at)


def test_a_token_that_ends_while_its_claim_is_under_way_wins_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rep, race = world.add_rep(a_rep(1)), world.race
    lead, commit = world.post_lead(a_card(1, team="north"), NOON), race.commit_claim

    def late(*given: Any) -> Any:
        monkeypatch.setattr(race, "commit_claim", commit)
        world.replace_token(f"{rep.rep_id}.newer")
        return commit(*given)

    monkeypatch.setattr(race, "commit_claim", late)
    with pytest.raises(Unauthorized):
        claim(race, lead.lead_id, rep.rep_id, proof_of(rep), lambda: NOON)
    newer = proof_of(rep, f"{rep.rep_id}.newer")
    won = claim(race, lead.lead_id, rep.rep_id, newer, lambda: NOON)
    assert isinstance(won, Won)
    assert (won.claim.rep_id, won.already_yours) == (rep.rep_id, False)


def test_digests_of_an_earlier_version_are_carried_over(world: World) -> None:
    rep, table = a_rep(1), world.settings.organisation_table
    token, boss = token_of(rep), "manager.secret"
    old = {**rep_item(rep), "token_hash": {"S": digest_of(token)}}
    world.dynamo.put(table, old)
    world.dynamo.put(table, {"pk": {"S": "MANAGER"}, "token_hash": {"S": digest_of(boss)}})
    assert not good(world, token)
    assert world.credentials.carry_over() == 2
    assert (good(world, token), good(world, boss)) == (True, True)
    assert "token_hash" not in repr(everything(world.dynamo.client, world.settings))
    assert world.credentials.carry_over() == 0


def test_a_replaced_token_of_an_earlier_version_is_not_carried_over(world: World) -> None:
    rep, table = a_rep(1), world.settings.organisation_table
    stolen, newer = token_of(rep), f"{rep.rep_id}.newer"
    world.dynamo.put(table, {**rep_item(rep), "token_hash": {"S": digest_of(stolen)}})
    world.replace_token(newer)
    world.credentials.carry_over()
    assert (good(world, stolen), good(world, newer)) == (False, True)


def test_a_digest_that_was_left_beside_a_newer_token_only_goes(world: World) -> None:
    rep, table = a_rep(1), world.settings.organisation_table
    stolen, newer = token_of(rep), f"{rep.rep_id}.newer"
    world.dynamo.put(table, rep_item(rep))
    world.replace_token(newer)
    world.dynamo.update(
        table,
        {"pk": {"S": keys.rep(rep.rep_id)}},
        "SET token_hash = :digest",
        ExpressionAttributeValues={":digest": {"S": digest_of(stolen)}},
    )
    assert world.credentials.carry_over() == 0
    assert (good(world, stolen), good(world, newer)) == (False, True)
    assert "token_hash" not in repr(everything(world.dynamo.client, world.settings))


def test_a_new_rep_gets_an_id_and_a_token_that_fit_each_other(world: World) -> None:
    rep, token = add_rep(
        world.roster,
        name="  Aina Yusof ",
        team="north",
        zone="Asia/Kuching",
        phone="+60 12-888 0000",
        by="operator",
        now=NOON,
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
    playbook = a_playbook(phone_region="MY")
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
