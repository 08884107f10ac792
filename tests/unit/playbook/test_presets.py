"""A file takes what it leaves out from the preset it names; presets are safe as they ship (K8)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dibs.core.calendar import WEEKDAYS
from dibs.core.errors import InvalidInput
from dibs.playbook.checks.teams import warnings
from dibs.playbook.file import playbook_data, playbook_of, read_playbook, read_yaml
from dibs.rules.presets import NAMES, preset_text

SEVEN_LINES = """\
preset: {name}
teams:
  north:
    name: North
    zone: Asia/Kuala_Lumpur
    hours: {{mon: ["09:00-18:00"]}}
    fallback: aaaac
"""


def shipped(name: str) -> dict[str, Any]:
    return playbook_data(read_playbook(preset_text(name)))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_seven_lines_has_the_rules_of_its_preset(name: str) -> None:
    found = playbook_data(read_playbook(SEVEN_LINES.format(name=name)))
    assert {**found, "teams": 0} == {**shipped(name), "teams": 0}
    assert list(found["teams"]) == ["north"]


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_alone_is_that_preset(name: str) -> None:
    assert playbook_data(playbook_of({"preset": name})) == shipped(name)


def test_own_settings_go_before_those_of_the_preset_one_by_one() -> None:
    found = playbook_of({"preset": "fair", "blind": {"hot": 20, "warm": 60}, "game": {"decay": {}}})
    assert (found.blind.share_percent, found.blind.hot, found.blind.cold) == (10, 20, 20)
    assert found.acceptance.hot_per_warm == 2
    assert set(found.game.badges) == {"speed_demon", "closer", "unstoppable", "team_player"}


def test_lists_and_what_goes_by_own_names_are_the_files_alone() -> None:
    found = playbook_of(
        {
            "preset": "fair",
            "limits": [{"most": 2, "per": "hour"}],
            "game": {"badges": {}},
            "teams": {"a": {"name": "A"}},
        }
    )
    assert len(found.limits) == 1
    assert found.game.badges == {}
    assert list(found.teams) == ["a"]
    assert playbook_of(playbook_data(found)) == found  # what is shown can be put again


def test_a_name_of_ones_own_inherits_nothing_and_is_warned_about() -> None:
    found = playbook_of({"preset": "tier", "teams": {"a": {"name": "A"}}})
    assert (found.model, found.fits) == ("open-pool", "")
    [problem] = [one.problem for one in warnings(found) if one.field == "preset"]
    assert "'tier'" in problem
    assert "tiers" in problem


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_ships_with_hours_and_asks_for_zone_and_fallback(name: str) -> None:
    found = read_playbook(preset_text(name))
    warned = {one.field for one in warnings(found)}
    assert {"teams.sales.zone", "teams.sales.fallback"} <= warned
    assert "teams.sales.hours" not in warned
    assert all(team.hours for team in found.teams.values())
    assert '"fallback"' in preset_text(name)
    assert '"zone"' in preset_text(name)


def test_a_team_without_hours_or_zone_is_warned_about() -> None:
    always = {day: ["00:00-24:00"] for day in WEEKDAYS}
    teams = {
        "a": {"name": "A"},
        "b": {"name": "B", "hours": always, "zone": "Etc/UTC", "fallback": "aaaac"},
        "c": {"name": "C", "hours": {}, "zone": "Asia/Kuching"},
    }
    warned = [one.field for one in warnings(playbook_of({"preset": "open-pool", "teams": teams}))]
    assert warned == [
        *("teams.a.hours", "teams.a.zone", "teams.c.hours"),
        *("teams.a.fallback", "teams.c.fallback", "work.until_first_activity"),
    ]


# Errors of a YAML file name the line


@pytest.mark.parametrize(
    ("text", "place", "line"),
    [
        ("preset: open-pool\nwindow_seconds: soon\n", "window_seconds", 2),
        ("preset: open-pool\nwindow_seconds: 5\n", "window_seconds", 2),
        ("preset: open-pool\nteams:\n  a:\n    nam: A\n", "teams.a.nam", 4),
        ("preset: open-pool\nteams:\n  a:\n    zone: Mars\n", "teams.a.name", 3),
        (
            "preset: open-pool\nlimits:\n- {most: 1, per: hour}\n- {most: 1, per: eon}\n",
            "limits.1.per",
            4,
        ),
        ("preset: open-pool\nwaves:\n  premium:\n  - 0\n  - x\n  - 5\n", "waves.premium.1", 5),
    ],
)
def test_an_error_names_its_line(text: str, place: str, line: int) -> None:
    with pytest.raises(InvalidInput) as wrong:
        read_playbook(text)
    problems = {one.field: one.problem for one in wrong.value.errors}
    assert problems[place].endswith(f"(line {line})")


def test_yaml_that_would_fill_any_memory_is_refused() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    for text in ("\n".join(rows), "a: &a\n  b: *a\n", "a: &a [*a]\n"):
        with pytest.raises(InvalidInput):
            read_yaml(text.encode())


def test_the_line_of_a_preset_is_none() -> None:
    with pytest.raises(InvalidInput) as wrong:
        read_playbook(json.dumps({"preset": "open-pool", "window_seconds": 5}))
    assert "line" not in str(wrong.value)


def test_many_teams_that_begin_at_different_times_are_worth_a_look_and_no_error() -> None:
    hours = {"mon": ["09:00-18:00"]}
    zones = ["Asia/Kuching", "Europe/London"]
    teams = {
        f"t{n}": {"name": "T", "zone": zones[n % 2], "hours": hours, "fallback": "aaaac"}
        for n in range(16)
    }
    given = {"preset": "open-pool", "work": {"until_first_activity": "run"}}
    apart = playbook_of({**given, "teams": teams})
    assert [one.field for one in warnings(apart)] == ["teams"]
    same = {name: {**team, "zone": zones[0]} for name, team in teams.items()}
    assert warnings(playbook_of({**given, "teams": same})) == []


def test_a_file_pauses_no_team() -> None:
    paused = {"north": {"reason": "All hands"}}
    with pytest.raises(InvalidInput) as wrong:
        playbook_of({"preset": "open-pool", "paused": paused})
    assert [one.field for one in wrong.value.errors] == ["paused"]
