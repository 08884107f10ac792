"""Quests over HTTP (G8)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from dibs.core.rep import Rep
from dibs.ledger.entries import Entry
from dibs.ledger.store import entry_item
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, MANAGER, Answer, App, http
from support.builders import a_playbook, token_of

QUESTS = {
    "start": {
        "name": "First weeks",
        "badge": "Ready",
        "points": 50,
        "within_days": 30,
        "steps": {
            "video": {"name": "Welcome video", "type": "training_step"},
            "ethics": {
                "name": "Safety and ethics",
                "type": "training_step",
                "verified_by": "manager",
            },
            "tool": {"name": "The dialler", "type": "tool_used", "verified_by": "self"},
            "seller": {
                "name": "Ask a top seller",
                "type": "peer_interview",
                "verified_by": "peer",
            },
        },
    }
}
ROUTES = (
    ("GET /me/quests", None),
    ("GET /quests/pending", None),
    ("POST /quests/{quest}/{step}", {}),
    ("POST /quests/{quest}/{step}/confirm", {"rep_id": AINA.rep_id}),
)
NEW = replace(AINA, joined_on=date(2026, 11, 23))


@pytest.fixture(autouse=True)
def team(app: App) -> None:
    app.world.add_manager(MANAGER)
    teams = {"north": {"name": "North"}, "south": {"name": "South"}}
    app.put_playbook(a_playbook(teams=teams, game={"quests": QUESTS}))
    app.hire(NEW, BEN, CHONG)


def call(
    app: App,
    route: str,
    rep: Rep | None = AINA,
    body: Any = None,
    *,
    step: str = "ethics",
    quest: str = "start",
    token: str | None = None,
) -> Answer:
    """Call a route as a rep, or as a manager."""
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    sent = token if token is not None else MANAGER if rep is None else token_of(rep)
    path = {"quest": quest, "step": step}
    asked = http("http_playbook", route, path, text or "", authorization=f"Bearer {sent}")
    asked.pop("queryStringParameters")
    return app.ask("game", asked)


def tell(app: App, step: str, rep: Rep = AINA, **body: Any) -> Answer:
    return call(app, ROUTES[2][0], rep, body, step=step)


def confirm(app: App, step: str, by: Rep | None, rep_id: Any = AINA.rep_id) -> Answer:
    return call(app, ROUTES[3][0], by, {"rep_id": rep_id}, step=step)


def mine(app: App, rep: Rep = AINA) -> Any:
    [found] = call(app, "GET /me/quests", rep).json["quests"]
    return found


def waiting(app: App, who: Rep | None) -> list[Any]:
    answer = call(app, "GET /quests/pending", who)
    assert answer.status == 200
    found: list[Any] = answer.json["pending"]
    return found


def verified(step: str, rep: Rep = AINA) -> Entry | None:
    entry_id = f"step/start/{step}/{rep.rep_id}"
    return wiring().ledger.find([entry_id]).get(entry_id)


@pytest.mark.parametrize(("route", "body"), ROUTES, ids=[route for route, _ in ROUTES])
def test_nobody_acts_without_a_token(app: App, route: str, body: Any) -> None:
    before = app.everything()
    for token in ("manager.forged", f"{AINA.rep_id}.forged", "nobody.x", ""):
        answer = call(app, route, AINA, body, token=token)
        assert answer.status in (401, 403), token
    assert app.everything() == before


@pytest.mark.parametrize("route", ["GET /me/quests", "POST /quests/{quest}/{step}"])
def test_a_quest_is_a_reps_own(app: App, route: str) -> None:
    answer = call(app, route, None, {})
    assert (answer.status, answer.code) == (403, "forbidden")


def test_a_quest_from_the_first_step_to_the_last(app: App) -> None:
    fresh = mine(app)
    assert {name: fresh[name] for name in fresh if name != "steps"} == {
        "quest": "start",
        "name": "First weeks",
        "badge": "Ready",
        "points": 50,
        "until": "2026-12-22",
        "open": True,
        "done": 0,
        "of": 4,
        "finished_at": None,
        "next": "video",
    }
    assert fresh["steps"][1] == {
        "step": "ethics",
        "name": "Safety and ethics",
        "type": "training_step",
        "verified_by": "manager",
        "told_at": None,
        "peer": None,
        "done_at": None,
    }
    at = "2026-11-23T12:00:00.000Z"
    video = Entry("activity/v", "training_step", AINA.rep_id, "north", app.clock.at, "2026-W48")
    wiring().ledger.put([replace(video, cause="start/video", source="system")])
    told = tell(app, "tool")
    body = {"quest": "start", "step": "tool", "told_at": at, "peer": None}
    assert (told.status, told.json) == (200, {**body, "done": True})
    assert tell(app, "ethics").json == {**body, "step": "ethics", "done": False}
    seller = tell(app, "seller", peer=BEN.rep_id).json
    assert seller == {**body, "step": "seller", "peer": BEN.rep_id, "done": False}
    half = mine(app)
    assert (half["done"], half["next"], half["finished_at"]) == (2, None, None)
    assert half["steps"][3]["peer"] == {"rep_id": BEN.rep_id, "name": BEN.name}
    assert [step["done_at"] for step in half["steps"]] == [at, None, at, None]

    waits = {
        "quest": "start",
        "quest_name": "First weeks",
        "step": "seller",
        "step_name": "Ask a top seller",
        "rep": {"rep_id": AINA.rep_id, "name": AINA.name},
        "told_at": at,
    }
    assert waiting(app, BEN) == [waits]
    assert [one["step"] for one in waiting(app, None)] == ["ethics", "seller"]
    assert waiting(app, AINA) == waiting(app, CHONG) == []

    done = confirm(app, "seller", BEN)
    body = {"quest": "start", "step": "seller", "rep_id": AINA.rep_id, "done": True}
    assert (done.status, done.json) == (200, body)
    app.clock.pass_(hours=1)
    assert confirm(app, "ethics", None).status == 200
    assert waiting(app, BEN) == waiting(app, None) == []
    whole = mine(app)
    assert (whole["done"], whole["finished_at"]) == (4, "2026-11-23T13:00:00.000Z")
    entry = verified("ethics")
    assert entry is not None
    assert (entry.kind, entry.rep_id, entry.other) == ("step_verified", AINA.rep_id, "manager")
    assert (entry.cause, entry.unit) == ("start/ethics", f"quest/{AINA.rep_id}/start")


def test_every_call_may_come_twice(app: App) -> None:
    for step, peer in (("tool", None), ("ethics", None), ("seller", BEN.rep_id)):
        tell(app, step, peer=peer)
    before = app.everything()
    app.clock.pass_(hours=1)
    for step, peer in (("tool", None), ("ethics", None), ("seller", BEN.rep_id)):
        assert tell(app, step, peer=peer).status == 200
    assert app.everything() == before
    confirm(app, "seller", BEN)
    before = app.everything()
    app.clock.pass_(hours=1)
    for by in (BEN, None):
        assert confirm(app, "seller", by).status == 200
    assert tell(app, "seller", peer=BEN.rep_id).json["done"] is True
    assert app.everything() == before


def test_nobody_confirms_what_is_not_theirs_to_confirm(app: App) -> None:
    tell(app, "ethics")
    tell(app, "seller", peer=BEN.rep_id)
    before = app.everything()
    for step, by, rep_id, status, code in (
        ("ethics", AINA, AINA.rep_id, 403, "forbidden"),
        ("ethics", BEN, AINA.rep_id, 403, "forbidden"),
        ("seller", AINA, AINA.rep_id, 403, "forbidden"),
        ("seller", CHONG, AINA.rep_id, 403, "forbidden"),
        ("seller", BEN, CHONG.rep_id, 403, "forbidden"),
        ("seller", BEN, "nobody", 403, "forbidden"),
        ("tool", None, AINA.rep_id, 403, "forbidden"),
        ("video", None, AINA.rep_id, 403, "forbidden"),
        ("ethics", None, BEN.rep_id, 422, "invalid_input"),
        ("ethics", None, "x" * 2000, 422, "invalid_input"),
        ("ethics", None, {}, 422, "invalid_input"),
        ("other", None, AINA.rep_id, 404, "not_found"),
        ("x" * 2000, BEN, AINA.rep_id, 404, "not_found"),
    ):
        answer = confirm(app, step, by, rep_id)
        assert (answer.status, answer.code) == (status, code), (step, by)
    assert app.everything() == before


@pytest.mark.parametrize(
    ("step", "body", "status", "code"),
    [
        ("other", {}, 404, "not_found"),
        ("video", {}, 403, "forbidden"),
        ("seller", {}, 422, "invalid_input"),
        ("seller", {"peer": AINA.rep_id}, 422, "invalid_input"),
        ("seller", {"peer": [BEN.rep_id]}, 422, "invalid_input"),
        ("seller", "{", 400, "malformed_body"),
        ("seller", "[]", 422, "invalid_input"),
    ],
)
def test_what_cannot_be_told_changes_nothing(
    app: App, step: str, body: Any, status: int, code: str
) -> None:
    before = app.everything()
    answer = call(app, ROUTES[2][0], AINA, body, step=step)
    assert (answer.status, answer.code) == (status, code)
    assert app.everything() == before


def test_after_its_last_day_a_quest_is_over(app: App) -> None:
    app.clock.pass_(days=30)
    answer = tell(app, "ethics")
    assert (answer.status, answer.code) == (410, "ended")
    assert mine(app)["open"] is False
    # Who has no first day on record has all the time.
    assert mine(app, BEN)["until"] is None
    assert tell(app, "ethics", BEN).status == 200


def test_a_step_told_by_an_activity_waits_for_the_managers(app: App) -> None:
    entry = Entry("activity/e", "training_step", AINA.rep_id, "north", app.clock.at, "2026-W48")
    told = replace(entry, cause="start/ethics", source="rep", day="2026-11-23")
    record = {"dynamodb": {"NewImage": entry_item(told)}}
    for _ in range(2):
        app.run("score", {"Records": [record]})
    [waits] = waiting(app, None)
    assert (waits["step"], waits["rep"]["rep_id"]) == ("ethics", AINA.rep_id)
    assert mine(app)["steps"][1]["told_at"] == "2026-11-23T12:00:00.000Z"
    assert confirm(app, "ethics", None).status == 200
    assert waiting(app, None) == []
