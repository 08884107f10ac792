"""What a browser gets after a manager's decision: the list of what is left, or what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dibs.aws import clock
from dibs.core.credentials import Shown
from dibs.core.errors import AlreadyDecided, DibsError
from dibs.game.rewards.rules import AUTOMATIC, RequestState
from dibs.screens.frame import APPROVALS
from dibs.screens.manager import manager_page, not_shown
from dibs.web.http import Event, Response, path, see_other, wants_html
from dibs.web.route import HTML
from dibs.web.translations import ENGLISH, N_, in_words, translator
from dibs.wiring import wiring
from game.page import site

PAGES: Mapping[int, str] = {303: "", **dict.fromkeys((400, 403, 404, 409, 413, 422), HTML)}
"""What a browser's form is answered with."""
_DECIDED = {
    RequestState.APPROVED: N_("{name} approved “{reward}” {time} ago."),
    RequestState.REFUSED: N_("{name} refused “{reward}” {time} ago."),
    RequestState.COLLECTED: N_("{name} handed out “{reward}” {time} ago."),
    RequestState.RECALLED: N_("{name} took “{reward}” back {time} ago."),
    RequestState.LAPSED: N_("“{reward}” expired {time} ago."),
}


def next_page(event: Event, response: Response) -> Response:
    """Return what follows a decision: for a form, the list of what is left."""
    return see_other(APPROVALS) if wants_html(event) else response


def not_all(done: int, problems: Sequence[str]) -> Response:
    """Return the page that says which of the ticked requests could not be approved."""
    _ = translator(ENGLISH)
    said = [_.ngettext("{n} request is approved.", "{n} requests are approved.", done), *problems]
    around = {"problem": " ".join(said), "back": APPROVALS, "called": _("Approvals")}
    return manager_page(site(), 409, "message.html", APPROVALS, **around)


def error_page(event: Event, error: DibsError) -> Response | None:
    """Return the page that tells a browser of an error; of a decided request, who decided."""
    problem = said(path(event, "request_id"), error) if wants_html(event) else ""
    _ = translator(ENGLISH)
    return not_shown(site(), event, error, APPROVALS, _("Approvals"), problem)


def said(request_id: str, error: DibsError) -> str:
    """Return what went wrong; of a request that was decided already, who did so and when."""
    request = wiring().rewards.find(request_id) if isinstance(error, AlreadyDecided) else None
    if request is None or request.state not in _DECIDED:
        return str(error)
    step, _ = request.steps[-1], translator(ENGLISH)
    return _(
        _DECIDED[request.state],
        name=_name(step.by),
        reward=request.name,
        time=in_words(clock.now() - step.at, ENGLISH),
    )


def _name(who: str) -> str:
    manager = None
    if who != AUTOMATIC:
        manager, _ = wiring().credentials.of_manager(Shown(who, ""))
    return who if manager is None else manager.name
