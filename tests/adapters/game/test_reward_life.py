"""Rewards: who gets them, what goes back, and points that always add up (G9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dibs.aws import keys
from dibs.aws.attributes import Item
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
    differences,
    payment,
    refund,
    request_name,
)
from dibs.game.rewards.store import DynamoRewards, request_from, reward_from
from dibs.game.scoring.points import ISSUED, LAPSED, SPENT, Account, Transfer, decayed
from dibs.game.scoring.points_store import (
    DynamoPoints,
    account_from,
    balance_key,
    transfer_from,
    transfer_item,
)
from dibs.rules.game import Rewards
from support.aws import empty_tables, peek
from support.builders import NOON, World, a_rep
from support.fakes import Clock
from support.interleaving import meanwhile

AINA, BEN = a_rep(1).rep_id, a_rep(2).rep_id
DAY, MS = timedelta(days=1), timedelta(milliseconds=1)
MUG = Reward("mug", "Mug", 100, stock=2)
RULES = Rewards(request_days=14, collect_days=90)


def award(number: int, points: int, rep_id: str = AINA, at: datetime = NOON) -> Transfer:
    return Transfer(f"award/{rep_id}/{number}", ISSUED, rep_id, points, at, "won")


class Shop(DynamoRewards):
    """Rewards, reps with points, and what tests do to their items behind the store's back."""

    def __init__(self, world: World) -> None:
        super().__init__(world.dynamo, world.settings)
        self.world = world
        self.points = DynamoPoints(world.dynamo, world.settings)

    def stock(self, *rewards: Reward, points: int = 250) -> Shop:
        """Put rewards up, and give the reps points for some of them."""
        for reward in rewards or (MUG,):
            assert self.put(reward)
        for rep_id in (AINA, BEN):
            assert self.points.book([award(0, points, rep_id)])
        return self

    def state(self, request_id: str) -> RequestState:
        found = self.find(request_id)
        assert found is not None
        return found.state

    def alter(self, key: Item, change: str, **numbers: int) -> None:
        values = {f":{name}": {"N": str(number)} for name, number in numbers.items()}
        table = self.world.settings.game_table
        self.world.dynamo.update(
            table, key, change, "attribute_exists(pk)", ExpressionAttributeValues=values
        )

    def lose(self, item: Item) -> None:
        key = {name: item[name] for name in ("pk", "sk")}
        assert self.world.dynamo.get(self.world.settings.game_table, key)
        self.world.dynamo.delete(self.world.settings.game_table, key)


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


def asked(store: Shop, rep_id: str = AINA, chosen: str = "1") -> RewardRequest:
    return ask(store, rep_id, "mug", chosen, Clock())[0]


def balances(store: Shop) -> tuple[int, int]:
    return store.points.account(AINA).balance, store.points.account(BEN).balance


# Points and stock: held by a request, and given back


def test_points_and_stock_move_when_a_reward_is_asked_for(shop: Shop) -> None:
    store = shop.stock()
    request, new = ask(store, AINA, "mug", "1", Clock())
    assert new
    assert request == RewardRequest(
        f"{AINA}.1", AINA, "mug", "Mug", 100, (RequestStep(RequestState.REQUESTED, NOON, AINA),)
    )
    assert store.points.account(AINA) == Account(AINA, 150, earned=250, spent=100)
    assert store.rewards() == [replace(MUG, taken=1)]
    assert store.rewards()[0].left == 1


def test_asking_again_with_the_same_id_is_asking_once(shop: Shop) -> None:
    store, clock = shop.stock(), Clock()
    first, _ = ask(store, AINA, "mug", "1", clock)
    clock.pass_(hours=1)
    assert ask(store, AINA, "mug", "1", clock) == (first, False)
    decide(store, first.request_id, RequestState.REFUSED, "manager", "no", clock)
    again, new = ask(store, AINA, "mug", "1", clock)
    assert (again.state, new) == (RequestState.REFUSED, False)
    assert balances(store) == (250, 250)


def test_two_reps_may_choose_the_same_id(shop: Shop) -> None:
    store = shop.stock()
    assert asked(store, AINA) != asked(store, BEN)
    assert balances(store) == (150, 150)


