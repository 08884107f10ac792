"""The store that rewards need."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dibs.game.rewards.rules import RequestState, Reward, RewardRequest
    from dibs.game.scoring.points import Account


class RewardStore(Protocol):
    """The catalogue of rewards, and the requests for them (G9).

    A step of a request is stored with its change of points and stock, in one transaction.
    """

    def rewards(self) -> list[Reward]: ...

    def put(self, reward: Reward) -> bool:
        """Store a reward; False when more are taken than its new stock."""
        ...

    def look(
        self, rep_id: str, reward_id: str, request_id: str
    ) -> tuple[Reward | None, Account, RewardRequest | None]:
        """Return a reward, a rep's points and one of their requests, read consistently."""
        ...

    def ask(self, reward: Reward, request: RewardRequest) -> bool:
        """Store a new request; False, and nothing changed, when the reward or the points no longer
        allow it, or it is stored already.

        Raises:
            Busy: the store is busy for longer than we may wait.
        """
        ...

    def find(self, request_id: str) -> RewardRequest | None: ...

    def move(self, was: RewardRequest, now: RewardRequest) -> bool:
        """Store a request's next step; False when the request has changed since it was read."""
        ...

    def of_rep(self, rep_id: str) -> list[RewardRequest]:
        """Return a rep's requests, the newest first."""
        ...

    def in_state(self, state: RequestState, until: datetime | None = None) -> list[RewardRequest]:
        """Return the requests in a state: the oldest first where a decision is still due, else the
        latest hundred, the newest first. With `until`, only those in the state by then."""
        ...

    def requests(self) -> Iterable[RewardRequest]: ...
