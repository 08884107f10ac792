"""The audit trail: who changed what, when, and from what to what (O6).

One entry for every change that a manager or the command makes. An entry holds no personal data
and no secret: of such a field it says only that it changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

PERSONAL = frozenset({"phone", "email", "token"})
CHANGED = "changed"

Made = Literal["yes", "no", "unknown"]
"""Whether a change was made. An entry is written before its change, as unknown, and once more after
it. Where the process died in between, it stays unknown: the change has a trace in any case."""


@dataclass(frozen=True)
class Entry:
    """An entry: `who` did `what` to `target`; `before` and `after` hold the fields that differ.

    `entry_id` is empty where it is written but once.
    """

    who: str
    what: str
    target: str
    at: datetime
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    made: Made = "yes"
    entry_id: str = ""


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


@dataclass(frozen=True)
class Part:
    """What of the log a team's manager may read: what its `managers` did, and what names the team
    or its `reps`; nothing of the `others`, who are reps of other teams."""

    team: str
    managers: frozenset[str]
    reps: frozenset[str]
    others: frozenset[str]

    def of(self, entry: Entry) -> Entry | None:
        """Return an entry without its fields about other teams' reps; None if it is not theirs."""
        target = set(re.split(r"[./]", entry.target))
        named = target | set(_texts([entry.before, entry.after]))
        ours = entry.who in self.managers or bool(named & {self.team, *self.reps})
        if not ours or target & self.others:
            return None
        before, after = (
            {
                name: value
                for name, value in side.items()
                if self.others.isdisjoint([name, *_texts(value)])
            }
            for side in (entry.before, entry.after)
        )
        return replace(entry, before=before, after=after)


def _texts(value: Any) -> Iterator[str]:
    """Return every text in a value, names of fields among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def every_month(since: datetime, now: datetime) -> Iterator[datetime]:
    """Return the first of each month from `now` back to `since`."""
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while True:
        yield month
        if month <= since:
            return
        month = (month - timedelta(days=1)).replace(day=1)
