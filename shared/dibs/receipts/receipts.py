"""Receipts (C9): what a race came to for each of its reps, in a chain nobody alters unseen.

A race is sealed as lines of JSON: the race itself, then a receipt for every rep, each with a hash
over its own text and the hash before it. The last hash, the head, stands for the whole race and
goes into a block with the other races sealed in that minute; each block's hash covers the one
before. So an altered line breaks its race's chain, a race written anew its block, and a block
written anew all that follow. Only ids and codes are hashed: deleting a person breaks nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from dibs.core.lead import CLAIMED, Claim, Move, State
from dibs.race.draw import Drawn

# How long after the last instant a claim can be undone a race is sealed: its late losers are in.
GRACE = timedelta(seconds=30)

# How a race ended, beside `claimed` and the causes of other moves out of the pool.
UNDONE = "undone"
EXPIRED = "expired"

_MOMENT = timedelta(milliseconds=1)
_T = TypeVar("_T")


class Outcome(StrEnum):
    """What a race came to for one rep, in the order receipts are written."""

    WON = "won"
    NOT_DRAWN = "not_drawn"
    LOST = "lost"
    LATE = "too_late"
    REFUSED = "refused"
    SILENT = "did_not_try"
    NOT_TOLD = "not_told"


@dataclass(frozen=True)
class Ending:
    """How a race ended, and when; `winner` took the lead first, None when nobody did."""

    cause: str
    at: datetime
    winner: str | None


@dataclass(frozen=True)
class Trace:
    """What is on record of one rep in one race.

    `attempted_at` is their first try, `lost_at` the first that came after the winner's. `refused`
    are the rules that refused their first refused try, `kept_out` those for which they were not
    told when the last wave was. `entered` is whether they were in the draw (C10).
    """

    rep_id: str
    told_at: datetime | None = None
    attempted_at: datetime | None = None
    lost_at: datetime | None = None
    refused: tuple[str, ...] = ()
    kept_out: tuple[str, ...] = ()
    entered: bool = False


@dataclass(frozen=True)
class Receipt:
    """What a race came to for one rep.

    `place` 1 won, the others lost `behind_ms` milliseconds after; who tried in the same
    millisecond shares a place. In a draw (C10) the places are those of the tickets, and nobody is
    behind by time. `rules` kept the rep out.
    """

    rep_id: str
    outcome: Outcome
    place: int | None = None
    behind_ms: int | None = None
    told_at: datetime | None = None
    attempted_at: datetime | None = None
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Race:
    """A race as it is sealed. `count` is of its receipts, `draw` how a winner was drawn (C10)."""

    lead_id: str
    epoch: int
    teams: tuple[str, ...]
    opened_at: datetime
    closed_at: datetime
    sealed_at: datetime
    winner: str | None
    cause: str
    playbook_version: int
    count: int
    test: bool = False
    draw: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Link:
    """A line of a chain; its hash covers its text and the hash before it."""

    text: str
    hash: str


@dataclass(frozen=True)
class Sealed:
    """A race as it was sealed: its own line, then its receipts'.

    `block` is the number of the block it stands in, None until it does; `disputed` are the reps
    who dispute it.
    """

    links: tuple[Link, ...]
    head: str
    block: int | None = None
    disputed: frozenset[str] = frozenset()

    @property
    def race(self) -> Race:
        """Return the race. Raises ValueError when its line is none any more."""
        return race_from(self.links[0].text)

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """Return the receipts in order. Raises ValueError when a line is none any more."""
        return tuple(receipt_from(link.text) for link in self.links[1:])


@dataclass(frozen=True)
class Block:
    """The races sealed since the block before: lead, epoch and head of each."""

    number: int
    at: datetime
    races: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class Fault:
    """Something an audit found that is not as it should be. `where` is what it is about: a race as
    `lead/epoch`, a block's number, a total, an account."""

    kind: str
    where: str
    what: str


