"""Every error of the product. `code` is stable and public; the message says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar


class DibsError(Exception):
    """Base of every error Dibs raises on purpose."""

    code: ClassVar[str] = "error"
    message: ClassVar[str] = "Something went wrong here. Try again in a moment."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)

    def details(self) -> dict[str, Any]:
        """Return the public fields that an answer carries beside `code`."""
        return {}


class Unauthorized(DibsError):
    """Raised when a token or a signature is missing, wrong, too old or too new."""

    code = "unauthorized"
    message = "Sign in again: the token or signature is missing or not valid."


class Forbidden(DibsError):
    """Raised when a signed-in person asks for something their role may not do."""

    code = "forbidden"
    message = "Your role may not do this. Ask your manager."

    def __init__(self, message: str | None = None, *, only: tuple[str, ...] = ()) -> None:
        """`only`: who reports what this person did, where nobody else does (K5)."""
        super().__init__(message)
        self.only = only


class LeadNotFound(DibsError):
    """Raised when the lead does not exist, or the rep may not know that it does."""

    code = "lead_not_found"
    message = "You have no such lead. Open your list of offers to see what is up for grabs."


class RouteNotFound(DibsError):
    """Raised when a path, or an object named in it, does not exist."""

    code = "not_found"
    message = "There is nothing at this address. Check it for a mistake."


class Expired(DibsError):
    """Raised when nobody can claim the lead: its window has closed (C7), or it is on hold (R7)."""

    code = "expired"
    message = "The time to claim this lead is over. Nobody can claim it any more."


class Withdrawn(DibsError):
    """Raised when a link or reply code belongs to an earlier opening (epoch) of the lead."""

    code = "offer_over"
    message = "This offer is over. Open your list of offers to see what is up for grabs."


_DRAWN = "Another rep was drawn for it. The next lead is on its way."


@dataclass(eq=False)
class AlreadyClaimed(DibsError):
    """Raised when another rep won the lead (C3).

    `claimed_by` is the winner's id and name, None where the team's boards are anonymous. `ms_ago`
    is in milliseconds, `open_leads` about how many leads are still open for the loser's team.
    `drawn`: the winner was not faster but drawn among simultaneous claims (C10). `judged_at` is
    when this claim was judged: `ms_ago` counts to it, and the receipt records it (C9).
    """

    claimed_by: tuple[str, str] | None
    claimed_at: datetime
    ms_ago: int
    open_leads: int
    drawn: bool = False
    judged_at: datetime | None = None

    code: ClassVar[str] = "already_claimed"
    message: ClassVar[str] = "Somebody was faster. The next lead is on its way."

    def __post_init__(self) -> None:
        super().__init__(_DRAWN if self.drawn else None)

    def details(self) -> dict[str, Any]:
        winner = self.claimed_by and {"rep_id": self.claimed_by[0], "name": self.claimed_by[1]}
        fields = {
            "claimed_by": winner,
            "ms_ago": self.ms_ago,
            "judged_at": self.judged_at,
            "open_leads": self.open_leads,
        }
        return {**fields, "drawn": True} if self.drawn else fields


@dataclass(frozen=True)
class Refusal:
    """One rule that refuses, and `how` it lifts. `lifts_at` is None where time does not lift it."""

    code: str
    lifts_at: datetime | None
    how: str


@dataclass(eq=False)
class ClaimRefused(DibsError):
    """Raised when the lead is open but a rule keeps this rep from claiming it (C3).

    `lifts_at` is when the last of the rules lifts, None where time does not lift one. `judged_at`
    is when the claim was judged, as its receipt records it (C9).
    """

    refusals: tuple[Refusal, ...]
    lifts_at: datetime | None
    judged_at: datetime | None = None

    code: ClassVar[str] = "refused"
    message: ClassVar[str] = "You cannot claim this lead now."

    def __post_init__(self) -> None:
        super().__init__(" ".join(refusal.how for refusal in self.refusals))

    def details(self) -> dict[str, Any]:
        return {
            "rules": [refusal.code for refusal in self.refusals],
            "lifts_at": self.lifts_at,
            "lifts_when": " ".join(refusal.how for refusal in self.refusals),
            "judged_at": self.judged_at,
        }


def lifts_at(refusals: Sequence[Refusal]) -> datetime | None:
    """Return when the last refusal lifts, None where time does not lift one of them (C3)."""
    moments = [refusal.lifts_at for refusal in refusals]
    dated = [moment for moment in moments if moment is not None]
    return max(dated) if dated and len(dated) == len(moments) else None


class NotYours(DibsError):
    """Raised when a rep acts on a lead they do not hold."""

    code = "not_yours"
    message = "You do not hold this lead. Open your list of leads to see which you do."


@dataclass(eq=False)
class NoLongerYours(DibsError):
    """Raised when a rep asks for a lead they held before (C5, C11, R7); `why` says what became of
    it, in their language."""

    why: str
    cause: str
    at: datetime

    code: ClassVar[str] = "no_longer_yours"
    message: ClassVar[str] = "You do not hold this lead any more."

    def __post_init__(self) -> None:
        super().__init__(self.why)

    def details(self) -> dict[str, Any]:
        return {"cause": self.cause, "at": self.at}


class Ended(DibsError):
    """Raised when a help request or a quest is over (G8, G11)."""

    code = "ended"
    message = "This has ended, so nothing can be added."


class UndoOver(DibsError):
    """Raised when a claim is undone later than the playbook allows (C5)."""

    code = "undo_over"
    message = "The time to undo this claim is over. Release the lead with a reason instead."


class IllegalMove(DibsError):
    """Raised when a lead may not go from its state to another one (C8)."""

    code = "illegal_move"
    message = "This is not possible in the state it is in now. Look at it again."


class OutOfStock(DibsError):
    """Raised when a rep asks for a reward and the last one is gone (G9)."""

    code = "out_of_stock"
    message = "The last one is gone. Your points are still yours: look at the other rewards."


@dataclass(eq=False)
class NotEnoughPoints(DibsError):
    """Raised when a reward costs more points than a rep has (G9); `missing` is how many more."""

    missing: int
    balance: int

    code: ClassVar[str] = "not_enough_points"
    message: ClassVar[str] = "You do not have enough points for this reward."

    def __post_init__(self) -> None:
        super().__init__(f"You need {self.missing} more points for this reward.")

    def details(self) -> dict[str, Any]:
        return {"missing": self.missing, "balance": self.balance}


@dataclass(eq=False)
class AlreadyDecided(DibsError):
    """Raised when a request for a reward was decided already, and so cannot be changed (G9)."""

    state: str

    code: ClassVar[str] = "already_decided"
    message: ClassVar[str] = "This request has changed meanwhile. Look at it again."

    def __post_init__(self) -> None:
        super().__init__(f"This request is {self.state} now, so this is not possible.")

    def details(self) -> dict[str, Any]:
        return {"state": self.state}


class TooManyTries(DibsError):
    """Raised when somebody tries to sign in, or asks for links, too often in an hour."""

    code = "too_many_tries"
    message = "Too many tries. Wait an hour, then try again, or ask your manager for a new token."


class Busy(DibsError):
    """Raised when the store does not answer within the time we may wait.

    The change may be stored all the same, if only the answer was lost. A call can be repeated.
    """

    code = "busy"
    message = "The system is very busy. Nothing was lost: try again in a few seconds."

    def __init__(self, *, conflict: bool = False) -> None:
        """`conflict`: another transaction held the item at that moment; a retry helps."""
        super().__init__()
        self.conflict = conflict


@dataclass(frozen=True)
class FieldError:
    """One wrong field: where it is and how to correct it."""

    field: str
    problem: str


@dataclass(eq=False)
class InvalidInput(DibsError):
    """Raised when fields of the input are wrong; names every one of them."""

    errors: tuple[FieldError, ...]

    code: ClassVar[str] = "invalid_input"
    message: ClassVar[str] = "Some fields are wrong. Correct those named, then send it again."

    def __post_init__(self) -> None:
        super().__init__("; ".join(f"{e.field}: {e.problem}" for e in self.errors))

    def details(self) -> dict[str, Any]:
        return {"errors": [{"field": e.field, "problem": e.problem} for e in self.errors]}


class MalformedBody(DibsError):
    """Raised when a body is not JSON, or nested too deep to be parsed."""

    code = "malformed_body"
    message = "The body is not valid JSON. Nothing was stored: correct it, then send it again."


class BodyTooLarge(DibsError):
    """Raised when a body is larger than 64 KB."""

    code = "body_too_large"
    message = "The body is larger than 64 KB. Nothing was stored: send a smaller one."


class AlreadyExists(DibsError):
    """Raised when an object with this unique name exists already."""

    code = "already_exists"
    message = "This exists already. Use what is there, or choose another name or id."


class Outdated(DibsError):
    """Raised when the object was changed by another person since the caller read it."""

    code = "outdated"
    message = "Somebody changed this meanwhile. Look at it again, then change it."


class NotConfigured(DibsError):
    """Raised when a setting is missing; the message names it."""

    code = "not_configured"
    message = "A setting is missing. Ask whoever runs Dibs here."
