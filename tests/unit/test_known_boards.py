"""What a process remembers of boards stays within its memory (G3)."""

from __future__ import annotations

import pytest

from dibs.domain.game import Metric
from dibs.usecases import leaderboard
from dibs.usecases.ports import Total
from support.builders import a_playbook

PLAYBOOK, CLAIMS = a_playbook(), Metric("count(claimed)", "Leads claimed.")


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    leaderboard._known.clear()


def rows(totals: list[Total], period: str, metric: Metric = CLAIMS) -> list[leaderboard.Row]:
    return leaderboard._rows(totals, period, PLAYBOOK, metric, "reps", "")


def some(many: int) -> list[Total]:
    return [Total(f"rep{n}", "north", "", {"claimed": n}) for n in range(many)]


def test_a_board_is_worked_out_once_for_the_same_totals() -> None:
    totals = some(3)
    assert rows(totals, "2026-W48") is rows(totals, "2026-W48")
    assert rows(some(4), "2026-W48") != rows(totals, "2026-W48")


def test_boards_of_totals_that_have_changed_are_forgotten() -> None:
    was, now = some(3), some(4)
    for metric in (CLAIMS, Metric("count(call)", "Calls.")):
        rows(was, "2026-W48", metric)
    rows(was, "2026-W47")
    rows(now, "2026-W48")
    assert [(key[0], len(of)) for key, (of, _) in leaderboard._known.items()] == [
        ("2026-W47", 3),
        ("2026-W48", 4),
    ]


def test_no_more_rows_are_kept_than_memory_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaderboard, "_MOST_KNOWN_ROWS", 10)
    for week in range(10, 15):
        rows(some(4), f"2026-W{week}")
    assert [key[0] for key in leaderboard._known] == ["2026-W13", "2026-W14"]
    rows(some(30), "2026-W15")
    assert [key[0] for key in leaderboard._known] == ["2026-W15"]