def ending(claim: Claim | None, moves: Iterable[Move], epoch: int) -> Ending | None:
    """Return how the race of an opening ended, None while it runs or where there was none.

    `claim` is the record of who took the lead last, `moves` are the steps of its life.
    """
    ours = sorted((move for move in moves if move.epoch == epoch), key=lambda move: move.at)
    undone = any(move.to_state is State.RELEASED and move.cause == UNDONE for move in ours)
    for move in ours:
        if move.from_state is not State.OPEN:
            continue
        if move.to_state is State.CLAIMED:
            return Ending(UNDONE if undone else CLAIMED, move.at, move.by)
        return Ending(EXPIRED if move.to_state is State.EXPIRED else move.cause, move.at, None)
    if claim is not None and claim.epoch == epoch and claim.competitive:
        return Ending(CLAIMED, claim.claimed_at, claim.rep_id)
    return None


def receipts(
    ended: Ending, traces: Iterable[Trace], drawn: Drawn | None = None
) -> tuple[Receipt, ...]:
    """Return every rep's receipt: the winner's, the losers' by when they tried, then the others'.

    Where nobody won, who tried after the end was too late and has no place. Of a draw everybody
    who was in it has one.
    """
    known = {trace.rep_id: trace for trace in traces}
    entrants = () if drawn is None else drawn.entrants
    for rep_id in (*entrants, *([] if ended.winner is None else [ended.winner])):
        known.setdefault(rep_id, Trace(rep_id))
    passed = {} if drawn is None else dict(drawn.passed)
    others = [one for one in entrants if one not in passed and one != ended.winner]
    places = {rep_id: place for place, rep_id in enumerate(others, start=2)}
    losses = [
        trace.lost_at
        for trace in known.values()
        if ended.winner is not None
        and trace.rep_id not in (ended.winner, *places)
        and trace.lost_at is not None
    ]
    found = [_receipt(trace, ended, losses, places, passed) for trace in known.values()]
    order = {outcome: number for number, outcome in enumerate(Outcome)}
    return tuple(sorted(found, key=lambda one: (order[one.outcome], one.place or 0, one.rep_id)))


