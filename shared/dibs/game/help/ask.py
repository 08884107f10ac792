"""Ask colleagues about a lead, answer them, and say who helped (G11)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dibs.core.errors import (
    AlreadyExists,
    Ended,
    FieldError,
    Forbidden,
    InvalidInput,
    LeadNotFound,
    NotYours,
    RouteNotFound,
)
from dibs.core.lead import HELD, id_text
from dibs.core.rep import Rep
from dibs.game.help.ports import HelpRequests
from dibs.game.help.rules import (
    ANSWERED_FOR,
    CONFIRMED_FOR,
    HELPED,
    LONGEST_TEXT,
    Answer,
    HelpRequest,
    answered,
    confirmable,
    help_entry_id,
    may_answer,
    pair_unit,
)
from dibs.intake.ports import LeadStore
from dibs.ledger.entries import booked
from dibs.ledger.ports import Ledger
from dibs.ledger.record import is_protected
from dibs.roster.ports import Roster

LONGEST_REQUEST_ID = 64
_HELP_ID_BYTES = 10


@dataclass(frozen=True)
class HelpDeps:
    """Everything help works with."""

    requests: HelpRequests
    leads: LeadStore
    roster: Roster
    ledger: Ledger
    clock: Callable[[], datetime]


def ask(
    deps: HelpDeps, rep: Rep, lead_id: str, request_id: object, question: object
) -> tuple[HelpRequest, bool]:
    """Ask the rep's team about a lead they hold; return the request, and whether it stood before.

    Raises:
        InvalidInput: names every field that is wrong.
        AlreadyExists: another question was asked under this request_id.
        LeadNotFound, NotYours: there is no such lead; the rep does not hold it.
    """
    name = request_id.strip() if isinstance(request_id, str) else ""
    errors = []
    if not (name.isprintable() and 0 < len(name) <= LONGEST_REQUEST_ID):
        problem = f"send a name of your own, up to {LONGEST_REQUEST_ID} letters, new for each"
        errors.append(FieldError("request_id", problem))
    try:
        asked = text_of("question", question)
    except InvalidInput as wrong:
        errors.extend(wrong.errors)
    if errors:
        raise InvalidInput(tuple(errors))
    # The id is the duplicate check: the second time the same is asked, it meets the first.
    digest = hashlib.sha256(f"{rep.rep_id}\0{name}".encode()).digest()
    help_id = id_text(digest[:_HELP_ID_BYTES])
    stored = deps.requests.find(help_id)
    if stored is None:
        request = _request(deps, rep, lead_id, help_id, asked)
        if deps.requests.add(request):
            return request, False
        stored = _found(deps, help_id)
    if (stored.lead_id, stored.question) != (lead_id, asked):
        raise AlreadyExists("You asked something else under this request_id; send a new one.")
    return stored, True


def _request(deps: HelpDeps, rep: Rep, lead_id: str, help_id: str, question: str) -> HelpRequest:
    lead = deps.leads.get(lead_id)
    if lead is None:
        raise LeadNotFound
    if lead.owner != rep.rep_id or lead.state not in HELD:
        raise NotYours
    return HelpRequest(
        help_id=help_id,
        rep_id=rep.rep_id,
        team=rep.team,
        lead_id=lead_id,
        epoch=lead.epoch,
        question=question,
        asked_at=deps.clock(),
        company=lead.shown.company,
        title=lead.shown.contact_title,
        blind=lead.blind,
        test=lead.test,
    )


def mine(deps: HelpDeps, rep: Rep) -> list[HelpRequest]:
    """Return what the rep asked in the last fourteen days, the newest first."""
    return deps.requests.of_rep(rep.rep_id, deps.clock() - CONFIRMED_FOR)


def of_colleagues(deps: HelpDeps, rep: Rep) -> list[HelpRequest]:
    """Return the open requests that are put to the rep, the newest first."""
    now = deps.clock()
    found = deps.requests.of_team(rep.team, now - ANSWERED_FOR)
    return [request for request in found if may_answer(request, rep) and request.is_open(now)]


def answer(deps: HelpDeps, rep: Rep, help_id: str, text: object) -> tuple[Answer, bool]:
    """Answer a colleague's question, once; return the answer, and whether it stood before.

    Raises:
        InvalidInput: there is no text to it.
        RouteNotFound: there is no such request, or it was not put to this rep.
        Forbidden, Ended, AlreadyExists: as `answered` says.
    """
    said = text_of("text", text)
    request = _found(deps, help_id)
    if rep.rep_id not in (request.rep_id, *request.answers) and not may_answer(request, rep):
        raise RouteNotFound
    found, stood = answered(request, rep, said, deps.clock())
    if stood or deps.requests.answer(help_id, found):
        return found, stood
    # Meanwhile it was withdrawn, it filled up, or a twin of this request was faster.
    found, stood = answered(_found(deps, help_id), rep, said, deps.clock())
    if not stood:
        raise Ended
    return found, stood


def confirm(deps: HelpDeps, rep: Rep, help_id: str, helper: object) -> Answer:
    """Let the asker say who helped: only from now on it counts for the helper.

    Whether the asker still holds the lead does not matter. Confirmed twice is confirmed once; the
    entry comes first, so what was cut short is made good by asking again.

    Raises:
        RouteNotFound: there is no such request, or it was not put to this rep.
        Forbidden: somebody else asked.
        InvalidInput, Ended: as `confirmable` says.
    """
    request, now = _own(deps, rep, help_id), deps.clock()
    found = confirmable(request, helper if isinstance(helper, str) else "", now)
    if found.confirmed_at is not None:
        return found
    colleague = deps.roster.get(found.rep_id)
    playbook = deps.roster.playbook()
    entry = booked(
        help_entry_id(help_id, found.rep_id),
        HELPED,
        found.rep_id,
        request.team if colleague is None else colleague.team,
        now,
        playbook,
        lead_id=request.lead_id,
        epoch=request.epoch,
        test=request.test,
        other=rep.rep_id,
        unit=pair_unit(rep.rep_id, found.rep_id),
        protected=colleague is not None and is_protected(colleague, now, playbook),
    )
    deps.ledger.put([entry])
    deps.requests.confirm(help_id, found.rep_id, now)
    return Answer(found.rep_id, found.text, found.at, now)


def close(deps: HelpDeps, rep: Rep, help_id: str) -> None:
    """Withdraw a question: nobody answers it any more; who answered may still be confirmed.

    Raises:
        RouteNotFound, Forbidden: there is no such request; somebody else asked.
    """
    if _own(deps, rep, help_id).closed_at is None:
        deps.requests.close(help_id, deps.clock())


def text_of(field: str, value: object) -> str:
    """Return what a person wrote, without the space around it.

    Raises:
        InvalidInput: nothing, too much, or no plain text.
    """
    text = value.strip() if isinstance(value, str) else ""
    plain = all(letter.isprintable() or letter in "\r\n\t" for letter in text)
    if not (plain and 0 < len(text) <= LONGEST_TEXT):
        raise InvalidInput((FieldError(field, f"write up to {LONGEST_TEXT} letters"),))
    return text


def names_of(deps: HelpDeps, requests: Sequence[HelpRequest]) -> dict[str, str]:
    """Return the names of everybody who asked or answered, by rep id."""
    people = {one for request in requests for one in (request.rep_id, *request.answers)}
    return {rep_id: rep.name for rep_id, rep in deps.roster.get_many(sorted(people)).items()}


def _own(deps: HelpDeps, rep: Rep, help_id: str) -> HelpRequest:
    request = _found(deps, help_id)
    if request.rep_id != rep.rep_id:
        if may_answer(request, rep):
            raise Forbidden("Only who asked may do this.")
        raise RouteNotFound
    return request


def _found(deps: HelpDeps, help_id: str) -> HelpRequest:
    request = deps.requests.find(help_id)
    if request is None:
        raise RouteNotFound
    return request
