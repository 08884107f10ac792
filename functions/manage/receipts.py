"""What managers see of races: every receipt of a day as CSV, and what reps dispute (C9)."""

from __future__ import annotations

import re
from datetime import date
from io import StringIO
from typing import Any
from urllib.parse import quote

from dibs.aws import clock
from dibs.callers import part_shown
from dibs.core.credentials import Manager
from dibs.core.errors import FieldError, InvalidInput, RouteNotFound
from dibs.receipts.audit import of_day
from dibs.receipts.export import write_head, write_race
from dibs.receipts.ports import Dispute
from dibs.receipts.seal import answer_dispute
from dibs.roster.callers import manages
from dibs.roster.trail import noting
from dibs.web.http import Event, Response, answer, csv_answer, lead_id, path, query
from dibs.wiring import wiring
from manage import approvals
from manage.body import RulingIn

# An answer of Lambda's holds 6 MB.
_LARGEST = 3_000_000
_MOST_RACES = 500
_PLACE = re.compile(r"([0-9]{1,9})\.([0-9]{1,4})")
_EPOCH = re.compile(r"[0-9]{1,5}")
_MONTH = re.compile(r"2[0-9]{3}-(0[1-9]|1[0-2])")

RECEIPTS: dict[str, dict[str, Any]] = {
    "day": {"description": "A UTC day.", "type": "string", "format": "date", "needed": True},
    "team": {"description": "Only what its reps did.", "type": "string"},
    "after": {"description": "As the link of the part before says.", "pattern": _PLACE.pattern},
}
DISPUTES: dict[str, dict[str, Any]] = {
    "month": {"description": "A UTC month, this one unless named.", "pattern": _MONTH.pattern}
}


def receipts(event: Event, manager: Manager) -> Response:
    """`GET /receipts`: the receipts of the races chained that UTC day, as CSV.

    Where there are more than an answer holds, its `link` header names the next part.
    """
    day, team, after = _asked(event, part_shown(event, manager))
    reps = {rep.rep_id for rep, _ in wiring().roster.team(team)} if manager.team else None
    text, following, races = StringIO(), "", 0
    write_head(text)
    for found in of_day(wiring().races, day, after):
        if races == _MOST_RACES or text.tell() > _LARGEST:
            following = f"/receipts?day={day}&team={quote(team)}&after={after[0]}.{after[1]}"
            break
        write_race(text, found, team, reps)
        after, races = found.place, races + 1
    return csv_answer(text.getvalue(), following)


def disputes(event: Event, manager: Manager) -> Response:
    """`GET /disputes?month=2026-11`: what reps disputed in a UTC month, this one unless named."""
    month = query(event, "month") or f"{clock.now():%Y-%m}"
    if not _MONTH.fullmatch(month):
        raise InvalidInput((FieldError("month", "send a month such as 2026-11"),))
    found = wiring().races.disputes(date.fromisoformat(f"{month}-01"))
    reps = wiring().roster.get_many(sorted({one.rep_id for one in found}))
    shown = [
        _disputed(one)
        for one in found
        if not manager.team or (one.rep_id in reps and manages(manager, reps[one.rep_id].team))
    ]
    return answer(200, {"month": month, "disputes": shown})


def rule(event: Event, manager: Manager, sent: RulingIn) -> Response:
    """`POST /disputes/{lead_id}/{epoch}/{rep_id}/answer`: uphold a dispute or not, and say why.

    The rep reads it beside their receipt. Nothing in the receipt changes.
    """
    rep = wiring().roster.get(path(event, "rep_id"))
    epoch = path(event, "epoch")
    if rep is None or not _EPOCH.fullmatch(epoch):
        raise RouteNotFound("There is no such dispute. Look at GET /disputes.")
    now, by, races = clock.now(), manager.manager_id, wiring().races
    lead, opening = lead_id(event), int(epoch)
    filed = races.disputed(lead, opening, rep.rep_id)
    before = {"ruling": filed.ruling if filed is not None else ""}
    about = f"{lead}/{opening}/{rep.rep_id}"
    with noting(wiring().audit_log, by, "dispute.answer", about, now, before) as note:
        answered = answer_dispute(races, lead, opening, rep.rep_id, sent.upheld, sent.text, by, now)
        note.after = {"ruling": answered.ruling}
    return approvals.next_page(event, answer(200, _disputed(answered)))


def _disputed(one: Dispute) -> dict[str, Any]:
    given = {
        "upheld": one.ruling == "upheld",
        "text": one.answer,
        "answered_at": one.answered_at,
        "answered_by": one.answered_by,
    }
    return {
        "lead_id": one.lead_id,
        "epoch": one.epoch,
        "rep_id": one.rep_id,
        "disputed_at": one.at,
        "reason": one.reason,
        "answer": given if one.ruling else None,
    }


def _asked(event: Event, team: str) -> tuple[date, str, tuple[int, int]]:
    """Return the day, the team (empty for all) and the place to go on after."""
    given, errors = query(event, "after"), list[FieldError]()
    try:
        day = date.fromisoformat(query(event, "day"))
    except ValueError:
        day = date.min
        errors.append(FieldError("day", "send a day such as 2026-11-23"))
    if team and team not in wiring().roster.playbook().teams:
        errors.append(FieldError("team", "name one of the playbook's teams, or none for all"))
    place = _PLACE.fullmatch(given)
    if given and place is None:
        errors.append(FieldError("after", "send what the link of the part before says"))
    if errors:
        raise InvalidInput(tuple(errors))
    return day, team, (int(place[1]), int(place[2])) if place else (0, 0)
