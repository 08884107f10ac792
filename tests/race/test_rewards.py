"""Rewards (G9) on DynamoDB Local: one rep gets the last reward, and no point is spent twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from random import Random
from threading import Barrier

import pytest

from dibs.core.errors import Busy, DibsError
from dibs.game.rewards.requests import ask, audit_points, decide
from dibs.game.rewards.rules import RequestState, Reward
from dibs.game.rewards.store import DynamoRewards
from dibs.game.scoring.points import ISSUED, Transfer
from dibs.game.scoring.points_store import DynamoPoints
from support.builders import NOON, World, a_rep
from support.clients import over_both
from support.fakes import Clock

pytestmark = pytest.mark.race

THREADS = 20
CLOCK = Clock()


class Shop:
    """Rewards and points on DynamoDB Local."""

    def __init__(self, world: World) -> None:
        self.store = DynamoRewards(world.dynamo, world.settings)
        self.points = DynamoPoints(world.dynamo, world.settings)

    def award(self, rep_id: str, points: int, number: int = 0) -> None:
        name = f"award/{rep_id}/{number}"
        assert self.points.book([Transfer(name, ISSUED, rep_id, points, NOON, "won")])

    def asking(self, rep_id: str, reward_id: str, chosen: str) -> str:
        """Retry on 503, as an app does: nothing was changed."""
        return insist(lambda: str(ask(self.store, rep_id, reward_id, chosen, CLOCK)[1]))

    def deciding(self, request_id: str, state: RequestState) -> str:
        return insist(
            lambda: str(decide(self.store, request_id, state, "manager", "why", CLOCK)[1])
        )

    def taken(self) -> int:
        [reward] = self.store.rewards()
        return reward.taken


def insist(attempt: Callable[[], str]) -> str:
    for _ in range(50):
        with suppress(Busy):
            try:
                return attempt()
            except DibsError as error:
                if isinstance(error, Busy):
                    raise
                return error.code
    raise Busy


def at_once(jobs: list[Callable[[], str]]) -> list[str]:
    """Run all at the same moment."""
    start = Barrier(len(jobs))

    def run(job: Callable[[], str]) -> str:
        start.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def test_the_last_one_goes_to_one(local_world: World) -> None:
    shop = Shop(local_world)
    shop.store.put(Reward("mug", "Mug", 100, stock=1))
    reps = [a_rep(number).rep_id for number in range(1, THREADS + 1)]
    for rep_id in reps:
        shop.award(rep_id, 100)
    told = at_once([partial(shop.asking, rep_id, "mug", "1") for rep_id in reps])
    assert Counter(told) == {"True": 1, "out_of_stock": THREADS - 1}
    assert sorted(shop.points.balance(rep_id) for rep_id in reps) == [0] + [100] * (THREADS - 1)
    [request] = shop.store.requests()
    assert shop.points.balance(request.rep_id) == 0
    assert shop.taken() == 1
    assert audit_points(shop.points, shop.store) == []


def test_who_has_points_for_one_gets_one(local_world: World) -> None:
    shop, rep_id = Shop(local_world), a_rep().rep_id
    shop.store.put(Reward("mug", "Mug", 100))
    shop.award(rep_id, 199)
    told = at_once([partial(shop.asking, rep_id, "mug", str(number)) for number in range(2)])
    assert sorted(told) == ["True", "not_enough_points"]
    assert (shop.points.balance(rep_id), shop.taken()) == (99, 1)
    assert audit_points(shop.points, shop.store) == []


def test_a_request_that_is_sent_many_times_is_made_once(local_world: World) -> None:
    shop, rep_id = Shop(local_world), a_rep().rep_id
    shop.store.put(Reward("mug", "Mug", 10, stock=5))
    shop.award(rep_id, 100)
    told = at_once([partial(shop.asking, rep_id, "mug", "1")] * 8)
    assert Counter(told) == {"True": 1, "False": 7}
    assert (shop.points.balance(rep_id), shop.taken()) == (90, 1)


def test_what_is_refused_and_approved_at_once_is_one_of_them(local_world: World) -> None:
    shop, rep_id = Shop(local_world), a_rep().rep_id
    shop.store.put(Reward("mug", "Mug", 100, stock=1))
    shop.award(rep_id, 100)
    shop.asking(rep_id, "mug", "1")
    name = f"{rep_id}.1"
    states = [RequestState.APPROVED, RequestState.REFUSED, RequestState.LAPSED] * 3
    told = at_once([partial(shop.deciding, name, state) for state in states])
    found = shop.store.find(name)
    assert found is not None
    # Once approved it may still expire; points and stock go back at most once.
    back = found.state is not RequestState.APPROVED
    assert told.count("True") == len(found.steps) - 1
    assert (shop.points.balance(rep_id), shop.taken()) == ((100, 0) if back else (0, 1))
    assert audit_points(shop.points, shop.store) == []


@over_both
def test_all_of_it_at_once_adds_up(local_world: World) -> None:
    shop, chance = Shop(local_world), Random(4)
    shop.store.put(Reward("mug", "Mug", 30, stock=6))
    reps = [a_rep(number).rep_id for number in range(1, 6)]
    for rep_id in reps:
        shop.award(rep_id, 60)
    jobs: list[Callable[[], str]] = []
    for number in range(24):
        rep_id = reps[number % 5]
        jobs.append(partial(shop.asking, rep_id, "mug", str(number % 4)))
        state = chance.choice([RequestState.REFUSED, RequestState.APPROVED, RequestState.RECALLED])
        jobs.append(partial(shop.deciding, f"{rep_id}.{chance.randrange(4)}", state))
        jobs.append(partial(_awarding, shop, rep_id, number + 1))
    chance.shuffle(jobs)
    at_once(jobs)
    assert audit_points(shop.points, shop.store) == []
    assert 0 <= shop.taken() <= 6
    assert min(shop.points.balance(rep_id) for rep_id in reps) >= 0
    assert sum(one.earned for one in shop.points.accounts()) == 5 * 60 + 24 * 10


def _awarding(shop: Shop, rep_id: str, number: int) -> str:
    def award() -> str:
        shop.award(rep_id, 10, number)
        return "awarded"

    return insist(award)
