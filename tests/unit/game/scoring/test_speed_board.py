"""Speed boards and assignment reports: their period, their viewers, no later data (M3, R10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from dibs.core.errors import InvalidInput
from dibs.core.rep import Rep
from dibs.game.scoring.leaderboard import Asked
from dibs.game.scoring.response_speed import SpeedBoard, response_speed
from dibs.ledger.entries import ASSIGNED, Entry, new_entry
from dibs.reports.assignment import TeamReport, assignment
from dibs.reports.assignment_rows import Row
from dibs.reports.speed import RepSpeed
from support.builders import NOON, a_playbook, a_rep
from support.fake_ledger import FakeLedger
from support.fakes import FakeWorld

MS = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
AINA, BEN = a_rep(1, name="Aina"), a_rep(2, name="Ben")
TEAMS = {"north": {"name": "North", "zone": "Asia/Kuching"}, "south": {"name": "South"}}
# NOON is a Monday; the week began 20 hours earlier in Kuching.
MONDAY = NOON - timedelta(hours=20)


class Kept:
    """Stored reports, by team and week."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], list[Row]] = {}

    def report(self, team: str, week: str) -> list[Row] | None:
        return self.rows.get((team, week))


class SpeedCase(FakeWorld):
    """Two reps of a team in Kuching, and a ledger."""

    def __init__(self, game: dict[str, Any] | None = None, **north: Any) -> None:
        teams = {**TEAMS, "north": {**TEAMS["north"], **north}}
        super().__init__(a_playbook(teams=teams, game=game or {"minimum_sample": 0}))
        self.ledger = FakeLedger(self.memory)
        for rep in (AINA, BEN):
            self.add_rep(rep)
        self.leads_taken = 0
        self.kept: Any = Kept()

    def answered(
        self, rep: Rep, at: datetime, wait: timedelta | None = SECOND, team: str = "north"
    ) -> None:
        """The rep was assigned a lead and called after a while."""
        self.leads_taken += 1
        name = f"lead{self.leads_taken}"
        about = {"lead_id": name, "epoch": 1, "taken_at": at, "territory": "Sarawak"}

        def entry(kind: str, moment: datetime) -> Entry:
            return new_entry(
                f"{kind}/{name}", kind, rep.rep_id, team, moment, self.memory.playbook, **about
            )

        self.ledger.put([entry(ASSIGNED, at)])
        if wait is not None:
            self.ledger.put([entry("call", at + wait)])

    def board(
        self,
        kind: str = "week",
        name: str = "",
        as_of: datetime = NOON,
        viewer: Rep | None = None,
        team: str = "north",
        **asked: Any,
    ) -> SpeedBoard:
        wanted = Asked("response_speed", kind, name, team=team, **asked)
        return response_speed(self.ledger, self.roster, wanted, viewer, as_of)

    def report(self, name: str = "", as_of: datetime = NOON, team: str = "") -> list[TeamReport]:
        return assignment(self.ledger, self.kept, self.roster, team, name, as_of)


def names(board: SpeedBoard) -> list[tuple[int | None, str]]:
    return [(row.place, row.name) for row in board.rows]


def speed_of(board: SpeedBoard) -> RepSpeed:
    """The speed of the rep in first place."""
    speed = board.rows[0].speed
    assert speed is not None
    return speed


def test_a_board_is_of_the_current_week_where_the_team_is() -> None:
    case = SpeedCase()
    for at in (MONDAY - MS, MONDAY, MONDAY + WEEK - MS, MONDAY + WEEK):
        case.answered(AINA, at, 0 * SECOND)
    board = case.board(as_of=MONDAY + WEEK - MS)
    assert (board.span.name, board.span.start) == ("2026-W48", MONDAY)
    assert speed_of(board).taken == 2
    assert case.board(as_of=MONDAY + WEEK).span.name == "2026-W49"


def test_a_board_of_a_month_holds_all_its_weeks() -> None:
    case = SpeedCase()
    first = datetime.fromisoformat("2026-11-01T00:00:00+08:00")
    last = datetime.fromisoformat("2026-12-01T00:00:00+08:00")
    for at in (first - MS, first, first + 10 * DAY, last - MS, last):
        case.answered(AINA, at, 0 * SECOND)
    board = case.board("month", "2026-11", as_of=last + WEEK)
    assert speed_of(board).taken == 3


