"""Rewards (G9): what points buy, and the life of a request for one. Pure.

The points move when a reward is asked for, and so does the piece of its stock: nobody asks for more
than they have, and two never for the last one. Both go back when the request comes to nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dibs.core.errors import AlreadyDecided, NotEnoughPoints, OutOfStock, RouteNotFound
from dibs.game.scoring.points import SPENT, Account, Transfer, accounts_of
from dibs.receipts.receipts import Fault

AUTOMATIC = "dibs"
"""Who takes the steps nobody takes."""


class State(StrEnum):
    """Where a request stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    COLLECTED = "collected"
    REFUSED = "refused"
    RECALLED = "recalled"
    LAPSED = "lapsed"


FOLLOWING: Mapping[State, frozenset[State]] = {
    State.REQUESTED: frozenset({State.APPROVED, State.REFUSED, State.LAPSED}),
    State.APPROVED: frozenset({State.COLLECTED, State.RECALLED, State.LAPSED}),
}
"""Where a request may go from where it stands. A manager takes each of these steps but that to
LAPSED, which time takes; the rep takes none."""
HOLDING = frozenset({State.REQUESTED, State.APPROVED, State.COLLECTED})
"""The states in which a request holds its points and a piece of the stock."""
UNDER_WAY = frozenset(FOLLOWING)
WITH_REASON = frozenset({State.REFUSED, State.RECALLED})


@dataclass(frozen=True)
class Reward:
    """A reward for `price` points (1 or more).

    `stock` is how many there ever were, None for as many as anybody wants, and `taken` how many of
    them requests hold. Without `approval` a request is approved at once. Who asks for one that is
    not `active` is told there is none.
    """

    reward_id: str
    name: str
    price: int
    stock: int | None = None
    approval: bool = True
    active: bool = True
    taken: int = 0

    @property
    def left(self) -> int | None:
        return None if self.stock is None else max(0, self.stock - self.taken)


@dataclass(frozen=True)
class Step:
    """A step of a request's life: to which state, when, by whom (a rep's id or a role), and why."""

    state: State
    at: datetime
    by: str
    reason: str = ""


@dataclass(frozen=True)
class Request:
    """A rep's request for a reward, at the name and price it had then."""

    request_id: str
    rep_id: str
    reward_id: str
    name: str
    price: int
    steps: tuple[Step, ...]

    @property
    def state(self) -> State:
        return self.steps[-1].state

    @property
    def at(self) -> datetime:
        """When it was asked for."""
        return self.steps[0].at

    @property
    def since(self) -> datetime:
        """Since when it stands where it does."""
        return self.steps[-1].at


def request_name(rep_id: str, chosen: str) -> str:
    """Return a request's id from the one its sender chose: no rep meets another's."""
    return f"{rep_id}.{chosen}"


def requested(reward: Reward, account: Account, request_id: str, at: datetime) -> Request:
    """Return a rep's request for a reward.

    Raises:
        RouteNotFound: the reward is not to be had.
        OutOfStock: the last one is gone.
        NotEnoughPoints: says how many are missing.
    """
    if not reward.active:
        raise RouteNotFound("There is no such reward.")
    if reward.left == 0:
        raise OutOfStock
    if account.balance < reward.price:
        raise NotEnoughPoints(reward.price - account.balance, account.balance)
    steps = [Step(State.REQUESTED, at, account.rep_id)]
    if not reward.approval:
        steps.append(Step(State.APPROVED, at, AUTOMATIC))
    return Request(
        request_id, account.rep_id, reward.reward_id, reward.name, reward.price, tuple(steps)
    )


def stepped(request: Request, state: State, at: datetime, by: str, reason: str = "") -> Request:
    """Return a request that has gone to another state.

    Raises:
        AlreadyDecided: it does not go there from where it stands.
    """
    if state not in FOLLOWING.get(request.state, ()):
        raise AlreadyDecided(request.state)
    return replace(request, steps=(*request.steps, Step(state, at, by, reason)))


def payment(request: Request) -> Transfer:
    """Return the transfer of a request's points, made when it was asked for."""
    name = f"reward/{request.request_id}"
    return Transfer(
        name, request.rep_id, SPENT, request.price, request.at, "reward", request.request_id
    )


def refund(request: Request) -> Transfer | None:
    """Return the transfer of the points that go back, None while the request holds them."""
    if request.state in HOLDING:
        return None
    name, rule = f"reward/{request.request_id}/back", str(request.state)
    return Transfer(
        name, SPENT, request.rep_id, request.price, request.since, rule, request.request_id
    )


def differences(
    accounts: Iterable[Account],
    transfers: Iterable[Transfer],
    rewards: Iterable[Reward],
    requests: Iterable[Request],
) -> Iterator[Fault]:
    """Yield where they do not agree (G9).

    Each account is what its transfers come to, so that all of them, with the house's, come to
    nought; what was spent is what requests hold; of each reward as many are taken as requests hold,
    and no more than there are.
    """
    kept, spent = {one.rep_id: one for one in accounts}, dict[str, Transfer]()
    moved = accounts_of(_noting(transfers, spent))
    for rep_id in sorted(kept.keys() | moved.keys()):
        has, had = kept.get(rep_id, Account(rep_id)), moved.get(rep_id, Account(rep_id))
        if has != had:
            yield Fault("balance_differs", rep_id, f"{_told(has)}; its transfers: {_told(had)}")
    yield from _unpaid(requests := list(requests), spent)
    yield from _stock(rewards, requests)


def _noting(transfers: Iterable[Transfer], spent: dict[str, Transfer]) -> Iterator[Transfer]:
    """Pass transfers on, and note what was spent and what of it went back."""
    for one in transfers:
        if one.house == SPENT:
            spent[one.transfer_id] = one
        yield one


def _told(account: Account) -> str:
    return (
        f"balance {account.balance}, earned {account.earned}, lapsed {account.lapsed}, "
        f"spent {account.spent}"
    )


def _unpaid(requests: Iterable[Request], spent: Mapping[str, Transfer]) -> Iterator[Fault]:
    wanted = {
        one.transfer_id: one
        for request in requests
        for one in (payment(request), refund(request))
        if one is not None
    }
    for name in sorted(wanted.keys() | spent.keys()):
        if name not in spent:
            yield Fault("transfer_missing", name, "a request says that it was made")
        elif name not in wanted:
            yield Fault("transfer_unexplained", name, "no request says what it is for")
        elif wanted[name] != spent[name]:
            yield Fault("transfer_differs", name, "it is not what its request says")


def _stock(rewards: Iterable[Reward], requests: Iterable[Request]) -> Iterator[Fault]:
    held = defaultdict[str, int](int)
    for request in requests:
        held[request.reward_id] += request.state in HOLDING
    known = {reward.reward_id: reward for reward in rewards}
    for reward_id in sorted(known.keys() | held.keys()):
        reward = known.get(reward_id)
        taken = 0 if reward is None else reward.taken
        if taken != held[reward_id]:
            what = f"{taken} are taken; requests hold {held[reward_id]}"
            yield Fault("stock_differs", reward_id, what)
        if reward is not None and reward.stock is not None and taken > reward.stock:
            what = f"{taken} are taken of {reward.stock}"
            yield Fault("stock_exceeded", reward_id, what)
