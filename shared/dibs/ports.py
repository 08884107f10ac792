"""What the use cases need from the outside, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from dibs.core.lead import Card, Claim, Lead, Move, Quality, Tie
from dibs.core.rep import Device, Limits, Rep
from dibs.race.ports import Notice
from dibs.rules.playbook import Playbook
from dibs.rules.rules import Rules

if TYPE_CHECKING:
    # Named in signatures only: a function loads of the domain no more than it must.
    from fractions import Fraction

    from dibs.assignment.head_starts import OnTurn, Rotation
    from dibs.assignment.round_robin import Turn
    from dibs.game.contests.rules import Contest, Frozen, Result, State, Times
    from dibs.game.contests.rules import Standing as Stands
    from dibs.game.help.rules import Answer, HelpRequest
    from dibs.game.quests.rules import Told
    from dibs.game.rewards.rules import Request, Reward
    from dibs.game.rewards.rules import State as RewardState
    from dibs.game.scoring.points import Account, Transfer
    from dibs.game.scoring.tally import Award, Place, Tally
    from dibs.intake.blind import Arrived
    from dibs.intake.duplicates import Identity, Standing
    from dibs.ledger.activities import Step
    from dibs.ledger.entries import Entry, Row
    from dibs.race.absence import Credit
    from dibs.race.draw import Drawn
    from dibs.receipts.receipts import Link, Sealed
    from dibs.reports.tiers import Inputs, Outlook


@dataclass(frozen=True)
class Fact:
    """Something that happened to a lead, told to the rest of the product over the bus."""

    kind: str
    lead_id: str
    epoch: int
    rep_id: str | None = None


@dataclass(frozen=True)
class Pending:
    """An item whose fact may not have left the outbox yet; `since` guards its clearing."""

    key: Mapping[str, str]
    since: datetime
    fact: Fact | None


@dataclass(frozen=True)
class Chunk:
    """Work for one notify run: up to 50 reps to be told the same thing about one lead.

    `notify_at` is the common instant at which every chunk of a wave starts (N6).
    """

    kind: str
    lead_id: str
    epoch: int
    rep_ids: tuple[str, ...]
    notify_at: datetime | None = None

    @property
    def name(self) -> str:
        """What it asks for, in one word: a chunk of other reps is other work."""
        return f"{self.kind}/{self.lead_id}/{self.epoch}/{','.join(self.rep_ids)}"


@dataclass(frozen=True)
class Taken:
    """An assignment to be stored: who takes the lead, the step, and whose turn that was.

    Without a turn it is the last resort's, whom no limit keeps from it (C7). `credit` is the
    absence credit it uses up (F10); `week_most` the leads the rep may have had in the week with it.
    """

    claim: Claim
    move: Move
    ring: str
    last: Turn
    turn: Turn | None
    credit: Credit | None = None
    week_most: int | None = None


@dataclass(frozen=True)
class Stored:
    """A post as it was stored; `tie` says into which lead it was merged, if it was."""

    card: Card
    tie: Tie | None = None


@dataclass(frozen=True)
class Given:
    """Whom a lead goes to without a race, as they were read, and the record of it (C6, R7).

    `tie` is why a new lead is its owner's.
    """

    rep: Rep
    limits: Limits
    playbook: Rules
    claim: Claim
    tie: Tie | None = None


@dataclass(frozen=True)
class Override:
    """What a manager decided, to be stored (R7): the lead as it was read and as it is to be.

    `ex` is who loses it, as they were read, and `given` who gets it, whom no limit keeps from it.
    """

    was: Lead
    lead: Lead
    moves: tuple[Move, ...]
    ex: tuple[Rep, Limits] | None = None
    given: Given | None = None


class LeadStore(Protocol):
    """Leads outside the race: accepted, merged, opened, closed, and their outbox."""

    def get(self, lead_id: str) -> Lead | None: ...

    def get_many(self, lead_ids: Collection[str]) -> dict[str, Lead]: ...

    def card(self, lead_id: str) -> Card | None: ...

    def known(
        self, lead_id: str, identities: Sequence[Identity]
    ) -> tuple[Stored | None, list[Standing]]:
        """Return what is stored under a lead's id, and what each identity stands for, in order."""
        ...

    def accept(
        self,
        lead: Lead,
        card: Card,
        move: Move | None,
        signed_at: datetime,
        standings: Sequence[Standing] = (),
        given: Given | None = None,
        credit: Credit | None = None,
    ) -> Stored | None:
        """Store a new lead, raced for or `given` to somebody; identities stand for it from now on.

        None when stored, else what is already stored under its id. Its head start may use up an
        absence `credit` (F10).

        Raises:
            Busy: on a transaction conflict or throttling, or when what was read is not so any
                more; nothing was changed.
        """
        ...

    def merge(
        self,
        into: Lead,
        card: Card,
        tie: Tie,
        signed_at: datetime,
        standings: Sequence[Standing],
    ) -> Stored | None:
        """Store a post as part of a lead that stands as it was read; else as `accept`."""
        ...

    def update_card(self, card: Card, signed_at: datetime, tie: Tie | None = None) -> None: ...

    def open_leads(self) -> list[Lead]: ...

    def told(self, lead: Lead, until: datetime) -> None: ...

    def open_early(self, lead: Lead, early: Lead) -> bool: ...

    def expire(self, lead: Lead, move: Move) -> bool: ...

    def waiting_in_outbox(self, before: datetime) -> Iterable[Pending]: ...

    def clear_outbox(self, pending: Pending) -> None: ...


