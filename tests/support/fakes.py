"""Stores and ports in memory. Use cases are tested on them, and a contract test holds them against
the real adapters (tests/adapters/race/test_store_contract.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from operator import eq, ge, gt, le, lt
from typing import Any

from dibs.assignment.allocate import allot
from dibs.assignment.head_starts import OnTurn, Rotation
from dibs.assignment.ports import AssignmentWrite, Override, Recipient
from dibs.assignment.round_robin import Turn
from dibs.aws import keys
from dibs.core.calendar import week_of
from dibs.core.credentials import Credential, Shown, shown
from dibs.core.errors import AlreadyClaimed, AlreadyExists, Busy, RouteNotFound
from dibs.core.events import RECORDED, LeadEvent
from dibs.core.lead import (
    HELD,
    Claim,
    Contact,
    DuplicateLink,
    Lead,
    Post,
    State,
    Transition,
    filled,
)
from dibs.core.quality import Quality
from dibs.core.rep import NO_END, Device, Pause, Platform, Rep, Usage
from dibs.dispatch.follow import FollowDeps
from dibs.intake.blind import ArrivalCounts
from dibs.intake.blind_mix import ZONE
from dibs.intake.duplicates import Identity, KnownIdentity
from dibs.intake.ingest import IngestDeps, ingest
from dibs.intake.ports import Pending, StoredPost
from dibs.intake.store import POSTS_SHOWN
from dibs.ledger.ports import LeadHistory
from dibs.offers.notify import NotifyDeps
from dibs.offers.ports import Delivery, NotifyBatch, OfferView
from dibs.race.absence import Credit
from dibs.race.draw import DrawResult, undrawn
from dibs.race.guards import Guard
from dibs.race.ports import RaceView, SentOffer
from dibs.race.usage import Change, use_credit, work_lead
from dibs.race.verdicts import RecordedVerdicts
from dibs.receipts.ports import Dispute
from dibs.receipts.receipts import ChainLink, SealedRace, TriedRace, tried_races
from dibs.roster.audit import Entry
from dibs.rules.game import Reporting
from dibs.rules.playbook import Playbook
from dibs.rules.rules import Look
from support.builders import NOON, a_playbook, token_of

LOCK, CLAIM = keys.LOCK, keys.CLAIM
QUEUED = (State.NEW, State.EXPIRED, State.RELEASED)


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **duration: float) -> datetime:
        """Move the clock, and return the new time."""
        self.at += timedelta(**duration)
        return self.at


@dataclass
class Memory:
    """The stored data."""

    playbook: Playbook = field(default_factory=a_playbook)
    leads: dict[str, Lead] = field(default_factory=dict)
    cards: dict[str, tuple[Contact, datetime]] = field(default_factory=dict)
    transitions: list[Transition] = field(default_factory=list)
    claims: dict[str, Claim] = field(default_factory=dict)
    reps: dict[str, Rep] = field(default_factory=dict)
    usage: dict[str, Usage] = field(default_factory=dict)
    tokens: dict[str, Credential] = field(default_factory=dict)
    notices: dict[tuple[str, str], SentOffer] = field(default_factory=dict)
    sightings: dict[tuple[str, str], tuple[int, OfferView]] = field(default_factory=dict)
    earlier: dict[tuple[str, str], tuple[int, OfferView]] = field(default_factory=dict)
    """Offer views of the opening before the one in `sightings`."""
    outcomes: dict[tuple[str, str], str] = field(default_factory=dict)
    reserved: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    codes: dict[tuple[str, str], tuple[str, int, datetime]] = field(default_factory=dict)
    outbox: dict[tuple[str, str], datetime] = field(default_factory=dict)
    unrecorded: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """Events that were sent, and whose ledger entries are not written."""
    look_at: dict[str, datetime] = field(default_factory=dict)
    """By lead, when a held lead is due: for its reminder, then for its return."""
    turns: dict[str, Turn] = field(default_factory=dict)
    entries: dict[tuple[str, int], dict[str, datetime]] = field(default_factory=dict)
    draws: dict[tuple[str, int], DrawResult] = field(default_factory=dict)
    texts_counted: Counter[str] = field(default_factory=Counter)
    merged: dict[str, DuplicateLink] = field(default_factory=dict)
    """Duplicate links, by the merged post's id."""
    posts: dict[str, list[str]] = field(default_factory=dict)
    """The merged posts of a lead's contact details, by lead."""
    identities: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """The lead of an identity, and since when."""
    seen: dict[str, set[str]] = field(default_factory=dict)
    """The marks each company's name came with."""
    owners: dict[str, str] = field(default_factory=dict)
    """The owners named by other systems, by identity."""
    duplicate_links: list[DuplicateLink] = field(default_factory=list)

    def counted(self, counts: Change) -> Usage | None:
        """Return the usage after a change; None if a guard does not hold."""
        rep = self.reps.get(counts.rep_id)
        if rep is None:
            return None
        usage = self.usage[rep.rep_id]
        stored = {**vars(rep), **vars(usage), "token_number": None}
        if not all(_holds(guard, stored) for guard in counts.guards):
            return None
        return counts.applied_to(usage)

    def count(self, counts: Change) -> bool:
        """Change the usage, while all guards hold."""
        usage = self.counted(counts)
        if usage is not None:
            self.usage[counts.rep_id] = usage
        return usage is not None

    def take(self, lead: Lead, claim: Claim, counted: Usage) -> None:
        """Give the lead to the claim's rep."""
        self.leads[lead.lead_id] = replace(
            lead,
            state=State.CLAIMED if claim.competitive else State.ASSIGNED,
            owner=claim.rep_id,
            claimed_at=claim.claimed_at,
            return_at=claim.return_at,
        )
        if claim.nudge_at is not None:
            self.look_at[lead.lead_id] = claim.nudge_at
        self.usage[claim.rep_id] = counted
        self.claims[lead.lead_id] = claim
        self.outbox[lead.lead_id, CLAIM] = claim.claimed_at

    def put_back(
        self,
        held: Lead,
        back: Lead,
        transitions: Sequence[Transition],
        counts: Change,
    ) -> bool:
        """Take the lead from its holder; False if it or its counts have changed since the read."""
        stored = self.leads[held.lead_id]
        if (stored.state, stored.owner, stored.epoch) != (held.state, held.owner, held.epoch):
            return False
        if held.worked_at is None and stored.worked_at is not None:
            return False
        if held.unaccepted and not stored.unaccepted:
            return False
        if not self.count(counts):
            return False
        self.leads[held.lead_id] = back
        self.look_at.pop(held.lead_id, None)
        self.outbox[held.lead_id, LOCK] = back.opens_at
        for transition in transitions:
            self.note(transition)
        return True

    def note(self, transition: Transition) -> None:
        """Record one transition; a release is also an event."""
        self.transitions.append(transition)
        if transition.to_state is State.RELEASED:
            self.outbox[
                transition.lead_id,
                keys.transition(transition.epoch, transition.at, transition.to_state),
            ] = transition.at


