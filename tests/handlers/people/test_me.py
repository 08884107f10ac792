"""What a rep's app shows and sets of themselves: the card, availability, and a no."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from dibs.core.rep import Rep
from dibs.game.scoring.score import score
from dibs.ledger.entries import new_entry
from dibs.reports.ports import QuotaResult
from dibs.reports.tiers import Inputs, edges, explain, place, team_of
from dibs.rules.rules import TierRules
from dibs.wiring import wiring
from handlers.app import AINA, BEN, DAYANG, MANAGER, Answer, App, http, sqs
from support.builders import NOON, a_lead, a_playbook, a_rep, token_of

CHRISTMAS = {"from": "2026-12-24", "to": "2026-12-31"}
TODAY = {"from": "2026-11-23", "to": "2026-11-23"}
TIERED = {"north": {"name": "North", "model": "tiers"}, "south": {"name": "South"}}


def call(app: App, route: str, body: Any = None, *, token: str = token_of(AINA)) -> Answer:
    text = None if body is None else json.dumps(body)
    return app.ask("rep", http("http_offers", route, {}, text, authorization=f"Bearer {token}"))


def me(app: App, rep: Rep = AINA) -> dict[str, Any]:
    answer = call(app, "GET /me", token=token_of(rep))
    assert answer.status == 200
    found: dict[str, Any] = answer.json
    return found


def available(app: App, body: Any) -> Answer:
    return call(app, "PUT /me/availability", body)


def now(app: App, rep: Rep = AINA) -> Rep:
    """The rep as they are now."""
    found = app.world.roster.get(rep.rep_id)
    assert found is not None
    return found


def told(app: App) -> list[dict[str, Any]]:
    return [message.body for message in app.waiting("offer")]


# My card


def test_the_card_costs_four_requests_however_many_rules_are_on(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.put_playbook(a_playbook(teams=TIERED, quota={"enabled": True}))
    app.hire(AINA)
    me(app)  # from now on the playbook and the build that boards show are kept
    made, ask = list[str](), wiring().dynamo._call

    def noted(operation: Any, **request: Any) -> Any:
        made.append(operation.__name__)
        return ask(operation, **request)

    monkeypatch.setattr(wiring().dynamo, "_call", noted)
    me(app)
    # Who is calling, with what they have used up; what was worked out of them, with the pauses of
    # teams; what they did; their badges. The last two are spans of keys, one of an index: no
    # request reads spans together, or with items.
    assert made == ["batch_get_item", "batch_get_item", "query", "query"]


def test_limits_and_debts_are_seen_before_they_bite(app: App) -> None:
    rules = {"hot_per_warm": 2, "claims_per_assignment": 5, "cold_per_week": 3}
    limits = [{"most": 4, "per": "hour", "rolling": True}, {"most": 6, "per": "in_hand"}]
    app.put_playbook(a_playbook(acceptance=rules, limits=limits))
    app.hire(AINA)
    for number in (1, 2):
        assert app.claim(app.lead(number)).status == 200
    card = me(app)
    assert [(x["per"], x["used"], x["most"]) for x in card["limits"]] == [
        ("day", 2, 10),
        ("hour", 2, 4),
        ("in_hand", 2, 6),
    ]
    assert card["debts"] == [
        {"rule": "F1", "used": 2, "most": 2, "owed": 1},
        {"rule": "F2", "used": 2, "most": 5, "owed": 0},
        {"rule": "F3", "used": 0, "most": 3, "owed": 0},
    ]


def test_releases_of_the_week_are_counted(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.claim(lead)
    app.clock.pass_(minutes=1)
    asked = http(
        "http_offers",
        "POST /leads/{lead_id}/release",
        {"lead_id": lead.lead_id},
        '{"reason": "wrong industry"}',
        authorization=f"Bearer {token_of(AINA)}",
    )
    assert app.ask("rep", asked).status == 200
    event = {"kind": "lead.returned", "lead_id": lead.lead_id, "epoch": 1, "rep_id": AINA.rep_id}
    app.run("project", sqs("sqs_project", event))
    app.clock.pass_(milliseconds=1)
    assert me(app)["released_this_week"] == 1
    app.clock.pass_(days=7)
    assert me(app)["released_this_week"] == 0


def test_a_rep_reads_what_decides_for_them_now(app: App) -> None:
    app.hire(AINA)
    found = me(app)
    ahead = found.pop("next_badges")
    assert ahead
    assert all(one["have"] == 0 for one in ahead)
    assert found == {
        "rep_id": AINA.rep_id,
        "name": "Aina Zulkifli",
        "team": "north",
        "zone": "Asia/Kuching",
        "model": "open-pool",
        "playbook_version": app.world.playbooks.in_force().number,
        "available": True,
        "unavailable": [],
        "available_at": None,
        "paused_until": None,
        "quiet_until": None,
        "leave": [],
        "claims": {
            "today": 0,
            "most_a_day": 10,
            "starts_again_at": "2026-11-23T16:00:00.000Z",
        },
        "limits": [{"per": "day", "rolling": False, "used": 0, "most": 10}],
        "debts": [],
        "unaccepted": 0,
        "in_hand": 0,
        "released_this_week": 0,
        "tier": 2,
        "tier_metrics": None,
        "tier_outlook": None,
        "allowance": {
            "leads_a_week": None,
            "taken_this_week": 0,
            "starts_again_at": "2026-11-29T16:00:00.000Z",
            "last_month": None,
        },
        "priority": None,
        "newcomer": None,
        "credits": None,
        "points": {
            "week": 0,
            "month": 0,
            "all": 0,
            "balance": 0,
            "level": None,
            "next_level": None,
        },
        "badges": [],
    }


def test_a_rep_reads_what_they_have_earned(app: App) -> None:
    levels = [{"name": "Bronze", "from_points": 10}, {"name": "Silver", "from_points": 50}]
    games = {"name": "Regular", "formula": "count(reference)", "at_least": 2, "per": "month"}
    points = {"activities": {"reference": 7}}
    badges = {"regular": games}
    game = {"levels": levels, "badges": badges, "points": points}
    app.put_playbook(a_playbook(game=game))
    app.hire(AINA, BEN)
    playbook = wiring().roster.playbook()

    def told(name: str, at: datetime) -> None:
        entry = new_entry(name, "reference", AINA.rep_id, AINA.team, at, playbook)
        score(wiring().score_deps, [entry])

    told("1", NOON - timedelta(days=60))
    told("2", NOON - timedelta(days=7))
    assert me(app)["badges"] == []
    assert me(app)["next_badges"] == [
        {"id": "regular", "name": "Regular", "per": "month", "have": 1.0, "at_least": 2.0}
    ]
    told("3", NOON)
    found = me(app)
    assert found["points"] == {
        "week": 7,
        "month": 14,
        "all": 21,
        "balance": 21,
        "level": "Bronze",
        "next_level": {"name": "Silver", "from_points": 50},
    }
    held = {"id": "regular", "period": "2026-11", "earned_at": "2026-11-23T12:00:00.000Z"}
    assert found["badges"] == [{**held, "name": "Regular"}]
    assert found["next_badges"] == []
    assert (me(app, BEN)["points"]["all"], me(app, BEN)["badges"]) == (0, [])
    # One the playbook has dropped since goes by its id.
    app.put_playbook(a_playbook(game={**game, "badges": {}}))
    assert me(app)["badges"] == [{**held, "name": "regular"}]


def test_the_points_of_the_week_are_those_of_the_teams_zone(app: App) -> None:
    app.put_playbook(a_playbook(teams={"north": {"name": "North", "zone": "Asia/Kuching"}}))
    app.hire(AINA)
    playbook = wiring().roster.playbook()
    entry = new_entry("1", "claimed", AINA.rep_id, AINA.team, NOON, playbook, a_lead(), take_ms=1)
    score(wiring().score_deps, [entry])
    app.clock.pass_(days=6, hours=4)
    assert me(app)["points"]["week"] == 0  # Monday in Kuching, Sunday at four elsewhere
    app.clock.at -= timedelta(microseconds=1)
    assert me(app)["points"]["week"] == 10


@pytest.mark.parametrize(
    "token", [f"{AINA.rep_id}.forged", f"{BEN.rep_id}.secret", "nobody.secret", AINA.rep_id]
)
def test_nobody_else_reads_a_card(app: App, token: str) -> None:
    app.hire(AINA, replace(BEN, active=False))
    answer = call(app, "GET /me", token=token)
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert "Aina" not in answer.text


def test_a_manager_has_no_card(app: App) -> None:
    app.world.add_manager(MANAGER)
    answer = call(app, "GET /me", token=MANAGER)
    assert (answer.status, answer.code) == (403, "forbidden")


def test_reading_a_card_changes_nothing(app: App) -> None:
    app.put_playbook(a_playbook(teams=TIERED, quota={"enabled": True}))
    app.hire(AINA)
    before = app.everything()
    me(app)
    assert app.everything() == before
    assert told(app) == []


def test_what_was_taken_is_counted_on_the_card(app: App) -> None:
    app.put_playbook(a_playbook(quota={"enabled": True}))
    app.hire(AINA)
    for number in range(1, 4):
        app.claim(app.lead(number))
    card = me(app)
    assert (card["claims"]["today"], card["in_hand"]) == (3, 3)
    assert card["allowance"]["taken_this_week"] == 3
    # Tuesday in Kuching, and Monday after.
    app.clock.pass_(hours=4)
    card = me(app)
    assert (card["claims"]["today"], card["allowance"]["taken_this_week"]) == (0, 3)
    assert card["claims"]["starts_again_at"] == "2026-11-24T16:00:00.000Z"
    app.clock.pass_(days=6)
    assert me(app)["allowance"]["taken_this_week"] == 0


def test_a_rep_reads_why_they_are_off_and_until_when(app: App) -> None:
    app.hire(DAYANG)
    app.pause(DAYANG, minutes=30)
    card = me(app, DAYANG)
    assert card["available"] is False
    assert card["available_at"] == card["paused_until"] == "2026-11-23T12:30:00.000Z"
    assert len(card["unavailable"]) == 1
    assert "dijeda" in card["unavailable"][0]
    app.clock.pass_(minutes=30)
    card = me(app, DAYANG)
    assert (card["available"], card["available_at"], card["paused_until"]) == (True, None, None)


def test_a_pause_that_ends_at_night_ends_in_the_morning(app: App) -> None:
    # 20:00 in Kuching; the pause is over at 23:00, the next shift begins at 09:00.
    hours = {day: ["09:00-22:00"] for day in ("mon", "tue", "wed")}
    app.put_playbook(a_playbook(teams={"north": {"name": "North", "hours": hours}}))
    app.hire(AINA)
    app.pause(AINA, hours=3)
    card = me(app)
    assert card["paused_until"] == "2026-11-23T15:00:00.000Z"
    assert card["available_at"] == "2026-11-24T01:00:00.000Z"


def test_leave_and_quiet_are_on_the_card(app: App) -> None:
    leave = ((date(2026, 11, 23), date(2026, 11, 24)),)
    app.hire(replace(AINA, leave=leave, quiet_until=NOON + timedelta(minutes=5)))
    card = me(app)
    assert card["leave"] == [{"from": "2026-11-23", "to": "2026-11-24"}]
    assert card["quiet_until"] == "2026-11-23T12:05:00.000Z"
    assert (card["available"], card["available_at"]) == (False, "2026-11-24T16:00:00.000Z")
    app.clock.pass_(minutes=5)
    assert me(app)["quiet_until"] is None


# My tier

WEEK, BEFORE = "2026-W47", "2026-W46"


def judged(rep: Rep, converted: int, **changes: Any) -> Inputs:
    inputs = Inputs(rep.rep_id, 2, 20, converted, 0.5, 300.0, newcomer=False)
    return replace(inputs, **changes)


def placed(week: str, inputs: Iterable[Inputs]) -> None:
    """Record what a week's run found of these reps."""
    judged, rules = list(inputs), TierRules()
    placings, measured = place(judged, rules), team_of(judged, rules)
    known = {one.rep_id: one for one in judged}
    wiring().results.record_outlooks(
        week,
        1,
        [explain(known[one.rep_id], one, measured, edges(placings), rules) for one in placings],
    )