class Arrivals(Protocol):
    """How many leads of each quality came to race, and how many of them blind (F5)."""

    def lately(self, now: datetime) -> Arrived:
        """Return what came lately: this week and the week before."""
        ...

    def count(self, quality: Quality, blind: bool, at: datetime) -> None: ...

    def of_weeks(self, weeks: Sequence[str]) -> list[Arrived]: ...


class Holdings(Protocol):
    """Leads that go to somebody, and come back, without a race (C7, C11, M5).

    Each write is one transaction; False when the lead, its holder or the turn was no longer as
    read, and nothing was changed.
    """

    def queued(self) -> list[Lead]: ...

    def unworked(self, until: datetime) -> list[Lead]: ...

    def held_by(self, rep_id: str) -> list[Lead]: ...

    def last_turn(self, ring: str) -> Turn: ...

    def assign(
        self, lead: Lead, rep: Rep, limits: Limits, playbook: Playbook, taken: Taken
    ) -> bool: ...

    def open(self, lead: Lead, opened: Lead, move: Move) -> bool:
        """Open a lead that waits to be assigned, and was kept for somebody, for its race."""
        ...

    def give_back(
        self, held: Lead, back: Lead, moves: Sequence[Move], rep: Rep, limits: Limits
    ) -> bool: ...

    def accept(self, lead: Lead, at: datetime) -> bool: ...

    def override(self, change: Override) -> bool: ...

    def nudged(self, lead: Lead) -> bool: ...


@dataclass(frozen=True)
class Story:
    """What is on record of a lead: as it stands, who took it last, and the steps of its life.

    A race won leaves its step only when the lead is given back; until then `claim` has it.
    `draws` are those of its openings that were drawn (C10).
    """

    lead: Lead
    claim: Claim | None
    moves: tuple[Move, ...]
    draws: tuple[Drawn, ...] = ()


class Ledger(Protocol):
    """Who took which lead and what they made of it; entries are added and never changed."""

    def find(self, entry_ids: Collection[str]) -> dict[str, Entry]: ...

    def of_rep(self, rep_id: str, start: datetime, end: datetime) -> Iterable[Entry]: ...

    def of_team(self, team: str, weeks: Sequence[str]) -> Iterable[Entry]: ...

    def put(self, entries: Sequence[Entry]) -> None: ...

    def record(self, entry: Entry, step: Step | None) -> bool:
        """Store an activity with what it makes of its lead; False when neither is any more as
        it was read, and nothing was changed.

        Raises:
            Busy: on a transaction conflict or throttling; nothing was changed.
        """
        ...

    def story(self, lead_id: str) -> Story | None: ...


