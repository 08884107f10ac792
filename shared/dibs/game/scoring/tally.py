"""What entries come to (K1, K2, G1): counts that add up, and points.

Entries are tallied unit by unit: all about one lead, all help between two reps, all steps of one
quest. A tally is worked out from all entries of its unit that are known, so it is the same in
whatever order they came and however often; an entry that came late counts for the day it is of.
Every count is a whole number, of one rep on one day for one team: standings of any period are sums.

The names of the counts are those of `dibs.game.scoring.vocabulary`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from dibs.core.calendar import day_of
from dibs.core.lead import UNDONE
from dibs.game.help.rules import paid
from dibs.game.quests.rules import finished
from dibs.ledger.activities import PLAIN, REVERSAL, counting
from dibs.ledger.entries import ASSIGNED, CLAIMED, CONVERTED, RETURNED, SALES, Entry
from dibs.rules.game import Points
from dibs.rules.playbook import Playbook

ALL = "all"
PRIZE = "prize"
HELPED = "helped"

_TWO_MINUTES = timedelta(minutes=2)
_MS = timedelta(milliseconds=1)

Rules = Callable[[int], Playbook]
"""The playbook of a version: an entry counts by the rules under which it came about."""


@dataclass(frozen=True)
class Place:
    """Where a count belongs: whose it is, on which local day, for which team.

    What is `protected` is a newcomer's, and shows on no board (F9).
    """

    rep_id: str
    team: str
    day: str
    protected: bool = False


@dataclass(frozen=True)
class Award:
    """Points a rep has earned (G1): by which `rule`, and the `cause`, an entry's id."""

    place: Place
    at: datetime
    rule: str
    points: int
    cause: str


@dataclass(frozen=True)
class Tally:
    """What the entries of a unit come to: counts by name at each place, and awards by their id."""

    counts: Mapping[Place, Mapping[str, int]] = field(default_factory=dict)
    awards: Mapping[str, Award] = field(default_factory=dict)


def unit_of(entry: Entry) -> str:
    """Return what an entry is tallied together with."""
    if entry.unit or entry.lead_id is None:
        return entry.unit or f"rep/{entry.rep_id}/{entry.week}"
    return f"lead/{entry.lead_id}"


def periods(day: str) -> tuple[str, ...]:
    """Return the day, week, month and quarter a local day is in, and `all` (G3)."""
    one = date.fromisoformat(day)
    year, week, _ = one.isocalendar()
    quarter = (one.month + 2) // 3
    return day, f"{year:04}-W{week:02}", day[:7], f"{one.year:04}-Q{quarter}", ALL


def places_of(entries: Iterable[Entry], rules: Rules) -> set[Place]:
    """Return every place where entries count, or did before another took them back."""
    return {
        replace(_place(entry), rep_id=rep_id)
        for entry in (_dated(one, rules) for one in entries)
        for rep_id in (entry.rep_id, *entry.shared)
    }


def tally(entries: Iterable[Entry], rules: Rules) -> Tally:
    """Return what all known entries of one unit come to.

    A reversed entry is as one that never came, and so is a claim that was undone (C5). Test leads
    count nothing.
    """
    known = {entry.entry_id: _dated(entry, rules) for entry in entries if not entry.test}
    for reversal in [entry for entry in known.values() if entry.kind == REVERSAL]:
        known.pop(reversal.reverses, None)
    stands = sorted(known.values(), key=lambda entry: (entry.at, entry.entry_id))
    undone = {
        _taking(entry) for entry in stands if entry.kind == RETURNED and entry.cause == UNDONE
    }
    found = _Counts()
    for entry in stands:
        void = entry.kind in (CLAIMED, ASSIGNED, RETURNED) and _taking(entry) in undone
        if not void:
            _count_entry(found, entry, rules(entry.playbook_version))
    takings: dict[tuple[int, str], list[Entry]] = defaultdict(list)
    for entry in stands:
        if entry.lead_id is not None and _taking(entry) not in undone:
            takings[_taking(entry)].append(entry)
    for of_taking in takings.values():
        taken = next((one for one in of_taking if one.kind in (CLAIMED, ASSIGNED)), None)
        if taken is not None:
            done = [one for one in of_taking if one is not taken]
            _count_taking(found, taken, done, rules)
            _award_taking(found, taken, done, rules)
    _count_help(found, [entry for entry in stands if entry.kind == HELPED and entry.other], rules)
    _count_quest(found, stands, rules)
    return found.tally()


