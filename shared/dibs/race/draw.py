"""The draw among claims that count as simultaneous (C10). It is recorded and can be verified.

The seed is derived from the lead's secret salt, so it is fixed before the window opens. Its hash,
the commitment, is shown from then on, and the seed itself once the draw is over. Both are text:

    printf %s SEED | sha256sum                        the commitment
    printf %s 'SEED|LEAD_ID|EPOCH|REP_ID' | sha256sum    a rep's ticket; the lowest is drawn first
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from dibs.core.lead import Lead, State
from dibs.core.values import dataclass

WRITTEN_BY = timedelta(milliseconds=500)
"""An entry stored at most this long after the collection window is certain to be in the draw."""
DRAWN_AFTER = timedelta(seconds=1)
"""The entries are read at least this long after the window. So clocks may differ by 500 ms."""

_MOMENT = timedelta(milliseconds=1)


@dataclass(frozen=True)
class DrawResult:
    """The record of a draw (C10). `entrants` are in the order of their tickets.

    `passed` are the entrants drawn before the winner, each with the rules that refused them at
    `drawn_at`. Without a winner that is all of them, and the first to claim gets the lead.
    """

    lead_id: str
    epoch: int
    commitment: str
    seed: str
    drawn_at: datetime
    entrants: tuple[str, ...]
    passed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    winner: str | None = None


def seed_of(lead: Lead) -> str:
    """Return the seed of this opening's draw, in hex. It is secret until the draw is over."""
    return sha256(b"draw|%s|%d" % (lead.salt, lead.epoch)).hexdigest()


def commitment_of(seed: str) -> str:
    """Return the commitment to a seed, which is its hash, in hex."""
    return sha256(seed.encode()).hexdigest()


def ticket(seed: str, lead_id: str, epoch: int, rep_id: str) -> str:
    """Return a rep's ticket, in hex. All reps' tickets are equally likely to be the lowest."""
    return sha256(f"{seed}|{lead_id}|{epoch}|{rep_id}".encode()).hexdigest()


def in_order(seed: str, lead_id: str, epoch: int, rep_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the reps in the order of their tickets, without repetitions."""
    return tuple(sorted(set(rep_ids), key=lambda rep_id: ticket(seed, lead_id, epoch, rep_id)))


def collects(lead: Lead, now: datetime) -> bool:
    """Tell whether a claim now enters the lead's draw."""
    return undrawn(lead) and now < _window_end(lead)


def undrawn(lead: Lead) -> bool:
    """Tell whether the lead is open and its draw is not carried out yet."""
    return lead.state is State.OPEN and lead.draws_at is not None


def draw_time(lead: Lead) -> datetime:
    """Return the earliest time of the lead's draw."""
    return _window_end(lead) + DRAWN_AFTER


def draw_is_due(lead: Lead, now: datetime) -> bool:
    """Tell whether the lead's draw may be carried out now, and was not yet."""
    return undrawn(lead) and now >= draw_time(lead)


def judged_at(lead: Lead, now: datetime) -> datetime:
    """Return the time at which entrants are judged in a draw carried out `now`.

    It is before the lead closes: a late draw must not refuse reps who entered in time.
    """
    return min(now, lead.closes_at - _MOMENT)


def _window_end(lead: Lead) -> datetime:
    assert lead.draws_at is not None
    return lead.draws_at


def flaws(drawn: DrawResult, commitment: str = "") -> list[str]:
    """Return what is wrong with the record of a draw; empty if the draw was correct.

    `commitment` is the one a rep was shown before the draw, if they kept it.
    """
    problems = []
    if commitment_of(drawn.seed) != drawn.commitment:
        problems.append("the seed is not the one that was committed to")
    if commitment and commitment != drawn.commitment:
        problems.append("the commitment is not the one that was shown")
    if drawn.entrants != in_order(drawn.seed, drawn.lead_id, drawn.epoch, drawn.entrants):
        problems.append("the entrants do not stand in the order of their tickets")
    passed = tuple(rep_id for rep_id, _ in drawn.passed)
    if passed != drawn.entrants[: len(passed)] or not all(rules for _, rules in drawn.passed):
        problems.append("somebody was passed over out of order, or for no rule")
    if drawn.winner != next(iter(drawn.entrants[len(passed) :]), None):
        problems.append("the winner is not the first who was not passed over")
    return problems