def test_a_rep_reads_how_they_were_placed_and_what_the_next_tier_needs(app: App) -> None:
    app.put_playbook(a_playbook(teams=TIERED))
    app.hire(AINA, BEN)
    colleagues = [a_rep(number) for number in range(10, 15)]
    placed(WEEK, [judged(AINA, 5), judged(BEN, 9), *(judged(rep, 6) for rep in colleagues)])
    found = me(app)["tier_outlook"]
    assert found == {
        "week": WEEK,
        "tier": 3,
        "was": 2,
        "counted": True,
        "reason": "",
        "inputs": {"taken": 20, "converted": 5, "attainment": 0.5, "response_seconds": 300.0},
        "score": 37.3864,
        "marks": {
            "conversion": pytest.approx(39.7727, abs=1e-4),
            "attainment": 25.0,
            "speed": 50.0,
        },
        "to_rise": 44.3636,
        "points_missing": 6.9772,
        "conversions_needed": 3,
        "to_fall": None,
    }
    assert BEN.rep_id not in json.dumps(me(app))


def test_outside_the_count_a_rep_reads_why(app: App) -> None:
    app.put_playbook(a_playbook(teams=TIERED))
    app.hire(AINA)
    placed(WEEK, [judged(AINA, 1, newcomer=True, attainment=None, response_seconds=None)])
    found = me(app)["tier_outlook"]
    assert (found["counted"], found["reason"]) == (False, "newcomer")
    assert (found["score"], found["marks"], found["to_rise"]) == (None, None, None)


