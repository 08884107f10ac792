"""Signing in and out with a browser: by a token, or by a link to one's phone (U8)."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from boards import page
from boards.body import PhoneIn, SignInForm
from dibs.aws import clock
from dibs.callers import OWNER
from dibs.core.credentials import Manager, is_manager, shown
from dibs.core.errors import DibsError, Forbidden, RouteNotFound, TooManyTries, Unauthorized
from dibs.core.rep import Rep
from dibs.intake.body import usable_phone
from dibs.offers.texts import sign_in_sms
from dibs.people.access import (
    Session,
    allowed,
    begin_session,
    link_is_good,
    make_link,
    open_sessions,
    token_end,
    token_number,
    tries,
    use_link,
)
from dibs.roster.callers import calling_viewer
from dibs.screens.frame import DESK, HOME
from dibs.web.http import Event, Response, answer, path, query, see_other, wants_html, well_formed
from dibs.web.route import ANYBODY, HTML, Route
from dibs.web.sign_in import (
    NO_SESSION,
    caller,
    cookie_for,
    from_elsewhere,
    is_local,
    own_path,
)
from dibs.wiring import look, wiring

_PAGE = "/sign-in"
_SESSIONS = "/me/sessions"


def show(event: Event) -> Response:
    """`GET /sign-in`: the page to sign in, with a phone number or a token; `?to=` comes next."""
    return page.sign_in(to=own_path(query(event, "to")), demo=_demo(query(event, "as")))


def _demo(asked: str) -> list[dict[str, str]]:
    """Return the demo's people, or the one asked for, for a visitor of the local stack.

    On AWS there are none, even where the variable is set.
    """
    people = os.environ.get("DEMO_SIGN_IN", "")
    if not people or not is_local(wiring().settings.public_url):
        return []
    found: list[dict[str, str]] = json.loads(people)
    return [one for one in found if one["as"] == asked] or found


def by_token(event: Event, sent: SignInForm) -> Response:
    """`POST /sign-in`: check the token, begin a session, and show what it opens."""
    to = own_path(sent.to)
    try:
        return _signed_in(_by_token(event, sent.token), to)
    except DibsError as error:
        return page.sign_in(error, to)


def _by_token(event: Event, token: str) -> Session:
    _own_page(event)
    mine, now = wiring(), clock.now()
    said = shown(well_formed(token))
    what = f"{_address(event)} {said.owner}"
    playbook = mine.roster.playbook()
    _not_too_often(what, playbook.sign_in.wrong_per_hour, now)
    try:
        calling_viewer(said, mine.credentials, now)
    except DibsError:
        allowed(mine.credentials, what, playbook.sign_in.wrong_per_hour, now)
        raise
    number = token_number(mine.credentials, said.owner)
    if number is None:
        raise Unauthorized
    until = token_end(mine.credentials, said)
    return begin_session(mine.credentials, playbook, said.owner, number, now, until)


def ask(event: Event, sent: PhoneIn) -> Response:
    """`POST /sign-in/link`: send a link to sign in to this phone, if a rep here has it.

    The answer is the same whoever asks, so that nobody learns whose number is known.
    """
    mine, now = wiring(), clock.now()
    playbook = mine.roster.playbook()
    rules = playbook.sign_in
    if not allowed(
        mine.credentials, f"links {_address(event)}", rules.links_per_address_per_hour, now
    ):
        raise TooManyTries
    number, wrong = usable_phone(sent.phone, playbook.phone_region)
    may = not wrong and allowed(mine.credentials, f"phone {number}", rules.links_per_hour, now)
    known = mine.roster.by_phone(number) if may and number else None
    if known is not None and known[0].active and known[0].textable and playbook.sms.enabled:
        rep = known[0]
        secret = make_link(mine.credentials, playbook, rep.rep_id, now)
        to = own_path(sent.to)
        url = f"{mine.settings.public_url}/in/{secret}{f'?to={to}' if to else ''}"
        mine.sms.send(str(rep.phone), sign_in_sms(rep, url, rules.link_minutes))
    if wants_html(event):
        return page.link_sent(rules.link_minutes)
    return answer(202, {"sent": "if a rep has this number"})


def show_link(event: Event) -> Response:
    """`GET /in/{token}`: a page with one button; looking does not use the link up."""
    good = link_is_good(wiring().credentials, path(event, "token"), clock.now())
    to = own_path(query(event, "to"))
    return page.sign_in_link(quote(path(event, "token"), safe=""), to, good=good)


def by_link(event: Event) -> Response:
    """`POST /in/{token}`: sign in by a link, once and within its minutes."""
    mine, now = wiring(), clock.now()
    what = f"links used {_address(event)}"
    try:
        _own_page(event)
        playbook = mine.roster.playbook()
        most = playbook.sign_in.links_per_address_per_hour
        _not_too_often(what, most, now)
        try:
            session = use_link(mine.credentials, playbook, path(event, "token"), now)
        except Unauthorized:
            allowed(mine.credentials, what, most, now)
            raise
    except DibsError as error:
        return page.sign_in(error, own_path(query(event, "to")))
    return _signed_in(session, own_path(query(event, "to")))


def sign_out(event: Event) -> Response:
    """`POST /sign-out`: end this browser's session."""
    _own_page(event)
    try:
        said = caller(event)
    except Unauthorized:
        said = None
    if said is not None and said.session:
        wiring().credentials.end_session(said.owner, said.digest)
    return _to(_PAGE, _cookie("", NO_SESSION))


