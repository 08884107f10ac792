"""Seal races, chain them, and show a rep their own receipt (C9).

A race is sealed once, when it is over and its late losers are in. What it is sealed from stands
elsewhere already (the lead's record, the notices, the tries), so it may be sealed late or twice:
the first seal counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dibs.core.errors import LeadNotFound
from dibs.core.events import PATIENCE, Fact
from dibs.core.lead import Lead, State
from dibs.core.ports import Bus
from dibs.ledger.ports import Story
from dibs.offers.ports import OfferStore
from dibs.race.draw import Drawn
from dibs.race.ports import Draws, RaceStore
from dibs.race.verdicts import Judged
from dibs.receipts.ports import Dispute, Races
from dibs.receipts.receipts import (
    GRACE,
    Block,
    Ending,
    Race,
    Receipt,
    Sealed,
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
"""How many races a block holds at most."""


def late_at(lead: Lead, playbook: Playbook) -> datetime:
    """Return when the lead's race is late to be sealed, however it ends."""
    return seal_at(lead.closes_at, playbook) + PATIENCE


def seal_at(over: datetime, playbook: Playbook) -> datetime:
    """Return when a race that is over is sealed: it can be undone no more, late losers are in."""
    return over + timedelta(seconds=playbook.undo_seconds) + GRACE


def seal_race(
    lead_id: str,
    epoch: int,
    races: Races,
    offers: OfferStore,
    roster: Roster,
    story_of: Callable[[str], Story | None],
    draws: Draws,
    now: datetime,
) -> datetime | None:
    """Seal the race of an opening, once; return when to come again where it is too early.

    An opening that was followed by another is sealed at once, before notices and tries of the
    next take the place of its own. None also when it is not over, or was no race.
    """
    story = story_of(lead_id)
    ended = None if story is None else ending(story.claim, story.moves, epoch)
    if story is None or ended is None:
        return None
    due = seal_at(ended.at, roster.playbook())
    if now < due and story.lead.epoch == epoch:
        return due
    if races.find(lead_id, epoch) is None:
        judged = _waves(races, lead_id, epoch)
        members = [rep.rep_id for team in story.lead.teams for rep, _ in roster.team(team)]
        drawn = next((one for one in story.draws if one.epoch == epoch), None)
        traces = _traces(lead_id, epoch, judged, members, offers)
        if drawn is None and story.lead.draws_at is not None:
            traces = _entered(traces, draws.entrants(replace(story.lead, epoch=epoch)))
        found = receipts(ended, traces, drawn)
        race = _race(story, epoch, ended, judged, now, found)
        if drawn is not None:
            race = replace(race, draw=revealed(drawn))
        races.seal(lead_id, epoch, seal(race, found), now)
    return None


def _entered(traces: Iterable[Trace], entrants: Iterable[str]) -> Iterator[Trace]:
    """Yield the traces with who was in a draw that was never made: a manager came first (R7)."""
    known = {trace.rep_id: trace for trace in traces}
    known |= {one: replace(known.get(one, Trace(one)), entered=True) for one in entrants}
    yield from known.values()


def _waves(races: Races, lead_id: str, epoch: int) -> list[Judged]:
    return [one for one in races.judged(lead_id, epoch) if one.how == "race"]


def revealed(drawn: Drawn) -> dict[str, object]:
    """Return a draw as its race is sealed with it: all that it takes to recompute the winner."""
    return {
        "commitment": drawn.commitment,
        "seed": drawn.seed,
        "entrants": list(drawn.entrants),
        "winner": drawn.winner,
    }


def _race(
    story: Story,
    epoch: int,
    ended: Ending,
    judged: list[Judged],
    now: datetime,
    found: tuple[Receipt, ...],
) -> Race:
    lead, claim = story.lead, story.claim
    opened = (m.at for m in story.moves if m.epoch == epoch and m.to_state is State.OPEN)
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
        count=len(found),
        test=lead.test,
    )


def _traces(
    lead_id: str,
    epoch: int,
    judged: Iterable[Judged],
    members: Iterable[str],
    offers: OfferStore,
) -> Iterator[Trace]:
    """Yield what is on record of every rep who was judged, and of members who came later."""
    verdicts = {rep_id: codes for wave in judged for rep_id, codes in wave.verdicts.items()}
    reps = sorted({*verdicts, *members})
    notices = offers.notices(lead_id, epoch, reps)
    sightings = offers.sightings(lead_id, epoch, reps, consistent=True)
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
    """Ask again for the races whose seal is late; return how many."""
    late = [Fact(SEAL, lead_id, epoch) for lead_id, epoch in races.unsealed(now)]
    bus.publish(late)
    return len(late)


@dataclass(frozen=True)
class Added:
    """A block that was added: its number, its hash, and how many races it holds."""

    number: int
    hash: str
    races: int


def chain_up(races: Races, now: datetime) -> list[Added]:
    """Put the sealed races into the next blocks; return those blocks.

    One writer at a time: who finds the next number taken leaves the rest to the next minute. A
    race that is put into two blocks, after a crash, is in both as it was sealed.
    """
    waiting, added = races.unchained(), list[Added]()
    number, before = races.last_block() if waiting else (0, "")
    for start in range(0, len(waiting), BLOCK_RACES):
        some = tuple(waiting[start : start + BLOCK_RACES])
        number += 1
        link = block_link(Block(number, now, some), before)
        if not races.add_block(number, link, now):
            break
        races.chained([(lead_id, epoch) for lead_id, epoch, _ in some], number)
        before = link.hash
        added.append(Added(number, link.hash, len(some)))
    return added


@dataclass(frozen=True)
class Own:
    """A rep's own part of a race: their receipt, the `place`-th line of the sealed race.

    While it is not sealed only what is on record so far.
    """

    epoch: int
    part: Receipt | Trace
    sealed: Sealed | None = None
    place: int = 0


def own_receipt(
    store: RaceStore,
    races: Races,
    offers: OfferStore,
    lead_id: str,
    rep_id: str,
    epoch: int | None = None,
) -> Own:
    """Return the rep's part of a lead's race: of that opening, else of the latest they were in.

    Raises:
        LeadNotFound: there is no such lead, or the rep was in no race for it.
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
                    return Own(number, receipt, sealed, place)
            continue
        own = [_only(rep_id, wave) for wave in _waves(races, lead_id, number)]
        for trace in _traces(lead_id, number, own, [rep_id], offers):
            return Own(number, trace)
    raise LeadNotFound


def _only(rep_id: str, wave: Judged) -> Judged:
    return replace(
        wave, verdicts={one: codes for one, codes in wave.verdicts.items() if one == rep_id}
    )


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
    """File the rep's dispute of the race they were in, once; return it as it was filed first.

    Raises:
        LeadNotFound: there is no such lead, or the rep was in no race for it.
    """
    own = own_receipt(store, races, offers, lead_id, rep_id, epoch)
    return races.dispute(Dispute(lead_id, own.epoch, rep_id, now, reason))
