"""Seal races, chain them, and show a rep their own receipt (C9).

A race is sealed once, when it is over and its late losers are stored. It is built from records that
exist already (the lead's history, the sent offers, the tries), so it may be sealed late or twice:
the first seal counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dibs.core.errors import IllegalMove, LeadNotFound, RouteNotFound
from dibs.core.events import LATE_AFTER, LeadEvent
from dibs.core.lead import Lead, State
from dibs.core.ports import Bus
from dibs.ledger.ports import LeadHistory
from dibs.offers.ports import OfferStore
from dibs.race.draw import DrawResult
from dibs.race.ports import Draws, RaceStore
from dibs.race.verdicts import RecordedVerdicts
from dibs.receipts.ports import Dispute, Races, Ruling
from dibs.receipts.receipts import (
    GRACE,
    Block,
    Ending,
    Outcome,
    Race,
    Receipt,
    SealedRace,
    Trace,
    block_link,
    ending,
    receipts,
    seal,
)
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook

SEAL = "race.seal"
_LOOKED_BACK = 5
BLOCK_RACES = 1000
"""The most races a block holds."""


def late_at(lead: Lead, playbook: Playbook) -> datetime:
    """Return when the seal of the lead's race is late, however the race ends."""
    return seal_at(lead.closes_at, playbook) + LATE_AFTER


def seal_at(over: datetime, playbook: Playbook) -> datetime:
    """Return when a race that ended at `over` is sealed: no undo is possible, late losers are
    stored."""
    return over + timedelta(seconds=playbook.undo_seconds) + GRACE


def seal_race(
    lead_id: str,
    epoch: int,
    races: Races,
    offers: OfferStore,
    roster: Roster,
    story_of: Callable[[str], LeadHistory | None],
    draws: Draws,
    now: datetime,
) -> datetime | None:
    """Seal the race of an opening, once; return when to try again where it is too early.

    When the lead was opened again, the earlier race is sealed at once, before the sent offers and
    tries of the next race overwrite its own. None also when the race is not over, or there was
    none.
    """
    story = story_of(lead_id)
    ended = None if story is None else ending(story.claim, story.transitions, epoch)
    if story is None or ended is None:
        return None
    due = seal_at(ended.at, roster.playbook())
    if now < due and story.lead.epoch == epoch:
        return due
    if races.find(lead_id, epoch) is None:
        judged = _waves(races, lead_id, epoch)
        members = [rep.rep_id for team in story.lead.teams for rep, _ in roster.team(team)]
        drawn = next((draw for draw in story.draws if draw.epoch == epoch), None)
        # A minute later the last tries are in every copy; before an early seal they may not be.
        traces = _traces(lead_id, epoch, judged, members, offers, consistent=now < due)
        if drawn is None and story.lead.draws_at is not None:
            traces = _entered(traces, draws.entrants(replace(story.lead, epoch=epoch)))
        results = receipts(ended, traces, drawn)
        race = _race(story, epoch, ended, judged, now, results)
        if drawn is not None:
            race = replace(race, draw=revealed(drawn))
        races.seal(lead_id, epoch, seal(race, results), now)
    return None


def _entered(traces: Iterable[Trace], entrants: Iterable[str]) -> Iterator[Trace]:
    """Yield the traces, with the entrants of a draw marked.

    For a draw that was never made because a manager assigned the lead first (R7).
    """
    by_rep = {trace.rep_id: trace for trace in traces}
    by_rep |= {
        rep_id: replace(by_rep.get(rep_id, Trace(rep_id)), entered=True) for rep_id in entrants
    }
    yield from by_rep.values()


def _waves(races: Races, lead_id: str, epoch: int) -> list[RecordedVerdicts]:
    return [wave for wave in races.judged(lead_id, epoch) if wave.how == "race"]


def revealed(drawn: DrawResult) -> dict[str, object]:
    """Return the part of a draw that is sealed: everything needed to compute the winner again."""
    return {
        "commitment": drawn.commitment,
        "seed": drawn.seed,
        "entrants": list(drawn.entrants),
        "winner": drawn.winner,
    }


def _race(
    story: LeadHistory,
    epoch: int,
    ended: Ending,
    judged: list[RecordedVerdicts],
    now: datetime,
    results: tuple[Receipt, ...],
) -> Race:
    lead, claim = story.lead, story.claim
    opened = (m.at for m in story.transitions if m.epoch == epoch and m.to_state is State.OPEN)
    version = lead.playbook_version
    if judged:
        version = judged[-1].playbook_version
    elif claim is not None and claim.epoch == epoch:
        version = claim.playbook_version
    return Race(
        lead_id=lead.lead_id,
        epoch=epoch,
        teams=judged[-1].teams if judged else lead.teams,
        opened_at=min(opened, default=ended.at),
        closed_at=ended.at,
        sealed_at=now,
        winner=ended.winner,
        cause=ended.cause,
        playbook_version=version,
        count=len(results),
        test=lead.test,
    )