@dataclass(frozen=True)
class Judged:
    """How the reps of a lead's teams were judged when a wave was told, or it was assigned (R9).

    `verdicts` are, by rep, the codes of every rule that refused them; none for who might claim, or
    whom it was assigned to.
    """

    lead_id: str
    epoch: int
    wave_at: datetime
    at: datetime
    teams: tuple[str, ...]
    playbook_version: int
    verdicts: Mapping[str, tuple[str, ...]]
    how: Literal["race", "assigned"] = "race"


@dataclass(frozen=True)
class Dispute:
    """A rep's objection to a race, in their own words (C9)."""

    lead_id: str
    epoch: int
    rep_id: str
    at: datetime
    reason: str


class Races(Protocol):
    """What is on record of races: how reps were judged, what came of it, sealed and chained (C9).

    Everything is written once; the first record of anything counts.
    """

    def begin(self, lead: Lead, late_at: datetime) -> None: ...

    def record_judged(self, judged: Judged) -> None: ...

    def judged(self, lead_id: str, epoch: int) -> list[Judged]: ...

    def seal(self, lead_id: str, epoch: int, sealed: Sealed, at: datetime) -> bool: ...

    def find(self, lead_id: str, epoch: int) -> Sealed | None: ...

    def unsealed(self, late: datetime) -> list[tuple[str, int]]: ...

    def unchained(self) -> list[tuple[str, int, str]]: ...

    def last_block(self) -> tuple[int, str]: ...

    def add_block(self, number: int, link: Link, at: datetime) -> bool: ...

    def chained(self, races: Iterable[tuple[str, int]], number: int) -> None: ...

    def blocks(self, first: int = 1, last: int | None = None) -> Iterable[tuple[int, Link]]: ...

    def block_numbers(self, day: date) -> list[int]: ...

    def dispute(self, dispute: Dispute) -> Dispute: ...

    def disputes(self, month: date) -> list[Dispute]: ...


class Roster(Protocol):
    """Reps, teams and the playbook in force."""

    def playbook(self) -> Playbook: ...

    def team(self, team: str, *, fresh: bool = False) -> Sequence[tuple[Rep, Limits]]:
        """Return a team's reps, from a snapshot of some seconds unless it is to be `fresh`."""
        ...

    def get(self, rep_id: str) -> Rep | None: ...

    def counted(self, rep_id: str) -> tuple[Rep, Limits] | None:
        """Return a rep with what they have used up, as it is now."""
        ...

    def get_many(self, rep_ids: Sequence[str]) -> dict[str, Rep]: ...

    def by_phone(self, phone: str) -> tuple[Rep, Limits] | None: ...

    def set_tier(self, rep_id: str, was: int, tier: int) -> bool:
        """Move a rep to another tier; False when they were moved meanwhile."""
        ...

    def put_profile(self, rep: Rep, fields: Sequence[str]) -> None: ...

    def deactivate(self, rep_id: str, left_on: date) -> None: ...

    def opt_out(self, rep_id: str, opted_out: bool) -> None: ...

    def pause(self, rep_id: str, until: datetime | None) -> None: ...

    def quiet(self, rep_id: str, until: datetime | None) -> None: ...

    def put_device(self, rep_id: str, device: Device) -> None: ...

    def remove_device(self, rep_id: str, device_id: str) -> None: ...

    def count_sms(self, rep_id: str, day: date, per_rep: int, per_organisation: int) -> bool: ...


@dataclass(frozen=True)
class Version:
    """A playbook as it was put in force: when, by whom, and why. 0 is the preset as shipped."""

    playbook: Playbook
    applied_at: datetime | None = None
    by: str = ""
    note: str = ""

    @property
    def number(self) -> int:
        return self.playbook.version