def test_before_a_week_is_placed_the_one_before_it_is_shown(app: App) -> None:
    app.put_playbook(a_playbook(teams=TIERED))
    app.hire(AINA)
    assert me(app)["tier_outlook"] is None
    placed(BEFORE, [judged(AINA, 1)])
    assert me(app)["tier_outlook"]["week"] == BEFORE
    placed(WEEK, [judged(AINA, 1)])
    assert me(app)["tier_outlook"]["week"] == WEEK
    app.clock.pass_(days=14)
    assert me(app)["tier_outlook"] is None


def test_what_was_only_recorded_is_no_placing_yet(app: App) -> None:
    app.put_playbook(a_playbook(teams=TIERED))
    app.hire(AINA)
    wiring().results.record_inputs(WEEK, [judged(AINA, 1)])
    assert me(app)["tier_outlook"] is None


def test_a_team_that_has_given_up_tiers_shows_none(app: App) -> None:
    app.hire(AINA)
    placed(WEEK, [judged(AINA, 1)])
    assert me(app)["tier_outlook"] is None


def test_the_week_is_that_of_the_teams_zone(app: App) -> None:
    teams = {"north": {"name": "North", "model": "tiers", "zone": "Pacific/Pago_Pago"}}
    app.put_playbook(a_playbook(teams=teams))
    app.hire(AINA)
    placed(WEEK, [judged(AINA, 1)])
    placed(BEFORE, [judged(AINA, 2)])
    # Eleven hours before the team's Monday, and on it.
    app.clock.at = datetime(2026, 11, 23, tzinfo=UTC)
    assert me(app)["tier_outlook"]["week"] == BEFORE
    app.clock.at = datetime(2026, 11, 23, 11, tzinfo=UTC)
    assert me(app)["tier_outlook"]["week"] == WEEK


