"""What makes no sense in a playbook is named by its place; what is worth a look is, too."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings

from dibs.ledger.activities import TYPES
from dibs.playbook.checks.teams import (
    ACTIVITIES,
    LIMITS,
    fallback_problems,
    problems,
    rules_on,
    warnings,
)
from dibs.rules.playbook import Playbook
from support.builders import a_playbook, a_rep
from support.playbooks import playbooks

DEFAULT_WEIGHTS = {"conversion_weight": 50, "attainment_weight": 30, "speed_weight": 20}


def playbook(**changes: Any) -> Playbook:
    """Team north with hours and a fallback, so that nothing at all is worth a look."""
    usual = {"zone": "Asia/Kuching", "hours": {"mon": ["09:00-18:00"]}, "fallback": "aaaac"}
    teams = {"north": {"name": "North", **usual}}
    return a_playbook(**{"teams": teams, **changes})


def north(**changes: Any) -> dict[str, Any]:
    """Changes to team north."""
    return {"teams": {"north": {"name": "North", "fallback": "aaaac", **changes}}}


def places(changes: dict[str, Any]) -> list[str]:
    found = problems(playbook(**changes))
    assert all(error.problem for error in found)
    return [error.field for error in found]


def worth_a_look(changes: dict[str, Any]) -> list[str]:
    """What is, without the game and hours: test_game_checks.py and test_presets.py have those."""
    assert problems(playbook(**changes)) == []
    found = warnings(playbook(**changes))
    assert all(error.problem for error in found)
    elsewhere = re.compile(r"game\.|teams\.\w+\.(hours|zone)$")
    return [error.field for error in found if not elsewhere.match(error.field)]


def at(place: str, value: int) -> dict[str, Any]:
    """The change that puts a number in its place."""
    *above, name = place.split(".")
    inner = {name: value}
    for part in reversed(above):
        inner = {part: inner}  # type: ignore[dict-item]
    return inner


def test_the_plain_playbook_is_fine() -> None:
    assert problems(playbook()) == []
    assert warnings(playbook()) == []


@settings(max_examples=40)
@given(playbooks())
def test_playbooks_that_make_sense_have_no_problems(some: Playbook) -> None:
    assert problems(some) == []
    for warning in warnings(some):
        assert warning.field
        assert warning.problem


@pytest.mark.parametrize("place", LIMITS)
def test_every_number_has_a_least_and_a_most(place: str) -> None:
    least, most = LIMITS[place]
    assert place in places(at(place, least - 1))
    assert place in places(at(place, most + 1))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"quality": {"hot": 50, "warm": 50}}, ["quality.warm"]),
        ({"unseen_seconds": 60, "window_seconds": 60}, ["unseen_seconds"]),
        ({"window_seconds": 9}, ["window_seconds", "unseen_seconds"]),
        ({"claims_per_day": 0, "undo_seconds": 999}, ["undo_seconds", "claims_per_day"]),
        # Teams
        ({"teams": {}}, ["teams"]),
        (north(name=" "), ["teams.north.name"]),
        (north(name="x" * 81), ["teams.north.name"]),
        (north(zone="Kuching"), ["teams.north.zone"]),
        (north(zone="../etc/passwd"), ["teams.north.zone"]),
        (north(hours={"mon": ("9-5",)}), ["teams.north.hours.mon"]),
        (
            north(hours={"mon": ("9-5",), "tue": ("09:00-12:00",), "fri": ("18:00-09:00",)}),
            ["teams.north.hours.mon", "teams.north.hours.fri"],
        ),
        (north(hours={"mo": ("09:00-17:00",)}), ["teams.north.hours.mo"]),
        (north(hours={"mon": ()}), ["teams.north.hours"]),
        (north(hours={"mo": ()}), ["teams.north.hours"]),
        (north(holidays=("2026-12-25", "2026-12-25")), ["teams.north.holidays"]),
        (north(fallback="Aina"), ["teams.north.fallback"]),
        (north(fallback="aaaa1"), ["teams.north.fallback"]),
        (north(fallback="aaaac "), ["teams.north.fallback"]),
        # Routing
        ({"routing": [{"teams": []}]}, ["routing.0.teams"]),
        ({"routing": [{"teams": ["nowhere"]}]}, ["routing.0.teams"]),
        ({"routing": [{"teams": ["north", "north"]}]}, ["routing.0.teams"]),
        (
            {"routing": [{"teams": ["north"]}, {"teams": ["north"], "source": "web"}]},
            ["routing.1"],
        ),
        (
            {
                "routing": [
                    {"teams": ["north"], "source": "web"},
                    {"teams": ["north"], "source": "web", "segment": "solar"},
                ]
            },
            ["routing.1"],
        ),
        # Waves
        ({"waves": {"premium": [None, None, None]}}, ["waves.premium"]),
        ({"waves": {"standard": [None, None, None]}}, ["waves.standard"]),
        ({"waves": {"premium": [60, 120, None]}}, ["waves.premium"]),
        ({"waves": {"premium": [None, 60, None]}}, ["waves.premium"]),
        ({"waves": {"premium": [0, 60, 30]}}, ["waves.premium"]),
        ({"waves": {"premium": [0, None, -1]}}, ["waves.premium", "waves.premium.2"]),
        ({"waves": {"standard": [0, 0, 604_801]}}, ["waves.standard.2"]),
        ({"waves": {"standard": [0, 1, 60]}}, ["waves.standard"]),
        ({"windows": [{"source": "ü" * 21}]}, ["windows.0.source"]),
        # Windows
        ({"windows": [{"window_seconds": 60}]}, ["windows.0"]),
        ({"windows": [{"team": "nowhere"}]}, ["windows.0.team"]),
        ({"windows": [{"source": "web", "premium": [5, 7, 9]}]}, ["windows.0.premium"]),
        ({"windows": [{"source": "web", "standard": [0, 2, 1]}]}, ["windows.0.standard"]),
        ({"windows": [{"source": "web", "window_seconds": 86_401}]}, ["windows.0.window_seconds"]),
        ({"windows": [{"source": "web", "window_seconds": 20}]}, ["windows.0.window_seconds"]),
        (
            {"windows": [{"team": "north", "source": "web"}, {"team": "north", "source": "web"}]},
            ["windows.1"],
        ),
        ({"windows": [{"source": "web"}, {"team": "north", "source": "web"}]}, ["windows.1"]),
        ({"windows": [{"team": "north"}, {"team": "north", "source": "web"}]}, ["windows.1"]),
        # Tiers
        ({"tiers": {**DEFAULT_WEIGHTS, "speed_weight": 10}}, ["tiers"]),
        ({"tiers": {"top_percent": 60, "bottom_percent": 50}}, ["tiers.bottom_percent"]),
        (
            {"model": "tiers", "claims_per_day": 1, "tiers": {"weeks": 1, "minimum_sample": 8}},
            ["tiers.minimum_sample"],
        ),
        (
            {
                "model": "tiers",
                "quota": {"enabled": True, "base_per_week": 2},
                "tiers": {"weeks": 2, "minimum_sample": 9},
            },
            ["tiers.minimum_sample"],
        ),
        # Quota
        ({"quota": {"currency": "dollars"}}, ["quota.currency"]),
        ({"quota": {"currency": "usd"}}, ["quota.currency"]),
        ({"quota": {"bands": ()}}, ["quota.bands"]),
        ({"quota": {"bands": ({"from_percent": 50, "more_percent": 5},)}}, ["quota.bands"]),
        (
            {
                "quota": {
                    "bands": (
                        {"from_percent": 0, "more_percent": -1},
                        {"from_percent": 1001, "more_percent": 1001},
                    )
                }
            },
            [
                "quota.bands.0.more_percent",
                "quota.bands.1.from_percent",
                "quota.bands.1.more_percent",
            ],
        ),
        (
            {
                "quota": {
                    "bands": (
                        {"from_percent": 0, "more_percent": 0},
                        {"from_percent": 0, "more_percent": 10},
                    )
                }
            },
            ["quota.bands.1.from_percent"],
        ),
        (
            {
                "quota": {
                    "bands": (
                        {"from_percent": 0, "more_percent": 50},
                        {"from_percent": 50, "more_percent": 10},
                    )
                }
            },
            ["quota.bands.1.more_percent"],
        ),
        # Work
        ({"work": {"counts": ()}}, ["work.counts"]),
        ({"work": {"counts": ("call", "call")}}, ["work.counts"]),
        ({"work": {"counts": ("call", "lunch")}}, ["work.counts.1"]),
    ],
)
def test_what_makes_no_sense_is_named_by_its_place_all_at_once(
    changes: dict[str, Any], named: list[str]
) -> None:
    assert places(changes) == named


@pytest.mark.parametrize(
    "changes",
    [
        north(hours={"mon": ("09:00-12:30", "13:30-18:00"), "sun": ()}),
        north(holidays=("2026-12-25", "2026-12-26")),
        {"waves": {"premium": [None, 0, 0], "standard": [0, None, 604_800]}},
        {"windows": [{"team": "north", "source": "web"}, {"source": "web"}, {"team": "north"}]},
        {"routing": [{"teams": ["north"], "source": "web"}, {"teams": ["north"]}]},
        north(name="x" * 80),
        {
            "quota": {
                "bands": (
                    {"from_percent": 0, "more_percent": 5},
                    {"from_percent": 50, "more_percent": 5},
                )
            }
        },
        {"tiers": {"top_percent": 50, "bottom_percent": 50}},
        {"claims_per_day": 1, "tiers": {"weeks": 1}},  # only teams with tiers are counted
        {
            "model": "tiers",
            "claims_per_day": 1,
            "tiers": {"weeks": 1, "minimum_sample": 7},
        },
        {"work": {"counts": (), "hot_minutes": 0, "warm_minutes": 0, "cold_minutes": 0}},
    ],
)
def test_what_is_unusual_is_not_wrong(changes: dict[str, Any]) -> None:
    assert places(changes) == []


@pytest.mark.parametrize(
    "team",
    [
        "",
        "north east",  # stored as words in a row, it would be two teams
        "north\n",
        "n" * 33,
        "北",
        "north#1",
    ],
)
def test_a_teams_id_is_one_plain_word(team: str) -> None:
    found = problems(a_playbook(teams={team: {"name": "A team"}, "Klang_Valley-2": {"name": "B"}}))
    assert [error.field for error in found] == [f"teams.{team}"]


def test_there_are_no_more_teams_than_a_lock_can_name() -> None:
    teams = {f"team-{number:02}": {"name": "A team"} for number in range(22)}  # 175 letters
    assert places({"teams": teams}) == []
    assert places({"teams": teams | {"team-36": {"name": "One too many"}}}) == ["teams"]


def test_a_team_with_tiers_takes_more_of_the_lock() -> None:
    def teams(many: int) -> dict[str, Any]:
        return {f"team-{number:02}": {"name": "T", "model": "tiers"} for number in range(many)}

    assert places({"teams": teams(5)}) == []
    assert places({"teams": teams(6)}) == ["teams"]
    assert places({"teams": {f"team-{n:02}": {"name": "T"} for n in range(12)}}) == []
    assert places({"teams": {f"team-{n:02}": {"name": "T"} for n in range(12)}, "model": "tiers"})


def test_every_problem_says_how_to_mend_it() -> None:
    [weights] = problems(playbook(tiers={**DEFAULT_WEIGHTS, "speed_weight": 10}))
    assert weights.problem == "has weights that add up to 90; make them add up to 100"
    [number] = problems(playbook(undo_seconds=999))
    assert number.problem == "is 999; use 0 to 300"
    [day] = problems(playbook(**north(hours={"mon": ("9-5",)})))
    assert day.problem == "'9-5' is no shift; write 09:00-17:00"
    [hidden] = problems(playbook(windows=[{"source": "web"}, {"team": "north", "source": "web"}]))
    assert "windows.0 matches first" in hidden.problem


def test_what_can_count_as_work_is_what_can_be_reported() -> None:
    assert set(ACTIVITIES) <= set(TYPES)


# Who gets what nobody may take (C7)


def test_the_fallback_person_is_somebody_who_is_there() -> None:
    aina = a_rep(1)
    named = playbook(**north(fallback=aina.rep_id))
    assert fallback_problems(named, {aina.rep_id: aina}) == []
    [nobody] = fallback_problems(named, {})
    assert nobody.field == "teams.north.fallback"
    [left] = fallback_problems(named, {aina.rep_id: a_rep(1, active=False)})
    assert "who has left" in left.problem
    assert fallback_problems(playbook(**north(fallback="")), {}) == []
    assert fallback_problems(playbook(**north(fallback="Aina")), {}) == []  # told as a wrong id


# Worth a look


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (north(fallback=""), ["teams.north.fallback"]),
        ({"window_seconds": 1801}, ["window_seconds"]),
        ({"model": "round-robin", "window_seconds": 1801}, []),
        ({"model": "tiers"}, []),  # the catalogue's own waves and window are just half an hour
        ({"model": "tiers", "window_seconds": 901}, ["window_seconds"]),
        ({"windows": [{"source": "web", "window_seconds": 1801}]}, ["windows.0"]),
        ({"windows": [{"source": "web", "window_seconds": 1800}]}, []),
        (
            {"model": "tiers", "windows": [{"source": "web", "premium": [0, 901, None]}]},
            ["windows.0"],
        ),
        ({"model": "tiers", "tiers": {"margin": 0}}, ["tiers.margin"]),
        ({"tiers": {"margin": 0}}, []),
        ({"waves": {"premium": [0, 60, None]}}, ["waves"]),
        ({"model": "tiers", "waves": {"premium": [0, 60, None]}}, []),
        ({"windows": [{"team": "north", "premium": [0, 60, None]}]}, ["windows.0"]),
        ({"windows": [{"source": "web", "standard": [0, 60, None]}]}, ["windows.0"]),
        ({"model": "round-robin", "windows": [{"source": "web"}]}, ["windows.0"]),
        ({"sms": {"per_rep_per_day": 0}}, ["sms"]),
        ({"sms": {"enabled": False, "per_rep_per_day": 0}}, []),
        ({"quota": {"enabled": True}}, []),
        ({"quota": {"enabled": True, "base_per_week": 71}}, ["quota.base_per_week"]),
        ({"quota": {"enabled": True, "base_per_week": 70}}, []),
        ({"quota": {"enabled": False, "base_per_week": 71}}, []),
        ({"model": "round-robin", "quota": {"enabled": True, "base_per_week": 71}}, []),
        (
            {"quota": {"enabled": True, "base_per_week": 3}},
            ["quota.bands.1.more_percent"],
        ),
        (
            {
                "model": "tiers",
                "quota": {"enabled": True, "base_per_week": 4},
                "tiers": {"weeks": 4, "minimum_sample": 17},
            },
            ["tiers.minimum_sample"],
        ),
        (
            {
                "model": "tiers",
                "quota": {"enabled": True, "base_per_week": 4},
                "tiers": {"weeks": 4, "minimum_sample": 16},
            },
            [],
        ),
        (
            {"quota": {"enabled": True, "base_per_week": 4}, "tiers": {"minimum_sample": 17}},
            [],
        ),
        (
            {
                "teams": {"a": {"name": "A", "fallback": "aaaac"}, "b": {"name": "B"}},
                "windows": [{"team": "a", "source": "web", "window_seconds": 3600}],
            },
            ["teams.b.fallback", "windows.0"],
        ),
    ],
)
def test_what_is_worth_a_look_is_named_by_its_place(
    changes: dict[str, Any], named: list[str]
) -> None:
    assert worth_a_look(changes) == named


# Which rules are on


@pytest.mark.parametrize(
    ("changes", "on"),
    [
        ({}, ("M1", "C5", "C6", "C7", "C11", "F7", "R8")),
        ({"model": "tiers"}, ("M2", "M6", "C5", "C6", "C7", "C11", "F7", "R8")),
        ({"model": "speed-board"}, ("M3", "C5", "C6", "C7", "C11", "R8")),
        ({"model": "round-robin"}, ("M5", "C5", "C6", "C7", "C11", "R8")),
        ({"quota": {"enabled": True}}, ("M1", "M4", "C5", "C6", "C7", "C11", "F7", "R8")),
        (
            {"work": {"hot_minutes": 0, "warm_minutes": 0, "cold_minutes": 0}},
            ("M1", "C5", "C6", "C7", "F7", "R8"),
        ),
        (
            {"work": {"hot_minutes": 0, "warm_minutes": 0}},
            ("M1", "C5", "C6", "C7", "C11", "F7", "R8"),
        ),
        (
            {
                "model": "tiers",
                "teams": {"a": {"name": "A"}, "b": {"name": "B", "model": "round-robin"}},
            },
            ("M2", "M5", "M6", "C5", "C6", "C7", "C11", "F7", "R8"),
        ),
        ({"duplicates": {"person": False}}, ("M1", "C5", "C6", "C7", "C11", "F7", "R8")),
        (
            {"duplicates": {"person": False, "company": False}},
            ("M1", "C5", "C7", "C11", "F7", "R8"),
        ),
    ],
)
def test_which_rules_are_on_follows_from_the_playbook(
    changes: dict[str, Any], on: tuple[str, ...]
) -> None:
    assert rules_on(playbook(**changes)) == (*on, "G1", "G2", "G3", "G9", "G11", "K2")
