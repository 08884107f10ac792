"""Quests (G8): where a rep stands, and who confirms a step."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from dibs.aws import clock
from dibs.callers import REP, REP_OR_MANAGER_OF_BODY, VIEWER_OF_PART
from dibs.core.credentials import Manager, is_manager
from dibs.core.errors import (
    DibsError,
    Ended,
    FieldError,
    Forbidden,
    InvalidInput,
    RouteNotFound,
    Unauthorized,
)
from dibs.core.rep import Rep
from dibs.game.quests import steps as quests
from dibs.game.quests.steps import QuestProgress
from dibs.roster.callers import manages
from dibs.roster.trail import noting
from dibs.web.http import Event, Response, answer, path, see_other, wants_html
from dibs.web.json_body import FORM
from dibs.web.route import ERROR_PAGES, HTML, Route
from dibs.web.sign_in import caller
from dibs.wiring import wiring
from game import approvals, page
from game.body import DoneBy, PeerIn


def mine(event: Event, rep: Rep) -> Response:
    """`GET /me/quests`: where I stand in each quest, what is next, and who has to confirm it.

    In a browser with forms, and the steps of colleagues that wait for my word.
    """
    found = quests.standings(wiring().quest_deps, rep)
    peers = sorted({told.peer for one in found for told in one.told.values() if told.peer})
    names = {rep_id: peer.name for rep_id, peer in wiring().roster.get_many(peers).items()}
    if wants_html(event):
        team = (one for one, _ in wiring().roster.team(rep.team))
        others = [one for one in team if one.active and one.rep_id != rep.rep_id]
        waiting = quests.pending(wiring().quest_deps, rep)
        return page.quests(rep, found, names, others, waiting, clock.now())
    return answer(200, {"quests": [_standing(one, names) for one in found]})


def _standing(standing: QuestProgress, names: Mapping[str, str]) -> dict[str, Any]:
    quest = standing.quest
    return {
        "quest": standing.quest_id,
        "name": quest.name,
        "badge": quest.badge,
        "points": quest.points,
        "until": standing.until and str(standing.until),
        "open": standing.is_open,
        "done": len(standing.done),
        "of": len(quest.steps),
        "finished_at": standing.finished_at,
        "next": standing.next_step,
        "steps": [_step(standing, step_id, names) for step_id in quest.steps],
    }


def _step(standing: QuestProgress, step_id: str, names: Mapping[str, str]) -> dict[str, Any]:
    step = standing.quest.steps[step_id]
    done, told = standing.done.get(step_id), standing.told.get(step_id)
    peer = told.peer if told else ""
    return {
        "step": step_id,
        "name": step.name,
        "type": step.type,
        "verified_by": step.verified_by,
        "told_at": told and told.at,
        "peer": {"rep_id": peer, "name": names.get(peer, "")} if peer else None,
        "done_at": done and done.at,
    }


def tell(event: Event, rep: Rep, sent: PeerIn) -> Response:
    """`POST /quests/{quest}/{step}`: say that I have done a step of a quest.

    A step nobody has to confirm is done with that. A `peer` is named where one confirms. From the
    form of my quests' page, that page comes next.
    """
    quest, step = path(event, "quest"), path(event, "step")
    try:
        told, done = quests.tell(wiring().quest_deps, rep, quest, step, sent.peer)
    except DibsError as error:
        return page.or_page(event, error, rep, page.QUESTS)
    if wants_html(event):
        return see_other(page.QUESTS)
    body = {"quest": quest, "step": step, "told_at": told.at, "peer": told.peer or None}
    return answer(200, {**body, "done": done})


def confirm(event: Event, by: Rep | Manager, sent: DoneBy) -> Response:
    """`POST /quests/{quest}/{step}/confirm`: confirm that a rep has done a step.

    The peer who was named does so, or a manager; nobody confirms their own.
    """
    quest, step = path(event, "quest"), path(event, "step")
    if isinstance(by, Manager):
        _check(by, sent.rep_id)
    peer = by if isinstance(by, Rep) else None
    noted: AbstractContextManager[object] = nullcontext()
    if isinstance(by, Manager):
        log, target, after = wiring().audit_log, f"{quest}/{step}", {"rep_id": sent.rep_id}
        noted = noting(log, by.manager_id, "quest.confirm", target, clock.now(), {}, after)
    with noted:
        rep = quests.confirm(wiring().quest_deps, peer, quest, step, sent.rep_id)
    if wants_html(event) and peer is not None:
        return see_other(page.QUESTS)
    done = {"quest": quest, "step": step, "rep_id": rep.rep_id, "done": True}
    return approvals.next_page(event, answer(200, done))


def _check(manager: Manager, rep_id: str) -> None:
    rep = wiring().roster.get(rep_id) if manager.team else None
    if rep is not None and not manages(manager, rep.team):
        raise InvalidInput((FieldError("rep_id", quests.NO_REP),))


def pending(event: Event, who: Rep | Manager) -> Response:
    """`GET /quests/pending`: the steps that wait for my word, as a peer or a manager."""
    del event
    peer = who if isinstance(who, Rep) else None
    team = who.team if isinstance(who, Manager) else ""
    named = wiring().roster.playbook().game.quests
    return answer(
        200,
        {
            "pending": [
                {
                    "quest": told.quest,
                    "quest_name": named[told.quest].name,
                    "step": told.step,
                    "step_name": named[told.quest].steps[told.step].name,
                    "rep": {"rep_id": rep.rep_id, "name": rep.name},
                    "told_at": told.at,
                }
                for told, rep in quests.pending(wiring().quest_deps, peer)
                if team in ("", rep.team)
            ]
        },
    )


_AGAIN = "The same again changes nothing."


def _not_confirmed(event: Event, error: DibsError) -> Response | None:
    """Return the page that says why a step is not confirmed: a peer's, or a manager's."""
    if _by_manager(event):
        return approvals.error_page(event, error)
    return page.page_of(page.QUESTS)(event, error)


def _by_manager(event: Event) -> bool:
    with suppress(Unauthorized):
        return is_manager(caller(event).owner)
    return False


ROUTES = {
    "GET /me/quests": Route(
        mine,
        REP,
        {200: ("Quests", HTML), 303: "", 304: "", **ERROR_PAGES},
        page=page.page_of(page.QUESTS),
    ),
    "GET /quests/pending": Route(pending, VIEWER_OF_PART, {200: "Pending"}),
    "POST /quests/{quest}/{step}": Route(
        tell,
        REP,
        {200: "Told", 303: "", **ERROR_PAGES},
        (RouteNotFound, Forbidden, Ended),
        body=PeerIn,
        also={FORM: PeerIn.read_form},
        page=page.page_of(page.QUESTS),
        repeated="Told twice is told once; another peer takes the place of the first.",
    ),
    "POST /quests/{quest}/{step}/confirm": Route(
        confirm,
        REP_OR_MANAGER_OF_BODY,
        {200: "Confirmed", 303: "", **ERROR_PAGES},
        (RouteNotFound, Forbidden),
        body=DoneBy,
        also={FORM: DoneBy.read_form},
        page=_not_confirmed,
        repeated=_AGAIN,
    ),
}
