"""Who held a lead when (K4): a late activity counts for who held the lead then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dibs.core.lead import HELD, UNDONE, State
from dibs.ledger.ports import LeadHistory

_TAKEN = (State.CLAIMED, State.ASSIGNED)


@dataclass(frozen=True)
class Holder:
    """A rep who held a lead from `since` until `until`, None where they still do."""

    rep_id: str
    epoch: int
    since: datetime
    until: datetime | None = None

    def held_at(self, at: datetime, skew: timedelta = timedelta()) -> bool:
        """Return whether they held it at a moment, which may be off by `skew`."""
        return self.since - skew <= at and (self.until is None or at <= self.until + skew)


def holder_at(history: LeadHistory, at: datetime, rep_id: str, skew: timedelta) -> Holder | None:
    """Return who held the lead at a moment: this rep, or anybody where `rep_id` is empty.

    An undone claim does not count. Where clocks leave it open, the later of two holders did.
    """
    found = [
        holder
        for holder in _holders(history)
        if rep_id in ("", holder.rep_id) and holder.held_at(at, skew)
    ]
    return max(found, key=lambda holder: (holder.held_at(at), holder.since), default=None)


def _holders(history: LeadHistory) -> Iterator[Holder]:
    lead, starts = history.lead, dict[int, Holder]()
    for transition in sorted(history.transitions, key=lambda one: (one.at, one.epoch)):
        rep_id = transition.holder or transition.by
        if transition.to_state in _TAKEN:
            starts[transition.epoch] = Holder(rep_id, transition.epoch, transition.at)
        elif transition.to_state is State.RELEASED and transition.epoch in starts:
            start = starts.pop(transition.epoch)
            if transition.cause != UNDONE:
                yield Holder(start.rep_id, start.epoch, start.since, transition.at)
    held = lead.state in (*HELD, State.WON, State.LOST)
    if held and lead.owner is not None and lead.claimed_at is not None:
        yield Holder(lead.owner, lead.epoch, lead.claimed_at)
