"""What reps tell of their work (K1), and what it does to the lead it is about (C8, C11).

What was told is never changed: a `reversal` takes an activity back, as if it had never been.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dibs.core.errors import FieldError, IllegalMove, NotYours
from dibs.core.lead import HELD, Lead, Move, State, moved

# A sender's clock may be ahead of ours by this much.
AHEAD = timedelta(minutes=5)

_CLOSED = (State.WON, State.LOST)
# Each stage implies those before it.
_STAGES = (State.CONTACTED, State.QUALIFIED, State.OPPORTUNITY, State.WON)

MOVES: dict[str, State] = {
    **{stage.value: stage for stage in _STAGES},
    "lost": State.LOST,
    "disqualified": State.LOST,
}
"""The activities that move their lead, and to which state."""

TYPES = (
    *("call", "contacted", "email", "transfer", "qualified", "disqualified"),
    *("appointment_set", "appointment_held", "opportunity", "quote_sent", "contract_sent"),
    *("won", "lost", "slipped", "csat", "reference", "nurture", "training_step", "crm_step"),
    *("tool_used", "upsell", "cross_sell", "hours_worked", "helped", "reversal"),
)
"""The activities that are accepted, beside those the playbook adds.

`helped` is what somebody says of themselves; what a colleague confirmed is booked otherwise (G11).
"""

REVERSAL = "reversal"
PLAIN = ("hours_worked", "csat")
"""What has an amount that is no money: minutes, and points of 100."""


@dataclass(frozen=True)
class Activity:
    """One thing a rep did, as it was told to us.

    `lead_id` is empty where it is about no lead, `rep_id` where the lead's holder is meant.
    `amount` is in the smallest unit of `currency` (ISO 4217), minutes for hours worked, 0 to 100
    for `csat`. `reverses` is the activity a reversal takes back, `step` the step of a quest it is,
    as `quest/step` (G8).
    """

    activity_id: str
    type: str
    at: datetime
    lead_id: str = ""
    rep_id: str = ""
    amount: int | None = None
    currency: str = ""
    reverses: str = ""
    step: str = ""

    @property
    def digest(self) -> str:
        """Tell this activity from any other of the same id, in 16 letters."""
        told: tuple[object, ...] = (self.type, self.at, self.lead_id, self.rep_id)
        told += (self.amount, self.currency, self.reverses, self.step)
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Step:
    """What an activity makes of the lead that was `held` and is now `lead`.

    `move` where it moves; `first_work` where the lead, until then untouched, is worked or closed.
    """

    held: Lead
    lead: Lead
    move: Move | None
    first_work: bool

    @property
    def frees(self) -> bool:
        """Tell whether the rep has one lead fewer in hand (M5); test leads never counted."""
        return self.first_work and not self.held.test

    @property
    def accepts(self) -> bool:
        """Tell whether this is how an assignment was accepted (F2): it is worked, or moves on."""
        gone_on = self.first_work or self.move is not None
        return self.held.unaccepted and gone_on and not self.held.test


def wrong(activity: Activity, now: datetime, own: Sequence[str] = ()) -> list[FieldError]:
    """Return what cannot be right about an activity, whatever its lead: nothing when it can.

    `own` are the types the playbook adds.
    """
    found = []
    if activity.type not in TYPES and activity.type not in own:
        found.append(FieldError("type", f"use one of {', '.join((*TYPES, *own))}"))
    if activity.at > now + AHEAD:
        found.append(FieldError("at", "lies in the future; send when it happened"))
    if activity.type in MOVES and not activity.lead_id:
        found.append(FieldError("lead_id", f"say which lead; {activity.type!r} moves it"))
    if activity.type == REVERSAL:
        if not activity.reverses:
            found.append(FieldError("reverses", "say which activity_id it takes back"))
        return found
    if activity.reverses:
        found.append(FieldError("reverses", f"goes with the type {REVERSAL!r} alone"))
    if not activity.lead_id and not activity.rep_id:
        found.append(FieldError("rep_id", "say who did it, or which lead it was about"))
    plain = activity.type in PLAIN or activity.type in own
    if activity.amount is not None and not activity.currency and not plain:
        found.append(FieldError("currency", "say in which currency the amount is, such as USD"))
    if activity.amount is None and activity.type in PLAIN:
        found.append(FieldError("amount", f"say how much; {activity.type!r} is nothing without"))
    if activity.currency and activity.type in PLAIN:
        found.append(FieldError("currency", f"leave it out; {activity.type!r} is no money"))
    if activity.type == "csat" and activity.amount is not None and activity.amount > 100:
        found.append(FieldError("amount", "send 0 to 100, where 100 is as satisfied as can be"))
    return found


def counting(counts: Collection[str]) -> frozenset[str]:
    """Return the types that work a lead (C11), from those the playbook names.

    With a stage every later one counts: nobody wins a lead they never contacted (C8).
    """
    first = next((n for n, stage in enumerate(_STAGES) if stage in counts), len(_STAGES))
    return frozenset(counts) | {stage.value for stage in _STAGES[first:]}


def step(
    lead: Lead, rep_id: str, activity: Activity, counts: Collection[str], now: datetime
) -> Step:
    """Return what the activity of a rep makes of the lead they hold (C8, C11).

    A lead never goes back: an earlier stage told late is told, and the lead stays where it is.
    The move is recorded `now`, the work when it was done.

    Raises:
        NotYours: somebody else holds the lead, or nobody.
        IllegalMove: the lead was won or lost before.
    """
    if lead.owner != rep_id or lead.state not in (*HELD, *_CLOSED):
        raise NotYours
    after, move = lead, None
    to = MOVES.get(activity.type)
    if to in _CLOSED and lead.state in _CLOSED:
        raise IllegalMove(f"This lead is {lead.state} already.")
    if to is not None and not _reached(lead.state, to):
        after, move = moved(lead, to, now, activity.type, rep_id)
        move = replace(move, told=activity.digest)
    first_work = lead.worked_at is None and (
        activity.type in counting(counts) or after.state in _CLOSED
    )
    if first_work:
        # A system that tells whole seconds may name a moment just before the lead was taken.
        after = replace(after, worked_at=max(activity.at, lead.claimed_at or activity.at))
    return Step(lead, after, move, first_work)


def taken_back(
    lead: Lead,
    rep_id: str,
    kind: str,
    epoch: int,
    moves: Sequence[Move],
    now: datetime,
    digest: str = "",
) -> Step | None:
    """Return what becomes of a lead when an activity of its holder is reversed, None for nothing.

    Where the activity, told by its `digest`, brought the lead to where it stands, the lead goes
    back to where it was; a deal that was won or lost by mistake is open again. What was worked
    stays worked (C11).
    """
    held = lead.owner == rep_id and lead.epoch == epoch
    if not held or MOVES.get(kind) is not lead.state:
        return None
    came = [move for move in moves if move.epoch == epoch and move.to_state is lead.state]
    latest = max(came, key=lambda move: move.at, default=None)
    # Moves of old do not say which activity it was.
    if latest is None or latest.cause != kind or latest.told not in ("", digest):
        return None
    back = latest.from_state
    move = Move(lead.lead_id, epoch, now, lead.state, back, REVERSAL, rep_id, (), rep_id)
    return Step(lead, replace(lead, state=back), move, first_work=False)


def _reached(state: State, stage: State) -> bool:
    if state in _CLOSED:
        return True
    return state in _STAGES and stage in _STAGES and _STAGES.index(state) >= _STAGES.index(stage)
