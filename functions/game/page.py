"""How the game's pages are made; they look as all pages do."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from dibs.screens.site import Site, site


@lru_cache(maxsize=1)
def game_site() -> Site:
    """Build, on first use, what all pages share."""
    return site(Path(__file__).parent / "templates")
