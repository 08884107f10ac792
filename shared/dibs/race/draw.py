"""The draw among claims that count as simultaneous (C10): recorded, and anybody can recompute it.

The seed follows from the lead's secret salt, so it is fixed before the window opens. Its hash, the
commitment, is shown from then on, and the seed itself once the draw is over. All of it is text:

    printf %s SEED | sha256sum                        the commitment
    printf %s 'SEED|LEAD_ID|EPOCH|REP_ID' | sha256sum    a rep's ticket; the lowest is drawn first
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from dibs.core.lead import Lead, State

WRITTEN_BY = timedelta(milliseconds=500)
"""An entry that is stored this long after the window at the latest is certain to be in the draw."""
DRAWN_AFTER = timedelta(seconds=1)
"""The entries are read no earlier than this after the window: clocks may differ by the rest."""

_MOMENT = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Drawn:
    """A draw as it was carried out (C10). `entrants` stand in the order of their tickets.

    `passed` are those drawn before the winner, each with the rules that kept the lead from them at
    `drawn_at`. Without a winner it is everybody: the race goes on for whoever claims first.
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
    """Return the seed of this opening's draw, in hex: secret until it is over."""
    return sha256(b"draw|%s|%d" % (lead.salt, lead.epoch)).hexdigest()


def commitment_of(seed: str) -> str:
    """Return what a seed is committed to by, in hex."""
    return sha256(seed.encode()).hexdigest()


def ticket(seed: str, lead_id: str, epoch: int, rep_id: str) -> str:
    """Return a rep's ticket, in hex: every rep's is as likely to be the lowest as any other's."""
    return sha256(f"{seed}|{lead_id}|{epoch}|{rep_id}".encode()).hexdigest()


def in_order(seed: str, lead_id: str, epoch: int, rep_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the reps in the order of their tickets, each once."""
    return tuple(sorted(set(rep_ids), key=lambda rep_id: ticket(seed, lead_id, epoch, rep_id)))


def collects(lead: Lead, now: datetime) -> bool:
    """Tell whether a claim now goes into the lead's draw."""
    return undrawn(lead) and now < _window_end(lead)


def undrawn(lead: Lead) -> bool:
    """Tell whether the lead is open and its draw is still to come, or overdue."""
    return lead.state is State.OPEN and lead.draws_at is not None


def draw_time(lead: Lead) -> datetime:
    """Return when the lead is drawn at the earliest."""
    return _window_end(lead) + DRAWN_AFTER


def draw_is_due(lead: Lead, now: datetime) -> bool:
    """Tell whether the lead's draw may be carried out, and was not."""
    return undrawn(lead) and now >= draw_time(lead)


def judged_at(lead: Lead, now: datetime) -> datetime:
    """Return the moment a draw carried out `now` counts for.

    Who entered keeps their chance when the draw comes only after the lead has closed.
    """
    return min(now, lead.closes_at - _MOMENT)


def _window_end(lead: Lead) -> datetime:
    assert lead.draws_at is not None
    return lead.draws_at


def flaws(drawn: Drawn, commitment: str = "") -> list[str]:
    """Return what is wrong with a record of a draw; nothing where it was drawn as promised.

    `commitment` is what was shown before the window, where somebody kept it.
    """
    found = []
    if commitment_of(drawn.seed) != drawn.commitment:
        found.append("the seed is not the one that was committed to")
    if commitment and commitment != drawn.commitment:
        found.append("the commitment is not the one that was shown")
    if drawn.entrants != in_order(drawn.seed, drawn.lead_id, drawn.epoch, drawn.entrants):
        found.append("the entrants do not stand in the order of their tickets")
    passed = tuple(rep_id for rep_id, _ in drawn.passed)
    if passed != drawn.entrants[: len(passed)] or not all(rules for _, rules in drawn.passed):
        found.append("somebody was passed over out of order, or for no rule")
    if drawn.winner != next(iter(drawn.entrants[len(passed) :]), None):
        found.append("the winner is not the first who was not passed over")
    return found
