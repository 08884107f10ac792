"""A rep's page in their language, and where a browser goes that may not see it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from dibs.core.errors import DibsError, Forbidden, Unauthorized
from dibs.screens.frame import DESK, tabs
from dibs.screens.site import Site
from dibs.web.http import STATUS, Event, Response, query, see_other, wants_html
from dibs.web.route import reads
from dibs.web.translations import ENGLISH, said_of, translator

DROPPED = "tap=dropped"
TAP = {
    "tap": {
        "description": "`dropped`: the tap before signing in was not done.",
        "enum": ["dropped"],
    }
}


def made(site: Site, status: int, template: str, language: str, **values: Any) -> Response:
    """Return a page; `here` is the tab it belongs to."""
    texts = translator(language)
    around = tabs(values.pop("here", ""), texts)
    return site.page(status, template, _=texts, lang=texts.language, tabs=around, **values)


def refused(
    site: Site, error: DibsError, back: str, called: str, language: str = ENGLISH
) -> Response:
    """Return the page that says why what a form asked for was not done, and the way back."""
    said, _ = said_of(error, language), translator(language)
    status = STATUS[type(error)]
    return made(site, status, "message.html", language, problem=said, back=back, called=_(called))


def error_page(
    site: Site, event: Event, error: DibsError, back: str, called: str
) -> Response | None:
    """Return what a browser is shown where nobody's language is known: most often the sign-in.

    None for whoever wants no page. A manager is led to their desk.
    """
    if not wants_html(event):
        return None
    if isinstance(error, Unauthorized):
        return sign_in(event, back)
    if isinstance(error, Forbidden) and reads(event.get("routeKey", "")):
        return see_other(DESK)
    return refused(site, error, back, called)


def sign_in(event: Event, comes_next: str) -> Response:
    """Return where to sign in, after which the page `comes_next`.

    What a request without a session would have changed is not done, and that page says so.
    """
    dropped = "" if reads(event.get("routeKey", "")) else quote(f"?{DROPPED}")
    return see_other(f"/sign-in?to={comes_next}{dropped}")


def was_dropped(event: Event) -> bool:
    """Tell whether this page comes next after a tap without a session."""
    return query(event, "tap") == "dropped"


def dropped_sentence(language: str) -> str:
    """Return what that page says."""
    _ = translator(language)
    return _("You were signed out, so what you tapped last was not done. Tap it again.")
