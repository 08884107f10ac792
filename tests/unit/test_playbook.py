"""The playbook: the shipped one is valid, a wrong one is refused naming each wrong place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dibs.adapters.playbook_file import playbook_json, read_playbook
from dibs.domain.errors import InvalidInput
from dibs.domain.leads import Quality
from dibs.domain.playbook import playbook_from, problems
from dibs.presets import NAMES, preset_text
from support.builders import a_playbook, a_rep


def shipped(**changes: Any) -> dict[str, Any]:
    return {**json.loads(preset_text("open-pool")), **changes}


def wrong_fields(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        read_playbook(text)
    assert all(error.problem for error in refused.value.errors)
    return [error.field for error in refused.value.errors]


@pytest.mark.parametrize("name", NAMES)
def test_shipped_playbooks_are_valid_and_say_whom_they_fit(name: str) -> None:
    playbook = read_playbook(preset_text(name))
    assert playbook.preset == name
    assert playbook.fits.endswith(".")
    assert playbook_from(json.loads(preset_text(name))) == playbook


def test_there_is_no_preset_by_another_name() -> None:
    with pytest.raises(KeyError):
        preset_text("../../../etc/passwd")


def test_the_open_pool_has_the_numbers_the_readme_promises() -> None:
    playbook = read_playbook(preset_text("open-pool"))
    assert playbook.unseen_seconds == 20
    assert playbook.undo_seconds == 30
    assert playbook.model == "open-pool"
    assert playbook.sms.enabled


def test_what_is_stored_reads_back_as_the_same_playbook() -> None:
    playbook = read_playbook(
        json.dumps(shipped(routing=[{"teams": ["sales"], "source": "tradeshow"}]))
    )
    assert playbook_from(json.loads(playbook_json(playbook))) == playbook


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
        ("preset: mine\n", ["fits", "teams"]),
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
    ("changes", "fields"),
    [
        ({"window_seconds": 9}, ["window_seconds", "unseen_seconds"]),
        ({"window_seconds": 86_401}, ["window_seconds"]),
        ({"unseen_seconds": 4}, ["unseen_seconds"]),
        ({"unseen_seconds": 901, "window_seconds": 1000}, ["unseen_seconds"]),
        ({"unseen_seconds": 60, "window_seconds": 60}, ["unseen_seconds"]),
        ({"undo_seconds": -1}, ["undo_seconds"]),
        ({"undo_seconds": 301}, ["undo_seconds"]),
        ({"claims_per_day": 0}, ["claims_per_day"]),
        ({"quality": {"hot": 101, "warm": 50}}, ["quality.hot"]),
        ({"quality": {"hot": 80, "warm": -1}}, ["quality.warm"]),
        ({"quality": {"hot": 50, "warm": 50}}, ["quality.warm"]),
        ({"sms": {"per_rep_per_day": -1}}, ["sms.per_rep_per_day"]),
        ({"sms": {"per_organisation_per_day": 1_000_001}}, ["sms.per_organisation_per_day"]),
        (
            {"availability": {"pause_ends_after_minutes": 0}},
            ["availability.pause_ends_after_minutes"],
        ),
        ({"teams": {}}, ["teams"]),
        ({"model": "thunderdome"}, ["model"]),
        ({"routing": [{"teams": []}]}, ["routing.0.teams"]),
        ({"routing": [{"teams": ["nowhere"]}]}, ["routing.0.teams"]),
        (
            {"claims_per_day": 0, "undo_seconds": 999, "model": "x"},
            ["undo_seconds", "claims_per_day", "model"],
        ),
    ],
)
def test_what_makes_no_sense_is_named_by_its_place_all_at_once(
    changes: dict[str, Any], fields: list[str]
) -> None:
    assert [found.field for found in problems(a_playbook(**_whole(changes)))] == fields


def _whole(changes: dict[str, Any]) -> dict[str, Any]:
    """A part of the playbook is changed, not replaced."""
    usual = shipped()
    return {k: {**usual[k], **v} if k in ("quality", "sms") else v for k, v in changes.items()}


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
    teams = {f"team-{number:02}": {"name": "A team"} for number in range(45)}
    assert problems(a_playbook(teams=teams)) == []
    teams["team-45"] = {"name": "One too many"}
    assert [error.field for error in problems(a_playbook(teams=teams))] == ["teams"]


def test_a_rule_names_each_team_once() -> None:
    found = problems(a_playbook(routing=[{"teams": ["north", "north"]}]))
    assert [error.field for error in found] == ["routing.0.teams"]


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
    "teams": {"north": {"name": "N"}, "south": {"name": "S"}, "vip": {"name": "V"}},
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
        ({"team": "nowhere", "territory": "north"}, ("north", "vip")),  # an unknown one does not
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
    assert a_playbook(**ROUTED).teams_for(lead) == teams


def test_only_a_loser_on_an_anonymous_team_is_not_told_who_won() -> None:
    playbook = a_playbook(teams={"north": {"name": "N", "anonymous": True}, "south": {"name": "S"}})
    assert playbook.hides_winner_from(a_rep(team="north"))
    assert not playbook.hides_winner_from(a_rep(team="south"))
    assert not playbook.hides_winner_from(a_rep(team="gone"))
