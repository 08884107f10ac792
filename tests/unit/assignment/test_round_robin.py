"""Round robin by weight, territory and load; a rep who is away gets no extra turns (M5)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from math import gcd
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.assignment.round_robin import Turn, candidates, next_turn, not_assignable
from dibs.core.calendar import parse_hours
from dibs.core.lead import State
from dibs.core.rep import Rep, Usage
from support.builders import NOON, a_lead, a_playbook, a_rep

HOUR = timedelta(hours=1)
EQUAL = {"ann": 1, "bob": 1, "cho": 1}


def served(weights: dict[str, int], times: int, last: Turn = Turn()) -> list[str]:  # noqa: B008
    """Return the reps served in this many turns."""
    found = []
    for _ in range(times):
        turn = next_turn(weights, last)
        assert turn is not None
        last = turn
        found.append(turn.rep_id)
    return found


def test_with_equal_weights_everybody_is_served_in_turn() -> None:
    assert served(EQUAL, 7) == ["ann", "bob", "cho", "ann", "bob", "cho", "ann"]


def test_nobody_is_served_where_there_is_nobody() -> None:
    assert next_turn({}, Turn()) is None
    assert next_turn({}, Turn(1, "ann")) is None


def test_one_alone_is_served_every_time() -> None:
    assert served({"ann": 5}, 3) == ["ann"] * 3


def test_weights_are_interleaved_and_not_served_in_a_row() -> None:
    assert served({"ann": 3, "bob": 1, "cho": 2}, 12) == [
        *("ann", "bob", "cho", "ann", "cho", "ann"),
        *("ann", "bob", "cho", "ann", "cho", "ann"),
    ]


def test_weights_count_as_parts_of_a_whole() -> None:
    assert served({"ann": 6, "bob": 2}, 8) == served({"ann": 3, "bob": 1}, 8)
    assert served({"ann": 7, "bob": 7}, 4) == ["ann", "bob", "ann", "bob"]


def test_who_is_away_is_passed_over_and_owed_nothing() -> None:
    last = Turn(1, "ann")
    without_bob = {"ann": 1, "cho": 1}
    assert served(without_bob, 4, last) == ["cho", "ann", "cho", "ann"]
    # Bob is back and has his turn, not the two he missed.
    assert served(EQUAL, 6, Turn(1, "ann")) == ["bob", "cho", "ann", "bob", "cho", "ann"]


def test_somebody_new_takes_their_place_in_the_ring() -> None:
    assert served({**EQUAL, "abe": 1}, 5, Turn(1, "ann")) == ["bob", "cho", "abe", "ann", "bob"]


def test_a_turn_of_somebody_who_is_gone_is_gone_on_from() -> None:
    assert served({"ann": 1, "cho": 1}, 2, Turn(1, "bob")) == ["cho", "ann"]
    assert served(EQUAL, 2, Turn(9, "zoe")) == ["ann", "bob"]


names = st.sampled_from([f"rep{number:02}" for number in range(12)])
starts = st.builds(Turn, st.integers(0, 9), names)


@given(
    reps=st.sets(names, min_size=1),
    weight=st.integers(1, 9),
    start=starts,
    before=st.integers(0, 30),
    window=st.integers(1, 60),
)
def test_over_any_window_the_largest_and_the_smallest_share_differ_by_at_most_one(
    reps: set[str], weight: int, start: Turn, before: int, window: int
) -> None:
    weights = dict.fromkeys(reps, weight)
    stretch = Counter(served(weights, before + window, start)[before:])
    shares = [stretch[rep] for rep in reps]
    assert sum(shares) == window
    assert max(shares) - min(shares) <= 1


@given(
    weights=st.dictionaries(names, st.integers(1, 6), min_size=1, max_size=6),
    start=starts,
    before=st.integers(0, 40),
)
def test_weighted_shares_are_exact_over_every_cycle(
    weights: dict[str, int], start: Turn, before: int
) -> None:
    unit = gcd(*weights.values())
    cycle = sum(weights.values()) // unit
    order = served(weights, before + 3 * cycle, start)
    for first in (before, before + 1, before + cycle):
        shares = Counter(order[first : first + cycle])
        assert shares == {rep: weight // unit for rep, weight in weights.items()}


@given(
    attendance=st.lists(st.sets(names, min_size=1), min_size=2, max_size=40),
)
def test_between_two_turns_of_anybody_nobody_who_was_there_all_along_is_passed_over(
    attendance: list[set[str]],
) -> None:
    last, order = Turn(), list[tuple[str, set[str]]]()
    for there in attendance:
        turn = next_turn(dict.fromkeys(there, 1), last)
        assert turn is not None
        last = turn
        assert turn.rep_id in there
        order.append((turn.rep_id, there))
    for rep in {rep for rep, _ in order}:
        turns = [number for number, (who, _) in enumerate(order) if who == rep]
        for first, second in pairwise(turns):
            between = order[first + 1 : second]
            # Each rep was served at most once in between, and all who never left were served.
            found = Counter(who for who, _ in between)
            always = set.intersection(*(there for _, there in order[first : second + 1]))
            assert set(found) >= always - {rep}


# Who may be assigned a lead


def codes(rep: Rep, usage: Usage = Usage(), **playbook: Any) -> list[str]:  # noqa: B008
    return [r.code for r in not_assignable(rep, usage, a_playbook(**playbook), NOON)]


def test_somebody_on_duty_with_room_may_be_assigned_a_lead() -> None:
    assert codes(a_rep()) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"active": False}, "left"),
        ({"paused_until": NOON + HOUR}, "paused"),
        ({"hours": parse_hours({"sun": ["00:00-24:00"]})}, "outside_hours"),
        ({"leave": ((date(2026, 11, 20), date(2026, 11, 23)),)}, "on_leave"),
    ],
)
def test_somebody_off_duty_is_not_assigned_a_lead(change: dict[str, Any], code: str) -> None:
    assert codes(a_rep(**change)) == [code]


def test_on_a_holiday_of_their_team_nobody_is_assigned_a_lead() -> None:
    teams = {"north": {"name": "N", "holidays": ["2026-11-23"]}}
    assert codes(a_rep(), teams=teams) == ["holiday"]


def test_do_not_disturb_keeps_nobody_from_being_assigned_a_lead() -> None:
    assert codes(a_rep(quiet_until=NOON + HOUR)) == []


def test_the_weekly_allowance_counts_and_the_days_claims_do_not() -> None:
    rep = a_rep()
    quota = {"enabled": True, "base_per_week": 5}
    week = rep.this_week(NOON)
    assert codes(rep, Usage(rep.today(NOON), 99, week, 4), quota=quota) == []
    assert codes(rep, Usage(None, 0, week, 5), quota=quota) == ["weekly_allowance"]
    assert codes(rep, Usage(None, 0, week, 5)) == []  # no quotas
    assert codes(replace(rep, allowance=6), Usage(None, 0, week, 5), quota=quota) == []
    assert codes(rep, Usage(None, 0, week - timedelta(days=7), 5), quota=quota) == []


def test_leads_in_hand_are_enough_at_the_limit_and_without_one_never() -> None:
    limit = {"in_hand_limit": 3}
    assert codes(a_rep(), Usage(in_hand=2), assignment=limit) == []
    assert codes(a_rep(), Usage(in_hand=3), assignment=limit) == ["in_hand"]
    assert codes(a_rep(), Usage(in_hand=99)) == []


# Rotations

ANN, BOB, CHO = a_rep(1, tier=1), a_rep(2), a_rep(3, tier=3)
EXPIRED = a_lead(state=State.EXPIRED)


def ids(*reps: Rep) -> set[str]:
    return {rep.rep_id for rep in reps}


def among(*reps: Rep, lead: Any = EXPIRED, **playbook: Any) -> set[str]:
    members = [(rep, Usage()) for rep in reps]
    return set(candidates(lead, members, a_playbook(**playbook), NOON).weights)


def test_all_who_may_be_assigned_a_lead_are_candidates() -> None:
    paused = replace(BOB, paused_until=NOON + HOUR)
    assert among(ANN, paused, CHO) == ids(ANN, CHO)
    assert among(paused) == set()


def test_the_load_decides_who_is_left() -> None:
    playbook = a_playbook(model="round-robin", assignment={"in_hand_limit": 2})
    members = [(ANN, Usage(in_hand=2)), (BOB, Usage(in_hand=1)), (CHO, Usage(in_hand=3))]
    assert set(candidates(EXPIRED, members, playbook, NOON).weights) == ids(BOB)


def test_a_lead_that_tiers_let_go_is_tier_threes_first() -> None:
    assert among(ANN, BOB, CHO, model="tiers") == ids(CHO)
    assert among(ANN, BOB, model="tiers") == ids(ANN, BOB)
    off = replace(CHO, paused_until=NOON + HOUR)
    assert among(ANN, BOB, off, model="tiers") == ids(ANN, BOB)
    assert among(ANN, BOB, CHO, model="round-robin") == ids(ANN, BOB, CHO)
    assert among(ANN, BOB, CHO, model="open-pool") == ids(ANN, BOB, CHO)


def test_of_teams_with_and_without_tiers_those_without_go_beside_tier_three() -> None:
    teams = {"north": {"name": "N", "model": "tiers"}, "south": {"name": "S"}}
    southern = a_rep(4, team="south", tier=1)
    assert among(ANN, CHO, southern, teams=teams) == ids(CHO, southern)


def test_whoever_had_the_lead_last_never_gets_it_again_by_turn() -> None:
    returned = replace(EXPIRED, state=State.RELEASED, previous_owner=BOB.rep_id)
    assert among(ANN, BOB, lead=returned) == ids(ANN)
    assert among(BOB, lead=returned) == set()
    # Not even tier three goes before "not again".
    again = replace(returned, previous_owner=CHO.rep_id)
    assert among(ANN, CHO, lead=again, model="tiers") == ids(ANN)


def test_nor_does_whoever_released_it_within_the_cooldown() -> None:
    week = {"release": {"cooldown_days": 7}}
    for ago, free in (
        (timedelta(days=7) - timedelta(seconds=1), ids(ANN)),
        (timedelta(days=7), ids(ANN, CHO)),
    ):
        lead = replace(EXPIRED, previous_owner=BOB.rep_id, released_by={CHO.rep_id: NOON - ago})
        assert among(ANN, BOB, CHO, lead=lead, **week) == free
    at_once = replace(EXPIRED, previous_owner=BOB.rep_id, released_by={CHO.rep_id: NOON})
    assert among(ANN, CHO, lead=at_once, release={"cooldown_days": 0}) == ids(ANN, CHO)


def test_by_territory_a_lead_goes_to_its_own_people_while_one_of_them_is_free() -> None:
    by_territory = {"method": "territory"}
    here, there = replace(ANN, territories=("sabah", "sarawak")), replace(BOB, territories=("kl",))
    lead = replace(EXPIRED, territory="sarawak")
    assert among(here, there, CHO, lead=lead, assignment=by_territory) == ids(here)
    away = replace(here, paused_until=NOON + HOUR)
    assert among(away, there, CHO, lead=lead, assignment=by_territory) == ids(there, CHO)
    nowhere = replace(lead, territory="")
    assert among(here, there, lead=nowhere, assignment=by_territory) == ids(here, there)
    # Territory counts only where assignment is by territory.
    assert among(here, there, lead=lead) == ids(here, there)


@pytest.mark.parametrize(
    ("method", "weights"), [("round-robin", [1, 1]), ("weighted", [3, 1]), ("territory", [1, 1])]
)
def test_weights_count_where_assignment_is_weighted(method: str, weights: list[int]) -> None:
    members = [(replace(ANN, weight=3), Usage()), (BOB, Usage())]
    playbook = a_playbook(assignment={"method": method})
    assert list(candidates(EXPIRED, members, playbook, NOON).weights.values()) == weights


def test_a_lead_that_fits_only_who_has_left_is_for_anybody() -> None:
    playbook = a_playbook(model="round-robin", matching={"territory": True})
    lead = a_lead(state=State.NEW, territory="Sarawak")
    gone = a_rep(1, territories=("Sarawak",), active=False)
    elsewhere = a_rep(2, territories=("Sabah",))
    here = a_rep(3, territories=("Sarawak",))

    def served(*reps: Rep) -> set[str]:
        return set(candidates(lead, [(rep, Usage()) for rep in reps], playbook, NOON).weights)

    assert served(gone, elsewhere) == {elsewhere.rep_id}
    assert served(gone, elsewhere, here) == {here.rep_id}
    # Reps at a limit are still there: the lead waits for them.
    paused = replace(here, paused_until=NOON + HOUR)
    assert served(elsewhere, paused) == set()
