"""Points and rewards, kept in memory; `tests/adapters/game` holds them against the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from dibs.aws import keys
from dibs.game.rewards.rules import UNDER_WAY, RequestState, Reward, RewardRequest, payment, refund
from dibs.game.scoring.points import Account, Transfer, accounts_of


@dataclass
class FakePoints:
    """Implements `PointsLedger`."""

    kept: dict[str, Account] = field(default_factory=dict)
    booked: dict[str, Transfer] = field(default_factory=dict)
    meanwhile: Callable[[], None] | None = None
    """Runs once, after the read of an account that has points."""

    def account(self, rep_id: str) -> Account:
        if rep_id not in self.kept:
            return Account(rep_id)
        found = self.kept[rep_id]
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return found

    def fits(self, transfers: Sequence[Transfer], *, covered: bool) -> bool:
        """Tell whether transfers could be posted."""
        if any(one.transfer_id in self.booked for one in transfers):
            return False
        changes = accounts_of(transfers).values()
        return not covered or all(
            change.balance >= 0 or self._after(change).balance >= 0 for change in changes
        )

    def book(self, transfers: Sequence[Transfer], *, covered: bool = False) -> bool:
        if not self.fits(transfers, covered=covered):
            return False
        self.booked |= {one.transfer_id: one for one in transfers}
        self.kept |= {c.rep_id: self._after(c) for c in accounts_of(transfers).values()}
        return True

    def _after(self, change: Account) -> Account:
        was = self.kept.get(change.rep_id, Account(change.rep_id))
        return Account(
            was.rep_id,
            was.balance + change.balance,
            was.earned + change.earned,
            was.lapsed + change.lapsed,
            was.spent + change.spent,
        )

    def history(self, rep_id: str, limit: int, start: str = "") -> tuple[list[Transfer], str]:
        names = {
            keys.transfer(one.at, one.transfer_id).removeprefix(keys.TRANSFERS): one
            for one in self.booked.values()
            if one.rep_id == rep_id
        }
        order = sorted((name for name in names if not start or name <= start), reverse=True)
        following = order[limit] if len(order) > limit else ""
        return [names[name] for name in order[:limit]], following

    def since(self, rep_id: str, start: datetime) -> Iterator[Transfer]:
        found = (one for one in self.booked.values() if one.rep_id == rep_id and one.at >= start)
        return iter(sorted(found, key=lambda one: one.at, reverse=True))

    def accounts(self) -> Iterator[Account]:
        return iter(self.kept.values())

    def transfers(self) -> Iterator[Transfer]:
        return iter(self.booked.values())


@dataclass
class FakeRewards:
    """Implements `RewardStore`."""

    points: FakePoints = field(default_factory=FakePoints)
    catalogue: dict[str, Reward] = field(default_factory=dict)
    asked: dict[str, RewardRequest] = field(default_factory=dict)
    meanwhile: Callable[[], None] | None = None
    """Runs once, between a read and its write."""

    def rewards(self) -> list[Reward]:
        return [self.catalogue[name] for name in sorted(self.catalogue)]

    def put(self, reward: Reward) -> bool:
        known = self.catalogue.get(reward.reward_id)
        taken = 0 if known is None else known.taken
        if reward.stock is not None and taken > reward.stock:
            return False
        self.catalogue[reward.reward_id] = replace(reward, taken=taken)
        return True

    def look(
        self, rep_id: str, reward_id: str, request_id: str
    ) -> tuple[Reward | None, Account, RewardRequest | None]:
        account = self.points.account(rep_id)
        return self.catalogue.get(reward_id), account, self.asked.get(request_id)

    def ask(self, reward: Reward, request: RewardRequest) -> bool:
        self._let_happen()
        stored, paid = self.catalogue[reward.reward_id], [payment(request)]
        as_read = (stored.active, stored.price, stored.approval)
        if request.request_id in self.asked or as_read != (True, request.price, reward.approval):
            return False
        if stored.left == 0 or not self.points.book(paid, covered=True):
            return False
        self._take(reward.reward_id, 1)
        self.asked[request.request_id] = request
        return True

    def find(self, request_id: str) -> RewardRequest | None:
        return self.asked.get(request_id)

    def move(self, was: RewardRequest, now: RewardRequest) -> bool:
        self._let_happen()
        if self.asked.get(was.request_id) != was:
            return False
        self.asked[now.request_id] = now
        back = refund(now)
        if back is not None:
            assert self.points.book([back])
            self._take(now.reward_id, -1)
        return True

    def _let_happen(self) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()

    def _take(self, reward_id: str, more: int) -> None:
        stored = self.catalogue[reward_id]
        self.catalogue[reward_id] = replace(stored, taken=stored.taken + more)

    def of_rep(self, rep_id: str) -> list[RewardRequest]:
        found = [one for one in self.asked.values() if one.rep_id == rep_id]
        return sorted(found, key=lambda one: one.at, reverse=True)

    def in_state(self, state: RequestState, until: datetime | None = None) -> list[RewardRequest]:
        found = [
            one
            for one in self.asked.values()
            if one.state is state and (until is None or one.since <= until)
        ]
        found.sort(key=lambda one: one.since, reverse=state not in UNDER_WAY)
        return found if state in UNDER_WAY else found[:100]

    def requests(self) -> Iterator[RewardRequest]:
        return iter(self.asked.values())
