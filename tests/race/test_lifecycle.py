"""A lead's lifecycle in any order, on the real adapters: ingest, claim, undo, expire, assign,
remind, release, retries, lost answers and duplicates. After every step the invariants hold: at most
one owner, no illegal transition, no limit passed, nothing lost.

To race two reps, a step acts on an earlier read: all steps since then happened between its read
and its write.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ReadTimeoutError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from moto import mock_aws

from dibs.assignment.assign import FALLBACK, serve
from dibs.assignment.work import let_go, release, return_lead
from dibs.aws import keys
from dibs.aws.dynamo import Dynamo
from dibs.core.errors import (
    AlreadyClaimed,
    ClaimRefused,
    DibsError,
    Expired,
    LeadNotFound,
    NotYours,
    UndoOver,
)
from dibs.core.events import LATE_AFTER, LeadEvent
from dibs.core.lead import Claim, Lead, State, Transition, implied_by_move, lead_id_for
from dibs.core.rep import Rep
from dibs.dispatch.follow import FollowDeps, follow
from dibs.dispatch.sweep import close, relay, sweep
from dibs.intake.ingest import IngestDeps, ingest
from dibs.ledger.store import DynamoLedger
from dibs.offers.store import DynamoOfferStore
from dibs.race import claim as claiming
from dibs.race.claim import Won, claim
from dibs.race.lifecycle import MOST_UNDONE
from dibs.race.ports import RaceView
from dibs.race.records import claim_from, lead_from
from dibs.race.rep_records import rep_from
from dibs.race.store import DynamoRaceStore
from dibs.race.undo import undo
from dibs.race.usage import undo_claim
from dibs.receipts.store import DynamoRaces
from dibs.roster.store import DynamoRoster
from support.aws import peek
from support.builders import NOON, World, a_card, a_playbook, a_rep, counts_of, proof_of
from support.fakes import Clock, FakeBus, FakeQueue, FakeTimers, no_pause
from support.tables import create_tables

LIMIT, ALLOWANCE, IN_HAND = 2, 4, 2
WINDOW, UNDO = timedelta(seconds=300), timedelta(seconds=30)
REMINDED, TAKEN_BACK, RESORT = (timedelta(minutes=minutes) for minutes in (10, 20, 15))
# It is midnight in Kuching, where Aina is, while the first leads are open.
BEFORE_MIDNIGHT = NOON + timedelta(hours=4) - timedelta(seconds=20)
AINA, BEN, CHONG = a_rep(1), a_rep(2, zone="America/Santiago"), a_rep(3, team="south")
REPS = (AINA, BEN, CHONG)
PLAYBOOK = a_playbook(
    teams={"north": {"name": "North", "fallback": BEN.rep_id}, "south": {"name": "South"}},
    claims_per_day=LIMIT,
    window_seconds=300,
    undo_seconds=30,
    undos_per_day=100,
    quota={"enabled": True, "base_per_week": ALLOWANCE},
    assignment={"in_hand_limit": IN_HAND, "fallback_after_seconds": 900},
    work={"hot_minutes": 20, "nudge_percent": 50},
)
CARDS = {
    **{number: a_card(number, team="north") for number in range(1, 6)},
    6: a_card(6),
    7: a_card(7, team="north", test=True),
}
IDS = {number: lead_id_for(card.source, card.external_id) for number, card in CARDS.items()}
numbers = st.sampled_from(sorted(CARDS))
reps = st.sampled_from([AINA, AINA, BEN, BEN, CHONG])
# What happens between a read and its write: by another rep or the same one, to another lead
# or the same one.
deeds = st.lists(
    st.tuples(
        st.sampled_from(
            ["claim", "undo", "mistake", "second thought", "time", "expire", "assign", "let go"]
        ),
        st.sampled_from([None, None, None, *REPS]),
        st.sampled_from([None] * 14 + list(CARDS)),
    ),
    min_size=2,
    max_size=5,
)


class Unreliable:
    """A client that commits a transaction and then, if told to, loses the answer."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.loses_answer = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **request: Any) -> Any:
        answer = self._client.transact_write_items(**request)
        if self.loses_answer:
            self.loses_answer = False
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        return answer