class _Counts:
    """What is being tallied."""

    def __init__(self) -> None:
        self._counts: dict[Place, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._awards: dict[str, Award] = {}

    # Counts have the names of activities, and a playbook may well call one of its own `place`.
    def add(self, place: Place, /, **counts: int) -> None:
        for name, number in counts.items():
            self._counts[place][name] += number

    def add_sum(self, place: Place, name: str, number: int) -> None:
        """Add one of several numbers that have a sum and a mean."""
        self._counts[place][f"{name}.sum"] += number
        self._counts[place][f"{name}.n"] += 1

    def award(self, award_id: str, entry: Entry, rule: str, points: int, percent: int = 0) -> None:
        """Award points for what an entry tells, and `percent` of them to its others (R5)."""
        if points <= 0:
            return
        share = points * percent // 100 // len(entry.shared) if entry.shared else 0
        for rep_id in (entry.rep_id, *(entry.shared if share else ())):
            mine = rep_id == entry.rep_id
            # Who shares is no newcomer for that: what they are given is a colleague's result.
            place = replace(_place(entry), rep_id=rep_id)
            gets = points - share * len(entry.shared) if mine else share
            name = award_id if mine else f"{award_id}/{rep_id}"
            self._awards[name] = Award(place, entry.at, rule, gets, entry.entry_id)
            self._counts[place]["points.sum"] += gets

    def tally(self) -> Tally:
        counts = {
            place: {name: number for name, number in found.items() if number}
            for place, found in self._counts.items()
        }
        return Tally({place: found for place, found in counts.items() if found}, self._awards)


def _dated(entry: Entry, rules: Rules) -> Entry:
    """Return an entry with its day, which those of old do not say."""
    if entry.day:
        return entry
    team = rules(entry.playbook_version).teams.get(entry.team)
    return replace(entry, day=day_of("UTC" if team is None else team.zone, entry.at).name)


def _taking(entry: Entry) -> tuple[int, str]:
    return entry.epoch, entry.rep_id


def _place(entry: Entry) -> Place:
    return Place(entry.rep_id, entry.team, entry.day, entry.protected)


def _count_entry(found: _Counts, entry: Entry, playbook: Playbook) -> None:
    """Count an entry by its kind, on its own day, and the points its kind earns."""
    place, kind = _place(entry), entry.kind
    found.add(place, **{kind: 1})
    if entry.amount is not None:
        own = kind in PLAIN or (kind in playbook.game.activities and not entry.currency)
        if own or entry.currency == playbook.quota.currency:
            found.add_sum(place, kind, entry.amount)
            if kind in SALES:
                found.add(place, **{"revenue.sum": entry.amount})
    if kind in SALES:
        found.add(place, sales=1)
    if kind == PRIZE:
        found.award(entry.entry_id, entry, PRIZE, entry.amount or 0)
        found.add(place, **{"prize.sum": entry.amount or 0})
    else:
        found.award(entry.entry_id, entry, kind, playbook.game.points.activities.get(kind, 0))


def _count_taking(found: _Counts, taken: Entry, done: list[Entry], rules: Rules) -> None:
    """Count what became of one lead in one rep's hands, for the day it was taken."""
    place, claimed = _place(taken), taken.kind == CLAIMED
    kinds = {entry.kind for entry in done}
    became, won = kinds & CONVERTED, "won" in kinds
    works = counting(rules(taken.playbook_version).work.counts)
    work = next((entry for entry in done if entry.kind in works), None)
    transferred, qualified = "transfer" in kinds, "qualified" in kinds
    found.add(
        place,
        taken=1,
        contacted_leads=int(bool(became) or qualified or "contacted" in kinds),
        qualified_leads=int(qualified),
        qualified_right=int(qualified and bool(became)),
        opportunity_leads=int(bool(became)),
        claimed_opportunities=int(claimed and bool(became)),
        customer_leads=int(won),
        claimed_customers=int(claimed and won),
        transfer_leads=int(transferred),
        transfer_converted=int(transferred and bool(became)),
    )
    if work is not None:
        found.add_sum(place, "response_seconds", max(0, (work.at - taken.at) // _MS))
    if claimed and taken.take_ms is not None:
        found.add_sum(place, "claim_seconds", taken.take_ms)


def _award_taking(found: _Counts, taken: Entry, done: list[Entry], rules: Rules) -> None:
    """Award the points of one lead in one rep's hands (G1), and count what badges are for (G2),
    each for the day it came about. Of several calls that tell the same, the first counts."""
    claimed, percent = taken.kind == CLAIMED, rules(taken.playbook_version).game.points.pod_percent
    lead = f"{taken.lead_id}/{taken.epoch}/{taken.rep_id}"
    # The clock starts at the rep's first notice, which is as long before as they needed to claim
    # it; who was assigned a lead had notice of it then, however long it had waited.
    notice = taken.at - (taken.take_ms or 0) * _MS if claimed else taken.at

    def first(kind: str) -> tuple[Entry | None, Points]:
        entry = next((entry for entry in done if entry.kind == kind), None)
        return entry, rules((entry or taken).playbook_version).game.points

    points = rules(taken.playbook_version).game.points
    timed = claimed and taken.take_ms is not None
    if timed and taken.at - notice <= timedelta(seconds=points.claim_within_seconds):
        found.award(f"claim/{lead}", taken, "claim", points.claim, percent)
    contact, points = first("contacted")
    if contact is not None:
        passed = contact.at - notice
        if passed <= timedelta(seconds=points.contact_within_seconds):
            found.award(f"contact/{lead}", contact, "contact", points.contact, percent)
        in_week = claimed and contact.week == taken.week
        found.add(
            _place(contact),
            contacted_in_2_min=int(passed <= _TWO_MINUTES),
            claimed_and_contacted=int(in_week),
        )
    opportunity, points = first("opportunity")
    if opportunity is not None and claimed:
        found.add(_place(opportunity), opportunities=1)
        found.award(f"opportunity/{lead}", opportunity, "opportunity", points.opportunity, percent)
    won, points = first("won")
    if won is not None:
        found.award(f"won/{lead}", won, "won", points.won, percent)
        found.add(_place(won), customers=int(claimed))


def _count_help(found: _Counts, helps: list[Entry], rules: Rules) -> None:
    """Count what colleagues have confirmed (G11): each helped colleague once, each paid help."""
    if not helps:
        return
    paid_ids = paid(helps, lambda version: rules(version).game.help.paid_per_pair_per_month)
    seen = set()
    for entry in helps:
        if entry.rep_id not in seen:
            found.add(_place(entry), colleagues_helped=1)
            seen.add(entry.rep_id)
        if entry.entry_id in paid_ids:
            found.add(_place(entry), helps=1)
            points = rules(entry.playbook_version).game.points.helped
            found.award(entry.entry_id, entry, HELPED, points)


def _count_quest(found: _Counts, entries: list[Entry], rules: Rules) -> None:
    """Count a quest that is finished (G8), with the entry that finished it.

    By the rules of that moment: steps that the playbook adds or drops later change nothing for who
    was done by then.
    """
    ids = {entry.cause.partition("/")[0] for entry in entries if entry.unit.startswith("quest/")}
    for quest_id in ids:
        version, seen = 0, set()
        for number, entry in enumerate(entries, 1):
            version = max(version, entry.playbook_version)
            told = (version, entry.cause, entry.kind, entry.source)
            if told in seen:
                continue  # However often somebody tells a step, it is looked at once.
            seen.add(told)
            quest = rules(version).game.quests.get(quest_id)
            last = None if quest is None else finished(entries[:number], quest)
            if quest is None or last is None:
                continue
            found.add(_place(last), **{f"quest_{quest_id}": 1})
            found.award(f"quest/{quest_id}/{last.rep_id}", last, "quest", quest.points)
            break