_COMPARE = {"=": eq, "<": lt, "<=": le, ">": gt, ">=": ge}


def _holds(guard: Guard, stored: Mapping[str, Any]) -> bool:
    """Tell whether a guard holds. A missing value equals None and is less than every number."""
    found = stored[guard.field]
    if guard.or_else is not None and _holds(guard.or_else, stored):
        return True
    if guard.value is None or found is None:
        return guard.must_be in ("<", "<=") or (found or None) == guard.value
    return bool(_COMPARE[guard.must_be](found, guard.value))


class FakeRace:
    """Implements `RaceStore`. `busy` commits fail; `lost_answers` are stored unanswered."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.busy = 0
        self.lost_answers = 0
        self.cards_read = 0
        self.meanwhile: Callable[[], None] | None = None
        """Runs once, between a read and its commit."""

    def read(self, lead_id: str, rep_id: str, shown: Shown | None = None) -> RaceView:
        memory = self._memory
        lead = memory.leads.get(lead_id)
        notice = memory.notices.get((lead_id, rep_id))
        told = notice is not None and lead is not None and notice.epoch == lead.epoch
        known = rep_id in memory.reps
        return RaceView(
            lead=lead,
            rep=memory.reps.get(rep_id),
            usage=memory.usage[rep_id] if known else Usage(),
            claim=memory.claims.get(lead_id),
            noticed_at=notice.sent_at if notice is not None and told else None,
            playbook=memory.playbook,
            credential=memory.tokens.get(shown.owner) if shown else None,
        )

    def reporting(self) -> Reporting:
        return self._memory.playbook.game.reporting

    def page_look(self) -> Look:
        return self._memory.playbook.look

    def look(self, lead_id: str, rep_id: str) -> RaceView:
        return replace(self.read(lead_id, rep_id), claim=None, noticed_at=None)

    def commit_claim(self, view: RaceView, claim: Claim, counts: Change) -> RaceView | None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        if self.busy:
            self.busy -= 1
            raise Busy(conflict=True)
        memory = self._memory
        lead, rep = memory.leads[claim.lead_id], memory.reps[claim.rep_id]
        record = memory.claims.get(claim.lead_id)
        now = claim.claimed_at
        still_open = lead.state is State.OPEN and lead.epoch == claim.epoch
        lock_fits = still_open and lead.opens_at <= now < lead.closes_at
        counted = memory.counted(counts)
        record_fits = record is None or record.epoch < claim.epoch
        if not lock_fits or counted is None or not record_fits:
            return replace(
                view,
                lead=view.lead if lock_fits else lead,
                rep=view.rep if counted else rep,
                usage=view.usage if counted else memory.usage[claim.rep_id],
                claim=view.claim if record_fits else record,
            )
        memory.take(lead, claim, counted)
        if self.lost_answers:
            self.lost_answers -= 1
            raise Busy(conflict=True)
        return None

    def commit_undo(
        self, held: Lead, reopened: Lead, transitions: Sequence[Transition], counts: Change
    ) -> bool:
        return self._memory.put_back(held, reopened, transitions, counts)

    def count(self, counts: Change) -> bool:
        return self._memory.count(counts)

    def record_attempt(
        self,
        lead: Lead,
        rep_id: str,
        at: datetime,
        outcome: str,
        rules: Sequence[str] = (),
        version: int = 0,
    ) -> None:
        first: dict[str, object] = {"attempted_at": at}
        if outcome == AlreadyClaimed.code:
            first["lost_at"] = at
        if rules:
            first |= {"rules": tuple(rules), "rules_version": version}
        if self._sight(lead, rep_id, first):
            self._memory.outcomes[lead.lead_id, rep_id] = outcome

    def record_sighting(self, lead: Lead, rep_id: str, what: str, at: datetime) -> None:
        self._sight(lead, rep_id, {what: at})

    def _sight(self, lead: Lead, rep_id: str, first: dict[str, object]) -> bool:
        key = (lead.lead_id, rep_id)
        epoch, sighting = self._memory.sightings.get(key, (lead.epoch, OfferView()))
        if epoch > lead.epoch:
            return False
        if epoch < lead.epoch:
            self._memory.earlier[key] = (epoch, sighting)
            sighting = OfferView()
        new = {name: value for name, value in first.items() if not getattr(sighting, name)}
        self._memory.sightings[key] = (lead.epoch, replace(sighting, **new))
        return True

    def card(self, lead_id: str) -> Contact | None:
        self.cards_read += 1
        return FakeLeads(self._memory).card(lead_id)

    def open_leads(self) -> list[Lead]:
        return [lead for lead in self._memory.leads.values() if lead.state is State.OPEN]

    def draws(self) -> FakeDraws:
        return FakeDraws(self._memory, self)

    def add_open(self, lead: Lead, many: int) -> None:
        """Nothing: the fake counts the open leads whenever it is asked."""

    def put_open(self, leads: Sequence[Lead], now: datetime) -> None:
        """Nothing, as above."""

    def count_open(self, team: str, now: datetime) -> int:
        return sum(team in lead.teams and now < lead.closes_at for lead in self.open_leads())


class FakeDraws:
    """Implements `Draws`."""

    def __init__(self, memory: Memory, race: FakeRace) -> None:
        self._memory = memory
        self._race = race

    def enter(self, lead: Lead, rep_id: str, at: datetime) -> None:
        self._memory.entries.setdefault((lead.lead_id, lead.epoch), {}).setdefault(rep_id, at)

    def entered(self, lead: Lead, rep_id: str) -> bool:
        return rep_id in self.entrants(lead)

    def entrants(self, lead: Lead) -> list[str]:
        return list(self._memory.entries.get((lead.lead_id, lead.epoch), {}))

    def give(self, view: RaceView, claim: Claim, counts: Change, drawn: DrawResult) -> bool:
        if not self._undrawn(drawn):
            return False
        # It runs before the commit, which must see its changes.
        if self._race.commit_claim(view, claim, counts) is not None:
            return False
        self._memory.draws[drawn.lead_id, drawn.epoch] = drawn
        return True

    def close(self, lead: Lead, drawn: DrawResult) -> None:
        if self._undrawn(drawn):
            stored = self._memory.leads[lead.lead_id]
            self._memory.leads[lead.lead_id] = replace(stored, draws_at=None)
            self._memory.draws[drawn.lead_id, drawn.epoch] = drawn

    def _undrawn(self, drawn: DrawResult) -> bool:
        stored = self._memory.leads[drawn.lead_id]
        return undrawn(stored) and stored.epoch == drawn.epoch

    def get(self, lead_id: str, epoch: int | None = None) -> DrawResult | None:
        known = [d for (lead, _), d in self._memory.draws.items() if lead == lead_id]
        found = [d for d in known if epoch in (None, d.epoch)]
        return max(found, key=lambda d: d.epoch, default=None)


class FakeLeads:
    """Implements `LeadStore`."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.meanwhile: Callable[[], None] | None = None
        """Happens once, between somebody's read and their write."""

    def get(self, lead_id: str) -> Lead | None:
        return self._memory.leads.get(lead_id)

    def get_many(self, lead_ids: Collection[str]) -> dict[str, Lead]:
        leads = self._memory.leads
        return {lead_id: leads[lead_id] for lead_id in lead_ids if lead_id in leads}

    def card(self, lead_id: str) -> Contact | None:
        stored = self._stored(lead_id)
        return filled(stored.card) if stored else None

    def _stored(self, lead_id: str) -> StoredPost | None:
        memory = self._memory
        if lead_id not in memory.cards:
            return None
        shown = memory.posts.get(lead_id, [])
        posts = [_post(memory.cards[other][0], memory.merged[other]) for other in shown]
        posts.sort(key=lambda post: post.at)
        card = replace(memory.cards[lead_id][0], merged=tuple(posts))
        return StoredPost(card, memory.merged.get(lead_id))

    def known(
        self, lead_id: str, identities: Sequence[Identity]
    ) -> tuple[StoredPost | None, list[KnownIdentity]]:
        memory = self._memory
        none = (None, None)
        standings = [
            KnownIdentity(
                one,
                *memory.identities.get(one.key, none),
                memory.owners.get(one.key),
                frozenset(memory.seen.get(one.key, ())),
            )
            for one in identities
        ]
        return self._stored(lead_id), standings

    def accept(
        self,
        lead: Lead,
        card: Contact,
        transition: Transition | None,
        signed_at: datetime,
        standings: Sequence[KnownIdentity] = (),
        given: Recipient | None = None,
        credit: Credit | None = None,
    ) -> StoredPost | None:
        stored = self._stored(lead.lead_id)
        if stored is not None:
            return stored
        self._as_read(standings)
        memory = self._memory
        if credit is not None and not memory.count(use_credit(credit)):
            raise Busy(conflict=True)
        if given is not None:
            claim = given.claim
            counted = memory.counted(given.counts)
            if counted is None:
                raise Busy(conflict=True)
            memory.take(lead, claim, counted)
            if given.link is not None:
                memory.duplicate_links.append(given.link)
        else:
            memory.outbox[lead.lead_id, LOCK] = lead.received_at
        memory.leads[lead.lead_id] = lead
        memory.cards[lead.lead_id] = (card, signed_at)
        if transition is not None:
            memory.note(transition)
        self._point(standings, lead.lead_id, lead.received_at)
        return None

    def merge(
        self,
        into: Lead,
        card: Contact,
        link: DuplicateLink,
        signed_at: datetime,
        standings: Sequence[KnownIdentity],
    ) -> StoredPost | None:
        stored = self._stored(card.lead_id)
        if stored is not None:
            return stored
        self._as_read(standings)
        memory = self._memory
        if memory.leads[into.lead_id].state is not into.state:
            raise Busy(conflict=True)
        memory.cards[card.lead_id] = (card, signed_at)
        memory.merged[card.lead_id] = link
        memory.duplicate_links.append(link)
        shown = memory.posts.setdefault(into.lead_id, [])
        if len(shown) < POSTS_SHOWN:
            shown.append(card.lead_id)
        self._point(standings, into.lead_id, link.at)
        return None

    def _as_read(self, standings: Sequence[KnownIdentity]) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        for one in standings:
            if self._memory.identities.get(one.identity.key, (None,))[0] != one.lead_id:
                raise Busy(conflict=True)

    def _point(self, standings: Sequence[KnownIdentity], lead_id: str, at: datetime) -> None:
        for one in standings:
            if not one.stays:
                self._memory.identities[one.identity.key] = (lead_id, at)
            self._memory.seen.setdefault(one.identity.key, set()).update(one.new_marks)

    def duplicate_links(self, lead_id: str) -> list[DuplicateLink]:
        found = [link for link in self._memory.duplicate_links if link.lead_id == lead_id]
        return sorted(found, key=lambda link: (link.at, link.other_id))

    def name_owner(self, identity: Identity, rep_id: str | None) -> None:
        self._memory.owners.pop(identity.key, None)
        if rep_id is not None:
            self._memory.owners[identity.key] = rep_id
            self._memory.seen.setdefault(identity.key, set()).update(identity.marks)

    def update_card(
        self, card: Contact, signed_at: datetime, link: DuplicateLink | None = None
    ) -> None:
        _, before = self._memory.cards[card.lead_id]
        if before <= signed_at:
            self._memory.cards[card.lead_id] = (replace(card, merged=()), signed_at)

    def open_leads(self) -> list[Lead]:
        return FakeRace(self._memory).open_leads()

    def record_notified(self, lead: Lead, until: datetime) -> None:
        stored = self._memory.leads[lead.lead_id]
        if stored.epoch == lead.epoch and (
            stored.notified_until is None or stored.notified_until < until
        ):
            self._memory.leads[lead.lead_id] = replace(stored, notified_until=until)

    def open_early(self, lead: Lead, early: Lead) -> bool:
        stored = self._memory.leads[lead.lead_id]
        fits = (stored.epoch, stored.waves) == (lead.epoch, lead.waves)
        if not fits or not lead.waves or stored.state is not State.OPEN:
            return False
        self._memory.leads[lead.lead_id] = replace(stored, waves=early.waves)
        return True

    def expire(self, lead: Lead, transition: Transition) -> bool:
        stored = self._memory.leads[lead.lead_id]
        due = stored.state is State.OPEN and stored.closes_at <= transition.at
        if not due or stored.epoch != lead.epoch or stored.draws_at is not None:
            return False
        self._memory.leads[lead.lead_id] = replace(stored, state=State.EXPIRED)
        self._memory.outbox[lead.lead_id, LOCK] = transition.at
        self._memory.note(transition)
        return True

    def history(self, lead_id: str) -> list[Transition]:
        transitions = [
            transition for transition in self._memory.transitions if transition.lead_id == lead_id
        ]
        return sorted(
            transitions,
            key=lambda transition: (transition.epoch, transition.at, transition.to_state),
        )

    def waiting_in_outbox(self, before: datetime) -> Iterator[Pending]:
        for (lead_id, sk), since in list(self._memory.outbox.items()):
            if since < before:
                yield Pending({"lead_id": lead_id, "sk": sk}, since, self._event(lead_id, sk))

    def _event(self, lead_id: str, sk: str) -> LeadEvent | None:
        if sk == CLAIM:
            claim = self._memory.claims[lead_id]
            kind = "lead.claimed" if claim.competitive else "lead.assigned"
            return LeadEvent(kind, lead_id, claim.epoch, claim.rep_id)
        if sk != LOCK:
            (transition,) = (m for m in self.history(lead_id) if _sk(m) == sk)
            return LeadEvent("lead.returned", lead_id, transition.epoch, transition.holder)
        lead = self._memory.leads[lead_id]
        told = {
            State.OPEN: "lead.opened",
            State.EXPIRED: "lead.expired",
            State.NEW: "lead.queued",
            State.RELEASED: "lead.queued",
        }
        return LeadEvent(told[lead.state], lead_id, lead.epoch) if lead.state in told else None

    def clear_outbox(self, pending: Pending) -> None:
        key = (pending.key["lead_id"], pending.key["sk"])
        if self._memory.outbox.get(key) == pending.since:
            del self._memory.outbox[key]
            if pending.event is not None and pending.event.kind in RECORDED:
                self._memory.unrecorded[key] = pending.since

    def pending_of(self, lead_id: str) -> Iterator[Pending]:
        """What of a lead has no ledger entry yet, as its history shows it."""
        for marks in (self._memory.outbox, self._memory.unrecorded):
            for (of, sk), since in list(marks.items()):
                if of == lead_id and sk != LOCK:
                    published = marks is self._memory.unrecorded
                    key = {"lead_id": of, "sk": sk}
                    yield Pending(key, since, self._event(of, sk), published)


