"""What managers do: the playbook by version, and the list of reps."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from dibs.core.rep import Device, Platform
from dibs.playbook.file import schema
from dibs.roster.audit import Entry
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, MANAGER, PLAYBOOK, Answer, App, event, http
from support.builders import NOON, token_of

RULES = {
    "preset": "ours",
    "fits": "Us.",
    "teams": {"north": {"name": "North"}, "south": {"name": "South"}},
}
ROUTES = ("GET /playbook", "PUT /playbook", "GET /playbook/history", "GET /reps")


@pytest.fixture(autouse=True)
def manager(app: App) -> None:
    app.world.add_manager(MANAGER)


def call(
    app: App, route: str, body: Any = None, *, token: str | None = MANAGER, **query: str
) -> Answer:
    """Call a route as a manager's program does."""
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    bearer = f"Bearer {token}" if token else None
    asked = http("http_playbook", route, {}, text, authorization=bearer)
    asked.pop("queryStringParameters")
    return app.ask("manage", {**asked, "queryStringParameters": query} if query else asked)


def put(app: App, body: Any, **query: str) -> Answer:
    return call(app, "PUT /playbook", body, **query)


def fields(answer: Answer) -> list[str]:
    assert (answer.status, answer.code) == (422, "invalid_input")
    return [error["field"] for error in answer.json["errors"]]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("token", ["manager.forged", "manager", "nobody.secret", "aaaac.x", None])
def test_without_a_right_token_nothing_is_shown_or_changed(
    app: App, route: str, token: str | None
) -> None:
    app.hire(AINA)
    before = app.everything()
    answer = call(app, route, RULES, token=token)
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert app.everything() == before


@pytest.mark.parametrize("route", ROUTES)
def test_a_rep_may_not(app: App, route: str) -> None:
    app.hire(AINA, replace(BEN, active=False))
    before = app.everything()
    answer = call(app, route, RULES, token=token_of(AINA))
    assert (answer.status, answer.code) == (403, "forbidden")
    assert call(app, route, RULES, token=token_of(BEN)).status == 401
    assert app.everything() == before


@pytest.mark.parametrize("route", ROUTES)
def test_before_there_is_a_manager_nobody_is_one(app: App, route: str) -> None:
    app.world.credentials.remove_manager("manager", Entry("x", "x", "x", NOON))
    assert call(app, route, RULES).status == 401


def test_everybody_may_read_the_schema(app: App) -> None:
    answer = call(app, "GET /playbook/schema", token=None)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/schema+json")
    assert answer.json == schema()


def test_the_playbook_in_force_is_shown_with_what_is_worth_a_look(app: App) -> None:
    shown = call(app, "GET /playbook").json
    assert (shown["version"], shown["by"]) == (1, "")
    assert shown["playbook"]["teams"]["north"]["name"] == "North"
    assert "version" not in shown["playbook"]
    game = ["G1", "G2", "G3", "G9", "G11", "K2"]
    assert shown["rules"] == ["M1", "C5", "C6", "C7", "C11", "F7", "R8", *game]
    assert {warning["field"] for warning in shown["warnings"]} == {
        f"teams.{team}.{what}"
        for team in ("north", "south")
        for what in ("hours", "zone", "fallback")
    }


def test_what_is_shown_can_be_put_back_and_changes_nothing(app: App) -> None:
    shown = call(app, "GET /playbook").json
    answer = put(app, shown["playbook"])
    assert (answer.status, answer.json["version"], answer.json["diff"]) == (200, 1, [])
    assert call(app, "GET /playbook").json == shown


def test_a_new_playbook_is_in_force_at_once_and_in_the_history(app: App) -> None:
    sent = {"playbook": {**RULES, "claims_per_day": 3}, "expected_version": 1, "note": "calmer"}
    answer = put(app, sent)
    assert answer.status == 200
    assert answer.json["version"] == 2
    assert {"place": "claims_per_day", "before": "10", "after": "3"} in answer.json["diff"]
    assert answer.json["warnings"]
    shown = call(app, "GET /playbook").json
    assert (shown["version"], shown["by"], shown["note"]) == (2, "manager", "calmer")
    assert datetime.fromisoformat(shown["applied_at"]) == app.clock.at
    assert shown["playbook"]["claims_per_day"] == 3
    newest, oldest = call(app, "GET /playbook/history").json["versions"]
    assert (newest["version"], newest["preset"], newest["by"], newest["note"]) == (
        2,
        "ours",
        "manager",
        "calmer",
    )
    assert newest["applied_at"] == shown["applied_at"]
    assert oldest["version"] == 1
    wiring.cache_clear()  # as functions do after 20 seconds
    assert wiring().roster.playbook().claims_per_day == 3
    assert wiring().race.read("-", "-").playbook.version == 2


