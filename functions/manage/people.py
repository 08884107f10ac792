"""What managers do about reps: see who is on, change a profile, set targets, let somebody go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

from dibs.assignment.override import NO_REP
from dibs.aws import clock
from dibs.core.credentials import Manager
from dibs.core.errors import FieldError, InvalidInput, RouteNotFound
from dibs.people.operator import all_reps
from dibs.people.profiles import change_profile, fallback_of, leave_for_good, profile_fields
from dibs.people.shown import rep_shown
from dibs.reports.quotas import LARGEST_TARGET
from dibs.roster.callers import check_team, manages
from dibs.roster.trail import Note, noting
from dibs.web.http import Event, Response, answer, path
from dibs.wiring import wiring
from manage.body import ProfileIn, TargetsIn

_MONTH = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])")


def reps(event: Event, manager: Manager) -> Response:
    """`GET /reps`: who is on which team, and who is on duty."""
    del event
    playbook = wiring().roster.playbook(fresh=True)
    found = all_reps(wiring().roster, manager.team)
    return answer(200, {"reps": [rep_shown(rep, playbook, clock.now()) for rep in found]})


def put_rep(event: Event, manager: Manager, sent: ProfileIn) -> Response:
    """`PUT /reps/{rep_id}`: change what is named of a rep: name, phone, team, hours and so on."""
    rep_id = path(event, "rep_id")
    if manager.team and sent.named.get("team", manager.team) != manager.team:
        check_team(manager, str(sent.named["team"]))
    was = wiring().roster.get(rep_id)
    before = profile_fields(was, sent.named) if was is not None else {}
    with _noting(manager, "rep.change", rep_id, before) as note:
        changed = change_profile(wiring().roster, rep_id, sent.named)
        note.after = profile_fields(changed, sent.named)
    wiring().timers.check("queue.check")
    wiring().timers.check("rep.check", rep_id=rep_id)
    return answer(200, rep_shown(changed, wiring().roster.playbook(), clock.now()))


def let_go(event: Event, manager: Manager) -> Response:
    """`POST /reps/{rep_id}/leave`: the rep leaves at once, and their open leads go back (R8)."""
    rep_id = path(event, "rep_id")
    was = wiring().roster.get(rep_id)
    before = {"active": was is None or was.active}
    with _noting(manager, "rep.leave", rep_id, before, {"active": False}):
        returned = leave_for_good(
            wiring().roster, wiring().race, wiring().holdings, rep_id, manager.manager_id, clock.now
        )
    named = fallback_of(wiring().roster.playbook(), rep_id)
    body = {"rep_id": rep_id, "active": False, "leads_returned": returned, "fallback_of": named}
    return answer(200, body)


def targets(event: Event, manager: Manager) -> Response:
    """`GET /targets/{month}`: what is wanted of each rep in that month (M4)."""
    month = _month(event)
    found = all_reps(wiring().roster, manager.team)
    known = wiring().targets.of(month, [rep.rep_id for rep in found])
    return answer(200, {"month": f"{month:%Y-%m}", **_measure(), "targets": known})


def put_targets(event: Event, manager: Manager, sent: TargetsIn) -> Response:
    """`PUT /targets/{month}`: set what is wanted of the named reps in that month (M4).

    In the playbook's measure: leads won, or revenue in the smallest unit of its currency.
    """
    month, given = _month(event), sent.targets
    known = wiring().roster.get_many(list(given))
    errors = [
        FieldError(f"targets.{rep_id}", NO_REP)
        for rep_id in given
        if rep_id not in known or not manages(manager, known[rep_id].team)
    ]
    errors += [
        FieldError(f"targets.{rep_id}", f"send a whole number from 0 to {LARGEST_TARGET}")
        for rep_id, target in given.items()
        if isinstance(target, bool)
        or not isinstance(target, int)
        or not 0 <= target <= LARGEST_TARGET
    ]
    if errors:
        raise InvalidInput(tuple(errors))
    before = wiring().targets.of(month, list(given))
    with _noting(manager, "targets.put", f"{month:%Y-%m}", before, given):
        wiring().targets.put(month, given)
    return answer(200, {"month": f"{month:%Y-%m}", **_measure(), "targets": given})


def _noting(
    manager: Manager,
    what: str,
    target: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any] | None = None,
) -> AbstractContextManager[Note]:
    log, by = wiring().audit_log, manager.manager_id
    return noting(log, by, what, target, clock.now(), before, after)


def _measure() -> dict[str, str]:
    quota = wiring().roster.playbook().quota
    return {"measure": quota.measure, "currency": quota.currency}


def _month(event: Event) -> date:
    found = _MONTH.fullmatch(path(event, "month"))
    if found is None:
        raise RouteNotFound("Name a month as 2026-11.")
    return date(int(found[1]), int(found[2]), 1)