def _post(card: Contact, link: DuplicateLink) -> Post:
    """Return a stored post as its lead's contact details show it."""
    shown = {f.name: getattr(card, f.name) for f in fields(Post) if hasattr(card, f.name)}
    return Post(**shown, at=link.at, because=link.because)


def _sk(transition: Transition) -> str:
    return keys.transition(transition.epoch, transition.at, transition.to_state)


class FakeArrivals:
    """`Arrivals` in memory."""

    def __init__(self) -> None:
        self.weeks: dict[str, ArrivalCounts] = {}
        self.waiting = Counter[tuple[str, datetime]]()

    def lately(self, now: datetime) -> ArrivalCounts:
        weeks = [week_of(ZONE, now - timedelta(weeks=ago)).name for ago in (0, 1)]
        return sum(self.of_weeks(weeks), ArrivalCounts())

    def count(self, quality: Quality, blind: bool, at: datetime) -> None:
        week = week_of(ZONE, at).name
        one = ArrivalCounts({quality: 1}, {quality: int(blind)})
        self.weeks[week] = self.weeks.get(week, ArrivalCounts()) + one

    def of_weeks(self, weeks: Sequence[str]) -> list[ArrivalCounts]:
        return [self.weeks[week] for week in weeks if week in self.weeks]

    def place(self, team: str, begins: datetime) -> int:
        self.waiting[team, begins] += 1
        return self.waiting[team, begins] - 1


