"""The claim button: by API, and by the page behind a claim link. GET shows, POST claims."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from dibs.aws import clock
from dibs.aws.observability import count, logger
from dibs.core.credentials import Shown, is_manager, proves
from dibs.core.errors import (
    AlreadyClaimed,
    AlreadyExists,
    Busy,
    ClaimRefused,
    DibsError,
    Expired,
    Forbidden,
    IllegalMove,
    LeadNotFound,
    NoLongerYours,
    NotYours,
    Unauthorized,
    UndoOver,
    Withdrawn,
)
from dibs.core.links import Link, read_link
from dibs.offers.open_offers import sight
from dibs.race.claim import (
    InDraw,
    Proof,
    Won,
    bearer,
    by_link,
    check_claim,
    claim,
    is_lost,
    looked,
    waits_in_draw,
)
from dibs.race.ports import RaceView
from dibs.web.entry import http
from dibs.web.http import (
    Event,
    Response,
    answer,
    compressed,
    draw_body,
    header,
    lead_id,
    path,
    query,
    see_other,
    wants_html,
    won_body,
)
from dibs.web.outcome import OutcomeIn
from dibs.web.route import HTML, LINK, Route, Who
from dibs.web.sign_in import caller
from dibs.wiring import wiring

if TYPE_CHECKING:
    from claim.page import Page


def _holder(event: Event) -> Shown:
    said = caller(event)
    if is_manager(said.owner):
        from dibs.callers import not_a_manager  # a rep's claim does without it

        not_a_manager(said)
    return said


_HOLDER = Who("rep", _holder, cookie=True)


def claim_by_api(event: Event, said: Shown) -> Response:
    """`POST /leads/{lead_id}/claim`: claim a lead, with a rep's bearer token."""
    proof = bearer(said, clock.now())
    won = claim(wiring().race, lead_id(event), said.owner, proof, clock.now)
    return _told(_counted(won))


def claim_by_link(event: Event) -> Response:
    """`POST /c/{token}/claim`: claim by a link; HTML for a browser, JSON otherwise."""
    return _answered(event, _claim_link)


def show(event: Event) -> Response:
    """`GET /c/{token}`: the preview of a lead, or how its race ended; changes nothing."""
    return _page(event, _show(event))


def state(event: Event) -> Response:
    """`GET /c/{token}/state`: how the race stands, for a page that is being looked at."""
    link = read_link(path(event, "token"))
    view = looked(wiring().race, link.lead_id, link.rep_id, by_link(link))
    by_link(link).check(view)
    return answer(200, _standing(view, clock.now()))


def seen(event: Event) -> Response:
    """`POST /c/{token}/seen`: a person is looking, so no text message need follow (N1, N3).

    Answers as well how the race stands: it is a page's first question.
    """
    link, now = read_link(path(event, "token")), clock.now()
    _, view = sight(wiring().race, link.lead_id, link.rep_id, by_link(link), "seen_at", now)
    return answer(200, {"seen": True, **_standing(view, now)})


def undo_by_link(event: Event) -> Response:
    """`POST /c/{token}/undo`: give back what was claimed by mistake."""
    return _answered(event, _undo_link)


def outcome(event: Event, sent: OutcomeIn) -> Response:
    """`POST /c/{token}/outcome`: report in one word what came of the lead, while one holds it (U2).

    The link alone shows no contact for it.
    """
    from dibs.ledger.quick import tell_outcome

    link, now = read_link(path(event, "token")), clock.now()
    try:
        view = wiring().race.read(link.lead_id, link.rep_id)
        by_link(link).check(view)
        if view.lead is None or view.lead.owner != link.rep_id:
            raise NotYours
    except (NotYours, Withdrawn) as error:
        raise _why_it_went(link, error) from error
    told = tell_outcome(
        *(wiring().record_deps, link.rep_id, link.lead_id, sent.outcome, sent.outcome_id, now)
    )
    if any(one.freed for one in told):
        wiring().timers.check("queue.check")
    logger.info("outcome recorded", lead_id=link.lead_id, rep_id=link.rep_id)
    if wants_html(event):
        return _to_page(event, sent)
    repeated = all(one.repeated for one in told)
    recorded = [one.entry.kind for one in told]
    return answer(200, {"lead_id": link.lead_id, "recorded": recorded, "repeated": repeated})


