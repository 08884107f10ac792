"""What the rewards' store promises (G9), shown on its table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

import pytest

from dibs.core.errors import DibsError
from dibs.game.rewards.ports import RewardStore
from dibs.game.rewards.requests import ask, audit_points, decide, expire_requests
from dibs.game.rewards.rules import (
    FOLLOWING,
    RequestState,
    RequestStep,
    Reward,
    RewardRequest,
    payment,
    stepped,
)
from dibs.game.rewards.store import DynamoRewards
from dibs.game.scoring.points import ISSUED, Account, Transfer
from dibs.game.scoring.points_store import DynamoPoints
from dibs.game.scoring.ports import PointsLedger
from support.builders import NOON, World, a_playbook, a_rep
from support.fakes import Clock

AINA, BEN = a_rep(1).rep_id, a_rep(2).rep_id
DAY, MS = timedelta(days=1), timedelta(milliseconds=1)
MUG = Reward("mug", "Mug ☕", 100, stock=2)
PEN = Reward("pen", "Pen", 7, approval=False)


@dataclass
class Shop:
    """Rewards and points."""

    store: RewardStore
    points: PointsLedger

    def award(self, number: int, points: int, rep_id: str = AINA) -> None:
        assert self.points.book(
            [Transfer(f"award/{rep_id}/{number}", ISSUED, rep_id, points, NOON, "won")]
        )

    def request(self, rep_id: str = AINA, chosen: str = "1", reward: Reward = MUG) -> RewardRequest:
        name = f"{rep_id}.{chosen}"
        steps = (RequestStep(RequestState.REQUESTED, NOON, rep_id),)
        return RewardRequest(name, rep_id, reward.reward_id, reward.name, reward.price, steps)

    def balance(self, rep_id: str = AINA) -> int:
        return self.points.account(rep_id).balance

    def taken(self, reward_id: str = "mug") -> int:
        return next(one.taken for one in self.store.rewards() if one.reward_id == reward_id)


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(
        DynamoRewards(world.dynamo, world.settings), DynamoPoints(world.dynamo, world.settings)
    )


@pytest.mark.parametrize("reward", [MUG, PEN, replace(MUG, active=False, stock=0)])
def test_a_reward_comes_back_as_it_was_put(shop: Shop, reward: Reward) -> None:
    assert shop.store.put(reward)
    assert shop.store.put(reward)
    assert shop.store.rewards() == [reward]
    changed = replace(reward, name="Cup", price=1, stock=None, approval=False, active=True)
    assert shop.store.put(changed)
    assert shop.store.rewards() == [changed]


def test_rewards_come_in_the_order_of_their_ids(shop: Shop) -> None:
    assert shop.store.rewards() == []
    for reward in (PEN, MUG):
        shop.store.put(reward)
    assert shop.store.rewards() == [MUG, PEN]


def test_what_is_taken_is_no_affair_of_who_changes_a_reward(shop: Shop) -> None:
    shop.store.put(MUG)
    shop.award(1, 500)
    for chosen in ("1", "2"):
        assert shop.store.ask(MUG, shop.request(chosen=chosen))
    assert not shop.store.put(replace(MUG, stock=1))
    assert shop.store.rewards() == [replace(MUG, taken=2)]
    assert shop.store.put(replace(MUG, stock=3, taken=0))
    assert shop.store.rewards() == [replace(MUG, stock=3, taken=2)]
    assert shop.store.put(replace(MUG, stock=None))
    assert shop.store.rewards() == [replace(MUG, stock=None, taken=2)]


def test_nothing_is_found_where_nothing_is(shop: Shop) -> None:
    assert shop.store.look(AINA, "mug", f"{AINA}.1") == (None, Account(AINA), None)
    assert shop.store.find(f"{AINA}.1") is None
    assert shop.store.of_rep(AINA) == []
    assert [shop.store.in_state(state) for state in RequestState] == [[]] * len(RequestState)
    assert list(shop.store.requests()) == []


def test_a_request_takes_points_and_stock_and_comes_back_as_it_was(shop: Shop) -> None:
    shop.store.put(MUG)
    shop.award(1, 150)
    request = shop.request()
    assert shop.store.ask(MUG, request)
    account = Account(AINA, 50, 150, 0, 100)
    taken = replace(MUG, taken=1)
    assert shop.store.look(AINA, "mug", request.request_id) == (taken, account, request)
    assert shop.store.find(request.request_id) == request
    assert shop.store.of_rep(AINA) == shop.store.in_state(RequestState.REQUESTED) == [request]
    assert list(shop.store.requests()) == [request]
    assert payment(request) in shop.points.history(AINA, 5)[0]
    assert shop.store.of_rep(BEN) == shop.store.in_state(RequestState.APPROVED) == []


@pytest.mark.parametrize(
    "meanwhile",
    [
        replace(MUG, active=False),
        replace(MUG, price=99),
        replace(MUG, price=101),
        replace(MUG, approval=False),
        replace(MUG, stock=0),
    ],
)
def test_nothing_is_asked_for_that_is_not_as_it_was_read(shop: Shop, meanwhile: Reward) -> None:
    shop.store.put(MUG)
    shop.award(1, 150)
    shop.store.put(meanwhile)
    assert not shop.store.ask(MUG, shop.request())
    assert (shop.balance(), shop.taken(), shop.store.of_rep(AINA)) == (150, 0, [])


def test_nothing_is_asked_for_twice_beyond_the_stock_or_the_points(shop: Shop) -> None:
    shop.store.put(MUG)
    shop.store.put(PEN)
    shop.award(1, 199)
    shop.award(1, 300, BEN)
    assert shop.store.ask(MUG, shop.request())
    assert not shop.store.ask(MUG, shop.request())  # the same again
    assert not shop.store.ask(MUG, shop.request(chosen="2"))  # 99 points are left
    assert shop.store.ask(MUG, shop.request(BEN))
    assert not shop.store.ask(MUG, shop.request(BEN, "2"))  # the last one is gone
    assert not shop.store.ask(MUG, shop.request("nobody"))  # who never had any points
    assert (shop.balance(), shop.balance(BEN), shop.taken()) == (99, 200, 2)
    # There is no end of pens.
    for chosen in map(str, range(10, 24)):
        assert shop.store.ask(PEN, shop.request(chosen=chosen, reward=PEN))
    assert not shop.store.ask(PEN, shop.request(chosen="24", reward=PEN))
    assert (shop.balance(), shop.taken("pen")) == (1, 14)


@pytest.mark.parametrize(
    ("to", "back"),
    [(RequestState.APPROVED, False), (RequestState.REFUSED, True), (RequestState.LAPSED, True)],
)
def test_a_step_is_stored_once_with_what_goes_back(
    shop: Shop, to: RequestState, back: bool
) -> None:
    shop.store.put(MUG)
    shop.award(1, 150)
    was = shop.request()
    shop.store.ask(MUG, was)
    now = stepped(was, to, NOON + DAY, "manager", 'because "…"')
    assert shop.store.move(was, now)
    assert not shop.store.move(was, now)
    assert not shop.store.move(was, stepped(was, RequestState.APPROVED, NOON + 2 * DAY, "manager"))
    assert shop.store.find(was.request_id) == now
    assert shop.store.in_state(to) == [now]
    assert shop.store.in_state(RequestState.REQUESTED) == []
    assert (shop.balance(), shop.taken()) == ((150, 0) if back else (50, 1))
    assert audit_points(shop.points, shop.store) == []


def test_what_has_been_in_a_state_for_long_is_found(shop: Shop) -> None:
    shop.store.put(replace(MUG, price=1, stock=None))
    shop.award(1, 150)
    found = []
    for number in (2, 0, 1):
        request = shop.request(chosen=str(number), reward=replace(MUG, price=1))
        steps = (RequestStep(RequestState.REQUESTED, NOON + number * DAY, AINA),)
        found.append(replace(request, steps=steps))
        assert shop.store.ask(replace(MUG, price=1), found[-1])
    latest, first, second = found
    assert shop.store.in_state(RequestState.REQUESTED) == [first, second, latest]
    assert shop.store.in_state(RequestState.REQUESTED, NOON + DAY) == [first, second]
    assert shop.store.in_state(RequestState.REQUESTED, NOON + DAY - MS) == [first]
    assert shop.store.of_rep(AINA) == [latest, second, first]


def test_of_what_is_over_the_latest_hundred_are_shown_the_newest_first(shop: Shop) -> None:
    pen = replace(PEN, price=1)
    shop.store.put(pen)
    shop.award(1, 102)
    over = []
    for number in range(102):
        steps = tuple(
            RequestStep(s, NOON + number * MS, "x")
            for s in (RequestState.APPROVED, RequestState.COLLECTED)
        )
        request = replace(shop.request(chosen=str(number), reward=pen), steps=steps)
        assert shop.store.ask(pen, request)
        over.append(request)
    assert shop.store.in_state(RequestState.COLLECTED) == over[:1:-1]
    assert shop.store.in_state(RequestState.COLLECTED, NOON) == over[:1]
    assert len(shop.store.of_rep(AINA)) == 102


def test_any_history_adds_up(shop: Shop) -> None:
    chance, clock = Random(9), Clock()
    shop.store.put(replace(MUG, price=30, stock=2))
    shop.store.put(PEN)
    rules = a_playbook().game.rewards
    done: list[str] = []

    def award() -> None:
        shop.award(100 + len(done), chance.randint(1, 60), chance.choice((AINA, BEN)))

    def asking() -> None:
        rep_id, reward_id = chance.choice((AINA, BEN)), chance.choice(("mug", "pen"))
        ask(shop.store, rep_id, reward_id, str(chance.randint(0, 19)), clock)

    def deciding() -> None:
        known = sorted(shop.store.requests(), key=lambda one: one.request_id)
        if known:
            request = chance.choice(known)
            ways = sorted(FOLLOWING.get(request.state, RequestState))
            name, state = request.request_id, chance.choice(ways)
            decide(shop.store, name, state, "manager", "why", clock)

    def waiting() -> None:
        clock.pass_(days=chance.randint(0, 12))
        expire_requests(shop.store, rules, clock.at)

    steps: list[Callable[[], None]] = [award, asking, asking, deciding, deciding, waiting]
    for _ in range(150):
        step = chance.choice(steps)
        try:
            step()
        except DibsError as error:
            done.append(error.code)
        else:
            done.append(step.__name__)
    assert audit_points(shop.points, shop.store) == []
    assert {"award", "asking", "deciding", "waiting", "already_decided"} <= set(done)
    assert min(shop.balance(AINA), shop.balance(BEN), shop.taken(), shop.taken("pen")) >= 0
    states = {one.state for one in shop.store.requests()}
    assert states >= {RequestState.LAPSED, RequestState.COLLECTED}


def test_an_altered_item_is_found(world: World, shop: Shop) -> None:
    shop.store.put(MUG)
    shop.award(1, 150)
    shop.store.ask(MUG, shop.request())
    table = world.settings.game_table
    key = {"pk": {"S": f"ACCOUNT#{AINA}"}, "sk": {"S": "BALANCE"}}
    values = {":more": {"N": "5"}}
    world.dynamo.update(table, key, "ADD balance :more", ExpressionAttributeValues=values)
    found = {(one.kind, one.where) for one in audit_points(shop.points, shop.store)}
    assert found == {("balance_differs", AINA)}