class FakeHoldings:
    """Implements `Holdings`. `busy` writes fail, as in a transaction conflict."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.busy = 0
        self.meanwhile: Callable[[], None] | None = None
        """Happens once, between somebody's read and their write."""
        self.waiting = Counter[tuple[str, datetime]]()

    def place(self, team: str, begins: datetime) -> int:
        self.waiting[team, begins] += 1
        return self.waiting[team, begins] - 1

    def queued(self) -> list[Lead]:
        leads = self._memory.leads.values()
        found = [lead for lead in leads if lead.state in QUEUED and not lead.on_hold]
        return sorted(found, key=lambda lead: (lead.received_at, lead.lead_id))

    def unworked(self, until: datetime) -> list[Lead]:
        due = [lead_id for lead_id, at in self._memory.look_at.items() if at <= until]
        return [self._memory.leads[lead_id] for lead_id in due]

    def held_by(self, rep_id: str) -> list[Lead]:
        leads = self._memory.leads.values()
        ours = [lead for lead in leads if lead.owner == rep_id and lead.state in HELD]
        return sorted(ours, key=lambda lead: (lead.claimed_at or lead.opens_at, lead.lead_id))

    def last_turn(self, rotation: str) -> Turn:
        return self._memory.turns.get(rotation, Turn())

    def assign(self, lead: Lead, taken: AssignmentWrite) -> bool:
        self._before_a_write()
        memory, claim = self._memory, taken.claim
        stored, record = memory.leads[lead.lead_id], memory.claims.get(lead.lead_id)
        counted = memory.counted(taken.counts)
        fits = (stored.state, stored.epoch, stored.on_hold) == (lead.state, claim.epoch, False)
        if not fits or counted is None or not (record is None or record.epoch < claim.epoch):
            return False
        if taken.turn is not None and not claim.test:
            if self.last_turn(taken.rotation) != taken.last:
                return False
            memory.turns[taken.rotation] = taken.turn
        memory.take(stored, claim, counted)
        memory.note(taken.transition)
        return True

    def open(self, lead: Lead, opened: Lead, transition: Transition) -> bool:
        self._before_a_write()
        stored = self._memory.leads[lead.lead_id]
        if (stored.state, stored.epoch) != (lead.state, lead.epoch):
            return False
        self._memory.leads[lead.lead_id] = opened
        self._memory.note(transition)
        self._memory.outbox[lead.lead_id, LOCK] = opened.opens_at
        return True

    def give_back(
        self, held: Lead, back: Lead, transitions: Sequence[Transition], counts: Change
    ) -> bool:
        self._before_a_write()
        return self._memory.put_back(held, back, transitions, counts)

    def accept(self, lead: Lead, at: datetime) -> bool:
        self._before_a_write()
        stored = self._memory.leads[lead.lead_id]
        known = (stored.unaccepted, stored.owner, stored.epoch)
        if known != (True, lead.owner, lead.epoch):
            return False
        self._memory.leads[lead.lead_id] = replace(stored, accepted_at=at)
        accepted = work_lead(str(lead.owner), worked=False, accepted=not lead.test)
        return self._memory.count(accepted)

    def override(self, change: Override) -> bool:
        self._before_a_write()
        memory, was, given = self._memory, change.was, change.given
        stored, record = memory.leads[was.lead_id], memory.claims.get(was.lead_id)
        if (stored.state, stored.owner, stored.epoch) != (was.state, was.owner, was.epoch):
            return False
        if was.worked_at is None and stored.worked_at is not None:
            return False
        counted = None
        if given is not None:
            claim = given.claim
            counted = memory.counted(given.counts)
            if counted is None or not (record is None or record.epoch < claim.epoch):
                return False
        if change.off and not memory.put_back(was, change.lead, change.transitions, change.off):
            return False
        if not change.off:
            memory.leads[was.lead_id] = change.lead
            for transition in change.transitions:
                memory.note(transition)
        memory.look_at.pop(was.lead_id, None)
        if given is None or counted is None:
            memory.outbox[was.lead_id, LOCK] = change.transitions[-1].at
            return True
        memory.outbox.pop((was.lead_id, LOCK), None)
        memory.take(change.lead, given.claim, counted)
        return True

    def nudged(self, lead: Lead) -> bool:
        stored, due = self._memory.leads[lead.lead_id], self._memory.look_at.get(lead.lead_id)
        back = stored.return_at
        if stored.epoch != lead.epoch or stored.worked_at is not None:
            return False
        if due is None or back is None or due >= back:
            return False
        self._memory.look_at[lead.lead_id] = back
        return True

    def _before_a_write(self) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        if self.busy:
            self.busy -= 1
            raise Busy(conflict=True)


