"""Entries are tallied into counts and points (K1, K2, G1).

Entries are tallied by aggregate: all about one lead, all help between two reps, all steps of one
quest. A tally is computed from all known entries of its aggregate, so their order and repeats do
not matter; a late entry counts for its own day. Every count is a whole number, of one rep on one
day for one team, so the standings of any period are sums. Which entries count, and what became of a
lead, is defined in `dibs.ledger.outcomes`; the names of the counts are in
`dibs.game.scoring.vocabulary`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from dibs.core.calendar import day_of
from dibs.game.help.rules import paid
from dibs.game.quests.rules import finished
from dibs.ledger.activities import CONFIRMATION, PLAIN, SALES
from dibs.ledger.amounts import is_held, value_of
from dibs.ledger.entries import Entry
from dibs.ledger.outcomes import TakenLead, revenue, standing, taken_leads
from dibs.rules.game import Points
from dibs.rules.playbook import Playbook

PRIZE = "prize"
HELPED = "helped"

_MS = timedelta(milliseconds=1)
# The question is defined this way: 9 and 10 recommend, 0 to 6 do not.
_PROMOTER, _DETRACTOR = 9, 6

Confirmed = AbstractSet[object]

Rules = Callable[[int], Playbook]
"""The playbook by version: an entry counts by the rules in force when it was made."""


@dataclass(frozen=True)
class Place:
    """Where a count belongs: rep, team and local day.

    `protected` counts are a newcomer's and on no board (F9).
    """

    rep_id: str
    team: str
    day: str
    protected: bool = False


@dataclass(frozen=True)
class Award:
    """Points a rep has earned, by a `rule`; `cause` is the entry's id (G1)."""

    place: Place
    at: datetime
    rule: str
    points: int
    cause: str


@dataclass(frozen=True)
class Tally:
    """The result of an aggregate's entries: counts by name at each place, and awards by id."""

    counts: Mapping[Place, Mapping[str, int]] = field(default_factory=dict)
    awards: Mapping[str, Award] = field(default_factory=dict)


def places_of(entries: Iterable[Entry], rules: Rules) -> set[Place]:
    """Return every place where entries count, or counted before they were reversed."""
    return {
        replace(_place(entry), rep_id=rep_id)
        for entry in (_dated(undated, rules) for undated in entries)
        for rep_id in (entry.rep_id, *entry.shared)
    }


def tally(entries: Iterable[Entry], rules: Rules) -> Tally:
    """Return the tally of all known entries of one aggregate."""
    valid = [_dated(entry, rules) for entry in standing(entries)]
    counts, confirmed = _Counts(), _confirmed(valid)
    for entry in valid:
        _count_entry(counts, entry, rules(entry.playbook_version), confirmed)
    _count_buyers(counts, valid)
    for lead in taken_leads(valid):
        _count_taken(counts, lead, rules)
        _award_taken(counts, lead, rules, confirmed)
    _count_help(counts, [entry for entry in valid if entry.kind == HELPED and entry.other], rules)
    _count_quest(counts, valid, rules)
    return counts.tally()


def _confirmed(entries: Iterable[Entry]) -> Confirmed:
    """Return what is not only a rep's own word (K5), as it is asked for.

    That is an entry a confirmation follows, and the same kind told of the same lead by others.
    """
    found: set[object] = set()
    for entry in entries:
        if entry.kind == CONFIRMATION:
            found.add(entry.follows)
        elif entry.reporter != "rep":
            found.add((entry.lead_id, entry.epoch, entry.rep_id, entry.kind))
    return found


def _earns(entry: Entry, kind: str, playbook: Playbook, confirmed: Confirmed) -> bool:
    """Return whether an entry earns points yet: a rep's own word may have to be confirmed (K5)."""
    if entry.reporter != "rep" or kind not in playbook.game.reporting.confirm:
        return True
    holding = (entry.lead_id, entry.epoch, entry.rep_id)
    known = entry.lead_id is not None and bool({(*holding, kind), (*holding, "won")} & confirmed)
    return known or entry.entry_id in confirmed