def test_an_earlier_version_can_be_read_and_put_again(app: App) -> None:
    put(app, {**RULES, "claims_per_day": 3})
    earlier = call(app, "GET /playbook", version="1").json
    assert earlier["version"] == 1
    assert put(app, earlier["playbook"]).json["version"] == 3
    assert call(app, "GET /playbook").json["playbook"] == earlier["playbook"]
    assert call(app, "GET /playbook", version="0").json["playbook"]["preset"] == "open-pool"


def test_a_version_that_never_was_is_not_found(app: App) -> None:
    for number in ("7", "999999"):
        answer = call(app, "GET /playbook", version=number)
        assert (answer.status, answer.code) == (404, "not_found")
    for nonsense in ("seven", "-1", "1.0", "٣", "1234567"):
        assert fields(call(app, "GET /playbook", version=nonsense)) == ["version"]


def test_a_dry_run_tells_what_would_happen_and_changes_nothing(app: App) -> None:
    app.hire(AINA, replace(BEN, tier=1), replace(CHONG, active=False))
    before = app.everything()
    answer = put(app, {**RULES, "model": "tiers"}, dry_run="true")
    assert answer.status == 200
    assert answer.json["version"] == 1
    assert {"place": "model", "before": "open-pool", "after": "tiers"} in answer.json["diff"]
    north, south = answer.json["preview"]
    assert (north["team"], north["was"], north["model"]) == ("north", "open-pool", "tiers")
    assert north["reps"] == [1, 1, 0]
    assert north["told_at_once"] == {"premium": [2, 1], "standard": [2, 1]}
    assert north["windows"][0]["premium"] == [0, 900, None]
    assert south["reps"] == [0, 0, 0]
    assert app.everything() == before


def test_the_event_of_the_examples_is_a_dry_run(app: App) -> None:
    answer = app.ask("manage", event("http_playbook"))
    assert (answer.status, answer.json["version"]) == (200, 1)
    assert call(app, "GET /playbook").json["version"] == 1


def test_only_true_is_a_dry_run_and_only_false_is_none(app: App) -> None:
    assert fields(put(app, RULES, dry_run="yes")) == ["dry_run"]
    assert put(app, RULES, dry_run="false").json["version"] == 2


def test_every_wrong_place_is_named_and_nothing_is_changed(app: App) -> None:
    before = app.everything()
    sent = {**RULES, "undo_seconds": 999, "windowseconds": 60, "claims_per_day": 0}
    assert fields(put(app, sent)) == ["windowseconds", "undo_seconds", "claims_per_day"]
    assert fields(put(app, {"playbook": []})) == ["file"]
    assert fields(put(app, [])) == ["body"]
    assert fields(put(app, '{"preset": "a", "preset": "b"}')) == ["preset"]
    assert app.everything() == before


def test_a_misspelt_guard_does_not_pass_for_none(app: App) -> None:
    sent = {"playbook": RULES, "expected_versoin": 7}
    assert fields(put(app, sent)) == ["expected_versoin"]
    assert fields(put(app, {"playbook": RULES, "expected_version": "1"})) == ["expected_version"]
    assert fields(put(app, {"playbook": RULES, "expected_version": True})) == ["expected_version"]
    assert fields(put(app, {"playbook": RULES, "note": "x" * 201})) == ["note"]
    assert put(app, {"playbook": RULES, "note": "x" * 200}).status == 200


def test_what_is_no_json_or_too_large_is_refused(app: App) -> None:
    assert put(app, "{").code == "malformed_body"
    assert put(app, "fits: Us.").code == "malformed_body"
    assert put(app, {**RULES, "fits": "x" * 70_000}).code == "body_too_large"


def test_a_change_of_what_somebody_else_changed_is_refused(app: App) -> None:
    assert put(app, {"playbook": RULES, "expected_version": 1}).json["version"] == 2
    before = app.everything()
    second = {"playbook": {**RULES, "claims_per_day": 4}, "expected_version": 1}
    answer = put(app, second)
    assert (answer.status, answer.code) == (409, "outdated")
    assert "Version 2" in answer.json["detail"]
    assert put(app, second, dry_run="true").status == 409
    assert app.everything() == before


