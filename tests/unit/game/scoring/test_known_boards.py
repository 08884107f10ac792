"""The rankings that a process keeps stay within its memory (G3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.game.scoring import leaderboard
from dibs.game.scoring import ranking as boards
from dibs.game.scoring.pages import Page, Total, page_of
from dibs.rules.game import Metric
from support.builders import a_playbook

PLAYBOOK, CLAIMS = a_playbook(), Metric("count(claimed)", "Leads claimed.")


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    leaderboard._known.clear()


def rows(
    totals: list[Total] | Page,
    period: str,
    scope: leaderboard.Scope = "reps",
    team: str = "",
    metric: Metric = CLAIMS,
) -> tuple[leaderboard.Row, ...]:
    page = totals if isinstance(totals, Page) else page_of(totals)
    return leaderboard._ranking([page], period, PLAYBOOK, metric, scope, team).rows()


def some(many: int) -> list[Total]:
    return [Total(f"rep{n}", "north", "", {"claimed": n}) for n in range(many)]


def test_only_what_is_another_total_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    totals, valued = some(30), list[int]()
    value_of = boards.value_of

    def noted(metric: Metric, counts: Mapping[str, int]) -> Any:
        valued.append(counts["claimed"])
        return value_of(metric, counts)

    monkeypatch.setattr(boards, "value_of", noted)
    first = rows(totals, "2026-W48")
    assert sorted(valued) == list(range(30))
    assert rows(totals, "2026-W48") == first
    assert len(valued) == 30
    totals = [*totals[:7], Total("rep7", "north", "", {"claimed": 99}), *totals[8:]]
    assert rows(totals, "2026-W48")[0].id == "rep7"
    assert valued[30:] == [99]


@given(
    st.lists(
        st.dictionaries(
            st.tuples(st.sampled_from("abcd"), st.sampled_from(["north", "south"])),
            st.integers(0, 3),
        ),
        min_size=2,
        max_size=5,
    ),
    st.sampled_from([("reps", ""), ("reps", "north"), ("teams", "")]),
)
def test_a_board_that_was_looked_at_before_is_the_one_seen_for_the_first_time(
    steps: list[dict[Any, int]], asked: tuple[str, str]
) -> None:
    scope, team = asked
    kept: dict[Any, Total] = {}
    for step in steps:
        # As a store returns them: an unchanged total is the same object.
        kept = {
            of: kept[of]
            if of in kept and kept[of].counts == {"claimed": n}
            else Total(*of, of[0].upper(), {"claimed": n})
            for of, n in step.items()
        }
        totals = list(kept.values())
        again = rows(totals, "2026-W48", scope, team)
        leaderboard._known.clear()
        assert again == rows(totals, "2026-W48", scope, team)


def test_no_more_rows_are_kept_than_memory_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaderboard, "_MOST_KNOWN_ROWS", 10)
    for week in range(10, 15):
        rows(some(4), f"2026-W{week}")
    assert [key[0] for key in leaderboard._known] == ["2026-W13", "2026-W14"]
    rows(some(30), "2026-W15")
    assert [key[0] for key in leaderboard._known] == ["2026-W15"]


def test_of_many_boards_those_looked_at_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaderboard, "_MOST_KNOWN", 2)
    weeks = {week: page_of(some(1)) for week in (10, 11, 12)}
    for week in (10, 11, 10, 12):
        rows(weeks[week], f"2026-W{week}")
    assert [key[0] for key in leaderboard._known] == ["2026-W10", "2026-W12"]


def test_a_team_that_is_called_as_the_playbooks_version_has_a_board_of_its_own() -> None:
    team = str(PLAYBOOK.version)
    totals = [Total("aina", team, "", {"claimed": 1}), Total("ben", "north", "", {"claimed": 1})]
    assert [row.id for row in rows(totals, "2026-W48", "teams")] == [team, "north"]
    assert [row.id for row in rows(totals, "2026-W48", "reps", team)] == ["aina"]


def test_boards_of_few_rows_do_not_keep_the_totals_of_thousands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each ranking keeps the totals of its time; outdated totals stay in memory with it."""
    monkeypatch.setattr(leaderboard, "_MOST_KNOWN_TOTALS", 70)
    for number in range(5):
        few = [Total("aina", f"team{number}", "", {"claimed": 1})]
        assert len(rows([*some(30), *few], "2026-W48", team=f"team{number}")) == 1
    assert [key[-1] for key in leaderboard._known] == ["team3", "team4"]


def test_boards_of_the_very_same_totals_keep_them_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaderboard, "_MOST_KNOWN_TOTALS", 30)
    totals = page_of(some(30))
    for team in ("", "north", "south"):
        rows(totals, "2026-W48", team=team)
    assert len(leaderboard._known) == 3
