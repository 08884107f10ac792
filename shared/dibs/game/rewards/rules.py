"""Points buy rewards from a catalogue, by requests (G9). Pure.

A request takes the points and one piece of the stock at once: no rep spends more than they have,
and the last piece goes to one rep. Both go back when the request is refused, recalled or expires.
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
"""The actor of steps that no person takes."""


class RequestState(StrEnum):
    """The state of a request."""

    REQUESTED = "requested"
    APPROVED = "approved"
    COLLECTED = "collected"
    REFUSED = "refused"
    RECALLED = "recalled"
    LAPSED = "lapsed"


FOLLOWING: Mapping[RequestState, frozenset[RequestState]] = {
    RequestState.REQUESTED: frozenset(
        {RequestState.APPROVED, RequestState.REFUSED, RequestState.LAPSED}
    ),
    RequestState.APPROVED: frozenset(
        {RequestState.COLLECTED, RequestState.RECALLED, RequestState.LAPSED}
    ),
}
"""The legal steps of a request. A manager takes them, except the step to LAPSED: that is the
scheduled job's."""
HOLDING = frozenset({RequestState.REQUESTED, RequestState.APPROVED, RequestState.COLLECTED})
"""The states in which a request holds its points and a piece of the stock."""
UNDER_WAY = frozenset(FOLLOWING)
WITH_REASON = frozenset({RequestState.REFUSED, RequestState.RECALLED})


@dataclass(frozen=True)
class Reward:
    """A reward for `price` points (1 or more).

    `stock` is how many there ever were, None for unlimited; `taken` is how many of them requests
    hold. Without `approval` a request is approved at once. One that is not `active` cannot be
    requested.
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
class RequestStep:
    """A step of a request: the new state, when, by whom (a rep's id or a role), and why."""

    state: RequestState
    at: datetime
    by: str
    reason: str = ""


@dataclass(frozen=True)
class RewardRequest:
    """A rep's request for a reward, with its name and price at that time."""

    request_id: str
    rep_id: str
    reward_id: str
    name: str
    price: int
    steps: tuple[RequestStep, ...]

    @property
    def state(self) -> RequestState:
        return self.steps[-1].state

    @property
    def at(self) -> datetime:
        """When it was made."""
        return self.steps[0].at

    @property
    def since(self) -> datetime:
        """When it got its present state."""
        return self.steps[-1].at


def request_name(rep_id: str, chosen: str) -> str:
    """Return a request's id, from the one its sender chose; unique across reps."""
    return f"{rep_id}.{chosen}"


def requested(reward: Reward, account: Account, request_id: str, at: datetime) -> RewardRequest:
    """Return a rep's request for a reward.

    Raises:
        RouteNotFound: the reward is not active.
        OutOfStock: the last one is gone.
        NotEnoughPoints: says how many are missing.
    """
    if not reward.active:
        raise RouteNotFound("There is no such reward.")
    if reward.left == 0:
        raise OutOfStock
    if account.balance < reward.price:
        raise NotEnoughPoints(reward.price - account.balance, account.balance)
    steps = [RequestStep(RequestState.REQUESTED, at, account.rep_id)]
    if not reward.approval:
        steps.append(RequestStep(RequestState.APPROVED, at, AUTOMATIC))
    return RewardRequest(
        request_id, account.rep_id, reward.reward_id, reward.name, reward.price, tuple(steps)
    )


def stepped(
    request: RewardRequest, state: RequestState, at: datetime, by: str, reason: str = ""
) -> RewardRequest:
    """Return a request with one more step.

    Raises:
        AlreadyDecided: it cannot go from its state to this one.
    """
    if state not in FOLLOWING.get(request.state, ()):
        raise AlreadyDecided(request.state)
    return replace(request, steps=(*request.steps, RequestStep(state, at, by, reason)))


def payment(request: RewardRequest) -> Transfer:
    """Return the transfer that pays for a request, at the time of the request."""
    name = f"reward/{request.request_id}"
    return Transfer(
        name, request.rep_id, SPENT, request.price, request.at, "reward", request.request_id
    )


def refund(request: RewardRequest) -> Transfer | None:
    """Return the transfer that pays the points back, None while the request holds them."""
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
    requests: Iterable[RewardRequest],
) -> Iterator[Fault]:
    """Yield where accounts, transfers, stock and requests do not agree (G9).

    Each account equals the sum of its transfers, so all accounts, with the system accounts, add up
    to zero. The points spent are those that requests hold. Of each reward as many are taken as
    requests hold, and no more than its stock.
    """
    stored, spent = {account.rep_id: account for account in accounts}, dict[str, Transfer]()
    summed = accounts_of(_noting(transfers, spent))
    for rep_id in sorted(stored.keys() | summed.keys()):
        is_, should = stored.get(rep_id, Account(rep_id)), summed.get(rep_id, Account(rep_id))
        if is_ != should:
            what = f"{_figures(is_)}; by its transfers {_figures(should)}"
            yield Fault("balance_differs", rep_id, what)
    yield from _unpaid(requests := list(requests), spent)
    yield from _stock(rewards, requests)


def _noting(transfers: Iterable[Transfer], spent: dict[str, Transfer]) -> Iterator[Transfer]:
    """Pass transfers on; collect in `spent` those for requests, paid or paid back."""
    for transfer in transfers:
        if transfer.system_account == SPENT:
            spent[transfer.transfer_id] = transfer
        yield transfer


def _figures(account: Account) -> str:
    return (
        f"balance {account.balance}, earned {account.earned}, lapsed {account.lapsed}, "
        f"spent {account.spent}"
    )


def _unpaid(requests: Iterable[RewardRequest], spent: Mapping[str, Transfer]) -> Iterator[Fault]:
    expected = {
        transfer.transfer_id: transfer
        for request in requests
        for transfer in (payment(request), refund(request))
        if transfer is not None
    }
    for name in sorted(expected.keys() | spent.keys()):
        if name not in spent:
            yield Fault(
                "transfer_missing",
                name,
                "a request was paid or refunded, but the transfer is not stored",
            )
        elif name not in expected:
            yield Fault("transfer_unexplained", name, "it belongs to no request")
        elif expected[name] != spent[name]:
            yield Fault("transfer_differs", name, "it differs from its request")


def _stock(rewards: Iterable[Reward], requests: Iterable[RewardRequest]) -> Iterator[Fault]:
    held = defaultdict[str, int](int)
    for request in requests:
        held[request.reward_id] += request.state in HOLDING
    by_id = {reward.reward_id: reward for reward in rewards}
    for reward_id in sorted(by_id.keys() | held.keys()):
        reward = by_id.get(reward_id)
        taken = 0 if reward is None else reward.taken
        if taken != held[reward_id]:
            what = f"{taken} counted as taken; by the requests {held[reward_id]}"
            yield Fault("stock_differs", reward_id, what)
        if reward is not None and reward.stock is not None and taken > reward.stock:
            what = f"{taken} counted as taken, of a stock of {reward.stock}"
            yield Fault("stock_exceeded", reward_id, what)
