"""What entries come to (K1, K2, G1): counts that add up, and points.

Entries are tallied unit by unit: all about one lead, all help between two reps, all steps of one
quest. A tally is worked out from all entries of its unit that are known, so it is the same in
whatever order they came and however often; an entry that came late counts for the day it is of.
Every count is a whole number, of one rep on one day for one team: standings of any period are sums.
Which entries count, and what became of a lead, is defined in `dibs.ledger.outcomes`.

The names of the counts are those of `dibs.game.scoring.vocabulary`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from dibs.core.calendar import day_of
from dibs.game.help.rules import paid
from dibs.game.quests.rules import finished
from dibs.ledger.activities import PLAIN
from dibs.ledger.entries import Entry
from dibs.ledger.outcomes import SALES, TakenLead, revenue, standing, taken_leads
from dibs.rules.game import Points
from dibs.rules.playbook import Playbook

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


def places_of(entries: Iterable[Entry], rules: Rules) -> set[Place]:
    """Return every place where entries count, or did before another took them back."""
    return {
        replace(_place(entry), rep_id=rep_id)
        for entry in (_dated(one, rules) for one in entries)
        for rep_id in (entry.rep_id, *entry.shared)
    }


def tally(entries: Iterable[Entry], rules: Rules) -> Tally:
    """Return what all known entries of one unit come to."""
    stands = [_dated(entry, rules) for entry in standing(entries)]
    found = _Counts()
    for entry in stands:
        _count_entry(found, entry, rules(entry.playbook_version))
    for lead in taken_leads(stands):
        _count_taken(found, lead, rules)
        _award_taken(found, lead, rules)
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
        found.add(place, sales=1, **{"revenue.sum": revenue(entry, playbook.quota.currency)})
    if kind == PRIZE:
        found.award(entry.entry_id, entry, PRIZE, entry.amount or 0)
        found.add(place, **{"prize.sum": entry.amount or 0})
    else:
        found.award(entry.entry_id, entry, kind, playbook.game.points.activities.get(kind, 0))


def _count_taken(found: _Counts, lead: TakenLead, rules: Rules) -> None:
    """Count what became of a lead in one rep's hands, for the day it was taken."""
    taken, place = lead.taken, _place(lead.taken)
    found.add(
        place,
        taken=1,
        contacted_leads=int(lead.contacted),
        qualified_leads=int(lead.qualified),
        qualified_right=int(lead.qualified and lead.converted),
        opportunity_leads=int(lead.converted),
        claimed_opportunities=int(lead.claimed and lead.converted),
        customer_leads=int(lead.won),
        claimed_customers=int(lead.claimed and lead.won),
        transfer_leads=int(lead.transferred),
        transfer_converted=int(lead.transferred and lead.converted),
    )
    response = lead.response_time(rules(taken.playbook_version).work.counts)
    if response is not None:
        found.add_sum(place, "response_seconds", response // _MS)
    if lead.claimed and taken.take_ms is not None:
        found.add_sum(place, "claim_seconds", taken.take_ms)


def _award_taken(found: _Counts, lead: TakenLead, rules: Rules) -> None:
    """Award the points of a lead in one rep's hands (G1), and count what badges are for (G2), each
    for the day it came about. Of several activities of one kind, the first counts."""
    taken = lead.taken
    percent = rules(taken.playbook_version).game.points.pod_percent

    def award(rule: str, entry: Entry, points: int) -> None:
        award_id = f"{rule}/{taken.lead_id}/{taken.epoch}/{taken.rep_id}"
        found.award(award_id, entry, rule, points, percent)

    def points_of(entry: Entry) -> Points:
        return rules(entry.playbook_version).game.points

    points = points_of(taken)
    timed = lead.claimed and taken.take_ms is not None
    if timed and taken.at - lead.noticed_at <= timedelta(seconds=points.claim_within_seconds):
        award("claim", taken, points.claim)
    contact = lead.first("contacted")
    if contact is not None:
        passed, points = contact.at - lead.noticed_at, points_of(contact)
        if passed <= timedelta(seconds=points.contact_within_seconds):
            award("contact", contact, points.contact)
        found.add(
            _place(contact),
            contacted_in_2_min=int(passed <= _TWO_MINUTES),
            claimed_and_contacted=int(lead.claimed and contact.week == taken.week),
        )
    opportunity = lead.first("opportunity")
    if opportunity is not None and lead.claimed:
        found.add(_place(opportunity), opportunities=1)
        award("opportunity", opportunity, points_of(opportunity).opportunity)
    won = lead.first("won")
    if won is not None:
        award("won", won, points_of(won).won)
        found.add(_place(won), customers=int(lead.claimed))


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
