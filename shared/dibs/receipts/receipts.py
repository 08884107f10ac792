"""Every rep in a race gets a receipt, and any change to one shows in a chain of hashes (C9).

A race is sealed as lines of JSON: the race itself, then a receipt for every rep, each with a hash
over its own text and the hash before it. The last hash, the head, covers the whole race and goes
into a block with the other races sealed in that minute; each block's hash covers the one before.
So an altered line breaks the chain of its race, a rewritten race breaks its block, and a rewritten
block breaks all later blocks. Only ids and codes are hashed: deleting a person breaks nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from dibs.core.lead import CLAIMED, Claim, State, Transition
from dibs.race.draw import DrawResult

# A race is sealed this long after a claim can no longer be undone: late losers are stored by then.
GRACE = timedelta(seconds=30)

# How a race ended, beside `claimed` and the causes of other transitions out of the pool.
UNDONE = "undone"
EXPIRED = "expired"

_MOMENT = timedelta(milliseconds=1)
_T = TypeVar("_T")


class Outcome(StrEnum):
    """The result of a race for one rep, in the order receipts are written."""

    WON = "won"
    NOT_DRAWN = "not_drawn"
    LOST = "lost"
    LATE = "too_late"
    REFUSED = "refused"
    SILENT = "did_not_try"
    NOT_TOLD = "not_told"


@dataclass(frozen=True)
class Ending:
    """How and when a race ended; `winner` claimed the lead first, None where no rep did."""

    cause: str
    at: datetime
    winner: str | None


@dataclass(frozen=True)
class Trace:
    """The records of one rep in one race.

    `attempted_at` is their first try, `lost_at` their first try after the winner's. `refused` are
    the rules behind their first refusal, `kept_out` the rules that kept them from being notified
    with the last wave. `entered` says whether they were in the draw (C10).
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
    """The result of a race for one rep.

    `place` 1 won, the others lost by `behind_ms` milliseconds; reps who tried in the same
    millisecond share a place. In a draw (C10) places follow the tickets, and `behind_ms` is None
    for the others. `rules` are the rules that kept the rep out.
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
    """A race as it is sealed. `count` is how many receipts it has, `draw` the record of its draw
    (C10)."""

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
class ChainLink:
    """A line of a chain; its hash covers its text and the hash before it."""

    text: str
    hash: str


@dataclass(frozen=True)
class SealedRace:
    """A race as it was sealed: its own line, then a line for each receipt.

    `block` is the number of its block, None until it is in one; `disputed` are the reps who
    dispute it.
    """

    links: tuple[ChainLink, ...]
    head: str
    block: int | None = None
    disputed: frozenset[str] = frozenset()

    @property
    def race(self) -> Race:
        """Return the race. Raises ValueError when its line cannot be read."""
        return race_from(self.links[0].text)

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """Return the receipts in order. Raises ValueError when a line cannot be read."""
        return tuple(receipt_from(link.text) for link in self.links[1:])


@dataclass(frozen=True)
class TriedRace:
    """A race that a rep tried to win, in short, for their own list. The sealed receipt counts."""

    lead_id: str
    epoch: int
    rep_id: str
    closed_at: datetime
    outcome: Outcome
    place: int | None = None
    behind_ms: int | None = None
    rules: tuple[str, ...] = ()


_NOT_TRIED = (Outcome.SILENT, Outcome.NOT_TOLD)


def tried_races(sealed: SealedRace) -> list[TriedRace]:
    """Return a sealed race for the lists of those who tried to win it.

    Of a race somebody let pass their list says nothing: a large team would fill it in a day.
    """
    race = sealed.race
    return [
        TriedRace(
            race.lead_id,
            race.epoch,
            one.rep_id,
            race.closed_at,
            one.outcome,
            one.place,
            one.behind_ms,
            one.rules,
        )
        for one in sealed.receipts
        if one.outcome not in _NOT_TRIED
    ]


@dataclass(frozen=True)
class Block:
    """The races sealed since the last block: lead, epoch and head of each."""

    number: int
    at: datetime
    races: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class Fault:
    """A fault an audit reports. `where` names its subject: a race as `lead/epoch`, a block's
    number, a total, an account."""

    kind: str
    where: str
    what: str


def ending(claim: Claim | None, transitions: Iterable[Transition], epoch: int) -> Ending | None:
    """Return how the race of an opening ended, None while it runs or where there was none.

    `claim` is the lead's latest claim, `transitions` are all of the lead.
    """
    ours = sorted(
        (transition for transition in transitions if transition.epoch == epoch),
        key=lambda transition: transition.at,
    )
    undone = any(
        transition.to_state is State.RELEASED and transition.cause == UNDONE for transition in ours
    )
    for transition in ours:
        if transition.from_state is not State.OPEN:
            continue
        if transition.to_state is State.CLAIMED:
            return Ending(UNDONE if undone else CLAIMED, transition.at, transition.by)
        return Ending(
            EXPIRED if transition.to_state is State.EXPIRED else transition.cause,
            transition.at,
            None,
        )
    if claim is not None and claim.epoch == epoch and claim.competitive:
        return Ending(CLAIMED, claim.claimed_at, claim.rep_id)
    return None


def receipts(
    ended: Ending, traces: Iterable[Trace], drawn: DrawResult | None = None
) -> tuple[Receipt, ...]:
    """Return every rep's receipt: the winner's, the losers' by when they tried, then the others'.

    Without a winner, a rep who tried after the end was too late and has no place. Every entrant of
    a draw has a receipt.
    """
    trace_of = {trace.rep_id: trace for trace in traces}
    entrants = () if drawn is None else drawn.entrants
    for rep_id in (*entrants, *([] if ended.winner is None else [ended.winner])):
        trace_of.setdefault(rep_id, Trace(rep_id))
    passed = {} if drawn is None else dict(drawn.passed)
    others = [rep_id for rep_id in entrants if rep_id not in passed and rep_id != ended.winner]
    places = {rep_id: place for place, rep_id in enumerate(others, start=2)}
    losses = [
        trace.lost_at
        for trace in trace_of.values()
        if ended.winner is not None
        and trace.rep_id not in (ended.winner, *places)
        and trace.lost_at is not None
    ]
    unsorted = [_receipt(trace, ended, losses, places, passed) for trace in trace_of.values()]
    order = {outcome: number for number, outcome in enumerate(Outcome)}
    return tuple(sorted(unsorted, key=lambda r: (order[r.outcome], r.place or 0, r.rep_id)))


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


def seal(race: Race, results: Sequence[Receipt]) -> SealedRace:
    """Return a race and its receipts as one chain."""
    links = chain([_text(race), *map(_text, results)])
    return SealedRace(links, links[-1].hash)


def chain(texts: Iterable[str], before: str = "") -> tuple[ChainLink, ...]:
    """Return texts as links of a chain, the first after the hash `before`."""
    links = list[ChainLink]()
    for text in texts:
        before = _hash(before, text)
        links.append(ChainLink(text, before))
    return tuple(links)


def block_link(block: Block, before: str) -> ChainLink:
    """Return a block as a link. `before` is the hash of the last block, empty for the first."""
    [link] = chain([_text(block)], before)
    return link


def race_from(text: str) -> Race:
    """Read a race from its line. Raises ValueError when the line is not a race."""
    return _read(text, lambda stored: Race(**{**stored, "teams": tuple(stored["teams"])}))


def receipt_from(text: str) -> Receipt:
    """Read a receipt from its line. Raises ValueError when the line is not a receipt."""

    def build(stored: dict[str, Any]) -> Receipt:
        outcome, rules = Outcome(stored["outcome"]), tuple(stored.get("rules", ()))
        return Receipt(**{**stored, "outcome": outcome, "rules": rules})

    return _read(text, build)


def block_from(text: str) -> Block:
    """Read a block from its line. Raises ValueError when the line is not a block."""

    def build(stored: dict[str, Any]) -> Block:
        return Block(**{**stored, "races": tuple((a, b, c) for a, b, c in stored["races"])})

    return _read(text, build)


def faults(sealed: SealedRace, where: str) -> list[Fault]:
    """Return the faults of a sealed race, checked by itself; none if it is unchanged."""
    links, wrong = sealed.links, broken(sealed.links)
    try:
        race, results = sealed.race, sealed.receipts
    except ValueError as error:
        line = f"line {wrong[0]}" if wrong else "a line"
        return [Fault("unreadable", where, f"{line} cannot be read: {error}")]
    kinds = list[tuple[str, str]]()
    winners = [receipt.rep_id for receipt in results if receipt.outcome is Outcome.WON]
    if winners != ([] if race.winner is None else [race.winner]):
        by_receipts = ", ".join(winners) or "nobody"
        kinds.append(
            (
                "winner_changed",
                f"the winner is {race.winner or 'nobody'}, but {by_receipts} by the receipts",
            )
        )
    if 0 in wrong:
        kinds.append(("race_changed", "the line of the race does not match its hash"))
    spots = [number for number in wrong if number]
    if len(results) != race.count:
        kind = "receipt_removed" if len(results) < race.count else "receipt_added"
        first = spots[0] if spots else len(results) + 1
        kinds.append(
            (
                kind,
                f"{len(results)} of {race.count} receipts; they differ from {first} on",
            )
        )
    elif spots and _reorders(links):
        kinds.append(("receipts_reordered", f"the order differs from number {spots[0]} on"))
    else:
        kinds += [
            ("receipt_changed", f"number {number}, of rep {results[number - 1].rep_id}")
            for number in spots
        ]
    if not kinds and links[-1].hash != sealed.head:
        kinds.append(("head_changed", "the stored hash differs from the hash of the last line"))
    return [Fault(kind, where, what) for kind, what in kinds]


def broken(links: Sequence[ChainLink], before: str = "") -> list[int]:
    """Return the positions whose hash does not follow from its text and the hash before it."""
    wrong = list[int]()
    for number, link in enumerate(links):
        if _hash(before, link.text) != link.hash:
            wrong.append(number)
        before = link.hash
    return wrong


def _reorders(links: Sequence[ChainLink]) -> bool:
    """Return whether the same links make an unbroken chain in another order."""
    left, before = list(links), ""
    while left:
        following = next((link for link in left if _hash(before, link.text) == link.hash), None)
        if following is None:
            return False
        left.remove(following)
        before = following.hash
    return True


def _hash(before: str, text: str) -> str:
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def _text(record: Race | Receipt | Block) -> str:
    """Return a record's line: JSON with sorted names, no spaces and no default values."""
    defaults = {field.name: field.default for field in fields(record)}
    values = {name: value for name, value in asdict(record).items() if value != defaults[name]}
    return json.dumps(values, default=_iso, sort_keys=True, separators=(",", ":"))


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _read(text: str, build: Callable[[dict[str, Any]], _T]) -> _T:
    try:
        stored = json.loads(text)
        moments = {
            name: datetime.fromisoformat(value)
            for name, value in stored.items()
            if name.endswith("_at") or name == "at"
        }
        return build({**stored, **moments})
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("it tells of something else") from error
