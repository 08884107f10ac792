"""stand-in"""

from __future__ import annotations

from collections.abc import Iterable

from dibs.domain.ledger import Entry
from dibs.domain.playbook import Quest


def finished(entries: Iterable[Entry], quest: Quest) -> Entry | None:
    return None
