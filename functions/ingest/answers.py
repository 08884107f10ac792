"""What `POST /leads` answers."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from dibs.core.lead import State
from dibs.core.quality import Pool, Quality


class Accepted(TypedDict):
    """A lead as it was accepted; `reason` says why it waits, where it does."""

    lead_id: str
    state: State
    quality: Quality
    pool: Pool
    duplicate: bool
    flags: list[str]
    reason: str | None
    draw_commitment: NotRequired[str]
