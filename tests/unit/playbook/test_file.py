"""Playbooks as files: the shipped ones are valid, every wrong place of a wrong one is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from dibs.core.errors import InvalidInput
from dibs.core.quality import Quality
from dibs.playbook.checks.teams import problems, rules_on, warnings
from dibs.playbook.file import (
    playbook_data,
    playbook_json,
    playbook_of,
    read_playbook,
    schema,
)
from dibs.rules.playbook import Playbook
from dibs.rules.playbook_store import playbook_from
from dibs.rules.presets import NAMES, preset_text
from dibs.rules.rules import Model, Rules
from dibs.rules.store import stored_rules
from support.builders import a_playbook, a_rep
from support.playbooks import playbooks

SCHEMA = Path(__file__).parents[3] / "docs" / "playbook.schema.json"


def shipped(**changes: Any) -> dict[str, Any]:
    return {**json.loads(preset_text("open-pool")), **changes}


def wrong(text: str) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        read_playbook(text)
    assert all(error.problem for error in refused.value.errors)
    return {error.field: error.problem for error in refused.value.errors}


def wrong_fields(text: str) -> list[str]:
    return list(wrong(text))


@pytest.mark.parametrize("name", NAMES)
def test_shipped_playbooks_are_valid_and_say_whom_they_fit(name: str) -> None:
    playbook = read_playbook(preset_text(name))
    assert playbook.preset == name
    assert playbook.fits.endswith(".")
    assert playbook_from(json.loads(preset_text(name))) == playbook
    assert list(playbook.teams) == ["sales"]
    # Where it is used, and who is the fallback, nobody knows before; all else is as it should be.
    asked = ["teams.sales.zone", "teams.sales.fallback", "work.until_first_activity"]
    assert [warning.field for warning in warnings(playbook)] == asked


@pytest.mark.parametrize(
    ("name", "model", "rule"),
    [
        ("open-pool", Model.OPEN_POOL, "M1"),
        ("tiers", Model.TIERS, "M2"),
        ("tiers-fast", Model.TIERS, "M2"),
        ("speed-board", Model.SPEED_BOARD, "M3"),
        ("quota", Model.OPEN_POOL, "M4"),
        ("round-robin", Model.ROUND_ROBIN, "M5"),
        ("fair", Model.TIERS, "F1"),
    ],
)
def test_a_shipped_playbook_is_what_its_name_says(name: str, model: Model, rule: str) -> None:
    playbook = read_playbook(preset_text(name))
    assert playbook.model_of("sales") is model
    assert rule in rules_on(playbook)
    assert len(NAMES) == 7


def test_the_shipped_tiers_open_as_the_catalogue_says() -> None:
    usual = read_playbook(preset_text("tiers"))
    assert (usual.waves.premium, usual.waves.standard) == ((0, 900, None), (0, 900, 3600))
    fast = read_playbook(preset_text("tiers-fast"))
    assert (fast.waves.premium, fast.waves.standard) == ((0, 20, None), (0, 20, 60))
    assert fast.window_seconds == 120


def test_there_is_no_preset_by_another_name() -> None:
    with pytest.raises(KeyError):
        preset_text("../../../etc/passwd")


def test_the_open_pool_has_the_numbers_the_readme_promises() -> None:
    playbook = read_playbook(preset_text("open-pool"))
    assert playbook.unseen_seconds == 20
    assert playbook.undo_seconds == 30
    assert playbook.model == "open-pool"
    assert playbook.sms.enabled


@settings(max_examples=40)
@given(playbooks())
def test_what_is_written_reads_back_as_the_same_playbook(playbook: Playbook) -> None:
    assert read_playbook(playbook_json(playbook)) == playbook
    assert playbook_of(playbook_data(playbook)) == playbook
    assert playbook_from(json.loads(playbook_json(playbook))) == playbook


@settings(max_examples=40)
@given(playbooks())
def test_a_claim_reads_a_playbooks_rules_and_nothing_of_its_game(playbook: Playbook) -> None:
    rules = stored_rules({"body": {"S": playbook_json(playbook)}, "version": {"N": "7"}})
    assert type(rules) is Rules
    assert Playbook(**vars(rules), game=playbook.game) == replace(playbook, version=7)


@settings(max_examples=40)
@given(playbooks())
def test_a_playbook_is_the_same_in_yaml(playbook: Playbook) -> None:
    assert read_playbook(yaml.safe_dump(playbook_data(playbook), allow_unicode=True)) == playbook


def test_yaml_may_write_days_plainly_and_json_may_have_tabs() -> None:
    text = "preset: p\nfits: F.\nteams: {north: {name: N, holidays: [2026-12-25]}}\n"
    [day] = read_playbook(text).teams["north"].holidays
    assert day.isoformat() == "2026-12-25"
    assert read_playbook('{\n\t"preset": "p",\n\t"fits": "F.",\n\t"teams": {"a": {"name": "A"}}}')


def test_a_playbook_may_be_yaml_and_may_leave_out_what_is_as_usual() -> None:
    playbook = read_playbook("preset: mine\nfits: Us.\nteams: {north: {name: North}}\n")
    assert playbook.teams["north"].name == "North"
    assert playbook.window_seconds == 900


def test_the_version_is_the_stacks_to_give() -> None:
    assert read_playbook(json.dumps(shipped(version=99))).version == 0


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", ["file"]),
        ("[]", ["file"]),
        ("just words", ["file"]),
        ("{", ["file"]),
        ("a: b: c", ["file"]),
        ("preset: mine\n", ["teams"]),
        ("fits: Us.\n", ["preset", "teams"]),
        (json.dumps(shipped(windowseconds=60)), ["windowseconds"]),
        (json.dumps(shipped(window_seconds="900")), ["window_seconds"]),
        (json.dumps(shipped(window_seconds=True)), ["window_seconds"]),
        (json.dumps(shipped(window_seconds=90.5)), ["window_seconds"]),
        (json.dumps(shipped(quality={"hot": 80, "warm": 50, "tepid": 20})), ["quality.tepid"]),
        (json.dumps(shipped(quality={"hot": None})), ["quality.hot"]),
        (json.dumps(shipped(sms={"enabled": "yes"})), ["sms.enabled"]),
        (json.dumps(shipped(sms=[])), ["sms"]),
        (json.dumps(shipped(teams={"north": {}})), ["teams.north.name"]),
        (
            json.dumps(shipped(teams={"north": {"name": "N", "anonymus": True}})),
            ["teams.north.anonymus"],
        ),
        (json.dumps(shipped(model="thunderdome")), ["model"]),
        (json.dumps(shipped(assignment={"method": "lottery"})), ["assignment.method"]),
        (json.dumps(shipped(quota={"measure": "calls"})), ["quota.measure"]),
        (json.dumps(shipped(waves={"premium": [0, 900]})), ["waves.premium.2"]),
        (json.dumps(shipped(waves={"premium": [0, 1, 2, 3]})), ["waves.premium"]),
        (json.dumps(shipped(waves={"premium": [0, "never", 3]})), ["waves.premium.1"]),
        (json.dumps(shipped(windows=[{"premium": 0}, 7])), ["windows.0.premium", "windows.1"]),
        (
            json.dumps(shipped(teams={"n": {"name": "N", "hours": {"mon": ["09:00-17:00", 9]}}})),
            ["teams.n.hours.mon.1"],
        ),
        (
            json.dumps(shipped(teams={"n": {"name": "N", "holidays": ["Christmas", 3]}})),
            ["teams.n.holidays.0", "teams.n.holidays.1"],
        ),
        (json.dumps(shipped(fits="\ud800")), ["file"]),
        (json.dumps(shipped(routing=[{"source": "x"}])), ["routing.0.teams"]),
        (
            json.dumps(shipped(routing=[{"teams": ["sales"], "sorce": "x"}])),
            ["routing.0.sorce"],
        ),
        (
            json.dumps(shipped(preset=1, undo_seconds="x", availability={"x": 1})),
            ["preset", "undo_seconds", "availability.x"],
        ),
    ],
)
def test_each_wrong_shape_is_named_by_its_place(text: str, fields: list[str]) -> None:
    assert wrong_fields(text) == fields


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"windowseconds": 60}, "is no rule; did you mean 'window_seconds'?"),
        ({"quality": {"hto": 90}}, "is no rule; did you mean 'hot'?"),
        ({"sms": {"budget": 90}}, "is no rule; here are enabled, per_rep_per_day, "),
        ({"teams": {"n": {"name": "N", "hour": {}}}}, "is no rule; did you mean 'hours'?"),
        ({"routing": [{"teams": ["sales"], "sorce": ""}]}, "is no rule; did you mean 'source'?"),
        ({"undo_seconds": "x"}, "is 'x'; write a whole number"),
        ({"undo_seconds": 1.5}, "is 1.5; write a whole number"),
        ({"undo_seconds": None}, "is null; write a whole number"),
        ({"undo_seconds": [1]}, "is a list; write a whole number"),
        ({"waves": {"premium": [0, "never", 3]}}, "or null for never"),
        ({"waves": {"premium": [0, 9]}}, "is missing; write three, one for each tier"),
        ({"waves": {"premium": [0, 0, 0, 0]}}, "has 4; write three, one for each tier"),
        ({"fits": 7}, "is 7; write text"),
        ({"fits": {"whom": "us"}}, "is a mapping; write text"),
        ({"sms": {"enabled": "yes"}}, "is 'yes'; write true or false"),
        ({"sms": 7}, "is 7; write a mapping of rules"),
        ({"teams": []}, "is a list; write a mapping of names"),
        ({"routing": {}}, "is a mapping; write a list"),
        ({"model": "x" * 99}, "use 'open-pool', 'tiers', 'speed-board' or 'round-robin'"),
        ({"teams": {"n": {}}}, "is missing; add it"),
        ({"teams": {"n": {"name": "N", "holidays": ["x"]}}}, "write a day as 2026-12-25"),
    ],
)
def test_what_is_wrong_is_told_in_plain_words_with_its_mend(
    changes: dict[str, Any], problem: str
) -> None:
    [said] = wrong(json.dumps(shipped(**changes))).values()
    assert problem in said
    assert "nput" not in said  # "Input should be ...": the library's words
    assert len(said) < 200


def test_only_a_tiers_seconds_may_be_never() -> None:
    assert wrong(json.dumps(shipped(undo_seconds="x"))) == {
        "undo_seconds": "is 'x'; write a whole number"
    }
    said = wrong(json.dumps(shipped(waves={"premium": [0, "x", 3]})))["waves.premium.1"]
    assert said == "is 'x'; write a whole number of seconds, or null for never"


def test_a_rule_nobody_knows_does_not_hide_what_makes_no_sense() -> None:
    changes: dict[str, Any] = {"windowseconds": 60, "undo_seconds": 999, "claims_per_day": 0}
    changes["quality"] = {"hto": 90, "hot": 40}
    assert wrong_fields(json.dumps(shipped(**changes))) == [
        "quality.hto",
        "windowseconds",
        "undo_seconds",
        "claims_per_day",
        "quality.warm",
    ]
    # A wrong shape is never lost; the rest is checked once it is mended.
    changes["window_seconds"] = "long"
    assert {"window_seconds", "quality.hto"} <= set(wrong_fields(json.dumps(shipped(**changes))))


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("preset: a\nfits: F.\npreset: b\n", ["line 3"]),
        ("teams:\n  north: {name: N}\n  north: {name: M}\n", ["line 3"]),
        ("teams: {a: {name: N, name: M}, b: {zone: x, zone: y}}\n", ["line 1", "line 1"]),
        ('{"preset": "a", "preset": "b"}', ["preset"]),
        ('{"teams": {"n": {"name": "N", "name": "M", "zone": "", "zone": ""}}}', ["name", "zone"]),
        ("teams:\n  no: {name: Norway}\n", ["line 2"]),
        ("1: one\n", ["line 1"]),
        ("2026-12-25: one\n", ["line 1"]),
        ("? [a]\n: one\n", ["file"]),
        ("a: &a [*a]\n", ["file"]),
        ("[" * 5000, ["file"]),
        ('{"a": ' * 5000, ["file"]),
        ("a: !!python/object:os.system {}\n", ["file"]),
    ],
)
def test_what_a_parser_lets_pass_or_chokes_on_is_named(text: str, places: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_playbook(text)
    assert [error.field for error in refused.value.errors] == places


def test_yaml_that_repeats_itself_by_reference_is_fine() -> None:
    text = (
        "preset: p\nfits: F.\nteams:\n  a: &a {name: A, zone: Asia/Kuching}\n"
        "  b: {<<: *a, name: B}\n"
    )
    teams = read_playbook(text).teams
    assert (teams["b"].name, teams["b"].zone) == ("B", "Asia/Kuching")


def test_a_line_that_cannot_be_read_is_named() -> None:
    assert "line 2" in wrong("preset: p\nfits: a: b\n")["file"]


# The published schema


def test_the_published_schema_is_current() -> None:
    published = SCHEMA.read_text(encoding="utf-8")
    assert published == json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", (
        "write it anew: dibs playbook schema > docs/playbook.schema.json"
    )


def test_the_schema_knows_every_rule_and_the_range_of_every_number() -> None:
    made = schema()
    assert made["$schema"].endswith("draft/2020-12/schema")
    assert "version" not in made["properties"]
    assert made["additionalProperties"] is False
    seconds = made["properties"]["window_seconds"]
    assert (seconds["minimum"], seconds["maximum"], seconds["default"]) == (10, 86_400, 900)
    minutes = made["$defs"]["Work"]["properties"]["hot_minutes"]
    assert (minutes["minimum"], minutes["maximum"]) == (0, 10_080)


def test_a_file_may_name_its_schema() -> None:
    assert read_playbook(json.dumps(shipped(**{"$schema": "playbook.schema.json"})))


@pytest.mark.parametrize("name", NAMES)
def test_shipped_playbooks_fit_the_schema_and_wrong_ones_do_not(name: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    check = jsonschema.Draft202012Validator(schema())
    check.check_schema(check.schema)
    data = json.loads(preset_text(name))
    assert list(check.iter_errors(data)) == []
    assert list(check.iter_errors({"$schema": "x", **data})) == []
    for wrong_data in (
        {**data, "undo_seconds": 301},
        {**data, "undo_second": 30},
        {**data, "model": "x"},
        {**data, "teams": {"a": {}}},
        {**data, "waves": {"premium": [0]}},
    ):
        assert list(check.iter_errors(wrong_data))


# What the rules say of a lead


@pytest.mark.parametrize(
    ("score", "quality"),
    [
        (None, Quality.COLD),
        (0, Quality.COLD),
        (49, Quality.COLD),
        (50, Quality.WARM),
        (79, Quality.WARM),
        (80, Quality.HOT),
        (100, Quality.HOT),
    ],
)
def test_a_score_makes_a_lead_hot_warm_or_cold(score: int | None, quality: Quality) -> None:
    assert a_playbook().quality_of(score) is quality


ROUTED = {
    "teams": {"north": {"name": "N"}, "south": {"name": "S"}, "vip": {"name": "KL Central"}},
    "routing": [
        {"teams": ["vip"], "segment": "enterprise", "source": "referral"},
        {"teams": ["north", "vip"], "territory": "north"},
        {"teams": ["south"], "product": "solar"},
    ],
}


@pytest.mark.parametrize(
    ("lead", "teams"),
    [
        ({"team": "south", "territory": "north"}, ("south",)),  # its own team comes first
        ({"team": "South", "territory": "north"}, ("south",)),
        ({"team": " so UTH ", "territory": "north"}, ("south",)),
        ({"team": "ｓｏｕｔｈ"}, ("south",)),
        ({"team": "kl central"}, ("vip",)),  # by its name
        ({"team": "KLCentral"}, ("vip",)),
        ({"team": "nowhere", "territory": "north"}, ("north", "vip")),  # an unknown one does not
        ({"team": "   ", "territory": "north"}, ("north", "vip")),
        ({"segment": "enterprise", "source": "referral"}, ("vip",)),
        ({"segment": "enterprise", "source": "web", "product": "solar"}, ("south",)),
        ({"territory": "north", "product": "solar"}, ("north", "vip")),  # the first match counts
        ({"territory": "east"}, ("north", "south", "vip")),  # none matches: everybody
        ({}, ("north", "south", "vip")),
    ],
)
def test_a_lead_goes_to_its_own_team_or_the_first_matching_rules_or_to_all(
    lead: dict[str, str], teams: tuple[str, ...]
) -> None:
    assert a_playbook(**ROUTED).route_for(lead).teams == teams


def test_case_and_spaces_that_tell_two_teams_apart_are_heeded() -> None:
    playbook = a_playbook(teams={"kl": {"name": "One"}, "KL": {"name": "Two"}, "x": {"name": "y"}})
    assert [playbook.team_named(name) for name in ("kl", "KL", "Kl", "Y", "")] == [
        "kl",
        "KL",
        None,
        "x",
        None,
    ]


@pytest.mark.parametrize(("region", "wrong"), [("", 0), ("MY", 0), ("my", 1), ("XX", 1)])
def test_the_region_of_phone_numbers_is_a_country(region: str, wrong: int) -> None:
    assert len(problems(a_playbook(phone_region=region))) == wrong


def test_only_a_loser_on_an_anonymous_team_is_not_told_who_won() -> None:
    playbook = a_playbook(teams={"north": {"name": "N", "anonymous": True}, "south": {"name": "S"}})
    assert playbook.hides_winner_from(a_rep(team="north"))
    assert not playbook.hides_winner_from(a_rep(team="south"))
    assert not playbook.hides_winner_from(a_rep(team="gone"))


@pytest.mark.parametrize("written", ["15:00", "010", "0x10", "1_000", "+ 5"])
def test_yamls_old_ways_to_write_a_number_are_no_numbers(written: str) -> None:
    """YAML 1.1 reads 15:00 as 900 and 010 as 8."""
    rules = "preset: mine\nfits: Us.\nteams: {north: {name: North}}"
    text = f"{rules}\nwindow_seconds: {written}\n"
    assert wrong_fields(text) == ["window_seconds"]
    assert read_playbook(text.replace(written, "900")).window_seconds == 900
