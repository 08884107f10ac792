"""Matching a lead with a rep (R1-R6): each rule when it refuses and when it does not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from dibs.core.lead import Lead
from dibs.core.quality import Quality
from dibs.core.rep import Usage
from dibs.race.decide import Eligible, decide
from dibs.race.matching import mismatches, skills_needed
from dibs.race.opening import opening
from dibs.rules.rules import Matching
from support.builders import NOON, a_lead, a_playbook, a_rep

ALL = {
    "territory": True,
    "segment": True,
    "skills": ["solar", "heat pumps"],
    "languages": True,
    "interests": True,
}
SECOND = timedelta(seconds=1)


def codes(lead: dict[str, Any], rep: dict[str, Any], matching: dict[str, Any]) -> list[str]:
    playbook = a_playbook(matching=matching)
    return [found.code for found in mismatches(a_lead(**lead), a_rep(**rep), playbook)]


@pytest.mark.parametrize(
    ("lead", "rep", "refused"),
    [
        # Territory (R1): a rep with territories gets leads of these, and leads without one.
        ({"territory": "Sarawak"}, {"territories": ("Sarawak",)}, []),
        ({"territory": "Sarawak"}, {"territories": ("Sabah", "Sarawak")}, []),
        ({"territory": "Sarawak"}, {"territories": ("Sabah",)}, ["territory"]),
        ({"territory": "Sarawak"}, {"territories": ("Sarawak 2", "awak")}, ["territory"]),
        ({"territory": "Sarawak"}, {"territories": ("sarawak",)}, []),  # case does not matter
        ({"territory": "Sarawak"}, {}, []),
        ({}, {"territories": ("Sabah",)}, []),
        # Segment (R2).
        ({"segment": "new"}, {"segments": ("new", "existing")}, []),
        ({"segment": "high value"}, {"segments": ("new", "existing")}, ["segment"]),
        ({"segment": "new"}, {}, []),
        ({}, {"segments": ("new",)}, []),
        # Skills (R3): each need, at its level or above.
        ({"needs": (("solar", 2),)}, {"skills": (("solar", 1),)}, ["skills"]),
        ({"needs": (("solar", 2),)}, {"skills": (("solar", 2),)}, []),
        ({"needs": (("solar", 2),)}, {"skills": (("solar", 3),)}, []),
        ({"needs": (("solar", 1),)}, {}, ["skills"]),
        ({"needs": (("solar", 1), ("heat pumps", 1))}, {"skills": (("solar", 5),)}, ["skills"]),
        (
            {"needs": (("solar", 1), ("heat pumps", 2))},
            {"skills": (("heat pumps", 2), ("solar", 1))},
            [],
        ),
        # A need that is no longer a skill in the playbook requires nothing.
        ({"needs": (("wind", 5),)}, {}, []),
        # Languages (R3): without script and region; by default the rep's own.
        ({"language": "ms"}, {"speaks": ("en", "ms")}, []),
        ({"language": "ms"}, {"speaks": ("en",)}, ["language"]),
        ({"language": "zh-Hant"}, {"speaks": ("zh-Hans",)}, []),
        ({"language": "zh"}, {"speaks": ("zh-Hans-SG",)}, []),
        ({"language": "EN_gb"}, {"speaks": ("en-US",)}, []),
        ({"language": "en"}, {"speaks": ("enm",)}, ["language"]),
        ({"language": "ms"}, {"language": "ms"}, []),
        ({"language": "ms"}, {"language": "en"}, ["language"]),
        ({"language": "ms"}, {"language": "ms", "speaks": ("en",)}, ["language"]),
        ({}, {"speaks": ("ms",)}, []),
        # Interests (R4), in the lead's product.
        ({"product": "panels"}, {"interests": ("panels",)}, []),
        ({"product": "panels"}, {"interests": ("pumps",)}, ["interests"]),
        ({"product": "panels"}, {}, []),
        ({}, {"interests": ("pumps",)}, []),
        # Pods (R5): only members get a pod's lead; members also get leads without a pod.
        ({"pods": ("red",)}, {"pod": "red"}, []),
        ({"pods": ("blue", "red")}, {"pod": "red"}, []),
        ({"pods": ("red",)}, {"pod": "blue"}, ["other_pod"]),
        ({"pods": ("red",)}, {}, ["other_pod"]),
        ({}, {"pod": "red"}, []),
        # Several at once, in the order of the rules.
        (
            {
                "pods": ("red",),
                "territory": "Sarawak",
                "segment": "new",
                "needs": (("solar", 1),),
                "language": "ms",
                "product": "panels",
            },
            {"territories": ("Sabah",), "segments": ("old",), "interests": ("pumps",)},
            ["other_pod", "territory", "segment", "skills", "language", "interests"],
        ),
    ],
)
def test_a_lead_goes_to_whom_it_fits(
    lead: dict[str, Any], rep: dict[str, Any], refused: list[str]
) -> None:
    assert codes(lead, rep, ALL) == refused
    verdict = decide(a_lead(**lead), a_rep(**rep), Usage(), a_playbook(matching=ALL), NOON)
    assert [r.code for r in getattr(verdict, "refusals", ())] == refused
    assert getattr(verdict, "lifts_at", None) is None


MISFIT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "territory": ({"territory": "a"}, {"territories": ("b",)}),
    "segment": ({"segment": "a"}, {"segments": ("b",)}),
    "skills": ({"needs": (("solar", 1),)}, {}),
    "languages": ({"language": "ms"}, {}),
    "interests": ({"product": "a"}, {"interests": ("b",)}),
}


@pytest.mark.parametrize("on", MISFIT)
def test_only_the_rules_that_are_on_bind(on: str) -> None:
    lead = {name: value for ours, _ in MISFIT.values() for name, value in ours.items()}
    rep = {name: value for _, theirs in MISFIT.values() for name, value in theirs.items()}
    code = on.removesuffix("s") if on == "languages" else on
    assert codes(lead, rep, {on: ALL[on]}) == [code]
    assert codes(lead, rep, {}) == []


@pytest.mark.parametrize(
    ("needs", "asked"),
    [
        ((), ()),
        (("solar",), (("solar", 1),)),
        (("solar:2",), (("solar", 2),)),
        ((" solar : 2 ",), (("solar", 2),)),
        (("solar:0",), (("solar", 1),)),
        (("solar:5",), (("solar", 5),)),
        (("solar:99",), (("solar", 5),)),
        (("solar:2", "solar", "solar:3", "solar:1"), (("solar", 3),)),
        (("a:b:4",), (("a:b", 4),)),
        # Needs that are not skills in the playbook are for people to read.
        (("wind:2", "Solar:2", "solar:two", "solar:-1", "solar:²", ":2", "solar:"), ()),
        # The first three are kept.
        (
            ("one", "two:2", "three", "four:4", "two:5"),
            (("one", 1), ("two", 5), ("three", 1)),
        ),
    ],
)
def test_needs_that_are_skills_ask_for_a_level(
    needs: tuple[str, ...], asked: tuple[tuple[str, int], ...]
) -> None:
    skills = ("solar", "one", "two", "three", "four", "a:b")
    assert skills_needed(needs, Matching(skills=skills)) == asked


# Performance first (R6)


def opened(lead: Lead, first: list[dict[str, Any]], **rules: Any) -> tuple[datetime | None, ...]:
    return opening(lead, a_playbook(performance_first=first, **rules), NOON).openings("north")


KIND = {
    "source": "google-ads",
    "territory": "Sarawak",
    "segment": "new",
    "product": "panels",
    "quality": "hot",
}
LEAD = a_lead(territory="Sarawak", segment="new", product="panels")
STEPS = {"offsets": [0, 60, 120]}
IN_STEPS = (NOON, NOON + 60 * SECOND, NOON + 120 * SECOND)
AT_ONCE = (NOON, NOON, NOON)


@pytest.mark.parametrize("name", KIND)
def test_leads_of_a_named_kind_open_tier_by_tier(name: str) -> None:
    assert opened(LEAD, [{name: KIND[name], **STEPS}]) == IN_STEPS
    other = "cold" if name == "quality" else "other"
    assert opened(LEAD, [{name: other, **STEPS}]) == AT_ONCE
    assert opened(LEAD, [{**KIND, name: other, **STEPS}]) == AT_ONCE
    assert opened(LEAD, [{**KIND, **STEPS}]) == IN_STEPS


def test_the_first_kind_that_matches_counts_and_no_offset_is_never() -> None:
    rules = [{"segment": "new", "offsets": [0, None, None]}, {"quality": "hot", **STEPS}]
    assert opened(LEAD, rules) == (NOON, None, None)
    assert opened(a_lead(), rules) == IN_STEPS
    assert opened(a_lead(quality=Quality.WARM), rules) == AT_ONCE


def test_a_kind_goes_before_the_tiers_own_waves_and_does_nothing_where_nobody_races() -> None:
    assert opened(LEAD, [{"segment": "new", **STEPS}], model="tiers") == IN_STEPS
    assert opened(LEAD, [{"segment": "new", **STEPS}], model="round-robin") == (None,) * 3


def test_a_blind_lead_is_of_no_kind() -> None:
    blind = a_lead(blind=True)
    assert opened(blind, [{"quality": "hot", **STEPS}]) == AT_ONCE
    assert opened(blind, [{"source": "google-ads", **STEPS}]) == AT_ONCE


def test_each_tier_of_performance_first_may_claim_from_its_own_moment() -> None:
    playbook = a_playbook(performance_first=[{"segment": "new", **STEPS}])
    lead = opening(LEAD, playbook, NOON)
    assert lead.closes_at == NOON + 120 * SECOND + timedelta(minutes=15)
    for tier, at in zip((1, 2, 3), IN_STEPS, strict=True):
        rep = a_rep(tier=tier)
        assert decide(lead, rep, Usage(), playbook, at) == Eligible(at)
        early = decide(lead, rep, Usage(), playbook, at - timedelta(milliseconds=1))
        assert getattr(early, "lifts_at", None) == at