def test_the_fastest_stands_first_with_their_name() -> None:
    case = SpeedCase()
    case.answered(AINA, NOON, 20 * SECOND)
    case.answered(BEN, NOON, 10 * SECOND)
    board = case.board(as_of=NOON + MINUTE, viewer=AINA)
    assert names(board) == [(1, "Ben"), (2, "Aina")]
    assert (board.mine, board.around) == (board.rows[1], board.rows)
    assert board.gap == 10
    assert speed_of(board).mean_seconds == 10


def test_one_lead_answered_in_ten_seconds_does_not_beat_fifty_in_twelve() -> None:
    case = SpeedCase(game={"minimum_sample": 5})
    case.answered(AINA, NOON, 10 * SECOND)
    for _ in range(50):
        case.answered(BEN, NOON, 12 * SECOND)
    board = case.board(name="2026-W48", as_of=NOON + WEEK, viewer=AINA)
    assert names(board) == [(1, "Ben")]
    assert [(row.name, row.value, row.have, row.need) for row in board.apart] == [
        ("Aina", 10, 1, 5)
    ]
    assert (board.mine, board.around, board.gap) == (board.apart[0], (), None)
    assert board.winners is not None
    assert [row.name for row in board.winners] == ["Ben"]


def test_leads_that_were_not_contacted_are_no_sample_of_response_times() -> None:
    case = SpeedCase(game={"minimum_sample": 5})
    case.answered(AINA, NOON, SECOND)
    for _ in range(9):
        case.answered(AINA, NOON, None)
    board = case.board(name="2026-W48", as_of=NOON + WEEK)
    assert ([row.have for row in board.apart], board.winners) == ([1], ())


def test_the_times_of_the_speed_board_are_settings() -> None:
    times = {"short_seconds": 60, "long_seconds": 120, "streak_seconds": 180}
    case = SpeedCase(game={"minimum_sample": 0, "speed": times})
    for wait in (60, 61, 120, 179, 180):
        case.answered(AINA, NOON, wait * SECOND)
    one = speed_of(case.board(as_of=NOON + WEEK - DAY))
    assert (one.within_5_min, one.within_1_hour) == (1 / 5, 3 / 5)
    assert one.longest_streak_under_10_min == 4


def test_what_happened_later_is_left_out() -> None:
    case = SpeedCase()
    case.answered(AINA, NOON, MINUTE)
    assert case.board(as_of=NOON - MS).rows == ()
    assert speed_of(case.board(as_of=NOON + MINUTE - MS)).contacted == 0
    assert speed_of(case.board(as_of=NOON + MINUTE)).contacted == 1


def test_a_running_week_has_no_winners_yet() -> None:
    case = SpeedCase()
    case.answered(AINA, NOON)
    end = MONDAY + WEEK
    assert case.board(as_of=end - MS).winners is None
    won = case.board(name="2026-W48", as_of=end).winners
    assert won is not None
    assert [one.name for one in won] == ["Aina"]


def test_level_reps_win_together_and_an_empty_week_nobody() -> None:
    case = SpeedCase()
    case.answered(AINA, NOON)
    case.answered(BEN, NOON)
    won = case.board(name="2026-W48", as_of=NOON + WEEK).winners
    assert won is not None
    assert [one.name for one in won] == ["Aina", "Ben"]
    assert case.board(name="2026-W47").winners == ()


@pytest.mark.parametrize(("late", "counts"), [(WEEK, True), (WEEK + MS, False)])
@pytest.mark.parametrize(("kind", "name"), [("week", "2026-W48"), ("month", "2026-11")])
def test_a_contact_in_the_week_after_still_counts(
    kind: str, name: str, late: timedelta, counts: bool
) -> None:
    case = SpeedCase()
    ends = {"week": MONDAY + WEEK, "month": datetime.fromisoformat("2026-12-01T00:00:00+08:00")}
    case.answered(AINA, ends[kind] - MS, late)
    board = case.board(kind, name, as_of=NOON + 30 * DAY)
    assert speed_of(board).contacted == counts


