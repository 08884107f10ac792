"""Points are redeemed by a request that a manager decides; points and requests expire by rule (G9).

Also the audit of points, stock and requests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dibs.core.attempts import attempts
from dibs.core.calendar import last_completed
from dibs.core.errors import (
    AlreadyExists,
    Busy,
    FieldError,
    InvalidInput,
    Outdated,
    RouteNotFound,
)
from dibs.core.jobs import JobResult
from dibs.game.rewards.ports import RewardStore
from dibs.game.rewards.rules import (
    AUTOMATIC,
    RequestState,
    Reward,
    RewardRequest,
    differences,
    request_name,
    requested,
    stepped,
)
from dibs.game.scoring.points import LAPSED, Transfer, decayed
from dibs.game.scoring.ports import PointsLedger
from dibs.receipts.receipts import Fault
from dibs.reports.recalculate import PeriodDeps
from dibs.rules.game import Rewards

ZONE = "UTC"
"""The zone of the months in which points expire: one for all, whatever team a rep is on by then."""

REWARD_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

_JOB = "decay"
_MOST = 1_000_000
_LONGEST_NAME = 80

REWARD_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "price", "stock"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": _LONGEST_NAME},
        "price": {"type": "integer", "minimum": 1, "maximum": _MOST},
        "stock": {
            "description": "How many there ever were; null for no end of them.",
            "anyOf": [{"type": "integer", "minimum": 0, "maximum": _MOST}, {"type": "null"}],
        },
        "approval": {"type": "boolean", "default": True},
        "active": {"type": "boolean", "default": True},
    },
}
"""The JSON Schema of what `put_reward` takes."""
_FIELDS = tuple(REWARD_SCHEMA["properties"])


@dataclass(frozen=True)
class ExpiredRequests:
    """How many requests expired: without a decision, or approved but never collected."""

    undecided: int = 0
    uncollected: int = 0


def put_reward(store: RewardStore, reward_id: str, values: Mapping[str, Any]) -> Reward:
    """Store a reward of the catalogue; return the stored reward.

    Fields: `name`, `price`, `stock` (how many there ever were, None for unlimited), `approval` and
    `active` (both True by default).

    Raises:
        InvalidInput: names every field that is wrong; nothing was stored.
    """
    price: Any = values.get("price")
    name, stock = values.get("name"), values.get("stock")
    name = name.strip() if isinstance(name, str) else ""
    approval, active = (values.get(field, True) for field in ("approval", "active"))
    wrong = {
        **{
            field: f"is not known here; send {', '.join(_FIELDS)}"
            for field in values
            if field not in _FIELDS
        },
        "reward_id": ""
        if REWARD_ID.fullmatch(reward_id)
        else "use up to 40 of a-z, 0-9, - and _, not beginning with - or _",
        "name": ""
        if 0 < len(name) <= _LONGEST_NAME and name.isprintable()
        else f"send up to {_LONGEST_NAME} letters",
        "price": "" if _whole(price, 1) else f"send a whole number of points from 1 to {_MOST}",
        "stock": ""
        if "stock" in values and (stock is None or _whole(stock, 0))
        else f"send how many there ever were, from 0 to {_MOST}, or null for no end of them",
        "approval": "" if isinstance(approval, bool) else "send true or false",
        "active": "" if isinstance(active, bool) else "send true or false",
    }
    errors = tuple(FieldError(field, problem) for field, problem in wrong.items() if problem)
    if errors:
        raise InvalidInput(errors)
    if not store.put(Reward(reward_id, name, price, stock, approval, active)):
        problem = "is less than what is taken already; send how many there ever were"
        raise InvalidInput((FieldError("stock", problem),))
    return next(reward for reward in store.rewards() if reward.reward_id == reward_id)


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MOST


def ask(
    store: RewardStore,
    rep_id: str,
    reward_id: str,
    chosen: str,
    clock: Callable[[], datetime],
    price: int | None = None,
) -> tuple[RewardRequest, bool]:
    """Request a reward, once for each id the rep's app chose; return it, and whether it is new.

    `price` is the price the rep saw; without it they pay the current price.

    Raises:
        RouteNotFound: there is no such reward, or it is not active.
        OutOfStock: the last one is gone.
        NotEnoughPoints: says how many are missing.
        AlreadyExists: the id belongs to a request for another reward.
        Outdated: the price has changed.
        Busy: the store is busy for longer than we may wait.
    """
    name = request_name(rep_id, chosen)
    for _ in attempts():
        reward, account, stored = store.look(rep_id, reward_id, name)
        if stored is not None:
            if stored.reward_id != reward_id:
                raise AlreadyExists("This request_id is another request's. Choose a new one.")
            return stored, False
        if reward is None:
            raise RouteNotFound("There is no such reward.")
        if price not in (None, reward.price):
            raise Outdated(f"It costs {reward.price} points by now. Ask for it at that price.")
        request = requested(reward, account, name, clock())
        if store.ask(reward, request):
            return request, True
    raise Busy


def decide(
    store: RewardStore,
    request_id: str,
    state: RequestState,
    by: str,
    reason: str,
    clock: Callable[[], datetime],
) -> tuple[RewardRequest, bool]:
    """Move a request to a state; return it, and whether the state is new.

    Raises:
        RouteNotFound: there is no such request.
        AlreadyDecided: it cannot go from its state to this one.
        Busy: the store is busy for longer than we may wait.
    """
    for _ in attempts():
        stored = store.find(request_id)
        if stored is None:
            raise RouteNotFound("There is no such request.")
        if stored.state is state:
            return stored, False
        now = stepped(stored, state, clock(), by, reason)
        if store.move(stored, now):
            return now, True
    raise Busy


def expire_requests(store: RewardStore, rules: Rewards, as_of: datetime) -> ExpiredRequests:
    """Expire requests that were not decided, and rewards that were not collected, in time (G9).

    Exactly `request_days` or `collect_days` later is too late. Points and stock go back.
    """
    return ExpiredRequests(
        undecided=_expire(store, RequestState.REQUESTED, as_of, rules.request_days),
        uncollected=_expire(store, RequestState.APPROVED, as_of, rules.collect_days),
    )


def _expire(store: RewardStore, state: RequestState, as_of: datetime, days: int) -> int:
    due = store.in_state(state, as_of - timedelta(days=days))
    # The list may be a moment old; a request that changed since is left alone.
    return sum(store.move(r, stepped(r, RequestState.LAPSED, as_of, AUTOMATIC)) for r in due)


def decay_monthly(deps: PeriodDeps, points: PointsLedger, as_of: datetime) -> JobResult:
    """Let old points expire for the month before `as_of`, once for each rep and month (G9).

    The next run continues a run that died, under the rules that one began with. A month that ended
    while the rule was off is never made up for.
    """
    month = last_completed("month", ZONE, as_of)
    current = deps.playbooks.in_force()
    version = deps.results.begin(_JOB, month.name, current.number, deps.clock())
    if version is None:
        return JobResult()
    playbook = (deps.playbooks.get(version) or current).playbook
    rules, reps, changed = playbook.game.decay, 0, 0
    cutoff = month.end - timedelta(days=rules.after_days)
    for team in playbook.teams if rules.percent else ():
        for rep, _ in deps.roster.team(team):
            reps += 1
            changed += _decay(points, rep.rep_id, month.name, month.end, cutoff, rules.percent)
    deps.results.end(_JOB, month.name, deps.clock())
    return JobResult(1, reps, changed)


def _decay(
    points: PointsLedger, rep_id: str, month: str, at: datetime, cutoff: datetime, percent: int
) -> bool:
    name = f"{_JOB}/{rep_id}/{month}"
    for _ in attempts():
        # The balance first: an award between the two reads counts as new, so nothing expires early.
        account = points.account(rep_id)
        later = list(points.since(rep_id, cutoff))
        expiring = decayed(account, later, cutoff, percent)
        if not expiring or any(transfer.transfer_id == name for transfer in later):
            return False
        transfer = Transfer(name, rep_id, LAPSED, expiring, at, _JOB, month)
        if points.book([transfer], covered=True):
            return True
    raise Busy


def audit_points(points: PointsLedger, store: RewardStore) -> list[Fault]:
    """Return where points, stock and requests do not agree; empty where they do (G9).

    Only differences found twice are returned: the tables change while they are read, and a
    difference from a write in progress is gone the second time.
    """
    suspected = {(fault.kind, fault.where) for fault in _differences(points, store)}
    if not suspected:
        return []
    return [f for f in _differences(points, store) if (f.kind, f.where) in suspected]


def _differences(points: PointsLedger, store: RewardStore) -> list[Fault]:
    return list(
        differences(points.accounts(), points.transfers(), store.rewards(), store.requests())
    )