class Playbooks(Protocol):
    """The playbook in force, and every one there was (O4)."""

    def in_force(self) -> Version: ...

    def get(self, number: int) -> Version | None: ...

    def history(self) -> list[Version]:
        """Return the latest hundred versions, the newest first."""
        ...

    def add(self, version: Version) -> bool:
        """Store the next version and put it in force, in one step.

        False when another one is in force than the one before it; nothing was changed then.
        """
        ...


@dataclass(frozen=True)
class Sighting:
    """What a rep did with an offer (N3): seen it, tried for it, declined it, each the first time.

    `lost_at` is their first try that came after the winner's; `rules` refused their first refused
    one, under the playbook version `rules_version` (C9).
    """

    seen_at: datetime | None = None
    attempted_at: datetime | None = None
    declined_at: datetime | None = None
    lost_at: datetime | None = None
    rules: tuple[str, ...] = ()
    rules_version: int | None = None


class OfferStore(Protocol):
    """The record of every offer, one (lead, rep) key each."""

    def notices(self, lead_id: str, epoch: int, rep_ids: Sequence[str]) -> dict[str, Notice]: ...

    def record(self, notices: Sequence[Notice]) -> None: ...

    def record_claimed(
        self, lead_id: str, epoch: int, rep_id: str, claimed_at: datetime
    ) -> None: ...

    def sightings(
        self, lead_id: str, epoch: int, rep_ids: Sequence[str], *, consistent: bool = False
    ) -> dict[str, Sighting]: ...

    def reserve_sms(
        self, lead: Lead, rep_id: str, new_code: Callable[[], str], now: datetime
    ) -> str | None: ...

    def free_sms(self, lead: Lead, rep_id: str, code: str) -> None: ...

    def find_code(self, rep_id: str, code: str) -> tuple[str, int] | None: ...


@dataclass(frozen=True)
class Delivery:
    """How a batch of publishes went: accepted for whom, and when each left."""

    accepted: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    sent_at: Mapping[str, datetime] = field(default_factory=dict)
    spread_ms: int = 0


@dataclass(frozen=True)
class Attained:
    """What a rep made of a month's target (M4), and the leads a week that follow from it."""

    achieved: int
    target: int | None
    attainment: Fraction | None
    allowance: int
    playbook_version: int


class Targets(Protocol):
    """What the organisation wants of each rep in a month, in the playbook's measure (M4)."""

    def of(self, month: date, rep_ids: Sequence[str]) -> dict[str, int]: ...

    def put(self, month: date, targets: Mapping[str, int]) -> None: ...


@dataclass(frozen=True)
class Total:
    """What one rep came to in a period, for one team: whole numbers by the name of what was
    counted (`dibs.game.scoring.tally`). A rep who changed teams has one for each."""

    rep_id: str
    team: str
    name: str
    counts: Mapping[str, int]


class Standings(Protocol):
    """What the ledger comes to, by rep and period; everything in it can be made anew."""

    def totals(self, period: str) -> list[Total]:
        """Return every rep's total of a period such as 2026-11-23, 2026-W48, 2026-11, 2026-Q4 or
        `all`, as it was last put together."""
        ...

    def between(self, first: date, last: date) -> list[Total]:
        """Return every rep's total of some days, both ends among them."""
        ...


@dataclass(frozen=True)
class Unit:
    """Entries that are tallied together, by id, and what of them stands in the totals.

    `version` counts its changes; 0 is one that is not stored yet.
    """

    name: str
    entries: Mapping[str, Entry] = field(default_factory=dict)
    made: Tally | None = None
    version: int = 0


@dataclass(frozen=True)
class Change:
    """A unit with what was new to it, and the difference that makes to counts."""

    unit: Unit
    counts: Mapping[Place, Mapping[str, int]]


@dataclass(frozen=True)
class Booked:
    """The awards of a unit that stand in points accounts, by id; `version` counts its changes."""

    unit: str
    awards: Mapping[str, Award] = field(default_factory=dict)
    version: int = 0


class AwardBook(Protocol):
    """Which awards stand in points accounts, unit by unit (G9)."""

    def booked(self, units: Collection[str]) -> dict[str, Booked]:
        """Return what is booked of those units of which anything ever was, as it is now."""
        ...

    def settle(self, entries: Sequence[tuple[Booked, Sequence[Transfer]]]) -> list[str]:
        """Book awards as they are to be, with the transfers that make them so; return the units
        that have changed meanwhile, or were held just then, for which nothing was done."""
        ...