def _receipt(
    trace: Trace,
    ended: Ending,
    losses: Sequence[datetime],
    places: Mapping[str, int],
    passed: Mapping[str, tuple[str, ...]],
) -> Receipt:
    outcome, place, behind_ms = Outcome.NOT_TOLD, None, None
    rules, attempted_at = trace.kept_out, trace.attempted_at
    if trace.rep_id == ended.winner:
        outcome, place, behind_ms, rules = Outcome.WON, 1, 0, trace.refused
        attempted_at = min(attempted_at or ended.at, ended.at)
    elif trace.rep_id in places:
        outcome, place, rules = Outcome.NOT_DRAWN, places[trace.rep_id], ()
    elif trace.rep_id in passed:
        outcome, rules = Outcome.REFUSED, passed[trace.rep_id]
    elif ended.winner is not None and trace.lost_at is not None:
        outcome, rules = Outcome.LOST, trace.refused
        place = 2 + len(places) + sum(lost_at < trace.lost_at for lost_at in losses)
        behind_ms = max(0, (trace.lost_at - ended.at) // _MOMENT)
    elif trace.refused:
        outcome, rules = Outcome.REFUSED, trace.refused
    elif trace.entered:
        outcome, rules = Outcome.NOT_DRAWN, ()
    elif attempted_at is not None:
        outcome, rules = Outcome.LATE, ()
    elif trace.told_at is not None:
        outcome, rules = Outcome.SILENT, ()
    return Receipt(trace.rep_id, outcome, place, behind_ms, trace.told_at, attempted_at, rules)


def seal(race: Race, found: Sequence[Receipt]) -> Sealed:
    """Return a race and its receipts as one chain."""
    links = chain([_text(race), *map(_text, found)])
    return Sealed(links, links[-1].hash)


def chain(texts: Iterable[str], before: str = "") -> tuple[Link, ...]:
    """Return texts as links, each after the one before."""
    links = list[Link]()
    for text in texts:
        before = _hash(before, text)
        links.append(Link(text, before))
    return tuple(links)


def block_link(block: Block, before: str) -> Link:
    """Return a block as a link after the hash of the one before it, empty before the first."""
    [link] = chain([_text(block)], before)
    return link


def race_from(text: str) -> Race:
    """Return the race a line tells of. Raises ValueError when it tells of none."""
    return _read(text, lambda told: Race(**{**told, "teams": tuple(told["teams"])}))


def receipt_from(text: str) -> Receipt:
    """Return the receipt a line tells of. Raises ValueError when it tells of none."""

    def build(told: dict[str, Any]) -> Receipt:
        outcome, rules = Outcome(told["outcome"]), tuple(told.get("rules", ()))
        return Receipt(**{**told, "outcome": outcome, "rules": rules})

    return _read(text, build)


def block_from(text: str) -> Block:
    """Return the block a line tells of. Raises ValueError when it tells of none."""

    def build(told: dict[str, Any]) -> Block:
        return Block(**{**told, "races": tuple((a, b, c) for a, b, c in told["races"])})

    return _read(text, build)


def faults(found: Sealed, where: str) -> list[Fault]:
    """Return what is wrong with a sealed race by itself; nothing when it is as it was sealed."""
    links, wrong = found.links, broken(found.links)
    try:
        race, told = found.race, found.receipts
    except ValueError as error:
        line = f"line {wrong[0]}" if wrong else "a line"
        return [Fault("unreadable", where, f"{line} cannot be read: {error}")]
    kinds = list[tuple[str, str]]()
    winners = [receipt.rep_id for receipt in told if receipt.outcome is Outcome.WON]
    if winners != ([] if race.winner is None else [race.winner]):
        by_receipts = ", ".join(winners) or "nobody"
        kinds.append(("winner_changed", f"{race.winner or 'nobody'} won, not {by_receipts}"))
    if 0 in wrong:
        kinds.append(("race_changed", "its own line is not the one that was sealed"))
    spots = [number for number in wrong if number]
    if len(told) != race.count:
        kind = "receipt_removed" if len(told) < race.count else "receipt_added"
        first = spots[0] if spots else len(told) + 1
        kinds.append((kind, f"{len(told)} of {race.count} receipts, not whole from {first} on"))
    elif spots and _reorders(links):
        kinds.append(("receipts_reordered", f"not in order from {spots[0]} on"))
    else:
        kinds += [
            ("receipt_changed", f"number {number}, of rep {told[number - 1].rep_id}")
            for number in spots
        ]
    if not kinds and links[-1].hash != found.head:
        kinds.append(("head_changed", "its head is not the hash of its last line"))
    return [Fault(kind, where, what) for kind, what in kinds]


def broken(links: Sequence[Link], before: str = "") -> list[int]:
    """Return the positions whose hash does not follow from its text and the hash before it."""
    wrong = list[int]()
    for number, link in enumerate(links):
        if _hash(before, link.text) != link.hash:
            wrong.append(number)
        before = link.hash
    return wrong


def _reorders(links: Sequence[Link]) -> bool:
    """Tell whether the same links make a whole chain in another order."""
    left, before = list(links), ""
    while left:
        following = next((one for one in left if _hash(before, one.text) == one.hash), None)
        if following is None:
            return False
        left.remove(following)
        before = following.hash
    return True


def _hash(before: str, text: str) -> str:
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def _text(told: Race | Receipt | Block) -> str:
    """Return a line: JSON with sorted names and no spaces, without what is as by default."""
    usual = {field.name: field.default for field in fields(told)}
    known = {name: value for name, value in asdict(told).items() if value != usual[name]}
    return json.dumps(known, default=_iso, sort_keys=True, separators=(",", ":"))


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _read(text: str, build: Callable[[dict[str, Any]], _T]) -> _T:
    try:
        told = json.loads(text)
        moments = {
            name: datetime.fromisoformat(value)
            for name, value in told.items()
            if name.endswith("_at") or name == "at"
        }
        return build({**told, **moments})
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("it tells of something else") from error
