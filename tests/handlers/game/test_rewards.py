"""Points and rewards over HTTP (G9), and the jobs by which they lapse."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from dibs.core.errors import Busy
from dibs.game.rewards.requests import audit_points
from dibs.game.scoring.points import ISSUED, Transfer
from dibs.wiring import wiring
from handlers.app import AINA, BEN, MANAGER, Answer, App, event, http
from support.builders import NOON, a_playbook, token_of

MUG = {"name": "Mug", "price": 100, "stock": 2}
LEVELS = [{"name": "Bronze", "from_points": 100}, {"name": "Silver", "from_points": 500}]
DECISIONS = ("approve", "refuse", "collect", "recall")
TEAMS = {"north": {"name": "North"}, "south": {"name": "South"}}


@pytest.fixture(autouse=True)
def organisation(app: App) -> None:
    app.put_playbook(a_playbook(teams=TEAMS, game={"levels": LEVELS}))
    app.world.add_manager(MANAGER)
    app.hire(AINA, BEN)


def call(
    app: App, route: str, token: str, path: dict[str, str], body: Any = None, **query: str
) -> Answer:
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    asked = http("http_playbook", route, path, text, authorization=f"Bearer {token}")
    asked["queryStringParameters"] = query
    if body is None:
        asked.pop("body", None)
    return app.ask("game", asked)


def get(app: App, where: str, token: str, **query: str) -> Answer:
    return call(app, f"GET {where}", token, {}, **query)


def put(app: App, body: Any, reward_id: str = "mug", token: str = MANAGER) -> Answer:
    return call(app, "PUT /rewards/{reward_id}", token, {"reward_id": reward_id}, body)


def ask(app: App, body: Any = None, token: str = token_of(AINA), **path: str) -> Answer:
    wanted = {"reward_id": "mug", **path}
    body = {"request_id": "1"} if body is None else body
    return call(app, "POST /rewards/{reward_id}/requests", token, wanted, body)


def decide(app: App, what: str, name: str, reason: Any = None, token: str = MANAGER) -> Answer:
    route = f"POST /rewards/requests/{{request_id}}/{what}"
    body = {} if reason is None else {"reason": reason}
    return call(app, route, token, {"request_id": name}, body)


def award(app: App, points: int, number: int = 1, at: datetime = NOON) -> None:
    moved = Transfer(
        f"award/{number}", ISSUED, AINA.rep_id, points, at, "won", f"activity/{number}"
    )
    assert wiring().points.book([moved])


def balance() -> int:
    return wiring().points.balance(AINA.rep_id)


NAME = f"{AINA.rep_id}.1"


# Who may what

MANAGERS_ONLY = [
    ("PUT /rewards/{reward_id}", {"reward_id": "mug"}, MUG),
    ("GET /rewards/requests", {}, None),
    *[
        (f"POST /rewards/requests/{{request_id}}/{what}", {"request_id": NAME}, {"reason": "why"})
        for what in DECISIONS
    ],
]
REPS_ONLY = [
    ("POST /rewards/{reward_id}/requests", {"reward_id": "mug"}, {"request_id": "1"}),
    ("GET /me/points", {}, None),
    ("GET /me/rewards", {}, None),
]


@pytest.mark.parametrize(("route", "path", "body"), MANAGERS_ONLY)
def test_what_managers_do_no_rep_may(app: App, route: str, path: dict[str, str], body: Any) -> None:
    put(app, MUG)
    award(app, 100)
    ask(app)
    before = app.everything()
    answer = call(app, route, token_of(AINA), path, body)
    assert (answer.status, answer.code) == (403, "forbidden")
    assert app.everything() == before


@pytest.mark.parametrize(("route", "path", "body"), REPS_ONLY)
def test_what_is_a_reps_own_no_manager_may(
    app: App, route: str, path: dict[str, str], body: Any
) -> None:
    put(app, MUG)
    answer = call(app, route, MANAGER, path, body)
    assert (answer.status, answer.code) == (403, "forbidden")


@pytest.mark.parametrize(
    ("route", "path", "body"), [*MANAGERS_ONLY, *REPS_ONLY, ("GET /rewards", {}, None)]
)
def test_strangers_may_nothing(app: App, route: str, path: dict[str, str], body: Any) -> None:
    before = app.everything()
    for token in ("manager.forged", f"{AINA.rep_id}.forged", "nobody.x"):
        answer = call(app, route, token, path, body)
        assert answer.code == "unauthorized", token
    assert app.everything() == before


# The catalogue


def test_a_reward_is_put_and_seen(app: App) -> None:
    answer = put(app, MUG)
    whole = {
        "reward_id": "mug",
        "name": "Mug",
        "price": 100,
        "stock": 2,
        "taken": 0,
        "left": 2,
        "approval": True,
        "active": True,
    }
    assert (answer.status, answer.json) == (200, whole)
    put(app, {"name": "Pen", "price": 5, "stock": None, "approval": False}, "pen")
    put(app, {"name": "Car", "price": 5, "stock": 0, "active": False}, "car")
    listed = get(app, "/rewards", MANAGER).json["rewards"]
    assert [one["reward_id"] for one in listed] == ["car", "mug", "pen"]
    assert listed[1] == whole
    award(app, 40)
    assert get(app, "/rewards", token_of(AINA)).json == {
        "balance": 40,
        "rewards": [
            {
                "reward_id": "mug",
                "name": "Mug",
                "price": 100,
                "left": 2,
                "approval": True,
                "affordable": False,
                "missing": 60,
            },
            {
                "reward_id": "pen",
                "name": "Pen",
                "price": 5,
                "left": None,
                "approval": False,
                "affordable": True,
                "missing": 0,
            },
        ],
    }


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"name", "price", "stock"}),
        ({**MUG, "name": " "}, {"name"}),
        ({**MUG, "name": "x" * 81}, {"name"}),
        ({**MUG, "name": "a\nb"}, {"name"}),
        ({**MUG, "name": 5}, {"name"}),
        *[({**MUG, "price": price}, {"price"}) for price in (0, -1, 1.5, "5", True, None, 10**7)],
        *[({**MUG, "stock": stock}, {"stock"}) for stock in (-1, 1.5, "5", True, 10**7)],
        ({"name": "Mug", "price": 100}, {"stock"}),
        ({**MUG, "approval": "no"}, {"approval"}),
        ({**MUG, "active": None}, {"active"}),
        ({**MUG, "taken": 0}, {"taken"}),
        ([], {"body"}),
    ],
)
def test_what_a_reward_cannot_be_is_named_and_nothing_is_stored(
    app: App, body: Any, named: set[str]
) -> None:
    before = app.everything()
    answer = put(app, body)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert {error["field"] for error in answer.json["errors"]} == named
    assert app.everything() == before


@pytest.mark.parametrize(
    "reward_id", ["", "Mug", "-mug", "x" * 41, "x" * 3000, "a/b", "杯", "BALANCE"]
)
def test_an_id_is_plain_and_short(app: App, reward_id: str) -> None:
    before = app.everything()
    assert put(app, MUG, reward_id).code == "invalid_input"
    assert ask(app, reward_id=reward_id).code == "not_found"
    assert app.everything() == before


def test_a_stock_is_not_put_below_what_is_taken(app: App) -> None:
    put(app, MUG)
    award(app, 200)
    ask(app)
    ask(app, {"request_id": "2"})
    answer = put(app, {**MUG, "stock": 1})
    assert answer.code == "invalid_input"
    assert answer.json["errors"][0]["field"] == "stock"
    assert put(app, {**MUG, "stock": 3}).json["left"] == 1


# Asking


def test_a_reward_is_asked_for_approved_and_collected(app: App) -> None:
    put(app, MUG)
    award(app, 130)
    answer = ask(app)
    assert answer.status == 201
    at = "2026-11-23T12:00:00.000Z"
    assert answer.json == {
        "request_id": NAME,
        "reward_id": "mug",
        "name": "Mug",
        "price": 100,
        "state": "requested",
        "requested_at": at,
        "steps": [{"state": "requested", "at": at, "by": AINA.rep_id, "reason": ""}],
    }
    assert balance() == 30
    [listed] = get(app, "/rewards/requests", MANAGER).json["requests"]
    assert listed == {**answer.json, "rep_id": AINA.rep_id, "rep_name": AINA.name}
    app.clock.pass_(hours=1)
    approved = decide(app, "approve", NAME)
    assert (approved.status, approved.json["state"], approved.json["changed"]) == (
        200,
        "approved",
        True,
    )
    assert get(app, "/rewards/requests", MANAGER).json["requests"] == []
    [waiting] = get(app, "/rewards/requests", MANAGER, state="approved").json["requests"]
    assert waiting["request_id"] == NAME
    collected = decide(app, "collect", NAME, "At the desk")
    assert collected.json["steps"][-1] == {
        "state": "collected",
        "at": "2026-11-23T13:00:00.000Z",
        "by": "manager",
        "reason": "At the desk",
    }
    [mine] = get(app, "/me/rewards", token_of(AINA)).json["requests"]
    assert mine["state"] == "collected"
    assert get(app, "/me/rewards", token_of(BEN)).json == {"requests": []}
    assert balance() == 30


def test_a_request_sent_again_is_answered_again_and_made_once(app: App) -> None:
    put(app, MUG)
    award(app, 200)
    first = ask(app)
    before = app.everything()
    again = ask(app)
    assert (again.status, again.json) == (200, first.json)
    assert app.everything() == before
    put(app, {**MUG, "name": "Pen"}, "pen")
    other = ask(app, reward_id="pen")
    assert (other.status, other.code) == (409, "already_exists")


def test_who_has_not_enough_is_told_what_is_missing(app: App) -> None:
    put(app, MUG)
    award(app, 99)
    before = app.everything()
    answer = ask(app)
    assert (answer.status, answer.code) == (409, "not_enough_points")
    assert (answer.json["missing"], answer.json["balance"]) == (1, 99)
    assert app.everything() == before


def test_when_the_last_one_is_gone_that_is_said(app: App) -> None:
    put(app, {**MUG, "stock": 1})
    award(app, 300)
    ask(app)
    answer = ask(app, {"request_id": "2"})
    assert (answer.status, answer.code) == (409, "out_of_stock")
    assert balance() == 200


@pytest.mark.parametrize("reward_id", ["none", "old"])
def test_what_is_not_offered_is_not_found(app: App, reward_id: str) -> None:
    put(app, {**MUG, "active": False}, "old")
    award(app, 100)
    answer = ask(app, reward_id=reward_id)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    "body", [{}, {"request_id": ""}, {"request_id": 1}, {"request_id": "a b"}, {"request_id": "杯"}]
)
def test_a_request_needs_an_id_of_its_own(app: App, body: Any) -> None:
    put(app, MUG)
    answer = ask(app, body)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert answer.json["errors"][0]["field"] == "request_id"
    assert ask(app, "{").code == "malformed_body"


def test_nobody_pays_a_price_they_were_not_shown(app: App) -> None:
    put(app, MUG)
    award(app, 500)
    put(app, {**MUG, "price": 400})
    before = app.everything()
    answer = ask(app, {"request_id": "1", "price": 100})
    assert (answer.status, answer.code) == (409, "outdated")
    assert answer.json["detail"] == "It costs 400 points by now. Ask for it at that price."
    for price in ("400", 400.0, True, [400]):
        answer = ask(app, {"request_id": "1", "price": price})
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, "price")
    assert app.everything() == before
    assert ask(app, {"request_id": "1", "price": 400}).status == 201
    put(app, MUG)
    # What was asked for is not asked for again, at whatever price.
    assert ask(app, {"request_id": "1", "price": 400}).status == 200
    assert balance() == 100


def test_where_others_are_always_faster_nothing_is_lost(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(app, MUG)
    award(app, 100)
    before = app.everything()
    with monkeypatch.context() as patched:
        app.contend(patched)
        answer = ask(app)
    assert (answer.status, answer.code) == (503, "busy")
    assert app.everything() == before
    assert ask(app).status == 201


# Deciding


@pytest.mark.parametrize(
    ("steps", "left"), [(["refuse"], 200), (["approve", "recall"], 200), (["approve"], 100)]
)
def test_what_comes_to_nothing_goes_back(app: App, steps: list[str], left: int) -> None:
    put(app, MUG)
    award(app, 200)
    ask(app)
    for what in steps:
        answer = decide(app, what, NAME, "Because")
        assert answer.json["changed"]
        again = decide(app, what, NAME, "Because")
        assert (again.status, again.json) == (200, {**answer.json, "changed": False})
    assert balance() == left
    assert get(app, "/rewards", MANAGER).json["rewards"][0]["left"] == (1 if left == 100 else 2)
    assert audit_points(wiring().points, wiring().rewards) == []


@pytest.mark.parametrize("what", ["refuse", "recall"])
@pytest.mark.parametrize("reason", [None, "", " ", "x" * 201, 5])
def test_no_needs_a_reason(app: App, what: str, reason: Any) -> None:
    put(app, MUG)
    award(app, 100)
    ask(app)
    before = app.everything()
    answer = decide(app, what, NAME, reason)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert app.everything() == before


@pytest.mark.parametrize(
    ("first", "then", "state"),
    [
        (None, "collect", "requested"),
        (None, "recall", "requested"),
        ("approve", "refuse", "approved"),
        ("refuse", "approve", "refused"),
        ("refuse", "collect", "refused"),
    ],
)
def test_what_does_not_follow_is_not_done(
    app: App, first: str | None, then: str, state: str
) -> None:
    put(app, MUG)
    award(app, 100)
    ask(app)
    if first:
        decide(app, first, NAME, "why")
    before = app.everything()
    answer = decide(app, then, NAME, "why")
    assert (answer.status, answer.code) == (409, "already_decided")
    assert answer.json["state"] == state
    assert app.everything() == before


@pytest.mark.parametrize("what", DECISIONS)
@pytest.mark.parametrize(
    "name", ["", "x", NAME, f"{AINA.rep_id}.{'x' * 3000}", "aaaac.a b", "杯.1"]
)
def test_a_request_there_is_not_is_not_found(app: App, what: str, name: str) -> None:
    answer = decide(app, what, name, "why")
    assert (answer.status, answer.code) == (404, "not_found")


def test_requests_are_listed_by_a_state_there_is(app: App) -> None:
    answer = get(app, "/rewards/requests", MANAGER, state="lost")
    assert (answer.status, answer.code) == (422, "invalid_input")


# Points


def test_a_rep_sees_their_points_their_level_and_where_they_came_from(app: App) -> None:
    put(app, MUG)
    empty = get(app, "/me/points", token_of(AINA)).json
    assert (empty["balance"], empty["level"], empty["history"]) == (0, None, [])
    assert empty["next_level"] == {"name": "Bronze", "from_points": 100, "missing": 100}
    award(app, 120, at=NOON - timedelta(hours=1))
    ask(app)
    assert get(app, "/me/points", token_of(AINA)).json == {
        "balance": 20,
        "earned": 120,
        "lapsed": 0,
        "spent": 100,
        "level": {"name": "Bronze", "from_points": 100, "missing": 0},
        "next_level": {"name": "Silver", "from_points": 500, "missing": 380},
        "history": [
            {
                "transfer_id": f"reward/{NAME}",
                "at": "2026-11-23T12:00:00.000Z",
                "points": -100,
                "rule": "reward",
                "cause": NAME,
                "company": None,
                "words": "You asked for a reward",
            },
            {
                "transfer_id": "award/1",
                "at": "2026-11-23T11:00:00.000Z",
                "points": 120,
                "rule": "won",
                "cause": "activity/1",
                "company": None,
                "words": "A deal was won",
            },
        ],
        "next": None,
    }
    assert get(app, "/me/points", token_of(BEN)).json["history"] == []


def test_a_long_history_comes_in_pages(app: App) -> None:
    for number in range(101):
        award(app, 1, number, NOON + timedelta(seconds=number))
    seen, pages, where = [], 0, ""
    while pages < 4:
        query = {"start": unquote(where)} if where else {}
        page = get(app, "/me/points", token_of(AINA), **query).json
        seen += [one["transfer_id"] for one in page["history"]]
        pages += 1
        if page["next"] is None:
            break
        where = page["next"].removeprefix("/me/points?start=")
        assert "#" not in where
    assert pages == 3
    assert seen == [f"award/{number}" for number in range(100, -1, -1)]


def test_a_page_may_begin_with_the_prize_of_a_contest_of_any_name(app: App) -> None:
    start = f"1795435200000#prize/Café de l'été/{AINA.rep_id}/1"
    assert get(app, "/me/points", token_of(AINA), start=start).status == 200


@pytest.mark.parametrize("start", ["x", "1", "1795435200000", "1795435200000#" + "x" * 500, "杯"])
def test_a_page_begins_where_one_ended(app: App, start: str) -> None:
    answer = get(app, "/me/points", token_of(AINA), start=start)
    assert (answer.status, answer.code) == (422, "invalid_input")


# The jobs


def test_requests_nobody_decides_on_or_collects_lapse_by_the_playbook(app: App) -> None:
    rules = {"request_days": 2, "collect_days": 5}
    app.put_playbook(a_playbook(teams=TEAMS, game={"rewards": rules}))
    put(app, MUG)
    award(app, 200)
    ask(app)
    ask(app, {"request_id": "2"})
    decide(app, "approve", NAME)
    app.clock.pass_(days=2)
    done = app.run("recalculate", event("schedule_rewards"))
    assert done == {"undecided": 1, "uncollected": 0}
    app.clock.pass_(days=3)
    assert app.run("recalculate", event("schedule_rewards")) == {
        "undecided": 0,
        "uncollected": 1,
    }
    before = app.everything()
    assert app.run("recalculate", event("schedule_rewards")) == {
        "undecided": 0,
        "uncollected": 0,
    }
    assert app.everything() == before
    assert balance() == 200
    lapsed = get(app, "/rewards/requests", MANAGER, state="lapsed").json["requests"]
    assert [one["request_id"] for one in lapsed] == [NAME, f"{AINA.rep_id}.2"]
    assert lapsed[0]["steps"][-1]["by"] == "dibs"


def test_old_points_lapse_by_the_playbook(app: App) -> None:
    rules = {"percent": 25, "after_days": 30}
    app.put_playbook(a_playbook(teams=TEAMS, game={"decay": rules}))
    award(app, 101, at=datetime(2026, 9, 30, tzinfo=UTC))
    done = app.run("recalculate", event("schedule_decay"))
    assert done == {"periods": 1, "reps": 2, "changed": 1}
    assert balance() == 76
    assert app.run("recalculate", event("schedule_decay"))["changed"] == 0
    answer = get(app, "/me/points", token_of(AINA)).json
    assert answer["history"][0] == {
        "transfer_id": f"decay/{AINA.rep_id}/2026-10",
        "at": "2026-11-01T00:00:00.000Z",
        "points": -25,
        "rule": "decay",
        "cause": "2026-10",
        "company": None,
        "words": "Old points expired",
    }
    assert answer["lapsed"] == 25


def test_a_job_that_was_held_up_is_run_again(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    put(app, MUG)
    award(app, 100)
    ask(app)
    app.clock.pass_(days=14)
    with monkeypatch.context() as patched:
        app.contend(patched)
        with pytest.raises(Busy):
            app.run("recalculate", event("schedule_rewards"))
    assert app.run("recalculate", event("schedule_rewards"))["undecided"] == 1


def test_who_has_left_keeps_what_they_asked_for(app: App) -> None:
    put(app, MUG)
    award(app, 100)
    ask(app)
    app.world.roster.deactivate(AINA.rep_id, NOON.date())
    assert get(app, "/me/points", token_of(AINA)).status == 401
    assert decide(app, "approve", NAME).json["rep_id"] == AINA.rep_id
    [listed] = get(app, "/rewards/requests", MANAGER, state="approved").json["requests"]
    assert listed["rep_name"] == AINA.name