def test_an_id_is_of_one_reward(shop: Shop) -> None:
    store = shop.stock(MUG, Reward("pen", "Pen", 10))
    asked(store)
    with pytest.raises(AlreadyExists):
        ask(store, AINA, "pen", "1", Clock())
    assert balances(store) == (150, 250)


def test_the_last_one_goes_to_one(shop: Shop) -> None:
    store = shop.stock(replace(MUG, stock=1))
    asked(store, AINA)
    with pytest.raises(OutOfStock):
        asked(store, BEN)
    assert balances(store) == (150, 250)


@pytest.mark.parametrize("stock", [None, 1])
def test_without_approval_a_request_is_approved_at_once(shop: Shop, stock: int | None) -> None:
    store = shop.stock(replace(MUG, approval=False, stock=stock))
    request = asked(store)
    assert request.state is RequestState.APPROVED
    assert [step.by for step in request.steps] == [AINA, "dibs"]
    assert balances(store)[0] == 150
    # A reward that was approved at once can be recalled like any other.
    decide(store, request.request_id, RequestState.RECALLED, "manager", "sold out", Clock())
    assert balances(store)[0] == 250


@pytest.mark.parametrize("reward_id", ["cup", "mug"])
def test_what_is_not_offered_is_not_to_be_had(shop: Shop, reward_id: str) -> None:
    store = shop.stock(replace(MUG, active=False))
    with pytest.raises(RouteNotFound):
        ask(store, AINA, reward_id, "1", Clock())
    assert balances(store) == (250, 250)


def test_as_many_as_anybody_wants(shop: Shop) -> None:
    store = shop.stock(replace(MUG, stock=None, price=1))
    for number in range(50):
        asked(store, AINA, str(number))
    assert store.rewards()[0].left is None
    assert store.rewards()[0].taken == 50


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
    shop: Shop, path: list[RequestState], back: bool
) -> None:
    store, clock = shop.stock(), Clock()
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


def test_what_comes_back_can_be_spent_again(shop: Shop) -> None:
    store = shop.stock(replace(MUG, stock=1, price=250))
    first = asked(store)
    decide(store, first.request_id, RequestState.REFUSED, "manager", "no", Clock())
    assert asked(store, AINA, "2").state is RequestState.REQUESTED
    assert balances(store)[0] == 0


def test_the_price_is_that_of_the_day_it_was_asked_for(shop: Shop) -> None:
    store = shop.stock()
    request = asked(store)
    store.put(replace(MUG, price=5, name="Cup"))
    found, _ = decide(store, request.request_id, RequestState.REFUSED, "manager", "no", Clock())
    assert (found.price, found.name) == (100, "Mug")
    assert balances(store)[0] == 250


def test_nobody_decides_on_what_is_not_there(shop: Shop) -> None:
    with pytest.raises(RouteNotFound):
        decide(shop.stock(), f"{AINA}.1", RequestState.APPROVED, "manager", "", Clock())


def test_there_were_never_fewer_than_are_taken(shop: Shop) -> None:
    store = shop.stock()
    asked(store)
    given = {"name": "Mug", "price": 100}
    with pytest.raises(InvalidInput, match="stock"):
        put_reward(store, "mug", {**given, "stock": 0})
    assert put_reward(store, "mug", {**given, "stock": 1}).left == 0
    assert put_reward(store, "mug", {**given, "stock": None}).left is None
    assert put_reward(store, "mug", {**given, "stock": 4}).left == 3


# Lost races


def test_a_price_that_changes_meanwhile_is_asked_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = shop.stock()

    def dearer() -> None:
        store.put(replace(MUG, price=250))

    meanwhile(monkeypatch, store, "ask", dearer)
    assert asked(store).price == 250
    assert balances(store)[0] == 0