@dataclass(frozen=True)
class Sum:
    """One rep's counts in a period by team, as they are now; `protected` ones apart (F9).

    `version` counts its changes, `badges` are those noted for it.
    """

    rep_id: str
    period: str
    counts: Mapping[str, Mapping[str, int]]
    protected: Mapping[str, Mapping[str, int]]
    badges: frozenset[str] = frozenset()
    version: int = 0

    @property
    def whole(self) -> dict[str, int]:
        """Return the rep's own counts, whatever the team, protected or not."""
        found = dict[str, int]()
        for counts in (*self.counts.values(), *self.protected.values()):
            for name, number in counts.items():
                found[name] = found.get(name, 0) + number
        return found


class StandingsStore(Standings, Protocol):
    """Standings as they are kept. A `generation` is one making of them from the ledger: one is
    live, and another may be being built beside it."""

    def generations(self) -> tuple[str, ...]:
        """Return the generations to be kept up to date, the live one first."""
        ...

    def units(self, generation: str, names: Collection[str]) -> dict[str, Unit]: ...

    def apply(self, generation: str, changes: Sequence[Change]) -> list[str]:
        """Store changes, each unit whole or not at all; return the units that have changed
        meanwhile, or were held just then, for which nothing was done."""
        ...

    def sums(self, generation: str, keys: Collection[tuple[str, str]]) -> list[Sum]:
        """Return the sums of reps in periods, as they are now."""
        ...

    def publish(
        self,
        generation: str,
        keys: Collection[tuple[str, str]],
        names: Mapping[str, str],
        targets: Mapping[tuple[str, str], int],
    ) -> list[Sum]:
        """Put what reps came to in periods where boards read it; return these sums.

        `names` are by rep, `targets` by rep and period.
        """
        ...

    def award_badges(self, generation: str, sums: Sum, held: frozenset[str], at: datetime) -> bool:
        """Note which badges a rep holds for a period; False when the sum has changed meanwhile."""
        ...


class StandingsBuild(Protocol):
    """Standings as an operator's command makes them anew, in a generation of their own."""

    def begin(self) -> str:
        """Begin another generation beside the live one; from now on both are kept up to date."""
        ...

    def pack(self, entry: Entry) -> bytes:
        """Return what a tally needs of an entry, as small as can be."""
        ...

    def unpack(self, small: bytes) -> Entry: ...

    def fill(self, generation: str, units: Sequence[Unit]) -> list[str]:
        """Store units that are not there yet; return those that are, and were left alone."""
        ...

    def add(
        self,
        generation: str,
        counts: Mapping[tuple[str, str], Mapping[tuple[str, bool], Mapping[str, int]]],
    ) -> None:
        """Add counts to totals: by rep and period, then by team and whether protected."""
        ...

    def every_sum(self, generation: str) -> Iterable[Sum]: ...

    def totals_in(self, generation: str, period: str) -> list[Total]: ...

    def swap(self, generation: str) -> None:
        """Let boards show a generation that is complete."""
        ...


class Results(Protocol):
    """What was worked out for a period. The first record of anything counts."""

    def begin(self, job: str, period: str, version: int, now: datetime) -> int | None:
        """Return the playbook version a job was first begun under for a period.

        None when that period, or a later one, is done or has been begun instead.
        """
        ...

    def end(self, job: str, period: str, now: datetime) -> None: ...

    def inputs(self, week: str, rep_ids: Sequence[str]) -> dict[str, Inputs]: ...

    def record_inputs(self, week: str, found: Sequence[Inputs]) -> None: ...

    def record_outlooks(self, week: str, version: int, outlooks: Sequence[Outlook]) -> None: ...

    def record_attained(self, rep_id: str, month: str, result: Attained) -> bool:
        """Store the month's result and the allowance that follows, once; False when there is one.

        An allowance of a later month stays.
        """
        ...

    def record_report(self, team: str, week: str, rows: Sequence[Row]) -> None: ...

    def report(self, team: str, week: str) -> list[Row] | None: ...


