"""The points ledger on its table (G9): what is booked adds up, once, and comes back in pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dibs.game.scoring.points import ISSUED, LAPSED, SPENT, Account, Transfer
from dibs.game.scoring.points_store import DynamoPoints, transfer_writes
from support.builders import NOON, World, a_rep

AINA, BEN = a_rep(1).rep_id, a_rep(2).rep_id
SECOND = timedelta(seconds=1)


@pytest.fixture
def points(world: World) -> DynamoPoints:
    return DynamoPoints(world.dynamo, world.settings)


def award(number: int, points: int = 10, rep_id: str = AINA) -> Transfer:
    at = NOON + number * SECOND
    return Transfer(
        f"award/{rep_id}/{number}", ISSUED, rep_id, points, at, "claim", f"taken/{number}"
    )


def spend(number: int, points: int, rep_id: str = AINA) -> Transfer:
    return Transfer(f"reward/{number}", rep_id, SPENT, points, NOON + number * SECOND, "reward")


def test_who_never_had_any_has_none(points: DynamoPoints) -> None:
    assert points.account(AINA) == Account(AINA)
    assert points.balance(AINA) == 0
    assert points.history(AINA, 10) == ([], "")


def test_what_is_booked_adds_up_and_comes_back_as_it_was(points: DynamoPoints) -> None:
    booked = [
        award(1, 200),
        award(2, 50),
        spend(3, 120),
        Transfer("reward/3/back", SPENT, AINA, 120, NOON + 4 * SECOND, "refused", "reward/3"),
        spend(5, 30),
        Transfer("lapsed/1", AINA, LAPSED, 7, NOON + 6 * SECOND, "decay", "2026-11"),
        Transfer("back/1", AINA, ISSUED, 50, NOON + 7 * SECOND, "claim", "reversal/2"),
    ]
    for one in booked:
        points.book([one])
    assert points.account(AINA) == Account(AINA, balance=163, earned=200, lapsed=7, spent=30)
    assert points.history(AINA, 10) == (booked[::-1], "")
    assert list(points.accounts()) == [points.account(AINA)]
    assert sorted(points.transfers(), key=lambda one: one.at) == booked


def test_several_transfers_of_several_reps_are_booked_in_one_transaction(
    world: World, points: DynamoPoints
) -> None:
    booked = [award(1), award(2, 25), award(1, 50, BEN), award(3, 5)]
    writes = transfer_writes(world.settings, booked)
    assert [next(iter(write)) for write in writes] == ["Update"] * 2 + ["Put"] * 4
    world.dynamo.transact(writes)
    assert (points.balance(AINA), points.balance(BEN)) == (40, 50)


def test_an_award_may_come_and_go_in_one_transaction(points: DynamoPoints) -> None:
    back = Transfer("reversed/1", AINA, ISSUED, 10, award(1).at, "won_reversed")
    assert points.book([award(1), back])
    assert points.account(AINA) == Account(AINA)
    assert points.history(AINA, 9)[0] == [back, award(1)]


def test_nothing_is_booked_twice_nor_half(points: DynamoPoints) -> None:
    points.book([award(1)])
    for again in ([award(1)], [award(2), award(1)], [replace(award(1), points=99)]):
        assert not points.book(again)
    assert points.account(AINA) == Account(AINA, 10, 10)
    assert points.history(AINA, 10) == ([award(1)], "")


def test_nobody_spends_more_than_they_have(points: DynamoPoints) -> None:
    assert not points.book([spend(1, 1)], covered=True)  # who has no account yet
    points.book([award(1, 30)])
    assert not points.book([spend(2, 31)], covered=True)
    assert points.book([spend(3, 30)], covered=True)
    assert points.account(AINA) == Account(AINA, 0, 30, 0, 30)


def test_an_award_taken_back_after_it_was_spent_leaves_less_than_nothing(
    points: DynamoPoints,
) -> None:
    points.book([award(1, 30), spend(2, 20)])
    points.book([Transfer("back/1", AINA, ISSUED, 30, NOON, "won")])
    assert points.account(AINA) == Account(AINA, balance=-20, earned=0, spent=20)
    assert not points.book([spend(3, 1)], covered=True)
    assert points.book([award(4, 30)], covered=True)  # what comes in is always covered
    assert points.balance(AINA) == 10


def test_history_comes_page_by_page_newest_first_also_while_it_grows(
    points: DynamoPoints,
) -> None:
    booked = [award(number) for number in range(7)]
    booked += [replace(award(6), transfer_id="award/other")]  # at the same moment
    points.book([*booked, award(1, 50, BEN)])
    newest = sorted(booked, key=lambda one: (one.at, one.transfer_id), reverse=True)
    first, rest = points.history(AINA, 3)
    points.book([award(100)])
    second, after = points.history(AINA, 3, rest)
    third, end = points.history(AINA, 3, after)
    assert first + second + third == newest
    assert end == ""
    assert points.history(AINA, 9)[1] == ""
    assert points.history(AINA, 8)[0][-1] == booked[1]


def test_what_came_since_a_moment_is_found(points: DynamoPoints) -> None:
    points.book([award(number) for number in range(5)])
    assert list(points.since(AINA, NOON + 3 * SECOND)) == [award(4), award(3)]