# My allowance


@pytest.mark.parametrize(
    ("done", "target", "shown"),
    [
        (0, 8, 0.0),
        (3, 8, 37.5),
        (8, 8, 100.0),
        (25, 8, 312.5),
        (2, 3, 66.6),
        # Not all of it is not all of it.
        (9_999_999, 10_000_000, 99.9),
        (5, None, None),
    ],
)
def test_a_rep_reads_what_the_last_month_made_of_their_allowance(
    app: App, done: int, target: int | None, shown: float | None
) -> None:
    app.put_playbook(a_playbook(quota={"enabled": True}))
    app.hire(AINA)
    assert me(app)["allowance"]["leads_a_week"] == 10
    reached = None if target is None else Fraction(done, target)
    result = QuotaResult(done, target, reached, 15, 2)
    assert wiring().results.record_attained(AINA.rep_id, "2026-10", result)
    found = me(app)["allowance"]
    assert found["leads_a_week"] == 15
    assert found["last_month"] == {
        "month": "2026-10",
        "achieved": done,
        "target": target,
        "percent": shown,
        "leads_a_week": 15,
    }


def test_in_the_first_week_the_allowance_is_for_the_days_left_of_it(app: App) -> None:
    app.put_playbook(a_playbook(quota={"enabled": True, "base_per_week": 7}))
    app.hire(replace(AINA, joined_on=date(2026, 11, 25)))
    app.clock.pass_(days=2)
    assert me(app)["allowance"]["leads_a_week"] == 5
    app.clock.pass_(days=5)
    assert me(app)["allowance"]["leads_a_week"] == 7