class FakeRoster:
    """Implements `Roster`."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def playbook(self, *, fresh: bool = False) -> Playbook:
        return self._memory.playbook

    def note_first_activity(self, at: datetime) -> None:
        del at
        self._memory.playbook = replace(self._memory.playbook, first_activity=True)

    def team(self, team: str, *, fresh: bool = False) -> list[tuple[Rep, Usage]]:
        found = sorted(self._memory.reps.values(), key=lambda rep: rep.rep_id)
        return [(rep, self._memory.usage[rep.rep_id]) for rep in found if rep.team == team]

    def get(self, rep_id: str) -> Rep | None:
        return self._memory.reps.get(rep_id)

    def counted(self, rep_id: str) -> tuple[Rep, Usage] | None:
        rep = self._memory.reps.get(rep_id)
        return (rep, self._memory.usage[rep_id]) if rep else None

    def get_many(self, rep_ids: Sequence[str]) -> dict[str, Rep]:
        return {r: self._memory.reps[r] for r in rep_ids if r in self._memory.reps}

    def by_phone(self, phone: str) -> tuple[Rep, Usage] | None:
        found = [r for r in self._memory.reps.values() if r.phone == phone and r.active]
        return (found[0], self._memory.usage[found[0].rep_id]) if found else None

    def add(self, rep: Rep, shown: Shown, token: Credential, entry: Entry) -> None:
        del shown, entry
        if rep.rep_id in self._memory.reps or (rep.phone and self.by_phone(rep.phone)):
            raise AlreadyExists
        self._memory.reps[rep.rep_id] = rep
        self._memory.usage[rep.rep_id] = Usage()
        self._memory.tokens[rep.rep_id] = token

    def pause_team(self, team: str, pause: Pause | None) -> None:
        kept = {name: p for name, p in self._memory.playbook.paused.items() if name != team}
        paused = kept if pause is None else {**kept, team: pause}
        self._memory.playbook = replace(self._memory.playbook, paused=paused)

    def pause_by_manager(self, rep_id: str, pause: Pause | None) -> None:
        until = None if pause is None else pause.until or NO_END
        reason = "" if pause is None else pause.reason
        self._change(rep_id, manager_paused_until=until, manager_pause_reason=reason)

    def set_tier(self, rep_id: str, was: int, tier: int) -> bool:
        rep = self._memory.reps.get(rep_id)
        if rep is None or rep.tier != was:
            return False
        self._change(rep_id, tier=tier)
        return True

    def put_profile(self, rep: Rep, fields: Sequence[str]) -> None:
        if not fields:
            return
        before = self._memory.reps.get(rep.rep_id)
        changes: dict[str, object] = {name: getattr(rep, name) for name in fields}
        if "phone" in fields and before is not None and before.phone != rep.phone:
            if before.active:
                self._free_for(rep)
            changes["sms_opted_out"] = False
        self._change(rep.rep_id, **changes)

    def _free_for(self, rep: Rep) -> None:
        known = self.by_phone(rep.phone) if rep.phone else None
        if known is not None and known[0].rep_id != rep.rep_id:
            raise AlreadyExists

    def reactivate(self, rep: Rep) -> None:
        self._free_for(rep)
        self._change(rep.rep_id, active=True, left_on=None, phone=rep.phone)

    def deactivate(self, rep_id: str, left_on: date) -> None:
        self._change(rep_id, active=False, left_on=left_on)
        self._memory.tokens.pop(rep_id, None)

    def opt_out(self, rep_id: str, opted_out: bool) -> None:
        self._change(rep_id, sms_opted_out=opted_out)

    def pause(self, rep_id: str, until: datetime | None) -> None:
        self._change(rep_id, paused_until=until)

    def quiet(self, rep_id: str, until: datetime | None) -> None:
        self._change(rep_id, quiet_until=until)

    def put_device(self, rep_id: str, device: Device) -> None:
        others = self._devices(rep_id, but=device.device_id)
        self._change(rep_id, devices=(*others, device))

    def remove_device(self, rep_id: str, device_id: str) -> None:
        self._change(rep_id, devices=self._devices(rep_id, but=device_id))

    def _devices(self, rep_id: str, but: str) -> tuple[Device, ...]:
        rep = self._memory.reps.get(rep_id)
        return tuple(d for d in rep.devices if d.device_id != but) if rep else ()

    def _change(self, rep_id: str, **changes: object) -> None:
        if rep_id not in self._memory.reps:
            raise RouteNotFound
        self._memory.reps[rep_id] = replace(self._memory.reps[rep_id], **changes)

    def count_sms(
        self, rep_id: str, day: date, per_rep: int, per_organisation: int | None, kind: str = ""
    ) -> bool:
        if rep_id and not self._count(f"{day}/{rep_id}/{kind}", per_rep):
            return False
        return per_organisation is None or self._count(f"{day}//{kind}", per_organisation)

    def _count(self, name: str, most: int) -> bool:
        if self._memory.texts_counted[name] >= most:
            return False
        self._memory.texts_counted[name] += 1
        return True


class FakeTurns:
    """Implements `PriorityTurns`. `asked` counts the look-ups of a day."""

    def __init__(self) -> None:
        self.stands: dict[str, Rotation] = {}
        self.days: dict[tuple[str, date], tuple[OnTurn, ...]] = {}
        self.asked = 0

    def rotation(self, team: str) -> Rotation:
        return self.stands.get(team, Rotation())

    def give(
        self, team: str, last: Rotation, after: Rotation, day: date, turns: Sequence[OnTurn]
    ) -> bool:
        if self.rotation(team).day != last.day:
            return False
        self.stands[team] = after
        self.days[team, day] = tuple(turns)
        return True

    def of_day(self, team: str, day: date) -> tuple[OnTurn, ...]:
        self.asked += 1
        return self.days.get((team, day), ())


class FakeOffers:
    """Implements `OfferStore`."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def notices(
        self,
        lead_id: str,
        epoch: int,
        rep_ids: Sequence[str],
        *,
        since: int | None = None,
        together: bool = False,
    ) -> dict[str, SentOffer]:
        del together
        found = {r: self._memory.notices.get((lead_id, r)) for r in rep_ids}
        epochs = range(epoch if since is None else since, epoch + 1)
        return {r: notice for r, notice in found.items() if notice and notice.epoch in epochs}

    def record(self, notices: Sequence[SentOffer], *, together: bool = False) -> None:
        del together
        for notice in notices:
            self._memory.notices[notice.lead_id, notice.rep_id] = notice

    def record_claimed(self, lead_id: str, epoch: int, rep_id: str, claimed_at: datetime) -> None:
        notice = self._memory.notices.get((lead_id, rep_id))
        if notice is not None and notice.epoch == epoch:
            self._memory.notices[lead_id, rep_id] = replace(notice, claimed_at=claimed_at)

    def sightings(
        self, lead_id: str, epoch: int, rep_ids: Sequence[str], *, consistent: bool = False
    ) -> dict[str, OfferView]:
        pages = (self._memory.earlier, self._memory.sightings)
        found = [(r, page.get((lead_id, r))) for page in pages for r in rep_ids]
        return {r: kept[1] for r, kept in found if kept and kept[0] == epoch}

    def reserve_sms(
        self, lead: Lead, rep_id: str, new_code: Callable[[], str], now: datetime
    ) -> str | None:
        epoch, _ = self._memory.reserved.get((lead.lead_id, rep_id), (0, ""))
        if epoch >= lead.first_epoch:
            return None
        while True:
            code = new_code()
            known = self._memory.codes.get((rep_id, code))
            if known is None or known[2] < now:
                break
        self._memory.reserved[lead.lead_id, rep_id] = (lead.epoch, code)
        kept_until = now + timedelta(days=2)
        self._memory.codes[rep_id, code] = (lead.lead_id, lead.epoch, kept_until)
        return code

    def free_sms(self, lead: Lead, rep_id: str, code: str) -> None:
        self._memory.reserved.pop((lead.lead_id, rep_id), None)
        self._memory.codes.pop((rep_id, code), None)

    def find_code(self, rep_id: str, code: str) -> tuple[str, int] | None:
        known = self._memory.codes.get((rep_id, code))
        return known[:2] if known else None


