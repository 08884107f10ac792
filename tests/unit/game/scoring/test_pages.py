"""Totals column by column (G3): a page keeps what it is given, in either form it is stored in."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.game.scoring import leaderboard
from dibs.game.scoring.pages import NOTHING, Page, Total, page_body, page_from, page_of, replaced
from dibs.rules.game import Metric
from support.builders import a_playbook

AINA = Total("aina", "north", "Aina", {"claimed": 2, "points.sum": 20})
BEN = Total("ben", "north", "Ben Lim", {"won": 1, "points.sum": -5})
IN_SOUTH = Total("aina", "south", "Aina", {"won": 3})


def stored(page: Page) -> Page:
    """The page as another process reads it."""
    return page_from(json.loads(json.dumps(page_body(page))))


def test_a_page_is_read_as_it_was_stored() -> None:
    assert stored(page_of([AINA, BEN, IN_SOUTH])).totals() == [AINA, BEN, IN_SOUTH]
    assert stored(NOTHING).totals() == []


def test_only_the_columns_that_are_asked_for_are_read() -> None:
    page = stored(page_of([AINA, BEN]))
    assert list(page.lines(["won", "mailed"])) == [
        ("aina", "north", "Aina", 0, 0),
        ("ben", "north", "Ben Lim", 1, 0),
    ]
    assert page._read.keys() == {"won", "mailed"}


def test_reps_are_replaced_and_the_others_stay() -> None:
    page = stored(page_of([AINA, BEN, IN_SOUTH]))
    new = Total("aina", "north", "Aina", {"claimed": 3, "called": 1})
    assert stored(replaced(page, {"aina": 0}, [new])).totals() == [BEN, new]
    assert stored(replaced(page, {"ben": 0}, [])).totals() == [AINA, IN_SOUTH]
    assert page.totals() == [AINA, BEN, IN_SOUTH]


def test_where_nothing_differs_the_page_is_the_very_same() -> None:
    page = stored(page_of([AINA, BEN, IN_SOUTH]))
    assert replaced(page, {"aina": 0}, [IN_SOUTH, AINA]) is page
    assert replaced(page, {"chong": 0}, []) is page
    assert replaced(NOTHING, {"chong": 0}, []) is NOTHING


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abc"), st.dictionaries(st.sampled_from("xyz"), st.integers(-2, 12))
        ),
        max_size=4,
    )
)
def test_a_page_that_was_replaced_bit_by_bit_is_the_one_made_at_once(
    steps: list[dict[str, dict[str, int]]],
) -> None:
    page, now = NOTHING, dict[str, Total]()
    for step in steps:
        totals = {
            rep_id: Total(rep_id, "north", rep_id, {name: n for name, n in counts.items() if n})
            for rep_id, counts in step.items()
        }
        page, now = stored(replaced(page, dict.fromkeys(step, 0), [*totals.values()])), now | totals
    assert {one.rep_id: one for one in page.totals()} == now


def test_a_page_of_an_earlier_version_is_read() -> None:
    """By rep, with one target; it counts for the team they sold most for."""
    body: dict[str, Any] = {
        "reps": [["aina", "Aina", 700, ["north", "south"]], ["ben", "Ben", 0, ["north"]]],
        "counts": {"claimed": [1, 0, 2], "revenue.sum": [5, 9, 0]},
    }
    assert page_from(body).totals() == [
        Total("aina", "north", "Aina", {"claimed": 1, "revenue.sum": 5}),
        Total("aina", "south", "Aina", {"revenue.sum": 9, "target.sum": 700}),
        Total("ben", "north", "Ben", {"claimed": 2}),
    ]
    same = page_from({"reps": [["aina", "Aina", 7, ["b", "a"]]], "counts": {"claimed": [1, 1]}})
    assert [one.team for one in same.totals() if "target.sum" in one.counts] == ["a"]
    assert page_from({"reps": [["aina", "Aina", 700, []]], "counts": {}}).totals() == []
    assert stored(page_from(body)).totals() == page_from(body).totals()


@pytest.mark.parametrize("scope", ["reps", "teams"])
def test_of_a_board_that_changed_only_the_page_that_changed_is_read(scope: Any) -> None:
    """Ten thousand reps are on 32 pages; an activity changes one of them."""
    leaderboard._known.clear()
    playbook, claims = a_playbook(), Metric("count(claimed)", "Claims.")
    pages = [page_of([Total(f"rep{n}", "north", "", {"claimed": n})]) for n in range(4)]
    leaderboard._ranking(pages, "all", playbook, claims, scope, "")
    read = list[Page]()
    changed = page_of([Total("rep1", "north", "", {"claimed": 9})])
    lines = Page.lines

    def noted(page: Page, names: Any) -> Any:
        read.append(page)
        return lines(page, names)

    with patch.object(Page, "lines", noted):
        found = leaderboard._ranking(
            [pages[0], changed, *pages[2:]], "all", playbook, claims, scope, ""
        )
    assert read == [pages[1], changed]
    top = found.rows()[0]
    assert (top.id, top.value) == (("rep1", 9) if scope == "reps" else ("north", 14))
    leaderboard._known.clear()
