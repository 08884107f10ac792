"""Points as money is kept (G9): every change is a transfer from one account to another, so that all
accounts together always come to nought."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dibs.rules.game import Level

ISSUED = "issued"
"""Where awards come from, and go back to when what they were for is reversed."""
LAPSED = "lapsed"
SPENT = "spent"
HOUSE = frozenset({ISSUED, LAPSED, SPENT})
"""The house's accounts. One side of every transfer is one of them, the other a rep's."""


@dataclass(frozen=True)
class Transfer:
    """`points` (1 or more) from one account to another: a rep's id, or one of the house's.

    `transfer_id` is made of what it is for, so nothing is transferred twice; `at` follows from
    the same, since a transfer is stored by both. `rule` says what for,
    such as `claim` or `won`; `cause` is the entry, request or month it comes from.
    """

    transfer_id: str
    from_account: str
    to_account: str
    points: int
    at: datetime
    rule: str
    cause: str = ""

    def __post_init__(self) -> None:
        if self.points < 1 or (self.from_account in HOUSE) is (self.to_account in HOUSE):
            raise ValueError(f"{self.transfer_id} moves nothing between a rep and the house")

    @property
    def rep_id(self) -> str:
        """Whose points these are or were."""
        return self.to_account if self.from_account in HOUSE else self.from_account

    @property
    def house(self) -> str:
        """The account of the house on the other side."""
        return self.from_account if self.from_account in HOUSE else self.to_account

    @property
    def gained(self) -> int:
        """What the rep has more for it, below nought where they have less."""
        return self.points if self.from_account in HOUSE else -self.points


@dataclass(frozen=True)
class Account:
    """A rep's points: all that were `earned` (awards less what was taken back), less those that
    `lapsed` and those `spent`, are the `balance`.

    It is below nought where an award was taken back after it was spent, and for nothing else.
    """

    rep_id: str
    balance: int = 0
    earned: int = 0
    lapsed: int = 0
    spent: int = 0


def accounts_of(transfers: Iterable[Transfer]) -> dict[str, Account]:
    """Return what transfers come to, in any order, for each rep they are of."""
    gained = defaultdict[str, Counter[str]](Counter)
    for one in transfers:
        gained[one.rep_id][one.house] += one.gained
    return {
        rep_id: Account(rep_id, sum(by.values()), by[ISSUED], -by[LAPSED], -by[SPENT])
        for rep_id, by in gained.items()
    }


def decayed(account: Account, later: Iterable[Transfer], cutoff: datetime, percent: int) -> int:
    """Return how many points lapse (G9): `percent`, rounded down, of those left that were earned
    by `cutoff`; `later` are the transfers from then on.

    What is spent or lapses takes the oldest points first, so what is left of the old ones is what
    the balance holds beyond all that was awarded since. What was taken back bears the moment of
    its award, and so counts as never awarded.
    """
    young = sum(one.gained for one in later if one.at > cutoff and one.house == ISSUED)
    return max(0, account.balance - young) * percent // 100


def level_of(account: Account, levels: Sequence[Level]) -> tuple[Level | None, Level | None]:
    """Return the level that a rep's points give, all that were earned and have not lapsed, and the
    next one; None below the first, and above the last."""
    points = account.earned - account.lapsed
    order = sorted(levels, key=lambda level: level.from_points)
    held = [level for level in order if level.from_points <= points]
    ahead = order[len(held) :]
    return (held[-1] if held else None, ahead[0] if ahead else None)