class FakeRaces:
    """Implements `Races`."""

    def __init__(self) -> None:
        self.open: dict[tuple[str, int], datetime] = {}
        self.kept: dict[tuple[str, int, datetime], RecordedVerdicts] = {}
        self.sealed: dict[tuple[str, int], tuple[SealedRace, datetime]] = {}
        self.chain: list[tuple[ChainLink, datetime]] = []
        self.filed: dict[tuple[str, int, str], Dispute] = {}

    def begin(self, lead: Lead, late_at: datetime) -> None:
        self.open.setdefault((lead.lead_id, lead.epoch), late_at)

    def record_judged(self, judged: RecordedVerdicts) -> None:
        self.kept.setdefault((judged.lead_id, judged.epoch, judged.wave_at), judged)

    def judged(self, lead_id: str, epoch: int) -> list[RecordedVerdicts]:
        return [self.kept[key] for key in sorted(self.kept) if key[:2] == (lead_id, epoch)]

    def seal(self, lead_id: str, epoch: int, sealed: SealedRace, at: datetime) -> bool:
        if (lead_id, epoch) in self.sealed:
            return False
        self.sealed[lead_id, epoch] = (sealed, at)
        return True

    def find(self, lead_id: str, epoch: int) -> SealedRace | None:
        if (lead_id, epoch) not in self.sealed:
            return None
        sealed, _ = self.sealed[lead_id, epoch]
        who = {rep_id for lead, number, rep_id in self.filed if (lead, number) == (lead_id, epoch)}
        return replace(sealed, disputed=frozenset(who))

    def tried_by(self, rep_id: str, most: int, before: str = "") -> tuple[list[TriedRace], str]:
        every = (one for sealed, _ in self.sealed.values() for one in tried_races(sealed))
        own = {keys.tried(r.closed_at, r.lead_id, r.epoch): r for r in every if r.rep_id == rep_id}
        older = [key for key in sorted(own, reverse=True) if not before or key < before]
        page = older[:most]
        return [own[key] for key in page], page[-1] if older[most:] else ""

    def unsealed(self, late: datetime) -> list[tuple[str, int]]:
        due = (key for key, at in self.open.items() if at <= late)
        return [key for key in due if key not in self.sealed]

    def unchained(self) -> list[tuple[str, int, str]]:
        found = sorted(self.sealed.items(), key=lambda one: one[1][1])
        return [(*key, sealed.head) for key, (sealed, _) in found if sealed.block is None]

    def last_block(self) -> tuple[int, str]:
        return (len(self.chain), self.chain[-1][0].hash) if self.chain else (0, "")

    def add_block(self, number: int, link: ChainLink, at: datetime) -> bool:
        if number != len(self.chain) + 1:
            return False
        self.chain.append((link, at))
        return True

    def chained(self, races: Iterable[tuple[str, int]], number: int) -> None:
        for key in races:
            sealed, at = self.sealed[key]
            self.sealed[key] = (replace(sealed, block=number), at)

    def blocks(self, first: int = 1, last: int | None = None) -> Iterator[tuple[int, ChainLink]]:
        for number, (link, _) in enumerate(self.chain, start=1):
            if first <= number and (last is None or number <= last):
                yield number, link

    def block_numbers(self, day: date) -> list[int]:
        return [number for number, (_, at) in enumerate(self.chain, 1) if at.date() == day]

    def dispute(self, dispute: Dispute) -> Dispute:
        key = (dispute.lead_id, dispute.epoch, dispute.rep_id)
        return self.filed.setdefault(key, dispute)

    def disputed(self, lead_id: str, epoch: int, rep_id: str) -> Dispute | None:
        return self.filed.get((lead_id, epoch, rep_id))

    def answer(self, answered: Dispute) -> Dispute:
        key = (answered.lead_id, answered.epoch, answered.rep_id)
        if self.filed[key].answered_at is None:
            self.filed[key] = answered
        return self.filed[key]

    def disputes(self, month: date) -> list[Dispute]:
        found = (d for d in self.filed.values() if f"{d.at:%Y-%m}" == f"{month:%Y-%m}")
        return sorted(found, key=lambda one: (one.at, one.lead_id, one.rep_id))


