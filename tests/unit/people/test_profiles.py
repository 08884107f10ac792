"""Managers change reps' profiles and record that a rep leaves (R1-R5, R8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from dibs.core.calendar import Hours, parse_hours
from dibs.core.errors import Busy, InvalidInput, RouteNotFound
from dibs.core.lead import Lead, State
from dibs.core.rep import Rep
from dibs.people.profiles import change_profile, leave_for_good
from dibs.race.claim import claim
from support.builders import NOON, a_card, a_playbook, a_rep, proof_of
from support.fakes import FakeWorld

OFFICE = {"mon": ["09:00-12:30", "13:30-18:00"], "fri": ["08:00-24:00"]}
CHRISTMAS = {"from": "2026-12-24", "to": "2026-12-31"}
LONG_WEEKEND = {"from": "2026-12-04", "to": "2026-12-04"}
# A profile with every field set.
BEFORE = a_rep(
    1,
    tier=3,
    weight=2,
    territories=("Sabah",),
    hours=parse_hours({"sun": ["00:00-06:00"]}),
    leave=((date(2026, 11, 30), date(2026, 11, 30)),),
    joined_on=date(2020, 2, 29),
)


@pytest.fixture
def world() -> FakeWorld:
    world = FakeWorld(a_playbook(teams={"north": {"name": "N"}, "south": {"name": "S"}}))
    world.add_rep(BEFORE)
    return world


def change(world: FakeWorld, **given: Any) -> Rep:
    return change_profile(world.roster, BEFORE.rep_id, given)


def wrong(world: FakeWorld, **given: Any) -> dict[str, str]:
    """Return the error of each field; assert that nothing was changed."""
    with pytest.raises(InvalidInput) as refused:
        change(world, **given)
    assert world.roster.get(BEFORE.rep_id) == BEFORE
    return {error.field: error.problem for error in refused.value.errors}


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("team", "south", "south"),
        ("tier", 1, 1),
        ("tier", 3, 3),
        ("zone", "Pacific/Kiritimati", "Pacific/Kiritimati"),
        ("zone", "UTC", "UTC"),
        ("weight", 1, 1),
        ("weight", 10, 10),
        ("territories", [], ()),
        ("territories", ["Sarawak"], ("Sarawak",)),
        ("territories", [" Kuala Lumpur ", "砂拉越", "Kuala Lumpur"], ("Kuala Lumpur", "砂拉越")),
        ("territories", ["x" * 40] + [str(n) for n in range(9)], ("x" * 40, *"012345678")),
        ("hours", {}, Hours()),
        ("hours", OFFICE, parse_hours(OFFICE)),
        ("hours", {"mon": [], "tue": ["00:00-24:00"]}, parse_hours({"tue": ["00:00-24:00"]})),
        ("leave", [], ()),
        ("leave", [LONG_WEEKEND], ((date(2026, 12, 4), date(2026, 12, 4)),)),
        (
            "leave",
            [CHRISTMAS, LONG_WEEKEND],
            (
                (date(2026, 12, 4), date(2026, 12, 4)),
                (date(2026, 12, 24), date(2026, 12, 31)),
            ),
        ),
        ("joined_on", "2028-02-29", date(2028, 2, 29)),
        ("joined_on", None, None),
    ],
)
def test_a_field_of_a_profile_is_changed_and_nothing_else(
    world: FakeWorld, name: str, given: Any, kept: Any
) -> None:
    changed = change(world, **{name: given})
    assert changed == replace(BEFORE, **{name: kept})
    assert world.roster.get(BEFORE.rep_id) == changed


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        *[("team", given, "use one of north, south") for given in ("west", "", None, 1, ["north"])],
        *[
            ("tier", given, "a whole number from 1 to 3")
            for given in (0, 4, -1, "2", 2.0, True, None, [2])
        ],
        *[
            ("weight", given, "a whole number from 1 to 10")
            for given in (0, 11, 10**30, "1", 1.5, True, None, {})
        ],
        *[
            ("zone", given, "an IANA name such as Asia/Kuching")
            for given in ("Kuching", "", "+08:00", "../UTC", 8, None, ["UTC"], {})
        ],
        *[("territories", given, "send a list") for given in ("Sabah", None, {"Sabah": 1}, 1)],
        *[
            ("territories", given, "up to 10 names of up to 40 bytes")
            for given in (
                [""],
                ["  "],
                ["x" * 41],
                ["砂" * 14],
                [1],
                [None],
                [["Sabah"]],
                ["x"] * 11,
            )
        ],
        *[("territories", given, "plain text") for given in (["a\nb"], ["a\x00"], ["\ud800"])],
        *[
            ("hours", given, '{"mon": ["09:00-12:30", "13:30-18:00"]}')
            for given in (
                None,
                [],
                "",
                False,
                0,
                ["mon"],
                {"mon": None},
                {"mon": "09:00-17:00"},
                {"mon": 9},
                {"mon": [9]},
                {"mon": [["09:00-17:00"]]},
                {"mon": {"09:00-17:00": 1}},
            )
        ],
        ("hours", {"monday": ["09:00-17:00"]}, "'monday' is no weekday"),
        ("hours", {"mon": ["9-17"]}, "'9-17' is no shift"),
        ("hours", {"mon": ["17:00-09:00"]}, "does not end after it starts"),
        ("hours", {"mon": ["09:00-17:00", "12:00-13:00"]}, "in order and without overlap"),
        ("hours", {"mon": []}, "no day has a shift"),
        ("hours", {"mon": [f"{n:02}:00-{n:02}:30" for n in range(5)]}, "up to 4 shifts a day"),
        *[("leave", given, "send a list") for given in (None, CHRISTMAS, "2026-12-24", 1)],
        *[
            ("leave", [given], 'write each as {"from": "2026-12-24", "to": "2026-12-31"}')
            for given in (
                "2026-12-24",
                None,
                [],
                {},
                {"from": "2026-12-24"},
                {**CHRISTMAS, "why": "ill"},
            )
        ],
        *[
            ("leave", [{**CHRISTMAS, "to": given}], "write days as 2026-12-24")
            for given in ("", "31.12.2026", "2026-02-29", "2026-12-31T00:00", None, 20261231, [])
        ],
        ("leave", [{"from": "2026-12-31", "to": "2026-12-24"}], "ends before it begins"),
        ("leave", [LONG_WEEKEND] * 9, "up to 8 stretches of days"),
        *[
            ("joined_on", given, "write days as 2026-12-24")
            for given in ("", "yesterday", "2027-02-29", 2026, True, ["2026-12-24"])
        ],
    ],
)
def test_what_a_field_cannot_be_is_named_with_its_mend(
    world: FakeWorld, name: str, given: Any, said: str
) -> None:
    found = wrong(world, **{name: given})
    assert found.keys() == {name}
    assert said in found[name]


@pytest.mark.parametrize(
    "name", ["token_hash", "left_on", "active", "allowance", "rep_id", "", "Tier"]
)
def test_what_is_no_field_of_a_profile_is_named(world: FakeWorld, name: str) -> None:
    found = wrong(world, **{name: 1})
    assert found.keys() == {name}
    fields = (
        "name, phone, language, team, tier, zone, weight, territories, segments, skills, speaks, "
        "interests, pod, hours"
    )
    assert f"use {fields}, leave, joined_on" in found[name]


def test_every_wrong_field_is_named_and_the_right_ones_are_not_stored(world: FakeWorld) -> None:
    given = {"team": "south", "tier": 9, "hours": 1, "weight": 5, "nickname": "Benny"}
    assert wrong(world, **given).keys() == {"tier", "hours", "nickname"}


def test_several_fields_are_changed_together(world: FakeWorld) -> None:
    changed = change(world, team="south", leave=[], weight=9)
    assert changed == replace(BEFORE, team="south", leave=(), weight=9)
    assert world.roster.get(BEFORE.rep_id) == changed


def test_naming_nothing_changes_nothing(world: FakeWorld) -> None:
    assert change(world) == BEFORE
    assert world.roster.get(BEFORE.rep_id) == BEFORE


def test_nobody_has_no_profile(world: FakeWorld) -> None:
    with pytest.raises(RouteNotFound):
        change_profile(world.roster, "nobody", {"tier": 9})


# Leaving


def held(world: FakeWorld, rep: Rep, number: int) -> Lead:
    """Return a lead the rep has claimed."""
    lead = world.post_lead(a_card(number))
    claim(world.race, lead.lead_id, rep.rep_id, proof_of(rep), world.clock)
    return lead


def leave(world: FakeWorld, rep_id: str) -> int:
    return leave_for_good(world.roster, world.race, world.holdings, rep_id, "manager", world.clock)


def test_who_leaves_has_no_token_and_no_leads_from_then_on(world: FakeWorld) -> None:
    rep, colleague = world.add_rep(a_rep(2)), world.add_rep(a_rep(3))
    first, second, other = (held(world, who, n) for n, who in enumerate((rep, rep, colleague)))
    assert leave(world, rep.rep_id) == 2
    gone = world.roster.get(rep.rep_id)
    assert gone == replace(rep, active=False, left_on=date(2026, 11, 23))
    assert rep.rep_id not in world.memory.tokens
    for lead in (first, second):
        back = world.lead(lead)
        assert (back.state, back.owner, back.previous_owner) == (State.OPEN, None, rep.rep_id)
        assert {
            (transition.cause, transition.by)
            for transition in world.memory.transitions
            if transition.epoch == 1
        } >= {("left", "manager")}
    assert world.lead(other).owner == colleague.rep_id


def test_the_last_day_is_the_reps_own_and_the_first_one_given(world: FakeWorld) -> None:
    rep = world.add_rep(a_rep(2, zone="Pacific/Kiritimati"))
    assert world.clock() == NOON
    leave(world, rep.rep_id)
    world.clock.pass_(days=3)
    assert leave(world, rep.rep_id) == 0
    gone = world.roster.get(rep.rep_id)
    assert gone is not None
    assert gone.left_on == date(2026, 11, 24)


def test_leaving_that_was_interrupted_goes_on_when_asked_again(world: FakeWorld) -> None:
    rep = world.add_rep(a_rep(2))
    leads = [held(world, rep, number) for number in range(3)]
    world.holdings.busy = 100
    with pytest.raises(Busy):
        leave(world, rep.rep_id)
    # The rep is deactivated at once, even if returning the leads fails.
    gone = world.roster.get(rep.rep_id)
    assert gone is not None
    assert not gone.active
    world.holdings.busy = 0
    world.clock.pass_(minutes=1)
    assert leave(world, rep.rep_id) == 3
    assert {world.lead(lead).state for lead in leads} == {State.OPEN}
    assert leave(world, rep.rep_id) == 0


def test_nobody_cannot_leave(world: FakeWorld) -> None:
    with pytest.raises(RouteNotFound):
        leave(world, "nobody")
