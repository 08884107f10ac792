"""Rewards: what a request costs, where it may go, what levels take and what lapses (G9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dibs.core.errors import AlreadyDecided, NotEnoughPoints
from dibs.game.rewards.rules import (
    RequestState,
    RequestStep,
    Reward,
    RewardRequest,
    requested,
    stepped,
)
from dibs.game.scoring.points import ISSUED, LAPSED, SPENT, Account, Transfer, decayed, level_of
from dibs.rules.game import Level
from support.builders import NOON, a_rep

AINA = a_rep(1).rep_id
DAY, MS = timedelta(days=1), timedelta(milliseconds=1)
MUG = Reward("mug", "Mug", 100, stock=2)


def award(number: int, points: int, at: datetime) -> Transfer:
    return Transfer(f"award/{number}", ISSUED, AINA, points, at, "won")


@pytest.mark.parametrize(
    ("points", "missing"), [(0, 100), (1, 99), (99, 1), (100, None), (101, None)]
)
def test_who_has_not_enough_is_told_how_many_are_missing(points: int, missing: int | None) -> None:
    account = Account(AINA, points, points)
    if missing is None:
        assert requested(MUG, account, "x", NOON).price == 100
    else:
        with pytest.raises(NotEnoughPoints, match=str(missing)) as raised:
            requested(MUG, account, "x", NOON)
        assert raised.value.details() == {"missing": missing, "balance": points}


def test_debts_are_to_be_made_up_first() -> None:
    with pytest.raises(NotEnoughPoints) as raised:
        requested(MUG, Account(AINA, -20), "x", NOON)
    assert raised.value.missing == 120


EVERY_STEP = [(state, to) for state in RequestState for to in RequestState]


@pytest.mark.parametrize(("state", "to"), EVERY_STEP, ids=str)
def test_a_request_goes_where_it_may_and_nowhere_else(
    state: RequestState, to: RequestState
) -> None:
    request = RewardRequest("x", AINA, "mug", "Mug", 100, (RequestStep(state, NOON, "manager"),))
    allowed = {
        (RequestState.REQUESTED, RequestState.APPROVED),
        (RequestState.REQUESTED, RequestState.REFUSED),
        (RequestState.REQUESTED, RequestState.LAPSED),
        (RequestState.APPROVED, RequestState.COLLECTED),
        (RequestState.APPROVED, RequestState.RECALLED),
        (RequestState.APPROVED, RequestState.LAPSED),
    }
    if (state, to) in allowed:
        now = stepped(request, to, NOON + DAY, "manager", "why")
        assert now.steps == (*request.steps, RequestStep(to, NOON + DAY, "manager", "why"))
    else:
        with pytest.raises(AlreadyDecided) as raised:
            stepped(request, to, NOON + DAY, "manager", "why")
        assert raised.value.details() == {"state": state}


# Levels and decay

LEVELS = (Level("Silver", 500), Level("Gold", 1000), Level("Bronze", 100))


@pytest.mark.parametrize(
    ("account", "held", "ahead"),
    [
        (Account(AINA), None, "Bronze"),
        (Account(AINA, earned=99), None, "Bronze"),
        (Account(AINA, earned=100), "Bronze", "Silver"),
        (Account(AINA, earned=499), "Bronze", "Silver"),
        (Account(AINA, earned=500), "Silver", "Gold"),
        (Account(AINA, earned=1000), "Gold", None),
        (Account(AINA, earned=10**9), "Gold", None),
        # Spent points still count, expired points do not.
        (Account(AINA, earned=500, spent=500), "Silver", "Gold"),
        (Account(AINA, earned=500, lapsed=1), "Bronze", "Silver"),
        (Account(AINA, balance=-5, earned=-5), None, "Bronze"),
    ],
)
def test_levels_go_by_what_was_earned_and_has_not_lapsed(
    account: Account, held: str | None, ahead: str | None
) -> None:
    found = level_of(account, LEVELS)
    assert tuple(level and level.name for level in found) == (held, ahead)


def test_without_levels_nobody_has_one() -> None:
    assert level_of(Account(AINA, earned=500), ()) == (None, None)


CUTOFF = datetime(2026, 9, 2, tzinfo=UTC)
YOUNG = CUTOFF + MS


@pytest.mark.parametrize(
    ("balance", "later", "percent", "gone"),
    [
        (100, [], 10, 10),
        (109, [], 10, 10),  # rounded down
        (9, [], 10, 0),
        (100, [], 100, 100),
        (100, [], 0, 0),
        (0, [], 100, 0),
        (-50, [], 100, 0),
        # Exactly at the cutoff is old, a moment later is new.
        (100, [award(1, 100, CUTOFF)], 50, 50),
        (100, [award(1, 100, YOUNG)], 50, 0),
        (100, [award(1, 60, YOUNG)], 50, 20),
        # 300 earned, 100 of them new, 150 spent: 50 of the old ones are left.
        (150, [award(1, 100, YOUNG)], 100, 50),
        # All old ones are spent, and some of the new ones.
        (40, [award(1, 100, YOUNG)], 100, 0),
        # 100 old points, 60 new ones reversed: a reversal has its award's time, so the 60 count as
        # never awarded.
        (100, [award(1, 60, YOUNG), Transfer("a", AINA, ISSUED, 60, YOUNG, "back")], 10, 10),
        # 200 old points, 100 of them reversed; 60 new ones.
        (160, [award(1, 60, YOUNG), Transfer("a", AINA, ISSUED, 100, CUTOFF, "back")], 10, 10),
        # Spending and refunds are no awards.
        (100, [Transfer("a", SPENT, AINA, 100, YOUNG, "refused")], 10, 10),
        (100, [Transfer("a", AINA, SPENT, 100, YOUNG, "reward")], 10, 10),
        (100, [Transfer("a", AINA, LAPSED, 100, YOUNG, "decay")], 10, 10),
    ],
)
def test_a_share_of_what_is_left_of_old_points_lapses(
    balance: int, later: list[Transfer], percent: int, gone: int
) -> None:
    assert decayed(Account(AINA, balance), later, CUTOFF, percent) == gone
