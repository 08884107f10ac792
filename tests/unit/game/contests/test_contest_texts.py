"""A contest's rules in words: one sentence for each rule that is on (G4-G7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from dibs.game.contests.rules import Contest, Minimum, figure_of, figures_of
from dibs.game.contests.texts import rules_in_words
from support.builders import a_playbook

RULES = a_playbook()
PLAIN = Contest(
    "week", "The week", "individual", date(2026, 11, 30), date(2026, 12, 6), metric="claims"
)
ALWAYS = [
    "Activities reported up to 2 days after the end still count; then the result is final.",
    "The entrants are fixed at the start: whoever joins later is not in, "
    "whoever leaves keeps their score.",
]
LEVEL = "Those still tied share the place and its prize."


def told(**changes: Any) -> list[str]:
    contest = replace(PLAIN, **changes)
    figures = {name: figure_of(name, RULES) for name in contest.figures}
    return rules_in_words(contest, figures, "en")


def test_a_plain_contest_is_told_in_five_sentences() -> None:
    assert told() == [
        "What counts: claims (Leads claimed).",
        "The highest wins.",
        LEVEL,
        *ALWAYS,
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"improvement": True}, "What counts is the improvement over the 7 days before."),
        (
            {"improvement": True, "last_day": PLAIN.first_day},
            "What counts is the improvement over the 1 day before.",
        ),
        ({"handicap": "own_target"}, "It is counted as a percentage of each rep's own target."),
        ({"per_head": True}, "Sides are compared by their average per rep."),
        (
            {"kind": "hybrid"},
            "Each rep's result adds to their side's total; "
            "the best of the winning side are honoured.",
        ),
        ({"minimum": Minimum("sales", 3)}, "To be placed, sales must be at least 3."),
        ({"keeps": "conversion"}, "conversion may not be worse than in the 28 days before."),
        ({"tie_breakers": ("sales", "points")}, "Ties are broken by: sales, points."),
        ({"prize": "Dinner"}, "Prize: Dinner"),
    ],
)
def test_each_rule_has_its_sentence(changes: dict[str, Any], sentence: str) -> None:
    found = told(**changes)
    assert sentence in found
    assert len(found) == 6
    assert sentence not in told()


def test_the_sample_an_average_needs_and_the_own_past_are_told() -> None:
    figures = figures_of(replace(PLAIN, metric="response_time"), RULES)

    def about(**changes: Any) -> str:
        contest = replace(PLAIN, metric="response_time", **changes)
        return " ".join(rules_in_words(contest, figures, "en"))

    least = "To be placed, response_time must come from at least {} leads, calls or hours."
    assert least.format(5) in about()
    assert least.format(3) in about(minimum=Minimum("leads", 3))
    assert "must come from" not in " ".join(told())
    assert "passes their own past" in about(improvement=True, prior=100)
    assert "100 is added to that past" in about(improvement=True, prior=100)


def test_where_less_is_better_the_lowest_wins_and_the_largest_improvement() -> None:
    assert told(metric="response_time")[1] == "The lowest wins."
    assert told(metric="response_time", improvement=True)[1] == "The highest wins."


def test_a_formula_is_told_as_it_is_and_what_it_means_where_that_is_known() -> None:
    assert told(metric="count(call) / 2")[0] == "What counts: count(call) / 2."
    assert told(metric="count(claimed)")[0] == "What counts: count(claimed) (Leads claimed)."


def test_tiers_have_their_own() -> None:
    by_tier = {"2": ("claims", "sales"), "1": ("claims",)}
    assert told(metric="", metric_by_tier=by_tier)[:2] == [
        "Tier 1: claims (Leads claimed).",
        "Tier 2: claims (Leads claimed), sales (Deals won, upsold and cross-sold).",
    ]


def test_a_lottery_tells_its_tickets_and_no_place_is_shared() -> None:
    assert told(metric="", tickets={"won": 5, "call": 1}, late_days=1) == [
        "Tickets for each won: 5.",
        "Tickets for each call: 1.",
        "The winners are drawn at random, with a seed that is fixed at the start.",
        ALWAYS[0].replace("2 days", "1 day"),
        ALWAYS[1],
    ]