def _to_page(event: Event, sent: OutcomeIn) -> Response:
    """Send the browser on to the page, which says what was recorded; going back sends nothing."""
    asked = urlencode({"told": sent.outcome, "tap": sent.outcome_id})
    return see_other(f"/c/{quote(path(event, 'token'), safe='')}?{asked}")


def _recorded(event: Event, link: Link) -> str:
    """Return the outcome that the page's address names, if it is recorded."""
    told, tap = query(event, "told"), query(event, "tap")
    if not (told and tap):
        return ""
    from dibs.ledger.quick import recorded

    return recorded(wiring().ledger, link.rep_id, link.lead_id, told, tap)


def _why_it_went(link: Link, error: DibsError) -> DibsError:
    """Return why the lead went from the rep who held it, the error itself where they did not."""
    from dibs.ledger.in_hand import held_view

    mine = wiring()
    try:
        held_view(mine.race, mine.ledger.story, link.lead_id, link.rep_id, clock.now())
    except NoLongerYours as gone:
        return gone
    except LeadNotFound:
        pass
    return error


def _outcome_page(event: Event, error: DibsError) -> Response | None:
    """Return the page that tells a browser why an outcome was not recorded."""
    if not wants_html(event):
        return None
    from claim import pages

    token, language = path(event, "token"), "en"
    with suppress(DibsError):
        link = read_link(token)
        view = wiring().race.read(link.lead_id, link.rep_id)
        language = view.rep.language if view.rep else language
    if isinstance(error, LeadNotFound | Withdrawn | NoLongerYours | Busy):
        return _page(event, pages.of_error(error, token, language, clock.now()))
    return _page(event, pages.not_recorded(error, token, language))


def _session(event: Event, link: Link) -> Shown | None:
    """Return the session or token that the link's own rep shows beside it, if any."""
    try:
        said = caller(event)
    except Unauthorized:
        return None
    return said if said.owner == link.rep_id else None


def _told(outcome: Won | InDraw) -> Response:
    if isinstance(outcome, InDraw):
        return answer(202, draw_body(outcome))
    return answer(200, won_body(outcome))


def _claim_link(link: Link, proof: Proof) -> Won | InDraw:
    won = claim(wiring().race, link.lead_id, link.rep_id, proof, clock.now, only_at_first=True)
    return _counted(won)


def _undo_link(link: Link, proof: Proof) -> None:
    from dibs.race.undo import undo

    undo(wiring().race, link.lead_id, link.rep_id, proof, clock.now)
    logger.info("claim undone", lead_id=link.lead_id, rep_id=link.rep_id)


def _standing(view: RaceView, now: datetime) -> dict[str, Any]:
    return {"state": _state(view, now), "closes_at": view.lead and view.lead.closes_at}


def _state(view: RaceView, now: datetime) -> str:
    if waits_in_draw(wiring().race, view):
        return "in_draw"
    if is_lost(view):  # who won, and what is left, is told by the page
        return "lost"
    try:
        lead, rep, _ = check_claim(wiring().race, view, now)
    except Expired:
        return "expired"
    except ClaimRefused:
        return "refused"
    return "won" if lead.owner == rep.rep_id else "open"


def _show(event: Event) -> Page:
    """Return the page of the race as it stands; after an outcome was told it says so.

    A link alone shows the contact for some minutes, the rep's own session as long as they hold it.
    """
    from claim import pages

    token, language, now = path(event, "token"), "en", clock.now()
    try:
        link = read_link(token)
        said = _session(event, link)
        race = wiring().race
        view = (
            race.read(link.lead_id, link.rep_id, said)
            if said  # a session that has just ended opens nothing
            else looked(race, link.lead_id, link.rep_id, by_link(link))
        )
        language = view.rep.language if view.rep else language
        try:
            by_link(link).check(view)
        except Withdrawn as error:
            raise _why_it_went(link, error) from error
        known = said is not None and proves(view.credential, said, view.token_number, now)
        told = _recorded(event, link)
        return pages.standing(wiring().race, view, token, now, signed_in=known, told=told)
    except DibsError as error:
        return pages.of_error(error, token, language, now, posted=False)