def test_without_quotas_there_is_no_allowance_whatever_was_stored(app: App) -> None:
    app.hire(AINA)
    result = QuotaResult(1, 1, Fraction(1), 20, 1)
    wiring().results.record_attained(AINA.rep_id, "2026-10", result)
    found = me(app)["allowance"]
    assert (found["leads_a_week"], found["last_month"]) == (None, None)


# On, off, quiet, on leave


def test_a_rep_has_no_alerts_for_a_while_and_may_claim_all_the_same(app: App) -> None:
    app.hire(AINA)
    answer = available(app, {"quiet_minutes": 30})
    assert (answer.status, answer.json) == (200, {"quiet_until": "2026-11-23T12:30:00.000Z"})
    assert now(app).quiet_until == NOON + timedelta(minutes=30)
    assert app.claim(app.lead()).status == 200
    assert available(app, {"quiet_minutes": 0}).json == {"quiet_until": None}
    assert now(app).quiet_until is None
    # They are told of the leads that came meanwhile.
    assert told(app) == [{"kind": "rep.check", "rep_id": AINA.rep_id}]


def test_a_rep_goes_on_leave_and_comes_back(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    answer = available(app, {"leave": [CHRISTMAS, TODAY]})
    assert (answer.status, answer.json) == (200, {"leave": [TODAY, CHRISTMAS]})
    assert app.claim(lead).json["rules"] == ["on_leave"]
    assert now(app).leave == (
        (date(2026, 11, 23), date(2026, 11, 23)),
        (date(2026, 12, 24), date(2026, 12, 31)),
    )
    assert available(app, {"leave": []}).json == {"leave": []}
    assert now(app) == AINA
    assert app.claim(lead).status == 200


def test_all_of_it_in_one_request(app: App) -> None:
    app.hire(AINA)
    body = {"available": False, "minutes": 60, "quiet_minutes": 10_080, "leave": [CHRISTMAS]}
    answer = available(app, body)
    assert answer.json == {
        "available": False,
        "paused_until": "2026-11-23T13:00:00.000Z",
        "quiet_until": "2026-11-30T12:00:00.000Z",
        "leave": [CHRISTMAS],
    }


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"available": True}, ["queue.check", "rep.check"]),
        ({"available": False}, ["waves.check"]),
        ({"leave": [CHRISTMAS]}, ["waves.check", "queue.check", "rep.check"]),
        ({"available": True, "leave": [CHRISTMAS]}, ["waves.check", "queue.check", "rep.check"]),
        ({"quiet_minutes": 5}, []),
        ({"quiet_minutes": 0}, ["rep.check"]),
    ],
)
def test_who_comes_or_goes_has_the_queue_or_the_waves_looked_at(
    app: App, body: dict[str, Any], asked: list[str]
) -> None:
    app.hire(AINA)
    available(app, body)
    assert [message["kind"] for message in told(app)] == asked


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"quiet_minutes": -1}, {"quiet_minutes"}),
        ({"quiet_minutes": 10_081}, {"quiet_minutes"}),
        ({"quiet_minutes": 10**30}, {"quiet_minutes"}),
        ({"quiet_minutes": "30"}, {"quiet_minutes"}),
        ({"quiet_minutes": 1.5}, {"quiet_minutes"}),
        ({"quiet_minutes": True}, {"quiet_minutes"}),
        ({"quiet_minutes": [30]}, {"quiet_minutes"}),
        ({"leave": "2026-12-24"}, {"leave"}),
        ({"leave": CHRISTMAS}, {"leave"}),
        ({"leave": [{"from": "2026-12-31", "to": "2026-12-24"}]}, {"leave"}),
        ({"leave": [{"from": "2026-02-29", "to": "2026-12-24"}]}, {"leave"}),
        ({"leave": [CHRISTMAS] * 9}, {"leave"}),
        # One wrong thing, and nothing of the rest is done either.
        ({"leave": [CHRISTMAS], "quiet_minutes": 10_081}, {"quiet_minutes"}),
        ({"leave": [CHRISTMAS], "available": False, "minutes": 0}, {"minutes"}),
        ({"quiet_minutes": 30, "available": False, "minutes": 721}, {"minutes"}),
        ({"quiet_minutes": 30, "available": "no", "leave": []}, {"available"}),
        (
            {"available": 1, "minutes": 0, "quiet_minutes": -1, "leave": [None]},
            {"available", "minutes", "quiet_minutes", "leave"},
        ),
        ({"quiet_minutes": None, "leave": None}, {"available"}),
        ({"minutes": 30}, {"available"}),
    ],
)
def test_what_cannot_be_is_named_and_nothing_is_stored(
    app: App, body: dict[str, Any], named: set[str]
) -> None:
    app.hire(AINA)
    before = app.everything()
    answer = available(app, body)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert {error["field"] for error in answer.json["errors"]} == named
    assert app.everything() == before
    assert told(app) == []


