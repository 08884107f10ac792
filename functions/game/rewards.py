"""Points accounts and rewards (G9), for reps and managers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from dibs.aws import clock
from dibs.callers import (
    MANAGER_OF_ALL,
    MANAGER_OF_BODY,
    MANAGER_OF_NAMED,
    MANAGER_OF_PART,
    REP,
    VIEWER,
)
from dibs.core.credentials import Manager
from dibs.core.errors import (
    AlreadyDecided,
    AlreadyExists,
    DibsError,
    FieldError,
    InvalidInput,
    NotEnoughPoints,
    Outdated,
    OutOfStock,
    RouteNotFound,
)
from dibs.core.rep import Rep
from dibs.game.help.rules import HELPED
from dibs.game.rewards import requests as rewards
from dibs.game.rewards.rules import WITH_REASON, RequestState, Reward, RewardRequest
from dibs.game.scoring.points import Account, Transfer, level_of
from dibs.game.scoring.texts import points_words
from dibs.roster.callers import manages
from dibs.roster.trail import noting
from dibs.rules.game import Level
from dibs.web.http import Event, Response, answer, path, query, see_other, wants_html
from dibs.web.json_body import FORM
from dibs.web.route import ERROR_PAGES, HTML, Route
from dibs.web.translations import shown_company
from dibs.wiring import wiring
from game import approvals, page
from game.body import ApprovalsIn, DecisionIn, RefusalIn, RewardIn, RewardRequestIn

_REQUEST_ID = re.compile(r"[a-z2-7]{1,20}\.[A-Za-z0-9_-]{1,40}")
# A prize is named after its contest, which is called as its manager likes.
_PAGE_START = re.compile(r"[0-9]{13}#[^\x00-\x1f\x7f\ud800-\udfff]{1,400}")
_PAGE = 50


def catalogue(event: Event, rep: Rep | None) -> Response:
    """`GET /rewards`: what there is, at what price, and whether I can afford it.

    Managers see all of it, also what is not to be had now. A rep's browser is shown what they asked
    for as well.
    """
    found = wiring().rewards.rewards()
    if rep is None:
        return answer(200, {"rewards": [_managed(reward) for reward in found]})
    account = wiring().points.account(rep.rep_id)
    if wants_html(event):
        asked, now = wiring().rewards.of_rep(rep.rep_id), clock.now()
        return page.rewards(rep, found, account, asked, str(clock.to_ms(now)), now)
    shown = [_offered(reward, account) for reward in found if reward.active]
    return answer(200, {"balance": account.balance, "rewards": shown})


def put_reward(event: Event, manager: Manager, sent: RewardIn) -> Response:
    """`PUT /rewards/{reward_id}`: set up a reward, or change it.

    `stock` is how many there ever were, null for no end of them; `approval` and `active` are true
    unless they are said to be false.
    """
    reward_id = path(event, "reward_id")
    was = next((one for one in wiring().rewards.rewards() if one.reward_id == reward_id), None)
    before = {} if was is None else _managed(was)
    log, by = wiring().audit_log, manager.manager_id
    with noting(log, by, "reward.put", reward_id, clock.now(), before) as note:
        reward = rewards.put_reward(wiring().rewards, reward_id, sent.named)
        note.after = _managed(reward)
    return answer(200, _managed(reward))


def ask(event: Event, rep: Rep, sent: RewardRequestIn) -> Response:
    """`POST /rewards/{reward_id}/requests`: ask for a reward, once for each `request_id`.

    201 when it was asked for now, 200 when it was before. `price` may be left out; where it is not
    the price any more, nothing is asked for. From the form of the rewards' page, that page comes
    next.
    """
    reward_id, chosen, price = path(event, "reward_id"), sent.request_id, sent.price
    store = wiring().rewards
    try:
        if not rewards.REWARD_ID.fullmatch(reward_id):
            raise RouteNotFound("There is no such reward.")
        request, new = rewards.ask(store, rep.rep_id, reward_id, chosen, clock.now, price)
    except DibsError as error:
        return page.or_page(event, error, rep, page.REWARDS)
    if wants_html(event):
        return see_other(page.REWARDS)
    return answer(201 if new else 200, _request(request))


def mine(event: Event, rep: Rep) -> Response:
    """`GET /me/rewards`: the rewards I asked for, the newest first."""
    del event
    found = wiring().rewards.of_rep(rep.rep_id)
    return answer(200, {"requests": [_request(request) for request in found]})


def points(event: Event, rep: Rep) -> Response:
    """`GET /me/points`: my points, my level, and where they came from and went, the newest first.

    `next` is where the next page is, null where there is no more.
    """
    start = query(event, "start")
    if start and not _PAGE_START.fullmatch(start):
        raise InvalidInput((FieldError("start", "follow the `next` of the page before"),))
    account = wiring().points.account(rep.rep_id)
    moved, following = wiring().points.history(rep.rep_id, _PAGE, start)
    companies = _companies(moved, rep)
    held, ahead = level_of(account, wiring().roster.playbook().game.levels)
    body = {
        "balance": account.balance,
        "earned": account.earned,
        "lapsed": account.lapsed,
        "spent": account.spent,
        "level": _level(held, account),
        "next_level": _level(ahead, account),
        "history": [_moved(one, companies.get(one.cause, ""), rep) for one in moved],
        "next": f"/me/points?start={quote(following)}" if following else None,
    }
    return page.points(rep, body, clock.now()) if wants_html(event) else answer(200, body)


def _companies(moved: Sequence[Transfer], rep: Rep) -> dict[str, str]:
    """Return the companies of the rep's own leads behind transfers, by the transfers' causes."""
    entries = wiring().ledger.find(sorted({one.cause for one in moved if one.cause}))
    of_lead = {
        cause: entry.lead_id
        for cause, entry in entries.items()
        # A colleague's lead that one helped with is named to nobody else (C3).
        if entry.lead_id and entry.kind != HELPED
    }
    leads = wiring().leads.get_many(sorted(set(of_lead.values()))) if of_lead else {}
    return {
        cause: shown_company(leads[lead_id], rep.language)
        for cause, lead_id in of_lead.items()
        if lead_id in leads
    }


def requests(event: Event, manager: Manager) -> Response:
    """`GET /rewards/requests`: who asked for what reward.

    The oldest first where something is to be done, else the latest hundred.
    """
    wanted = query(event, "state") or RequestState.REQUESTED.value
    if wanted not in list(RequestState):
        raise InvalidInput((FieldError("state", f"use one of {', '.join(RequestState)}"),))
    found = wiring().rewards.in_state(RequestState(wanted))
    names = wiring().roster.get_many(sorted({one.rep_id for one in found}))
    listed = [
        {
            **_request(one),
            "rep_id": one.rep_id,
            "rep_name": names[one.rep_id].name if one.rep_id in names else None,
        }
        for one in found
        if not manager.team or (one.rep_id in names and names[one.rep_id].team == manager.team)
    ]
    return answer(200, {"requests": listed})


def approve_many(event: Event, manager: Manager, sent: ApprovalsIn) -> Response:
    """`POST /rewards/requests/approve`: let reps have what they asked for, each request by itself.

    What cannot be approved any more is told with its reason; the others are approved all the same.
    """
    _check_requests(manager, sent.request_ids)
    approved, refused = list[dict[str, Any]](), list[dict[str, Any]]()
    for request_id in dict.fromkeys(sent.request_ids):
        try:
            found, changed = _decide(manager, request_id, RequestState.APPROVED)
        except (AlreadyDecided, RouteNotFound) as error:
            refused.append(
                {
                    "request_id": request_id,
                    "code": error.code,
                    "detail": approvals.said(request_id, error),
                }
            )
        else:
            approved.append({**_request(found), "rep_id": found.rep_id, "changed": changed})
    if refused and wants_html(event):
        return approvals.not_all(len(approved), [str(one["detail"]) for one in refused])
    return approvals.next_page(event, answer(200, {"approved": approved, "refused": refused}))


def _check_requests(manager: Manager, request_ids: Sequence[str]) -> None:
    """Check that each request is of a rep the manager manages; nothing is approved otherwise."""
    whose = {one: one.partition(".")[0] for one in request_ids if _REQUEST_ID.fullmatch(one)}
    reps = wiring().roster.get_many(sorted(set(whose.values())))
    for one in request_ids:
        rep = reps.get(whose.get(one, ""))
        if rep is None or not manages(manager, rep.team):
            problem = "name requests that reps made; look at GET /rewards/requests"
            raise InvalidInput((FieldError("request_ids", problem),))


def _decide(
    manager: Manager, request_id: str, state: RequestState, reason: str = ""
) -> tuple[RewardRequest, bool]:
    """Move a request to a state, with its entry in the audit trail; tell whether that is new.

    Raises:
        RouteNotFound: there is no such request.
        AlreadyDecided: it cannot go from its state to this one.
    """
    if not _REQUEST_ID.fullmatch(request_id):
        raise RouteNotFound("There is no such request.")
    store, by = wiring().rewards, manager.manager_id
    what, log = f"reward.{state.value}", wiring().audit_log
    with noting(log, by, what, request_id, clock.now(), {}, {"state": state.value}) as note:
        found, changed = rewards.decide(store, request_id, state, by, reason, clock.now)
        note.after = {"state": found.state.value} if changed else {}
    return found, changed


def _deciding(state: RequestState, summary: str) -> Route:
    def decide(event: Event, manager: Manager, sent: DecisionIn | RefusalIn) -> Response:
        reason = sent.reason or ""
        found, changed = _decide(manager, path(event, "request_id"), state, reason)
        done = {**_request(found), "rep_id": found.rep_id, "changed": changed}
        return approvals.next_page(event, answer(200, done))

    shape = RefusalIn if state in WITH_REASON else DecisionIn
    return Route(
        decide,
        MANAGER_OF_NAMED,
        {200: "Decided", **approvals.PAGES},
        (RouteNotFound, AlreadyDecided),
        body=shape,
        also={FORM: shape.read_form},
        page=approvals.error_page,
        repeated="Decided alike twice is decided once; changed is false then.",
        summary=summary,
    )


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


def _request(request: RewardRequest) -> dict[str, Any]:
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


def _moved(transfer: Transfer, company: str, rep: Rep) -> dict[str, Any]:
    return {
        "transfer_id": transfer.transfer_id,
        "at": transfer.at,
        "points": transfer.gained,
        "rule": transfer.rule,
        "cause": transfer.cause,
        "company": company or None,
        "words": points_words(transfer.rule, company, rep.language),
    }


_STATES = {"state": {"description": "requested, unless named.", "enum": list(RequestState)}}
_START = {"start": {"description": "Where `next` of the page before says.", "type": "string"}}

ROUTES: dict[str, Route] = {
    "GET /rewards": Route(
        catalogue,
        VIEWER,
        {200: ("Offered", "Managed", HTML), 303: "", 304: "", **ERROR_PAGES},
        page=page.page_of(page.REWARDS),
    ),
    "PUT /rewards/{reward_id}": Route(
        put_reward,
        MANAGER_OF_ALL,
        {200: "ManagedReward"},
        body=RewardIn,
        repeated="What is sent is how it is then, however often.",
    ),
    "POST /rewards/{reward_id}/requests": Route(
        ask,
        REP,
        {201: "RewardRequest", 200: "RewardRequest", 303: "", **ERROR_PAGES},
        (RouteNotFound, OutOfStock, NotEnoughPoints, AlreadyExists, Outdated),
        body=RewardRequestIn,
        also={FORM: RewardRequestIn.read_form},
        page=page.page_of(page.REWARDS),
        repeated="The same request_id is the same request: 200.",
    ),
    "GET /me/rewards": Route(mine, REP, {200: "OwnRequests"}),
    "GET /me/points": Route(
        points,
        REP,
        {200: ("Points", HTML), 303: "", 304: "", **ERROR_PAGES},
        (InvalidInput,),
        query=_START,
        page=page.page_of(page.POINTS),
    ),
    "GET /rewards/requests": Route(
        requests, MANAGER_OF_PART, {200: "Requests"}, (InvalidInput,), query=_STATES
    ),
    "POST /rewards/requests/approve": Route(
        approve_many,
        MANAGER_OF_BODY,
        {200: "DecidedTogether", **approvals.PAGES},
        body=ApprovalsIn,
        also={FORM: ApprovalsIn.read_form},
        repeated="Approved twice is approved once; changed is false then.",
        page=approvals.error_page,
    ),
    "POST /rewards/requests/{request_id}/approve": _deciding(
        RequestState.APPROVED, "Let the rep have it."
    ),
    "POST /rewards/requests/{request_id}/refuse": _deciding(
        RequestState.REFUSED, "Do not let the rep have it, with a reason; the points go back."
    ),
    "POST /rewards/requests/{request_id}/collect": _deciding(
        RequestState.COLLECTED, "The rep has collected it."
    ),
    "POST /rewards/requests/{request_id}/recall": _deciding(
        RequestState.RECALLED, "Take back what was approved, with a reason; the points go back."
    ),
}
