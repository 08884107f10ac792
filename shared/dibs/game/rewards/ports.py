"""What rewards need from the outside, and nothing more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dibs.game.rewards.rules import Request, Reward
    from dibs.game.rewards.rules import State as RewardState
    from dibs.game.scoring.points import Account


class RewardStore(Protocol):
    """The catalogue of rewards, and the requests for them (G9).

    A request is stored with what its step moves of points and stock, in one transaction.
    """

    def rewards(self) -> list[Reward]: ...

    def put(self, reward: Reward) -> bool:
        """Store a reward; False when more are taken than its stock is to be."""
        ...

    def look(
        self, rep_id: str, reward_id: str, request_id: str
    ) -> tuple[Reward | None, Account, Request | None]:
        """Return a reward, a rep's points and a request of theirs, as they are now."""
        ...

    def ask(self, reward: Reward, request: Request) -> bool:
        """Store a new request; False when the reward or the points do not allow it any more, or
        it was stored before, and nothing was changed.

        Raises:
            Busy: the store is busy for longer than we may wait; nothing was changed.
        """
        ...

    def find(self, request_id: str) -> Request | None: ...

    def move(self, was: Request, now: Request) -> bool:
        """Store a request's next step; False when it was not any more as it was read."""
        ...

    def of_rep(self, rep_id: str) -> list[Request]:
        """Return a rep's requests, the newest first."""
        ...

    def in_state(self, state: RewardState, until: datetime | None = None) -> list[Request]:
        """Return the requests in a state, by since when: the oldest first where something is still
        to be done, else the latest hundred, the newest first. `until`: those since then."""
        ...

    def requests(self) -> Iterable[Request]: ...
