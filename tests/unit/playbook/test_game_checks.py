"""What makes no sense in the playbook's game is named by its place; what nobody can reach, too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from dibs.core.errors import FieldError, InvalidInput
from dibs.ledger.activities import TYPES
from dibs.playbook.checks.game import game_problems, game_warnings
from dibs.playbook.checks.holes import hole_warnings
from dibs.playbook.checks.teams import problems, rules_on, warnings
from dibs.playbook.file import playbook_of
from dibs.rules.presets import NAMES, preset_text
from support.builders import a_playbook

STEP = {"name": "Safety", "type": "training_step"}
WEEKLY = {"formula": "count(claimed)", "per": "week", "name": "Own"}


def found(game: dict[str, Any], **rules: Any) -> list[FieldError]:
    errors = list(game_problems(a_playbook(game=game, **rules)))
    assert all(error.problem for error in errors)
    return errors


def places(game: dict[str, Any], **rules: Any) -> list[str]:
    return [error.field for error in found(game, **rules)]


def metric(formula: str = "count(won)", means: str = "Deals.", **more: Any) -> dict[str, Any]:
    return {"formula": formula, "means": means, **more}


def quest(**changes: Any) -> dict[str, Any]:
    return {"first": {"name": "First week", "steps": {"safety": STEP}, **changes}}


def badge(**changes: Any) -> dict[str, Any]:
    return {"own": {**WEEKLY, "at_least": 1, **changes}}


LEVEL = {"name": "Silver", "from_points": 100}


@pytest.mark.parametrize(
    "game",
    [
        {},
        {"activities": ("site_visit",), "points": {"activities": {"site_visit": 3, "call": 1}}},
        {"activities": tuple(f"visit_{n}" for n in range(20))},
        {"activities": ("site_visit",), "metrics": {"visits": metric("count(site_visit)")}},
        {"metrics": {"sales": metric("count(won)")}},
        {"metrics": {"a" * 40: metric(means="x" * 200)}},
        {"metrics": {f"m{n}": metric() for n in range(50)}},
        {"badges": {}},
        {"badges": badge(name="Ö" * 80, formula="count(quest_first)"), "quests": quest()},
        {"levels": (LEVEL, {"name": "Gold", "from_points": 101})},
        {"levels": ({"name": "Bronze", "from_points": 0}, LEVEL)},
        {"quests": quest(badge="Ready", points=100_000, within_days=730)},
        {"challenges": {"rotation": ("speed_week",) * 13, "starts": "2026-11-23"}},
        {"challenges": {"prize_points": (7, 7, 0), "prize": "Lunch with the board"}},
    ],
)
def test_a_game_that_makes_sense_has_no_problems(game: dict[str, Any]) -> None:
    assert places(game) == []


@pytest.mark.parametrize(
    ("game", "named"),
    [
        # Activities
        ({"activities": ("Site visit",)}, ["game.activities.0"]),
        ({"activities": ("call",)}, ["game.activities.0"]),
        ({"activities": ("reversal",)}, ["game.activities.0"]),
        ({"activities": ("claimed",)}, ["game.activities.0"]),
        ({"activities": ("ok", "customers")}, ["game.activities.1"]),
        ({"activities": ("revenue",)}, ["game.activities.0"]),
        ({"activities": ("quest_first",)}, ["game.activities.0"]),
        ({"activities": ("lambda",)}, ["game.activities.0"]),  # no formula could name it
        ({"activities": ("visit", "visit")}, ["game.activities"]),
        ({"activities": tuple(f"visit_{n}" for n in range(21))}, ["game.activities"]),
        ({"points": {"activities": {"visit": 1}}}, ["game.points.activities.visit"]),
        ({"points": {"activities": {"call": 0}}}, ["game.points.activities.call"]),
        ({"points": {"activities": {"call": 100_001}}}, ["game.points.activities.call"]),
        # Metrics
        ({"metrics": {"Sales": metric()}}, ["game.metrics.Sales"]),
        ({"metrics": {"a" * 41: metric()}}, [f"game.metrics.{'a' * 41}"]),
        ({"metrics": {"response_speed": metric()}}, ["game.metrics.response_speed"]),
        ({"metrics": {"own": metric("count(visit)")}}, ["game.metrics.own.formula"]),
        ({"metrics": {"own": metric("1 +")}}, ["game.metrics.own.formula"]),
        ({"metrics": {"own": metric(means=" ")}}, ["game.metrics.own.means"]),
        ({"metrics": {"own": metric(means="x" * 201)}}, ["game.metrics.own.means"]),
        ({"metrics": {"own": metric(means="two\nlines")}}, ["game.metrics.own.means"]),
        ({"metrics": {f"m{n}": metric() for n in range(51)}}, ["game.metrics"]),
        # Badges
        ({"badges": {"Own": badge()["own"]}}, ["game.badges.Own"]),
        ({"badges": {"quest_first": badge()["own"]}}, ["game.badges.quest_first"]),
        ({"badges": badge(name="")}, ["game.badges.own.name"]),
        ({"badges": badge(name="x" * 81)}, ["game.badges.own.name"]),
        ({"badges": badge(formula="count(quest_first)")}, ["game.badges.own.formula"]),
        ({"badges": badge(at_least=0)}, ["game.badges.own.at_least"]),
        ({"badges": {f"b{n}": badge()["own"] for n in range(51)}}, ["game.badges"]),
        # Levels
        ({"levels": (LEVEL, LEVEL)}, ["game.levels.1.from_points"]),
        ({"levels": ({**LEVEL, "from_points": -1},)}, ["game.levels.0.from_points"]),
        ({"levels": ({**LEVEL, "name": ""},)}, ["game.levels.0.name"]),
        (
            {"levels": tuple({"name": "L", "from_points": n} for n in range(21))},
            ["game.levels"],
        ),
        # Quests
        ({"quests": {"First week": quest()["first"]}}, ["game.quests.First week"]),
        ({"quests": quest(name=" ")}, ["game.quests.first.name"]),
        ({"quests": quest(badge="x" * 81)}, ["game.quests.first.badge"]),
        ({"quests": quest(points=-1)}, ["game.quests.first.points"]),
        ({"quests": quest(within_days=731)}, ["game.quests.first.within_days"]),
        ({"quests": quest(steps={})}, ["game.quests.first.steps"]),
        ({"quests": quest(steps={f"s{n}": STEP for n in range(31)})}, ["game.quests.first.steps"]),
        ({"quests": quest(steps={"Safety": STEP})}, ["game.quests.first.steps.Safety"]),
        (
            {"quests": quest(steps={"safety": {**STEP, "name": ""}})},
            ["game.quests.first.steps.safety.name"],
        ),
        ({"quests": {f"q{n}": quest()["first"] for n in range(21)}}, ["game.quests"]),
        # Challenges
        ({"challenges": {"starts": "2026-11-24"}}, ["game.challenges.starts"]),
        ({"challenges": {"rotation": ("speed_week",) * 14}}, ["game.challenges.rotation"]),
        ({"challenges": {"prize_points": (1, 2, 0)}}, ["game.challenges.prize_points"]),
        ({"challenges": {"prize_points": (2, 1, -1)}}, ["game.challenges.prize_points.2"]),
        ({"challenges": {"prize_points": (100_001, 0, 0)}}, ["game.challenges.prize_points.0"]),
        ({"challenges": {"prize": "x" * 201}}, ["game.challenges.prize"]),
        (
            {"challenges": {"rules": {"slow_week": {"formula": "claims"}}}},
            ["game.challenges.rules.slow_week"],
        ),
        (
            {"challenges": {"rules": {"speed_week": {"formula": "clams", "minimum_of": "1 +"}}}},
            [
                "game.challenges.rules.speed_week.formula",
                "game.challenges.rules.speed_week.minimum_of",
            ],
        ),
        (
            {"challenges": {"rules": {"speed_week": {"formula": "claims", "prior": 5}}}},
            ["game.challenges.rules.speed_week.prior"],
        ),
        (
            {"challenges": {"rules": {"speed_week": {"formula": "claims", "late_days": 32}}}},
            ["game.challenges.rules.speed_week.late_days"],
        ),
        # Minimums, boards, times, tiers
        ({"metrics": {"own": metric(minimum=-1)}}, ["game.metrics.own.minimum"]),
        ({"metrics": {"own": metric(sample="count(visit)")}}, ["game.metrics.own.sample"]),
        ({"boards": ("points", "points")}, ["game.boards"]),
        ({"boards": ("points", "visits")}, ["game.boards.1"]),
        ({"speed": {"short_seconds": 3601}}, ["game.speed.short_seconds"]),
        ({"tier_metrics": {"4": ("revenue",)}}, ["game.tier_metrics.4"]),
        ({"tier_metrics": {"1": ("clams",)}}, ["game.tier_metrics.1"]),
    ],
)
def test_what_makes_no_sense_is_named_by_its_place(game: dict[str, Any], named: list[str]) -> None:
    assert places(game) == named
    assert [error.field for error in problems(a_playbook(game=game))] == named


def test_every_problem_says_how_to_mend_it() -> None:
    said = {
        error.field: error.problem
        for error in found(
            {
                "activities": ("call",),
                "metrics": {"response_speed": metric(), "own": metric("count(clamed)")},
                "challenges": {"starts": "2026-11-24"},
            }
        )
    }
    assert said == {
        "game.activities.0": "'call' has a meaning already; choose another name",
        "game.metrics.response_speed": ("a board of its own has that name (M3); use response_time"),
        "game.metrics.own.formula": (
            "count knows no 'clamed', at letter 7; did you mean 'claimed'?"
        ),
        "game.challenges.starts": "is a Tuesday; a challenge's week starts on Monday",
    }


def test_no_shipped_activity_can_be_added_again() -> None:
    assert len(places({"activities": TYPES[:20]})) == 20


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([1, 2], "is missing; write three, one for each place"),
        ([4, 3, 2, 1], "has 4; write three, one for each place"),
        ([3, "2", 1], "is '2'; write a whole number"),
    ],
)
def test_a_file_says_how_many_prizes_there_are(points: list[Any], said: str) -> None:
    game = {"challenges": {"prize_points": points}}
    with pytest.raises(InvalidInput) as refused:
        playbook_of({"preset": "p", "fits": "F.", "teams": {"a": {"name": "A"}}, "game": game})
    assert [error.problem for error in refused.value.errors] == [said]


# What nobody can reach (G2)


def unreachable(at_least: int, per: str = "week", **rules: Any) -> bool:
    """Tell whether a badge for so many claims is warned about; one claim fewer never is worse."""
    formula = rules.pop("formula", "count(claimed)")
    own = badge(at_least=at_least, per=per, formula=formula)
    game = {"badges": own, **rules.pop("game", {})}
    told = list(game_warnings(a_playbook(game=game, **rules)))
    assert {error.field for error in told} <= {"game.badges.own.at_least"}
    return bool(told)


@pytest.mark.parametrize(
    ("most", "per", "rules"),
    [
        (10, "day", {}),
        (70, "week", {}),
        (310, "month", {}),
        (920, "quarter", {}),
        (35, "week", {"claims_per_day": 5}),
        (40, "week", {"limits": [{"most": 40, "per": "week"}]}),
        (6 * 40, "month", {"limits": [{"most": 40, "per": "week"}]}),
        (14 * 40, "quarter", {"limits": [{"most": 40, "per": "week"}]}),
        (7, "day", {"limits": [{"most": 7, "per": "day"}]}),
        (25, "day", {"limits": [{"most": 1, "per": "hour"}], "claims_per_day": 99}),
        (169, "week", {"limits": [{"most": 1, "per": "hour"}], "claims_per_day": 99}),
        (70, "week", {"limits": [{"most": 1, "per": "in_hand"}]}),
        # A tier without the limit can.
        (70, "week", {"limits": [{"most": 1, "per": "week", "tiers": [2, 3]}]}),
        (
            20,
            "week",
            {"limits": [{"most": 9, "per": "week", "tiers": [2, 3]}, {"most": 20, "per": "week"}]},
        ),
        (20, "week", {"quota": {"enabled": True, "base_per_week": 10}}),  # at most twice the base
        (70, "week", {"quota": {"enabled": False, "base_per_week": 10}}),
    ],
)
def test_a_badge_for_more_claims_than_there_can_be_is_told(
    most: int, per: str, rules: Mapping[str, Any]
) -> None:
    assert not unreachable(most, per, **rules)
    assert unreachable(most + 1, per, **rules)


@pytest.mark.parametrize(
    ("per", "formula", "rules"),
    [
        ("all", "count(claimed)", {}),
        ("week", "count(call)", {}),  # as many as there are hours
        ("week", "count(taken)", {}),  # some are assigned
        ("week", "sum(points)", {}),
        ("week", "count(claimed) + count(won)", {}),
        ("week", "1000", {}),
        ("week", "count(claimed) * count(call)", {}),
    ],
)
def test_what_has_no_limit_is_not_told(per: str, formula: str, rules: dict[str, Any]) -> None:
    assert not unreachable(1000, per, formula=formula, **rules)


@pytest.mark.parametrize("name", ["claimed_and_contacted", "opportunities", "customers"])
def test_what_follows_from_claims_is_no_more_than_they_are(name: str) -> None:
    assert not unreachable(70, formula=f"count({name})")
    assert unreachable(71, formula=f"count({name})")


def test_the_shipped_badges_are_told_where_limits_make_them_unreachable() -> None:
    [told] = game_warnings(a_playbook(claims_per_day=7))
    assert told.field == "game.badges.unstoppable.at_least"
    assert told.problem == (
        "is 50, but the limits allow 49 claims a week: nobody gets it; lower it, or let it be "
        "reached over a longer time"
    )
    assert told in warnings(a_playbook(claims_per_day=7))
    assert list(game_warnings(a_playbook(claims_per_day=8))) == []


def test_a_challenge_nobody_is_placed_in_is_told() -> None:
    claims = {"speed_week": {"formula": "claim_speed", "minimum_of": "claims"}}

    def told(minimum: int, **more: Any) -> list[str]:
        challenges = {"rotation": ["speed_week"], "starts": "2026-11-23", "rules": claims, **more}
        game = {"badges": {}, "challenges": {**challenges, "minimum": minimum}}
        return [error.field for error in game_warnings(a_playbook(claims_per_day=1, game=game))]

    assert told(7) == []
    assert told(8) == ["game.challenges.minimum"]
    assert told(8, rotation=[]) == []
    assert told(7, starts=None) == ["game.challenges.starts"]
    assert told(8, rules={}) == []  # leads are assigned too


def test_a_quota_binds_claims_and_assignments_alike() -> None:
    quota = {"enabled": True, "base_per_week": 10}  # at most twice the base
    for least, fields in ((20, []), (21, ["game.badges.own.at_least"])):
        game = {"badges": badge(formula="count(contacted_leads)", at_least=least)}
        for model in ("open-pool", "tiers"):
            told = game_warnings(a_playbook(model=model, game=game, quota=quota))
            assert [one.field for one in told] == fields


@pytest.mark.parametrize(
    ("formula", "most"),
    [
        ("2 * count(claimed)", 140),
        ("count(claimed) - 10", 60),
        ("count(claimed) / 2", 35),
        ("count(claimed) + count(customers)", 140),
        ("max(count(claimed), 12)", 70),
        ("min(count(claimed), count(call))", 70),
        ("-count(call) + count(claimed)", 70),
    ],
)
def test_what_is_worked_out_from_claims_is_bound_by_them(formula: str, most: int) -> None:
    assert not unreachable(most, formula=formula)
    assert unreachable(most + 1, formula=formula)


# Where nobody claims

ASSIGNED = ("speed-board", "round-robin")
RACES = {"north": {"name": "North", "model": "open-pool"}}
MIXED = {**RACES, "south": {"name": "South", "model": "round-robin"}}
ROTATION = {
    "rotation": ["speed_week", "quality_month", "volume_sprint", "underdog_week"],
    "starts": "2026-11-23",
}


def fields(game: Mapping[str, Any], **rules: Any) -> list[str]:
    return [error.field for error in game_warnings(a_playbook(game=game, **rules))]


@pytest.mark.parametrize("model", ASSIGNED)
def test_where_nobody_claims_what_needs_claims_is_told(model: str) -> None:
    assert fields({"challenges": ROTATION}, model=model) == [
        "game.badges.closer.formula",
        "game.badges.unstoppable.formula",
        "game.challenges.rules.quality_month",
        "game.challenges.rules.volume_sprint",
        "game.boards.claims",
        "game.boards.claim_speed",
        "game.boards.conversion",
        "game.boards.opportunities",
    ]


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("count(claimed)", True),
        ("3 * count(claimed) + count(customers)", True),
        ("count(claimed_customers) / count(claimed)", True),
        ("count(claimed_customers) / max(count(claimed), 1)", True),
        ("100 * count(claimed_opportunities) / count(taken)", True),
        ("10 - mean(claim_seconds)", True),
        ("min(count(claimed), count(call))", True),
        ("count(claimed) + count(won)", False),
        ("max(count(claimed), count(call))", False),
        ("10 - count(claimed)", False),
        ("count(won) / count(taken)", False),
        ("sum(points)", False),
        ("sum(claimed_revenue)", False),  # all leads count there
    ],
)
def test_whatever_the_formula_it_is_told_by_what_it_counts(formula: str, told: bool) -> None:
    game = {"badges": badge(formula=formula), "boards": ["points"]}
    assert fields(game, model="round-robin") == ["game.badges.own.formula"] * told


def test_in_a_mixed_organisation_the_teams_left_out_are_named() -> None:
    found = list(game_warnings(a_playbook(teams=MIXED, game={"challenges": ROTATION})))
    assert [one.field for one in found] == [
        "game.badges.closer.formula",
        "game.badges.unstoppable.formula",
        "game.challenges.rules.quality_month",
        "game.challenges.rules.volume_sprint",
    ]
    assert all("in South:" in one.problem for one in found)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_playbooks_boards_badges_and_challenges_fit_its_model(name: str) -> None:
    data = json.loads(preset_text(name))
    data.setdefault("game", {}).setdefault("challenges", {}).update(ROTATION)
    assert list(game_warnings(playbook_of(data))) == []


def test_both_presets_without_a_race_have_the_same_game() -> None:
    one, other = (json.loads(preset_text(name))["game"] for name in ASSIGNED)
    assert one == other


@pytest.mark.parametrize("name", NAMES)
def test_every_badge_of_a_shipped_playbook_can_be_won(name: str) -> None:
    preset = playbook_of(json.loads(preset_text(name)))
    assert list(game_warnings(preset)) == []
    assert set(preset.game.badges) == {"speed_demon", "closer", "unstoppable", "team_player"}
    assert {w.field for w in warnings(preset)} == {
        "teams.sales.zone",
        "teams.sales.fallback",
        "work.until_first_activity",
    }


# Which rules are on


@pytest.mark.parametrize(
    ("game", "on"),
    [
        ({}, "G1 G2 G3 G9 G11 K2"),
        ({"badges": {}}, "G1 G3 G9 G11 K2"),
        (
            {"points": {"claim": 0, "contact": 0, "opportunity": 0, "won": 0, "helped": 0}},
            "G2 G3 G9 K2",
        ),
        (
            {
                "points": {
                    "claim": 0,
                    "contact": 0,
                    "opportunity": 0,
                    "won": 0,
                    "helped": 0,
                    "activities": {"call": 1},
                }
            },
            "G1 G2 G3 G9 K2",
        ),
        ({"help": {"paid_per_pair_per_month": 0}}, "G1 G2 G3 G9 K2"),
        ({"challenges": {"rotation": ["speed_week"]}}, "G1 G2 G3 G9 G11 K2"),
        ({"challenges": {"starts": "2026-11-23"}}, "G1 G2 G3 G9 G11 K2"),
        (
            {"challenges": {"rotation": ["speed_week"], "starts": "2026-11-23"}},
            "G1 G2 G3 G7 G9 G11 K2",
        ),
        ({"quests": quest()}, "G1 G2 G3 G8 G9 G11 K2"),
    ],
)
def test_which_rules_of_the_game_are_on(game: dict[str, Any], on: str) -> None:
    known = [rule for rule in rules_on(a_playbook(game=game)) if rule[0] in "GK"]
    assert known == on.split()


@pytest.mark.parametrize(
    ("game", "field"),
    [
        ({"rates": [{"currency": "myr", "since": "2026-01-01", "rate": 1}]}, "rates.0.currency"),
        ({"rates": [{"currency": "USD", "since": "2026-01-01", "rate": 1}]}, "rates.0.currency"),
        ({"rates": [{"currency": "MYR", "since": "2026-01-01", "rate": 0}]}, "rates.0.rate"),
        ({"rates": [{"currency": "MYR", "since": "2026-01-01", "rate": 1}] * 2}, "rates.1"),
        ({"reporting": {"rep_days": -1}}, "reporting.rep_days"),
        ({"reporting": {"confirm": ["sang"]}}, "reporting.confirm.sang"),
        ({"reporting": {"types": {"sang": {}}}}, "reporting.types.sang"),
        ({"reporting": {"types": {"won": {"by": []}}}}, "reporting.types.won.by"),
        ({"reporting": {"types": {"won": {"rep_most": -1}}}}, "reporting.types.won.rep_most"),
    ],
)
def test_what_is_believed_of_reports_makes_sense(game: dict[str, Any], field: str) -> None:
    found = [problem.field for problem in game_problems(a_playbook(game=game))]
    assert found == [f"game.{field}"]


@pytest.mark.parametrize(
    ("game", "warned"),
    [
        ({}, []),
        ({"reporting": {"confirm": ["won"]}}, ["confirm"]),
        ({"reporting": {"confirm": []}}, ["confirm", "confirm"]),
        ({"reporting": {"confirm": [], "types": {"won": {"by": ["system"]}}}}, ["confirm"]),
        ({"points": {"activities": {"reference": 500}}}, ["confirm"]),
        ({"reporting": {"rep_days": 400}}, ["rep_days"]),
    ],
)
def test_what_reps_earn_by_their_word_alone_is_warned_about(
    game: dict[str, Any], warned: list[str]
) -> None:
    found = [warning.field for warning in hole_warnings(a_playbook(game=game))]
    assert found == [f"game.reporting.{name}" for name in warned]