@dataclass
class Known:
    """What the test expects of one lead."""

    teams: tuple[str, ...]
    test: bool
    opens_at: datetime
    epoch: int = 1
    owner: str | None = None
    claimed_at: datetime | None = None
    assigned: bool = False
    reminded: bool = False
    expired: bool = False
    previous: str | None = None
    released: frozenset[str] = frozenset()
    undone: tuple[str, ...] = ()
    raced_from: datetime | None = None

    def had_by(self, rep: Rep) -> list[str]:
        """Return why the rep cannot have the lead again (C5, C12)."""
        lately = ["released_lately"] if rep.rep_id in self.released else []
        lately += ["not_twice_in_a_row"] if rep.rep_id == self.previous else []
        return [*lately, *(["undone"] if rep.rep_id in self.undone else [])]

    def may_undo(self, now: datetime) -> bool:
        in_time = self.claimed_at is not None and now <= self.claimed_at + UNDO
        return not self.assigned and in_time and len(self.undone) < MOST_UNDONE

    @property
    def closes_at(self) -> datetime:
        return (self.raced_from or self.opens_at) + WINDOW


@dataclass(frozen=True)
class Taken:
    """A lead that was taken and not undone. It counts, returned or not."""

    lead_id: str
    epoch: int
    rep: Rep
    at: datetime
    competitive: bool


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.aws = mock_aws()
        self.aws.start()
        self.clock = Clock(BEFORE_MIDNIGHT)
        self.known: dict[str, Known] = {}
        self.paused: dict[str, datetime] = {}
        self.bus = FakeBus()
        self.taken: list[Taken] = []
        self.returned_events: list[LeadEvent] = []

    @initialize()
    def open_for_business(self) -> None:
        self.client = Unreliable(CLIENT)
        self.world = World(self.client, create_tables(CLIENT, "life"), PLAYBOOK)
        for rep in REPS:
            self.world.add_rep(rep)
        for number in (1, 2, 3, 4):
            self.a_lead_comes_in_perhaps_again(number)

    def teardown(self) -> None:
        try:
            if self.known:
                self.nothing_is_lost_in_the_end()
        finally:
            self.aws.stop()

    def store(self) -> DynamoRaceStore:
        """The store of a newly started process."""
        return DynamoRaceStore(Dynamo(self.client), self.world.settings)

    def roster(self) -> DynamoRoster:
        """The roster of a newly started process."""
        return DynamoRoster(Dynamo(self.client), self.world.settings)

    def tick(self) -> datetime:
        return self.clock.pass_(milliseconds=1)

    # Steps

    @rule(number=numbers)
    def a_lead_comes_in_perhaps_again(self, number: int) -> None:
        now = self.tick()
        card = CARDS[number]
        deps = IngestDeps(self.world.leads, self.world.arrivals, self.clock)
        accepted = ingest(card, PLAYBOOK, b"saltsalts", now, deps)
        lead_id = accepted.lead.lead_id
        assert lead_id == IDS[number]
        assert accepted.duplicate is (lead_id in self.known)
        if not accepted.duplicate:
            teams = (card.team,) if card.team else ("north", "south")
            assert accepted.lead.teams == teams
            self.known[lead_id] = Known(teams, card.test, now)

    @rule(number=numbers, rep=reps, answer_lost=st.booleans())
    def somebody_claims(self, number: int, rep: Rep, answer_lost: bool = False) -> None:
        self.tick()
        lead_id, proof = IDS[number], proof_of(rep)
        self.client.loses_answer = answer_lost
        try:
            won = claim(self.store(), lead_id, rep.rep_id, proof, self.clock, pause=no_pause)
        except DibsError as refusal:
            self.was_right_to_refuse(refusal, lead_id, rep)
        else:
            self.was_right_to_win(won, lead_id, rep, answer_lost)
        finally:
            self.client.loses_answer = False

    @rule(number=numbers, rep=reps)
    def somebody_undoes(self, number: int, rep: Rep) -> None:
        now = self.tick()
        lead_id, proof = IDS[number], proof_of(rep)
        known = self.known.get(lead_id)
        before = self.lock(lead_id)
        try:
            reopened = undo(self.store(), lead_id, rep.rep_id, proof, self.clock)
        except UndoOver:
            assert known.owner == rep.rep_id
            assert not known.may_undo(now)
        except NotYours:
            assert known.owner != rep.rep_id
        except LeadNotFound:
            assert known is None or rep.team not in known.teams
        else:
            if known.owner == rep.rep_id:
                self.forget(lead_id)
                self.gave_back(lead_id, now, undone=True)
            else:  # for the second time
                assert reopened == before
                assert known.epoch > 1
            assert self.lock(lead_id) == reopened

    @rule(number=numbers, rep=reps)
    def somebody_releases(self, number: int, rep: Rep) -> None:
        now = self.tick()
        lead_id, proof, known = IDS[number], proof_of(rep), self.known.get(IDS[number])
        before, holdings = self.lock(lead_id), self.world.holdings
        try:
            back, undone = release(
                self.store(), holdings, lead_id, rep.rep_id, proof, "no time", self.clock
            )
        except NotYours:
            assert known.owner != rep.rep_id
            assert rep.rep_id not in known.released
        except LeadNotFound:
            assert known is None or rep.team not in known.teams
        else:
            assert self.lock(lead_id) == back
            if known.owner != rep.rep_id:  # for the second time
                assert back == before
                return
            assert undone is known.may_undo(now)
            if undone:
                self.forget(lead_id)
            self.gave_back(lead_id, now, undone=undone)
            if not undone:
                known.released |= {rep.rep_id}

    @rule(claims=st.lists(st.tuples(numbers, reps), min_size=2, max_size=5))
    def several_claim_at_once(self, claims: list[tuple[int, Rep]]) -> None:
        """All reps read before the first one writes."""
        store = self.store()
        views = [store.read(IDS[number], rep.rep_id) for number, rep in claims]
        for view in views:
            self.claims_as_read(view)

    @rule(rep=reps, chosen=st.lists(numbers, min_size=3, max_size=5, unique=True))
    def somebody_claims_several_at_once(self, rep: Rep, chosen: list[int]) -> None:
        self.several_claim_at_once([(number, rep) for number in chosen])

    def claims_as_read(self, view: RaceView) -> None:
        """Claim on an earlier read, without a retry."""
        now = self.tick()
        try:
            lead, rep, _ = claiming.check_claim(self.store(), view, now)
        except DibsError:
            return  # a rule refuses before the write
        if lead.owner is not None:
            return  # the rep has it already
        record = claiming._record(view, lead, rep, now)
        counts = counts_of(view, record)
        if self.store().commit_claim(view, record, counts) is None:
            self.took(lead.lead_id, rep, now, lead.epoch)

    @rule(rep=reps)
    def somebody_gives_all_back(self, rep: Rep) -> None:
        """Return a rep's leads, as when they leave; the rep stays for this test."""
        now = self.tick()
        held = [lead_id for lead_id, known in self.known.items() if known.owner == rep.rep_id]
        done = let_go(self.store(), self.world.holdings, rep.rep_id, "manager", self.clock)
        assert done == len(held)
        for lead_id in held:
            self.gave_back(lead_id, now)

    @rule(swept=st.booleans())
    def nobody_claims_in_time(self, swept: bool) -> None:
        self.clock.pass_(seconds=WINDOW.total_seconds())
        if swept:
            self.the_sweep_runs()
        else:
            for number, lead_id in IDS.items():
                if lead_id in self.known:
                    self.a_timer_goes_off(number, self.known[lead_id].epoch)
        self.the_queue_is_served()

    @rule(minutes=st.sampled_from([10, 15, 20]))
    def nobody_works_what_they_hold(self, minutes: int) -> None:
        self.clock.pass_(minutes=minutes)
        self.the_sweep_runs()

    @rule()
    def the_queue_is_served(self) -> None:
        now = self.tick()
        self.serves(self.roster())
        # Each lead that a rep may take is assigned.
        for known in self.known.values():
            if known.owner is None and known.expired:
                assert not any(self.may_be_assigned(rep, known, now) for rep in REPS)
                assert now < known.closes_at + RESORT

    def serves(self, roster: DynamoRoster) -> None:
        """Assign leads, as far as this roster and the stored usage allow."""
        now = self.clock()
        for given in serve(
            self.world.holdings.queued(),
            self.store(),
            roster,
            self.world.holdings,
            self.clock,
            no_pause,
        ):
            known = self.known[given.lead_id]
            rep = next(rep for rep in REPS if rep.rep_id == given.rep_id)
            assert (given.claimed_at, given.epoch) == (now, known.epoch)
            assert (known.owner, known.expired) == (None, True)
            if given.cause == FALLBACK:
                assert rep is BEN
                assert now >= known.closes_at + RESORT
            else:
                assert given.cause == "unclaimed"
                assert self.may_be_assigned(rep, known, now)
            self.count(given.lead_id, rep, now, competitive=False)
            known.owner, known.claimed_at, known.assigned = rep.rep_id, now, True

    def may_be_assigned(self, rep: Rep, known: Known, now: datetime) -> bool:
        return (
            rep.team in known.teams
            and not known.had_by(rep)
            and self.paused.get(rep.rep_id, now) <= now
            and self.of_week(rep, now) < ALLOWANCE
            and self.in_hand(rep) < IN_HAND
        )

    @rule(
        act=st.sampled_from(["claim", "undo", "expire", "relay", "assign", "assign"]),
        number=numbers,
        rep=reps,
        between=deeds,
    )
    def much_happens_between_a_read_and_an_act(
        self, act: str, number: int, rep: Rep, between: list[Any]
    ) -> None:
        if act in ("undo", "relay"):
            self.somebody_claims(number, rep)
        view = self.store().read(IDS[number], rep.rep_id)
        waiting = list(self.world.leads.waiting_in_outbox(self.tick()))
        roster = self.roster()
        known_then = [roster.team(team) for team in ("north", "south")]
        assert len(known_then) == 2
        self.live_through(between, number, rep)
        if act == "claim":
            self.claims_as_read(view)
        elif act == "undo":
            self.undoes_on(view)
        elif act == "expire":
            self.expires_on(view)
        elif act == "assign":
            self.tick()
            self.serves(roster)
        else:
            relay(waiting, self.world.leads, self.bus)

    def undoes_on(self, view: RaceView) -> None:
        """Undo a claim on an earlier read."""
        now, lead, rep = self.tick(), view.lead, view.rep
        if lead is None or lead.owner != rep.rep_id or now > lead.claimed_at + UNDO:
            return  # a rule refuses before the write
        if lead.state is not State.CLAIMED or len(lead.undone_by) >= MOST_UNDONE:
            return
        reopened, transitions = return_lead(lead, PLAYBOOK, now, "undone", rep.rep_id, won=True)
        off = undo_claim(lead, rep, view.usage)
        if self.store().commit_undo(lead, reopened, transitions, off):
            known = self.known[lead.lead_id]
            assert (known.owner, known.epoch) == (rep.rep_id, lead.epoch)
            self.forget(lead.lead_id)
            self.gave_back(lead.lead_id, now, undone=True)

    def expires_on(self, view: RaceView) -> None:
        """Expire the lead on the sweep's earlier read."""
        now, lead = self.tick(), view.lead
        if lead is None or lead.state is not State.OPEN or now < lead.closes_at:
            return
        if close(lead, self.world.leads, now):
            known = self.known[lead.lead_id]
            assert (known.owner, known.epoch, known.expired) == (None, lead.epoch, False)
            known.expired = True

    def live_through(self, between: list[Any], number: int, rep: Rep) -> None:
        for deed, by, to in between:
            whose, which = by or rep, to or number
            if deed in ("claim", "mistake"):
                self.somebody_claims(which, whose)
            if deed in ("undo", "mistake", "second thought"):
                self.somebody_undoes(which, whose)
            if deed == "second thought":
                self.somebody_claims(which, whose)
            if deed in ("expire", "assign") and IDS[which] in self.known:
                self.a_timer_goes_off(which, self.known[IDS[which]].epoch)
            if deed == "assign":
                self.the_queue_is_served()
            if deed == "let go":
                self.somebody_gives_all_back(whose)
            if deed == "time":
                self.clock.pass_(seconds=WINDOW.total_seconds())

    @rule(
        what=st.sampled_from(["relay", "sweep", "timer", "timer"]),
        number=numbers,
        epoch=st.integers(1, 3),
    )
    def the_clockwork_runs(self, what: str, number: int, epoch: int) -> None:
        if what == "relay":
            self.the_relay_runs()
        elif what == "sweep":
            self.the_sweep_runs()
        else:
            self.a_timer_goes_off(number, epoch)

    def a_timer_goes_off(self, number: int, epoch: int) -> None:
        now = self.tick()
        lead_id, timers = IDS[number], FakeTimers()
        deps = FollowDeps(
            leads=self.world.leads,
            race=self.store(),
            holdings=self.world.holdings,
            roster=self.roster(),
            offers=DynamoOfferStore(Dynamo(self.client), self.world.settings),
            queue=FakeQueue(),
            timers=timers,
            races=DynamoRaces(Dynamo(self.client), self.world.settings),
            story=DynamoLedger(Dynamo(self.client), self.world.settings).story,
            clock=self.clock,
        )
        follow(LeadEvent("lead.due", lead_id, epoch), deps)
        known = self.known.get(lead_id)
        if known is not None and epoch == known.epoch and known.owner is None and not known.expired:
            if now >= known.closes_at:
                known.expired = True
                assert timers.set == []
            else:
                # At its end, or when a rep's pause ends before.
                [(about, of, moment)] = timers.set
                assert (about, of) == (lead_id, epoch)
                assert now < moment <= known.closes_at
        else:
            assert timers.set == []

    def the_sweep_runs(self) -> None:
        now, world = self.tick(), self.world
        offers = DynamoOfferStore(Dynamo(self.client), world.settings)
        stores = (world.leads, self.store(), world.holdings, self.roster(), offers)
        swept = sweep(*stores, self.bus, now)
        leads = list(self.known.items())
        due = [
            known
            for _, known in leads
            if known.owner is None and not known.expired and now >= known.closes_at
        ]
        held = [(lead_id, known) for lead_id, known in leads if known.owner is not None]
        back = [lead_id for lead_id, known in held if now >= known.claimed_at + TAKEN_BACK]
        reminded = [
            known
            for lead_id, known in held
            if lead_id not in back and not known.reminded and now >= known.claimed_at + REMINDED
        ]
        assert (swept.expired, swept.returned, swept.nudged) == (
            len(due),
            len(back),
            len(reminded),
        )
        for known in due:
            known.expired = True
        for known in reminded:
            known.reminded = True
        for lead_id in back:
            self.gave_back(lead_id, now)
        assert swept.queued == sum(known.expired for known in self.known.values())

    def the_relay_runs(self) -> None:
        now = self.tick()
        relay(list(self.world.leads.waiting_in_outbox(now)), self.world.leads, self.bus)
        assert list(self.world.leads.waiting_in_outbox(now)) == []

    @rule(
        what=st.sampled_from(["time", "time", "a pause", "a pause ends"]),
        seconds=st.sampled_from([1, 29, 29, 31, 301, 601, 1201, 6 * 3600]),
        rep=reps,
    )
    def something_else_happens(self, what: str, seconds: int, rep: Rep) -> None:
        if what == "time":
            self.clock.pass_(seconds=seconds)
        else:
            until = self.tick() + timedelta(seconds=seconds)
            self.world.roster.pause(rep.rep_id, until if what == "a pause" else None)
            self.paused[rep.rep_id] = until if what == "a pause" else self.clock()

    # Invariants

    def was_right_to_win(self, won: Won, lead_id: str, rep: Rep, answer_lost: bool) -> None:
        known = self.known[lead_id]
        assert won.card is not None
        assert won.claim.rep_id == rep.rep_id
        if known.owner == rep.rep_id:
            assert won.already_yours
            assert won.claim.claimed_at == known.claimed_at
        else:
            assert won.already_yours is answer_lost
            self.took(lead_id, rep, won.claim.claimed_at, won.claim.epoch)

    def took(self, lead_id: str, rep: Rep, at: datetime, epoch: int) -> None:
        known = self.known[lead_id]
        assert known.owner is None
        assert not known.expired
        assert epoch == known.epoch
        assert known.opens_at <= at < known.closes_at
        assert rep.team in known.teams
        assert not known.had_by(rep)
        assert self.paused.get(rep.rep_id, at) <= at
        assert known.test or self.claims_on(rep, rep.today(at)) < LIMIT
        assert known.test or self.of_week(rep, at) < ALLOWANCE
        self.count(lead_id, rep, at, competitive=True)
        known.owner, known.claimed_at, known.assigned = rep.rep_id, at, False

    def count(self, lead_id: str, rep: Rep, at: datetime, *, competitive: bool) -> None:
        known = self.known[lead_id]
        known.expired = known.reminded = False
        if not known.test:
            self.taken.append(Taken(lead_id, known.epoch, rep, at, competitive))

    def forget(self, lead_id: str) -> None:
        """An undone claim does not count."""
        known = self.known[lead_id]
        self.taken = [t for t in self.taken if (t.lead_id, t.epoch) != (lead_id, known.epoch)]

    def gave_back(self, lead_id: str, at: datetime, *, undone: bool = False) -> None:
        known = self.known[lead_id]
        if undone:  # the race goes on, without them
            known.undone = (*known.undone, str(known.owner))
            known.raced_from = known.raced_from or known.opens_at
        else:
            known.previous, known.raced_from = known.owner, None
        self.returned_events.append(LeadEvent("lead.returned", lead_id, known.epoch, known.owner))
        known.epoch += 1
        known.owner = known.claimed_at = None
        known.assigned = known.reminded = False
        known.opens_at = at

    def was_right_to_refuse(self, refusal: DibsError, lead_id: str, rep: Rep) -> None:
        known, now = self.known.get(lead_id), self.clock()
        if isinstance(refusal, LeadNotFound):
            assert known is None or rep.team not in known.teams
            return
        assert known is not None
        assert known.owner != rep.rep_id
        if isinstance(refusal, AlreadyClaimed):
            assert refusal.claimed_by is not None
            assert refusal.claimed_by[0] == known.owner
            assert refusal.claimed_at == known.claimed_at
        elif isinstance(refusal, Expired):
            assert known.owner is None
            assert known.expired or now >= known.closes_at
        else:
            assert isinstance(refusal, ClaimRefused)
            expected = set(known.had_by(rep))
            if self.paused.get(rep.rep_id, now) > now:
                expected.add("paused")
            if not known.test and self.claims_on(rep, rep.today(now)) >= LIMIT:
                expected.add("daily_limit")
            if not known.test and self.of_week(rep, now) >= ALLOWANCE:
                expected.add("weekly_allowance")
            assert {rule_.code for rule_ in refusal.refusals} == expected

    def claims_on(self, rep: Rep, day: date) -> int:
        """Return how many races of a day the rep won and did not undo."""
        return sum(t.rep == rep and t.competitive and rep.today(t.at) == day for t in self.taken)

    def of_week(self, rep: Rep, at: datetime) -> int:
        """Return how many leads the rep had in the week, won or assigned."""
        week = rep.this_week(at)
        return sum(t.rep == rep and rep.this_week(t.at) == week for t in self.taken)

    def in_hand(self, rep: Rep) -> int:
        """Return how many leads the rep holds."""
        return sum(k.owner == rep.rep_id and not k.test for k in self.known.values())

    def lock(self, lead_id: str) -> Lead | None:
        return self.world.leads.get(lead_id)

    @invariant()
    def every_accepted_lead_is_where_it_should_be(self) -> None:
        if not self.known:
            return
        stored = peek(self.world.settings.leads_table)
        locks = {i["lead_id"]["S"]: i for i in stored if i["sk"]["S"] == keys.LOCK}
        claims = {i["lead_id"]["S"]: claim_from(i) for i in stored if i["sk"]["S"] == keys.CLAIM}
        assert set(locks) == set(self.known)
        for lead_id, known in self.known.items():
            lead = lead_from(locks[lead_id])
            self.stands_as_known(lead, known, claims.get(lead_id))
            awaited = "QUEUE" if known.expired else "WORK" if known.owner else "OPEN"
            assert locks[lead_id]["wait_shard"]["S"].partition("#")[0] == awaited
            assert ("holder" in locks[lead_id]) is (known.owner is not None)
            assert ("outbox_shard" in locks[lead_id]) is ("outbox_at" in locks[lead_id])

    def stands_as_known(self, lead: Lead, known: Known, record: Claim | None) -> None:
        assert (lead.epoch, lead.owner, lead.claimed_at) == (
            known.epoch,
            known.owner,
            known.claimed_at,
        )
        assert (lead.opens_at, lead.closes_at) == (known.opens_at, known.closes_at)
        if known.owner is not None:
            assert lead.state is (State.ASSIGNED if known.assigned else State.CLAIMED)
            assert lead.return_at == known.claimed_at + TAKEN_BACK
            assert record is not None
            assert record.competitive is not known.assigned
            assert (record.epoch, record.rep_id) == (known.epoch, known.owner)
            assert record.claimed_at == known.claimed_at
        else:
            assert lead.state is (State.EXPIRED if known.expired else State.OPEN)
            assert record is None or record.epoch < known.epoch

    @invariant()
    def every_count_is_the_number_of_what_it_counts(self) -> None:
        if not self.known:
            return
        for item in peek(self.world.settings.organisation_table):
            if item["pk"]["S"].startswith(keys.rep("")):
                rep, usage, _ = rep_from(item)
                rep = next(known for known in REPS if known.rep_id == rep.rep_id)
                assert usage.claims <= LIMIT
                assert usage.in_hand == self.in_hand(rep)
                of_day = 0 if usage.day is None else self.claims_on(rep, usage.day)
                assert usage.claims == of_day
                of_week = sum(
                    t.rep == rep and rep.this_week(t.at) == usage.week for t in self.taken
                )
                assert usage.leads == of_week

    def nothing_is_lost_in_the_end(self) -> None:
        """Once every event is published, the outbox is empty and each lead's state is known."""
        self.clock.at += LATE_AFTER + timedelta(milliseconds=1)
        self.the_sweep_runs()
        self.the_relay_runs()
        told = set(self.bus.events)
        for lead_id, known in self.known.items():
            if known.owner is not None:
                kind = "lead.assigned" if known.assigned else "lead.claimed"
                assert LeadEvent(kind, lead_id, known.epoch, known.owner) in told
            else:
                kind = "lead.expired" if known.expired else "lead.opened"
                assert LeadEvent(kind, lead_id, known.epoch) in told
            assert self.world.leads.card(lead_id) is not None
            self.moved_legally(self.world.leads.history(lead_id), known)
        assert set(self.returned_events) <= told

    def moved_legally(self, transitions: list[Transition], known: Known) -> None:
        state, epoch = State.NEW, 1
        for transition in transitions:
            assert transition.from_state is state
            implied_by_move(transition.from_state, transition.to_state)
            assert transition.implied == ()
            state = transition.to_state
            epoch += transition.from_state is State.RELEASED
            assert transition.epoch == epoch
        assert epoch == known.epoch
        steps = {(False, True): State.EXPIRED, (True, False): State.ASSIGNED}
        # A won race is recorded as a transition when the lead leaves that state.
        assert state is steps.get((known.assigned, known.expired), State.OPEN)


with mock_aws():
    CLIENT: Any = boto3.client("dynamodb", region_name="us-east-1")


def test_whatever_happens_in_whatever_order_one_owner_no_illegal_move_nothing_lost() -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            suppress_health_check=list(HealthCheck),
        ),
    )