class PriorityTurns(Protocol):
    """Whose turn it is to see new leads first (F6)."""

    def rotation(self, team: str) -> Rotation: ...

    def give(
        self, team: str, last: Rotation, stands: Rotation, day: date, turns: Sequence[OnTurn]
    ) -> bool:
        """Record a day's turns and where they stand then, together.

        False when somebody else has given out turns since `last`; nothing was changed then.
        """
        ...

    def of_day(self, team: str, day: date) -> tuple[OnTurn, ...]:
        """Return a day's turns, from a snapshot of some time; none where none were given out."""
        ...


class Push(Protocol):
    """Alerts on phones. Both answer per rep; a rep counts as accepted when any device took it."""

    def offer(self, lead: Lead, reps: Sequence[Rep], now: datetime) -> Delivery: ...

    def withdraw(self, lead: Lead, reps: Sequence[Rep], now: datetime) -> Delivery: ...

    def tell(self, what: str, lead: Lead, reps: Sequence[Rep], now: datetime) -> Delivery:
        """Tell a lead's holder that it is theirs (`assigned`) or waits for them (`unworked`)."""
        ...

    def register(
        self, rep_id: str, device_id: str, platform: str, token: str
    ) -> tuple[Device, str]:
        """Own a phone to the rep; return it and whose it was before."""
        ...

    def forget(self, device: Device) -> None: ...


class Sms(Protocol):
    """Text messages out."""

    def send(self, phone: str, text: str) -> None: ...


class NotifyQueue(Protocol):
    """Where chunks wait for notify."""

    def put(self, chunks: Sequence[Chunk], delay_seconds: int = 0) -> None: ...


class Timers(Protocol):
    """Delayed messages about a lead; a late or lost one delays a message, never a right."""

    def wake_at(
        self, lead: Lead, moment: datetime, now: datetime, kind: str = "lead.due"
    ) -> None: ...

    def check(self, kind: str, lead: Lead | None = None) -> None: ...


class Bus(Protocol):
    """Where facts go."""

    def publish(self, facts: Sequence[Fact]) -> None: ...


class Once(Protocol):
    """At most one run per name, also when it is asked for twice at the same time."""

    def claim_name(self, name: str, now: datetime) -> bool: ...


class HelpRequests(Protocol):
    """What reps ask their colleagues, and what they were answered (G11)."""

    def find(self, help_id: str) -> HelpRequest | None: ...

    def add(self, request: HelpRequest) -> bool:
        """Store a new request; False when there is one of its id."""
        ...

    def of_rep(self, rep_id: str, since: datetime) -> list[HelpRequest]:
        """Return the latest fifty a rep asked since then, the newest first."""
        ...

    def of_team(self, team: str, since: datetime) -> list[HelpRequest]:
        """Return the latest fifty a team was asked since then, the newest first."""
        ...

    def answer(self, help_id: str, answer: Answer) -> bool:
        """Store a rep's first answer; False when they have one, or it takes no more."""
        ...

    def confirm(self, help_id: str, rep_id: str, at: datetime) -> None:
        """Note that an answer helped; the first note stays."""
        ...

    def close(self, help_id: str, at: datetime) -> None: ...


class QuestLog(Protocol):
    """Steps of quests that reps have told of themselves, until somebody confirms them (G8)."""

    def tell(self, told: Told, was: Told | None) -> bool:
        """Store what a rep tells, for them and for who is to confirm it, in place of what they
        told `was`; False when it was not that any more."""
        ...

    def told_by(self, rep_id: str) -> list[Told]: ...

    def waiting_for(self, who: str) -> list[Told]:
        """Return what waits for a peer's word, or for the managers' (`MANAGERS`)."""
        ...

    def settle(self, told: Told) -> None:
        """Take it off the lists of who was to confirm it."""
        ...


