"""Rewards: who gets them, what goes back, and points that always add up (G9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dibs.core.errors import (
    AlreadyDecided,
    AlreadyExists,
    Busy,
    DibsError,
    InvalidInput,
    NotEnoughPoints,
    Outdated,
    OutOfStock,
    RouteNotFound,
)
from dibs.game.rewards.requests import ask, audit_points, decide, expire_requests, put_reward
from dibs.game.rewards.rules import (
    FOLLOWING,
    HOLDING,
    RequestState,
    RequestStep,
    Reward,
    RewardRequest,
    payment,
    refund,
    request_name,
    requested,
    stepped,
)
from dibs.game.scoring.points import ISSUED, LAPSED, SPENT, Account, Transfer, decayed, level_of
from dibs.rules.game import Level, Rewards
from support.builders import NOON, a_rep
from support.fake_rewards import FakePoints, FakeRewards
from support.fakes import Clock

AINA, BEN = a_rep(1).rep_id, a_rep(2).rep_id
DAY, MS = timedelta(days=1), timedelta(milliseconds=1)
MUG = Reward("mug", "Mug", 100, stock=2)
RULES = Rewards(request_days=14, collect_days=90)


def award(number: int, points: int, rep_id: str = AINA, at: datetime = NOON) -> Transfer:
    return Transfer(f"award/{rep_id}/{number}", ISSUED, rep_id, points, at, "won")


def a_shop(*rewards: Reward, points: int = 250) -> FakeRewards:
    """Rewards, and reps with points for some of them."""
    store = FakeRewards()
    for reward in rewards or (MUG,):
        assert store.put(reward)
    for rep_id in (AINA, BEN):
        store.points.book([award(0, points, rep_id)])
    return store


def asked(store: FakeRewards, rep_id: str = AINA, chosen: str = "1") -> RewardRequest:
    return ask(store, rep_id, "mug", chosen, Clock())[0]


def balances(store: FakeRewards) -> tuple[int, int]:
    return store.points.account(AINA).balance, store.points.account(BEN).balance


# Points and stock: held by a request, and given back


def test_points_and_stock_move_when_a_reward_is_asked_for() -> None:
    store = a_shop()
    request, new = ask(store, AINA, "mug", "1", Clock())
    assert new
    assert request == RewardRequest(
        f"{AINA}.1", AINA, "mug", "Mug", 100, (RequestStep(RequestState.REQUESTED, NOON, AINA),)
    )
    assert store.points.account(AINA) == Account(AINA, 150, earned=250, spent=100)
    assert store.rewards() == [replace(MUG, taken=1)]
    assert store.rewards()[0].left == 1


def test_asking_again_with_the_same_id_is_asking_once() -> None:
    store, clock = a_shop(), Clock()
    first, _ = ask(store, AINA, "mug", "1", clock)
    clock.pass_(hours=1)
    assert ask(store, AINA, "mug", "1", clock) == (first, False)
    decide(store, first.request_id, RequestState.REFUSED, "manager", "no", clock)
    again, new = ask(store, AINA, "mug", "1", clock)
    assert (again.state, new) == (RequestState.REFUSED, False)
    assert balances(store) == (250, 250)


def test_two_reps_may_choose_the_same_id() -> None:
    store = a_shop()
    assert asked(store, AINA) != asked(store, BEN)
    assert balances(store) == (150, 150)


def test_an_id_is_of_one_reward() -> None:
    store = a_shop(MUG, Reward("pen", "Pen", 10))
    asked(store)
    with pytest.raises(AlreadyExists):
        ask(store, AINA, "pen", "1", Clock())
    assert balances(store) == (150, 250)


def test_the_last_one_goes_to_one() -> None:
    store = a_shop(replace(MUG, stock=1))
    asked(store, AINA)
    with pytest.raises(OutOfStock):
        asked(store, BEN)
    assert balances(store) == (150, 250)


@pytest.mark.parametrize(
    ("points", "missing"), [(0, 100), (1, 99), (99, 1), (100, None), (101, None)]
)
def test_who_has_not_enough_is_told_how_many_are_missing(points: int, missing: int | None) -> None:
    account = Account(AINA, points, points)
    if missing is None:
        assert requested(MUG, account, "x", NOON).price == 100
    else:
        with pytest.raises(NotEnoughPoints, match=str(missing)) as raised:
            requested(MUG, account, "x", NOON)
        assert raised.value.details() == {"missing": missing, "balance": points}


def test_debts_are_to_be_made_up_first() -> None:
    with pytest.raises(NotEnoughPoints) as raised:
        requested(MUG, Account(AINA, -20), "x", NOON)
    assert raised.value.missing == 120


@pytest.mark.parametrize("stock", [None, 1])
def test_without_approval_a_request_is_approved_at_once(stock: int | None) -> None:
    store = a_shop(replace(MUG, approval=False, stock=stock))
    request = asked(store)
    assert request.state is RequestState.APPROVED
    assert [step.by for step in request.steps] == [AINA, "dibs"]
    assert balances(store)[0] == 150
    # A reward that was approved at once can be recalled like any other.
    decide(store, request.request_id, RequestState.RECALLED, "manager", "sold out", Clock())
    assert balances(store)[0] == 250


@pytest.mark.parametrize("reward_id", ["cup", "mug"])
def test_what_is_not_offered_is_not_to_be_had(reward_id: str) -> None:
    store = a_shop(replace(MUG, active=False))
    with pytest.raises(RouteNotFound):
        ask(store, AINA, reward_id, "1", Clock())
    assert balances(store) == (250, 250)


def test_as_many_as_anybody_wants() -> None:
    store = a_shop(replace(MUG, stock=None, price=1))
    for number in range(50):
        asked(store, AINA, str(number))
    assert store.rewards()[0].left is None
    assert store.rewards()[0].taken == 50


EVERY_STEP = [(state, to) for state in RequestState for to in RequestState]


@pytest.mark.parametrize(("state", "to"), EVERY_STEP, ids=str)
def test_a_request_goes_where_it_may_and_nowhere_else(
    state: RequestState, to: RequestState
) -> None:
    request = RewardRequest("x", AINA, "mug", "Mug", 100, (RequestStep(state, NOON, "manager"),))
    allowed = {
        (RequestState.REQUESTED, RequestState.APPROVED),
        (RequestState.REQUESTED, RequestState.REFUSED),
        (RequestState.REQUESTED, RequestState.LAPSED),
        (RequestState.APPROVED, RequestState.COLLECTED),
        (RequestState.APPROVED, RequestState.RECALLED),
        (RequestState.APPROVED, RequestState.LAPSED),
    }
    if (state, to) in allowed:
        now = stepped(request, to, NOON + DAY, "manager", "why")
        assert now.steps == (*request.steps, RequestStep(to, NOON + DAY, "manager", "why"))
    else:
        with pytest.raises(AlreadyDecided) as raised:
            stepped(request, to, NOON + DAY, "manager", "why")
        assert raised.value.details() == {"state": state}


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ([], False),
        ([RequestState.APPROVED], False),
        ([RequestState.APPROVED, RequestState.COLLECTED], False),
        ([RequestState.REFUSED], True),
        ([RequestState.APPROVED, RequestState.RECALLED], True),
        ([RequestState.LAPSED], True),
        ([RequestState.APPROVED, RequestState.LAPSED], True),
    ],
)
def test_points_and_stock_go_back_once_where_a_request_comes_to_nothing(
    path: list[RequestState], back: bool
) -> None:
    store, clock = a_shop(), Clock()
    request = asked(store)
    for state in path:
        clock.pass_(days=1)
        request, changed = decide(store, request.request_id, state, "manager", "why", clock)
        assert changed
        # Deciding again changes nothing.
        assert decide(store, request.request_id, state, "manager", "why", clock) == (request, False)
    assert balances(store) == (250 if back else 150, 250)
    assert store.rewards()[0].taken == (0 if back else 1)
    assert (refund(request) is not None) is back
    assert (request.state in HOLDING) is not back
    assert audit_points(store.points, store) == []


def test_what_comes_back_can_be_spent_again() -> None:
    store = a_shop(replace(MUG, stock=1, price=250))
    first = asked(store)
    decide(store, first.request_id, RequestState.REFUSED, "manager", "no", Clock())
    assert asked(store, AINA, "2").state is RequestState.REQUESTED
    assert balances(store)[0] == 0


def test_the_price_is_that_of_the_day_it_was_asked_for() -> None:
    store = a_shop()
    request = asked(store)
    store.put(replace(MUG, price=5, name="Cup"))
    found, _ = decide(store, request.request_id, RequestState.REFUSED, "manager", "no", Clock())
    assert (found.price, found.name) == (100, "Mug")
    assert balances(store)[0] == 250


def test_nobody_decides_on_what_is_not_there() -> None:
    with pytest.raises(RouteNotFound):
        decide(a_shop(), f"{AINA}.1", RequestState.APPROVED, "manager", "", Clock())


def test_there_were_never_fewer_than_are_taken() -> None:
    store = a_shop()
    asked(store)
    given = {"name": "Mug", "price": 100}
    with pytest.raises(InvalidInput, match="stock"):
        put_reward(store, "mug", {**given, "stock": 0})
    assert put_reward(store, "mug", {**given, "stock": 1}).left == 0
    assert put_reward(store, "mug", {**given, "stock": None}).left is None
    assert put_reward(store, "mug", {**given, "stock": 4}).left == 3


# Lost races


def test_a_price_that_changes_meanwhile_is_asked_again() -> None:
    store = a_shop()

    def dearer() -> None:
        store.put(replace(MUG, price=250))

    store.meanwhile = dearer
    assert asked(store).price == 250
    assert balances(store)[0] == 0


def test_a_price_that_changes_meanwhile_is_not_paid_by_who_was_shown_another() -> None:
    store = a_shop()

    def dearer() -> None:
        store.put(replace(MUG, price=MUG.price + 1))

    store.meanwhile = dearer
    before = balances(store)
    with pytest.raises(Outdated):
        ask(store, AINA, "mug", "1", Clock(), MUG.price)
    assert balances(store) == before
    request, new = ask(store, AINA, "mug", "1", Clock(), MUG.price + 1)
    assert (request.price, new) == (MUG.price + 1, True)


def test_the_last_one_taken_meanwhile_is_gone() -> None:
    store = a_shop(replace(MUG, stock=1))

    def faster() -> None:
        asked(store, BEN)

    store.meanwhile = faster
    with pytest.raises(OutOfStock):
        asked(store, AINA)
    assert balances(store) == (250, 150)


def test_points_spent_meanwhile_are_missing() -> None:
    store = a_shop(MUG, points=100)

    def faster() -> None:
        asked(store, AINA, "2")

    store.meanwhile = faster
    with pytest.raises(NotEnoughPoints):
        asked(store, AINA, "1")
    assert balances(store)[0] == 0


def test_a_request_decided_meanwhile_is_not_decided_again() -> None:
    store = a_shop()
    request = asked(store)

    def faster() -> None:
        decide(store, request.request_id, RequestState.REFUSED, "manager", "no", Clock())

    store.meanwhile = faster
    with pytest.raises(AlreadyDecided):
        decide(store, request.request_id, RequestState.APPROVED, "manager", "", Clock())
    assert balances(store)[0] == 250


def test_who_is_never_fast_enough_is_told_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = a_shop()
    request = asked(store)
    monkeypatch.setattr(FakeRewards, "ask", lambda *_: False)
    monkeypatch.setattr(FakeRewards, "move", lambda *_: False)
    with pytest.raises(Busy):
        asked(store, AINA, "2")
    with pytest.raises(Busy):
        decide(store, request.request_id, RequestState.APPROVED, "manager", "", Clock())


# Expiry


@pytest.mark.parametrize(
    ("approved", "after", "lapses"),
    [
        (False, 14 * DAY - MS, False),
        (False, 14 * DAY, True),
        (True, 14 * DAY, False),
        (True, 90 * DAY - MS, False),
        (True, 90 * DAY, True),
    ],
)
def test_what_nobody_decides_on_or_collects_in_time_lapses(
    approved: bool, after: timedelta, lapses: bool
) -> None:
    store, clock = a_shop(), Clock()
    request = asked(store)
    if approved:  # a day later: the days to collect count from then on
        clock.pass_(days=7)
        decide(store, request.request_id, RequestState.APPROVED, "manager", "", clock)
    clock.at += after
    done = expire_requests(store, RULES, clock.at)
    assert (done.undecided, done.uncollected) == (lapses and not approved, lapses and approved)
    found = store.asked[request.request_id]
    assert (found.state is RequestState.LAPSED) is lapses
    assert balances(store)[0] == (250 if lapses else 150)
    assert store.rewards()[0].taken == (not lapses)
    again = expire_requests(store, RULES, clock.at)
    assert (again.undecided, again.uncollected) == (0, 0)


@pytest.mark.parametrize(
    "state", [RequestState.COLLECTED, RequestState.REFUSED, RequestState.RECALLED]
)
def test_what_is_over_never_lapses(state: RequestState) -> None:
    store = a_shop()
    request = asked(store)
    if state is not RequestState.REFUSED:
        decide(store, request.request_id, RequestState.APPROVED, "manager", "", Clock())
    decide(store, request.request_id, state, "manager", "why", Clock())
    expire_requests(store, RULES, NOON + 1000 * DAY)
    assert store.asked[request.request_id].state is state


# Levels and decay

LEVELS = (Level("Silver", 500), Level("Gold", 1000), Level("Bronze", 100))


@pytest.mark.parametrize(
    ("account", "held", "ahead"),
    [
        (Account(AINA), None, "Bronze"),
        (Account(AINA, earned=99), None, "Bronze"),
        (Account(AINA, earned=100), "Bronze", "Silver"),
        (Account(AINA, earned=499), "Bronze", "Silver"),
        (Account(AINA, earned=500), "Silver", "Gold"),
        (Account(AINA, earned=1000), "Gold", None),
        (Account(AINA, earned=10**9), "Gold", None),
        # Spent points still count, expired points do not.
        (Account(AINA, earned=500, spent=500), "Silver", "Gold"),
        (Account(AINA, earned=500, lapsed=1), "Bronze", "Silver"),
        (Account(AINA, balance=-5, earned=-5), None, "Bronze"),
    ],
)
def test_levels_go_by_what_was_earned_and_has_not_lapsed(
    account: Account, held: str | None, ahead: str | None
) -> None:
    found = level_of(account, LEVELS)
    assert tuple(level and level.name for level in found) == (held, ahead)


def test_without_levels_nobody_has_one() -> None:
    assert level_of(Account(AINA, earned=500), ()) == (None, None)


CUTOFF = datetime(2026, 9, 2, tzinfo=UTC)
YOUNG = CUTOFF + MS


@pytest.mark.parametrize(
    ("balance", "later", "percent", "gone"),
    [
        (100, [], 10, 10),
        (109, [], 10, 10),  # rounded down
        (9, [], 10, 0),
        (100, [], 100, 100),
        (100, [], 0, 0),
        (0, [], 100, 0),
        (-50, [], 100, 0),
        # Exactly at the cutoff is old, a moment later is new.
        (100, [award(1, 100, at=CUTOFF)], 50, 50),
        (100, [award(1, 100, at=YOUNG)], 50, 0),
        (100, [award(1, 60, at=YOUNG)], 50, 20),
        # 300 earned, 100 of them new, 150 spent: 50 of the old ones are left.
        (150, [award(1, 100, at=YOUNG)], 100, 50),
        # All old ones are spent, and some of the new ones.
        (40, [award(1, 100, at=YOUNG)], 100, 0),
        # 100 old points, 60 new ones reversed: a reversal has its award's time, so the 60 count as
        # never awarded.
        (100, [award(1, 60, at=YOUNG), Transfer("a", AINA, ISSUED, 60, YOUNG, "back")], 10, 10),
        # 200 old points, 100 of them reversed; 60 new ones.
        (160, [award(1, 60, at=YOUNG), Transfer("a", AINA, ISSUED, 100, CUTOFF, "back")], 10, 10),
        # Spending and refunds are no awards.
        (100, [Transfer("a", SPENT, AINA, 100, YOUNG, "refused")], 10, 10),
        (100, [Transfer("a", AINA, SPENT, 100, YOUNG, "reward")], 10, 10),
        (100, [Transfer("a", AINA, LAPSED, 100, YOUNG, "decay")], 10, 10),
    ],
)
def test_a_share_of_what_is_left_of_old_points_lapses(
    balance: int, later: list[Transfer], percent: int, gone: int
) -> None:
    assert decayed(Account(AINA, balance), later, CUTOFF, percent) == gone


# The audit


def altered(store: FakeRewards, **figures: int) -> None:
    kept = store.points.kept
    kept[AINA] = replace(kept[AINA], **{k: getattr(kept[AINA], k) + v for k, v in figures.items()})


def test_where_all_is_well_there_is_no_difference() -> None:
    store = a_shop()
    assert audit_points(store.points, store) == []
    asked(store)
    assert audit_points(store.points, store) == []
    assert audit_points(FakePoints(), FakeRewards()) == []


def spoil_balance(store: FakeRewards) -> None:
    altered(store, balance=1)


def spoil_figures(store: FakeRewards) -> None:
    altered(store, earned=1, spent=1)


def lose_account(store: FakeRewards) -> None:
    del store.points.kept[BEN]


def lose_transfer(store: FakeRewards) -> None:
    name = payment(store.asked[request_name(AINA, "1")]).transfer_id
    store.points.kept[AINA] = replace(store.points.kept[AINA], balance=250, spent=0)
    del store.points.booked[name]


def pay_for_nothing(store: FakeRewards) -> None:
    store.points.book([Transfer("reward/x", AINA, SPENT, 1, NOON, "reward")])


def alter_request(store: FakeRewards) -> None:
    name = request_name(AINA, "1")
    store.asked[name] = replace(store.asked[name], price=99)


def lose_request(store: FakeRewards) -> None:
    del store.asked[request_name(AINA, "1")]


def lose_stock(store: FakeRewards) -> None:
    store.catalogue["mug"] = replace(store.catalogue["mug"], taken=0)


def sell_too_many(store: FakeRewards) -> None:
    store.catalogue["mug"] = replace(store.catalogue["mug"], stock=0)


def lose_reward(store: FakeRewards) -> None:
    del store.catalogue["mug"]


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (spoil_balance, {("balance_differs", AINA)}),
        (spoil_figures, {("balance_differs", AINA)}),
        (lose_account, {("balance_differs", BEN)}),
        (lose_transfer, {("transfer_missing", f"reward/{AINA}.1")}),
        (pay_for_nothing, {("transfer_unexplained", "reward/x")}),
        (alter_request, {("transfer_differs", f"reward/{AINA}.1")}),
        (
            lose_request,
            {("transfer_unexplained", f"reward/{AINA}.1"), ("stock_differs", "mug")},
        ),
        (lose_stock, {("stock_differs", "mug")}),
        (sell_too_many, {("stock_exceeded", "mug")}),
        (lose_reward, {("stock_differs", "mug")}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_whatever_does_not_add_up_is_named(spoil: object, found: set[tuple[str, str]]) -> None:
    assert callable(spoil)
    store = a_shop()
    asked(store)
    spoil(store)
    assert {(one.kind, one.where) for one in audit_points(store.points, store)} == found


def test_what_was_on_its_way_while_it_was_audited_is_no_difference() -> None:
    store = a_shop()

    class Halfway(FakePoints):
        """Each read misses another transfer."""

        looks = 0

        def transfers(self) -> Iterator[Transfer]:
            self.looks += 1
            found = list(super().transfers())
            del found[self.looks - 1]
            return iter(found)

    halfway = Halfway(store.points.kept, store.points.booked)
    assert audit_points(halfway, store) == []
    assert halfway.looks == 2


def test_a_request_that_goes_on_while_others_lapse_is_left_alone() -> None:
    store = a_shop()
    request = asked(store)

    def faster() -> None:
        decide(store, request.request_id, RequestState.APPROVED, "manager", "", Clock())

    store.meanwhile = faster
    assert expire_requests(store, RULES, NOON + 14 * DAY).undecided == 0
    assert store.asked[request.request_id].state is RequestState.APPROVED
    assert balances(store)[0] == 150


# Any history


class AnyHistory(RuleBasedStateMachine):
    """Reps earn, spend and lose points; managers decide; time passes: points always add up."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.store = FakeRewards()
        self.store.put(replace(MUG, price=30, stock=2))
        self.store.put(Reward("pen", "Pen", 7, approval=False))
        self.number = 0

    reps = st.sampled_from([AINA, BEN])
    choices = st.integers(0, 3).map(str)

    @rule(rep_id=reps, points=st.integers(1, 60))
    def earn(self, rep_id: str, points: int) -> None:
        self.number += 1
        assert self.store.points.book([award(self.number, points, rep_id, self.clock.at)])

    @rule(rep_id=reps, points=st.integers(1, 60))
    def lose(self, rep_id: str, points: int) -> None:
        self.number += 1
        back = Transfer(f"back/{self.number}", rep_id, ISSUED, points, self.clock.at, "won")
        assert self.store.points.book([back])

    @rule(rep_id=reps, reward_id=st.sampled_from(["mug", "pen"]), chosen=choices)
    def ask(self, rep_id: str, reward_id: str, chosen: str) -> None:
        name, before = request_name(rep_id, chosen), self.store.points.account(rep_id).balance
        known = name in self.store.asked
        try:
            request, new = ask(self.store, rep_id, reward_id, chosen, self.clock)
        except (OutOfStock, NotEnoughPoints, AlreadyExists):
            assert self.store.points.account(rep_id).balance == before
            return
        assert new is not known
        after = self.store.points.account(rep_id).balance
        assert after == (before - request.price if new else before)
        assert not new or after >= 0  # no request makes a balance negative

    @precondition(lambda self: self.store.asked)
    @rule(data=st.data(), state=st.sampled_from(list(RequestState)))
    def decide(self, data: st.DataObject, state: RequestState) -> None:
        name = data.draw(st.sampled_from(sorted(self.store.asked)))
        was = self.store.asked[name].state
        try:
            _, changed = decide(self.store, name, state, "manager", "why", self.clock)
        except DibsError:
            assert state not in FOLLOWING.get(was, ())
        else:
            assert changed is (was is not state)

    @rule(days=st.integers(0, 40))
    def wait(self, days: int) -> None:
        self.clock.pass_(days=days)
        expire_requests(self.store, RULES, self.clock.at)

    @rule(rep_id=reps, percent=st.integers(0, 100))
    def decay(self, rep_id: str, percent: int) -> None:
        account = self.store.points.account(rep_id)
        gone = decayed(account, [], self.clock.at, percent)
        if gone:
            self.number += 1
            name = f"decay/{self.number}"
            lapse = Transfer(name, rep_id, LAPSED, gone, self.clock.at, "decay")
            assert self.store.points.book([lapse], covered=True)

    @rule(stock=st.none() | st.integers(0, 4))
    def restock(self, stock: int | None) -> None:
        taken = self.store.catalogue["mug"].taken
        put = self.store.put(replace(MUG, price=30, stock=stock))
        assert put is (stock is None or stock >= taken)

    @invariant()
    def it_adds_up(self) -> None:
        assert audit_points(self.store.points, self.store) == []
        house = sum(one.gained for one in self.store.points.transfers())
        assert sum(one.balance for one in self.store.points.accounts()) == house
        for account in self.store.points.accounts():
            assert account.balance == account.earned - account.lapsed - account.spent
            assert account.spent >= 0
            assert account.lapsed >= 0


AnyHistory.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAnyHistory = AnyHistory.TestCase
