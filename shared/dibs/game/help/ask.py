"""Ask colleagues about a lead, answer them, and confirm who helped (G11)."""

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
    HelpAnswer,
    HelpRequest,
    answered,
    confirmable,
    help_entry_id,
    may_answer,
    pair_unit,
)
from dibs.intake.ports import LeadStore
from dibs.ledger.entries import new_entry
from dibs.ledger.ports import Ledger
from dibs.ledger.record import is_protected
from dibs.roster.ports import Roster

LONGEST_REQUEST_ID = 64
_HELP_ID_BYTES = 10


@dataclass(frozen=True)
class HelpDeps:
    """The stores and the clock that help needs."""

    requests: HelpRequests
    leads: LeadStore
    roster: Roster
    ledger: Ledger
    clock: Callable[[], datetime]


def ask(
    deps: HelpDeps, rep: Rep, lead_id: str, request_id: object, question: object
) -> tuple[HelpRequest, bool]:
    """Ask the rep's team about a lead they hold; return the request, and whether it existed.

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
    # The id is the duplicate check: the same request gets the same id.
    digest = hashlib.sha256(f"{rep.rep_id}\0{name}".encode()).digest()
    help_id = id_text(digest[:_HELP_ID_BYTES])
    stored = deps.requests.find(help_id)
    if stored is None:
        request = _request(deps, rep, lead_id, help_id, asked)
        if deps.requests.add(request):
            return request, False
        stored = _existing(deps, help_id)
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
    """Return the rep's requests of the last fourteen days, the newest first."""
    return deps.requests.of_rep(rep.rep_id, deps.clock() - CONFIRMED_FOR)


def of_colleagues(deps: HelpDeps, rep: Rep) -> list[HelpRequest]:
    """Return the open requests the rep may answer, the newest first."""
    now = deps.clock()
    requests = deps.requests.of_team(rep.team, now - ANSWERED_FOR)
    return [request for request in requests if may_answer(request, rep) and request.is_open(now)]


def answer(deps: HelpDeps, rep: Rep, help_id: str, text: object) -> tuple[HelpAnswer, bool]:
    """Answer a colleague's question, once; return the answer, and whether it was stored before.

    Raises:
        InvalidInput: the text is empty, too long or not plain.
        RouteNotFound: there is no such request, or this rep may not answer it.
        Forbidden, Ended, AlreadyExists: as `answered` says.
    """
    cleaned = text_of("text", text)
    request = _existing(deps, help_id)
    if rep.rep_id not in (request.rep_id, *request.answers) and not may_answer(request, rep):
        raise RouteNotFound
    new, is_stored = answered(request, rep, cleaned, deps.clock())
    if is_stored or deps.requests.answer(help_id, new):
        return new, is_stored
    # Since it was read, it was withdrawn or filled up, or the same answer was stored.
    new, is_stored = answered(_existing(deps, help_id), rep, cleaned, deps.clock())
    if not is_stored:
        raise Ended
    return new, is_stored


def confirm(deps: HelpDeps, rep: Rep, help_id: str, helper: object) -> HelpAnswer:
    """Confirm, as the asker, that a colleague helped; from now on it counts for the helper (G11).

    The asker need not hold the lead any more. Confirming twice counts once; the entry is written
    first, so a confirmation that was cut short is completed by asking again.

    Raises:
        RouteNotFound: there is no such request, or this rep may not see it.
        Forbidden: another rep asked.
        InvalidInput, Ended: as `confirmable` says.
    """
    request, now = _own(deps, rep, help_id), deps.clock()
    confirmed = confirmable(request, helper if isinstance(helper, str) else "", now)
    if confirmed.confirmed_at is not None:
        return confirmed
    colleague = deps.roster.get(confirmed.rep_id)
    playbook = deps.roster.playbook()
    entry = new_entry(
        help_entry_id(help_id, confirmed.rep_id),
        HELPED,
        confirmed.rep_id,
        request.team if colleague is None else colleague.team,
        now,
        playbook,
        lead_id=request.lead_id,
        epoch=request.epoch,
        test=request.test,
        other=rep.rep_id,
        unit=pair_unit(rep.rep_id, confirmed.rep_id),
        protected=colleague is not None and is_protected(colleague, now, playbook),
    )
    deps.ledger.put([entry])
    deps.requests.confirm(help_id, confirmed.rep_id, now)
    return HelpAnswer(confirmed.rep_id, confirmed.text, confirmed.at, now)


def close(deps: HelpDeps, rep: Rep, help_id: str) -> None:
    """Withdraw a question: it takes no more answers; earlier answers may still be confirmed.

    Raises:
        RouteNotFound, Forbidden: there is no such request; another rep asked.
    """
    if _own(deps, rep, help_id).closed_at is None:
        deps.requests.close(help_id, deps.clock())


def text_of(field: str, value: object) -> str:
    """Return a text without the space around it.

    Raises:
        InvalidInput: it is empty, too long or not plain text.
    """
    text = value.strip() if isinstance(value, str) else ""
    plain = all(letter.isprintable() or letter in "\r\n\t" for letter in text)
    if not (plain and 0 < len(text) <= LONGEST_TEXT):
        raise InvalidInput((FieldError(field, f"write up to {LONGEST_TEXT} letters"),))
    return text


def names_of(deps: HelpDeps, requests: Sequence[HelpRequest]) -> dict[str, str]:
    """Return the names of all reps who asked or answered, by rep id."""
    people = {rep_id for request in requests for rep_id in (request.rep_id, *request.answers)}
    return {rep_id: rep.name for rep_id, rep in deps.roster.get_many(sorted(people)).items()}


def _own(deps: HelpDeps, rep: Rep, help_id: str) -> HelpRequest:
    request = _existing(deps, help_id)
    if request.rep_id != rep.rep_id:
        if may_answer(request, rep):
            raise Forbidden("Only who asked may do this.")
        raise RouteNotFound
    return request


def _existing(deps: HelpDeps, help_id: str) -> HelpRequest:
    request = deps.requests.find(help_id)
    if request is None:
        raise RouteNotFound
    return request