class FakePush:
    """Implements `Push`. Keeps every alert; `refuses` are the reps whose phones refuse them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.alerts: list[tuple[str, str, int, str]] = []
        """Alerts in the order they were sent: kind, lead, epoch, rep."""
        self.refuses: set[str] = set()
        self.endpoints: dict[str, str] = {}
        self.meanwhile: Callable[[], None] | None = None
        """Runs once, while offers are being sent."""

    def offer(
        self,
        lead: Lead,
        reps: Sequence[Rep],
        now: datetime,
        wait: Callable[[], None] = lambda: None,
    ) -> Delivery:
        wait()
        delivery = self._send("offer", lead, reps)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return delivery

    def withdraw(self, lead: Lead, reps: Sequence[Rep], now: datetime) -> Delivery:
        return self._send("withdraw", lead, reps)

    def tell(self, what: str, lead: Lead, reps: Sequence[Rep], now: datetime) -> Delivery:
        return self._send(what, lead, reps)

    def _send(self, kind: str, lead: Lead, reps: Sequence[Rep]) -> Delivery:
        taken = [rep.rep_id for rep in reps if rep.pushable and rep.rep_id not in self.refuses]
        self.alerts.extend((kind, lead.lead_id, lead.epoch, rep_id) for rep_id in taken)
        accepted = frozenset(taken)
        return Delivery(
            accepted=accepted,
            refused=frozenset(rep.rep_id for rep in reps) - accepted,
            sent_at={rep_id: self._clock() for rep_id in taken},
        )

    def register(
        self, rep_id: str, device_id: str, platform: str, token: str
    ) -> tuple[Device, str]:
        arn = f"arn:aws:sns:us-east-1:123456789012:endpoint/{platform}/{token}"
        before = self.endpoints.get(arn, rep_id)
        self.endpoints[arn] = rep_id
        return Device(device_id, Platform(platform), arn), before

    def forget(self, device: Device) -> None:
        self.endpoints.pop(device.endpoint_arn, None)

    def told(self, kind: str = "offer") -> list[str]:
        """The reps whose phones showed this kind of alert, in order."""
        return [rep_id for sent, _, _, rep_id in self.alerts if sent == kind]


class FakeSms:
    """Implements `Sms`. Keeps every text; it fails once for each number in `fails_for`."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.fails_for: set[str] = set()
        self.unwanted: set[str] = set()

    def opted_out(self) -> set[str]:
        return set(self.unwanted)

    def opt_in(self, phone: str) -> None:
        self.unwanted.discard(phone)

    def send(self, phone: str, text: str) -> None:
        if phone in self.fails_for:
            self.fails_for.remove(phone)
            raise ConnectionError("the carrier hung up")
        self.texts.append((phone, text))

    @property
    def told(self) -> list[str]:
        """The numbers that got a text, in order."""
        return [phone for phone, _ in self.texts]


