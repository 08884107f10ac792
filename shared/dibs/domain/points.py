"""Points as money is kept (G9): every change is a transfer from one account to another, so that all
accounts together always come to nought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ISSUED = "issued"
"""Where awards come from, and go back to when what they were for is reversed."""
LAPSED = "lapsed"
SPENT = "spent"


@dataclass(frozen=True)
class Transfer:
    """`points` (1 or more) from one account to another: a rep's id, or one of the house's.

    `transfer_id` is made of what it is for, so nothing is transferred twice. `rule` says what for,
    such as `claim` or `won`; `cause` is the entry, request or month it comes from.
    """

    transfer_id: str
    from_account: str
    to_account: str
    points: int
    at: datetime
    rule: str
    cause: str = ""
