"""Contests that recur, over HTTP and by the job (G12)."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from handlers.app import AINA, BEN, MANAGER, Answer, App, event, http
from support.builders import token_of

# The clock stands at noon of Monday, 2026-11-23.
CALLS = {
    "name": "Calls",
    "kind": "individual",
    "first_day": "2026-11-23",
    "metric": "count(call)",
    "teams": ["north"],
    "late_days": 0,
    "repeats": {"every": "day", "weekdays": ["mon", "wed"]},
}


@pytest.fixture(autouse=True)
def crew(app: App) -> None:
    app.world.add_manager(MANAGER)
    app.hire(AINA, BEN)


def ask(
    app: App, route: str, body: Any = None, token: str = MANAGER, name: str = "calls"
) -> Answer:
    path = {}
    if "{" in route:
        path = {"series_id" if "series" in route else "contest_id": name}
    text = None if body is None else json.dumps(body)
    asked = http("http_playbook", route, path, text, authorization=f"Bearer {token}")
    asked.pop("queryStringParameters")
    return app.ask("game", asked)


def put(app: App, **changes: Any) -> Answer:
    return ask(app, "PUT /contest-series/{series_id}", {**CALLS, **changes})


def job(app: App, day: date, hour: int = 0) -> Any:
    at = app.clock.at
    app.clock.at = at.replace(year=day.year, month=day.month, day=day.day, hour=hour, minute=1)
    return app.run("recalculate", event("schedule_contests"))


def phases(app: App) -> dict[str, str]:
    found = ask(app, "GET /contests").json["contests"]
    return {one["contest_id"]: one["phase"] for one in found}


def test_each_period_has_its_own_contest_and_is_set_up_once(app: App) -> None:
    answer = put(app)
    assert answer.status == 200, answer.text
    assert [one["contest_id"] for one in answer.json["contests"]] == [
        "calls-2026-11-23",
        "calls-2026-11-25",
    ]
    job(app, date(2026, 11, 23), 13)
    assert phases(app) == {"calls-2026-11-23": "live", "calls-2026-11-25": "upcoming"}
    before = app.everything()
    assert put(app).status == 200
    job(app, date(2026, 11, 24))
    job(app, date(2026, 11, 25))
    assert phases(app) == {
        "calls-2026-11-23": "final",
        "calls-2026-11-25": "live",
        "calls-2026-11-30": "upcoming",
    }
    assert before != app.everything()
    kept = app.everything()
    assert ask(app, "GET /contest-series").json["series"][0]["repeats"] == CALLS["repeats"]
    assert app.everything() == kept


def test_a_first_day_that_is_past_says_what_is_on_already(app: App) -> None:
    week = {**CALLS, "first_day": "2026-11-02", "repeats": {"every": "week"}}
    found = ask(app, "PUT /contest-series/{series_id}", week).json
    [warning] = found["warnings"]
    assert warning["field"] == "first_day"
    assert "calls-2026-W48 is on, and counts from 2026-11-23 00:00 UTC" in warning["problem"]
    again = ask(app, "PUT /contest-series/{series_id}", week).json
    assert again["warnings"] == []
    to_come = {**week, "first_day": "2026-11-30"}
    assert ask(app, "PUT /contest-series/{series_id}", to_come, name="next").json["warnings"] == []


def test_one_contest_is_called_off_or_the_whole_series(app: App) -> None:
    put(app)
    job(app, date(2026, 11, 23), 13)
    assert ask(app, "POST /contests/{contest_id}/cancel", name="calls-2026-11-25").status == 200
    job(app, date(2026, 11, 25))
    assert phases(app)["calls-2026-11-25"] == "cancelled"
    assert phases(app)["calls-2026-11-30"] == "upcoming"
    for _ in range(2):
        over = ask(app, "POST /contest-series/{series_id}/cancel")
        assert (over.status, over.json["cancelled"]) == (200, True)
    job(app, date(2026, 11, 30))
    assert phases(app)["calls-2026-11-30"] == "cancelled"
    assert "calls-2026-12-02" not in phases(app)
    gone = ask(app, "POST /contest-series/{series_id}/cancel", name="other")
    assert (gone.status, gone.code) == (404, "not_found")


def test_a_series_that_was_called_off_can_be_set_up_again(app: App) -> None:
    put(app)
    job(app, date(2026, 11, 23), 13)
    ask(app, "POST /contest-series/{series_id}/cancel")
    assert phases(app)["calls-2026-11-25"] == "cancelled"
    assert put(app).status == 200
    assert phases(app)["calls-2026-11-25"] == "upcoming"
    assert ask(app, "POST /contests/{contest_id}/cancel", name="calls-2026-11-25").status == 200
    assert put(app).status == 200
    assert phases(app)["calls-2026-11-25"] == "cancelled"  # a manager's word about the one stays


def test_a_changed_series_changes_what_is_to_come_and_nothing_a_manager_set(app: App) -> None:
    put(app)
    job(app, date(2026, 11, 23), 13)
    put(app, prize="Dinner")
    found = {one["contest_id"]: one["prize"] for one in ask(app, "GET /contests").json["contests"]}
    assert found == {"calls-2026-11-23": "", "calls-2026-11-25": "Dinner"}
    own = {name: value for name, value in CALLS.items() if name != "repeats"}
    own |= {"first_day": "2026-11-25", "last_day": "2026-11-25", "prize": "Lunch"}
    assert ask(app, "PUT /contests/{contest_id}", own, name="calls-2026-11-25").status == 200
    put(app, prize="Breakfast")
    found = {one["contest_id"]: one["prize"] for one in ask(app, "GET /contests").json["contests"]}
    assert found["calls-2026-11-25"] == "Lunch"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"repeats": {"every": "hour"}}, {"repeats.every"}),
        ({"repeats": {}}, {"repeats.every"}),
        ({"repeats": None}, {"repeats"}),
        ({"repeats": {"every": "week", "on": ["mon"]}}, {"repeats.on"}),
        ({"repeats": {"every": "week", "weekdays": ["monday"]}}, {"repeats.weekdays"}),
        ({"repeats": {"every": "month", "weekdays": ["mon"]}}, {"repeats.weekdays"}),
        ({"metric": "count(nothing)", "repeats": {"every": "x"}}, {"metric", "repeats.every"}),
        ({"first_day": "soon", "kind": "duel", "teams": ["x"]}, {"first_day", "kind", "teams"}),
        ({"last_day": "2026-11-01"}, {"last_day"}),
        ({"from_time": "15:00", "to_time": "14:00"}, {"to_time"}),
        ({"zone": "Moon"}, {"zone"}),
    ],
)
def test_all_errors_of_a_series_come_in_one_round(
    app: App, changes: dict[str, Any], fields: set[str]
) -> None:
    before = app.everything()
    answer = put(app, **changes)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert {error["field"] for error in answer.json["errors"]} == fields
    assert app.everything() == before


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("GET /contest-series", None),
        ("PUT /contest-series/{series_id}", CALLS),
        ("POST /contest-series/{series_id}/cancel", None),
    ],
)
def test_only_a_manager_may(app: App, route: str, body: Any) -> None:
    assert ask(app, route, body, token_of(AINA)).status == 403
    assert ask(app, route, body, "nobody.x").status == 401
