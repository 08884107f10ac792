"""What is measured, and what a formula would have shown on what was counted already (K2)."""

from __future__ import annotations

from typing import Any

import pytest

from dibs.game.scoring.metrics import METRICS
from dibs.game.scoring.ports import Aggregate, Change
from dibs.game.scoring.tally import Place
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, MANAGER, Answer, App, http
from support.builders import a_playbook, token_of

WEEK, DAY = "2026-W48", "2026-11-23"
# What each came to on the Monday of the week the tests begin in.
COUNTS = {
    AINA.rep_id: {"claimed": 4, "claimed_opportunities": 1, "claim_seconds.sum": 9_000},
    BEN.rep_id: {"claimed": 3, "claimed_opportunities": 2},
    CHONG.rep_id: {"call": 5},
}
TEAMS = {"north": {"name": "North"}, "south": {"name": "South"}}


@pytest.fixture(autouse=True)
def team(app: App) -> None:
    app.hire(AINA, BEN, CHONG)
    app.put_playbook(a_playbook(teams=TEAMS))
    app.world.add_manager(MANAGER)
    store = wiring().standings
    [live] = store.generations()
    for rep in (AINA, BEN, CHONG):
        place = Place(rep.rep_id, rep.team, DAY)
        store.apply(live, [Change(Aggregate(rep.rep_id, version=1), {place: COUNTS[rep.rep_id]})])
    reps = {rep.rep_id: rep.name for rep in (AINA, BEN, CHONG)}
    store.publish(live, {(rep_id, WEEK) for rep_id in reps}, reps, {(AINA.rep_id, WEEK): 8})


def get(app: App, where: str, by: str | None = MANAGER, **asked: str) -> Answer:
    bearer = f"Bearer {by}" if by else None
    event = http("http_board", f"GET {where}", {}, authorization=bearer)
    event["queryStringParameters"] = asked
    return app.ask("boards", event)


def try_out(app: App, formula: str, **asked: str) -> Answer:
    return get(app, "/metrics/preview", formula=formula, **asked)


def values(answer: Answer) -> list[tuple[str, Any]]:
    assert answer.status == 200
    return [(row["name"], row["value"]) for row in answer.json["rows"]]


# What there is


def test_everybody_with_a_token_reads_what_is_measured(app: App) -> None:
    for token in (MANAGER, token_of(AINA)):
        found = get(app, "/metrics", token).json["metrics"]
        assert [one["name"] for one in found] == list(METRICS)
    assert found[0] == {
        "name": "points",
        "means": "Points earned.",
        "formula": "sum(points)",
        "unit": "points",
        "better": "more",
        "minimum": 0,
        "shipped": True,
    }


def test_what_the_playbook_changed_or_added_is_not_as_shipped(app: App) -> None:
    own = {
        "sales": {"formula": "count(won)", "means": "Deals won."},
        "visits": {"formula": "count(call)", "means": "Visits.", "better": "less"},
    }
    app.put_playbook(a_playbook(teams=TEAMS, game={"metrics": own}))
    found = {one["name"]: one for one in get(app, "/metrics").json["metrics"]}
    assert {name for name, one in found.items() if not one["shipped"]} == set(own)
    assert (found["sales"]["formula"], found["visits"]["better"]) == ("count(won)", "less")


def test_without_a_token_nothing_is_shown(app: App) -> None:
    assert get(app, "/metrics", None).status == 401
    assert get(app, "/metrics", "north1.wrong").status == 401
    assert get(app, "/metrics/preview", None, formula="1").status == 401
    assert get(app, "/metrics/preview", token_of(AINA), formula="1").code == "forbidden"


# What a formula would have shown


def test_a_formula_is_tried_on_the_current_week(app: App) -> None:
    app.put_playbook(a_playbook(teams=TEAMS, game={"minimum_sample": 1}))
    answer = try_out(app, "count(claimed_opportunities) / count(claimed)")
    assert values(answer) == [(BEN.name, 0.6667), (AINA.name, 0.25), (CHONG.name, None)]
    assert answer.json["period"] == WEEK
    assert answer.json["rows"][0] == {
        "place": 1,
        "id": BEN.rep_id,
        "name": BEN.name,
        "value": 0.6667,
    }


