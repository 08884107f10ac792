"""What the pages of the desk share: how they are made, and whose part one looks at."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from dibs.core.credentials import Manager
from dibs.rules.playbook import Playbook
from dibs.screens.frame import Link
from dibs.screens.site import Site, site
from dibs.web.translations import Translator
from dibs.wiring import look


@lru_cache(maxsize=1)
def desk_site() -> Site:
    """Build, on first use, what all pages share."""
    return site(Path(__file__).parent / "templates", look)


def team_links(
    manager: Manager, playbook: Playbook, team: str, here: str, _: Translator
) -> list[Link]:
    """Return whose part of a page may be looked at: a team's manager has their own alone."""
    if manager.team:
        return []
    every = [Link(_("All teams"), here, not team)]
    return every + [
        Link(one.name, f"{here}?team={quote(team_id)}", team == team_id)
        for team_id, one in playbook.teams.items()
    ]
