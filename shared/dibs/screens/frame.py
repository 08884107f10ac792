"""The frame around screens: where to go, for a rep and for a manager."""

from __future__ import annotations

from dibs.core.values import dataclass
from dibs.web.translations import N_, Translator

HOME = "/"
ME = "/me"
BOARD = "/boards/points"
DESK = "/desk"
REPORT = "/reports/assignment"
REPS = ((HOME, N_("Leads")), (BOARD, N_("Boards")), (ME, N_("Me")))
MANAGERS = ((DESK, N_("Desk")), (BOARD, N_("Boards")), (REPORT, N_("Report")))


@dataclass(frozen=True)
class Link:
    """Where to go from a page, and whether one is there already."""

    text: str
    href: str
    here: bool = False


def tabs(here: str, _: Translator, *, manager: bool = False) -> list[Link]:
    """Return where a rep or a manager can go; `here` is where they are."""
    return [Link(_(text), href, href == here) for href, text in (MANAGERS if manager else REPS)]
