"""Points accounts and rewards (G9), for reps and managers."""

from __future__ import annotations

from collections.abc import Callable

from dibs.adapters.entry import Event
from dibs.adapters.http import Response

ROUTES: dict[str, Callable[[Event], Response]] = {}
