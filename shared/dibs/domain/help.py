"""stand-in"""

from __future__ import annotations

from collections.abc import Iterable

from dibs.domain.ledger import Entry


def paid(entries: Iterable[Entry], cap: int) -> set[str]:
    return {entry.entry_id for entry in sorted(entries, key=lambda e: (e.at, e.entry_id))[:cap]}
