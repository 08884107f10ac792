"""Points accounts and rewards (G9), for reps and managers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from dibs.assignment.work import reason_of
from dibs.aws import clock
from dibs.core.errors import FieldError, InvalidInput, RouteNotFound
from dibs.game.rewards import requests as rewards
from dibs.game.rewards.rules import WITH_REASON, Request, Reward, State
from dibs.game.scoring.points import Account, Transfer, level_of
from dibs.intake.body import json_object, raw_body
from dibs.roster.callers import calling_manager, calling_rep, calling_viewer
from dibs.rules.game import Level
from dibs.web.entry import Event
from dibs.web.http import Response, answer, path, query
from dibs.wiring import wiring

_CHOSEN_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_REQUEST_ID = re.compile(r"[a-z2-7]{1,20}\.[A-Za-z0-9_-]{1,40}")
# A prize is named after its contest, which is called as its manager likes.
_START = re.compile(r"[0-9]{13}#[^\x00-\x1f\x7f\ud800-\udfff]{1,400}")
_PAGE = 50


def catalogue(event: Event) -> Response:
    """`GET /rewards`: what there is, at what price, and whether I can afford it.

    Managers see all of it, also what is not to be had now.
    """
    rep = calling_viewer(event, wiring().roster)
    found = wiring().rewards.rewards()
    if rep is None:
        return answer(200, {"rewards": [_managed(reward) for reward in found]})
    account = wiring().points.account(rep.rep_id)
    shown = [_offered(reward, account) for reward in found if reward.active]
    return answer(200, {"balance": account.balance, "rewards": shown})


def put_reward(event: Event) -> Response:
    """`PUT /rewards/{reward_id}` `{"name": "...", "price": 200, "stock": 5}`: as it is to be.

    `stock` is how many there ever were, null for no end of them; `approval` and `active` are true
    unless they are said to be false.
    """
    calling_manager(event, wiring().roster)
    reward_id, body = path(event, "reward_id"), json_object(raw_body(event))
    return answer(200, _managed(rewards.put_reward(wiring().rewards, reward_id, body)))


def ask(event: Event) -> Response:
    """`POST /rewards/{reward_id}/requests` `{"request_id": "...", "price": 200}`: I want it, once
    for each id.

    201 when it was asked for now, 200 when it was before. `price` may be left out; where it is not
    the price any more, nothing is asked for.
    """
    rep, _ = calling_rep(event, wiring().roster)
    reward_id, body = path(event, "reward_id"), json_object(raw_body(event))
    chosen, price = body.get("request_id"), body.get("price")
    if not rewards.REWARD_ID.fullmatch(reward_id):
        raise RouteNotFound("There is no such reward.")
    if not (isinstance(chosen, str) and _CHOSEN_ID.fullmatch(chosen)):
        problem = "send an id of your own for this request, up to 40 of A-Z, a-z, 0-9, - and _"
        raise InvalidInput((FieldError("request_id", problem),))
    if price is not None and type(price) is not int:
        raise InvalidInput((FieldError("price", "send the points it costs, or leave it out"),))
    request, new = rewards.ask(wiring().rewards, rep.rep_id, reward_id, chosen, clock.now, price)
    return answer(201 if new else 200, _request(request))


def mine(event: Event) -> Response:
    """`GET /me/rewards`: what I asked for, the newest first."""
    rep, _ = calling_rep(event, wiring().roster)
    found = wiring().rewards.of_rep(rep.rep_id)
    return answer(200, {"requests": [_request(request) for request in found]})


def points(event: Event) -> Response:
    """`GET /me/points`: my points, my level, and where they came from and went, the newest first.

    `next` is where the next page is, None where there is no more.
    """
    rep, _ = calling_rep(event, wiring().roster)
    start = query(event, "start")
    if start and not _START.fullmatch(start):
        raise InvalidInput((FieldError("start", "follow the `next` of the page before"),))
    account = wiring().points.account(rep.rep_id)
    page, following = wiring().points.history(rep.rep_id, _PAGE, start)
    held, ahead = level_of(account, wiring().roster.playbook().game.levels)
    body = {
        "balance": account.balance,
        "earned": account.earned,
        "lapsed": account.lapsed,
        "spent": account.spent,
        "level": _level(held, account),
        "next_level": _level(ahead, account),
        "history": [_moved(transfer) for transfer in page],
        "next": f"/me/points?start={quote(following)}" if following else None,
    }
    return answer(200, body)


def requests(event: Event) -> Response:
    """`GET /rewards/requests?state=requested`: who asked for what; the oldest first where something
    is to be done, else the latest hundred."""
    calling_manager(event, wiring().roster)
    wanted = query(event, "state") or State.REQUESTED.value
    if wanted not in list(State):
        raise InvalidInput((FieldError("state", f"use one of {', '.join(State)}"),))
    found = wiring().rewards.in_state(State(wanted))
    names = wiring().roster.get_many(sorted({one.rep_id for one in found}))
    listed = [
        {
            **_request(one),
            "rep_id": one.rep_id,
            "rep_name": names[one.rep_id].name if one.rep_id in names else None,
        }
        for one in found
    ]
    return answer(200, {"requests": listed})


def _deciding(state: State) -> Callable[[Event], Response]:
    def decide(event: Event) -> Response:
        manager, body = calling_manager(event, wiring().roster), json_object(raw_body(event))
        given, request_id = body.get("reason"), path(event, "request_id")
        reason = reason_of(given) if state in WITH_REASON or given is not None else ""
        if not _REQUEST_ID.fullmatch(request_id):
            raise RouteNotFound("There is no such request.")
        store = wiring().rewards
        found, changed = rewards.decide(store, request_id, state, manager, reason, clock.now)
        return answer(200, {**_request(found), "rep_id": found.rep_id, "changed": changed})

    return decide


def _offered(reward: Reward, account: Account) -> dict[str, Any]:
    missing = max(0, reward.price - account.balance)
    return {
        "reward_id": reward.reward_id,
        "name": reward.name,
        "price": reward.price,
        "left": reward.left,
        "approval": reward.approval,
        "affordable": not missing,
        "missing": missing,
    }


def _managed(reward: Reward) -> dict[str, Any]:
    return {
        "reward_id": reward.reward_id,
        "name": reward.name,
        "price": reward.price,
        "stock": reward.stock,
        "taken": reward.taken,
        "left": reward.left,
        "approval": reward.approval,
        "active": reward.active,
    }


def _request(request: Request) -> dict[str, Any]:
    return {
        "request_id": request.request_id,
        "reward_id": request.reward_id,
        "name": request.name,
        "price": request.price,
        "state": request.state,
        "requested_at": request.at,
        "steps": [
            {"state": step.state, "at": step.at, "by": step.by, "reason": step.reason}
            for step in request.steps
        ],
    }


def _level(level: Level | None, account: Account) -> dict[str, Any] | None:
    if level is None:
        return None
    missing = max(0, level.from_points - (account.earned - account.lapsed))
    return {"name": level.name, "from_points": level.from_points, "missing": missing}


def _moved(transfer: Transfer) -> dict[str, Any]:
    return {
        "transfer_id": transfer.transfer_id,
        "at": transfer.at,
        "points": transfer.gained,
        "rule": transfer.rule,
        "cause": transfer.cause,
    }


ROUTES: dict[str, Callable[[Event], Response]] = {
    "GET /rewards": catalogue,
    "PUT /rewards/{reward_id}": put_reward,
    "POST /rewards/{reward_id}/requests": ask,
    "GET /me/rewards": mine,
    "GET /me/points": points,
    "GET /rewards/requests": requests,
    "POST /rewards/requests/{request_id}/approve": _deciding(State.APPROVED),
    "POST /rewards/requests/{request_id}/refuse": _deciding(State.REFUSED),
    "POST /rewards/requests/{request_id}/collect": _deciding(State.COLLECTED),
    "POST /rewards/requests/{request_id}/recall": _deciding(State.RECALLED),
}