class FakeQueue:
    """Implements `NotifyQueue`. Keeps the messages and their delays."""

    def __init__(self) -> None:
        self.waiting: list[tuple[NotifyBatch, int]] = []

    def put(self, batches: Sequence[NotifyBatch], delay_seconds: int = 0) -> None:
        self.waiting.extend((batch, delay_seconds) for batch in batches)

    def of(self, kind: str) -> list[NotifyBatch]:
        """The batches of one kind, in the order they were put."""
        return [batch for batch, _ in self.waiting if batch.kind == kind]


class FakeTimers:
    """Implements `Timers`. Keeps the timers by lead, and the checks that were requested."""

    def __init__(self) -> None:
        self.set: list[tuple[str, int, datetime]] = []
        self.seals: list[tuple[str, int, datetime]] = []
        self.asked: list[tuple[str, str]] = []

    def wake_at(self, lead: Lead, moment: datetime, now: datetime, kind: str = "lead.due") -> None:
        to = self.set if kind == "lead.due" else self.seals
        to.append((lead.lead_id, lead.epoch, moment))

    def check(self, kind: str, lead: Lead | None = None, rep_id: str | None = None) -> None:
        self.asked.append((kind, lead.lead_id if lead else rep_id or ""))


class FakeBus:
    """Implements `Bus`. With `down` it refuses all events."""

    def __init__(self) -> None:
        self.events: list[LeadEvent] = []
        self.down = False

    def publish(self, events: Sequence[LeadEvent]) -> None:
        if self.down and events:
            raise ConnectionError("the bus is down")
        self.events.extend(events)


class FakeOnce:
    """Implements `Once`."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def claim_name(self, name: str, now: datetime) -> bool:
        first = name not in self.names
        self.names.add(name)
        return first


class FakeWorld:
    """An organisation in memory, as `World` is on tables, with queues, push and SMS."""

    def __init__(self, playbook: Playbook | None = None) -> None:
        self.memory = Memory(playbook or a_playbook())
        self.clock = Clock()
        self.race = FakeRace(self.memory)
        self.leads = FakeLeads(self.memory)
        self.arrivals = FakeArrivals()
        self.holdings = FakeHoldings(self.memory)
        self.races = FakeRaces()
        self.roster = FakeRoster(self.memory)
        self.turns = FakeTurns()
        self.offers = FakeOffers(self.memory)
        self.push = FakePush(self.clock)
        self.sms = FakeSms()
        self.queue = FakeQueue()
        self.timers = FakeTimers()
        self.bus = FakeBus()
        self.once = FakeOnce()
        self.counted: Counter[str] = Counter()
        self.waited_until: list[datetime] = []

    def put_playbook(self, playbook: Playbook) -> None:
        """Put a playbook in force."""
        self.memory.playbook = playbook

    def add_rep(self, rep: Rep) -> Rep:
        """Store a rep whose token is `token_of(rep)`."""
        said = shown(token_of(rep))
        entry = Entry("operator", "rep.add", rep.rep_id, NOON)
        self.roster.add(rep, said, Credential(said.digest, 0), entry)
        return rep

    def post_lead(self, card: Contact, now: datetime | None = None) -> Lead:
        """Accept a lead as ingest does."""
        at = now or self.clock()
        deps = IngestDeps(
            self.leads,
            self.arrivals,
            lambda: at,
            find_rep=self.roster.counted,
            allot=allot(self.roster, self.turns),
            pause=no_pause,
        )
        return ingest(card, self.memory.playbook, b"saltsalts", at, deps).lead

    def lead(self, lead: Lead) -> Lead:
        """Return the lead as it is now."""
        return self.memory.leads[lead.lead_id]

    def follow_deps(self) -> FollowDeps:
        """The dependencies of the offer step."""
        return FollowDeps(
            leads=self.leads,
            race=self.race,
            holdings=self.holdings,
            roster=self.roster,
            offers=self.offers,
            queue=self.queue,
            timers=self.timers,
            races=self.races,
            story=self.story,
            clock=self.clock,
        )

    def story(self, lead_id: str) -> LeadHistory | None:
        """Return a lead with its recorded history."""
        lead = self.memory.leads.get(lead_id)
        transitions = tuple(self.leads.history(lead_id))
        draws = tuple(one for (of, _), one in sorted(self.memory.draws.items()) if of == lead_id)
        return lead and LeadHistory(lead, self.memory.claims.get(lead_id), transitions, draws)

    def notify_deps(self) -> NotifyDeps:
        """The dependencies of notify. Reply codes are `2222`, `3333` ... in turn."""
        digits = iter(4 * str(digit) for digit in range(2, 10))
        letters = (letter for code in digits for letter in code)
        return NotifyDeps(
            leads=self.leads,
            roster=self.roster,
            offers=self.offers,
            push=self.push,
            sms=self.sms,
            queue=self.queue,
            offer_text=lambda lead, rep, code, token, now: f"{lead.lead_id} {code} {token}",
            holder_text=lambda what, lead, rep, token, now: f"{what} {lead.lead_id} {token}",
            cap_text=lambda rep, most: f"cap {most}",
            choice=lambda _: next(letters),
            clock=self.clock,
            wait_until=self.waited_until.append,
            count=self._count,
        )

    def _count(self, name: str, value: float) -> None:
        self.counted[name] += int(value)


def no_pause(seconds: float) -> None:
    """Do not wait: tests need no jitter."""
