"""A manager's pages: in their frame, and what a browser gets where one cannot be shown (U5)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from dibs.core.errors import DibsError, Forbidden, Unauthorized
from dibs.screens.frame import DESK, HOME, REPORT, desk_pages, tabs
from dibs.screens.site import Site
from dibs.web.http import STATUS, Event, Response, see_other, wants_html
from dibs.web.translations import ENGLISH, translator


def manager_page(made: Site, status: int, template: str, here: str, /, **values: Any) -> Response:
    """Return a page of a manager's; `here` is the one of their pages it belongs to."""
    _ = translator(ENGLISH)
    # Of the pages of the desk the report alone has a tab of its own.
    tab = REPORT if here == REPORT else DESK
    around = {"tabs": tabs(tab, _, manager=True), "pages": desk_pages(here, _), **values}
    return made.page(status, template, _=_, lang=ENGLISH, **around)


def not_shown(
    made: Site, event: Event, error: DibsError, here: str, called: str, problem: str = ""
) -> Response | None:
    """Return the page that tells a browser of an error; where to sign in, if that is it.

    `here`, which is `called` so, is where to go from there. `problem` says more than the error.
    """
    if not wants_html(event):
        return None
    if isinstance(error, Unauthorized):
        return see_other(f"/sign-in?to={quote(here)}")
    status, said = STATUS[type(error)], problem or str(error)
    if isinstance(error, Forbidden):
        # A rep has no desk: the first page leads everybody to their own.
        around = {"back": HOME, "called": "Dibs", "tabs": (), "pages": ()}
        return manager_page(made, status, "message.html", here, problem=said, **around)
    around = {"back": here, "called": called}
    return manager_page(made, status, "message.html", here, problem=said, **around)
