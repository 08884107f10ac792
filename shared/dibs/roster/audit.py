"""The audit trail: who changed what, when, and from what to what (O6).

One entry for every change that a manager or the command makes. An entry holds no personal data
and no secret: of such a field it says only that it changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

PERSONAL = frozenset({"phone", "email", "token"})
CHANGED = "changed"


@dataclass(frozen=True)
class Entry:
    """An entry: `who` did `what` to `target`; `before` and `after` hold the fields that differ."""

    who: str
    what: str
    target: str
    at: datetime
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


def entry_of(
    who: str,
    what: str,
    target: str,
    at: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Entry:
    """Return the entry of a change, with the fields that differ and without personal data."""
    was, now = dict(before or {}), dict(after or {})
    names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    return Entry(
        who,
        what,
        target,
        at,
        {name: was[name] for name in names if name in was and name not in PERSONAL},
        {name: CHANGED if name in PERSONAL else now.get(name) for name in names},
    )


def matches(entry: Entry, who: str, target: str, since: datetime | None) -> bool:
    """Tell whether an entry is asked for; empty and None ask for all."""
    return (
        (not who or entry.who == who)
        and (not target or entry.target == target)
        and (since is None or entry.at >= since)
    )


def every_month(since: datetime, now: datetime) -> Iterator[datetime]:
    """Return the first of each month from `now` back to `since`."""
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while True:
        yield month
        if month <= since:
            return
        month = (month - timedelta(days=1)).replace(day=1)
