"""Every transfer of points is between a rep and a system account, and all add up to zero (G9)."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.lead import id_text
from dibs.game.scoring.points import (
    ISSUED,
    LAPSED,
    SPENT,
    SYSTEM_ACCOUNTS,
    Account,
    Transfer,
    accounts_of,
)
from support.builders import NOON, a_rep

AINA, BEN = a_rep(1).rep_id, a_rep(2).rep_id


def transfer(source: str, to: str, points: int = 5, number: int = 1) -> Transfer:
    return Transfer(f"t/{number}", source, to, points, NOON + timedelta(seconds=number), "won")


@pytest.mark.parametrize("house", sorted(SYSTEM_ACCOUNTS))
def test_a_transfer_tells_whose_points_they_are_and_which_way_they_went(house: str) -> None:
    came, went = transfer(house, AINA), transfer(AINA, house)
    assert (came.rep_id, came.system_account, came.gained) == (AINA, house, 5)
    assert (went.rep_id, went.system_account, went.gained) == (AINA, house, -5)


@pytest.mark.parametrize(
    ("source", "to", "points"),
    [
        (ISSUED, AINA, 0),
        (ISSUED, AINA, -1),
        (AINA, BEN, 5),
        (AINA, AINA, 5),
        (ISSUED, SPENT, 5),
        (LAPSED, LAPSED, 5),
    ],
)
def test_nothing_else_is_a_transfer(source: str, to: str, points: int) -> None:
    with pytest.raises(ValueError, match="t/1"):
        transfer(source, to, points)


def test_no_rep_is_ever_named_as_the_house_is() -> None:
    # Three bytes are five letters of base32; the last letter is from the even half of the alphabet.
    last = {id_text(bytes((0, 0, byte)))[-1] for byte in range(256)}
    assert not {name[-1] for name in SYSTEM_ACCOUNTS if len(name) == 5} & last
    assert {len(id_text(bytes(3)))} == {5}


@given(st.permutations(range(6)))
def test_what_transfers_come_to_does_not_depend_on_their_order(order: list[int]) -> None:
    moves = [
        (ISSUED, AINA, 200),
        (AINA, SPENT, 120),
        (SPENT, AINA, 120),
        (AINA, SPENT, 30),
        (AINA, LAPSED, 7),
        (AINA, ISSUED, 50),
    ]
    transfers = [transfer(*move, number=number) for number, move in enumerate(moves)]
    found = accounts_of(transfers[place] for place in order)[AINA]
    assert found == Account(AINA, balance=113, earned=150, lapsed=7, spent=30)
    assert found.balance == found.earned - found.lapsed - found.spent


def test_all_accounts_together_come_to_nought() -> None:
    moves = [
        transfer(*sides, points=number + 1, number=number)
        for number, sides in enumerate(
            [
                *product(sorted(SYSTEM_ACCOUNTS), (AINA, BEN)),
                *product((AINA, BEN), sorted(SYSTEM_ACCOUNTS)),
            ]
        )
    ]
    reps = sum(one.balance for one in accounts_of(moves).values())
    house = sum(
        (m.to_account in SYSTEM_ACCOUNTS) * m.points
        - (m.from_account in SYSTEM_ACCOUNTS) * m.points
        for m in moves
    )
    assert reps + house == 0
