"""What a claim answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from typing_extensions import TypedDict

from dibs.core.lead import Contact


class Won(TypedDict):
    """The lead is the rep's; `lead` is null where a link is too old to show contact details."""

    lead_id: str
    claimed_at: datetime
    claim_ms: int
    already_yours: bool
    undo_until: datetime | None
    lead: Contact | None


class InDraw(TypedDict):
    """The claim is in a draw; `commitment` is that of its seed."""

    code: Literal["in_draw"]
    lead_id: str
    draws_at: datetime
    commitment: str


class Standing(TypedDict):
    """How the race stands for the holder of a link."""

    state: Literal["open", "won", "lost", "expired", "refused", "in_draw"]
    closes_at: datetime | None


class Seen(Standing):
    """The offer counts as seen; and how the race stands."""

    seen: Literal[True]


class OutcomeTold(TypedDict):
    """What was recorded of the lead, and whether it had been before."""

    lead_id: str
    recorded: list[str]
    repeated: bool


class Undone(TypedDict):
    """The claim was taken back."""

    undone: Literal[True]
