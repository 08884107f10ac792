"""What managers do over HTTP: read and change the playbook, see who is on, override leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dibs.aws import clock
from dibs.callers import (
    MANAGER_LOOKING,
    MANAGER_OF_ALL,
    MANAGER_OF_BODY,
    MANAGER_OF_NAMED,
    MANAGER_OF_PART,
)
from dibs.core.credentials import Manager
from dibs.core.errors import (
    AlreadyExists,
    FieldError,
    IllegalMove,
    InvalidInput,
    LeadNotFound,
    Outdated,
    RouteNotFound,
)
from dibs.playbook import changes as playbooks
from dibs.playbook.checks.teams import rules_on, warnings
from dibs.playbook.file import playbook_data, playbook_of, schema
from dibs.roster.trail import noting
from dibs.web.entry import http
from dibs.web.http import Event, Response, answer, query
from dibs.web.json_body import FORM
from dibs.web.route import ANYBODY, CSV, HTML, Route
from dibs.wiring import wiring
from manage import approvals, desk, leads, managers, overview, pauses, people, receipts
from manage.body import (
    YAML,
    AssignIn,
    ManagerIn,
    PauseIn,
    PlaybookIn,
    ProfileIn,
    RulingIn,
    TargetsIn,
    TokenIn,
    WithdrawIn,
)


def show(event: Event, manager: Manager) -> Response:
    """`GET /playbook`: the rules in force, or a version of the past; 0 is the preset as shipped."""
    del manager
    wanted = query(event, "version")
    store = wiring().playbooks
    if not wanted:
        found = store.in_force()
    elif wanted.isascii() and wanted.isdigit() and len(wanted) <= 6:
        found = playbooks.version(store, int(wanted))
    else:
        raise InvalidInput((FieldError("version", "send a whole number"),))
    return answer(
        200,
        {
            "version": found.number,
            "playbook": playbook_data(found.playbook),
            "applied_at": found.applied_at,
            "by": found.by,
            "note": found.note,
            "rules": rules_on(found.playbook),
            "warnings": _each(warnings(found.playbook)),
        },
    )


def put(event: Event, manager: Manager, sent: PlaybookIn) -> Response:
    """`PUT /playbook`: put rules in force; `?dry_run=true` only tells what they would do."""
    store = wiring().playbooks
    proposal = playbooks.propose(
        store, wiring().roster, playbook_of(sent.playbook, sent.lines), sent.expected_version
    )
    body = {"diff": _each(proposal.changes), "warnings": _each(proposal.warnings)}
    if _dry_run(event):
        found = {"version": proposal.base.number, **body, "preview": _each(proposal.teams)}
        return answer(200, found)
    by, now = manager.manager_id, clock.now()
    before = {one.place: one.before for one in proposal.changes}
    after = {one.place: one.after for one in proposal.changes}
    target = f"version {playbooks.next_version(proposal)}"
    with noting(wiring().audit_log, by, "playbook.apply", target, now, before, after):
        version = playbooks.apply(store, proposal, by, now, sent.note)
    return answer(200, {"version": version, **body})


def _dry_run(event: Event) -> bool:
    wanted = query(event, "dry_run")
    if wanted not in ("", "true", "false"):
        raise InvalidInput((FieldError("dry_run", "send true or false"),))
    return wanted == "true"


def history(event: Event, manager: Manager) -> Response:
    """`GET /playbook/history`: the latest hundred versions of the rules, the newest first."""
    del event, manager
    found = [
        {
            "version": version.number,
            "preset": version.playbook.preset,
            "applied_at": version.applied_at,
            "by": version.by,
            "note": version.note,
        }
        for version in wiring().playbooks.history()
    ]
    return answer(200, {"versions": found})


def rules_schema(event: Event) -> Response:
    """`GET /playbook/schema`: the JSON Schema of a playbook, for everybody."""
    del event
    return answer(200, schema(), "schema+json")


def _each(found: Sequence[Any]) -> list[dict[str, Any]]:
    return [asdict(one) for one in found]


_VERSION = {
    "version": {
        "description": "Which version; the one in force where it is left out.",
        "type": "integer",
        "minimum": 0,
        "maximum": 999_999,
    }
}
_DRY_RUN = {"dry_run": {"description": "Only tell what it would do.", "enum": ["true", "false"]}}
_PAGES: Mapping[int, str] = {303: "", **dict.fromkeys((400, 403, 404, 409, 413, 422), HTML)}
_LEAD = (LeadNotFound, RouteNotFound, IllegalMove)
_AGAIN = "The same again changes nothing; changed is false then."
_PUT = "What is sent is how it is then, however often."

ROUTES = {
    "GET /playbook": Route(
        show,
        MANAGER_LOOKING,
        {200: "PlaybookVersion"},
        (RouteNotFound, InvalidInput),
        query=_VERSION,
    ),
    "PUT /playbook": Route(
        put,
        MANAGER_OF_ALL,
        {200: ("Applied", "Proposed")},
        (Outdated,),
        body=PlaybookIn,
        also=dict.fromkeys(YAML, PlaybookIn.read_yaml),
        query=_DRY_RUN,
        repeated="Each time is a version; with expected_version the second is 409.",
    ),
    "GET /playbook/history": Route(history, MANAGER_LOOKING, {200: "History"}),
    "GET /playbook/schema": Route(rules_schema, ANYBODY, {200: "application/schema+json"}),
    "GET /desk": Route(
        desk.show,
        MANAGER_OF_PART,
        {200: HTML, 303: "", 403: HTML, 422: HTML},
        (InvalidInput,),
        query=desk.DESK_QUERY,
        page=desk.error_page,
    ),
    "GET /desk/approvals": Route(
        approvals.show,
        MANAGER_OF_PART,
        {200: HTML, 303: "", 403: HTML, 422: HTML},
        (InvalidInput,),
        query=approvals.APPROVALS_QUERY,
        page=approvals.error_page,
    ),
    "GET /leads": Route(
        overview.listed,
        MANAGER_OF_PART,
        {200: "Leads"},
        (InvalidInput, RouteNotFound),
        query=overview.LEADS,
    ),
    "POST /leads/{lead_id}/assign": Route(
        leads.assign,
        MANAGER_OF_NAMED,
        {200: "Moved", **_PAGES},
        _LEAD,
        body=AssignIn,
        also={FORM: AssignIn.read_form},
        repeated=_AGAIN,
        page=desk.error_page,
    ),
    "POST /leads/{lead_id}/withdraw": Route(
        leads.withdraw,
        MANAGER_OF_NAMED,
        {200: "Moved", **_PAGES},
        _LEAD,
        body=WithdrawIn,
        also={FORM: WithdrawIn.read_form},
        repeated=_AGAIN,
        page=desk.error_page,
    ),
    "GET /reps": Route(people.reps, MANAGER_OF_PART, {200: "Reps"}),
    "PUT /reps/{rep_id}": Route(
        people.put_rep,
        MANAGER_OF_NAMED,
        {200: "Rep"},
        (RouteNotFound, AlreadyExists, Outdated),
        body=ProfileIn,
        repeated=_PUT,
    ),
    "POST /reps/{rep_id}/leave": Route(
        people.let_go,
        MANAGER_OF_NAMED,
        {200: "Left"},
        (RouteNotFound,),
        repeated="It goes on with the leads that are left.",
    ),
    "POST /reps/{rep_id}/pause": Route(
        pauses.pause_rep,
        MANAGER_OF_NAMED,
        {200: "RepPause", **_PAGES},
        (RouteNotFound,),
        body=PauseIn,
        also={FORM: PauseIn.read_form},
        repeated=_PUT,
        page=desk.error_page,
    ),
    "POST /reps/{rep_id}/resume": Route(
        pauses.resume_rep,
        MANAGER_OF_NAMED,
        {200: "RepPause", **_PAGES},
        (RouteNotFound,),
        repeated=_PUT,
        page=desk.error_page,
    ),
    "POST /teams/{team}/pause": Route(
        pauses.pause_team,
        MANAGER_OF_NAMED,
        {200: "TeamPause"},
        (RouteNotFound,),
        body=PauseIn,
        repeated=_PUT,
    ),
    "POST /teams/{team}/resume": Route(
        pauses.resume_team, MANAGER_OF_NAMED, {200: "TeamPause"}, (RouteNotFound,), repeated=_PUT
    ),
    "GET /targets/{month}": Route(
        people.targets, MANAGER_OF_PART, {200: "Targets"}, (RouteNotFound,)
    ),
    "PUT /targets/{month}": Route(
        people.put_targets,
        MANAGER_OF_BODY,
        {200: "Targets"},
        (RouteNotFound,),
        body=TargetsIn,
        repeated=_PUT,
    ),
    "GET /receipts": Route(
        receipts.receipts, MANAGER_OF_PART, {200: CSV}, (InvalidInput,), query=receipts.RECEIPTS
    ),
    "GET /managers": Route(managers.listed, MANAGER_OF_PART, {200: "Managers"}),
    "POST /managers": Route(
        managers.add,
        MANAGER_OF_ALL,
        {201: "ManagerAdded"},
        body=ManagerIn,
        repeated="Each time is another manager.",
    ),
    "DELETE /managers/{manager_id}": Route(
        managers.remove,
        MANAGER_OF_ALL,
        {200: "ManagerRemoved"},
        (RouteNotFound,),
        repeated="A removed manager is 404.",
    ),
    "POST /managers/{manager_id}/token": Route(
        managers.manager_token,
        MANAGER_OF_ALL,
        {201: "NewToken"},
        (RouteNotFound,),
        body=TokenIn,
        repeated="Each time is a new token; the one before has ended.",
    ),
    "POST /reps/{rep_id}/token": Route(
        managers.rep_token,
        MANAGER_OF_NAMED,
        {201: "NewToken"},
        (RouteNotFound,),
        body=TokenIn,
        repeated="Each time is a new token; the one before has ended.",
    ),
    "GET /log": Route(
        managers.log, MANAGER_OF_PART, {200: "Log"}, (InvalidInput,), query=managers.LOG
    ),
    "GET /disputes": Route(
        receipts.disputes,
        MANAGER_OF_PART,
        {200: "Disputes"},
        (InvalidInput,),
        query=receipts.DISPUTES,
    ),
    "POST /disputes/{lead_id}/{epoch}/{rep_id}/answer": Route(
        receipts.rule,
        MANAGER_OF_NAMED,
        {200: "Disputed", **_PAGES},
        (RouteNotFound, IllegalMove),
        body=RulingIn,
        also={FORM: RulingIn.read_form},
        page=approvals.error_page,
        repeated="The same answer again changes nothing; another one is 409.",
    ),
}

handler = http(ROUTES, lambda: (wiring().roster.playbook(), wiring().playbooks, schema()))
