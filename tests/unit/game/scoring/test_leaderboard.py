"""Leaderboards: places, and what each viewer may see (G3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.errors import InvalidInput, RouteNotFound
from dibs.core.rep import Rep
from dibs.game.scoring import ranking as boards
from dibs.game.scoring.leaderboard import PERIODS, Asked, Leaderboard, leaderboard
from dibs.game.scoring.pages import Page, Total, page_of
from dibs.game.scoring.ranking import Ranking, Row, ranked, summed
from dibs.rules.game import Metric
from dibs.rules.playbook import Playbook
from support.builders import NOON, a_playbook, a_rep

CLAIMS = Metric("count(claimed)", "Claims.")
SPEED = Metric("mean(claim_seconds)", "Speed.", "seconds", "less")
TEAMS: dict[str, Any] = {"north": {"name": "North", "zone": "Asia/Kuching"}, "south": {"name": "S"}}
AINA, BEN, CHONG = a_rep(1, name="Aina"), a_rep(2, name="Ben"), a_rep(3, name="Chong")
DAYANG = a_rep(4, name="Dayang", team="south")


class Kept:
    """Totals by period; by default every period has the same."""

    def __init__(self, *totals: Total, **periods: list[Total]) -> None:
        self.whole, self.periods = list(totals), periods
        self.asked: list[str] = []

    def totals(self, period: str) -> list[Total]:
        self.asked.append(period)
        return self.periods.get(period, self.whole)

    def pages(self, period: str) -> list[Page]:
        return [page_of(self.totals(period))]

    def between(self, first: date, last: date) -> list[Total]:
        raise NotImplementedError


def total(rep: Rep, team: str = "", **counts: int) -> Total:
    return Total(rep.rep_id, team or rep.team, rep.name, counts)


def rules(**changes: Any) -> Playbook:
    return a_playbook(**{"teams": TEAMS, **changes})


def board(
    kept: Kept,
    viewer: Rep | None = AINA,
    playbook: Playbook | None = None,
    now: datetime = NOON,
    metric: str = "claims",
    **asked: Any,
) -> Leaderboard:
    return leaderboard(kept, playbook or rules(), Asked(metric, **asked), viewer, now)


def shown(rows: tuple[Row, ...]) -> list[tuple[int | None, str, Any]]:
    return [(row.place, row.name, row.value) for row in rows]


FOUR = Kept(
    total(AINA, claimed=3), total(BEN, claimed=5), total(CHONG, claimed=5), total(DAYANG, claimed=9)
)


# The order


@pytest.mark.parametrize(
    ("metric", "values", "places"),
    [
        (CLAIMS, {"a": 3, "b": 2, "c": 1}, {"a": 1, "b": 2, "c": 3}),
        (CLAIMS, {"a": 1, "b": 3, "c": 3}, {"b": 1, "c": 1, "a": 3}),
        (CLAIMS, {"a": 2, "b": 2, "c": 2, "d": 1}, {"a": 1, "b": 1, "c": 1, "d": 4}),
        (CLAIMS, {"a": 0, "b": 0}, {"a": 1, "b": 1}),
        (CLAIMS, {}, {}),
    ],
)
def test_who_is_level_shares_the_place_and_the_next_is_left_out(
    metric: Metric, values: Mapping[str, int], places: Mapping[str, int]
) -> None:
    rows = ranked(metric, {one: (one.upper(), {"claimed": n}) for one, n in values.items()})
    assert [(row.id, row.place) for row in rows] == list(places.items())
    assert [row.name for row in rows] == [one.upper() for one in places]


def test_where_less_is_better_the_least_leads_and_who_has_no_value_stands_last() -> None:
    counts = {
        "a": ("A", {"claim_seconds.sum": 9000, "claim_seconds.n": 2}),
        "b": ("B", dict[str, int]()),
        "c": ("C", {"claim_seconds.sum": 3000, "claim_seconds.n": 1}),
        "d": ("D", {"claim_seconds.sum": 0, "claim_seconds.n": 0}),
    }
    assert ranked(SPEED, counts) == (
        Row(1, "c", "C", Fraction(3)),
        Row(2, "a", "A", Fraction(9, 2)),
        Row(None, "b", "B", None),
        Row(None, "d", "D", None),
    )


def test_values_are_level_when_they_are_and_not_when_floats_say_so() -> None:
    thirds = Metric("count(claimed) / count(taken)", "A share.")
    counts = {
        "a": ("", {"claimed": 1, "taken": 3}),
        "b": ("", {"claimed": 10**17, "taken": 3 * 10**17}),
        "c": ("", {"claimed": 10**17 - 1, "taken": 3 * 10**17}),
    }
    assert [row.place for row in ranked(thirds, counts)] == [1, 1, 3]


def test_places_that_more_than_one_has_are_known() -> None:
    found = Ranking(CLAIMS).changed(
        {
            one: (one, {"claimed": n})
            for one, n in zip("abcdefg", (9, 8, 8, 7, 6, 6, 6), strict=True)
        }
    )
    assert [row.place for row in found.rows()] == [1, 2, 2, 4, 5, 5, 5]
    assert {place for place in (1, 2, 4, 5) if found.is_shared(place)} == {2, 5}


def test_the_last_place_is_not_shared_with_those_without_one() -> None:
    share = Metric("count(won) / count(claimed)", "A share.")
    found = Ranking(share).changed({"a": ("A", {"claimed": 1}), "b": ("B", {})})
    assert [row.place for row in found.rows()] == [1, None]
    assert not found.is_shared(1)


def test_a_ranking_stays_as_it_was_when_another_is_made_of_it() -> None:
    before = ranked(CLAIMS, {"a": ("A", {"claimed": 1})})
    ranking = Ranking(CLAIMS).changed({"a": ("A", {"claimed": 1})})
    ranking.changed({"a": None, "b": ("B", {"claimed": 2})})
    assert (ranking.rows(), ranking.number_of("b")) == (before, None)


@pytest.mark.parametrize(
    ("start", "end", "found"), [(0, 2, "ab"), (-1, 2, "ab"), (1, 4, "bcd"), (3, 6, "de")]
)
def test_a_part_of_a_board_has_the_places_of_the_whole(start: int, end: int, found: str) -> None:
    counts = {one: (one, {"claimed": 5 - n}) for n, one in enumerate("abcde")}
    rows = Ranking(CLAIMS).changed(counts).rows(start, end)
    assert "".join(row.id for row in rows) == found
    assert [row.place for row in rows] == ["abcde".index(one) + 1 for one in found]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abcdef"),
            st.none() | st.tuples(st.integers(0, 3), st.integers(0, 3)),
            max_size=4,
        ),
        max_size=6,
    ),
    st.sampled_from(["more", "less"]),
    st.integers(0, 4),
)
def test_a_ranking_that_changed_bit_by_bit_is_the_one_made_at_once(
    steps: list[dict[str, tuple[int, int] | None]], better: Any, few: int
) -> None:
    share = Metric("count(won) / count(claimed)", "A share.", better=better)
    bit_by_bit, now = Ranking(share), dict[str, Any]()
    with patch.object(boards, "_FEW", few):
        for step in steps:
            changes = {
                one: None if n is None else (one.upper(), {"won": n[0], "claimed": n[1]})
                for one, n in step.items()
            }
            bit_by_bit = bit_by_bit.changed(changes)
            now = {one: of for one, of in (now | changes).items() if of is not None}
            assert bit_by_bit.rows() == ranked(share, now)
            for row in bit_by_bit.rows():
                number = bit_by_bit.number_of(row.id)
                assert number is not None
                assert bit_by_bit.rows()[number] == row


def test_counts_are_added_name_by_name() -> None:
    assert summed([{"a": 1, "b": 2}, {}, {"a": 3}]) == {"a": 4, "b": 2}


# Teams' own boards


def test_a_rep_sees_the_board_of_their_team_and_themselves_on_it() -> None:
    found = board(FOUR)
    assert shown(found.rows) == [(1, "Ben", 5), (1, "Chong", 5), (3, "Aina", 3)]
    assert shown(found.around) == [(1, "Chong", 5), (3, "Aina", 3)]
    assert found.mine == found.rows[2]
    assert (found.gap, found.many, found.team) == (2, 3, "north")
    assert found.shared == {1}


@pytest.mark.parametrize(
    ("viewer", "metric", "gap"),
    [
        (AINA, "claims", 2),
        (BEN, "claims", None),  # at the top, though tied
        (AINA, "claim_speed", Fraction(1, 2)),
        (CHONG, "claim_speed", None),  # without a value there is no gap
    ],
)
def test_the_gap_is_to_the_next_place_whichever_end_is_the_top(
    viewer: Rep, metric: str, gap: Fraction | None
) -> None:
    speeds = Kept(
        total(AINA, claimed=3, **{"claim_seconds.sum": 9000, "claim_seconds.n": 6}),
        total(BEN, claimed=5, **{"claim_seconds.sum": 6000, "claim_seconds.n": 6}),
        total(CHONG, claimed=5),
    )
    assert board(speeds, viewer, metric=metric).gap == gap


def test_the_gap_of_who_shares_a_place_is_to_the_place_above() -> None:
    kept = Kept(total(AINA, claimed=1), total(BEN, claimed=1), total(CHONG, claimed=4))
    assert (board(kept).gap, board(kept, BEN).gap) == (3, 3)


def test_places_far_below_the_top_are_known_to_be_shared() -> None:
    found = board(Kept(*FOUR.whole, total(a_rep(5), claimed=3)), top=1)
    assert [row.place for row in (*found.rows, *found.around)] == [1, 1, 3, 3]
    assert found.shared == {1, 3}


def test_a_rep_who_is_not_on_it_sees_it_all_the_same() -> None:
    found = board(FOUR, a_rep(9))
    assert (found.mine, found.around, found.gap, len(found.rows)) == (None, (), None, 3)


def test_a_manager_sees_everybody_or_one_team_and_has_no_place() -> None:
    found = board(FOUR, None)
    assert [row.name for row in found.rows] == ["Dayang", "Ben", "Chong", "Aina"]
    assert (found.mine, found.around, found.team) == (None, (), "")
    assert shown(board(FOUR, None, team="south").rows) == [(1, "Dayang", 9)]


@pytest.mark.parametrize("scope", ["reps", "teams"])
def test_a_manager_has_no_place_even_where_an_id_is_empty(scope: str) -> None:
    found = board(Kept(Total("", "", "Nobody", {"claimed": 1})), None, scope=scope)
    assert (len(found.rows), found.mine, found.around) == (1, None, ())


def test_who_changed_teams_has_with_each_what_they_did_there() -> None:
    kept = Kept(total(AINA, claimed=3), total(AINA, "south", claimed=4), total(BEN, claimed=5))
    assert shown(board(kept).rows) == [(1, "Ben", 5), (2, "Aina", 3)]
    assert shown(board(kept, DAYANG).rows) == [(1, "Aina", 4)]
    assert shown(board(kept, None).rows) == [(1, "Aina", 7), (2, "Ben", 5)]


@pytest.mark.parametrize(("top", "rows"), [(1, 1), (2, 2), (3, 3), (100, 3)])
def test_the_top_is_cut_and_ones_own_place_is_not(top: int, rows: int) -> None:
    found = board(FOUR, top=top)
    assert len(found.rows) == rows
    assert (found.mine is not None and found.mine.place, found.many) == (3, 3)
    assert len(found.around) == 2


# Teams


def test_a_teams_share_is_that_of_all_it_did_and_not_the_mean_of_its_reps() -> None:
    half = {"half": {"formula": "count(won) / count(claimed)", "means": "A share."}}
    kept = Kept(
        total(AINA, claimed=1, won=1),
        total(BEN, claimed=99, won=0),
        total(DAYANG, claimed=10, won=1),
    )
    found = board(kept, playbook=rules(game={"metrics": half}), metric="half", scope="teams")
    assert shown(found.rows) == [(1, "S", Fraction(1, 10)), (2, "North", Fraction(1, 100))]
    assert (found.mine, found.gap) == (found.rows[1], Fraction(9, 100))
    assert (found.scope, found.team) == ("teams", "")


def test_a_team_that_is_no_more_goes_by_its_id() -> None:
    kept = Kept(total(AINA, claimed=1), total(a_rep(9, team="gone"), claimed=2))
    assert shown(board(kept, scope="teams").rows) == [(1, "gone", 2), (2, "North", 1)]


def test_teams_take_the_names_of_the_playbook_in_force() -> None:
    kept = Kept(total(AINA, claimed=1))
    assert shown(board(kept, scope="teams").rows) == [(1, "North", 1)]
    renamed = replace(rules(teams={**TEAMS, "north": {"name": "Utara"}}), version=2)
    assert shown(board(kept, playbook=renamed, scope="teams").rows) == [(1, "Utara", 1)]


# What a rep may see of others


def test_on_an_anonymous_board_places_and_values_are_shown_and_no_names() -> None:
    hidden = rules(teams={**TEAMS, "north": {"name": "North", "anonymous": True}})
    found = board(FOUR, playbook=hidden)
    assert found.rows == (
        Row(1, "", "", Fraction(5)),
        Row(1, "", "", Fraction(5)),
        Row(3, AINA.rep_id, "Aina", Fraction(3)),
    )
    assert [row.id for row in found.around] == ["", AINA.rep_id]
    assert (found.gap, found.many) == (2, 3)
    # Managers see the names, and all viewers see the names of teams.
    assert all(row.name for row in board(FOUR, None, hidden, team="north").rows)
    assert all(row.name for row in board(FOUR, AINA, hidden, scope="teams").rows)


def test_with_own_gap_a_rep_sees_their_own_row_alone() -> None:
    alone = rules(teams={**TEAMS, "north": {"name": "North", "own_gap": True}})
    found = board(FOUR, playbook=alone)
    assert shown(found.rows) == shown(found.around) == [(3, "Aina", 3)]
    assert (found.gap, found.many) == (2, 3)
    assert board(FOUR, a_rep(9), alone).rows == ()
    assert len(board(FOUR, None, alone, team="north").rows) == 3
    assert len(board(FOUR, DAYANG, alone).rows) == 1  # the other team's rule does not apply
    assert len(board(FOUR, AINA, alone, scope="teams").rows) == 2


def test_a_rep_whose_team_is_no_more_still_has_a_board() -> None:
    kept = Kept(total(a_rep(9, team="gone"), claimed=2), total(AINA, claimed=1))
    found = board(kept, a_rep(9, team="gone"))
    assert (found.many, found.mine and found.mine.place) == (1, 1)


# Periods

NEW_YEAR = datetime.fromisoformat("2026-12-31T16:30:00+00:00")  # half past midnight in Kuching


@pytest.mark.parametrize(
    ("period", "now", "in_kuching", "in_utc"),
    [
        ("day", NOON, "2026-11-23", "2026-11-23"),
        ("", NOON, "2026-W48", "2026-W48"),
        ("week", NOON - timedelta(hours=20), "2026-W48", "2026-W47"),
        ("week", NOON - timedelta(hours=20, microseconds=1), "2026-W47", "2026-W47"),
        ("day", NEW_YEAR, "2027-01-01", "2026-12-31"),
        ("week", NEW_YEAR, "2026-W53", "2026-W53"),
        ("month", NEW_YEAR, "2027-01", "2026-12"),
        ("quarter", NEW_YEAR, "2027-Q1", "2026-Q4"),
        ("year", NEW_YEAR, "2027", "2026"),
        ("all", NEW_YEAR, "all", "all"),
    ],
)
def test_a_period_is_that_of_the_teams_zone_and_utcs_for_everybody(
    period: str, now: datetime, in_kuching: str, in_utc: str
) -> None:
    for viewer, team, name in (
        (AINA, "", in_kuching),
        (None, "north", in_kuching),
        (None, "", in_utc),
    ):
        kept = Kept()
        found = board(kept, viewer, now=now, period=period, team=team)
        assert (found.period, kept.asked) == (name, [name])
    assert found.as_of == now


@pytest.mark.parametrize(
    ("period", "name"),
    [
        ("day", "2026-11-22"),
        ("week", "2026-W47"),
        ("", "2026-W47"),
        ("month", "2026-10"),
        ("quarter", "2026-Q3"),
        ("year", "2025"),
    ],
)
def test_a_period_may_be_named(period: str, name: str) -> None:
    before = Kept(total(AINA, claimed=1), **{name: [total(BEN, claimed=7)]})
    found = board(before, period=period, period_name=name)
    assert (found.period, shown(found.rows)) == (name, [(1, "Ben", 7)])


# Errors


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ({"period": "decade"}, ["period"]),
        ({"scope": "rep"}, ["scope"]),
        ({"team": "south"}, ["team"]),
        ({"team": "nowhere"}, ["team", "team"]),
        ({"top": 0}, ["top"]),
        ({"top": 101}, ["top"]),
        ({"period": "week", "period_name": "2026-11"}, ["period_name"]),
        ({"period": "day", "period_name": "2026-W47"}, ["period_name"]),
        ({"period": "month", "period_name": "2026-13"}, ["period_name"]),
        ({"period_name": "last week"}, ["period_name"]),
        ({"period": "decade", "scope": "rep", "top": 0}, ["period", "scope", "top"]),
    ],
)
def test_every_field_that_is_wrong_is_named(asked: dict[str, Any], fields: list[str]) -> None:
    kept = Kept()
    with pytest.raises(InvalidInput) as raised:
        board(kept, **asked)
    assert [error.field for error in raised.value.errors] == fields
    assert kept.asked == []


@pytest.mark.parametrize("top", [1, 100])
def test_the_bounds_of_the_top_are_in_it(top: int) -> None:
    assert board(FOUR, top=top).many == 3


def test_a_rep_may_name_their_own_team() -> None:
    assert board(FOUR, team="north").many == 3


def test_a_figure_that_is_none_is_not_found() -> None:
    with pytest.raises(RouteNotFound, match="GET /metrics"):
        board(FOUR, metric="nothing")
    assert set(PERIODS) == {"day", "week", "month", "quarter", "year", "all"}


# Rankings kept from earlier


def test_a_board_follows_its_totals_its_formula_and_its_direction() -> None:
    kept = Kept(total(AINA, claimed=3, won=1), total(BEN, claimed=5))
    assert shown(board(kept).rows)[0] == (1, "Ben", 5)
    changed = {"claims": {"formula": "count(won)", "means": "Wins."}}
    assert shown(board(kept, playbook=rules(game={"metrics": changed})).rows)[0] == (1, "Aina", 1)
    fewest = {"claims": {"formula": "count(claimed)", "means": "Fewest.", "better": "less"}}
    assert shown(board(kept, playbook=rules(game={"metrics": fewest})).rows)[0] == (1, "Aina", 3)
    kept.whole = [total(AINA, claimed=6)]
    assert shown(board(kept).rows) == [(1, "Aina", 6)]
