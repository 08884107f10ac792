"""Points change only by transfers between two accounts, so all accounts add up to zero (G9)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dibs.rules.game import Level

ISSUED = "issued"
"""The account that pays awards, and gets them back when they are reversed."""
LAPSED = "lapsed"
SPENT = "spent"
SYSTEM_ACCOUNTS = frozenset({ISSUED, LAPSED, SPENT})
"""The system accounts. One side of every transfer is one of them, the other is a rep's account."""


@dataclass(frozen=True)
class Transfer:
    """`points` (1 or more) from one account to another: a rep's id, or a system account.

    `transfer_id` and `at` both follow from the cause, and a transfer is stored under both, so
    nothing is transferred twice. `rule` is the reason, such as `claim` or `won`; `cause` is the
    entry, request or month behind it.
    """

    transfer_id: str
    from_account: str
    to_account: str
    points: int
    at: datetime
    rule: str
    cause: str = ""

    def __post_init__(self) -> None:
        if self.points < 1 or (self.from_account in SYSTEM_ACCOUNTS) is (
            self.to_account in SYSTEM_ACCOUNTS
        ):
            raise ValueError(f"{self.transfer_id} moves nothing between a rep and the house")

    @property
    def rep_id(self) -> str:
        """The rep on one side."""
        return self.to_account if self.from_account in SYSTEM_ACCOUNTS else self.from_account

    @property
    def system_account(self) -> str:
        """The system account on the other side."""
        return self.from_account if self.from_account in SYSTEM_ACCOUNTS else self.to_account

    @property
    def gained(self) -> int:
        """The change of the rep's balance; negative where they lose points."""
        return self.points if self.from_account in SYSTEM_ACCOUNTS else -self.points


@dataclass(frozen=True)
class Account:
    """A rep's points. `balance` is `earned` (awards less reversals) less `lapsed` (expired) less
    `spent`.

    It is negative only where an award was reversed after its points were spent.
    """

    rep_id: str
    balance: int = 0
    earned: int = 0
    lapsed: int = 0
    spent: int = 0


def accounts_of(transfers: Iterable[Transfer]) -> dict[str, Account]:
    """Return the accounts that transfers, in any order, add up to, by rep."""
    gained = defaultdict[str, Counter[str]](Counter)
    for transfer in transfers:
        gained[transfer.rep_id][transfer.system_account] += transfer.gained
    return {
        rep_id: Account(rep_id, sum(by.values()), by[ISSUED], -by[LAPSED], -by[SPENT])
        for rep_id, by in gained.items()
    }


def decayed(account: Account, later: Iterable[Transfer], cutoff: datetime, percent: int) -> int:
    """Return how many points expire: `percent`, rounded down, of the old points left (G9).

    Old points were earned by `cutoff`; `later` are the transfers from then on. Spending and expiry
    use the oldest points first, so the old points left are the balance less all awards since. A
    reversal has the time of its award, so the award counts as never made.
    """
    new = sum(t.gained for t in later if t.at > cutoff and t.system_account == ISSUED)
    return max(0, account.balance - new) * percent // 100


def level_of(account: Account, levels: Sequence[Level]) -> tuple[Level | None, Level | None]:
    """Return a rep's level, by the points earned and not expired, and the next level.

    None below the first level, and above the last.
    """
    points = account.earned - account.lapsed
    order = sorted(levels, key=lambda level: level.from_points)
    held = [level for level in order if level.from_points <= points]
    ahead = order[len(held) :]
    return (held[-1] if held else None, ahead[0] if ahead else None)