def test_a_price_that_changes_meanwhile_is_not_paid_by_who_was_shown_another(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = shop.stock()

    def dearer() -> None:
        store.put(replace(MUG, price=MUG.price + 1))

    meanwhile(monkeypatch, store, "ask", dearer)
    before = balances(store)
    with pytest.raises(Outdated):
        ask(store, AINA, "mug", "1", Clock(), MUG.price)
    assert balances(store) == before
    request, new = ask(store, AINA, "mug", "1", Clock(), MUG.price + 1)
    assert (request.price, new) == (MUG.price + 1, True)


def test_the_last_one_taken_meanwhile_is_gone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    store = shop.stock(replace(MUG, stock=1))

    def faster() -> None:
        asked(store, BEN)

    meanwhile(monkeypatch, store, "ask", faster)
    with pytest.raises(OutOfStock):
        asked(store, AINA)
    assert balances(store) == (250, 150)


def test_points_spent_meanwhile_are_missing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    store = shop.stock(MUG, points=100)

    def faster() -> None:
        asked(store, AINA, "2")

    meanwhile(monkeypatch, store, "ask", faster)
    with pytest.raises(NotEnoughPoints):
        asked(store, AINA, "1")
    assert balances(store)[0] == 0


def test_a_request_decided_meanwhile_is_not_decided_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = shop.stock()
    request = asked(store)

    def faster() -> None:
        decide(store, request.request_id, RequestState.REFUSED, "manager", "no", Clock())

    meanwhile(monkeypatch, store, "move", faster)
    with pytest.raises(AlreadyDecided):
        decide(store, request.request_id, RequestState.APPROVED, "manager", "", Clock())
    assert balances(store)[0] == 250


def test_who_is_never_fast_enough_is_told_to_try_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = shop.stock()
    request = asked(store)
    for write in ("ask", "move"):
        monkeypatch.setattr(store, write, lambda *_: False)
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
    shop: Shop, approved: bool, after: timedelta, lapses: bool
) -> None:
    store, clock = shop.stock(), Clock()
    request = asked(store)
    if approved:  # a day later: the days to collect count from then on
        clock.pass_(days=7)
        decide(store, request.request_id, RequestState.APPROVED, "manager", "", clock)
    clock.at += after
    done = expire_requests(store, RULES, clock.at)
    assert (done.undecided, done.uncollected) == (lapses and not approved, lapses and approved)
    assert (store.state(request.request_id) is RequestState.LAPSED) is lapses
    assert balances(store)[0] == (250 if lapses else 150)
    assert store.rewards()[0].taken == (not lapses)
    again = expire_requests(store, RULES, clock.at)
    assert (again.undecided, again.uncollected) == (0, 0)


@pytest.mark.parametrize(
    "state", [RequestState.COLLECTED, RequestState.REFUSED, RequestState.RECALLED]
)
def test_what_is_over_never_lapses(shop: Shop, state: RequestState) -> None:
    store = shop.stock()
    request = asked(store)
    if state is not RequestState.REFUSED:
        decide(store, request.request_id, RequestState.APPROVED, "manager", "", Clock())
    decide(store, request.request_id, state, "manager", "why", Clock())
    expire_requests(store, RULES, NOON + 1000 * DAY)
    assert store.state(request.request_id) is state


# The audit


def test_where_all_is_well_there_is_no_difference(shop: Shop) -> None:
    assert audit_points(shop.points, shop) == []
    store = shop.stock()
    assert audit_points(store.points, store) == []
    asked(store)
    assert audit_points(store.points, store) == []


REQUEST: Item = {
    "pk": {"S": keys.account(AINA)},
    "sk": {"S": keys.reward_request(request_name(AINA, "1"))},
}
STOCK: Item = {"pk": {"S": keys.REWARDS}, "sk": {"S": "mug"}}


def spoil_balance(store: Shop) -> None:
    store.alter(balance_key(AINA), "ADD balance :more", more=1)


def spoil_figures(store: Shop) -> None:
    store.alter(balance_key(AINA), "ADD earned :more, spent :more", more=1)


def lose_account(store: Shop) -> None:
    store.lose(balance_key(BEN))


def lose_transfer(store: Shop) -> None:
    request = store.find(request_name(AINA, "1"))
    assert request is not None
    store.alter(balance_key(AINA), "SET balance = :balance, spent = :spent", balance=250, spent=0)
    store.lose(transfer_item(payment(request)))


def pay_for_nothing(store: Shop) -> None:
    store.points.book([Transfer("reward/x", AINA, SPENT, 1, NOON, "reward")])


