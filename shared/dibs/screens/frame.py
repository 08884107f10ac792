"""The frame around screens: where to go, for a rep and for a manager."""

from __future__ import annotations

from dibs.core.values import dataclass
from dibs.web.translations import N_, Translator

HOME = "/"
ME = "/me"
BOARD = "/boards/points"
DESK = "/desk"
APPROVALS = "/desk/approvals"
REPORT = "/reports/assignment"
REPS = ((HOME, N_("Leads")), (BOARD, N_("Boards")), (ME, N_("Me")))
MANAGERS = ((DESK, N_("Desk")), (BOARD, N_("Boards")), (REPORT, N_("Report")))
OF_THE_DESK = (
    (DESK, N_("Desk")),
    (APPROVALS, N_("Approvals")),
    (REPORT, N_("Report")),
)
"""The pages a manager works with; a phone's tabs have room for the first and the last alone."""


@dataclass(frozen=True)
class Link:
    """Where to go from a page, and whether one is there already."""

    text: str
    href: str
    here: bool = False


def tabs(here: str, _: Translator, *, manager: bool = False) -> list[Link]:
    """Return where a rep or a manager can go; `here` is where they are."""
    return [Link(_(text), href, href == here) for href, text in (MANAGERS if manager else REPS)]


def desk_pages(here: str, _: Translator) -> list[Link]:
    """Return the pages a manager works with; `here` is the one they are on."""
    return [Link(_(text), href, href == here) for href, text in OF_THE_DESK]