def test_the_fallback_person_must_be_somebody_who_is_there(app: App) -> None:
    app.hire(AINA, replace(BEN, active=False))

    def with_fallback(rep_id: str) -> Answer:
        teams = {"north": {"name": "North", "fallback": rep_id}}
        return put(app, {**RULES, "teams": teams}, dry_run="true")

    assert with_fallback(AINA.rep_id).status == 200
    assert fields(with_fallback(BEN.rep_id)) == ["teams.north.fallback"]
    assert fields(with_fallback("zzzzz")) == ["teams.north.fallback"]
    assert fields(with_fallback("Aina")) == ["teams.north.fallback"]


def put_yaml(app: App, text: str, media: str = "application/yaml", **query: str) -> Answer:
    bearer = f"Bearer {MANAGER}"
    asked = http(
        "http_playbook", "PUT /playbook", {}, text, authorization=bearer, content_type=media
    )
    asked.pop("queryStringParameters")
    return app.ask("manage", {**asked, "queryStringParameters": query} if query else asked)


@pytest.mark.parametrize("media", ["application/yaml", "text/yaml; charset=utf-8"])
def test_rules_may_be_sent_as_yaml(app: App, media: str) -> None:
    answer = put_yaml(app, "preset: fair\nteams:\n  north:\n    name: Nord\n", media)
    assert (answer.status, answer.json["version"]) == (200, 2)
    found = app.world.playbooks.in_force().playbook
    assert (found.teams["north"].name, found.model) == ("Nord", "tiers")
    noted = "note: Two\nplaybook:\n  preset: tiers\n  teams: {north: {name: North}}\n"
    assert put_yaml(app, noted, media).json["version"] == 3
    assert app.world.playbooks.in_force().note == "Two"


@pytest.mark.parametrize(
    ("text", "field", "line"),
    [
        ("preset: fair\nclaims_per_day: many\n", "claims_per_day", 2),
        ("note: Two\nplaybook:\n  preset: fair\n  undos_per_day: -1\n", "undos_per_day", 4),
        ("preset: fair\nteams: {north: [name\n", "file", 3),
    ],
)
def test_an_error_in_yaml_names_its_line(app: App, text: str, field: str, line: int) -> None:
    answer = put_yaml(app, text)
    assert fields(answer) == [field]
    assert f"line {line}" in answer.json["errors"][0]["problem"]


@pytest.mark.parametrize("text", ["", "- a\n", "just words", "a: &a [*a]\n"])
def test_yaml_that_is_no_playbook_is_refused(app: App, text: str) -> None:
    assert put_yaml(app, text).status == 422


def test_a_team_that_would_be_gone_with_people_in_it_is_worth_a_look(app: App) -> None:
    app.hire(AINA, CHONG, replace(BEN, team="south", active=False))
    answer = put(app, {**RULES, "teams": {"north": {"name": "North"}}}, dry_run="true")
    *_, gone = answer.json["warnings"]
    assert gone["field"] == "teams.south"
    assert "1 active reps" in gone["problem"]
    gone = answer.json["preview"][1]
    assert (gone["team"], gone["model"], gone["reps"]) == ("south", None, [0, 1, 0])
    assert gone["told_at_once"]["premium"] == [1, 0]


def test_a_transaction_in_the_way_is_tried_again_by_the_caller(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.contend(monkeypatch)
    answer = put(app, RULES)
    assert (answer.status, answer.code) == (503, "busy")


def test_a_manager_sees_who_is_on(app: App) -> None:
    assert PLAYBOOK.teams.keys() == {"north", "south"}
    app.hire(AINA, replace(BEN, phone=None), CHONG)
    device = Device("phone", Platform.FCM, "arn:aws:sns:us-east-1:1:endpoint/GCM/dibs/1")
    app.world.roster.put_device(AINA.rep_id, device)
    app.pause(CHONG, hours=1)
    answer = call(app, "GET /reps")
    assert answer.status == 200
    aina, ben, chong = answer.json["reps"]
    assert (
        aina.items()
        >= {
            "rep_id": AINA.rep_id,
            "name": "Aina Zulkifli",
            "team": "north",
            "tier": 2,
            "zone": "Asia/Kuching",
            "active": True,
            "available": True,
            "push": True,
            "sms": True,
        }.items()
    )
    assert (ben["push"], ben["sms"]) == (False, False)
    assert (chong["team"], chong["available"]) == ("south", False)
    assert "60120000001" not in answer.text