def test_a_formula_that_is_tried_ranks_nobody_with_too_few(app: App) -> None:
    rows = try_out(app, "count(claimed_opportunities) / count(claimed)").json["rows"]
    assert [(one["name"], one["place"], one.get("have"), one.get("need")) for one in rows] == [
        (AINA.name, None, 4, 5),
        (BEN.name, None, 3, 5),
        (CHONG.name, None, 0, 5),
    ]


def test_a_change_of_a_metric_stands_beside_what_it_is_now(app: App) -> None:
    answer = try_out(app, "0 - count(claimed)", metric="claims", team="north", period=WEEK)
    rows = [(row["name"], row["value"], row["in_force"]) for row in answer.json["rows"]]
    assert rows == [
        (BEN.name, -3, {"place": 2, "value": 3}),
        (AINA.name, -4, {"place": 1, "value": 4}),
    ]
    assert answer.json["in_force"] == "count(claimed)"
    # Tried as the metric it would be: of these, less is better.
    faster = try_out(app, "count(claimed)", metric="claim_speed", team="north")
    assert [name for name, _ in values(faster)] == [BEN.name, AINA.name]
    assert faster.json["unit"] == "seconds"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"team": "south"}, [(CHONG.name, 5)]),
        ({"team": "north"}, [(AINA.name, 0), (BEN.name, 0)]),
        ({"period": "2026-W47"}, []),
    ],
)
def test_it_is_tried_on_what_was_asked_for(
    app: App, asked: dict[str, str], expected: list[tuple[str, int]]
) -> None:
    assert values(try_out(app, "count(call)", **asked)) == expected


def test_the_current_week_is_that_of_the_team(app: App) -> None:
    ahead = {"name": "South", "zone": "Pacific/Kiritimati"}
    app.put_playbook(a_playbook(teams=TEAMS | {"south": ahead}))
    app.clock.pass_(days=6)  # Sunday, and Monday there
    assert try_out(app, "1").json["period"] == WEEK
    assert try_out(app, "1", team="north").json["period"] == WEEK
    assert try_out(app, "1", team="south").json["period"] == "2026-W49"


def test_a_rep_who_changed_teams_is_whole_without_a_team(app: App) -> None:
    store = wiring().standings
    moved = Change(Aggregate("moved", version=1), {Place(CHONG.rep_id, "north", DAY): {"call": 2}})
    store.apply("1", [moved])
    store.publish("1", {(CHONG.rep_id, WEEK)}, {CHONG.rep_id: CHONG.name}, {})
    assert values(try_out(app, "count(call)"))[0] == (CHONG.name, 7)
    assert values(try_out(app, "count(call)", team="north"))[0] == (CHONG.name, 2)


def test_a_target_is_a_number_like_any_other(app: App) -> None:
    found = values(try_out(app, "count(claimed) / sum(target)", team="north"))
    assert found == [(AINA.name, 0.5), (BEN.name, None)]


@pytest.mark.parametrize("period", [DAY, WEEK, "2026-11", "2026-Q4", "all"])
def test_any_period_can_be_asked_for(app: App, period: str) -> None:
    assert try_out(app, "count(call)", period=period).json["period"] == period


@pytest.mark.parametrize(
    ("formula", "asked", "named"),
    [
        ("", {}, ["formula"]),
        ("count(clamed)", {}, ["formula"]),
        ("__import__('os')", {}, ["formula"]),
        ("1", {"metric": "nothing"}, ["metric"]),
        ("1", {"team": "nowhere"}, ["team"]),
        ("1", {"period": "last week"}, ["period"]),
        ("1", {"period": "2026-W60"}, ["period"]),
        (
            "1 +",
            {"metric": "x", "team": "y", "period": "z"},
            ["formula", "team", "period", "metric"],
        ),
    ],
)
def test_what_cannot_be_tried_is_named(
    app: App, formula: str, asked: dict[str, str], named: list[str]
) -> None:
    answer = try_out(app, formula, **asked)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert [error["field"] for error in answer.json["errors"]] == named


def test_trying_changes_nothing(app: App) -> None:
    before = app.everything()
    assert try_out(app, "count(call)").status == 200
    assert get(app, "/metrics").status == 200
    assert app.everything() == before