def test_a_board_is_of_one_team() -> None:
    case = SpeedCase()
    case.answered(AINA, NOON)
    assert case.board(team="south").rows == ()


def test_on_an_anonymous_board_a_rep_finds_their_own_name_alone() -> None:
    case = SpeedCase(anonymous=True)
    case.answered(AINA, NOON, 2 * SECOND)
    case.answered(BEN, NOON, SECOND)
    as_of = NOON + WEEK
    board = case.board(name="2026-W48", as_of=as_of, viewer=AINA)
    assert names(board) == [(1, ""), (2, "Aina")]
    assert [row.id for row in board.rows] == ["", AINA.rep_id]
    assert speed_of(board).mean_seconds == 1
    assert board.winners is not None
    assert [one.name for one in board.winners] == [""]
    manager = case.board(name="2026-W48", as_of=as_of)
    assert names(manager) == [(1, "Ben"), (2, "Aina")]


def test_where_boards_show_the_own_gap_only_a_rep_finds_nobody_else() -> None:
    case = SpeedCase(own_gap=True)
    case.answered(AINA, NOON, 2 * SECOND)
    case.answered(BEN, NOON, SECOND)
    about: dict[str, Any] = {"name": "2026-W48", "as_of": NOON + WEEK}
    board = case.board(**about, viewer=AINA)
    assert (names(board), board.winners) == ([(2, "Aina")], ())
    assert names(case.board(**about)) == [(1, "Ben"), (2, "Aina")]


def test_who_is_gone_stays_on_the_board_without_a_name() -> None:
    case = SpeedCase()
    case.answered(a_rep(9), NOON)
    assert names(case.board(as_of=NOON + MINUTE)) == [(1, "")]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("week", "2026-11"),
        ("week", "2026-W54"),
        ("week", "2026-11-23"),
        ("month", "2026-W47"),
        ("month", "2026-Q4"),
        ("month", "last"),
    ],
)
def test_a_period_is_named_as_what_it_is(kind: str, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        SpeedCase().board(kind, name)
    assert [error.field for error in refused.value.errors] == ["period_name"]


def test_a_team_nobody_knows_is_refused() -> None:
    for ask in (SpeedCase().board, SpeedCase().report):
        with pytest.raises(InvalidInput, match="north, south"):
            ask(team="east")


# The assignment report


def test_a_report_is_of_the_last_week_that_is_over_for_each_team() -> None:
    case = SpeedCase()
    case.answered(AINA, MONDAY - MS, None)
    reports = case.report(as_of=MONDAY)  # still Sunday for the other team, which is at UTC
    assert [(one.team, one.name, one.period.name) for one in reports] == [
        ("north", "North", "2026-W47"),
        ("south", "South", "2026-W46"),
    ]
    assert [(row.by, row.name, row.taken) for row in reports[0].rows] == [
        ("team", "north", 1),
        ("territory", "Sarawak", 1),
        ("source", "", 1),
        ("model", "open-pool", 1),
    ]
    assert reports[1].rows == ()


def test_a_report_may_be_of_one_team_and_any_week() -> None:
    case = SpeedCase()
    case.answered(AINA, NOON, MINUTE)
    [report] = case.report("2026-W48", NOON + MINUTE, "north")
    assert report.rows[0].mean_contact_seconds == 60
    [early] = case.report("2026-W48", NOON, "north")
    assert early.rows == (*(replace(row, mean_contact_seconds=None) for row in report.rows),)


def test_a_report_is_final_a_week_after_its_week_and_then_the_one_that_was_kept() -> None:
    case = SpeedCase()
    case.answered(AINA, MONDAY)
    over = MONDAY + WEEK + WEEK
    [before], [after] = (case.report("2026-W48", at, "north") for at in (over - MS, over))
    assert (before.final, after.final) == (False, True)
    assert before.rows == after.rows != ()
    case.kept.rows["north", "2026-W48"] = [replace(after.rows[0], returned=7)]
    [early], [late] = (case.report("2026-W48", at, "north") for at in (over - MS, over))
    assert early.rows == before.rows
    assert [row.returned for row in late.rows] == [7]
