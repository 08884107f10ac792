"""`dibs playbook validate` names the settings by which reps get round the rules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dibs.playbook.checks.holes import hole_warnings
from dibs.playbook.checks.teams import warnings
from dibs.rules.playbook_store import playbook_from
from dibs.rules.presets import NAMES, preset_text
from support.builders import a_playbook

ROTATION = {"rotation": ["underdog_week", "speed_week"], "starts": "2026-11-30"}
TIERS = {"model": "tiers"}


def test_a_playbook_that_leaves_nothing_open_is_not_warned_about() -> None:
    assert list(hole_warnings(a_playbook())) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_preset_leaves_a_hole_open(name: str) -> None:
    assert list(hole_warnings(playbook_from(json.loads(preset_text(name))))) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        # Claims undone as often as claimed: the phone number is read, and nothing counted.
        ({"undos_per_day": 10}, "undos_per_day"),
        ({"undos_per_day": 3, "claims_per_day": 3}, "undos_per_day"),
        # Debts that never bind.
        ({"acceptance": {"hot_per_warm": 70}}, "acceptance.hot_per_warm"),
        (
            {"acceptance": {"hot_per_warm": 2}, "blind": {"share_percent": 100}},
            "blind.share_percent",
        ),
        (
            {"acceptance": {"cold_per_week": 2}, "blind": {"share_percent": 100}},
            "blind.share_percent",
        ),
        # A rep's own word.
        ({"game": {"reporting": {"confirm": ["won"]}}}, "game.reporting.confirm"),
        ({"game": {"points": {"activities": {"reference": 500}}}}, "game.reporting.confirm"),
        ({"game": {"reporting": {"rep_days": 400}}}, "game.reporting.rep_days"),
        ({"game": {"reporting": {"rep_most": 10**11}}}, "game.reporting.rep_most"),
        ({"game": {"reporting": {"prompt_seconds": 86_400}}}, "game.reporting.prompt_seconds"),
        *(
            (
                {"game": {"reporting": {"types": {name: rule}}}},
                f"game.reporting.types.{name}.{what}",
            )
            for name, rule, what in (
                ("csat", {"by": ["rep"]}, "by"),
                ("nps", {}, "by"),
                ("confirmation", {}, "by"),
                ("upsell", {"without_lead": True}, "without_lead"),
                ("upsell", {"rep_most": 10**12}, "rep_most"),
                ("won", {"rep_days": 365}, "rep_days"),
            )
        ),
        # Few leads.
        ({**TIERS, "tiers": {"minimum_sample": 0}}, "tiers.minimum_sample"),
        ({**TIERS, "tiers": {"prior_sample": 0}}, "tiers.prior_sample"),
        ({"game": {"minimum_sample": 0}}, "game.minimum_sample"),
        ({"game": {"minimum_sample": 1}}, "game.minimum_sample"),
        (
            {
                "game": {
                    "metrics": {
                        "response_time": {
                            "formula": "mean(response_seconds)",
                            "means": "the mean",
                            "better": "less",
                            "minimum": 1,
                        }
                    }
                }
            },
            "game.metrics.response_time.minimum",
        ),
        # Challenges.
        ({"game": {"challenges": {**ROTATION, "minimum": 0}}}, "game.challenges.minimum"),
        (
            {
                "game": {
                    "challenges": {
                        **ROTATION,
                        "rules": {"underdog_week": {"formula": "sum(points)", "improvement": True}},
                    }
                }
            },
            "game.challenges.rules.underdog_week.prior",
        ),
        (
            {
                "game": {
                    "reporting": {"rep_days": 20},
                    "challenges": {
                        **ROTATION,
                        "rules": {"speed_week": {"formula": "count(taken)", "late_days": 14}},
                    },
                }
            },
            "game.challenges.rules.speed_week.late_days",
        ),
    ],
)
def test_a_setting_that_opens_a_way_round_is_named_with_what_to_set(
    changes: dict[str, Any], field: str
) -> None:
    playbook = a_playbook(**changes)
    found = list(hole_warnings(playbook))
    assert {warning.field for warning in found} == {field}
    assert set(found) <= set(warnings(playbook))
    assert all(any(w in one.problem for w in ("lower", "use", "leave", "add")) for one in found)


@pytest.mark.parametrize(
    "changes",
    [
        {"undos_per_day": 100, "undo_seconds": 0},
        {"tiers": {"minimum_sample": 0, "prior_sample": 0}},  # no team has tiers
        {"acceptance": {"hot_per_warm": 2}, "blind": {"share_percent": 99}},
        {"game": {"reporting": {"types": {"upsell": {"by": ["system"], "without_lead": True}}}}},
        {"game": {"challenges": {"minimum": 0}}},  # none is held
        {
            "game": {"metrics": {"sold": {"formula": "count(won)", "means": "deals", "minimum": 0}}}
        },  # adds up
    ],
)
def test_what_opens_nothing_is_not_warned_about(changes: dict[str, Any]) -> None:
    assert list(hole_warnings(a_playbook(**changes))) == []
