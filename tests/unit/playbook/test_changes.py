"""What a playbook would change: every rule that differs in words, and what becomes of teams."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from dibs.core.quality import Pool
from dibs.playbook.changes import Change, diff, opening_words, preview
from dibs.rules.playbook import Playbook
from dibs.rules.rules import Model
from support.builders import a_playbook, a_rep
from support.playbooks import playbooks

TWO = {"north": {"name": "North"}, "south": {"name": "South"}}


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = diff(a_playbook(**before), a_playbook(**after))
    return [(change.place, change.before, change.after) for change in found]


@settings(max_examples=40)
@given(playbooks())
def test_a_playbook_does_not_differ_from_itself(playbook: Playbook) -> None:
    assert diff(playbook, playbook) == []
    assert diff(playbook, replace(playbook, version=7)) == []


@settings(max_examples=40)
@given(playbooks(), playbooks())
def test_two_playbooks_are_equal_or_differ_somewhere(one: Playbook, other: Playbook) -> None:
    found = diff(one, other)
    assert (found == []) is (one == other)
    assert len({change.place for change in found}) == len(found)
    assert [Change(c.place, c.after, c.before) for c in found] == sorted(
        diff(other, one), key=lambda change: [c.place for c in found].index(change.place)
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"window_seconds": 60}, [("window_seconds", "900 s", "60 s")]),
        ({}, {"claims_per_day": 5}, [("claims_per_day", "10", "5")]),
        ({}, {"model": "tiers"}, [("model", "open-pool", "tiers")]),
        ({}, {"work": {"hot_minutes": 15}}, [("work.hot_minutes", "60 min", "15 min")]),
        ({}, {"work": {"nudge_percent": 80}}, [("work.nudge_percent", "50 %", "80 %")]),
        ({}, {"sms": {"enabled": False}}, [("sms.enabled", "yes", "no")]),
        ({}, {"work": {"counts": ["call"]}}, [("work.counts", "call, contacted", "call")]),
        (
            {},
            {"waves": {"premium": [0, None, 60]}},
            [("waves.premium", "at once, after 900 s, never", "at once, never, after 60 s")],
        ),
        (
            {},
            {"teams": TWO},
            [("teams.south", "not there", "name South, anonymous no, own_gap no, zone UTC")],
        ),
        (
            {"teams": TWO},
            {},
            [("teams.south", "name South, anonymous no, own_gap no, zone UTC", "not there")],
        ),
        (
            {},
            {"teams": {"north": {"name": "North", "model": "tiers", "fallback": "aaaac"}}},
            [
                ("teams.north.model", "not set", "tiers"),
                ("teams.north.fallback", "nothing", "aaaac"),
            ],
        ),
        (
            {},
            {"teams": {"north": {"name": "North", "hours": {"mon": ["09:00-18:00"]}}}},
            [("teams.north.hours.mon", "not there", "09:00-18:00")],
        ),
        (
            {},
            {"teams": {"north": {"name": "North", "holidays": ["2026-12-25", "2026-12-26"]}}},
            [("teams.north.holidays", "nothing", "2026-12-25, 2026-12-26")],
        ),
        (
            {},
            {"windows": [{"source": "web", "premium": [0, 5, None], "window_seconds": 60}]},
            [
                (
                    "windows.0",
                    "not there",
                    "source web, premium at once, after 5 s, never, window_seconds 60 s",
                )
            ],
        ),
        (
            {"routing": [{"teams": ["north"], "source": "web"}]},
            {"routing": [{"teams": ["north"], "source": "fair"}, {"teams": ["north"]}]},
            [
                ("routing.0.source", "web", "fair"),
                ("routing.1", "not there", "teams north"),
            ],
        ),
        (
            {},
            {"quota": {"bands": [{"from_percent": 0, "more_percent": 10}]}},
            [
                ("quota.bands.0.more_percent", "0 %", "10 %"),
                ("quota.bands.1", "from_percent 50 %, more_percent 25 %", "not there"),
                ("quota.bands.2", "from_percent 75 %, more_percent 50 %", "not there"),
                ("quota.bands.3", "from_percent 100 %, more_percent 100 %", "not there"),
            ],
        ),
    ],
)
def test_a_difference_is_told_in_plain_words(
    before: dict[str, Any], after: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert changed(before, after) == expected


def test_when_tiers_open_is_told_from_the_first_to_the_third() -> None:
    assert opening_words((None, 0, 90)) == "never, at once, after 90 s"


# What becomes of the teams


def test_a_preview_tells_of_each_team_how_it_gets_leads_and_whom_that_concerns() -> None:
    tiers = [a_rep(n, tier=tier) for n, tier in enumerate((1, 2, 2, 3), 1)]
    left = a_rep(5, tier=1, active=False)
    stranger = a_rep(6, tier=1, team="west")
    new = a_playbook(
        model="tiers",
        windows=[
            {"team": "north", "source": "web", "premium": [0, 5, 10], "window_seconds": 60},
            {"team": "south", "source": "fair"},
            {"source": "ads", "standard": [0, 0, 60]},
        ],
        teams=TWO,
        quota={"enabled": True, "base_per_week": 10},
    )
    north, south = preview(a_playbook(), new, [*tiers, left, stranger])
    assert (north.team, north.was, north.model) == ("north", Model.OPEN_POOL, Model.TIERS)
    assert north.reps == (1, 2, 1)
    # In the open pool everybody was told at once; now tier 1 alone.
    assert north.told_at_once == {Pool.PREMIUM: (4, 1), Pool.STANDARD: (4, 1)}
    usual, web, ads = north.windows
    assert (usual.source, usual.premium, usual.standard, usual.window_seconds) == (
        "",
        (0, 900, None),
        (0, 900, 3600),
        900,
    )
    assert (web.source, web.premium, web.window_seconds) == ("web", (0, 5, 10), 60)
    assert (ads.source, ads.standard) == ("ads", (0, 0, 60))
    assert north.allowances == {0: 10, 50: 12, 75: 15, 100: 20}
    assert (south.team, south.was, south.model) == ("south", None, Model.TIERS)
    assert [window.source for window in south.windows] == ["", "fair", "ads"]
    assert south.reps == (0, 0, 0)


def test_a_preview_counts_nobody_at_once_where_leads_are_assigned() -> None:
    [team] = preview(a_playbook(), a_playbook(model="round-robin"), [a_rep(1)])
    assert team.told_at_once == {Pool.PREMIUM: (1, 0), Pool.STANDARD: (1, 0)}
    assert team.windows[0].premium == (None, None, None)
    assert team.allowances == {}


def test_a_preview_tells_of_a_team_that_would_be_gone() -> None:
    north, south = preview(a_playbook(teams=TWO), a_playbook(), [a_rep(1, team="south")])
    assert north.team == "north"
    assert (south.team, south.was, south.model) == ("south", Model.OPEN_POOL, None)
    assert (south.windows, south.reps) == ((), (0, 1, 0))
    assert south.told_at_once[Pool.PREMIUM] == (1, 0)
