"""A lead's life in any order: ingest, claim, undo, expire, retries, lost answers and duplicates,
one step after another on the real adapters. What holds after every step is the product's promise:
one owner at most, no illegal move, no limit passed, nothing lost.

Two who race are played by acting on what was read earlier: whatever happened in between, happened
between their read and their write.
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

from dibs.adapters import keys
from dibs.adapters.dynamo import Dynamo
from dibs.adapters.race import DynamoRaceStore
from dibs.adapters.records import claim_from, lead_from, rep_from
from dibs.domain.errors import (
    AlreadyClaimed,
    ClaimRefused,
    DibsError,
    Expired,
    LeadNotFound,
    NotYours,
    UndoOver,
)
from dibs.domain.leads import Claim, Lead, Move, State, implied_by_move, lead_id_for
from dibs.domain.reps import Rep
from dibs.usecases import claim as claiming
from dibs.usecases.claim import Won, bearer, claim, undo
from dibs.usecases.ingest import ingest
from dibs.usecases.ports import Fact, RaceView
from dibs.usecases.sweep import PATIENCE, close, closing, relay, sweep
from support.aws import peek
from support.builders import NOON, World, a_card, a_playbook, a_rep, token_of
from support.fakes import Clock, FakeBus, FakeTimers, no_pause
from support.tables import create_tables

LIMIT = 2
WINDOW, UNDO = timedelta(seconds=300), timedelta(seconds=30)
PLAYBOOK = a_playbook(
    teams={"north": {"name": "North"}, "south": {"name": "South"}},
    claims_per_day=LIMIT,
    window_seconds=300,
    undo_seconds=30,
)
# Midnight comes in Kuching, where Aina is, while the first leads are open.
BEFORE_MIDNIGHT = NOON + timedelta(hours=4) - timedelta(seconds=20)
AINA, BEN, CHONG = a_rep(1), a_rep(2, zone="America/Santiago"), a_rep(3, team="south")
REPS = (AINA, BEN, CHONG)
CARDS = {
    **{number: a_card(number, team="north") for number in range(1, 6)},
    6: a_card(6),
    7: a_card(7, team="north", test=True),
}
IDS = {number: lead_id_for(card.source, card.external_id) for number, card in CARDS.items()}
numbers = st.sampled_from(sorted(CARDS))
reps = st.sampled_from([AINA, AINA, BEN, BEN, CHONG])
# What happens between somebody's read and their write: by whom (or by themselves), to which lead
# (or to the same one).
deeds = st.lists(
    st.tuples(
        st.sampled_from(["claim", "undo", "mistake", "second thought", "time", "expire"]),
        st.sampled_from([None, None, None, *REPS]),
        st.sampled_from([None] * 14 + list(CARDS)),
    ),
    min_size=2,
    max_size=5,
)


class Unreliable:
    """A client that, once asked to, commits a transaction and loses the answer."""

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
    """What this test knows of one lead, from the outside."""

    teams: tuple[str, ...]
    test: bool
    opens_at: datetime
    epoch: int = 1
    owner: str | None = None
    claimed_at: datetime | None = None
    expired: bool = False

    @property
    def closes_at(self) -> datetime:
        return self.opens_at + WINDOW


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.aws = mock_aws()
        self.aws.start()
        self.clock = Clock(BEFORE_MIDNIGHT)
        self.known: dict[str, Known] = {}
        self.paused: dict[str, datetime] = {}
        self.bus = FakeBus()

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
        """A store of a process that has just started."""
        return DynamoRaceStore(Dynamo(self.client), self.world.settings)

    def tick(self) -> datetime:
        return self.clock.pass_(milliseconds=1)

    # What may happen

    @rule(number=numbers)
    def a_lead_comes_in_perhaps_again(self, number: int) -> None:
        now = self.tick()
        card = CARDS[number]
        accepted = ingest(self.world.leads, card, PLAYBOOK, b"saltsalts", now, self.clock)
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
        lead_id, proof = IDS[number], bearer(token_of(rep))
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
        lead_id, proof = IDS[number], bearer(token_of(rep))
        known = self.known.get(lead_id)
        before = self.lock(lead_id)
        try:
            reopened = undo(self.store(), lead_id, rep.rep_id, proof, self.clock)
        except UndoOver:
            assert known.owner == rep.rep_id
            assert now > known.claimed_at + UNDO
        except NotYours:
            assert known.owner != rep.rep_id
        except LeadNotFound:
            assert known is None or rep.team not in known.teams
        else:
            if known.owner == rep.rep_id:
                self.gave_back(lead_id, now)
            else:  # for the second time
                assert reopened == before
                assert known.epoch > 1
            assert self.lock(lead_id) == reopened

    @rule(claims=st.lists(st.tuples(numbers, reps), min_size=2, max_size=5))
    def several_claim_at_once(self, claims: list[tuple[int, Rep]]) -> None:
        """All of them have read before the first of them writes."""
        store = self.store()
        views = [store.read(IDS[number], rep.rep_id) for number, rep in claims]
        for view in views:
            self.claims_on(view)

    @rule(rep=reps, chosen=st.lists(numbers, min_size=3, max_size=5, unique=True))
    def somebody_claims_several_at_once(self, rep: Rep, chosen: list[int]) -> None:
        self.several_claim_at_once([(number, rep) for number in chosen])

    def claims_on(self, view: RaceView) -> None:
        """Somebody who read this claims now, and gives up when the store does not take it."""
        now = self.tick()
        try:
            lead, rep = claiming.judge(self.store(), view, now)
        except DibsError:
            return  # they would not even try
        if lead.owner is not None:
            return  # theirs already
        record = claiming._record(view, lead, rep, now)
        if self.store().commit_claim(view, record) is None:
            self.took(lead.lead_id, rep, now, lead.epoch)

    @rule(
        act=st.sampled_from(["claim", "undo", "expire", "relay"]),
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
        self.live_through(between, number, rep)
        if act == "claim":
            self.claims_on(view)
        elif act == "undo":
            self.undoes_on(view)
        elif act == "expire":
            self.expires_on(view)
        else:
            relay(waiting, self.world.leads, self.bus)

    def undoes_on(self, view: RaceView) -> None:
        """Somebody who read this undoes now."""
        now, lead, rep = self.tick(), view.lead, view.rep
        if lead is None or lead.owner != rep.rep_id or now > lead.claimed_at + UNDO:
            return  # they would not even try
        reopened, moves = claiming._reopened(lead, PLAYBOOK, now)
        if self.store().commit_undo(view, reopened, moves):
            known = self.known[lead.lead_id]
            assert (known.owner, known.epoch) == (rep.rep_id, lead.epoch)
            self.gave_back(lead.lead_id, now)

    def expires_on(self, view: RaceView) -> None:
        """The sweep, which read this, expires the lead now."""
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
            if deed == "expire" and IDS[which] in self.known:
                self.a_closing_timer_goes_off(which, self.known[IDS[which]].epoch)
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
            self.a_closing_timer_goes_off(number, epoch)

    def a_closing_timer_goes_off(self, number: int, epoch: int) -> None:
        now = self.tick()
        lead_id, timers = IDS[number], FakeTimers()
        closing(lead_id, epoch, self.world.leads, timers, self.clock)
        known = self.known.get(lead_id)
        if known is not None and epoch == known.epoch and known.owner is None and not known.expired:
            if now >= known.closes_at:
                known.expired = True
                assert timers.set == []
            else:
                assert timers.set == [(lead_id, epoch, now)]
        else:
            assert timers.set == []

    def the_sweep_runs(self) -> None:
        now = self.tick()
        swept = sweep(self.world.leads, self.bus, now)
        due = [
            known
            for known in self.known.values()
            if known.owner is None and not known.expired and now >= known.closes_at
        ]
        assert swept.expired == len(due)
        for known in due:
            known.expired = True

    def the_relay_runs(self) -> None:
        now = self.tick()
        relay(list(self.world.leads.waiting_in_outbox(now)), self.world.leads, self.bus)
        assert list(self.world.leads.waiting_in_outbox(now)) == []

    @rule(
        what=st.sampled_from(["time", "time", "a pause", "a pause ends"]),
        seconds=st.sampled_from([1, 29, 29, 31, 301, 6 * 3600]),
        rep=reps,
    )
    def something_else_happens(self, what: str, seconds: int, rep: Rep) -> None:
        if what == "time":
            self.clock.pass_(seconds=seconds)
        else:
            until = self.tick() + timedelta(seconds=seconds)
            self.world.roster.pause(rep.rep_id, until if what == "a pause" else None)
            self.paused[rep.rep_id] = until if what == "a pause" else self.clock()

    # What must hold

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
        assert self.paused.get(rep.rep_id, at) <= at
        assert known.test or self.standing(rep, rep.today(at)) < LIMIT
        known.owner, known.claimed_at = rep.rep_id, at

    def gave_back(self, lead_id: str, at: datetime) -> None:
        known = self.known[lead_id]
        known.epoch += 1
        known.owner = known.claimed_at = None
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
            expected = set()
            if self.paused.get(rep.rep_id, now) > now:
                expected.add("paused")
            if not known.test and self.standing(rep, rep.today(now)) >= LIMIT:
                expected.add("daily_limit")
            assert {rule_.code for rule_ in refusal.refusals} == expected

    def standing(self, rep: Rep, day: date) -> int:
        """How many claims of a rep's day stand."""
        return sum(
            known.owner == rep.rep_id and not known.test and rep.today(known.claimed_at) == day
            for known in self.known.values()
            if known.claimed_at is not None
        )

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
            assert ("open_shard" in locks[lead_id]) is (lead.state is State.OPEN)
            assert ("outbox_shard" in locks[lead_id]) is ("outbox_at" in locks[lead_id])

    def stands_as_known(self, lead: Lead, known: Known, record: Claim | None) -> None:
        assert (lead.epoch, lead.owner, lead.claimed_at) == (
            known.epoch,
            known.owner,
            known.claimed_at,
        )
        assert (lead.opens_at, lead.closes_at) == (known.opens_at, known.closes_at)
        if known.owner is not None:
            assert lead.state is State.CLAIMED
            assert record is not None
            assert (record.epoch, record.rep_id) == (known.epoch, known.owner)
            assert record.claimed_at == known.claimed_at
        else:
            assert lead.state is (State.EXPIRED if known.expired else State.OPEN)
            assert record is None or record.epoch < known.epoch

    @invariant()
    def every_count_is_the_number_of_standing_claims(self) -> None:
        if not self.known:
            return
        for item in peek(self.world.settings.organisation_table):
            if item["pk"]["S"].startswith(keys.rep("")):
                rep, limits, _ = rep_from(item)
                assert limits.claims <= LIMIT
                if limits.day is None:
                    assert limits.claims == 0
                else:
                    assert limits.claims == self.standing(rep, limits.day)

    def nothing_is_lost_in_the_end(self) -> None:
        """Once everything that waits has been told, everybody knows how every lead stands."""
        self.clock.at += PATIENCE + timedelta(milliseconds=1)
        self.the_sweep_runs()
        self.the_relay_runs()
        told = set(self.bus.facts)
        for lead_id, known in self.known.items():
            if known.owner is not None:
                assert Fact("lead.claimed", lead_id, known.epoch, known.owner) in told
            else:
                kind = "lead.expired" if known.expired else "lead.opened"
                assert Fact(kind, lead_id, known.epoch) in told
            assert self.world.leads.card(lead_id) is not None
            self.moved_legally(self.world.leads.history(lead_id), known)

    def moved_legally(self, moves: list[Move], known: Known) -> None:
        state, epoch = State.NEW, 1
        for move in moves:
            assert move.from_state is state
            implied_by_move(move.from_state, move.to_state)
            assert move.implied == ()
            state = move.to_state
            epoch += move.from_state is State.RELEASED
            assert move.epoch == epoch
        assert epoch == known.epoch
        assert state is (State.EXPIRED if known.expired else State.OPEN)


with mock_aws():
    CLIENT: Any = boto3.client("dynamodb", region_name="us-east-1")


def test_whatever_happens_in_whatever_order_one_owner_no_illegal_move_nothing_lost() -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=40,
            stateful_step_count=20,
            suppress_health_check=list(HealthCheck),
        ),
    )