@dataclass(frozen=True)
class Planned:
    """A contest as it is kept: its definition, how far it is, its times, and who set it up.

    `owed`: it is final, and its prizes may not all be booked yet.
    """

    contest: Contest
    state: State
    times: Times
    by: str
    owed: bool = False


@dataclass(frozen=True)
class SignedResult:
    """A contest's result, the text that was signed, and its signature in hex."""

    result: Result
    text: str
    signature: str


class Contests(Protocol):
    """Contests, what of them is frozen, how they stand and how they ended (G4-G7)."""

    def all(self) -> list[Planned]: ...

    def get(self, contest_id: str) -> Planned | None: ...

    def plan(self, planned: Planned) -> bool:
        """Store a contest that is to come, in place of an earlier definition.

        False when it has begun, or was cancelled; nothing was changed then.
        """
        ...

    def cancel(self, contest_id: str) -> bool:
        """Call a contest off; False when it is final or was cancelled before."""
        ...

    def open(self, planned: Planned, frozen: Frozen, seed: str) -> bool:
        """Begin a contest, as it was read, and freeze what it is about, in one step.

        False when it has begun or was cancelled; nothing was changed then.
        """
        ...

    def frozen(self, contest_id: str) -> tuple[Frozen, str] | None:
        """Return what is frozen, and the secret seed of the lottery (empty: there is none)."""
        ...

    def refresh(self, contest_id: str, standing: Stands, at: datetime) -> None: ...

    def standing(self, contest_id: str) -> tuple[Stands, datetime] | None: ...

    def close(self, signed: SignedResult) -> bool:
        """Store a result and make the contest final, in one step; its prizes are owed then.

        False when it is not live; the first result stands.
        """
        ...

    def result(self, contest_id: str) -> SignedResult | None: ...

    def paid(self, contest_id: str) -> None: ...


class PointsLedger(Protocol):
    """Points accounts and every transfer between them (G9). Transfers are added, never changed."""

    def account(self, rep_id: str) -> Account: ...

    def book(self, transfers: Sequence[Transfer], *, covered: bool = False) -> bool:
        """Book transfers, all or none; False when one of them was booked before, or, with
        `covered`, a balance would fall below nought.

        Raises:
            Busy: the store is busy for longer than we may wait; nothing was booked.
        """
        ...

    def history(self, rep_id: str, limit: int, start: str = "") -> tuple[list[Transfer], str]:
        """Return a page of a rep's transfers, the newest first, and where the next one starts."""
        ...

    def since(self, rep_id: str, start: datetime) -> Iterable[Transfer]: ...

    def accounts(self) -> Iterable[Account]: ...

    def transfers(self) -> Iterable[Transfer]: ...


class RewardStore(Protocol):
    """The catalogue of rewards, and the requests for them (G9).

    A request is stored with what its step moves of points and stock, in one transaction.
    """

    def rewards(self) -> list[Reward]: ...

    def put(self, reward: Reward) -> bool:
        """Store a reward; False when more are taken than its stock is to be."""
        ...

    def look(
        self, rep_id: str, reward_id: str, request_id: str
    ) -> tuple[Reward | None, Account, Request | None]:
        """Return a reward, a rep's points and a request of theirs, as they are now."""
        ...

    def ask(self, reward: Reward, request: Request) -> bool:
        """Store a new request; False when the reward or the points do not allow it any more, or
        it was stored before, and nothing was changed.

        Raises:
            Busy: the store is busy for longer than we may wait; nothing was changed.
        """
        ...

    def find(self, request_id: str) -> Request | None: ...

    def move(self, was: Request, now: Request) -> bool:
        """Store a request's next step; False when it was not any more as it was read."""
        ...

    def of_rep(self, rep_id: str) -> list[Request]:
        """Return a rep's requests, the newest first."""
        ...

    def in_state(self, state: RewardState, until: datetime | None = None) -> list[Request]:
        """Return the requests in a state, by since when: the oldest first where something is still
        to be done, else the latest hundred, the newest first. `until`: those since then."""
        ...

    def requests(self) -> Iterable[Request]: ...