def _answered(event: Event, act: Callable[[Link, Proof], Won | InDraw | None]) -> Response:
    """Do what was asked, and answer a browser with the page that tells how it went."""
    token, language = path(event, "token"), "en"
    judged: RaceView | None = None

    def check(view: RaceView) -> None:
        nonlocal judged, language  # what the act reads anyway also tells how to answer
        judged, language = view, view.rep.language if view.rep else language
        by_link(read_link(token)).check(view)

    if not wants_html(event):
        done = act(read_link(token), Proof(check))
        return _told(done) if done else answer(200, {"undone": True})
    from claim import pages

    try:
        done = act(read_link(token), Proof(check))
        if isinstance(done, InDraw):
            page = pages.of_draw(done, language, clock.now())
        elif done is not None and judged is not None:
            page = pages.of_win(wiring().race, done, token, judged, clock.now())
        else:
            page = pages.undone(language)
    except DibsError as error:
        page = pages.of_error(error, token, language, clock.now())
    return _page(event, page)


def _page(event: Event, page: Page) -> Response:
    # A look at how a race stands is a good answer to a GET; only a claim can fail.
    get = event.get("routeKey", "").split(" ")[0] != "POST"
    part = "part=main" in header(event, "accept")
    page = page.dressed(wiring().race.page_look())
    response = {
        "statusCode": 200 if get and page.status in (202, 403, 409) else page.status,
        "headers": page.headers,
        "body": page.part if part else page.html,
    }
    return compressed(event, response)


def _counted(won: Won | InDraw) -> Won | InDraw:
    if isinstance(won, InDraw):
        logger.info("claim in the draw", lead_id=won.lead_id)
    elif not won.already_yours:
        record = won.claim
        logger.info(
            "lead claimed",
            lead_id=record.lead_id,
            rep_id=record.rep_id,
            epoch=record.epoch,
            claim_ms=record.claim_ms,
        )
        if not record.test:
            count("Claims")
            count("ClaimMs", record.claim_ms)
    return won


_SEEN_ON_THE_LINK = (LeadNotFound, Withdrawn)
_CLAIMING = (*_SEEN_ON_THE_LINK, AlreadyClaimed, ClaimRefused, Expired)
_AGAIN = "The same rep, lead and opening get the same answer again."
_TOLD = {
    "told": {"description": "The outcome sent just now: the page says that it is recorded."},
    "tap": {"description": "Its `outcome_id`."},
}
_SHOWN = Route(show, LINK, dict.fromkeys((200, 404, 410, 503), HTML), query=_TOLD)

ROUTES = {
    "POST /leads/{lead_id}/claim": Route(
        claim_by_api,
        _HOLDER,
        {200: "Won", 202: "InDraw"},
        (AlreadyClaimed, ClaimRefused, Expired),
        repeated=_AGAIN,
    ),
    "GET /c/{token}": _SHOWN,
    "HEAD /c/{token}": _SHOWN,
    "GET /c/{token}/state": Route(state, LINK, {200: "Standing"}, _SEEN_ON_THE_LINK),
    "POST /c/{token}/seen": Route(seen, LINK, {200: "Seen"}, (*_SEEN_ON_THE_LINK, Expired)),
    "POST /c/{token}/claim": Route(
        claim_by_link,
        LINK,
        {200: ("Won", HTML), 202: ("InDraw", HTML)},
        _CLAIMING,
        repeated=_AGAIN,
        fields=("sure",),
    ),
    "POST /c/{token}/outcome": Route(
        outcome,
        LINK,
        {200: "OutcomeTold", 303: "", **dict.fromkeys((404, 409, 410, 422, 503), HTML)},
        (*_SEEN_ON_THE_LINK, NoLongerYours, NotYours, IllegalMove, AlreadyExists, Forbidden),
        body=OutcomeIn,
        repeated="The same outcome_id counts once.",
        page=_outcome_page,
    ),
    "POST /c/{token}/undo": Route(
        undo_by_link,
        LINK,
        {200: ("Undone", HTML)},
        (*_SEEN_ON_THE_LINK, NotYours, UndoOver),
        repeated="What was undone is undone still.",
    ),
}

handler = http(ROUTES, lambda: wiring().race.read("-", "-"))
