"""Note a change in the audit trail, and read it: the one way for handlers and commands (O6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from dibs.roster.audit import Entry, entry_of, every_month, matches
from dibs.roster.ports import AuditLog

MOST = 500


def note(
    log: AuditLog,
    who: str,
    what: str,
    target: str,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Note that `who` did `what` to `target`, if that changed anything."""
    entry = entry_of(who, what, target, now, before, after)
    if entry.before or entry.after:
        log.add(entry)


def entries(
    log: AuditLog,
    since: datetime,
    now: datetime,
    who: str = "",
    target: str = "",
    most: int = MOST,
) -> list[Entry]:
    """Return the latest entries since then, the newest first."""

    def found() -> Iterator[Entry]:
        for month in every_month(since, now):
            for entry in log.month(month):
                if matches(entry, who, target, since):
                    yield entry

    return list(islice(found(), most))