def alter_request(store: Shop) -> None:
    store.alter(REQUEST, "SET price = :price", price=99)


def lose_request(store: Shop) -> None:
    store.lose(REQUEST)


def lose_stock(store: Shop) -> None:
    store.alter(STOCK, "SET taken = :taken", taken=0)


def sell_too_many(store: Shop) -> None:
    store.alter(STOCK, "SET stock = :stock", stock=0)


def lose_reward(store: Shop) -> None:
    store.lose(STOCK)


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
def test_whatever_does_not_add_up_is_named(
    shop: Shop, spoil: object, found: set[tuple[str, str]]
) -> None:
    assert callable(spoil)
    store = shop.stock()
    asked(store)
    spoil(store)
    assert {(one.kind, one.where) for one in audit_points(store.points, store)} == found


def test_what_was_on_its_way_while_it_was_audited_is_no_difference(shop: Shop) -> None:
    store = shop.stock()

    class Halfway(DynamoPoints):
        """Each read misses another transfer."""

        looks = 0

        def transfers(self) -> Iterator[Transfer]:
            self.looks += 1
            found = list(super().transfers())
            del found[self.looks - 1]
            return iter(found)

    halfway = Halfway(store.world.dynamo, store.world.settings)
    assert audit_points(halfway, store) == []
    assert halfway.looks == 2


def test_a_request_that_goes_on_while_others_lapse_is_left_alone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = shop.stock()
    request = asked(store)

    def faster() -> None:
        decide(store, request.request_id, RequestState.APPROVED, "manager", "", Clock())

    meanwhile(monkeypatch, store, "move", faster)
    assert expire_requests(store, RULES, NOON + 14 * DAY).undecided == 0
    assert store.state(request.request_id) is RequestState.APPROVED
    assert balances(store)[0] == 150


# Any history


class AnyHistory(RuleBasedStateMachine):
    """Reps earn, spend and lose points; managers decide; time passes: points always add up."""

    def __init__(self, world: World) -> None:
        super().__init__()
        empty_tables()
        self.clock = Clock()
        self.store = Shop(world)
        self.asked: set[str] = set()
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
        known = name in self.asked
        try:
            request, new = ask(self.store, rep_id, reward_id, chosen, self.clock)
        except (OutOfStock, NotEnoughPoints, AlreadyExists):
            assert self.store.points.account(rep_id).balance == before
            return
        self.asked.add(name)
        assert new is not known
        after = self.store.points.account(rep_id).balance
        assert after == (before - request.price if new else before)
        assert not new or after >= 0  # no request makes a balance negative

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), state=st.sampled_from(list(RequestState)))
    def decide(self, data: st.DataObject, state: RequestState) -> None:
        name = data.draw(st.sampled_from(sorted(self.asked)))
        was = self.store.state(name)
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
        taken = self.store.rewards()[0].taken
        put = self.store.put(replace(MUG, price=30, stock=stock))
        assert put is (stock is None or stock >= taken)

    @invariant()
    def it_adds_up(self) -> None:
        stored = peek(self.store.world.settings.game_table)
        accounts = [account_from(one) for one in stored if one["sk"]["S"] == keys.BALANCE]
        transfers = [transfer_from(x) for x in stored if x["sk"]["S"].startswith(keys.TRANSFERS)]
        rewards = [reward_from(one) for one in stored if one["pk"]["S"] == keys.REWARDS]
        requests = [request_from(x) for x in stored if x["sk"]["S"].startswith(keys.REQUESTS)]
        assert list(differences(accounts, transfers, rewards, requests)) == []
        assert sum(one.balance for one in accounts) == sum(one.gained for one in transfers)
        for account in accounts:
            assert account.balance == account.earned - account.lapsed - account.spent
            assert account.spent >= 0
            assert account.lapsed >= 0

    def teardown(self) -> None:
        assert audit_points(self.store.points, self.store) == []


def test_points_add_up_after_any_history(world: World) -> None:
    run_state_machine_as_test(
        lambda: AnyHistory(world), settings=settings(max_examples=5, stateful_step_count=40)
    )
