"""What managers do over HTTP: read and change the playbook, see who is on, override leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dibs.aws import clock
from dibs.core.errors import FieldError, InvalidInput
from dibs.intake.body import raw_body
from dibs.playbook import changes as playbooks
from dibs.playbook.checks.teams import rules_on, warnings
from dibs.playbook.file import playbook_data, playbook_of, read_json, schema
from dibs.roster.callers import calling_manager
from dibs.web.entry import Event, http
from dibs.web.http import Response, answer, query
from dibs.wiring import wiring
from manage import leads, people, receipts

_ENVELOPE = ("playbook", "expected_version", "note")


def show(event: Event) -> Response:
    """`GET /playbook`: the version in force, or `?version=3`; 0 is the preset as shipped."""
    calling_manager(event, wiring().roster)
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


def put(event: Event) -> Response:
    """`PUT /playbook`: put one in force; `?dry_run=true` tells what it would do, and no more."""
    manager = calling_manager(event, wiring().roster)
    data, expected, note = _sent(event)
    store = wiring().playbooks
    proposal = playbooks.propose(store, wiring().roster, playbook_of(data), expected)
    body = {"diff": _each(proposal.changes), "warnings": _each(proposal.warnings)}
    if _dry_run(event):
        found = {"version": proposal.base.number, **body, "preview": _each(proposal.teams)}
        return answer(200, found)
    version = playbooks.apply(store, proposal, manager, clock.now(), note)
    return answer(200, {"version": version, **body})


def _sent(event: Event) -> tuple[Any, int | None, str]:
    """Return the playbook sent, bare or in an envelope, the version it was made from, and why."""
    body = read_json(raw_body(event))
    if not isinstance(body, dict):
        raise InvalidInput((FieldError("body", "send a JSON object"),))
    if "playbook" not in body:
        return body, None, ""
    expected, note = body.get("expected_version"), body.get("note", "")
    errors = [
        FieldError(name, f"is not known here; send {', '.join(_ENVELOPE)}")
        for name in body
        if name not in _ENVELOPE
    ]
    if expected is not None and (isinstance(expected, bool) or not isinstance(expected, int)):
        errors.append(FieldError("expected_version", "send a whole number"))
    if not (isinstance(note, str) and len(note) <= 200):
        errors.append(FieldError("note", "send text of up to 200 letters"))
    if errors:
        raise InvalidInput(tuple(errors))
    return body["playbook"], expected, note


def _dry_run(event: Event) -> bool:
    wanted = query(event, "dry_run")
    if wanted not in ("", "true", "false"):
        raise InvalidInput((FieldError("dry_run", "send true or false"),))
    return wanted == "true"


def history(event: Event) -> Response:
    """`GET /playbook/history`: the latest hundred versions, the newest first."""
    calling_manager(event, wiring().roster)
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


ROUTES = {
    "GET /playbook": show,
    "PUT /playbook": put,
    "GET /playbook/history": history,
    "GET /playbook/schema": rules_schema,
    "POST /leads/{lead_id}/assign": leads.assign,
    "POST /leads/{lead_id}/withdraw": leads.withdraw,
    "GET /reps": people.reps,
    "PUT /reps/{rep_id}": people.put_rep,
    "POST /reps/{rep_id}/leave": people.let_go,
    "GET /targets/{month}": people.targets,
    "PUT /targets/{month}": people.put_targets,
    "GET /receipts": receipts.receipts,
    "GET /disputes": receipts.disputes,
}

handler = http(ROUTES, lambda: (wiring().roster.playbook(), wiring().playbooks, schema()))