def sessions(event: Event, who: Rep | Manager) -> Response:
    """`GET /me/sessions`: where I am signed in, the latest first."""
    said, now = caller(event), clock.now()
    found = [
        {
            "session_id": _id(one.digest),
            "began_at": one.issued_at,
            "ends_at": one.ends_at,
            "this_one": one.digest == said.digest,
        }
        for one in open_sessions(wiring().credentials, _owner(who), now)
    ]
    return page.sessions(found, who) if wants_html(event) else answer(200, {"sessions": found})


def end_session(event: Event, who: Rep | Manager) -> Response:
    """`DELETE /me/sessions/{session_id}`: end a session of mine, wherever it is."""
    wanted, credentials = path(event, "session_id"), wiring().credentials
    found = [
        one
        for one in open_sessions(credentials, _owner(who), clock.now())
        if _id(one.digest) == wanted
    ]
    if not found:
        raise RouteNotFound("You have no such session. It may have ended already.")
    credentials.end_session(_owner(who), found[0].digest)
    return answer(200, {"session_id": wanted, "ended": True})


def end_by_form(event: Event, who: Rep | Manager) -> Response:
    """`POST /me/sessions/{session_id}/end`: the same from the form of that page, shown again."""
    end_session(event, who)
    return see_other(_SESSIONS)


def _page_of(event: Event, error: DibsError) -> Response | None:
    """Return what a browser is shown instead: where to sign in, or what was wrong."""
    if not wants_html(event):
        return None
    if isinstance(error, Unauthorized):
        return see_other(f"{_PAGE}?to={_SESSIONS}")
    return page.message(error, _SESSIONS, "Where you are signed in")


def _owner(who: Rep | Manager) -> str:
    return who.rep_id if isinstance(who, Rep) else who.manager_id


def _id(digest: str) -> str:
    return digest[:16]


def _signed_in(session: Session, to: str) -> Response:
    cookie = _cookie(session.secret, session.ends_at - clock.now())
    return _to(to or (DESK if is_manager(session.owner) else HOME), cookie)


def _cookie(secret: str, lasting: timedelta) -> str:
    embedded = bool(look().embed_in)
    return cookie_for(secret, wiring().settings.public_url, lasting, embedded=embedded)


def _to(where: str, cookie: str) -> Response:
    return {**see_other(where), "cookies": [cookie]}


def _own_page(event: Event) -> None:
    """Refuse what a page of another site sends: it would sign a browser in as somebody else."""
    if from_elsewhere(event):
        raise Forbidden("Another site sent this. Open the sign-in page of Dibs and do it there.")


def _not_too_often(what: str, most: int, now: datetime) -> None:
    if tries(wiring().credentials, what, now) >= most:
        raise TooManyTries


def _address(event: Event) -> str:
    asked: dict[str, Any] = event.get("requestContext", {}).get("http", {})
    return str(asked.get("sourceIp", ""))


_TO = {"to": {"description": "Which page of ours comes after signing in."}}

ROUTES = {
    "GET /sign-in": Route(
        show,
        ANYBODY,
        {200: HTML},
        query={
            **_TO,
            "as": {"description": "Which person of the demo; on the local stack alone."},
        },
    ),
    "POST /sign-in": Route(
        by_token,
        ANYBODY,
        {303: "", 401: HTML, 403: HTML, 429: HTML},
        body=SignInForm,
        repeated="Each time is a new session.",
    ),
    "POST /sign-in/link": Route(
        ask,
        ANYBODY,
        {202: ("LinkAsked", HTML)},
        (TooManyTries,),
        body=PhoneIn,
        repeated="Each time is a new link, a few an hour.",
    ),
    "GET /in/{token}": Route(show_link, ANYBODY, {200: HTML}, query=_TO),
    "POST /in/{token}": Route(
        by_link,
        ANYBODY,
        {303: "", 401: HTML, 403: HTML, 429: HTML},
        query=_TO,
        repeated="A link works once; the second time is 401.",
    ),
    "POST /sign-out": Route(
        sign_out, ANYBODY, {303: ""}, (Forbidden,), repeated="Signed out is signed out."
    ),
    "GET /me/sessions": Route(sessions, OWNER, {200: ("Sessions", HTML), 303: ""}, page=_page_of),
    "POST /me/sessions/{session_id}/end": Route(
        end_by_form,
        OWNER,
        {303: "", 404: HTML},
        (RouteNotFound,),
        repeated="An ended session is 404.",
        page=_page_of,
    ),
    "DELETE /me/sessions/{session_id}": Route(
        end_session,
        OWNER,
        {200: "SessionEnded"},
        (RouteNotFound,),
        repeated="An ended session is 404.",
    ),
}
