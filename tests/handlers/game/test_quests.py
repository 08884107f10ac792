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
from handlers.office import AINA, BEN, CHONG, MANAGER, Answer, Office, http
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
def team(office: Office) -> None:
    office.world.add_manager(MANAGER)
    teams = {"north": {"name": "North"}, "south": {"name": "South"}}
    office.put_playbook(a_playbook(teams=teams, game={"quests": QUESTS}))
    office.hire(NEW, BEN, CHONG)


def call(
    office: Office,
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
    return office.ask("game", asked)


def tell(office: Office, step: str, rep: Rep = AINA, **body: Any) -> Answer:
    return call(office, ROUTES[2][0], rep, body, step=step)


def confirm(office: Office, step: str, by: Rep | None, rep_id: Any = AINA.rep_id) -> Answer:
    return call(office, ROUTES[3][0], by, {"rep_id": rep_id}, step=step)


def mine(office: Office, rep: Rep = AINA) -> Any:
    [found] = call(office, "GET /me/quests", rep).json["quests"]
    return found


def waiting(office: Office, who: Rep | None) -> list[Any]:
    answer = call(office, "GET /quests/pending", who)
    assert answer.status == 200
    found: list[Any] = answer.json["pending"]
    return found


def verified(step: str, rep: Rep = AINA) -> Entry | None:
    entry_id = f"step/start/{step}/{rep.rep_id}"
    return wiring().ledger.find([entry_id]).get(entry_id)


@pytest.mark.parametrize(("route", "body"), ROUTES, ids=[route for route, _ in ROUTES])
def test_nobody_acts_without_a_token(office: Office, route: str, body: Any) -> None:
    before = office.everything()
    for token in ("manager.forged", f"{AINA.rep_id}.forged", "nobody.x", ""):
        answer = call(office, route, AINA, body, token=token)
        assert answer.status in (401, 403), token
    assert office.everything() == before


@pytest.mark.parametrize("route", ["GET /me/quests", "POST /quests/{quest}/{step}"])
def test_a_quest_is_a_reps_own(office: Office, route: str) -> None:
    answer = call(office, route, None, {})
    assert (answer.status, answer.code) == (403, "forbidden")


def test_a_quest_from_the_first_step_to_the_last(office: Office) -> None:
    fresh = mine(office)
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
    video = Entry("activity/v", "training_step", AINA.rep_id, "north", office.clock.at, "2026-W48")
    wiring().ledger.put([replace(video, cause="start/video", source="system")])
    told = tell(office, "tool")
    body = {"quest": "start", "step": "tool", "told_at": at, "peer": None}
    assert (told.status, told.json) == (200, {**body, "done": True})
    assert tell(office, "ethics").json == {**body, "step": "ethics", "done": False}
    seller = tell(office, "seller", peer=BEN.rep_id).json
    assert seller == {**body, "step": "seller", "peer": BEN.rep_id, "done": False}
    half = mine(office)
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
    assert waiting(office, BEN) == [waits]
    assert [one["step"] for one in waiting(office, None)] == ["ethics", "seller"]
    assert waiting(office, AINA) == waiting(office, CHONG) == []

    done = confirm(office, "seller", BEN)
    body = {"quest": "start", "step": "seller", "rep_id": AINA.rep_id, "done": True}
    assert (done.status, done.json) == (200, body)
    office.clock.pass_(hours=1)
    assert confirm(office, "ethics", None).status == 200
    assert waiting(office, BEN) == waiting(office, None) == []
    whole = mine(office)
    assert (whole["done"], whole["finished_at"]) == (4, "2026-11-23T13:00:00.000Z")
    entry = verified("ethics")
    assert entry is not None
    assert (entry.kind, entry.rep_id, entry.other) == ("step_verified", AINA.rep_id, "manager")
    assert (entry.cause, entry.unit) == ("start/ethics", f"quest/{AINA.rep_id}/start")


def test_every_call_may_come_twice(office: Office) -> None:
    for step, peer in (("tool", None), ("ethics", None), ("seller", BEN.rep_id)):
        tell(office, step, peer=peer)
    before = office.everything()
    office.clock.pass_(hours=1)
    for step, peer in (("tool", None), ("ethics", None), ("seller", BEN.rep_id)):
        assert tell(office, step, peer=peer).status == 200
    assert office.everything() == before
    confirm(office, "seller", BEN)
    before = office.everything()
    office.clock.pass_(hours=1)
    for by in (BEN, None):
        assert confirm(office, "seller", by).status == 200
    assert tell(office, "seller", peer=BEN.rep_id).json["done"] is True
    assert office.everything() == before


def test_nobody_confirms_what_is_not_theirs_to_confirm(office: Office) -> None:
    tell(office, "ethics")
    tell(office, "seller", peer=BEN.rep_id)
    before = office.everything()
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
        answer = confirm(office, step, by, rep_id)
        assert (answer.status, answer.code) == (status, code), (step, by)
    assert office.everything() == before


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
    office: Office, step: str, body: Any, status: int, code: str
) -> None:
    before = office.everything()
    answer = call(office, ROUTES[2][0], AINA, body, step=step)
    assert (answer.status, answer.code) == (status, code)
    assert office.everything() == before


def test_after_its_last_day_a_quest_is_over(office: Office) -> None:
    office.clock.pass_(days=30)
    answer = tell(office, "ethics")
    assert (answer.status, answer.code) == (410, "ended")
    assert mine(office)["open"] is False
    # Who has no first day on record has all the time.
    assert mine(office, BEN)["until"] is None
    assert tell(office, "ethics", BEN).status == 200


def test_a_step_told_by_an_activity_waits_for_the_managers(office: Office) -> None:
    entry = Entry("activity/e", "training_step", AINA.rep_id, "north", office.clock.at, "2026-W48")
    told = replace(entry, cause="start/ethics", source="rep", day="2026-11-23")
    record = {"dynamodb": {"NewImage": entry_item(told)}}
    for _ in range(2):
        office.run("score", {"Records": [record]})
    [waits] = waiting(office, None)
    assert (waits["step"], waits["rep"]["rep_id"]) == ("ethics", AINA.rep_id)
    assert mine(office)["steps"][1]["told_at"] == "2026-11-23T12:00:00.000Z"
    assert confirm(office, "ethics", None).status == 200
    assert waiting(office, None) == []
