"""Help between colleagues (G11). What people write stands in their answers and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dibs.aws import clock
from dibs.callers import REP
from dibs.core.errors import (
    AlreadyExists,
    DibsError,
    Ended,
    Forbidden,
    LeadNotFound,
    NotYours,
    RouteNotFound,
)
from dibs.core.rep import Rep
from dibs.game.help import ask as helping
from dibs.game.help.rules import ANSWERED_FOR, CONFIRMED_FOR, HelpAnswer, HelpRequest
from dibs.web.http import Event, Response, answer, lead_id, path, see_other, wants_html
from dibs.web.json_body import FORM
from dibs.web.route import ERROR_PAGES, HTML, Route
from dibs.web.translations import named, translator
from dibs.wiring import wiring
from game import page
from game.body import AnswerIn, HelperIn, QuestionIn


def ask(event: Event, rep: Rep, sent: QuestionIn) -> Response:
    """`POST /leads/{lead_id}/help`: ask my team about a lead I hold.

    201; the same once more is 200.
    """
    deps = wiring().help_deps
    try:
        asked, stood = helping.ask(deps, rep, lead_id(event), sent.request_id, sent.question)
    except DibsError as error:
        return page.or_page(event, error, rep, page.HELP)
    if wants_html(event):
        return see_other(page.HELP)
    names = helping.names_of(deps, [asked]) if stood else {}
    return answer(200 if stood else 201, _mine(asked, names))


def mine(event: Event, rep: Rep) -> Response:
    """`GET /me/help`: what I asked and was answered, and what my colleagues ask me."""
    deps = wiring().help_deps
    own, theirs = helping.mine(deps, rep), helping.of_colleagues(deps, rep)
    names = helping.names_of(deps, [*own, *theirs])
    # Who holds the lead they ask about has won it, and that is nobody's business there (C3).
    hidden = wiring().roster.playbook().hides_winner_from(rep)
    body = {
        "asked": [_mine(request, names) for request in own],
        "for_me": [_theirs(request, names, rep, hidden) for request in theirs],
    }
    return page.help_page(rep, body, clock.now()) if wants_html(event) else answer(200, body)


def reply(event: Event, rep: Rep, sent: AnswerIn) -> Response:
    """`POST /help/{help_id}/answers`: answer a colleague, once."""
    try:
        found, stood = helping.answer(wiring().help_deps, rep, path(event, "help_id"), sent.text)
    except DibsError as error:
        return page.or_page(event, error, rep, page.HELP)
    if wants_html(event):
        return see_other(page.HELP)
    return answer(200 if stood else 201, _answer(found))


def confirm(event: Event, rep: Rep, sent: HelperIn) -> Response:
    """`POST /help/{help_id}/confirm`: say who helped; now it counts for them."""
    try:
        found = helping.confirm(wiring().help_deps, rep, path(event, "help_id"), sent.helper)
    except DibsError as error:
        return page.or_page(event, error, rep, page.HELP)
    if wants_html(event):
        return see_other(page.HELP)
    return answer(200, {"helper": found.rep_id, **_answer(found)})


def close(event: Event, rep: Rep) -> Response:
    """`POST /help/{help_id}/close`: take no more answers to my question."""
    try:
        helping.close(wiring().help_deps, rep, path(event, "help_id"))
    except DibsError as error:
        return page.or_page(event, error, rep, page.HELP)
    if wants_html(event):
        return see_other(page.HELP)
    return answer(200, {"help_id": path(event, "help_id"), "open": False})


def _mine(request: HelpRequest, names: Mapping[str, str]) -> dict[str, Any]:
    given = sorted(request.answers.values(), key=lambda one: (one.at, one.rep_id))
    return {
        "help_id": request.help_id,
        "lead_id": request.lead_id,
        "question": request.question,
        "asked_at": request.asked_at,
        "open": request.is_open(clock.now()),
        "answered_until": request.asked_at + ANSWERED_FOR,
        "confirmed_until": request.asked_at + CONFIRMED_FOR,
        "answers": [{**_person(one.rep_id, names), **_answer(one)} for one in given],
    }


def _theirs(
    request: HelpRequest, names: Mapping[str, str], rep: Rep, hidden: bool
) -> dict[str, Any]:
    _ = translator(rep.language)
    company = _("Blind lead") if request.blind else named(request.company, rep.language)
    given = request.answers.get(rep.rep_id)
    return {
        "help_id": request.help_id,
        "asker": _person(request.rep_id, names),
        "question": request.question,
        "preview": None if hidden else {"company": company, "contact_title": request.title},
        "asked_at": request.asked_at,
        "answered_until": request.asked_at + ANSWERED_FOR,
        "answer": None if given is None else _answer(given),
    }


def _person(rep_id: str, names: Mapping[str, str]) -> dict[str, str]:
    return {"rep_id": rep_id, "name": names.get(rep_id, "")}


def _answer(given: HelpAnswer) -> dict[str, Any]:
    return {"text": given.text, "answered_at": given.at, "helped": given.confirmed_at is not None}


_PAGES = {303: "", **ERROR_PAGES}
_PAGE = page.page_of(page.HELP)
_OVER = (RouteNotFound, Forbidden, Ended)
_AGAIN = "The same again is 200 and changes nothing."

ROUTES = {
    "POST /leads/{lead_id}/help": Route(
        ask,
        REP,
        {201: "OwnQuestion", 200: "OwnQuestion", **_PAGES},
        (LeadNotFound, NotYours, AlreadyExists),
        body=QuestionIn,
        also={FORM: QuestionIn.read_form},
        page=_PAGE,
        repeated="The same request_id is the same question: 200; with another one it is 409.",
    ),
    "GET /me/help": Route(mine, REP, {200: ("Help", HTML), **_PAGES}, page=_PAGE),
    "POST /help/{help_id}/answers": Route(
        reply,
        REP,
        {201: "HelpAnswer", 200: "HelpAnswer", **_PAGES},
        (*_OVER, AlreadyExists),
        body=AnswerIn,
        also={FORM: AnswerIn.read_form},
        page=_PAGE,
        repeated=_AGAIN,
    ),
    "POST /help/{help_id}/confirm": Route(
        confirm,
        REP,
        {200: "Helped", **_PAGES},
        _OVER,
        body=HelperIn,
        also={FORM: HelperIn.read_form},
        repeated=_AGAIN,
        page=_PAGE,
    ),
    "POST /help/{help_id}/close": Route(
        close,
        REP,
        {200: "Closed", **_PAGES},
        (RouteNotFound, Forbidden),
        repeated=_AGAIN,
        page=_PAGE,
    ),
}
