"""The frame around screens: where to go, for a rep and for a manager."""

from __future__ import annotations

from dibs.core.values import dataclass
from dibs.web.translations import N_, Translator

REPS = (
    ("/", N_("Leads")),
    ("/boards/points", N_("Boards")),
    ("/me", N_("Me")),
)
MANAGERS = (
    ("/desk", N_("Desk")),
    ("/boards/points", N_("Boards")),
    ("/reports/assignment", N_("Report")),
)


@dataclass(frozen=True)
class Link:
    """Where to go from a page, and whether one is there already."""

    text: str
    href: str
    here: bool = False


def tabs(here: str, _: Translator, *, manager: bool = False) -> list[Link]:
    """Return where a rep or a manager can go; `here` is where they are."""
    return [Link(_(text), href, href == here) for href, text in (MANAGERS if manager else REPS)]