# A no


def decline(app: App, lead_id: str, what: str = "decline", rep: Rep = AINA) -> None:
    route, bearer = "POST /leads/{lead_id}/" + what, f"Bearer {token_of(rep)}"
    asked = http("http_offers", route, {"lead_id": lead_id}, authorization=bearer)
    assert app.ask("rep", asked).status == 200


def test_a_no_has_the_lead_looked_at_while_a_wave_is_to_come(app: App) -> None:
    app.put_playbook(a_playbook(teams=TIERED))
    app.hire(AINA, BEN)
    lead = app.lead()
    check = {"kind": "lead.check", "lead_id": lead.lead_id, "epoch": 1}
    decline(app, lead.lead_id)
    assert told(app) == [check]
    decline(app, lead.lead_id)
    assert told(app) == [check]
    decline(app, lead.lead_id, "seen")
    assert told(app) == []
    # A quarter of an hour later the last wave of a hot lead has opened.
    app.clock.pass_(minutes=15)
    decline(app, lead.lead_id, rep=BEN)
    assert told(app) == []


def test_a_no_in_an_open_pool_is_only_noted(app: App) -> None:
    app.hire(AINA)
    decline(app, app.lead().lead_id)
    assert told(app) == []


def test_a_no_to_what_somebody_has_taken_is_nothing(app: App) -> None:
    app.put_playbook(a_playbook(teams=TIERED))
    app.hire(AINA, replace(BEN, tier=1))
    lead = app.lead()
    app.clock.pass_(seconds=1)
    assert app.claim(lead, BEN).status == 200
    told(app)
    decline(app, lead.lead_id)
    assert told(app) == []