def _traces(
    lead_id: str,
    epoch: int,
    judged: Iterable[RecordedVerdicts],
    members: Iterable[str],
    offers: OfferStore,
    *,
    consistent: bool = True,
) -> Iterator[Trace]:
    """Yield the trace of every rep who was judged, and of members who joined later."""
    verdicts = {rep_id: codes for wave in judged for rep_id, codes in wave.verdicts.items()}
    reps = sorted({*verdicts, *members})
    notices = offers.notices(lead_id, epoch, reps)
    sightings = offers.sightings(lead_id, epoch, reps, consistent=consistent)
    for rep_id in reps:
        notice, sighting = notices.get(rep_id), sightings.get(rep_id)
        tried = sighting is not None and sighting.attempted_at is not None
        if rep_id in verdicts or notice is not None or tried:
            yield Trace(
                rep_id,
                told_at=None if notice is None else notice.sent_at,
                attempted_at=None if sighting is None else sighting.attempted_at,
                lost_at=None if sighting is None else sighting.lost_at,
                refused=() if sighting is None else sighting.rules,
                kept_out=verdicts.get(rep_id, ()),
            )


def seal_late(races: Races, bus: Bus, now: datetime) -> int:
    """Publish the seal event again for every race whose seal is late; return how many."""
    late = [LeadEvent(SEAL, lead_id, epoch) for lead_id, epoch in races.unsealed(now)]
    bus.publish(late)
    return len(late)


@dataclass(frozen=True)
class ChainResult:
    """A new block: its number, its hash, and how many races it holds."""

    number: int
    hash: str
    races: int


def chain_up(races: Races, now: datetime) -> list[ChainResult]:
    """Put the sealed races into the next blocks; return those blocks.

    Only one writer succeeds: where the next number is in use, the rest waits for the next minute.
    After a crash a race may be in two blocks; both list it as it was sealed.
    """
    waiting, added = races.unchained(), list[ChainResult]()
    number, before = races.last_block() if waiting else (0, "")
    for start in range(0, len(waiting), BLOCK_RACES):
        some = tuple(waiting[start : start + BLOCK_RACES])
        number += 1
        link = block_link(Block(number, now, some), before)
        if not races.add_block(number, link, now):
            break
        races.chained([(lead_id, epoch) for lead_id, epoch, _ in some], number)
        before = link.hash
        added.append(ChainResult(number, link.hash, len(some)))
    return added


@dataclass(frozen=True)
class OwnReceipt:
    """A rep's own part of a race: their receipt, line `place` of the sealed race.

    Until the race is sealed, only their trace so far.
    """

    epoch: int
    part: Receipt | Trace
    sealed: SealedRace | None = None
    place: int = 0


def own_receipt(
    store: RaceStore,
    races: Races,
    offers: OfferStore,
    lead_id: str,
    rep_id: str,
    epoch: int | None = None,
) -> OwnReceipt:
    """Return the rep's part of a lead's race: in that opening, else in the latest they were in.

    Raises:
        LeadNotFound: there is no such lead, or the rep was not in a race for it.
    """
    lead = store.read(lead_id, rep_id).lead
    if lead is None:
        raise LeadNotFound
    latest = range(lead.epoch, max(0, lead.epoch - _LOOKED_BACK), -1)
    for number in latest if epoch is None else (epoch,):
        sealed = races.find(lead_id, number)
        if sealed is not None:
            for place, receipt in enumerate(sealed.receipts, start=1):
                if receipt.rep_id == rep_id:
                    return OwnReceipt(number, receipt, sealed, place)
            continue
        own = [_of_rep(rep_id, wave) for wave in _waves(races, lead_id, number)]
        for trace in _traces(lead_id, number, own, [rep_id], offers):
            return OwnReceipt(number, trace)
    raise LeadNotFound


def _of_rep(rep_id: str, wave: RecordedVerdicts) -> RecordedVerdicts:
    return replace(wave, verdicts={rep: c for rep, c in wave.verdicts.items() if rep == rep_id})


def dispute(
    store: RaceStore,
    races: Races,
    offers: OfferStore,
    lead_id: str,
    rep_id: str,
    reason: str,
    now: datetime,
    epoch: int | None = None,
) -> Dispute:
    """File the rep's dispute of a race they were in and did not win, once; return the first one.

    Raises:
        LeadNotFound: there is no such lead, or the rep was not in a race for it.
        IllegalMove: the rep won this race.
    """
    own = own_receipt(store, races, offers, lead_id, rep_id, epoch)
    if _won(store, own, lead_id, rep_id):
        raise IllegalMove("You won this race. Only a race you did not win can be disputed.")
    return races.dispute(Dispute(lead_id, own.epoch, rep_id, now, reason))


def _won(store: RaceStore, own: OwnReceipt, lead_id: str, rep_id: str) -> bool:
    if isinstance(own.part, Receipt):
        return own.part.outcome is Outcome.WON
    claim = store.read(lead_id, rep_id).claim
    return claim is not None and (claim.epoch, claim.rep_id) == (own.epoch, rep_id)


def answer_dispute(
    races: Races,
    lead_id: str,
    epoch: int,
    rep_id: str,
    upheld: bool,
    text: str,
    by: str,
    now: datetime,
) -> Dispute:
    """Answer a rep's dispute: upheld or not, and why; the same answer again changes nothing.

    Raises:
        RouteNotFound: there is no such dispute.
        IllegalMove: it has another answer.
    """
    filed = races.disputed(lead_id, epoch, rep_id)
    if filed is None:
        raise RouteNotFound("There is no such dispute. Look at GET /disputes.")
    ruling: Ruling = "upheld" if upheld else "not_upheld"
    answered = races.answer(
        replace(filed, ruling=ruling, answer=text, answered_at=now, answered_by=by)
    )
    if (answered.ruling, answered.answer) != (ruling, text):
        raise IllegalMove("This dispute is answered already; its answer stands.")
    return answered
