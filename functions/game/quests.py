"""Quests (G8): where a rep stands, and who confirms a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dibs.game.quests import steps as quests
from dibs.game.quests.steps import Standing
from dibs.intake.body import json_object, raw_body
from dibs.roster.callers import calling_rep, calling_viewer
from dibs.web.entry import Event
from dibs.web.http import Response, answer, path
from dibs.wiring import wiring


def mine(event: Event) -> Response:
    """`GET /me/quests`: where I stand in each quest, what is next, and who has to confirm it."""
    rep, _ = calling_rep(event, wiring().roster)
    found = quests.standings(wiring().quest_deps, rep)
    peers = sorted({told.peer for one in found for told in one.told.values() if told.peer})
    names = {rep_id: peer.name for rep_id, peer in wiring().roster.get_many(peers).items()}
    return answer(200, {"quests": [_standing(one, names) for one in found]})


def _standing(standing: Standing, names: Mapping[str, str]) -> dict[str, Any]:
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


def _step(standing: Standing, step_id: str, names: Mapping[str, str]) -> dict[str, Any]:
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


def tell(event: Event) -> Response:
    """`POST /quests/{quest}/{step}` `{"peer": "<rep_id>"}`: I have done this step.

    A step nobody has to confirm is done with that. A `peer` is named where one confirms.
    """
    rep, _ = calling_rep(event, wiring().roster)
    peer = json_object(raw_body(event)).get("peer")
    quest, step = path(event, "quest"), path(event, "step")
    told, done = quests.tell(wiring().quest_deps, rep, quest, step, peer)
    body = {"quest": quest, "step": step, "told_at": told.at, "peer": told.peer or None}
    return answer(200, {**body, "done": done})


def confirm(event: Event) -> Response:
    """`POST /quests/{quest}/{step}/confirm` `{"rep_id": "..."}`: they have; the peer or a manager.

    Nobody confirms their own.
    """
    by = calling_viewer(event, wiring().roster)
    rep_id = json_object(raw_body(event)).get("rep_id")
    quest, step = path(event, "quest"), path(event, "step")
    rep = quests.confirm(wiring().quest_deps, by, quest, step, rep_id)
    return answer(200, {"quest": quest, "step": step, "rep_id": rep.rep_id, "done": True})


def pending(event: Event) -> Response:
    """`GET /quests/pending`: the steps that wait for my word, as a peer or a manager."""
    who = calling_viewer(event, wiring().roster)
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
                for told, rep in quests.pending(wiring().quest_deps, who)
            ]
        },
    )


ROUTES = {
    "GET /me/quests": mine,
    "GET /quests/pending": pending,
    "POST /quests/{quest}/{step}": tell,
    "POST /quests/{quest}/{step}/confirm": confirm,
}