class _Counts:
    """The counts and awards of a tally in progress."""

    def __init__(self) -> None:
        self._counts: dict[Place, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._awards: dict[str, Award] = {}

    # Counts are named after activities, and a playbook may name one of its own `place`.
    def add(self, place: Place, /, **counts: int) -> None:
        for name, number in counts.items():
            self._counts[place][name] += number

    def add_sum(self, place: Place, name: str, number: int) -> None:
        """Add a number to a name that has a sum and a mean."""
        self._counts[place][f"{name}.sum"] += number
        self._counts[place][f"{name}.n"] += 1

    def award(self, award_id: str, entry: Entry, rule: str, points: int, percent: int = 0) -> None:
        """Award points for an entry; `percent` of them go to the rest of the pod (R5)."""
        if points <= 0:
            return
        share = points * percent // 100 // len(entry.shared) if entry.shared else 0
        for rep_id in (entry.rep_id, *(entry.shared if share else ())):
            mine = rep_id == entry.rep_id
            # `protected` stays the entry's: the shared points are a colleague's result.
            place = replace(_place(entry), rep_id=rep_id)
            gets = points - share * len(entry.shared) if mine else share
            name = award_id if mine else f"{award_id}/{rep_id}"
            self._awards[name] = Award(place, entry.at, rule, gets, entry.entry_id)
            self._counts[place]["points.sum"] += gets

    def tally(self) -> Tally:
        counts = {
            place: {name: number for name, number in of.items() if number}
            for place, of in self._counts.items()
        }
        return Tally({place: of for place, of in counts.items() if of}, self._awards)


def _dated(entry: Entry, rules: Rules) -> Entry:
    """Return an entry with its day; old entries are stored without it."""
    if entry.day:
        return entry
    team = rules(entry.playbook_version).teams.get(entry.team)
    return replace(entry, day=day_of("UTC" if team is None else team.zone, entry.at).name)


def _place(entry: Entry) -> Place:
    return Place(entry.rep_id, entry.team, entry.day, entry.protected)


def _count_entry(counts: _Counts, entry: Entry, playbook: Playbook, confirmed: Confirmed) -> None:
    """Count an entry by its kind, on its own day, and award the points of its kind."""
    place, kind = _place(entry), entry.kind
    counts.add(place, **{kind: 1})
    currency = playbook.quota.currency
    if entry.amount is not None:
        own = kind in PLAIN or (kind in playbook.game.activities and not entry.currency)
        value = entry.amount if own else value_of(entry, currency)
        if value is not None:
            counts.add_sum(place, kind, value)
    if kind in SALES:
        counts.add(place, sales=1, held_sales=int(is_held(entry, currency)))
        counts.add(
            place,
            **{"revenue.sum": revenue(entry, currency), "units.sum": entry.quantity or 1},
        )
    if kind == "nps" and entry.amount is not None:
        counts.add(
            place,
            promoters=int(entry.amount >= _PROMOTER),
            detractors=int(entry.amount <= _DETRACTOR),
        )
    if kind == PRIZE:
        counts.award(entry.entry_id, entry, PRIZE, entry.amount or 0)
        counts.add(place, **{"prize.sum": entry.amount or 0})
    elif _earns(entry, kind, playbook, confirmed):
        counts.award(entry.entry_id, entry, kind, playbook.game.points.activities.get(kind, 0))


def _count_buyers(counts: _Counts, entries: Iterable[Entry]) -> None:
    """Count each customer once, with their first sale; one without a lead is a customer's own."""
    seen = set()
    for entry in entries:
        if entry.kind in SALES and (entry.lead_id is None or entry.lead_id not in seen):
            seen.add(entry.lead_id)
            counts.add(_place(entry), buyers=1)


def _count_taken(counts: _Counts, lead: TakenLead, rules: Rules) -> None:
    """Count what one rep made of a lead, for the day they took it."""
    taken, place = lead.taken, _place(lead.taken)
    counts.add(
        place,
        taken=1,
        contacted_leads=int(lead.contacted),
        qualified_leads=int(lead.qualified),
        qualified_right=int(lead.qualified_right),
        opportunity_leads=int(lead.converted),
        claimed_opportunities=int(lead.claimed and lead.converted),
        customer_leads=int(lead.won),
        claimed_customers=int(lead.claimed and lead.won),
        transfer_leads=int(lead.transferred),
        transfer_converted=int(lead.transferred and lead.won),
    )
    for entry in lead.activities if lead.pays else ():
        currency = rules(entry.playbook_version).quota.currency
        counts.add(_place(entry), **{"claimed_revenue.sum": revenue(entry, currency)})
    response = lead.response_time(rules(taken.playbook_version).work.counts)
    if response is not None:
        counts.add_sum(place, "response_seconds", response // _MS)
    if lead.claimed and taken.take_ms is not None:
        counts.add_sum(place, "claim_seconds", taken.take_ms)


def _award_taken(counts: _Counts, lead: TakenLead, rules: Rules, confirmed: Confirmed) -> None:
    """Award the points one rep earns with a lead (G1), and count for badges (G2).

    Each counts for its own day. Of several activities of one kind, the first counts. A lead that
    the rep gave up earns nothing for its claim (K4).
    """
    taken = lead.taken
    percent = rules(taken.playbook_version).game.points.pod_percent

    def award(rule: str, entry: Entry, points: int) -> None:
        if not _earns(entry, rule, rules(entry.playbook_version), confirmed):
            return
        award_id = f"{rule}/{taken.lead_id}/{taken.epoch}/{taken.rep_id}"
        counts.award(award_id, entry, rule, points, percent)

    def points_of(entry: Entry) -> Points:
        return rules(entry.playbook_version).game.points

    points = points_of(taken)
    timed = lead.claimed and taken.take_ms is not None
    if (
        timed
        and not lead.given_up
        and taken.at - lead.noticed_at <= timedelta(seconds=points.claim_within_seconds)
    ):
        award("claim", taken, points.claim)
    contact = lead.first("contacted")
    if contact is not None:
        passed, points = contact.counts_from - lead.noticed_at, points_of(contact)
        quick = timedelta(seconds=rules(contact.playbook_version).game.speed.badge_seconds)
        if passed <= timedelta(seconds=points.contact_within_seconds):
            award("contact", contact, points.contact)
        counts.add(
            _place(contact),
            contacted_in_2_min=int(passed <= quick),
            claimed_and_contacted=int(lead.claimed and contact.week == taken.week),
        )
    won = lead.first("won")
    opportunity = lead.first("opportunity") or won  # a deal implies its opportunity
    if opportunity is not None:
        counts.add(_place(opportunity), opportunities=int(lead.raced))
        if lead.pays or points_of(opportunity).assigned:
            award("opportunity", opportunity, points_of(opportunity).opportunity)
    if won is not None:
        counts.add(_place(won), customers=int(lead.raced))
        if lead.pays or points_of(won).assigned:
            award("won", won, points_of(won).won)


def _count_help(counts: _Counts, helps: list[Entry], rules: Rules) -> None:
    """Count confirmed help: each colleague helped once, and each paid help (G11)."""
    if not helps:
        return
    paid_ids = paid(helps, lambda version: rules(version).game.help.paid_per_pair_per_month)
    seen = set()
    for entry in helps:
        if entry.rep_id not in seen:
            counts.add(_place(entry), colleagues_helped=1)
            seen.add(entry.rep_id)
        if entry.entry_id in paid_ids:
            counts.add(_place(entry), helps=1)
            points = rules(entry.playbook_version).game.points.helped
            counts.award(entry.entry_id, entry, HELPED, points)


def _count_quest(counts: _Counts, entries: list[Entry], rules: Rules) -> None:
    """Count a finished quest, with the entry that finished it (G8).

    By the rules of that moment: steps that the playbook adds or removes later change nothing for a
    rep who has finished.
    """
    ids = {entry.cause.partition("/")[0] for entry in entries if entry.unit.startswith("quest/")}
    for quest_id in ids:
        version, seen = 0, set()
        for number, entry in enumerate(entries, 1):
            version = max(version, entry.playbook_version)
            step = (version, entry.cause, entry.kind, entry.source)
            if step in seen:
                continue  # A repeated step cannot finish the quest.
            seen.add(step)
            quest = rules(version).game.quests.get(quest_id)
            last = None if quest is None else finished(entries[:number], quest)
            if quest is None or last is None:
                continue
            counts.add(_place(last), **{f"quest_{quest_id}": 1})
            counts.award(f"quest/{quest_id}/{last.rep_id}", last, "quest", quest.points)
            break
